/* SPDX-License-Identifier: ISC
 *
 * http - see http.h
 *
 * evhttp creates connections out of sight. The bufferevent factory is the only
 * hook at that moment: it makes our record, and an event active in the same
 * pass - before any byte can be read - finds the evhttp connection as the
 * argument of the bufferevent's callbacks and sets the close callback.
 *
 *   IDLE -> READING -> HELD -> WRITING -> IDLE      (any) -> closed
 *
 * Every state but HELD has a deadline; a sweep closes what passed it. A held
 * request belongs to the role, which answers it in its own time.
 */
#include "web/http.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define SWEEP_MS 250

enum conn_state { CONN_IDLE, CONN_READING, CONN_HELD, CONN_WRITING };

struct web_conn {
    TAILQ_ENTRY(web_conn) next;
    struct web_http *http;         /* borrowed */
    struct bufferevent *bev;       /* evhttp's */
    struct evhttp_connection *con; /* evhttp's; NULL until adopted */
    enum conn_state state;
    int64_t deadline_ms; /* monotonic */
    size_t reading;      /* bytes of the request that is being read */
};

struct web_http {
    struct web_http_conf conf;
    struct evhttp *evhttp; /* own */
    struct evhttp_bound_socket *bound;
    struct event *adopt, *sweep; /* own */
    TAILQ_HEAD(, web_conn) conns;
    size_t count;
    size_t reading; /* of all connections */
    bool paused, draining, freeing;
    web_request_fn on_request;
    void *arg;
};

/* ---- connections -------------------------------------------------------- */

static void conn_set_state(struct web_conn *c, enum conn_state state)
{
    c->state = state;
    c->deadline_ms = clock_mono_ms() + c->http->conf.timeout_ms;
}

static struct web_conn *conn_find(struct web_http *h, struct evhttp_connection *con)
{
    struct web_conn *c;
    TAILQ_FOREACH (c, &h->conns, next)
        if (c->con == con)
            return c;
    return NULL;
}

static void http_pause(struct web_http *h, bool pause)
{
    if (h->paused == pause || !h->bound)
        return;
    struct evconnlistener *l = evhttp_bound_socket_get_listener(h->bound);
    h->paused = pause;
    if (pause)
        evconnlistener_disable(l);
    else
        evconnlistener_enable(l);
}

static void conn_on_close(struct evhttp_connection *con, void *arg)
{
    struct web_conn *c = arg;
    struct web_http *h = c->http;
    (void)con;
    TAILQ_REMOVE(&h->conns, c, next);
    h->reading -= c->reading;
    mem_free(c);
    h->count--;
    if (!h->freeing)
        http_pause(h, h->count >= h->conf.connections);
}

static size_t http_reading_max(const struct web_http *h)
{
    size_t three = h->conf.max_body * 3;
    return three > BOUND_HTTP_READING ? three : BOUND_HTTP_READING;
}

/* The first bytes of a request start its clock; more bytes do not move it. What
 * makes all requests together too large is cut by the sweep: a connection
 * cannot be closed from within its own reading. */
static void conn_on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    struct web_conn *c = arg;
    struct web_http *h = c->http;
    (void)input;
    if (info->n_added == 0)
        return;
    if (c->state == CONN_IDLE)
        conn_set_state(c, CONN_READING);
    if (c->state != CONN_READING)
        return;
    c->reading += info->n_added;
    h->reading += info->n_added;
    if (h->reading > http_reading_max(h)) {
        c->deadline_ms = 0;
        event_active(h->sweep, EV_TIMEOUT, 0);
    }
}

static struct bufferevent *conn_new(struct event_base *base, void *arg)
{
    struct web_http *h = arg;
    struct timeval soon = {0, SWEEP_MS * 1000};
    struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);
    if (!bev)
        return NULL;
    struct web_conn *c = mem_alloc(sizeof(*c));
    c->http = h;
    c->bev = bev;
    conn_set_state(c, CONN_IDLE);
    evbuffer_add_cb(bufferevent_get_input(bev), conn_on_input, c);
    /* evhttp itself does not bound a chunk's size line; a full buffer stalls
     * and is then cut by the deadline */
    bufferevent_setwatermark(bev, EV_READ, 0, h->conf.max_body * 2 + BOUND_HTTP_HEADERS * 2);
    TAILQ_INSERT_HEAD(&h->conns, c, next);
    h->count++;
    http_pause(h, h->count >= h->conf.connections);
    event_active(h->adopt, EV_TIMEOUT, 0);
    if (!event_pending(h->sweep, EV_TIMEOUT, NULL))
        event_add(h->sweep, &soon);
    return bev;
}

static void http_adopt(evutil_socket_t fd, short what, void *arg)
{
    struct web_http *h = arg;
    struct web_conn *c;
    (void)fd;
    (void)what;
    TAILQ_FOREACH (c, &h->conns, next) {
        void *con = NULL;
        if (c->con)
            break; /* new ones stand in front */
        bufferevent_getcb(c->bev, NULL, NULL, NULL, &con);
        c->con = con;
        evhttp_connection_set_closecb(c->con, conn_on_close, c);
    }
}

