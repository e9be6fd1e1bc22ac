/* SPDX-License-Identifier: ISC
 *
 * signature - see signature.h
 */
#include "mail/signature.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mail/flow.h"
#include "mail/phrases.h"

#define FOLD 256
#define PARAGRAPH 1200    /* bytes of a paragraph that are looked at */
#define BLOCK_LINES 16    /* lines of a signature found by its facts */
#define MARK_LINES 16     /* lines below "--" without its space */
#define LINE_LEN 110      /* bytes of a line in such a block */
#define SENTENCE_WORDS 7
#define NAME_WORDS 8
#define FACT_LINES 60
#define FACT_LINE 500     /* bytes of one that are cut into pieces */

/* The lines that are new words, and where the run of them is broken. */
struct tail {
    struct mail_ctx *c;
    const struct mail_lines *l;
    unsigned char *keep;
    const char *name;
    size_t end; /* behind the last line that is new words */
};

static bool fold(const struct mail_line *l, char out[FOLD])
{
    return mail_line_fold(out, FOLD, l->p, l->n < FOLD ? l->n : FOLD) > 0;
}

static bool is_word_byte(char ch)
{
    unsigned char u = (unsigned char)ch;
    return u >= 0x80 || (u >= 'a' && u <= 'z') || (u >= '0' && u <= '9') || u == '\'';
}

static size_t count_words(const char *s)
{
    size_t n = 0;
    for (const char *p = s; *p; p++)
        n += is_word_byte(*p) && (p == s || !is_word_byte(p[-1]));
    return n;
}

static bool is_sentence(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && strchr(".!?", s[n - 1]) && count_words(s) >= SENTENCE_WORDS;
}

static bool is_postscript(const char *s)
{
    return strncmp(s, "ps", 2) == 0 ? strchr(" :.,", s[2]) != NULL : strncmp(s, "p.s", 3) == 0;
}

static bool has_phone(struct mail_ctx *c, const struct mail_line *l)
{
    AUTO_JSON json_t *found = json_array();
    mail_phones_find(c, l->p, l->n, found);
    return json_array_size(found) > 0;
}

/* Something to reach somebody by. */
static bool is_contact(struct mail_ctx *c, const struct mail_line *l, const char *s)
{
    const char *at = strchr(s, '@');
    return has_phone(c, l) || strstr(s, "www.") || strstr(s, "http") || strstr(s, "linkedin") ||
           (at && at > s && is_word_byte(at[-1]) && is_word_byte(at[1]));
}

