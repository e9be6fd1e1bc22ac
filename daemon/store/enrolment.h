/* SPDX-License-Identifier: ISC
 *
 * enrolment - who goes through a sequence, and the versions that they go through
 *
 *   active <---> paused
 *     |            |
 *     +--> done    +--> stopped       with ended_ms and reason
 *
 * A record is in a sequence once at a time (a unique key says so). An enrolment is given
 * as {"id", "sequence", "version", "entity", "record_id", "contact_id", "state", "step",
 * "due_ms"?, "variants"?, "began_by", "began_ms", "ended_ms"?, "reason"?}.
 */
#ifndef LEADD_STORE_ENROLMENT_H
#define LEADD_STORE_ENROLMENT_H

#include <jansson.h>

#include "store/db.h"

struct enrolment_row {
    int64_t id;
    const char *sequence;
    int64_t version;
    const char *entity;
    int64_t record_id, contact_id;
    const char *began_by;
    int64_t began_ms;
};

int enrolment_add(struct db *db, struct enrolment_row *row, struct err *e) LEADD_MUST_CHECK;
/* NULL with e: ERR_INPUT when there is none. */
json_t *enrolment_get(struct db *db, int64_t id, struct err *e);
/* The one that runs or is paused; NULL in *out: none. */
int enrolment_running(struct db *db, const char *sequence, const char *entity, int64_t record_id,
                      json_t **out, struct err *e) LEADD_MUST_CHECK;
/* All of a contact that run or are paused. */
json_t *enrolment_of_contact(struct db *db, int64_t contact, struct err *e);
/* Of a record, all there have been, newest first. */
json_t *enrolment_of_record(struct db *db, const char *entity, int64_t record_id, struct err *e);

/* ["nurture"], those that run or are paused */
json_t *enrolment_names_of_contact(struct db *db, int64_t contact, struct err *e);
json_t *enrolment_names_of_record(struct db *db, const char *entity, int64_t record_id,
                                  struct err *e);

struct enrolment_change {
    const char *state;
    int64_t step, due_ms; /* where it stands, once it is not active, and when it would have gone on */
    int64_t ended_ms; /* 0: it has not ended */
    const char *reason;
};
int enrolment_set_state(struct db *db, int64_t id, const struct enrolment_change *c,
                        struct err *e) LEADD_MUST_CHECK;
int enrolment_set_variants(struct db *db, int64_t id, const char *variants,
                           struct err *e) LEADD_MUST_CHECK;
int enrolment_set_version(struct db *db, int64_t id, int64_t version, struct err *e) LEADD_MUST_CHECK;

/* Filters may be NULL; newest first. */
json_t *enrolment_list(struct db *db, const char *sequence, const char *state, int64_t limit,
                       struct err *e);
/* Those that run or are paused under another version than that one: the next behind
 * `after`, for who goes through all. */
json_t *enrolment_of_others(struct db *db, const char *sequence, int64_t version, int64_t after,
                            int64_t limit, struct err *e);
/* [{"sequence", "version", "state", "reason"?, "n"}], why done and stopped ones ended */
json_t *enrolment_counts(struct db *db, struct err *e);

/* ---- versions ---------------------------------------------------------------------- */

/* Its number, of the row of that hash or a new one. */
int version_keep(struct db *db, const char *name, const char *hash, const char *source,
                 int64_t now_ms, int64_t *id_out, struct err *e) LEADD_MUST_CHECK;
/* 0: nobody has begun in that version. */
int version_number(struct db *db, const char *hash, int64_t *id_out, struct err *e) LEADD_MUST_CHECK;
/* {"id", "hash", "name", "source", "at_ms"} */
json_t *version_get(struct db *db, int64_t id, struct err *e);

#endif
