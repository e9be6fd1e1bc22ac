/* SPDX-License-Identifier: ISC
 *
 * invite - see invite.h
 */
#include "engine/invite.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/when.h"
#include "engine/letter.h"
#include "mail/calendar_write.h"

static void write_ics(struct input *in, const struct crm_invite *v, const char *organizer,
                      struct buf *out)
{
    const json_t *owner = v->owner ? crm_user(in->eng->crm, v->owner) : NULL;
    const struct calendar_person who[] = {{v->to, v->to_name, "NEEDS-ACTION"},
                                          {json_get_str(owner, "email", ""),
                                           json_get_str(owner, "name", NULL), "ACCEPTED"}};
    struct calendar_event ev = {
        .cancel = v->cancel, .uid = v->uid, .sequence = v->sequence, .now_ms = in->now_ms,
        .start_ms = v->start_ms, .end_ms = v->end_ms, .summary = v->what,
        .organizer = {organizer, engine_setting(in->eng, "company", NULL), NULL},
        .attendees = who, .attendee_count = owner ? 2 : 1};
    calendar_write(&ev, out);
}

int invite_mail(struct input *in, const struct crm_send *s, int64_t *outbox_out, struct err *e)
{
    const struct crm_invite *v = s->invite;
    struct ours thread = ours_of(OURS_THREAD, &s->target, 0);
    struct buf ics AUTO_BUF;
    char from[40], to[40];
    const char *zone = zone_name(assign_zone(in->eng->crm, v->owner ? v->owner : ""));
    AUTO_FREE char *organizer = ours_address(in->eng, &thread), *folded = mem_str(s->to);
    buf_init(&ics, KIB(32));
    write_ics(in, v, organizer ? organizer : engine_setting(in->eng, "address", ""), &ics);
    crm_when_print(zone, v->start_ms, from, sizeof(from));
    crm_when_print(zone, v->end_ms, to, sizeof(to));
    text_lower(folded);
    AUTO_FREE char *subject = mem_printf("%s: %s, %s", v->cancel ? "Cancelled" : "Invitation", v->what,
                                         from);
    AUTO_FREE char *text = mem_printf(
        "%s\n\n%s\nfrom %s to %s (%s)\n%s", v->cancel       ? "This meeting is called off."
                                            : v->sequence ? "This meeting has another time now."
                                                          : "You are invited to a meeting.",
        v->what, from, to, zone,
        v->cancel ? "" : "\nYour calendar can accept or decline; an answer to this mail reaches us, too.\n");
    AUTO_FREE char *intent = mem_printf("invite/%s/%" PRId64 "/%s", v->uid, v->sequence, folded);
    struct letter l = {.class_ = s->to_user ? "notice" : "follow_up",
                       .intent = intent,
                       .to = folded,
                       .to_name = s->to_name,
                       .to_user = s->to_user,
                       .from_name = engine_setting(in->eng, "company", NULL),
                       .answers = thread,
                       .subject = subject,
                       .text = text,
                       .target = &s->target,
                       .calendar = ics.data,
                       .method = v->cancel ? "CANCEL" : "REQUEST"};
    return letter_put(in, &l, outbox_out, NULL, e);
}

/* ---- what comes back --------------------------------------------------------------------- */

static int countered_tell(struct input *in, const struct crm_target *t, const char *owner, struct err *e)
{
    struct err le = {0};
    int64_t outbox, start = json_get_int(json_get_obj(in->message, "calendar"), "start_ms", 0);
    char id[CRM_ID_LEN], when[40];
    const json_t *rec = crm_record(in->ctx, CRM_ACTIVITY, t->activity, e);
    if (!rec)
        return -1;
    crm_id_format(CRM_ACTIVITY, t->activity, id);
    crm_when_print(engine_setting(in->eng, "time_zone", "UTC"), start, when, sizeof(when));
    AUTO_FREE char *to = mem_str(json_get_str(crm_user(in->eng->crm, owner), "email", ""));
    AUTO_FREE char *subject = mem_printf("Another time is proposed: %s", json_get_str(rec, "text", ""));
    AUTO_FREE char *text = mem_printf(
        "%s\n\nThe contact cannot or would rather not come at the time of the invitation. The meeting stays\n"
        "where it is until you move it; an answer to this mail with this line does:\n\n"
        "  #invite %s %s\n", json_get_str(rec, "text", ""), id, when);
    AUTO_FREE char *intent = mem_printf("countered/%s/%s", id, in->intent);
    text_lower(to);
    struct letter l = {.class_ = "notice", .intent = intent, .to = to, .to_user = owner,
                       .from_name = "leadd", .answers = ours_of(OURS_NOTICE, t, 0), .subject = subject,
                       .text = text, .target = t};
    if (letter_put(in, &l, &outbox, NULL, &le) == 0)
        return 0;
    if (le.cls != ERR_INPUT)
        return err_set(e, le.cls, "%s", le.text);
    input_note(in, "%s could not be told: %s", owner, le.text);
    return 0;
}

int invite_countered(struct input *in, struct err *e)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct crm_event *ev = &in->events[i].ev;
        struct err why = {0};
        if (strcmp(ev->name, "meeting.countered") != 0)
            continue;
        const struct crm_target t = ev->target;
        const char *owner = crm_owner_of(in->ctx, &t, &why);
        if (!owner || !json_get_str(crm_user(in->eng->crm, owner), "email", NULL))
            return why.cls == ERR_INPUT || why.cls == ERR_NONE ? 0 : err_set(e, why.cls, "%s", why.text);
        return countered_tell(in, &t, owner, e);
    }
    return 0;
}
