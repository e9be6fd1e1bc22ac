/* SPDX-License-Identifier: ISC
 *
 * why - a journal row told to people: events, what each rule decided, what was done
 *
 * For `leadctl why`, and for tools that run on solo.h. Texts end in a newline. A row has the
 * decisions of the rules that ran; those of the others are made again (why_again.c) and put
 * into the row, so that it then has all.
 */
#ifndef LEADD_WHY_H
#define LEADD_WHY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct engine;
struct ruleset;

/* rows as journal_list() gives them, but oldest first; only: of this rule alone, with the
 * rows and events that it was asked at; NULL: of all. The rows are completed. */
int why_tell(struct engine *eng, json_t *rows, const char *only, struct buf *out, struct err *e)
    LEADD_MUST_CHECK;
/* One decision of one row: "dach (20-a.conf:7): did not match: ..". */
int why_tell_decision(struct engine *eng, const json_t *row, const json_t *decision,
                      struct buf *out, struct err *e) LEADD_MUST_CHECK;

/* All about one message (why_mail.c); the passes that it caused are added to rows. */
int why_mail_tell(struct engine *eng, int64_t id, json_t *rows, struct buf *out, struct err *e)
    LEADD_MUST_CHECK;

/* ---- for ctl_why.c ---- */

/* A rule set of another time. */
struct why_rules {
    int64_t id;              /* 0: none */
    json_t *row;             /* own; as ruleset_load() gives it */
    const json_t *source;    /* in it */
    const struct ruleset *set;
    struct ruleset *then;    /* own; set, unless that is the one in use */
    json_t *lost;            /* own; rule -> why it cannot be compiled any more */
};

/* Makes all decisions of a row again that it does not tell. */
void why_again(struct engine *eng, json_t *row, const struct why_rules *rules, const char *only);

#endif
