/* SPDX-License-Identifier: ISC
 *
 * compose - see compose.h
 */
#include "mail/compose.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/encode.h"

#define ADDRESS_MAX 320
#define NAME_MAX_BYTES 200
#define VALUE_MAX 8000
#define COLUMN_AIM 76

/* Written from their own members, or never. */
static const char *const own_headers[] = {
    "From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Subject", "Date", "Message-ID",
    "In-Reply-To", "References", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    "Content-Disposition", "Return-Path", "Received",
};

struct writer {
    struct buf *out;
    struct err *e;
};

static int check_value(struct writer *w, const char *what, const char *value)
{
    if (!text_is_single_line(value))
        return err_set(w->e, ERR_INPUT, "%s holds a line break or control character: refused",
                       what);
    if (!text_is_utf8(value, strlen(value)))
        return err_set(w->e, ERR_INPUT, "%s is not UTF-8", what);
    if (strlen(value) > VALUE_MAX)
        return err_set(w->e, ERR_INPUT, "%s has more than %d bytes", what, VALUE_MAX);
    return 0;
}

static int check_address(struct writer *w, const char *what, const char *a)
{
    const char *at = a ? strrchr(a, '@') : NULL;
    bool ok = at && at != a && at[1] && strlen(a) <= ADDRESS_MAX;
    for (const char *p = a; ok && *p; p++)
        ok = (unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f && !strchr("<>(),;:\\\"[]", *p);
    if (!ok)
        return err_set(w->e, ERR_INPUT, "%s: \"%.80s\" is not a plain ASCII address", what,
                       a ? a : "");
    return 0;
}

/* "Name <a@b>"; starts a new line when it would not fit behind col. */
static int write_address(struct writer *w, const char *what, const struct mail_address *a,
                         size_t *col)
{
    if (check_address(w, what, a->address) < 0)
        return -1;
    if (a->name && *a->name) {
        if (check_value(w, what, a->name) < 0)
            return -1;
        AUTO_FREE char *name = mem_strn(a->name, text_utf8_cut(a->name, strlen(a->name),
                                                               NAME_MAX_BYTES));
        *col = encode_phrase(w->out, *col, text_trim(name));
        bool fits = *col + strlen(a->address) + 3 <= COLUMN_AIM;
        buf_printf(w->out, fits ? " <%s>" : "\r\n <%s>", a->address);
        *col = (fits ? *col : 0) + strlen(a->address) + 3;
    } else {
        buf_str(w->out, a->address);
        *col += strlen(a->address);
    }
    return 0;
}

static int write_addresses(struct writer *w, const char *name, const struct mail_address *list,
                           size_t count)
{
    size_t col = strlen(name) + 2;
    if (count == 0)
        return 0;
    buf_printf(w->out, "%s: ", name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_str(w->out, ",\r\n ");
            col = 1;
        }
        if (write_address(w, name, &list[i], &col) < 0)
            return -1;
    }
    buf_str(w->out, "\r\n");
    return 0;
}

static int write_text(struct writer *w, const char *name, const char *value)
{
    if (check_value(w, name, value) < 0)
        return -1;
    buf_printf(w->out, "%s: ", name);
    if (encode_unstructured(w->out, strlen(name) + 2, value, strcmp(name, "Subject") == 0) < 0)
        return err_set(w->e, ERR_INPUT, "%s has a word too long for a line", name);
    buf_str(w->out, "\r\n");
    return 0;
}

static int write_ids(struct writer *w, const char *name, const char *const *ids, size_t count)
{
    size_t col = strlen(name) + 1;
    if (count == 0)
        return 0;
    buf_printf(w->out, "%s:", name);
    for (size_t i = 0; i < count; i++) {
        const char *id = ids[i];
        size_t n = strlen(id);
        if (n > 2 && id[0] == '<' && id[n - 1] == '>')
            id++, n -= 2;
        for (size_t k = 0; k < n; k++)
            if ((unsigned char)id[k] <= 0x20 || (unsigned char)id[k] >= 0x7f ||
                strchr("<>,()\"", id[k]))
                n = 0;
        if (n == 0 || n > 900)
            return err_set(w->e, ERR_INPUT, "%s: \"%.80s\" is not a message id", name, ids[i]);
        bool fits = col + n + 3 <= COLUMN_AIM || i == 0;
        buf_printf(w->out, fits ? " <%.*s>" : "\r\n <%.*s>", (int)n, id);
        col = (fits ? col : 0) + n + 3;
    }
    buf_str(w->out, "\r\n");
    return 0;
}

