/* SPDX-License-Identifier: ISC
 *
 * engine - the role's life, and the pass that commits
 *
 * See engine.h for the order of things: queue, pass, commit, answers.
 */
#include "engine/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/asks.h"
#include "engine/alive.h"
#include "engine/call.h"
#include "engine/budget.h"
#include "engine/clients.h"
#include "engine/coverage.h"
#include "engine/ctl.h"
#include "engine/broadcast.h"
#include "engine/enrol.h"
#include "engine/relays.h"
#include "engine/sent_copies.h"
#include "engine/gateway_pull.h"
#include "engine/gateway_test.h"
#include "engine/hold.h"
#include "engine/late.h"
#include "engine/link.h"
#include "engine/media.h"
#include "engine/notice.h"
#include "engine/public.h"
#include "engine/quiet.h"
#include "engine/sms_rep.h"
#include "engine/segment.h"
#include "engine/storage.h"
#include "engine/store_open.h"
#include "engine/suspect.h"
#include "engine/reminder.h"
#include "engine/timer.h"
#include "engine/token.h"
#include "engine/quota.h"
#include "engine/webhook.h"
#include "rule/ruleset.h"
#include "store/activation.h"
#include "store/journal.h"

#define RELOAD_MS 120000 /* from the question to the engine that comes of it */

/* ---- small things -------------------------------------------------------- */

const char *engine_setting(const struct engine *eng, const char *key, const char *def)
{
    return json_get_str(eng->settings, key, def);
}

void engine_count(struct engine *eng, const char *counter, int64_t n)
{
    json_put_int(eng->counters, counter, json_get_int(eng->counters, counter, 0) + n);
}

void engine_kick(struct engine *eng)
{
    if (eng->kick) /* not in solo.c, where there is no loop */
        event_active(eng->kick, EV_TIMEOUT, 0);
}

void engine_queue(struct engine *eng, struct item *it)
{
    queue_add(&eng->ready, it);
    engine_kick(eng);
}

struct answer *engine_answer(struct engine *eng, uint64_t peer, enum frame_type type, uint64_t id,
                             json_t *json)
{
    if (eng->answer_count == eng->answer_cap) {
        eng->answer_cap = eng->answer_cap ? eng->answer_cap * 2 : 64;
        eng->answers = mem_grow(eng->answers, eng->answer_cap * sizeof(*eng->answers));
    }
    struct answer *a = &eng->answers[eng->answer_count++];
    *a = (struct answer){
        .peer = peer, .type = type, .id = id, .json = json, .slot = -1, .settled = -1};
    return a;
}

/* After a commit that failed halfway what they promised may not have been undone: the
 * slots stay then, and say to our successor that the mails were not handed over. */
void engine_answers_drop(struct engine *eng, size_t from)
{
    bool undone = db_health(eng->db) == DB_SOUND;
    for (size_t i = from; i < eng->answer_count; i++) {
        struct answer *a = &eng->answers[i];
        struct peer *p = peer_by_serial(eng, a->peer);
        if (undone && a->slot >= 0 && p && p->slots)
            slots_free(p->slots, (uint32_t)a->slot);
        json_decref(a->json);
        mem_free(a->raw);
    }
    eng->answer_count = from;
}

/* Tests end the process around what leaves after the commit. */
static void answer_crash(enum frame_type t, bool before)
{
    if (t == FRAME_RECEIPT && before)
        CRASH_POINT("receipt.before");
    else if (t == FRAME_RECEIPT)
        CRASH_POINT("receipt.after");
    else if ((t == FRAME_FORM_DONE || t == FRAME_HOOK_DONE) && before)
        CRASH_POINT("answer.before");
    else if (t == FRAME_FORM_DONE || t == FRAME_HOOK_DONE)
        CRASH_POINT("answer.after");
    else if (t == FRAME_SEND && before)
        CRASH_POINT("send.before");
    else if (t == FRAME_SEND)
        CRASH_POINT("send.after");
}

