/* SPDX-License-Identifier: ISC
 *
 * timer - the loop's side: when to wake, and what is due (see timer.h)
 */
#include "engine/timer.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/alive.h"
#include "engine/late.h"
#include "engine/gateway_pull.h"
#include "engine/media.h"
#include "engine/notice.h"
#include "engine/reminder.h"
#include "engine/sms_in.h"
#include "engine/suspect.h"

#define TIMERS_REST_MS 1000   /* between two wake-ups, unless more is due than one pass takes */
#define TIMERS_LOOK_MS MINUTE_MS  /* the wall clock may have been set meanwhile */
#define TIMER_RETRY_MS HOUR_MS /* one that failed */

static const struct timer_kind *const kinds[] = {&timer_kind_rule, &timer_kind_escalation,
                                                 &timer_kind_schedule,
                                                 &timer_kind_probe, &timer_kind_digest,
                                                 &timer_kind_sequence, &timer_kind_sms_part,
                                                 &timer_kind_quarantine, &timer_kind_confirm,
                                                 &timer_kind_task, &timer_kind_click,
                                                 &timer_kind_pull, &timer_kind_broadcast,
                                                 &timer_kind_verdict, &timer_kind_media};

const struct timer_kind *timer_kind_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

struct timer_key timer_key_of(const json_t *row)
{
    return (struct timer_key){json_get_str(row, "kind", ""), json_get_str(row, "rule", ""),
                              json_get_str(row, "entity", ""), json_get_int(row, "record_id", 0)};
}

int timer_write(struct engine *eng, const struct timer_row *t, struct err *e)
{
    eng->timers.some = eng->timers.changed = true;
    return timer_put(eng->db, t, e);
}

int timer_remove(struct engine *eng, const struct timer_key *k, struct err *e)
{
    eng->timers.changed = true;
    return timer_drop(eng->db, k, e);
}

/* ---- waking ---------------------------------------------------------------------- */

static void timers_sleep(struct engine *eng, int64_t ms)
{
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    if (eng->timers.ev) /* not in solo.c */
        event_add(eng->timers.ev, &tv);
}

void timers_arm(struct engine *eng)
{
    struct timers *t = &eng->timers;
    struct err e = {0};
    if (!t->some || t->queued || !t->changed)
        return;
    if (timer_next_due(eng->db, t->held_ms, &t->next_ms, &e) < 0) {
        log_warn("timers.failed", "error=\"%s\" next=\"again in a minute\"", e.text);
        timers_sleep(eng, TIMERS_LOOK_MS);
        return;
    }
    t->changed = false;
    if (t->next_ms == 0)
        return;
    int64_t now = clock_now_ms(), wait = t->next_ms > now ? t->next_ms - now : 0;
    if (clock_is_pretended() && wait > 0)
        return; /* it stands still: walk.c moves it */
    int64_t rest = t->more || clock_is_pretended() ? 0 : t->woken_mono + TIMERS_REST_MS - clock_mono_ms();
    wait = wait < rest ? rest : wait;
    timers_sleep(eng, wait < TIMERS_LOOK_MS ? wait : TIMERS_LOOK_MS);
}

size_t timers_queue(struct engine *eng)
{
    struct timers *t = &eng->timers;
    struct err e = {0};
    size_t i;
    json_t *row;
    AUTO_JSON json_t *rows = timer_due(eng->db, t->held_ms, clock_now_ms(), BOUND_TIMERS_PASS, &e);
    if (!rows) {
        log_warn("timers.failed", "error=\"%s\" next=\"again in a minute\"", e.text);
        return 0;
    }
    json_array_foreach(rows, i, row) {
        struct item *it = item_new(ITEM_TIMER, NULL);
        it->frame.json = json_incref(row);
        engine_queue(eng, it);
    }
    t->queued = i;
    t->more = i == BOUND_TIMERS_PASS;
    return i;
}

static void on_timers(evutil_socket_t fd, short what, void *arg)
{
    struct engine *eng = arg;
    (void)fd;
    (void)what;
    eng->timers.woken_mono = clock_mono_ms();
    eng->timers.changed = true; /* look again afterwards */
    if (eng->timers.queued == 0 && timers_queue(eng) == 0)
        timers_arm(eng);
}

void timer_item_done(struct engine *eng)
{
    eng->timers.queued -= eng->timers.queued > 0;
    eng->timers.changed = true;
}

/* ---- items ------------------------------------------------------------------------- */

