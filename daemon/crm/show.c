/* SPDX-License-Identifier: ISC
 *
 * show - one record with what belongs to it
 *
 * Labels and order come from the field table: a custom field shows without a
 * line here.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/facts.h"
#include "crm/fields.h"
#include "crm/list.h"
#include "crm/merge.h"
#include "crm/offer.h"
#include "store/case.h"
#include "store/contact.h"
#include "store/deal.h"
#include "store/happening.h"
#include "store/lead.h"
#include "store/merged.h"
#include "store/task.h"

#define SHOW_ORDERS 100

/* A field as JSON, as a rule sees it; NULL when it is unset. */
static json_t *field_json(struct crm_view *v, const struct crm_field *f)
{
    struct rule_value val = {0};
    char text[64];
    f->read(v, f, &val);
    if (val.state != RULE_VALUE_SET)
        return NULL;
    switch (f->type) {
    case RULE_TYPE_TEXT:
        return json_stringn(val.text.p, val.text.n);
    case RULE_TYPE_INT:
        return json_integer(val.num);
    case RULE_TYPE_MONEY:
        return crm_money_json(val.num, val.currency);
    case RULE_TYPE_BOOL:
        return json_string(val.num ? "yes" : "no");
    case RULE_TYPE_TIME:
        return crm_time_json(val.num);
    case RULE_TYPE_DURATION:
        return json_string(text_format_duration(val.num, text, sizeof(text)));
    case RULE_TYPE_LIST:
        break;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < val.count; i++)
        json_array_append_new(list, json_stringn(val.items[i].p, val.items[i].n));
    return list;
}

/* The label of an own field, else "first_in" -> "First in". */
static json_t *label_json(const struct crm_field *f)
{
    if (text_starts(f->key ? f->key : "", "custom.") && strcmp(f->help, CRM_FIELD_NO_LABEL))
        return json_string(f->help);
    AUTO_FREE char *label = mem_str(strchr(f->name, '.') + 1);
    for (char *p = label; *p; p++)
        if (*p == '_')
            *p = ' ';
    if (label[0] >= 'a' && label[0] <= 'z')
        label[0] = (char)(label[0] - 0x20);
    return json_string(label);
}

static void show_fields(struct crm_view *v, enum crm_entity t, json_t *fields)
{
    const struct crm_field *f;
    for (int i = 0; (f = crm_fieldset_get(v->ctx->crm->fieldset, i)) != NULL; i++) {
        if (f->entity != t || strstr(f->name, ".age") || strstr(f->name, ".updated") ||
            f->read == crm_read_count) /* the sections have what is counted */
            continue;
        json_t *value = field_json(v, f);
        if (value)
            json_array_append_new(fields, json_pack("[o, o]", label_json(f), value));
    }
}

/* What the record is linked with, in one line each. */
static void show_links(struct crm_view *v, enum crm_entity t, json_t *fields)
{
    static const struct {
        enum crm_entity entity;
        const char *label, *name, *more;
    } links[] = {{CRM_CONTACT, "Contact", "contact.name", "contact.email"},
                 {CRM_COMPANY, "Company", "company.name", NULL},
                 {CRM_LEAD, "Lead", "lead.subject", NULL},
                 {CRM_DEAL, "Deal", "deal.stage", "deal.amount"}};
    char id[CRM_ID_LEN];
    const struct crm_field *status = crm_fieldset_find(v->ctx->crm->fieldset, "deal.status", NULL);
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        int64_t n = crm_target_id(&v->target, links[i].entity);
        if (!n || links[i].entity == t)
            continue;
        const struct crm_field *name = crm_fieldset_find(v->ctx->crm->fieldset, links[i].name, NULL);
        const struct crm_field *more =
            links[i].more ? crm_fieldset_find(v->ctx->crm->fieldset, links[i].more, NULL) : NULL;
        AUTO_JSON json_t *a = name ? field_json(v, name) : NULL;
        AUTO_JSON json_t *b = more ? field_json(v, more) : NULL;
        AUTO_JSON json_t *s = links[i].entity == CRM_DEAL && status ? field_json(v, status) : NULL;
        if (json_is_string(s) && strcmp(json_string_value(s), "open") != 0) {
            json_decref(a); /* a deal that is won has no stage any more */
            a = json_incref(s);
        }
        AUTO_FREE char *text =
            mem_printf("%s%s%s%s%s", crm_id_format(links[i].entity, n, id), a ? " " : "",
                       a ? json_string_value(a) : "", b ? " " : "", b ? json_string_value(b) : "");
        json_array_append_new(fields, json_pack("[s, s]", links[i].label, text));
    }
}

