/* SPDX-License-Identifier: ISC
 *
 * broadcast - letters to many, and a row for everybody of the segment
 *
 *   scheduled -> planning -> planned -> sending -> deciding -> sending -> done
 *                               |          (A/B test: the first two)
 *                               +-- waits for somebody to confirm the number
 *   each of them <-> paused (was: which), -> cancelled
 *
 * A part is one recipient: waiting -> made -> sent | failed | unknown, or left_out with
 * the reason. It moves in the transaction that adds the row of the outbox, so a crash at
 * any moment writes to nobody twice and forgets nobody.
 *
 * A broadcast is given as {"id", "name", "state", "was"?, "source", "by", "reason"?,
 * "created_ms", "begin_ms", "confirmed", "walk_id", "walk_to", "recipients", "dealt",
 * "winner", "winner_why"?,
 * "decide_ms"?, "ended_ms"?}; a part as {"broadcast_id", "contact_id",
 * "lead_id"?, "state", "reason"?, "zone", "rank", "variant", "test", "outbox_id"?, "made_ms"?,
 * "sent_ms"?, "bounced_ms"?, "replied_ms"?, "unsubscribed_ms"?, "won_ms"?}.
 */
#ifndef LEADD_STORE_BROADCAST_H
#define LEADD_STORE_BROADCAST_H

#include <jansson.h>

#include "store/db.h"

int broadcast_add(struct db *db, const char *name, const char *state, const char *source,
                  const char *by, int64_t begin_ms, int64_t confirmed, int64_t now_ms,
                  struct err *e) LEADD_MUST_CHECK;
/* *out is NULL when it was never started. */
int broadcast_get(struct db *db, const char *name, json_t **out, struct err *e) LEADD_MUST_CHECK;
json_t *broadcast_list(struct db *db, struct err *e); /* newest first */
/* Writes every column of the row but its name and source, from what broadcast_get gave. */
int broadcast_put(struct db *db, const json_t *row, struct err *e) LEADD_MUST_CHECK;
/* As if it had never been. */
int broadcast_forget(struct db *db, int64_t id, struct err *e) LEADD_MUST_CHECK;
/* Is there one that can still be answered, so that inputs need to be looked at? */
int broadcast_any(struct db *db, int64_t ended_since_ms, bool *out, struct err *e) LEADD_MUST_CHECK;

/* ---- zones ---- */

/* The number of that text of zones, a new one when there is none. */
int broadcast_zone(struct db *db, int64_t broadcast, const char *names, int64_t *zone_out,
                   struct err *e) LEADD_MUST_CHECK;
/* [{"zone", "names"}] in which somebody up to that rank waits */
json_t *broadcast_zones_waiting(struct db *db, int64_t broadcast, int64_t rank_to, struct err *e);

/* ---- parts ---- */

struct part_row {
    int64_t broadcast, contact, lead; /* lead 0: none */
    const char *reason;               /* it is left out for that; NULL: it waits */
    const char *mailbox;
    int64_t zone, rank;
};
/* added_out: false when the contact is there already. */
int part_add(struct db *db, const struct part_row *p, bool *added_out,
             struct err *e) LEADD_MUST_CHECK;
/* The first in the line of that zone up to that rank; NULL in *out: none. */
int part_next(struct db *db, int64_t broadcast, int64_t zone, int64_t rank_to, json_t **out,
              struct err *e) LEADD_MUST_CHECK;
int part_get(struct db *db, int64_t broadcast, int64_t contact, json_t **out,
             struct err *e) LEADD_MUST_CHECK;
/* Another contact with that mailbox who is not left out; 0: none. */
int part_double(struct db *db, int64_t broadcast, const char *mailbox, int64_t contact,
                int64_t *other_out, struct err *e) LEADD_MUST_CHECK;
int part_leave_out(struct db *db, int64_t broadcast, int64_t contact, const char *reason,
                   struct err *e) LEADD_MUST_CHECK;
int part_move(struct db *db, int64_t broadcast, int64_t contact, int64_t zone,
              struct err *e) LEADD_MUST_CHECK;
int part_made(struct db *db, int64_t broadcast, int64_t contact, int64_t variant, bool test,
              int64_t outbox, int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* What became of the mails, read from the outbox: of those of a broadcast that are written
 * and not settled, or (broadcast 0) all of a contact. */
int part_sync(struct db *db, int64_t broadcast, int64_t contact, struct err *e) LEADD_MUST_CHECK;
/* Was any mail written? */
int part_any_made(struct db *db, int64_t broadcast, bool *yes_out, struct err *e) LEADD_MUST_CHECK;
/* Written, and not settled: how many, and their rows of the outbox. */
int part_count_made(struct db *db, int64_t broadcast, int64_t *out, struct err *e) LEADD_MUST_CHECK;
json_t *part_made_rows(struct db *db, int64_t broadcast, struct err *e); /* outbox ids */
/* Of a contact: [{"broadcast", "broadcast_id", "state", "outbox_id"?}] that wait or are written and not sent. */
json_t *part_open_of_contact(struct db *db, int64_t contact, struct err *e);
/* Of the last one that was sent to the contact, since that time: stamps the column, once.
 * which: PART_* */
enum part_mark { PART_BOUNCED, PART_REPLIED, PART_UNSUBSCRIBED, PART_WON };
int part_mark_last(struct db *db, int64_t contact, enum part_mark which, int64_t since_ms,
                   int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* Of that one. */
int part_mark(struct db *db, int64_t broadcast, int64_t contact, enum part_mark which,
              int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* Was another one sent to the contact since? */
int part_recent(struct db *db, int64_t broadcast, int64_t contact, int64_t since_ms, bool *yes_out,
                struct err *e) LEADD_MUST_CHECK;

/* [{"variant", "test", "state", "reason"?, "n", "sent", "bounced", "replied",
 * "unsubscribed", "won"}] */
json_t *part_counts(struct db *db, int64_t broadcast, struct err *e);
/* Those in a state (NULL: all) with a contact behind `after`, in order. */
/* Of the mails that are written, those that a person is to look at: "reason", "number". */
json_t *part_held(struct db *db, int64_t broadcast, struct err *e);
json_t *part_list(struct db *db, int64_t broadcast, const char *state, int64_t after, int64_t limit,
                  struct err *e);

/* ---- what is going on with a contact ---- */

/* Why it should not get a letter to many just now: "has an open case", "a meeting is
 * ahead", "has written or was written to"; NULL in *why_out: nothing. since_ms: what is older does
 * not count. */
int broadcast_talk(struct db *db, int64_t contact, int64_t since_ms, int64_t now_ms,
                   const char **why_out, struct err *e) LEADD_MUST_CHECK;

#endif
