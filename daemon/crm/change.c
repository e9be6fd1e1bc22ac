/* SPDX-License-Identifier: ISC
 *
 * change - the one way a record is created or changed
 *
 * Writes the store, keeps the record in the context up to date, remembers the
 * old value (for rules that fire when something turns true, and for undo), and
 * adds the change to the running command's entry. Values that are personal go
 * beside the journal (ctx->personal), where erasure reaches them; the entry has a
 * reference only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/consent.h"
#include "crm/ctx.h"
#include "store/activity.h"
#include "store/case.h"
#include "store/consent.h"
#include "store/contact.h"
#include "store/deal.h"
#include "store/lead.h"
#include "store/merged.h"
#include "store/task.h"

bool crm_change_is_personal(enum crm_entity t, const char *field)
{
    size_t n = strlen(field);
    if (text_starts(field, "custom.") || !strcmp(field, "subject") || !strcmp(field, "title") ||
        !strcmp(field, "text") || !strcmp(field, "closed_reason") || !strcmp(field, "lost_reason"))
        return true;
    if (t == CRM_CONTACT)
        return !(n > 3 && !strcmp(field + n - 3, "_ms")) && strcmp(field, "created") &&
               strcmp(field, "company_id") && strcmp(field, "merged") &&
               !text_starts(field, "tags.");
    return (t == CRM_COMPANY || t == CRM_DEAL) && !strcmp(field, "name");
}

/* before and after are borrowed. */
static int change_log(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
                      const json_t *before, const json_t *after, struct err *e)
{
    LEADD_ASSERT(ctx->in_op);
    if (ctx->log_count >= CRM_LOG_MAX)
        return err_set(e, ERR_PERM, "more than %d changes from one input", CRM_LOG_MAX);
    if (ctx->log_count == ctx->log_cap) {
        ctx->log_cap = ctx->log_cap ? ctx->log_cap * 2 : 16;
        ctx->log = mem_grow(ctx->log, ctx->log_cap * sizeof(*ctx->log));
    }
    ctx->log[ctx->log_count++] = (struct crm_change){
        t, id, crm_keep_str(ctx, field), json_incref((json_t *)before),
        json_incref((json_t *)after)};

    json_t *entry = json_object();
    char of[CRM_ID_LEN];
    if (t == CRM_NONE)
        json_put_str(entry, "e", "address");
    else
        json_put_str(entry, "of", crm_id_format(t, id, of));
    bool created = !strcmp(field, "created");
    if (!created) /* an entry without a field says that the record was made */
        json_put_str(entry, "f", field);
    json_t *values = entry;
    if (t == CRM_NONE || crm_change_is_personal(t, field)) {
        char key[24];
        snprintf(key, sizeof(key), "%zu", ctx->log_count - 1);
        json_put_str(entry, "p", key);
        values = json_object();
        json_object_set_new(ctx->personal, key, values);
    }
    if (before)
        json_object_set(values, "old", (json_t *)before);
    if (after && !created)
        json_object_set(values, "new", (json_t *)after);
    json_array_append_new(json_object_get(ctx->op, "changes"), entry);
    return 0;
}

static void object_put(json_t *o, const char *key, const json_t *v)
{
    if (v)
        json_object_set(o, key, (json_t *)v);
    else
        json_object_del(o, key);
}

static int change_column(struct crm_ctx *ctx, enum crm_entity t, int64_t id, json_t *rec,
                         const char *field, const json_t *after, struct err *e)
{
    const json_t *before = json_object_get(rec, field);
    if (before == after || (before && after && json_equal(before, after)))
        return 0;
    if (record_set(ctx->crm->db, crm_table(t), id, field, after, ctx->now_ms, e) < 0 ||
        change_log(ctx, t, id, field, before, after, e) < 0)
        return -1;
    object_put(rec, field, after);
    if (t == CRM_DEAL)
        json_object_clear(ctx->deals);
    return 0;
}

