/* SPDX-License-Identifier: ISC
 *
 * late - see late.h; and leadctl due, leadctl resume
 */
#include "engine/late.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/when.h"
#include "engine/ctl.h"
#include "engine/enrol.h"
#include "engine/notice.h"
#include "engine/timer.h"
#include "store/enrolment.h"
#include "store/timer.h"

#define LATE_SLICE 500

static int64_t late_setting(const struct engine *eng, const char *key)
{
    return json_get_int(json_get_obj(eng->role->config, "settings"), key, 0);
}

bool late_is(const struct engine *eng, int64_t due_ms)
{
    return due_ms > 0 && due_ms < clock_now_ms() - late_setting(eng, "late_after");
}

int late_start(struct engine *eng, struct err *e)
{
    int64_t until = clock_now_ms() - late_setting(eng, "late_after"), n,
            limit = late_setting(eng, "late_limit");
    if (timer_late_kept(eng->db, &eng->timers.held_ms, e) < 0 ||
        timer_late_count(eng->db, eng->timers.held_ms, until, limit, &n, e) < 0)
        return -1;
    if (limit == 0 || n < limit)
        return 0;
    eng->timers.held_ms = until; /* no timer is queued before the item is handled */
    struct item *it = item_new(ITEM_TIMERS_LATE, NULL);
    it->frame.json = json_pack("{s:I}", "until_ms", (json_int_t)until);
    engine_queue(eng, it);
    return 0;
}

void late_undone(struct engine *eng)
{
    struct err e = {0};
    if (timer_late_kept(eng->db, &eng->timers.held_ms, &e) < 0)
        log_warn("timers.failed", "error=\"%s\"", e.text);
}

static int late_told(struct engine *eng, int64_t n, int64_t until, struct err *e)
{
    char when[40];
    crm_when_tell(engine_setting(eng, "time_zone", "UTC"), until, true, when, sizeof(when));
    AUTO_FREE char *key = mem_printf("late/%" PRId64, until);
    AUTO_FREE char *subject = mem_printf("leadd: %" PRId64 "%s late timer%s held", n,
                                         n == TIMERS_COUNTED ? " or more" : "", n == 1 ? " is" : "s are");
    AUTO_FREE char *text = mem_printf(
        "%" PRId64 " timer%s of rules, escalations and sequences, due until %s while leadd did\n"
        "not run, %s late. So that not all of it happens at once, and nothing that was done before,\n"
        "they are held:\n\n"
        "  leadctl due --late               what they are\n"
        "  leadctl due release all          all of them now; also rule=NAME, or records (L42)\n"
        "  leadctl due drop all             none of them; also rule=NAME, or records\n\n"
        "What becomes due from now on is not held.\n", n, n == 1 ? "" : "s", when, n == 1 ? "is" : "are");
    log_warn("timers.held", "count=%" PRId64 " until=\"%s\" next=\"leadctl due --late\"", n, when);
    return notice_admin(eng, key, subject, text, e);
}

int late_item(struct engine *eng, struct item *it, struct err *e)
{
    int64_t until = json_get_int(it->frame.json, "until_ms", 0), n;
    eng->timers.held_ms = until;
    eng->timers.changed = true;
    return timer_late_apart(eng->db, until, clock_now_ms(), e) < 0 ||
                   timer_late_keep(eng->db, until, e) < 0 || late_count(eng, &n, e) < 0
               ? -1 : late_told(eng, n, until, e);
}

int late_count(struct engine *eng, int64_t *out, struct err *e)
{
    *out = 0;
    return eng->timers.held_ms == 0
               ? 0 : timer_late_count(eng->db, 0, eng->timers.held_ms, TIMERS_COUNTED, out, e);
}

/* Nothing is held any more once there is nothing left. */
static int late_settle(struct engine *eng, int64_t *left_out, struct err *e)
{
    eng->timers.changed = true;
    if (late_count(eng, left_out, e) < 0)
        return -1;
    if (*left_out || eng->timers.held_ms == 0)
        return 0;
    eng->timers.held_ms = 0;
    return timer_late_keep(eng->db, 0, e);
}

int late_release_all(struct engine *eng, int64_t *count_out, struct err *e)
{
    int64_t left;
    if (late_count(eng, count_out, e) < 0 ||
        (*count_out && timer_late_release(eng->db, eng->timers.held_ms, NULL, clock_now_ms(), e) < 0))
        return -1;
    return late_settle(eng, &left, e);
}

/* ---- leadctl due ---------------------------------------------------------------------- */

struct late_choice {
    bool drop, all;
    const char *rule;
    int64_t count;
};

/* Takes it out, and says so where `why` looks. */
static int late_drop(struct ctl *c, const json_t *row, struct err *e)
{
    struct input in;
    struct err gone = {0};
    char id[CRM_ID_LEN];
    json_t *enrolment = NULL;
    struct timer_key k = timer_key_of(row);
    enum crm_entity t = crm_entity_parse(k.entity);
    crm_id_format(t, k.record_id, id);
    input_begin(&in, c->eng, mem_printf("%s: due drop %s", c->user, id), mem_printf("D/%s/%s", k.rule, id));
    int rc = crm_target_exact(in.ctx, t, k.record_id, &in.target, &gone);
    if (rc < 0 && gone.cls == ERR_INPUT)
        rc = 0;
    else if (rc < 0)
        *e = gone;
    if (rc == 0 && strcmp(k.kind, "sequence") == 0)
        rc = enrolment_running(c->eng->db, k.rule, k.entity, k.record_id, &enrolment, e);
    if (rc == 0 && enrolment) {
        AUTO_FREE char *why = mem_printf("late, and dropped by %s", c->user);
        rc = enrol_end(&in, enrolment, json_get_int(row, "step", 0), "stopped", why, e);
    } else if (rc == 0) {
        input_note(&in, "timer of %s %s cancelled: late, and dropped by %s", k.kind, k.rule, c->user);
        rc = timer_remove(c->eng, &k, e);
    }
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    json_decref(enrolment);
    return rc;
}

