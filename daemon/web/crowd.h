/* SPDX-License-Identifier: ISC
 *
 * crowd - how many connections each remote address holds
 *
 * As large as the number of connections, which the caller bounds.
 */
#ifndef LEADD_WEB_CROWD_H
#define LEADD_WEB_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "web/address.h"

/* One address. */
struct crowd_member {
    LIST_ENTRY(crowd_member) next;
    unsigned char key[ADDRESS_KEY];
    bool trusted; /* a proxy: its connections are those of many */
    size_t count; /* connections */
};

struct crowd;

struct crowd *crowd_new(void);
void crowd_free(struct crowd **c); /* accepts NULL; everybody has left */
/* One more connection of the address; leave with what it gives. */
struct crowd_member *crowd_enter(struct crowd *c, const char *address, bool trusted);
void crowd_leave(struct crowd_member **m); /* accepts NULL */

#endif
