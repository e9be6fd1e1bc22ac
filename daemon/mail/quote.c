/* SPDX-License-Identifier: ISC
 *
 * quote - see quote.h
 */
#include "mail/quote.h"

#include <string.h>

#include "base/mem.h"
#include "mail/phrases.h"

#define ATTRIBUTION_LINES 5
#define ATTRIBUTION_BYTES 600
#define FOLD 256        /* bytes of a line that are looked at */
#define BLOCK_LINES 24  /* of a header block, with long lists of recipients */
#define BLOCK_OTHER 6   /* lines of it in a row that begin with no known field */
#define CITED_NAME 12   /* letters of a name in front of each quoted line */
#define ABOVE_BLOCK 4   /* lines between a separator and its block */

/* What an attribution is made of. */
struct signs {
    bool wrote, address, bracketed, date, time, colon;
};

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* 10:00, 10.00, 10h00 */
static bool has_time(const char *s)
{
    for (const char *p = s; *p; p++) {
        if (!is_digit(*p) || (p > s && is_digit(p[-1])))
            continue;
        size_t n = is_digit(p[1]) ? 2 : 1;
        if ((p[n] == ':' || p[n] == 'h' || p[n] == '.') && is_digit(p[n + 1]) &&
            is_digit(p[n + 2]) && !is_digit(p[n + 3]) && (p[n] != '.' || p[n + 3] != '.'))
            return true;
    }
    return false;
}

/* A year, or three numbers as dates have them. */
static bool has_date(const char *s)
{
    for (const char *p = s; *p; p++) {
        if (!is_digit(*p) || (p > s && is_digit(p[-1])))
            continue;
        size_t n = 0, k;
        while (is_digit(p[n]))
            n++;
        if (n == 4 && (strncmp(p, "19", 2) == 0 || strncmp(p, "20", 2) == 0))
            return true;
        if (n > 2 || !p[n] || !strchr("./-", p[n]))
            continue;
        k = n + 1 + (p[n + 1] == ' ');
        size_t m = k;
        while (is_digit(p[m]))
            m++;
        if (m > k && m - k <= 2 && p[m] && strchr("./-", p[m]) &&
            is_digit(p[m + 1 + (p[m + 1] == ' ')]))
            return true;
    }
    /* Eastern Arabic digits stand in dates of Arabic and Persian programs */
    return strstr(s, "٢٠") || strstr(s, "۲۰") || strstr(s, "۱۴");
}

/* <a@b> or (a@b), "mailto:a@b", or a bare one */
static bool has_address(const char *s)
{
    const char *at = strchr(s, '@');
    return at && at > s && at[1] > ' ' && at[-1] > ' ';
}

static struct signs signs_of(const char *joined, bool quoted)
{
    size_t n = strlen(joined);
    while (n > 0 && strchr(" -_", joined[n - 1]))
        n--;
    const char *open = strchr(joined, '<'), *at = open ? strchr(open, '@') : NULL;
    struct signs s = {.address = has_address(joined),
                      .bracketed = at && strchr(at, '>') && !memchr(open, ' ', (size_t)(at - open)),
                      .date = has_date(joined),
                      .time = has_time(joined),
                      .colon = n > 0 && joined[n - 1] == ':'};
    /* the costly one, only where it can matter */
    s.wrote = (quoted || s.address || s.date) && mail_phrase_wrote(joined);
    return s;
}

/* Enough to be one, when what follows is quoted, or is not. */
static bool signs_do(const struct signs *s, bool quoted)
{
    if (quoted) {
        unsigned n = (unsigned)s->address + s->date + s->time;
        return (s->wrote && (n > 0 || s->colon)) || (s->colon && n >= 1);
    }
    if (!s->colon)
        return s->wrote && s->address && s->date && s->time;
    return (s->wrote && s->date && (s->time || s->address)) ||
           (s->address && s->date && s->time) || (s->wrote && s->bracketed);
}

static size_t join(const struct mail_lines *l, size_t from, size_t to, char *out, size_t cap)
{
    char raw[ATTRIBUTION_BYTES + ATTRIBUTION_LINES];
    size_t n = 0;
    for (size_t i = from; i <= to; i++) {
        const struct mail_line *x = &l->v[i];
        if (n + x->n + 1 > ATTRIBUTION_BYTES)
            return 0;
        memcpy(raw + n, x->p, x->n);
        n += x->n;
        raw[n++] = ' ';
    }
    return mail_line_fold(out, cap, raw, n);
}

