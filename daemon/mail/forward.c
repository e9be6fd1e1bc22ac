/* SPDX-License-Identifier: ISC
 *
 * forward - see forward.h
 */
#include "mail/forward.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/phrases.h"
#include "mail/quote.h"

#define FOLD 256
#define VALUE_MAX 2000   /* bytes of one field in a block */
#define TO_MAX 50
#define QUOTED_LOOK 4    /* lines of a quotation where a forward may begin */
#define NAME_MAX_BYTES 300

/* Where the forwarded mail's block is, and how sure that it is one. */
struct place {
    size_t block, lines; /* lines 0: an attribution, at block */
    size_t text;
    bool sure;
};

static bool fold(const struct mail_line *l, char out[FOLD])
{
    return mail_line_fold(out, FOLD, l->p, l->n < FOLD ? l->n : FOLD) > 0;
}

static bool place_block(const struct mail_lines *l, size_t i, bool sure, struct place *at)
{
    size_t lines = i < l->count ? mail_quote_block(l, i, sure) : 0;
    *at = (struct place){.block = i, .lines = lines, .text = i + lines, .sure = sure};
    return lines > 0;
}

/* A program may put all of a forward into a quotation. */
static bool place_quoted(const struct mail_lines *l, size_t i, bool by_subject, struct place *at)
{
    for (size_t seen = 0; i < l->count && seen < QUOTED_LOOK && l->v[i].depth > 0; i++) {
        char s[FOLD];
        if (!fold(&l->v[i], s))
            continue;
        seen++;
        if (mail_quote_is_forward(s))
            return place_block(l, mail_lines_next(l, i + 1), true, at);
        if (by_subject && place_block(l, i, false, at)) {
            at->sure = true;
            return true;
        }
    }
    return false;
}

/* Looks at the first thing that is quoted; whatever comes later is its content. */
static bool place_find(const struct mail_lines *l, bool by_subject, struct place *at)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct mail_line *x = &l->v[i];
        switch ((enum mail_line_kind)x->kind) {
        case MAIL_LINE_TEXT:
            break;
        case MAIL_LINE_FORWARD:
            return place_block(l, mail_lines_next(l, i + 1), true, at);
        case MAIL_LINE_ORIGINAL:
            if (!by_subject || place_block(l, mail_lines_next(l, i + 1), true, at))
                return by_subject;
            break;
        case MAIL_LINE_BLOCK:
            *at = (struct place){.block = i, .lines = x->lines, .text = i + x->lines, .sure = true};
            return by_subject;
        case MAIL_LINE_ATTRIBUTION:
            *at = (struct place){.block = i, .text = i + x->lines};
            return by_subject;
        case MAIL_LINE_QUOTE:
            if (x->depth > 0) /* else a rule above the block */
                return place_quoted(l, i, by_subject, at);
            break;
        }
    }
    return false;
}

static bool is_local(char ch)
{
    return (unsigned char)ch > ' ' && !strchr("<>()[]\",;:\\", ch);
}

/* {address?, name?} of "Ann Lee <ann@example.org>", "Ann [mailto:ann@…]", … */
static json_t *person_read(const char *p, size_t n)
{
    const char *at = memchr(p, '@', n), *end = p + n, *from = at, *to = at;
    while (from && from > p && is_local(from[-1]))
        from--;
    while (to && to < end && (*to == '@' || is_local(*to)))
        to++;
    AUTO_FREE char *address = at ? mem_strn(from, (size_t)(to - from)) : NULL;
    const char *stop = at ? from : end;
    const char *open = p;
    while (open < stop && !strchr("<[(", *open))
        open++;
    AUTO_FREE char *raw = mem_strn(p, (size_t)(open - p)), *name = NULL;
    for (char *k = raw; *k; k++)
        if (*k == '"' || *k == '*' || *k == '\t')
            *k = ' ';
    char *t = text_trim(raw);
    size_t len = strlen(t);
    if (len > 1 && *t == '\'' && t[len - 1] == '\'') {
        t[len - 1] = '\0';
        t++;
    }
    t[text_utf8_cut(t, strlen(t), NAME_MAX_BYTES)] = '\0';
    if (*t && (!address || strcmp(t, address) != 0))
        name = mem_str(text_trim(t));
    json_t *person = address ? mail_address_json(address, name) : NULL;
    if (!person && name && *name) {
        person = json_object();
        json_put_str(person, "name", name);
    }
    return person;
}

/* Names may hold commas ("Lee, Ann <…>"): a comma parts only behind an address
 * or where there is none at all. */
static void people_read(const char *s, json_t *out)
{
    bool semicolons = strchr(s, ';') != NULL;
    while (*s && json_array_size(out) < TO_MAX) {
        size_t n = strcspn(s, semicolons ? ";" : ",;");
        if (!semicolons && s[n] == ',' && !memchr(s, '@', n) && strchr(s + n, '@'))
            n += 1 + strcspn(s + n + 1, ",;");
        json_t *person = person_read(s, n);
        if (person)
            json_array_append_new(out, person);
        s += n + (s[n] != '\0');
    }
}

