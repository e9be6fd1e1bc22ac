/* SPDX-License-Identifier: ISC
 *
 * body - see body.h
 *
 * Of alternatives the plain text is taken, unless it is empty; a part counts as
 * attachment when it says so, or has a name and is not the first text. A mail
 * attached to a mail is an attachment: its words are not the sender's.
 */
#include "mail/body.h"

#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/charset.h"
#include "mail/classify.h"
#include "mail/flow.h"
#include "mail/html.h"
#include "mail/lines.h"
#include "mail/tnef.h"
#include "mail/word.h"

#define FILENAME_MAX_BYTES 255
#define HTML_TIMES 10 /* of the text limit: HTML that is read in one mail */

struct reader {
    struct mail_ctx *c;
    const struct mail_parts *ps;
    struct buf text;
    json_t *attachments; /* borrowed from msg */
    bool encrypted, is_signed;
    unsigned char *blank; /* own; per part: 0 unknown, 1 blank, 2 not */
    size_t at;            /* the part being read */
    size_t html;          /* bytes of HTML read so far */
    struct buf marked;    /* text, with what the HTML knows of its lines (lines.h) */
    bool from_html;       /* some of marked is */
    bool from_plain;      /* some of text is not HTML's */
    struct buf twin;      /* the HTML read last, for the plain text beside it */
    size_t twin_of, twins; /* its part; how many such parts the alternative has */
    size_t attached;       /* the first mail attached to the mail, or 0 */
    bool text_only;        /* nothing becomes an attachment */
};

static void collect(struct reader *r, size_t i, bool text_wanted);

static void reader_init(struct reader *r)
{
    buf_init(&r->text, r->c->lim->text);
    buf_init(&r->marked, r->c->lim->text * 2);
    buf_init(&r->twin, r->c->lim->text * 16 + 64);
}

static void reader_done(struct reader *r)
{
    buf_done(&r->text);
    buf_done(&r->marked);
    buf_done(&r->twin);
}

/* The last component, without what a file name cannot hold; own or NULL. */
static char *filename_clean(char *name)
{
    if (!name)
        return NULL;
    char *last = name;
    for (char *p = name; *p; p++)
        if ((*p == '/' || *p == '\\') && p[1])
            last = p + 1;
    char *t = text_trim(last);
    t[text_utf8_cut(t, strlen(t), FILENAME_MAX_BYTES)] = '\0';
    char *out = *t && strcmp(t, ".") != 0 && strcmp(t, "..") != 0 ? mem_str(t) : NULL;
    mem_free(name);
    return out;
}

static char *part_filename(struct mail_ctx *c, const struct mail_part *p)
{
    char *name = mail_param_get(c, p->disp_value, "filename", "a file name");
    if (!name || !*name) {
        mem_free(name);
        name = mail_param_get(c, p->type_value, "name", "a file name");
    }
    return filename_clean(name);
}

static json_t *attachment_add(struct reader *r, const char *filename, const char *type,
                              const void *p, size_t n)
{
    char sha[HASH_SHA256_HEX];
    AUTO_BUF struct buf path, clean;
    buf_init(&path, 1024);
    buf_init(&clean, 1024);
    mail_part_path(r->ps, r->at, &path);
    text_add_utf8(&clean, type, strlen(type) < 128 ? strlen(type) : 128);
    hash_sha256_hex(p ? p : "", n, sha);
    mail_late(r->c, n);
    json_t *a = json_object();
    json_put_str(a, "filename", filename);
    json_put_str(a, "type", clean.data);
    json_put_int(a, "size", (int64_t)n);
    json_put_str(a, "sha256", sha);
    json_put_bool(a, "inline", false);
    json_put_str(a, "part", path.data);
    json_array_append_new(r->attachments, a);
    return a;
}

static void on_tnef(void *arg, const char *name, const char *type, const void *p, size_t n)
{
    struct reader *r = arg;
    AUTO_FREE char *clean = filename_clean(mem_str(name));
    attachment_add(r, clean, type, p, n);
}

