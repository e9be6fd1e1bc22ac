/* SPDX-License-Identifier: ISC
 *
 * ruleset - the rules of the config tree, compiled, and matching them
 *
 * Built whole or not at all: every error of every rule is reported in one run,
 * with file:line, the source line and a caret. Immutable afterwards.
 *
 * A rule names in `on` either one event ("lead.created": it fires when its
 * conditions hold at that event) or an entity ("lead": any event of that
 * entity; edge-triggered, see struct rule_facts).
 *
 * Matching is an iterator, because the commands of one rule take effect for
 * the rules after it:
 *
 *     struct rule_match *m = rule_match_new(rs, "lead.created", &facts);
 *     struct rule_decision d;
 *     while (rule_match_next(m, &d)) {
 *         if (d.outcome != RULE_MATCHED)
 *             ...                      rule_match_explain(m, &trace) says why
 *         else
 *             run d.rule->commands     then the next call reads the facts anew
 *     }
 *     rule_match_free(&m);
 *
 * Pure: no store, no clock, no logging, so a decision can be made again from
 * its stored facts. The order is the order of the config tree.
 */
#ifndef LEADD_RULE_RULESET_H
#define LEADD_RULE_RULESET_H

#include "base/errlist.h"
#include "base/json.h"
#include "rule/calendar.h"
#include "rule/expr.h"

/* One row of crm's event table. */
struct rule_event {
    const char *name;   /* "lead.created" */
    const char *entity; /* "lead": rules on that entity see it; NULL: none do */
};

struct ruleset_env {
    const struct rule_fields *fields;
    const struct rule_event *events;
    size_t event_count;
    const char *time_zone; /* settings.time_zone; NULL: UTC */
    const char *calendar;  /* settings.calendar; NULL: `business` must name one */
    /* Checks one command of a `do`. 0, or -1 with e, and col_out (byte column
     * from 0) when it is known; col_out comes in as -1. NULL: not checked. */
    int (*check_do)(void *arg, const char *text, struct err *e, int *col_out);
    /* Is the field told by the event alone (message.subject), and not there when a
     * timer is due? NULL: none is. */
    bool (*of_event)(void *arg, int field);
    /* Does it cost more than a look into memory to read this field (a count of other
     * records)? Then it is read only when a condition comes to it. NULL: none does. */
    bool (*is_dear)(void *arg, int field);
    void *arg;
};

struct rule_line {
    const char *text;
    const char *at; /* "file:line" */
};

enum rule_stop {
    RULE_STOP_NO,
    RULE_STOP_EVENT, /* stop = true: later rules of this event are skipped */
    RULE_STOP_ALL,   /* stop = "all": and no event that waits in this input is run */
};

/* A length of time as a rule names it. text NULL: the rule has none. */
struct rule_span {
    const char *text, *at;
    struct calendar_span span;
};

enum rule_mode { RULE_LIVE, RULE_SHADOW_MODE, RULE_CANARY };

struct rule_escalation;
struct schedule;

struct rule {
    int index; /* place in the set, from 0 */
    const char *name, *at;
    const char *on;
    bool edge; /* `on` names an entity */
    size_t when_count, command_count;
    const struct rule_line *when;
    const struct rule_line *commands;
    const char *group; /* first = GROUP; NULL: none */
    enum rule_stop stop;
    const char *every, *over; /* a scheduled rule, of no event; NULL: none */
    const struct schedule *schedule; /* of every */
    /* not a rule, but an escalation: its conditions, without commands; over is the kind
     * of record. They stand behind the rules of the set. NULL: a rule */
    const struct rule_escalation *escalation;
    /* of no event and of no time: what it is a part of, "sequence" or "segment"; or NULL */
    const char *asked;

