/* SPDX-License-Identifier: ISC
 *
 * web_in - the role that takes forms from the network
 *
 * It holds the listening socket and nothing else: no database, no secret, no
 * files. A form is parked under a request id until the engine says FORM_DONE;
 * when the engine's channel is replaced, what is parked is sent again under
 * the same id, so that the engine can tell a repetition.
 *
 *   GET  /healthz      the engine is there and answers
 *   POST /form/NAME    see web_form.c; GET /form/NAME/stamp: when a page was opened
 *   POST /hook/NAME, /sms/NAME, /sms/NAME/receipt    see web_hook.c; or GET
 */
#include "web/web_in.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "web/web.h"

#define TICK_MS 100
#define STOP_MS 10000
#define LATELY_MS 5000 /* a form that waits longer means the engine does not answer */
#define QUEUE_MAX (BOUND_CHAN_QUEUE_BYTES / 2)

#define HOOK_RATE 60 /* a provider's server may send so many times what a person may */

static const struct {
    const char *name;
    int code;
} outcomes[WEB_OUTCOME_COUNT] = {
#define X(name, code) {#name, code},
    WEB_OUTCOMES(X)
#undef X
};

const char *web_outcome_name(enum web_outcome outcome)
{
    return outcomes[outcome].name;
}

int web_outcome_code(enum web_outcome outcome)
{
    return outcomes[outcome].code;
}

void web_in_remote(struct web_in *w, struct evhttp_request *req, char *out, size_t n)
{
    if (!web_remote(req, json_get_arr(w->web, "trusted_proxies"), out, n) || w->proxy_told)
        return;
    w->proxy_told = true;
    log_warn("web.proxy", "remote=%s why=\"it sends X-Forwarded-For and is not in trusted_proxies of web\" "
             "next=\"all who come through it count as one sender; if it is your proxy, name it there\"",
             out);
}

json_t *web_in_counts(const struct web_in *w)
{
    json_t *j = json_object();
    for (size_t i = 0; i < WEB_OUTCOME_COUNT; i++)
        json_put_int(j, outcomes[i].name, (int64_t)w->counts[i]);
    return j;
}

bool web_in_engine_is_gone(const struct web_in *w)
{
    return !w->engine && clock_mono_ms() - w->gone_ms > w->park_ms;
}

static void web_in_arm(struct web_in *w)
{
    struct timeval soon = {0, TICK_MS * 1000};
    if (!event_pending(w->tick, EV_TIMEOUT, NULL))
        event_add(w->tick, &soon);
}

/* ---- parked forms ------------------------------------------------------- */

/* Sends what the engine has not got on this channel, as far as the channel's
 * queue should grow; the tick goes on with the rest. */
static void web_in_push(struct web_in *w)
{
    struct parked *p;
    TAILQ_FOREACH (p, &w->parked, next) {
        if (!w->engine || chan_queued(w->engine) > QUEUE_MAX)
            return;
        if (p->sent)
            continue;
        p->sent = true;
        CRASH_POINT("web.push.before");
        chan_send(w->engine, p->type, p->id, p->json, p->raw_len ? p->raw : NULL, p->raw_len,
                  -1);
        CRASH_POINT("web.push.after");
    }
}

void web_in_park(struct web_in *w, struct parked *p)
{
    p->id = ++w->next_id;
    TAILQ_INSERT_TAIL(&w->parked, p, next);
    w->parked_count++;
    w->held_bytes += p->raw_len;
    web_in_arm(w);
    web_in_push(w);
}

static void web_in_leave(struct web_in *w, struct parked *p)
{
    TAILQ_REMOVE(&w->parked, p, next);
    w->parked_count--;
    w->held_bytes -= p->raw_len;
}

static void web_in_settle(struct web_in *w, struct parked *p, enum web_outcome outcome,
                          const char *type, const char *text)
{
    web_in_leave(w, p);
    CRASH_POINT("web.answer.before");
    if (p->type == FRAME_LINK)
        web_public_answer(w, p, NULL);
    else if (p->type == FRAME_HOOK)
        web_hook_answer(w, p, outcome, type, text);
    else
        web_form_answer(w, p, outcome, text);
    CRASH_POINT("web.answer.after");
}

/* A page that the engine has made; else as above. */
static void web_in_settle_page(struct web_in *w, struct parked *p, const json_t *answer)
{
    web_in_leave(w, p);
    web_public_answer(w, p, answer);
}

static void web_in_expire(struct web_in *w)
{
    struct parked *p, *next;
    int64_t now = clock_mono_ms();
    for (p = TAILQ_FIRST(&w->parked); p; p = next) {
        int64_t age = now - p->since_ms;
        next = TAILQ_NEXT(p, next);
        if (age < w->park_ms)
            return; /* oldest first */
        if (!w->engine || age > 3 * w->park_ms)
            web_in_settle(w, p, WEB_no_engine, NULL, NULL);
    }
}

