/* SPDX-License-Identifier: ISC
 *
 * http - see http.h; the connections are in http_conn.c
 */
#include "web/http.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "web/address.h"
#include "web/http_conn.h"

#define CSP "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "

/* ---- the server --------------------------------------------------------- */

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
    if (c)
        conn_held(c);
    evhttp_request_set_on_complete_cb(req, http_on_sent, h);
    h->on_request(req, h->arg);
}

struct web_http *web_http_new(struct event_base *base, const struct web_http_conf *conf,
                              web_request_fn on_request, void *arg)
{
    struct web_http *h = mem_alloc(sizeof(*h));
    h->conf = *conf;
    h->on_request = on_request;
    h->arg = arg;
    conns_init(h, base);
    h->evhttp = evhttp_new(base);
    LEADD_ASSERT(h->evhttp);
    /* ours come first (http_conn.c): they say why, evhttp's only close */
    struct timeval tv = {2 * conf->timeout_ms / 1000, 2 * conf->timeout_ms % 1000 * 1000};
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
    conns_pause(h, h->count >= h->conf.connections);
    return 0;
}

void web_http_drain(struct web_http *h)
{
    http_stop_accepting(h);
    h->draining = true;
    conns_drain(h);
}

size_t web_http_connections(const struct web_http *h)
{
    return h->count;
}

uint64_t web_http_cut(const struct web_http *h)
{
    return h->cut;
}

void web_http_free(struct web_http **hp)
{
    struct web_http *h = *hp;
    if (!h)
        return;
    h->freeing = true;
    http_stop_accepting(h);
    evhttp_free(h->evhttp);
    conns_done(h);
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
        {302, "Found"},
        {303, "See Other"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {410, "Gone"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
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
                      r->button ? CSP "form-action 'self'" : CSP "form-action 'none'");
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

bool web_remote(struct evhttp_request *req, const json_t *trusted, char *out, size_t n)
{
    char *peer = NULL;
    ev_uint16_t port;
    snprintf(out, n, "%s", "unknown");
    evhttp_connection_get_peer(evhttp_request_get_connection(req), &peer, &port);
    const char *header = web_header(req, "X-Forwarded-For");
    if (!peer || !address_canonical(peer, out, n))
        return false;
    if (!address_is_trusted(trusted, out))
        return header != NULL;
    AUTO_FREE char *copy = mem_str(header ? header : "");
    for (char *comma; *copy; *comma = '\0') { /* from the right: each hop adds at the end */
        comma = strrchr(copy, ',');
        char one[64];
        if (!address_canonical(text_trim(comma ? comma + 1 : copy), one, sizeof(one)))
            return false;
        snprintf(out, n, "%s", one);
        if (!comma || !address_is_trusted(trusted, one))
            return false;
    }
    return false;
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
