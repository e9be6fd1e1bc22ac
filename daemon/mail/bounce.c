/* SPDX-License-Identifier: ISC
 *
 * bounce - delivery reports (RFC 3464) and what other systems write instead
 *
 * A report's own fields win where they say something: an address, a status that fits
 * what happened. What is missing is read from the words (bounce_text.c). Without a
 * report a mail is a bounce when a mail system sent it and it reads like one; a
 * person who forwards or asks about a bounce is a person. Nothing here trusts a
 * bounce: the token that names an outbox row is checked by the engine.
 */
#include "mail/bounce.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/classify.h"

#define REPORT_RECIPIENTS 50

/* ---- the fields of a report ---- */

/* "rfc822; <a@b> (Anna)" -> "a@b"; NULL when it holds no address. Own. */
static char *typed_address(struct mail_ctx *c, const struct mail_fields *f, const char *name)
{
    AUTO_FREE char *v = mail_field_text(c, f, name);
    if (!v)
        return NULL;
    char *semi = strchr(v, ';');
    char *t = semi ? semi + 1 : v;
    char *open = strchr(t, '<');
    t = open ? open + 1 : t + strspn(t, " \t\"'");
    t[strcspn(t, "> \t\"'(,;")] = '\0';
    AUTO_JSON json_t *a = mail_address_json(t, NULL);
    return mem_str(json_get_str(a, "address", NULL));
}

static void put_typed(struct mail_ctx *c, const struct mail_fields *f, const char *name,
                      json_t *out, const char *key)
{
    AUTO_FREE char *v = mail_field_text(c, f, name);
    char *semi = v ? strchr(v, ';') : NULL;
    char *t = v ? text_trim(semi ? semi + 1 : v) : NULL;
    if (t && *t)
        json_put_str(out, key, t);
}

static bool in_list(const json_t *list, const char *address)
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)list, i,
                       v) if (strcasecmp(json_string_value(v), address) == 0) return true;
    return false;
}

/* Whom we wrote to, not where that was forwarded: Original-Recipient, unless only the
 * other one is in the returned mail. */
static void put_recipient(struct mail_ctx *c, const struct mail_fields *f, const json_t *to,
                          json_t *b)
{
    AUTO_FREE char *original = typed_address(c, f, "Original-Recipient");
    AUTO_FREE char *final = typed_address(c, f, "Final-Recipient");
    bool final_named = final && in_list(to, final) && !(original && in_list(to, original));
    json_put_str(b, "recipient", final_named || !original ? final : original);
}

/* The field's code; not one of success in a report of failure. */
static void put_status(json_t *b, const char *status, const char *action)
{
    char code[BOUNCE_STATUS];
    status += strspn(status, " \t#");
    size_t n = strspn(status, "0123456789.");
    while (n && status[n - 1] == '.')
        n--;
    if (n < 5 || n >= sizeof(code) || (*status == '2' && strcmp(action, "failed") == 0))
        return;
    memcpy(code, status, n);
    code[n] = '\0';
    json_put_str(b, "status", code);
}

/* Status: 5.0.0 with Diagnostic-Code: smtp; 550 5.1.1 ...: the remote host knew more. */
static void status_complete(json_t *b)
{
    char found[BOUNCE_STATUS];
    const char *status = json_get_str(b, "status", ""), *said = json_get_str(b, "diagnostic", "");
    AUTO_FREE char *low = mem_str(said);
    text_lower(low);
    if (!*status && *low && bounce_status_find(low, strlen(low), found))
        json_put_str(b, "status", found);
    else if (*status && strcmp(status + 1, ".0.0") == 0 &&
             bounce_status_written(low, strlen(low), found) && found[0] == *status)
        json_put_str(b, "status", found);
}

/* One group of recipient fields; true when it tells of a failure. */
static bool recipient_read(struct mail_ctx *c, const struct mail_fields *f, const json_t *to,
                           json_t *b)
{
    AUTO_FREE char *action = mail_field_text(c, f, "Action");
    AUTO_FREE char *status = mail_field_text(c, f, "Status");
    put_recipient(c, f, to, b);
    put_typed(c, f, "Diagnostic-Code", b, "diagnostic");
    if (action) {
        text_lower(action);
        action[strcspn(action, " ;(\t")] = '\0';
        if (*action)
            json_put_str(b, "action", action);
    }
    if (status)
        put_status(b, status, json_get_str(b, "action", ""));
    return !action || strcmp(action, "failed") == 0;
}

