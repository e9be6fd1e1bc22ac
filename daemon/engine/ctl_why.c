/* SPDX-License-Identifier: ISC
 *
 * ctl_why - what was decided about a record, and why (promise 3)
 *
 * Read from the journal, which keeps for every event what was decided from and which
 * rules ran; the rule set of that time decides again and gives file and line, even when
 * the rules have changed on disk (why_again.c). The text tells times in settings.time_zone,
 * the passes beside it in UTC as they are stored.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "engine/ctl.h"
#include "engine/why.h"
#include "rule/ruleset.h"
#include "store/journal.h"

#define WHY_TEXT (1024 * 1024)

struct why {
    struct engine *eng;
    struct buf *out;
    json_t *row;        /* journal row */
    const char *only;   /* of this rule alone; NULL: of all */
    struct why_rules rules; /* of that time */
    const json_t *doer; /* the event that says who did it: it holds for those after */
};

/* The rule of that name in the rule set of that time, or NULL. */
static const json_t *rule_then(const struct why *w, const char *name)
{
    size_t i;
    json_t *r;
    json_array_foreach(json_get_arr(w->rules.source, "rules"), i, r)
        if (strcmp(json_get_str(r, "name", ""), name) == 0)
            return r;
    return json_get_obj(json_get_obj(w->rules.source, "escalations"), name);
}

static const char *why_zone(const struct why *w)
{
    return engine_setting(w->eng, "time_zone", "UTC");
}

/* Rules keep a time that they saw as "2026-11-21 10:00:00 UTC". */
static const char *value_told(const struct why *w, const char *value, char *out, size_t n)
{
    char utc[32];
    if (strlen(value) != strlen("2026-11-21 10:00:00 UTC") || strcmp(value + 19, " UTC") != 0)
        return value;
    snprintf(utc, sizeof(utc), "%.10sT%.8sZ", value, value + 11);
    const char *told = crm_when_retell(why_zone(w), utc, true, out, n);
    return told ? told : value;
}

/* said: the condition that is false; where it is a field alone, nothing is left to tell. */
static void why_seen(const struct why *w, const json_t *decision, const char *said)
{
    char when[40];
    size_t i;
    json_t *seen, *first = json_array_get(json_get_arr(json_get_obj(decision, "trace"), "seen"), 0);
    if (strcmp(json_get_str(first, "field", ""), said) == 0 &&
        strcmp(json_get_str(first, "value", ""), "false") == 0)
        return;
    json_array_foreach(json_get_arr(json_get_obj(decision, "trace"), "seen"), i, seen) {
        const char *sealed = json_get_str(seen, "sealed", NULL),
                   *value = json_get_str(seen, "value", NULL);
        if (sealed)
            value = json_get_str(json_get_obj(w->row, "personal"), sealed, "(erased)");
        buf_printf(w->out, "%s %s is %s", i ? "," : ":", json_get_str(seen, "field", "?"),
                   value ? value_told(w, value, when, sizeof(when)) : "not set");
    }
}

/* The stable names of rule_outcome_name, as people say them. */
static const char *outcome_text(const char *outcome)
{
    static const char *const texts[][2] = {
        {"matched", "matched"},
        {"not_true", "did not match"},
        {"not_new", "was true before"},
        {"group_taken", "not asked: the group was taken"},
        {"stopped", "not asked: stopped"},
        {"cannot_know", "cannot know now"},
        {"waits", "waits"},
        {"limited", "did not run:"},
        {"shadow", "shadow:"},
        {"not_canary", "canary:"},
        {"not_valid", "not in effect:"},
        {"over_budget", "held back:"},
        {"ended", "ended:"},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (strcmp(texts[i][0], outcome) == 0)
            return texts[i][1];
    return outcome;
}

/* What the gate said: "cooldown until 2026-11-22 10:00:00". */
static void why_gate(const struct why *w, const json_t *d)
{
    char when[40];
    int64_t until = json_get_int(d, "until_ms", 0);
    const char *reason = json_get_str(d, "reason", NULL);
    if (reason)
        buf_printf(w->out, " %s", reason);
    if (until)
        buf_printf(w->out, " %s", crm_when_tell(why_zone(w), until, true, when, sizeof(when)));
}

/* The commands that a shadow rule would have run. */
static void why_would(const struct why *w, const json_t *rule)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_get_arr(rule, "do"), i, line)
        buf_printf(w->out, "      %s -> not done\n", json_get_str(line, "text", "?"));
}

