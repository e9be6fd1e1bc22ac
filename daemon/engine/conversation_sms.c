/* SPDX-License-Identifier: ISC
 *
 * conversation_sms - see conversation_sms.h
 */
#include "engine/conversation_sms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/see.h"
#include "crm/sms_text.h"
#include "crm/sms_words.h"
#include "engine/conversation.h"
#include "engine/conversation_words.h"
#include "engine/gateways.h"
#include "engine/sms_out.h"
#include "store/contact.h"
#include "store/sms_code.h"
#include "store/sms_pair.h"

#define RELAY_MS (7 * DAY_MS) /* so long a code is good for answers */
#define OWNER_SEGMENTS 3

bool conversation_is_sms(const json_t *message)
{
    return strcmp(json_get_str(message, "channel", ""), "sms") == 0;
}

void conversation_text_more(const struct engine *eng, const json_t *message, struct buf *out)
{
    struct sms_said said;
    size_t i;
    const json_t *a;
    sms_said_read(json_get_str(message, "text", ""), engine_setting(eng, "company", NULL), NULL,
                  &said);
    json_array_foreach(json_get_arr(message, "attachments"), i, a)
        buf_printf(out, "%s[%s: %s%s]\n", i ? "" : "\n", json_get_str(a, "type", "file"),
                   json_get_str(a, "url", ""),
                   json_object_get(a, "fetch") ? " - it follows in a mail" : "");
    if (said.inside)
        buf_printf(out, "\n[A word for STOP stands in it. Within a sentence it ends nothing; if it was "
                   "meant so, reply with #optout %s.]\n",
                   json_get_str(json_get_obj(message, "from"), "folded", "sms"));
}

/* ---- to the owner ---------------------------------------------------------------------- */

/* The code for this contact on this user's phone: it stays the same while they talk. */
static int relay_code(struct input *in, const struct crm_target *t, const char *user,
                      const char *theirs, const char *ours, char out[8], struct err *e)
{
    struct engine *eng = in->eng;
    json_t *row = NULL, *other = NULL;
    bool kase = t->kase && (t->main == CRM_CASE || !t->lead);
    const char *entity = crm_entity_name(kase ? CRM_CASE : CRM_LEAD);
    int64_t id = kase ? t->kase : t->lead;
    if (sms_code_relay(eng->db, user, theirs, ours, in->now_ms, &row, e) < 0)
        return -1;
    AUTO_JSON json_t *owned = row;
    if (owned) {
        snprintf(out, 8, "%.7s", json_get_str(owned, "code", ""));
        return sms_code_extend(eng->db, json_get_int(owned, "id", 0), entity, id,
                               in->now_ms + RELAY_MS, e);
    }
    for (int tries = 0; tries < 20; tries++) {
        uint32_t random;
        hash_random(&random, sizeof(random));
        snprintf(out, 8, "%04u", random % 10000);
        if (sms_code_find(eng->db, user, out, in->now_ms, &other, e) < 0)
            return -1;
        bool free_ = other == NULL;
        json_decref(other);
        if (free_)
            break;
    }
    struct sms_code c = {.user = user, .kind = "relay", .code = out, .entity = entity,
                         .record_id = id, .theirs = theirs, .ours = ours,
                         .created_ms = in->now_ms, .until_ms = in->now_ms + RELAY_MS};
    return sms_code_add(eng->db, &c, e);
}

int conversation_text_in(struct input *in, const struct crm_target *t, const char *owner,
                         int64_t message_id, bool *told_out, struct err *e)
{
    const json_t *u = crm_user(in->eng->crm, owner);
    const char *phone = json_get_str(u, "phone", NULL), *words = json_get_str(in->message, "text", ""),
               *theirs = json_get_str(json_get_obj(in->message, "from"), "folded", ""),
               *ours = json_get_str(json_array_get(json_get_arr(in->message, "to"), 0), "folded", "");
    char code[8], id[CRM_ID_LEN];
    struct err why = {0};
    int64_t outbox = 0;
    *told_out = false;
    if (!phone || strcmp(json_get_str(u, "prefers", "email"), "sms") != 0)
        return 0;
    json_t *contact = NULL;
    if (relay_code(in, t, owner, theirs, ours, code, e) < 0 ||
        (t->contact && record_get(in->eng->db, &contact_table, t->contact, &contact, e) < 0))
        return -1;
    AUTO_JSON json_t *owned = contact;
    AUTO_FREE char *name = mem_str(json_get_str(owned, "name", theirs));
    bool kase = t->kase && (t->main == CRM_CASE || !t->lead);
    crm_id_format(kase ? CRM_CASE : CRM_LEAD, kase ? t->kase : t->lead, id);
    AUTO_FREE char *tail = mem_printf("\nTo answer: %s and your words", code);
    AUTO_FREE char *full = mem_printf("%s %.60s: %s", id, name, words);
    struct sms_count count;
    sms_count(full, &count);
    size_t n = count.segments > OWNER_SEGMENTS - 1 ? sms_cut(full, OWNER_SEGMENTS - 1) : strlen(full);
    AUTO_FREE char *text = mem_printf("%.*s%s%s", (int)n, full, full[n] ? ".." : "", tail);
    AUTO_FREE char *intent = mem_printf("M%" PRId64 "/conversation/%s", message_id, owner);
    struct sms_letter l = {.class_ = CONVERSATION_CLASS, .intent = intent, .to = phone,
                           .to_user = owner, .from = json_get_str(in->message, "gateway", NULL),
                           .text = text, .target = t};
    if (sms_put(in, &l, &outbox, NULL, &why) < 0) {
        if (why.cls != ERR_INPUT) {
            *e = why;
            return -1;
        }
        input_note(in, "%s could not be texted, and gets mail: %s", owner, why.text);
        return 0;
    }
    *told_out = true;
    if (outbox)
        input_note(in, "%s got it as SMS %" PRId64 ", to answer", owner, outbox);
    return 0;
}

