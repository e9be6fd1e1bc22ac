/* SPDX-License-Identifier: ISC
 *
 * expr_check - names and types of a parsed condition
 *
 * Goes on after an error, so that one run finds all of them.
 */
#include "rule/expr_ast.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

#define CHECK_MAX_ERRORS 10
#define CHECK_MAP_FROM 8 /* list items from which a map is quicker than a walk */

void expr_check_fail(struct expr_checker *c, int col, const char *fmt, ...)
{
    char what[512];
    if (++c->errors > CHECK_MAX_ERRORS)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    c->report(c->arg, col, what);
}

static const struct rule_field *check_name(struct expr_checker *c, const char *word, int col,
                                           int *field_out)
{
    *field_out = rule_fields_find(c->env->fields, word);
    if (*field_out >= 0)
        return rule_fields_get(c->env->fields, *field_out);
    const char *near = rule_fields_nearest(c->env->fields, word);
    if (near)
        expr_check_fail(c, col, "unknown field \"%.80s\"; did you mean \"%s\"?", word, near);
    else if (!strchr(word, '.'))
        expr_check_fail(c, col, "unknown field \"%.80s\"; text goes in single quotes: '%.80s'",
                        word, word);
    else
        expr_check_fail(c, col, "unknown field \"%.80s\"", word);
    return NULL;
}

/* Resolves a field with what is added to it and taken from it. */
static bool check_fact(struct expr_checker *c, struct expr_arg *a)
{
    const struct rule_field *f = check_name(c, a->word, a->col, &a->field);
    const struct rule_field *less =
        a->less_word ? check_name(c, a->less_word, a->less_col, &a->less) : NULL;
    if (!f || (a->less_word && !less))
        return false;
    a->type = f->type;
    if (less) {
        const struct rule_field *wrong = f->type != RULE_TYPE_TIME ? f : less;
        if (wrong->type != RULE_TYPE_TIME) {
            expr_check_fail(c, wrong == f ? a->col : a->less_col,
                            "%s is %s: only a time can be taken from a time", wrong->name,
                            rule_type_name(wrong->type));
            return false;
        }
        a->type = RULE_TYPE_DURATION;
    }
    if (a->shift_word && a->type != RULE_TYPE_TIME && a->type != RULE_TYPE_DURATION) {
        expr_check_fail(c, a->col, "%s is %s: a duration is added only to a time or a duration",
                        f->name, rule_type_name(f->type));
        return false;
    }
    return true;
}

static enum expr_compare check_flip(enum expr_compare cmp)
{
    switch (cmp) {
    case EXPR_LT:
        return EXPR_GT;
    case EXPR_LE:
        return EXPR_GE;
    case EXPR_GT:
        return EXPR_LT;
    case EXPR_GE:
        return EXPR_LE;
    case EXPR_EQ:
    case EXPR_NE:
        break;
    }
    return cmp;
}

/* Puts the field first: `500 <= lead.employees` is `lead.employees >= 500`. */
static bool check_order(struct expr_checker *c, struct expr_node *n)
{
    if (n->args[0].kind == ARG_FIELD)
        return true;
    if (n->op == EXPR_COMPARE && n->args[1].kind == ARG_FIELD) {
        struct expr_arg first = n->args[0];
        n->args[0] = n->args[1];
        n->args[1] = first;
        n->cmp = check_flip(n->cmp);
        return true;
    }
    expr_check_fail(c, n->args[0].col,
                    n->op == EXPR_COMPARE ? "both sides are fixed values: one must be a field"
                                          : "this is a fixed value, the condition must begin with "
                                            "a field");
    return false;
}

