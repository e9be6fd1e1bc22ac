/* SPDX-License-Identifier: ISC
 *
 * segment - who is in a segment now: counted, listed, and held against a broadcast
 *
 * A walk through all records of a kind, a slice an item of the queue, so that nobody waits
 * for it; leadctl is answered at its end. Nothing is changed and nothing kept.
 */
#ifndef LEADD_ENGINE_SEGMENT_H
#define LEADD_ENGINE_SEGMENT_H

#include "engine/ctl.h"

/* leadctl segment; and `broadcast preview NAME` without a contact. NULL with e untouched:
 * the walk answers. */
json_t *ctl_segment(struct ctl *c, struct err *e);
json_t *segment_forecast(struct ctl *c, const char *broadcast, struct err *e);
/* The handler of ITEM_SEGMENT. */
int segment_item(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
/* That failed: the asker hears of it. */
int segment_failed(struct engine *eng, const struct item *it, const struct err *why);

#endif
