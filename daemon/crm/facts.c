/* SPDX-License-Identifier: ISC
 *
 * facts - what rules and templates see of one input
 *
 * A view is a target at a moment: now, or as it was when the input had made so
 * many changes. The past is not copied: a field's value then is the old value of
 * its first change since, else what it is now. So the view before an event costs
 * nothing until a rule asks.
 *
 * Readers never fail: a store error is remembered in the context and shows in
 * crm_facts_error().
 */
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/ctx.h"
#include "crm/facts.h"
#include "crm/fields.h"
#include "crm/form.h"
#include "rule/ruleset.h"
#include "store/consent.h"
#include "store/enrolment.h"
#include "store/related.h"

int64_t crm_target_id(const struct crm_target *t, enum crm_entity e)
{
    switch (e) {
    case CRM_LEAD:
        return t->lead;
    case CRM_CONTACT:
        return t->contact;
    case CRM_COMPANY:
        return t->company;
    case CRM_DEAL:
        return t->deal;
    case CRM_CASE:
        return t->kase;
    case CRM_ACTIVITY:
        return t->activity;
    case CRM_TASK:
        return t->task;
    case CRM_NONE:
    case CRM_ENTITY_COUNT:
        break;
    }
    return 0;
}

static void view_failed(const struct crm_view *v, const struct err *e)
{
    if (e->cls != ERR_INPUT && v->ctx->read_error.cls == ERR_NONE)
        v->ctx->read_error = *e;
}

int crm_facts_error(struct crm_ctx *ctx, struct err *e)
{
    if (ctx->read_error.cls == ERR_NONE)
        return 0;
    return err_set(e, ctx->read_error.cls, "%s", ctx->read_error.text);
}

/* The id of the record the view has for an entity. A deal may have come since
 * the event was queued. */
static int64_t view_id(const struct crm_view *v, enum crm_entity t)
{
    int64_t id = crm_target_id(&v->target, t);
    struct err e = {0};
    if (!id && t == CRM_DEAL && v->target.lead &&
        crm_deal_of_lead(v->ctx, v->target.lead, &id, &e) < 0)
        view_failed(v, &e);
    return id;
}

/* NULL: no such record, or not yet. */
static const json_t *view_record(const struct crm_view *v, enum crm_entity t, int64_t *id_out)
{
    struct err e = {0};
    int64_t id = view_id(v, t);
    if (!id || (v->at != VIEW_NOW && crm_log_created_after(v->ctx, t, id, v->at)))
        return NULL;
    const json_t *rec = crm_record_any(v->ctx, t, id, &e);
    if (!rec)
        view_failed(v, &e);
    *id_out = id;
    return rec;
}

static const json_t *view_value(const struct crm_view *v, enum crm_entity t, const char *key)
{
    int64_t id;
    const json_t *rec = view_record(v, t, &id), *old;
    if (!rec)
        return NULL;
    if (v->at != VIEW_NOW && crm_log_value_at(v->ctx, t, id, key, v->at, &old))
        return old;
    if (text_starts(key, "custom."))
        return json_object_get(json_get_obj(rec, "custom"), strchr(key, '.') + 1);
    return json_object_get(rec, key);
}

static void out_text(struct rule_value *out, const char *s)
{
    if (!s || !*s)
        return;
    out->state = RULE_VALUE_SET;
    out->text = (struct str){s, strlen(s)};
}

static void out_num(struct rule_value *out, int64_t n)
{
    out->state = RULE_VALUE_SET;
    out->num = n;
}

static void out_list(const struct crm_view *v, struct rule_value *out, const json_t *list)
{
    size_t n = json_array_size(list);
    struct str *items = n ? crm_keep(v->ctx, n * sizeof(*items)) : NULL;
    for (size_t i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(list, i));
        items[i] = (struct str){s ? s : "", s ? strlen(s) : 0};
    }
    if (!n)
        return;
    out->state = RULE_VALUE_SET;
    out->items = items;
    out->count = n;
}

