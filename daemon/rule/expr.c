/* SPDX-License-Identifier: ISC
 *
 * expr - compiling a condition: parse, check, collect its fields (see expr.h)
 */
#include "rule/expr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/expr_ast.h"

static void expr_count_field(int *out, size_t *count, int field)
{
    if (out)
        out[*count] = field;
    (*count)++;
}

static size_t expr_count_fields(const struct expr_node *n, int *out)
{
    size_t count = 0;
    for (const struct expr_node *part = n->first; part; part = part->next)
        count += expr_count_fields(part, out ? out + count : NULL);
    for (size_t i = 0; i < n->arg_count; i++) {
        if (n->args[i].field >= 0)
            expr_count_field(out, &count, n->args[i].field);
        if (n->args[i].less >= 0)
            expr_count_field(out, &count, n->args[i].less);
    }
    return count;
}

static int expr_int_order(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void expr_collect_fields(struct expr *x)
{
    size_t all = expr_count_fields(x->root, NULL);
    x->fields = mem_array(all, sizeof(*x->fields));
    expr_count_fields(x->root, x->fields);
    qsort(x->fields, all, sizeof(*x->fields), expr_int_order);
    for (size_t i = 0; i < all; i++)
        if (x->field_count == 0 || x->fields[x->field_count - 1] != x->fields[i])
            x->fields[x->field_count++] = x->fields[i];
}

struct expr *expr_compile(const struct expr_env *env, const char *text, expr_error_fn report,
                          void *arg)
{
    char what[80];
    if (strlen(text) > BOUND_EXPR_BYTES) {
        snprintf(what, sizeof(what), "the condition is longer than %zu bytes", BOUND_EXPR_BYTES);
        report(arg, 0, what);
        return NULL;
    }
    if (!text_is_utf8(text, strlen(text))) {
        report(arg, 0, "the condition is not valid UTF-8");
        return NULL;
    }
    struct expr_node *root = expr_parse(text, report, arg);
    if (!root)
        return NULL;
    struct expr_checker c = {.env = env, .report = report, .arg = arg};
    expr_check(&c, root);
    if (c.errors > 0) {
        expr_node_free(root);
        return NULL;
    }
    struct expr *x = mem_alloc(sizeof(*x));
    x->text = mem_str(text);
    x->env = env;
    x->root = root;
    expr_collect_fields(x);
    return x;
}

void expr_free(struct expr **x)
{
    if (!*x)
        return;
    expr_node_free((*x)->root);
    mem_free((*x)->fields);
    mem_free((*x)->text);
    mem_free(*x);
    *x = NULL;
}

static bool expr_node_asks_before(const struct expr_node *n)
{
    if (n->op == EXPR_CHANGED || n->op == EXPR_ENTERED)
        return true;
    for (const struct expr_node *part = n->first; part; part = part->next)
        if (expr_node_asks_before(part))
            return true;
    for (size_t i = 0; i < n->arg_count; i++)
        if (n->args[i].was)
            return true;
    return false;
}

bool expr_asks_before(const struct expr *x)
{
    return expr_node_asks_before(x->root);
}

const char *expr_text(const struct expr *x)
{
    return x->text;
}

size_t expr_fields(const struct expr *x, const int **fields_out)
{
    *fields_out = x->fields;
    return x->field_count;
}
