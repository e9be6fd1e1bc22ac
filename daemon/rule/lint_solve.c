/* SPDX-License-Identifier: ISC
 *
 * lint_solve - the search through worlds, see lint_solve.h
 *
 * Fields are given a region one after the other; a branch ends as soon as a term
 * is not what it must be. At most SOLVE_STEPS choices are tried.
 */
#include "rule/lint_solve.h"

#include <string.h>

#include "base/mem.h"

#define SOLVE_STEPS 20000

/* Which parts are known in this branch, and which of them are true. */
struct solve_state {
    uint64_t known, truth;
    int steps;
};

static void solver_get(void *arg, int field, struct rule_value *out)
{
    const struct lint_solver *s = arg;
    if (field == s->field)
        *out = s->value;
}

struct lint_solver *lint_solver_new(const struct rule_fields *fields)
{
    struct lint_solver *s = mem_alloc(sizeof(*s));
    s->fields = fields;
    s->field = -1;
    s->facts = expr_facts_new(fields, solver_get, s);
    return s;
}

static void solver_reset(struct lint_solver *s)
{
    for (size_t i = 0; i < s->variable_count; i++)
        mem_free(s->variables[i].worlds);
    s->variable_count = s->part_count = 0;
    s->too_much = false;
}

void lint_solver_free(struct lint_solver **p)
{
    struct lint_solver *s = *p;
    *p = NULL;
    if (!s)
        return;
    solver_reset(s);
    expr_facts_free(&s->facts);
    mem_free(s);
}

/* ---- parts --------------------------------------------------------------- */

static struct lint_variable *solver_variable(struct lint_solver *s, int field)
{
    for (size_t i = 0; i < s->variable_count && field >= 0; i++)
        if (s->variables[i].field == field)
            return &s->variables[i];
    struct lint_variable *v = &s->variables[s->variable_count++];
    *v = (struct lint_variable){.field = field};
    return v;
}

static int solver_find(const struct lint_solver *s, const struct expr_node *n)
{
    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].node == n || lint_part_equal(s->parts[i].node, n))
            return (int)i;
    return -1;
}

static void solver_collect(struct lint_solver *s, const struct expr_node *n)
{
    if (n->op <= EXPR_NOT) {
        for (const struct expr_node *part = n->first; part; part = part->next)
            solver_collect(s, part);
        return;
    }
    if (solver_find(s, n) >= 0)
        return;
    if (s->part_count == LINT_PARTS) {
        s->too_much = true;
        return;
    }
    bool value = lint_part_decidable(s, n);
    s->parts[s->part_count] = (struct lint_part){.node = n,
                                                 .kind = value ? PART_VALUE : PART_OPEN,
                                                 .field = value ? n->args[0].field : -1};
    struct lint_variable *v = solver_variable(s, s->parts[s->part_count].field);
    v->parts |= UINT64_C(1) << s->part_count;
    s->part_count++;
}

/* ---- search --------------------------------------------------------------- */

static enum rule_result solve_eval(const struct lint_solver *s, const struct expr_node *n,
                                   const struct solve_state *st)
{
    if (n->op == EXPR_NOT) {
        enum rule_result r = solve_eval(s, n->first, st);
        return r == RULE_UNKNOWN ? r : r == RULE_TRUE ? RULE_FALSE : RULE_TRUE;
    }
    if (n->op == EXPR_AND || n->op == EXPR_OR) {
        enum rule_result ends = n->op == EXPR_AND ? RULE_FALSE : RULE_TRUE;
        enum rule_result all = n->op == EXPR_AND ? RULE_TRUE : RULE_FALSE;
        for (const struct expr_node *part = n->first; part; part = part->next) {
            enum rule_result r = solve_eval(s, part, st);
            if (r == ends)
                return r;
            if (r == RULE_UNKNOWN)
                all = r;
        }
        return all;
    }
    int i = solver_find(s, n);
    uint64_t bit = i < 0 ? 0 : UINT64_C(1) << i;
    return !(st->known & bit) ? RULE_UNKNOWN : st->truth & bit ? RULE_TRUE : RULE_FALSE;
}

/* RULE_FALSE: this branch leads nowhere; RULE_TRUE: all terms are as they must be. */
static enum rule_result solve_terms(const struct lint_solver *s, const struct lint_term *terms,
                                    size_t count, const struct solve_state *st)
{
    enum rule_result all = RULE_TRUE;
    for (size_t i = 0; i < count; i++) {
        enum rule_result r = solve_eval(s, terms[i].node, st);
        if (r == RULE_UNKNOWN)
            all = r;
        else if ((r == RULE_TRUE) != terms[i].truth)
            return RULE_FALSE;
    }
    return all;
}

static bool solve_branch(const struct lint_solver *s, const struct lint_term *terms, size_t count,
                         size_t variable, struct solve_state *st)
{
    enum rule_result r = solve_terms(s, terms, count, st);
    if (r != RULE_UNKNOWN || variable == s->variable_count)
        return r != RULE_FALSE;
    const struct lint_variable *v = &s->variables[variable];
    for (size_t i = 0; i < v->count; i++) {
        if (++st->steps > SOLVE_STEPS)
            return true;
        uint64_t known = st->known, truth = st->truth;
        st->known |= v->parts;
        st->truth = (truth & ~v->parts) | v->worlds[i];
        bool found = solve_branch(s, terms, count, variable + 1, st);
        st->known = known;
        st->truth = truth;
        if (found)
            return true;
    }
    return false;
}

bool lint_possible(struct lint_solver *s, const struct lint_term *terms, size_t count,
                   const struct lint_given *given, size_t given_count)
{
    solver_reset(s);
    for (size_t i = 0; i < count && !s->too_much; i++)
        solver_collect(s, terms[i].node);
    for (size_t i = 0; i < s->variable_count && !s->too_much; i++)
        lint_worlds(s, &s->variables[i], given, given_count);
    struct solve_state st = {0};
    return s->too_much || solve_branch(s, terms, count, 0, &st);
}