/* What has begun to arrive is still taken: its sender would not know whether to
 * send it again. */
static void web_in_stop_step(struct web_in *w)
{
    int64_t left = w->stop_ms - clock_mono_ms();
    while (left <= 0 && !TAILQ_EMPTY(&w->parked))
        web_in_settle(w, TAILQ_FIRST(&w->parked), WEB_busy, NULL, NULL);
    if (TAILQ_EMPTY(&w->parked) && (web_http_connections(w->http) == 0 || left < -1000))
        role_quit(w->role, 0);
}

static void web_in_tick(evutil_socket_t fd, short what, void *arg)
{
    struct web_in *w = arg;
    (void)fd;
    (void)what;
    web_in_push(w);
    web_in_expire(w);
    if (w->stopping)
        web_in_stop_step(w);
    if (w->stopping || !TAILQ_EMPTY(&w->parked))
        web_in_arm(w);
}

/* ---- the engine --------------------------------------------------------- */

static const struct {
    const char *status;
    enum web_outcome outcome;
} statuses[] = {
    {"ok", WEB_accepted},   {"duplicate", WEB_duplicate}, {"quarantined", WEB_quarantined},
    {"confirm", WEB_confirm}, {"confirm_later", WEB_confirm_later},
    {"invalid", WEB_invalid}, {"busy", WEB_busy},         {"refused", WEB_refused},
    {"rate", WEB_rate},
};

static void web_in_on_frame(struct chan *c, struct frame *f, void *arg)
{
    struct web_in *w = arg;
    struct parked *p;
    const char *status = json_get_str(f->json, "status", "");
    enum web_outcome outcome = WEB_busy; /* a status unknown here promises nothing */
    if ((f->type != FRAME_FORM_DONE && f->type != FRAME_HOOK_DONE && f->type != FRAME_LINK_DONE) ||
        !frame_allowed(f->type, chan_name(c)))
        return;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (strcmp(statuses[i].status, status) == 0)
            outcome = statuses[i].outcome;
    TAILQ_FOREACH (p, &w->parked, next)
        if (p->id == f->id)
            break;
    if (p && p->sent && (p->type == FRAME_LINK) != (f->type == FRAME_LINK_DONE))
        return;
    if (p && p->sent && p->type == FRAME_LINK)
        web_in_settle_page(w, p, f->json);
    else if (p && p->sent)
        web_in_settle(w, p, outcome, json_get_str(f->json, "type", NULL),
                      json_get_str(f->json, "text", NULL));
}

static void web_in_lose_engine(struct web_in *w)
{
    struct parked *p;
    chan_free(&w->engine);
    w->gone_ms = clock_mono_ms();
    TAILQ_FOREACH (p, &w->parked, next)
        p->sent = false;
}

static void web_in_on_gone(struct chan *c, const char *why, void *arg)
{
    (void)c;
    log_warn("web.engine_gone", "why=\"%s\" next=\"parked forms wait\"", why);
    web_in_lose_engine(arg);
}

static void web_in_peer(struct role *r, const char *name, const char *gen, int fd)
{
    struct web_in *w = r->state;
    if (!w || strcmp(name, "engine") != 0) {
        close(fd);
        return;
    }
    web_in_lose_engine(w);
    mem_free(w->engine_gen);
    w->engine_gen = mem_str(gen);
    w->engine = chan_new(r->base, fd, name, web_in_on_frame, web_in_on_gone, w);
    if (!TAILQ_EMPTY(&w->parked))
        CRASH_POINT("web.replay.before");
    web_in_push(w);
    if (!TAILQ_EMPTY(&w->parked))
        CRASH_POINT("web.replay.after");
}

static void web_in_peer_gone(struct role *r, const char *name, const char *gen, const char *how)
{
    struct web_in *w = r->state;
    (void)how;
    if (w && w->engine && strcmp(name, "engine") == 0 && strcmp(gen, w->engine_gen) == 0)
        web_in_lose_engine(w);
}

/* ---- requests ----------------------------------------------------------- */

static void web_in_healthz(struct web_in *w, struct evhttp_request *req)
{
    const struct parked *oldest = TAILQ_FIRST(&w->parked);
    bool ok = w->engine && !w->stopping &&
              (!oldest || clock_mono_ms() - oldest->since_ms < LATELY_MS);
    AUTO_JSON json_t *j = json_object();
    json_put_bool(j, "ok", ok);
    json_put_bool(j, "engine", w->engine != NULL);
    json_put_int(j, "parked", (int64_t)w->parked_count);
    json_put_int(j, "connections", (int64_t)web_http_connections(w->http));
    json_put_int(j, "cut", (int64_t)web_http_cut(w->http));
    json_object_set_new(j, "requests", web_in_counts(w));
    web_reply_json(w->http, req, ok ? 200 : 503, j, ok ? 0 : 5);
}