static bool is_tnef(const struct mail_part *p, const char *filename)
{
    return strcmp(p->type, "application/ms-tnef") == 0 ||
           strcmp(p->type, "application/vnd.ms-tnef") == 0 ||
           (filename && strcasecmp(filename, "winmail.dat") == 0);
}

/* application/pkcs7-mime is enveloped, unless it says that it is only signed. */
static void note_smime(struct reader *r, const struct mail_part *p)
{
    if (!strstr(p->type, "pkcs7-mime"))
        return;
    AUTO_FREE char *kind = mail_param_get(r->c, p->type_value, "smime-type", "Content-Type");
    if (kind && strcasecmp(kind, "signed-data") == 0)
        r->is_signed = true;
    else if (!kind || strcasecmp(kind, "certs-only") != 0)
        r->encrypted = true;
}

/* Who wrote the attached mail, and about what: for forwards. */
static void put_inner_message(struct reader *r, const struct mail_part *inner, json_t *a)
{
    struct mail_ctx *c = r->c;
    json_t *m = json_object();
    AUTO_JSON json_t *from = json_array(), *ids = json_array();
    AUTO_FREE char *subject = mail_field_text(c, &inner->fields, "Subject");
    const struct mail_field *id = mail_fields_get(&inner->fields, "Message-ID");
    mail_addresses_read(c, &inner->fields, "From", from);
    if (id)
        mail_ids_read(c, id, 1, ids);
    if (subject)
        subject[text_utf8_cut(subject, strlen(subject), c->lim->subject)] = '\0';
    json_put_str(m, "subject", subject);
    json_put_str(m, "message_id", json_string_value(json_array_get(ids, 0)));
    if (json_array_size(from))
        json_object_set(m, "from", json_array_get(from, 0));
    json_object_set_new(a, "message", m);
}

/* Where its bytes stand in the mail, so that they can be passed on without reading the
 * parts again. */
static void put_place(const struct reader *r, const struct mail_part *p, json_t *a)
{
    bool coded = strcmp(p->encoding, "base64") == 0 || strcmp(p->encoding, "quoted-printable") == 0;
    if (!r->ps->raw || !p->body.p)
        return;
    json_put_int(a, "at", p->body.p - r->ps->raw);
    json_put_int(a, "bytes", (int64_t)p->body.n);
    json_put_str(a, "encoding", coded ? p->encoding : "binary");
}

static void add_attachment(struct reader *r, size_t i)
{
    const struct mail_part *p = &r->ps->v[i];
    AUTO_BUF struct buf data;
    AUTO_FREE char *filename = part_filename(r->c, p);
    buf_init(&data, BOUND_MAIL_SIZE);
    r->at = i;
    note_smime(r, p);
    mail_part_decode(r->c, p, &data);
    if (is_tnef(p, filename)) {
        AUTO_BUF struct buf text;
        buf_init(&text, r->c->lim->text);
        if (mail_tnef_read(r->c, data.data, data.len, &text, on_tnef, r) == 0) {
            if (r->text.len == 0)
                buf_add(&r->text, text.data, text.len);
            return;
        }
    }
    json_t *a = attachment_add(r, filename, p->type, data.data, data.len);
    put_place(r, p, a);
    AUTO_FREE char *cid = mail_field_text(r->c, &p->fields, "Content-ID");
    bool related = p->parent >= 0 && strcmp(r->ps->v[p->parent].type, "multipart/related") == 0;
    json_put_bool(a, "inline", strcmp(p->disposition, "inline") == 0 ||
                                   (related && cid && strcmp(p->disposition, "attachment") != 0));
    if (cid) {
        size_t n = strlen(cid);
        bool angle = n > 2 && cid[0] == '<' && cid[n - 1] == '>';
        if (angle)
            cid[n - 1] = '\0';
        json_put_str(a, "content_id", cid + angle);
    }
    if (p->kind != MAIL_MESSAGE || i + 1 >= r->ps->count || r->ps->v[i + 1].parent != (int)i)
        return;
    put_inner_message(r, &r->ps->v[i + 1], a);
    const char *around = p->parent < 0 ? "" : r->ps->v[p->parent].type;
    if (!r->attached && strcmp(around, "multipart/digest") != 0)
        r->attached = i + 1;
}