static int show_section(struct crm_ctx *ctx, const char *title, enum crm_entity t,
                        struct db_rows *r, json_t *sections, struct err *e)
{
    bool failed = false;
    AUTO_JSON json_t *rows = json_array();
    while (!failed && db_step(r)) {
        AUTO_JSON json_t *rec = record_of_row(r, crm_table(t));
        json_t *row = crm_table_row(ctx, t, rec, e);
        failed = row == NULL;
        if (row)
            json_array_append_new(rows, row);
    }
    if (db_done(&r, failed ? NULL : e) < 0 || failed)
        return -1;
    if (json_array_size(rows))
        json_array_append_new(sections, json_pack("{s:s, s:o, s:O}", "title", title, "columns",
                                                  crm_table_columns(t), "rows", rows));
    return 0;
}

static int show_addresses(struct crm_ctx *ctx, int64_t contact, json_t *sections, struct err *e)
{
    const json_t *list = crm_addresses(ctx, contact, e), *a;
    size_t i;
    if (!list)
        return -1;
    json_t *rows = json_array();
    json_array_foreach((json_t *)list, i, a) {
        const char *state = json_object_get(a, "opted_out_ms")  ? "opted out"
                            : json_object_get(a, "bouncing_ms") ? "bouncing"
                            : json_object_get(a, "verified_ms") ? "verified"
                                                                : "";
        const char *reason = json_get_str(a, "opt_out_reason", json_get_str(a, "bounce_reason", ""));
        json_array_append_new(rows, json_pack("{s:O, s:O, s:s, s:s}", "channel",
                                              json_object_get(a, "channel"), "address",
                                              json_object_get(a, "value"), "state", state, "reason",
                                              reason));
    }
    json_array_append_new(
        sections, json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}, {s:s, s:s}], s:o}",
                            "title", "Addresses", "columns", "name", "channel", "title", "Channel",
                            "name", "address", "title", "Address", "name", "state", "title",
                            "State", "name", "reason", "title", "Reason", "rows", rows));
    return 0;
}

static json_t *money_json(const json_t *o, const char *key)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 64);
    if (json_get_int(o, key, 0) == 0 && strcmp(key, "amount") != 0)
        return json_string("");
    if (json_get_str(o, "currency", NULL))
        rule_money_print(json_get_int(o, key, 0), json_get_str(o, "currency", ""), &b);
    return json_string(b.data ? b.data : "");
}

/* What the contact bought. */
static int show_orders(struct crm_ctx *ctx, int64_t contact, json_t *sections, struct err *e)
{
    size_t i;
    const json_t *o;
    AUTO_JSON json_t *list = happening_orders(ctx->crm->db, contact, SHOW_ORDERS, e);
    if (!list)
        return -1;
    json_t *rows = json_array();
    json_array_foreach(list, i, o) {
        const char *state = json_get_str(o, "state", "");
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:s}", "number",
                            json_get_str(o, "number", ""), "state",
                            text_starts(state, "order.") ? state + 6 : state, "amount",
                            money_json(o, "amount"), "refunded", money_json(o, "refunded"), "source",
                            json_get_str(o, "source", ""), "time",
                            crm_time_json(json_get_int(o, "at_ms", 0)), "items",
                            json_get_str(o, "items", "")));
    }
    json_t *section = json_pack(
        "{s:s, s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}, {s:s, s:s}, {s:s, s:s}, {s:s, s:s}], s:o}",
        "title", "Orders", "columns", "name", "number", "title", "Number", "name", "state", "title",
        "State", "name", "amount", "title", "Amount", "name", "refunded", "title", "Refunded", "name",
        "source", "title", "Source", "name", "time", "title", "Time", "rows", rows);
    if (json_array_size(list))
        json_array_append(sections, section);
    json_decref(section);
    return 0;
}

