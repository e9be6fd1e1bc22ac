/* SPDX-License-Identifier: ISC
 *
 * html_guard - see html_guard.h
 */
#include "mail/html_guard.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define DEPTH_MAX 1000
#define FORMATTING_MAX 256
#define ATTRIBUTES_MAX 256
#define CLOSE_LOOK 64 /* how far down an end tag looks for its element */
#define NAME_LEN 12

/* Elements that hold nothing, or that end when the next of their kind begins. */
static const char *const flat[] = {
    "br",    "img",   "hr",     "input", "meta",   "link", "area", "base", "col", "embed",
    "source", "track", "wbr",   "param", "p",      "li",   "td",   "th",   "tr",  "tbody",
    "thead", "tfoot", "option", "dt",    "dd",     "html", "head", "body", "!doctype",
};

static const char *const formatting[] = {"a",     "b",      "big",    "code", "em", "font", "i",
                                         "nobr",  "s",      "small",  "strike", "strong",
                                         "tt",    "u"};

/* An end tag does not reach through these. */
static const char *const barriers[] = {"table", "object", "applet", "marquee", "button", "svg",
                                       "math", "template", "select", "caption"};

struct tag {
    char name[NAME_LEN];
    bool end;
    const char *after; /* behind its '>' */
    size_t attributes;
};

struct guard {
    char (*open)[NAME_LEN]; /* own */
    size_t depth, open_formatting;
    unsigned per_tag[ARRAY_LEN(formatting)];
};

static int index_in(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, list[i]) == 0)
            return (int)i;
    return -1;
}

/* Reads the tag at the '<' p. False when it is none. */
static bool tag_read(const char *p, const char *stop, struct tag *t)
{
    size_t n = 0;
    t->end = p + 1 < stop && p[1] == '/';
    p += t->end ? 2 : 1;
    if (p >= stop || (unsigned)((*p | 0x20) - 'a') > 25)
        return false;
    for (; p < stop && *p > ' ' && *p != '>' && *p != '/'; p++)
        if (n + 1 < NAME_LEN)
            t->name[n++] = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    t->name[n] = '\0';
    t->attributes = 0;
    while (p < stop && *p != '>') {
        if (*p == '=' && p + 1 < stop && (p[1] == '"' || p[1] == '\'')) {
            const char *q = memchr(p + 2, p[1], (size_t)(stop - p - 2));
            p = q ? q : stop - 1;
        } else if ((*p == ' ' || *p == '\n' || *p == '\t' || *p == '/' || *p == '"') &&
                   p + 1 < stop && p[1] > ' ' && p[1] != '>') {
            t->attributes++;
        }
        p++;
    }
    t->after = p < stop ? p + 1 : stop;
    return true;
}

static void guard_close(struct guard *g, const char *name)
{
    int f = index_in(name, formatting, ARRAY_LEN(formatting));
    if (f >= 0 && g->per_tag[f] > 0) {
        g->per_tag[f]--;
        g->open_formatting--;
    }
    for (size_t i = g->depth, look = 0; i-- > 0 && look < CLOSE_LOOK; look++) {
        if (strcmp(g->open[i], name) == 0) {
            g->depth = i;
            return;
        }
        if (index_in(g->open[i], barriers, ARRAY_LEN(barriers)) >= 0)
            return;
    }
}

static bool guard_open(struct guard *g, const struct tag *t)
{
    int f = index_in(t->name, formatting, ARRAY_LEN(formatting));
    if (t->attributes > ATTRIBUTES_MAX)
        return false;
    if (f >= 0) {
        g->per_tag[f]++;
        if (++g->open_formatting > FORMATTING_MAX)
            return false;
    }
    if (index_in(t->name, flat, ARRAY_LEN(flat)) >= 0)
        return true;
    if (g->depth >= DEPTH_MAX)
        return false;
    memcpy(g->open[g->depth++], t->name, NAME_LEN);
    return true;
}

/* Script and style hold no tags: p moves to their end tag. */
static const char *skip_raw(const char *p, const char *stop, const char *name)
{
    for (; p < stop && (p = memchr(p, '<', (size_t)(stop - p))); p++)
        if ((size_t)(stop - p) > strlen(name) + 2 && p[1] == '/' &&
            strncasecmp(p + 2, name, strlen(name)) == 0)
            return p;
    return stop;
}

static bool guard_read(struct guard *g, const char *p, const char *stop)
{
    struct tag t;
    while (p < stop && (p = memchr(p, '<', (size_t)(stop - p)))) {
        if ((size_t)(stop - p) > 3 && memcmp(p, "<!--", 4) == 0) {
            const char *end = memmem(p + 4, (size_t)(stop - p - 4), "-->", 3);
            p = end ? end + 3 : stop;
        } else if (!tag_read(p, stop, &t)) {
            p++;
        } else if (t.end) {
            guard_close(g, t.name);
            p = t.after;
        } else if (strcmp(t.name, "script") == 0 || strcmp(t.name, "style") == 0) {
            p = skip_raw(t.after, stop, t.name);
        } else if (!guard_open(g, &t)) {
            return false;
        } else {
            p = t.after;
        }
    }
    return true;
}

bool html_guard_is_harmless(const char *html, size_t n)
{
    struct guard g = {.depth = 0};
    g.open = mem_array(DEPTH_MAX, NAME_LEN);
    bool ok = guard_read(&g, html, html + n);
    mem_free(g.open);
    return ok;
}