static bool is_mark(const struct mail_line *l)
{
    static const char *const marks[] = {"--", "---", "- --", "\xe2\x80\x94"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (l->n == strlen(marks[i]) && memcmp(l->p, marks[i], l->n) == 0)
            return true;
    return false;
}

static bool is_divider(const struct mail_line *l)
{
    size_t k = 0, n = 1;
    for (; k < l->n && n > 0; k += n) {
        bool three = l->n - k >= 3 && (memcmp(l->p + k, "\xe2\x80\x93", 3) == 0 ||
                                       memcmp(l->p + k, "\xe2\x80\x94", 3) == 0 ||
                                       memcmp(l->p + k, "\xe2\x94\x80", 3) == 0);
        n = three ? 3 : strchr("-_=*~", l->p[k]) ? 1 : 0;
    }
    return l->n >= 3 && k == l->n;
}

static void take(struct tail *t, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (t->keep[i] == MAIL_KEEP)
            t->keep[i] = MAIL_SIGNATURE;
}

static void find_end(struct tail *t)
{
    while (t->end > 0 && (t->keep[t->end - 1] != MAIL_KEEP || t->l->v[t->end - 1].n == 0))
        t->end--;
}

/* Where the run of new words around line i ends. */
static size_t run_end(const struct tail *t, size_t i)
{
    while (i < t->end && t->keep[i] != MAIL_DROP)
        i++;
    return i;
}

static size_t count_lines(const struct tail *t, size_t from, size_t to)
{
    size_t n = 0;
    mail_late(t->c, to - from);
    for (size_t i = from; i < to; i++)
        n += t->l->v[i].n > 0 && t->keep[i] == MAIL_KEEP;
    return n;
}

/* Is [from, to) a block that names somebody, with facts to reach them by? */
static bool is_block(const struct tail *t, size_t from, size_t to)
{
    size_t lines = 0, facts = 0;
    mail_late(t->c, to - from);
    for (size_t i = from; i < to; i++) {
        char s[FOLD];
        const struct mail_line *l = &t->l->v[i];
        if (t->keep[i] != MAIL_KEEP || !fold(l, s))
            continue;
        lines++;
        if (lines > BLOCK_LINES || l->n > LINE_LEN || is_sentence(s) || is_postscript(s))
            return false;
        facts += is_contact(t->c, l, s);
        if (lines > 1 || strpbrk(s, "|,"))
            facts += mail_phrase_title(s) || mail_phrase_company(s);
    }
    return facts > 0;
}

/* Could the first line of [from, to) be a name, or what stands in its place? */
static bool begins_name(const struct tail *t, size_t from, size_t to)
{
    char s[FOLD];
    while (from < to && (t->keep[from] != MAIL_KEEP || !fold(&t->l->v[from], s)))
        from++;
    if (from >= to)
        return false;
    size_t n = strcspn(s, "|,(");
    s[n] = '\0';
    return n > 0 && n < 60 && !strpbrk(s, "0123456789:?!") && count_words(s) <= 6;
}

static void by_marks(struct tail *t)
{
    bool first = true; /* no words above */
    for (size_t i = 0; i < t->end; i++) {
        if (t->keep[i] != MAIL_KEEP || !is_mark(&t->l->v[i])) {
            first = first && (t->keep[i] != MAIL_KEEP || t->l->v[i].n == 0);
            continue;
        }
        size_t to = run_end(t, i);
        bool dashes = t->l->v[i].n == 2 && t->l->v[i].spaced;
        size_t below = count_lines(t, i + 1, to);
        bool few = below == 0 || (below <= MARK_LINES && !first);
        if ((dashes && !first) || few || is_block(t, i + 1, to))
            take(t, i, to);
        i = to;
    }
}

/* Device lines stand at the end of a run, or have empty lines around them. */
static void by_devices(struct tail *t)
{
    for (size_t i = 0; i < t->end; i++) {
        char s[FOLD];
        const struct mail_line *l = &t->l->v[i];
        bool line = t->keep[i] == MAIL_KEEP && l->n > 0 && l->n < 170;
        if (line && fold(l, s) && mail_phrase_device(s))
            t->keep[i] = MAIL_SIGNATURE;
    }
}

static size_t paragraph(const struct tail *t, size_t i, char *out, size_t cap)
{
    char raw[PARAGRAPH];
    size_t n = 0;
    for (; i < t->end && t->l->v[i].n > 0 && t->keep[i] == MAIL_KEEP; i++) {
        const struct mail_line *l = &t->l->v[i];
        size_t len = l->n < sizeof(raw) - n - 1 ? l->n : sizeof(raw) - n - 1;
        memcpy(raw + n, l->p, len);
        n += len;
        if (n + 1 < sizeof(raw))
            raw[n++] = ' ';
    }
    mail_line_fold(out, cap, raw, n);
    mail_late(t->c, n);
    return i;
}

/* Notices stand below everything else, banners of a server above. */
static void by_notices(struct tail *t)
{
    bool any = false;
    for (size_t i = 0, next; i < t->end; i = next) {
        char s[PARAGRAPH + 8];
        next = i + 1;
        if (t->keep[i] != MAIL_KEEP || t->l->v[i].n == 0)
            continue;
        next = paragraph(t, i, s, sizeof(s));
        if (!any && mail_phrase_banner(s)) {
            for (size_t k = i; k < next; k++)
                t->keep[k] = MAIL_DROP;
            continue;
        }
        if (any && mail_phrase_disclaimer(s)) {
            take(t, i, run_end(t, i));
            return;
        }
        any = true;
    }
}

static bool is_name_word(const char *name, const char *p, size_t n)
{
    for (const char *at = strchr(name, *p); n > 0 && at; at = strchr(at + 1, *p))
        if (strncmp(at, p, n) == 0 && !is_word_byte(at[n]) && (at == name || !is_word_byte(at[-1])))
            return true;
    return false;
}

/* The line, up to the first mark, is the sender's name. */
static bool is_name(const struct tail *t, const char *s)
{
    char name[FOLD];
    size_t words = 0;
    if (!t->name || mail_line_fold(name, sizeof(name), t->name, strlen(t->name)) == 0)
        return false;
    size_t n = strcspn(s, "|,(/");
    for (size_t i = 0; i < n;) {
        size_t k = i;
        while (k < n && is_word_byte(s[k]))
            k++;
        if (k > i && (!is_name_word(name, s + i, k - i) || ++words > NAME_WORDS))
            return false;
        i = k + 1;
    }
    return words >= 2 && words >= count_words(name);
}

/* "Thanks, / John" typed, and then "John Doe / …" that the program put there: the
 * signature is only that. */
static size_t behind_typed_name(const struct tail *t, size_t from)
{
    char typed[FOLD], full[FOLD];
    size_t i = from + 1, k;
    while (i < t->end && !fold(&t->l->v[i], typed))
        i++;
    for (k = i + 1; k < t->end && !fold(&t->l->v[k], full); k++)
        ;
    if (k >= t->end || k == i + 1)
        return from;
    size_t n = strcspn(typed, " ,.");
    bool same = n > 1 && n == strlen(typed) && strncmp(typed, full, n) == 0;
    return same && full[n] == ' ' ? k : from;
}

/* The last of the lines that could begin a signature, with a block below it. */
static void by_facts(struct tail *t)
{
    size_t lines = 0, from = t->end;
    bool named = false;
    for (size_t i = t->end; i-- > 0 && t->keep[i] != MAIL_DROP && lines <= BLOCK_LINES + 2;) {
        char s[FOLD];
        const struct mail_line *l = &t->l->v[i];
        if (t->keep[i] != MAIL_KEEP || !fold(l, s))
            continue;
        lines++;
        bool closing = mail_phrase_closing(s), divider = is_divider(l);
        bool name = !closing && is_name(t, s);
        if (!closing && !divider && !name)
            continue;
        /* "Ann Lee, Buyer" with a phone below; or a name, and the closing word above it */
        if (!is_block(t, name && strpbrk(s, "|,") ? i : i + 1, t->end) || count_lines(t, 0, i) == 0)
            continue;
        if (!name && !strchr(s, ',') && !begins_name(t, i + 1, t->end))
            continue; /* "Thanks", and then what is wanted */
        if (named && !closing)
            break;
        from = i;
        if (!name)
            break;
        named = true;
        lines = BLOCK_LINES + 1; /* the closing word is right above, or not there */
    }
    take(t, behind_typed_name(t, from), t->end);
}

void mail_signature_find(struct mail_ctx *c, const struct mail_lines *l, unsigned char *keep,
                         const char *name)
{
    struct tail t = {.c = c, .l = l, .keep = keep, .name = name, .end = l->count};
    find_end(&t);
    by_devices(&t);
    by_marks(&t);
    find_end(&t);
    by_notices(&t);
    find_end(&t);
    by_facts(&t);
}

/* The pieces of "Ann Lee | Head of Sales | Example Ltd": cut at | · • – and tabs. */
static size_t piece_len(const char *p, size_t n)
{
    static const char *const cuts[] = {" | ", "|", " · ", " • ", " – ", " - ", "\t", ", "};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        const char *at = memmem(p, n, cuts[i], strlen(cuts[i]));
        if (at)
            n = (size_t)(at - p);
    }
    return n;
}