static int change_custom(struct crm_ctx *ctx, enum crm_entity t, int64_t id, json_t *rec,
                         const char *field, const json_t *after, struct err *e)
{
    const char *name = field + strlen("custom.");
    const json_t *old = json_get_obj(rec, "custom"), *before = json_object_get(old, name);
    if (before == after || (before && after && json_equal(before, after)))
        return 0;
    AUTO_JSON json_t *custom = old ? json_copy((json_t *)old) : json_object();
    object_put(custom, name, after);
    if (record_set(ctx->crm->db, crm_table(t), id, "custom",
                   json_object_size(custom) ? custom : NULL, ctx->now_ms, e) < 0 ||
        change_log(ctx, t, id, field, before, after, e) < 0)
        return -1;
    object_put(rec, "custom", custom);
    return 0;
}

static int change_tag(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
                      bool on, struct err *e)
{
    const char *tag = field + strlen("tags.");
    const json_t *list = crm_tags(ctx, t, id, e), *v;
    size_t i, at = SIZE_MAX;
    if (!list)
        return -1;
    json_array_foreach((json_t *)list, i, v)
        if (!strcmp(json_string_value(v), tag))
            at = i;
    if (on == (at != SIZE_MAX))
        return 0;
    if (tag_set(ctx->crm->db, crm_entity_name(t), id, tag, on, ctx->now_ms, e) < 0 ||
        change_log(ctx, t, id, field, on ? NULL : json_true(), on ? json_true() : NULL, e) < 0)
        return -1;
    if (on)
        json_array_append_new((json_t *)list, json_string(tag));
    else {
        json_array_append(ctx->strings, json_array_get(list, at));
        json_array_remove((json_t *)list, at);
    }
    return 0;
}

/* The contact's email or phone: the address row moves, its state stays with it. */
static int change_contact_address(struct crm_ctx *ctx, int64_t id, const char *field,
                                  const json_t *after, struct err *e)
{
    const char *to = json_string_value(after), *was = NULL;
    char key[CRM_ID_LEN];
    AUTO_JSON json_t *row = NULL;
    const json_t *list = crm_addresses(ctx, id, e), *a;
    size_t i;
    if (!list)
        return -1;
    json_array_foreach((json_t *)list, i, a)
        if (!was && !strcmp(json_get_str(a, "channel", ""), field))
            was = json_get_str(a, "value", NULL);
    if ((was && to && !strcmp(was, to)) || (!was && !to))
        return 0;
    if (to) {
        if (address_get(ctx->crm->db, field, to, &row, e) < 0)
            return -1;
        int64_t holder = json_get_int(row, "contact_id", 0);
        if (holder && holder != id)
            return err_set(e, ERR_INPUT, "this %s belongs to %s already", field,
                           crm_id_format(CRM_CONTACT, holder, key));
    }
    AUTO_JSON json_t *before = was ? json_string(was) : NULL;
    /* the newest address is the one that counts: it must be newer than the others */
    int64_t since = ctx->now_ms;
    json_array_foreach((json_t *)list, i, a)
        if (json_get_int(a, "created_ms", 0) >= since)
            since = json_get_int(a, "created_ms", 0) + 1;
    if (address_put(ctx->crm->db, field, to ? to : was, to ? to : was, to ? id : 0, since, e) < 0)
        return -1;
    if (change_log(ctx, CRM_CONTACT, id, field, before, after, e) < 0)
        return -1;
    json_array_append(ctx->strings, (json_t *)list); /* borrowed strings stay alive */
    json_object_del(ctx->addresses, crm_id_format(CRM_CONTACT, id, key));
    return 0;
}

/* Which record it became: "C12". */
static int change_merged(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const json_t *after,
                         struct err *e)
{
    enum crm_entity same;
    int64_t was, into = 0;
    char key[CRM_ID_LEN];
    if (after && (crm_id_parse(json_string_value(after), &same, &into) < 0 || same != t))
        return err_set(e, ERR_BUG, "merged into something else");
    if (merged_get(ctx->crm->db, crm_entity_name(t), id, &was, e) < 0)
        return -1;
    if (was == into)
        return 0;
    AUTO_JSON json_t *before = was ? json_string(crm_id_format(t, was, key)) : NULL;
    if (merged_set(ctx->crm->db, crm_entity_name(t), id, into, ctx->now_ms, e) < 0)
        return -1;
    return change_log(ctx, t, id, "merged", before, after, e);
}

