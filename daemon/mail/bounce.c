/* SPDX-License-Identifier: ISC
 *
 * bounce - delivery reports (RFC 3464) and what other systems write instead
 *
 * A report's own fields win. Without them a bounce is recognised by sender and
 * subject together, and read from X-Failed-Recipients and the text. Nothing here
 * trusts a bounce: the token that names an outbox row is checked by the engine.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/classify.h"

#define REPORT_MAX KIB(64)
#define REPORT_RECIPIENTS 50

static const char *const bounce_subjects[] = {
    "undeliver", "returned mail", "delivery status notification", "failure notice",
    "mail delivery failed", "delivery failure", "unzustellbar", "delivery has failed",
    "mail delivery system", "non remis", "no se puede entregar",
};

/* "rfc822; a@b" -> "a@b" */
static char *typed_value(char *v)
{
    char *semi = strchr(v, ';');
    char *t = text_trim(semi ? semi + 1 : v);
    size_t n = strlen(t);
    if (n > 2 && t[0] == '<' && t[n - 1] == '>') {
        t[n - 1] = '\0';
        t++;
    }
    return t;
}

static void put_typed(struct mail_ctx *c, const struct mail_fields *f, const char *name,
                      json_t *out, const char *key)
{
    AUTO_FREE char *v = mail_field_text(c, f, name);
    if (v && *v)
        json_put_str(out, key, typed_value(v));
}

static void put_status(json_t *b, const char *status)
{
    char code[16];
    size_t n = strspn(status, "0123456789.");
    if (n < 5 || n >= sizeof(code))
        return;
    memcpy(code, status, n);
    code[n] = '\0';
    json_put_str(b, "status", code);
}

/* One group of recipient fields; true when it tells of a failure. */
static bool recipient_read(struct mail_ctx *c, const struct mail_fields *f, json_t *b)
{
    AUTO_FREE char *action = mail_field_text(c, f, "Action");
    AUTO_FREE char *status = mail_field_text(c, f, "Status");
    put_typed(c, f, "Original-Recipient", b, "recipient");
    if (!json_object_get(b, "recipient"))
        put_typed(c, f, "Final-Recipient", b, "recipient");
    put_typed(c, f, "Diagnostic-Code", b, "diagnostic");
    if (status)
        put_status(b, status);
    if (action) {
        text_lower(action);
        action[strcspn(action, " ;(")] = '\0';
        json_put_str(b, "action", action);
    }
    return !action || strcmp(action, "failed") == 0;
}

