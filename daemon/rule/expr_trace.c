/* SPDX-License-Identifier: ISC
 *
 * expr_trace - why a condition was not true
 *
 * Walks down `and` to the first part that failed. Below `or` and `not` several
 * parts took part in the result, so the whole is named, with all that was read.
 */
#include "rule/expr_ast.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const struct expr_node *trace_find(const struct expr_node *n, struct expr_facts *f,
                                          enum rule_result want)
{
    while (n->op == EXPR_AND) {
        const struct expr_node *part = n->first;
        while (part->next && expr_node_eval(part, f) != want)
            part = part->next;
        n = part;
    }
    return n;
}

/* f is the state the field was read in; NULL: there was no record. */
static void trace_see(struct expr_trace *t, const struct rule_fields *fields, struct expr_facts *f,
                      int field, bool was)
{
    static const struct rule_value unset;
    for (int i = 0; i < t->seen_count; i++)
        if (t->seen[i].field == field && t->seen[i].was == was)
            return;
    if (t->seen_count == EXPR_SEEN_MAX)
        return;
    const struct rule_field *def = rule_fields_get(fields, field);
    const struct rule_value *v = f ? expr_facts_value(f, field) : &unset;
    struct expr_seen *s = &t->seen[t->seen_count++];
    struct buf text AUTO_BUF;
    buf_init(&text, 4096);
    rule_value_print(def, v, EXPR_SEEN_VALUE - 1, &text);
    *s = (struct expr_seen){.field = field, .name = def->name, .was = was, .state = v->state,
                            .personal = def->personal && v->state == RULE_VALUE_SET};
    snprintf(s->value, sizeof(s->value), "%.*s",
             (int)text_utf8_cut(text.data, text.len, sizeof(s->value) - 1), text.data);
}

/* The value an argument stands for, and whether it is set: else nothing behind it was read. */
static bool trace_see_arg(struct expr_trace *t, struct expr_facts *f, const struct expr_arg *a)
{
    struct rule_value tmp;
    if (a->kind != ARG_FIELD)
        return true;
    struct expr_facts *source = a->was ? f->was : f;
    trace_see(t, f->fields, source, a->field, a->was);
    if (a->less >= 0 && source && expr_facts_value(source, a->field)->state == RULE_VALUE_SET)
        trace_see(t, f->fields, f, a->less, false);
    return expr_arg_value(a, f, &tmp)->state == RULE_VALUE_SET;
}

/* What was read to come to the result: the parts up to the one that decided. */
static void trace_see_all(struct expr_trace *t, struct expr_facts *f, const struct expr_node *n)
{
    enum rule_result ends = n->op == EXPR_OR ? RULE_TRUE : RULE_FALSE;
    for (const struct expr_node *part = n->first; part; part = part->next) {
        trace_see_all(t, f, part);
        if (part->next && expr_node_eval(part, f) == ends)
            return;
    }
    if (n->op == EXPR_CHANGED || n->op == EXPR_ENTERED) {
        trace_see(t, f->fields, f->at, n->args[0].field, false);
        trace_see(t, f->fields, f->was, n->args[0].field, true);
        return;
    }
    for (size_t i = 0; i < n->arg_count; i++)
        if (!trace_see_arg(t, f, &n->args[i]) && i == 0)
            return;
}

enum rule_result expr_explain(const struct expr *x, struct expr_facts *facts,
                              struct expr_trace *trace)
{
    *trace = (struct expr_trace){0};
    enum rule_result r = expr_eval(x, facts);
    if (r == RULE_TRUE)
        return r;
    const struct expr_node *n = trace_find(x->root, facts, r);
    facts->note = NULL;
    expr_node_eval(n, facts);
    trace->note = facts->note;
    trace->col = n->col;
    trace->len = n->len;
    trace_see_all(trace, facts, n);
    return r;
}

void expr_trace_print(const struct expr *x, const struct expr_trace *t, struct buf *out)
{
    bool unknown = false;
    for (int i = 0; i < t->seen_count; i++)
        unknown = unknown || t->seen[i].state == RULE_VALUE_UNKNOWN;
    buf_printf(out, "%.*s is %s", t->len, x->text + t->col, unknown ? "not known yet" : "false");
    for (int i = 0; i < t->seen_count; i++)
        buf_printf(out, t->seen[i].was ? "%s was(%s) is %s" : "%s %s is %s", i ? "," : ":",
                   t->seen[i].name, t->seen[i].value);
    if (t->note)
        buf_printf(out, " (%s)", t->note);
}

json_t *expr_trace_json(const struct expr *x, const struct expr_trace *t)
{
    json_t *obj = json_object(), *seen = json_array();
    json_object_set_new(obj, "part", json_stringn(x->text + t->col, (size_t)t->len));
    json_put_int(obj, "col", t->col);
    json_put_str(obj, "note", t->note);
    for (int i = 0; i < t->seen_count; i++) {
        json_t *s = json_object();
        AUTO_FREE char *name = mem_printf(t->seen[i].was ? "was(%s)" : "%s", t->seen[i].name);
        json_put_str(s, "field", name);
        json_put_str(s, "value", t->seen[i].value);
        json_put_bool(s, "personal", t->seen[i].personal);
        json_array_append_new(seen, s);
    }
    json_object_set_new(obj, "seen", seen);
    return obj;
}
