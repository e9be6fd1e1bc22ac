/* SPDX-License-Identifier: ISC
 *
 * ctl_template - leadctl template preview and send: a template with a record's values
 *
 * preview writes the mail as `send` would, outbox row and all, and takes it back before
 * anybody sees it: what is shown is what would be sent. A test goes to who asked for it,
 * says that it is one, and is about no record: nothing is filed, counted or answered.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/language.h"
#include "engine/ctl.h"
#include "engine/dress.h"
#include "engine/input.h"
#include "engine/optout.h"
#include "engine/outgoing.h"
#include "engine/token.h"
#include "rule/template.h"
#include "store/outbox.h"

#define RAW_SHOWN MIB(2)

struct trial {
    struct ctl *c;
    struct input in;
    struct crm_send send;
    struct dress dress;
    struct template_result words;
    json_t *row;             /* own; of the outbox */
    struct outbox_mail mail; /* own */
    char language[CRM_LANGUAGE_MAX];
};

/* What is only tried ends nobody's mail: a word stands where the link would. */
static int trial_words(struct trial *t, const struct crm_rendering *how, struct err *e)
{
    const struct crm *crm = t->c->eng->crm;
    const struct optout nowhere = {.url = (char *)OPTOUT_PLACE};
    crm_set_unsubscribe(t->in.ctx, OPTOUT_PLACE);
    int rc = crm_render(t->in.ctx, &t->in.target, how, &t->words, e);
    crm_set_unsubscribe(t->in.ctx, NULL);
    if (rc == 0)
        optout_fill(t->c->eng, &nowhere, template_list(crm_template(crm, how->name)), how->language,
                    &t->words);
    return rc;
}

static int trial_begin(struct trial *t, struct ctl *c, const char *intent, struct err *e)
{
    const char *lang = ctl_option(c, "lang");
    enum crm_entity what;
    int64_t id;
    t->c = c;
    input_begin(&t->in, c->eng, mem_str("template"), mem_str(intent));
    if (crm_id_parse(c->argv[3], &what, &id) < 0)
        return err_set(e, ERR_INPUT, "expected a record such as L42, not \"%s\"", c->argv[3]);
    if (lang && crm_language_code(c->eng->crm, lang, t->language) < 0)
        return err_set(e, ERR_INPUT, "\"%s\" is no language; a code such as de or de-AT is one", lang);
    if (!crm_template(c->eng->crm, c->argv[2]))
        return err_set(e, ERR_INPUT, "there is no template %s: leadctl template list", c->argv[2]);
    if (crm_target_of(t->in.ctx, what, id, &t->in.target, e) < 0)
        return -1;
    t->send = (struct crm_send){.template_name = c->argv[2],
                                .language = lang ? t->language : NULL,
                                .target = t->in.target,
                                .actor = {.kind = CRM_BY_OPERATOR, .name = c->user}};
    if (crm_send_to_contact(t->in.ctx, &t->in.target, &t->send, e) < 0 ||
        dress_make(&t->in, &t->send, &t->dress, e) < 0)
        return -1;
    const struct crm_rendering how = {.name = c->argv[2],
                                      .language = t->dress.language,
                                      .signed_by = t->dress.signed_by,
                                      .actor = &t->send.actor};
    return trial_words(t, &how, e);
}

static void trial_end(struct trial *t)
{
    template_result_done(&t->words);
    dress_done(&t->dress);
    outbox_mail_done(&t->mail);
    json_decref(t->row);
    input_end(&t->in);
}

/* "contact.first_name, lead.subject"; "" when nothing is missing. */
static void trial_missing(const struct trial *t, struct buf *out)
{
    const struct rule_fields *fields = crm_fields(t->c->eng->crm);
    for (size_t i = 0; i < t->words.missing_count; i++)
        buf_printf(out, "%s%s", i ? ", " : "", rule_fields_get(fields, t->words.missing[i])->name);
}

/* ---- preview --------------------------------------------------------------------------------- */

static int preview_write(struct trial *t, struct err *e)
{
    struct engine *eng = t->c->eng;
    int64_t id = 0;
    if (db_savepoint(eng->db, e) < 0)
        return -1;
    t->in.preview = true;
    int rc = followup_send(&t->in, t->in.ctx, &t->send, &id, e);
    if (rc == 0)
        rc = outbox_mail(eng->db, id, &t->mail, e);
    if (rc == 0 && !(t->row = outbox_get(eng->db, id, e)))
        rc = -1;
    db_rollback_to(eng->db);
    return rc;
}

