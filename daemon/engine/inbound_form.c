/* SPDX-License-Identifier: ISC
 *
 * inbound_form - a posted form becomes ledger row, message and records
 *
 * web-in has held it against the form's config already (base/form_check.h); its
 * request id decides in the ledger whether it is new.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/address.h"
#include "crm/form.h"
#include "engine/arrival.h"
#include "engine/confirm.h"
#include "engine/consent.h"
#include "engine/duplicate.h"
#include "engine/enrol.h"
#include "engine/form_guard.h"
#include "engine/input.h"
#include "engine/judge.h"
#include "engine/notice_foot.h"
#include "store/confirmation.h"
#include "store/consent.h"
#include "store/ledger.h"
#include "store/message.h"

/* What did not fit its field is named with the message's other defects. */
static void form_defects(json_t *message, const json_t *misfits)
{
    size_t i;
    const json_t *v;
    json_t *defects = json_copy(json_object_get(message, "defects"));
    if (!json_is_array(defects)) {
        json_decref(defects);
        defects = json_array();
    }
    json_array_foreach((json_t *)misfits, i, v)
        json_array_append(defects, json_object_get(v, "text"));
    json_object_set_new(message, "defects", defects);
}

/* The same in the journal, without the value: it may be personal. */
static void form_notes(struct input *in, const json_t *misfits)
{
    size_t i;
    const json_t *v;
    json_array_foreach((json_t *)misfits, i, v)
        input_note(in, "the posted %s does not fit and was not taken into %s: show %s",
                   json_get_str(v, "posted", ""), json_get_str(v, "to", ""), in->intent);
}

/* What another program said of it, unless that was clear. */
static void form_verdict(struct input *in, const json_t *verdict)
{
    const char *by = json_get_str(verdict, "by", ""), *said = json_get_str(verdict, "said", "ham"),
               *why = json_get_str(verdict, "why", NULL);
    if (strcmp(said, "ham") != 0)
        input_note(in, "%s does not know whether it is spam%s%s", by, why ? ": " : "", why ? why : "");
}

/* A form is a message too: the same JSON form, with its fields. */
static json_t *form_message(const struct item *it)
{
    const json_t *j = it->frame.json;
    json_t *m = json_pack("{s:s, s:s, s:s}", "channel", "form", "kind", "person", "form",
                          json_get_str(j, "form", ""));
    static const char *const copied[] = {"fields", "extra", "remote", "agent", "defects",
                                         "confirmed", "verdict"};
    for (size_t i = 0; i < ARRAY_LEN(copied); i++)
        if (json_object_get(j, copied[i]))
            json_object_set(m, copied[i], json_object_get(j, copied[i]));
    if (json_array_size(json_get_arr(j, "files")))
        json_object_set(m, "attachments", json_get_arr(j, "files"));
    return m;
}

static const json_t *form_conf(const struct engine *eng, const char *form)
{
    return json_get_obj(json_get_obj(eng->role->config, "forms"), form);
}

/* The same words as before: they are there, and their sender may know. */
static int form_again(struct engine *eng, struct item *it, const struct arrival *a, int64_t same,
                      struct err *e)
{
    AUTO_FREE char *why = mem_printf("the same words as M%" PRId64 ", within same_within", same);
    if (ledger_settle(eng->db, a->ledger_id, "filed", why, same, e) < 0 ||
        (it->quarantine && quarantine_remove(eng->db, it->quarantine, e) < 0))
        return -1;
    arrival_form_done(eng, it, "ok", NULL, 0);
    engine_count(eng, "forms_same", 1);
    log_info("form.same", "message=M%" PRId64 " source=\"%s\" key=%s", same, a->source, a->key);
    return 0;
}

/* The posted address that we may write to then, folded. */
static bool form_address(const struct engine *eng, const char *form, const json_t *fields, bool sms,
                         char out[CRM_ADDRESS_MAX])
{
    AUTO_FREE char *text =
        crm_form_value(eng->crm, form, fields, sms ? "contact.phone" : "contact.email");
    if (!text)
        return false;
    return (sms ? crm_phone_fold(text, engine_setting(eng, "default_country", NULL), out,
                                 CRM_ADDRESS_MAX)
                : crm_email_fold(text, out)) == 0;
}

/* The address is its sender's: the link that was sent there, and to nobody else, was used.
 * That he agrees to anything only a ticked box says. */
