/* SPDX-License-Identifier: ISC
 *
 * inbound - what arrived becomes ledger row, message and records
 *
 * The ledger's unique key decides whether it is new; then the same message in
 * another mailbox, our own mail, and bounces are told apart; the rest is filed
 * by crm and given to the rules.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "engine/alive.h"
#include "engine/arrival.h"
#include "engine/bounce.h"
#include "engine/conversation.h"
#include "engine/dropbox.h"
#include "engine/duplicate.h"
#include "engine/engine.h"
#include "engine/held.h"
#include "engine/inbound_user.h"
#include "engine/input.h"
#include "engine/invite.h"
#include "engine/notice_foot.h"
#include "engine/optout.h"
#include "engine/proof.h"
#include "engine/same.h"
#include "engine/thread.h"
#include "engine/webhook.h"
#include "store/ledger.h"
#include "store/message.h"

void arrival_done(struct arrival *a)
{
    mem_free(a->source);
    mem_free(a->key);
}

static char *random_key(void)
{
    unsigned char b[10];
    char text[17];
    hash_random(b, sizeof(b));
    text_base32(b, sizeof(b), text);
    return mem_str(text);
}

static int arrival_read_mail(struct engine *eng, const struct item *it, struct arrival *a,
                             struct err *e)
{
    const json_t *j = it->frame.json;
    a->size = json_get_int(j, "size", (int64_t)it->frame.raw_len);
    a->internal_ms = json_get_int(j, "internal_ms", 0);
    if (strncmp(it->peer_name, "intake:", 7) != 0) {
        a->source = mem_str("ingest");
        a->key = random_key();
        return 0;
    }
    const char *mailbox = it->peer_name + 7, *name = json_get_str(j, "name", NULL);
    const char *folder = json_get_str(j, "folder", "INBOX");
    a->mailbox = json_get_obj(json_get_obj(eng->role->config, "mailboxes"), mailbox);
    a->foreign = !mailbox_has_folder(eng, mailbox, folder);
    if (a->foreign)
        return err_set(e, ERR_INPUT, "mailbox %s has no folder \"%.100s\"", mailbox, folder);
    a->name = mailbox;
    if (strcmp(json_get_str(a->mailbox, "type", ""), "maildir") == 0) {
        if (!name || strlen(name) > 255 || strchr(name, '/'))
            return err_set(e, ERR_INPUT, "a Maildir message without a usable name");
        a->source = mem_printf("maildir:%s", mailbox);
        if (clock_is_pretended()) /* the file's time is of another world */
            a->internal_ms = clock_now_ms();
        a->key = mem_str(name);
        return 0;
    }
    a->epoch = json_get_int(j, "uidvalidity", 0);
    a->uid = json_get_int(j, "uid", 0);
    a->again = json_get_bool(j, "again", false);
    if (a->epoch <= 0 || a->uid <= 0 || a->uid > UINT32_MAX)
        return err_set(e, ERR_INPUT, "an IMAP message without UIDVALIDITY and UID");
    a->source = mem_printf("imap:%s/%s", mailbox, folder);
    a->key = mem_printf("%" PRId64, a->uid);
    return 0;
}

int arrival_read(struct engine *eng, const struct item *it, struct arrival *a, struct err *e)
{
    const json_t *j = it->frame.json;
    bool hook = it->frame.type == FRAME_HOOK;
    *a = (struct arrival){0};
    if (it->frame.type != FRAME_FORM && !hook)
        return arrival_read_mail(eng, it, a, e);
    const char *form = json_get_str(j, hook ? "name" : "form", ""),
               *prefix = hook ? webhook_prefix(json_get_str(j, "kind", "")) : "form",
               *id = json_get_str(j, "request_id", "");
    if (!*form || !*id || strlen(id) > 200 || !prefix)
        return err_set(e, ERR_INPUT, "a request without name or request id");
    a->source = mem_printf("%s:%s", prefix, form);
    a->key = mem_str(id);
    a->size = (int64_t)it->frame.raw_len;
    return 0;
}

/* ---- the cursor stays below a mail that has no row ---- */

static void gap_name(const struct arrival *a, char out[512])
{
    snprintf(out, 512, "%" PRId64 " %.480s", a->epoch, a->source);
}

