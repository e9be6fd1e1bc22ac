/* SPDX-License-Identifier: ISC
 *
 * courier - the role: frames of the engine in, mails and SMS out, outcomes back
 *
 * Keeps each mail from SEND until the engine's RECEIPT of its outcome. A new
 * engine hears first which mails are in hand, then the outcomes without
 * receipt. A mail that is in hand is never begun twice. Holds the relays'
 * secrets and no database; the only clock is the monotonic one.
 *
 * STOP drains: what waits is given back as not tried, what runs may finish
 * within BOUND_COURIER_DRAIN_MS, and idle connections are closed politely.
 */
#include "courier/courier.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "courier/gate.h"
#include "courier/hook.h"
#include "courier/job.h"
#include "courier/media.h"
#include "courier/query.h"
#include "courier/relay.h"
#include "courier/sms.h"

struct courier {
    struct role *role;
    struct chan *engine; /* own; NULL while there is none */
    struct relays *relays;
    struct hooks *hooks;
    struct gates *gates;
    struct texts *texts;
    struct queries *queries;
    struct medias *medias;
    struct slotmap *map; /* the engine's current one */
    struct job_list jobs; /* from SEND to RECEIPT */
    struct event *tick;   /* while draining */
    bool draining;
    int64_t drain_until, linger_until; /* linger: set once nothing runs any more */
};

static void courier_tell(struct courier *c, const struct job *j)
{
    CRASH_POINT("courier.sent.before");
    if (c->engine)
        chan_send_json(c->engine, j->text ? FRAME_TEXTED : FRAME_SENT, j->id, j->sent);
    CRASH_POINT("courier.sent.after");
}

static void courier_on_done(struct job *j, void *arg)
{
    courier_tell(arg, j);
}

static struct job *courier_find(struct courier *c, uint64_t id)
{
    struct job *j;
    TAILQ_FOREACH (j, &c->jobs, all)
        if (j->id == id)
            return j;
    return NULL;
}

static void courier_forget(struct courier *c, struct job *j)
{
    TAILQ_REMOVE(&c->jobs, j, all);
    job_free(&j);
}

/* ---- frames ------------------------------------------------------------------ */

static void courier_send(struct courier *c, struct frame *f)
{
    enum job_outcome out;
    struct job *j = courier_find(c, f->id);
    if (j) {
        if (j->sent)
            courier_tell(c, j);
        else
            job_move(j, f, c->map); /* its outcome comes */
        return;
    }
    j = job_new(f, c->map);
    j->on_done = courier_on_done;
    j->arg = c;
    TAILQ_INSERT_TAIL(&c->jobs, j, all);
    if (j->text)
        texts_resolve(c->texts, j, json_get_arr(f->json, "gateway"));
    else
        relays_resolve(c->relays, j, json_get_arr(f->json, "relay"));
    const char *why = job_check(j, &out);
    if (c->draining)
        job_finish(j, JOB_DEFERRED, 0, NULL, "courier is draining", true);
    else if (why)
        job_finish(j, out, 0, NULL, why, false);
    else if (j->text)
        texts_add(c->texts, j);
    else
        relays_add(c->relays, j);
}

static void courier_slots(struct courier *c, struct frame *f)
{
    struct err e = {0};
    struct slots *s = f->fd >= 0 ? slots_map(f->fd, &e) : NULL;
    if (!s) {
        log_error("courier.slots", "error=\"%s\" next=\"mails are given back\"",
                  f->fd >= 0 ? e.text : "SLOTS without a descriptor");
        return;
    }
    slotmap_drop(&c->map);
    c->map = mem_alloc(sizeof(*c->map));
    c->map->slots = s;
    c->map->refs = 1;
}

static void courier_on_frame(struct chan *ch, struct frame *f, void *arg)
{
    struct courier *c = arg;
    if (!frame_allowed(f->type, "engine")) {
        log_warn("courier.frame", "type=%s next=ignored", frame_type_name(f->type));
        return;
    }
    (void)ch;
    switch (f->type) {
    case FRAME_SLOTS:
        courier_slots(c, f);
        break;
    case FRAME_SEND:
    case FRAME_TEXT:
        courier_send(c, f);
        break;
    case FRAME_QUERY:
        queries_ask(c->queries, f);
        break;
    case FRAME_FETCH:
        medias_fetch(c->medias, f);
        break;
    case FRAME_CALL:
        hooks_call(c->hooks, f);
        break;
    case FRAME_RECEIPT: {
        if (json_get_bool(f->json, "call", false)) {
            hooks_receipt(c->hooks, f->id);
            break;
        }
        struct job *j = courier_find(c, f->id);
        CRASH_POINT("courier.receipt.before");
        if (j && j->sent)
            courier_forget(c, j);
        CRASH_POINT("courier.receipt.after");
        break;
    }
    default:
        break;
    }
}

static void courier_on_gone(struct chan *ch, const char *why, void *arg)
{
    struct courier *c = arg;
    (void)ch;
    log_debug("courier.engine_gone", "why=\"%s\"", why);
    hooks_engine(c->hooks, NULL);
    queries_engine(c->queries, NULL);
    medias_engine(c->medias, NULL);
    chan_free(&c->engine);
}

