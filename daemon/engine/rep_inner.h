/* SPDX-License-Identifier: ISC
 *
 * rep_inner - what the files of rep share
 */
#ifndef LEADD_ENGINE_REP_INNER_H
#define LEADD_ENGINE_REP_INNER_H

#include "base/buf.h"
#include "base/bounds.h"
#include "crm/rep_lines.h"
#include "engine/rep.h"

/* The answer as it grows. */
struct rep_answer {
    struct buf done, refused, shown;
    int64_t journal[BOUND_REP_LINES]; /* rows that may be taken back */
    size_t journal_count;
    struct crm_target target; /* the first record that something was done with */
};

void rep_answer_init(struct rep_answer *a);
void rep_answer_done(struct rep_answer *a);
/* Into the outbox, to the user. words: what became of them, or NULL. */
int rep_answer_send(struct engine *eng, const struct rep_mail *m, const struct rep_answer *a,
                    const char *words, struct err *e) LEADD_MUST_CHECK;
/* The journal rows that the answer told of which this mail answers; 0 when it answers
 * none. */
int rep_answered(struct engine *eng, const json_t *message, int64_t out[BOUND_REP_LINES],
                 size_t *count_out, struct err *e) LEADD_MUST_CHECK;

/* find, show, why, help: adds what is to be told to out. ERR_INPUT: it is refused. */
int rep_ask(struct engine *eng, const char *user, const struct crm_target *target,
            const char *line, struct buf *out, struct err *e) LEADD_MUST_CHECK;

#endif
