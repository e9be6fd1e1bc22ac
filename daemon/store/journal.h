/* SPDX-License-Identifier: ISC
 *
 * journal - one row per pass: what happened, what was decided and why, what
 * was done; and the rule sets that decided
 *
 * body (JSON) holds ids, operators and values that are not personal; personal
 * values stand in `personal`, which erasure empties:
 *
 *   { "v": 2,
 *     "events":    [{"event", "entity": "L42", "depth"?, "by"?, "actor"?, "new"?, "facts"?}],
 *     "decisions": [{"event": number, "rule", "outcome"?, "by"?, "when"?: condition,
 *                    "trace"?: {seen}, "did"?: [number | {"line", "result"|"error"}]}],
 *     "commands":  [{"line", "by", "actor", "result", "changes": [{"of": "L42", ..}]}],
 *     "notes":     ["..."],
 *     "record"?: what a command by mail was given on, as in "L42",
 *     "proof"?: how a user's mail was proven (engine/proof.h), "handed_on"?: true when it may
 *     not command all the same }
 *
 * Numbers are places in the lists of events and commands. What is usual is left
 * out: lists that are empty, depth 1, outcome "matched" or, with a "when", "not_true", the
 * actor of the event before, the value "not set", the field of a change by which a record
 * was made. With "v" 2 a rule without an entry among the decisions did not run; what each
 * rule was decided from is kept once, with the event (rule/record.h), sealed values under
 * "facts" in personal ([7]: the new value of change 7 there), and `leadctl why` decides
 * again. Without "v" every rule has its entry, and the oldest rows have the events' numbers
 * ("n").
 */
#ifndef LEADD_STORE_JOURNAL_H
#define LEADD_STORE_JOURNAL_H

#include <jansson.h>

#include "store/db.h"

#define JOURNAL_VERSION 2

struct journal_row {
    int64_t id, at_ms;
    const char *cause; /* "mail M12", "form contact", "anna: assign bert" */
    int64_t contact_id, lead_id, case_id, ruleset_id;
    const char *body, *personal; /* JSON texts; personal may be NULL */
};

int journal_add(struct db *db, struct journal_row *row, struct err *e) LEADD_MUST_CHECK;

/* {"id", "at_ms", "cause", "contact_id", "lead_id", "case_id", "ruleset_id",
 *  "body": {..}, "personal": {..}|null}, or NULL with e. */
json_t *journal_get(struct db *db, int64_t id, struct err *e);
/* Rows of one lead ('L'), case ('K') or contact ('C', with those of its leads and
 * cases), newest first, only ids
 * above after_id; at most limit. Array of what journal_get returns. */
json_t *journal_list(struct db *db, char entity, int64_t entity_id, int64_t after_id, int64_t limit,
                     struct err *e);

/* Rows that this message caused, oldest first: it was filed, a command of it ran. Looked for
 * among the JOURNAL_LOOK rows from at_ms on, the time when it came. */
#define JOURNAL_LOOK 5000
json_t *journal_of_message(struct db *db, int64_t message, int64_t at_ms, struct err *e);

/* All rows above after_id, oldest first, at most limit. */
json_t *journal_since(struct db *db, int64_t after_id, int64_t limit, struct err *e);

/* The highest id; 0 when there is none. */
int journal_newest(struct db *db, int64_t *id_out, struct err *e) LEADD_MUST_CHECK;

/* The id of the rule set with that hash, stored when it is new. */
int ruleset_store(struct db *db, const char *hash, const char *body, int64_t now_ms,
                  int64_t *id_out, struct err *e) LEADD_MUST_CHECK;
/* {"hash", "body": {..}, "at_ms"} or NULL with e. */
json_t *ruleset_load(struct db *db, int64_t id, struct err *e);

#endif