static void out_json(const struct crm_field *f, const json_t *val, struct rule_value *out)
{
    if (!val || json_is_null(val))
        return;
    if (f->type == RULE_TYPE_TEXT) {
        out_text(out, json_string_value(val));
    } else if (f->type == RULE_TYPE_BOOL) {
        out_num(out, json_is_true(val) || json_integer_value(val) != 0);
    } else if (f->type == RULE_TYPE_MONEY) {
        out_num(out, json_get_int(val, "amount", 0));
        snprintf(out->currency, sizeof(out->currency), "%s", json_get_str(val, "currency", ""));
    } else {
        out_num(out, json_integer_value(val));
    }
}

void crm_read_column(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    out_json(f, view_value(v, f->entity, f->key), out);
}

void crm_read_flag(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    int64_t id;
    if (view_record(v, f->entity, &id))
        out_num(out, view_value(v, f->entity, f->key) != NULL);
}

void crm_read_id(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    int64_t id;
    char text[CRM_ID_LEN];
    if (view_record(v, f->entity, &id))
        out_text(out, crm_keep_str(v->ctx, crm_id_format(f->entity, id, text)));
}

void crm_read_age(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    const json_t *since = view_value(v, f->entity, f->key);
    if (since)
        out_num(out, v->ctx->now_ms - json_integer_value(since));
}

void crm_read_tags(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    int64_t id;
    struct err e = {0};
    const json_t *list;
    if (!view_record(v, f->entity, &id))
        return;
    list = crm_tags(v->ctx, f->entity, id, &e);
    if (!list) {
        view_failed(v, &e);
        return;
    }
    /* a copy: the tags of now change under a reader of the past */
    json_t *then = json_copy((json_t *)list);
    json_array_append_new(v->ctx->strings, then);
    for (size_t i = v->ctx->log_count; v->at != VIEW_NOW && i > v->at; i--) {
        const struct crm_change *c = &v->ctx->log[i - 1];
        if (c->entity != f->entity || c->id != id || !text_starts(c->field, "tags."))
            continue;
        const char *tag = c->field + strlen("tags.");
        if (!c->after)
            json_array_append_new(then, json_string(tag));
        for (size_t k = 0; c->after && k < json_array_size(then); k++)
            if (!strcmp(json_string_value(json_array_get(then, k)), tag))
                json_array_remove(then, k--);
    }
    out_list(v, out, then);
}

void crm_read_amount(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    const json_t *amount = view_value(v, f->entity, "amount");
    const json_t *currency = view_value(v, f->entity, "currency");
    if (!amount)
        return;
    out_num(out, json_integer_value(amount));
    snprintf(out->currency, sizeof(out->currency), "%s",
             currency ? json_string_value(currency) : v->ctx->crm->currency);
}

/* The contact's address that counts, of that channel; NULL when none. */
static const json_t *view_address(const struct crm_view *v, const char *channel)
{
    int64_t id;
    struct err e = {0};
    size_t i;
    const json_t *a, *list;
    if (!view_record(v, CRM_CONTACT, &id))
        return NULL;
    list = crm_addresses(v->ctx, id, &e);
    if (!list)
        view_failed(v, &e);
    json_array_foreach((json_t *)list, i, a)
        if (!strcmp(json_get_str(a, "channel", ""), channel))
            return a;
    return NULL;
}

void crm_read_address(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    bool value = !strcmp(f->key, "email") || !strcmp(f->key, "phone");
    const json_t *a, *old;
    if (value && v->at != VIEW_NOW &&
        crm_log_value_at(v->ctx, CRM_CONTACT, v->target.contact, f->key, v->at, &old)) {
        out_text(out, json_string_value(old));
        return;
    }
    a = view_address(v, value ? f->key : "email");
    if (a && value)
        out_text(out, json_get_str(a, "value", NULL));
    else if (a)
        out_num(out, json_get_int(a, f->key, 0) != 0);
}

