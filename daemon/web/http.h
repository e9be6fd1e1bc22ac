/* SPDX-License-Identifier: ISC
 *
 * http - evhttp with what it lacks towards strangers
 *
 * evhttp reads and writes HTTP/1.1. Here, around it: a total time for each
 * request (a byte a second is cut, too), limits on connections, in all and of
 * one address, answers with the security headers, and the remote address behind
 * trusted proxies.
 *
 * A request may be answered later: it stays valid until web_reply(), for evhttp
 * reads nothing and times nothing out meanwhile. A client that leaves is only
 * noticed when the answer is written, and that is harmless.
 */
#ifndef LEADD_WEB_HTTP_H
#define LEADD_WEB_HTTP_H

#include <event2/event.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct web_http;

struct web_http_conf {
    size_t max_body;       /* what the role accepts; see web_body_fits */
    int64_t timeout_ms;    /* for one whole request, and for one whole answer */
    size_t connections;    /* at most; more wait in the kernel's queue */
    const json_t *trusted; /* borrowed: addresses of proxies, which stand for many */
};

typedef void (*web_request_fn)(struct evhttp_request *req, void *arg);

struct web_reply {
    int code;
    const char *type;       /* Content-Type; NULL: text/plain */
    const char *body;       /* borrowed; left out for HEAD */
    size_t len;
    const char *location;   /* NULL: none. Only from the config */
    const char *allow;      /* NULL: none */
    const char *origin;     /* whose scripts may read the answer; from the config; NULL: none */
    int retry_after;        /* seconds; 0: none */
    bool button;            /* a form of the page may post to this server */
};

struct web_http *web_http_new(struct event_base *base, const struct web_http_conf *conf,
                              web_request_fn on_request, void *arg);
/* Takes a bound, listening socket. */
int web_http_listen(struct web_http *h, int fd, struct err *e) LEADD_MUST_CHECK;
/* Takes no new connections; those without a request are closed soon. Done when no
 * connection is left: each answer closes its own. */
void web_http_drain(struct web_http *h);
size_t web_http_connections(const struct web_http *h);
/* Connections closed so far because one address held too many, or all together. */
uint64_t web_http_cut(const struct web_http *h);
/* Accepts NULL; unanswered requests are dropped. Sets *h to NULL. */
void web_http_free(struct web_http **h);

void web_reply(struct web_http *h, struct evhttp_request *req, const struct web_reply *r);
/* A JSON object as the answer. */
void web_reply_json(struct web_http *h, struct evhttp_request *req, int code, const json_t *body,
                    int retry_after);

/* Questions about a request. Strings are borrowed from it. */
const char *web_header(struct evhttp_request *req, const char *name); /* NULL: none */
const char *web_path(struct evhttp_request *req);
/* The peer's address, or behind one of the trusted proxies (an array of
 * addresses) the last one in X-Forwarded-For that is not a proxy itself. True: the peer is
 * none of them and says for whom it asks, so it may be one that was forgotten. */
bool web_remote(struct evhttp_request *req, const json_t *trusted, char *out, size_t n);
/* Two ways of saying where the body ends are two readings of it (RFC 9112 6.3). */
bool web_framing_is_ambiguous(struct evhttp_request *req);

#endif
