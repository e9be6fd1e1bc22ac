/* SPDX-License-Identifier: ISC
 *
 * counts - how many rows the ledger and the outbox have, without reading them all
 *
 * Rows of both are never deleted and ids only rise. So all rows up to an id are
 * counted once, in slices, and only the few above it when somebody asks. Rows
 * in uncommon states are counted by the small indexes of schema_look.c; what is
 * left is filed, or sent. Nothing on the way of a mail takes part, and nothing can
 * drift. How far the counting has come is kept in meta now and then, so that a
 * restart with a million rows need not begin anew.
 */
#ifndef LEADD_STORE_COUNTS_H
#define LEADD_STORE_COUNTS_H

#include <jansson.h>

#include "store/db.h"

struct counts;

struct counts *counts_new(void);
void counts_free(struct counts **c); /* accepts NULL */

/* Looks at no more than so many rows. Outside of transactions only: what it saw
 * must be committed. more_out: there are rows it has not seen. */
int counts_advance(struct counts *c, struct db *db, int64_t rows, bool *more_out,
                   struct err *e) LEADD_MUST_CHECK;

/* {"filed": n, "ignored": n, "quarantined": n} of the sources under a prefix that
 * ends in '/', of the one source of that name, or of all (""). Without "filed"
 * while it is still counting; NULL with e. */
json_t *counts_ledger(struct counts *c, struct db *db, const char *prefix, struct err *e);
/* {"ready": n, ...}; without "sent" while it is still counting. */
json_t *counts_outbox(struct counts *c, struct db *db, struct err *e);

#endif