/* What goes to one peer leaves in one write, so that it wakes once for a pass. */
void engine_answers_send(struct engine *eng)
{
    for (size_t i = 0; i < eng->answer_count; i++) {
        struct answer *a = &eng->answers[i];
        struct peer *p = peer_by_serial(eng, a->peer);
        if (p && p->slots && a->settled >= 0) {
            CRASH_POINT("slots.free.before");
            slots_free(p->slots, (uint32_t)a->settled);
            CRASH_POINT("slots.free.after");
        }
        if (p && p->chan && a->type != FRAME_NONE) {
            if (a->type == FRAME_RECEIPT && p->inflight > 0)
                p->inflight--;
            answer_crash(a->type, true);
            chan_cork(p->chan);
            chan_send(p->chan, a->type, a->id, a->json, a->raw, a->raw_len, -1);
        }
        json_decref(a->json);
        mem_free(a->raw);
    }
    for (struct peer *p = eng->peers; p; p = p->next)
        if (p->chan)
            chan_uncork(p->chan);
    for (size_t i = 0; i < eng->answer_count; i++)
        answer_crash(eng->answers[i].type, false);
    eng->answer_count = 0;
}

void engine_item_done(struct engine *eng, struct item *it)
{
    struct peer *p = it->peer ? peer_by_serial(eng, it->peer) : NULL;
    if (p)
        peer_item_done(p);
    if (it->kind == ITEM_TIMER)
        timer_item_done(eng);
    item_free(it);
}

/* ---- the pass ------------------------------------------------------------- */

static int queried(struct engine *eng, struct item *it, struct err *e)
{
    if (strcmp(json_get_str(it->frame.json, "what", ""), "pull") == 0)
        return pull_told(eng, it, e);
    gateway_test_told(eng, it);
    return 0;
}

static int frame_handle(struct engine *eng, struct item *it, struct err *e)
{
    switch (it->frame.type) {
    case FRAME_FORM:
        return inbound_form(eng, it, e);
    case FRAME_HOOK:
        return webhook_frame(eng, it, e);
    case FRAME_SENT:
    case FRAME_TEXTED:
        return outbound_sent(eng, it, e);
    case FRAME_CALLED:
        return calls_called(eng, it, e);
    case FRAME_QUERIED:
        return queried(eng, it, e);
    case FRAME_FETCHED:
        return media_fetched(eng, it, e);
    case FRAME_CTL:
        return ctl_frame(eng, it, e);
    case FRAME_STATS:
        engine_answer(eng, it->peer, FRAME_STATS_DONE, it->frame.id, stats_all(eng));
        return 0;
    case FRAME_LINK:
        return strcmp(it->peer_name, "web-in") == 0 ? public_frame(eng, it, e)
                                                    : link_frame(eng, it, e);
    case FRAME_HELLO:
        if (strcmp(it->peer_name, "courier") == 0)
            return outbound_hello(eng, it, e);
        return mailbox_frame(eng, it, e);
    default:
        return mailbox_frame(eng, it, e);
    }
}

static bool is_to_drop(const struct item *it)
{
    return HOOK("engine.drop") && it->kind == ITEM_MAIL && strstr(it->frame.raw, "drop me");
}

