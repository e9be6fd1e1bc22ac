/* SPDX-License-Identifier: ISC
 *
 * conversation_sms - the part of conversations that goes by SMS
 *
 * A contact's text reaches the owner by mail (conversation.c), or as a text when the owner
 * prefers that: with a code in front of which nobody else can know, and words behind that
 * code go back to the contact from the company's number. The contact never sees the owner's
 * number, nor the owner's phone the contact's replies to it. What the owner answers by mail
 * goes the same way.
 */
#ifndef LEADD_ENGINE_CONVERSATION_SMS_H
#define LEADD_ENGINE_CONVERSATION_SMS_H

#include "engine/input.h"

bool conversation_is_sms(const json_t *message);

/* What a mail about a contact's text says below its words: links of media, and that a word
 * such as STOP stands in it and ends nothing. */
void conversation_text_more(const struct engine *eng, const json_t *message, struct buf *out);

/* The contact's text to the owner's phone. *told_out false: the owner gets mail. */
int conversation_text_in(struct input *in, const struct crm_target *t, const char *owner,
                         int64_t message_id, bool *told_out, struct err *e) LEADD_MUST_CHECK;

/* Words that one of ours wrote, to a contact's number; filed, and the record marked
 * contacted. ERR_INPUT says why they stay. answered: the contact's message. */
struct conversation_words_out {
    const char *user, *to, *ours, *gateway; /* ours: NULL: any number */
    const char *words;
    const struct crm_target *target;
    int64_t message_id; /* of the user's mail or text */
    const char *hold;
};
int conversation_text_put(struct input *in, const struct conversation_words_out *w,
                          int64_t *outbox_out, char held_out[256], struct err *e) LEADD_MUST_CHECK;

/* "L42: words" of a user who is proven, as an input of its own: to the contact's number.
 * told gets what became of it. */
struct conversation_text {
    const char *user;
    enum crm_entity entity;
    int64_t id;
    const char *words;
    int64_t message_id;
    const char *ours;
};
int conversation_text_out(struct engine *eng, const struct conversation_text *c, char *told,
                          size_t n, struct err *e) LEADD_MUST_CHECK;

#endif
