/* SPDX-License-Identifier: ISC
 *
 * merged - see merged.h
 *
 * What looks for suspects reads whole tables: it is for people who ask, in small
 * companies; nothing that comes in waits for it.
 */
#include "store/merged.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/rows.h"

int merged_get(struct db *db, const char *entity, int64_t id, int64_t *into_out, struct err *e)
{
    return db_get_int(db, e, into_out, 0,
                      "SELECT into_id FROM merged WHERE entity = $1 AND record_id = $2", "si",
                      entity, id);
}

int merged_when(struct db *db, const char *entity, int64_t id, int64_t *at_ms_out, struct err *e)
{
    return db_get_int(db, e, at_ms_out, 0,
                      "SELECT at_ms FROM merged WHERE entity = $1 AND record_id = $2", "si", entity,
                      id);
}

int merged_set(struct db *db, const char *entity, int64_t id, int64_t into, int64_t now_ms,
               struct err *e)
{
    if (!into)
        return db_exec(db, e, "DELETE FROM merged WHERE entity = $1 AND record_id = $2", "si",
                       entity, id);
    return db_exec(db, e,
                   "INSERT INTO merged (entity, record_id, into_id, at_ms) VALUES ($1, $2, $3, $4) "
                   "ON CONFLICT (entity, record_id) DO UPDATE SET into_id = excluded.into_id, "
                   "at_ms = excluded.at_ms",
                   "siii", entity, id, into, now_ms);
}

static json_t *read_number(struct db_rows *r)
{
    return json_integer(db_int(r, 0));
}

json_t *merged_of(struct db *db, const char *entity, int64_t into, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT record_id FROM merged WHERE entity = $1 AND into_id = $2 "
                             "ORDER BY at_ms, record_id",
                             "si", entity, into),
                    read_number, e);
}

/* Deleted ones, too: an undo may bring them back. */
#define BY(table, col) "SELECT id FROM " table " WHERE " col " = $1 ORDER BY id LIMIT $2"

static const struct {
    const char *child, *parent, *sql;
} children[] = {
    {"lead", "contact_id", BY("lead", "contact_id")},
    {"lead", "company_id", BY("lead", "company_id")},
    {"case", "contact_id", BY("support_case", "contact_id")},
    {"case", "company_id", BY("support_case", "company_id")},
    {"case", "lead_id", BY("support_case", "lead_id")},
    {"deal", "contact_id", BY("deal", "contact_id")},
    {"deal", "company_id", BY("deal", "company_id")},
    {"deal", "lead_id", BY("deal", "lead_id")},
    {"task", "contact_id", BY("task", "contact_id")},
    {"task", "lead_id", BY("task", "lead_id")},
    {"contact", "company_id", BY("contact", "company_id")},
    {"activity", "lead_id", BY("activity", "lead_id")},
    {"task", "case_id", BY("task", "case_id")},
    /* those of a case that is of a lead, too, are in the index of the lead */
    {"activity", "case_id",
     "SELECT id FROM (SELECT id FROM activity WHERE case_id = $1 AND lead_id IS NULL "
     "UNION SELECT a.id FROM support_case c JOIN activity a ON a.lead_id = c.lead_id "
     "WHERE c.id = $1 AND a.case_id = $1) ORDER BY id LIMIT $2"},
    /* each is in one of three indexes; see schema_crm.c */
    {"activity", "contact_id",
     "SELECT id FROM (SELECT id FROM activity WHERE contact_id = $1 AND lead_id IS NULL "
     "AND case_id IS NULL UNION SELECT a.id FROM lead l JOIN activity a ON a.lead_id = l.id "
     "WHERE l.contact_id = $1 AND a.contact_id = $1 UNION SELECT a.id FROM support_case c "
     "JOIN activity a ON a.case_id = c.id AND a.lead_id IS NULL "
     "WHERE c.contact_id = $1 AND a.contact_id = $1) ORDER BY id LIMIT $2"},
};

json_t *merged_children(struct db *db, const char *child, const char *parent, int64_t id,
                        int64_t limit, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(children); i++)
        if (!strcmp(children[i].child, child) && !strcmp(children[i].parent, parent))
            return rows_all(db_query(db, children[i].sql, "ii", id, limit + 1), read_number, e);
    err_set(e, ERR_BUG, "no %s of %s", child, parent);
    return NULL;
}

