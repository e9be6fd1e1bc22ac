/* SPDX-License-Identifier: ISC
 *
 * web_ui - the role for people and programs of the house
 *
 * Listens on an address of its own, the loopback by default. All pages ask
 * the engine and answer when it has answered:
 *
 *   GET /healthz   200 when the engine answers in time, else 503
 *   GET /metrics   the engine's counters and gauges, Prometheus text 0.0.4
 *   GET /do/...    what a link of a mail is for, with a button; POST does it
 *
 * What stands behind /do/ is a secret, so it is not logged.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/frame.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "base/text.h"
#include "web/metrics.h"
#include "web/page.h"
#include "web/web.h"

#define TICK_MS 100
#define WAIT_MS 5000

struct waiting {
    TAILQ_ENTRY(waiting) next;
    struct evhttp_request *req; /* evhttp's; valid until it is answered */
    uint64_t id;
    int64_t since_ms;
    enum page { PAGE_HEALTH, PAGE_METRICS, PAGE_LINK } page;
    char *path;   /* own; of a link */
    bool go;      /* its button was pressed */
};

static const char *const page_names[] = {"healthz", "metrics", "link"};

struct web_ui {
    struct role *role; /* borrowed */
    struct web_http *http;
    struct chan *engine; /* own; NULL while there is none */
    struct event *tick;  /* own */
    TAILQ_HEAD(, waiting) waiting; /* own; oldest first */
    size_t waiting_count;
    uint64_t next_id;
    bool stopping;
    int64_t stop_ms;
};

static void web_ui_arm(struct web_ui *w)
{
    struct timeval soon = {0, TICK_MS * 1000};
    if (!event_pending(w->tick, EV_TIMEOUT, NULL))
        event_add(w->tick, &soon);
}

/* ---- answers ------------------------------------------------------------ */

static void web_ui_health(struct web_ui *w, struct evhttp_request *req, bool ok)
{
    AUTO_JSON json_t *j = json_object();
    json_put_bool(j, "ok", ok);
    json_put_bool(j, "engine", w->engine != NULL);
    web_reply_json(w->http, req, ok ? 200 : 503, j, ok ? 0 : 5);
}

static void web_ui_metrics(struct web_ui *w, struct evhttp_request *req, const json_t *stats)
{
    static const char sorry[] = "The engine does not answer.\n";
    struct buf text AUTO_BUF;
    struct web_reply r = {.code = stats ? 200 : 503, .retry_after = stats ? 0 : 5};
    buf_init(&text, MIB(4));
    if (stats)
        metrics_render(stats, &text);
    r.type = stats ? METRICS_CONTENT_TYPE : NULL;
    r.body = stats ? text.data : sorry;
    r.len = stats ? text.len : strlen(sorry);
    web_reply(w->http, req, &r);
}

static void web_ui_link(struct web_ui *w, struct evhttp_request *req, const json_t *answer)
{
    struct buf text AUTO_BUF;
    AUTO_JSON json_t *sorry =
        json_pack("{s:i, s:s, s:s}", "code", 503, "title", "Not now", "text",
                  "leadd does not answer at the moment. Try again in a minute.");
    buf_init(&text, KIB(64));
    page_render(answer ? answer : sorry, &text);
    struct web_reply r = {.code = (int)json_get_int(answer ? answer : sorry, "code", 503),
                          .type = PAGE_CONTENT_TYPE,
                          .body = text.data,
                          .len = text.len,
                          .button = json_get_str(answer, "button", NULL) != NULL,
                          .retry_after = answer ? 0 : 5};
    web_reply(w->http, req, &r);
}

/* answer NULL: the engine gave none. */
static void web_ui_answer(struct web_ui *w, struct evhttp_request *req, enum page page,
                          const json_t *answer)
{
    if (page == PAGE_METRICS)
        web_ui_metrics(w, req, answer);
    else if (page == PAGE_LINK)
        web_ui_link(w, req, answer);
    else
        web_ui_health(w, req, answer != NULL);
}

static void web_ui_settle(struct web_ui *w, struct waiting *q, const json_t *answer)
{
    TAILQ_REMOVE(&w->waiting, q, next);
    w->waiting_count--;
    log_debug("web.ui", "page=%s status=%s ms=%" PRId64, page_names[q->page],
              answer ? "ok" : "no_engine", clock_mono_ms() - q->since_ms);
    web_ui_answer(w, q->req, q->page, answer);
    mem_free(q->path);
    mem_free(q);
}

static void web_ui_stop_step(struct web_ui *w)
{
    if ((w->waiting_count == 0 && web_http_connections(w->http) == 0) || clock_mono_ms() > w->stop_ms)
        role_quit(w->role, 0);
}

static void web_ui_tick(evutil_socket_t fd, short what, void *arg)
{
    struct web_ui *w = arg;
    struct waiting *q;
    (void)fd;
    (void)what;
    while ((q = TAILQ_FIRST(&w->waiting)) && clock_mono_ms() - q->since_ms >= WAIT_MS)
        web_ui_settle(w, q, NULL);
    if (w->stopping)
        web_ui_stop_step(w);
    if (w->stopping || w->waiting_count > 0)
        web_ui_arm(w);
}

/* ---- the engine --------------------------------------------------------- */

static void web_ui_on_frame(struct chan *c, struct frame *f, void *arg)
{
    struct web_ui *w = arg;
    struct waiting *q;
    if ((f->type != FRAME_STATS_DONE && f->type != FRAME_LINK_DONE) ||
        !frame_allowed(f->type, chan_name(c)))
        return;
    TAILQ_FOREACH (q, &w->waiting, next)
        if (q->id == f->id && (q->page == PAGE_LINK) == (f->type == FRAME_LINK_DONE))
            break;
    if (q)
        web_ui_settle(w, q, f->json);
}

