/* SPDX-License-Identifier: ISC
 *
 * expr_parse - tokens to a tree, by recursive descent
 *
 *   or      = and { "or" and }
 *   and     = not { "and" not }
 *   not     = "not" not | "(" or ")" | test
 *   test    = value
 *           | "changed" "(" field ")" | "entered" "(" field "," value ")"
 *           | value ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
 *           | value "is" [ "not" ] "set"
 *           | value [ "not" ] "~" text
 *           | value [ "not" ] "between" value "and" value
 *           | value [ "not" ] "in" ( list | table )
 *           | value [ "not" ] ( "contains" | "starts" | "ends" ) ( list | table | value )
 *   value   = fact [ "-" fact ] [ ( "+" | "-" ) duration ] | text | number
 *           | number CURRENCY | duration | "true" | "false"
 *   fact    = field | "was" "(" field ")"
 *   duration = number unit { number unit }
 *
 * A word before "(" is a function. The first error ends the parse. Recursion is
 * bounded by BOUND_EXPR_DEPTH, `and` and `or` do not recurse.
 */
#include "rule/expr_ast.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

struct parser {
    struct expr_lexer lx;
    int depth, nodes;
    bool failed;
};

static const char *const parse_keywords[] = {"and", "or",     "not",  "in",  "between", "contains",
                                             "is",  "starts", "ends", "set"};
static const char *const parse_functions[] = {"changed", "was", "entered"};

static struct expr_node *parse_or(struct parser *p);

static bool parse_fail(struct parser *p, int col, const char *fmt, ...) LEADD_PRINTF(3, 4);
static bool parse_fail(struct parser *p, int col, const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (!p->failed && p->lx.token != TOKEN_BAD) /* BAD was reported by the lexer */
        p->lx.report(p->lx.arg, col, what);
    p->failed = true;
    return false;
}

/* "expected WHAT, found ..." at the current token. */
static bool parse_expected(struct parser *p, const char *what)
{
    const struct expr_lexer *lx = &p->lx;
    if (lx->token == TOKEN_END)
        return parse_fail(p, lx->col, "expected %s, but the condition ends here", what);
    return parse_fail(p, lx->col, "expected %s, found \"%.*s\"", what,
                      (int)text_utf8_cut(lx->text + lx->col, (size_t)(lx->end - lx->col), 80),
                      lx->text + lx->col);
}

static bool parse_is_keyword(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(parse_keywords); i++)
        if (strcmp(parse_keywords[i], word) == 0)
            return true;
    return false;
}

static void parse_lower(const char *word, char *out, size_t n)
{
    snprintf(out, n, "%s", word);
    text_lower(out);
}

static bool parse_take(struct parser *p, const char *word)
{
    if (!expr_lex_is(&p->lx, word))
        return false;
    expr_lex_next(&p->lx);
    return true;
}

struct expr_node *expr_node_new(enum expr_op op, int col)
{
    struct expr_node *n = mem_alloc(sizeof(*n));
    n->op = op;
    n->col = col;
    return n;
}

void expr_node_free(struct expr_node *n)
{
    while (n) {
        struct expr_node *next = n->next;
        expr_node_free(n->first);
        for (size_t i = 0; i < n->arg_count; i++) {
            mem_free(n->args[i].word);
            mem_free(n->args[i].less_word);
            mem_free(n->args[i].shift_word);
            mem_free(n->args[i].fold);
        }
        mem_free(n->args);
        mem_free(n->table_name);
        rule_map_done(&n->values);
        expr_regex_free(&n->regex);
        mem_free(n);
        n = next;
    }
}

struct expr_arg *expr_node_arg(struct expr_node *n, enum expr_arg_kind kind, int col)
{
    if (n->arg_count == n->arg_cap) {
        n->arg_cap = n->arg_cap ? n->arg_cap * 2 : 2;
        n->args = mem_grow(n->args, n->arg_cap * sizeof(*n->args));
    }
    struct expr_arg *a = &n->args[n->arg_count++];
    *a = (struct expr_arg){.kind = kind, .col = col, .field = -1, .less = -1};
    return a;
}

