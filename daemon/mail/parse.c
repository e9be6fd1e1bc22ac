/* SPDX-License-Identifier: ISC
 *
 * parse - see parse.h
 */
#include "mail/parse.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/body.h"
#include "mail/calendar.h"
#include "mail/charset.h"
#include "mail/classify.h"
#include "mail/ctx.h"
#include "mail/flow.h"
#include "mail/part.h"
#include "mail/reply.h"
#include "mail/word.h"

#define HINT_PARTS 8

void mail_limits_default(struct mail_limits *lim)
{
    *lim = (struct mail_limits){
        .size = BOUND_MAIL_SIZE,
        .header_bytes = BOUND_MAIL_HEADER_BYTES,
        .headers = BOUND_MAIL_HEADERS,
        .depth = BOUND_MAIL_DEPTH,
        .parts = BOUND_MAIL_PARTS,
        .text = BOUND_MAIL_TEXT,
        .addresses = BOUND_MAIL_ADDRESSES,
        .references = BOUND_MAIL_REFERENCES,
        .subject = BOUND_MAIL_SUBJECT,
        .defects = BOUND_MAIL_DEFECTS,
        .ms = BOUND_PARSE_MS / 2, /* half of when the engine gives the parser up */
    };
}

/* Fields that may be there once: which of several counts must be known. */
static void check_single(struct mail_ctx *c, const struct mail_fields *f)
{
    static const char *const once[] = {"From", "Subject", "Date", "Message-ID", "Content-Type",
                                       "Reply-To", "To", "Cc", "Content-Transfer-Encoding"};
    for (size_t i = 0; i < ARRAY_LEN(once); i++) {
        size_t n = mail_fields_count(f, once[i]);
        bool joined = strcmp(once[i], "To") == 0 || strcmp(once[i], "Cc") == 0;
        if (n > 1)
            mail_defect(c, "%s is there %zu times: %s", once[i], n,
                        joined ? "all were read" : "the first one counts");
    }
}

static json_t *list_of(struct mail_ctx *c, const struct mail_fields *f, const char *name)
{
    json_t *list = json_array();
    mail_addresses_read(c, f, name, list);
    return list;
}

static json_t *first_of(struct mail_ctx *c, const struct mail_fields *f, const char *name)
{
    const struct mail_field *field = mail_fields_get(f, name);
    AUTO_JSON json_t *list = json_array();
    if (field)
        mail_address_field_read(c, field, name, list);
    if (json_array_size(list) > 1)
        mail_defect(c, "%s names %zu addresses: the first one counts", name,
                    json_array_size(list));
    return json_incref(json_array_get(list, 0));
}

static void read_from(struct mail_ctx *c, const struct mail_fields *f, json_t *msg)
{
    json_t *from = first_of(c, f, "From"), *sender = first_of(c, f, "Sender");
    if (!from && sender) {
        mail_defect(c, "no usable From: Sender was taken");
        from = json_incref(sender);
    } else if (!from) {
        mail_defect(c, mail_fields_get(f, "From") ? "From has no address" : "no From");
    }
    if (from)
        json_object_set_new(msg, "from", from);
    if (sender)
        json_object_set_new(msg, "sender", sender);
}

static void read_ids(struct mail_ctx *c, const struct mail_fields *f, json_t *msg)
{
    static const char *const names[] = {"Message-ID", "In-Reply-To", "References"};
    static const char *const keys[] = {"message_id", "in_reply_to", "references"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct mail_field *field = mail_fields_get(f, names[i]);
        AUTO_JSON json_t *ids = json_array();
        if (field)
            mail_ids_read(c, field, i == 2 ? c->lim->references : 10, ids);
        if (i > 0)
            json_object_set(msg, keys[i], ids);
        else if (json_array_size(ids))
            json_object_set(msg, keys[i], json_array_get(ids, 0));
        else
            mail_defect(c, field ? "Message-ID is empty or broken" : "no Message-ID");
    }
}

static void read_dates(struct mail_ctx *c, const struct mail_fields *f, json_t *msg)
{
    AUTO_FREE char *date = mail_field_text(c, f, "Date");
    AUTO_FREE char *received = mail_field_text(c, f, "Received");
    const char *stamp = received ? strrchr(received, ';') : NULL;
    int64_t ms, received_ms = 0;
    if (stamp && mail_date_parse(stamp + 1, &received_ms) == 0)
        json_put_int(msg, "received_ms", received_ms);
    else
        received_ms = 0;
    if (!date) {
        mail_defect(c, "no Date");
        return;
    }
    if (mail_date_parse(date, &ms) < 0) {
        mail_defect(c, "Date is not a date: \"%.60s\"", date);
        return;
    }
    json_put_int(msg, "date_ms", ms);
    int64_t known = c->lim->now_ms ? c->lim->now_ms : received_ms;
    if (known && ms > known + DAY_MS)
        mail_defect(c, "Date is %lld days in the future", (long long)((ms - known) / DAY_MS));
}

