/* SPDX-License-Identifier: ISC
 *
 * ruleset_time - when a rule runs, how often, and for whom: after, again, max,
 * until, once, cooldown, mode, canary, valid_from, valid_to, every, over
 *
 * Keys that would be ignored beside others are refused: whoever wrote them meant
 * something. Nothing here reads a clock: what has to do with the present time is
 * asked through rule_facts.gate.
 */
#include "rule/ruleset.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/expr_ast.h"
#include "rule/ruleset_set.h"
#include "rule/schedule.h"

/* The line of a key, with its place; false when the rule does not have it. */
static bool time_line(const struct ruleset_loader *ld, const json_t *def, const char *key,
                      struct rule_line *out)
{
    const json_t *v = json_get_obj(def, key);
    *out = (struct rule_line){json_get_str(v, "text", ""),
                              json_get_str(v, "at", ld->rule->pub.at)};
    return v != NULL;
}

static void time_span(struct ruleset_loader *ld, const json_t *def, const char *key,
                      struct rule_span *out)
{
    struct rule_line l;
    if (!time_line(ld, def, key, &l))
        return;
    struct err e = {0};
    int col = 0;
    *out = (struct rule_span){.text = l.text, .at = l.at};
    if (calendar_span_parse(l.text, ld->rs->calendars, ld->rs->calendar, &out->span, &e, &col) < 0) {
        ruleset_fail(ld, l.at, "%s: %s", key, e.text);
        errlist_caret(ld->errors, l.text, col);
    } else if (out->span.ms <= 0) {
        ruleset_fail(ld, l.at, "%s: must be longer than nothing", key);
    }
}

static void time_schedule(struct ruleset_loader *ld, const struct rule_line *l)
{
    struct err e = {0};
    int col = 0;
    ld->rule->schedule = schedule_new(l->text, ld->rs->env.time_zone, ld->rs->calendars,
                                      ld->rs->calendar, &e, &col);
    ld->rule->pub.schedule = ld->rule->schedule;
    if (ld->rule->schedule)
        return;
    ruleset_fail(ld, l->at, "every: %s", e.text);
    errlist_caret(ld->errors, l->text, col);
}

static void time_date(struct ruleset_loader *ld, const json_t *def, const char *key, bool end,
                      int64_t *out)
{
    struct rule_line l;
    int64_t lo, hi;
    const char *zone = ld->rs->env.time_zone;
    if (!time_line(ld, def, key, &l))
        return;
    if (expr_time_parse(l.text, zone, &lo, &hi) < 0) {
        if (clock_no_such_day(l.text))
            ruleset_fail(ld, l.at, "%s: there is no such day", key);
        else
            ruleset_fail(ld, l.at, "%s: expected a date such as \"2026-12-01\", or with a time "
                         "\"2026-12-01 08:00\"", key);
        errlist_caret(ld->errors, l.text, 0);
        return;
    }
    *out = end ? hi : lo;
}

/* ---- what a condition is about ----------------------------------------------- */

static bool node_asks_event(const struct ruleset *rs, const struct expr_node *n)
{
    const struct ruleset_env *env = &rs->env;
    if (n->op == EXPR_CHANGED || n->op == EXPR_ENTERED)
        return true;
    for (size_t i = 0; i < n->arg_count; i++)
        if (n->args[i].was || (env->of_event && n->args[i].kind == ARG_FIELD &&
                               env->of_event(env->arg, n->args[i].field)))
            return true;
    for (const struct expr_node *p = n->first; p; p = p->next)
        if (node_asks_event(rs, p))
            return true;
    return false;
}

bool ruleset_asks_event(const struct ruleset *rs, const struct expr *x)
{
    return node_asks_event(rs, x->root);
}

/* "message.subject contains 'x' and lead.score > 5": one half can be asked again,
 * the other cannot. */
static bool mixes_event(const struct ruleset *rs, const struct expr *x)
{
    bool yes = false, no = false;
    if (x->root->op != EXPR_AND)
        return false;
    for (const struct expr_node *p = x->root->first; p; p = p->next) {
        yes |= node_asks_event(rs, p);
        no |= !node_asks_event(rs, p);
    }
    return yes && no;
}

static void time_conditions(struct ruleset_loader *ld)
{
    struct ruleset_rule *r = ld->rule;
    r->waits = mem_array(r->pub.when_count, sizeof(*r->waits));
    for (size_t i = 0; i < r->pub.when_count; i++) {
        const struct rule_line *l = &r->pub.when[i];
        if (!r->when[i])
            continue; /* told already */
        r->waits[i] = !ruleset_asks_event(ld->rs, r->when[i]);
        if (r->pub.timed && mixes_event(ld->rs, r->when[i])) {
            ruleset_fail(ld, l->at, "with after or again, what asks about the event (a message, a "
                         "form, the actor, changed) is decided at once and the rest again later: "
                         "write them as two lines of when");
            errlist_caret(ld->errors, l->text, 0);
        }
        if ((r->pub.every || r->pub.asked) && !r->waits[i])
            ruleset_fail(ld, l->at, "a %s has no event to ask about: %s",
                         r->pub.asked ? r->pub.asked : "rule with every", l->text);
    }
}

