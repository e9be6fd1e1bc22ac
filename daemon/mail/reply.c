/* SPDX-License-Identifier: ISC
 *
 * reply - see reply.h
 *
 * The words are read twice where a mail has both forms: from the plain text by
 * its looks, and from the HTML, whose structure says more. When the two differ
 * and the HTML has structure, its words count; they are given in the lines of
 * the plain text, as far as those hold them. But words that the plain text has as
 * quotation stay one: somebody else's HTML may have left its element, and what he
 * wrote must not become the words of the one who answers.
 */
#include "mail/reply.h"

#include <string.h>

#include "base/mem.h"
#include "mail/flow.h"
#include "mail/forward.h"
#include "mail/lines.h"
#include "mail/quote.h"
#include "mail/signature.h"

#define TARGET_MAX 600
#define ARMOUR_HEAD 5 /* lines of "Hash: SHA512" and the like */

/* One reading of one form of the text. */
struct reading {
    struct mail_lines l;
    unsigned char *keep; /* own; enum mail_keep per line */
    size_t cut;          /* from here on all is quotation, or the count of lines */
    bool endless;        /* armour begins that does not end */
    struct buf reply, signature;
};

static bool line_is(const struct mail_line *l, const char *s)
{
    return l->n == strlen(s) && memcmp(l->p, s, l->n) == 0;
}

/* What line i begins goes to the end, or only to *next. */
static bool goes_on(const struct mail_lines *l, size_t i, size_t *next)
{
    const struct mail_line *x = &l->v[i];
    *next = mail_lines_next(l, i + x->lines);
    if (x->kind != MAIL_LINE_ATTRIBUTION)
        return false;
    return x->mark == MAIL_MARK_ATTRIBUTION || (*next < l->count && l->v[*next].depth > x->depth);
}

/* How many lines of armour around signed words begin at line i (RFC 9580). */
static size_t armour_lines(struct reading *r, size_t i)
{
    const struct mail_lines *l = &r->l;
    size_t k = i + 1;
    if (line_is(&l->v[i], "-----BEGIN PGP SIGNED MESSAGE-----")) {
        while (k < l->count && k < i + ARMOUR_HEAD && l->v[k].n > 0)
            k++;
        return k - i;
    }
    if (r->endless || !line_is(&l->v[i], "-----BEGIN PGP SIGNATURE-----"))
        return 0;
    while (k < l->count && !line_is(&l->v[k], "-----END PGP SIGNATURE-----"))
        k++;
    r->endless = k == l->count;
    *l->work += k - i;
    return r->endless ? 0 : k - i + 1;
}

static void keep_new(struct mail_ctx *c, struct reading *r, size_t from)
{
    const struct mail_lines *l = &r->l;
    r->cut = l->count;
    for (size_t i = from; i < l->count && !mail_late(c, 1); i++) {
        const struct mail_line *x = &l->v[i];
        size_t n, next;
        if (x->kind == MAIL_LINE_TEXT && (n = armour_lines(r, i)) > 0) {
            i += n - 1;
        } else if (x->kind == MAIL_LINE_TEXT) {
            r->keep[i] = x->mark == MAIL_MARK_SIGNATURE ? MAIL_SIGNATURE : MAIL_KEEP;
        } else if (x->kind != MAIL_LINE_QUOTE) {
            if (!goes_on(l, i, &next)) {
                r->cut = i;
                return;
            }
            i = next - 1;
        }
    }
}

static bool has_new(const struct reading *r, enum mail_keep what)
{
    for (size_t i = 0; i < r->l.count; i++)
        if (r->keep[i] == what && r->l.v[i].n > 0)
            return true;
    return false;
}

/* Nothing new, since the mail begins with what looks like "X wrote:" and nothing
 * below it is quoted: then it is more likely that X wrote is part of the words. */
static void keep_doubtful(struct mail_ctx *c, struct reading *r)
{
    size_t i = mail_lines_next(&r->l, 0), behind;
    if (i >= r->l.count || r->l.v[i].kind != MAIL_LINE_ATTRIBUTION || r->l.v[i].mark)
        return;
    if (goes_on(&r->l, i, &behind) || behind >= r->l.count)
        return;
    for (size_t k = i; k < i + r->l.v[i].lines; k++)
        r->keep[k] = MAIL_KEEP;
    keep_new(c, r, i + r->l.v[i].lines);
}

/* Spaces that all lines begin with are a program's. */
static size_t common_indent(const struct reading *r, enum mail_keep what)
{
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < r->l.count; i++) {
        const struct mail_line *x = &r->l.v[i];
        size_t n = 0;
        if (r->keep[i] != what || x->n == 0)
            continue;
        while (n < x->n && x->p[n] == ' ')
            n++;
        least = n < least ? n : least;
    }
    return least == SIZE_MAX ? 0 : least;
}

