/* SPDX-License-Identifier: ISC
 *
 * http_conn - who is connected, for how long, and who has to go
 *
 * evhttp creates connections out of sight. The bufferevent factory is the only
 * hook at that moment: it makes our record, and an event active in the same
 * pass - before any byte can be read - finds the evhttp connection as the
 * argument of the bufferevent's callbacks and sets the close callback.
 *
 *   IDLE -> READING -> HELD -> WRITING -> IDLE      (any) -> closed
 *
 * Every state but HELD has a deadline; a sweep closes what passed it. A held
 * request belongs to the role, which answers it in its own time, and is never
 * cut here.
 *
 * Strangers cannot take all the places, nor all the memory. One address has a
 * share of the connections, and when all places are taken, whoever holds most
 * gives one up; when all requests together are too large, the largest goes. A
 * trusted proxy stands for many: it has no share of its own.
 */
#include "web/http_conn.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"

#define SWEEP_MS 250
#define FRESH_MS 1000 /* nobody has to make room before */

/* ---- state -------------------------------------------------------------- */

void conn_set_state(struct web_conn *c, enum conn_state state)
{
    c->state = state;
    c->since_ms = clock_mono_ms();
    c->deadline_ms = c->since_ms + c->http->conf.timeout_ms;
}

static void conn_set_reading(struct web_conn *c, size_t bytes)
{
    c->http->reading += bytes - c->reading;
    c->reading = bytes;
}

void conn_held(struct web_conn *c)
{
    conn_set_state(c, CONN_HELD);
    /* what it sent behind this request waits in the buffer */
    conn_set_reading(c, evbuffer_get_length(bufferevent_get_input(c->bev)));
}

struct web_conn *conn_find(struct web_http *h, struct evhttp_connection *con)
{
    struct web_conn *c;
    TAILQ_FOREACH (c, &h->conns, next)
        if (c->con == con)
            return c;
    return NULL;
}

void conns_pause(struct web_http *h, bool pause)
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
    conn_set_reading(c, 0);
    crowd_leave(&c->from);
    mem_free(c);
    h->count--;
    if (!h->freeing)
        conns_pause(h, h->count >= h->conf.connections);
}

/* ---- room --------------------------------------------------------------- */

static bool conn_may_be_cut(const struct web_conn *c, int64_t now)
{
    return c->con && now - c->since_ms >= FRESH_MS &&
           (c->state == CONN_IDLE || c->state == CONN_READING);
}

/* Is a the better one to lose? The oldest are looked at first. */
static bool conn_before(const struct web_conn *a, const struct web_conn *b)
{
    if (a->from->trusted != b->from->trusted)
        return b->from->trusted;
    if (a->from->count != b->from->count)
        return a->from->count > b->from->count;
    return a->state == CONN_IDLE && b->state != CONN_IDLE;
}

/* Closes one connection, of this address or of any (NULL). */
static bool conns_cut_one(struct web_http *h, const struct crowd_member *of)
{
    struct web_conn *c, *worst = NULL;
    int64_t now = clock_mono_ms();
    TAILQ_FOREACH_REVERSE (c, &h->conns, conn_list, next)
        if (conn_may_be_cut(c, now) && (!of || c->from == of) && (!worst || conn_before(c, worst)))
            worst = c;
    if (!worst)
        return false;
    h->cut++;
    evhttp_connection_free(worst->con); /* calls conn_on_close */
    return true;
}

static size_t conns_share(const struct web_http *h)
{
    size_t share = h->conf.connections / BOUND_HTTP_SHARE;
    return share > BOUND_HTTP_SHARE_MIN ? share : BOUND_HTTP_SHARE_MIN;
}

/* So that one more finds a place. */
static void conns_make_room(struct web_http *h)
{
    size_t spare = h->conf.connections / 32;
    while (h->count + spare >= h->conf.connections && conns_cut_one(h, NULL))
        ;
}

static void conn_admit(struct web_conn *c)
{
    struct web_http *h = c->http;
    if (c->from->trusted || c->from->count <= conns_share(h) || conns_cut_one(h, c->from))
        return;
    h->cut++;
    evhttp_connection_free(c->con);
}

static size_t conns_reading_max(const struct web_http *h)
{
    size_t three = h->conf.max_body * 3;
    return three > BOUND_HTTP_READING ? three : BOUND_HTTP_READING;
}

/* Closes the largest requests until the rest fits. */
static void conns_shrink(struct web_http *h)
{
    while (h->reading > conns_reading_max(h)) {
        struct web_conn *c, *largest = NULL;
        TAILQ_FOREACH (c, &h->conns, next)
            if (c->con && (c->state == CONN_IDLE || c->state == CONN_READING) && c->reading > 0 &&
                (!largest || c->reading > largest->reading))
                largest = c;
        if (!largest)
            return;
        h->cut++;
        evhttp_connection_free(largest->con);
    }
}

/* ---- from the first byte to the last ------------------------------------- */

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
    conn_set_reading(c, c->reading + info->n_added);
    if (h->reading > conns_reading_max(h))
        event_active(h->sweep, EV_TIMEOUT, 0);
}

/* A request that never became whole has no evhttp_request to answer: what the kernel takes
 * at once is enough for these few words. */
static void conn_say(struct web_conn *c, const char *status, const char *words)
{
    struct evbuffer *b = evbuffer_new();
    evbuffer_add_printf(b,
                        "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
                        status, strlen(words), words);
    evbuffer_write(b, bufferevent_getfd(c->bev));
    evbuffer_free(b);
}