/* The decoded bytes of a text part, not more than can become text. */
static void text_bytes(struct reader *r, const struct mail_part *p, struct buf *out)
{
    size_t most = r->c->lim->text * 4;
    mail_part_decode(r->c, p, out);
    if (out->len > most) {
        mail_defect(r->c, "a text part has %zu bytes: only the first %zu were read", out->len,
                    most);
        out->len = most;
        out->data[most] = '\0';
    }
    if (memchr(out->data, '\0', out->len) && !strstr(p->type_value, "utf-16") &&
        !strstr(p->type_value, "UTF-16") && !strstr(p->type_value, "32"))
        mail_defect(r->c, "the text holds NUL bytes: they were removed");
}

static bool is_html(const struct mail_part *p)
{
    return strcmp(p->type, "text/html") == 0 || strcmp(p->type, "application/xhtml+xml") == 0 ||
           strcmp(p->type, "text/x-amp-html") == 0;
}

static void part_to_utf8(struct reader *r, const struct mail_part *p, struct buf *out)
{
    AUTO_BUF struct buf raw;
    char meta[64] = "";
    buf_init(&raw, BOUND_MAIL_SIZE);
    text_bytes(r, p, &raw);
    AUTO_FREE char *label = mail_param_get(r->c, p->type_value, "charset", "Content-Type");
    if (is_html(p) && (!label || !*label))
        mail_html_charset(raw.data, raw.len, meta, sizeof(meta));
    mail_to_utf8(r->c, out, raw.data, raw.len, label && *label ? label : meta, "the text");
}

static void part_to_text(struct reader *r, const struct mail_part *p, struct buf *out)
{
    AUTO_BUF struct buf utf8, clean;
    buf_init(&utf8, r->c->lim->text * 16 + 64);
    buf_init(&clean, utf8.max);
    part_to_utf8(r, p, &utf8);
    if (is_html(p)) {
        r->html += utf8.len;
        if (r->html > r->c->lim->text * HTML_TIMES)
            mail_defect(r->c, "more than %zu bytes of HTML: the rest was not read",
                        r->c->lim->text * HTML_TIMES);
        else
            mail_html_to_text(r->c, out, utf8.data, utf8.len, true);
        return;
    }
    AUTO_FREE char *format = mail_param_get(r->c, p->type_value, "format", "Content-Type");
    AUTO_FREE char *delsp = mail_param_get(r->c, p->type_value, "delsp", "Content-Type");
    mail_text_clean(r->c, &clean, utf8.data, utf8.len);
    if (format && strcasecmp(format, "flowed") == 0)
        mail_text_unflow(r->c, out, clean.data, clean.len, delsp && strcasecmp(delsp, "yes") == 0);
    else
        buf_add(out, clean.data, clean.len);
}

static bool is_blank_text(const char *p)
{
    while (*p) {
        if ((unsigned char)*p <= ' ')
            p++;
        else if (strncmp(p, "\xc2\xa0", 2) == 0)
            p += 2;
        else if (strncmp(p, "\xe2\x80\x8b", 3) == 0 || strncmp(p, "\xef\xbb\xbf", 3) == 0)
            p += 3;
        else
            return false;
    }
    return true;
}

static bool part_is_blank(struct reader *r, size_t i)
{
    if (r->blank[i] == 0) {
        AUTO_BUF struct buf b;
        buf_init(&b, r->c->lim->text * 16);
        part_to_text(r, &r->ps->v[i], &b);
        r->blank[i] = is_blank_text(b.data) ? 1 : 2;
        if (is_html(&r->ps->v[i]) && r->blank[i] == 2) {
            buf_reset(&r->twin);
            buf_add(&r->twin, b.data, b.len);
            r->twin_of = i;
            r->twins++;
        }
    }
    return r->blank[i] == 1;
}