/* Through the territories, one line each: "dach (20-a.conf:7): ... is false: ...". */
static void why_walk(const struct why *w, const json_t *command)
{
    size_t i;
    json_t *step;
    json_array_foreach(json_get_arr(command, "walk"), i, step) {
        const json_t *trace = json_get_obj(step, "trace");
        buf_printf(w->out, "        territory %s (%s): ", json_get_str(step, "territory", "?"),
                   json_get_str(step, "at", "?"));
        if (!trace) {
            buf_str(w->out, "holds\n");
            continue;
        }
        const char *said = json_get_str(trace, "part", json_get_str(step, "when", "?"));
        buf_printf(w->out, "%s is false", said);
        why_seen(w, step, said);
        buf_char(w->out, '\n');
    }
}

static void why_decision(const struct why *w, const json_t *d)
{
    const char *usual = json_object_get(d, "when") ? "not_true" : "matched";
    const char *rule = json_get_str(d, "rule", "?"), *outcome = json_get_str(d, "outcome", usual),
               *by = json_get_str(d, "by", NULL);
    const json_t *then = rule_then(w, rule), *trace = json_get_obj(d, "trace");
    const char *at = json_get_str(d, "at", "?"); /* of a step of a sequence, which is no rule of the set */
    int64_t when = json_get_int(d, "when", -1);
    size_t i;
    json_t *did;
    buf_printf(w->out, "    %s (%s): %s", rule, json_get_str(then, "at", at), outcome_text(outcome));
    why_gate(w, d);
    if (by)
        buf_printf(w->out, " by %s", by);
    const json_t *cond = when >= 0 ? json_array_get(json_get_arr(then, "when"), (size_t)when) : NULL;
    if (cond || (trace && !then)) {
        const char *note = json_get_str(trace, "note", NULL),
                   *said = json_get_str(trace, "part", json_get_str(cond, "text", "?"));
        buf_printf(w->out, ": %s is %s (%s)", said,
                   strcmp(outcome, "cannot_know") == 0 ? "not known" : "false",
                   json_get_str(cond, "at", at));
        why_seen(w, d, said);
        if (note)
            buf_printf(w->out, " (%s)", note);
    }
    buf_char(w->out, '\n');
    if (strcmp(outcome, "shadow") == 0)
        why_would(w, then);
    json_array_foreach(json_get_arr(d, "did"), i, did) {
        if (json_is_integer(did)) /* a number in the list of commands */
            did = json_array_get(json_get_arr(json_get_obj(w->row, "body"), "commands"),
                                 (size_t)json_integer_value(did));
        const char *error = json_get_str(did, "error", NULL);
        buf_printf(w->out, "      %s -> %s%s\n", json_get_str(did, "line", "?"),
                   error ? "refused: " : "", error ? error : json_get_str(did, "result", ""));
        why_walk(w, did);
    }
}

/* Has the row a decision under this event? */
static bool event_asked(const json_t *body, size_t n)
{
    size_t i;
    json_t *d;
    json_array_foreach(json_get_arr(body, "decisions"), i, d)
        if (json_get_int(d, "event", -1) == (int64_t)n)
            return true;
    return false;
}

