/* SPDX-License-Identifier: ISC
 *
 * solo - see solo.h
 *
 * A struct engine without loop, peers and storage watch. One transaction is open from
 * solo_begin() to the next: the savepoints of the items stand in it, and undoing it
 * gives back the empty CRM in microseconds.
 */
#include "engine/broadcast.h"
#include "engine/enrol.h"
#include "engine/solo_inner.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/budget.h"
#include "engine/coverage.h"
#include "engine/proof.h"
#include "engine/quiet.h"
#include "engine/gateways.h"
#include "engine/timer.h"
#include "rule/ruleset.h"
#include "store/journal.h"
#include "store/ledger.h"
#include "store/outbox.h"

#define SOLO_PEER 1 /* nobody has it: the answers stay where solo reads them */
#define SOLO_DUE 64 /* mails that leave between two looks at the timers */

int64_t solo_now(const struct solo *s)
{
    return s->now_ms;
}

struct db *solo_db(const struct solo *s)
{
    return s->eng.db;
}

struct crm *solo_crm(const struct solo *s)
{
    return s->eng.crm;
}

struct engine *solo_engine(const struct solo *s)
{
    return (struct engine *)&s->eng;
}

void solo_deadline(struct solo *s, int64_t mono_ms)
{
    s->deadline = mono_ms;
}

void solo_brief(struct solo *s, bool brief)
{
    s->eng.journal = brief ? JOURNAL_BRIEF : JOURNAL_EVERY;
}

int solo_enter(struct solo *s, struct err *e)
{
    if (s->deadline && clock_mono_ms() >= s->deadline)
        return err_set(e, ERR_TEMP, "it took too long and was stopped");
    clock_pretend(s->now_ms);
    log_mute(true);
    return 0;
}

int solo_leave(int rc)
{
    log_mute(false);
    return rc;
}

/* ---- items -------------------------------------------------------------------- */

static int solo_item(struct solo *s, struct item *it, struct err *e)
{
    int rc = engine_pass_item(&s->eng, it, e);
    engine_item_done(&s->eng, it);
    for (struct item *next; rc == 0 && (next = queue_take(&s->eng.ready));) { /* notices */
        rc = engine_pass_item(&s->eng, next, e);
        engine_item_done(&s->eng, next);
    }
    return rc;
}

/* The reason in the ledger, where the answer has no words. */
static int answer_reason(struct solo *s, struct solo_answer *out, struct err *e)
{
    AUTO_JSON json_t *rows = ledger_list(s->eng.db, NULL, NULL, 1, e);
    if (!rows)
        return -1;
    const char *reason = json_get_str(json_array_get(rows, 0), "reason", "");
    snprintf(out->text, sizeof(out->text), "%s", reason);
    return 0;
}

static int answer_read(struct solo *s, struct solo_answer *out, struct err *e)
{
    const json_t *j = s->eng.answer_count ? s->eng.answers[0].json : NULL;
    *out = (struct solo_answer){.status = ""};
    snprintf(out->status, sizeof(out->status), "%s", json_get_str(j, "status", "dropped"));
    snprintf(out->text, sizeof(out->text), "%s", json_get_str(j, "text", ""));
    engine_answers_drop(&s->eng, 0);
    return out->text[0] || !j ? 0 : answer_reason(s, out, e);
}

int solo_arrival(struct solo *s, struct item *it, struct solo_answer *out, struct err *e)
{
    it->peer = SOLO_PEER;
    if (solo_item(s, it, e) < 0 || answer_read(s, out, e) < 0)
        return -1;
    return solo_due(s, e);
}

/* ---- time ------------------------------------------------------------------------- */

/* A mail leaves, in a savepoint of its own as an item would have it. */
static int mail_leaves(struct solo *s, int64_t id, struct err *e)
{
    if (db_savepoint(s->eng.db, e) < 0)
        return -1;
    if (outbound_accept(&s->eng, id, e) == 0)
        return db_release(s->eng.db, e);
    db_rollback_to(s->eng.db);
    return err_wrap(e, "mail %" PRId64, id);
}