static void note_piece(struct mail_ctx *c, json_t *facts, const struct tail *t, const char *p,
                       size_t n, bool first)
{
    char s[FOLD];
    struct mail_line l = {.p = p, .n = n};
    if (n == 0 || n > 100 || !fold(&l, s) || mail_phrase_closing(s) || is_contact(c, &l, s) ||
        mail_phrase_device(s) || is_sentence(s))
        return;
    AUTO_FREE char *text = mem_strn(p, n);
    if (!json_object_get(facts, "name") && is_name(t, s))
        json_put_str(facts, "name", text);
    else if (!json_object_get(facts, "company") && mail_phrase_company(s))
        json_put_str(facts, "company", text);
    else if (!json_object_get(facts, "title") && mail_phrase_title(s) && !strpbrk(s, "0123456789"))
        json_put_str(facts, "title", text);
    else if (first && !json_object_get(facts, "name") && !strpbrk(s, "0123456789:") &&
             count_words(s) >= 2 && count_words(s) <= 5)
        json_put_str(facts, "name", text);
}

json_t *mail_signature_facts(struct mail_ctx *c, const char *signature, const char *name)
{
    json_t *facts = json_object(), *phones = json_array();
    struct tail t = {.c = c, .name = name};
    bool first = true;
    size_t lines = 0;
    json_object_set_new(facts, "phones", phones);
    for (const char *p = signature; *p && lines < FACT_LINES; lines++) {
        size_t line = strcspn(p, "\n");
        char s[FOLD];
        struct mail_line l = {.p = p, .n = line};
        bool words = fold(&l, s) && !is_mark(&l);
        if (words && !mail_phrase_fax(s))
            mail_phones_find(c, p, line, phones);
        size_t end = text_utf8_cut(p, line, FACT_LINE);
        for (size_t at = 0; words && at < end && !mail_late(c, end - at);) {
            size_t n = piece_len(p + at, end - at);
            size_t lead = strspn(p + at, " |\xc2\xb7\xa0\xe2\x80\x93\xa2-\t,");
            if (lead > 0 && lead >= n) {
                at += lead;
                continue;
            }
            note_piece(c, facts, &t, p + at, n, first);
            at += n ? n : 1;
        }
        first = first && (!words || mail_phrase_closing(s));
        p += line + (p[line] == '\n');
    }
    mail_late(c, strlen(signature));
    if (json_array_size(phones) || json_object_get(facts, "title") ||
        json_object_get(facts, "company"))
        return facts;
    json_decref(facts);
    return NULL;
}