static int item_handle(struct engine *eng, struct item *it, struct err *e)
{
    if (is_to_drop(it))
        return err_set(e, ERR_BUG, "as a test wants it");
    switch (it->kind) {
    case ITEM_MAIL:
        return inbound_mail(eng, it, e);
    case ITEM_DUE:
        return outbound_due(eng, e);
    case ITEM_GONE:
        return outbound_settle(eng, it->gen, e) < 0 ? -1 : calls_settle(eng, it->gen, e);
    case ITEM_TIDY:
        return outbound_settle_all(eng, e) < 0 ? -1 : calls_settle(eng, NULL, e);
    case ITEM_CALLS:
        return calls_due(eng, e);
    case ITEM_COPIES:
        return sent_copies_due(eng, e);
    case ITEM_NOTICE:
        return notice_item(eng, it, e);
    case ITEM_TIMER:
        return timer_item(eng, it, e);
    case ITEM_SCHEDULE:
        return schedule_item(eng, it, e);
    case ITEM_TIMERS_LATE:
        return late_item(eng, it, e);
    case ITEM_BROADCAST:
        return broadcast_item(eng, it, e);
    case ITEM_SEGMENT:
        return segment_item(eng, it, e);
    case ITEM_TIMERS_RELOAD:
        return timers_reload_item(eng, it, e);
    case ITEM_FRAME:
        return frame_handle(eng, it, e);
    }
    return 0;
}

/* What cannot be handled is kept as it came, with the reason. */
static int item_fallback(struct engine *eng, struct item *it, const struct err *why, struct err *e)
{
    enum frame_type t = it->frame.type;
    if (it->kind == ITEM_SEGMENT)
        return segment_failed(eng, it, why);
    if (t == FRAME_CTL) { /* the asker's mistake, and told to the asker */
        engine_answer(eng, it->peer, FRAME_CTL_DONE, it->frame.id,
                      ctl_done(eng, json_pack("{s:i, s:s}", "exit", 1, "error", why->text)));
        return 0;
    }
    log_warn("item.failed", "what=%s peer=%s error=\"%s\"", frame_type_name(t),
             it->peer_name ? it->peer_name : "-", why->text);
    if (is_to_drop(it))
        return err_set(e, ERR_BUG, "as a test wants it");
    if (it->kind == ITEM_TIMER)
        return timer_failed(eng, it, why, e);
    if (it->kind == ITEM_SCHEDULE)
        return schedule_failed(eng, it, why, e);
    if (it->kind == ITEM_BROADCAST)
        return broadcast_failed(eng, it, why, e);
    if (it->kind == ITEM_MAIL || t == FRAME_FORM || t == FRAME_HOOK)
        return inbound_quarantine(eng, it, why->text, e);
    if (t == FRAME_CALLED)
        return calls_refused(eng, it, why->text, e);
    if (t == FRAME_LINK)
        public_failed(eng, it);
    return 0;
}

/* Not the item's fault. */
static bool store_failed(const struct engine *eng, const struct err *e)
{
    return e->cls == ERR_TEMP || db_health(eng->db) != DB_SOUND || !db_in_transaction(eng->db);
}

static bool is_request(const struct item *it)
{
    return it->frame.type == FRAME_FORM || it->frame.type == FRAME_HOOK;
}

/* For suspect: a form whose body is empty is known by its request. */
static uint64_t item_name(const struct item *it)
{
    if (it->frame.raw_len > 0 || !is_request(it))
        return suspect_of_bytes(it->frame.raw, it->frame.raw_len);
    const char *id = json_get_str(it->frame.json, "request_id", "");
    return suspect_of_bytes(id, strlen(id));
}

/* Whatever is not a message is not blamed here: outbound.c names the rows it is at. */
static unsigned item_deaths(struct engine *eng, const struct item *it)
{
    bool message = it->kind == ITEM_MAIL || is_request(it);
    return suspect_at(eng->suspect, message ? item_name(it) : 0);
}

/* It ended the engine again and again: it is kept as it came, and not run. */
static int item_poison(struct engine *eng, struct item *it, unsigned deaths, struct err *e)
{
    AUTO_FREE char *reason = mem_printf("the engine ended %u times at this message", deaths);
    AUTO_FREE char *key = mem_printf("suspect/%016" PRIx64, item_name(it));
    if (inbound_quarantine(eng, it, reason, e) < 0)
        return -1;
    return notice_admin(eng, key, "leadd: a message that ends the engine is quarantined",
                        "The engine ended several times while it handled one message. It is kept as "
                        "it came\nand not run any more: leadctl quarantine list. Please report "
                        "it.\n", e);
}

