/* SPDX-License-Identifier: ISC
 *
 * authres - the fields that tell who wrote a mail, read strictly
 *
 * Authentication-Results (RFC 8601), Received, and a From that names one person.
 * Whoever sends a mail may write any of them: what they are worth is for
 * engine/trust to say, from where they stand. A field that does not follow the
 * grammar is refused as a whole, so that no part of it can be taken for what its
 * writer did not mean.
 */
#ifndef LEADD_MAIL_AUTHRES_H
#define LEADD_MAIL_AUTHRES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

/* {"id", "results": [{"method", "result", "props": {"header.d": value}}]}, own; NULL
 * with e. Names, results and the id are in lower case, values as they stand. */
json_t *mail_authres_read(const char *value, size_t n, struct err *e) LEADD_MUST_CHECK;

#define MAIL_HOST_MAX 256
struct mail_received {
    char by[MAIL_HOST_MAX]; /* lower case; empty when it names none */
    bool local;             /* with LMTP: handed over for delivery, not received from outside */
};
/* -1: its words are not in the order that the grammar has. */
int mail_received_read(const char *value, size_t n, struct mail_received *out) LEADD_MUST_CHECK;

#define MAIL_ONE_MAX 321
/* The address of a field that holds one mailbox and nothing else: no group, no list, no
 * route, no quoted local part, nothing but ASCII in the address, no bare address for a
 * name. Lower case. -1 with e. */
int mail_one_address(const char *value, size_t n, char out[MAIL_ONE_MAX], struct err *e)
    LEADD_MUST_CHECK;

#endif