/* The first failed recipient of a report, else its first one. */
static bool report_read(struct mail_ctx *c, const struct mail_part *p, json_t *b)
{
    AUTO_BUF struct buf text;
    bool any = false;
    buf_init(&text, BOUND_MAIL_SIZE);
    mail_part_decode(c, p, &text);
    size_t n = text.len < REPORT_MAX ? text.len : REPORT_MAX;
    for (size_t at = 0, i = 0; at < n && i < REPORT_RECIPIENTS; i++) {
        struct mail_fields f = {0};
        at += mail_fields_read(c, &f, text.data + at, n - at, "the delivery report", NULL, NULL);
        bool recipient = mail_fields_get(&f, "Final-Recipient") ||
                         mail_fields_get(&f, "Original-Recipient");
        if (recipient && !any) {
            any = true;
            if (recipient_read(c, &f, b))
                i = REPORT_RECIPIENTS;
        } else if (recipient) {
            AUTO_JSON json_t *other = json_object();
            if (recipient_read(c, &f, other)) {
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

static void original_read_fields(struct mail_ctx *c, const struct mail_fields *f, json_t *b)
{
    const struct mail_field *id = mail_fields_get(f, "Message-ID");
    if (id && !json_object_get(b, "original_message_id")) {
        AUTO_JSON json_t *ids = json_array();
        mail_ids_read(c, id, 1, ids);
        json_put_str(b, "original_message_id", json_string_value(json_array_get(ids, 0)));
    }
    AUTO_FREE char *token = mail_field_text(c, f, "X-Leadd-Token");
    if (token && *token && !json_object_get(b, "original_token"))
        json_put_str(b, "original_token", token);
}

static void original_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *b)
{
    for (size_t i = 1; i < ps->count; i++) {
        const struct mail_part *p = &ps->v[i];
        bool message = p->parent >= 0 && ps->v[p->parent].kind == MAIL_MESSAGE;
        if (message) {
            original_read_fields(c, &p->fields, b);
        } else if (strcmp(p->type, "text/rfc822-headers") == 0 ||
                   strcmp(p->type, "message/rfc822-headers") == 0 ||
                   (p->kind == MAIL_LEAF && strcmp(p->type, "message/rfc822") == 0)) {
            struct mail_fields f = {0};
            AUTO_BUF struct buf text;
            buf_init(&text, BOUND_MAIL_SIZE);
            mail_part_decode(c, p, &text);
            mail_fields_read(c, &f, text.data, text.len, "the returned header", NULL, NULL);
            original_read_fields(c, &f, b);
            mail_fields_done(&f);
        }
    }
}

/* Where this bounce was sent: the return path that carries the outbox token. */
static void envelope_read(struct mail_ctx *c, const struct mail_fields *f, json_t *b)
{
    static const char *const names[] = {"X-Original-To", "Envelope-To", "X-Envelope-To",
                                        "Delivered-To", "To"};
    json_t *out = json_array(), *a;
    size_t i;
    for (size_t k = 0; k < ARRAY_LEN(names); k++) {
        AUTO_JSON json_t *list = json_array();
        mail_addresses_read(c, f, names[k], list);
        json_array_foreach (list, i, a)
            if (json_array_size(out) < 20)
                json_array_append(out, json_object_get(a, "address"));
    }
    json_object_set_new(b, "envelope_recipients", out);
}

static bool has_bounce_subject(const json_t *msg)
{
    const char *subject = json_get_str(msg, "subject", "");
    for (size_t i = 0; i < ARRAY_LEN(bounce_subjects); i++)
        if (strcasestr(subject, bounce_subjects[i]))
            return true;
    return false;
}

static bool is_daemon(const json_t *msg)
{
    const char *from = json_get_str(json_get_obj(msg, "from"), "folded", "");
    return text_starts(from, "mailer-daemon@") || text_starts(from, "postmaster@") ||
           text_starts(from, "microsoftexchange");
}

/* "5.1.1" standing alone in the text. */
static void text_read_status(const char *text, json_t *b)
{
    for (const char *p = strpbrk(text, "45"); p; p = strpbrk(p + 1, "45")) {
        size_t n = strspn(p, "0123456789.");
        bool alone = p == text || !isalnum((unsigned char)p[-1]);
        if (alone && p[1] == '.' && n >= 5 && n <= 9 && p[-(p > text)] != '.' &&
            memchr(p + 2, '.', n - 2) && !isalnum((unsigned char)p[n])) {
            while (n && p[n - 1] == '.')
                n--;
            AUTO_FREE char *code = mem_strn(p, n);
            put_status(b, code);
            return;
        }
    }
}

static void text_read_recipient(const char *text, json_t *b)
{
    for (const char *p = strchr(text, '<'); p; p = strchr(p + 1, '<')) {
        size_t n = strcspn(p + 1, "> \n<");
        AUTO_FREE char *s = mem_strn(p + 1, n);
        AUTO_JSON json_t *a = p[1 + n] == '>' ? mail_address_json(s, NULL) : NULL;
        if (a) {
            json_put_str(b, "recipient", json_get_str(a, "address", NULL));
            return;
        }
    }
}

/* No report part: exim, qmail and others tell it in a field or in words. */
static void plain_read(struct mail_ctx *c, const struct mail_fields *f, const json_t *msg,
                       json_t *b)
{
    AUTO_FREE char *failed = mail_field_text(c, f, "X-Failed-Recipients");
    const char *text = json_get_str(msg, "text", "");
    AUTO_FREE char *head = mem_strn(text, text_utf8_cut(text, strlen(text), KIB(16)));
    if (failed) {
        failed[strcspn(failed, ", ")] = '\0';
        json_put_str(b, "recipient", failed);
    } else {
        text_read_recipient(head, b);
    }
    text_read_status(head, b);
}

bool mail_bounce_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg, bool *delivered)
{
    const struct mail_fields *f = &ps->v[0].fields;
    AUTO_JSON json_t *b = json_object();
    bool report = false;
    for (size_t i = 1; i < ps->count && !report; i++)
        if (ps->v[i].parent == 0 && (strcmp(ps->v[i].type, "message/delivery-status") == 0 ||
                                     strcmp(ps->v[i].type, "message/global-delivery-status") == 0))
            report = report_read(c, &ps->v[i], b);
    if (!report && !mail_fields_get(f, "X-Failed-Recipients") &&
        !(is_daemon(msg) && has_bounce_subject(msg)))
        return false;
    if (!report)
        plain_read(c, f, msg, b);
    const char *action = json_get_str(b, "action", "failed");
    const char *status = json_get_str(b, "status", "");
    *delivered = *status != '4' && *status != '5' && strcmp(action, "failed") != 0 &&
                 strcmp(action, "delayed") != 0;
    json_put_bool(b, "permanent", strcmp(action, "failed") == 0 && *status != '4');
    original_read(c, ps, b);
    envelope_read(c, f, b);
    json_object_set(msg, "bounce", b);
    return true;
}
