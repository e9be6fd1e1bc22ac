/* SPDX-License-Identifier: ISC
 *
 * ctx - one input: its memory, its records, and the frame of a command
 *
 * See ctx.h. Changing and creating is in change.c.
 */
#include "crm/ctx.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/contact.h"
#include "store/deal.h"

const struct crm_actor crm_system = {CRM_BY_SYSTEM, "system", NULL};

const char *crm_actor_kind_name(enum crm_actor_kind k)
{
    static const char *const names[] = {"system", "rule", "user", "operator", "contact"};
    return (size_t)k < ARRAY_LEN(names) ? names[k] : "?";
}

bool crm_actor_is_human(const struct crm_actor *a)
{
    return a->kind == CRM_BY_USER || a->kind == CRM_BY_OPERATOR;
}

struct crm_ctx *crm_begin(struct crm *crm, const struct crm_hooks *hooks, int64_t now_ms)
{
    struct crm_ctx *ctx = mem_alloc(sizeof(*ctx));
    if (crm->absences_stale) {
        json_decref(crm->absences);
        crm->absences = NULL;
        crm->absences_stale = false;
    }
    ctx->crm = crm;
    if (hooks)
        ctx->hooks = *hooks;
    ctx->now_ms = now_ms;
    ctx->records = json_object();
    ctx->addresses = json_object();
    ctx->tags = json_object();
    ctx->deals = json_object();
    ctx->commands = json_array();
    ctx->personal = json_object();
    ctx->strings = json_array();
    return ctx;
}

void crm_end(struct crm_ctx **p)
{
    struct crm_ctx *ctx = *p;
    *p = NULL;
    if (!ctx)
        return;
    for (size_t i = 0; i < ctx->log_count; i++) {
        json_decref(ctx->log[i].before);
        json_decref(ctx->log[i].after);
    }
    for (size_t i = 0; i < ctx->chunk_count; i++)
        mem_free(ctx->chunks[i]);
    mem_free(ctx->chunks);
    mem_free(ctx->log);
    json_decref(ctx->records);
    json_decref(ctx->addresses);
    json_decref(ctx->tags);
    json_decref(ctx->deals);
    json_decref(ctx->commands);
    json_decref(ctx->personal);
    json_decref(ctx->strings);
    mem_free(ctx);
}

const json_t *crm_commands(const struct crm_ctx *ctx)
{
    return ctx->commands;
}

const json_t *crm_personal(const struct crm_ctx *ctx)
{
    return ctx->personal;
}

int64_t crm_now(const struct crm_ctx *ctx)
{
    return ctx->now_ms;
}

void *crm_keep(struct crm_ctx *ctx, size_t n)
{
    if (ctx->chunk_count % 32 == 0)
        ctx->chunks = mem_grow(ctx->chunks, (ctx->chunk_count + 32) * sizeof(*ctx->chunks));
    ctx->chunks[ctx->chunk_count] = mem_alloc(n ? n : 1);
    return ctx->chunks[ctx->chunk_count++];
}

const char *crm_keep_str(struct crm_ctx *ctx, const char *s)
{
    if (!s)
        return NULL;
    size_t n = strlen(s) + 1;
    return memcpy(crm_keep(ctx, n), s, n);
}

/* ---- records ---------------------------------------------------------- */

json_t *crm_record_any(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct err *e)
{
    char key[CRM_ID_LEN];
    json_t *rec = NULL;
    if (t <= CRM_NONE || t >= CRM_ENTITY_COUNT || id <= 0) {
        err_set(e, ERR_INPUT, "there is no %s here", crm_entity_name(t) ? crm_entity_name(t) : "record");
        return NULL;
    }
    crm_id_format(t, id, key);
    rec = json_object_get(ctx->records, key);
    if (rec)
        return rec;
    if (record_get(ctx->crm->db, crm_table(t), id, &rec, e) < 0)
        return NULL;
    if (!rec) {
        err_set(e, ERR_INPUT, "there is no %s %s", crm_entity_name(t), key);
        return NULL;
    }
    json_object_set_new(ctx->records, key, rec);
    return rec;
}

