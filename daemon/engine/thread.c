/* SPDX-License-Identifier: ISC
 *
 * thread - see thread.h
 */
#include "engine/thread.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/token.h"
#include "store/message.h"
#include "store/outbox.h"

bool thread_is_own(struct engine *eng, const json_t *message, char outbox_out[32])
{
    const json_t *h = json_get_obj(message, "token_headers");
    return token_find(eng->key, "own", json_get_str(h, "x-leadd-token", ""), outbox_out);
}

static bool token_in_list(struct engine *eng, const json_t *list, const char *key, char name[32])
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)list, i, v) {
        const char *s = key ? json_get_str(v, key, NULL) : json_string_value(v);
        if (s && token_find(eng->key, "thread", s, name))
            return true;
    }
    return false;
}

static bool token_in_message(struct engine *eng, const json_t *m, char name[32])
{
    return token_in_list(eng, json_get_arr(m, "to"), "address", name) ||
           token_in_list(eng, json_get_arr(m, "cc"), "address", name) ||
           token_in_list(eng, json_get_arr(m, "delivered_to"), NULL, name) ||
           token_in_list(eng, json_get_arr(m, "in_reply_to"), NULL, name) ||
           token_in_list(eng, json_get_arr(m, "references"), NULL, name) ||
           token_find(eng->key, "thread", json_get_str(m, "subject", ""), name);
}

/* Our Message-IDs name their outbox row, "L42.TOKEN.O17.TOKEN@domain", so none needs
 * to be looked for by its hash; that the hash is the row's proves that we wrote it. */
int thread_outbox(struct engine *eng, const char *id, int64_t *out, struct err *e)
{
    int64_t hash = hash_64(id, strlen(id));
    *out = 0;
    for (const char *p = strchr(id, 'O'); p; p = strchr(p + 1, 'O')) {
        char *end;
        bool ours = false;
        size_t digits = strspn(p + 1, "0123456789");
        int64_t row = digits && digits <= 18 ? strtoll(p + 1, &end, 10) : 0;
        if (row == 0 || *end != '.' || (p > id && p[-1] != '.'))
            continue;
        if (outbox_is(eng->db, row, hash, &ours, e) < 0)
            return -1;
        if (ours)
            *out = row;
        return 0;
    }
    return 0;
}

/* A mail of ours went to this sender, or this sender wrote the one referred to. */
static int thread_by_reference(struct engine *eng, struct crm_ctx *ctx, const char *id,
                               const char *from, struct crm_target *out, struct err *e)
{
    int64_t hash = hash_64(id, strlen(id)), outbox;
    struct message_row m;
    bool found;
    if (thread_outbox(eng, id, &outbox, e) < 0 ||
        message_find(eng->db, hash, &m, &found, e) < 0)
        return -1;
    if (outbox) {
        AUTO_JSON json_t *o = outbox_get(eng->db, outbox, e);
        if (!o)
            return -1;
        if (strcmp(json_get_str(o, "to", ""), from) == 0 && json_get_int(o, "lead_id", 0))
            return crm_target_of(ctx, CRM_LEAD, json_get_int(o, "lead_id", 0), out, e);
    }
    if (found && (m.lead_id || m.case_id)) {
        AUTO_JSON json_t *json = message_json(eng->db, m.id, e);
        if (!json)
            return -1;
        if (strcmp(json_get_str(json_get_obj(json, "from"), "folded", ""), from) == 0)
            return crm_target_of(ctx, m.lead_id ? CRM_LEAD : CRM_CASE,
                                 m.lead_id ? m.lead_id : m.case_id, out, e);
    }
    return 0;
}

int thread_find(struct engine *eng, struct crm_ctx *ctx, const json_t *message,
                struct crm_target *out, struct err *e)
{
    char name[32];
    enum crm_entity t;
    int64_t id;
    size_t i;
    json_t *ref;
    *out = (struct crm_target){0};
    if (token_in_message(eng, message, name) && crm_id_parse(name, &t, &id) == 0) {
        if (eng->foreign_scale > 0 && id <= INT64_MAX / eng->foreign_scale)
            id *= eng->foreign_scale;
        struct err gone = {0};
        if (crm_target_of(ctx, t, id, out, &gone) == 0)
            return 0;
        if (gone.cls != ERR_INPUT) {
            *e = gone;
            return -1;
        }
    }
    const char *from = json_get_str(json_get_obj(message, "from"), "folded", NULL);
    if (!from)
        return 0;
    const json_t *lists[] = {json_get_arr(message, "in_reply_to"), json_get_arr(message, "references")};
    for (size_t k = 0; k < 2; k++)
        json_array_foreach((json_t *)lists[k], i, ref) {
            if (!json_is_string(ref) || i >= 20)
                continue;
            if (thread_by_reference(eng, ctx, json_string_value(ref), from, out, e) < 0)
                return -1;
            if (out->lead || out->kase)
                return 0;
        }
    return 0;
}
