/* SPDX-License-Identifier: ISC
 *
 * coverage - see coverage.h
 */
#include "engine/coverage.h"

#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "engine/storage.h"
#include "rule/ruleset.h"

#define FLUSH_MS MINUTE_MS
#define FLUSH_SLICE 500     /* rules written in one transaction: some ms */
#define FLUSH_PAUSE_MS 50   /* before the next slice */
#define DAYS_KEPT 400       /* single days; what is older is one sum */
#define RULES_BY_NAME 40    /* series of /metrics: with more rules only the sums are there */

enum hit_what { HIT_ASKED, HIT_MATCHED, HIT_FIRED, HIT_REFUSED, HIT_CPU };

struct hit {
    int rule;
    enum hit_what what;
    int64_t value; /* MATCHED: when; CPU: ns */
};

struct coverage {
    struct engine *eng;
    const struct ruleset *rules;
    size_t count;
    struct rule_count *fresh;  /* own; since the last writing */
    struct rule_count *all;    /* own; since the engine started */
    struct hit *hits;          /* own; of the pass that runs */
    size_t hit_count, hit_cap;
    struct event *timer;
    bool armed;
    size_t next;               /* the rule the next slice begins with */
    int64_t folded_day;
    int64_t day;               /* that fresh counts belong to */
    uint32_t random, skip; /* which events are timed */
    int64_t lap_ns;            /* -1: this event is not timed */
};

/* ---- counting --------------------------------------------------------------- */

static void hit_add(struct coverage *c, const struct rule *r, enum hit_what what, int64_t value)
{
    if (c->hit_count == c->hit_cap) {
        c->hit_cap = c->hit_cap ? 2 * c->hit_cap : 256;
        c->hits = mem_grow(c->hits, c->hit_cap * sizeof(*c->hits));
    }
    c->hits[c->hit_count++] = (struct hit){.rule = r->index, .what = what, .value = value};
}

/* A number of events that differs each time: what comes in rhythm (each form makes
 * the same four events) is met at every beat alike. */
static uint32_t stride_next(struct coverage *c)
{
    c->random = c->random * 1664525u + 1013904223u;
    if (HOOK("coverage.every"))
        return 1;
    return COVERAGE_STRIDE / 2 + 1 + (c->random >> 16) % COVERAGE_STRIDE;
}

void coverage_begin(struct coverage *c)
{
    if (!c)
        return;
    c->lap_ns = -1;
    if (--c->skip > 0)
        return;
    c->lap_ns = clock_thread_ns();
    c->skip = stride_next(c);
}

void coverage_decided(struct coverage *c, const struct rule *r, bool matched, int64_t now_ms)
{
    if (c)
        hit_add(c, r, matched ? HIT_MATCHED : HIT_ASKED, now_ms);
}

bool coverage_is_hit(enum rule_outcome o)
{
    return o == RULE_MATCHED || o == RULE_SHADOW;
}

void coverage_fired(struct coverage *c, const struct rule *r)
{
    if (c)
        hit_add(c, r, HIT_FIRED, 1);
}

void coverage_refused(struct coverage *c, const struct rule *r)
{
    if (c)
        hit_add(c, r, HIT_REFUSED, 1);
}

/* What one timed event took stands for the mean of a stride. */
void coverage_done(struct coverage *c, const struct rule *r)
{
    if (!c || c->lap_ns < 0)
        return;
    int64_t now = clock_thread_ns();
    hit_add(c, r, HIT_CPU, (now - c->lap_ns) * (2 * COVERAGE_STRIDE + 1) / 2);
    c->lap_ns = now;
}

size_t coverage_mark(const struct coverage *c)
{
    return c ? c->hit_count : 0;
}

void coverage_undo(struct coverage *c, size_t mark)
{
    if (c)
        c->hit_count = mark;
}

static void count_add(struct rule_count *n, const struct hit *h)
{
    switch (h->what) {
    case HIT_MATCHED:
        n->matched++;
        if (h->value > n->last_ms)
            n->last_ms = h->value;
        n->evaluated++;
        break;
    case HIT_ASKED:
        n->evaluated++;
        break;
    case HIT_FIRED:
        n->fired++;
        break;
    case HIT_REFUSED:
        n->refused++;
        break;
    case HIT_CPU:
        n->cpu_ns += h->value;
        break;
    }
}

static void timer_arm(struct coverage *c, int64_t ms)
{
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    if (c->timer)
        event_add(c->timer, &tv);
    c->armed = true;
}

void coverage_committed(struct coverage *c)
{
    if (!c || c->hit_count == 0)
        return;
    int64_t day = clock_now_ms() / RULE_COUNT_DAY_MS;
    if (day != c->day) {
        if (c->timer) /* else it is a trial, and nothing is written */
            coverage_flush(c);
        c->day = day;
    }
    for (size_t i = 0; i < c->hit_count; i++) {
        count_add(&c->fresh[c->hits[i].rule], &c->hits[i]);
        count_add(&c->all[c->hits[i].rule], &c->hits[i]);
    }
    c->hit_count = 0;
    if (!c->armed)
        timer_arm(c, HOOK("coverage.now") ? 1 : FLUSH_MS);
}

/* ---- writing ------------------------------------------------------------------ */