json_t *crm_record(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct err *e)
{
    char key[CRM_ID_LEN];
    json_t *rec = crm_record_any(ctx, t, id, e);
    if (rec && json_object_get(rec, "deleted_ms")) {
        err_set(e, ERR_INPUT, "%s %s was deleted", crm_entity_name(t), crm_id_format(t, id, key));
        return NULL;
    }
    return rec;
}

const json_t *crm_addresses(struct crm_ctx *ctx, int64_t contact, struct err *e)
{
    char key[CRM_ID_LEN];
    crm_id_format(CRM_CONTACT, contact, key);
    json_t *list = json_object_get(ctx->addresses, key);
    if (list)
        return list;
    if (address_list(ctx->crm->db, contact, &list, e) < 0)
        return NULL;
    json_object_set_new(ctx->addresses, key, list);
    return list;
}

const json_t *crm_tags(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct err *e)
{
    char key[CRM_ID_LEN];
    crm_id_format(t, id, key);
    json_t *list = json_object_get(ctx->tags, key);
    if (list)
        return list;
    if (tag_list(ctx->crm->db, crm_entity_name(t), id, &list, e) < 0)
        return NULL;
    json_object_set_new(ctx->tags, key, list);
    return list;
}

void crm_is_new(struct crm_ctx *ctx, enum crm_entity t, int64_t id)
{
    char key[CRM_ID_LEN];
    crm_id_format(t, id, key);
    if (t == CRM_LEAD)
        json_object_set_new(ctx->deals, key, json_integer(0));
    if (t == CRM_CONTACT)
        json_object_set_new(ctx->addresses, key, json_array());
    if (t == CRM_LEAD || t == CRM_CONTACT || t == CRM_COMPANY)
        json_object_set_new(ctx->tags, key, json_array());
}

int crm_deal_of_lead(struct crm_ctx *ctx, int64_t lead, int64_t *out, struct err *e)
{
    char key[CRM_ID_LEN];
    int64_t id;
    crm_id_format(CRM_LEAD, lead, key);
    json_t *known = json_object_get(ctx->deals, key);
    if (known) {
        *out = json_integer_value(known);
        return 0;
    }
    if (deal_find(ctx->crm->db, lead, false, &id, e) < 0)
        return -1;
    json_object_set_new(ctx->deals, key, json_integer(id));
    *out = id;
    return 0;
}

/* ---- the frame of a command ------------------------------------------- */

void crm_op_begin(struct crm_ctx *ctx, const char *line, bool sealed,
                  const struct crm_actor *actor)
{
    LEADD_ASSERT(!ctx->in_op);
    char key[32];
    size_t word = strcspn(line, " \t");
    json_t *op = json_object();
    ctx->in_op = true;
    ctx->op = op;
    ctx->op_first = ctx->log_count;
    ctx->op_event_count = 0;
    ctx->op_actor = (struct crm_actor){actor->kind, crm_keep_str(ctx, actor->name),
                                       crm_keep_str(ctx, actor->at)};
    if (sealed && line[word]) {
        snprintf(key, sizeof(key), "line:%zu", json_array_size(ctx->commands));
        json_put_str(ctx->personal, key, line);
        json_object_set_new(op, "line", json_stringn(line, word));
        json_put_bool(op, "p", true);
    } else {
        json_put_str(op, "line", line);
    }
    json_put_str(op, "by", crm_actor_kind_name(actor->kind));
    if (strcmp(crm_actor_kind_name(actor->kind), actor->name) != 0) /* the system has no other */
        json_put_str(op, "actor", actor->name);
    if (actor->kind != CRM_BY_RULE) /* the rule set of that time knows where the rule stood */
        json_put_str(op, "at", actor->at);
    json_object_set_new(op, "changes", json_array());
    json_array_append_new(ctx->commands, op);
}

void crm_op_event(struct crm_ctx *ctx, const char *event, enum crm_entity t, int64_t id)
{
    const struct crm_event_row *row = crm_event_find(event);
    LEADD_ASSERT(row && ctx->in_op);
    if (ctx->op_event_count < CRM_OP_EVENTS)
        ctx->op_events[ctx->op_event_count++] = (struct crm_op_event){row, t, id};
}