static struct expr_node *parse_node(struct parser *p, enum expr_op op, int col)
{
    if (++p->nodes > BOUND_EXPR_NODES)
        parse_fail(p, col, "the condition has more than %d parts", BOUND_EXPR_NODES);
    return expr_node_new(op, col);
}

/* The word behind a number is neither a unit nor a currency. */
static bool parse_no_unit(struct parser *p, const char *w)
{
    char lower[64];
    parse_lower(w, lower, sizeof(lower));
    if (parse_is_keyword(lower))
        return parse_fail(p, p->lx.col, "\"%s\" is written in small letters: %s", w, lower);
    if (strchr(w, '.'))
        return parse_expected(p, "`and`, `or` or the end");
    if (strlen(w) == 3 && isalpha((unsigned char)w[0]))
        return parse_fail(p, p->lx.col, "\"%s\" is no unit: a currency is written in capitals, "
                          "such as EUR", w);
    return parse_fail(p, p->lx.col, "\"%s\" is no unit: s, m, h, d, w (days, hours ...) or a "
                      "currency such as EUR", w);
}

static bool parse_unit(struct parser *p, struct expr_arg *a, struct buf *number)
{
    char lower[64];
    const char *w = p->lx.word.data;
    parse_lower(w, lower, sizeof(lower));
    if (parse_is_keyword(lower))
        return parse_no_unit(p, w);
    if (strlen(w) == 3 && w[0] >= 'A' && w[0] <= 'Z') {
        a->kind = ARG_MONEY;
        buf_printf(number, " %s", w);
        expr_lex_next(&p->lx);
        return true;
    }
    a->kind = ARG_DURATION;
    for (;;) {
        int64_t ms;
        AUTO_FREE char *so_far = mem_printf("%s%s", number->data, w);
        const char *digits = number->data[0] == '-' ? so_far + 1 : so_far;
        if (text_parse_duration(digits, &ms) < 0)
            return parse_no_unit(p, w);
        buf_str(number, w);
        expr_lex_next(&p->lx);
        if (p->lx.token != TOKEN_NUMBER)
            return true;
        buf_printf(number, " %s", p->lx.word.data);
        expr_lex_next(&p->lx);
        if (p->lx.token != TOKEN_WORD)
            return parse_expected(p, "a unit");
        w = p->lx.word.data;
    }
}

static bool parse_number(struct parser *p, struct expr_node *n)
{
    struct expr_arg *a = expr_node_arg(n, ARG_NUMBER, p->lx.col);
    struct buf number AUTO_BUF;
    buf_init(&number, BOUND_EXPR_BYTES);
    buf_str(&number, p->lx.word.data);
    expr_lex_next(&p->lx);
    if (p->lx.token == TOKEN_WORD && !parse_is_keyword(p->lx.word.data) &&
        !parse_unit(p, a, &number))
        return false;
    a->word = buf_take(&number);
    a->len = p->lx.last_end - a->col;
    return true;
}

static bool parse_is_function(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(parse_functions); i++)
        if (strcmp(parse_functions[i], word) == 0)
            return true;
    return false;
}

static bool parse_token(struct parser *p, enum expr_token t, const char *what)
{
    if (p->lx.token != t)
        return parse_expected(p, what);
    expr_lex_next(&p->lx);
    return true;
}

/* The word at the current token names a field: what the checker makes of it. */
static bool parse_field_name(struct parser *p, const char *function, char **word_out)
{
    if (p->lx.token != TOKEN_WORD || parse_is_keyword(p->lx.word.data)) {
        AUTO_FREE char *what = mem_printf("a field: %s(lead.status)", function);
        return parse_expected(p, what);
    }
    *word_out = mem_str(p->lx.word.data);
    expr_lex_next(&p->lx);
    return true;
}

/* "changed", "was", "entered" and the "(" behind it; what else is a function's
 * name is told here. */