/* ---- to the contact ---------------------------------------------------------------------- */

/* A look at what leaves, whoever wrote it: no command, and nothing of a mail of ours. */
static int words_may(struct engine *eng, const char *words, struct err *e)
{
    if (!words[strspn(words, " \t\r\n")])
        return err_set(e, ERR_INPUT, "there were no words to send");
    if (!conversation_text_may(eng, words))
        return err_set(e, ERR_INPUT, "it holds a command, or something of a mail of ours");
    return 0;
}

int conversation_text_put(struct input *in, const struct conversation_words_out *w,
                          int64_t *outbox_out, char held_out[256], struct err *e)
{
    struct crm_actor actor = {CRM_BY_USER, w->user, NULL};
    AUTO_FREE char *words = mem_str(w->words);
    AUTO_FREE char *intent = mem_printf("M%" PRId64 "/relay/%s", w->message_id, w->to);
    AUTO_FREE char *line = mem_strn(words, text_utf8_cut(words, strlen(words), 120));
    text_make_line(line);
    /* the number that was texted, where it is still one of ours */
    const char *from = w->gateway && gateways_of(in->eng, w->gateway) ? w->gateway
                       : w->ours && gateways_of(in->eng, w->ours)     ? w->ours
                                                                      : NULL;
    struct sms_letter l = {.class_ = RELAY_CLASS, .intent = intent, .to = w->to,
                           .from = from, .text = text_trim(words),
                           .target = w->target, .hold = w->hold};
    if (words_may(in->eng, words, e) < 0 || sms_put(in, &l, outbox_out, held_out, e) < 0)
        return -1;
    if (!*outbox_out)
        return err_set(e, ERR_INPUT, "it was relayed before");
    if (crm_record_sent(in->ctx, w->target, line, w->message_id, *outbox_out, &actor, e) < 0)
        return -1;
    log_info("conversation.texted", "message=M%" PRId64 " out=%" PRId64 " user=%s", w->message_id,
             *outbox_out, w->user);
    return 0;
}

/* The number of the record's contact that texted last; own, NULL: none. */
static int contact_number(struct input *in, char **number_out, char **ours_out, struct err *e)
{
    json_t *list = NULL;
    size_t i;
    const json_t *a;
    int64_t best = -1;
    *number_out = *ours_out = NULL;
    if (!in->target.contact || address_list(in->eng->db, in->target.contact, &list, e) < 0)
        return in->target.contact ? -1 : 0;
    AUTO_JSON json_t *owned = list;
    json_array_foreach(owned, i, a) {
        const char *value = json_get_str(a, "value", "");
        int64_t last = 0;
        if (strcmp(json_get_str(a, "channel", ""), "phone") != 0)
            continue;
        if (sms_pair_last_in(in->eng->db, value, &last, e) < 0)
            return -1;
        if (last <= best)
            continue;
        best = last;
        mem_free(*number_out);
        *number_out = mem_str(value);
    }
    return *number_out ? sms_pair_ours(in->eng->db, *number_out, ours_out, e) : 0;
}

static int text_out(struct input *in, const struct conversation_text *c, char *told, size_t n,
                    struct err *e)
{
    char id[CRM_ID_LEN], held[256] = "";
    int64_t outbox = 0;
    const char *role = json_get_str(crm_user(in->eng->crm, c->user), "role", "rep");
    crm_id_format(c->entity, c->id, id);
    if (strcmp(role, "viewer") == 0)
        return err_set(e, ERR_INPUT, "a viewer may look, and not answer");
    if (crm_may_see(in->ctx, c->user, c->entity, c->id, e) < 0 ||
        crm_target_of(in->ctx, c->entity, c->id, &in->target, e) < 0)
        return -1;
    char *number = NULL, *own = NULL;
    int rc = contact_number(in, &number, &own, e);
    AUTO_FREE char *to = number;
    AUTO_FREE char *from = own;
    if (rc < 0)
        return -1;
    if (!to)
        return err_set(e, ERR_INPUT, "the contact of %s has no phone number", id);
    struct conversation_words_out w = {.user = c->user, .to = to, .ours = from ? from : NULL,
                                       .words = c->words, .target = &in->target,
                                       .message_id = c->message_id};
    if (conversation_text_put(in, &w, &outbox, held, e) < 0)
        return -1;
    snprintf(told, n, "%s to the customer of %s%s%s", held[0] ? "Waits, and will go" : "Sent", id,
             held[0] ? ": " : ".", held);
    return 0;
}

int conversation_text_out(struct engine *eng, const struct conversation_text *c, char *told,
                          size_t n, struct err *e)
{
    struct input in;
    struct err why = {0};
    input_begin(&in, eng, mem_printf("answer of %s by SMS M%" PRId64, c->user, c->message_id),
                mem_printf("M%" PRId64 "/answer", c->message_id));
    int rc = text_out(&in, c, told, n, &why);
    if (rc < 0 && why.cls == ERR_INPUT) {
        snprintf(told, n, "Not sent to the customer: %.300s", why.text);
        input_note(&in, "the answer of %s stays inside: %s", c->user, why.text);
        log_info("conversation.inside", "message=M%" PRId64 " user=%s why=\"%s\"", c->message_id,
                 c->user, why.text);
        rc = 0;
    } else if (rc < 0) {
        *e = why;
    }
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}