    /* waiting: what matches begins a timer instead of running (timed) */
    struct rule_span after, again;
    int max;                       /* 0: none */
    const struct rule_line *until; /* NULL: none */
    /* per record */
    bool once;
    bool late_skip; /* it does not run when its time has passed by far */
    struct rule_span cooldown;
    enum rule_mode mode;
    int canary;                     /* percent */
    int64_t valid_from, valid_to;   /* UTC ms, both included; 0 and INT64_MAX: always */

    bool timed;   /* after or again */
    bool limited; /* what it ran for must be kept: once, cooldown, or max without again */
    bool gated;   /* any of that: whether it runs is not for the facts alone to say */
};

enum rule_clock {
    RULE_SINCE_CREATED,
    RULE_SINCE_UNTOUCHED, /* the same, and a touch ends it */
    RULE_SINCE_TOUCHED,   /* a touch starts it over */
};

struct rule_level {
    int64_t after_ms; /* ascending */
    struct rule run;  /* the escalation, with the commands of this level */
};

struct rule_escalation {
    enum rule_clock since;
    const struct calendar *calendar; /* NULL: real time */
    bool pauses;                     /* while the customer is to answer */
    size_t level_count;
    const struct rule_level *levels;
};

struct ruleset;

/* config: an object with "rules", "tables", "calendars" and "escalations" as in the config tree (any
 * may be missing). env is borrowed for the life of the set. NULL when errors
 * were added. */
struct ruleset *ruleset_new(const json_t *config, const struct ruleset_env *env,
                            struct errlist *errors);
/* The set that ruleset_source() was of, for deciding again: what commands there are now does
 * not matter. Rules that can no longer be compiled (a field is gone) are left out and stand
 * in lost, an object: name -> why. NULL: it is no source. */
struct ruleset *ruleset_then(const json_t *source, const struct ruleset_env *env, json_t *lost);
void ruleset_free(struct ruleset **rs); /* accepts NULL, sets NULL */

size_t ruleset_count(const struct ruleset *rs); /* with escalations, which come last */
size_t ruleset_first_escalation(const struct ruleset *rs);
const struct rule *ruleset_rule(const struct ruleset *rs, size_t i);
const struct rule *ruleset_find(const struct ruleset *rs, const char *name); /* or NULL */
const struct calendars *ruleset_calendars(const struct ruleset *rs);
/* Is there any rule with after or again? */
bool ruleset_has_timers(const struct ruleset *rs);

/* What its conditions were compiled with; lives as long as the set. */
const struct expr_env *ruleset_expr_env(const struct ruleset *rs);

/* SHA-256 in hex over the normalized JSON of rules, tables, calendars, escalations, pools
 * and territories, for the journal;
 * and that JSON: ruleset_new() makes the same set from it, so a decision can be
 * made again after the files have changed (record.h). */
const char *ruleset_hash(const struct ruleset *rs);
const char *ruleset_source(const struct ruleset *rs);

/* The fields that rules which may run at this event read, ascending: what must
 * be stored to decide again. */
size_t ruleset_fields(const struct ruleset *rs, const char *event, const int **fields_out);
size_t ruleset_at_event(const struct ruleset *rs, const char *event); /* how many rules */

/* All three states are read through get. A rule on an entity fires when its
 * conditions were not true before the event, are true as the event left the
 * record, and are still true now. So a change made by an earlier rule counts
 * at its own event, once, and is not acted on when already undone. */
struct rule_gate;
typedef enum rule_outcome (*rule_gate_fn)(void *arg, const struct rule *rule,
                                          struct rule_gate *out);

struct rule_facts {
    rule_get_fn get;
    void *now;    /* the record as it is, with what earlier rules of the pass did */
    void *before; /* as it was before the event; NULL: it did not exist (never true) */
    void *event;  /* as the event left it; NULL: not told apart from now */
    /* May a rule whose conditions hold run now? RULE_MATCHED, or what became of it
     * in its place: then it takes no group and stops nothing. What it knows besides
     * the facts (the time, what ran before) is its own. NULL: every rule may. */
    rule_gate_fn gate;
    void *gate_arg;
};

