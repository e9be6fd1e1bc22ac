/* SPDX-License-Identifier: ISC
 *
 * http_conn - the connections of one web_http: inside of http.c and http_conn.c
 */
#ifndef LEADD_WEB_HTTP_CONN_H
#define LEADD_WEB_HTTP_CONN_H

#include <event2/event.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "web/crowd.h"
#include "web/http.h"

enum conn_state { CONN_IDLE, CONN_READING, CONN_HELD, CONN_WRITING };

struct web_conn {
    TAILQ_ENTRY(web_conn) next;
    struct web_http *http;         /* borrowed */
    struct bufferevent *bev;       /* evhttp's */
    struct evhttp_connection *con; /* evhttp's; NULL until adopted */
    struct crowd_member *from;     /* NULL until adopted */
    enum conn_state state;
    int64_t since_ms;    /* in this state; monotonic */
    int64_t deadline_ms; /* monotonic */
    bool refused;        /* what it sent is no request, and it was told so */
    size_t reading;      /* bytes that it has sent and nobody has taken yet */
};

struct web_http {
    struct web_http_conf conf;
    struct evhttp *evhttp; /* own */
    struct evhttp_bound_socket *bound;
    struct event *adopt, *sweep; /* own */
    struct crowd *crowd;         /* own */
    TAILQ_HEAD(conn_list, web_conn) conns; /* newest first */
    size_t count;
    size_t reading; /* of all connections */
    uint64_t cut;   /* connections that had to make room */
    bool paused, draining, freeing;
    web_request_fn on_request;
    void *arg;
};

void conns_init(struct web_http *h, struct event_base *base);
void conns_done(struct web_http *h);
void conns_drain(struct web_http *h);
/* Accepts no more for a while, or again. */
void conns_pause(struct web_http *h, bool pause);
struct bufferevent *conn_new(struct event_base *base, void *arg); /* evhttp's factory */
struct web_conn *conn_find(struct web_http *h, struct evhttp_connection *con);
void conn_set_state(struct web_conn *c, enum conn_state state);
/* Its request was read and belongs to the role. */
void conn_held(struct web_conn *c);

#endif
