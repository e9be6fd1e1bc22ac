/* SPDX-License-Identifier: ISC
 *
 * sms_file - a text is filed: who, which thread, STOP and its kin, rules, people (see sms_in.h)
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "crm/identity.h"
#include "crm/sms_words.h"
#include "engine/consent.h"
#include "engine/conversation.h"
#include "engine/media.h"
#include "engine/sms_in.h"
#include "engine/sms_out.h"
#include "engine/sms_rep.h"
#include "store/message.h"
#include "store/sms_pair.h"

#define THREAD_MS (90 * DAY_MS) /* so long the last text says what it is about */

struct filing {
    struct engine *eng;
    const struct sms *s;
    struct input in;
    struct sms_said said;
    struct crm_who who;
    struct message_row m;
};

/* ---- the pair of numbers --------------------------------------------------------------- */

int sms_pair_note(struct engine *eng, const char *ours, const char *theirs,
                  const struct crm_target *t, bool in, int64_t now_ms, struct err *e)
{
    struct sms_pair p;
    if (sms_pair_get(eng->db, ours, theirs, &p, e) < 0)
        return -1;
    if (t->lead || t->kase || t->contact) {
        bool kase = t->kase && (t->main == CRM_CASE || !t->lead);
        p.lead_id = kase ? 0 : t->lead;
        p.case_id = kase ? t->kase : 0;
        p.contact_id = t->contact;
    }
    *(in ? &p.in_ms : &p.out_ms) = now_ms;
    return sms_pair_put(eng->db, ours, theirs, &p, e);
}

/* The record of the last text between the two, while it is still the sender's. A user's is
 * whatever we wrote to him about. */
static int thread_of(struct filing *f, struct crm_target *out, struct err *e)
{
    struct sms_pair p;
    struct err gone = {0};
    int64_t contact = 0;
    bool user = crm_user_by_address(f->eng->crm, "phone", f->s->theirs) != NULL;
    *out = (struct crm_target){0};
    if (sms_pair_get(f->eng->db, f->s->ours, f->s->theirs, &p, e) < 0)
        return -1;
    int64_t last = p.in_ms > p.out_ms ? p.in_ms : p.out_ms;
    if ((!p.lead_id && !p.case_id) || f->in.now_ms - last > THREAD_MS)
        return 0;
    if (crm_target_of(f->in.ctx, p.case_id ? CRM_CASE : CRM_LEAD, p.case_id ? p.case_id : p.lead_id,
                      out, &gone) < 0)
        return gone.cls == ERR_INPUT ? 0 : err_set(e, gone.cls, "%s", gone.text);
    if (!user && crm_find_contact(f->in.ctx, "phone", f->s->theirs, &contact, e) < 0)
        return -1;
    if (!user && contact != out->contact)
        *out = (struct crm_target){0};
    return 0;
}

/* ---- STOP, START, HELP ------------------------------------------------------------------ */

static void words_read(struct filing *f)
{
    const json_t *sms = json_get_obj(f->eng->role->config, "sms");
    const char *company = engine_setting(f->eng, "company", NULL);
    sms_said_read(f->s->text, company, json_get_arr(sms, "stop_words"), &f->said);
    if (*f->s->flag) { /* the gateway knows its own words */
        struct sms_said flag;
        sms_said_read(f->s->flag, NULL, NULL, &flag);
        f->said.word = f->s->opted_out ? SMS_WORD_STOP : flag.word;
        f->said.inside &= f->said.word == SMS_WORD_NONE;
    }
    if (!f->s->number)
        f->said.word = SMS_WORD_NONE;
}

/* The one text that goes out whatever was said. A gateway with words of its own has answered
 * them itself. */
static int word_answer(struct filing *f, const char *what, struct err *e)
{
    const json_t *sms = json_get_obj(f->eng->role->config, "sms");
    const char *own = json_get_str(sms, what, NULL),
               *text = own ? own : sms_word_answer(f->said.word, f->said.language), *at;
    struct buf words AUTO_BUF;
    struct err why = {0};
    int64_t outbox;
    buf_init(&words, KIB(4));
    if (*f->s->flag || strcmp(text, "none") == 0)
        return 0;
    for (; (at = strstr(text, "{company}")); text = at + 9) {
        buf_add(&words, text, (size_t)(at - text));
        buf_str(&words, engine_setting(f->eng, "company", ""));
    }
    buf_str(&words, text);
    AUTO_FREE char *intent = mem_printf("%s/%s", f->in.intent, what);
    struct sms_letter l = {.class_ = CONSENT_CLASS, .intent = intent, .to = f->s->theirs,
                           .from = f->s->gateway, .text = words.data, .target = &f->in.target,
                           .exempt = true};
    if (sms_put(&f->in, &l, &outbox, NULL, &why) == 0)
        return 0;
    if (why.cls != ERR_INPUT)
        return err_set(e, why.cls, "%s", why.text);
    input_note(&f->in, "it was not answered: %s", why.text);
    return 0;
}

static int word_take(struct filing *f, struct err *e)
{
    const char *words = f->s->text;
    bool changed = false;
    AUTO_FREE char *source = mem_printf("sms %s", f->s->gateway);
    AUTO_FREE char *said = mem_strn(words, text_utf8_cut(words, strlen(words), 200));
    struct crm_consent c = {.source = source, .words = said, .message_id = f->m.id};
    text_make_line(said);
    switch (f->said.word) {
    case SMS_WORD_NONE:
        return 0;
    case SMS_WORD_HELP:
        return word_answer(f, "help_answer", e);
    case SMS_WORD_STOP:
        if (consent_withdraw(&f->in, f->s->theirs, f->s->ours, &c, &changed, e) < 0)
            return -1;
        /* who says it again and again is not answered each time */
        return changed ? word_answer(f, "stop_answer", e) : 0;
    case SMS_WORD_START:
        if (consent_restore(&f->in, f->s->theirs, f->s->ours, &c, &changed, e) < 0)
            return -1;
        return changed ? word_answer(f, "start_answer", e) : 0;
    }
    return 0;
}