/* The lines of the header that people look at, as they are on the wire but for the subject. */
static void preview_header(const struct trial *t, struct buf *out)
{
    static const char *const shown[] = {"From:", "To:", "Reply-To:", "List-Unsubscribe:"};
    bool keep = false;
    for (const char *p = t->mail.raw, *eol; *p && *p != '\r'; p = eol + 2) {
        eol = strstr(p, "\r\n");
        if (text_starts(p, "Subject:"))
            buf_printf(out, "Subject: %s\n", t->words.subject);
        if (*p != ' ' && *p != '\t') {
            keep = false;
            for (size_t i = 0; i < ARRAY_LEN(shown); i++)
                keep |= text_starts(p, shown[i]);
        }
        if (keep)
            buf_printf(out, "%.*s\n", (int)(eol - p), p);
    }
}

static json_t *preview_files(const struct trial *t)
{
    json_t *files = json_array();
    for (size_t i = 0; i < t->dress.file_count; i++)
        json_array_append_new(files, json_pack("{s:s, s:s, s:I}", "filename", t->dress.files[i].filename,
                                               "type", t->dress.files[i].type, "size",
                                               (json_int_t)t->dress.files[i].size));
    return files;
}

/* What was asked for, and what there is. */
static void preview_language(const struct trial *t, struct buf *out)
{
    const struct crm *crm = t->c->eng->crm;
    const char *asked = t->dress.language, *name = t->c->argv[2],
               *got = template_name(crm_template_in(crm, name, asked));
    const char *speaks = text_starts(got, name) && got[strlen(name)] == '.'
                             ? got + strlen(name) + 1 : engine_setting(t->c->eng, "language", NULL);
    if (speaks && strcmp(speaks, asked) == 0)
        buf_printf(out, "Language: %s\n", asked);
    else
        buf_printf(out, "Language: %s%s%s.txt, since there is no %s.%s.txt\n", speaks ? speaks : "",
                   speaks ? ", of " : "of ", got, name, asked);
}

static void preview_text(const struct trial *t, bool html, struct buf *out)
{
    const char *state = json_get_str(t->row, "state", ""), *why = json_get_str(t->row, "reply", "");
    struct buf missing AUTO_BUF;
    buf_init(&missing, KIB(16));
    trial_missing(t, &missing);
    preview_header(t, out);
    if (t->dress.language)
        preview_language(t, out);
    for (size_t i = 0; i < t->dress.file_count; i++)
        buf_printf(out, "Attached: %s (%s, %zu bytes)\n", t->dress.files[i].filename,
                   t->dress.files[i].type, t->dress.files[i].size);
    if (strcmp(state, "held") == 0)
        buf_printf(out, "It would be held: %s\n", why);
    if (missing.len)
        buf_printf(out, "Not set: %s\n", missing.data);
    buf_printf(out, "\n%s", html && t->words.html ? t->words.html : t->words.text);
    if (html && !t->words.html)
        buf_str(out, "\n(the template has no HTML)\n");
}

static json_t *preview_answer(struct trial *t, bool html, bool raw, struct err *e)
{
    struct buf text AUTO_BUF;
    buf_init(&text, BOUND_TEMPLATE_OUTPUT * 2);
    if (raw && t->mail.raw_len > RAW_SHOWN) {
        err_set(e, ERR_INPUT, "the mail has %zu bytes: too many to be shown", t->mail.raw_len);
        return NULL;
    }
    preview_text(t, html, &text);
    AUTO_JSON json_t *mail = json_pack(
        "{s:s, s:s, s:s, s:s*, s:s, s:s*, s:o, s:s, s:s*}", "to", t->send.to, "from",
        t->dress.from.address, "subject", t->words.subject, "from_name", t->dress.from.name, "state",
        json_get_str(t->row, "state", ""), "why", json_get_str(t->row, "reply", NULL), "attachments",
        preview_files(t), "text", t->words.text, "html", t->words.html);
    if (t->dress.language)
        json_put_str(mail, "language", t->dress.language);
    return json_pack("{s:s, s:O}", "text", raw ? t->mail.raw : text.data, "mail", mail);
}

static json_t *template_preview(struct ctl *c, struct err *e)
{
    struct trial t = {.row = NULL};
    bool html = false, raw = false;
    if (ctl_options_check(c, 4, "lang part", e) < 0)
        return NULL;
    const char *part = ctl_option(c, "part");
    html = part && strcmp(part, "html") == 0;
    raw = part && strcmp(part, "raw") == 0;
    json_t *answer = NULL;
    if (trial_begin(&t, c, "preview", e) == 0 && preview_write(&t, e) == 0)
        answer = preview_answer(&t, html, raw, e);
    trial_end(&t);
    return answer;
}