static void why_event(struct why *w, const json_t *ev, size_t n)
{
    const json_t *body = json_get_obj(w->row, "body");
    const char *entity = json_get_str(ev, "entity", "");
    int64_t others = json_get_int(ev, "others", 0);
    size_t i;
    json_t *d;
    if (json_object_get(ev, "by"))
        w->doer = ev;
    if (w->only && !event_asked(body, n))
        return;
    buf_printf(w->out, "  %s%s%s, by %s \"%s\"\n", json_get_str(ev, "event", "?"),
               *entity ? " " : "", entity, json_get_str(w->doer, "by", "?"),
               json_get_str(w->doer, "actor", "?"));
    json_array_foreach(json_get_arr(body, "decisions"), i, d)
        if (json_get_int(d, "event", -1) == (int64_t)n)
            why_decision(w, d);
    if (others)
        buf_printf(w->out, "    %" PRId64 " other rules did not run; rule=NAME tells why\n", others);
}

/* Commands that no rule gave: people's, and what intake itself did. */
static void why_commands(const struct why *w)
{
    size_t i;
    json_t *cmd;
    json_array_foreach(json_get_arr(json_get_obj(w->row, "body"), "commands"), i, cmd) {
        char key[32];
        const char *by = json_get_str(cmd, "by", "?"), *line = json_get_str(cmd, "line", "?");
        if (strcmp(by, "rule") == 0)
            continue;
        snprintf(key, sizeof(key), "line:%zu", i);
        const json_t *personal = json_get_obj(w->row, "personal");
        const char *error = json_get_str(cmd, "error", NULL);
        line = json_get_str(personal, key, line);
        buf_printf(w->out, "  %s (%s%s%s)", line, by, json_object_get(cmd, "actor") ? " " : "",
                   json_get_str(cmd, "actor", ""));
        snprintf(key, sizeof(key), "error:%zu", i);
        if (error)
            buf_printf(w->out, " -> refused: %s", json_get_str(personal, key, error));
        buf_char(w->out, '\n');
        why_walk(w, cmd);
    }
}

static void rules_done(struct why_rules *r)
{
    ruleset_free(&r->then);
    json_decref(r->lost);
    json_decref(r->row);
    *r = (struct why_rules){0};
}

/* The rule set of the row's time. */
static int why_rules(struct why *w, struct err *e)
{
    struct why_rules *r = &w->rules;
    int64_t set = json_get_int(w->row, "ruleset_id", 0);
    if (set && set == r->id)
        return 0;
    rules_done(r);
    r->row = set ? ruleset_load(w->eng->db, set, e) : json_object();
    if (!r->row)
        return -1;
    r->id = set;
    r->source = json_get_obj(r->row, "body");
    return 0;
}

/* Compiled only when a decision must be made again. */
static void why_complete(struct why *w)
{
    struct why_rules *r = &w->rules;
    if (json_get_int(json_get_obj(w->row, "body"), "v", 0) < JOURNAL_VERSION)
        return;
    if (!r->set && r->id == w->eng->ruleset_id)
        r->set = crm_rules(w->eng->crm);
    if (!r->set) {
        r->lost = json_object();
        r->set = r->then = crm_rules_then(w->eng->crm, r->source, r->lost);
    }
    if (r->set)
        why_again(w->eng, w->row, r, w->only);
}

/* Rows of before have each rule's decision. */
static void why_filter(struct why *w)
{
    json_t *body = json_get_obj(w->row, "body"), *list = json_get_arr(body, "decisions");
    for (size_t i = json_array_size(list); w->only && i-- > 0;)
        if (strcmp(json_get_str(json_array_get(list, i), "rule", ""), w->only) != 0)
            json_array_remove(list, i);
}

