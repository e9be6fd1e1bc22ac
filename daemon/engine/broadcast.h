/* SPDX-License-Identifier: ISC
 *
 * broadcast - letters to the people of a segment: planned, written, counted
 *
 * Started once by a person, a broadcast keeps its definition. Planning walks through all
 * records in slices and gives everybody of the segment a row (store/broadcast.h), with the
 * reason if he is left out. Then a timer comes at its pace: it looks who is next in a zone
 * whose window is open, asks all conditions once more, and puts one mail into the outbox,
 * an item of the queue each, in the transaction that moves the row. No more are written
 * than can leave: so pause, cancel, an answer and an opt-out act at once, and a crash at
 * any moment neither repeats nor forgets one. The intent "broadcast:NAME:C42" is unique.
 *
 * What became of a mail is read from the outbox (part_sync), what somebody did then from
 * the events of the inputs (broadcasts_see): both are counted in the row.
 */
#ifndef LEADD_ENGINE_BROADCAST_H
#define LEADD_ENGINE_BROADCAST_H

#include "base/units.h"
#include "engine/input.h"
#include "rule/broadcast.h"

#define BROADCAST_CLASS "broadcast" /* of the outbox */
#define BROADCAST_AHEAD 1000        /* mails written and not sent, at most */
#define BROADCAST_WHY_OUT_MAX 160
#define BROADCAST_SEEN_MS (90 * DAY_MS) /* what somebody does later is not counted */

/* What was compiled of those that run; accepts NULL, sets NULL. */
struct broadcasts;
void broadcasts_free(struct broadcasts **b);

/* The definition that this row (store/broadcast.h) was started with; borrowed, until the
 * next call. NULL with e: ERR_INPUT says what it names and is gone. */
struct broadcast *broadcast_definition(struct engine *eng, const json_t *row, struct err *e);

/* Every one that runs goes on; after a start of the engine. */
int broadcasts_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* The handler of ITEM_BROADCAST: a slice of the plan, or one mail; and when that failed. */
int broadcast_item(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
int broadcast_failed(struct engine *eng, const struct item *it, const struct err *why,
                     struct err *e) LEADD_MUST_CHECK;
/* At the end of an input: an answer, a meeting, an opt-out, a won deal. */
int broadcasts_see(struct input *in, struct err *e) LEADD_MUST_CHECK;

/* ---- what people do --------------------------------------------------------------------- */

struct broadcast_order {
    const char *verb; /* start, confirm, pause, go-on, cancel, winner */
    const char *name;
    const char *by;   /* "user anna", "operator root" */
    int64_t number;   /* confirm, and start: of recipients; winner: of the template, from 1 */
    int64_t begin_ms; /* start: not before; 0: now */
};
/* said: what happened, for people. ERR_INPUT: it cannot be done. */
#define BROADCAST_SAID_MAX CRM_BROADCAST_SAID
/* The crm hook `broadcast`; arg is the struct input. */
int broadcast_hook(void *arg, const struct crm_broadcast_order *w, char said[CRM_BROADCAST_SAID],
                   struct err *e);
int broadcast_do(struct engine *eng, const struct broadcast_order *o, char said[BROADCAST_SAID_MAX],
                 struct err *e) LEADD_MUST_CHECK;

/* ---- one contact (broadcast_who.c) ---------------------------------------------------------- */

/* Whether the rule of the segment holds for that record now. */
int broadcast_fits(struct input *in, const struct segments *all, const struct segment *s,
                   const struct crm_target *t, bool *yes_out, struct err *e) LEADD_MUST_CHECK;

struct broadcast_who {
    char why[BROADCAST_WHY_OUT_MAX]; /* it is left out for that; "": it is not */
    char mailbox[324];               /* the address without its tag; "" for none */
    const char *zones[CRM_ZONES];    /* where it lives; borrowed from the context */
    size_t zone_count;
};
/* May it be written to now? id: of the broadcast, 0: it is not started. */
int broadcast_look(struct input *in, struct broadcast *b, int64_t id, const struct crm_target *t,
                   struct broadcast_who *out, struct err *e) LEADD_MUST_CHECK;
/* In the window where it lives; never CALENDAR_NEVER, but for a window that never opens. */
int64_t broadcast_opens(struct broadcast *b, const struct broadcast_who *who, int64_t from);

/* ---- the parts of broadcast.c, for its other files ---------------------------------------- */

/* The number of where it lives, in the broadcast of that id. */
int broadcast_zone_of(struct engine *eng, struct broadcast *b, int64_t id,
                      const struct broadcast_who *who, int64_t now, int64_t *zone_out,
                      struct err *e) LEADD_MUST_CHECK;
/* The next slice of the plan. */
int broadcast_plan(struct engine *eng, json_t *row, struct broadcast *b, struct err *e) LEADD_MUST_CHECK;
/* It waits for a confirmation: who started it by mail is told the number. */
int broadcast_ask_back(struct engine *eng, const json_t *row, struct err *e) LEADD_MUST_CHECK;
/* Everybody is planned: begins, or waits for somebody to confirm. */
int broadcast_planned(struct engine *eng, json_t *row, struct broadcast *b, struct err *e) LEADD_MUST_CHECK;
/* Looks at that time what there is to do; 0: never. */
int broadcast_wake(struct engine *eng, const json_t *row, int64_t due_ms, struct err *e) LEADD_MUST_CHECK;
/* No mail leaves until somebody lets it go on. */
int broadcast_pause(struct engine *eng, json_t *row, const char *why, struct err *e) LEADD_MUST_CHECK;
int broadcast_go_on(struct engine *eng, json_t *row, struct broadcast *b, struct err *e) LEADD_MUST_CHECK;
/* Mails that are written and have not left get that state, "held", "failed", or "ready",
 * with that reason; ready: those that were held for it. */
int broadcast_hold_rows(struct engine *eng, const json_t *row, const char *state, const char *why,
                        struct err *e) LEADD_MUST_CHECK;
/* One mail of the item's grant. */
int broadcast_send(struct engine *eng, const struct item *it, json_t *row, struct broadcast *b,
                   struct err *e) LEADD_MUST_CHECK;
void broadcast_queue(struct engine *eng, const json_t *row, json_t *zones, int64_t left);
/* Up to this place in the line mails are written now. */
int64_t broadcast_rank_to(const json_t *row, const struct broadcast *b);

#endif
