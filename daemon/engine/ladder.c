/* SPDX-License-Identifier: ISC
 *
 * ladder - see ladder.h
 */
#include "engine/ladder.h"

#include <inttypes.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/crm.h"
#include "engine/notice.h"
#include "store/contact.h"
#include "store/notices.h"
#include "store/outbox.h"

static const struct {
    int minutes;
    int64_t per_record, in_all;
} ladder[] = {{10, 10, 30}, {30, 15, 60}, {60, 25, 120}, {180, 50, 240}, {600, 100, 360}};

/* the last step: what is older, or more, decides nothing */
#define LONGEST INT64_C(600)
#define MOST_PER_RECORD 100
#define MOST_IN_ALL 360

static bool has_record(const struct ladder_mail *m)
{
    return m->lead || m->kase || m->contact;
}

static const char *record_name(const struct ladder_mail *m, char out[CRM_ID_LEN])
{
    if (m->lead)
        return crm_id_format(CRM_LEAD, m->lead, out);
    if (m->kase)
        return crm_id_format(CRM_CASE, m->kase, out);
    return m->contact ? crm_id_format(CRM_CONTACT, m->contact, out) : "none";
}

/* Too many: the mail waits, and the administrator hears once a day of this address. */
static int ladder_trip(struct engine *eng, const struct ladder_mail *m, int64_t n, int minutes,
                       char *why, size_t size, struct err *e)
{
    char day[32], id[CRM_ID_LEN];
    const char *record = record_name(m, id);
    snprintf(why, size, "%" PRId64 " automatic mails to this address in %d minutes", n, minutes);
    if (m->trial)
        return 0;
    log_warn("out.ladder", "record=%s mails=%" PRId64 " minutes=%d next=held", record, n, minutes);
    engine_count(eng, "ladder_trips", 1);
    if (m->alarm)
        return 0;
    AUTO_FREE char *key = mem_printf("ladder/%s/%s", m->to, notice_day(day));
    AUTO_FREE char *look = has_record(m) ? mem_printf(",\nleadctl why %s", record) : mem_str("");
    AUTO_FREE char *text =
        mem_printf("Automatic mail to %s%s%s is held: %s.\n\n"
                   "Two machines may be answering each other. See: leadctl outbox list state=held%s.\n"
                   "Release one with: leadctl outbox release NUMBER.\n",
                   m->to, has_record(m) ? " about " : "", has_record(m) ? record : "", why, look);
    return notice_admin(eng, key, "leadd holds automatic mail: too many to one address", text, e);
}

static int64_t times_since(const json_t *times, int64_t since)
{
    int64_t n = 0;
    size_t i;
    json_t *t;
    json_array_foreach((json_t *)times, i, t)
        n += json_integer_value(t) > since;
    return n;
}

/* Everything that one of our own got in this hour, whatever it was about. */
static int own_count(struct engine *eng, const struct ladder_mail *m, int64_t now_ms,
                     int64_t *n_out, struct err *e)
{
    struct notices_hour h;
    if (notices_hour_get(eng->db, m->to, &h, e) < 0)
        return -1;
    *n_out = now_ms - h.since_ms < HOUR_MS && now_ms >= h.since_ms ? h.sent : 0;
    return 0;
}

int ladder_check(struct engine *eng, const struct ladder_mail *m, int64_t now_ms, char *why,
                 size_t size, struct err *e)
{
    json_t *all = NULL;
    int64_t since = now_ms - LONGEST * 60000, own = 0;
    bool record = has_record(m);
    if (m->counted && !record)
        return 0;
    if (m->ours ? !m->counted && own_count(eng, m, now_ms, &own, e) < 0
                : address_sent(eng->db, m->to, &all, e) < 0)
        return -1;
    AUTO_JSON json_t *to_all = all, *about = NULL;
    if (record || m->ours) {
        about = outbox_times(eng->db, m->to, m->lead, m->kase, m->contact, since,
                             record ? MOST_PER_RECORD : MOST_IN_ALL, e);
        if (!about)
            return -1;
    }
    if (own >= BOUND_OWN_MAILS)
        return ladder_trip(eng, m, own, 60, why, size, e);
    for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
        since = now_ms - (int64_t)ladder[i].minutes * 60000;
        int64_t n = times_since(about, since), in_all = times_since(to_all, since);
        if (n >= (record ? ladder[i].per_record : ladder[i].in_all))
            return ladder_trip(eng, m, n, ladder[i].minutes, why, size, e);
        if (in_all >= ladder[i].in_all)
            return ladder_trip(eng, m, in_all, ladder[i].minutes, why, size, e);
    }
    return 0;
}

static int own_note(struct engine *eng, const struct ladder_mail *m, int64_t now_ms, struct err *e)
{
    struct notices_hour h;
    if (notices_hour_get(eng->db, m->to, &h, e) < 0)
        return -1;
    if (now_ms - h.since_ms >= HOUR_MS || now_ms < h.since_ms)
        h = (struct notices_hour){.since_ms = now_ms};
    h.sent++;
    return notices_hour_put(eng->db, m->to, &h, e);
}

/* What is held counts too; more than the last step allows need not be remembered. */
int ladder_note(struct engine *eng, const struct ladder_mail *m, int64_t now_ms, struct err *e)
{
    json_t *times, *kept;
    size_t i;
    const json_t *t;
    if (m->ours)
        return m->counted ? 0 : own_note(eng, m, now_ms, e);
    if (address_sent(eng->db, m->to, &times, e) < 0)
        return -1;
    kept = json_array();
    json_array_append_new(kept, json_integer(now_ms));
    json_array_foreach(times, i, t)
        if (json_integer_value(t) > now_ms - LONGEST * 60000 && json_array_size(kept) < MOST_IN_ALL)
            json_array_append(kept, (json_t *)t);
    int rc = address_set_sent(eng->db, m->to, kept, now_ms, e);
    json_decref(times);
    json_decref(kept);
    return rc;
}
