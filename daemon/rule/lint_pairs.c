/* SPDX-License-Identifier: ISC
 *
 * lint_pairs - rules that another rule takes the place of, see lint.h
 *
 * An earlier rule of the same event that matches whenever the later one does,
 * and then takes its group or stops the event, leaves it nothing. That holds only
 * when no rule in between changes what the earlier one asked about, and when the
 * earlier one runs whenever it matches: a rule with limits or a timer takes no
 * group.
 */
#include <string.h>

#include "base/mem.h"
#include "rule/lint_set.h"

/* Rules on the same event in order, so that only those are compared. */
struct pairs {
    struct lint *l;
    int *by_on; /* own; number of the event or kind of record, by rule */
};

/* Cheap, and right when it says no: a part of `broad` about a field must follow
 * from a part of `narrow` about the same field. */
static bool pair_likely(const struct lint_rule *narrow, const struct lint_rule *broad)
{
    for (size_t i = 0; i < broad->when_count; i++) {
        const struct lint_conjunct *b = &broad->when[i];
        bool found = b->field < 0;
        for (size_t k = 0; k < narrow->when_count && b->field >= 0; k++) {
            const struct lint_conjunct *n = &narrow->when[k];
            found |= n->field == b->field || n->field < 0;
            if (n->field == b->field && n->marks && b->marks && (n->marks & ~b->marks))
                return false;
        }
        if (!found)
            return false;
    }
    return true;
}

/* May a rule between the two change what the first asked about? One of their own
 * group does not matter: it would take the group itself. */
static bool pair_disturbed(const struct pairs *p, const struct lint_rule *first,
                           const struct lint_rule *later)
{
    for (int i = first->pub->index + 1; i < later->pub->index; i++) {
        const struct lint_rule *r = &p->l->rules[i];
        bool runs = r->pub->edge || p->by_on[i] == p->by_on[first->pub->index];
        bool same = r->rule->group >= 0 && r->rule->group == first->rule->group &&
                    first->rule->group == later->rule->group;
        if (!runs || r->dead || (same && !r->pub->gated))
            continue;
        if (lint_touches(r, first))
            return true;
    }
    return false;
}

static bool pair_covers(struct pairs *p, const struct lint_rule *first,
                        const struct lint_rule *later)
{
    if (!pair_likely(later, first) || !lint_implies(p->l, later, first))
        return false;
    if (first->pub->edge && (!pair_likely(first, later) || !lint_implies(p->l, first, later)))
        return false; /* both turn true at the same time only if they are the same */
    return !pair_disturbed(p, first, later);
}

static void found_shadowed(struct lint *l, struct lint_rule *r, const struct lint_rule *by)
{
    AUTO_FREE char *advice = mem_printf("move it before %s, or make that one narrower",
                                        by->pub->name);
    r->dead = true;
    lint_add(l, r, NULL, "shadowed", advice,
             by->when_count ? "is never reached: whenever it matches, %s (%s) of the group \"%s\" "
                              "has matched before it"
                            : "is never reached: %s (%s) of the group \"%s\" always matches before it",
             by->pub->name, by->pub->at, by->pub->group);
}

static void found_unreachable(struct lint *l, struct lint_rule *r, const struct lint_rule *by)
{
    AUTO_FREE char *advice = mem_printf("move it before %s, or take stop away there", by->pub->name);
    r->dead = true;
    lint_add(l, r, NULL, "unreachable", advice, "is never reached: %s (%s) stops the event before it",
             by->pub->name, by->pub->at);
}

static const struct rule_line *pair_same_command(const struct rule *a, const struct rule *b)
{
    for (size_t i = 0; i < b->command_count; i++)
        for (size_t k = 0; k < a->command_count; k++)
            if (strcmp(a->commands[k].text, b->commands[i].text) == 0)
                return &b->commands[i];
    return NULL;
}

static void pair_duplicate(struct pairs *p, const struct lint_rule *first, struct lint_rule *later)
{
    const struct rule_line *same = pair_same_command(first->pub, later->pub);
    if (!same || first->pub->group || later->pub->gated || !pair_likely(first, later) ||
        !lint_implies(p->l, first, later) || !pair_covers(p, first, later))
        return;
    AUTO_FREE char *advice = mem_printf("take it out of one of them");
    lint_add(p->l, later, same, "duplicate", advice, "`%.200s` is done by %s (%s), too, under the "
             "same conditions", same->text, first->pub->name, first->pub->at);
}

static bool pair_look(struct pairs *p, const struct lint_rule *first, struct lint_rule *later)
{
    bool group = first->rule->group >= 0 && first->rule->group == later->rule->group;
    bool stop = first->pub->stop != RULE_STOP_NO && !first->pub->edge;
    if ((group || stop) && pair_covers(p, first, later)) {
        if (group)
            found_shadowed(p->l, later, first);
        else
            found_unreachable(p->l, later, first);
        return true;
    }
    pair_duplicate(p, first, later);
    return false;
}

void lint_pairs(struct lint *l)
{
    struct rule_map names = {0};
    struct pairs p = {.l = l, .by_on = mem_array(l->count + 1, sizeof(*p.by_on))};
    for (size_t i = 0; i < l->count; i++) {
        const char *on = l->rules[i].pub->on;
        rule_map_add(&names, on, strlen(on), (int)names.count);
        p.by_on[i] = rule_map_get(&names, on, strlen(on));
    }
    for (size_t i = 1; i < l->count && l->questions > 0; i++) {
        struct lint_rule *later = &l->rules[i];
        for (size_t k = 0; k < i && !later->dead && *later->pub->on; k++) {
            const struct lint_rule *first = &l->rules[k];
            if (p.by_on[k] == p.by_on[i] && !first->dead && !first->pub->gated &&
                pair_look(&p, first, later))
                break;
        }
    }
    rule_map_done(&names);
    mem_free(p.by_on);
}
