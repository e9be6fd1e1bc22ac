/* SPDX-License-Identifier: ISC
 *
 * journal - see journal.h
 */
#include "store/journal.h"

#include "store/rows.h"

int journal_add(struct db *db, struct journal_row *row, struct err *e)
{
    return db_insert(db, e, &row->id,
                     "INSERT INTO journal (at_ms, cause, contact_id, lead_id, case_id, ruleset_id,"
                     " body, personal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
                     "isooooss", row->at_ms, row->cause, row->contact_id, row->lead_id,
                     row->case_id, row->ruleset_id, row->body, row->personal);
}

#define JOURNAL_COLUMNS                                                                            \
    "SELECT id, at_ms, cause, contact_id, lead_id, case_id, ruleset_id, body, personal "           \
    "FROM journal "

static json_t *journal_read(struct db_rows *r)
{
    json_t *j = json_pack("{s:I, s:I, s:s, s:I, s:I, s:I, s:I}", "id", db_int(r, 0), "at_ms",
                          db_int(r, 1), "cause", db_text(r, 2), "contact_id", db_int(r, 3),
                          "lead_id", db_int(r, 4), "case_id", db_int(r, 5), "ruleset_id",
                          db_int(r, 6));
    json_t *body = json_loads(db_text(r, 7), 0, NULL);
    json_t *personal = db_is_null(r, 8) ? NULL : json_loads(db_text(r, 8), 0, NULL);
    json_object_set_new(j, "body", body ? body : json_object());
    json_object_set_new(j, "personal", personal ? personal : json_null());
    return j;
}

json_t *journal_get(struct db *db, int64_t id, struct err *e)
{
    return rows_one(db_query(db, JOURNAL_COLUMNS "WHERE id = $1", "i", id), journal_read,
                    "journal entry J", id, e);
}

json_t *journal_list(struct db *db, char entity, int64_t entity_id, int64_t after_id, int64_t limit,
                     struct err *e)
{
    static const char by_lead[] =
        JOURNAL_COLUMNS "WHERE lead_id = $1 AND id > $2 ORDER BY id DESC LIMIT $3";
    static const char by_case[] =
        JOURNAL_COLUMNS "WHERE case_id = $1 AND id > $2 ORDER BY id DESC LIMIT $3";
    static const char by_contact[] =
        JOURNAL_COLUMNS
        "WHERE id > $2 AND id IN (SELECT id FROM journal WHERE contact_id = $1 AND"
        " contact_id IS NOT NULL AND lead_id IS NULL AND case_id IS NULL "
        "UNION SELECT j.id FROM lead l JOIN journal j ON j.lead_id = l.id WHERE l.contact_id = $1 "
        "UNION SELECT j.id FROM support_case k JOIN journal j ON j.case_id = k.id "
        "WHERE k.contact_id = $1) ORDER BY id DESC LIMIT $3";
    const char *sql = entity == 'L' ? by_lead : entity == 'K' ? by_case : by_contact;
    return rows_all(db_query(db, sql, "iii", entity_id, after_id, limit), journal_read, e);
}

/* The causes are those that engine/ writes; what a person types there comes behind ": ". */
json_t *journal_of_message(struct db *db, int64_t message, int64_t at_ms, struct err *e)
{
    int64_t before;
    if (rows_before(db, "SELECT max(id) FROM journal",
                    "SELECT at_ms FROM journal WHERE id > $1 ORDER BY id LIMIT 1", at_ms, &before,
                    e) < 0)
        return NULL;
    return rows_all(
        db_query(db,
                 JOURNAL_COLUMNS
                 "WHERE id > $2 AND id <= $2 + $3 AND (cause LIKE 'mail M' || $1 || ' from %' OR "
                 "cause LIKE 'form % M' || $1 OR cause LIKE 'bounce M' || $1 || ' of %' OR "
                 "cause LIKE 'complaint M' || $1 || ' of %' OR cause LIKE '%_ by mail M' || $1 OR "
                 "cause LIKE '%_ by mail M' || $1 || ': %') AND cause NOT LIKE '%: %by mail M%' "
                 "ORDER BY id",
                 "iii", message, before, (int64_t)JOURNAL_LOOK),
        journal_read, e);
}

json_t *journal_since(struct db *db, int64_t after_id, int64_t limit, struct err *e)
{
    return rows_all(db_query(db, JOURNAL_COLUMNS "WHERE id > $1 ORDER BY id LIMIT $2", "ii",
                             after_id, limit),
                    journal_read, e);
}

int journal_newest(struct db *db, int64_t *id_out, struct err *e)
{
    return db_get_int(db, e, id_out, 0, "SELECT max(id) FROM journal", "");
}

int ruleset_store(struct db *db, const char *hash, const char *body, int64_t now_ms,
                  int64_t *id_out, struct err *e)
{
    int64_t id;
    if (db_get_int(db, e, &id, 0, "SELECT id FROM ruleset WHERE hash = $1", "s", hash) < 0)
        return -1;
    if (id == 0 &&
        db_insert(db, e, &id,
                  "INSERT INTO ruleset (hash, body, at_ms) VALUES ($1, $2, $3) RETURNING id", "ssi",
                  hash, body, now_ms) < 0)
        return -1;
    *id_out = id;
    return 0;
}

static json_t *ruleset_read(struct db_rows *r)
{
    json_t *body = json_loads(db_text(r, 1), 0, NULL);
    return json_pack("{s:s, s:o, s:I}", "hash", db_text(r, 0), "body", body ? body : json_object(),
                     "at_ms", db_int(r, 2));
}

json_t *ruleset_load(struct db *db, int64_t id, struct err *e)
{
    return rows_one(db_query(db, "SELECT hash, body, at_ms FROM ruleset WHERE id = $1", "i", id),
                    ruleset_read, "rule set ", id, e);
}
