/* SPDX-License-Identifier: ISC
 *
 * expr - conditions: compiled once, checked against the field table, explained
 *
 *   lead.score >= 60 and not lead.contacted
 *   contact.country in @dach        contact.country in ['DE', 'AT']
 *   deal.amount between 5000 EUR and '20000 EUR'
 *   lead.created >= '2026-01-31'    lead.age > 2 days
 *   message.subject contains 'offer'   contains ['offer', 'quote']   contains @words
 *   contact.email ends '@example.com'  contact.name starts 'dr'
 *   message.subject ~ 'order\s+\d+'    lead.employees is not set
 *
 *   changed(lead.owner)   entered(deal.stage, 'proposal')   was(lead.score) < 50
 *   lead.last_in < now - 3 days     now - lead.last_in > 3 days
 *
 * == != < <= > >=, in, between, contains, starts, ends, ~, is set; and, or,
 * not, parentheses. `not` may stand before in, between, contains, starts, ends
 * and ~, and means the same as in front of the whole comparison. Text is in
 * single quotes, '' is a quote. Text compares folded (see rule_fold); a
 * pattern ignores case unless it says (?-i). A date without a time means the
 * whole day, a time without a zone is in the set's time zone.
 *
 * The event: was(f) is the field before the event, wherever a field may stand;
 * changed(f) says whether the event gave it another value (to the letter),
 * entered(f, v) whether it is v since the event and was not before (a list:
 * contains it). Before a record was made all its fields were not set, so at its
 * event `created` changed(f) is true of every field that is set. What rules did
 * since is seen at its own event.
 *
 * Times: a duration may be added to or taken from a field that is a time or a
 * duration; one time minus another is a duration.
 *
 * Unset: a comparison with an unset field is false (also !=), what `not`
 * stands before is then true. So is a comparison of two currencies, and a
 * pattern that needs too many steps. The trace says so.
 *
 * Unknown: three-valued; false and unknown is false, true or unknown is true.
 *
 * Pure: no store, no clock, no logging. Text and depth are bounded
 * (BOUND_EXPR_*), so is the work of a pattern.
 */
#ifndef LEADD_RULE_EXPR_H
#define LEADD_RULE_EXPR_H

#include "base/buf.h"
#include "base/json.h"
#include "rule/field.h"
#include "rule/table.h"

struct expr;

/* What a condition may name; borrowed by every struct expr made with it. */
struct expr_env {
    const struct rule_fields *fields;
    const struct rule_tables *tables; /* NULL: none */
    const char *time_zone;            /* IANA name for times without a zone; NULL: UTC */
};

/* One call per error, with the byte column (from 0) in the condition's text.
 * what is one line, with the nearest name where there is one. */
typedef void (*expr_error_fn)(void *arg, int col, const char *what);

/* NULL when there was an error; then report was called at least once. The
 * first syntax error ends the compilation, wrong names and types do not. */
struct expr *expr_compile(const struct expr_env *env, const char *text, expr_error_fn report,
                          void *arg);
void expr_free(struct expr **x); /* accepts NULL, sets NULL */

const char *expr_text(const struct expr *x);
/* The fields it reads, ascending, each once. */
size_t expr_fields(const struct expr *x, const int **fields_out);

/* Does it ask about the time before the event (was, changed, entered)? */
bool expr_asks_before(const struct expr *x);
/* The canonical text: compiles to the same condition. */
void expr_print(const struct expr *x, struct buf *out);
/* The same but for spaces, parentheses and order of the two sides? */
bool expr_same(const struct expr *a, const struct expr *b);

enum rule_result { RULE_FALSE, RULE_TRUE, RULE_UNKNOWN };

/* The facts under evaluation, read once per field and remembered, also in
 * folded form. One per state of the record; reuse it for all conditions. */
struct expr_facts;
struct expr_facts *expr_facts_new(const struct rule_fields *fields, rule_get_fn get, void *facts);
void expr_facts_free(struct expr_facts **f);
/* The facts have changed: forget what was read. */
void expr_facts_changed(struct expr_facts *f);
/* Other facts behind the same callback. */
void expr_facts_set(struct expr_facts *f, void *facts);

/* What was() and changed() read: the record before the event (NULL: there was
 * none) and as the event left it (NULL: f). Both borrowed. */
void expr_facts_event(struct expr_facts *f, struct expr_facts *before, struct expr_facts *event);

enum rule_result expr_eval(const struct expr *x, struct expr_facts *facts);

/* Why a condition was not true: the first part of an `and` that was false (or,
 * when the result is unknown, that was unknown), and what its fields held. */
#define EXPR_SEEN_MAX 4
#define EXPR_SEEN_VALUE 120

struct expr_seen {
    int field;
    const char *name;            /* borrowed from the field set */
    bool was;                    /* its value before the event */
    enum rule_state state;
    bool personal;               /* value must be sealed before it is stored */
    char value[EXPR_SEEN_VALUE]; /* as by rule_value_print; "not set" */
};

struct expr_trace {
    int col, len;     /* where that part stands in the text */
    const char *note; /* static; "the currencies differ", ...; NULL: none */
    int seen_count;
    struct expr_seen seen[EXPR_SEEN_MAX];
};

/* Evaluates again; same result as expr_eval. Fills trace unless RULE_TRUE. */
enum rule_result expr_explain(const struct expr *x, struct expr_facts *facts,
                              struct expr_trace *trace);

/* "lead.employees >= 500 is false: lead.employees is not set". */
void expr_trace_print(const struct expr *x, const struct expr_trace *t, struct buf *out);
/* {"part", "col", "note", "seen": [{"field","value","personal"}]}: personal
 * values are in it, the caller seals them. own */
json_t *expr_trace_json(const struct expr *x, const struct expr_trace *t);

#endif
