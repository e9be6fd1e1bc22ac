/* SPDX-License-Identifier: ISC
 *
 * message - one row per message of any channel, its heavy part beside it
 */
#ifndef LEADD_STORE_MESSAGE_H
#define LEADD_STORE_MESSAGE_H

#include <jansson.h>

#include "store/db.h"

struct message_row {
    int64_t id;
    const char *channel, *kind;
    int64_t msgid_hash, same_hash; /* 0: none */
    int64_t date_ms, received_ms;
    int64_t contact_id, lead_id, case_id;
};

int message_add(struct db *db, struct message_row *m, const char *json, const void *raw,
                size_t raw_len, struct err *e) LEADD_MUST_CHECK;
int message_link(struct db *db, const struct message_row *m, struct err *e) LEADD_MUST_CHECK;
/* Those of that Message-ID, the first ones first. */
#define MESSAGE_CANDIDATES 5
int message_candidates(struct db *db, int64_t msgid_hash,
                       struct message_row out[MESSAGE_CANDIDATES], size_t *n_out,
                       struct err *e) LEADD_MUST_CHECK;
/* Another copy of it takes its place. */
int message_renew(struct db *db, const struct message_row *m, const char *json, const void *raw,
                  size_t raw_len, struct err *e) LEADD_MUST_CHECK;
/* What it is in JSON; raw NULL: its bytes stay. */
int message_set_body(struct db *db, int64_t id, const char *json, const void *raw, size_t raw_len,
                     struct err *e) LEADD_MUST_CHECK;
/* A message by its Message-ID hash; false in *found_out when there is none. */
int message_find(struct db *db, int64_t msgid_hash, struct message_row *out, bool *found_out,
                 struct err *e) LEADD_MUST_CHECK;
/* The row itself, but for its hashes, channel and kind. ERR_INPUT: there is none. */
int message_get(struct db *db, int64_t id, struct message_row *out, struct err *e) LEADD_MUST_CHECK;
/* The newest one under that hash since then; 0: none. */
int message_latest(struct db *db, int64_t msgid_hash, int64_t since_ms, int64_t *id_out,
                   struct err *e) LEADD_MUST_CHECK;
/* The message JSON, or NULL with e. */
/* NULL with ERR_NONE left in e: it is longer than most bytes. */
json_t *message_json_short(struct db *db, int64_t id, int64_t most, struct err *e);
json_t *message_json(struct db *db, int64_t id, struct err *e);
/* The bytes as they came; own (mem_free). */
char *message_raw(struct db *db, int64_t id, size_t *n_out, struct err *e);
/* The newest incoming mail of a lead: 0 when there is none. */
int message_latest_of_lead(struct db *db, int64_t lead_id, int64_t *id_out,
                           struct err *e) LEADD_MUST_CHECK;
/* The mails of a "lead" or "case", newest first: an array of ids, or NULL with e. */
json_t *message_ids_of(struct db *db, const char *entity, int64_t id, int64_t limit,
                       struct err *e);

#endif
