/* SPDX-License-Identifier: ISC
 *
 * expr_lex - a condition's text to tokens
 *
 * What people bring from other languages (=, &&, !, "double quotes") gets a
 * message that names the right spelling.
 */
#include "rule/expr_ast.h"

#include <ctype.h>
#include <string.h>

#include "base/hook.h"
#include "base/mem.h"

static void lex_fail(struct expr_lexer *lx, int col, const char *what)
{
    lx->token = TOKEN_BAD;
    lx->report(lx->arg, col, what);
}

static bool lex_word_char(unsigned char c)
{
    return isalnum(c) || c == '_' || c == '.' || c == '-' || c >= 0x80;
}

static bool lex_word_start(unsigned char c)
{
    return isalpha(c) || c == '_' || c >= 0x80;
}

static void lex_run(struct expr_lexer *lx, enum expr_token t, int from)
{
    while (lex_word_char((unsigned char)lx->text[lx->at]))
        lx->at++;
    buf_add(&lx->word, lx->text + from, (size_t)(lx->at - from));
    lx->token = t;
}

static void lex_string(struct expr_lexer *lx)
{
    const char *s = lx->text;
    for (lx->at++; s[lx->at]; lx->at++) {
        if (s[lx->at] == '\'') {
            if (s[lx->at + 1 + HOOK("expr.off_by_one")] != '\'') {
                lx->at++;
                lx->token = TOKEN_STRING;
                return;
            }
            lx->at++;
        }
        buf_char(&lx->word, s[lx->at]);
    }
    lex_fail(lx, lx->col, "the quote that opens here is never closed");
}

/* Digits, and decimals when a digit follows the point. */
static void lex_number(struct expr_lexer *lx)
{
    const char *s = lx->text;
    int from = lx->at;
    if (s[lx->at] == '-')
        lx->at++;
    while (isdigit((unsigned char)s[lx->at]))
        lx->at++;
    if (s[lx->at] == '.' && isdigit((unsigned char)s[lx->at + 1]))
        for (lx->at++; isdigit((unsigned char)s[lx->at]);)
            lx->at++;
    if (s[lx->at] == '-' && isdigit((unsigned char)s[lx->at + 1])) {
        size_t n = strspn(s + from, "0123456789-");
        AUTO_FREE char *date = mem_printf("dates and times go in single quotes: '%.*s'",
                                          n == 10 ? (int)n : 10, n == 10 ? s + from : "2026-01-31");
        lex_fail(lx, from, date);
        return;
    }
    buf_add(&lx->word, s + from, (size_t)(lx->at - from));
    lx->token = TOKEN_NUMBER;
}

