/* SPDX-License-Identifier: ISC
 *
 * ruleset_set - a rule set inside (private to ruleset*.c and match.c)
 *
 * Each event has the list of the rules that may run at it, in order; rules on
 * an entity stand in the list of each of its events. The index (index.h) knows
 * which of them the facts rule out.
 */
#ifndef LEADD_RULE_RULESET_SET_H
#define LEADD_RULE_RULESET_SET_H

#include "base/hash.h"
#include "rule/map.h"
#include "rule/ruleset.h"

struct ruleset_rule {
    struct rule pub;
    struct expr **when;   /* own; pub.when_count of them */
    bool *waits;          /* own; per condition: is it asked again at a timer */
    bool dear;            /* it reads a field that costs: it stands in no index */
    struct expr *until;   /* own; NULL: none */
    int group;            /* number of the group, or -1 */
    struct rule_line until_line;
    struct schedule *schedule;          /* own; of every; NULL: none */
    struct rule_escalation *escalation; /* own; NULL: a rule */
};

struct ruleset_event {
    int *rules; /* own; ascending */
    size_t count, cap;
    int *fields; /* own; ascending */
    unsigned char *states; /* own; per field, in which states of the record it is read */
    size_t field_count;
    unsigned char all_states; /* of all fields */
};

/* A state of the record that a field is read in; and that reading it costs. */
enum ruleset_state { RULESET_NOW = 1, RULESET_WAS = 2, RULESET_AT = 4, RULESET_DEAR = 8 };

struct rule_index;

struct ruleset {
    struct ruleset_env env;
    struct expr_env expr_env;
    json_t *source;     /* own; the strings of all rules live here */
    char *source_text;  /* own */
    char hash[HASH_SHA256_HEX];
    struct rule_tables *tables;
    struct calendars *calendars;
    const struct calendar *calendar; /* what `business` alone means; NULL: nothing */
    bool has_timers;
    struct ruleset_rule *rules; /* own; escalations behind the rules */
    size_t count, first_escalation;
    struct rule_map by_name, by_event, by_group;
    struct ruleset_event *events; /* own; as many as env.event_count */
    struct rule_index *index;     /* own */
};

/* One run of ruleset_new(). */
struct ruleset_loader {
    struct ruleset *rs;
    struct errlist *errors;
    struct ruleset_rule *rule; /* being read */
    const struct rule_line *line;
    size_t failures;
    json_t *lost; /* borrowed; the rules that failed, by name; NULL: nobody asks */
};

void ruleset_fail(struct ruleset_loader *ld, const char *at, const char *fmt, ...)
    LEADD_PRINTF(3, 4);
void ruleset_expr_error(void *arg, int col, const char *what); /* arg: the loader */
struct rule_line *ruleset_lines(const json_t *list, const char *rule_at, size_t *count_out);
bool ruleset_name(struct ruleset_loader *ld); /* its name is its own */
void ruleset_read_when(struct ruleset_loader *ld);
void ruleset_read_do(struct ruleset_loader *ld, const struct rule *r);
void ruleset_collect_fields(struct ruleset *rs); /* ruleset_fields.c */
/* ruleset_escalation.c */
void ruleset_read_escalation(struct ruleset_loader *ld, const json_t *def);
void ruleset_escalation_free(struct rule_escalation **x);
/* Does a condition ask about the event, so that it cannot be asked again later? */
bool ruleset_asks_event(const struct ruleset *rs, const struct expr *x);
/* after, again, once, mode, ...: when a rule runs, and how often (ruleset_time.c).
 * After `on`, `when` and `do` have been read. */
void ruleset_read_time(struct ruleset_loader *ld, const json_t *def);

#endif