static bool parse_function_open(struct parser *p, const char *name, int col)
{
    if (parse_is_function(name)) {
        if (p->lx.token == TOKEN_OPEN)
            return parse_token(p, TOKEN_OPEN, "(");
        return parse_fail(p, col, strcmp(name, "entered") ? "\"%s\" is written %s(lead.status)"
                                                          : "\"%s\" is written %s(lead.status, "
                                                            "'contacted')", name, name);
    }
    const char *near = text_nearest(name, parse_functions, ARRAY_LEN(parse_functions));
    return parse_fail(p, col, "there is no function %.60s()%s%s%s; there are changed(field), "
                      "was(field) and entered(field, 'value')", name, near ? ": did you mean " : "",
                      near ? near : "", near ? "()?" : "");
}

/* field | was(field) */
static bool parse_fact(struct parser *p, struct expr_arg *a)
{
    const char *w = p->lx.word.data;
    char lower[64];
    parse_lower(w, lower, sizeof(lower));
    if (p->lx.token != TOKEN_WORD || parse_is_keyword(w))
        return parse_expected(p, "a field or a value");
    a->word = mem_str(w);
    expr_lex_next(&p->lx);
    const char *minus = strrchr(a->word, '-');
    if (minus && p->lx.token == TOKEN_WORD && minus[1] >= '0' && minus[1] <= '9' &&
        !parse_is_keyword(p->lx.word.data))
        return parse_fail(p, a->col, "a minus stands between spaces: %.*s - %s %s",
                          (int)(minus - a->word), a->word, minus + 1, p->lx.word.data);
    if (strcmp(a->word, "was") == 0) {
        if (!parse_function_open(p, "was", a->col))
            return false;
        mem_free(a->word);
        a->word = NULL;
        a->was = true;
        return parse_field_name(p, "was", &a->word) && parse_token(p, TOKEN_CLOSE, ")");
    }
    if (strcmp(a->word, "changed") == 0 || strcmp(a->word, "entered") == 0)
        return p->lx.token == TOKEN_OPEN
                   ? parse_fail(p, a->col, "%s() is true or false: it stands alone", a->word)
                   : parse_function_open(p, a->word, a->col);
    if (p->lx.token == TOKEN_OPEN && p->lx.col == p->lx.last_end)
        return parse_function_open(p, a->word, a->col);
    if (strcmp(lower, a->word) != 0 && (parse_is_keyword(lower) || parse_is_function(lower)))
        return parse_fail(p, a->col, "\"%s\" is written in small letters: %s", a->word, lower);
    return true;
}

/* A duration behind a field; the sign is at the current token. */
static bool parse_shift(struct parser *p, struct expr_arg *a)
{
    struct expr_node n = {0}; /* holds the duration while it is read */
    bool minus = p->lx.token != TOKEN_PLUS;
    if (p->lx.token != TOKEN_NUMBER) /* "-3 days" is one number already */
        expr_lex_next(&p->lx);
    int col = p->lx.col;
    bool ok = p->lx.token == TOKEN_NUMBER ? parse_number(p, &n)
                                          : parse_expected(p, "a duration such as 3 days");
    if (ok && n.args[0].kind != ARG_DURATION)
        ok = parse_fail(p, col, "only a duration can be added or taken away: now - 3 days");
    if (ok) {
        const char *word = n.args[0].word;
        ok = text_parse_duration(*word == '-' ? word + 1 : word, &a->shift) == 0;
        LEADD_ASSERT(ok); /* parse_number has read it so */
        a->shift_word = mem_printf("%c %s", minus ? '-' : '+', *word == '-' ? word + 1 : word);
        a->shift = minus ? -a->shift : a->shift;
        a->len = p->lx.last_end - a->col;
    }
    for (size_t i = 0; i < n.arg_count; i++)
        mem_free(n.args[i].word);
    mem_free(n.args);
    return ok;
}

static bool parse_is_shift(const struct parser *p)
{
    return p->lx.token == TOKEN_PLUS || p->lx.token == TOKEN_MINUS ||
           (p->lx.token == TOKEN_NUMBER && p->lx.word.data[0] == '-');
}

