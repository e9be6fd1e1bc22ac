/* SPDX-License-Identifier: ISC
 *
 * sms_rep - a user's text: commands, questions, answers to customers
 *
 * The same commands as by mail (rep.h runs them), without their #, and with short answers. A
 * number is as easily forged as a From, so a registered number alone may note, snooze and
 * ask. Everything else needs the user's PIN in front of it, or the code that leadd texts back
 * to the registered number, which is good once and for ten minutes. Whatever is said goes
 * to the registered number only; wrong PINs and codes are counted, and told to the
 * administrator.
 *
 * What goes to a customer begins with the code that came with the customer's words, or with
 * the record and a colon ("L42: .."), which needs a proof like a command. No other word
 * that a user texts ever leaves.
 */
#ifndef LEADD_ENGINE_SMS_REP_H
#define LEADD_ENGINE_SMS_REP_H

#include "engine/input.h"
#include "engine/rep.h"

struct sms_rep {
    const char *user;
    const char *theirs, *ours; /* the user's number, and the one of ours that was texted */
    const char *gateway;
    const char *text;
    int64_t message_id;
    struct crm_target target; /* what the text was filed with */
};

int sms_rep_take(struct engine *eng, const struct sms_rep *r, struct err *e) LEADD_MUST_CHECK;

/* The answer of rep.c to commands that came by SMS (rep_mail.sms). */
struct rep_answer;
int sms_rep_answer(struct engine *eng, const struct rep_mail *m, const struct rep_answer *a,
                   const char *words, struct err *e) LEADD_MUST_CHECK;

/* PINs of the users, read before the rights go. */
int sms_pins_open(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
void sms_pins_close(struct engine *eng);

#endif
