/* SPDX-License-Identifier: ISC
 *
 * probe - the last probe mail of each mailbox: when it left, and when it was back
 */
#ifndef LEADD_STORE_PROBE_H
#define LEADD_STORE_PROBE_H

#include <jansson.h>

#include "store/db.h"

/* A new one has left, in the place of the one before. */
int probe_sent(struct db *db, const char *mailbox, int64_t outbox, int64_t now_ms,
               struct err *e) LEADD_MUST_CHECK;
/* {"outbox", "sent_ms", "back_ms", "late": bool}; NULL in *out: none was sent. own */
int probe_get(struct db *db, const char *mailbox, json_t **out, struct err *e) LEADD_MUST_CHECK;
int probe_set_back(struct db *db, const char *mailbox, int64_t now_ms,
                   struct err *e) LEADD_MUST_CHECK;
int probe_set_late(struct db *db, const char *mailbox, struct err *e) LEADD_MUST_CHECK;
int probe_forget(struct db *db, const char *mailbox, struct err *e) LEADD_MUST_CHECK;

#endif
