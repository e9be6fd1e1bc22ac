/* SPDX-License-Identifier: ISC
 *
 * expect - is it as a test says, and if not, why
 */
#ifndef LEADD_TOOL_EXPECT_H
#define LEADD_TOOL_EXPECT_H

#include "tool/scene.h"

/* One more entry of failures: {"at", "expected", "found", "why": [text]}; takes why,
 * which may be NULL. */
void expect_failed(json_t *failures, const char *at, const char *expected, const char *found,
                   json_t *why);

/* Holds the scene against an expect of the config tree, adds what does not fit, and
 * moves the scene's mark. -1 with e when it could not be looked at. */
int expect_check(struct scene *s, const json_t *expect, json_t *failures, struct err *e)
    LEADD_MUST_CHECK;

/* "TEMPLATE to WHOM", "TEMPLATE" or "to WHOM": the parts, cut out of text; NULL where
 * there is none. */
struct expect_mail {
    char *own; /* own */
    const char *template_name, *to;
};
void expect_mail_read(const char *text, struct expect_mail *out);
void expect_mail_done(struct expect_mail *m);

/* ---- reasons (reason.c) ------------------------------------------------------------ */

/* Why a rule did not run, or what it did: from these journal rows. */
void reason_rule(const struct scene *s, const json_t *rows, const char *rule, json_t *why);
/* The same of all rules with a command that begins with verb and names word (NULL: any);
 * at most three. */
void reason_command(const struct scene *s, const json_t *rows, const char *verb, const char *word,
                    json_t *why);
/* Which command set that field of the record last. */
void reason_change(const struct scene *s, const json_t *rows, const char *record,
                   const char *field, json_t *why);
/* Did this decision of a journal row run its rule? */
bool reason_ran(const json_t *decision);

#endif
