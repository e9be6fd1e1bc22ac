/* SPDX-License-Identifier: ISC
 *
 * rate - see rate.h
 */
#include "web/rate.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "web/address.h"

#define WAYS 4
#define TOKEN 60000 /* units of one request: per_minute units come back each millisecond */

struct slot {
    unsigned char key[ADDRESS_KEY];
    struct bucket bucket; /* begun: the slot is used */
};

struct rate {
    int64_t per_minute;
    size_t sets;
    unsigned char salt[16]; /* strangers cannot choose whose place they take */
    struct slot *slots;     /* own; sets * WAYS */
};

struct rate *rate_new(int64_t per_minute, size_t addresses)
{
    struct rate *r = mem_alloc(sizeof(*r));
    r->per_minute = per_minute > 1000000 ? 1000000 : per_minute;
    r->sets = addresses / WAYS + 1;
    r->slots = mem_array(r->sets * WAYS, sizeof(*r->slots));
    hash_random(r->salt, sizeof(r->salt));
    return r;
}

void rate_free(struct rate **r)
{
    if (*r)
        mem_free((*r)->slots);
    mem_free(*r);
    *r = NULL;
}

static size_t rate_set(const struct rate *r, const unsigned char key[ADDRESS_KEY])
{
    unsigned char both[sizeof(r->salt) + ADDRESS_KEY];
    memcpy(both, r->salt, sizeof(r->salt));
    memcpy(both + sizeof(r->salt), key, ADDRESS_KEY);
    return (size_t)((uint64_t)hash_64(both, sizeof(both)) % r->sets);
}

static struct slot *rate_slot(struct rate *r, const unsigned char key[ADDRESS_KEY])
{
    struct slot *set = r->slots + rate_set(r, key) * WAYS, *take = set;
    for (struct slot *s = set; s < set + WAYS; s++)
        if (s->bucket.begun && memcmp(s->key, key, ADDRESS_KEY) == 0)
            return s;
    for (struct slot *s = set; s < set + WAYS; s++)
        if (take->bucket.begun && (!s->bucket.begun || s->bucket.seen_ms < take->bucket.seen_ms))
            take = s;
    *take = (struct slot){.bucket = {.begun = false}};
    memcpy(take->key, key, ADDRESS_KEY);
    return take;
}

bool bucket_take(struct bucket *b, int64_t per_minute, int64_t now_ms, int *retry_s_out)
{
    int64_t full = per_minute * TOKEN, passed = now_ms > b->seen_ms ? now_ms - b->seen_ms : 0;
    b->units = !b->begun || passed >= 60000 ? full : b->units + passed * per_minute;
    if (b->units > full)
        b->units = full;
    b->begun = true;
    b->seen_ms = now_ms;
    if (b->units >= TOKEN) {
        b->units -= TOKEN;
        return true;
    }
    int64_t ms = (TOKEN - b->units + per_minute - 1) / per_minute;
    *retry_s_out = (int)((ms + 999) / 1000);
    return false;
}

bool rate_allow(struct rate *r, const char *address, int64_t now_ms, int *retry_s_out)
{
    unsigned char key[ADDRESS_KEY];
    if (r->per_minute <= 0)
        return true;
    address_key(address, key);
    return bucket_take(&rate_slot(r, key)->bucket, r->per_minute, now_ms, retry_s_out);
}