static void http_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct web_http *h = arg;
    struct timeval soon = {0, SWEEP_MS * 1000};
    struct web_conn *c = TAILQ_FIRST(&h->conns), *next;
    int64_t now = clock_mono_ms();
    (void)fd;
    (void)what;
    for (; c; c = next) {
        next = TAILQ_NEXT(c, next);
        if (c->con && c->state != CONN_HELD && c->deadline_ms <= now)
            evhttp_connection_free(c->con); /* calls conn_on_close */
    }
    if (!TAILQ_EMPTY(&h->conns))
        event_add(h->sweep, &soon);
}

static void http_on_sent(struct evhttp_request *req, void *arg)
{
    struct web_http *h = arg;
    struct web_conn *c = conn_find(h, evhttp_request_get_connection(req));
    if (c)
        conn_set_state(c, CONN_IDLE);
}

static void http_on_request(struct evhttp_request *req, void *arg)
{
    struct web_http *h = arg;
    struct web_conn *c = conn_find(h, evhttp_request_get_connection(req));
    if (c) {
        conn_set_state(c, CONN_HELD);
        h->reading -= c->reading;
        c->reading = 0;
    }
    evhttp_request_set_on_complete_cb(req, http_on_sent, h);
    h->on_request(req, h->arg);
}

/* ---- the server --------------------------------------------------------- */

struct web_http *web_http_new(struct event_base *base, const struct web_http_conf *conf,
                              web_request_fn on_request, void *arg)
{
    struct web_http *h = mem_alloc(sizeof(*h));
    h->conf = *conf;
    h->on_request = on_request;
    h->arg = arg;
    TAILQ_INIT(&h->conns);
    h->evhttp = evhttp_new(base);
    h->adopt = event_new(base, -1, 0, http_adopt, h);
    h->sweep = event_new(base, -1, 0, http_sweep, h);
    LEADD_ASSERT(h->evhttp && h->adopt && h->sweep);
    struct timeval tv = {conf->timeout_ms / 1000, conf->timeout_ms % 1000 * 1000};
    evhttp_set_timeout_tv(h->evhttp, &tv);
    evhttp_set_max_headers_size(h->evhttp, BOUND_HTTP_HEADERS);
    /* Bodies somewhat too large are read to the end, so that the answer is ours
     * and arrives; the flag does the same for larger ones of known length. */
    evhttp_set_max_body_size(h->evhttp, (ev_ssize_t)(conf->max_body * 2));
    evhttp_set_flags(h->evhttp, EVHTTP_SERVER_LINGERING_CLOSE);
    evhttp_set_allowed_methods(h->evhttp, 0xffff); /* the role answers 405 itself */
    evhttp_set_default_content_type(h->evhttp, NULL);
    evhttp_set_bevcb(h->evhttp, conn_new, h);
    evhttp_set_gencb(h->evhttp, http_on_request, h);
    return h;
}

static void http_stop_accepting(struct web_http *h)
{
    if (h->bound)
        evhttp_del_accept_socket(h->evhttp, h->bound);
    h->bound = NULL;
}

int web_http_listen(struct web_http *h, int fd, struct err *e)
{
    http_stop_accepting(h);
    if (evutil_make_socket_nonblocking(fd) == 0)
        h->bound = evhttp_accept_socket_with_handle(h->evhttp, fd);
    if (!h->bound) {
        close(fd);
        return err_set(e, ERR_PERM, "cannot listen on the socket handed over: %s", err_errno());
    }
    h->paused = false;
    http_pause(h, h->count >= h->conf.connections);
    return 0;
}

/* On a connection that is idle a request may be under way: to close it at once
 * would lose that request, and its sender would not know. */
void web_http_drain(struct web_http *h)
{
    struct web_conn *c;
    int64_t limit = clock_mono_ms() + BOUND_HTTP_LINGER_MS;
    http_stop_accepting(h);
    h->draining = true;
    TAILQ_FOREACH (c, &h->conns, next)
        if (c->state == CONN_IDLE && c->deadline_ms > limit)
            c->deadline_ms = limit;
}

size_t web_http_connections(const struct web_http *h)
{
    return h->count;
}

void web_http_free(struct web_http **hp)
{
    struct web_http *h = *hp;
    if (!h)
        return;
    h->freeing = true;
    http_stop_accepting(h);
    event_free(h->adopt);
    event_free(h->sweep);
    evhttp_free(h->evhttp);
    mem_free(h);
    *hp = NULL;
}

/* ---- answers ------------------------------------------------------------ */

static const char *web_reason(int code)
{
    static const struct {
        int code;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Content"},
        {303, "See Other"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].code == code)
            return reasons[i].reason;
    return "Error";
}

