/* SPDX-License-Identifier: ISC
 *
 * ctl_rules - `leadctl rules SUBCOMMAND`
 *
 *   ctl_rules.c        the table of subcommands, and where a rule set lies
 *   ctl_rules_check.c  check
 *   ctl_rules_test.c   test
 *   ctl_rules_explain.c  explain
 *
 * A new subcommand is a function of the form below, in a file of its own, and a
 * row in the table of ctl_rules.c. Those with a function work on files alone and
 * need no running daemon; those without are the daemon's, which gets the whole
 * line ("rules", "coverage", ..).
 */
#ifndef LEADD_CTL_RULES_H
#define LEADD_CTL_RULES_H

#include "base/errlist.h"
#include "ctl.h"

#define CTL_RULES_ERRORS 200 /* told in one run */

int ctl_local_rules(const struct ctl_options *opt, int argc, char **argv);

/* argv[0] is the subcommand. */
int ctl_rules_check(const struct ctl_options *opt, int argc, char **argv);
int ctl_rules_route(const struct ctl_options *opt, int argc, char **argv);
int ctl_rules_test(const struct ctl_options *opt, int argc, char **argv);
int ctl_rules_replay(const struct ctl_options *opt, int argc, char **argv);
int ctl_rules_explain(const struct ctl_options *opt, int argc, char **argv);
int ctl_rules_activate(const struct ctl_options *opt, int argc, char **argv);

/* "usage: leadctl rules NAME .."; returns CTL_EXIT_USAGE. */
int ctl_rules_usage(const char *name);

/* The leadd.conf that DIR|FILE means: the file itself, the one in that folder, or,
 * for NULL, the one that leadd reads. own; NULL with e when there is none. */
char *ctl_rules_path(const char *arg, struct err *e);

/* The config tree of that leadd.conf, with rules, commands and templates checked
 * as `leadd -t` does; own. NULL when there was a mistake: then errors has it. */
json_t *ctl_rules_load(const char *path, struct errlist *errors);

#endif
