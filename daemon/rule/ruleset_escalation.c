/* SPDX-License-Identifier: ISC
 *
 * ruleset_escalation - a state that must not last, and its levels
 *
 * An escalation stands in the set as a rule of no event, with its conditions and
 * without commands: it is asked, told and explained as rules are. Each level is
 * the same rule with the commands of that level.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "rule/ruleset_set.h"

static const char *level_at(const json_t *def, const struct rule *r)
{
    return json_get_str(def, "at", r->at);
}

static void level_after(struct ruleset_loader *ld, const json_t *def, int64_t before_ms,
                        struct rule_level *out)
{
    const json_t *line = json_get_obj(def, "after");
    const char *text = json_get_str(line, "text", "");
    const char *at = json_get_str(line, "at", level_at(def, &ld->rule->pub));
    if (strstr(text, "business")) {
        ruleset_fail(ld, at, "after: business time is asked for with calendar, for all levels");
    } else if (text_parse_duration(text, &out->after_ms) < 0) {
        ruleset_fail(ld, at, "after: expected a duration such as \"30m\" or \"1d 12h\"");
        errlist_caret(ld->errors, text, 0);
    } else if (!calendar_reaches(ld->rule->escalation->calendar, out->after_ms)) {
        ruleset_fail(ld, at, "after: the calendar \"%s\" is not open that long in ten years",
                     calendar_name(ld->rule->escalation->calendar));
        errlist_caret(ld->errors, text, 0);
    } else if (out->after_ms <= before_ms) {
        ruleset_fail(ld, at, "after: %s is not later than the level before", text);
    }
}

static void read_levels(struct ruleset_loader *ld, const json_t *list, struct rule_escalation *x)
{
    size_t n = json_array_size(list);
    struct rule_level *levels = mem_array(n, sizeof(*levels));
    x->levels = levels;
    if (n == 0)
        ruleset_fail(ld, ld->rule->pub.at, "has no levels");
    for (size_t i = 0; i < n; i++) {
        const json_t *def = json_array_get(list, i);
        struct rule_level *l = &levels[i];
        l->run = ld->rule->pub;
        l->run.at = level_at(def, &ld->rule->pub);
        l->run.commands = ruleset_lines(json_get_arr(def, "do"), l->run.at, &l->run.command_count);
        x->level_count++;
        level_after(ld, def, i ? levels[i - 1].after_ms : 0, l);
        ruleset_read_do(ld, &l->run);
    }
}

static void read_clock(struct ruleset_loader *ld, const json_t *def, struct rule_escalation *x)
{
    const struct rule *r = &ld->rule->pub;
    const char *since = json_get_str(def, "since", "created"), *near;
    const char *calendar = json_get_str(def, "calendar", NULL);
    x->since = strcmp(since, "touched") == 0   ? RULE_SINCE_TOUCHED
               : strcmp(since, "created") == 0 ? RULE_SINCE_CREATED
                                               : RULE_SINCE_UNTOUCHED;
    if (x->since != RULE_SINCE_CREATED && strcmp(r->over, "task") == 0)
        ruleset_fail(ld, r->at, "since: of a task only \"created\" is known");
    x->pauses = json_get_bool(def, "pause_while_waiting", false);
    if (x->pauses && strcmp(r->over, "lead") != 0 && strcmp(r->over, "case") != 0)
        ruleset_fail(ld, r->at, "pause_while_waiting is for leads and cases: nobody waits for the "
                     "customer in a %s", r->over);
    x->calendar = calendar ? calendars_find(ld->rs->calendars, calendar) : NULL;
    if (!calendar || x->calendar)
        return;
    near = calendars_nearest(ld->rs->calendars, calendar);
    ruleset_fail(ld, r->at, "there is no calendar \"%s\"%s%s%s", calendar,
                 near ? "; did you mean \"" : "; define it in calendars of a rule file",
                 near ? near : "", near ? "\"?" : "");
}

static void read_conditions(struct ruleset_loader *ld)
{
    struct ruleset_rule *r = ld->rule;
    if (r->pub.when_count == 0)
        ruleset_fail(ld, r->pub.at, "has no conditions: say in when which state must not last");
    ruleset_read_when(ld);
    r->waits = mem_array(r->pub.when_count, sizeof(*r->waits));
    for (size_t i = 0; i < r->pub.when_count; i++) {
        r->waits[i] = true;
        if (!r->when[i] || !ruleset_asks_event(ld->rs, r->when[i]))
            continue;
        ruleset_fail(ld, r->pub.when[i].at, "a state lasts, and has no message, form or other event "
                     "to ask about: %s", r->pub.when[i].text);
    }
}

void ruleset_read_escalation(struct ruleset_loader *ld, const json_t *def)
{
    struct ruleset_rule *r = ld->rule;
    r->escalation = mem_alloc(sizeof(*r->escalation));
    r->pub.escalation = r->escalation;
    r->pub.at = json_get_str(def, "at", "?");
    r->pub.on = "";
    r->pub.over = json_get_str(def, "on", "lead");
    r->pub.valid_to = INT64_MAX;
    r->pub.when = ruleset_lines(json_get_arr(def, "when"), r->pub.at, &r->pub.when_count);
    r->group = -1;
    ruleset_name(ld);
    read_conditions(ld);
    read_clock(ld, def, r->escalation);
    read_levels(ld, json_get_arr(def, "levels"), r->escalation);
}

void ruleset_escalation_free(struct rule_escalation **escalation)
{
    struct rule_escalation *x = *escalation;
    if (!x)
        return;
    for (size_t i = 0; i < x->level_count; i++)
        mem_free((void *)x->levels[i].run.commands);
    mem_free((void *)x->levels);
    mem_free(x);
    *escalation = NULL;
}
