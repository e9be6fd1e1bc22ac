/* SPDX-License-Identifier: ISC
 *
 * ruleset_fields - which fields the rules of an event read, and in which states of the
 * record: that is what must be kept to decide again (record.h)
 */
#include "rule/ruleset.h"

#include <string.h>

#include "base/mem.h"
#include "rule/expr_ast.h"
#include "rule/ruleset_set.h"

static void mark_args(const struct expr_node *n, unsigned char *marks)
{
    bool event = n->op == EXPR_CHANGED || n->op == EXPR_ENTERED;
    for (size_t i = 0; i < n->arg_count; i++) {
        const struct expr_arg *a = &n->args[i];
        if (a->kind == ARG_FIELD)
            marks[a->field] |= event ? RULESET_WAS | RULESET_AT : a->was ? RULESET_WAS : RULESET_NOW;
        if (a->kind == ARG_FIELD && a->less >= 0)
            marks[a->less] |= RULESET_NOW;
    }
    for (const struct expr_node *part = n->first; part; part = part->next)
        mark_args(part, marks);
}

/* A rule on an entity is asked in all three states. */
static void mark_rule(const struct ruleset_rule *r, unsigned char *marks)
{
    for (size_t w = 0; w < r->pub.when_count; w++) {
        const int *fields;
        size_t n = expr_fields(r->when[w], &fields);
        for (size_t k = 0; r->pub.edge && k < n; k++)
            marks[fields[k]] |= RULESET_NOW | RULESET_WAS | RULESET_AT;
        mark_args(r->when[w]->root, marks);
    }
}

static bool field_is_dear(const struct ruleset *rs, int field)
{
    return rs->env.is_dear && rs->env.is_dear(rs->env.arg, field);
}

static bool rule_is_dear(const struct ruleset *rs, const struct ruleset_rule *r)
{
    for (size_t w = 0; w < r->pub.when_count; w++) {
        const int *fields;
        size_t n = expr_fields(r->when[w], &fields);
        for (size_t k = 0; k < n; k++)
            if (field_is_dear(rs, fields[k]))
                return true;
    }
    return false;
}

static void event_list(const struct ruleset *rs, struct ruleset_event *ev,
                       const unsigned char *marks, size_t all)
{
    ev->fields = mem_array(all, sizeof(*ev->fields));
    ev->states = mem_array(all, sizeof(*ev->states));
    for (size_t i = 0; i < all; i++) {
        if (!marks[i])
            continue;
        ev->states[ev->field_count] = marks[i] | (field_is_dear(rs, (int)i) ? RULESET_DEAR : 0);
        ev->fields[ev->field_count++] = (int)i;
        ev->all_states |= marks[i];
    }
}

/* A mark per field, then a list. */
void ruleset_collect_fields(struct ruleset *rs)
{
    size_t all = rule_fields_count(rs->env.fields);
    unsigned char *marks = mem_array(all, sizeof(*marks));
    for (size_t i = 0; i < rs->count; i++)
        rs->rules[i].dear = rule_is_dear(rs, &rs->rules[i]);
    for (size_t e = 0; e < rs->env.event_count; e++) {
        struct ruleset_event *ev = &rs->events[e];
        memset(marks, 0, all * sizeof(*marks));
        for (size_t i = 0; i < ev->count; i++)
            mark_rule(&rs->rules[ev->rules[i]], marks);
        event_list(rs, ev, marks, all);
    }
    mem_free(marks);
}

size_t ruleset_fields(const struct ruleset *rs, const char *event, const int **fields_out)
{
    int i = rule_map_get(&rs->by_event, event, strlen(event));
    *fields_out = i < 0 ? NULL : rs->events[i].fields;
    return i < 0 ? 0 : rs->events[i].field_count;
}

size_t ruleset_at_event(const struct ruleset *rs, const char *event)
{
    int i = rule_map_get(&rs->by_event, event, strlen(event));
    return i < 0 ? 0 : rs->events[i].count;
}