static bool fold(const struct mail_line *l, char out[FOLD])
{
    return mail_line_fold(out, FOLD, l->p, l->n < FOLD ? l->n : FOLD) > 0;
}

static bool is_text(const struct mail_line *l, unsigned char depth)
{
    return l->n > 0 && l->depth == depth && l->mark != MAIL_MARK_CUT &&
           (l->kind == MAIL_LINE_TEXT || l->kind == MAIL_LINE_QUOTE);
}

/* May line k end an attribution? Cheap: most lines do not. */
static bool may_end(const struct mail_line *l)
{
    static const char *const ends[] = {":", "：", "写道", "寫道", "écrit", "wrote", "schrieb",
                                       "のメール", "--", "скрев", "написал", "yazdı"};
    const char *end = l->p + l->n;
    if (l->n == 0 || l->depth > 0)
        return false;
    size_t n = l->n;
    while (n > 0 && (strchr(" *_", end[-1]) ||
                     (n >= 3 && memcmp(end - 3, "\xe2\x80", 2) == 0))) { /* direction marks */
        size_t step = strchr(" *_", end[-1]) ? 1 : 3;
        n -= step;
        end -= step;
    }
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        size_t len = strlen(ends[i]);
        if (n >= len && memcmp(end - len, ends[i], len) == 0)
            return true;
    }
    return false;
}

/* The lines above that belong to it: its opening word, or the name before '<'. */
static size_t extend_up(const struct mail_lines *l, size_t from, size_t end)
{
    char s[FOLD];
    if (!fold(&l->v[from], s) || mail_phrase_opens(s))
        return from;
    bool cut_name = *s == '<';
    for (size_t i = from; i-- > 0 && end - i < ATTRIBUTION_LINES;) {
        char above[FOLD];
        if (!is_text(&l->v[i], l->v[end].depth) || !fold(&l->v[i], above))
            break;
        if (mail_phrase_opens(above) && !strchr(".!?", above[strlen(above) - 1]))
            return i;
        if (cut_name && i + 1 == from && strlen(above) < 60 && !strpbrk(above, ".!?,"))
            return i;
    }
    return from;
}

static void try_attribution(struct mail_ctx *c, struct mail_lines *l, size_t end)
{
    char joined[ATTRIBUTION_BYTES + 8];
    size_t next = mail_lines_next(l, end + 1);
    bool quoted = next < l->count && l->v[next].depth > l->v[end].depth;
    if (!may_end(&l->v[end]) && l->v[end].mark != MAIL_MARK_ATTRIBUTION)
        return;
    for (size_t from = end;; from--) {
        size_t n = join(l, from, end, joined, sizeof(joined));
        if (n == 0 || mail_late(c, n))
            return;
        struct signs s = signs_of(joined, quoted);
        if (signs_do(&s, quoted) && (quoted || strlen(joined) < 400)) {
            from = extend_up(l, from, end);
            l->v[from].kind = MAIL_LINE_ATTRIBUTION;
            l->v[from].lines = (unsigned)(end - from + 1);
            for (size_t i = from + 1; i <= end; i++)
                l->v[i].kind = MAIL_LINE_QUOTE;
            return;
        }
        if (from == 0 || end - from + 1 >= ATTRIBUTION_LINES - 1 ||
            !is_text(&l->v[from - 1], l->v[end].depth))
            return;
    }
}

struct block {
    bool role[MAIL_ROLE_OTHER + 1];
    bool address, number; /* some '@' in From or To; a digit in the date */
};

static void block_note(struct block *b, enum mail_role role, const char *value)
{
    b->role[role] = true;
    if ((role == MAIL_ROLE_FROM || role == MAIL_ROLE_TO) && strchr(value, '@'))
        b->address = true;
    if (role == MAIL_ROLE_DATE && strpbrk(value, "0123456789"))
        b->number = true;
}

static bool block_does(const struct block *b, bool sure)
{
    const bool *r = b->role;
    unsigned n = (unsigned)r[MAIL_ROLE_DATE] + r[MAIL_ROLE_TO] + r[MAIL_ROLE_SUBJECT];
    if (!r[MAIL_ROLE_FROM])
        return false;
    if (sure)
        return n >= 1;
    return n >= 2 && r[MAIL_ROLE_DATE] && b->number && (r[MAIL_ROLE_SUBJECT] || b->address);
}

