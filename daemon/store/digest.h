/* SPDX-License-Identifier: ISC
 *
 * digest - what one user has before him on a morning
 *
 * Of leads only the newest 20,000 (of all users) are looked at: who comes back to an older one makes a line
 * of his own by mail.
 */
#ifndef LEADD_STORE_DIGEST_H
#define LEADD_STORE_DIGEST_H

#include <jansson.h>

#include "store/db.h"


/* Open tasks of that owner (NULL: of anybody) due before that time, the earliest first:
 * [{"id", "title", "due_ms", "lead_id", "case_id", "deal_id", "owner"}]. */
json_t *digest_tasks(struct db *db, const char *owner, int64_t before_ms, int64_t limit,
                     struct err *e);
/* Open leads that were made since: [{"id", "subject", "source", "contact", "at_ms", "owner"}]. */
json_t *digest_new_leads(struct db *db, const char *owner, int64_t since_ms, int64_t limit,
                         struct err *e);
/* Open leads made before (owner NULL: of anybody), whose person wrote last; at_ms is when. The
 * same form. */
json_t *digest_waiting(struct db *db, const char *owner, int64_t made_before_ms, int64_t limit,
                       struct err *e);
/* Open deals that nobody has touched since, the longest first:
 * [{"id", "name", "stage", "amount", "currency", "contact", "at_ms"}]. */
json_t *digest_stale_deals(struct db *db, const char *owner, int64_t since_ms, int64_t limit,
                           struct err *e);

/* Invitations on leads of that owner, by their time: [{"id", "text", "at_ms", "lead_id"}]. */
json_t *digest_meetings(struct db *db, const char *owner, int64_t from_ms, int64_t to_ms,
                        int64_t limit, struct err *e);

#endif
