/* SPDX-License-Identifier: ISC
 *
 * hop - one connection to an SMTP relay, made by libcurl and then ours
 *
 * libcurl resolves, connects, does TLS with verification or STARTTLS, says
 * EHLO and authenticates (CURLOPT_CONNECT_ONLY); then bytes go through
 * curl_easy_send and curl_easy_recv. The SMTP dialogue itself is not libcurl's,
 * for two reasons seen with 7.88: it waits for the reply to the final dot in a
 * blocking loop, which stops every other transfer of the process, and it keeps
 * the final dot out of the reach of a read callback, so that nothing could be
 * marked just before it leaves.
 *
 * Each hop has a multi handle of its own, so that libcurl's cache of connections
 * (its limit, its pruning of what looks idle) never has one of another's in it.
 * Never blocks.
 */
#ifndef LEADD_COURIER_HOP_H
#define LEADD_COURIER_HOP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bounds.h"

enum hop_tls { HOP_TLS, HOP_STARTTLS, HOP_PLAIN };
enum hop_auth { HOP_AUTH_NONE, HOP_AUTH_PASSWORD, HOP_AUTH_XOAUTH2, HOP_AUTH_OAUTHBEARER };

/* Where to; borrowed, and alive as long as the hop. */
struct hop_to {
    const char *host, *helo, *user, *secret, *ca_file; /* helo, user, secret, ca_file may be NULL */
    unsigned port;
    enum hop_tls tls;
    enum hop_auth auth;
    int64_t connect_ms;
};

/* What the last EHLO offered. */
struct hop_caps {
    bool size, eightbit, utf8, pipelining;
};

struct hop;

struct hop_ops {
    void (*up)(void *arg);
    /* No connection. code is the relay's reply, when it gave a bad one, else 0;
     * text says what happened at which step. */
    void (*failed)(void *arg, int code, const char *text);
    void (*ready)(void *arg); /* bytes to read, or room to write again */
};

/* The callbacks come from the loop, never from inside hop_open. */
struct hop *hop_open(struct event_base *base, const struct hop_to *to,
                       const struct hop_ops *ops, void *arg);
/* Accepts NULL. Not from inside a callback of the hop. Bytes not yet written
 * never leave. */
void hop_close(struct hop **h);

const struct hop_caps *hop_caps(const struct hop *h);
/* After this many bytes, of so much room, more may be there without the socket
 * being ready again. */
bool hop_may_hold_more(const struct hop *h, size_t got, size_t room);

enum hop_result { HOP_OK, HOP_AGAIN, HOP_GONE };
/* n_out: what was taken or given, 0 unless HOP_OK. After HOP_AGAIN to a send
 * the same bytes must be offered again; ready tells when. */
enum hop_result hop_send(struct hop *h, const char *p, size_t n, size_t *n_out);
enum hop_result hop_recv(struct hop *h, char *p, size_t n, size_t *n_out);

#endif
