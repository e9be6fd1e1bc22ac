/* SPDX-License-Identifier: ISC
 *
 * broadcast_who - may this contact get this letter now? (see broadcast.h)
 *
 * Asked when it is planned, and again when the mail is written. Consent is asked a third
 * time where every mail leaves (outbound.c).
 */
#include <stdio.h>
#include <string.h>

#include "crm/address.h"
#include "engine/broadcast.h"
#include "engine/consent.h"
#include "engine/timer.h"
#include "mail/classify.h"
#include "store/broadcast.h"
#include "store/consent.h"

int broadcast_fits(struct input *in, const struct segments *all, const struct segment *s,
                   const struct crm_target *t, bool *yes_out, struct err *e)
{
    struct timer_asked a;
    timer_ask_of(in, segments_rules(all), s->rule, "segment.asked", crm_entity_parse(s->over), t, &a);
    *yes_out = a.d.outcome == RULE_MATCHED;
    timer_asked_done(&a);
    return crm_facts_error(in->ctx, e);
}

/* Of the address; "" when nothing is against it. */
static int why_address(struct input *in, const struct broadcast *b, const char *to, char *why,
                       struct err *e)
{
    static const char *const words[] = {[CONSENT_OPTED_OUT] = "has opted out",
                                        [CONSENT_BOUNCING] = "mail there comes back",
                                        [CONSENT_LEFT] = "has left the list"};
    enum consent_why may;
    bool agreed = true;
    if (crm_is_inside(in->eng->crm, to))
        snprintf(why, BROADCAST_WHY_OUT_MAX, "is one of ours");
    else if (mail_is_machine_address(to))
        snprintf(why, BROADCAST_WHY_OUT_MAX, "nobody reads what is sent there");
    if (*why)
        return 0;
    if (consent_may_mail(in->eng, to, b->list, in->now_ms, &may, e) < 0 ||
        (b->consent && consent_granted(in->eng->db, "email", to, &agreed, e) < 0))
        return -1;
    if (may != CONSENT_OK)
        snprintf(why, BROADCAST_WHY_OUT_MAX, "%s", words[may]);
    else if (!agreed)
        snprintf(why, BROADCAST_WHY_OUT_MAX, "has not agreed to get mail");
    return 0;
}

/* Of what else goes on. */
static int why_now(struct input *in, const struct broadcast *b, int64_t id, int64_t contact,
                   struct broadcast_who *out, struct err *e)
{
    struct db *db = in->eng->db;
    int64_t other = 0, now = in->now_ms;
    const char *talk = NULL;
    bool recent = false;
    if ((id && part_double(db, id, out->mailbox, contact, &other, e) < 0) ||
        (b->talk_ms && broadcast_talk(db, contact, now - b->talk_ms, now, &talk, e) < 0) ||
        (b->apart_ms && part_recent(db, id, contact, now - b->apart_ms, &recent, e) < 0))
        return -1;
    const char *why = other    ? "another contact has that mailbox, too"
                      : talk   ? talk
                      : recent ? "got another broadcast lately"
                               : "";
    snprintf(out->why, sizeof(out->why), "%s", why);
    return 0;
}

int broadcast_look(struct input *in, struct broadcast *b, int64_t id, const struct crm_target *t,
                   struct broadcast_who *out, struct err *e)
{
    const char *to;
    *out = (struct broadcast_who){.why = ""};
    if (!t->contact) {
        snprintf(out->why, sizeof(out->why), "there is no contact");
        return 0;
    }
    if (crm_contact_email(in->ctx, t->contact, &to, e) < 0)
        return -1;
    if (b->window && crm_zones_of_contact(in->ctx, t->contact, out->zones, &out->zone_count, e) < 0)
        return -1;
    if (!to) {
        snprintf(out->why, sizeof(out->why), "has no email address");
        return 0;
    }
    if (crm_email_base(to, out->mailbox) < 0)
        snprintf(out->mailbox, sizeof(out->mailbox), "%s", to);
    if (why_address(in, b, to, out->why, e) < 0)
        return -1;
    return *out->why ? 0 : why_now(in, b, id, t->contact, out, e);
}

int64_t broadcast_opens(struct broadcast *b, const struct broadcast_who *who, int64_t from)
{
    int64_t t = window_open(b->window, who->zones, who->zone_count, from);
    return t == CALENDAR_NEVER ? window_open(b->window, NULL, 0, from) : t;
}
