/* SPDX-License-Identifier: ISC
 *
 * enrolment - see enrolment.h
 */
#include "store/enrolment.h"

#include "base/json.h"
#include "base/mem.h"
#include "store/rows.h"

#define COLUMNS                                                                                    \
    "id, sequence, version_id, entity, record_id, contact_id, state, step, variants, began_by, "   \
    "began_ms, ended_ms, reason, due_ms"

static json_t *enrolment_of_row(struct db_rows *r)
{
    json_t *j =
        json_pack("{s:I, s:s, s:I, s:s, s:I, s:I, s:s, s:I, s:s, s:I}", "id", db_int(r, 0),
                  "sequence", db_text(r, 1), "version", db_int(r, 2), "entity", db_text(r, 3),
                  "record_id", db_int(r, 4), "contact_id", db_int(r, 5), "state", db_text(r, 6),
                  "step", db_int(r, 7), "began_by", db_text(r, 9), "began_ms", db_int(r, 10));
    json_put_str(j, "variants", db_text(r, 8));
    if (!db_is_null(r, 11))
        json_put_int(j, "ended_ms", db_int(r, 11));
    json_put_str(j, "reason", db_text(r, 12));
    if (!db_is_null(r, 13))
        json_put_int(j, "due_ms", db_int(r, 13));
    return j;
}

int enrolment_add(struct db *db, struct enrolment_row *row, struct err *e)
{
    return db_insert(db, e, &row->id,
                     "INSERT INTO enrolment (sequence, version_id, entity, record_id, contact_id,"
                     " state, began_by, began_ms) VALUES ($1, $2, $3, $4, $5, 'active', $6, $7)"
                     " RETURNING id",
                     "sisiosi", row->sequence, row->version, row->entity, row->record_id,
                     row->contact_id, row->began_by, row->began_ms);
}

json_t *enrolment_get(struct db *db, int64_t id, struct err *e)
{
    return rows_one(db_query(db, "SELECT " COLUMNS " FROM enrolment WHERE id = $1", "i", id),
                    enrolment_of_row, "enrolment ", id, e);
}

int enrolment_running(struct db *db, const char *sequence, const char *entity, int64_t record_id,
                      json_t **out, struct err *e)
{
    AUTO_JSON json_t *list = rows_all(
        db_query(db,
                 "SELECT " COLUMNS " FROM enrolment WHERE entity = $1 AND record_id = $2 AND "
                 "sequence = $3 AND ended_ms IS NULL",
                 "sis", entity, record_id, sequence),
        enrolment_of_row, e);
    if (!list)
        return -1;
    *out = json_incref(json_array_get(list, 0));
    return 0;
}

json_t *enrolment_of_contact(struct db *db, int64_t contact, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT " COLUMNS " FROM enrolment WHERE contact_id = $1 AND "
                             "ended_ms IS NULL ORDER BY id",
                             "i", contact),
                    enrolment_of_row, e);
}

static json_t *names(struct db_rows *r, struct err *e)
{
    json_t *list = json_array();
    while (db_step(r))
        json_array_append_new(list, json_string(db_text(r, 0)));
    if (db_done(&r, e) == 0)
        return list;
    json_decref(list);
    return NULL;
}

json_t *enrolment_names_of_contact(struct db *db, int64_t contact, struct err *e)
{
    return names(db_query(db, "SELECT DISTINCT sequence FROM enrolment WHERE contact_id = $1 AND "
                              "ended_ms IS NULL ORDER BY sequence", "i", contact), e);
}

json_t *enrolment_names_of_record(struct db *db, const char *entity, int64_t record_id,
                                  struct err *e)
{
    return names(db_query(db, "SELECT sequence FROM enrolment WHERE entity = $1 AND record_id = $2 "
                              "AND ended_ms IS NULL ORDER BY id", "si", entity, record_id), e);
}

json_t *enrolment_of_record(struct db *db, const char *entity, int64_t record_id, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT " COLUMNS " FROM enrolment WHERE entity = $1 AND"
                             " record_id = $2"
                             " ORDER BY id DESC LIMIT 100",
                             "si", entity, record_id),
                    enrolment_of_row, e);
}

int enrolment_set_state(struct db *db, int64_t id, const struct enrolment_change *c, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE enrolment SET state = $2, step = $3, ended_ms = $4, reason = $5, "
                   "due_ms = $6 WHERE id = $1",
                   "isioso", id, c->state, c->step, c->ended_ms, c->reason, c->due_ms);
}

int enrolment_set_variants(struct db *db, int64_t id, const char *variants, struct err *e)
{
    return db_exec(db, e, "UPDATE enrolment SET variants = $2 WHERE id = $1", "is", id, variants);
}

int enrolment_set_version(struct db *db, int64_t id, int64_t version, struct err *e)
{
    return db_exec(db, e, "UPDATE enrolment SET version_id = $2 WHERE id = $1", "ii", id, version);
}

json_t *enrolment_list(struct db *db, const char *sequence, const char *state, int64_t limit,
                       struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT " COLUMNS " FROM enrolment WHERE"
                             " (CAST($1 AS TEXT) IS NULL OR sequence = $1) AND"
                             " (CAST($2 AS TEXT) IS NULL OR state = $2)"
                             " ORDER BY id DESC LIMIT $3",
                             "ssi", sequence, state, limit),
                    enrolment_of_row, e);
}

json_t *enrolment_of_others(struct db *db, const char *sequence, int64_t version, int64_t after,
                            int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT " COLUMNS " FROM enrolment WHERE sequence = $1 AND"
                             " ended_ms IS NULL AND version_id <> $2 AND id > $3"
                             " ORDER BY id LIMIT $4",
                             "siii", sequence, version, after, limit),
                    enrolment_of_row, e);
}

static json_t *count_of_row(struct db_rows *r)
{
    json_t *j = json_pack("{s:s, s:I, s:s, s:I}", "sequence", db_text(r, 0), "version",
                          db_int(r, 1), "state", db_text(r, 2), "n", db_int(r, 4));
    json_put_str(j, "reason", db_text(r, 3));
    return j;
}

json_t *enrolment_counts(struct db *db, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT sequence, version_id, state, reason, count(*) FROM"
                             " enrolment GROUP BY sequence, version_id, state, reason"
                             " ORDER BY sequence, version_id, state, reason",
                             ""),
                    count_of_row, e);
}

int version_number(struct db *db, const char *hash, int64_t *id_out, struct err *e)
{
    return db_get_int(db, e, id_out, 0, "SELECT id FROM sequence_version WHERE hash = $1", "s",
                      hash);
}

int version_keep(struct db *db, const char *name, const char *hash, const char *source,
                 int64_t now_ms, int64_t *id_out, struct err *e)
{
    if (version_number(db, hash, id_out, e) < 0)
        return -1;
    return *id_out ? 0
                   : db_insert(db, e, id_out,
                               "INSERT INTO sequence_version (hash, name, source, at_ms)"
                               " VALUES ($1, $2, $3, $4) RETURNING id",
                               "sssi", hash, name, source, now_ms);
}

static json_t *version_of_row(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:I}", "id", db_int(r, 0), "hash", db_text(r, 1), "name",
                     db_text(r, 2), "source", db_text(r, 3), "at_ms", db_int(r, 4));
}

json_t *version_get(struct db *db, int64_t id, struct err *e)
{
    return rows_one(db_query(db,
                             "SELECT id, hash, name, source, at_ms FROM sequence_version"
                             " WHERE id = $1",
                             "i", id),
                    version_of_row, "sequence version ", id, e);
}
