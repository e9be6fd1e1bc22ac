/* SPDX-License-Identifier: ISC
 *
 * expr_print - the canonical text of a condition, and whether two are the same
 *
 * One space between words, `not` behind the field where it may stand there,
 * parentheses only where they are needed: never deeper than what was parsed, so
 * what is printed can be compiled. Literals stand as they were written.
 */
#include "rule/expr_ast.h"

#include <string.h>

static void print_quoted(const char *s, struct buf *out)
{
    buf_char(out, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            buf_char(out, '\'');
        buf_char(out, *s);
    }
    buf_char(out, '\'');
}

void expr_arg_print(const struct expr_arg *a, struct buf *out)
{
    if (a->kind == ARG_TEXT) {
        print_quoted(a->word, out);
        return;
    }
    buf_printf(out, a->was ? "was(%s)" : "%s", a->word);
    if (a->less_word)
        buf_printf(out, " - %s", a->less_word);
    if (a->shift_word)
        buf_printf(out, " %s", a->shift_word);
}

/* What stands behind the operator: a table, one value or a list. */
static void print_set(const struct expr_node *n, struct buf *out)
{
    bool list = n->op == EXPR_IN || n->arg_count > 2;
    if (n->table_name) {
        buf_printf(out, "@%s", n->table_name);
        return;
    }
    if (list)
        buf_char(out, '[');
    for (size_t i = 1; i < n->arg_count; i++) {
        buf_str(out, i > 1 ? ", " : "");
        expr_arg_print(&n->args[i], out);
    }
    if (list)
        buf_char(out, ']');
}

static void print_test(const struct expr_node *n, bool negated, struct buf *out)
{
    if (n->op == EXPR_CHANGED || n->op == EXPR_ENTERED)
        buf_printf(out, "%s(", expr_op_name(n));
    expr_arg_print(&n->args[0], out);
    switch (n->op) {
    case EXPR_SET:
        buf_str(out, negated ? " is not set" : " is set");
        break;
    case EXPR_COMPARE:
        buf_printf(out, " %s ", expr_op_name(n));
        expr_arg_print(&n->args[1], out);
        break;
    case EXPR_BETWEEN:
        buf_str(out, negated ? " not between " : " between ");
        expr_arg_print(&n->args[1], out);
        buf_str(out, " and ");
        expr_arg_print(&n->args[2], out);
        break;
    case EXPR_IN:
    case EXPR_CONTAINS:
    case EXPR_STARTS:
    case EXPR_ENDS:
    case EXPR_MATCHES:
        buf_printf(out, negated ? " not %s " : " %s ", expr_op_name(n));
        print_set(n, out);
        break;
    case EXPR_CHANGED:
        buf_char(out, ')');
        break;
    case EXPR_ENTERED:
        buf_str(out, ", ");
        expr_arg_print(&n->args[1], out);
        buf_char(out, ')');
        break;
    case EXPR_TRUTH:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
        break;
    }
}

/* May `not` stand behind the field? */
static bool print_takes_not(const struct expr_node *n)
{
    return n->op == EXPR_SET || n->op == EXPR_IN || n->op == EXPR_BETWEEN ||
           n->op == EXPR_CONTAINS || n->op == EXPR_STARTS || n->op == EXPR_ENDS ||
           n->op == EXPR_MATCHES;
}

static void print_node(const struct expr_node *n, bool group, struct buf *out)
{
    if (group)
        buf_char(out, '(');
    if (n->op == EXPR_NOT) {
        if (print_takes_not(n->first)) {
            print_test(n->first, true, out);
        } else {
            buf_str(out, "not ");
            print_node(n->first, n->first->op == EXPR_AND || n->first->op == EXPR_OR, out);
        }
    } else if (n->op == EXPR_AND || n->op == EXPR_OR) {
        for (const struct expr_node *part = n->first; part; part = part->next) {
            if (part != n->first)
                buf_str(out, n->op == EXPR_AND ? " and " : " or ");
            print_node(part, part->op == EXPR_OR || (part->op == EXPR_AND && n->op == EXPR_AND),
                       out);
        }
    } else {
        print_test(n, false, out);
    }
    if (group)
        buf_char(out, ')');
}

void expr_print(const struct expr *x, struct buf *out)
{
    print_node(x->root, false, out);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_arg(const struct expr_arg *a, const struct expr_arg *b)
{
    return a->kind == b->kind && a->field == b->field && a->was == b->was && a->less == b->less &&
           a->shift == b->shift && a->lo == b->lo && a->hi == b->hi &&
           strcmp(a->currency, b->currency) == 0 && strcmp(a->word, b->word) == 0;
}

static bool same_node(const struct expr_node *a, const struct expr_node *b)
{
    if (a->op != b->op || (a->op == EXPR_COMPARE && a->cmp != b->cmp) ||
        a->arg_count != b->arg_count || !same_text(a->table_name, b->table_name))
        return false;
    for (size_t i = 0; i < a->arg_count; i++)
        if (!same_arg(&a->args[i], &b->args[i]))
            return false;
    const struct expr_node *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next)
        if (!same_node(x, y))
            return false;
    return !x && !y;
}

bool expr_same(const struct expr *a, const struct expr *b)
{
    return same_node(a->root, b->root);
}