static int item_run(struct engine *eng, struct item *it, struct err *e)
{
    unsigned deaths = item_deaths(eng, it);
    if (deaths >= SUSPECT_DEATHS)
        return item_poison(eng, it, deaths, e);
    if (HOOK("engine.abort") && it->frame.raw && strstr(it->frame.raw, "leadd-test-abort"))
        abort();
    return item_handle(eng, it, e);
}

int engine_pass_item(struct engine *eng, struct item *it, struct err *e)
{
    size_t answers = eng->answer_count, counted = coverage_mark(eng->coverage);
    struct err why = {0};
    if (db_savepoint(eng->db, e) < 0)
        return -1;
    if (item_run(eng, it, &why) == 0)
        return db_release(eng->db, e);
    engine_answers_drop(eng, answers);
    coverage_undo(eng->coverage, counted);
    db_rollback_to(eng->db);
    if (store_failed(eng, &why)) {
        *e = why;
        return -1;
    }
    if (db_savepoint(eng->db, e) < 0)
        return -1;
    if (item_fallback(eng, it, &why, e) == 0)
        return db_release(eng->db, e);
    engine_answers_drop(eng, answers);
    db_rollback_to(eng->db);
    if (store_failed(eng, e))
        return -1;
    /* it must not hold up all others for ever; without an answer it was not
     * acknowledged, and its sender still has it */
    log_error("item.dropped", "what=%s peer=%s error=\"%s\" next=\"no receipt\"",
              frame_type_name(it->frame.type), it->peer_name ? it->peer_name : "-", e->text);
    engine_count(eng, "items_dropped", 1);
    if (it->kind == ITEM_MAIL)
        inbound_dropped(eng, it);
    return 0;
}

/* The store failed: nothing of this pass was acknowledged. Its items wait in front
 * of the others for the next try. */
static void pass_undo(struct engine *eng, struct queue *done, uint64_t last_ask, const struct err *e)
{
    engine_answers_drop(eng, 0);
    coverage_undo(eng->coverage, 0);
    suspect_undone(eng->suspect);
    hold_undone(eng);
    versions_free(&eng->versions); /* numbers that were never given */
    budget_undone(eng->budget);
    eng->timers.changed = true;
    asks_undo(eng, last_ask);
    db_rollback(eng->db);
    late_undone(eng);
    for (struct item *it; (it = queue_take(&eng->ready));)
        queue_add(done, it);
    for (struct item *it; (it = queue_take(done));)
        queue_add(&eng->ready, it);
    storage_failed(eng->storage, e);
}

/* What has arrived since the pass began belongs to its commit too: under load one
 * commit then carries twice as much. Frames only queue; nothing else runs here. */
static void pass_refill(struct engine *eng)
{
    for (struct peer *p = eng->peers, *next; p; p = next) {
        next = p->next; /* p may end now */
        if (*p->gen && p->chan) /* a role, no client */
            chan_read(p->chan);
    }
}

