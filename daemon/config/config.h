/* SPDX-License-Identifier: ISC
 *
 * config - leadd.conf, the rule files and the templates, read into one tree
 *
 * The tree is described in daemon/README.md, "Config tree". Reading follows
 * schema tables (schema.h): one row per key, so that a misspelt key, a value
 * of the wrong type or out of range is an error with file, line and key. All
 * that is wrong is told in one run. What rules, commands and templates say is
 * checked by crm later, on the same tree.
 *
 * Files are read with the rights of the caller and never written.
 */
#ifndef LEADD_CONFIG_H
#define LEADD_CONFIG_H

#include <jansson.h>

#include "base/errlist.h"

/* The whole tree, or NULL with at least one error added to errors. What is
 * unwise but not wrong is in the tree's "warnings", one line each. */
json_t *config_load(const char *path, struct errlist *errors);
/* The same where the daemon does not run, for work on rules: files with passwords,
 * tokens and certificates need not be there. */
json_t *config_load_away(const char *path, struct errlist *errors);
/* The same with what could be understood where errors were added, to look for further ones;
 * NULL only where a file cannot be read or has a mistake of syntax. */
json_t *config_load_some(const char *path, struct errlist *errors);

/* What each role may know: { "engine": {..}, "intake:sales": {..}, .. }. */
json_t *config_split(const json_t *tree);

struct buf;
/* Text as mdoc(7) takes it: a backslash, and a line's first . or ' would be read as markup.
 * Each sentence gets a line of its own. */
void config_mdoc(struct buf *out, const char *s);

/* All keys with type, default and meaning, in the source form of leadd.conf(5)
 * (mdoc); own, mem_free. */
char *config_help_mdoc(void);
/* The keys of a rule file, for leadd-rules(5). */
char *config_help_rules_mdoc(void);
/* The same for a terminal. */
char *config_help_text(void);

#endif