static bool is_empty(const struct rule_count *n)
{
    return n->evaluated == 0 && n->fired == 0 && n->refused == 0 && n->cpu_ns == 0;
}

const struct rule_count *coverage_fresh(const struct coverage *c, size_t rule)
{
    return c && rule < c->count && !is_empty(&c->fresh[rule]) ? &c->fresh[rule] : NULL;
}

const struct rule_count *coverage_total(const struct coverage *c, size_t rule)
{
    return c && rule < c->count ? &c->all[rule] : NULL;
}

/* Writes up to `most` rules; *to_out is where it stopped. */
static int flush_rows(struct coverage *c, size_t most, size_t *to_out, struct err *e)
{
    size_t i = c->next, written = 0;
    for (; i < c->count && written < most; i++) {
        if (is_empty(&c->fresh[i]))
            continue;
        written++;
        if (rule_count_add(c->eng->db, ruleset_rule(c->rules, i)->name, c->day, c->eng->ruleset_id,
                           &c->fresh[i], e) < 0)
            return -1;
    }
    *to_out = i;
    return c->day == c->folded_day ? 0 : rule_count_fold(c->eng->db, c->day - DAYS_KEPT, e);
}

/* One transaction. -1: it stays in memory and is tried again. */
static int flush_slice(struct coverage *c, size_t most, struct err *e)
{
    size_t to = 0;
    if (db_begin(c->eng->db, e) < 0)
        return -1;
    if (flush_rows(c, most, &to, e) < 0 || db_commit(c->eng->db, e) < 0) {
        db_rollback(c->eng->db);
        return -1;
    }
    c->folded_day = c->day;
    for (size_t i = c->next; i < to; i++)
        c->fresh[i] = (struct rule_count){0};
    c->next = to == c->count ? 0 : to;
    return 0;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct coverage *c = arg;
    struct err e = {0};
    (void)fd;
    (void)what;
    c->armed = false;
    if (!storage_takes_all(c->eng->storage)) { /* what is left of the disk is for others */
        timer_arm(c, FLUSH_MS);
    } else if (flush_slice(c, FLUSH_SLICE, &e) < 0) {
        log_debug("coverage.failed", "error=\"%s\" next=\"again in a minute\"", e.text);
        timer_arm(c, FLUSH_MS);
    } else if (c->next > 0) {
        timer_arm(c, FLUSH_PAUSE_MS);
    }
}

void coverage_flush(struct coverage *c)
{
    struct err e = {0};
    bool any = false;
    if (!c || !c->eng->db || db_health(c->eng->db) != DB_SOUND)
        return;
    for (size_t i = 0; i < c->count; i++)
        any |= !is_empty(&c->fresh[i]);
    c->next = 0;
    if (any && flush_slice(c, c->count, &e) < 0)
        log_warn("coverage.lost", "error=\"%s\" next=\"the counts of the last minute are gone\"",
                 e.text);
}

/* ---- telling ------------------------------------------------------------------- */

void coverage_stats(const struct coverage *c, json_t *counters, json_t *gauges)
{
    struct rule_count sum = {0};
    int64_t never = 0;
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++) {
        const struct rule_count *n = &c->all[i];
        sum.evaluated += n->evaluated;
        sum.matched += n->matched;
        sum.fired += n->fired;
        sum.refused += n->refused;
        sum.cpu_ns += n->cpu_ns;
        never += n->matched == 0;
        if (c->count > RULES_BY_NAME)
            continue;
        AUTO_FREE char *series = mem_printf("rule_matches{rule=\"%s\"}",
                                            ruleset_rule(c->rules, i)->name);
        json_put_int(counters, series, n->matched);
    }
    if (c->count > RULES_BY_NAME)
        json_put_int(counters, "rule_matches", sum.matched);
    json_put_int(counters, "rule_evaluations", sum.evaluated);
    json_put_int(counters, "rules_fired", sum.fired);
    json_put_int(counters, "rule_commands_refused", sum.refused);
    json_put_int(counters, "rule_cpu_ms", sum.cpu_ns / 1000000);
    json_put_int(gauges, "rules", (int64_t)c->count);
    json_put_int(gauges, "rules_unmatched", never);
}

/* ---- life ------------------------------------------------------------------------ */

struct coverage *coverage_new(struct engine *eng)
{
    struct coverage *c = mem_alloc(sizeof(*c));
    c->eng = eng;
    c->rules = crm_rules(eng->crm);
    c->count = ruleset_count(c->rules);
    c->fresh = mem_array(c->count + 1, sizeof(*c->fresh));
    c->all = mem_array(c->count + 1, sizeof(*c->all));
    c->random = (uint32_t)clock_mono_ms();
    c->skip = stride_next(c);
    c->day = clock_now_ms() / RULE_COUNT_DAY_MS;
    c->lap_ns = -1;
    if (eng->role && eng->role->base)
        c->timer = event_new(eng->role->base, -1, 0, on_timer, c);
    return c;
}

void coverage_free(struct coverage **cp)
{
    struct coverage *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    if (c->timer)
        event_free(c->timer);
    mem_free(c->fresh);
    mem_free(c->all);
    mem_free(c->hits);
    mem_free(c);
}