static void web_ui_ask(struct web_ui *w, struct waiting *q)
{
    if (!w->engine)
        return;
    AUTO_JSON json_t *j =
        q->page == PAGE_LINK ? json_pack("{s:s, s:b}", "path", q->path, "go", q->go) : NULL;
    chan_send_json(w->engine, j ? FRAME_LINK : FRAME_STATS, q->id, j);
}

static void web_ui_on_gone(struct chan *c, const char *why, void *arg)
{
    struct web_ui *w = arg;
    (void)c;
    log_warn("web.engine_gone", "why=\"%s\" next=\"pages say 503\"", why);
    chan_free(&w->engine);
    while (w->waiting_count > 0)
        web_ui_settle(w, TAILQ_FIRST(&w->waiting), NULL);
}

static void web_ui_peer(struct role *r, const char *name, const char *gen, int fd)
{
    struct web_ui *w = r->state;
    struct waiting *q;
    (void)gen;
    if (!w || strcmp(name, "engine") != 0) {
        close(fd);
        return;
    }
    chan_free(&w->engine);
    w->engine = chan_new(r->base, fd, name, web_ui_on_frame, web_ui_on_gone, w);
    TAILQ_FOREACH (q, &w->waiting, next)
        web_ui_ask(w, q);
}

/* ---- requests ----------------------------------------------------------- */

static void web_ui_wait(struct web_ui *w, struct evhttp_request *req, enum page page,
                        const char *path, bool go)
{
    if (!w->engine || w->stopping || w->waiting_count >= BOUND_LINKS_WAIT) {
        web_ui_answer(w, req, page, NULL);
        return;
    }
    struct waiting *q = mem_alloc(sizeof(*q));
    q->req = req;
    q->id = ++w->next_id;
    q->since_ms = clock_mono_ms();
    q->page = page;
    q->path = path ? mem_str(path) : NULL;
    q->go = go;
    TAILQ_INSERT_TAIL(&w->waiting, q, next);
    w->waiting_count++;
    web_ui_arm(w);
    web_ui_ask(w, q);
}

static void web_ui_link_request(struct web_ui *w, struct evhttp_request *req, const char *path)
{
    AUTO_FREE char *copy = text_is_utf8(path, strlen(path)) ? mem_str(path) : mem_str("");
    bool post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;
    if (post || !web_refuse_method(w->http, req))
        web_ui_wait(w, req, PAGE_LINK, copy, post);
}

static void web_ui_request(struct evhttp_request *req, void *arg)
{
    static const char nothing[] = "There is nothing here.\n";
    struct web_ui *w = arg;
    const char *path = web_path(req);
    bool metrics = strcmp(path, "/metrics") == 0;
    if (metrics || strcmp(path, "/healthz") == 0) {
        if (!web_refuse_method(w->http, req))
            web_ui_wait(w, req, metrics ? PAGE_METRICS : PAGE_HEALTH, NULL, false);
        return;
    }
    if (strncmp(path, "/do/", 4) == 0) {
        web_ui_link_request(w, req, path + 4);
        return;
    }
    struct web_reply r = {.code = 404, .body = nothing, .len = strlen(nothing)};
    web_reply(w->http, req, &r);
}

/* ---- the role ----------------------------------------------------------- */

static int web_ui_open(struct role *r, struct err *e)
{
    struct web_ui *w = mem_alloc(sizeof(*w));
    struct web_http_conf conf;
    (void)e;
    r->state = w;
    w->role = r;
    TAILQ_INIT(&w->waiting);
    web_http_conf(json_get_obj(r->config, "web"), &conf);
    w->http = web_http_new(r->base, &conf, web_ui_request, w);
    w->tick = event_new(r->base, -1, 0, web_ui_tick, w);
    return 0;
}

static void web_ui_listen(struct role *r, const char *name, int fd)
{
    struct web_ui *w = r->state;
    struct err e = {0};
    if (!w || w->stopping || strcmp(name, "web-ui") != 0)
        close(fd);
    else if (web_http_listen(w->http, fd, &e) < 0)
        log_error("web.listen", "error=\"%s\" next=\"no requests are taken\"", e.text);
}

static void web_ui_stop(struct role *r)
{
    struct web_ui *w = r->state;
    if (!w) {
        role_quit(r, 0);
        return;
    }
    w->stopping = true;
    w->stop_ms = clock_mono_ms() + WAIT_MS;
    web_http_drain(w->http);
    web_ui_stop_step(w);
    if (!r->quit)
        web_ui_arm(w);
}

static void web_ui_done(struct role *r)
{
    struct web_ui *w = r->state;
    struct waiting *q;
    if (!w)
        return;
    while ((q = TAILQ_FIRST(&w->waiting)) != NULL) {
        TAILQ_REMOVE(&w->waiting, q, next);
        mem_free(q->path);
        mem_free(q);
    }
    chan_free(&w->engine);
    web_http_free(&w->http);
    event_free(w->tick);
    mem_free(w);
    r->state = NULL;
}

int web_ui_main(const char *name)
{
    static const struct role_ops ops = {.kind = "web-ui",
                                        .open = web_ui_open,
                                        .peer = web_ui_peer,
                                        .listen = web_ui_listen,
                                        .stop = web_ui_stop,
                                        .done = web_ui_done};
    return role_main(&ops, name);
}
