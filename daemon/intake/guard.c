/* SPDX-License-Identifier: ISC
 *
 * guard - see guard.h
 */
#include "intake/guard.h"

#include "base/bounds.h"

void guard_init(struct guard *g)
{
    *g = (struct guard){.budget = 0};
}

void guard_allow(struct guard *g, size_t budget, size_t literal_max)
{
    g->budget = budget;
    g->literal_max = literal_max;
    g->lines = 0;
}

static void guard_end_line(struct guard *g)
{
    if (g->brace == GUARD_CLOSED || g->brace == GUARD_CR) {
        g->literal_left = (size_t)g->number; /* the line goes on behind it */
    } else {
        g->line = 0;
        g->depth = 0;
    }
    g->quoted = g->escaped = false;
    g->brace = GUARD_NO_BRACE;
}

/* Follows {123}CRLF; -1 when the number is more than was asked for. */
static int guard_brace(struct guard *g, char c, struct err *e)
{
    switch (g->brace) {
    case GUARD_NO_BRACE:
        if (c == '{') {
            g->brace = GUARD_DIGITS;
            g->number = 0;
        }
        return 0;
    case GUARD_DIGITS:
        if (c >= '0' && c <= '9') {
            if (g->number <= UINT32_MAX)
                g->number = g->number * 10 + (uint64_t)(c - '0');
        } else if (c == '}') {
            g->brace = GUARD_CLOSED;
            if (g->number > g->literal_max)
                return err_set(e, ERR_INPUT, "the server announced %llu bytes where at most %zu "
                               "were expected", (unsigned long long)g->number, g->literal_max);
        } else if (c == '-') {
            g->literal_max = 0; /* read as zero by libetpan; nothing may follow */
        } else {
            g->brace = GUARD_NO_BRACE;
        }
        return 0;
    case GUARD_CLOSED:
        g->brace = c == '\r' ? GUARD_CR : GUARD_NO_BRACE;
        return 0;
    case GUARD_CR:
        g->brace = GUARD_NO_BRACE;
    }
    return 0;
}

static int guard_byte(struct guard *g, char c, struct err *e)
{
    if (c == '\n') {
        if (++g->lines > BOUND_INTAKE_LINES)
            return err_set(e, ERR_INPUT, "the server sent more than %d lines", BOUND_INTAKE_LINES);
        guard_end_line(g);
        return 0;
    }
    if (++g->line > BOUND_INTAKE_LINE)
        return err_set(e, ERR_INPUT, "the server sent a line of more than %zu bytes",
                       (size_t)BOUND_INTAKE_LINE);
    if (g->quoted) {
        if (g->escaped)
            g->escaped = false;
        else if (c == '\\')
            g->escaped = true;
        else if (c == '"')
            g->quoted = false;
        return 0;
    }
    if (c == '"') {
        g->quoted = true;
    } else if (c == '(') {
        if (++g->depth > BOUND_INTAKE_NESTING)
            return err_set(e, ERR_INPUT, "the server nested more than %d parentheses",
                           BOUND_INTAKE_NESTING);
    } else if (c == ')' && g->depth > 0) {
        g->depth--;
    }
    return guard_brace(g, c, e);
}

int guard_check(struct guard *g, const char *p, size_t n, struct err *e)
{
    if (n > g->budget)
        return err_set(e, ERR_INPUT, "the server sent more than was asked for");
    g->budget -= n;
    for (size_t i = 0; i < n;) {
        if (g->literal_left > 0) {
            size_t skip = n - i < g->literal_left ? n - i : g->literal_left;
            g->literal_left -= skip;
            i += skip;
        } else if (guard_byte(g, p[i++], e) < 0) {
            return -1;
        }
    }
    return 0;
}