static int show_sections(struct crm_ctx *ctx, enum crm_entity t, int64_t id, json_t *sections,
                         struct err *e)
{
    struct db *db = ctx->crm->db;
    if (t == CRM_LEAD)
        return show_section(ctx, "Deals", CRM_DEAL, deal_of_lead(db, id), sections, e) < 0 ||
                       show_section(ctx, "Tasks", CRM_TASK, task_of_lead(db, id), sections, e) < 0
                   ? -1
                   : 0;
    if (t == CRM_COMPANY)
        return show_section(ctx, "Contacts", CRM_CONTACT, contact_of_company(db, id), sections, e);
    if (t == CRM_CONTACT)
        return show_addresses(ctx, id, sections, e) < 0 ||
                       show_orders(ctx, id, sections, e) < 0 ||
                       show_section(ctx, "Leads", CRM_LEAD, lead_of_contact(db, id), sections,
                                    e) < 0 ||
                       show_section(ctx, "Cases", CRM_CASE, case_of_contact(db, id), sections,
                                    e) < 0
                   ? -1
                   : 0;
    return 0;
}

/* The records that became this one, and addresses that are perhaps its. */
static int show_merged(struct crm_ctx *ctx, enum crm_entity t, int64_t id, json_t *fields,
                       struct err *e)
{
    char key[CRM_ID_LEN];
    size_t i;
    const json_t *v;
    struct buf ids AUTO_BUF;
    buf_init(&ids, 4096);
    AUTO_JSON json_t *list = merged_of(ctx->crm->db, crm_entity_name(t), id, e);
    AUTO_JSON json_t *offers = NULL;
    if (!list || (t == CRM_CONTACT && crm_offers(ctx, id, &offers, e) < 0))
        return -1;
    json_array_foreach(list, i, v)
        buf_printf(&ids, "%s%s", i ? ", " : "", crm_id_format(t, json_integer_value(v), key));
    if (ids.len)
        json_array_append_new(fields, json_pack("[s, s]", "Merged into it", ids.data));
    json_array_foreach(offers, i, v) {
        const char *other = json_get_str(v, "other", NULL);
        AUTO_FREE char *text = mem_printf("%s %s, in a %s%s%s", json_get_str(v, "channel", ""),
                                          json_get_str(v, "value", ""), json_get_str(v, "source", ""),
                                          other ? ", which is that of " : ": take ",
                                          other ? other : json_get_str(v, "value", ""));
        json_array_append_new(fields, json_pack("[s, s]", "Perhaps his", text));
    }
    return 0;
}

static int show(struct crm_ctx *ctx, enum crm_entity t, int64_t id, json_t **out, struct err *e)
{
    struct crm_view v = {.ctx = ctx, .at = VIEW_NOW};
    const json_t *rec;
    if (crm_target_of(ctx, t, id, &v.target, e) < 0)
        return -1;
    id = crm_target_id(&v.target, t); /* another one, when it was merged */
    rec = crm_record_any(ctx, t, id, e);
    AUTO_JSON json_t *fields = json_array(), *sections = json_array();
    if (json_object_get(rec, "deleted_ms"))
        json_array_append_new(fields,
                              json_pack("[s, o]", "Deleted",
                                        crm_time_json(json_get_int(rec, "deleted_ms", 0))));
    show_fields(&v, t, fields);
    show_links(&v, t, fields);
    if (crm_facts_error(ctx, e) < 0 || show_merged(ctx, t, id, fields, e) < 0 ||
        show_sections(ctx, t, id, sections, e) < 0)
        return -1;
    *out = json_pack("{s:O, s:O}", "fields", fields, "sections", sections);
    return 0;
}

int crm_show(struct crm *crm, enum crm_entity t, int64_t id, json_t **out, struct err *e)
{
    struct crm_ctx *ctx = crm_begin(crm, NULL, 0);
    int rc = show(ctx, t, id, out, e);
    crm_end(&ctx);
    return rc;
}