static int mails_leave(struct solo *s, struct err *e)
{
    size_t i;
    json_t *row;
    for (int line = 0; line < OUTBOX_LINES; line++) {
        AUTO_JSON json_t *rows = outbox_due(s->eng.db, line, s->now_ms, SOLO_DUE, e);
        if (!rows)
            return -1;
        json_array_foreach(rows, i, row)
            if (mail_leaves(s, json_get_int(row, "id", 0), e) < 0)
                return -1;
    }
    return 0;
}

/* The next moment at which something is due; 0: none. */
static int next_due(struct solo *s, int64_t *ms_out, struct err *e)
{
    int64_t timer = 0;
    if (outbox_next_due(s->eng.db, ms_out, e) < 0 ||
        (s->eng.timers.some && timer_next_due(s->eng.db, 0, &timer, e) < 0))
        return -1;
    if (timer && (*ms_out == 0 || timer < *ms_out))
        *ms_out = timer;
    return 0;
}

/* Each in its savepoint, as in a pass. */
static int timers_fire(struct solo *s, struct err *e)
{
    int rc = 0;
    if (s->eng.timers.some)
        timers_queue(&s->eng);
    for (struct item *it; (it = queue_take(&s->eng.ready));) {
        if (rc == 0)
            rc = engine_pass_item(&s->eng, it, e);
        engine_item_done(&s->eng, it);
    }
    return rc;
}

/* Until nothing is due at this moment: what fires may make more of it. */
static int due_until(struct solo *s, int64_t to_ms, struct err *e)
{
    for (int n = 0;; n++) {
        int64_t next = 0;
        if (next_due(s, &next, e) < 0)
            return -1;
        if (next == 0 || next > to_ms)
            return 0;
        if (n >= BOUND_SOLO_MOMENTS)
            return err_set(e, ERR_INPUT, "it does not come to an end: mails and timers were due %d "
                           "times", n);
        if (s->deadline && clock_mono_ms() >= s->deadline)
            return err_set(e, ERR_TEMP, "it took too long and was stopped");
        s->now_ms = next > s->now_ms ? next : s->now_ms;
        clock_pretend(s->now_ms);
        if (mails_leave(s, e) < 0 || timers_fire(s, e) < 0)
            return -1;
    }
}

int solo_due(struct solo *s, struct err *e)
{
    return due_until(s, s->now_ms, e);
}

int solo_advance(struct solo *s, int64_t to_ms, struct err *e)
{
    if (to_ms < s->now_ms)
        return err_set(e, ERR_INPUT, "time only goes forward");
    if (solo_enter(s, e) < 0)
        return -1;
    int rc = due_until(s, to_ms, e);
    if (rc == 0)
        s->now_ms = to_ms;
    clock_pretend(s->now_ms);
    return solo_leave(rc);
}

/* ---- life -------------------------------------------------------------------------- */

static int solo_open(struct solo *s, const char *path, struct err *e)
{
    struct engine *eng = &s->eng;
    eng->db = db_open(path ? path : ":memory:", false, e);
    if (!eng->db || db_migrate(eng->db, e) < 0 || db_begin(eng->db, e) < 0)
        return -1;
    eng->crm = crm_new(eng->db, s->role.config, clock_now_ms(), e);
    if (eng->crm && gateways_start(eng, e) < 0)
        return -1;
    const struct ruleset *rules = eng->crm ? crm_rules(eng->crm) : NULL;
    if (!rules || ruleset_store(eng->db, ruleset_hash(rules), ruleset_source(rules), clock_now_ms(),
                                &eng->ruleset_id, e) < 0)
        return -1;
    return db_commit(eng->db, e);
}