size_t mail_quote_block(const struct mail_lines *l, size_t i, bool sure)
{
    struct block b = {.role[MAIL_ROLE_NONE] = true};
    size_t last = i, other = 0;
    unsigned char depth = l->v[i].depth;
    for (size_t k = i; k < l->count && k < i + BLOCK_LINES && l->v[k].depth >= depth; k++) {
        char s[FOLD];
        size_t colon;
        if (!fold(&l->v[k], s)) {
            /* one empty line may stand between two fields */
            size_t next = mail_lines_next(l, k);
            if (next != k + 1 || next >= l->count || !fold(&l->v[next], s) ||
                b.role[mail_phrase_role(s, &colon)])
                break;
            continue;
        }
        enum mail_role role = mail_phrase_role(s, &colon);
        if (role == MAIL_ROLE_NONE) {
            if (k == i || ++other > BLOCK_OTHER)
                break;
            continue;
        }
        if (b.role[role] && role != MAIL_ROLE_OTHER && role != MAIL_ROLE_CC)
            break;
        block_note(&b, role, s + colon);
        other = 0;
        last = k;
    }
    if (l->work)
        *l->work += last - i + 1;
    return block_does(&b, sure) ? last - i + 1 : 0;
}

/* Fields of a language that is not known: "Word: …" three times, with a number
 * and an address or a name, below a rule. */
static size_t unknown_block(const struct mail_lines *l, size_t i)
{
    size_t n = 0;
    bool number = false;
    for (size_t k = i; k < l->count && n < 8 && l->v[k].n > 0; k++, n++) {
        char s[FOLD];
        if (!fold(&l->v[k], s))
            break;
        const char *colon = memchr(s, ':', strnlen(s, 30));
        if (!colon || colon == s || colon[1] != ' ')
            break;
        number |= has_date(s) || has_time(colon);
    }
    return n >= 3 && number ? n : 0;
}

static bool is_rule(const char *s)
{
    size_t n = strlen(s);
    return n >= 5 && (*s == '_' || *s == '-') && strspn(s, "_-") == n;
}

/* A line with dashes, stars or the like at its begin or end, and words. */
static bool is_dashed(const char *s)
{
    size_t n = strlen(s), front = strspn(s, "-=_#~+");
    size_t back = 0;
    while (back < n && strchr("-=_#~+", s[n - 1 - back]))
        back++;
    bool dashes = front >= 2 || back >= 3;
    return dashes && n > front + 3 && front + back < n && (n < 160 || front >= 4);
}

static bool is_ruled(const struct mail_line *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strchr("-_", l->p[i]))
            return false;
    return true;
}

bool mail_quote_is_forward(const char *line)
{
    return mail_phrase_begin_forward(line) || (is_dashed(line) && mail_phrase_forwarded(line));
}

static void set_block(struct mail_lines *l, size_t i, size_t lines)
{
    l->v[i].kind = MAIL_LINE_BLOCK;
    l->v[i].lines = (unsigned)lines;
    while (i > 0 && mail_line_empty(&l->v[i - 1]))
        i--;
    struct mail_line *above = i > 0 ? &l->v[i - 1] : NULL;
    if (above && above->kind == MAIL_LINE_TEXT && above->n >= 3 && is_ruled(above))
        above->kind = MAIL_LINE_QUOTE; /* HTML's <hr> */
}

/* A separator, with its block behind it when there is one. */
static bool try_separator(struct mail_lines *l, size_t i, const char *s)
{
    size_t next = mail_lines_next(l, i + 1), lines = 0;
    bool near = next < l->count && next <= i + ABOVE_BLOCK;
    bool begin = mail_phrase_begin_forward(s), dashed = is_dashed(s);
    bool cut = l->v[i].mark == MAIL_MARK_CUT;
    if (!begin && !dashed && !is_rule(s) && !cut)
        return false;
    if (cut && (lines = mail_quote_block(l, i, true)) == 0)
        lines = unknown_block(l, i);
    if (cut && lines > 0) {
        set_block(l, i, lines);
        return true;
    }
    if (near && (lines = mail_quote_block(l, next, true)) == 0 && is_rule(s))
        lines = unknown_block(l, next);
    bool forward = begin || (dashed && mail_phrase_forwarded(s));
    bool original = dashed && mail_phrase_original(s);
    if (begin && lines == 0)
        return false;
    if (!forward && !original && lines == 0) {
        struct signs g = signs_of(s, false);
        if (!dashed || !g.wrote || (!g.address && !g.date))
            return false; /* "---- On … wrote ---" is one */
    }
    l->v[i].kind = forward ? MAIL_LINE_FORWARD : MAIL_LINE_ORIGINAL;
    if (lines)
        set_block(l, next, lines);
    return true;
}

