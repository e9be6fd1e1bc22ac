/* SPDX-License-Identifier: ISC
 *
 * task - what a task line says, and when a task comes again
 *
 *     task fri 10:00 send the offer
 *     task tomorrow remind 2h for anna call: ring Ada
 *     task every Monday 9:00 look through the pipeline
 *     task 'Call {{lead.name}}' for owner due +1d
 *
 * Times are of whoever says it, in a rule of the one whose task it becomes; what comes
 * again does so in the zone, and by the calendar, of that one.
 */
#ifndef LEADD_CRM_TASK_H
#define LEADD_CRM_TASK_H

#include "crm/ctx.h"
#include "crm/recur.h"

#define TASK_REMIND_UNSAID (-2) /* as settings.task_remind says */
#define TASK_REMIND_NEVER (-1)

struct task_said {
    bool has_due, recurs;
    int64_t due, remind_ms;
    struct recur recur;
    char *who; /* own; "owner" or a user; NULL: not said */
};

/* Reads what stands in front of the words, or behind them when they are in quotes, of zone
 * and time: bytes taken. -1 with e. task_said_done() in any case. */
int task_said_read(const char *s, const struct crm *crm, const char *zone, int64_t now_ms,
                   struct task_said *out, struct err *e);
void task_said_done(struct task_said *t);
/* -1 with e when s, what stands behind all that was read, begins with what is nearly a time
 * (task_slip.c). due: the words of the due time, or NULL. */
int task_slip(const char *s, const struct crm *crm, const char *zone, int64_t now_ms, const char *due,
              const struct task_said *t, struct err *e);

/* "call" of "call: ring Ada", when it is one of settings.task_kinds; else NULL. Borrowed. */
const char *crm_task_kind(const struct crm *crm, const char *title);
/* When a task that comes again is due next; 0: never more, or not at all. */
int64_t crm_task_next(const struct crm *crm, const json_t *task, int64_t after_ms);
/* The zone that times are meant in: of a user who speaks, else of owner (may be NULL). */
const char *crm_task_zone(const struct crm_ctx *ctx, const char *owner);

#endif
