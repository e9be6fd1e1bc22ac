/* SPDX-License-Identifier: ISC
 *
 * input - one thing that happened to the CRM, carried to its end
 *
 * A mail, a form, a command of leadctl, an outcome of the courier: the events
 * it causes queue first in, first out; for each, the rules decide and their
 * commands run at once; what those cause queues again, BOUND_CHAIN_DEPTH deep
 * at most. Then every lead it touched has an owner, and one journal row tells
 * the whole of it. All inside the caller's savepoint.
 */
#ifndef LEADD_ENGINE_INPUT_H
#define LEADD_ENGINE_INPUT_H

#include "crm/crm.h"
#include "engine/engine.h"

struct rule;
struct rule_match;
struct rule_decision;
struct rule_record;

struct input_event {
    struct crm_event ev;
    int depth;
    size_t parent; /* place + 1 of the event whose rule caused it; 0: none */
};

/* A rule that is to wait; its row is written at the end of the input. */
struct timer_begun {
    const struct rule *rule;
    struct crm_target target;
    enum crm_entity entity;
    int64_t id, due_ms, step;
};

/* The one mail of this input is a broadcast's: `intent` is all of its intent. */
struct input_bulk {
    const char *list, *by; /* borrowed; by: "broadcast spring" */
    bool test;      /* to one of ours, as a recipient would get it */
    int64_t outbox; /* its row, once it is there */
};

struct input {
    struct engine *eng;
    struct crm_ctx *ctx; /* own */
    struct crm_hooks hooks; /* ctx borrows them */
    int64_t now_ms;
    char *cause;  /* own; "mail sales/INBOX", "form contact", "anna: stage won" */
    char *intent; /* own; start of the intent key of what this input sends: unique */
    const char *hold; /* why automatic mail may not leave, or NULL */
    struct input_bulk *bulk; /* borrowed; or NULL */
    const json_t *message; /* borrowed; the mail that came in, or NULL */
    struct crm_target target; /* whom the journal row is about */
    char given_on[CRM_ID_LEN]; /* what a command by mail was given on; "": nothing */
    const char *proof;        /* how the mail of a user was proven, or NULL: not at all */
    bool handed_on;           /* and it may not command all the same */

    struct input_event *events; /* own */
    size_t count, cap, next;
    size_t running; /* place + 1 of the event whose rules run; 0: none */
    int depth, commands;
    bool stopped; /* stop = "all" */
    json_t *j_events, *j_decisions, *j_notes, *j_personal; /* own */
    json_t *j_sealed; /* own; personal values that were decided from, or NULL */
    struct rule_record *record; /* own; what was decided from, or NULL */
    struct crm_actor j_actor; /* borrowed from ctx; who did the last of j_events */
    int64_t asked; /* answers before this one that asked again: it is one, when not 0 */
    int64_t journal; /* its row, once input_finish() has written one */
    int sends; /* numbers the mails of this input */
    bool preview; /* it is undone: no token in its mails may name a row that comes to be */
    const char *list; /* borrowed; the list of the sequence whose step runs, or NULL */
    json_t *enrolled; /* own; ids of enrolments that it began */
    bool enrol_changed; /* a command began, paused or ended one */
    struct timer_begun *begun; /* own */
    size_t begun_count, begun_cap;
    struct err failed;   /* the store failed where it could not be said at once */
    char *loop, *over_budget; /* own; what the administrator is to hear */
};

void input_begin(struct input *in, struct engine *eng, char *cause, char *intent);
/* Runs what has been queued and gives owners. More may be done and queued after it;
 * input_finish runs that. */
int input_run(struct input *in, struct err *e) LEADD_MUST_CHECK;
/* Runs what has been queued, gives owners, writes the journal row when
 * anything happened. -1 with e: undo the savepoint. */
int input_finish(struct input *in, struct err *e) LEADD_MUST_CHECK;
void input_end(struct input *in);

/* ---- for timers, which run a rule by themselves ---- */

/* An event in the journal; its place there. */
size_t input_journal_event(struct input *in, const struct crm_event *ev, int depth);
/* The decision just made, under that event; borrowed. */
json_t *input_journal_decision(struct input *in, size_t event, struct rule_match *m,
                               const struct rule_decision *d);
/* Its commands, told in the decision, and counted where it is limited. */
int input_run_rule(struct input *in, const struct crm_event *ev, const struct rule *rule,
                   json_t *decision, struct err *e) LEADD_MUST_CHECK;
/* Rules wake each other without end: says which, once in an input (loop.c). last: who
 * would have gone on. */
void input_loop(struct input *in, const char *what, const struct crm_actor *last);

void input_note(struct input *in, const char *fmt, ...) LEADD_PRINTF(2, 3);

/* The crm hooks `send` and `unsend` (followup.c); arg is the struct input. */
int followup_send(void *arg, struct crm_ctx *ctx, const struct crm_send *s, int64_t *outbox_out,
                  struct err *e);
int followup_unsend(void *arg, struct crm_ctx *ctx, int64_t outbox, struct err *e);

#endif
