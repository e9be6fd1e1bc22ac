/* SPDX-License-Identifier: ISC
 *
 * coverage - what each rule was good for: asked, matched, fired, refused, its cost
 *
 * Counted in memory, and only what was committed: the hits of a pass stand in a list
 * that is cut back where an item is undone, dropped where the pass is, and added up
 * after the commit. Written to the store (rule_count) at most once a minute and at
 * a clean end, in small transactions of their own: no message pays for it with a
 * row. A crash loses the counts of at most a minute.
 *
 * Processor time is taken at one event in about COVERAGE_STRIDE, chosen so that no
 * rhythm of events can hide from it, and counts for all that were skipped.
 */
#ifndef LEADD_ENGINE_COVERAGE_H
#define LEADD_ENGINE_COVERAGE_H

#include "engine/engine.h"
#include "rule/ruleset.h"
#include "store/rule_count.h"

#define COVERAGE_STRIDE 64

struct coverage;

/* For the rules of eng->crm. Every function takes NULL for "nobody counts". */
struct coverage *coverage_new(struct engine *eng);
void coverage_free(struct coverage **c);

/* The rules of one event: begin, then for each decision decided and, after its
 * commands, done. A rule that runs from a timer is decided when the timer is due. */
void coverage_begin(struct coverage *c);
void coverage_decided(struct coverage *c, const struct rule *r, bool matched, int64_t now_ms);
/* In mode shadow a rule matches and does not fire. */
bool coverage_is_hit(enum rule_outcome o);
void coverage_fired(struct coverage *c, const struct rule *r);
void coverage_refused(struct coverage *c, const struct rule *r);
void coverage_done(struct coverage *c, const struct rule *r);

/* For the pass: what came after the mark was undone; what is there is durable. */
size_t coverage_mark(const struct coverage *c);
void coverage_undo(struct coverage *c, size_t mark);
void coverage_committed(struct coverage *c);

/* Writes what is not written yet, at a clean end. */
void coverage_flush(struct coverage *c);
/* What has come since the last writing, by the rule's place; NULL: nothing. */
const struct rule_count *coverage_fresh(const struct coverage *c, size_t rule);
/* The same since coverage_new(); NULL: nobody counts. */
const struct rule_count *coverage_total(const struct coverage *c, size_t rule);
/* Into the counters and gauges of /metrics; rules by name only where they are few. */
void coverage_stats(const struct coverage *c, json_t *counters, json_t *gauges);

#endif
