/* SPDX-License-Identifier: ISC
 *
 * expr_literal - what was written becomes a value of the field's type
 *
 * The message for a wrong literal says what the field is and how its values
 * are written.
 */
#include "rule/expr_ast.h"

#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

static void literal_fold(struct expr_arg *a)
{
    struct buf fold AUTO_BUF;
    buf_init(&fold, BOUND_FOLD_BYTES);
    rule_fold(a->word, strlen(a->word), &fold);
    a->fold_len = fold.len;
    a->fold = buf_take(&fold);
}

static bool literal_duration(const char *s, int64_t *ms_out)
{
    bool minus = *s == '-';
    if (text_parse_duration(s + minus, ms_out) < 0)
        return false;
    if (minus)
        *ms_out = -*ms_out;
    return true;
}

/* Reads a->word as a value of type t, whatever quotes it had. */
static bool literal_read(const struct expr_checker *c, enum rule_type t, struct expr_arg *a)
{
    switch (t) {
    case RULE_TYPE_TEXT:
    case RULE_TYPE_LIST:
        literal_fold(a);
        return a->fold_len > 0;
    case RULE_TYPE_INT:
        if (text_parse_int(a->word, &a->lo) < 0)
            return false;
        a->hi = a->lo;
        return true;
    case RULE_TYPE_MONEY:
        if (rule_money_parse(a->word, NULL, &a->lo, a->currency) < 0)
            return false;
        a->hi = a->lo;
        return true;
    case RULE_TYPE_BOOL:
        a->lo = a->hi = strcmp(a->word, "true") == 0;
        return a->lo || strcmp(a->word, "false") == 0;
    case RULE_TYPE_TIME:
        return expr_time_parse(a->word, c->env->time_zone, &a->lo, &a->hi) == 0;
    case RULE_TYPE_DURATION:
        if (!literal_duration(a->word, &a->lo))
            return false;
        a->hi = a->lo;
        return true;
    }
    return false;
}

/* Which kinds of literal may stand for which type, before it is read. */
static bool literal_kind_fits(enum rule_type t, enum expr_arg_kind k)
{
    switch (t) {
    case RULE_TYPE_TEXT:
    case RULE_TYPE_LIST:
    case RULE_TYPE_TIME:
        return k == ARG_TEXT;
    case RULE_TYPE_INT:
        return k == ARG_NUMBER;
    case RULE_TYPE_MONEY:
        return k == ARG_NUMBER || k == ARG_MONEY || k == ARG_TEXT;
    case RULE_TYPE_BOOL:
        return k == ARG_BOOL;
    case RULE_TYPE_DURATION:
        return k == ARG_DURATION || k == ARG_TEXT;
    }
    return false;
}

static const char *literal_form(enum rule_type t)
{
    switch (t) {
    case RULE_TYPE_TEXT:
    case RULE_TYPE_LIST:
        return "text goes in single quotes, and empty text is asked with `is not set`";
    case RULE_TYPE_INT:
        return "write digits without quotes, such as 60";
    case RULE_TYPE_MONEY:
        return "write 5000, 5000.50 EUR or '5000 EUR'";
    case RULE_TYPE_BOOL:
        return "write true or false without quotes";
    case RULE_TYPE_TIME:
        return "write '2026-01-31', '2026-01-31 09:00' or '2026-01-31T09:00:00Z'";
    case RULE_TYPE_DURATION:
        return "write 30m, 2h, 2 days or '1h 30m'";
    }
    return "";
}

static bool literal_fail(struct expr_checker *c, const struct rule_field *f,
                         const struct expr_arg *a)
{
    const char *quote = a->kind == ARG_TEXT ? "'" : "";
    if (f->type == RULE_TYPE_TIME && clock_no_such_day(a->word)) {
        expr_check_fail(c, a->col, "there is no day %.10s", a->word);
        return false;
    }
    expr_check_fail(c, a->col, "%s is %s, %s%.80s%s is not: %s", f->name, rule_type_name(f->type),
                    quote, a->word, quote, literal_form(f->type));
    return false;
}

bool expr_literal(struct expr_checker *c, const struct rule_field *f, struct expr_arg *a)
{
    if (!literal_kind_fits(f->type, a->kind) || !literal_read(c, f->type, a))
        return literal_fail(c, f, a);
    return true;
}

bool expr_literal_table(struct expr_checker *c, const struct rule_field *f, struct expr_node *n)
{
    const struct rule_table *t = n->table;
    for (size_t i = 0; i < rule_table_count(t); i++) {
        struct expr_arg *a = expr_node_arg(n, ARG_TEXT, n->table_col);
        a->word = mem_str(rule_table_value(t, i));
        if (!literal_read(c, f->type, a)) {
            expr_check_fail(c, n->table_col, "%s is %s, '%.80s' in table \"%s\" (%s) is not",
                            f->name, rule_type_name(f->type), a->word, rule_table_name(t),
                            rule_table_at(t));
            return false;
        }
    }
    return true;
}