static int form_confirmed(struct crm_ctx *ctx, const char *form, const json_t *confirmed,
                          int64_t message, struct err *e)
{
    const char *remote = json_get_str(confirmed, "remote", ""), *agent = json_get_str(confirmed, "agent", "");
    AUTO_FREE char *source = mem_printf("form %s, confirmed", form);
    AUTO_FREE char *words = mem_printf("confirmed by the link of the mail that was sent there, from "
                                       "%s%s%s", remote, *agent ? ", " : "", agent);
    const struct crm_consent c = {.source = source, .words = words, .sender = CONSENT_PROOF,
                                  .message_id = message};
    return crm_consent_add(ctx, "email", json_get_str(confirmed, "address", ""), true, true, &c, e);
}

/* Boxes that were ticked: kept with the words beside them, for the address that was posted. */
static int form_consents(struct engine *eng, struct crm_ctx *ctx, const char *form,
                         const json_t *message_json, int64_t message, struct err *e)
{
    const json_t *fields = json_get_obj(message_json, "fields"),
                 *confirmed = json_get_obj(message_json, "confirmed");
    if (confirmed && form_confirmed(ctx, form, confirmed, message, e) < 0)
        return -1;
    const char *posted;
    const json_t *v, *conf = form_conf(eng, form);
    char value[CRM_ADDRESS_MAX];
    json_object_foreach(json_get_obj(conf, "fields"), posted, v) {
        bool sms = strcmp(json_get_str(v, "channel", "email"), "sms") == 0;
        if (strcmp(json_get_str(v, "type", ""), "consent") != 0 ||
            strcmp(json_get_str(fields, posted, ""), "yes") != 0 ||
            !form_address(eng, form, fields, sms, value))
            continue;
        AUTO_FREE char *source = mem_printf("form %s", form);
        AUTO_FREE char *sender = mem_printf(CONSENT_PURPOSE "%s", json_get_str(v, "purpose", posted));
        struct crm_consent c = {.source = source, .words = json_get_str(v, "text", NULL),
                                .sender = sender, .message_id = message};
        if (crm_consent_add(ctx, sms ? "phone" : "email", value, true, confirmed && !sms, &c, e) < 0)
            return -1;
    }
    return 0;
}

static int form_file(struct engine *eng, struct item *it, struct arrival *a, const char *form,
                     struct err *e)
{
    const json_t *fields = json_get_obj(it->frame.json, "fields");
    AUTO_JSON json_t *message = form_message(it);
    AUTO_JSON json_t *misfits = crm_form_misfits(eng->crm, form, fields, clock_now_ms());
    if (json_array_size(misfits))
        form_defects(message, misfits);
    AUTO_FREE char *text = json_line(message);
    struct message_row m = {.channel = "form", .kind = "person", .received_ms = clock_now_ms()};
    int64_t same = 0;
    /* a person who takes it out of quarantine wants it all the same */
    const json_t *j = it->frame.json, *conf = form_conf(eng, form);
    bool judged = json_object_get(j, "verdict") && !json_get_bool(conf, "confirm", false);
    bool released = it->quarantine && !judged && !json_object_get(j, "confirmed");
    if (!released && form_guard_same(eng, conf, message, &m, &same, e) < 0)
        return -1;
    if (same)
        return form_again(eng, it, a, same, e);
    if (message_add(eng->db, &m, text, it->frame.raw, it->frame.raw_len, e) < 0)
        return -1;
    struct input in;
    struct crm_who who = {0};
    char record[CRM_ID_LEN];
    input_begin(&in, eng, mem_printf("form %s M%" PRId64, form, m.id),
                mem_printf("M%" PRId64, m.id));
    form_notes(&in, misfits);
    form_verdict(&in, json_get_obj(message, "verdict"));
    struct crm_input ci = {
        .kind = "form",
        .form = form,
        .fields = fields,
        .files = json_get_arr(it->frame.json, "files"),
        .message_id = m.id,
        .at_ms = in.now_ms,
    };
    int rc = crm_receive(in.ctx, &ci, &who, e);
    if (rc == 0)
        rc = form_consents(eng, in.ctx, form, message, m.id, e);
    in.target = who.target;
    notice_offered(&in, &who);
    if (rc == 0 && who.twin.other)
        rc = input_run(&in, e) < 0 ? -1 : duplicate_tell(&in, &who, e);
    const char *sequence = json_get_str(conf, "sequence", NULL);
    if (rc == 0 && sequence) {
        AUTO_FREE char *by = mem_printf("form %s", form);
        rc = enrol_from(&in, sequence, by, e);
    }
    if (rc == 0)
        rc = input_finish(&in, e);
    m.contact_id = who.target.contact;
    m.lead_id = who.target.lead;
    m.case_id = who.target.kase;
    if (rc == 0)
        rc = message_link(eng->db, &m, e);
    if (rc == 0)
        rc = ledger_settle(eng->db, a->ledger_id, "filed", it->quarantine ? ARRIVAL_RETRIED : NULL, m.id,
                           e);
    if (rc == 0 && it->quarantine)
        rc = quarantine_remove(eng->db, it->quarantine, e);
    if (rc == 0 && released)
        rc = confirmation_released(eng->db, it->quarantine, m.id, e);
    if (rc == 0) {
        arrival_form_done(eng, it, "ok", NULL, who.target.lead);
        engine_count(eng, "forms_filed", 1);
        if (who.new_lead)
            engine_count(eng, "leads_created", 1);
        log_info("form.filed", "message=M%" PRId64 " form=%s record=%s new=%d", m.id, form,
                 arrival_record(&who.target, record), who.new_lead || who.new_case);
    }
    input_end(&in);
    return rc;
}