static const struct {
    const char *op;
    enum expr_token token;
    enum expr_compare cmp;
    const char *wrong; /* what to say instead */
} lex_ops[] = {
    {"=~", TOKEN_BAD, 0, "patterns are written: field ~ 'pattern'"},
    {"==", TOKEN_COMPARE, EXPR_EQ, NULL},
    {"!=", TOKEN_COMPARE, EXPR_NE, NULL},
    {"<>", TOKEN_BAD, 0, "\"differs from\" is written !="},
    {"<=", TOKEN_COMPARE, EXPR_LE, NULL},
    {">=", TOKEN_COMPARE, EXPR_GE, NULL},
    {"=>", TOKEN_BAD, 0, "\"at least\" is written >="},
    {"=<", TOKEN_BAD, 0, "\"at most\" is written <="},
    {"!~", TOKEN_BAD, 0, "\"does not match\" is written: field not ~ 'pattern'"},
    {"&&", TOKEN_BAD, 0, "&& is written: and"},
    {"||", TOKEN_BAD, 0, "|| is written: or"},
    {"<", TOKEN_COMPARE, EXPR_LT, NULL},
    {">", TOKEN_COMPARE, EXPR_GT, NULL},
    {"=", TOKEN_BAD, 0, "\"equals\" is written =="},
    {"~", TOKEN_MATCH, 0, NULL},
    {"!", TOKEN_BAD, 0, "! is written: not"},
    {"&", TOKEN_BAD, 0, "& is written: and"},
    {"|", TOKEN_BAD, 0, "| is written: or"},
    {"(", TOKEN_OPEN, 0, NULL},
    {")", TOKEN_CLOSE, 0, NULL},
    {"[", TOKEN_LIST_OPEN, 0, NULL},
    {"]", TOKEN_LIST_CLOSE, 0, NULL},
    {",", TOKEN_COMMA, 0, NULL},
    {"+", TOKEN_PLUS, 0, NULL},
    {"-", TOKEN_MINUS, 0, NULL},
    {"\"", TOKEN_BAD, 0, "text goes in single quotes: '...'"},
    {"`", TOKEN_BAD, 0, "text goes in single quotes: '...'"},
    /* what word processors and phones make of quotes and signs */
    {"\u2018", TOKEN_BAD, 0, "text goes in plain single quotes: '...'"},
    {"\u2019", TOKEN_BAD, 0, "text goes in plain single quotes: '...'"},
    {"\u201a", TOKEN_BAD, 0, "text goes in plain single quotes: '...'"},
    {"\u201c", TOKEN_BAD, 0, "text goes in plain single quotes: '...'"},
    {"\u201d", TOKEN_BAD, 0, "text goes in plain single quotes: '...'"},
    {"\u201e", TOKEN_BAD, 0, "text goes in plain single quotes: '...'"},
    {"\u00ab", TOKEN_BAD, 0, "text goes in plain single quotes: '...'"},
    {"\u00bb", TOKEN_BAD, 0, "text goes in plain single quotes: '...'"},
    {"\u2013", TOKEN_BAD, 0, "this is a dash; minus is written -"},
    {"\u2264", TOKEN_BAD, 0, "\"at most\" is written <="},
    {"\u2265", TOKEN_BAD, 0, "\"at least\" is written >="},
    {"\u2260", TOKEN_BAD, 0, "\"differs from\" is written !="},
    {"\u20ac", TOKEN_BAD, 0, "an amount is written 5000 EUR"},
    {"\u00a3", TOKEN_BAD, 0, "an amount is written 5000 GBP"},
    {"$", TOKEN_BAD, 0, "an amount is written 5000 USD"},
};

/* A sign outside of ASCII that stands in the table, and so begins no word. */
static bool lex_is_sign(const char *s)
{
    for (size_t i = 0; (unsigned char)*s >= 0x80 && i < ARRAY_LEN(lex_ops); i++)
        if (strncmp(s, lex_ops[i].op, strlen(lex_ops[i].op)) == 0)
            return true;
    return false;
}

static void lex_op(struct expr_lexer *lx)
{
    for (size_t i = 0; i < ARRAY_LEN(lex_ops); i++) {
        size_t n = strlen(lex_ops[i].op);
        if (strncmp(lx->text + lx->at, lex_ops[i].op, n) != 0)
            continue;
        if (lex_ops[i].wrong) {
            lex_fail(lx, lx->col, lex_ops[i].wrong);
            return;
        }
        lx->token = lex_ops[i].token;
        lx->cmp = lex_ops[i].cmp;
        lx->at += (int)n;
        return;
    }
    lex_fail(lx, lx->col, "this character has no meaning in a condition");
}

static bool lex_is_number(const char *s)
{
    return isdigit((unsigned char)s[0]) || (s[0] == '-' && isdigit((unsigned char)s[1]));
}

void expr_lex_next(struct expr_lexer *lx)
{
    const char *s = lx->text;
    if (lx->token == TOKEN_BAD)
        return;
    lx->last_end = lx->end;
    while (s[lx->at] == ' ' || s[lx->at] == '\t' || s[lx->at] == '\n' || s[lx->at] == '\r')
        lx->at++;
    lx->col = lx->at;
    buf_reset(&lx->word);
    if (!s[lx->at]) {
        lx->token = TOKEN_END;
    } else if (s[lx->at] == '\'') {
        lex_string(lx);
    } else if (lex_is_number(s + lx->at)) {
        lex_number(lx);
    } else if (s[lx->at] == '@') {
        lx->at++;
        lex_run(lx, TOKEN_TABLE, lx->at);
        if (lx->word.len == 0)
            lex_fail(lx, lx->col, "a table's name follows @ directly: @name");
    } else if (lex_word_start((unsigned char)s[lx->at]) && !lex_is_sign(s + lx->at)) {
        lex_run(lx, TOKEN_WORD, lx->at);
    } else {
        lex_op(lx);
    }
    lx->end = lx->at;
}

bool expr_lex_is(const struct expr_lexer *lx, const char *word)
{
    return lx->token == TOKEN_WORD && strcmp(lx->word.data, word) == 0;
}