const char *expr_op_name(const struct expr_node *n)
{
    static const char *const compare[] = {"==", "!=", "<", "<=", ">", ">="};
    switch (n->op) {
    case EXPR_COMPARE:
        return compare[n->cmp];
    case EXPR_IN:
        return "in";
    case EXPR_BETWEEN:
        return "between";
    case EXPR_CONTAINS:
        return "contains";
    case EXPR_STARTS:
        return "starts";
    case EXPR_ENDS:
        return "ends";
    case EXPR_MATCHES:
        return "~";
    case EXPR_CHANGED:
        return "changed";
    case EXPR_ENTERED:
        return "entered";
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_TRUTH:
    case EXPR_SET:
        break;
    }
    return "";
}

/* May the operator ask about this type? */
static bool check_op_fits(const struct expr_node *n, enum rule_type t)
{
    switch (n->op) {
    case EXPR_TRUTH:
        return t == RULE_TYPE_BOOL;
    case EXPR_COMPARE:
        if (t == RULE_TYPE_BOOL)
            return n->cmp == EXPR_EQ || n->cmp == EXPR_NE;
        return t != RULE_TYPE_LIST;
    case EXPR_IN:
    case EXPR_BETWEEN:
        return t != RULE_TYPE_LIST && t != RULE_TYPE_BOOL;
    case EXPR_CONTAINS:
        return t == RULE_TYPE_TEXT || t == RULE_TYPE_LIST;
    case EXPR_STARTS:
    case EXPR_ENDS:
    case EXPR_MATCHES:
        return t == RULE_TYPE_TEXT;
    case EXPR_SET:
    case EXPR_CHANGED:
    case EXPR_ENTERED:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
        break;
    }
    return true;
}

static bool check_op(struct expr_checker *c, const struct expr_node *n, const struct rule_field *f)
{
    if (check_op_fits(n, f->type))
        return true;
    if (n->op == EXPR_TRUTH)
        expr_check_fail(c, n->col, "%s is %s: compare it, or ask `is set`", f->name,
                        rule_type_name(f->type));
    else if (f->type == RULE_TYPE_LIST)
        expr_check_fail(c, n->col, "%s is a list: use `contains`, not `%s`", f->name,
                        expr_op_name(n));
    else
        expr_check_fail(c, n->col, "%s is %s, which `%s` cannot ask about", f->name,
                        rule_type_name(f->type), expr_op_name(n));
    return false;
}