static void engine_pass(struct role *r)
{
    struct engine *eng = r->state;
    struct queue done;
    struct err e = {0};
    int64_t start = clock_mono_ms();
    uint64_t last_ask = eng->next_ask;
    size_t most = storage_before_pass(eng->storage);
    outbound_look(eng);
    if (!eng->ready.head || most == 0)
        return;
    queue_init(&done);
    bool failed = db_begin(eng->db, &e) < 0;
    while (!failed && eng->ready.head && done.count < most &&
           clock_mono_ms() - start < BOUND_PASS_MS) {
        struct item *it = queue_take(&eng->ready);
        queue_add(&done, it);
        failed = engine_pass_item(eng, it, &e) < 0;
        if (!failed && !eng->ready.head && storage_takes_all(eng->storage))
            pass_refill(eng);
    }
    if (db_health(eng->db) != DB_DAMAGED) /* else one page that only it needs: it is blamed */
        suspect_at(eng->suspect, 0);
    if (failed || db_commit(eng->db, &e) < 0) {
        pass_undo(eng, &done, last_ask, &e);
        return;
    }
    engine_answers_send(eng); /* only now: what they promise is durable */
    suspect_committed(eng->suspect);
    coverage_committed(eng->coverage);
    hold_committed(eng);
    budget_committed(eng->budget);
    storage_passed(eng->storage, done.count);
    for (struct item *it; (it = queue_take(&done));)
        engine_item_done(eng, it);
    outbound_arm(eng);
    calls_arm(eng);
    sent_copies_arm(eng);
    timers_arm(eng);
    if (eng->ready.head)
        engine_kick(eng);
}

static void engine_turn(struct role *r)
{
    engine_pass(r);
    walk_step(r->state);
}

/* ---- life -------------------------------------------------------------------- */

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg; /* the loop returns, and the pass runs */
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct engine *eng = arg;
    (void)fd;
    (void)what;
    eng->due_at_ms = 0;
    if (!eng->due_queued) {
        eng->due_queued = true;
        engine_queue(eng, item_new(ITEM_DUE, NULL));
    }
}

static void on_parse_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    parsing_late(arg);
}

/* The set that decides from now on, and who brought it in. */
static int engine_rules_note(struct engine *eng, struct err *e)
{
    const struct ruleset *rules = crm_rules(eng->crm);
    int64_t now = clock_now_ms();
    char *who = NULL;
    if (ruleset_store(eng->db, ruleset_hash(rules), ruleset_source(rules), now, &eng->ruleset_id,
                      e) < 0 ||
        activation_asked(eng->db, now - RELOAD_MS, &who, e) < 0)
        return -1;
    int rc = activation_add(eng->db, eng->ruleset_id, (int64_t)ruleset_count(rules),
                            who ? who : "start or SIGHUP", now, e);
    mem_free(who);
    return rc;
}

static int engine_store_open(struct engine *eng, struct err *e)
{
    const char *path = json_get_str(json_get_obj(eng->role->config, "store"), "path", NULL);
    if (!path)
        return err_set(e, ERR_PERM, "no store.path in the config");
    eng->db = store_open(path, engine_setting(eng, "state_dir", "."), e);
    if (!eng->db || db_begin(eng->db, e) < 0)
        return -1;
    eng->crm = crm_new(eng->db, eng->role->config, clock_now_ms(), e);
    if (!eng->crm || engine_rules_note(eng, e) < 0) {
        db_rollback(eng->db);
        return -1;
    }
    return db_commit(eng->db, e);
}

static int engine_open(struct role *r, struct err *e)
{
    struct engine *eng = mem_alloc(sizeof(*eng));
    r->state = eng;
    eng->role = r;
    eng->settings = json_get_obj(r->config, "settings");
    eng->counters = json_object();
    eng->gaps = json_object();
    queue_init(&eng->ready);
    queue_init(&eng->parse);
    queue_init(&eng->parsing);
    eng->storage = storage_new(eng);
    eng->budget = budget_new();
    eng->kick = event_new(r->base, -1, 0, on_kick, eng);
    eng->due = event_new(r->base, -1, 0, on_due, eng);
    eng->parse_late = event_new(r->base, -1, 0, on_parse_late, eng);
    int64_t pretend = json_get_int(r->config, "pretend_ms", 0);
    if (pretend)
        clock_pretend(pretend);
    return webhooks_open(eng, e) < 0 ? -1 : sms_pins_open(eng, e);
}

static void engine_rights(struct role *r, struct sandbox *sb)
{
    struct engine *eng = r->state;
    const char *state = engine_setting(eng, "state_dir", NULL);
    sandbox_path(sb, state, SANDBOX_WRITE);
    sandbox_folder_of(sb, json_get_str(json_get_obj(r->config, "store"), "path", NULL),
                      SANDBOX_WRITE);
}