/* Of the addresses that count, as they are now, also for who asks what was: the ledger's rows
 * are no changes of a record. */
void crm_read_consents(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    static const char *const channels[] = {"email", "phone"};
    json_t *words = json_array();
    struct err e = {0};
    (void)f;
    json_array_append_new(v->ctx->strings, words);
    for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
        const json_t *a = view_address(v, channels[i]);
        if (a && !json_get_int(a, "opted_out_ms", 0) &&
            consent_words(v->ctx->crm->db, channels[i], json_get_str(a, "value", ""), words, &e) < 0)
            view_failed(v, &e);
    }
    out_list(v, out, words);
}

void crm_read_domain(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    const json_t *a = view_address(v, f->key);
    const char *at = a ? strrchr(json_get_str(a, "value", ""), '@') : NULL;
    if (at)
        out_text(out, at + 1);
}

/* Did the record count for `of` at that moment (VIEW_NOW)? As the query says it. */
static bool count_has(const struct crm_view *v, const struct related *r, int64_t of,
                      const struct crm_change *c, size_t at)
{
    struct err e = {0};
    const json_t *rec = crm_record_any(v->ctx, c->entity, c->id, &e), *val[4];
    const char *keys[4] = {r->parent, "deleted_ms", r->where[0].col, r->where[1].col};
    if (!rec) {
        view_failed(v, &e);
        return false;
    }
    if (at != VIEW_NOW && crm_log_created_after(v->ctx, c->entity, c->id, at))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i] && (at == VIEW_NOW || !crm_log_value_at(v->ctx, c->entity, c->id, keys[i], at,
                                                            &val[i])))
            val[i] = json_object_get(rec, keys[i]);
    if (json_integer_value(val[0]) != of || val[1])
        return false;
    for (size_t i = 0; i < ARRAY_LEN(r->where); i++)
        if (r->where[i].col &&
            !strcmp(json_string_value(val[i + 2]), r->where[i].value) == r->where[i].other)
            return false; /* columns that cannot be NULL */
    return true;
}

/* By how much the count is higher now than at the view's moment: only records that
 * changed since make a difference, each once. */
static int64_t count_since(const struct crm_view *v, const struct related *r, int64_t of)
{
    const struct crm_change *log = v->ctx->log;
    enum crm_entity t = crm_entity_parse(r->child);
    int64_t more = 0;
    for (size_t i = v->at; i < v->ctx->log_count; i++) {
        size_t first = v->at;
        while (log[first].entity != log[i].entity || log[first].id != log[i].id)
            first++;
        if (log[i].entity == t && first == i)
            more += count_has(v, r, of, &log[i], VIEW_NOW) - count_has(v, r, of, &log[i], v->at);
    }
    return more;
}

void crm_read_count(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    int64_t id, n;
    struct err e = {0};
    if (!view_record(v, f->entity, &id))
        return;
    const struct related *r = related_find(f->name);
    LEADD_ASSERT(r);
    if (related_count(v->ctx->crm->db, r, id, &n, &e) < 0)
        view_failed(v, &e);
    else
        out_num(out, v->at == VIEW_NOW ? n : n - count_since(v, r, id));
}

/* As it is now, also for who asks what it was: that is in sequence.begun and .ended. */
void crm_read_sequence(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    int64_t id;
    struct err e = {0};
    if (!view_record(v, f->entity, &id))
        return;
    json_t *names = f->entity == CRM_CONTACT
                        ? enrolment_names_of_contact(v->ctx->crm->db, id, &e)
                        : enrolment_names_of_record(v->ctx->crm->db, crm_entity_name(f->entity), id, &e);
    if (!names) {
        view_failed(v, &e);
        return;
    }
    json_array_append_new(v->ctx->strings, names);
    out_list(v, out, names);
}

