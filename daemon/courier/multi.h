/* SPDX-License-Identifier: ISC
 *
 * multi - libcurl's multi handle on the event loop
 *
 * libcurl names the sockets it waits at and the time it wants to be called; this
 * watches for both, and tells which transfers have ended.
 */
#ifndef LEADD_COURIER_MULTI_H
#define LEADD_COURIER_MULTI_H

#include <curl/curl.h>
#include <event2/event.h>

struct multi;

/* A transfer has ended; own is its CURLOPT_PRIVATE. May take the easy handle out and free
 * it, and begin others; must not free the multi. */
typedef void (*multi_done_fn)(void *arg, void *own, CURLcode rc);
struct multi *multi_new(struct event_base *base, multi_done_fn done, void *arg);
void multi_free(struct multi **m); /* accepts NULL; no easy handle may be in it */
CURLM *multi_handle(const struct multi *m);
/* Somebody else has taken over the socket: libcurl's time does not count any more. */
void multi_rest(struct multi *m);

#endif