static int check_header_name(struct writer *w, const char *name)
{
    bool ok = name && *name && strlen(name) <= 76;
    for (const char *p = name; ok && *p; p++)
        ok = *p > 0x20 && *p < 0x7f && *p != ':';
    if (!ok)
        return err_set(w->e, ERR_INPUT, "\"%.80s\" is no name for a header", name ? name : "");
    for (size_t i = 0; i < ARRAY_LEN(own_headers); i++)
        if (strcasecmp(name, own_headers[i]) == 0)
            return err_set(w->e, ERR_INPUT, "the header %s cannot be given as an extra one", name);
    return 0;
}

static int write_people(struct writer *w, const struct mail_compose *m)
{
    if (m->to_count == 0)
        return err_set(w->e, ERR_INPUT, "To: no recipient");
    if (write_addresses(w, "From", &m->from, 1) < 0 ||
        write_addresses(w, "Sender", &m->sender, m->sender.address != NULL) < 0 ||
        write_addresses(w, "To", m->to, m->to_count) < 0 ||
        write_addresses(w, "Cc", m->cc, m->cc_count) < 0 ||
        write_addresses(w, "Reply-To", &m->reply_to, m->reply_to.address != NULL) < 0)
        return -1;
    return 0;
}

static int write_header(struct writer *w, const struct mail_compose *m)
{
    char date[40];
    if (m->date_ms)
        buf_printf(w->out, "Date: %s\r\n", clock_format_mail(m->date_ms, date, sizeof(date)));
    if (write_people(w, m) < 0 || write_text(w, "Subject", m->subject ? m->subject : "") < 0 ||
        write_ids(w, "Message-ID", &m->message_id, m->message_id != NULL) < 0 ||
        write_ids(w, "In-Reply-To", &m->in_reply_to, m->in_reply_to != NULL) < 0 ||
        write_ids(w, "References", m->references, m->reference_count) < 0)
        return -1;
    for (size_t i = 0; i < m->header_count; i++) {
        const struct mail_header *h = &m->headers[i];
        if (check_header_name(w, h->name) < 0 ||
            write_text(w, h->name, h->value ? h->value : "") < 0)
            return -1;
    }
    buf_str(w->out, "MIME-Version: 1.0\r\n");
    return 0;
}

static int write_body(struct writer *w, const char *what, const char *type, const char *text)
{
    if (!text_is_utf8(text, strlen(text)))
        return err_set(w->e, ERR_INPUT, "%s is not UTF-8", what);
    const char *kind = encode_body_kind(text);
    buf_printf(w->out, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n",
               type, kind);
    encode_body(w->out, text, kind);
    return 0;
}

/* "=_" cannot stand in quoted-printable or base64; the hash keeps it out of
 * plain text, and the same mail composes to the same bytes. */
static void boundary_of(const struct mail_compose *m, const char *kind, char out[64])
{
    const char *text = m->text ? m->text : "", *html = m->html ? m->html : "";
    AUTO_FREE char *all = mem_printf("%s %zu %s%s%s", kind, strlen(text), text, html,
                                     m->calendar ? m->calendar : "");
    char sha[HASH_SHA256_HEX];
    hash_sha256_hex(all, strlen(all), sha);
    snprintf(out, 64, "=_leadd_%.32s", sha);
}

