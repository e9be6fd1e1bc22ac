/* SPDX-License-Identifier: ISC
 *
 * map - see map.h; open addressing, at most two thirds full
 */
#include "rule/map.h"

#include <string.h>

#include "base/mem.h"

void rule_map_init(struct rule_map *m, size_t expected)
{
    size_t cap = 8;
    while (cap * 2 / 3 <= expected)
        cap *= 2;
    *m = (struct rule_map){.v = mem_array(cap, sizeof(*m->v)), .cap = cap};
}

void rule_map_done(struct rule_map *m)
{
    mem_free(m->v);
    *m = (struct rule_map){0};
}

/* FNV-1a */
static uint64_t rule_map_hash(const char *key, size_t n)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)key[i]) * UINT64_C(1099511628211);
    return h ^ (h >> 32);
}

static struct rule_map_slot *rule_map_slot(const struct rule_map *m, const char *key, size_t n)
{
    size_t i = rule_map_hash(key, n) & (m->cap - 1);
    while (m->v[i].key && (m->v[i].len != n || memcmp(m->v[i].key, key, n) != 0))
        i = (i + 1) & (m->cap - 1);
    return &m->v[i];
}

static void rule_map_double(struct rule_map *m)
{
    struct rule_map old = *m;
    rule_map_init(m, old.count * 2);
    for (size_t i = 0; i < old.cap; i++)
        if (old.v[i].key)
            *rule_map_slot(m, old.v[i].key, old.v[i].len) = old.v[i];
    m->count = old.count;
    rule_map_done(&old);
}

bool rule_map_add(struct rule_map *m, const char *key, size_t n, int value)
{
    LEADD_ASSERT(n <= UINT32_MAX);
    if ((m->count + 1) * 3 > m->cap * 2)
        rule_map_double(m);
    struct rule_map_slot *s = rule_map_slot(m, key, n);
    if (s->key)
        return false;
    *s = (struct rule_map_slot){.key = key, .len = (uint32_t)n, .value = value};
    m->count++;
    return true;
}

int rule_map_get(const struct rule_map *m, const char *key, size_t n)
{
    if (m->count == 0)
        return -1;
    const struct rule_map_slot *s = rule_map_slot(m, key, n);
    return s->key ? s->value : -1;
}
