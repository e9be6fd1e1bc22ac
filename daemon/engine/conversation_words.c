/* SPDX-License-Identifier: ISC
 *
 * conversation_words - see conversation_words.h
 */
#include "engine/conversation_words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "engine/ours.h"

struct line {
    const char *p;
    size_t n;
};

static struct line line_at(const char *p)
{
    return (struct line){p, strcspn(p, "\n")};
}

static const char *line_next(const struct line *l)
{
    return l->p[l->n] ? l->p + l->n + 1 : l->p + l->n;
}

/* Without marks of quotation and white space at its ends. */
static struct line line_bare(struct line l)
{
    while (l.n && strchr("> \t\r|", *l.p))
        l.p++, l.n--;
    while (l.n && strchr(" \t\r", l.p[l.n - 1]))
        l.n--;
    return l;
}

static bool line_holds_ours(const struct engine *eng, const struct line *l)
{
    struct ours o;
    AUTO_FREE char *s = mem_strn(l->p, l->n);
    return ours_find_tag(eng, s, &o) || (ours_find(eng, s, &o) && o.kind != OURS_THREAD);
}

/* ---- what we wrote around it ---------------------------------------------------- */

/* Letters and digits alone: mail programs wrap, indent and mark lines as they like. */
static char *squashed(const char *p, size_t n)
{
    char *out = mem_alloc(n + 1);
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (isalnum((unsigned char)p[i]) || (unsigned char)p[i] >= 0x80)
            out[k++] = (char)tolower((unsigned char)p[i]);
    out[k] = '\0';
    return out;
}

#define TELLING 8 /* letters from which on a line found in what we sent is no chance */

static bool is_line_of(const char *quoted, const struct line *l)
{
    struct line have;
    for (const char *p = quoted; *p; p = line_next(&have)) {
        have = line_at(p);
        struct line bare = line_bare(have);
        if (bare.n == l->n && memcmp(bare.p, l->p, l->n) == 0)
            return true;
    }
    return false;
}

/* Is every line from p on one of the mail that is answered, or empty? A line is given
 * to strstr once: at most BOUND_LETTER_TEXT bytes are looked at in all. */
static bool all_quoted(const struct engine *eng, const char *p, const char *quoted)
{
    struct line l;
    AUTO_FREE char *sent = squashed(quoted, strlen(quoted));
    for (; *p; p = line_next(&l)) {
        l = line_at(p);
        struct line bare = line_bare(l);
        AUTO_FREE char *s = squashed(bare.p, bare.n);
        if (!bare.n || !*s || line_holds_ours(eng, &bare))
            continue;
        if (strlen(s) >= TELLING ? !strstr(sent, s) : !is_line_of(quoted, &bare))
            return false;
    }
    return true;
}

static bool is_frame(const struct line *l)
{
    static const char *const hints[] = {CONVERSATION_HINT, OURS_HINT};
    AUTO_FREE char *s = squashed(l->p, l->n);
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        AUTO_FREE char *hint = squashed(hints[i], strlen(hints[i]));
        if (strncmp(s, hint, strlen(hint)) == 0)
            return true;
    }
    return false;
}

/* "On Sat, Nov 21, 2026 at 10:00 Jane <": an introduction that was wrapped. */
static bool begins_introduction(const struct line *l)
{
    static const char *const first[] = {"on ", "am ", "le ", "il ", "el ", "op ", "em ", "den "};
    bool digit = false;
    for (size_t i = 0; i < l->n; i++)
        digit |= isdigit((unsigned char)l->p[i]) != 0;
    for (size_t i = 0; digit && i < ARRAY_LEN(first); i++)
        if (l->n > 3 && strncasecmp(l->p, first[i], strlen(first[i])) == 0)
            return true;
    return false;
}

/* "On ... wrote:", "From: ..", "-----Original Message-----": what mail programs put in
 * front of a quotation. */
static bool introduces(const struct line *l)
{
    static const char *const heads[] = {"from:", "sent:", "to:", "cc:", "subject:", "date:",
                                        "von:", "gesendet:", "an:", "betreff:", "datum:",
                                        "de :", "envoy", "objet", "reply-to:", "-----", "_____"};
    if (l->n && l->p[l->n - 1] == ':')
        return true;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        if (l->n >= strlen(heads[i]) && strncasecmp(l->p, heads[i], strlen(heads[i])) == 0)
            return true;
    return false;
}

/* The end of the words above p, without what introduces the quotation. */
static size_t words_end(const char *words, const char *p)
{
    size_t end = (size_t)(p - words);
    for (int looked = 0; looked < 12 && end > 0; looked++) {
        size_t begin = end - 1;
        while (begin > 0 && words[begin - 1] != '\n')
            begin--;
        struct line l = line_bare((struct line){words + begin, end - 1 - begin});
        if (l.n && !introduces(&l) && !begins_introduction(&l))
            break;
        end = begin;
    }
    return end;
}