/* "ab> text" or "  Lee> text": the bytes in front of the text, or 0. */
static size_t cited_len(const struct mail_line *l)
{
    size_t n = 0, from;
    while (n < l->n && n < 8 && l->p[n] == ' ')
        n++;
    from = n;
    while (n < l->n && n - from < CITED_NAME && (l->p[n] | 0x20) >= 'a' && (l->p[n] | 0x20) <= 'z')
        n++;
    bool bar = n > from && n + 1 < l->n && l->p[n] == '>';
    return bar && (l->p[n + 1] == ' ' || l->p[n + 1] == '>') ? n + 1 : 0;
}

/* That, or "| text", below an attribution. */
static bool is_odd_quote(const struct mail_line *l)
{
    return cited_len(l) > 0 || (l->n > 1 && *l->p == '|' && (l->p[1] == ' ' || l->p[1] == '|'));
}

/* Two lines in a row that cite the same name need no attribution. */
static void mark_cited(struct mail_lines *l)
{
    for (size_t i = 0; i + 1 < l->count; i++) {
        struct mail_line *a = &l->v[i], *b = a + 1;
        size_t n = cited_len(a);
        if (n == 0 || cited_len(b) != n || memcmp(a->p, b->p, n) != 0)
            continue;
        a->depth += a->depth == 0;
        a->kind = b->kind = MAIL_LINE_QUOTE;
        b->depth += b->depth == 0;
    }
}

static void mark_odd_quotes(struct mail_lines *l)
{
    for (size_t i = 0; i < l->count; i++) {
        char s[FOLD];
        size_t next;
        if (!may_end(&l->v[i]) || (next = mail_lines_next(l, i + 1)) >= l->count ||
            !is_odd_quote(&l->v[next]) || !fold(&l->v[i], s))
            continue;
        for (; next < l->count && !may_end(&l->v[next]); next++)
            if (is_odd_quote(&l->v[next])) {
                l->v[next].depth = 1;
                l->v[next].kind = MAIL_LINE_QUOTE;
            }
        i = next - 1;
    }
}

/* The end of a quoted line that some program wrapped: one short line, right
 * between two quoted ones, that goes on in lower case. */
static void mark_wrapped(struct mail_lines *l)
{
    for (size_t i = 1; i + 1 < l->count; i++) {
        struct mail_line *x = &l->v[i];
        const struct mail_line *up = x - 1, *down = x + 1;
        bool lower = x->n > 0 && *x->p >= 'a' && *x->p <= 'z';
        bool between = up->depth > 0 && up->n >= 60 && down->depth > 0 && down->n > 0;
        if (x->depth == 0 && lower && x->n < 30 && between) {
            x->depth = up->depth;
            x->kind = MAIL_LINE_QUOTE;
        }
    }
}

/* ">>> Ada King <ada@example.com> 11/20/2026 9:02 AM >>>": GroupWise, and the rest of the
 * mail is what it answers, without marks. */
static bool is_groupwise(const struct mail_line *l)
{
    char s[FOLD];
    return l->depth == 3 && l->n > 3 && memcmp(l->p + l->n - 3, ">>>", 3) == 0 && fold(l, s) &&
           has_date(s) && has_time(s);
}

void mail_quote_find(struct mail_ctx *c, struct mail_lines *l)
{
    mark_odd_quotes(l);
    mark_cited(l);
    mark_wrapped(l);
    for (size_t i = 0; i < l->count && !mail_late(c, l->v[i].n + 16); i++) {
        struct mail_line *x = &l->v[i];
        char s[FOLD];
        size_t colon, lines;
        if (is_groupwise(x)) {
            x->kind = MAIL_LINE_ORIGINAL;
            x->depth = 0;
            continue;
        }
        if (x->kind == MAIL_LINE_ATTRIBUTION || x->kind == MAIL_LINE_BLOCK || !fold(x, s))
            continue;
        if (x->depth > 0)
            continue;
        if (try_separator(l, i, s))
            continue;
        bool field = mail_phrase_role(s, &colon) != MAIL_ROLE_NONE;
        if (field && (lines = mail_quote_block(l, i, false)) > 0)
            set_block(l, i, lines);
        else
            try_attribution(c, l, i);
    }
}
