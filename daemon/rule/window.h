/* SPDX-License-Identifier: ISC
 *
 * window - when mails of a sequence or a broadcast may leave, where the recipient lives
 *
 *   window   = "Mon-Fri 09:00-17:00";
 *   calendar = "vienna";                  whose holidays count
 *
 * Somebody of whom only a country is known lives in all its zones: the window is open for
 * him when it is open in each of them.
 *
 * Pure, as the whole room. What was asked for is kept, so a window is not const.
 */
#ifndef LEADD_RULE_WINDOW_H
#define LEADD_RULE_WINDOW_H

#include "base/errlist.h"
#include "base/json.h"
#include "rule/calendar.h"

struct window;

/* what: whose it is, "sequence nurture", for messages. config: the tree with calendars;
 * what is needed of it is copied. home: the zone of those of whom none is known. NULL: it
 * has no window, or errors were added. */
struct window *window_new(const json_t *def, const json_t *config, const char *what, const char *at,
                          const char *home, struct errlist *errors);
void window_free(struct window **w); /* accepts NULL, sets NULL */
/* "Mon-Fri 09:00-17:00" */
const char *window_text(const struct window *w);

/* The first time from that one on at which it is open in all these zones (IANA names; none:
 * in home). from itself for NULL; CALENDAR_NEVER. */
int64_t window_open(struct window *w, const char *const *zones, size_t count, int64_t from);
/* Until when it stays open in all of them, at a time at which it is. CALENDAR_NEVER for NULL. */
int64_t window_closes(struct window *w, const char *const *zones, size_t count, int64_t at);

#endif