/* ---- the role's life ------------------------------------------------------------ */

static int courier_open(struct role *r, struct err *e)
{
    struct courier *c = r->state = mem_alloc(sizeof(*c));
    c->role = r;
    TAILQ_INIT(&c->jobs);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(e, ERR_BUG, "libcurl does not start");
    c->relays = relays_new(r->base, r->config, e);
    c->hooks = c->relays ? hooks_new(r->base, r->config, e) : NULL;
    c->gates = c->hooks ? gates_new(r->config, e) : NULL;
    if (!c->gates)
        return -1;
    c->texts = texts_new(r->base, c->gates);
    c->queries = queries_new(r->base, c->gates);
    c->medias = medias_new(r->base, c->gates);
    return 0;
}

static void courier_rights(struct role *r, struct sandbox *sb)
{
    struct courier *c = r->state;
    relays_rights(c->relays, sb);
    hooks_rights(c->hooks, sb);
    gates_rights(c->gates, sb);
}

static void courier_greet(struct courier *c)
{
    struct job *j;
    AUTO_JSON json_t *hello = json_object();
    json_t *busy = json_array(), *calls = json_array();
    json_object_set_new(hello, "busy", busy);
    hooks_busy(c->hooks, calls);
    if (json_array_size(calls) > 0)
        json_object_set(hello, "calls", calls);
    json_decref(calls);
    TAILQ_FOREACH (j, &c->jobs, all)
        if (!j->sent)
            json_array_append_new(busy, json_integer((json_int_t)j->id));
    CRASH_POINT("courier.hello.before");
    chan_send_json(c->engine, FRAME_HELLO, 0, hello);
    CRASH_POINT("courier.hello.after");
    TAILQ_FOREACH (j, &c->jobs, all)
        if (j->sent)
            courier_tell(c, j);
    hooks_greeted(c->hooks);
}

static void courier_peer(struct role *r, const char *name, const char *gen, int fd)
{
    struct courier *c = r->state;
    (void)gen;
    chan_free(&c->engine);
    c->engine = chan_new(r->base, fd, name, courier_on_frame, courier_on_gone, c);
    hooks_engine(c->hooks, c->engine);
    queries_engine(c->queries, c->engine);
    medias_engine(c->medias, c->engine);
    courier_greet(c);
}

static void courier_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg; /* there is a pass now: that is all */
}

static void courier_stop(struct role *r)
{
    struct courier *c = r->state;
    struct timeval tv = {0, 200000};
    if (!c || !c->texts) {
        role_quit(r, 0);
        return;
    }
    if (c->draining)
        return;
    c->draining = true;
    c->drain_until = clock_mono_ms() + BOUND_COURIER_DRAIN_MS;
    c->tick = event_new(r->base, -1, EV_PERSIST, courier_tick, c);
    event_add(c->tick, &tv);
    relays_drain(c->relays);
    hooks_drain(c->hooks);
    texts_drain(c->texts);
}

/* Over when nothing runs and the engine has every outcome, or is not there to
 * have it: then the slots tell its successor. */
static bool courier_is_drained(struct courier *c)
{
    struct job *j;
    int64_t now = clock_mono_ms();
    if (now >= c->drain_until) {
        relays_cut(c->relays, "the courier was told to end");
        texts_cut(c->texts, "the courier was told to end");
        hooks_cut(c->hooks);
    }
    if (!hooks_are_idle(c->hooks))
        return false;
    TAILQ_FOREACH (j, &c->jobs, all)
        if (!j->sent)
            return false;
    if (!c->linger_until)
        c->linger_until = now + BOUND_COURIER_LINGER_MS;
    if (now >= c->linger_until)
        return true;
    bool settled = TAILQ_EMPTY(&c->jobs) && hooks_are_settled(c->hooks);
    return relays_are_closed(c->relays) && (!c->engine || settled);
}

static void courier_pass(struct role *r)
{
    struct courier *c = r->state;
    relays_pass(c->relays);
    if (c->draining && courier_is_drained(c))
        role_quit(r, 0);
}

static void courier_end(struct role *r)
{
    struct courier *c = r->state;
    struct job *j;
    if (!c)
        return;
    if (c->engine)
        chan_flush(c->engine, 1000);
    if (c->hooks)
        hooks_engine(c->hooks, NULL);
    chan_free(&c->engine);
    hooks_free(&c->hooks);
    queries_free(&c->queries);
    medias_free(&c->medias);
    if (c->relays)
        relays_cut(c->relays, "the courier ended");
    if (c->texts)
        texts_cut(c->texts, "the courier ended");
    while ((j = TAILQ_FIRST(&c->jobs)))
        courier_forget(c, j);
    relays_free(&c->relays);
    texts_free(&c->texts);
    gates_free(&c->gates);
    slotmap_drop(&c->map);
    if (c->tick)
        event_free(c->tick);
    mem_free(c);
    curl_global_cleanup();
}

const struct role_ops courier_ops = {
    .kind = "courier",
    .open = courier_open,
    .rights = courier_rights,
    .peer = courier_peer,
    .pass = courier_pass,
    .stop = courier_stop,
    .end = courier_end,
};

int courier_main(const char *name)
{
    return role_main(&courier_ops, name);
}
