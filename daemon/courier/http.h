/* SPDX-License-Identifier: ISC
 *
 * http - what all HTTP requests of the courier have in common
 *
 * Nothing is redirected, no proxy is asked whatever the environment says, TLS is 1.2 or
 * newer and verified. What is sent, and what becomes of the answer, is the caller's.
 */
#ifndef LEADD_COURIER_HTTP_H
#define LEADD_COURIER_HTTP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Where the url connects to; 0: it cannot be read. */
int http_port(const char *url);

struct http_to {
    const char *url;            /* libcurl copies it */
    const char *ca_file;        /* NULL: the system's */
    struct curl_slist *headers; /* borrowed until the transfer is over, as are error and own */
    char *error;                /* CURL_ERROR_SIZE */
    long timeout_ms;
    void *own;                  /* CURLOPT_PRIVATE */
};
void http_options(CURL *h, const struct http_to *to);

/* What comes back, bounded: a transfer ends when its head or its body is too large. */
struct http_answer {
    struct buf body;
    bool dropped;   /* the body is read and not kept */
    bool too_large; /* a body that was to be kept */
    size_t body_bytes, head_bytes;
};
/* a is zero or was begun before, and stays where it is until the transfer is over. */
void http_answer_begin(CURL *h, struct http_answer *a, size_t max, bool dropped);
bool http_answer_headless(const struct http_answer *a); /* its head was too large */
void http_answer_done(struct http_answer *a);

#endif
