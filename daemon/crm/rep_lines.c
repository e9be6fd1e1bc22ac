/* SPDX-License-Identifier: ISC
 *
 * rep_lines - see rep_lines.h
 */
#include "crm/rep_lines.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "crm/rep_text.h"

#define WRAP_FROM 50 /* a line this long may have been broken by a mail program .. */
#define WRAP_AT 70   /* .. when its next word would have passed this */
#define WRAP_TO 80   /* longer ones were not */
#define PLUS_MAX 200 /* bytes of a plus address that are looked at */
#define SAID_MAX 120 /* bytes of a line that the answer repeats */

static const char *const asks[] = {"find", "show", "why", "help"};
static const char *const paragraphs[] = {"note", "call", "meeting"};

struct splitter {
    const struct rep_source *src;
    struct rep_lines *out;
    struct buf words; /* own */
    const char *above, *end; /* what of the whole text is not matched yet, above the quotation */
    bool open;               /* the next line may belong to the command */
    bool paragraph, begun;   /* it goes on to its end; and did so already */
    size_t last;             /* bytes of the line before */
};

const char *rep_ask_name(size_t i)
{
    return i < ARRAY_LEN(asks) ? asks[i] : NULL;
}

static bool is_among(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcasecmp(word, list[i]))
            return true;
    return false;
}

static const struct crm_command_help *command_named(const char *word)
{
    const struct crm_command_help *h;
    for (size_t i = 0; (h = crm_command_help(i)) != NULL; i++)
        if (h->by_staff && !strcasecmp(h->name, word))
            return h;
    return NULL;
}

static const char *near_of(const char *word)
{
    char low[32];
    snprintf(low, sizeof(low), "%s", word);
    text_lower(low);
    const char *ask = text_nearest(low, asks, ARRAY_LEN(asks)), *command = crm_command_near(low);
    const char *both[] = {command, ask};
    if (!ask || ask[0] != low[0]) /* so short that everything is near them */
        return command;
    const char *near = command ? text_nearest(low, both, ARRAY_LEN(both)) : ask;
    return near ? near : command;
}

/* ---- one line --------------------------------------------------------------------- */

static size_t word_length(const char *s)
{
    size_t n = 0;
    if (!isalpha((unsigned char)s[0]) && (unsigned char)s[0] < 0x80)
        return 0;
    while (isalnum((unsigned char)s[n]) || (unsigned char)s[n] >= 0x80 || (s[n] && strchr("-_", s[n])))
        n++;
    return n;
}

static bool take_word(const char **s, char word[32])
{
    size_t n = word_length(*s);
    if (n == 0 || n >= 32)
        return false;
    snprintf(word, 32, "%.*s", (int)n, *s);
    *s += n;
    return true;
}

/* Behind the command's name: "won: 5000", "note - he called". */
static const char *skip_sign(const char *s, bool text)
{
    if (*s && strchr(":,=.;!?", *s))
        s++;
    s += strspn(s, " ");
    if (text && s[0] == '-' && s[1] == ' ')
        s += 2;
    return s + strspn(s, " ");
}

/* What stands behind the # on one line; said is the line as it came. */
struct spoken {
    const char *said;
    size_t said_n;
    bool spaced; /* "# word": a heading, unless the word is a command */
    enum crm_entity entity;
    int64_t id;
};

static char *said_of(const struct spoken *sp)
{
    char *said = rep_text_clean(sp->said, sp->said_n < BOUND_REP_LINE ? sp->said_n : BOUND_REP_LINE,
                                false);
    size_t n = strlen(said), keep = text_utf8_cut(said, n, SAID_MAX);
    text_make_line(said);
    if (keep == n)
        return said;
    char *cut = mem_printf("%.*s...", (int)keep, said);
    mem_free(said);
    return cut;
}

static struct rep_line *line_new(struct splitter *s, const struct spoken *sp, enum rep_what what)
{
    struct rep_lines *out = s->out;
    if (out->count == BOUND_REP_LINES) {
        out->more = out->doubt = true;
        return NULL;
    }
    struct rep_line *l = &out->v[out->count++];
    *l = (struct rep_line){.what = what,
                           .said = said_of(sp),
                           .entity = sp->entity ? sp->entity : out->entity,
                           .id = sp->entity ? sp->id : out->id};
    return l;
}

