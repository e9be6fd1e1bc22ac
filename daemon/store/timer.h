/* SPDX-License-Identifier: ISC
 *
 * timer - what waits for its time, and what limited rules have run for
 *
 * A timer is one row per kind, rule and record; it changes in the transaction that
 * does what it is for, so it fires exactly once. entity is crm_entity_name(); "" and
 * record 0 for a schedule, which belongs to no record.
 *
 * Rows of timers are given as {"kind", "rule", "entity", "record_id", "due_ms" (0 while
 * paused), "step", "since_ms", "left_ms"?}.
 */
#ifndef LEADD_STORE_TIMER_H
#define LEADD_STORE_TIMER_H

#include <jansson.h>

#include "store/db.h"

struct timer_key {
    const char *kind; /* "rule", "escalation", "schedule" */
    const char *rule;
    const char *entity;
    int64_t record_id;
};

struct timer_row {
    struct timer_key key;
    int64_t due_ms; /* 0: paused, with left_ms */
    int64_t step;   /* how often it has fired, or which level is next */
    int64_t since_ms;
    int64_t left_ms; /* 0: none */
};

/* Inserts it, or puts it in the place of the one of that key. */
int timer_put(struct db *db, const struct timer_row *t, struct err *e) LEADD_MUST_CHECK;
int timer_drop(struct db *db, const struct timer_key *k, struct err *e) LEADD_MUST_CHECK;
/* *out is NULL when there is none. */
int timer_get(struct db *db, const struct timer_key *k, json_t **out,
              struct err *e) LEADD_MUST_CHECK;

/* Of the earliest behind that time; 0 when nothing waits. */
int timer_next_due(struct db *db, int64_t held_ms, int64_t *ms_out, struct err *e) LEADD_MUST_CHECK;
/* Due at that time or before, and behind held_ms, the earliest first. */
json_t *timer_due(struct db *db, int64_t held_ms, int64_t now_ms, int64_t limit, struct err *e);
/* How many are due before that time; counts no further than limit. */
int timer_count_due(struct db *db, int64_t before_ms, int64_t limit, int64_t *out,
                    struct err *e) LEADD_MUST_CHECK;

json_t *timer_of_record(struct db *db, const char *entity, int64_t id, struct err *e);
/* Those of a contact and of all leads, cases, deals and tasks that belong to it. */
json_t *timer_of_contact(struct db *db, int64_t contact, struct err *e);
/* Those of the tasks of a lead, case or deal; of a contact, of the tasks of no lead of it. */
json_t *timer_of_tasks(struct db *db, const char *entity, int64_t id, struct err *e);
/* The earliest first, then the paused ones; rule may be NULL. Reads all rows for a rule. */
json_t *timer_list(struct db *db, const char *rule, int64_t limit, struct err *e);
/* Every row, in the order of the key, for who goes through all in slices: the next
 * behind `after` (NULL: from the start). */
json_t *timer_walk(struct db *db, const struct timer_key *after, int64_t limit, struct err *e);

/* The rule set that all timers were held against last; 0: none. */
int timer_ruleset_kept(struct db *db, int64_t *id_out, struct err *e) LEADD_MUST_CHECK;
int timer_ruleset_keep(struct db *db, int64_t id, struct err *e) LEADD_MUST_CHECK;

/* Pretended time, of one start of the daemon; *ms_out stays when it is of another. */
int timer_clock_kept(struct db *db, const char *run, int64_t *ms_out,
                     struct err *e) LEADD_MUST_CHECK;
int timer_clock_keep(struct db *db, const char *run, int64_t ms, struct err *e) LEADD_MUST_CHECK;

/* ---- late ones (engine/late.h): of rules, escalations, sequences, due until that time ---- */

int timer_late_count(struct db *db, int64_t after_ms, int64_t until_ms, int64_t limit, int64_t *out,
                     struct err *e) LEADD_MUST_CHECK;
/* rule may be NULL. */
json_t *timer_late(struct db *db, int64_t until_ms, const char *rule, int64_t limit, struct err *e);
int timer_late_release(struct db *db, int64_t until_ms, const char *rule, int64_t now_ms,
                       struct err *e) LEADD_MUST_CHECK;
/* The others are due now: nobody holds them. */
int timer_late_apart(struct db *db, int64_t until_ms, int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* Until when they are held; 0: none are. */
int timer_late_kept(struct db *db, int64_t *ms_out, struct err *e) LEADD_MUST_CHECK;
int timer_late_keep(struct db *db, int64_t ms, struct err *e) LEADD_MUST_CHECK;

/* ---- what limited rules have run for -------------------------------------------- */

/* Zeroes when it never ran for that record. */
int firing_get(struct db *db, const char *rule, const char *entity, int64_t id, int64_t *count_out,
               int64_t *last_ms_out, struct err *e) LEADD_MUST_CHECK;
/* It runs now. */
int firing_add(struct db *db, const char *rule, const char *entity, int64_t id, int64_t now_ms,
               struct err *e) LEADD_MUST_CHECK;

#endif
