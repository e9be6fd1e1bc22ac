/* SPDX-License-Identifier: ISC
 *
 * crowd - see crowd.h
 */
#include "web/crowd.h"

#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define BUCKETS 1024

LIST_HEAD(bucket, crowd_member);

struct crowd {
    unsigned char salt[16]; /* strangers cannot choose a bucket */
    struct bucket buckets[BUCKETS];
};

struct crowd *crowd_new(void)
{
    struct crowd *c = mem_alloc(sizeof(*c));
    hash_random(c->salt, sizeof(c->salt));
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_INIT(&c->buckets[i]);
    return c;
}

void crowd_free(struct crowd **c)
{
    mem_free(*c);
    *c = NULL;
}

static struct bucket *crowd_bucket(struct crowd *c, const unsigned char key[ADDRESS_KEY])
{
    unsigned char both[sizeof(c->salt) + ADDRESS_KEY];
    memcpy(both, c->salt, sizeof(c->salt));
    memcpy(both + sizeof(c->salt), key, ADDRESS_KEY);
    return &c->buckets[(uint64_t)hash_64(both, sizeof(both)) % BUCKETS];
}

struct crowd_member *crowd_enter(struct crowd *c, const char *address, bool trusted)
{
    unsigned char key[ADDRESS_KEY];
    struct crowd_member *m;
    address_key(address, key);
    struct bucket *b = crowd_bucket(c, key);
    LIST_FOREACH (m, b, next)
        if (memcmp(m->key, key, ADDRESS_KEY) == 0 && m->trusted == trusted)
            break;
    if (!m) {
        m = mem_alloc(sizeof(*m));
        memcpy(m->key, key, ADDRESS_KEY);
        m->trusted = trusted;
        LIST_INSERT_HEAD(b, m, next);
    }
    m->count++;
    return m;
}

void crowd_leave(struct crowd_member **m)
{
    if (*m && --(*m)->count == 0) {
        LIST_REMOVE(*m, next);
        mem_free(*m);
    }
    *m = NULL;
}