static void web_in_request(struct evhttp_request *req, void *arg)
{
    struct web_in *w = arg;
    const char *path = web_path(req);
    if (text_starts(path, "/form/")) {
        web_form_request(w, req, path + strlen("/form/"));
    } else if (text_starts(path, "/hook/") || text_starts(path, "/sms/")) {
        web_hook_request(w, req, path);
    } else if (web_public_is(path)) {
        web_public_request(w, req, path);
    } else if (strcmp(path, "/healthz") == 0) {
        if (!web_refuse_method(w->http, req))
            web_in_healthz(w, req);
    } else {
        web_form_refuse(w, req, "-", WEB_unknown, "There is nothing here.");
    }
}

/* ---- the role ----------------------------------------------------------- */

static void web_in_form_rates(struct web_in *w)
{
    const char *form;
    json_t *conf;
    w->form_rates = mem_array(json_object_size(w->forms) + 1, sizeof(*w->form_rates));
    json_object_foreach((json_t *)w->forms, form, conf) {
        int64_t per_minute = json_get_int(conf, "rate", 0);
        if (per_minute > 0)
            w->form_rates[w->form_rate_count++] =
                (struct form_rate){.form = form, .per_minute = per_minute};
    }
}

static int web_in_open(struct role *r, struct err *e)
{
    struct web_in *w = mem_alloc(sizeof(*w));
    struct web_http_conf conf;
    (void)e;
    r->state = w;
    w->role = r;
    TAILQ_INIT(&w->parked);
    w->web = json_get_obj(r->config, "web");
    w->forms = json_get_obj(r->config, "forms");
    w->sources = json_get_obj(r->config, "sources");
    w->gateways = json_get_obj(r->config, "gateways");
    web_http_conf(w->web, &conf);
    w->max_body = conf.max_body;
    w->held_max = conf.max_body > BOUND_HTTP_HELD / 2 ? conf.max_body * 2 : BOUND_HTTP_HELD;
    w->park_ms = json_get_int(w->web, "park_timeout", BOUND_HTTP_PARK_MS);
    w->gone_ms = clock_mono_ms();
    w->http = web_http_new(r->base, &conf, web_in_request, w);
    w->rate = rate_new(json_get_int(w->web, "rate", 0), BOUND_HTTP_ADDRESSES);
    w->hook_rate = rate_new(HOOK_RATE * json_get_int(w->web, "rate", 0), BOUND_HTTP_ADDRESSES);
    web_in_form_rates(w);
    hash_random(w->stamp_key, sizeof(w->stamp_key));
    w->tick = event_new(r->base, -1, 0, web_in_tick, w);
    return 0;
}

static void web_in_listen(struct role *r, const char *name, int fd)
{
    struct web_in *w = r->state;
    struct err e = {0};
    if (!w || w->stopping || strcmp(name, "web-in") != 0)
        close(fd);
    else if (web_http_listen(w->http, fd, &e) < 0)
        log_error("web.listen", "error=\"%s\" next=\"no requests are taken\"", e.text);
}

static void web_in_stop(struct role *r)
{
    struct web_in *w = r->state;
    if (!w) {
        role_quit(r, 0);
        return;
    }
    w->stopping = true;
    w->stop_ms = clock_mono_ms() + STOP_MS;
    web_http_drain(w->http);
    AUTO_JSON json_t *counts = web_in_counts(w);
    AUTO_FREE char *text = json_text(counts);
    log_info("web.stop", "parked=%zu requests=%s", w->parked_count, text);
    web_in_stop_step(w);
    if (!r->quit)
        web_in_arm(w);
}

static void web_in_done(struct role *r)
{
    struct web_in *w = r->state;
    struct parked *p;
    if (!w)
        return;
    while ((p = TAILQ_FIRST(&w->parked)) != NULL) {
        TAILQ_REMOVE(&w->parked, p, next);
        web_form_free(p);
    }
    chan_free(&w->engine);
    web_http_free(&w->http);
    rate_free(&w->rate);
    rate_free(&w->hook_rate);
    mem_free(w->form_rates);
    event_free(w->tick);
    mem_free(w->engine_gen);
    mem_free(w);
    r->state = NULL;
}

const struct role_ops web_in_ops = {
    .kind = "web-in",
    .open = web_in_open,
    .peer = web_in_peer,
    .peer_gone = web_in_peer_gone,
    .listen = web_in_listen,
    .stop = web_in_stop,
    .done = web_in_done,
};

int web_in_main(const char *name)
{
    return role_main(&web_in_ops, name);
}