static void field_put(json_t *f, enum mail_role role, const char *value)
{
    int64_t ms;
    if (role == MAIL_ROLE_FROM) {
        json_t *person = person_read(value, strlen(value));
        if (person)
            json_object_set_new(f, "from", person);
    } else if (role == MAIL_ROLE_TO) {
        people_read(value, json_get_arr(f, "to"));
    } else if (role == MAIL_ROLE_SUBJECT && *value) {
        json_put_str(f, "subject", value);
    } else if (role == MAIL_ROLE_DATE && mail_forward_date(value, &ms) == 0) {
        json_put_int(f, "date_ms", ms);
    }
}

/* Where the value begins, behind the field's name and colon. */
static const char *value_of(const struct mail_line *l)
{
    const char *end = l->p + l->n;
    for (const char *p = l->p; p < end; p++) {
        if (*p == ':')
            return p + 1;
        if (end - p >= 3 && memcmp(p, "\xef\xbc\x9a", 3) == 0)
            return p + 3;
    }
    return end;
}

static void value_add(struct buf *b, const char *p, const char *end)
{
    if (b->len > 0)
        buf_char(b, ' ');
    for (; p < end; p++)
        if (!strchr("*\t", *p))
            buf_char(b, *p);
        else
            buf_char(b, ' ');
}

static void flush(json_t *f, enum mail_role role, struct buf *value)
{
    size_t n = text_utf8_cut(value->data, value->len, VALUE_MAX - 1);
    value->data[n] = '\0';
    field_put(f, role, text_trim(value->data));
    buf_reset(value);
}

static void block_read(const struct mail_lines *l, const struct place *at, json_t *f)
{
    AUTO_BUF struct buf value;
    enum mail_role role = MAIL_ROLE_NONE;
    buf_init(&value, VALUE_MAX + FOLD);
    for (size_t i = at->block; i < at->block + at->lines; i++) {
        char s[FOLD];
        size_t colon;
        const struct mail_line *x = &l->v[i];
        const char *end = x->p + (x->n < VALUE_MAX ? x->n : VALUE_MAX);
        enum mail_role next = fold(x, s) ? mail_phrase_role(s, &colon) : MAIL_ROLE_NONE;
        if (next != MAIL_ROLE_NONE) {
            flush(f, role, &value);
            role = next;
            const char *from = value_of(x);
            value_add(&value, from < end ? from : end, end);
        } else if (value.len < VALUE_MAX / 2) {
            value_add(&value, x->p, end);
        }
    }
    flush(f, role, &value);
}

/* Only an attribution: who, and nothing else that is certain. */
static void attribution_read(const struct mail_lines *l, const struct place *at, json_t *f)
{
    for (size_t i = at->block; i < at->text && i < l->count; i++) {
        const struct mail_line *x = &l->v[i];
        const char *sign = memchr(x->p, '@', x->n);
        json_t *person = sign ? person_read(x->p, x->n < VALUE_MAX ? x->n : VALUE_MAX) : NULL;
        if (person)
            json_object_del(person, "name"); /* it stands among other words */
        if (person && json_object_size(person))
            json_object_set(f, "from", person);
        json_decref(person);
    }
}

/* The lines below the block; a quotation around all of it is taken off. */
static void text_read(struct mail_ctx *c, const struct mail_lines *l, size_t from, json_t *f)
{
    AUTO_BUF struct buf out;
    size_t i = mail_lines_next(l, from);
    char s[FOLD];
    if (i < l->count && fold(&l->v[i], s) && mail_quote_is_forward(s))
        i = mail_lines_next(l, i + 1); /* some put the separator below the block, too */
    unsigned char base = i < l->count ? l->v[i].depth : 0;
    buf_init(&out, c->lim->text);
    for (; i < l->count && !mail_late(c, l->v[i].n); i++) {
        const struct mail_line *x = &l->v[i];
        if (x->depth < base && x->n > 0)
            break;
        for (unsigned d = base; d < x->depth; d++)
            buf_char(&out, '>');
        if (x->depth > base)
            buf_char(&out, ' ');
        buf_add(&out, x->p, x->n);
        buf_char(&out, '\n');
    }
    char *t = text_trim(out.data);
    if (strncmp(t, "\xef\xbb\xbf", 3) == 0)
        t += 3;
    json_put_str(f, "text", t);
}

json_t *mail_forward_find(struct mail_ctx *c, const struct mail_lines *l, const char *subject)
{
    char folded[FOLD];
    struct place at;
    mail_line_fold(folded, sizeof(folded), subject, strlen(subject));
    if (!place_find(l, mail_phrase_forward_subject(folded), &at))
        return NULL;
    json_t *f = json_object();
    json_object_set_new(f, "to", json_array());
    if (at.lines > 0)
        block_read(l, &at, f);
    else
        attribution_read(l, &at, f);
    const char *address = json_get_str(json_get_obj(f, "from"), "address", NULL);
    text_read(c, l, at.text, f);
    json_put_bool(f, "exact", false);
    json_put_str(f, "confidence", at.sure && address ? "sure" : "guess");
    return f;
}
