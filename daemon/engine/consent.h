/* SPDX-License-Identifier: ISC
 *
 * consent - may this address be written to now, this number be texted?
 *
 * Asked when a mail or text is written, and again at the moment of sending: for mail by
 * outgoing.c and outbound.c, for texts by sms_out.c. Who has withdrawn gets nothing,
 * whoever asks, but for the one answer to that very STOP, which is of class CONSENT_CLASS.
 * Who has left a list gets what is not of that list. The ledger behind it is
 * store/consent.h; crm/consent.h says how its rows come about.
 */
#ifndef LEADD_ENGINE_CONSENT_H
#define LEADD_ENGINE_CONSENT_H

#include "crm/consent.h"
#include "engine/engine.h"

#define CONSENT_CLASS "consent" /* of the outbox: what STOP, START and HELP are answered with */

enum consent_why {
    CONSENT_OK,
    CONSENT_OPTED_OUT, /* never */
    CONSENT_BOUNCING,  /* never: a landline, or no number at all; mail comes back */
    CONSENT_LEFT,      /* never what is of this list */
    CONSENT_QUIET,     /* not before the time that is given */
};

/* to, from: E.164 (from: the sender of ours, also a name). not_before_out is set with
 * CONSENT_QUIET, and 0 otherwise. */
int consent_may_text(struct engine *eng, const char *to, const char *from, const char *class_,
                     int64_t now_ms, enum consent_why *why_out, int64_t *not_before_out,
                     struct err *e) LEADD_MUST_CHECK;
/* "not sent: the number has opted out", for the row of the outbox. */
const char *consent_why_text(enum consent_why why);

/* to: folded; list: of leadd.conf, or NULL: the mail belongs to none. */
int consent_may_mail(struct engine *eng, const char *to, const char *list, int64_t now_ms,
                     enum consent_why *why_out, struct err *e) LEADD_MUST_CHECK;
/* The same text for mail. */
const char *consent_mail_text(enum consent_why why);
/* Has the address that a contact's mail goes to left this list? */
int consent_contact_left(struct engine *eng, int64_t contact, const char *list, bool *left_out,
                         struct err *e) LEADD_MUST_CHECK;

struct input;
/* The number's owner texted STOP or START, or a gateway says so (its error, its flag): for
 * all that we send, or with sms.stop_scope = "number" for that sender of ours. c says
 * where and how; its sender is set here. changed_out: it was not so before. Inside an
 * input of the caller, whose commands these are. */
int consent_withdraw(struct input *in, const char *number, const char *sender,
                     const struct crm_consent *c, bool *changed_out,
                     struct err *e) LEADD_MUST_CHECK;
int consent_restore(struct input *in, const char *number, const char *sender,
                    const struct crm_consent *c, bool *changed_out,
                    struct err *e) LEADD_MUST_CHECK;

#endif