static void forget_addresses(struct crm_ctx *ctx)
{
    json_array_append(ctx->strings, ctx->addresses); /* borrowed strings stay alive */
    json_decref(ctx->addresses);
    ctx->addresses = json_object();
}

static int move_log(struct crm_ctx *ctx, const char *channel, const char *value,
                    const int64_t was[2], const int64_t now[2], struct err *e)
{
    static const char form[] = "{s:s, s:s, s:I, s:I}";
    AUTO_JSON json_t *before = json_pack(form, "channel", channel, "value", value, "contact",
                                         (json_int_t)was[0], "since", (json_int_t)was[1]);
    AUTO_JSON json_t *after = json_pack(form, "channel", channel, "value", value, "contact",
                                        (json_int_t)now[0], "since", (json_int_t)now[1]);
    forget_addresses(ctx);
    return change_log(ctx, CRM_NONE, 0, "contact", before, after, e);
}

int crm_move_address(struct crm_ctx *ctx, const char *channel, const char *value, int64_t to,
                     int64_t since_ms, struct err *e)
{
    AUTO_JSON json_t *row = NULL;
    struct db *db = ctx->crm->db;
    if (address_get(db, channel, value, &row, e) < 0)
        return -1;
    int64_t was[2] = {json_get_int(row, "contact_id", 0), json_get_int(row, "created_ms", since_ms)};
    int64_t now[2] = {to, since_ms};
    if (was[0] == to && was[1] == since_ms)
        return 0;
    if ((row ? merged_address(db, channel, value, to, since_ms, e)
             : address_put(db, channel, value, value, to, since_ms, e)) < 0)
        return -1;
    return move_log(ctx, channel, value, was, now, e);
}

int crm_change(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
               const json_t *after, struct err *e)
{
    json_t *rec = crm_record_any(ctx, t, id, e);
    if (!rec)
        return -1;
    if (json_is_null(after))
        after = NULL;
    if (text_starts(field, "custom."))
        return change_custom(ctx, t, id, rec, field, after, e);
    if (text_starts(field, "tags."))
        return change_tag(ctx, t, id, field, json_is_true(after), e);
    if (t == CRM_CONTACT && (!strcmp(field, "email") || !strcmp(field, "phone")))
        return change_contact_address(ctx, id, field, after, e);
    if (!strcmp(field, "merged"))
        return change_merged(ctx, t, id, after, e);
    return change_column(ctx, t, id, rec, field, after, e);
}

int crm_change_str(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
                   const char *after, struct err *e)
{
    AUTO_JSON json_t *v = after ? json_string(after) : NULL;
    if (after && !v)
        return err_set(e, ERR_INPUT, "%s: the text is not UTF-8", field);
    return crm_change(ctx, t, id, field, v, e);
}

int crm_change_int(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
                   int64_t after, struct err *e)
{
    AUTO_JSON json_t *v = json_integer(after);
    return crm_change(ctx, t, id, field, v, e);
}