static void unknown_add(struct splitter *s, const struct spoken *sp, const char *word)
{
    struct rep_line *l = line_new(s, sp, REP_UNKNOWN);
    s->out->doubt = true;
    if (!l)
        return;
    snprintf(l->word, sizeof(l->word), "%s", word);
    l->near = near_of(word);
}

/* rest: behind the command's name, in the line as it was cleaned. */
static void command_add(struct splitter *s, const struct spoken *sp, const char *name,
                        const struct crm_command_help *h, const char *rest)
{
    struct rep_line *l = line_new(s, sp, h ? REP_COMMAND : REP_ASK);
    bool text = h && h->text;
    if (!l)
        return;
    snprintf(l->word, sizeof(l->word), "%s", name);
    AUTO_FREE char *plain = text ? mem_str(rest) : rep_text_clean(rest, strlen(rest), true);
    const char *args = skip_sign(plain, text);
    l->line = mem_printf("%s%s%s", l->word, *args ? " " : "", args);
    s->open = text;
    s->paragraph = is_among(name, paragraphs, ARRAY_LEN(paragraphs));
    s->begun = *args != '\0';
}

/* In an answer to a reminder: of which tasks "snooze 2d" and "done" are, when they name none.
 * Several are put off together, and done one by one. False: it is as in any other mail. */
static bool reminded_add(struct splitter *s, const struct spoken *said, const char *word,
                         const struct crm_command_help *h, const char *rest)
{
    const char *args = skip_sign(rest, false), *ids = s->src->reminded;
    struct spoken sp = *said;
    enum crm_entity t;
    int64_t id;
    char one[CRM_ID_LEN];
    bool several = ids && strchr(ids, ' ');
    if (!ids || said->entity || !h || (strcmp(word, "snooze") != 0 && strcmp(word, "done") != 0) ||
        (sscanf(args, "%23[A-Za-z0-9]", one) == 1 && crm_id_parse(one, &t, &id) == 0) ||
        (several && !strcmp(word, "done")))
        return false;
    while (sscanf(ids, "%23s", one) == 1 && crm_id_parse(one, &sp.entity, &sp.id) == 0) {
        command_add(s, &sp, word, h, rest);
        ids += strlen(one) + strspn(ids + strlen(one), " ");
    }
    return true;
}

/* A line that begins with #, cleaned, from behind the #. False: it is words. */
static bool spoken_take(struct splitter *s, struct spoken *sp, const char *p)
{
    char word[32];
    sp->spaced = *p == ' ';
    p += strspn(p, " ");
    if (!take_word(&p, word))
        return false;
    if (crm_id_parse(word, &sp->entity, &sp->id) == 0) {
        p = skip_sign(p, false);
        p += *p == '#';
        p += strspn(p, " ");
        if (!*p) { /* for the lines below */
            s->out->entity = sp->entity;
            s->out->id = sp->id;
            return true;
        }
        if (!take_word(&p, word)) {
            unknown_add(s, sp, p);
            return true;
        }
    }
    const struct crm_command_help *h = command_named(word);
    bool ends = !*p || *p == ' ' || *p == ':' || (strchr(",.;!?=", *p) && (!p[1] || p[1] == ' '));
    if (ends && (h || is_among(word, asks, ARRAY_LEN(asks)))) {
        char low[32];
        snprintf(low, sizeof(low), "%s", word);
        text_lower(low);
        if (!reminded_add(s, sp, low, h, p))
            command_add(s, sp, h ? h->name : low, h, p);
        return true;
    }
    if (sp->spaced || !ends) { /* a heading, "#1/2", "#foo/bar" */
        s->out->doubt |= sp->spaced || h != NULL;
        return false;
    }
    unknown_add(s, sp, word);
    return true;
}

