/* SPDX-License-Identifier: ISC
 *
 * record_inner - one value in a record, and the states (private to record*.c)
 */
#ifndef LEADD_RULE_RECORD_INNER_H
#define LEADD_RULE_RECORD_INNER_H

#include "rule/record.h"

/* A text kept elsewhere is written when it is no longer than its reference. */
#define RECORD_TEXT_LONG 48

enum record_state { RECORD_NOW, RECORD_WAS, RECORD_AT, RECORD_STATES };

/* How the keys begin: "was(", or "". */
extern const char *const record_state_names[RECORD_STATES];

json_t *record_value_json(const struct rule_field *f, const struct rule_value *v); /* own */
/* Is it the value that the JSON stands for? NULL stands for: not set. */
bool record_value_is(const struct rule_field *f, const struct rule_value *v, const json_t *j);
/* False when the JSON is no value of this type. items: own (mem_free), the list's. */
bool record_value_read(const struct rule_field *f, const json_t *j, struct rule_value *out,
                       struct str **items);
int64_t record_text_hash(const char *s, size_t n);

#endif