/* Has an event about this record been announced by this command? */
static bool op_named(const struct crm_ctx *ctx, size_t upto, enum crm_entity t, int64_t id)
{
    for (size_t i = 0; i < upto; i++)
        if (ctx->op_events[i].entity == t && ctx->op_events[i].id == id &&
            ctx->op_events[i].row->changes)
            return true;
    return false;
}

static int op_announce(struct crm_ctx *ctx, const struct crm_op_event *ev, bool first,
                       struct err *e)
{
    struct crm_event out = {.name = ev->row->name,
                            .entity = ev->entity,
                            .actor = ctx->op_actor,
                            .before = first ? ctx->op_first : ctx->log_count,
                            .after = ctx->log_count};
    if (crm_target_of(ctx, ev->entity, ev->id, &out.target, e) < 0)
        return -1;
    if (ctx->hooks.event)
        ctx->hooks.event(ctx->hooks.arg, &out);
    return 0;
}

/* Records that changed without an event of their own: "lead.changed" and so on. */
static void op_name_changes(struct crm_ctx *ctx)
{
    for (size_t i = ctx->op_first; i < ctx->log_count; i++) {
        const struct crm_change *c = &ctx->log[i];
        char name[40];
        if (c->entity == CRM_NONE || c->entity == CRM_ACTIVITY ||
            op_named(ctx, ctx->op_event_count, c->entity, c->id))
            continue;
        snprintf(name, sizeof(name), "%s.changed", crm_entity_name(c->entity));
        crm_op_event(ctx, name, c->entity, c->id);
    }
}

int crm_op_end(struct crm_ctx *ctx, const char *result, struct err *e)
{
    op_name_changes(ctx);
    json_put_str(ctx->op, "result", result);
    ctx->in_op = false;
    for (size_t i = 0; i < ctx->op_event_count; i++) {
        const struct crm_op_event *ev = &ctx->op_events[i];
        if (op_announce(ctx, ev, !op_named(ctx, i, ev->entity, ev->id), e) < 0)
            return -1;
    }
    return 0;
}

void crm_op_failed(struct crm_ctx *ctx, struct err *e)
{
    if (e->cls == ERR_INPUT && ctx->log_count != ctx->op_first)
        e->cls = ERR_BUG; /* refused after something was changed: only a rollback helps */
    if (json_get_bool(ctx->op, "p", false)) {
        char key[32];
        snprintf(key, sizeof(key), "error:%zu", json_array_size(ctx->commands) - 1);
        json_put_str(ctx->personal, key, e->text);
        json_put_str(ctx->op, "error", "refused");
    } else {
        json_put_str(ctx->op, "error", e->text);
    }
    ctx->in_op = false;
}

void crm_emit(struct crm_ctx *ctx, const char *event, const struct crm_target *t,
              const struct crm_actor *actor)
{
    const struct crm_event_row *row = crm_event_find(event);
    LEADD_ASSERT(row);
    struct crm_event ev = {
        .name = row->name,
        .entity = row->entity,
        .target = *t,
        .actor = {actor->kind, crm_keep_str(ctx, actor->name), crm_keep_str(ctx, actor->at)},
        .before = ctx->log_count,
        .after = ctx->log_count};
    if (ctx->hooks.event)
        ctx->hooks.event(ctx->hooks.arg, &ev);
}

/* ---- looking back ------------------------------------------------------ */

bool crm_log_value_at(const struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
                      size_t at, const json_t **out)
{
    for (size_t i = at; i < ctx->log_count; i++) {
        const struct crm_change *c = &ctx->log[i];
        if (c->id == id && c->entity == t && !strcmp(c->field, field)) {
            *out = c->before;
            return true;
        }
    }
    return false;
}

bool crm_log_created_after(const struct crm_ctx *ctx, enum crm_entity t, int64_t id, size_t at)
{
    const json_t *before;
    return crm_log_value_at(ctx, t, id, "created", at, &before);
}

const char *crm_actor_text(struct crm_ctx *ctx, const struct crm_actor *a)
{
    char text[200];
    if (a->kind == CRM_BY_SYSTEM)
        return "system";
    snprintf(text, sizeof(text), "%s %s", crm_actor_kind_name(a->kind), a->name);
    return crm_keep_str(ctx, text);
}
