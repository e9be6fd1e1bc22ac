/* SPDX-License-Identifier: ISC
 *
 * sms_out - an SMS as a row of the outbox, and its way to the courier
 *
 * The one choke point for texts, whoever asked: segments, consent, ladder and hold are
 * decided here when a text is written, and consent again when it leaves. One row per
 * recipient and intent, as for mail; its states are the outbox's, and what the gateway
 * tells later stands beside it (store/sms.h).
 *
 * A text without an answer is unknown and not repeated, as a mail is not. One that cannot
 * leave within a day is given up: nobody wants yesterday's reminder.
 */
#ifndef LEADD_ENGINE_SMS_OUT_H
#define LEADD_ENGINE_SMS_OUT_H

#include "base/units.h"
#include "crm/crm.h"
#include "engine/input.h"
#include "store/outbox.h"

#define SMS_GIVE_UP_MS DAY_MS

struct sms_letter {
    const char *class_;  /* of the outbox: "follow_up", "notice", "relay", "consent", .. */
    const char *intent;  /* unique */
    const char *to;      /* E.164 */
    const char *to_user; /* when it goes to one of ours, else NULL */
    const char *from;    /* a gateway, by name or number; NULL: any, in their order */
    const char *text;
    const char *template_; /* NULL: none */
    const struct crm_target *target; /* zeroes: of no record */
    bool exempt;         /* what STOP, START or HELP is answered with: no ladder, no hold */
    const char *hold;    /* why it may not leave now; NULL: it may */
    int64_t delay_ms;    /* before it leaves */
};
/* outbox_out is 0 when the intent is there already. held_out, when not NULL, gets why it
 * waits, or "". ERR_INPUT says why it is not sent. */
int sms_put(struct input *in, const struct sms_letter *l, int64_t *outbox_out, char held_out[256],
            struct err *e) LEADD_MUST_CHECK;

/* `send sms using T` and `notify .. by sms`: the crm hook `send` of one with s->sms. */
int sms_send(struct input *in, const struct crm_send *s, int64_t *outbox_out,
             struct err *e) LEADD_MUST_CHECK;

/* ---- for outbound.c ---- */

/* A due row of channel sms: the frame that hands it to the courier, without its slot (own).
 * NULL and 0: it waits, or was ended, and the row says why. */
int sms_frame(struct engine *eng, const json_t *row, enum frame_type *type_out, json_t **json_out,
              char **raw_out, size_t *raw_len_out, struct err *e) LEADD_MUST_CHECK;

/* row as outbox_get gives it, texted what the courier said (NULL: it died): notes gateway,
 * id and price, marks the address, minds the gateways. Called inside of the row's outcome,
 * before its new state is written. */
int sms_settled(struct input *in, const json_t *row, const char *outcome, const json_t *texted,
                struct outbox_change *c, struct err *e) LEADD_MUST_CHECK;

/* The number is no use for texts, or its owner wants none: said by a gateway. */
int sms_mark(struct input *in, const char *number, const char *reason, const char *why,
             struct err *e) LEADD_MUST_CHECK;

/* The name of a row for receipts: "O17.TOKEN"; and the other way, 0: it is none of ours. */
void sms_key(struct engine *eng, int64_t outbox, char out[64]);
int64_t sms_key_read(struct engine *eng, const char *key);

#endif
