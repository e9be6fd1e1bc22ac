/* SPDX-License-Identifier: ISC
 *
 * media - fetches what a text came with: photos, sounds, films of an MMS
 *
 * The address stands in what somebody posted, so it is nobody's order: https alone, to
 * port 443 of a public address, as it is when the connection is made; redirects are looked
 * at like the first address, and are few. The gateway's sign-in goes to the gateway's own
 * host and to those of media.hosts, to no other, and not where another has sent us. Size and
 * time are bounded. With media.private (a gateway inside the house) any address is asked,
 * http too, at the ports 80, 443 and the gateway's own.
 *
 * A fetch changes nothing, so it has no slot and no receipt and ends with the courier; the
 * engine asks again (engine/media.h).
 */
#ifndef LEADD_COURIER_MEDIA_H
#define LEADD_COURIER_MEDIA_H

#include <event2/event.h>
#include <sys/socket.h>

#include "base/frame.h"
#include "courier/gate.h"

struct medias;

struct medias *medias_new(struct event_base *base, struct gates *gates); /* gates: borrowed */
void medias_free(struct medias **ms); /* accepts NULL; those in hand are forgotten */
/* engine may be NULL: what is in hand then has nobody to be told to. */
void medias_engine(struct medias *ms, struct chan *engine);
/* A FETCH frame; FETCHED follows, perhaps from inside. */
void medias_fetch(struct medias *ms, const struct frame *f);

/* Is it an address of the public internet? */
bool media_address_is_public(const struct sockaddr *sa);

#endif
