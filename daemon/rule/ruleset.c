/* SPDX-License-Identifier: ISC
 *
 * ruleset - building a rule set from the config tree (see ruleset.h)
 *
 * Work and memory grow with the number of rules, never with its square: names,
 * events and groups are found through maps.
 */
#include "rule/ruleset.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/index.h"
#include "rule/ruleset_set.h"
#include "rule/schedule.h"

void ruleset_fail(struct ruleset_loader *ld, const char *at, const char *fmt, ...)
{
    char what[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    ld->failures++;
    if (ld->lost && !json_object_get(ld->lost, ld->rule->pub.name))
        json_object_set_new(ld->lost, ld->rule->pub.name, json_string(what));
    errlist_add(ld->errors, at, "%s %s: %s",
                ld->rule->pub.escalation ? "escalation" : ld->rule->pub.asked ? ld->rule->pub.asked : "rule",
                ld->rule->pub.name, what);
}

void ruleset_expr_error(void *arg, int col, const char *what)
{
    struct ruleset_loader *ld = arg;
    ruleset_fail(ld, ld->line->at, "%s", what);
    errlist_caret(ld->errors, ld->line->text, col);
}

struct rule_line *ruleset_lines(const json_t *list, const char *rule_at, size_t *count_out)
{
    size_t n = json_array_size(list);
    struct rule_line *lines = mem_array(n, sizeof(*lines));
    for (size_t i = 0; i < n; i++) {
        const json_t *l = json_array_get(list, i);
        lines[i].text = json_get_str(l, "text", "");
        lines[i].at = json_get_str(l, "at", rule_at);
    }
    *count_out = n;
    return lines;
}

void ruleset_read_when(struct ruleset_loader *ld)
{
    struct ruleset_rule *r = ld->rule;
    r->when = mem_array(r->pub.when_count, sizeof(*r->when));
    for (size_t i = 0; i < r->pub.when_count; i++) {
        ld->line = &r->pub.when[i];
        r->when[i] = expr_compile(&ld->rs->expr_env, ld->line->text, ruleset_expr_error, ld);
    }
}

void ruleset_read_do(struct ruleset_loader *ld, const struct rule *r)
{
    const struct ruleset_env *env = &ld->rs->env;
    if (r->command_count == 0 && r->stop == RULE_STOP_NO && !r->asked)
        ruleset_fail(ld, r->at, "has nothing to do: give it `do` or `stop`");
    for (size_t i = 0; env->check_do && i < r->command_count; i++) {
        const struct rule_line *l = &r->commands[i];
        struct err e = {0};
        int col = -1;
        if (env->check_do(env->arg, l->text, &e, &col) == 0)
            continue;
        ruleset_fail(ld, l->at, "%s", e.text);
        if (col >= 0)
            errlist_caret(ld->errors, l->text, col);
    }
}

static const char *ruleset_nearest_on(const struct ruleset *rs, const char *on)
{
    const char **names = mem_array(rs->env.event_count * 2, sizeof(*names));
    size_t n = 0;
    for (size_t i = 0; i < rs->env.event_count; i++) {
        names[n++] = rs->env.events[i].name;
        if (rs->env.events[i].entity)
            names[n++] = rs->env.events[i].entity;
    }
    const char *near = text_nearest(on, names, n);
    mem_free(names);
    return near;
}

static void ruleset_event_add(struct ruleset *rs, size_t event, int rule)
{
    struct ruleset_event *ev = &rs->events[event];
    if (ev->count == ev->cap) {
        ev->cap = ev->cap ? ev->cap * 2 : 8;
        ev->rules = mem_grow(ev->rules, ev->cap * sizeof(*ev->rules));
    }
    ev->rules[ev->count++] = rule;
}

static void ruleset_read_on(struct ruleset_loader *ld, const json_t *def)
{
    struct ruleset *rs = ld->rs;
    struct rule *r = &ld->rule->pub;
    const json_t *on = json_get_obj(def, "on");
    const char *at = json_get_str(on, "at", r->at);
    r->on = "";
    if (r->asked || json_object_get(def, "every")) /* of no event: ruleset_time.c */
        return;
    if (!on) {
        ruleset_fail(ld, at, "on is missing: the event that wakes it, or every for times");
        return;
    }
    r->on = json_get_str(on, "text", "");
    int event = rule_map_get(&rs->by_event, r->on, strlen(r->on));
    bool known = event >= 0;
    if (known)
        ruleset_event_add(rs, (size_t)event, r->index);
    for (size_t i = 0; !known && i < rs->env.event_count; i++)
        if (rs->env.events[i].entity && strcmp(rs->env.events[i].entity, r->on) == 0) {
            ruleset_event_add(rs, i, r->index);
            r->edge = true;
        }
    if (!known && !r->edge) {
        const char *near = ruleset_nearest_on(rs, r->on);
        ruleset_fail(ld, at, "unknown event \"%s\"%s%s%s", r->on, near ? "; did you mean \"" : "",
                     near ? near : "", near ? "\"?" : "");
    }
    if (r->edge && r->when_count == 0)
        ruleset_fail(ld, at,
                     "on = \"%s\" means \"when the conditions become true\", so it needs `when`; or "
                     "name an event such as \"%s.created\"", r->on, r->on);
}

static void ruleset_read_flow(struct ruleset_loader *ld, const json_t *def)
{
    struct rule *r = &ld->rule->pub;
    struct rule_map *groups = &ld->rs->by_group;
    const char *stop = json_get_str(def, "stop", NULL);
    r->group = json_get_str(def, "first", NULL);
    ld->rule->group = -1;
    if (r->group) {
        rule_map_add(groups, r->group, strlen(r->group), (int)groups->count);
        ld->rule->group = rule_map_get(groups, r->group, strlen(r->group));
    }
    if (json_get_bool(def, "stop", false))
        r->stop = RULE_STOP_EVENT;
    else if (stop)
        r->stop = strcmp(stop, "all") == 0 ? RULE_STOP_ALL : RULE_STOP_EVENT;
}

bool ruleset_name(struct ruleset_loader *ld)
{
    struct rule *r = &ld->rule->pub;
    struct rule_map *names = &ld->rs->by_name;
    if (rule_map_add(names, r->name, strlen(r->name), r->index))
        return true;
    const struct rule *first = &ld->rs->rules[rule_map_get(names, r->name, strlen(r->name))].pub;
    ruleset_fail(ld, r->at, "there is %s of this name already (%s)",
                 first->escalation ? "an escalation" : "a rule", first->at);
    return false;
}

static void ruleset_read_rule(struct ruleset_loader *ld, const json_t *def, int index)
{
    struct ruleset_rule *r = ld->rule = &ld->rs->rules[index];
    r->pub.index = index;
    r->pub.name = json_get_str(def, "name", "?");
    r->pub.at = json_get_str(def, "at", "?");
    r->pub.asked = json_get_str(def, "asked", NULL);
    r->pub.when = ruleset_lines(json_get_arr(def, "when"), r->pub.at, &r->pub.when_count);
    r->pub.commands = ruleset_lines(json_get_arr(def, "do"), r->pub.at, &r->pub.command_count);
    ruleset_name(ld);
    ruleset_read_flow(ld, def);
    ruleset_read_on(ld, def);
    ruleset_read_when(ld);
    ruleset_read_do(ld, &r->pub);
    ruleset_read_time(ld, def);
}

/* What this room does not read and decides all the same: another order of territories is
 * another set. */
static void ruleset_take_others(struct ruleset *rs, const json_t *config)
{
    json_t *territories = json_object_get(config, "territories"), *list, *def,
           *pools = json_get_obj(config, "pools");
    const char *name;
    if (json_object_size(pools))
        json_object_set_new(rs->source, "pools", json_deep_copy(pools));
    if (json_is_array(territories)) /* of a set that was kept */
        json_object_set_new(rs->source, "territories", json_deep_copy(territories));
    if (!json_object_size(territories))
        return;
    json_object_set_new(rs->source, "territories", list = json_array());
    json_object_foreach(territories, name, def) {
        json_t *one = json_copy(def);
        json_put_str(one, "name", name);
        json_array_append_new(list, one);
    }
}

/* Copies what makes the set: the caller's tree may go. "calendar" and "time_zone" are in a
 * source only. */
static void ruleset_take_source(struct ruleset *rs, const json_t *config)
{
    json_t *rules = json_get_arr(config, "rules"), *tables = json_get_obj(config, "tables"),
           *calendars = json_get_obj(config, "calendars");
    const char *calendar = json_get_str(config, "calendar", rs->env.calendar);
    rs->source = json_object();
    json_object_set_new(rs->source, "rules", rules ? json_incref(rules) : json_array());
    json_object_set_new(rs->source, "tables", tables ? json_incref(tables) : json_object());
    if (json_object_size(calendars))
        json_object_set_new(rs->source, "calendars", json_deep_copy(calendars));
    if (json_object_size(json_get_obj(config, "escalations")))
        json_object_set_new(rs->source, "escalations",
                            json_deep_copy(json_get_obj(config, "escalations")));
    if (json_object_size(calendars) && calendar)
        json_put_str(rs->source, "calendar", calendar);
    ruleset_take_others(rs, config);
    json_put_str(rs->source, "time_zone", json_get_str(config, "time_zone", rs->env.time_zone));
    rs->source_text = json_text(rs->source);
    hash_sha256_hex(rs->source_text, strlen(rs->source_text), rs->hash);
}

static void ruleset_read_all(struct ruleset *rs, struct errlist *errors, json_t *lost)
{
    const json_t *rules = json_get_arr(rs->source, "rules");
    json_t *escalations = json_get_obj(rs->source, "escalations"), *def;
    size_t n = json_array_size(rules);
    const char *name;
    struct ruleset_loader ld = {.rs = rs, .errors = errors, .lost = lost};
    if (n + json_object_size(escalations) > BOUND_RULES) {
        errlist_add(errors, NULL, "%zu rules: at most %d are possible", n, BOUND_RULES);
        return;
    }
    rs->rules = mem_array(n + json_object_size(escalations), sizeof(*rs->rules));
    rule_map_init(&rs->by_name, n);
    for (size_t i = 0; i < n; i++) {
        rs->count++;
        ruleset_read_rule(&ld, json_array_get(rules, i), (int)i);
    }
    rs->first_escalation = n;
    json_object_foreach(escalations, name, def)
    {
        ld.rule = &rs->rules[rs->count];
        ld.rule->pub.index = (int)rs->count++;
        ld.rule->pub.name = name;
        ruleset_read_escalation(&ld, def);
    }
}

static struct ruleset *ruleset_build(const json_t *config, const struct ruleset_env *env,
                                     struct errlist *errors, json_t *lost)
{
    size_t before = errlist_total(errors);
    struct ruleset *rs = mem_alloc(sizeof(*rs));
    rs->env = *env;
    ruleset_take_source(rs, config);
    rs->tables = rule_tables_new(json_get_obj(rs->source, "tables"), errors);
    rs->calendars = calendars_new(json_get_obj(rs->source, "calendars"), errors);
    const char *calendar = json_get_str(rs->source, "calendar", NULL);
    rs->calendar = calendar ? calendars_find(rs->calendars, calendar) : NULL;
    rs->expr_env = (struct expr_env){
        .fields = env->fields,
        .tables = rs->tables,
        .time_zone = json_get_str(rs->source, "time_zone", NULL)};
    rs->events = mem_array(env->event_count, sizeof(*rs->events));
    for (size_t i = 0; i < env->event_count; i++)
        rule_map_add(&rs->by_event, env->events[i].name, strlen(env->events[i].name), (int)i);
    ruleset_read_all(rs, errors, lost);
    if (errlist_total(errors) > before)
        ruleset_free(&rs);
    if (!rs)
        return NULL;
    ruleset_collect_fields(rs);
    rs->index = rule_index_new(rs);
    return rs;
}

struct ruleset *ruleset_new(const json_t *config, const struct ruleset_env *env,
                            struct errlist *errors)
{
    return ruleset_build(config, env, errors, NULL);
}

struct ruleset *ruleset_then(const json_t *source, const struct ruleset_env *env, json_t *lost)
{
    struct errlist errors AUTO_ERRLIST;
    struct ruleset_env lenient = *env;
    const char *name;
    const json_t *why;
    lenient.check_do = NULL; /* nothing will be run */
    errlist_init(&errors, 1);
    struct ruleset *rs = ruleset_build(source, &lenient, &errors, lost);
    if (rs || json_object_size(lost) == 0)
        return rs;
    AUTO_JSON json_t *left = json_copy((json_t *)source), *rules = json_array(),
                     *escalations = json_copy(json_get_obj(source, "escalations"));
    const json_t *all = json_get_arr(source, "rules");
    for (size_t i = 0; i < json_array_size(all); i++)
        if (!json_object_get(lost, json_get_str(json_array_get(all, i), "name", "?")))
            json_array_append(rules, json_array_get(all, i));
    json_object_foreach(lost, name, why)
        json_object_del(escalations, name);
    json_object_set(left, "rules", rules);
    if (escalations)
        json_object_set(left, "escalations", escalations);
    return ruleset_build(left, &lenient, &errors, NULL);
}

static void ruleset_rule_done(struct ruleset_rule *r)
{
    for (size_t i = 0; r->when && i < r->pub.when_count; i++)
        expr_free(&r->when[i]);
    mem_free(r->when);
    mem_free(r->waits);
    expr_free(&r->until);
    schedule_free(&r->schedule);
    ruleset_escalation_free(&r->escalation);
    mem_free((void *)r->pub.when);
    mem_free((void *)r->pub.commands);
}

void ruleset_free(struct ruleset **set)
{
    struct ruleset *rs = *set;
    if (!rs)
        return;
    rule_index_free(&rs->index);
    for (size_t i = 0; i < rs->count; i++)
        ruleset_rule_done(&rs->rules[i]);
    for (size_t i = 0; i < rs->env.event_count; i++) {
        mem_free(rs->events[i].rules);
        mem_free(rs->events[i].fields);
        mem_free(rs->events[i].states);
    }
    mem_free(rs->rules);
    mem_free(rs->events);
    rule_map_done(&rs->by_name);
    rule_map_done(&rs->by_event);
    rule_map_done(&rs->by_group);
    rule_tables_free(&rs->tables);
    calendars_free(&rs->calendars);
    mem_free(rs->source_text);
    json_decref(rs->source);
    mem_free(rs);
    *set = NULL;
}

size_t ruleset_count(const struct ruleset *rs)
{
    return rs->count;
}

size_t ruleset_first_escalation(const struct ruleset *rs)
{
    return rs->first_escalation;
}

const struct rule *ruleset_rule(const struct ruleset *rs, size_t i)
{
    LEADD_ASSERT(i < rs->count);
    return &rs->rules[i].pub;
}

const struct rule *ruleset_find(const struct ruleset *rs, const char *name)
{
    int i = rule_map_get(&rs->by_name, name, strlen(name));
    return i < 0 ? NULL : &rs->rules[i].pub;
}

const struct calendars *ruleset_calendars(const struct ruleset *rs)
{
    return rs->calendars;
}

bool ruleset_has_timers(const struct ruleset *rs)
{
    return rs->has_timers;
}

const struct expr_env *ruleset_expr_env(const struct ruleset *rs)
{
    return &rs->expr_env;
}

const char *ruleset_hash(const struct ruleset *rs)
{
    return rs->hash;
}

const char *ruleset_source(const struct ruleset *rs)
{
    return rs->source_text;
}