/* Appends one text behind what is there. */
static void text_append(struct buf *out, const char *p, size_t n)
{
    size_t max = out->max, room = max - out->len;
    if (out->len > 0 && room > 0) {
        buf_char(out, '\n');
        room--;
    }
    buf_add(out, p, text_utf8_cut(p, n, room));
    if (out->len > 0 && out->data[out->len - 1] != '\n')
        buf_char(out, '\n');
}

/* The same words as HTML has them, when there is just one such part beside. */
static void marked_append(struct reader *r, bool html, const struct buf *b)
{
    bool twin = !html && r->twins == 1 && r->twin.len > 0;
    r->from_html |= html || twin;
    r->from_plain |= !html;
    if (r->marked.len < r->marked.max - 1)
        text_append(&r->marked, twin ? r->twin.data : b->data, twin ? r->twin.len : b->len);
    r->twins = 0;
}

static void add_text(struct reader *r, size_t i)
{
    AUTO_BUF struct buf b;
    size_t max = r->c->lim->text;
    bool html = is_html(&r->ps->v[i]);
    buf_init(&b, max * 16 + 64);
    if (r->text.len >= max)
        return;
    if (html && r->twin.len > 0 && r->twin_of == i)
        buf_add(&b, r->twin.data, r->twin.len);
    else
        part_to_text(r, &r->ps->v[i], &b);
    if (is_blank_text(b.data))
        return;
    marked_append(r, html, &b);
    if (html)
        b.len = mail_marks_strip(b.data, b.len);
    if (b.len > max - r->text.len)
        mail_defect(r->c, "the text is over the limit of %zu bytes: it was cut", max);
    text_append(&r->text, b.data, b.len);
}

static bool is_text(const struct mail_part *p)
{
    return p->kind == MAIL_LEAF && (strcmp(p->type, "text/plain") == 0 || is_html(p) ||
                                    strcmp(p->type, "text/enriched") == 0);
}

/* How good this part is as the one alternative to read: 0 is not at all. */
static int alternative_rank(struct reader *r, size_t i)
{
    const struct mail_part *p = &r->ps->v[i];
    if (strcmp(p->disposition, "attachment") == 0 || p->kind == MAIL_MESSAGE)
        return 0;
    if (p->kind == MAIL_LEAF) {
        if (!is_text(p) || strcmp(p->type, "text/x-amp-html") == 0 || part_is_blank(r, i))
            return 0;
        return strcmp(p->type, "text/plain") == 0 ? 3 : 2;
    }
    int best = 0;
    for (size_t k = i + 1; k < r->ps->count; k++)
        if (r->ps->v[k].parent == (int)i) {
            int rank = alternative_rank(r, k);
            best = rank > best ? rank : best;
        }
    return best;
}

/* The last of the best: senders put the richest last. */
static size_t choose_alternative(struct reader *r, size_t i)
{
    size_t chosen = 0;
    int best = 0;
    for (size_t k = i + 1; k < r->ps->count; k++)
        if (r->ps->v[k].parent == (int)i) {
            int rank = alternative_rank(r, k);
            if (rank >= best && rank > 0) {
                best = rank;
                chosen = k;
            }
        }
    return chosen;
}

static void collect_children(struct reader *r, size_t i, bool text_wanted)
{
    const struct mail_part *p = &r->ps->v[i];
    bool alternative = strcmp(p->type, "multipart/alternative") == 0;
    bool related = strcmp(p->type, "multipart/related") == 0, first = true;
    size_t chosen = 0;
    if (alternative && text_wanted) {
        r->twins = 0;
        buf_reset(&r->twin);
        chosen = choose_alternative(r, i);
    }
    for (size_t k = i + 1; k < r->ps->count; k++) {
        if (r->ps->v[k].parent != (int)i)
            continue;
        bool wanted = text_wanted;
        if (alternative)
            wanted = text_wanted && k == chosen;
        else if (related)
            wanted = text_wanted && first;
        first = false;
        if ((alternative || !text_wanted) && !wanted && is_text(&r->ps->v[k]) &&
            strcmp(r->ps->v[k].disposition, "attachment") != 0)
            continue; /* the same words in another form */
        collect(r, k, wanted);
    }
}