/* ---- a test --------------------------------------------------------------------------------- */

static int test_fill(struct trial *t, const char *to, struct outbox_row *row, struct err *e)
{
    struct engine *eng = t->c->eng;
    char own[TOKEN_NAME_LEN], outbox[32];
    struct buf raw AUTO_BUF;
    buf_init(&raw, BOUND_TEMPLATE_OUTPUT * 4 + t->dress.bytes * 3 / 2);
    snprintf(outbox, sizeof(outbox), "O%" PRId64, row->id);
    token_make(eng->key, "own", outbox, own);
    AUTO_FREE char *id = mem_printf("%s@%s", own, engine_setting(eng, "domain", "localhost"));
    AUTO_FREE char *subject = mem_printf("[TEST] %s", t->words.subject);
    AUTO_FREE char *mark = mem_printf("A test of the template %s with the values of %s. Nothing was filed.",
                                      t->c->argv[2], t->c->argv[3]);
    AUTO_FREE char *text = mem_printf("%s\n\n%s", mark, t->words.text);
    AUTO_FREE char *html = t->words.html ? mem_printf("<p>%s</p>\n%s", mark, t->words.html) : NULL;
    const struct mail_header headers[] = {{"Auto-Submitted", "auto-generated"},
                                          {"X-Auto-Response-Suppress", "All"},
                                          {"X-Leadd-Token", own},
                                          {"X-Leadd-Test", t->c->argv[2]}};
    struct mail_address rcpt = {to, NULL};
    const struct mail_compose m = {.from = t->dress.from,
                                   .to = &rcpt,
                                   .to_count = 1,
                                   .subject = subject,
                                   .message_id = id,
                                   .date_ms = clock_now_ms(),
                                   .headers = headers,
                                   .header_count = ARRAY_LEN(headers),
                                   .text = text,
                                   .html = html,
                                   .attachments = t->dress.files,
                                   .attachment_count = t->dress.file_count};
    if (mail_compose(&m, &raw, e) < 0)
        return -1;
    row->msgid_hash = hash_64(id, strlen(id));
    row->mail_from = ""; /* what comes back of a test is nobody's */
    row->rcpt_to = to;
    row->subject = subject;
    row->raw = raw.data;
    row->raw_len = raw.len;
    return outbox_fill(eng->db, row, e);
}

static int test_put(struct trial *t, const char *to, char why[OUTGOING_WHY_MAX], struct err *e)
{
    int64_t now = clock_now_ms();
    struct outbox_row row;
    uint64_t random;
    hash_random(&random, sizeof(random));
    AUTO_FREE char *intent = mem_printf("test/%s/%s/%016" PRIx64, t->c->argv[2], to, random);
    const struct outgoing o = {.intent = intent,
                               .class_ = "notice",
                               .template_ = t->c->argv[2],
                               .mail = {.to = to, .ours = true},
                               .now_ms = now,
                               .lane = LANE_PERSON};
    return outgoing_add(t->c->eng, &o, &row, why, e) < 0 ? -1 : test_fill(t, to, &row, e);
}

static json_t *template_send(struct ctl *c, struct err *e)
{
    struct trial t = {.row = NULL};
    char to[CRM_ADDRESS_MAX], why[OUTGOING_WHY_MAX] = "";
    struct buf missing AUTO_BUF;
    buf_init(&missing, KIB(16));
    if (ctl_options_check(c, 4, "lang to", e) < 0)
        return NULL;
    if (crm_email_fold(ctl_option(c, "to"), to) < 0) {
        err_set(e, ERR_INPUT, "to whom? leadctl template send %s %s --to ADDRESS", c->argv[2], c->argv[3]);
        return NULL;
    }
    int rc = trial_begin(&t, c, "test", e) < 0 ? -1 : test_put(&t, to, why, e);
    if (rc == 0)
        trial_missing(&t, &missing);
    trial_end(&t);
    if (rc < 0)
        return NULL;
    return ctl_text("a test of %s goes to %s%s%s%s%s", c->argv[2], to, *why ? "; it is held: " : "", why,
                    missing.len ? "; not set, so it would be held: " : "", missing.len ? missing.data : "");
}

json_t *ctl_template(struct ctl *c, struct err *e)
{
    if (c->argc >= 4 && strcmp(c->argv[1], "preview") == 0)
        return template_preview(c, e);
    if (c->argc >= 4 && strcmp(c->argv[1], "send") == 0)
        return template_send(c, e);
    err_set(e, ERR_INPUT, "expected: template preview NAME ID [lang=LANG] [part=html|raw], or template "
            "send NAME ID to=ADDRESS [lang=LANG]");
    return NULL;
}
