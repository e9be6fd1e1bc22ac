/* SPDX-License-Identifier: ISC
 *
 * table - named lists of values for `in @name` and `contains @name`
 *
 * Built once from the config tree's `tables` ({NAME: {"values": [..], "at"}});
 * looked up by folded text in constant time, whatever the size.
 */
#ifndef LEADD_RULE_TABLE_H
#define LEADD_RULE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/errlist.h"
#include "base/json.h"

struct rule_table;
struct rule_tables;

/* tables may be NULL (none). Never NULL; wrong values are added to errors. */
struct rule_tables *rule_tables_new(const json_t *tables, struct errlist *errors);
void rule_tables_free(struct rule_tables **t);

const struct rule_table *rule_tables_find(const struct rule_tables *t, const char *name);
const char *rule_tables_nearest(const struct rule_tables *t, const char *name);

const char *rule_table_name(const struct rule_table *t);
const char *rule_table_at(const struct rule_table *t);
size_t rule_table_count(const struct rule_table *t);
const char *rule_table_value(const struct rule_table *t, size_t i);  /* as written */
const char *rule_table_folded(const struct rule_table *t, size_t i); /* as compared */
bool rule_table_has(const struct rule_table *t, const char *folded, size_t n);

#endif