/* What may stand behind a field: - field, + 3 days. */
static bool parse_arithmetic(struct parser *p, struct expr_arg *a)
{
    int sign = p->lx.at;
    if (p->lx.token == TOKEN_MINUS) {
        while (p->lx.text[sign] == ' ')
            sign++;
        if (p->lx.text[sign] < '0' || p->lx.text[sign] > '9') {
            expr_lex_next(&p->lx);
            struct expr_arg less = {.col = p->lx.col};
            bool ok = parse_fact(p, &less);
            a->less_word = less.word;
            a->less_col = less.col;
            a->len = p->lx.last_end - a->col;
            if (!ok || less.was)
                return ok && parse_fail(p, less.col, "was() cannot be taken away: put it first");
        }
    }
    return !parse_is_shift(p) || parse_shift(p, a);
}

static bool parse_word(struct parser *p, struct expr_node *n)
{
    const char *w = p->lx.word.data;
    if (parse_is_keyword(w))
        return parse_expected(p, "a field or a value");
    bool is_bool = strcmp(w, "true") == 0 || strcmp(w, "false") == 0;
    struct expr_arg *a = expr_node_arg(n, is_bool ? ARG_BOOL : ARG_FIELD, p->lx.col);
    if (is_bool) {
        a->word = mem_str(w);
        expr_lex_next(&p->lx);
    } else if (!parse_fact(p, a)) {
        return false;
    }
    a->len = p->lx.last_end - a->col;
    return is_bool || parse_arithmetic(p, a);
}

static bool parse_value(struct parser *p, struct expr_node *n)
{
    struct expr_arg *a;
    switch (p->lx.token) {
    case TOKEN_WORD:
        return parse_word(p, n);
    case TOKEN_NUMBER:
        return parse_number(p, n);
    case TOKEN_STRING:
        a = expr_node_arg(n, ARG_TEXT, p->lx.col);
        a->word = mem_strn(p->lx.word.data, p->lx.word.len);
        expr_lex_next(&p->lx);
        a->len = p->lx.last_end - a->col;
        return true;
    case TOKEN_PLUS:
        return parse_fail(p, p->lx.col, "a number is written without +; a phone number is text, in "
                          "single quotes: '+431234567'");
    default:
        return parse_expected(p, "a field or a value");
    }
}

static bool parse_list(struct parser *p, struct expr_node *n)
{
    int col = p->lx.col;
    expr_lex_next(&p->lx);
    if (p->lx.token == TOKEN_LIST_CLOSE)
        return parse_fail(p, col, "the list is empty: nothing can match it");
    for (;;) {
        if (!parse_value(p, n))
            return false;
        if (n->arg_count > BOUND_EXPR_NODES)
            return parse_fail(p, col, "the list is too long: put the values into a table");
        if (p->lx.token == TOKEN_LIST_CLOSE)
            break;
        if (p->lx.token != TOKEN_COMMA)
            return parse_expected(p, "a comma or ]");
        expr_lex_next(&p->lx);
    }
    expr_lex_next(&p->lx);
    return true;
}

/* list | table, and for the text operators a single value. */
static bool parse_set(struct parser *p, struct expr_node *n)
{
    switch (p->lx.token) {
    case TOKEN_LIST_OPEN:
        return parse_list(p, n);
    case TOKEN_TABLE:
        n->table_name = mem_str(p->lx.word.data);
        n->table_col = p->lx.col;
        expr_lex_next(&p->lx);
        return true;
    case TOKEN_OPEN:
        return parse_fail(p, p->lx.col, "a list goes in square brackets: ['a', 'b']");
    default:
        if (expr_lex_is(&p->lx, "with"))
            return parse_fail(p, p->lx.col, "`starts` and `ends` stand without \"with\"");
        if (n->op == EXPR_IN)
            return parse_expected(p, "a list ['a', 'b'] or a @table");
        return parse_value(p, n);
    }
}

static bool parse_between(struct parser *p, struct expr_node *n)
{
    if (!parse_value(p, n))
        return false;
    if (!parse_take(p, "and"))
        return parse_expected(p, "`and` and the upper end");
    return parse_value(p, n);
}

static bool parse_is_set(struct parser *p, struct expr_node *n, bool *negated_out)
{
    *negated_out = parse_take(p, "not");
    if (parse_take(p, "set"))
        return true;
    n->op = EXPR_SET;
    return parse_expected(p, "`set` or `not set` (\"equals\" is written ==)");
}

