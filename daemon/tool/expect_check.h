/* SPDX-License-Identifier: ISC
 *
 * expect_check - the inside of expect.c: one expect held against the scene
 *
 *   expect.c         which record is meant, counts, answers; all of it
 *   expect_record.c  the record: fields, tags, conditions
 *   expect_seen.c    what has happened: mails, calls, rules, timers
 */
#ifndef LEADD_TOOL_EXPECT_CHECK_H
#define LEADD_TOOL_EXPECT_CHECK_H

#include "tool/expect.h"

#define COUNT_MAX 10000 /* of records that an expectation counts */

struct check {
    struct scene *s;
    const json_t *expect;
    json_t *failures; /* borrowed */
    json_t *rows, *mails; /* own; since the mark */
    json_t *all;          /* own; see expect_all() */
    char record[CRM_ID_LEN];
    enum crm_entity entity; /* of record; CRM_NONE: there is none */
    struct crm_ctx *ctx;     /* own; with facts NULL when there is no record */
    struct crm_facts *facts; /* own */
};

static inline const char *line_text(const json_t *line)
{
    return json_get_str(line, "text", "");
}

static inline const char *line_at(const json_t *line)
{
    return json_get_str(line, "at", "?");
}

/* Rows of the journal from the start, for reasons. */
const json_t *expect_all(struct check *c);
/* The count under that key is n? found and why may be NULL; takes why. */
void expect_count(struct check *c, const char *key, int64_t n, const char *found, json_t *why);
void expect_record(struct check *c);
/* -1 with e when it could not be looked at. */
int expect_seen(struct check *c, struct err *e) LEADD_MUST_CHECK;

#endif