struct solo *solo_new(const json_t *engine_config, const char *path, struct err *e)
{
    struct solo *s = mem_alloc(sizeof(*s));
    struct engine *eng = &s->eng;
    s->role.config = json_incref((json_t *)engine_config);
    s->role.state = eng;
    eng->role = &s->role;
    eng->settings = json_get_obj(engine_config, "settings");
    eng->counters = json_object();
    eng->gaps = json_object();
    eng->journal = JOURNAL_EVERY;
    queue_init(&eng->ready);
    queue_init(&eng->parse);
    queue_init(&eng->parsing);
    eng->budget = budget_new();
    log_mute(true);
    if (solo_open(s, path, e) < 0)
        solo_free(&s);
    log_mute(false);
    return s;
}

int solo_begin(struct solo *s, int64_t now_ms, struct err *e)
{
    struct engine *eng = &s->eng;
    if (s->deadline && clock_mono_ms() >= s->deadline)
        return err_set(e, ERR_TEMP, "it took too long and was stopped");
    db_rollback(eng->db);
    engine_answers_drop(eng, 0);
    for (struct item *it; (it = queue_take(&eng->ready));)
        item_free(it);
    json_object_clear(eng->gaps);
    json_object_clear(eng->counters);
    versions_free(&eng->versions);
    budget_free(&eng->budget);
    eng->budget = budget_new();
    gateways_stop(eng);
    if (gateways_start(eng, e) < 0)
        return -1;
    eng->timers = (struct timers){0};
    s->arrivals = 0;
    s->now_ms = now_ms;
    clock_pretend(now_ms);
    return db_begin(eng->db, e) < 0 ? -1 : schedules_start(eng, e);
}

/* ---- for replay --------------------------------------------------------------------- */

int solo_commit(struct solo *s, struct err *e)
{
    if (db_commit(s->eng.db, e) < 0)
        return -1;
    coverage_committed(s->eng.coverage);
    budget_committed(s->eng.budget);
    return db_begin(s->eng.db, e);
}

struct solo *solo_fork(struct solo *s, const json_t *engine_config, const char *path,
                       struct err *e)
{
    if (db_commit(s->eng.db, e) < 0 || db_copy(s->eng.db, path, NULL, NULL, e) < 0 ||
        db_begin(s->eng.db, e) < 0)
        return NULL;
    clock_pretend(s->now_ms);
    struct solo *f = solo_new(engine_config, path, e);
    if (!f)
        return NULL;
    f->now_ms = s->now_ms;
    f->arrivals = s->arrivals;
    solo_foreign(f, s->eng.key, s->eng.foreign_scale);
    f->eng.timers.some = true; /* it has all that the other one had */
    if (db_begin(f->eng.db, e) < 0 || schedules_start(&f->eng, e) < 0)
        solo_free(&f);
    return f;
}

void solo_foreign(struct solo *s, const unsigned char key[32], int64_t scale)
{
    if (key)
        memcpy(s->eng.key, key, sizeof(s->eng.key));
    s->eng.foreign_scale = scale;
}

void solo_next(struct solo *s, const struct solo_past *past)
{
    s->internal_ms = past->internal_ms;
    s->eng.foreign_bounced = past->bounced;
    s->eng.foreign_proof = proof_named(past->proof);
    s->eng.foreign_handed_on = past->handed_on;
}

void solo_count(struct solo *s)
{
    if (!s->eng.coverage)
        s->eng.coverage = coverage_new(&s->eng);
}

const struct rule_count *solo_counted(const struct solo *s, size_t rule)
{
    return coverage_total(s->eng.coverage, rule);
}

void solo_free(struct solo **sp)
{
    struct solo *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    struct engine *eng = &s->eng;
    if (eng->db)
        db_rollback(eng->db);
    engine_answers_drop(eng, 0);
    for (struct item *it; (it = queue_take(&eng->ready));)
        item_free(it);
    coverage_free(&eng->coverage);
    gateways_stop(eng);
    versions_free(&eng->versions);
    broadcasts_free(&eng->broadcasts);
    crm_free(&eng->crm);
    budget_free(&eng->budget);
    quiet_free(&eng->quiet);
    db_close(&eng->db);
    mem_free(eng->answers);
    json_decref(eng->counters);
    json_decref(eng->gaps);
    json_decref(s->role.config);
    mem_free(s);
}