/* "snooze 2d", "Done." as the first of the words in an answer to a reminder. */
static bool reminded_take(struct splitter *s, const struct spoken *sp, const char *line)
{
    enum crm_entity t;
    int64_t id;
    const char *p = line;
    char word[32], one[CRM_ID_LEN];
    if (!s->src->reminded || s->out->count || s->words.len || !take_word(&p, word))
        return false;
    text_lower(word);
    bool done = !strcmp(word, "done");
    const char *args = skip_sign(p, false);
    if (!done && strcmp(word, "snooze") != 0)
        return false;
    bool named = sscanf(args, "%23[A-Za-z0-9]", one) == 1 && crm_id_parse(one, &t, &id) == 0;
    if (done && *args && !(named && !*skip_sign(args + strlen(one), false)))
        unknown_add(s, sp, word); /* "done by friday" is not done */
    else if (!reminded_add(s, sp, word, command_named(word), p))
        command_add(s, sp, word, command_named(word), p);
    s->open = false;
    return true;
}

/* ---- where it stands ----------------------------------------------------------------- */

/* Is this line of the new words one of the whole text, above its quotation? Both go
 * down in step, so that the same line further below does not count. */
static bool is_above(struct splitter *s, const char *line, size_t n)
{
    const char *next;
    AUTO_FREE char *mine = rep_text_clean(line, n < BOUND_REP_LINE ? n : BOUND_REP_LINE, false);
    for (const char *p = s->above; p < s->end; p = next) {
        size_t have = rep_text_line(p, &next);
        AUTO_FREE char *his = rep_text_clean(p, have < BOUND_REP_LINE ? have : BOUND_REP_LINE, false);
        if (strcmp(mine, his) != 0)
            continue;
        s->above = next;
        return true;
    }
    return false;
}

/* "thanks #won 5000": nobody can say whether that is meant for us. */
static bool names_command(const char *line)
{
    for (const char *p = strchr(line, '#'); p; p = strchr(p + 1, '#')) {
        char word[32];
        enum crm_entity t;
        int64_t id;
        const char *q = p + 1 + strspn(p + 1, " ");
        if (take_word(&q, word) && (command_named(word) || crm_id_parse(word, &t, &id) == 0 ||
                                    is_among(word, asks, ARRAY_LEN(asks))))
            return true;
    }
    return false;
}

/* ---- the lines in order ----------------------------------------------------------------- */

/* Does this line go on with the command above it? */
static bool goes_on(const struct splitter *s, const char *line, size_t n)
{
    const char *first = line + strspn(line, " \t");
    if (!s->open || n == 0 || (size_t)(first - line) >= n || *first == '#')
        return false;
    if (s->paragraph)
        return true;
    return s->last >= WRAP_FROM && s->last <= WRAP_TO && s->last + 1 + strcspn(first, " \n") > WRAP_AT;
}

static void go_on(struct splitter *s, const char *p, size_t n)
{
    struct rep_line *l = &s->out->v[s->out->count - 1];
    AUTO_FREE char *more = rep_text_clean(p, n, false);
    if (strlen(l->line) + strlen(more) + 1 > BOUND_REP_LINE)
        return; /* the note is long enough; nothing of it goes anywhere else */
    char *whole = mem_printf("%s%s%s", l->line, s->paragraph && s->begun ? "\n" : " ", more);
    mem_free(l->line);
    l->line = whole;
    s->begun = true;
}

static void line_take(struct splitter *s, const char *p, size_t n)
{
    AUTO_FREE char *clean = rep_text_clean(p, n < BOUND_REP_LINE ? n : BOUND_REP_LINE, false);
    struct spoken sp = {.said = p, .said_n = n};
    size_t had = s->out->count;
    if (goes_on(s, p, n)) {
        go_on(s, p, n);
        s->last = n;
        return;
    }
    s->open = false;
    s->last = n;
    bool taken = clean[0] == '#' ? spoken_take(s, &sp, clean + 1) : reminded_take(s, &sp, clean);
    if (taken && s->out->count > had && s->src->text && !is_above(s, p, n)) {
        s->out->v[had].what = REP_BELOW;
        s->out->doubt = true;
    }
    if (taken || (clean[0] == '#' && s->out->more))
        return;
    if (strchr(clean, '#'))
        s->out->doubt |= names_command(clean);
    if (*clean || (s->words.len > 0 && !(s->words.len > 1 && s->words.data[s->words.len - 2] == '\n'))) {
        buf_add(&s->words, p, n);
        buf_char(&s->words, '\n');
    }
}

