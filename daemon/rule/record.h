/* SPDX-License-Identifier: ISC
 *
 * record - what the rules of an event were decided from, kept as JSON; and read back, so
 * that the same decisions are made again, byte for byte
 *
 * Kept are the values of the fields that conditions of the event's rules read, in each
 * state of the record that they read them in; of all rules, also of those that the index
 * passed over. A run of events has one record, and only what differs is written:
 *
 *   "facts": [ {"contact.country": "DE", "lead.score": 40}, {}, {"lead.score": 60} ]
 *
 * The first object is what was different at the event from what the run knew already
 * (at first: nothing is set), the next what differed after the first rule that matched,
 * and so on; empty ones at the end are left out. "was(lead.score)" is the value before
 * the event and "at(lead.score)" as the event left it, where they are not the value now.
 * "new": true says that there was no record before the event.
 *
 * A value is a text, a number (also of times), true or false, a list of texts, {"amount",
 * "currency"}, null: not set, {}: not known. [n] is the nth of the sealed values, which
 * are kept where erasure reaches them. {"message": hash} stands for a long text that is
 * kept with the message anyway.
 *
 * Pure, as the whole room: who calls stores what comes out.
 */
#ifndef LEADD_RULE_RECORD_H
#define LEADD_RULE_RECORD_H

#include <jansson.h>

#include "rule/ruleset.h"

/* ---- writing -------------------------------------------------------------- */

struct rule_record;

/* kept_else: is this text kept elsewhere? NULL: none is. */
struct rule_record *rule_record_new(const struct rule_fields *fields,
                                    bool (*kept_else)(void *arg, int field), void *arg);
void rule_record_free(struct rule_record **r); /* accepts NULL, sets NULL */

/* The next event begins: event is its object, into which it is written. */
void rule_record_event(struct rule_record *r, json_t *event);
/* What the decisions since the last call were made from. For each decision
 * RULE_MATCHED before its commands run, and when there is no rule left. sealed: array. */
void rule_record_take(struct rule_record *r, struct rule_match *m, json_t *sealed);

/* ---- reading ---------------------------------------------------------------- */

struct rule_recall;

/* sealed: what rule_record_take() sealed, or NULL when it was erased. fetch gives a text
 * that is kept elsewhere, false when it is gone. Both borrowed. */
struct rule_recall *rule_recall_new(const struct rule_fields *fields, const json_t *sealed,
                                    bool (*fetch)(void *arg, int field, struct rule_value *out),
                                    void *arg);
void rule_recall_free(struct rule_recall **r); /* accepts NULL, sets NULL */

/* The events in their order; the object must live on. */
void rule_recall_event(struct rule_recall *r, const json_t *event);
/* A rule has matched: on to the facts after its commands. */
void rule_recall_next(struct rule_recall *r);
/* For rule_match_new(): without a gate. Values that are lost are RULE_VALUE_UNKNOWN. */
struct rule_facts rule_recall_facts(struct rule_recall *r);
/* Was any value asked for that is lost: erased, or of a kind that the field has no more? */
bool rule_recall_lost(const struct rule_recall *r);

#endif