static bool parse_pattern(struct parser *p, struct expr_node *n)
{
    if (p->lx.token != TOKEN_STRING)
        return parse_expected(p, "a pattern in single quotes");
    return parse_value(p, n);
}

static const char *parse_operator_hint(const char *word)
{
    static const struct {
        const char *wrong, *right;
    } hints[] = {{"like", "contains"},   {"has", "contains"},     {"includes", "contains"},
                 {"matches", "~"},       {"equals", "=="},        {"eq", "=="},
                 {"startswith", "starts"}, {"begins", "starts"},  {"endswith", "ends"},
                 {"with", "starts '...' or ends '...'"}};
    static const char *const ops[] = {"contains", "starts", "ends", "between", "in", "is", "and",
                                      "or", "not"};
    for (size_t i = 0; i < ARRAY_LEN(hints); i++)
        if (strcmp(hints[i].wrong, word) == 0)
            return hints[i].right;
    return text_nearest(word, ops, ARRAY_LEN(ops));
}

/* What follows the first value; false after an error. */
static bool parse_test_op(struct parser *p, struct expr_node *n, bool *negated_out)
{
    *negated_out = false;
    if (p->lx.token == TOKEN_COMPARE) {
        n->cmp = p->lx.cmp;
        expr_lex_next(&p->lx);
        if (!parse_value(p, n))
            return false;
        if (p->lx.token == TOKEN_COMPARE)
            return parse_fail(p, p->lx.col, "a comparison has two sides: use `between A and B`");
        return true;
    }
    if (parse_take(p, "is")) {
        n->op = EXPR_SET;
        return parse_is_set(p, n, negated_out);
    }
    *negated_out = parse_take(p, "not");
    if (p->lx.token == TOKEN_MATCH) {
        n->op = EXPR_MATCHES;
        expr_lex_next(&p->lx);
        return parse_pattern(p, n);
    }
    if (parse_take(p, "between")) {
        n->op = EXPR_BETWEEN;
        return parse_between(p, n);
    }
    static const struct {
        const char *word;
        enum expr_op op;
    } sets[] = {{"in", EXPR_IN},
                {"contains", EXPR_CONTAINS},
                {"starts", EXPR_STARTS},
                {"ends", EXPR_ENDS}};
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        if (parse_take(p, sets[i].word)) {
            n->op = sets[i].op;
            return parse_set(p, n);
        }
    if (*negated_out)
        return parse_expected(p, "in, between, contains, starts, ends or ~ after `not`");
    n->op = EXPR_TRUTH;
    return true;
}

/* changed(field), entered(field, value); the name is the current token. */
static bool parse_asked(struct parser *p, struct expr_node *n)
{
    const char *name = n->op == EXPR_CHANGED ? "changed" : "entered";
    int col = p->lx.col;
    expr_lex_next(&p->lx);
    if (!parse_function_open(p, name, col))
        return false;
    struct expr_arg *a = expr_node_arg(n, ARG_FIELD, p->lx.col);
    if (!parse_field_name(p, name, &a->word))
        return false;
    a->len = p->lx.last_end - a->col;
    if (n->op == EXPR_ENTERED &&
        (!parse_token(p, TOKEN_COMMA, "a comma and the value: entered(lead.status, 'contacted')") ||
         !parse_value(p, n)))
        return false;
    return parse_token(p, TOKEN_CLOSE, ")");
}

static struct expr_node *parse_test(struct parser *p)
{
    bool negated;
    struct expr_node *n = parse_node(p, EXPR_COMPARE, p->lx.col);
    bool changed = expr_lex_is(&p->lx, "changed"), ok;
    if (changed || expr_lex_is(&p->lx, "entered")) {
        negated = false;
        n->op = changed ? EXPR_CHANGED : EXPR_ENTERED;
        ok = !p->failed && parse_asked(p, n);
    } else {
        ok = !p->failed && parse_value(p, n) && parse_test_op(p, n, &negated);
    }
    if (!ok) {
        expr_node_free(n);
        return NULL;
    }
    n->len = p->lx.last_end - n->col;
    if (!negated)
        return n;
    struct expr_node *not = parse_node(p, EXPR_NOT, n->col);
    not->len = n->len;
    not->first = n;
    return not;
}