static void read_subject(struct mail_ctx *c, const struct mail_fields *f, json_t *msg)
{
    AUTO_FREE char *s = mail_field_text(c, f, "Subject");
    if (s && strlen(s) > c->lim->subject) {
        mail_defect(c, "Subject has %zu bytes: only the first %zu were kept", strlen(s),
                    c->lim->subject);
        s[text_utf8_cut(s, strlen(s), c->lim->subject)] = '\0';
    }
    json_put_str(msg, "subject", s ? s : "");
}

/* "de-DE, en-US": the first. What is written like no language is left out. */
static void read_language(struct mail_ctx *c, const struct mail_fields *f, json_t *msg)
{
    AUTO_FREE char *s = mail_field_text(c, f, "Content-Language");
    size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") : 0;
    if (n >= 2 && n <= 16 && (!s[n] || strchr(", ;", s[n])))
        json_object_set_new(msg, "language", json_stringn(s, n));
}

static void read_envelope(struct mail_ctx *c, const struct mail_fields *f, json_t *msg)
{
    static const char *const names[] = {"Delivered-To", "X-Original-To", "Envelope-To"};
    json_t *out = json_array(), *a;
    size_t k;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_JSON json_t *list = list_of(c, f, names[i]);
        json_array_foreach (list, k, a)
            if (json_array_size(out) < 20)
                json_array_append(out, json_object_get(a, "address"));
    }
    json_object_set_new(msg, "delivered_to", out);
    AUTO_FREE char *path = mail_field_text(c, f, "Return-Path");
    if (path && strcmp(path, "<>") == 0) {
        json_put_str(msg, "return_path", "");
    } else if (path) {
        json_t *a1 = first_of(c, f, "Return-Path");
        json_put_str(msg, "return_path", json_get_str(a1, "address", NULL));
        json_decref(a1);
    }
}

static void read_header(struct mail_ctx *c, const struct mail_fields *f, json_t *msg)
{
    check_single(c, f);
    read_ids(c, f, msg);
    read_from(c, f, msg);
    json_object_set_new(msg, "reply_to", list_of(c, f, "Reply-To"));
    json_object_set_new(msg, "to", list_of(c, f, "To"));
    json_object_set_new(msg, "cc", list_of(c, f, "Cc"));
    read_envelope(c, f, msg);
    read_dates(c, f, msg);
    read_subject(c, f, msg);
    read_language(c, f, msg);
}

static void read_reply(struct mail_ctx *c, const struct mail_body *body, json_t *msg)
{
    struct mail_words w = {.text = json_get_str(msg, "text", ""),
                           .html = body->marked,
                           .html_is_text = body->html_is_text,
                           .name = json_get_str(json_get_obj(msg, "from"), "name", NULL),
                           .subject = json_get_str(msg, "subject", "")};
    json_t *phones = json_array();
    mail_reply_read(c, &w, msg);
    const char *reply = json_get_str(msg, "reply", "");
    const char *signature = json_get_str(msg, "signature", "");
    mail_phones_find(c, reply, strlen(reply), phones);
    mail_phones_find(c, signature, strlen(signature), phones);
    json_object_set_new(msg, "phones", phones);
}

/* A machine's mail holds others as evidence; it forwards none. */
static void drop_forward(json_t *msg)
{
    static const char *const machines[] = {"bounce", "receipt", "report", "auto_reply"};
    for (size_t i = 0; i < ARRAY_LEN(machines); i++)
        if (strcmp(json_get_str(msg, "kind", ""), machines[i]) == 0)
            json_object_del(msg, "forward");
}

/* What was left on the server, as intake lists it. */
static void read_missing_parts(struct mail_ctx *c, json_t *msg)
{
    json_t *out = json_array(), *p;
    size_t i;
    mail_defect(c, "over the size limit: only headers and the list of parts were read");
    json_array_foreach (c->lim->missing, i, p) {
        if (i >= c->lim->parts)
            break;
        json_t *a = json_object();
        json_put_str(a, "filename", json_get_str(p, "filename", NULL));
        json_put_str(a, "type", json_get_str(p, "type", "application/octet-stream"));
        json_put_int(a, "size", json_get_int(p, "size", 0));
        json_put_bool(a, "inline", false);
        json_array_append_new(out, a);
    }
    json_object_set_new(msg, "attachments", out);
}