static void recipient_clear(json_t *b)
{
    static const char *const keys[] = {"recipient", "status", "diagnostic", "action"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        json_object_del(b, keys[i]);
}

/* The first failed recipient of a report, else its first one. */
static bool report_read(struct mail_ctx *c, const struct mail_part *p, const json_t *to, json_t *b)
{
    AUTO_BUF struct buf text;
    bool any = false;
    buf_init(&text, BOUND_MAIL_SIZE);
    mail_part_decode(c, p, &text);
    size_t n = text.len < BOUND_MAIL_REPORT ? text.len : BOUND_MAIL_REPORT;
    for (size_t at = 0, i = 0; at < n && i < REPORT_RECIPIENTS; i++) {
        struct mail_fields f = {0};
        at += mail_fields_read(c, &f, text.data + at, n - at, "the delivery report", NULL, NULL);
        bool recipient =
            mail_fields_get(&f, "Final-Recipient") || mail_fields_get(&f, "Original-Recipient");
        if (recipient && !any) {
            any = true;
            if (recipient_read(c, &f, to, b))
                i = REPORT_RECIPIENTS;
        } else if (recipient) {
            AUTO_JSON json_t *other = json_object();
            if (recipient_read(c, &f, to, other)) {
                recipient_clear(b);
                json_object_update(b, other);
                i = REPORT_RECIPIENTS;
            }
        } else if (f.count == 0 && at < n) {
            size_t t;
            at += mail_line_len(text.data + at, n - at, &t);
        }
        mail_fields_done(&f);
    }
    return any;
}

/* ---- the mail that came back ---- */

static void original_read_fields(struct mail_ctx *c, const struct mail_fields *f, json_t *b,
                                 struct bounce_original *o)
{
    static const char *const names[] = {"To", "Cc"};
    const struct mail_field *id = mail_fields_get(f, "Message-ID");
    if (id && !json_object_get(b, "original_message_id")) {
        AUTO_JSON json_t *ids = json_array();
        mail_ids_read(c, id, 1, ids);
        json_put_str(b, "original_message_id", json_string_value(json_array_get(ids, 0)));
    }
    AUTO_FREE char *token = mail_field_text(c, f, "X-Leadd-Token");
    if (token && *token && !json_object_get(b, "original_token"))
        json_put_str(b, "original_token", token);
    for (size_t k = 0; o && k < ARRAY_LEN(names); k++) {
        AUTO_JSON json_t *list = json_array();
        size_t i;
        json_t *a;
        mail_addresses_read(c, f, names[k], list);
        json_array_foreach(list, i, a) if (json_array_size(o->to) < 50)
            json_array_append(o->to, json_object_get(a, "folded"));
    }
}

static void original_read_block(struct mail_ctx *c, const char *p, size_t n, json_t *b,
                                struct bounce_original *o)
{
    struct mail_fields f = {0};
    mail_fields_read(c, &f, p, n, "the returned header", NULL, NULL);
    original_read_fields(c, &f, b, o);
    mail_fields_done(&f);
}

void mail_original_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *b,
                        struct bounce_original *o)
{
    for (size_t i = 1; i < ps->count; i++) {
        const struct mail_part *p = &ps->v[i];
        bool message = p->parent >= 0 && ps->v[p->parent].kind == MAIL_MESSAGE;
        if (message) {
            original_read_fields(c, &p->fields, b, o);
        } else if (strcmp(p->type, "text/rfc822-headers") == 0 ||
                   strcmp(p->type, "message/rfc822-headers") == 0 ||
                   strcmp(p->type, "message/global-headers") == 0 ||
                   (p->kind == MAIL_LEAF && strcmp(p->type, "message/rfc822") == 0)) {
            AUTO_BUF struct buf text;
            buf_init(&text, BOUND_MAIL_SIZE);
            mail_part_decode(c, p, &text);
            original_read_block(c, text.data, text.len, b, o);
        }
        if (json_object_get(b, "original_message_id"))
            return; /* one mail comes back; what was in it is not it */
    }
}

