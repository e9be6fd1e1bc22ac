/* SPDX-License-Identifier: ISC
 *
 * happening - see happening.h
 */
#include "crm/happening.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/form.h"
#include "crm/source_map.h"
#include "store/happening.h"

#define EXT_MAX 160

/* ---- a source as a form --------------------------------------------------------------- */

char *crm_source_form(const char *source)
{
    return mem_printf("source:%s", source);
}

static void form_field(json_t *fields, const char *to)
{
    json_object_set_new(fields, to, json_pack("{s:s}", "to", to));
}

static void form_more(json_t *fields, const json_t *group)
{
    const char *path;
    json_t *row;
    json_object_foreach(json_get_obj(group, "fields"), path, row)
        form_field(fields, json_get_str(row, "to", ""));
}

json_t *crm_source_forms(const json_t *config)
{
    static const char *const always[] = {"contact.email", "contact.phone",   "contact.name",
                                         "company.name",  "message.subject", "message.text"};
    json_t *forms = json_object(), *conf, *event;
    const char *name, *key;
    json_object_foreach(json_get_obj(config, "sources"), name, conf) {
        AUTO_FREE char *form = crm_source_form(name);
        json_t *fields = json_object();
        for (size_t i = 0; i < ARRAY_LEN(always); i++)
            form_field(fields, always[i]);
        form_more(fields, conf);
        json_object_foreach(json_get_obj(conf, "events"), key, event)
            form_more(fields, event);
        json_object_set_new(forms, form, json_pack("{s:o, s:s}", "fields", fields, "source", name));
    }
    return forms;
}

/* ---- the message ---------------------------------------------------------------------- */

json_t *crm_happening_message(const struct crm *crm, const char *source, const json_t *record)
{
    static const char *const parts[] = {"order", "call", "visit"};
    const char *activity = source_activity(json_get_str(record, "kind", ""));
    const json_t *values = json_get_obj(record, "values");
    AUTO_FREE char *form = crm_source_form(source);
    json_t *m = crm_form_message(crm, form, values, NULL);
    json_put_str(m, "channel", activity);
    json_put_str(m, "form", form);
    json_object_set(m, "fields", (json_t *)values);
    json_put_str(m, "event", json_get_str(record, "kind", ""));
    /* what the timeline calls it, where nobody gave it a subject */
    if (!json_object_get(m, "subject"))
        json_put_str(m, "subject", json_get_str(record, "title", NULL));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (json_object_get(record, parts[i]))
            json_object_set(m, parts[i], json_object_get(record, parts[i]));
    if (json_array_size(json_get_arr(record, "defects")))
        json_object_set(m, "defects", json_object_get(record, "defects"));
    return m;
}

/* ---- its row ---------------------------------------------------------------------------- */

static const char *ext_of(const json_t *record)
{
    const char *ext = json_get_str(record, "id", NULL);
    return ext && strlen(ext) <= EXT_MAX ? ext : NULL;
}

static void row_amount(struct happening_row *row, const json_t *order)
{
    const json_t *amount = json_get_obj(order, "amount"), *back = json_get_obj(order, "refunded");
    if (amount)
        row->amount = json_get_int(amount, "amount", 0);
    if (back)
        row->refunded = json_get_int(back, "amount", 0);
    if (amount || back)
        snprintf(row->currency, sizeof(row->currency), "%s",
                 json_get_str(amount ? amount : back, "currency", ""));
}

/* Orders, and what has a name of its own. was: what is known of it. */
static int row_put(struct crm_ctx *ctx, const struct crm_happening *h,
                   const struct happening_row *was, int64_t activity, struct err *e)
{
    const char *kind = json_get_str(h->record, "kind", ""), *ext = ext_of(h->record);
    const json_t *order = json_get_obj(h->record, "order");
    char own[48];
    struct happening_row row = *was;
    if (!ext && !order)
        return 0;
    snprintf(own, sizeof(own), "A%lld", (long long)activity); /* an order without a name */
    row.source = h->source;
    row.ext = ext ? ext : own;
    row.activity_id = activity;
    row.at_ms = was->id ? was->at_ms : h->at_ms;
    row.number = json_get_str(order, "number", ext);
    row.items = json_get_str(order, "items", NULL);
    snprintf(row.state, sizeof(row.state), "%s", kind);
    row_amount(&row, order);
    return happening_put(ctx->crm->db, &row, e);
}

/* ---- what is said first, and what later ---------------------------------------------------- */

