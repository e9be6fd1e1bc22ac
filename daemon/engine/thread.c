/* SPDX-License-Identifier: ISC
 *
 * thread - see thread.h
 */
#include "engine/thread.h"

#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "crm/address.h"
#include "crm/identity.h"
#include "engine/conversation.h"
#include "engine/token.h"
#include "store/contact.h"
#include "store/message.h"
#include "store/outbox.h"
#include "store/rewritten.h"

#define LOOKED_AT 20      /* References that are looked up */
#define PARTIES_LOOKED 40 /* mails of a record in which a sender is looked for */

bool thread_is_own(struct engine *eng, const json_t *message, char outbox_out[32])
{
    const json_t *h = json_get_obj(message, "token_headers");
    return token_find(eng->key, "own", json_get_str(h, "x-leadd-token", ""), outbox_out);
}

/* ---- what it says ----------------------------------------------------------------- */

/* What all places together say, the strongest first. */
struct saying {
    struct ours kinds[OURS_CONFIRM + 1]; /* the first of each kind; kind OURS_NONE: none */
    bool two; /* two different ones of a kind that decides where words go */
};

static void saying_add(struct saying *s, const struct ours *o)
{
    struct ours *had = &s->kinds[o->kind];
    if (o->kind == OURS_CONVERSATION && had->kind != OURS_NONE &&
        (had->entity != o->entity || had->id != o->id || had->message != o->message))
        s->two = true;
    if (had->kind == OURS_NONE)
        *had = *o;
}

static void saying_addresses(struct engine *eng, struct saying *s, const json_t *list,
                             const char *key)
{
    size_t i;
    json_t *v;
    struct ours o;
    json_array_foreach((json_t *)list, i, v)
        if (ours_read(eng, key ? json_get_str(v, key, NULL) : json_string_value(v), &o))
            saying_add(s, &o);
}

static bool saying_ids(struct engine *eng, struct saying *s, const json_t *list)
{
    struct ours o;
    for (size_t n = json_array_size(list); n-- > 0;) { /* the nearest stands last */
        const char *id = json_string_value(json_array_get(list, n));
        if (id && ours_find(eng, id, &o) && o.kind != OURS_RETURN) {
            saying_add(s, &o);
            return true;
        }
    }
    return false;
}

static void saying_of(struct engine *eng, const json_t *m, struct saying *s)
{
    struct ours o;
    *s = (struct saying){0};
    saying_addresses(eng, s, json_get_arr(m, "to"), "address");
    saying_addresses(eng, s, json_get_arr(m, "cc"), "address");
    saying_addresses(eng, s, json_get_arr(m, "delivered_to"), NULL);
    /* older mails of the thread say which record it is; what the mail answers is the last */
    if (!saying_ids(eng, s, json_get_arr(m, "in_reply_to")))
        saying_ids(eng, s, json_get_arr(m, "references"));
    if (ours_find_tag(eng, json_get_str(m, "subject", ""), &o))
        saying_add(s, &o);
}

/* A notice wins: what is meant for inside stays inside. */
static void saying_choose(const struct saying *s, struct thread *t)
{
    static const enum ours_kind order[] = {OURS_NOTICE, OURS_CONVERSATION, OURS_THREAD};
    for (size_t i = 0; i < ARRAY_LEN(order) && t->said.kind == OURS_NONE; i++)
        t->said = s->kinds[order[i]];
    t->doubtful = s->two || (s->kinds[OURS_NOTICE].kind != OURS_NONE &&
                             s->kinds[OURS_CONVERSATION].kind != OURS_NONE);
}

/* ---- who takes part ----------------------------------------------------------------- */

static bool is_in(const json_t *list, const char *address)
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)list, i, v)
        if (strcmp(json_get_str(v, "folded", ""), address) == 0)
            return true;
    return false;
}

