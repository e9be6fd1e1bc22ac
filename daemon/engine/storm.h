/* SPDX-License-Identifier: ISC
 *
 * storm - a thousand leads at once are no thousand notices
 *
 * Each of our own gets at most settings.notices_per_hour single notices in an hour
 * that begins with the first. What comes beyond is told in one mail at the end of that
 * hour: how many, and the first BOUND_NOTICE_LINES of them with rule and record. That
 * mail stands in the outbox from the first of them on, so nothing is forgotten; its
 * words are written when it leaves.
 */
#ifndef LEADD_ENGINE_STORM_H
#define LEADD_ENGINE_STORM_H

#include "crm/crm.h"
#include "engine/input.h"

#define STORM_CLASS "summary" /* of the outbox row */

/* Counts this notice. *later_out: it is told with the others, do not send it. */
int storm_check(struct input *in, const struct crm_send *s, bool *later_out,
                struct err *e) LEADD_MUST_CHECK;
/* The same of a notice that leadd words itself; line tells of it in the one mail. */
int storm_check_line(struct input *in, const char *to, const char *line, bool *later_out,
                     struct err *e) LEADD_MUST_CHECK;
/* A row of STORM_CLASS is due: writes what it says, if it has not left before. */
int storm_write(struct engine *eng, int64_t outbox, const char *to,
                struct err *e) LEADD_MUST_CHECK;

#endif