static bool is_calm(const char *activity)
{
    return !strcmp(activity, "order") || !strcmp(activity, "call") || !strcmp(activity, "visit");
}

static int take_first(struct crm_ctx *ctx, const struct crm_happening *h, struct crm_who *out,
                      struct err *e)
{
    const char *kind = json_get_str(h->record, "kind", ""), *activity = source_activity(kind);
    const json_t *values = json_get_obj(h->record, "values");
    bool known_by = json_object_get(values, "contact.email") || json_object_get(values, "contact.phone");
    AUTO_FREE char *form = crm_source_form(h->source);
    struct crm_input in = {
        .kind = activity,
        .form = form,
        .fields = values,
        .creates = known_by ? h->creates : "nothing", /* else nobody could be answered */
        .message_id = h->message_id,
        .at_ms = h->at_ms,
        .event = source_event(kind),
        .calm = is_calm(activity),
        .direction = json_get_str(h->record, "direction", "in"),
        .title = json_get_str(h->record, "title", NULL),
        .message = h->message,
    };
    return crm_receive(ctx, &in, out, e);
}

/* It is on the timeline already: its words are those of the newest state. */
static int change_activity(struct crm_ctx *ctx, const struct crm_happening *h, int64_t activity,
                           struct crm_who *out, struct err *e)
{
    const char *kind = json_get_str(h->record, "kind", "");
    struct crm_actor actor = crm_system;
    crm_set_message(ctx, h->message);
    ctx->source = h->source;
    *out = (struct crm_who){.kind = CRM_WHO_CONTACT, .channel = "email"};
    if (crm_target_of(ctx, CRM_ACTIVITY, activity, &out->target, e) < 0)
        return -1;
    crm_op_begin(ctx, "file", false, &actor);
    if (crm_change_str(ctx, CRM_ACTIVITY, activity, "text", json_get_str(h->record, "title", NULL), e) < 0 ||
        crm_change_str(ctx, CRM_ACTIVITY, activity, "direction",
                       json_get_str(h->record, "direction", "in"), e) < 0) {
        crm_op_failed(ctx, e);
        return -1;
    }
    crm_emit(ctx, source_event(kind), &out->target, &actor);
    return crm_op_end(ctx, NULL, e);
}

/* Somebody of ours has spoken with the lead. */
static int spoken(struct crm_ctx *ctx, const struct crm_happening *h, const struct crm_target *t,
                  struct err *e)
{
    const json_t *call = json_get_obj(h->record, "call");
    struct crm_actor actor = crm_system;
    if (!h->proven || strcmp(json_get_str(h->record, "kind", ""), "call.ended") ||
        json_get_int(call, "duration", 0) <= 0 || (!t->lead && !t->kase))
        return 0;
    crm_op_begin(ctx, "file", false, &actor);
    if (crm_mark_contacted(ctx, t, e) == 0)
        return crm_op_end(ctx, NULL, e);
    crm_op_failed(ctx, e);
    return -1;
}

static int is_alive(struct crm_ctx *ctx, int64_t activity, bool *out, struct err *e)
{
    struct err gone = {0};
    *out = activity && crm_record(ctx, CRM_ACTIVITY, activity, &gone) != NULL;
    if (*out || !activity || gone.cls == ERR_INPUT)
        return 0;
    *e = gone;
    return -1;
}

int crm_happening_take(struct crm_ctx *ctx, const struct crm_happening *h, struct crm_who *out,
                       const char **ignored_out, struct err *e)
{
    const char *kind = json_get_str(h->record, "kind", ""), *ext = ext_of(h->record);
    struct happening_row row = {0};
    bool alive = false;
    *ignored_out = NULL;
    if (ext && (happening_find(ctx->crm->db, h->source, ext, &row, e) < 0 ||
                is_alive(ctx, row.activity_id, &alive, e) < 0))
        return -1;
    if (row.id && source_rank(kind) < source_rank(row.state)) {
        *ignored_out = "something later is known of it";
        return 0;
    }
    int rc = alive ? change_activity(ctx, h, row.activity_id, out, e) : take_first(ctx, h, out, e);
    if (rc == 0 && !out->target.activity)
        *ignored_out = "nobody known, and the source creates nobody";
    if (rc == 0 && out->target.activity)
        rc = row_put(ctx, h, &row, out->target.activity, e);
    return rc < 0 ? -1 : spoken(ctx, h, &out->target, e);
}