/* ---- addresses of the rep --------------------------------------------------------- */

static bool goes_on(const char *p)
{
    return isalnum((unsigned char)*p) || *p == '_' || *p == '-' || *p == '@' ||
           (*p == '.' && isalnum((unsigned char)p[1]));
}

/* Where address stands alone, with goes instead. */
static int replace(struct buf *b, const char *address, const char *with)
{
    int found = 0;
    size_t n = strlen(address);
    AUTO_FREE char *text = mem_strn(b->data, b->len);
    buf_reset(b);
    for (const char *p = text; *p;) {
        bool begins = p == text || (!isalnum((unsigned char)p[-1]) && !strchr("._%+-", p[-1]));
        if (begins && strncasecmp(p, address, n) == 0 && !goes_on(p + n)) {
            buf_str(b, with);
            p += n;
            found++;
        } else {
            buf_char(b, *p++);
        }
    }
    return found;
}

static int rename_all(const struct engine *eng, const char *user, struct buf *b)
{
    const json_t *u = json_get_obj(json_get_obj(eng->role->config, "users"), user), *a;
    const char *own = engine_setting(eng, "address", ""), *email = json_get_str(u, "email", NULL);
    size_t i;
    int n = email ? replace(b, email, own) : 0;
    json_array_foreach(json_get_arr(u, "addresses"), i, a)
        if (json_is_string(a))
            n += replace(b, json_string_value(a), own);
    return n;
}

/* ---- all of it ----------------------------------------------------------------------- */

/* "#won 5000": the word of a command begins at once; "# 3" and "#" are words. */
static bool looks_commanding(const struct line *l)
{
    return l->n > 1 && l->p[0] == '#' && isalpha((unsigned char)l->p[1]);
}

/* An address that lets command, or file as a user: whoever has it can use it. */
static bool line_holds_key(const struct engine *eng, const struct line *l)
{
    AUTO_FREE char *s = mem_strn(l->p, l->n);
    struct ours o;
    for (const char *at = strchr(s, '@'); at; at = strchr(at + 1, '@')) {
        const char *p = at, *end = at + 1;
        while (p > s && (isalnum((unsigned char)p[-1]) || strchr("._+-", p[-1])))
            p--;
        while (isalnum((unsigned char)*end) || *end == '-' ||
               (*end == '.' && isalnum((unsigned char)end[1])))
            end++;
        AUTO_FREE char *address = mem_strn(p, (size_t)(end - p));
        if (ours_read(eng, address, &o) && (o.kind == OURS_SECRET || o.kind == OURS_DROPBOX))
            return true;
    }
    return false;
}

static bool look_again(const struct engine *eng, const char *text, char why[200])
{
    struct line l;
    for (const char *p = text; *p; p = line_next(&l)) {
        l = line_at(p);
        struct line bare = line_bare(l);
        if (looks_commanding(&bare)) {
            snprintf(why, 200, "the line \"%.*s\" looks like a command",
                     (int)text_utf8_cut(bare.p, bare.n, 60), bare.p);
            return false;
        }
        if (line_holds_ours(eng, &bare)) {
            snprintf(why, 200, "something of a mail of ours still stands in it");
            return false;
        }
        if (line_holds_key(eng, &bare)) {
            snprintf(why, 200, "a secret address, or a dropbox, stands in it");
            return false;
        }
    }
    return true;
}

bool conversation_words(const struct engine *eng, const struct conversation_cut *cut,
                        const char *words, struct buf *out, int *renamed_out, char why[200])
{
    struct line l;
    const char *p = words;
    size_t end = strlen(words);
    *why = '\0';
    *renamed_out = 0;
    for (; *p; p = line_next(&l)) {
        l = line_at(p);
        struct line bare = line_bare(l);
        if (!line_holds_ours(eng, &bare) && !is_frame(&bare))
            continue;
        end = words_end(words, p);
        if (!all_quoted(eng, p, cut->quoted)) {
            snprintf(why, 200, "there are words of yours below or between what we wrote: "
                     "put them above it");
            return false;
        }
        break;
    }
    AUTO_FREE char *kept = mem_strn(words, end);
    buf_reset(out);
    buf_str(out, text_trim(kept));
    *renamed_out = rename_all(eng, cut->user, out);
    return look_again(eng, out->data, why);
}

bool conversation_text_may(const struct engine *eng, const char *text)
{
    char why[200];
    return look_again(eng, text, why);
}

size_t conversation_above(const struct engine *eng, const char *text)
{
    struct line l;
    struct ours o;
    for (const char *p = text; *p; p = line_next(&l)) {
        l = line_at(p);
        struct line bare = line_bare(l);
        AUTO_FREE char *s = mem_strn(bare.p, bare.n);
        if (is_frame(&bare) || ours_find_tag(eng, s, &o) || ours_find(eng, s, &o))
            return (size_t)(p - text);
    }
    return strlen(text);
}
