/* SPDX-License-Identifier: ISC
 *
 * simulate - mails and forms through the whole of leadd under virtual time, and what
 * would have happened to whom
 *
 * A solo engine (engine/solo.h) with an empty CRM lives through the days: each input
 * comes at its own time, what is due in between happens at its own. Nothing leaves: a
 * mail that is due counts as taken by a relay. The same input gives the same bytes.
 *
 *   simulate.c       the run
 *   simulate_in.c    mbox, Maildir, single mails, forms as JSON lines
 *   simulate_tell.c  the calendar, read from the store in the end
 */
#ifndef LEADD_TOOL_SIMULATE_H
#define LEADD_TOOL_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

/* One that is to come in. */
struct simulate_item {
    int64_t at_ms;   /* 0: it says no time */
    size_t order;    /* as it was read */
    char *raw;       /* own; a mail; NULL: a form */
    size_t raw_len;
    char *form;      /* own; its name */
    json_t *fields;  /* own */
};

struct simulate_items {
    struct simulate_item *v; /* own */
    size_t count, cap, bytes;
};

/* Adds what the file or folder holds: an mbox, a Maildir or another folder of mails, one
 * mail, or forms as lines {"at": TIME, "form": NAME, "fields": {..}}. */
int simulate_read(struct simulate_items *items, const char *path, struct err *e) LEADD_MUST_CHECK;
void simulate_items_done(struct simulate_items *items);

struct simulate_options {
    const json_t *config;  /* the engine's part */
    int64_t from_ms, until_ms;
    int64_t shift_ms;      /* added to the time of each input */
    int64_t answer_ms;     /* a contact answers its first follow-up after so long; 0: never */
    const char *mailbox;   /* mails come in there; NULL: the first of the config */
    const char *who;       /* folded address: what concerns that one alone; NULL: all */
    void (*progress)(void *arg, int64_t done, int64_t all); /* of the inputs; may be NULL */
    void *arg;
};

const char *simulate_zone(const json_t *config);

/* {"zone", "days": [{"day": "2026-10-01", "entries": [{"time", "at_ms", "kind", "who"?,
 *   "record"?, "text", "rule"?, "at"?, "did"?: [{"text", "rule"?, "at"?}]}]}], "totals": {..}, "inputs":
 *   {"mails", "forms", "answers", "outside", "refused",
 *   "confirmed"}}; items are put into order of time. */
json_t *simulate_run(struct simulate_items *items, const struct simulate_options *o, struct err *e);

/* simulate_tell.c: fills days and totals. */
struct solo;
int simulate_tell(struct solo *s, const struct simulate_options *o, json_t *result, struct err *e)
    LEADD_MUST_CHECK;

#endif