int merged_address(struct db *db, const char *channel, const char *value, int64_t contact,
                   int64_t since_ms, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE address SET contact_id = $3, created_ms = $4 "
                   "WHERE channel = $1 AND value = $2",
                   "ssoi", channel, value, contact, since_ms);
}

/* ---- who may be the same -------------------------------------------------------- */

/* One who is neither deleted nor merged. */
#define THERE(x) x ".deleted_ms IS NULL"

/* lower() knows no more than ASCII: names with other letters are found in the same
 * writing only, and nobody is merged by this. */
static const char contacts_sql[] =
    "SELECT min(a, b), max(a, b), why FROM ("
    "SELECT o.contact_id AS a, d.contact_id AS b, 'the same ' || o.channel AS why, 1 AS rank "
    " FROM offer o JOIN address d ON d.channel = o.channel AND d.value = o.value "
    " WHERE d.contact_id <> o.contact_id "
    "UNION ALL SELECT o.contact_id, p.contact_id, 'the same ' || o.channel, 2 "
    " FROM offer o JOIN offer p ON p.channel = o.channel AND p.value = o.value "
    " AND p.contact_id > o.contact_id "
    "UNION ALL SELECT x.id, y.id, 'the same name and company', 3 "
    " FROM contact x JOIN contact y ON y.company_id = x.company_id AND y.id > x.id "
    " AND lower(y.name) = lower(x.name) "
    "UNION ALL SELECT x.id, y.id, 'the same name, a mail provider''s address', 4 "
    " FROM contact x JOIN contact y ON lower(y.name) = lower(x.name) AND y.id <> x.id "
    " WHERE x.company_id IS NULL AND instr(x.name, ' ') > 0 "
    " AND (y.company_id IS NOT NULL OR y.id > x.id)"
    ") s JOIN contact u ON u.id = s.a JOIN contact v ON v.id = s.b "
    "WHERE " THERE("u") " AND " THERE("v") " GROUP BY min(a, b), max(a, b) HAVING rank = min(rank) "
                                           "ORDER BY min(rank), 2 DESC, 1 LIMIT $1";

static const char leads_sql[] =
    "SELECT x.id, y.id, 'open leads of one contact' FROM lead x JOIN lead y "
    "ON y.contact_id = x.contact_id AND y.id > x.id "
    "WHERE x.status <> 'closed' AND y.status <> 'closed' AND " THERE("x") " AND " THERE(
        "y") " ORDER BY y.id DESC, x.id LIMIT $1";

static const char cases_sql[] =
    "SELECT x.id, y.id, 'open cases of one contact' FROM support_case x JOIN support_case y "
    "ON y.contact_id = x.contact_id AND y.id > x.id "
    "WHERE x.status <> 'closed' AND y.status <> 'closed' AND " THERE("x") " AND " THERE(
        "y") " ORDER BY y.id DESC, x.id LIMIT $1";

static const char companies_sql[] =
    "SELECT x.id, y.id, 'the same name' FROM company x JOIN company y "
    "ON lower(y.name) = lower(x.name) AND y.id > x.id WHERE " THERE("x") " AND " THERE(
        "y") " UNION SELECT x.id, y.id, 'the same domain, another ending' FROM company x JOIN "
             "company y "
             "ON substr(y.domain, 1, instr(y.domain, '.')) = substr(x.domain, 1, instr(x.domain, "
             "'.')) "
             "AND y.id > x.id WHERE instr(x.domain, '.') > 4 AND " THERE("x") " AND " THERE(
                 "y") " ORDER BY 2 DESC, 1 LIMIT $1";

static json_t *read_pair(struct db_rows *r)
{
    return json_pack("{s:I, s:I, s:s}", "a", db_int(r, 0), "b", db_int(r, 1), "why", db_text(r, 2));
}

json_t *merged_suspects(struct db *db, const char *entity, int64_t limit, struct err *e)
{
    const char *sql = !strcmp(entity, "contact") ? contacts_sql
                      : !strcmp(entity, "lead")  ? leads_sql
                      : !strcmp(entity, "case")  ? cases_sql
                                                 : companies_sql;
    return rows_all(db_query(db, sql, "i", limit), read_pair, e);
}