/* The store is opened with the rights the engine keeps. */
static int engine_start(struct role *r, struct err *e)
{
    struct engine *eng = r->state;
    if (token_key_load(engine_setting(eng, "state_dir", "."), eng->key, e) < 0 ||
        engine_store_open(eng, e) < 0 || storage_start(eng->storage, e) < 0)
        return -1;
    if (hold_load(eng, e) < 0 || walk_go_on(eng, e) < 0 || calls_start(eng, e) < 0 ||
        gateways_start(eng, e) < 0 || relays_start(eng, e) < 0 ||
        sent_copies_start(eng, e) < 0)
        return -1;
    eng->suspect = suspect_open(engine_setting(eng, "state_dir", "."));
    engine_queue(eng, item_new(ITEM_TIDY, NULL));
    if (schedules_start(eng, e) < 0 || alive_start(eng, e) < 0 ||
        digests_start(eng, e) < 0 || reminders_start(eng, e) < 0 || pulls_start(eng, e) < 0 ||
        broadcasts_start(eng, e) < 0 ||
        timers_start(eng, e) < 0)
        return -1;
    stats_start(eng);
    eng->coverage = coverage_new(eng);
    log_info("engine.started", "rules=%zu ruleset=%.12s",
             ruleset_count(crm_rules(eng->crm)), ruleset_hash(crm_rules(eng->crm)));
    return 0;
}

static void engine_done(struct role *r)
{
    struct engine *eng = r->state;
    struct queue *const queues[] = {&eng->ready, &eng->parse, &eng->parsing};
    for (size_t i = 0; i < ARRAY_LEN(queues); i++) /* before the peers: no mail is suspect */
        for (struct item *it; (it = queue_take(queues[i]));)
            item_free(it);
    while (eng->peers)
        peer_remove(eng, eng->peers, "the engine ends");
    clients_stop(eng);
    stats_stop(eng);
    alive_stop(eng);
    calls_stop(eng);
    webhooks_close(eng);
    quota_forms_free(&eng->form_quotas);
    gateways_stop(eng);
    relays_stop(eng);
    sent_copies_stop(eng);
    coverage_flush(eng->coverage);
    coverage_free(&eng->coverage);
    timers_stop(eng);
    budget_free(&eng->budget);
    quiet_free(&eng->quiet);
    sms_pins_close(eng);
    storage_free(&eng->storage);
    suspect_free(&eng->suspect);
    versions_free(&eng->versions);
    broadcasts_free(&eng->broadcasts);
    crm_free(&eng->crm);
    db_close(&eng->db);
    event_free(eng->kick);
    event_free(eng->due);
    event_free(eng->parse_late);
    mem_free(eng->answers);
    json_decref(eng->counters);
    json_decref(eng->hold);
    json_decref(eng->hold_ended);
    json_decref(eng->gaps);
    mem_free(eng);
}

/* What is queued and not committed was not acknowledged: it comes again. */
static void engine_stop(struct role *r)
{
    clients_turn_away(r->state);
    role_quit(r, 0);
}

static void engine_sup_frame(struct role *r, struct frame *f)
{
    clients_sup_frame(r->state, f);
}

static void engine_listen(struct role *r, const char *name, int fd)
{
    clients_listen(r->state, name, fd);
}

const struct role_ops engine_ops = {
    .kind = "engine",
    .open = engine_open,
    .rights = engine_rights,
    .peer = peers_come,
    .peer_gone = peers_went,
    .listen = engine_listen,
    .start = engine_start,
    .pass = engine_turn,
    .stop = engine_stop,
    .frame = engine_sup_frame,
    .done = engine_done,
};

int engine_main(const char *name)
{
    return role_main(&engine_ops, name);
}