static int write_calendar(struct writer *w, const struct mail_compose *m)
{
    char type[64];
    size_t n = m->method ? strspn(m->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") : 0;
    if (n == 0 || n > 20 || m->method[n])
        return err_set(w->e, ERR_INPUT, "a calendar needs a method such as REQUEST");
    snprintf(type, sizeof(type), "text/calendar; method=%s", m->method);
    return write_body(w, "the calendar", type, m->calendar);
}

static int write_bodies(struct writer *w, const struct mail_compose *m)
{
    char boundary[64];
    const char *text = m->text ? m->text : "";
    if (!m->html && !m->calendar)
        return write_body(w, "the text", "text/plain", text);
    boundary_of(m, "alternative", boundary);
    buf_printf(w->out, "Content-Type: multipart/alternative;\r\n boundary=\"%s\"\r\n\r\n--%s\r\n",
               boundary, boundary);
    if (write_body(w, "the text", "text/plain", text) < 0)
        return -1;
    if (m->html) {
        buf_printf(w->out, "\r\n--%s\r\n", boundary);
        if (write_body(w, "the HTML", "text/html", m->html) < 0)
            return -1;
    }
    if (m->calendar) {
        buf_printf(w->out, "\r\n--%s\r\n", boundary);
        if (write_calendar(w, m) < 0)
            return -1;
    }
    buf_printf(w->out, "\r\n--%s--\r\n", boundary);
    return 0;
}

/* ---- what is attached --------------------------------------------------------------- */

/* A mail inside a mail may not be base64, and nobody reads other parts as they are meant. */
static const char *attachment_type(const char *type)
{
    static const char other[] = "application/octet-stream";
    size_t n = type ? strlen(type) : 0, slashes = 0;
    if (n < 3 || n > 100 || strncmp(type, "message/", 8) == 0 || strncmp(type, "multipart/", 10) == 0)
        return other;
    for (size_t i = 0; i < n; i++) {
        bool plain = (type[i] >= 'a' && type[i] <= 'z') || (type[i] >= '0' && type[i] <= '9');
        slashes += type[i] == '/';
        if (!plain && !strchr("/.+-_", type[i]))
            return other;
    }
    return slashes == 1 && type[0] != '/' && type[n - 1] != '/' ? type : other;
}

/* filename="report.pdf", or as RFC 2231 has it, in pieces that fit a line. */
static void write_filename(struct writer *w, const char *name)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t piece = 0, col = 0;
    bool plain = strlen(name) <= 60;
    for (const char *p = name; *p; p++)
        plain &= *p > 0x20 && *p < 0x7f && !strchr("\"\\%'*;", *p);
    if (plain) {
        buf_printf(w->out, ";\r\n filename=\"%s\"", name);
        return;
    }
    for (const char *p = name; *p; p++) {
        unsigned char ch = (unsigned char)*p;
        bool safe = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                    (ch >= '0' && ch <= '9') || ch == '.' || ch == '-' || ch == '_';
        if (piece == 0 || col > 55) {
            buf_printf(w->out, ";\r\n filename*%zu*=%s", piece, piece == 0 ? "utf-8''" : "");
            piece++;
            col = 0;
        }
        if (safe)
            buf_char(w->out, (char)ch);
        else
            buf_printf(w->out, "%%%c%c", hex[ch >> 4], hex[ch & 15]);
        col += safe ? 1 : 3;
    }
}

/* Without a charset a text is ASCII; what is neither that nor UTF-8 is the reader's guess. */
static const char *attachment_charset(const struct mail_attachment *a, const char *type)
{
    return strncmp(type, "text/", 5) == 0 && text_is_utf8(a->data, a->size) ? "; charset=utf-8" : "";
}

static void write_attachment(struct writer *w, const struct mail_attachment *a)
{
    const char *type = attachment_type(a->type);
    buf_printf(w->out, "Content-Type: %s%s\r\nContent-Transfer-Encoding: base64\r\n"
               "Content-Disposition: attachment", type, attachment_charset(a, type));
    if (a->filename && *a->filename && text_is_utf8(a->filename, strlen(a->filename)))
        write_filename(w, a->filename);
    buf_str(w->out, "\r\n\r\n");
    encode_base64(w->out, a->data, a->size);
}

static int write_mixed(struct writer *w, const struct mail_compose *m)
{
    char boundary[64];
    if (m->attachment_count == 0)
        return write_bodies(w, m);
    boundary_of(m, "mixed", boundary);
    buf_printf(w->out, "Content-Type: multipart/mixed;\r\n boundary=\"%s\"\r\n\r\n--%s\r\n",
               boundary, boundary);
    if (write_bodies(w, m) < 0)
        return -1;
    for (size_t i = 0; i < m->attachment_count; i++) {
        buf_printf(w->out, "\r\n--%s\r\n", boundary);
        write_attachment(w, &m->attachments[i]);
    }
    buf_printf(w->out, "\r\n--%s--\r\n", boundary);
    return 0;
}

int mail_compose(const struct mail_compose *m, struct buf *out, struct err *e)
{
    struct writer w = {.out = out, .e = e};
    if (write_header(&w, m) < 0 || write_mixed(&w, m) < 0)
        return -1;
    if (!buf_ok(out))
        return err_set(e, ERR_INPUT, "the mail is larger than %zu bytes", out->max);
    return 0;
}
