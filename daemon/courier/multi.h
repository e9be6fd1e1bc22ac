/* SPDX-License-Identifier: ISC
 *
 * multi - libcurl's multi handle on the event loop
 *
 * libcurl names the sockets it waits at and the time it wants to be called; this
 * watches for both, and says so after each step it took.
 */
#ifndef LEADD_COURIER_MULTI_H
#define LEADD_COURIER_MULTI_H

#include <curl/curl.h>
#include <event2/event.h>

struct multi;

/* check: libcurl has done something, see curl_multi_info_read(); it may free the
 * multi. Never NULL. */
struct multi *multi_new(struct event_base *base, void (*check)(void *arg), void *arg);
void multi_free(struct multi **m); /* accepts NULL; no easy handle may be in it */
CURLM *multi_handle(const struct multi *m);
/* Somebody else has taken over the socket: libcurl's time does not count any more. */
void multi_rest(struct multi *m);

#endif
