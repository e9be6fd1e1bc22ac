/* SPDX-License-Identifier: ISC
 *
 * outgoing - see outgoing.h
 */
#include "engine/outgoing.h"

#include <stdio.h>

#include "engine/consent.h"
#include "engine/hold.h"

/* Our own people cannot opt out of their notices; of texts sms_put() asks. */
static int outgoing_consent(struct engine *eng, const struct outgoing *o, struct err *e)
{
    enum consent_why why;
    if (o->mail.ours || o->channel)
        return 0;
    if (consent_may_mail(eng, o->mail.to, o->list, o->now_ms, &why, e) < 0)
        return -1;
    return why == CONSENT_OK ? 0 : err_set(e, ERR_INPUT, "%s", consent_mail_text(why));
}

/* A mail that has a reason to wait counts, too: it may be released. */
int outgoing_add(struct engine *eng, const struct outgoing *o, struct outbox_row *row_out,
                 char why[OUTGOING_WHY_MAX], struct err *e)
{
    const struct ladder_mail *m = &o->mail;
    *why = '\0';
    if (outgoing_consent(eng, o, e) < 0)
        return -1;
    if (!o->exempt && ladder_check(eng, m, o->now_ms, why, OUTGOING_WHY_MAX, e) < 0)
        return -1;
    if (o->hold)
        snprintf(why, OUTGOING_WHY_MAX, "%s", o->hold);
    else if (!*why && hold_why(eng))
        snprintf(why, OUTGOING_WHY_MAX, "%s", hold_why(eng));
    struct outbox_row row = {
        .intent = o->intent,
        .state = *why ? "held" : "ready",
        .class_ = o->class_,
        .to_addr = m->to,
        .lead_id = m->lead,
        .contact_id = m->contact,
        .case_id = m->kase,
        .template_ = o->template_,
        .list = o->list,
        .created_ms = o->now_ms,
        .next_ms = *why ? 0 : o->next_ms ? o->next_ms : o->now_ms,
        .reply = *why ? why : NULL,
        .channel = o->channel,
        .lane = o->lane,
    };
    if (outbox_add(eng->db, &row, e) < 0 || (row.id && ladder_note(eng, m, o->now_ms, e) < 0))
        return -1;
    *row_out = (struct outbox_row){.id = row.id};
    return 0;
}
