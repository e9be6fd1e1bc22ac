/* SPDX-License-Identifier: ISC
 *
 * schedule - rules that run at times, over all records of a kind (see timer.h)
 *
 * The row in the table of timers has the next time. When it is due the rule walks
 * through the records that there are then, in the order of their numbers: one item of
 * the queue for each, with its savepoint, its input and, where the rule ran, its journal
 * row; so a walk over a million records holds up nobody. The place in the walk is
 * stored with each record. While it lasts the timer's row has no due time; an engine
 * that starts finds the place and goes on.
 *
 * Missed while leadd was down: it runs once, at the start, when that was less than a day
 * ago; else at its next time.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/hook.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "engine/coverage.h"
#include "engine/firing.h"
#include "engine/late.h"
#include "engine/suspect.h"
#include "engine/timer.h"
#include "rule/schedule.h"
#include "store/schedule.h"

#define RETRY_MS HOUR_MS
#define WALK_SLICE 200 /* ids read at once */

static const struct rule *schedule_find(const struct ruleset *rs, const char *name)
{
    const struct rule *r = ruleset_find(rs, name);
    return r && r->schedule ? r : NULL;
}

static struct timer_row schedule_row(const struct rule *rule, int64_t now_ms)
{
    int64_t next = schedule_next(rule->schedule, now_ms);
    return (struct timer_row){.key = {"schedule", rule->name, "", 0},
                              .due_ms = next == CALENDAR_NEVER ? 0 : next,
                              .since_ms = now_ms};
}

/* ---- the walk --------------------------------------------------------------------- */

static void walk_queue(struct engine *eng, const char *rule, const json_t *ids, size_t at)
{
    struct item *it = item_new(ITEM_SCHEDULE, NULL);
    it->frame.json = json_pack("{s:s, s:O, s:I}", "rule", rule, "ids", ids, "at", (json_int_t)at);
    engine_queue(eng, it);
}

/* The next record of what was read, or what comes behind it. */
static int walk_on(struct engine *eng, const struct item *it)
{
    walk_queue(eng, json_get_str(it->frame.json, "rule", ""), json_get_arr(it->frame.json, "ids"),
               (size_t)json_get_int(it->frame.json, "at", 0) + 1);
    return 0;
}

static int schedule_fire(struct engine *eng, const json_t *row, struct err *e)
{
    struct timer_key k = timer_key_of(row);
    const struct rule *rule = schedule_find(crm_rules(eng->crm), k.rule);
    struct schedule_walk w = {.rule = k.rule};
    bool walking;
    if (!rule)
        return timer_remove(eng, &k, e);
    if (schedule_walk_get(eng->db, k.rule, &w, &walking, e) < 0)
        return -1;
    if (!walking) {
        w = (struct schedule_walk){.rule = k.rule, .due_ms = json_get_int(row, "due_ms", 0)};
        if (schedule_last_id(eng->db, rule->over, &w.to_id, e) < 0 ||
            schedule_walk_put(eng->db, &w, e) < 0)
            return -1;
    }
    struct timer_row t = {.key = k, .step = 1, .since_ms = w.due_ms};
    if (timer_write(eng, &t, e) < 0)
        return -1;
    AUTO_JSON json_t *none = json_array();
    walk_queue(eng, k.rule, none, 0);
    return 0;
}

static int walk_end(struct engine *eng, const struct rule *rule, const struct schedule_walk *w,
                    struct err *e)
{
    struct input in;
    int64_t now = clock_now_ms();
    struct timer_row t = schedule_row(rule, now);
    input_begin(&in, eng, mem_printf("schedule %s", rule->name),
                mem_printf("S/%s/%" PRId64, rule->name, w->due_ms));
    input_note(&in, "%s over %s: %" PRId64 " looked at, ran for %" PRId64 ", failed for %" PRId64,
               rule->every, rule->over, w->looked, w->matched, w->failed);
    int rc = schedule_walk_drop(eng->db, rule->name, e) < 0 || timer_write(eng, &t, e) < 0
                 ? -1
                 : input_finish(&in, e);
    input_end(&in);
    log_info("schedule.done", "rule=%s looked=%" PRId64 " ran=%" PRId64 " failed=%" PRId64
             " late_s=%" PRId64, rule->name, w->looked, w->matched, w->failed,
             (now - w->due_ms) / 1000);
    return rc;
}