/* The returned header in the text itself, also quoted with >. Sets o->words. */
static void original_read_text(struct mail_ctx *c, const char *text, size_t n, json_t *b,
                               struct bounce_original *o)
{
    o->words = bounce_original_at(text, n);
    if (o->words == n)
        return;
    AUTO_BUF struct buf plain;
    buf_init(&plain, n - o->words + 1);
    for (size_t at = o->words; at < n;) {
        size_t t, len = mail_line_len(text + at, n - at, &t);
        size_t quote = text[at] == '>' ? 1 + (len > 2 && text[at + 1] == ' ') : 0;
        buf_add(&plain, text + at + quote, len - quote);
        at += len;
    }
    original_read_block(c, plain.data, plain.len, b, o);
}

/* Where this bounce was sent: the return path that carries the outbox token. */
static void envelope_read(struct mail_ctx *c, const struct mail_fields *f, json_t *b)
{
    static const char *const names[] = {
        "X-Original-To", "Envelope-To", "X-Envelope-To", "Delivered-To", "To",
    };
    json_t *out = json_array(), *a;
    size_t i;
    for (size_t k = 0; k < ARRAY_LEN(names); k++) {
        AUTO_JSON json_t *list = json_array();
        mail_addresses_read(c, f, names[k], list);
        json_array_foreach(list, i, a) if (json_array_size(out) < 20)
            json_array_append(out, json_object_get(a, "address"));
    }
    json_object_set_new(b, "envelope_recipients", out);
}

/* ---- is it one? ---- */

/* Sent by a mail system: 2 by its address, 1 by what it calls itself. */
static int is_daemon(struct mail_ctx *c, const struct mail_fields *f, const json_t *msg)
{
    static const char *const locals[] = {
        "mailer-daemon", "mailerdaemon", "mail-daemon", "maildaemon", "postmaster",
        "microsoftexchange", "mailer_daemon", "mdaemon", "mail-delivery", "maildelivery",
        "mailsystem", "smtpd",
    };
    static const char *const names[] = {
        "mailer-daemon", "mail delivery", "delivery subsystem", "system administrator",
        "systemadministrator", "mail administrator", "postmaster", "mail deliver",
        "mail system", "mail server", "administrateur syst", "administrador del sistema",
        "microsoft exchange", "amministratore di sistema", "mail transfer", "mailer daemon",
        "delivery system",
    };
    const char *from = json_get_str(json_get_obj(msg, "from"), "folded", "");
    for (size_t i = 0; i < ARRAY_LEN(locals); i++)
        if (text_starts(from, locals[i]))
            return 2;
    AUTO_FREE char *raw = mail_field_text(c, f, "From");
    for (size_t i = 0; raw && i < ARRAY_LEN(names); i++)
        if (strcasestr(raw, names[i]))
            return i == 0 ? 2 : 1; /* MAILER-DAEMON without a domain */
    return 0;
}

/* A postmaster may be a person who answers, with our mail quoted below. */
static bool is_postmaster(const json_t *msg)
{
    return text_starts(json_get_str(json_get_obj(msg, "from"), "folded", ""), "postmaster@");
}

/* No report part: told in a field, or in words that nobody but a mail system writes.
 * recipient: it names somebody to whom the returned mail went. */
static bool is_told(struct mail_ctx *c, const struct mail_fields *f, const json_t *msg,
                    const char *text, const struct bounce_original *o)
{
    bool subject = bounce_has_subject(json_get_str(msg, "subject", ""));
    bool marker = bounce_has_marker(text, o->words);
    bool null_path = strcmp(json_get_str(msg, "return_path", "?"), "") == 0;
    bool original = json_array_size(o->to) > 0;
    if (mail_fields_get(f, "X-Failed-Recipients"))
        return true;
    int daemon = is_daemon(c, f, msg);
    if (daemon == 2)
        return subject || marker || (original && (null_path || !is_postmaster(msg)));
    if (daemon == 1 && subject && (marker || original))
        return true;
    if (null_path)
        return (subject && marker) || (original && (subject || marker));
    return subject && marker && original &&
           mail_is_machine_address(json_get_str(json_get_obj(msg, "from"), "folded", ""));
}

/* A delivery-status part is a report's own. A person who passes one on sends it in
 * a mail of its own (message/rfc822), or beside the words of an answer. */