/* ---- the message -------------------------------------------------------------------------- */

static json_t *message_of(struct engine *eng, const struct sms *s, int64_t now)
{
    json_t *m = json_pack("{s:s, s:s, s:{s:s, s:s}, s:[{s:s, s:s}], s:[], s:[], s:[], s:[], s:s,"
                          " s:s, s:I, s:s, s:o, s:[]}",
                          "channel", "sms", "kind", "person", "from", "address", s->theirs,
                          "folded", s->theirs, "to", "address", s->ours, "folded", s->ours, "cc",
                          "reply_to", "in_reply_to", "references", "text", s->text, "reply",
                          s->text, "date_ms", (json_int_t)now, "gateway", s->gateway, "attachments",
                          media_links(eng, s->gateway, s->media), "defects");
    if (*s->id) {
        AUTO_FREE char *id = mem_printf("sms:%s:%s", s->gateway, s->id);
        json_put_str(m, "message_id", id);
    }
    if (s->gap)
        json_array_append_new(json_get_arr(m, "defects"), json_string(s->gap));
    return m;
}

/* ---- filing --------------------------------------------------------------------------------- */

static int receive(struct filing *f, const json_t *message, struct err *e)
{
    struct crm_input ci = {
        .kind = "sms",
        .message = message,
        .source = f->s->gateway,
        /* who only says STOP makes no lead */
        .creates = f->said.word == SMS_WORD_NONE && f->s->number
                       ? json_get_str(json_get_obj(f->eng->role->config, "sms"), "creates", "lead")
                       : "nothing",
        .message_id = f->m.id,
        .at_ms = f->in.now_ms,
    };
    if (thread_of(f, &ci.thread, e) < 0 || crm_receive(f->in.ctx, &ci, &f->who, e) < 0)
        return -1;
    f->in.target = f->who.target;
    return 0;
}

static int people_told(struct filing *f, struct err *e)
{
    const char *words = f->said.word == SMS_WORD_NONE ? NULL : "STOP, START or HELP";
    if (input_run(&f->in, e) < 0)
        return -1;
    return words ? 0 : conversation_in(&f->in, &f->who, f->m.id, e);
}

/* What one of ours texted: a STOP of his own phone is one, too. */
static int of_user(struct filing *f, struct err *e)
{
    struct sms_rep r = {.user = f->who.user, .theirs = f->s->theirs, .ours = f->s->ours,
                        .gateway = f->s->gateway, .text = f->s->text, .message_id = f->m.id,
                        .target = f->who.target};
    if (f->who.kind != CRM_WHO_USER || f->said.word == SMS_WORD_STOP ||
        f->said.word == SMS_WORD_START)
        return 0;
    return sms_rep_take(f->eng, &r, e);
}

static int filing_do(struct filing *f, const json_t *message, struct err *e)
{
    bool contact = true;
    int rc = receive(f, message, e);
    contact = f->who.kind != CRM_WHO_USER;
    if (rc == 0 && (contact || f->said.word != SMS_WORD_HELP))
        rc = word_take(f, e);
    if (rc == 0)
        rc = people_told(f, e);
    if (rc == 0)
        rc = input_finish(&f->in, e);
    f->m.contact_id = f->who.target.contact;
    f->m.lead_id = f->who.target.lead;
    f->m.case_id = f->who.target.kase;
    if (rc == 0)
        rc = message_link(f->eng->db, &f->m, e);
    if (rc == 0 && f->s->number)
        rc = sms_pair_note(f->eng, f->s->ours, f->s->theirs, &f->who.target, true, f->in.now_ms, e);
    return rc == 0 ? of_user(f, e) : rc;
}

int sms_file(struct engine *eng, const struct sms *s, int64_t *message_out, struct err *e)
{
    struct filing f = {.eng = eng, .s = s};
    AUTO_JSON json_t *message = message_of(eng, s, clock_now_ms());
    AUTO_FREE char *json = json_line(message);
    const char *id = json_get_str(message, "message_id", NULL);
    struct message_row was;
    bool here = false;
    f.m = (struct message_row){.channel = "sms", .kind = "person", .received_ms = clock_now_ms(),
                               .date_ms = clock_now_ms(),
                               .msgid_hash = id ? hash_64(id, strlen(id)) : 0};
    *message_out = 0;
    if (id && message_find(eng->db, f.m.msgid_hash, &was, &here, e) < 0)
        return -1;
    if (here)
        return 0;
    if (message_add(eng->db, &f.m, json, s->text, strlen(s->text), e) < 0 ||
        media_await(eng, s->gateway, f.m.id, message, e) < 0)
        return -1;
    input_begin(&f.in, eng, mem_printf("SMS M%" PRId64 " by %s", f.m.id, s->gateway),
                mem_printf("M%" PRId64, f.m.id));
    f.in.message = message;
    if (s->gap)
        input_note(&f.in, "%s", s->gap);
    words_read(&f);
    int rc = filing_do(&f, message, e);
    if (rc == 0) {
        *message_out = f.m.id;
        engine_count(eng, "sms_filed", 1);
        if (f.who.new_lead)
            engine_count(eng, "leads_created", 1);
        log_info("sms.filed", "message=M%" PRId64 " gateway=%s new=%d word=%d inside=%d", f.m.id,
                 s->gateway, f.who.new_lead || f.who.new_case, f.said.word, f.said.inside);
    }
    input_end(&f.in);
    return rc;
}
