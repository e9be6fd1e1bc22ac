/* SPDX-License-Identifier: ISC
 *
 * sequence - steps that follow each other over days, compiled from the config tree
 *
 * The steps of a sequence, with those in its branches and variants, stand in one list in
 * the order they are written; who goes through it is at a place of that list (`at`, from
 * 0). Every jump leads forward, so a walk through it ends.
 *
 *   { email = "hello"; }                 STEP_DO, a command
 *   { wait = "3d"; }                     STEP_WAIT
 *   { branch = "lead.score > 5";         STEP_BRANCH: to the next place, or to `to`
 *     then = (..); else = (..); }        between them a STEP_JUMP over else
 *   { variants = ( {..}, {..} ); }       STEP_VARIANTS: to the place of one of them
 *   { end = true; }                      STEP_END
 *
 * Conditions and commands of a step are a rule of a set of the sequence's own, with today's
 * tables and calendars: it is asked and told as rules are, under the name "nurture/3", and
 * "nurture/4.then.1" inside a branch.
 *
 * A version is the definition as it was when somebody began: sequence_source() gives it,
 * and sequence_new() makes the same sequence from it. Templates and tables are those of
 * today; what a version names and is not there any more is an error.
 *
 * Pure, as the whole room. Immutable, but for the windows that were asked for.
 */
#ifndef LEADD_RULE_SEQUENCE_H
#define LEADD_RULE_SEQUENCE_H

#include "rule/ruleset.h"

#define SEQUENCE_STEPS 200u /* of one sequence, with those in branches */
#define SEQUENCE_VARIANTS 16u

enum step_kind { STEP_DO, STEP_WAIT, STEP_BRANCH, STEP_VARIANTS, STEP_JUMP, STEP_END };

struct step {
    enum step_kind kind;
    const char *path;        /* "3", "4.then.1" */
    const char *at;          /* "file:line" */
    const char *text;        /* for people: "email hello", "wait 3d" */
    const struct rule *rule; /* conditions and commands; NULL: it has none */
    bool sends;              /* an email or a text: it waits for the window */
    struct rule_span wait;
    size_t to;               /* of a branch whose conditions do not hold, of a jump */
    size_t variant_count;
    struct {
        int64_t share;
        size_t to;
    } variants[SEQUENCE_VARIANTS];
};

/* What ends it, besides the last step. */
enum sequence_stop {
    SEQUENCE_REPLY = 1,
    SEQUENCE_OWNER = 2,
    SEQUENCE_MEETING = 4,
    SEQUENCE_CLOSED = 8,
    SEQUENCE_OPTED_OUT = 16,
    SEQUENCE_BOUNCED = 32,
};

/* What becomes of steps whose time has passed by far. */
enum sequence_late { SEQUENCE_LATE_RUN, SEQUENCE_LATE_SKIP, SEQUENCE_LATE_HOLD };

struct sequence;

/* config: the tree that tables and calendars come from; what the steps name of them is
 * copied. NULL when errors were added. */
struct sequence *sequence_new(const char *name, const json_t *def, const json_t *config,
                              const struct ruleset_env *env, struct errlist *errors);
/* The commands of a step of a definition, as do has them ([{"text", "at"}]), also of email,
 * sms and task; own. NULL: it has none, as wait. */
json_t *sequence_step_lines(const json_t *step);
void sequence_free(struct sequence **q); /* accepts NULL, sets NULL */

const char *sequence_name(const struct sequence *q);
const char *sequence_at(const struct sequence *q);
const char *sequence_on(const struct sequence *q); /* "lead" */
unsigned sequence_stops(const struct sequence *q); /* enum sequence_stop, or-ed */
bool sequence_several(const struct sequence *q);
enum sequence_late sequence_late(const struct sequence *q);
const char *sequence_mail_list(const struct sequence *q); /* NULL: none of its own */
/* Of the definition without its places: the same text elsewhere is the same version. */
const char *sequence_hash(const struct sequence *q);
const char *sequence_source(const struct sequence *q); /* JSON, for sequence_new() */

const struct ruleset *sequence_rules(const struct sequence *q);
size_t sequence_count(const struct sequence *q);
/* at may be the count or more: NULL, it is over. */
const struct step *sequence_step(const struct sequence *q, size_t at);
/* The rule of the nth line of until; NULL: there is none. */
const struct rule *sequence_until(const struct sequence *q, size_t n);
/* Which variant falls to a record, whatever version it is in. */
size_t sequence_variant(const struct sequence *q, const struct step *s, int64_t record);

/* The first time from that one on at which the window is open in all these zones (IANA
 * names; none: in the zone of the set). from itself without a window; CALENDAR_NEVER. */
int64_t sequence_open(struct sequence *q, const char *const *zones, size_t count, int64_t from);
/* "Mon-Fri 09:00-17:00"; NULL: at any time. */
const char *sequence_window(const struct sequence *q);

#endif