/* Says what the line ends and NULs are like; true when CR alone ends lines. */
static bool check_bytes(struct mail_ctx *c, const char *p, size_t n)
{
    size_t lf = 0, crlf = 0, cr = 0;
    mail_late(c, n);
    for (size_t i = 0; i < n; i++) {
        lf += p[i] == '\n';
        if (p[i] == '\r') {
            cr++;
            crlf += i + 1 < n && p[i + 1] == '\n';
        }
    }
    if (cr > crlf && lf == 0) {
        mail_defect(c, "lines end in a bare CR");
        return true;
    }
    if (cr > crlf)
        mail_defect(c, "%zu bare CR: in the header read as a space, in text as a line end",
                    cr - crlf);
    if (crlf && lf > crlf)
        mail_defect(c, "%zu lines end in a bare LF, the others in CRLF", lf - crlf);
    return false;
}

static void check_header_nuls(struct mail_ctx *c, const struct mail_part *top, const char *p)
{
    size_t n = top->body.p ? (size_t)(top->body.p - p) : 0;
    if (n && memchr(p, '\0', n))
        mail_defect(c, "the header holds NUL bytes: they were removed");
}

/* Header bytes without a charset are most likely in the one of the text. */
static void hint_charset(struct mail_ctx *c, const struct mail_parts *ps)
{
    for (size_t i = 0; i < ps->count && i < HINT_PARTS && !*c->charset; i++) {
        AUTO_FREE char *label = strncmp(ps->v[i].type, "text/", 5) == 0
                                    ? mail_param_get(c, ps->v[i].type_value, "charset",
                                                     "Content-Type")
                                    : NULL;
        if (label)
            mail_charset_hint(c, label);
    }
}

static void read_all(struct mail_ctx *c, const char *p, size_t n, json_t *msg)
{
    struct mail_parts ps = {0};
    struct mail_body body = {.marked = NULL};
    mail_parts_read(c, &ps, p, n);
    ps.raw = p;
    check_header_nuls(c, &ps.v[0], p);
    hint_charset(c, &ps);
    read_header(c, &ps.v[0].fields, msg);
    if (c->lim->truncated) {
        read_missing_parts(c, msg);
        json_put_str(msg, "text", "");
        json_put_bool(msg, "encrypted", strcmp(ps.v[0].type, "multipart/encrypted") == 0);
        json_put_bool(msg, "signed", strcmp(ps.v[0].type, "multipart/signed") == 0);
    } else {
        mail_body_read(c, &ps, msg, &body);
    }
    read_reply(c, &body, msg);
    mail_classify(c, &ps, msg);
    drop_forward(msg);
    mem_free(body.marked);
    mail_parts_done(&ps);
}

json_t *mail_parse(const char *raw, size_t n, const struct mail_limits *lim, struct err *e)
{
    struct mail_limits def;
    struct mail_ctx c;
    mail_limits_default(&def);
    if (!raw && n > 0) {
        err_set(e, ERR_BUG, "no bytes to parse");
        return NULL;
    }
    mail_ctx_init(&c, lim ? lim : &def);
    json_t *msg = json_object();
    json_put_str(msg, "channel", "email");
    json_put_int(msg, "size", (int64_t)n);
    if (n == 0)
        mail_defect(&c, "the mail is empty");
    if (n > c.lim->size) {
        mail_defect(&c, "the mail has %zu bytes: only the first %zu were read", n, c.lim->size);
        n = c.lim->size;
    }
    AUTO_FREE char *copy = NULL;
    if (check_bytes(&c, raw, n)) {
        raw = copy = mem_strn(raw, n);
        for (size_t i = 0; i < n; i++)
            if (copy[i] == '\r')
                copy[i] = '\n';
    }
    read_all(&c, raw ? raw : "", n, msg);
    json_object_set(msg, "defects", c.defects);
    if (c.lim->work)
        *c.lim->work = c.work;
    mail_ctx_done(&c);
    return msg;
}

void mail_warm_up(void)
{
    static const char mail[] = "From: a@example.com\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n"
                               "Content-Type: text/html; charset=iso-2022-jp\r\n\r\n<p>hi</p>\r\n";
    json_decref(mail_parse(mail, sizeof(mail) - 1, NULL, NULL)); /* the time zone, for one */
    mail_charset_warm_up();
    cal_zone_warm_up();
}