int inbound_form_proof(struct engine *eng, int64_t message, const json_t *confirmed, bool *erased_out,
                       struct err *e)
{
    struct message_row m;
    struct input in;
    struct err gone = {0};
    AUTO_JSON json_t *json = message_json(eng->db, message, &gone);
    if (!json || message_get(eng->db, message, &m, &gone) < 0) {
        *erased_out = gone.cls == ERR_INPUT;
        return *erased_out ? 0 : err_set(e, gone.cls, "%s", gone.text);
    }
    const char *form = json_get_str(json, "form", "");
    json_object_set(json, "confirmed", (json_t *)confirmed);
    input_begin(&in, eng, mem_printf("form %s M%" PRId64 ", confirmed", form, message),
                mem_printf("M%" PRId64 "/confirmed", message));
    enum crm_entity of = m.lead_id ? CRM_LEAD : m.case_id ? CRM_CASE : CRM_CONTACT;
    int64_t id = m.lead_id ? m.lead_id : m.case_id ? m.case_id : m.contact_id;
    int rc = id ? crm_target_of(in.ctx, of, id, &in.target, &gone) : 0;
    if (rc < 0 && gone.cls != ERR_INPUT)
        *e = gone;
    else
        rc = form_consents(eng, in.ctx, form, json, message, e);
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

static int form_take(struct engine *eng, struct item *it, const char *form, struct err *e)
{
    struct arrival a;
    int rc = arrival_read(eng, it, &a, e);
    if (rc == 0)
        rc = arrival_enter(eng, &a, it, "filed", NULL, e);
    if (rc == 0 && a.ledger_id == 0) {
        arrival_form_done(eng, it, "duplicate", NULL, 0);
        engine_count(eng, "forms_duplicate", 1);
    } else if (rc == 0) {
        rc = form_file(eng, it, &a, form, e);
    }
    arrival_done(&a);
    return rc;
}

int inbound_form(struct engine *eng, struct item *it, struct err *e)
{
    struct err why = {0};
    const char *form = json_get_str(it->frame.json, "form", "");
    const json_t *fields = json_get_obj(it->frame.json, "fields");
    if (it->peer) { /* only confirm.c and judge.c say so */
        json_object_del(it->frame.json, "confirmed");
        json_object_del(it->frame.json, "verdict");
    }
    if (!it->quarantine && (!fields || crm_form_check(eng->crm, form, fields, &why) < 0)) {
        arrival_form_done(eng, it, "invalid", fields ? why.text : "no fields", 0);
        engine_count(eng, "forms_invalid", 1);
        return 0; /* the sender is told now and can mend it */
    }
    AUTO_FREE char *spam =
        it->quarantine ? NULL : form_guard_spam(form_conf(eng, form), it->frame.json);
    if (spam) {
        json_put_bool(it->frame.json, "spam", true);
        engine_count(eng, "forms_spam", 1);
        return inbound_quarantine(eng, it, spam, e);
    }
    const json_t *conf = it->peer ? form_conf(eng, form) : NULL;
    bool confirm = json_get_bool(conf, "confirm", false);
    if (judge_of(conf) && (!confirm || confirm_can(eng, it)))
        return judge_ask(eng, it, conf, e);
    return confirm ? confirm_ask(eng, it, conf, e) : form_take(eng, it, form, e);
}

int inbound_form_judged(struct engine *eng, struct item *it, struct err *e)
{
    const char *form = json_get_str(it->frame.json, "form", "");
    const json_t *conf = form_conf(eng, form);
    return json_get_bool(conf, "confirm", false) ? confirm_ask(eng, it, conf, e)
                                                 : form_take(eng, it, form, e);
}
