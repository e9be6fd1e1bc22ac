/* SPDX-License-Identifier: ISC
 *
 * notice - what leadd tells its administrator by mail
 *
 * Each matter is told once: the key names it, with the day or hour in it where
 * it may come again, and the outbox's unique intent does the rest. Goes to
 * settings.admin, else to the default owner, from the null sender.
 */
#ifndef LEADD_ENGINE_NOTICE_H
#define LEADD_ENGINE_NOTICE_H

#include "engine/engine.h"

/* A mail from leadd itself, to one address, from the null sender. All borrowed. */
struct notice {
    const char *intent, *to, *subject, *text;
    const char *reply_to;  /* NULL: the company's address */
    const char *in_reply_to; /* Message-ID, or NULL */
    const char *id_prefix; /* begins the Message-ID: a token that answers will carry; or NULL */
    int64_t lead_id, case_id, contact_id;
    bool alarm; /* to the administrator: of too many of these nobody is told */
};
/* As notice_admin, which is one. told_out, which may be NULL: false when the intent was
 * there already. */
int notice_send(struct engine *eng, const struct notice *n, bool *told_out,
                struct err *e) LEADD_MUST_CHECK;

/* Inside a pass. 0, or -1 when the store failed; what else goes wrong is
 * logged: a notice must not undo what it tells about. */
int notice_admin(struct engine *eng, const char *key, const char *subject, const char *text,
                 struct err *e) LEADD_MUST_CHECK;
/* Where it goes; NULL: nowhere. */
const char *notice_admin_address(const struct engine *eng);
/* From outside a pass: queues it for the next one. */
void notice_queue(struct engine *eng, const char *key, const char *subject, const char *text);
/* The body of an outbox row that stands already; again: it had one. ERR_INPUT when it
 * cannot be written. */
int notice_fill(struct engine *eng, int64_t id, const char *to, const char *subject,
                const char *text, bool again, struct err *e) LEADD_MUST_CHECK;
/* The handler of ITEM_NOTICE. */
int notice_item(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;

/* "2026-11-21" or "2026-11-21T10", for keys. */
const char *notice_day(char out[32]);
const char *notice_hour(char out[32]);

#endif
