/* SPDX-License-Identifier: ISC
 *
 * list - records as a table, for leadctl, console and API
 *
 * Of what is filtered by (filter.h), status and owner go into the SQL; the rest is
 * compared here, over at most SCAN_MAX records, so that a question cannot hold the
 * engine for long.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crm/filter.h"
#include "crm/list.h"
#include "rule/field.h"
#include "store/contact.h"
#include "store/record.h"

#define SCAN_MAX 50000
#define LIMIT_MAX 10000

struct column {
    const char *name, *title; /* name: a field without its entity */
};

static const struct column lead_columns[] = {
    {"id", "Lead"},     {"status", "Status"},   {"owner", "Owner"},     {"contact", "Contact"},
    {"email", "Email"}, {"subject", "Subject"}, {"source", "Source"},   {"score", "Score"},
    {"created", "Created"}};
static const struct column contact_columns[] = {{"id", "Contact"},     {"name", "Name"},
                                                {"email", "Email"},    {"phone", "Phone"},
                                                {"company", "Company"}, {"country", "Country"},
                                                {"created", "Created"}};
static const struct column company_columns[] = {
    {"id", "Company"}, {"name", "Name"}, {"domain", "Domain"}, {"created", "Created"}};
static const struct column deal_columns[] = {
    {"id", "Deal"},     {"status", "Status"}, {"stage", "Stage"}, {"amount", "Amount"},
    {"owner", "Owner"}, {"lead", "Lead"},     {"name", "Name"},   {"created", "Created"}};
static const struct column case_columns[] = {
    {"id", "Case"},           {"status", "Status"},   {"priority", "Priority"}, {"owner", "Owner"},
    {"contact", "Contact"},   {"email", "Email"},     {"subject", "Subject"},   {"created", "Created"}};
static const struct column activity_columns[] = {
    {"id", "Activity"}, {"at", "Time"}, {"kind", "Kind"}, {"direction", "Direction"},
    {"actor", "Who"},   {"lead", "Lead"}, {"text", "Text"}};
static const struct column task_columns[] = {{"id", "Task"},     {"status", "Status"},
                                             {"due", "Due"},     {"owner", "Owner"},
                                             {"title", "Title"}, {"lead", "Lead"},
                                             {"created", "Created"}};

static const struct {
    const struct column *cols;
    size_t count;
} tables[CRM_ENTITY_COUNT] = {
    [CRM_LEAD] = {lead_columns, ARRAY_LEN(lead_columns)},
    [CRM_CONTACT] = {contact_columns, ARRAY_LEN(contact_columns)},
    [CRM_COMPANY] = {company_columns, ARRAY_LEN(company_columns)},
    [CRM_DEAL] = {deal_columns, ARRAY_LEN(deal_columns)},
    [CRM_CASE] = {case_columns, ARRAY_LEN(case_columns)},
    [CRM_ACTIVITY] = {activity_columns, ARRAY_LEN(activity_columns)},
    [CRM_TASK] = {task_columns, ARRAY_LEN(task_columns)},
};

json_t *crm_time_json(int64_t ms)
{
    char text[40];
    return ms ? json_string(clock_format_utc(ms, text, sizeof(text))) : json_null();
}

json_t *crm_money_json(int64_t minor, const char *currency)
{
    struct buf b;
    buf_init(&b, 128);
    rule_money_print(minor, currency, &b);
    json_t *v = json_string(b.data);
    buf_done(&b);
    return v;
}

/* The value of a record's column or of what it is linked with. */
static json_t *link_json(const json_t *rec, const char *column, enum crm_entity t)
{
    char id[CRM_ID_LEN];
    int64_t n = json_get_int(rec, column, 0);
    return n ? json_string(crm_id_format(t, n, id)) : json_null();
}

static json_t *linked_contact(struct crm_ctx *ctx, const json_t *rec, bool name, struct err *e)
{
    int64_t id = json_get_int(rec, "contact_id", 0);
    size_t i;
    const json_t *contact, *list, *a;
    if (!id)
        return json_null();
    if (name) {
        contact = crm_record_any(ctx, CRM_CONTACT, id, e);
        const char *s = json_get_str(contact, "name", NULL);
        return s ? json_string(s) : contact ? link_json(rec, "contact_id", CRM_CONTACT) : NULL;
    }
    list = crm_addresses(ctx, id, e);
    json_array_foreach((json_t *)list, i, a)
        if (!strcmp(json_get_str(a, "channel", ""), "email"))
            return json_incref(json_object_get(a, "value"));
    return list ? json_null() : NULL;
}