void inbound_dropped(struct engine *eng, const struct item *it)
{
    struct arrival a;
    struct err e = {0};
    char name[512];
    if (arrival_read(eng, it, &a, &e) == 0 && a.uid > 0) {
        gap_name(&a, name);
        int64_t gap = json_get_int(eng->gaps, name, 0);
        if (gap == 0 || a.uid < gap)
            json_put_int(eng->gaps, name, a.uid);
    }
    arrival_done(&a);
}

static int arrival_advance(struct engine *eng, const struct arrival *a, struct err *e)
{
    char name[512];
    gap_name(a, name);
    int64_t gap = json_get_int(eng->gaps, name, 0);
    if (a->again || (gap > 0 && a->uid > gap))
        return 0;
    if (a->uid == gap)
        json_object_del(eng->gaps, name);
    return source_cursor_advance(eng->db, a->source_id, a->epoch, a->uid, e);
}

int arrival_enter(struct engine *eng, struct arrival *a, const struct item *it,
                  const char *state, const char *reason, struct err *e)
{
    if (it->quarantine) {
        AUTO_JSON json_t *q = quarantine_get(eng->db, it->quarantine, e);
        a->ledger_id = q ? json_get_int(q, "ledger", 0) : 0;
        return q ? ledger_settle(eng->db, a->ledger_id, state, reason, 0, e) : -1;
    }
    if (source_id(eng->db, a->source, &a->source_id, e) < 0)
        return -1;
    struct ledger_row row = {
        .source = a->source_id,
        .epoch = a->epoch,
        .key = a->key,
        .state = state,
        .reason = reason,
        .size = a->size,
        .internal_ms = a->internal_ms,
        .at_ms = clock_now_ms(),
    };
    if (ledger_add(eng->db, &row, e) < 0)
        return -1;
    a->ledger_id = row.id;
    return a->uid ? arrival_advance(eng, a, e) : 0;
}

static void receipt(struct engine *eng, const struct item *it, const char *status)
{
    if (it->peer)
        engine_answer(eng, it->peer, FRAME_RECEIPT, it->frame.id,
                      json_pack("{s:s}", "status", status));
}

void arrival_form_done(struct engine *eng, const struct item *it, const char *status,
                       const char *text, int64_t lead)
{
    char id[CRM_ID_LEN];
    if (!it->peer)
        return;
    /* a program must not learn by what it was found out */
    if (json_object_get(it->frame.json, "spam") && strcmp(status, "quarantined") == 0)
        status = "ok";
    json_t *j = json_pack("{s:s, s:s?}", "status", status, "text", text);
    if (lead)
        json_put_str(j, "lead", crm_id_format(CRM_LEAD, lead, id));
    engine_answer(eng, it->peer,
                  it->frame.type == FRAME_HOOK ? FRAME_HOOK_DONE : FRAME_FORM_DONE, it->frame.id,
                  j);
}

const char *arrival_record(const struct crm_target *t, char out[CRM_ID_LEN])
{
    if (t->lead)
        return crm_id_format(CRM_LEAD, t->lead, out);
    if (t->kase)
        return crm_id_format(CRM_CASE, t->kase, out);
    return t->contact ? crm_id_format(CRM_CONTACT, t->contact, out) : "none";
}

int inbound_quarantine(struct engine *eng, struct item *it, const char *reason, struct err *e)
{
    struct arrival a;
    bool form = it->frame.type == FRAME_FORM, hook = it->frame.type == FRAME_HOOK;
    if (it->quarantine)
        return quarantine_failed_again(eng->db, it->quarantine, reason, e);
    int rc = arrival_read(eng, it, &a, e);
    if (rc < 0) { /* no honest role sends it, and no row could stand for it */
        arrival_done(&a);
        log_warn("inbound.refused", "peer=%s error=\"%s\"", it->peer_name, e->text);
        if (form || hook)
            arrival_form_done(eng, it, form ? "invalid" : "refused", "it was not understood", 0);
        else if (!a.foreign)
            receipt(eng, it, "ignored");
        return 0;
    }
    rc = arrival_enter(eng, &a, it, "quarantined", reason, e);
    if (rc == 0 && a.ledger_id) {
        json_object_set_new(it->frame.json, "peer", json_string(it->peer_name));
        AUTO_FREE char *meta = json_line(it->frame.json);
        struct quarantine_row q = {
            .ledger_id = a.ledger_id,
            .kind = form ? "form" : hook ? "hook" : "mail",
            .meta = meta,
            .reason = reason,
            .raw = it->frame.raw,
            .raw_len = it->frame.raw_len,
            .at_ms = clock_now_ms(),
        };
        rc = quarantine_add(eng->db, &q, e);
        log_warn("inbound.quarantined", "source=\"%s\" key=%s reason=\"%s\" "
                 "next=\"leadctl quarantine\"", a.source, a.key, reason);
        engine_count(eng, "quarantined", 1);
    }
    if (rc == 0 && (form || hook))
        arrival_form_done(eng, it, "quarantined", NULL, 0);
    else if (rc == 0)
        receipt(eng, it, "quarantined");
    arrival_done(&a);
    return rc;
}