/* A command of the subject or of a plus address has its text in the mail. */
static void text_of_words(struct splitter *s, struct rep_line *l)
{
    const struct crm_command_help *h = command_named(l->word);
    if (l->what != REP_COMMAND || !h || !h->text || strchr(l->line, ' ') || !s->words.len)
        return;
    size_t n = strlen(s->words.data) < BOUND_REP_LINE ? strlen(s->words.data)
                                                      : text_utf8_cut(s->words.data, s->words.len,
                                                                      BOUND_REP_LINE);
    char *whole = mem_printf("%s %.*s", l->line, (int)n, s->words.data);
    mem_free(l->line);
    l->line = whole;
    buf_reset(&s->words);
}

/* "task-tomorrow" with the subject as its text; "L42"; "L42-won-5000". */
static void plus_take(struct splitter *s, const char *plus, const char *subject)
{
    AUTO_FREE char *line = rep_text_clean(plus, strnlen(plus, PLUS_MAX), false);
    for (char *p = line; *p; p++)
        if (*p == '-' && !(p[1] >= '0' && p[1] <= '9' && p > line && p[-1] >= '0' && p[-1] <= '9'))
            *p = ' '; /* 2026-12-24 is a date */
    AUTO_FREE char *whole = mem_printf("%s%s%s", line, *subject && *subject != '#' ? " " : "",
                                       *subject != '#' ? subject : "");
    char word[32];
    const char *p = line;
    enum crm_entity t;
    int64_t id;
    bool named = take_word(&p, word) && crm_id_parse(word, &t, &id) == 0;
    if (named) {
        p += strspn(p, " ");
        take_word(&p, word);
    }
    const struct crm_command_help *h = command_named(word);
    const char *use = h && h->text && strcmp(h->name, "note") != 0 ? whole : line;
    struct spoken sp = {.said = use, .said_n = strlen(use)};
    (void)spoken_take(s, &sp, use);
    s->open = false;
}

static void split(struct splitter *s)
{
    const struct rep_source *src = s->src;
    const char *subject = src->subject ? src->subject : "", *next;
    AUTO_FREE char *clean = rep_text_clean(subject, strlen(subject), false);
    if (src->plus && *src->plus)
        plus_take(s, src->plus, clean);
    if (!src->answers && clean[0] == '#') {
        struct spoken sp = {.said = clean, .said_n = strlen(clean)};
        (void)spoken_take(s, &sp, clean + 1);
        s->open = false;
    }
    size_t first = s->out->count;
    for (const char *p = src->reply ? src->reply : ""; *p; p = next) {
        size_t n = rep_text_line(p, &next);
        line_take(s, p, n);
    }
    while (s->words.len > 0 && strchr("\n ", s->words.data[s->words.len - 1]))
        s->words.data[--s->words.len] = '\0';
    for (size_t i = 0; i < first; i++)
        text_of_words(s, &s->out->v[i]);
}

void rep_lines_split(const struct rep_source *src, struct rep_lines *out)
{
    struct splitter s = {.src = src, .out = out};
    *out = (struct rep_lines){.v = mem_array(BOUND_REP_LINES, sizeof(*out->v))};
    buf_init(&s.words, BOUND_MAIL_TEXT + 1);
    if (src->text) {
        s.above = src->text;
        s.end = src->text + rep_text_limit(src->text);
    }
    split(&s);
    out->words = buf_take(&s.words);
    buf_done(&s.words);
    out->thin = rep_text_is_thin(out->words);
}

void rep_lines_done(struct rep_lines *r)
{
    for (size_t i = 0; i < r->count; i++) {
        mem_free(r->v[i].said);
        mem_free(r->v[i].line);
    }
    mem_free(r->v);
    mem_free(r->words);
    *r = (struct rep_lines){0};
}

bool rep_lines_any(const struct rep_source *src)
{
    const char *const in[] = {src->subject, src->reply};
    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        if (in[i] && (strchr(in[i], '#') || strstr(in[i], "\xef\xbc\x83")))
            return true;
    return src->plus && *src->plus;
}