static int part_in_mails(struct engine *eng, const struct crm_target *t, const char *address,
                         bool *yes_out, struct err *e)
{
    size_t i;
    json_t *id;
    bool is_case = t->main == CRM_CASE;
    AUTO_JSON json_t *ids = message_ids_of(eng->db, is_case ? "case" : "lead",
                                           is_case ? t->kase : t->lead, PARTIES_LOOKED, e);
    if (!ids)
        return -1;
    json_array_foreach(ids, i, id) {
        /* a stranger's mail must not have us read forty long ones: whoever stands only in
         * such a one takes no part, and the owner hears of him */
        struct err gone = {0};
        AUTO_JSON json_t *m = message_json_short(eng->db, json_integer_value(id), BOUND_PARTY_BYTES, &gone);
        if (!m && gone.cls != ERR_NONE)
            return err_set(e, gone.cls, "%s", gone.text);
        if (!m)
            continue;
        *yes_out = strcmp(json_get_str(json_get_obj(m, "from"), "folded", ""), address) == 0 ||
                   is_in(json_get_arr(m, "to"), address) ||
                   is_in(json_get_arr(m, "cc"), address) ||
                   is_in(json_get_arr(m, "reply_to"), address);
        if (*yes_out)
            return 0;
    }
    return 0;
}

/* A colleague of the contact: the domain of one of his addresses, and nobody's provider. */
static bool is_colleague(const json_t *addresses, const char *address)
{
    size_t i;
    const json_t *a;
    const char *at = strrchr(address, '@');
    if (!at || crm_domain_is_free(at + 1))
        return false;
    json_array_foreach((json_t *)addresses, i, a) {
        const char *theirs = strrchr(json_get_str(a, "value", ""), '@');
        if (theirs && strcmp(theirs, at) == 0)
            return true;
    }
    return false;
}

int thread_takes_part(struct engine *eng, struct crm_ctx *ctx, const struct crm_target *t,
                      const char *address, bool *yes_out, struct err *e)
{
    int64_t contact, row = 0;
    json_t *all = NULL;
    *yes_out = crm_user_by_address(eng->crm, "email", address) != NULL;
    if (*yes_out)
        return 0;
    if (crm_find_contact(ctx, *address == '+' ? "phone" : "email", address, &contact, e) < 0)
        return -1;
    *yes_out = contact && contact == t->contact;
    if (*yes_out || !t->contact)
        return 0;
    if (outbox_latest_to(eng->db, t->lead, t->kase, address, &row, e) < 0 ||
        address_list(eng->db, t->contact, &all, e) < 0)
        return -1;
    *yes_out = row || is_colleague(all, address);
    json_decref(all);
    return *yes_out ? 0 : part_in_mails(eng, t, address, yes_out, e);
}

/* ---- by reference --------------------------------------------------------------------- */

/* The row that a Message-ID of ours names, "L42.TOKEN.O17.TOKEN@domain"; 0: none. */
static int64_t row_named(const char *id)
{
    for (const char *p = strchr(id, 'O'); p; p = strchr(p + 1, 'O')) {
        char *end;
        size_t digits = strspn(p + 1, "0123456789");
        int64_t row = digits && digits <= 18 ? strtoll(p + 1, &end, 10) : 0;
        if (row && *end == '.' && (p == id || p[-1] == '.'))
            return row;
    }
    return 0;
}

/* From us or from a relay. Ours
 * names it, so none needs to be looked for by its hash; that the hash is the row's
 * proves that we wrote it. */
int thread_outbox(struct engine *eng, const char *id, int64_t *out, struct err *e)
{
    int64_t hash = hash_64(id, strlen(id)), row = row_named(id);
    bool ours = false;
    *out = 0;
    if (!row)
        return rewritten_get(eng->db, hash, out, e);
    if (outbox_is(eng->db, row, hash, &ours, e) < 0)
        return -1;
    *out = ours ? row : 0;
    return 0;
}

static int target_of(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct crm_target *out,
                     struct err *e)
{
    struct err gone = {0};
    if (t == CRM_NONE || !id)
        return 0;
    if (crm_target_of(ctx, t, id, out, &gone) == 0)
        return 0;
    *out = (struct crm_target){0};
    return gone.cls == ERR_INPUT ? 0 : err_set(e, gone.cls, "%s", gone.text);
}