int crm_change_address(struct crm_ctx *ctx, const char *channel, const char *value,
                       const char *field, int64_t at_ms, const char *reason, struct err *e)
{
    enum address_state state = !strcmp(field, "opted_out")  ? ADDRESS_OPTED_OUT
                               : !strcmp(field, "bouncing") ? ADDRESS_BOUNCING
                                                            : ADDRESS_VERIFIED;
    char column[24];
    AUTO_JSON json_t *row = NULL;
    snprintf(column, sizeof(column), "%s_ms", field);
    if (address_get(ctx->crm->db, channel, value, &row, e) < 0)
        return -1;
    int64_t was = json_get_int(row, column, 0);
    /* a second opt-out is a request of its own: undo of the first must not pass it */
    bool again = state == ADDRESS_OPTED_OUT && was != 0 && at_ms > was;
    if ((was != 0) == (at_ms != 0) && !again)
        return 0;
    AUTO_JSON json_t *before = json_pack("{s:s, s:s, s:I}", "channel", channel, "value", value,
                                         "at", was);
    AUTO_JSON json_t *after = json_pack("{s:s, s:s, s:I, s:s?}", "channel", channel, "value",
                                        value, "at", at_ms, "reason", reason);
    if (address_set_state(ctx->crm->db, channel, value, state, at_ms, reason, ctx->now_ms, e) < 0)
        return -1;
    forget_addresses(ctx);
    if (state == ADDRESS_OPTED_OUT && crm_consent_note(ctx, channel, value, at_ms == 0, reason, e) < 0)
        return -1;
    return change_log(ctx, CRM_NONE, 0, field, before, after, e);
}

int crm_change_list(struct crm_ctx *ctx, const char *value, const char *list, bool left,
                    const char *reason, struct err *e)
{
    int64_t was, now;
    bool before_left, after_left;
    struct db *db = ctx->crm->db;
    AUTO_FREE char *sender = crm_list_sender(list);
    struct crm_consent c = {.source = crm_actor_text(ctx, &ctx->op_actor), .words = reason};
    if (ctx->consent)
        c = *ctx->consent;
    c.sender = sender;
    if (consent_last(db, "email", value, sender, &was, &before_left, e) < 0)
        return -1;
    /* a second withdrawal is one of its own: undo of the first must not pass it */
    if (was && !left && !before_left)
        return 0;
    if (crm_consent_add(ctx, "email", value, !left, true, &c, e) < 0 ||
        consent_last(db, "email", value, sender, &now, &after_left, e) < 0)
        return -1;
    AUTO_JSON json_t *before = json_pack("{s:s, s:s, s:b}", "value", value, "list", list, "left",
                                         (int)before_left);
    AUTO_JSON json_t *after = json_pack("{s:s, s:s, s:b, s:I, s:s?}", "value", value, "list", list,
                                        "left", (int)left, "row", (json_int_t)now, "reason", reason);
    return change_log(ctx, CRM_NONE, 0, "list", before, after, e);
}

static int record_insert(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec,
                         int64_t *id_out, struct err *e)
{
    struct db *db = ctx->crm->db;
    switch (t) {
    case CRM_LEAD:
        return lead_add(db, rec, ctx->now_ms, id_out, e);
    case CRM_CONTACT:
        return contact_add(db, rec, ctx->now_ms, id_out, e);
    case CRM_COMPANY:
        return company_add(db, rec, ctx->now_ms, id_out, e);
    case CRM_DEAL:
        return deal_add(db, rec, ctx->now_ms, id_out, e);
    case CRM_CASE:
        return case_add(db, rec, ctx->now_ms, id_out, e);
    case CRM_ACTIVITY:
        return activity_add(db, rec, ctx->now_ms, id_out, e);
    case CRM_TASK:
        return task_add(db, rec, ctx->now_ms, id_out, e);
    case CRM_NONE:
    case CRM_ENTITY_COUNT:
        break;
    }
    return err_set(e, ERR_BUG, "no such entity");
}

int crm_create(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec, int64_t *id_out,
               struct err *e)
{
    int64_t id;
    char name[40];
    if (record_insert(ctx, t, rec, &id, e) < 0)
        return -1;
    if (t == CRM_DEAL)
        json_object_clear(ctx->deals);
    crm_is_new(ctx, t, id);
    if (change_log(ctx, t, id, "created", NULL, json_true(), e) < 0)
        return -1;
    if (t != CRM_ACTIVITY) {
        snprintf(name, sizeof(name), "%s.created", crm_entity_name(t));
        crm_op_event(ctx, name, t, id);
    }
    *id_out = id;
    return 0;
}