/* What has come and is not read would make the kernel take back our words. */
static void conn_hear_out(struct web_conn *c)
{
    char gone[16384];
    int fd = bufferevent_getfd(c->bev);
    shutdown(fd, SHUT_WR);
    for (size_t n = 0; n < conns_reading_max(c->http);) {
        ssize_t k = recv(fd, gone, sizeof(gone), MSG_DONTWAIT);
        if (k <= 0)
            break;
        n += (size_t)k;
    }
}

/* evhttp answers a head that it cannot read by itself, with a page that says nothing. Ours
 * goes out in its place, and the sweep closes: evhttp must not be left from inside. */
static void conn_on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
    struct web_conn *c = arg;
    char begin[12];
    if (info->n_added == 0 || c->state == CONN_HELD || c->state == CONN_WRITING)
        return;
    if (!c->refused && (evbuffer_copyout(output, begin, sizeof(begin)) < (ev_ssize_t)sizeof(begin) ||
                        memcmp(begin + 8, " 400", 4) != 0))
        return; /* 100 Continue */
    if (!c->refused && c->reading > BOUND_HTTP_HEADERS)
        conn_say(c, "431 Request Header Fields Too Large",
                 "The headers of this request, cookies among them, are larger than 16 KB.\n");
    else if (!c->refused)
        conn_say(c, "400 Bad Request", "This is no HTTP request that can be read.\n");
    c->refused = true;
    c->deadline_ms = 0;
    event_active(c->http->sweep, EV_TIMEOUT, 0);
    evbuffer_drain(output, evbuffer_get_length(output));
}

struct bufferevent *conn_new(struct event_base *base, void *arg)
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
    evbuffer_add_cb(bufferevent_get_output(bev), conn_on_output, c);
    /* evhttp itself does not bound a chunk's size line; a full buffer stalls
     * and is then cut by the deadline */
    bufferevent_setwatermark(bev, EV_READ, 0, h->conf.max_body * 2 + BOUND_HTTP_HEADERS * 2);
    TAILQ_INSERT_HEAD(&h->conns, c, next);
    h->count++;
    conns_pause(h, h->count >= h->conf.connections);
    event_active(h->adopt, EV_TIMEOUT, 0);
    if (!event_pending(h->sweep, EV_TIMEOUT, NULL))
        event_add(h->sweep, &soon);
    return bev;
}

static void conn_adopt(struct web_conn *c, struct evhttp_connection *con)
{
    char *peer = NULL, address[64];
    ev_uint16_t port;
    c->con = con;
    evhttp_connection_set_closecb(con, conn_on_close, c);
    evhttp_connection_get_peer(con, &peer, &port);
    if (!peer || !address_canonical(peer, address, sizeof(address)))
        address[0] = '\0';
    c->from = crowd_enter(c->http->crowd, address, address_is_trusted(c->http->conf.trusted, address));
}

/* The new ones stand in front. From the oldest of them on: those that are not yet
 * adopted cannot be cut by a newer one's admission. */
static void conns_adopt(evutil_socket_t fd, short what, void *arg)
{
    struct web_http *h = arg;
    struct web_conn *c = TAILQ_FIRST(&h->conns), *last = NULL, *newer;
    (void)fd;
    (void)what;
    for (; c && !c->con; c = TAILQ_NEXT(c, next))
        last = c;
    for (c = last; c; c = newer) {
        void *con = NULL;
        newer = TAILQ_PREV(c, conn_list, next);
        bufferevent_getcb(c->bev, NULL, NULL, NULL, &con);
        conn_adopt(c, con);
        conn_admit(c);
    }
    conns_make_room(h);
}

static void conns_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct web_http *h = arg;
    struct timeval soon = {0, SWEEP_MS * 1000};
    struct web_conn *c, *next;
    int64_t now = clock_mono_ms();
    (void)fd;
    (void)what;
    conns_shrink(h);
    if (h->paused)
        conns_make_room(h);
    for (c = TAILQ_FIRST(&h->conns); c; c = next) {
        next = TAILQ_NEXT(c, next);
        if (!c->con || c->state == CONN_HELD || c->deadline_ms > now)
            continue;
        if (c->refused)
            conn_hear_out(c);
        else if (c->state == CONN_READING)
            conn_say(c, "408 Request Timeout",
                     "The request did not arrive in time. Please send it again.\n");
        evhttp_connection_free(c->con); /* calls conn_on_close */
    }
    if (!TAILQ_EMPTY(&h->conns))
        event_add(h->sweep, &soon);
}

/* ---- life --------------------------------------------------------------- */

void conns_init(struct web_http *h, struct event_base *base)
{
    TAILQ_INIT(&h->conns);
    h->crowd = crowd_new();
    h->adopt = event_new(base, -1, 0, conns_adopt, h);
    h->sweep = event_new(base, -1, 0, conns_sweep, h);
    LEADD_ASSERT(h->adopt && h->sweep);
}

/* On a connection that is idle a request may be under way: to close it at once
 * would lose that request, and its sender would not know. */
void conns_drain(struct web_http *h)
{
    struct web_conn *c;
    int64_t limit = clock_mono_ms() + BOUND_HTTP_LINGER_MS;
    TAILQ_FOREACH (c, &h->conns, next)
        if (c->state == CONN_IDLE && c->deadline_ms > limit)
            c->deadline_ms = limit;
}

/* After evhttp was freed: no connection is left. */
void conns_done(struct web_http *h)
{
    event_free(h->adopt);
    event_free(h->sweep);
    crowd_free(&h->crowd);
}
