/* SPDX-License-Identifier: ISC
 *
 * contact - see contact.h
 */
#include "store/contact.h"

#include "base/mem.h"
#include "store/rows.h"

#define COMPANY(X)                                                                                 \
    X(name, 's') X(domain, 's') X(country, 's') X(custom, 'j') X(created_ms, 't')                  \
    X(updated_ms, 't') X(deleted_ms, 't')
#define CONTACT(X)                                                                                 \
    X(name, 's') X(first_name, 's') X(last_name, 's') X(title, 's') X(company_id, 'o')             \
    X(country, 's') X(language, 's') X(time_zone, 's') X(custom, 'j') X(away_until_ms, 't')        \
    X(created_ms, 't') X(updated_ms, 't')                                                          \
    X(deleted_ms, 't')

#define COL(c, ty) {#c, ty, "UPDATE " TABLE " SET " #c " = $1, updated_ms = $2 WHERE id = $3"},
/* these two have neither status nor owner: asked for one, the list is empty */
#define LIST_WHERE                                                                                 \
    " WHERE id < $1 AND deleted_ms IS NULL AND COALESCE(CAST($2 AS TEXT), CAST($3 AS TEXT), '')"   \
    " = '' ORDER BY id DESC"

#define TABLE "company"
static const struct record_col company_cols[] = {COMPANY(COL)};
#undef TABLE
#define TABLE "contact"
static const struct record_col contact_cols[] = {CONTACT(COL)};
#undef TABLE

const struct record_table company_table = {
    "company", RECORD_SELECT(COMPANY) " FROM company WHERE id = $1",
    RECORD_SELECT(COMPANY) " FROM company" LIST_WHERE, company_cols, ARRAY_LEN(company_cols)};
const struct record_table contact_table = {
    "contact", RECORD_SELECT(CONTACT) " FROM contact WHERE id = $1",
    RECORD_SELECT(CONTACT) " FROM contact" LIST_WHERE, contact_cols, ARRAY_LEN(contact_cols)};

int company_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out, struct err *e)
{
    AUTO_FREE char *custom = record_custom_text(rec);
    return db_insert(db, e, id_out,
                     "INSERT INTO company (name, domain, country, custom, created_ms, updated_ms) "
                     "VALUES ($1, $2, $3, $4, $5, $5) RETURNING id",
                     "ssssi", json_get_str(rec, "name", NULL), json_get_str(rec, "domain", NULL),
                     json_get_str(rec, "country", NULL), custom, now_ms);
}

int company_find(struct db *db, const char *domain, int64_t *id_out, struct err *e)
{
    return db_get_int(db, e, id_out, 0, "SELECT id FROM company WHERE domain = $1", "s", domain);
}

int company_named(struct db *db, const char *name, int64_t *id_out, struct err *e)
{
    return db_get_int(db, e, id_out, 0,
                      "SELECT id FROM company WHERE lower(name) = lower($1) AND deleted_ms IS NULL "
                      "ORDER BY id LIMIT 1",
                      "s", name);
}

int contact_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out, struct err *e)
{
    AUTO_FREE char *custom = record_custom_text(rec);
    return db_insert(db, e, id_out,
                     "INSERT INTO contact (name, first_name, last_name, company_id, country, "
                     "language, custom, created_ms, updated_ms) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id",
                     "sssosssi", json_get_str(rec, "name", NULL),
                     json_get_str(rec, "first_name", NULL), json_get_str(rec, "last_name", NULL),
                     json_get_int(rec, "company_id", 0), json_get_str(rec, "country", NULL),
                     json_get_str(rec, "language", NULL), custom, now_ms);
}

struct db_rows *contact_of_company(struct db *db, int64_t company_id)
{
    return db_query(db,
                    RECORD_SELECT(CONTACT) " FROM contact WHERE company_id = $1 "
                                           "AND deleted_ms IS NULL ORDER BY id DESC LIMIT 100",
                    "i", company_id);
}

