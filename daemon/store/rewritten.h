/* SPDX-License-Identifier: ISC
 *
 * rewritten - Message-IDs that relays gave to mails of ours
 */
#ifndef LEADD_STORE_REWRITTEN_H
#define LEADD_STORE_REWRITTEN_H

#include "store/db.h"

/* The outbox row of a Message-ID's hash; 0 when there is none. */
int rewritten_get(struct db *db, int64_t msgid_hash, int64_t *outbox_out,
                  struct err *e) LEADD_MUST_CHECK;
/* What is known stays as it is. */
int rewritten_put(struct db *db, int64_t msgid_hash, int64_t outbox, int64_t now_ms,
                  struct err *e) LEADD_MUST_CHECK;

#endif
