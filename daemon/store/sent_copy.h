/* SPDX-License-Identifier: ISC
 *
 * sent_copy - copies of sent mails that are not in their mailbox's folder yet
 *
 *   waiting ---handed to the intake---> handed ---stored---> (no row)
 *      ^-----------not now-----------------'---given up---> failed
 *
 * tries is counted before the bytes leave, so a copy that may be there already always
 * has one, and is looked for first.
 */
#ifndef LEADD_STORE_SENT_COPY_H
#define LEADD_STORE_SENT_COPY_H

#include <jansson.h>

#include "store/db.h"

/* A mail has one at most. */
int sent_copy_add(struct db *db, int64_t outbox, const char *mailbox, int64_t sent_ms,
                  int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* Waiting and due, oldest due first: [{"id", "tries", "sent_ms"}]. */
json_t *sent_copy_due(struct db *db, const char *mailbox, int64_t now_ms, int64_t limit,
                      struct err *e);
/* When the next one is due; 0: none waits. */
int sent_copy_next(struct db *db, const char *mailbox, int64_t *ms_out,
                   struct err *e) LEADD_MUST_CHECK;
/* Since when the one that is not stored yet has been wanted for the longest; 0: there is none. */
int sent_copy_oldest(struct db *db, const char *mailbox, int64_t *ms_out,
                     struct err *e) LEADD_MUST_CHECK;
/* What the intake has: how many, and how many bytes. */
int sent_copy_in_hand(struct db *db, const char *mailbox, int64_t *n_out, int64_t *bytes_out,
                      struct err *e) LEADD_MUST_CHECK;
/* {"id", "mailbox", "state", "since_ms", "tries"} or, in *out, NULL. */
int sent_copy_get(struct db *db, int64_t outbox, json_t **out, struct err *e) LEADD_MUST_CHECK;

int sent_copy_handed(struct db *db, int64_t outbox, struct err *e) LEADD_MUST_CHECK;
int sent_copy_stored(struct db *db, int64_t outbox, struct err *e) LEADD_MUST_CHECK;
/* "waiting" until then, or "failed" since then; why NULL: as it was. */
int sent_copy_move(struct db *db, int64_t outbox, const char *state, int64_t ms, const char *why,
                   struct err *e) LEADD_MUST_CHECK;
/* The intake has none of them any more: they wait until then. */
int sent_copy_back(struct db *db, const char *mailbox, int64_t next_ms,
                   struct err *e) LEADD_MUST_CHECK;
/* Whatever waits may be there: the store may be an older one (a restored backup). */
int sent_copy_doubt(struct db *db, struct err *e) LEADD_MUST_CHECK;
/* The mailbox takes none any more: what waits for it has failed. */
int sent_copy_end(struct db *db, const char *mailbox, int64_t now_ms, const char *why,
                  struct err *e) LEADD_MUST_CHECK;
/* Those that wait since then or longer have failed; error: of those that were told none. */
int sent_copy_give_up(struct db *db, const char *mailbox, int64_t since_ms, int64_t now_ms,
                      const char *error, int64_t *n_out, struct err *e) LEADD_MUST_CHECK;
/* Those that failed, and that wait for their next try, are due now; mailbox NULL: of any. */
int sent_copy_again(struct db *db, const char *mailbox, int64_t now_ms, int64_t *n_out,
                    struct err *e) LEADD_MUST_CHECK;
/* Failed ones from before then are forgotten. */
int sent_copy_forget(struct db *db, int64_t before_ms, struct err *e) LEADD_MUST_CHECK;

/* Names of mailboxes for which any waits: an array (own). */
json_t *sent_copy_mailboxes(struct db *db, struct err *e);
/* [{"id", "mailbox", "state", "sent_ms", "next_ms", "tries", "error", "to", "subject"}], newest first;
 * NULL: any. */
json_t *sent_copy_list(struct db *db, const char *state, const char *mailbox, int64_t limit,
                       struct err *e);

#endif
