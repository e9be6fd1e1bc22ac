/* SPDX-License-Identifier: ISC
 *
 * meeting - see meeting.h
 */
#include "crm/meeting.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "rule/zone.h"
#include "store/meeting.h"

#define MEETING_TEXT 300
#define MEETING_UID 255

struct meeting {
    struct crm_ctx *ctx;
    const struct crm_target *t;
    const json_t *cal;
    const char *method, *uid;
    int64_t message_id, start_ms;
    struct meeting_row row;
    bool alive; /* its activity is there */
};

static bool method_is(const json_t *cal, const char *const *methods)
{
    const char *method = json_get_str(cal, "method", "");
    for (; *methods; methods++)
        if (!strcmp(*methods, method))
            return true;
    return false;
}

bool crm_meeting_is_update(const json_t *message)
{
    static const char *const updates[] = {"reply", "cancel", "declinecounter", "refresh", NULL};
    return !strcmp(json_get_str(message, "kind", ""), "calendar") &&
           method_is(json_get_obj(message, "calendar"), updates);
}

/* A time without a zone is the wall's of the company. */
static int64_t meeting_start(struct crm_ctx *ctx, const json_t *cal)
{
    int64_t ms = json_get_int(cal, "start_ms", 0);
    struct err e = {0};
    if (json_object_get(cal, "zone"))
        return ms;
    struct zone *z = zone_new(crm_setting(ctx->crm, "time_zone", "UTC"), &e);
    if (z)
        ms -= zone_offset(z, ms - zone_offset(z, ms));
    zone_free(&z);
    return ms;
}

/* What the contact answered: "accepted". NULL when it says nothing. */
static const char *meeting_answer(const json_t *cal)
{
    const json_t *who = json_array_get(json_get_arr(cal, "attendees"), 0);
    return json_get_str(who, "status", NULL);
}

/* "Demo, Room 4 (accepted)", one line. Own. */
static char *meeting_text(const json_t *cal, const char *state)
{
    const char *what = json_get_str(cal, "summary", "meeting");
    const char *where = json_get_str(cal, "location", NULL);
    bool off = state && !strcmp(state, "cancelled");
    AUTO_FREE char *s = mem_printf("%s%s%s", what, where ? ", " : "", where ? where : "");
    text_make_line(s);
    s[text_utf8_cut(s, strlen(s), MEETING_TEXT)] = '\0';
    return mem_printf("%s%s%s%s%s", off ? "cancelled: " : "", s, state && !off ? " (" : "",
                      state && !off ? state : "", state && !off ? ")" : "");
}

static int meeting_create(struct meeting *m, const char *direction, const char *state,
                          struct err *e)
{
    int64_t id;
    AUTO_FREE char *text = meeting_text(m->cal, state);
    if (crm_add_activity(m->ctx, m->t, "meeting", direction, text, m->message_id, 0, m->start_ms,
                         &id, e) < 0 ||
        meeting_put(m->ctx->crm->db, m->t->contact, m->uid, json_get_int(m->cal, "sequence", 0), id,
                    e) < 0)
        return -1;
    crm_op_event(m->ctx, "meeting.added", CRM_ACTIVITY, id);
    return 0;
}

static int meeting_change(struct meeting *m, const char *state, const char *event, struct err *e)
{
    int64_t id = m->row.activity_id, sequence = json_get_int(m->cal, "sequence", 0);
    size_t before = m->ctx->log_count;
    AUTO_FREE char *text = meeting_text(m->cal, state);
    bool answer = !strcmp(m->method, "reply") || !strcmp(m->method, "counter"); /* it moves nothing */
    if (json_object_get(m->cal, "start_ms") && !answer &&
        crm_change_int(m->ctx, CRM_ACTIVITY, id, "at_ms", m->start_ms, e) < 0)
        return -1;
    if (crm_change_str(m->ctx, CRM_ACTIVITY, id, "text", text, e) < 0)
        return -1;
    if (m->ctx->log_count > before)
        crm_op_event(m->ctx, event, CRM_ACTIVITY, id);
    if (m->ctx->log_count > before && state && !strcmp(state, "declined"))
        crm_op_event(m->ctx, "meeting.declined", CRM_ACTIVITY, id);
    return sequence > m->row.sequence
               ? meeting_put(m->ctx->crm->db, m->t->contact, m->uid, sequence, id, e)
               : 0;
}

/* What is proposed stands in the text, and whoever may moves the meeting. */
static int meeting_counter(struct meeting *m, struct err *e)
{
    char when[64], state[128];
    snprintf(state, sizeof(state), "proposes %s", crm_when_print(m->ctx->crm->zone, m->start_ms, when,
                                                                 sizeof(when)));
    if (meeting_change(m, state, "meeting.changed", e) < 0)
        return -1;
    crm_op_event(m->ctx, "meeting.countered", CRM_ACTIVITY, m->row.activity_id);
    return 0;
}

/* One day of a series is not the series; what is older than what we know is nothing new. */
static int meeting_apply(struct meeting *m, const char *direction, struct err *e)
{
    static const char *const asks[] = {"request", "publish", "add", NULL};
    static const char *const answers[] = {"reply", NULL};
    const char *answer = meeting_answer(m->cal);
    bool instance = json_get_bool(m->cal, "instance", false);
    bool stale = m->row.id && json_get_int(m->cal, "sequence", 0) < m->row.sequence;
    bool off = !strcmp(m->method, "cancel") ||
               !strcmp(json_get_str(m->cal, "status", ""), "cancelled");
    if (instance || stale)
        return 0;
    if (off)
        return m->alive ? meeting_change(m, "cancelled", "meeting.cancelled", e) : 0;
    if (method_is(m->cal, answers)) {
        if (m->alive)
            return answer ? meeting_change(m, answer, "meeting.changed", e) : 0;
        bool comes = answer && (!strcmp(answer, "accepted") || !strcmp(answer, "tentative"));
        return comes && m->start_ms ? meeting_create(m, direction, answer, e) : 0;
    }
    if (!strcmp(m->method, "counter") && m->alive && m->start_ms)
        return meeting_counter(m, e);
    if (!method_is(m->cal, asks) || !m->start_ms)
        return 0;
    return m->alive ? meeting_change(m, NULL, "meeting.changed", e)
                    : meeting_create(m, direction, NULL, e);
}

int crm_meeting_take(struct crm_ctx *ctx, const json_t *message, const struct crm_target *t,
                     int64_t message_id, const char *direction, struct err *e)
{
    const json_t *cal = json_get_obj(message, "calendar");
    struct meeting m = {.ctx = ctx, .t = t, .cal = cal, .message_id = message_id};
    m.uid = json_get_str(cal, "uid", "");
    m.method = json_get_str(cal, "method", "");
    if (!cal || !t->contact || !*m.uid || strlen(m.uid) > MEETING_UID)
        return 0;
    if (meeting_find(ctx->crm->db, t->contact, m.uid, &m.row, e) < 0)
        return -1;
    struct err gone = {0};
    m.alive = m.row.id && crm_record(ctx, CRM_ACTIVITY, m.row.activity_id, &gone);
    if (m.row.id && !m.alive && gone.cls != ERR_INPUT) {
        *e = gone;
        return -1;
    }
    m.start_ms = meeting_start(ctx, cal);
    return meeting_apply(&m, direction, e);
}