static char *timer_name(const struct timer_key *k)
{
    char id[CRM_ID_LEN] = "";
    if (*k->entity)
        crm_id_format(crm_entity_parse(k->entity), k->record_id, id);
    return mem_printf("%s %s%s%s", k->kind, k->rule, *id ? " on " : "", id);
}

/* The engine ended at it again and again: it goes, and people hear of it. */
static int timer_poison(struct engine *eng, const struct timer_key *k, struct err *e)
{
    AUTO_FREE char *name = timer_name(k);
    AUTO_FREE char *key = mem_printf("timer/%s", name);
    AUTO_FREE char *text = mem_printf("The engine ended several times while it ran the timer of %s.\n"
                                      "The timer is taken out. Please report it.\n", name);
    log_error("timer.suspect", "timer=\"%s\" next=\"taken out\"", name);
    if (timer_remove(eng, k, e) < 0)
        return -1;
    return notice_admin(eng, key, "leadd: a timer that ends the engine is taken out", text, e);
}

int timer_item(struct engine *eng, struct item *it, struct err *e)
{
    struct timer_key k = timer_key_of(it->frame.json);
    const struct timer_kind *kind = timer_kind_find(k.kind);
    json_t *row;
    if (timer_get(eng->db, &k, &row, e) < 0)
        return -1;
    AUTO_JSON json_t *mine = row;
    int64_t due = json_get_int(row, "due_ms", 0);
    if (!row || due == 0 || due > clock_now_ms() || due <= eng->timers.held_ms)
        return 0; /* cancelled, moved or held since it was queued */
    if (!kind)
        return timer_remove(eng, &k, e);
    AUTO_FREE char *name = timer_name(&k);
    if (suspect_at(eng->suspect, suspect_of_bytes(name, strlen(name))) >= SUSPECT_DEATHS)
        return timer_poison(eng, &k, e);
    if (clock_now_ms() - due > TIMERS_LATE_MS)
        engine_count(eng, "timers_late", 1);
    CRASH_POINT("timer.fire.before");
    int rc = kind->fire(eng, row, e);
    CRASH_POINT("timer.fire.after");
    return rc;
}

int timer_failed(struct engine *eng, const struct item *it, const struct err *why, struct err *e)
{
    struct timer_key k = timer_key_of(it->frame.json);
    const json_t *row = it->frame.json;
    struct timer_row t = {.key = k,
                          .due_ms = clock_now_ms() + TIMER_RETRY_MS,
                          .step = json_get_int(row, "step", 0),
                          .since_ms = json_get_int(row, "since_ms", 0)};
    AUTO_FREE char *name = timer_name(&k);
    log_error("timer.failed", "timer=\"%s\" error=\"%s\" next=\"again in an hour\"", name, why->text);
    return timer_write(eng, &t, e);
}

/* ---- life ---------------------------------------------------------------------------- */

int timers_stats(struct engine *eng, struct timers_stats *out, struct err *e)
{
    *out = (struct timers_stats){0};
    if (!eng->timers.some)
        return 0;
    if (timer_count_due(eng->db, INT64_MAX, TIMERS_COUNTED, &out->pending, e) < 0 ||
        timer_count_due(eng->db, clock_now_ms() - TIMERS_LATE_MS, TIMERS_COUNTED, &out->late,
                        e) < 0 ||
        late_count(eng, &out->held, e) < 0)
        return -1;
    return timer_next_due(eng->db, eng->timers.held_ms, &out->next_ms, e);
}

int timers_start(struct engine *eng, struct err *e)
{
    struct timers_stats s;
    eng->timers.ev = event_new(eng->role->base, -1, 0, on_timers, eng);
    eng->timers.some = eng->timers.changed = true;
    if (late_start(eng, e) < 0 || timers_stats(eng, &s, e) < 0 || timers_reload_start(eng, e) < 0)
        return -1;
    AUTO_JSON json_t *any = timer_walk(eng->db, NULL, 1, e);
    if (!any)
        return -1;
    eng->timers.some = json_array_size(any) > 0;
    if (s.late > s.held)
        log_warn("timers.late", "count=%" PRId64 "%s next=\"each fires once, now\"", s.late,
                 s.late == TIMERS_COUNTED ? " or more" : "");
    timers_arm(eng);
    return 0;
}

void timers_stop(struct engine *eng)
{
    walk_stop(eng);
    if (eng->timers.ev)
        event_free(eng->timers.ev);
    eng->timers.ev = NULL;
}
