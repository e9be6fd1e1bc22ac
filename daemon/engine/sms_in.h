/* SPDX-License-Identifier: ISC
 *
 * sms_in - an SMS that a gateway got for us: a message like any other
 *
 * The preset's `inbound` says under which names sender, words, id and media stand. What
 * comes out of it is filed by the ordinary path: crm_receive(), then rules, then the people
 * it concerns. A text carries no reference; its thread is the pair of numbers, that is the
 * record of the last text between them. STOP, START and HELP are settled here; a user's
 * text goes on to sms_rep.h. A long text in parts waits until all are there, and is filed
 * with its gap named when one never comes.
 */
#ifndef LEADD_ENGINE_SMS_IN_H
#define LEADD_ENGINE_SMS_IN_H

#include "engine/input.h"
#include "engine/timer.h"

struct sms {
    const char *gateway; /* its name */
    const char *theirs, *ours; /* E.164; theirs may be a name, which nobody can answer */
    bool number;         /* theirs is one */
    const char *text;    /* valid UTF-8 */
    const char *id;      /* the gateway's; "" when it has none */
    const char *flag;    /* what it tells of an opt-out: "STOP"; or "" */
    bool opted_out;      /* and that it means one, whatever the words */
    json_t *media;       /* borrowed; [{url, type}] */
    const char *gap;     /* what is missing of it, or NULL */
};

/* Files it; *message_out is its row, 0 when it was here before. */
int sms_file(struct engine *eng, const struct sms *s, int64_t *message_out,
             struct err *e) LEADD_MUST_CHECK;

/* Parts that have waited long enough for the others. */
extern const struct timer_kind timer_kind_sms_part;

/* A text between these two, either way: from now on it is their thread. */
int sms_pair_note(struct engine *eng, const char *ours, const char *theirs,
                  const struct crm_target *t, bool in, int64_t now_ms,
                  struct err *e) LEADD_MUST_CHECK;

#endif