static void check_choice(struct expr_checker *c, const struct rule_field *f,
                         const struct expr_arg *a)
{
    size_t count = 0;
    for (; f->choices[count]; count++)
        if (rule_fold_equal(f->choices[count], a->word))
            return;
    const char *near = text_nearest(a->word, f->choices, count);
    struct buf all AUTO_BUF;
    buf_init(&all, 200);
    for (size_t i = 0; i < count; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", f->choices[i]);
    if (near)
        expr_check_fail(c, a->col, "%s is never '%.80s'; did you mean '%s'?", f->name, a->word,
                        near);
    else
        expr_check_fail(c, a->col, "%s is never '%.80s'; it is one of %s", f->name, a->word,
                        all.data);
}

/* A field on the right side: of the same type, and not in a list. */
static bool check_right_field(struct expr_checker *c, const struct expr_node *n,
                              const struct rule_field *f, struct expr_arg *a)
{
    if (!check_fact(c, a))
        return false;
    if (n->op != EXPR_COMPARE && n->op != EXPR_BETWEEN) {
        expr_check_fail(c, a->col, "`%s` wants fixed values, \"%s\" is a field", expr_op_name(n),
                        a->word);
        return false;
    }
    if (a->type != f->type) {
        struct buf name AUTO_BUF;
        buf_init(&name, BOUND_EXPR_BYTES);
        expr_arg_print(a, &name);
        expr_check_fail(c, a->col, "%s is %s, %s is %s: they cannot be compared", f->name,
                        rule_type_name(f->type), name.data, rule_type_name(a->type));
        return false;
    }
    return true;
}

static bool check_right(struct expr_checker *c, struct expr_node *n, const struct rule_field *f)
{
    bool ok = true, whole = n->op == EXPR_IN || n->op == EXPR_ENTERED ||
                           (n->op == EXPR_COMPARE && n->cmp <= EXPR_NE);
    for (size_t i = 1; i < n->arg_count; i++) {
        struct expr_arg *a = &n->args[i];
        if (a->kind == ARG_FIELD) {
            ok = check_right_field(c, n, f, a) && ok;
        } else if (!expr_literal(c, f, a)) {
            ok = false;
        } else if (whole && f->type == RULE_TYPE_TEXT && f->choices) {
            check_choice(c, f, a);
        }
    }
    return ok;
}

static void check_between(struct expr_checker *c, const struct expr_node *n, enum rule_type t)
{
    const struct expr_arg *a = &n->args[1], *b = &n->args[2];
    if (a->kind == ARG_FIELD || b->kind == ARG_FIELD)
        return;
    bool text = t == RULE_TYPE_TEXT;
    if (text ? strcmp(a->fold, b->fold) > 0
             : strcmp(a->currency, b->currency) == 0 && a->lo > b->hi)
        expr_check_fail(c, a->col, "the lower end is above the upper end: nothing lies between");
}

static void check_table(struct expr_checker *c, struct expr_node *n, const struct rule_field *f)
{
    n->table = rule_tables_find(c->env->tables, n->table_name);
    if (!n->table) {
        const char *near = rule_tables_nearest(c->env->tables, n->table_name);
        expr_check_fail(c, n->table_col, "unknown table \"@%.80s\"%s%s%s", n->table_name,
                        near ? "; did you mean \"@" : "", near ? near : "", near ? "\"?" : "");
    } else if (f->type != RULE_TYPE_TEXT && f->type != RULE_TYPE_LIST) {
        expr_literal_table(c, f, n);
    }
}

static void check_regex(struct expr_checker *c, struct expr_node *n)
{
    char what[256];
    int at;
    struct expr_arg *a = &n->args[1];
    n->regex = expr_regex_new(a->word, what, sizeof(what), &at);
    if (!n->regex) /* exact unless '' stands before it in the pattern */
        expr_check_fail(c, a->col + 1 + (at <= a->len - 2 ? at : 0), "in the pattern: %s", what);
}

static void check_map(struct expr_node *n)
{
    rule_map_init(&n->values, n->arg_count);
    for (size_t i = 1; i < n->arg_count; i++)
        rule_map_add(&n->values, n->args[i].fold, n->args[i].fold_len, (int)i);
}

static void check_asked(struct expr_checker *c, struct expr_node *n, const struct rule_field *f)
{
    int before = c->errors;
    if (!check_op(c, n, f) || !check_right(c, n, f))
        return;
    if (n->table_name)
        check_table(c, n, f);
    if (c->errors > before)
        return;
    if (n->op == EXPR_BETWEEN)
        check_between(c, n, f->type);
    if (n->op == EXPR_MATCHES)
        check_regex(c, n);
    if (n->op == EXPR_IN && f->type == RULE_TYPE_TEXT && !n->table &&
        n->arg_count > CHECK_MAP_FROM)
        check_map(n);
}

static void check_test(struct expr_checker *c, struct expr_node *n)
{
    struct expr_arg *a = &n->args[0];
    if (!check_order(c, n))
        return;
    if (!check_fact(c, a)) { /* the right side may still hold a wrong name of its own */
        for (size_t i = 1; i < n->arg_count; i++)
            if (n->args[i].kind == ARG_FIELD)
                check_fact(c, &n->args[i]);
        return;
    }
    struct rule_field asked = *rule_fields_get(c->env->fields, a->field);
    struct buf name AUTO_BUF;
    buf_init(&name, BOUND_EXPR_BYTES);
    expr_arg_print(a, &name);
    asked.name = name.data;
    asked.type = a->type;
    check_asked(c, n, &asked);
}

void expr_check(struct expr_checker *c, struct expr_node *root)
{
    if (root->op > EXPR_NOT) {
        check_test(c, root);
        return;
    }
    for (struct expr_node *part = root->first; part; part = part->next)
        expr_check(c, part);
}