static struct expr_node *parse_group(struct parser *p)
{
    int col = p->lx.col;
    expr_lex_next(&p->lx);
    struct expr_node *n = parse_or(p);
    if (n && p->lx.token != TOKEN_CLOSE) {
        if (p->lx.token == TOKEN_END)
            parse_fail(p, col, "the parenthesis that opens here is never closed");
        else
            parse_expected(p, "`and`, `or` or )");
        expr_node_free(n);
        return NULL;
    }
    if (n)
        expr_lex_next(&p->lx);
    return n;
}

static struct expr_node *parse_not(struct parser *p)
{
    int col = p->lx.col;
    struct expr_node *n = NULL;
    if (p->depth >= BOUND_EXPR_DEPTH) {
        parse_fail(p, col, "nested deeper than %d", BOUND_EXPR_DEPTH);
        return NULL;
    }
    p->depth++;
    if (parse_take(p, "not")) {
        struct expr_node *inner = parse_not(p);
        if (inner) {
            n = parse_node(p, EXPR_NOT, col);
            n->first = inner;
            n->len = p->lx.last_end - col;
        }
    } else if (p->lx.token == TOKEN_OPEN) {
        n = parse_group(p);
    } else {
        n = parse_test(p);
    }
    p->depth--;
    return n;
}

/* part { word part }: one node with all parts, or the single part itself. */
static struct expr_node *parse_chain(struct parser *p, const char *word, enum expr_op op,
                                     struct expr_node *(*part)(struct parser *))
{
    int col = p->lx.col; /* of a parenthesis, too: first->col lies behind it */
    struct expr_node *first = part(p);
    if (!first || !expr_lex_is(&p->lx, word))
        return first;
    struct expr_node *all = parse_node(p, op, col), *last = first;
    all->first = first;
    while (parse_take(p, word)) {
        last->next = part(p);
        last = last->next;
        if (!last || p->failed) {
            expr_node_free(all);
            return NULL;
        }
    }
    all->len = p->lx.last_end - all->col;
    return all;
}

static struct expr_node *parse_and(struct parser *p)
{
    return parse_chain(p, "and", EXPR_AND, parse_not);
}

static struct expr_node *parse_or(struct parser *p)
{
    return parse_chain(p, "or", EXPR_OR, parse_and);
}

static void parse_rest(struct parser *p)
{
    const struct expr_lexer *lx = &p->lx;
    if (lx->token == TOKEN_CLOSE) {
        parse_fail(p, lx->col, "this parenthesis closes nothing");
    } else if (lx->token == TOKEN_COMMA) {
        parse_fail(p, lx->col, "a comma stands only in a list; numbers are written without one");
    } else if (lx->token == TOKEN_WORD) {
        char lower[64];
        parse_lower(lx->word.data, lower, sizeof(lower));
        const char *hint = parse_operator_hint(lower);
        parse_fail(p, lx->col, "expected an operator, found \"%.80s\"%s%s%s", lx->word.data,
                   hint ? "; did you mean " : "", hint ? hint : "", hint ? "?" : "");
    } else if (lx->token == TOKEN_PLUS || lx->token == TOKEN_MINUS) {
        parse_fail(p, lx->col, "only durations can be added to a time or taken from it: "
                   "lead.last_in < now - 3 days");
    } else if (lx->token != TOKEN_END) {
        parse_expected(p, "`and`, `or` or the end");
    }
}

struct expr_node *expr_parse(const char *text, expr_error_fn report, void *arg)
{
    struct parser p = {.lx = {.text = text, .report = report, .arg = arg}};
    buf_init(&p.lx.word, BOUND_EXPR_BYTES);
    expr_lex_next(&p.lx);
    struct expr_node *n = NULL;
    if (p.lx.token == TOKEN_END)
        parse_fail(&p, 0, "the condition is empty");
    else
        n = parse_or(&p);
    if (n)
        parse_rest(&p);
    buf_done(&p.lx.word);
    if (n && (p.failed || p.lx.token == TOKEN_BAD)) {
        expr_node_free(n);
        n = NULL;
    }
    return n;
}
