/* SPDX-License-Identifier: ISC
 *
 * solo_in - what comes into a solo engine: mails, forms, texts, commands, answers (see solo.h)
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/form_check.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/command.h"
#include "engine/call.h"
#include "engine/ctl.h"
#include "engine/parsed.h"
#include "engine/sms_in.h"
#include "engine/solo_inner.h"
#include "mail/parse.h"
#include "store/call.h"

#define SOLO_CALLS 1000 /* among which an answered one is looked for */

/* ---- mail ----------------------------------------------------------------------- */

static json_t *mail_meta(struct solo *s, const char *mailbox, const json_t *box, size_t n)
{
    char name[32];
    int64_t id = ++s->arrivals;
    json_t *meta = json_pack("{s:I, s:I}", "size", (json_int_t)n, "internal_ms",
                             (json_int_t)(s->internal_ms ? s->internal_ms : s->now_ms));
    s->internal_ms = 0;
    if (!mailbox)
        return meta;
    if (strcmp(json_get_str(box, "type", ""), "maildir") == 0) {
        snprintf(name, sizeof(name), "%" PRId64, id);
        json_put_str(meta, "name", name);
        return meta;
    }
    const char *folder = json_string_value(json_array_get(json_get_arr(box, "folders"), 0));
    json_put_str(meta, "folder", folder ? folder : "INBOX");
    json_put_int(meta, "uidvalidity", 1);
    json_put_int(meta, "uid", id);
    return meta;
}

static struct item *mail_item(struct solo *s, const char *raw, size_t n, const char *mailbox,
                              struct err *e)
{
    const json_t *box = json_get_obj(json_get_obj(s->role.config, "mailboxes"), mailbox);
    if (mailbox && !box) {
        err_set(e, ERR_INPUT, "no mailbox \"%s\" in the config", mailbox);
        return NULL;
    }
    if (n > BOUND_FRAME_RAW) {
        err_set(e, ERR_INPUT, "the mail is larger than %zu MB", BOUND_FRAME_RAW / MIB(1));
        return NULL;
    }
    struct item *it = item_new(ITEM_MAIL, NULL);
    it->peer_name = mailbox ? mem_printf("intake:%s", mailbox) : mem_str("ingest");
    it->frame.type = FRAME_MAIL;
    it->frame.json = mail_meta(s, mailbox, box, n);
    it->frame.raw = mem_strn(raw, n);
    it->frame.raw_len = n;
    return it;
}

/* As the parser role and parsing_done() do it. */
static void mail_read(struct solo *s, struct item *it)
{
    struct mail_limits lim;
    struct err e = {0};
    int removed;
    mail_limits_default(&lim);
    lim.now_ms = s->now_ms;
    AUTO_JSON json_t *m = mail_parse(it->frame.raw, it->frame.raw_len, &lim, &e);
    if (m && parsed_clean(m, &removed, &e) == 0)
        it->message = json_incref(m);
    else
        it->poison = mem_str(e.text);
}

int solo_mail(struct solo *s, const char *raw, size_t n, const char *mailbox,
              struct solo_answer *out, struct err *e)
{
    struct item *it = mail_item(s, raw, n, mailbox, e);
    if (!it)
        return -1;
    if (solo_enter(s, e) < 0) {
        item_free(it);
        return -1;
    }
    mail_read(s, it);
    return solo_leave(solo_arrival(s, it, out, e));
}

/* ---- forms ------------------------------------------------------------------------ */

/* As web-in holds it against the form, before the engine hears of it. */
static bool form_hold(const json_t *conf, const json_t *posted, struct form_checked *out)
{
    const char *name;
    json_t *v;
    struct form f;
    form_init(&f);
    json_object_foreach((json_t *)posted, name, v) {
        const char *s = json_string_value(v);
        AUTO_FREE char *text = s ? NULL : json_text(v);
        form_add_value(&f, name, strlen(name), s ? s : text, strlen(s ? s : text), FORM_UTF8);
    }
    bool ok = form_check(&f, conf, out);
    form_done(&f);
    return ok;
}

/* Frame of web-in; fields and extra are kept by reference. */
static json_t *form_frame(struct solo *s, const char *form, json_t *fields, json_t *extra)
{
    char id[40];
    snprintf(id, sizeof(id), "solo%028" PRId64, ++s->arrivals);
    return json_pack("{s:s, s:s, s:O, s:O, s:[]}", "form", form, "request_id", id, "fields", fields,
                     "extra", extra, "files");
}

static int form_item(struct solo *s, json_t *frame, struct solo_answer *out, struct err *e)
{
    struct item *it = item_new(ITEM_FRAME, NULL);
    it->peer_name = mem_str("web-in");
    it->frame.type = FRAME_FORM;
    it->frame.json = frame;
    return solo_leave(solo_arrival(s, it, out, e));
}

int solo_form(struct solo *s, const char *form, const json_t *fields, struct solo_answer *out,
              struct err *e)
{
    const json_t *conf = json_get_obj(json_get_obj(s->role.config, "forms"), form);
    if (!conf)
        return err_set(e, ERR_INPUT, "no form \"%s\" in the config", form);
    if (solo_enter(s, e) < 0)
        return -1;
    struct form_checked c;
    int rc;
    if (form_hold(conf, fields, &c)) {
        rc = form_item(s, form_frame(s, form, c.fields, c.extra), out, e);
    } else {
        AUTO_FREE char *why = form_faults_text(c.faults);
        *out = (struct solo_answer){.status = "invalid"};
        snprintf(out->text, sizeof(out->text), "%.*s",
                 (int)text_utf8_cut(why, strlen(why), sizeof(out->text) - 1), why);
        rc = solo_leave(0);
    }
    form_checked_done(&c);
    return rc;
}