static bool is_report_part(struct mail_ctx *c, const struct mail_parts *ps, size_t i,
                           const json_t *msg)
{
    const struct mail_part *p = &ps->v[i];
    if (strcmp(p->type, "message/delivery-status") != 0 &&
        strcmp(p->type, "message/global-delivery-status") != 0)
        return false;
    for (int up = p->parent; up >= 0; up = ps->v[up].parent)
        if (ps->v[up].kind == MAIL_MESSAGE)
            return false;
    return i == 0 || strcmp(ps->v[p->parent].type, "multipart/report") == 0 ||
           strcmp(json_get_str(msg, "return_path", "?"), "") == 0 ||
           is_daemon(c, &ps->v[0].fields, msg);
}

static bool reports_read(struct mail_ctx *c, const struct mail_parts *ps, const json_t *msg,
                         const json_t *to, json_t *b)
{
    for (size_t i = 0; i < ps->count; i++)
        if (is_report_part(c, ps, i, msg) && report_read(c, &ps->v[i], to, b))
            return true;
    return false;
}

static void failed_field_read(struct mail_ctx *c, const struct mail_fields *f, json_t *b)
{
    AUTO_FREE char *failed = mail_field_text(c, f, "X-Failed-Recipients");
    if (!failed || json_object_get(b, "recipient"))
        return;
    failed[strcspn(failed, ", ")] = '\0';
    AUTO_JSON json_t *a = mail_address_json(failed, NULL);
    json_put_str(b, "recipient", json_get_str(a, "address", NULL));
}

/* failed, unless it says otherwise: 4.x.x is a fault that may pass even when they gave up. */
static bool settle(json_t *b)
{
    const char *action = json_get_str(b, "action", "failed");
    const char *status = json_get_str(b, "status", "");
    bool failed = strcmp(action, "failed") == 0, delayed = strcmp(action, "delayed") == 0;
    json_put_bool(b, "permanent", failed && *status != '4');
    return *status != '4' && *status != '5' && !failed && !delayed;
}

/* What most mail has none of: spares it the search for words. */
static bool is_possible(struct mail_ctx *c, const struct mail_parts *ps, const json_t *msg)
{
    const struct mail_fields *f = &ps->v[0].fields;
    for (size_t i = 0; i < ps->count; i++)
        if (is_report_part(c, ps, i, msg))
            return true;
    return mail_fields_get(f, "X-Failed-Recipients") ||
           strcmp(json_get_str(msg, "return_path", "?"), "") == 0 || is_daemon(c, f, msg) ||
           mail_is_machine_address(json_get_str(json_get_obj(msg, "from"), "folded", ""));
}

/* A report of success says what a receipt says. */
static void put_receipt(const json_t *b, json_t *msg)
{
    json_t *r = json_object();
    json_put_str(r, "recipient", json_get_str(b, "recipient", NULL));
    json_put_str(r, "disposition", json_get_str(b, "action", "delivered"));
    json_put_str(r, "original_message_id", json_get_str(b, "original_message_id", NULL));
    json_put_str(r, "original_token", json_get_str(b, "original_token", NULL));
    json_object_set_new(msg, "receipt", r);
}

bool mail_bounce_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg, bool *delivered)
{
    const struct mail_fields *f = &ps->v[0].fields;
    const char *text = json_get_str(msg, "text", "");
    size_t n = text_utf8_cut(text, strlen(text), BOUNCE_TEXT);
    if (!is_possible(c, ps, msg))
        return false;
    AUTO_JSON json_t *b = json_object(), *to = json_array();
    struct bounce_original o = {.to = to, .words = n};
    AUTO_FREE char *head = mem_strn(text, n);
    mail_original_read(c, ps, b, &o);
    bool report = reports_read(c, ps, msg, to, b);
    original_read_text(c, head, n, b, &o);
    if (!report && !is_told(c, f, msg, head, &o))
        return false;
    failed_field_read(c, f, b);
    status_complete(b);
    bounce_text_read(msg, head, &o, b);
    *delivered = settle(b);
    envelope_read(c, f, b);
    json_object_set(msg, "bounce", b);
    if (*delivered)
        put_receipt(b, msg);
    return true;
}