void crm_read_owner(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    static const enum crm_entity order[] = {CRM_LEAD, CRM_CASE, CRM_DEAL};
    const json_t *owner = v->target.main == CRM_CASE ? view_value(v, CRM_CASE, "owner") : NULL;
    if (v->target.main == CRM_TASK)
        owner = view_value(v, CRM_TASK, "owner");
    for (size_t i = 0; i < ARRAY_LEN(order) && !owner; i++)
        owner = view_value(v, order[i], "owner");
    const char *name = json_string_value(owner);
    const json_t *user = name ? crm_user(v->ctx->crm, name) : NULL;
    if (!strcmp(f->key, "id"))
        out_text(out, name);
    else if (user)
        out_text(out, json_get_str(user, f->key, NULL));
}

void crm_read_actor(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    if (!v->actor)
        return;
    const json_t *user = v->actor->kind == CRM_BY_USER ? crm_user(v->ctx->crm, v->actor->name) : NULL;
    if (!strcmp(f->key, "kind"))
        out_text(out, crm_actor_kind_name(v->actor->kind));
    else if (!strcmp(f->key, "full"))
        out_text(out, json_get_str(user, "name", v->actor->name));
    else
        out_text(out, v->actor->name);
}

static void read_addresses(const struct crm_view *v, const json_t *list, struct rule_value *out)
{
    json_t *folded = json_array();
    const json_t *a;
    size_t i;
    json_array_foreach((json_t *)list, i, a) {
        const char *s = json_get_str(a, "folded", json_get_str(a, "address", NULL));
        if (s)
            json_array_append_new(folded, json_string(s));
    }
    json_array_append_new(v->ctx->strings, folded);
    out_list(v, out, folded);
}

/* What the words of a mail say; false when key is none of that. Nothing proves it. */
static bool read_words(const json_t *m, const char *key, struct rule_value *out)
{
    const json_t *facts = json_get_obj(m, "signature_facts");
    const json_t *from = json_get_obj(json_get_obj(m, "forward"), "from");
    if (!strcmp(key, "phone"))
        out_text(out, json_string_value(json_array_get(json_get_arr(facts, "phones"), 0)));
    else if (!strcmp(key, "title"))
        out_text(out, json_get_str(facts, "title", NULL));
    else if (!strcmp(key, "forwarded_from"))
        out_text(out, json_get_str(from, "folded", NULL));
    else
        return false;
    return true;
}

void crm_read_message(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    const json_t *m = v->ctx->message, *from = json_get_obj(m, "from"), *val;
    const char *key = f->key;
    if (!m || read_words(m, key, out))
        return;
    const char *dot = strchr(key, '.');
    char outer[16];
    snprintf(outer, sizeof(outer), "%.*s", dot ? (int)(dot - key) : 0, key);
    val = json_object_get(dot ? json_get_obj(m, outer) : m, dot ? dot + 1 : key);
    if (!strcmp(key, "from"))
        out_text(out, json_get_str(from, "folded", json_get_str(from, "address", NULL)));
    else if (!strcmp(key, "from_name"))
        out_text(out, json_get_str(from, "name", NULL));
    else if (!strcmp(key, "source"))
        out_text(out, v->ctx->source);
    else if (!strcmp(key, "in_reply_to"))
        out_num(out, json_array_size(val) > 0);
    else if (f->type == RULE_TYPE_LIST)
        read_addresses(v, val, out);
    else if (json_is_array(val))
        out_num(out, (int64_t)json_array_size(val));
    else
        out_json(f, val, out);
}