static void write_lines(const struct reading *r, enum mail_keep what, struct buf *out)
{
    size_t indent = common_indent(r, what);
    for (size_t i = 0; i < r->l.count; i++) {
        const struct mail_line *x = &r->l.v[i];
        bool twice = out->len == 0 || (out->len > 1 && out->data[out->len - 2] == '\n');
        if (r->keep[i] != what || (x->n == 0 && twice))
            continue; /* one empty line is enough */
        if (what == MAIL_SIGNATURE && line_is(x, "--"))
            continue;
        if (x->n > 0)
            buf_add(out, x->p + indent, x->n - indent);
        buf_char(out, '\n');
    }
    while (out->len > 0 && strchr(" \t\n", out->data[out->len - 1]))
        out->data[--out->len] = '\0';
    size_t lead = strspn(out->data, " \t\n");
    if (lead)
        buf_drop(out, lead);
}

static void reading_make(struct mail_ctx *c, struct reading *r, const char *text, const char *name)
{
    *r = (struct reading){.endless = false};
    mail_lines_read(&r->l, text, strlen(text));
    r->l.work = &c->work;
    r->keep = mem_alloc(r->l.count + 1);
    buf_init(&r->reply, c->lim->text * 2);
    buf_init(&r->signature, c->lim->text * 2);
    mail_quote_find(c, &r->l);
    keep_new(c, r, 0);
    if (!has_new(r, MAIL_KEEP) && !has_new(r, MAIL_SIGNATURE))
        keep_doubtful(c, r);
    mail_signature_find(c, &r->l, r->keep, name);
    write_lines(r, MAIL_KEEP, &r->reply);
    write_lines(r, MAIL_SIGNATURE, &r->signature);
}

static void reading_done(struct reading *r)
{
    mail_lines_done(&r->l);
    mem_free(r->keep);
    buf_done(&r->reply);
    buf_done(&r->signature);
}

/* "<https://…>": the bytes of a link's target, or 1. */
static size_t target_len(const char *p, size_t n)
{
    if (n < 9 || (memcmp(p + 1, "http", 4) != 0 && memcmp(p + 1, "mailto:", 7) != 0))
        return 1;
    const char *gt = memchr(p, '>', n < TARGET_MAX ? n : TARGET_MAX);
    return gt ? (size_t)(gt - p) + 1 : 1;
}

static bool is_word_byte(unsigned char u)
{
    return u >= 0x80 || (u >= '0' && u <= '9') || ((u | 0x20) >= 'a' && (u | 0x20) <= 'z');
}

/* "12. " and "3) " in front of a list's entry: their bytes, or 0. */
static size_t number_len(const char *p, size_t n)
{
    size_t k = 0;
    while (k < n && k < 3 && p[k] >= '0' && p[k] <= '9')
        k++;
    return k > 0 && k + 1 < n && (p[k] == '.' || p[k] == ')') && p[k + 1] == ' ' ? k + 1 : 0;
}

/* Goes to the next byte of a word: without white space, marks, numbers of list
 * entries and the targets of links, which the two forms write differently. */
static const char *letter(const char *p, const char *end, bool *begins)
{
    while (p < end) {
        unsigned char u = (unsigned char)*p;
        size_t left = (size_t)(end - p), n;
        if (*begins && (n = number_len(p, left)) > 0) {
            p += n;
            continue;
        }
        n = 1;
        if (u == '<')
            n = target_len(p, left);
        else if (left >= 3 && (memcmp(p, "\xe2\x80", 2) == 0 || memcmp(p, "\xef\xbb\xbf", 3) == 0))
            n = 3;
        else if (left >= 2 && (memcmp(p, "\xc2\xa0", 2) == 0 || memcmp(p, "\xc2\xb7", 2) == 0))
            n = 2;
        else if (is_word_byte(u))
            return p;
        if (u == '\n')
            *begins = true;
        else if (u > ' ')
            *begins = *begins && (u == '-' || u == '*' || u >= 0x80);
        p += n;
    }
    return end;
}

/* The letters of [p, end) come next at *at: then *at moves behind them. */
static bool letters_match(const char *p, const char *end, const char **at, const char *stop)
{
    bool begins = true, begins_at = true;
    const char *k = *at;
    for (p = letter(p, end, &begins); p < end; p = letter(p, end, &begins)) {
        k = letter(k, stop, &begins_at);
        if (k == stop || ((*p ^ *k) & ~((unsigned char)*p < 0x80 ? 0x20 : 0)))
            return false;
        begins = begins_at = false;
        p++;
        k++;
    }
    *at = k;
    return true;
}

