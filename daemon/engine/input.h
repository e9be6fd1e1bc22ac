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

struct input_event {
    struct crm_event ev;
    int depth;
};

struct input {
    struct engine *eng;
    struct crm_ctx *ctx; /* own */
    struct crm_hooks hooks; /* ctx borrows them */
    int64_t now_ms;
    char *cause;  /* own; "mail sales/INBOX", "form contact", "anna: stage won" */
    char *intent; /* own; start of the intent key of what this input sends: unique */
    const char *hold; /* why automatic mail may not leave, or NULL */
    const json_t *message; /* borrowed; the mail that came in, or NULL */
    struct crm_target target; /* whom the journal row is about */

    struct input_event *events; /* own */
    size_t count, cap, next;
    int depth, commands;
    bool stopped; /* stop = "all" */
    json_t *j_events, *j_decisions, *j_notes, *j_personal; /* own */
    struct crm_actor j_actor; /* borrowed from ctx; who did the last of j_events */
    int sends; /* numbers the mails of this input */
};

void input_begin(struct input *in, struct engine *eng, char *cause, char *intent);
/* Runs what has been queued, gives owners, writes the journal row when
 * anything happened. -1 with e: undo the savepoint. */
int input_finish(struct input *in, struct err *e) LEADD_MUST_CHECK;
void input_end(struct input *in);

void input_note(struct input *in, const char *fmt, ...) LEADD_PRINTF(2, 3);

/* The crm hooks `send` and `unsend` (followup.c); arg is the struct input. */
int followup_send(void *arg, struct crm_ctx *ctx, const struct crm_send *s, int64_t *outbox_out,
                  struct err *e);
int followup_unsend(void *arg, struct crm_ctx *ctx, int64_t outbox, struct err *e);

#endif