/* ---- mail -------------------------------------------------------------------- */

static int mail_finish(struct engine *eng, struct item *it, const struct arrival *a,
                       const char *state, const char *reason, int64_t message_id, struct err *e)
{
    if (it->quarantine && !reason)
        reason = ARRIVAL_RETRIED;
    if (message_id || strcmp(state, "filed") != 0)
        if (ledger_settle(eng->db, a->ledger_id, state, reason, message_id, e) < 0)
            return -1;
    if (it->quarantine && quarantine_remove(eng->db, it->quarantine, e) < 0)
        return -1;
    receipt(eng, it, state);
    engine_count(eng, strcmp(state, "filed") == 0 ? "mails_filed" : "mails_ignored", 1);
    return 0;
}

static int message_put(struct engine *eng, struct message_row *m, const struct item *it, bool again,
                       struct err *e)
{
    AUTO_FREE char *json = json_line(it->message);
    if (again)
        return message_renew(eng->db, m, json, it->frame.raw, it->frame.raw_len, e);
    return message_add(eng->db, m, json, it->frame.raw, it->frame.raw_len, e);
}

/* Nothing came of the copy that was here first, such as a list's; this one would be a
 * person's. A user's is done with: its commands have run. */
static bool mail_wants(const struct engine *eng, const json_t *message, const struct arrival *a)
{
    const char *why;
    return strcmp(json_get_str(a->mailbox, "creates", "lead"), "nothing") != 0 &&
           !inbound_user(eng, message) && !crm_is_machine(eng->crm, message, "", &why);
}

/* A mail from before automate_within starts nothing outgoing. */
static const char *hold_of(const struct arrival *a, int64_t now_ms)
{
    int64_t within = json_get_int(a->mailbox, "automate_within", 0);
    if (within > 0 && a->internal_ms > 0 && now_ms - a->internal_ms > within)
        return "the mail is older than automate_within";
    return NULL;
}