/* ---- what was read before ----------------------------------------------------------- */

int solo_message(struct solo *s, const json_t *message, const char *mailbox,
                 struct solo_answer *out, struct err *e)
{
    static const char *const copied[] = {"remote", "agent", "defects"};
    const char *form = json_get_str(message, "form", "");
    if (strcmp(json_get_str(message, "channel", ""), "form") != 0) {
        struct item *it = mail_item(s, "", 0, mailbox, e);
        if (!it)
            return -1;
        if (solo_enter(s, e) < 0) {
            item_free(it);
            return -1;
        }
        it->message = json_incref((json_t *)message);
        return solo_leave(solo_arrival(s, it, out, e));
    }
    const json_t *conf = json_get_obj(json_get_obj(s->role.config, "forms"), form);
    if (!conf)
        return err_set(e, ERR_INPUT, "no form \"%s\" in the config", form);
    if (solo_enter(s, e) < 0)
        return -1;
    AUTO_JSON json_t *none = json_object();
    json_t *fields = json_get_obj(message, "fields"), *extra = json_get_obj(message, "extra");
    json_t *frame = form_frame(s, form, fields ? fields : none, extra ? extra : none);
    if (json_get_arr(message, "attachments"))
        json_object_set(frame, "files", json_get_arr(message, "attachments"));
    for (size_t i = 0; i < ARRAY_LEN(copied); i++)
        if (json_object_get(message, copied[i]))
            json_object_set(frame, copied[i], json_object_get(message, copied[i]));
    return form_item(s, frame, out, e);
}

/* ---- texts -------------------------------------------------------------------------- */

int solo_sms(struct solo *s, const char *gateway, const char *from, const char *text,
             struct solo_answer *out, struct err *e)
{
    const json_t *conf = json_get_obj(json_get_obj(s->role.config, "gateways"), gateway);
    const char *country =
        json_get_str(conf, "country", engine_setting(&s->eng, "default_country", "ZZ"));
    char theirs[CRM_ADDRESS_MAX];
    int64_t message = 0;
    if (!conf)
        return err_set(e, ERR_INPUT, "no gateway \"%s\" in the config", gateway);
    if (crm_phone_read(from, country, theirs, sizeof(theirs)) < 0)
        return err_set(e, ERR_INPUT, "'%.40s' is no number; such as +431234567", from);
    if (solo_enter(s, e) < 0)
        return -1;
    struct sms sms = {.gateway = gateway,
                      .theirs = theirs,
                      .ours = json_get_str(conf, "number", "us"),
                      .number = true,
                      .text = text,
                      .id = "",
                      .flag = ""};
    *out = (struct solo_answer){.status = "filed"};
    int rc = db_savepoint(s->eng.db, e);
    if (rc == 0 && (rc = sms_file(&s->eng, &sms, &message, e)) < 0)
        db_rollback_to(s->eng.db);
    else if (rc == 0)
        rc = db_release(s->eng.db, e);
    return solo_leave(rc < 0 ? rc : solo_due(s, e));
}

/* ---- commands --------------------------------------------------------------------- */

int solo_command(struct solo *s, const char *record, const char *line, const char *user,
                 struct solo_answer *out, struct err *e)
{
    struct crm_result res = {.text = ""};
    struct crm_actor actor = {.kind = user ? CRM_BY_USER : CRM_BY_OPERATOR,
                              .name = user ? user : "operator"};
    if (user && !crm_user(s->eng.crm, user))
        return err_set(e, ERR_INPUT, "no user \"%s\" in the config", user);
    if (solo_enter(s, e) < 0)
        return -1;
    *out = (struct solo_answer){.status = "ok"};
    int rc = db_savepoint(s->eng.db, e);
    if (rc == 0 && (rc = ctl_run_line(&s->eng, record, line, &actor, &res, e)) < 0)
        db_rollback_to(s->eng.db);
    else if (rc == 0)
        rc = db_release(s->eng.db, e);
    snprintf(out->text, sizeof(out->text), "%s", res.text);
    return solo_leave(rc < 0 ? rc : solo_due(s, e));
}

/* ---- calls ------------------------------------------------------------------------ */

/* Nobody makes them here: they wait until they are answered. */
static int call_waiting(struct solo *s, const char *name, int64_t *id_out, struct err *e)
{
    size_t i;
    json_t *row;
    AUTO_JSON json_t *rows = call_list(s->eng.db, "ready", NULL, 0, SOLO_CALLS, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row)
        if (strcmp(json_get_str(row, "name", ""), name) == 0 ||
            strcmp(json_get_str(row, "endpoint", ""), name) == 0) {
            *id_out = json_get_int(row, "id", 0);
            return 0;
        }
    return err_set(e, ERR_INPUT, "nothing waits for an answer of \"%s\"", name);
}

static int call_answer(struct solo *s, const char *name, const struct call_outcome *o, struct err *e)
{
    int64_t id = 0;
    if (call_waiting(s, name, &id, e) < 0 || db_savepoint(s->eng.db, e) < 0)
        return -1;
    AUTO_JSON json_t *row = call_get(s->eng.db, id, e);
    if (row && call_settle(&s->eng, row, o, e) == 0)
        return db_release(s->eng.db, e);
    db_rollback_to(s->eng.db);
    return -1;
}

int solo_answered(struct solo *s, const char *name, int64_t code, const char *answer, struct err *e)
{
    const struct call_outcome o = {.code = code,
                                   .text = code ? "" : "no answer",
                                   .answer = answer,
                                   .answer_len = strlen(answer)};
    if (solo_enter(s, e) < 0)
        return -1;
    int rc = call_answer(s, name, &o, e);
    return solo_leave(rc < 0 ? rc : solo_due(s, e));
}