static int why_row(struct why *w, struct err *e)
{
    char stamp[40];
    size_t i;
    json_t *v;
    w->doer = NULL;
    if (why_rules(w, e) < 0)
        return -1;
    why_complete(w);
    why_filter(w);
    if (w->only && json_array_size(json_get_arr(json_get_obj(w->row, "body"), "decisions")) == 0)
        return 0;
    buf_printf(w->out, "%s  %s  (J%" PRId64 ", rule set %.12s)\n",
               crm_when_tell(why_zone(w), json_get_int(w->row, "at_ms", 0), true, stamp,
                             sizeof(stamp)),
               json_get_str(w->row, "cause", "?"), json_get_int(w->row, "id", 0),
               json_get_str(w->rules.row, "hash", "none"));
    if (!w->only)
        why_commands(w);
    json_array_foreach(json_get_arr(json_get_obj(w->row, "body"), "events"), i, v)
        why_event(w, v, i);
    if (w->only)
        return 0;
    json_array_foreach(json_get_arr(json_get_obj(w->row, "body"), "notes"), i, v)
        buf_printf(w->out, "  note: %s\n", json_string_value(v) ? json_string_value(v) : "");
    return 0;
}

int why_tell(struct engine *eng, json_t *rows, const char *only, struct buf *out, struct err *e)
{
    struct why w = {.eng = eng, .only = only, .out = out};
    size_t i;
    int rc = 0;
    json_array_foreach(rows, i, w.row)
        if ((rc = why_row(&w, e)) < 0)
            break;
    rules_done(&w.rules);
    return rc;
}

int why_tell_decision(struct engine *eng, const json_t *row, const json_t *decision,
                      struct buf *out, struct err *e)
{
    struct why w = {.eng = eng, .out = out, .row = (json_t *)row};
    int rc = why_rules(&w, e);
    if (rc == 0)
        why_decision(&w, decision);
    rules_done(&w.rules);
    return rc;
}

/* A rule that none of the passes was about. */
static void why_silent(const struct ctl *c, const char *only, struct buf *out)
{
    const struct ruleset *rules = crm_rules(c->eng->crm);
    const struct rule *rule = ruleset_find(rules, only);
    if (rule)
        buf_printf(out, "%s (%s) was not asked about %s: no event %s in these passes\n", only,
                   rule->at, c->argv[1], *rule->on ? rule->on : "that wakes it");
    else
        buf_printf(out, "no rule \"%s\" was asked about %s, and there is none of that name now\n",
                   only, c->argv[1]);
}

json_t *ctl_why(struct ctl *c, struct err *e)
{
    enum crm_entity t;
    int64_t id;
    struct buf out AUTO_BUF;
    buf_init(&out, WHY_TEXT);
    if ((c->argv[1][0] | 0x20) == 'm' && text_parse_int(c->argv[1] + 1, &id) == 0)
        return ctl_why_mail(c, id, e);
    if (crm_id_parse(c->argv[1], &t, &id) < 0 ||
        (t != CRM_LEAD && t != CRM_CASE && t != CRM_CONTACT)) {
        err_set(e, ERR_INPUT, "\"%s\": expected a lead, case or contact, such as L42, or a message, such as "
                "M12", c->argv[1]);
        return NULL;
    }
    json_t *shown = NULL;
    const char *only = ctl_option(c, "rule");
    if (ctl_options_check(c, 2, "limit rule", e) < 0)
        return NULL;
    if (crm_show(c->eng->crm, t, id, &shown, e) < 0)
        return NULL; /* no such record */
    json_decref(shown);
    AUTO_JSON json_t *rows = journal_list(c->eng->db, t == CRM_LEAD ? 'L' : t == CRM_CASE ? 'K' : 'C',
                                          id, 0, ctl_limit(c), e);
    if (!rows)
        return NULL;
    AUTO_JSON json_t *oldest_first = json_array();
    for (size_t i = json_array_size(rows); i-- > 0;)
        json_array_append(oldest_first, json_array_get(rows, i));
    if (why_tell(c->eng, oldest_first, only, &out, e) < 0 ||
        (!only && ctl_timers_why(c->eng, t, id, &out, e) < 0))
        return NULL;
    if (only && out.len == 0)
        why_silent(c, only, &out);
    json_t *data = json_pack("{s:O}", "passes", rows);
    json_object_set_new(data, "text", json_stringn(out.data, out.len));
    return data;
}