#define ADDRESS_SELECT                                                                             \
    "SELECT channel, value, display, contact_id, verified_ms, verified_by, bouncing_ms, "          \
    "bounce_reason, opted_out_ms, opt_out_reason, created_ms FROM address "

static json_t *address_of_row(struct db_rows *r)
{
    static const struct record_col cols[] = {
        {"channel", 's', NULL},      {"value", 's', NULL},       {"display", 's', NULL},
        {"contact_id", 'o', NULL},   {"verified_ms", 't', NULL}, {"verified_by", 's', NULL},
        {"bouncing_ms", 't', NULL},  {"bounce_reason", 's', NULL},
        {"opted_out_ms", 't', NULL}, {"opt_out_reason", 's', NULL}, {"created_ms", 't', NULL}};
    json_t *o = json_object();
    for (size_t i = 0; i < ARRAY_LEN(cols); i++) {
        int at = (int)i;
        if (db_is_null(r, at))
            continue;
        if (cols[i].type == 's')
            json_put_str(o, cols[i].name, db_text(r, at));
        else
            json_put_int(o, cols[i].name, db_int(r, at));
    }
    return o;
}

int address_get(struct db *db, const char *channel, const char *value, json_t **out, struct err *e)
{
    json_t *o = NULL;
    struct db_rows *r =
        db_query(db, ADDRESS_SELECT "WHERE channel = $1 AND value = $2", "ss", channel, value);
    if (db_step(r))
        o = address_of_row(r);
    if (db_done(&r, e) < 0) {
        json_decref(o);
        return -1;
    }
    *out = o;
    return 0;
}

int address_put(struct db *db, const char *channel, const char *value, const char *display,
                int64_t contact_id, int64_t now_ms, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO address (channel, value, display, contact_id, created_ms) "
                   "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (channel, value) DO UPDATE SET "
                   "contact_id = excluded.contact_id, created_ms = excluded.created_ms",
                   "sssoi", channel, value, display, contact_id, now_ms);
}

int address_set_state(struct db *db, const char *channel, const char *value,
                      enum address_state state, int64_t at_ms, const char *reason, int64_t now_ms,
                      struct err *e)
{
    static const char *const sql[] = {
        "UPDATE address SET verified_ms = $1, verified_by = $2 WHERE channel = $3 AND value = $4",
        "UPDATE address SET bouncing_ms = $1, bounce_reason = $2 WHERE channel = $3 AND value = $4",
        ("UPDATE address SET opted_out_ms = $1, opt_out_reason = $2 "
         "WHERE channel = $3 AND value = $4")};
    if (db_exec(db, e,
                "INSERT INTO address (channel, value, display, created_ms) VALUES ($1, $2, $2, $3) "
                "ON CONFLICT (channel, value) DO NOTHING",
                "ssi", channel, value, now_ms) < 0)
        return -1;
    return db_exec(db, e, sql[state], "osss", at_ms, at_ms ? reason : NULL, channel, value);
}

static json_t *stopped_read(struct db_rows *r)
{
    return json_pack("{s:s, s:I, s:s, s:s, s:s, s:I}", "value", db_text(r, 0), "contact_id",
                     (json_int_t)db_int(r, 1), "reason", db_text(r, 2), "words", db_text(r, 3),
                     "source", db_text(r, 4), "at_ms", (json_int_t)db_int(r, 5));
}