enum rule_outcome {
    RULE_MATCHED,       /* run its commands */
    RULE_NOT_TRUE,      /* when_index and rule_match_explain() say which and why */
    RULE_NOT_NEW,       /* on an entity: was true before the event already */
    RULE_GROUP_TAKEN,   /* by: the rule that matched first in the group */
    RULE_STOPPED,       /* by: the rule with `stop` */
    RULE_CANNOT_KNOW,   /* an outside lookup is missing: undo the whole event, try later */
    /* its conditions hold, and the gate said: */
    RULE_WAITS,         /* its timer began, or runs already */
    RULE_LIMITED,       /* once, cooldown, max */
    RULE_SHADOW,        /* mode = "shadow": would have run */
    RULE_NOT_CANARY,    /* mode = "canary", and the record is not in the share */
    RULE_NOT_VALID,     /* outside valid_from..valid_to */
    RULE_OVER_BUDGET,   /* too many rules ran for this record today */
    /* and at a timer: */
    RULE_ENDED,         /* `until` is true, or max is reached */
};

/* More on what the gate said; empty when there is nothing to add. */
struct rule_gate {
    char reason[96];  /* "fired once already" */
    int64_t until_ms; /* a time that belongs to it, 0: none */
};

struct rule_decision {
    const struct rule *rule;
    enum rule_outcome outcome;
    int when_index;        /* NOT_TRUE, CANNOT_KNOW: which condition; else -1 */
    const struct rule *by; /* GROUP_TAKEN, STOPPED; else NULL */
    struct rule_gate gate;
};

const char *rule_outcome_name(enum rule_outcome o); /* "matched", "not_true", ... stable */
bool rule_outcome_parse(const char *name, enum rule_outcome *out);

struct rule_match;
/* facts is copied; what it points to must live until rule_match_free(). An
 * unknown event has no rules. */
struct rule_match *rule_match_new(const struct ruleset *rs, const char *event,
                                  const struct rule_facts *facts);
/* A decision for every rule of the event. Without it those that cannot match are
 * passed over (index.h): their outcome would be NOT_TRUE, GROUP_TAKEN or STOPPED.
 * Before the first decision. */
void rule_match_every(struct rule_match *m);
/* The next rule's decision, in order; false when there is none left. After
 * RULE_MATCHED all three states are read anew: what was read before may have
 * gone with the commands. */
bool rule_match_next(struct rule_match *m, struct rule_decision *d);
/* The decision just returned was another one when it was made: for what is decided
 * again from facts of which some are lost. */
void rule_match_as(struct rule_match *m, enum rule_outcome outcome, struct rule_decision *d);
/* For the decision just returned, before its commands run: RULE_NOT_TRUE and
 * RULE_CANNOT_KNOW only. */
bool rule_match_explain(struct rule_match *m, struct expr_trace *trace);
/* {"rule","at","outcome","when","by","trace","reason","until_ms"} of the decision just
 * returned; own. */
json_t *rule_match_json(struct rule_match *m);
/* "dach-enterprise (20-a.conf:7): not matched: contact.country in @dach is
 * false: contact.country is 'FR'". */
void rule_match_print(struct rule_match *m, struct buf *out);
void rule_match_free(struct rule_match **m);

/* One rule by itself, at a timer or a schedule, as things are now (facts->now):
 * RULE_MATCHED, RULE_NOT_TRUE, RULE_CANNOT_KNOW, RULE_ENDED (until). Conditions that
 * ask about the event that began it (message.subject, actor, changed(f)) were decided
 * then, and are left out. The gate is asked last. The decision is told by the functions
 * above; free it with rule_match_free(). */
struct rule_match *rule_match_one(const struct ruleset *rs, const struct rule *rule,
                                  const struct rule_facts *facts, struct rule_decision *d);

#endif