static void web_reply_headers(struct evhttp_request *req, const struct web_reply *r, bool close)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(req);
    char number[32];
    evhttp_add_header(out, "Content-Type", r->type ? r->type : "text/plain; charset=utf-8");
    evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
    evhttp_add_header(out, "Referrer-Policy", "no-referrer");
    evhttp_add_header(out, "Cache-Control", "no-store");
    evhttp_add_header(out, "Content-Security-Policy",
                      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
                      "form-action 'none'");
    snprintf(number, sizeof(number), "%zu", r->len);
    if (r->code != 204)
        evhttp_add_header(out, "Content-Length", number);
    if (r->location && text_is_single_line(r->location))
        evhttp_add_header(out, "Location", r->location);
    if (r->allow)
        evhttp_add_header(out, "Allow", r->allow);
    if (r->origin && text_is_single_line(r->origin)) {
        evhttp_add_header(out, "Access-Control-Allow-Origin", r->origin);
        evhttp_add_header(out, "Vary", "Origin");
    }
    if (r->origin && r->code == 204) { /* a preflight */
        evhttp_add_header(out, "Access-Control-Allow-Methods", "POST");
        evhttp_add_header(out, "Access-Control-Allow-Headers", "Content-Type, Idempotency-Key");
        evhttp_add_header(out, "Access-Control-Max-Age", "600");
    }
    if (r->retry_after > 0) {
        snprintf(number, sizeof(number), "%d", r->retry_after);
        evhttp_add_header(out, "Retry-After", number);
    }
    if (close)
        evhttp_add_header(out, "Connection", "close");
}

void web_reply(struct web_http *h, struct evhttp_request *req, const struct web_reply *r)
{
    struct evhttp_connection *con = evhttp_request_get_connection(req);
    if (!con) { /* the connection went away before the answer */
        evhttp_request_free(req);
        return;
    }
    struct web_conn *c = conn_find(h, con);
    if (c)
        conn_set_state(c, CONN_WRITING);
    web_reply_headers(req, r, h->draining);
    struct evbuffer *body = evbuffer_new();
    if (r->len > 0 && evhttp_request_get_command(req) != EVHTTP_REQ_HEAD)
        evbuffer_add(body, r->body, r->len);
    evhttp_send_reply(req, r->code, web_reason(r->code), body);
    evbuffer_free(body);
}

void web_reply_json(struct web_http *h, struct evhttp_request *req, int code, const json_t *body,
                    int retry_after)
{
    AUTO_FREE char *text = json_text(body);
    struct web_reply r = {.code = code,
                          .type = "application/json",
                          .body = text,
                          .len = strlen(text),
                          .retry_after = retry_after};
    web_reply(h, req, &r);
}

/* ---- questions ---------------------------------------------------------- */

const char *web_header(struct evhttp_request *req, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(req), name);
}

const char *web_path(struct evhttp_request *req)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
    return path ? path : "";
}

/* Writes an address in its one form; false when s is none. ::ffff:1.2.3.4 is
 * the same client as 1.2.3.4. */
static bool address_canonical(const char *s, char *out, size_t n)
{
    struct in_addr a4;
    struct in6_addr a6;
    if (inet_pton(AF_INET, s, &a4) == 1)
        return inet_ntop(AF_INET, &a4, out, (socklen_t)n) != NULL;
    if (inet_pton(AF_INET6, s, &a6) != 1)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&a6))
        return inet_ntop(AF_INET, &a6.s6_addr[12], out, (socklen_t)n) != NULL;
    return inet_ntop(AF_INET6, &a6, out, (socklen_t)n) != NULL;
}

static bool address_is_trusted(const json_t *trusted, const char *address)
{
    size_t i;
    json_t *v;
    char one[INET6_ADDRSTRLEN];
    json_array_foreach ((json_t *)trusted, i, v) {
        const char *s = json_string_value(v);
        if (s && address_canonical(s, one, sizeof(one)) && strcmp(one, address) == 0)
            return true;
    }
    return false;
}

void web_remote(struct evhttp_request *req, const json_t *trusted, char *out, size_t n)
{
    char *peer = NULL;
    ev_uint16_t port;
    snprintf(out, n, "%s", "unknown");
    evhttp_connection_get_peer(evhttp_request_get_connection(req), &peer, &port);
    if (!peer || !address_canonical(peer, out, n) || !address_is_trusted(trusted, out))
        return;
    const char *header = web_header(req, "X-Forwarded-For");
    AUTO_FREE char *copy = mem_str(header ? header : "");
    for (char *comma; *copy; *comma = '\0') { /* from the right: each hop adds at the end */
        comma = strrchr(copy, ',');
        char one[INET6_ADDRSTRLEN];
        if (!address_canonical(text_trim(comma ? comma + 1 : copy), one, sizeof(one)))
            return;
        snprintf(out, n, "%s", one);
        if (!comma || !address_is_trusted(trusted, one))
            return;
    }
}

bool web_framing_is_ambiguous(struct evhttp_request *req)
{
    const struct evkeyval *h;
    int lengths = 0, encodings = 0;
    TAILQ_FOREACH (h, evhttp_request_get_input_headers(req), next) {
        lengths += strcasecmp(h->key, "Content-Length") == 0;
        if (strcasecmp(h->key, "Transfer-Encoding") == 0)
            encodings += strcasecmp(h->value, "chunked") == 0 ? 1 : 2;
    }
    return lengths + encodings > 1;
}