static const char *kind_in_words(const char *kind)
{
    static const struct {
        const char *kind, *words;
    } all[] = {{"list", "from a mailing list, or bulk mail"},
               {"auto_reply", "an automatic answer, about nobody known"},
               {"bounce", "a bounce of no mail of ours"},
               {"receipt", "a receipt, about nobody known"},
               {"report", "a report of a mail system"}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (strcmp(kind, all[i].kind) == 0)
            return all[i].words;
    return kind;
}

/* The message is filed even where no record takes it; the ledger says why. */
static const char *ignored_reason(const struct crm_who *who, const char *kind)
{
    if (who->target.lead || who->target.kase || who->target.contact)
        return NULL;
    if (who->kind == CRM_WHO_USER)
        return "from a user of ours, about nobody known";
    if (who->kind == CRM_WHO_NOBODY)
        return "no usable sender";
    return strcmp(kind, "person") == 0 ? "the mailbox creates nothing"
                                       : kind_in_words(kind);
}

/* Words of nobody: not a lead, and not to be lost either. It stays as it came. */
static int mail_of_nobody(const json_t *m, struct err *e)
{
    static const char *const fields[] = {"from", "message_id", "date_ms"};
    static const char *const lists[] = {"reply_to", "to", "cc"};
    bool readable = *json_get_str(m, "subject", "") != '\0';
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        readable |= json_object_get(m, fields[i]) != NULL;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        readable |= json_array_size(json_get_arr(m, lists[i])) > 0;
    return err_set(e, ERR_INPUT, "%s", readable ? "no usable sender" : "no header that can be read");
}

/* For `why`: by what it was found to belong there. */
static void thread_note(struct input *in, const struct thread *thread)
{
    static const char *const by[] = {[OURS_THREAD] = "it carries our token",
                                     [OURS_CONVERSATION] = "it answers a conversation",
                                     [OURS_NOTICE] = "it answers a notice"};
    char id[CRM_ID_LEN];
    const struct crm_target *t = &thread->target;
    enum ours_kind kind = thread->said.kind;
    bool kase = t->kase && (t->main == CRM_CASE || !t->lead);
    if (!t->lead && !t->kase)
        return;
    crm_id_format(kase ? CRM_CASE : CRM_LEAD, kase ? t->kase : t->lead, id);
    input_note(in, "of %s: %s", id,
               kind < ARRAY_LEN(by) && by[kind] ? by[kind] : "it refers to a mail of it");
}

/* The rules have run; now people hear of it. */
static int mail_told(struct input *in, const struct crm_who *who, const struct thread *thread,
                     int64_t message_id, struct err *e)
{
    notice_offered(in, who);
    if (input_run(in, e) < 0 || duplicate_tell(in, who, e) < 0 || invite_countered(in, e) < 0 ||
        conversation_in(in, who, message_id, e) < 0)
        return -1;
    return thread->stranger ? conversation_stranger(in, who, thread, message_id, e) : 0;
}

static const struct dropbox *told_of(struct dropbox *box, bool commands)
{
    box->answered = commands;
    return box;
}

static int mail_file(struct engine *eng, struct item *it, struct arrival *a,
                     struct message_row *m, struct err *e)
{
    struct input in;
    struct proof proof = {.how = PROOF_NONE};
    struct dropbox box;
    struct crm_who who = {0};
    struct optout_asked ends = {0};
    bool commands = false;
    char record[CRM_ID_LEN];
    const char *mailbox = a->mailbox ? peer_instance(&(struct peer){.name = it->peer_name}) : NULL;
    input_begin(&in, eng, mem_printf("mail M%" PRId64 " from %s", m->id, a->source),
                mem_printf("M%" PRId64, m->id));
    in.hold = hold_of(a, in.now_ms);
    in.message = it->message;
    struct crm_input ci = {
        .kind = "mail",
        .message = it->message,
        .source = mailbox ? mailbox : "ingest",
        .creates = a->mailbox ? json_get_str(a->mailbox, "creates", "lead") : "lead",
        .message_id = m->id,
        .at_ms = a->internal_ms && a->internal_ms < in.now_ms ? a->internal_ms : in.now_ms,
    };
    struct thread thread;
    int rc = thread_read(eng, in.ctx, it->message, &thread, e);
    ci.thread = thread.target;
    if (rc == 0)
        thread_note(&in, &thread);
    if (rc == 0)
        rc = inbound_user_proof(&in, it, a->mailbox, m->id, &proof, e);
    ci.proven = proof.how == PROOF_AUTH || proof.how == PROOF_SUBMISSION;
    if (rc == 0)
        rc = dropbox_read(eng, in.ctx, inbound_user(eng, it->message), &proof, &ci, &box, e);
    if (rc == 0)
        rc = optout_read(eng, it->message, &ends, e);
    if (ends.asked)
        ci.creates = "nothing"; /* who wants no mail is no lead */
    if (rc == 0)
        rc = crm_receive(in.ctx, &ci, &who, e);
    if (rc == 0 && who.no_sender)
        rc = mail_of_nobody(it->message, e);
    in.target = who.target;
    if (rc == 0 && ends.asked)
        rc = optout_take(&in, &ends, m->id, e);
    optout_asked_done(&ends);
    if (rc == 0)
        rc = mail_told(&in, &who, &thread, m->id, e);
    if (rc == 0)
        rc = input_finish(&in, e);
    m->contact_id = who.target.contact;
    m->lead_id = who.target.lead;
    m->case_id = who.target.kase;
    if (rc == 0)
        rc = message_link(eng->db, m, e);
    if (rc == 0 && who.kind == CRM_WHO_USER)
        rc = inbound_user_take(eng, &ci, &who, &thread, &proof, box.words, in.hold, &commands, e);
    if (rc == 0 && who.kind == CRM_WHO_USER)
        rc = dropbox_tell(eng, told_of(&box, commands), &ci, &who, &proof, in.journal, e);
    const char *ignored = rc == 0 && !commands ? ignored_reason(&who, m->kind) : NULL;
    if (rc == 0)
        rc = mail_finish(eng, it, a, ignored ? "ignored" : "filed", ignored, m->id, e);
    if (rc == 0)
        log_info("mail.filed", "message=M%" PRId64 " source=\"%s\" key=%s record=%s new=%d kind=%s",
                 m->id, a->source, a->key, arrival_record(&who.target, record),
                 who.new_lead || who.new_case, m->kind);
    if (rc == 0 && who.new_lead)
        engine_count(eng, "leads_created", 1);
    input_end(&in);
    return rc == 0 ? outbound_answered(eng, it->message, m->id, e) : -1;
}

static int mail_new(struct engine *eng, struct item *it, struct arrival *a, struct err *e)
{
    const json_t *msg = it->message;
    const char *id = json_get_str(msg, "message_id", NULL);
    struct message_row m = {
        .channel = "email",
        .kind = json_get_str(msg, "kind", "person"),
        .msgid_hash = id ? hash_64(id, strlen(id)) : 0,
        .same_hash = id ? same_hash(msg) : 0,
        .date_ms = json_get_int(msg, "date_ms", 0),
        .received_ms = clock_now_ms(),
    };
    int64_t same = 0;
    char own[32];
    if (thread_is_own(eng, msg, own)) {
        AUTO_FREE char *why = mem_printf("our own mail, outbox row %s", own + 1);
        if (a->name && probe_back(eng, a->name, strtoll(own + 1, NULL, 10), e) < 0)
            return -1;
        return mail_finish(eng, it, a, "ignored", why, 0, e);
    }
    bool idle = false;
    if (id && same_find(eng, msg, m.msgid_hash, m.same_hash, &same, &idle, e) < 0)
        return -1;
    if (same && idle && mail_wants(eng, msg, a)) {
        log_info("mail.again", "message=M%" PRId64 " source=\"%s\" key=%s", same, a->source, a->key);
        m.id = same;
        return message_put(eng, &m, it, true, e) < 0 ? -1 : mail_file(eng, it, a, &m, e);
    }
    if (same) {
        if (inbound_user_again(eng, it, a->mailbox, same, hold_of(a, clock_now_ms()), e) < 0)
            return -1;
        log_info("mail.same", "message=M%" PRId64 " source=\"%s\" key=%s", same, a->source, a->key);
        return mail_finish(eng, it, a, "filed", "the same message as before", same, e);
    }
    if (message_put(eng, &m, it, false, e) < 0)
        return -1;
    bool bounce = strcmp(m.kind, "bounce") == 0, ours = false;
    if (bounce || strcmp(m.kind, "report") == 0) {
        if ((bounce ? bounce_take : complaint_take)(eng, msg, m.id, &ours, e) < 0)
            return -1;
        if (ours)
            return mail_finish(eng, it, a, "filed", NULL, m.id, e);
    }
    const char *user = inbound_user(eng, msg);
    char said[HELD_SAID_MAX] = "";
    if (user && held_answer(eng, msg, user, m.id, said, e) < 0)
        return -1;
    if (*said)
        return mail_finish(eng, it, a, "filed", said, m.id, e);
    return mail_file(eng, it, a, &m, e);
}

int inbound_mail(struct engine *eng, struct item *it, struct err *e)
{
    struct arrival a;
    if (it->poison) {
        AUTO_FREE char *why = mem_str(it->poison);
        return inbound_quarantine(eng, it, why, e);
    }
    if (arrival_read(eng, it, &a, e) < 0) {
        arrival_done(&a);
        if (!a.foreign)
            receipt(eng, it, "ignored"); /* a frame no honest intake sends */
        log_warn("mail.refused", "peer=%s error=\"%s\" next=\"%s\"", it->peer_name, e->text,
                 a.foreign ? "no receipt" : "ignored");
        return 0;
    }
    int rc = arrival_enter(eng, &a, it, "filed", NULL, e);
    if (rc == 0 && a.ledger_id == 0) {
        receipt(eng, it, "duplicate");
        engine_count(eng, "mails_duplicate", 1);
    } else if (rc == 0) {
        if (a.name)
            alive_mail(eng, a.name);
        rc = it->message ? mail_new(eng, it, &a, e) : err_set(e, ERR_INPUT, "it was not parsed");
    }
    arrival_done(&a);
    return rc;
}