static bool same_letters(const struct buf *a, const struct buf *b)
{
    const char *at = b->data, *stop = b->data + b->len;
    bool begins = true;
    return letters_match(a->data, a->data + a->len, &at, stop) && letter(at, stop, &begins) == stop;
}

enum found { FOUND_ALL, FOUND_NOT, FOUND_QUOTED };

/* Keeps those lines of r that hold the words, in their order. Else nothing is
 * changed: when they do not hold them all, or hold some as quotation. */
static enum found keep_words(struct mail_ctx *c, struct reading *r, const struct buf *words)
{
    const char *at = words->data, *stop = at + words->len;
    unsigned char *keep = mem_alloc(r->l.count + 1);
    bool begins = true, quoted = false;
    for (size_t i = 0; i < r->l.count && !quoted && !mail_late(c, r->l.v[i].n); i++) {
        const struct mail_line *x = &r->l.v[i];
        const char *from = at;
        bool match = letters_match(x->p, x->p + x->n, &at, stop);
        if (match && at > from && (x->depth > 0 || i >= r->cut))
            quoted = true;
        else if (match && x->depth == 0 && (at > from || x->n == 0))
            keep[i] = MAIL_KEEP;
    }
    bool all = !quoted && letter(at, stop, &begins) == stop;
    if (all) {
        memcpy(r->keep, keep, r->l.count);
        buf_reset(&r->reply);
        write_lines(r, MAIL_KEEP, &r->reply);
    }
    mem_free(keep);
    return quoted ? FOUND_QUOTED : all ? FOUND_ALL : FOUND_NOT;
}

/* The plain text ran a line of the signature into the words: "Yes.Sent from my Galaxy". */
static bool ran_together(const struct reading *r, const struct reading *html)
{
    AUTO_BUF struct buf both;
    buf_init(&both, html->reply.len + html->signature.len + 1);
    buf_add(&both, html->reply.data, html->reply.len);
    buf_add(&both, html->signature.data, html->signature.len);
    return html->signature.len > 0 && same_letters(&r->reply, &both);
}

/* What the HTML's structure says of the words goes into r, the plain reading. Only a
 * plain text that quotes nothing may be without some of them: it is a stub. */
static void agree(struct mail_ctx *c, struct reading *r, struct reading *html)
{
    if (!html->l.marked || html->reply.len == 0 || same_letters(&r->reply, &html->reply))
        return;
    enum found found = keep_words(c, r, &html->reply);
    bool quotes = r->l.marked || r->cut < r->l.count;
    if (found == FOUND_QUOTED || (found == FOUND_NOT && quotes && !ran_together(r, html)))
        return;
    if (found == FOUND_NOT) {
        buf_reset(&r->reply);
        buf_add(&r->reply, html->reply.data, html->reply.len);
    }
    if (html->signature.len > 0) {
        buf_reset(&r->signature);
        buf_add(&r->signature, html->signature.data, html->signature.len);
    }
}

static void put_forward(struct mail_ctx *c, const struct mail_words *w, const struct reading *plain,
                        const struct reading *html, const char *note, json_t *msg)
{
    json_t *f = mail_forward_find(c, &plain->l, w->subject);
    if (html && (!f || strcmp(json_get_str(f, "confidence", ""), "guess") == 0)) {
        json_t *g = mail_forward_find(c, &html->l, w->subject);
        if (g && (!f || strcmp(json_get_str(g, "confidence", ""), "sure") == 0)) {
            json_decref(f);
            f = g;
        } else {
            json_decref(g);
        }
    }
    json_t *attached = json_get_obj(msg, "forward");
    if (attached)
        json_put_str(attached, "note", note);
    if (f && attached && strcmp(json_get_str(f, "confidence", ""), "guess") == 0) {
        json_decref(f); /* what is exact is better than a guess */
    } else if (f) {
        json_put_str(f, "note", note);
        json_object_set_new(msg, "forward", f);
    }
}

void mail_reply_read(struct mail_ctx *c, const struct mail_words *w, json_t *msg)
{
    struct reading plain, html;
    bool both = w->html && !w->html_is_text;
    reading_make(c, &plain, w->html && w->html_is_text ? w->html : w->text, w->name);
    if (both) {
        reading_make(c, &html, w->html, w->name);
        agree(c, &plain, &html);
    }
    json_put_str(msg, "reply", plain.reply.data);
    json_put_str(msg, "signature", plain.signature.data);
    json_t *facts = mail_signature_facts(c, plain.signature.data, w->name);
    if (facts)
        json_object_set_new(msg, "signature_facts", facts);
    put_forward(c, w, &plain, both ? &html : NULL, plain.reply.data, msg);
    reading_done(&plain);
    if (both)
        reading_done(&html);
}
