/* SPDX-License-Identifier: ISC
 *
 * map - names to small numbers, for everything that is looked up at load
 *
 * Keys are borrowed and come from the config, not from strangers. Nothing is
 * ever removed.
 */
#ifndef LEADD_RULE_MAP_H
#define LEADD_RULE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rule_map_slot {
    const char *key; /* borrowed; NULL: empty */
    uint32_t len;
    int value;
};

struct rule_map {
    struct rule_map_slot *v; /* own */
    size_t cap, count;
};

/* expected is a hint. A zeroed struct is an empty map, too. */
void rule_map_init(struct rule_map *m, size_t expected);
void rule_map_done(struct rule_map *m);
/* False, and nothing changes, when the key is there already. */
bool rule_map_add(struct rule_map *m, const char *key, size_t n, int value);
int rule_map_get(const struct rule_map *m, const char *key, size_t n); /* or -1 */

#endif
