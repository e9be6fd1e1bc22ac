/* SPDX-License-Identifier: ISC
 *
 * outbox - one row per recipient and intent, and its states
 *
 *   held ---release---> ready ---claim---> claimed ---accepted---> sent
 *                         ^                  |---refused--------> failed
 *                         +----deferred <----|---4xx, no relay
 *                                            +---FINAL, no answer -> unknown
 *
 * deferred is ready with a later due time and a reason; both are claimed when
 * next_ms has come. State changes go through outbox_set_state() alone, or
 * outbox_set_state_of() where a person moves many.
 */
#ifndef LEADD_STORE_OUTBOX_H
#define LEADD_STORE_OUTBOX_H

#include <jansson.h>

#include "store/db.h"

/* What a row is to its recipient: what a person wrote, or waits for; what leadd writes by
 * itself to one; what goes to many. */
enum outbox_lane { LANE_PERSON, LANE_AUTO, LANE_BULK, LANE_COUNT };

/* A lane's rows stand in two lines: a row that was tried before is in line
 * LANE_RETRY + its lane. Lines take turns (engine/lanes.h). */
#define LANE_RETRY LANE_COUNT
#define OUTBOX_LINES (2 * LANE_COUNT)

struct outbox_row {
    int64_t id;
    const char *intent;  /* unique: who, why, which step */
    const char *state;   /* "ready" or "held" when added */
    const char *class_;  /* "follow_up", "notice", "confirmation" */
    const char *to_addr; /* folded */
    int64_t lead_id, contact_id, case_id;
    const char *template_;
    const char *list; /* that it belongs to, or NULL */
    int64_t msgid_hash, created_ms, next_ms;
    const char *reply; /* why it is held */
    const char *channel; /* "email" (NULL) or "sms" */
    enum outbox_lane lane;
    /* the body */
    const char *mail_from, *rcpt_to, *subject;
    const void *raw;
    size_t raw_len;
};

/* row->id is 0 when the intent is already there: then nothing was written. */
int outbox_add(struct db *db, struct outbox_row *row, struct err *e) LEADD_MUST_CHECK;
/* The body and the hash, once the id is known (Message-ID and VERP carry it). */
int outbox_fill(struct db *db, const struct outbox_row *row, struct err *e) LEADD_MUST_CHECK;

/* Another body for a row that has not left. */
int outbox_rewrite(struct db *db, const struct outbox_row *row, struct err *e) LEADD_MUST_CHECK;

/* Rows of a line that are due, oldest due first: at most limit, as
 * [{"id", "to_addr", "class", "attempts", "lead_id", "contact_id", "created_ms", "channel",
 * "line", "list"}]. */
json_t *outbox_due(struct db *db, int line, int64_t now_ms, int64_t limit, struct err *e);
/* The next due time of each line, 0 when nothing waits in it. */
int outbox_lines_due(struct db *db, int64_t due_out[OUTBOX_LINES], struct err *e) LEADD_MUST_CHECK;
/* The next due time of all, or 0 when nothing waits. */
int outbox_next_due(struct db *db, int64_t *ms_out, struct err *e) LEADD_MUST_CHECK;
/* What waits, by line: [{"line", "mails", "due", "first_ms"}]; due: by now_ms. */
json_t *outbox_waiting(struct db *db, int64_t now_ms, struct err *e);
/* How many rows of each line are claimed. */
int outbox_in_hand(struct db *db, int64_t n_out[OUTBOX_LINES], struct err *e) LEADD_MUST_CHECK;
/* It waits until then, for that reason; no try is counted. */
int outbox_wait(struct db *db, int64_t id, int64_t next_ms, const char *why,
                struct err *e) LEADD_MUST_CHECK;
int outbox_claim(struct db *db, int64_t id, const char *gen, int64_t slot,
                 struct err *e) LEADD_MUST_CHECK;

struct outbox_mail {
    char *mail_from, *rcpt_to, *raw; /* own */
    size_t raw_len;
};
int outbox_mail(struct db *db, int64_t id, struct outbox_mail *out, struct err *e) LEADD_MUST_CHECK;
void outbox_mail_done(struct outbox_mail *m);

struct outbox_change {
    const char *state;
    int64_t next_ms; /* 0: not due any more */
    int64_t done_ms; /* 0: not done */
    bool attempt;    /* counts as a try */
    const char *relay, *reply;
    int64_t code;
};
int outbox_set_state(struct db *db, int64_t id, const struct outbox_change *c,
                     struct err *e) LEADD_MUST_CHECK;

/* What is common to the rows that somebody wants to move; NULL and 0: whatever. */
struct outbox_selection {
    const char *state; /* never NULL */
    const char *domain, *reason, *template_; /* reason: words in the reply */
    int64_t since_ms, until_ms; /* of created_ms; until_ms 0: now */
};
/* How many there are (those that were never written are none), and one of them. */
int outbox_count_of(struct db *db, const struct outbox_selection *s, int64_t *n_out,
                    int64_t *one_out, struct err *e) LEADD_MUST_CHECK;
/* All of them into another state at once. */
int outbox_set_state_of(struct db *db, const struct outbox_selection *s, const char *state,
                        int64_t now_ms, const char *reply, struct err *e) LEADD_MUST_CHECK;

/* Every claimed row, as outbox_get gives it. */
json_t *outbox_claimed(struct db *db, struct err *e);
/* Is any? One look into an index. */
int outbox_any_claimed(struct db *db, bool *out, struct err *e) LEADD_MUST_CHECK;
/* Their recipients: [{"to_addr"}]. */
json_t *outbox_claimed_to(struct db *db, struct err *e);
/* One row as JSON (all columns, without the raw bytes), or NULL with e. */
json_t *outbox_get(struct db *db, int64_t id, struct err *e);
/* state NULL: all. lead_id 0: all. Newest first. */
json_t *outbox_list(struct db *db, const char *state, int64_t lead_id, int64_t limit,
                    struct err *e);
/* What was written because of a message, and to ask about what is held of it (0: nothing
 * is): the intents say so. Oldest first. */
json_t *outbox_of_message(struct db *db, int64_t message, int64_t held, int64_t limit,
                          struct err *e);
/* When mails about this record to this address were written, newest first (for the
 * ladder; those to an address in all are kept with it: address_sent). The lead, else the
 * case, else the contact counts; with none of them: the mails about no record. */
json_t *outbox_times(struct db *db, const char *to_addr, int64_t lead_id, int64_t case_id,
                     int64_t contact_id, int64_t since_ms, int64_t limit, struct err *e);
/* The newest mail to this address about the lead, or (lead 0) the case; 0: none. */
int outbox_latest_to(struct db *db, int64_t lead_id, int64_t case_id, const char *to_addr,
                     int64_t *id_out, struct err *e) LEADD_MUST_CHECK;
/* Is there a row of this intent? */
int outbox_has(struct db *db, const char *intent, bool *has_out, struct err *e) LEADD_MUST_CHECK;
/* Has this row, which a Message-ID names, that Message-ID? */
int outbox_is(struct db *db, int64_t id, int64_t msgid_hash, bool *is_out,
              struct err *e) LEADD_MUST_CHECK;

#endif