/* ---- one record -------------------------------------------------------------------- */

static int record_asked(struct input *in, const struct rule *rule, struct timer_asked *a,
                        struct schedule_walk *w, struct err *e)
{
    bool ran = a->d.outcome == RULE_MATCHED;
    w->matched += ran;
    if (!ran && a->d.outcome != RULE_SHADOW)
        return 0;
    json_t *j = timer_asked_journal(in, a);
    return ran ? input_run_rule(in, &a->ev, rule, j, e) : 0;
}

static int record_run(struct engine *eng, const struct rule *rule, int64_t id,
                      struct schedule_walk *w, struct err *e)
{
    struct input in;
    struct timer_asked a;
    struct err gone = {0};
    char name[CRM_ID_LEN];
    enum crm_entity t = crm_entity_parse(rule->over);
    crm_id_format(t, id, name);
    input_begin(&in, eng, mem_printf("schedule %s on %s", rule->name, name),
                mem_printf("S/%s/%s/%" PRId64, rule->name, name, w->due_ms));
    int rc = crm_target_exact(in.ctx, t, id, &in.target, &gone);
    if (rc < 0 && gone.cls == ERR_INPUT) { /* deleted meanwhile */
        input_end(&in);
        return 0;
    }
    if (rc < 0) {
        *e = gone;
    } else {
        struct firing due = {.in = &in, .ev = &a.ev, .due = true};
        w->looked++;
        coverage_begin(eng->coverage);
        timer_ask(&in, rule, "schedule.due", t, &in.target, firing_gate, &due, &a);
        coverage_decided(eng->coverage, rule, coverage_is_hit(a.d.outcome), in.now_ms);
        rc = record_asked(&in, rule, &a, w, e);
        coverage_done(eng->coverage, rule);
        timer_asked_done(&a);
    }
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

/* The engine ended at it again and again: it is left out. */
static bool record_poison(struct engine *eng, const char *rule, int64_t id)
{
    AUTO_FREE char *name = mem_printf("schedule %s %" PRId64, rule, id);
    if (suspect_at(eng->suspect, suspect_of_bytes(name, strlen(name))) < SUSPECT_DEATHS)
        return false;
    log_error("schedule.suspect", "rule=%s record=%" PRId64 " next=\"left out\"", rule, id);
    return true;
}

static int walk_slice(struct engine *eng, const struct rule *rule, const struct schedule_walk *w,
                      struct err *e)
{
    AUTO_JSON json_t *ids =
        schedule_ids(eng->db, rule->over, w->last_id, w->to_id, WALK_SLICE, e);
    if (!ids)
        return -1;
    if (json_array_size(ids) == 0)
        return walk_end(eng, rule, w, e);
    walk_queue(eng, rule->name, ids, 0);
    return 0;
}

int schedule_item(struct engine *eng, struct item *it, struct err *e)
{
    const char *name = json_get_str(it->frame.json, "rule", "");
    const json_t *ids = json_get_arr(it->frame.json, "ids");
    size_t at = (size_t)json_get_int(it->frame.json, "at", 0);
    const struct rule *rule = schedule_find(crm_rules(eng->crm), name);
    struct schedule_walk w = {.rule = name};
    bool walking;
    if (schedule_walk_get(eng->db, name, &w, &walking, e) < 0)
        return -1;
    if (!rule || !walking) /* undone, or over: nothing is to be done for this item */
        return 0;
    if (at >= json_array_size(ids))
        return walk_slice(eng, rule, &w, e);
    int64_t id = json_integer_value(json_array_get(ids, at));
    if (id <= w.last_id) /* done in another pass */
        return walk_on(eng, it);
    if (record_poison(eng, name, id))
        w.failed++;
    else if (record_run(eng, rule, id, &w, e) < 0)
        return -1;
    CRASH_POINT("schedule.record");
    w.last_id = id;
    return schedule_walk_put(eng->db, &w, e) < 0 ? -1 : walk_on(eng, it);
}

int schedule_failed(struct engine *eng, const struct item *it, const struct err *why, struct err *e)
{
    const char *name = json_get_str(it->frame.json, "rule", "");
    size_t at = (size_t)json_get_int(it->frame.json, "at", 0);
    struct schedule_walk w = {.rule = name};
    bool walking;
    if (schedule_walk_get(eng->db, name, &w, &walking, e) < 0)
        return -1;
    if (!walking)
        return 0;
    int64_t id = json_integer_value(json_array_get(json_get_arr(it->frame.json, "ids"), at));
    log_error("schedule.failed", "rule=%s record=%" PRId64 " error=\"%s\" next=\"%s\"", name, id,
              why->text, id ? "the others" : "again in an hour");
    if (id == 0) { /* its end could not be written */
        struct timer_row t = {.key = {"schedule", name, "", 0},
                              .due_ms = clock_now_ms() + RETRY_MS,
                              .step = 1,
                              .since_ms = w.due_ms};
        return timer_write(eng, &t, e);
    }
    w.last_id = id;
    w.failed++;
    return schedule_walk_put(eng->db, &w, e) < 0 ? -1 : walk_on(eng, it);
}

/* ---- the start ----------------------------------------------------------------------- */

/* Its row as it should be now; the one that is there says what was missed. */
static int start_rule(struct engine *eng, const struct rule *rule, struct err *e)
{
    int64_t now = clock_now_ms();
    struct timer_row t = schedule_row(rule, now);
    struct schedule_walk w = {.rule = rule->name};
    json_t *row = NULL;
    bool walking;
    if (timer_get(eng->db, &t.key, &row, e) < 0)
        return -1;
    int64_t due = json_get_int(row, "due_ms", 0);
    bool there = row != NULL;
    json_decref(row);
    if (schedule_walk_get(eng->db, rule->name, &w, &walking, e) < 0)
        return -1;
    if (walking)
        t.due_ms = now;
    else if (due && due <= now && now - due < DAY_MS && !(rule->late_skip && late_is(eng, due)))
        return 0;
    else if (due && due <= now)
        log_warn("schedule.missed", "rule=%s days=%" PRId64 " next=\"at its next time\"",
                 rule->name, (now - due) / DAY_MS);
    if (there && !walking && due == t.due_ms)
        return 0;
    return timer_write(eng, &t, e);
}

/* Walks of rules that are gone. */
static int start_walks(struct engine *eng, struct err *e)
{
    size_t i;
    json_t *name;
    AUTO_JSON json_t *walks = schedule_walks(eng->db, e);
    if (!walks)
        return -1;
    json_array_foreach(walks, i, name)
        if (!schedule_find(crm_rules(eng->crm), json_string_value(name)) &&
            schedule_walk_drop(eng->db, json_string_value(name), e) < 0)
            return -1;
    return 0;
}

int schedules_start(struct engine *eng, struct err *e)
{
    const struct ruleset *rs = crm_rules(eng->crm);
    for (size_t i = 0; i < ruleset_count(rs); i++)
        if (ruleset_rule(rs, i)->schedule && start_rule(eng, ruleset_rule(rs, i), e) < 0)
            return -1;
    return start_walks(eng, e);
}

/* ---- the kind -------------------------------------------------------------------------- */

static bool schedule_known(const struct ruleset *rs, const char *name)
{
    return schedule_find(rs, name) != NULL;
}

static void schedule_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    const struct rule *rule = schedule_find(rs, json_get_str(row, "rule", ""));
    *out = '\0';
    if (rule)
        snprintf(out, n, "%s%s, over every %s (%s)",
                 json_get_int(row, "step", 0) ? "under way: " : "", rule->every, rule->over,
                 rule->at);
}

const struct timer_kind timer_kind_schedule = {.name = "schedule",
                                               .fire = schedule_fire,
                                               .known = schedule_known,
                                               .tell = schedule_tell};
