/* SPDX-License-Identifier: ISC
 *
 * grammar - see grammar.h
 */
#include "crm/grammar.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

int grammar_init(struct grammar *g, const char *line, struct err *e)
{
    size_t n = strlen(line);
    *g = (struct grammar){.line = line};
    if (n > GRAMMAR_LINE_MAX)
        return err_set(e, ERR_INPUT, "a command of more than %d bytes", GRAMMAR_LINE_MAX);
    if (!text_is_utf8(line, n))
        return err_set(e, ERR_INPUT, "the command is not UTF-8");
    return 0;
}

void grammar_done(struct grammar *g)
{
    mem_free(g->word);
    g->word = NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

const char *grammar_peek(struct grammar *g)
{
    while (is_space(g->line[g->at]))
        g->at++;
    g->word_at = g->at;
    return g->line + g->at;
}

void grammar_skip(struct grammar *g, int bytes)
{
    g->at += bytes;
}

bool grammar_at_end(struct grammar *g)
{
    return *grammar_peek(g) == '\0';
}

/* Reads 'quoted' from p (at the quote) into out. The bytes taken, or -1. */
static int quoted(const char *p, char *out)
{
    int n = 1;
    for (;;) {
        if (p[n] == '\0')
            return -1;
        if (p[n] == '\'' && p[n + 1] != '\'')
            break;
        n += p[n] == '\'';
        *out++ = p[n++];
    }
    *out = '\0';
    return n + 1;
}

const char *grammar_word(struct grammar *g, bool *ok, struct err *e)
{
    const char *p = grammar_peek(g);
    int n = 0;
    *ok = true;
    mem_free(g->word);
    g->word = NULL;
    if (!*p)
        return NULL;
    if (*p == '\'') {
        g->word = mem_alloc(strlen(p) + 1);
        n = quoted(p, g->word);
        if (n < 0) {
            err_set(e, ERR_INPUT, "the quote is not closed");
            *ok = false;
            return NULL;
        }
    } else {
        while (p[n] && !is_space(p[n]))
            n++;
        g->word = mem_strn(p, (size_t)n);
    }
    g->at += n;
    return g->word;
}

char *grammar_rest(struct grammar *g)
{
    const char *p = grammar_peek(g);
    size_t n = strlen(p);
    while (n > 0 && is_space(p[n - 1]))
        n--;
    g->at += (int)strlen(p);
    if (n == 0)
        return NULL;
    if (*p == '\'') {
        char *text = mem_alloc(n + 1);
        if (quoted(p, text) == (int)n)
            return text;
        mem_free(text);
    }
    return mem_strn(p, n);
}
