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
    int64_t units;
    int64_t seen_ms;
    bool used;
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

static struct slot *rate_slot(struct rate *r, const unsigned char key[ADDRESS_KEY], int64_t now_ms)
{
    struct slot *set = r->slots + rate_set(r, key) * WAYS, *take = set;
    for (struct slot *s = set; s < set + WAYS; s++)
        if (s->used && memcmp(s->key, key, ADDRESS_KEY) == 0)
            return s;
    for (struct slot *s = set; s < set + WAYS; s++)
        if (take->used && (!s->used || s->seen_ms < take->seen_ms))
            take = s;
    *take = (struct slot){.units = r->per_minute * TOKEN, .seen_ms = now_ms, .used = true};
    memcpy(take->key, key, ADDRESS_KEY);
    return take;
}

bool rate_allow(struct rate *r, const char *address, int64_t now_ms, int *retry_s_out)
{
    unsigned char key[ADDRESS_KEY];
    if (r->per_minute <= 0)
        return true;
    address_key(address, key);
    struct slot *s = rate_slot(r, key, now_ms);
    int64_t passed = now_ms > s->seen_ms ? now_ms - s->seen_ms : 0;
    if (passed > 60000)
        passed = 60000;
    s->units += passed * r->per_minute;
    if (s->units > r->per_minute * TOKEN)
        s->units = r->per_minute * TOKEN;
    s->seen_ms = now_ms;
    if (s->units >= TOKEN) {
        s->units -= TOKEN;
        return true;
    }
    int64_t ms = (TOKEN - s->units + r->per_minute - 1) / r->per_minute;
    *retry_s_out = (int)((ms + 999) / 1000);
    return false;
}
