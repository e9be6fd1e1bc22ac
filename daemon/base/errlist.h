/* SPDX-License-Identifier: ISC
 *
 * errlist - everything that is wrong, collected in one run
 *
 * For loaders that go on after an error: config, rules, templates. Each entry
 * is "at: what" with at = "file:line" (or NULL), and may carry further lines
 * such as the source line and a caret. At most `max` entries are kept; what
 * comes later is counted only. Control characters are replaced, so each line
 * stays one line.
 */
#ifndef LEADD_ERRLIST_H
#define LEADD_ERRLIST_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct errlist_entry {
    char *at;    /* own; "file:line" or NULL */
    char *text;  /* own; one line */
    char *lines; /* own; further lines, each ended by '\n'; NULL when none */
};

struct errlist {
    struct errlist_entry *v; /* own */
    size_t count;            /* kept */
    size_t max;
    size_t dropped; /* not kept */
};

void errlist_init(struct errlist *l, size_t max);
void errlist_done(struct errlist *l);

/* Adds one error; at may be NULL. */
void errlist_add(struct errlist *l, const char *at, const char *fmt, ...) LEADD_PRINTF(3, 4);
/* Adds a line below the entry added last (nothing when that was dropped). */
void errlist_line(struct errlist *l, const char *fmt, ...) LEADD_PRINTF(2, 3);
/* Adds the source text below the entry added last, and a caret under byte
 * column col (from 0). Long text is cut around the column. */
void errlist_caret(struct errlist *l, const char *source, int col);

/* Adds a copy of an entry of another list. */
void errlist_copy(struct errlist *l, const struct errlist_entry *entry);

size_t errlist_total(const struct errlist *l); /* kept and dropped */

/* All entries as text, one or more lines each: "file:line: what\n  source\n". */
void errlist_print(const struct errlist *l, struct buf *out);
/* An array of strings, one per entry, lines joined by '\n'; own. */
json_t *errlist_json(const struct errlist *l);

#define AUTO_ERRLIST __attribute__((cleanup(errlist_done)))

#endif
