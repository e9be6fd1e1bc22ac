/* SPDX-License-Identifier: ISC
 *
 * lint - what is allowed in a rule set, and yet hardly meant
 *
 * The findings of rule/lint.h, with what only the CRM knows: which command
 * changes and announces what, and what of the config nobody names.
 */
#ifndef LEADD_CRM_LINT_H
#define LEADD_CRM_LINT_H

#include "base/json.h"
#include "rule/lint.h"

struct crm;

/* For a config tree without mistakes. The array of rule/lint.h, and in it also
 *   unused  a table, pool, template and the like that nothing names
 * own. */
json_t *crm_lint(const json_t *config_tree, int64_t now_ms);

/* What a command of a rule with this `on` leaves behind; for crm_lint() and its test. */
void crm_effect(const struct crm *crm, const char *on, const char *command,
                struct lint_effect *out);
/* Is the command in the table of effects? */
bool crm_effect_known(const char *command_name);

/* One command line ({"text", "at"}) of a rule, an escalation or a sequence: what is the key
 * that a finding has it under, name its name, of a step "nurture/3". */
typedef void (*crm_lint_line)(void *arg, const char *what, const char *name, const json_t *line);
void crm_lint_lines(const json_t *config_tree, crm_lint_line each, void *arg);

/* Adds what was meant as a day or a command, and is taken for words:
 *   words   a second command, or a day that is misspelt */
void crm_lint_words(const struct crm *crm, const json_t *config_tree, json_t *found);
/* Texts that take several SMS, or cost more by one character; see lint_sms.c. */
void crm_lint_sms(const struct crm *crm, const json_t *config_tree, json_t *found);
/* Sequences that nobody begins, or that cannot be begun from where they are, or begin each
 * other without end; see lint_begins.c. */
void crm_lint_begins(const struct crm *crm, const json_t *config_tree, json_t *found);

/* Templates that go to leads and customers; see lint_template.c:
 *   unset, empty, parts  as rule/template.h has them
 *   language             one that is spoken elsewhere, and not here */
void crm_lint_templates(const struct crm *crm, const json_t *config_tree, json_t *found);

/* Adds to found what of the tree nothing names. */
void crm_lint_unused(const json_t *config_tree, json_t *found);

#endif