/* A mail of ours went to this sender, or this sender wrote the one referred to. */
static int by_reference(struct engine *eng, struct crm_ctx *ctx, const char *id, const char *from,
                        struct thread *t, struct err *e)
{
    int64_t outbox;
    struct message_row m;
    bool found;
    if (thread_outbox(eng, id, &outbox, e) < 0 ||
        message_find(eng->db, hash_64(id, strlen(id)), &m, &found, e) < 0)
        return -1;
    if (outbox) {
        AUTO_JSON json_t *o = outbox_get(eng->db, outbox, e);
        if (!o)
            return -1;
        if (strcmp(json_get_str(o, "to", ""), from) == 0 &&
            outbound_target(ctx, o, &t->target, e) < 0)
            return -1;
        if (t->target.main != CRM_NONE && t->said.kind == OURS_NONE)
            t->said = conversation_of_row(o, &t->target);
    }
    if (found && t->target.main == CRM_NONE && (m.lead_id || m.case_id)) {
        AUTO_JSON json_t *json = message_json(eng->db, m.id, e);
        if (!json)
            return -1;
        if (strcmp(json_get_str(json_get_obj(json, "from"), "folded", ""), from) == 0)
            return crm_target_of(ctx, m.lead_id ? CRM_LEAD : CRM_CASE,
                                 m.lead_id ? m.lead_id : m.case_id, &t->target, e);
    }
    return 0;
}

static int by_references(struct engine *eng, struct crm_ctx *ctx, const json_t *message,
                         const char *from, struct thread *t, struct err *e)
{
    const json_t *lists[] = {json_get_arr(message, "in_reply_to"),
                             json_get_arr(message, "references")};
    size_t looked = 0;
    for (size_t k = 0; k < ARRAY_LEN(lists); k++)
        for (size_t n = json_array_size(lists[k]); n-- > 0 && looked < LOOKED_AT; looked++) {
            const char *id = json_string_value(json_array_get(lists[k], n));
            if (id && by_reference(eng, ctx, id, from, t, e) < 0)
                return -1;
            if (t->target.lead || t->target.kase)
                return 0;
        }
    return 0;
}

/* ---- learning --------------------------------------------------------------------------- */

int thread_learn(struct engine *eng, const char *message_id, int64_t outbox, struct err *e)
{
    struct ours o;
    struct message_row m;
    bool found;
    size_t n = strlen(message_id);
    if (n == 0 || row_named(message_id) || ours_find(eng, message_id, &o) ||
        eng->foreign_scale > 0)
        return 0;
    if (message_find(eng->db, hash_64(message_id, n), &m, &found, e) < 0)
        return -1;
    return found ? 0 : rewritten_put(eng->db, hash_64(message_id, n), outbox, clock_now_ms(), e);
}

/* The address or the tag proved the answer; what it names as answered and nobody knows
 * is the name that our last mail to this sender has there. */
static int learn_of_answer(struct engine *eng, const json_t *message, const char *from,
                           const struct thread *t, struct err *e)
{
    const json_t *ids = json_get_arr(message, "in_reply_to");
    const char *id = json_string_value(json_array_get(ids, 0));
    int64_t row = 0, known = 0;
    if (json_array_size(ids) != 1 || !id || row_named(id))
        return 0;
    if (rewritten_get(eng->db, hash_64(id, strlen(id)), &known, e) < 0)
        return -1;
    if (known)
        return 0;
    if (outbox_latest_to(eng->db, t->target.lead, t->target.kase, from, &row, e) < 0)
        return -1;
    return row ? thread_learn(eng, id, row, e) : 0;
}

/* ---- all of it ------------------------------------------------------------------------ */

int thread_read(struct engine *eng, struct crm_ctx *ctx, const json_t *message,
                struct thread *out, struct err *e)
{
    struct saying said;
    bool takes_part = false;
    const char *from = json_get_str(json_get_obj(message, "from"), "folded", NULL);
    *out = (struct thread){0};
    saying_of(eng, message, &said);
    saying_choose(&said, out);
    if (eng->foreign_scale > 0 && out->said.id <= INT64_MAX / eng->foreign_scale)
        out->said.id *= eng->foreign_scale;
    if (target_of(ctx, out->said.entity, out->said.id, &out->target, e) < 0)
        return -1;
    if (out->target.main != CRM_NONE) {
        if (from && thread_takes_part(eng, ctx, &out->target, from, &takes_part, e) < 0)
            return -1;
        if (takes_part)
            return learn_of_answer(eng, message, from, out, e);
        out->stranger = true;
        out->target = (struct crm_target){0};
        return 0;
    }
    return from ? by_references(eng, ctx, message, from, out, e) : 0;
}