static json_t *own_address(struct crm_ctx *ctx, int64_t contact, const char *channel,
                           struct err *e)
{
    size_t i;
    const json_t *a, *list = crm_addresses(ctx, contact, e);
    json_array_foreach((json_t *)list, i, a)
        if (!strcmp(json_get_str(a, "channel", ""), channel))
            return json_incref(json_object_get(a, "value"));
    return list ? json_null() : NULL;
}

json_t *crm_cell(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec, const char *name,
                 struct err *e)
{
    char column[64];
    const json_t *v;
    if (!strcmp(name, "id"))
        return link_json(rec, "id", t);
    if (!strcmp(name, "contact"))
        return linked_contact(ctx, rec, true, e);
    if (!strcmp(name, "lead"))
        return link_json(rec, "lead_id", CRM_LEAD);
    if (!strcmp(name, "company"))
        return link_json(rec, "company_id", CRM_COMPANY);
    if (t == CRM_CONTACT && (!strcmp(name, "email") || !strcmp(name, "phone")))
        return own_address(ctx, json_get_int(rec, "id", 0), name, e);
    if (!strcmp(name, "email"))
        return linked_contact(ctx, rec, false, e);
    if (!strcmp(name, "amount"))
        return json_object_get(rec, "amount")
                   ? crm_money_json(json_get_int(rec, "amount", 0),
                                    json_get_str(rec, "currency", ctx->crm->currency))
                   : json_null();
    /* a deal has a stage and, in stage_ms, since when: the name alone is the former */
    snprintf(column, sizeof(column), "%s_ms", name);
    v = record_col_find(crm_table(t), name) ? NULL : json_object_get(rec, column);
    if (v && strcmp(name, "waited"))
        return crm_time_json(json_integer_value(v));
    v = json_object_get(rec, name);
    if (!v)
        v = json_object_get(json_get_obj(rec, "custom"), name);
    if (json_is_object(v))
        return crm_money_json(json_get_int(v, "amount", 0), json_get_str(v, "currency", ""));
    return v ? json_incref((json_t *)v) : json_null();
}

json_t *crm_table_columns(enum crm_entity t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < tables[t].count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", tables[t].cols[i].name, "title",
                                              tables[t].cols[i].title));
    return list;
}

json_t *crm_table_row(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec, struct err *e)
{
    json_t *row = json_object();
    for (size_t i = 0; i < tables[t].count; i++) {
        json_t *cell = crm_cell(ctx, t, rec, tables[t].cols[i].name, e);
        if (!cell) {
            json_decref(row);
            return NULL;
        }
        json_object_set_new(row, tables[t].cols[i].name, cell);
    }
    return row;
}

static int list_rows(struct crm_ctx *ctx, enum crm_entity t, const struct filters *f, int64_t limit,
                     json_t *rows, struct err *e)
{
    struct db_rows *r =
        record_list(ctx->crm->db, crm_table(t), INT64_MAX, f->status, f->owner);
    enum filter_match m = FILTER_NO;
    for (int scanned = 0; m != FILTER_FAILED && scanned < SCAN_MAX &&
                          (int64_t)json_array_size(rows) < limit && db_step(r);
         scanned++) {
        AUTO_JSON json_t *rec = record_of_row(r, crm_table(t));
        m = filters_match(ctx, t, rec, f, e);
        json_t *row = m == FILTER_YES ? crm_table_row(ctx, t, rec, e) : NULL;
        if (row)
            json_array_append_new(rows, row);
        else if (m == FILTER_YES)
            m = FILTER_FAILED;
    }
    if (m == FILTER_FAILED) {
        struct err ignored;
        (void)!db_done(&r, &ignored);
        return -1;
    }
    return db_done(&r, e);
}

int crm_list(struct crm *crm, enum crm_entity t, const json_t *filters, int64_t limit,
             json_t **out, struct err *e)
{
    struct filters f = {0};
    json_t *rows = json_array();
    if (t <= CRM_NONE || t >= CRM_ENTITY_COUNT) {
        json_decref(rows);
        return err_set(e, ERR_INPUT, "there is no such list");
    }
    struct crm_ctx *ctx = crm_begin(crm, NULL, 0);
    int rc = filters_read(crm, t, filters, &f, e);
    if (rc == 0)
        rc = list_rows(ctx, t, &f, limit > 0 && limit < LIMIT_MAX ? limit : LIMIT_MAX, rows, e);
    if (rc == 0)
        *out = json_pack("{s:o, s:O}", "columns", crm_table_columns(t), "rows", rows);
    json_decref(rows);
    filters_done(&f);
    crm_end(&ctx);
    return rc;
}
