/* SPDX-License-Identifier: ISC
 *
 * command - the table of everything that can change the CRM, and its one door
 *
 * A rule's `do`, a rep's `#won 5000`, leadctl and the API all come through
 * crm_command_run() with another actor. A command is one file (cmd_NAME.c) and
 * one row of crm_commands_table; permission, record and undo are done here once.
 */
#ifndef LEADD_CRM_COMMAND_H
#define LEADD_CRM_COMMAND_H

#include "crm/crm.h"

struct crm_result {
    char text[512];           /* one line that tells what was understood and done */
    struct crm_target target; /* with what the command created */
};

/* Is the line, in a rule, a command this CRM can run? ERR_INPUT with the nearest name; col_out (may be
 * NULL) gets the 0-based byte where the mistake stands. Does not touch the store. */
int crm_command_check(const struct crm *crm, const char *line, int *col_out, struct err *e)
    LEADD_MUST_CHECK;

/* Runs one line, such as "assign pool dach" or "won 5.000,50 EUR", for a target.
 * A command for a deal takes the open deal of the target's lead (`won` and
 * `stage` create one), for a case the open case. out may be NULL. */
int crm_command_run(struct crm_ctx *ctx, const struct crm_target *target, const char *line,
                    const struct crm_actor *actor, struct crm_result *out, struct err *e)
    LEADD_MUST_CHECK;

/* May this actor use the command at all? Without arguments checked. */
bool crm_command_allowed(const struct crm *crm, const char *line, const struct crm_actor *actor);

/* For help texts: row i of the table, or NULL after the last. */
struct crm_command_help {
    const char *name, *grammar, *help, *example;
    bool by_rules; /* may stand in a `do` */
    bool by_staff; /* some user may give it */
    bool text;     /* its arguments hold words of a person: they are left as written */
};
const struct crm_command_help *crm_command_help(size_t i);

/* The name of the command nearest to what somebody wrote, or NULL. */
const char *crm_command_near(const char *word);

#endif
