/* SPDX-License-Identifier: ISC
 *
 * ledger - what arrived, from where, and what became of it (promises 1 and 2)
 *
 * A source is one place that messages come from: "imap:sales/INBOX",
 * "maildir:inbox", "form:contact", "hook:shop", "ingest". Every arrival has one row, whose
 * unique key (source, epoch, key) decides whether it is new.
 */
#ifndef LEADD_STORE_LEDGER_H
#define LEADD_STORE_LEDGER_H

#include <jansson.h>

#include "store/db.h"

/* The id of the source, made when it is new. */
int source_id(struct db *db, const char *name, int64_t *id_out, struct err *e) LEADD_MUST_CHECK;

struct source_cursor {
    int64_t epoch, last_uid, start_uid;
};
/* What the engine knows of a folder; all zero when it was never seen. */
int source_cursor_get(struct db *db, const char *name, struct source_cursor *out,
                      struct err *e) LEADD_MUST_CHECK;
int source_cursor_set(struct db *db, const char *name, const struct source_cursor *c,
                      struct err *e) LEADD_MUST_CHECK;
/* Moves last_uid forward, never back, and only within the same epoch. */
int source_cursor_advance(struct db *db, int64_t source, int64_t epoch, int64_t uid,
                          struct err *e) LEADD_MUST_CHECK;
/* Names of the sources that start with prefix, as a JSON array. */
json_t *source_names(struct db *db, const char *prefix, struct err *e);
/* Their ids; or that of the one source of that name, when prefix ends not in '/'. */
json_t *source_ids(struct db *db, const char *prefix, struct err *e);

struct ledger_row {
    int64_t id, source, epoch;
    const char *key;    /* UID in decimal, Maildir name, request id */
    const char *state;  /* "filed", "ignored", "quarantined" */
    const char *reason; /* for the last two */
    int64_t message_id; /* 0: none */
    int64_t size, internal_ms, at_ms;
};

/* Writes the row; row->id becomes 0 when the key is already there. */
int ledger_add(struct db *db, struct ledger_row *row, struct err *e) LEADD_MUST_CHECK;
int ledger_settle(struct db *db, int64_t id, const char *state, const char *reason,
                  int64_t message_id, struct err *e) LEADD_MUST_CHECK;
/* Only to spare work: what decides is the unique key in ledger_add. */
int ledger_has(struct db *db, const char *source, int64_t epoch, const char *key, bool *has_out,
               struct err *e) LEADD_MUST_CHECK;
/* A row that counts: made when it is new, its reason set anew. State "ignored". */
int ledger_count(struct db *db, int64_t source, const char *key, const char *reason, int64_t at_ms,
                 struct err *e) LEADD_MUST_CHECK;
/* Rows of a source since a time. */
int ledger_since_count(struct db *db, const char *source, int64_t at_ms, int64_t *count_out,
                       struct err *e) LEADD_MUST_CHECK;
/* The state of one arrival: "" when there is none; out has room for 16 bytes. */
int ledger_state(struct db *db, const char *source, int64_t epoch, const char *key, char out[16],
                 struct err *e) LEADD_MUST_CHECK;
/* When the newest mail of a mailbox came, all its folders; 0: none among the newest
 * rows, of which only so many are looked at. */
int ledger_last(struct db *db, const char *mailbox, int64_t *ms_out,
                struct err *e) LEADD_MUST_CHECK;
/* All keys of a source and epoch: {key: state}. */
json_t *ledger_keys(struct db *db, const char *source, int64_t epoch, struct err *e);
/* Newest first, each with its source's name and its message's records. state,
 * source: NULL is all. [{"source", "key", "state", "reason", "message_id", "lead_id",
 * "case_id", "size", "at_ms"}], NULL with e. */
json_t *ledger_list(struct db *db, const char *state, const char *source, int64_t limit,
                    struct err *e);
/* The same of one message. A row that is not the message's first arrival must have a
 * reason: by that it is found. */
json_t *ledger_of_message(struct db *db, int64_t message, struct err *e);
/* A filed mail of this source under an older epoch with that Message-ID hash,
 * size and arrival: 0 in *id_out when there is none. */
int ledger_find_moved(struct db *db, int64_t source, int64_t epoch, int64_t msgid_hash,
                      int64_t size, int64_t internal_ms, int64_t *message_out,
                      struct err *e) LEADD_MUST_CHECK;

/* ---- quarantine: raw bytes, why, and how often it was tried ---- */

struct quarantine_row {
    int64_t id, ledger_id;
    const char *kind; /* "mail", "form", "hook", or QUARANTINE_UNCONFIRMED */
    const char *meta; /* the frame's JSON */
    const char *reason;
    const void *raw;
    size_t raw_len;
    int64_t at_ms;
};

/* A form whose sender has not confirmed his address (store/confirmation.h): listed there. */
#define QUARANTINE_UNCONFIRMED "unconfirmed"
/* Sets q->id. */
int quarantine_add(struct db *db, struct quarantine_row *q, struct err *e) LEADD_MUST_CHECK;
/* {"id", "source", "key", "kind", "reason", "attempts", "at_ms", "size", "meta"}, or NULL. */
json_t *quarantine_get(struct db *db, int64_t id, struct err *e);
/* Without the unconfirmed. */
json_t *quarantine_list(struct db *db, int64_t limit, struct err *e);
/* The raw bytes; own (mem_free); NULL with e when there is no such row. */
char *quarantine_raw(struct db *db, int64_t id, size_t *n_out, struct err *e);
int quarantine_failed_again(struct db *db, int64_t id, const char *reason,
                            struct err *e) LEADD_MUST_CHECK;
/* Another reason; it does not count as a try. */
int quarantine_say(struct db *db, int64_t id, const char *reason, struct err *e) LEADD_MUST_CHECK;
int quarantine_remove(struct db *db, int64_t id, struct err *e) LEADD_MUST_CHECK;
/* Bytes that are kept of a source. */
int quarantine_bytes(struct db *db, const char *source, int64_t *bytes_out,
                     struct err *e) LEADD_MUST_CHECK;
/* When the oldest that is kept of a source came; 0: none is. */
int quarantine_oldest(struct db *db, const char *source, int64_t *ms_out,
                      struct err *e) LEADD_MUST_CHECK;
/* Drops what came from a source before that time; the ledger says so. */
int quarantine_expire(struct db *db, const char *source, int64_t before_ms,
                      struct err *e) LEADD_MUST_CHECK;

#endif