static int late_row(struct ctl *c, struct late_choice *x, const json_t *row, struct err *e)
{
    struct timer_row t = {.key = timer_key_of(row), .due_ms = clock_now_ms(),
                          .step = json_get_int(row, "step", 0),
                          .since_ms = json_get_int(row, "since_ms", 0)};
    int64_t due = json_get_int(row, "due_ms", 0);
    if (due == 0 || due > c->eng->timers.held_ms)
        return 0;
    x->count++;
    return x->drop ? late_drop(c, row, e) : timer_write(c->eng, &t, e);
}

static int late_rows(struct ctl *c, struct late_choice *x, json_t *rows, struct err *e)
{
    size_t i;
    json_t *row;
    int rc = rows ? 0 : -1;
    json_array_foreach(rows, i, row)
        if (rc == 0)
            rc = late_row(c, x, row, e);
    json_decref(rows);
    return rc;
}

static int late_ids(struct ctl *c, struct late_choice *x, struct err *e)
{
    for (int i = 2; i < c->argc; i++) {
        enum crm_entity t;
        int64_t id, before = x->count;
        if (crm_id_parse(c->argv[i], &t, &id) < 0)
            return err_set(e, ERR_INPUT, "\"%s\": expected all, rule=NAME, or records such as L42",
                           c->argv[i]);
        if (late_rows(c, x, timer_of_record(c->eng->db, crm_entity_name(t), id, e), e) < 0)
            return -1;
        if (x->count == before)
            return err_set(e, ERR_INPUT, "nothing of %s is held: nothing was changed", c->argv[i]);
    }
    return 0;
}

/* All, or all of a rule. */
static int late_many(struct ctl *c, struct late_choice *x, struct err *e)
{
    int64_t held = c->eng->timers.held_ms, before;
    if (!x->drop) {
        int64_t changes = db_total_changes(c->eng->db);
        if (timer_late_release(c->eng->db, held, x->rule, clock_now_ms(), e) < 0)
            return -1;
        x->count = db_total_changes(c->eng->db) - changes;
        return 0;
    }
    do {
        before = x->count;
        if (late_rows(c, x, timer_late(c->eng->db, held, x->rule, LATE_SLICE, e), e) < 0)
            return -1;
    } while (x->count > before);
    return 0;
}

static json_t *late_change(struct ctl *c, bool drop, struct err *e)
{
    struct late_choice x = {.drop = drop, .rule = ctl_option(c, "rule")};
    int64_t left;
    x.all = c->argc == 3 && strcmp(c->argv[2], "all") == 0;
    if (c->argc < 3 || (x.rule && c->argc != 3)) {
        err_set(e, ERR_INPUT, "usage: leadctl due %s all | rule=NAME | L42 ..", c->argv[1]);
        return NULL;
    }
    if (c->eng->timers.held_ms == 0) {
        err_set(e, ERR_INPUT, "nothing is held: timers that are late fire by themselves");
        return NULL;
    }
    int rc = x.all || x.rule ? late_many(c, &x, e) : late_ids(c, &x, e);
    if (rc == 0 && x.count == 0)
        rc = err_set(e, ERR_INPUT, "no timer of %s is held", x.rule ? x.rule : "any rule");
    if (rc < 0 || late_settle(c->eng, &left, e) < 0)
        return NULL;
    log_info("timers.late", "%s=%" PRId64 " left=%" PRId64 " by=%s", drop ? "dropped" : "released",
             x.count, left, c->user);
    return ctl_text("%" PRId64 " %s; %" PRId64 " held", x.count, drop ? "dropped" : "released", left);
}

json_t *ctl_due(struct ctl *c, struct err *e)
{
    bool late = c->argc > 1 && strcmp(c->argv[1], "--late") == 0;
    int64_t held, now = clock_now_ms();
    if (c->argc > 1 && strcmp(c->argv[1], "release") == 0)
        return late_change(c, false, e);
    if (c->argc > 1 && strcmp(c->argv[1], "drop") == 0)
        return late_change(c, true, e);
    if (ctl_options_check(c, late ? 2 : 1, "rule limit", e) < 0 || late_count(c->eng, &held, e) < 0)
        return NULL;
    int64_t until = held ? c->eng->timers.held_ms : now - TIMERS_LATE_MS;
    AUTO_JSON json_t *rows = late ? timer_late(c->eng->db, until, ctl_option(c, "rule"), ctl_limit(c), e)
                                  : timer_list(c->eng->db, ctl_option(c, "rule"), ctl_limit(c), e);
    if (!rows)
        return NULL;
    json_t *table = ctl_timers_table(c->eng, rows);
    AUTO_FREE char *text = held ? mem_printf("%" PRId64 " held as late: leadctl due release, or drop",
                                             held)
                                : mem_str("nothing is held");
    json_put_str(table, "text", text);
    return table;
}

/* ---- leadctl resume --------------------------------------------------------------------- */

json_t *ctl_resume(struct ctl *c, struct err *e)
{
    int64_t timers;
    if (late_release_all(c->eng, &timers, e) < 0)
        return NULL;
    c->argv[1] = "all";
    c->argc = 2;
    json_t *said = ctl_release(c, e);
    if (!said || timers == 0)
        return said;
    AUTO_FREE char *text = mem_printf("%s; %" PRId64 " late timer%s released", json_get_str(said, "text", ""),
                                      timers, timers == 1 ? "" : "s");
    json_put_str(said, "text", text);
    return said;
}