json_t *address_stopped(struct db *db, const char *reason, int64_t limit, struct err *e)
{
    return rows_all(
        db_query(db,
                 "SELECT a.value, coalesce(a.contact_id, 0), s.reason, "
                 "CASE s.reason WHEN 'opted_out' THEN coalesce(a.opt_out_reason, '') "
                 "ELSE coalesce(a.bounce_reason, '') END, "
                 "CASE s.reason WHEN 'opted_out' THEN coalesce((SELECT c.source FROM consent c WHERE "
                 "c.channel = a.channel AND c.value = a.value AND c.sender = '' AND c.counts = 1 "
                 "ORDER BY c.id DESC LIMIT 1), '') ELSE 'mail that came back' END, "
                 "CASE s.reason WHEN 'opted_out' THEN a.opted_out_ms ELSE a.bouncing_ms END AS at_ms "
                 "FROM address a JOIN (SELECT 'opted_out' AS reason UNION ALL SELECT 'bouncing') s "
                 "WHERE (a.opted_out_ms IS NOT NULL OR a.bouncing_ms IS NOT NULL) AND "
                 "(CAST($1 AS TEXT) IS NULL OR s.reason = $1) AND "
                 "CASE s.reason WHEN 'opted_out' THEN a.opted_out_ms ELSE a.bouncing_ms END IS NOT NULL "
                 "ORDER BY at_ms DESC, a.value LIMIT $2",
                 "si", reason, limit),
        stopped_read, e);
}

static const char *channel_of(const char *value)
{
    return *value == '+' ? "phone" : "email";
}

int address_sent(struct db *db, const char *value, json_t **out, struct err *e)
{
    json_t *times = NULL;
    struct db_rows *r = db_query(
        db, "SELECT sent FROM address WHERE channel = $1 AND value = $2", "ss", channel_of(value),
        value);
    if (db_step(r) && !db_is_null(r, 0))
        times = json_loads(db_text(r, 0), 0, NULL);
    if (db_done(&r, e) < 0) {
        json_decref(times);
        return -1;
    }
    *out = times ? times : json_array();
    return 0;
}

int address_set_sent(struct db *db, const char *value, const json_t *times, int64_t now_ms,
                     struct err *e)
{
    AUTO_FREE char *text = json_line(times);
    return db_exec(db, e,
                   "INSERT INTO address (channel, value, display, created_ms, sent) "
                   "VALUES ($4, $1, $1, $2, $3) "
                   "ON CONFLICT (channel, value) DO UPDATE SET sent = excluded.sent",
                   "siss", value, now_ms, text, channel_of(value));
}

int address_list(struct db *db, int64_t contact_id, json_t **out, struct err *e)
{
    json_t *list = json_array();
    struct db_rows *r = db_query(db,
                                 ADDRESS_SELECT "WHERE contact_id = $1 ORDER BY "
                                 "CASE WHEN bouncing_ms IS NULL AND opted_out_ms IS NULL THEN 0 "
                                 "ELSE 1 END, created_ms DESC, value",
                                 "i", contact_id);
    while (db_step(r))
        json_array_append_new(list, address_of_row(r));
    if (db_done(&r, e) < 0) {
        json_decref(list);
        return -1;
    }
    *out = list;
    return 0;
}

int tag_set(struct db *db, const char *entity, int64_t id, const char *tag, bool on, int64_t now_ms,
            struct err *e)
{
    if (!on)
        return db_exec(db, e, "DELETE FROM tag WHERE entity = $1 AND record_id = $2 AND tag = $3",
                       "sis", entity, id, tag);
    return db_exec(db, e,
                   "INSERT INTO tag (entity, record_id, tag, created_ms) VALUES ($1, $2, $3, $4) "
                   "ON CONFLICT (entity, record_id, tag) DO NOTHING",
                   "sisi", entity, id, tag, now_ms);
}

int tag_list(struct db *db, const char *entity, int64_t id, json_t **out, struct err *e)
{
    json_t *list = json_array();
    struct db_rows *r =
        db_query(db, "SELECT tag FROM tag WHERE entity = $1 AND record_id = $2 ORDER BY tag", "si",
                 entity, id);
    while (db_step(r))
        json_array_append_new(list, json_string(db_text(r, 0)));
    if (db_done(&r, e) < 0) {
        json_decref(list);
        return -1;
    }
    *out = list;
    return 0;
}