static void time_until(struct ruleset_loader *ld, const json_t *def)
{
    struct ruleset_rule *r = ld->rule;
    if (!time_line(ld, def, "until", &r->until_line))
        return;
    r->pub.until = ld->line = &r->until_line;
    r->until = expr_compile(&ld->rs->expr_env, r->until_line.text, ruleset_expr_error, ld);
    if (!r->pub.timed)
        ruleset_fail(ld, r->until_line.at, "until ends the waiting of after or again, and there is "
                     "neither; put it into when");
    if (r->until && ruleset_asks_event(ld->rs, r->until))
        ruleset_fail(ld, r->until_line.at, "until is asked later, when there is no event any more; "
                     "it can name only fields of records");
}

/* ---- what goes together --------------------------------------------------------- */

static void time_check(struct ruleset_loader *ld, const json_t *def)
{
    const struct rule *r = &ld->rule->pub;
    if (json_object_get(def, "late") && !r->timed && !r->every)
        ruleset_fail(ld, r->at, "late is for what waits for a time: after, again or every, and there is "
                     "none of them");
    if (r->timed && (r->group || r->stop != RULE_STOP_NO))
        ruleset_fail(ld, r->at, "%s belongs to the moment of the event, when a rule with %s does "
                     "not run yet", r->group ? "first" : "stop", r->after.text ? "after" : "again");
    if (r->once && (r->max || r->again.text))
        ruleset_fail(ld, r->at, "once means one time only: %s does not go with it",
                     r->max ? "max" : "again");
    if (r->mode == RULE_CANARY && !r->canary)
        ruleset_fail(ld, r->at, "mode = \"canary\" needs canary, the share in percent");
    if (r->canary && r->mode != RULE_CANARY)
        ruleset_fail(ld, r->at, "canary is only for mode = \"canary\"");
    if (r->valid_from > r->valid_to)
        ruleset_fail(ld, r->at, "valid_to is before valid_from: the rule never counts");
    if (r->every && json_object_get(def, "on"))
        ruleset_fail(ld, r->at, "on is for events and every for times: a rule has one of them");
    if (r->every && !r->over)
        ruleset_fail(ld, r->at, "every needs over, the kind of record: \"lead\"");
    if (r->over && !r->every)
        ruleset_fail(ld, r->at, "over is only for a rule with every");
    if (r->every && (r->timed || r->group || r->stop != RULE_STOP_NO))
        ruleset_fail(ld, r->at, "%s does not go with every",
                     r->timed ? "after or again" : r->group ? "first" : "stop");
}

static enum rule_mode time_mode(const json_t *def)
{
    const char *mode = json_get_str(def, "mode", "live");
    return strcmp(mode, "shadow") == 0   ? RULE_SHADOW_MODE
           : strcmp(mode, "canary") == 0 ? RULE_CANARY
                                         : RULE_LIVE;
}

void ruleset_read_time(struct ruleset_loader *ld, const json_t *def)
{
    struct rule *r = &ld->rule->pub;
    struct rule_line every;
    time_span(ld, def, "after", &r->after);
    time_span(ld, def, "again", &r->again);
    time_span(ld, def, "cooldown", &r->cooldown);
    r->late_skip = strcmp(json_get_str(def, "late", "run"), "skip") == 0;
    r->valid_to = INT64_MAX;
    time_date(ld, def, "valid_from", false, &r->valid_from);
    time_date(ld, def, "valid_to", true, &r->valid_to);
    r->every = time_line(ld, def, "every", &every) ? every.text : NULL;
    if (r->every)
        time_schedule(ld, &every);
    r->over = json_get_str(def, "over", NULL);
    r->max = (int)json_get_int(def, "max", 0);
    r->once = json_get_bool(def, "once", false);
    r->mode = time_mode(def);
    r->canary = (int)json_get_int(def, "canary", 0);
    r->timed = r->after.text || r->again.text;
    ld->rs->has_timers |= r->timed;
    r->limited = r->once || r->cooldown.text || (r->max && !r->again.text);
    r->gated = r->limited || r->timed || r->mode != RULE_LIVE || r->valid_from ||
               r->valid_to != INT64_MAX;
    time_until(ld, def);
    time_conditions(ld);
    time_check(ld, def);
}