/* Recursion is bounded by the depth of parts. */
static void collect(struct reader *r, size_t i, bool text_wanted)
{
    const struct mail_part *p = &r->ps->v[i];
    if (r->c->late)
        return;
    if (strcmp(p->type, "multipart/signed") == 0)
        r->is_signed = true;
    if (strcmp(p->type, "multipart/encrypted") == 0)
        r->encrypted = true;
    if (p->kind == MAIL_MULTI) {
        collect_children(r, i, text_wanted);
        return;
    }
    bool text = text_wanted && is_text(p) && strcmp(p->disposition, "attachment") != 0;
    if (text && r->text.len > 0 && p->parent >= 0) {
        AUTO_FREE char *name = part_filename(r->c, p);
        text = name == NULL;
    }
    if (text)
        add_text(r, i);
    else if ((i > 0 || p->body.n > 0) && !r->text_only)
        add_attachment(r, i);
}

/* PGP in the text itself. */
static void note_inline_pgp(struct reader *r)
{
    if (strstr(r->text.data, "-----BEGIN PGP MESSAGE-----"))
        r->encrypted = true;
    if (strstr(r->text.data, "-----BEGIN PGP SIGNED MESSAGE-----"))
        r->is_signed = true;
}

/* The forward that is exact: the first mail attached, read like the mail itself.
 * What a report or a digest holds is none. */
static void put_attached(struct reader *r, json_t *msg)
{
    const struct mail_parts *ps = r->ps;
    size_t i = r->attached;
    const struct mail_fields *f = &ps->v[i].fields;
    json_t *out = json_object(), *to = json_array();
    AUTO_JSON json_t *from = json_array(), *ids = json_array();
    AUTO_FREE char *subject = mail_field_text(r->c, f, "Subject");
    AUTO_FREE char *date = mail_field_text(r->c, f, "Date");
    const struct mail_field *id = mail_fields_get(f, "Message-ID");
    int64_t ms;
    mail_addresses_read(r->c, f, "From", from);
    mail_addresses_read(r->c, f, "To", to);
    if (id)
        mail_ids_read(r->c, id, 1, ids);
    if (subject)
        subject[text_utf8_cut(subject, strlen(subject), r->c->lim->subject)] = '\0';
    json_put_bool(out, "exact", true);
    json_put_str(out, "confidence", "exact");
    json_object_set_new(out, "to", to);
    if (json_array_size(from))
        json_object_set(out, "from", json_array_get(from, 0));
    json_put_str(out, "subject", subject);
    json_put_str(out, "message_id", json_string_value(json_array_get(ids, 0)));
    if (date && mail_date_parse(date, &ms) == 0)
        json_put_int(out, "date_ms", ms);
    struct reader in = {.c = r->c, .ps = ps, .blank = r->blank, .html = r->html, .text_only = true};
    reader_init(&in);
    collect(&in, i, true);
    json_put_str(out, "text", text_trim(in.text.data));
    reader_done(&in);
    json_object_set_new(msg, "forward", out);
}

void mail_body_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg,
                    struct mail_body *out)
{
    struct reader r = {.c = c, .ps = ps, .attachments = json_array()};
    r.blank = mem_alloc(ps->count + 1);
    reader_init(&r);
    json_object_set_new(msg, "attachments", r.attachments);
    collect(&r, 0, true);
    note_inline_pgp(&r);
    json_put_str(msg, "text", r.text.data);
    json_put_bool(msg, "encrypted", r.encrypted);
    json_put_bool(msg, "signed", r.is_signed);
    if (r.attached && strcmp(ps->v[0].type, "multipart/report") != 0)
        put_attached(&r, msg);
    out->html_is_text = !r.from_plain;
    out->marked = r.from_html ? buf_take(&r.marked) : NULL;
    reader_done(&r);
    mem_free(r.blank);
}