void crm_read_duplicate(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    const struct crm_twin *twin = &v->ctx->twin;
    const json_t *lead;
    struct err e = {0};
    if (!twin->other)
        return;
    if (!strcmp(f->key, "why"))
        out_text(out, twin->why);
    else if (!strcmp(f->key, "contact"))
        out_text(out, cmd_id(v->ctx, CRM_CONTACT, twin->other));
    else if (!twin->lead)
        return;
    else if (!strcmp(f->key, "lead"))
        out_text(out, cmd_id(v->ctx, CRM_LEAD, twin->lead));
    else if ((lead = crm_record(v->ctx, CRM_LEAD, twin->lead, &e)) != NULL)
        out_text(out, json_get_str(lead, "owner", NULL));
    else
        view_failed(v, &e);
}

void crm_read_form(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    out_text(out, json_get_str(v->ctx->form, f->key, NULL));
}

void crm_read_unsubscribe(const struct crm_view *v, const struct crm_field *f,
                          struct rule_value *out)
{
    (void)f;
    out_text(out, v->ctx->unsubscribe);
}

void crm_read_now(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    (void)f;
    out_num(out, v->ctx->now_ms);
}

void crm_read_open(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    (void)f;
    if (v->ctx->crm->calendar)
        out_num(out, calendar_open_at(v->ctx->crm->calendar, v->ctx->now_ms));
}

void crm_read_setting(const struct crm_view *v, const struct crm_field *f, struct rule_value *out)
{
    out_text(out, crm_setting(v->ctx->crm, f->key, NULL));
}

void crm_view_get(void *facts, int field, struct rule_value *out)
{
    const struct crm_view *v = facts;
    const struct crm_field *f = crm_fieldset_get(v->ctx->crm->fieldset, field);
    if (f)
        f->read(v, f, out);
}

/* ---- a message, read again ------------------------------------------------- */

void crm_message_again(struct crm_ctx *ctx, const json_t *stored)
{
    const char *form = json_get_str(stored, "form", NULL);
    ctx->message = stored;
    if (!form || strcmp(json_get_str(stored, "channel", ""), "form") != 0)
        return;
    ctx->form = json_get_obj(stored, "fields");
    json_t *m = crm_form_message(ctx->crm, form, ctx->form,
                                 json_get_arr(stored, "attachments"));
    json_array_append_new(ctx->strings, m);
    ctx->message = m;
}

void crm_message_value(struct crm_ctx *ctx, int field, struct rule_value *out)
{
    struct crm_view v = {.ctx = ctx, .at = VIEW_NOW};
    if (crm_field_is_of_message(crm_fieldset_get(ctx->crm->fieldset, field)))
        crm_view_get(&v, field, out);
}

bool crm_kept_with_message(void *arg, int field)
{
    const struct crm_ctx *ctx = arg;
    return ctx->message && crm_field_is_of_message(crm_fieldset_get(ctx->crm->fieldset, field));
}

/* ---- for the matcher ----------------------------------------------------- */

struct crm_facts {
    struct crm_view now, before, event;
    struct crm_actor actor;
    struct rule_facts rule;
};

struct crm_facts *crm_facts_new(struct crm_ctx *ctx, const struct crm_event *ev)
{
    struct crm_facts *f = mem_alloc(sizeof(*f));
    int64_t id = crm_target_id(&ev->target, ev->entity);
    f->actor = ev->actor;
    f->now = (struct crm_view){ctx, ev->target, VIEW_NOW, &f->actor};
    f->before = f->event = f->now;
    f->before.at = ev->before;
    f->event.at = ev->after;
    f->rule = (struct rule_facts){
        .get = crm_view_get, .now = &f->now, .before = &f->before, .event = &f->event};
    /* a record that did not exist was never in any state; what came into being
     * in an earlier event of the same command is looked at as it was then */
    if (id && ev->before < ev->after && crm_log_created_after(ctx, ev->entity, id, ev->before))
        f->rule.before = NULL;
    return f;
}

const struct rule_facts *crm_facts_rule(const struct crm_facts *f)
{
    return &f->rule;
}

void crm_facts_free(struct crm_facts **f)
{
    mem_free(*f);
    *f = NULL;
}
