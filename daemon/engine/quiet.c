/* SPDX-License-Identifier: ISC
 *
 * quiet - see quiet.h
 */
#include "engine/quiet.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "rule/quiet.h"
#include "store/contact.h"

#define ZONES_MAX 64 /* of one person; the largest country has 29 */

/* Every zone that was asked for, under its name. */
struct quiet_zones {
    struct zone **v; /* own */
    size_t count, cap;
};

struct place {
    const struct zone *v[ZONES_MAX]; /* borrowed from the engine's */
    size_t count;
};

void quiet_free(struct quiet_zones **q)
{
    if (!*q)
        return;
    for (size_t i = 0; i < (*q)->count; i++)
        zone_free(&(*q)->v[i]);
    mem_free((*q)->v);
    mem_free(*q);
    *q = NULL;
}

static const struct zone *zone_of(struct engine *eng, const char *name)
{
    struct quiet_zones *q = eng->quiet ? eng->quiet : (eng->quiet = mem_alloc(sizeof(*q)));
    struct err none = {0};
    for (size_t i = 0; i < q->count; i++)
        if (strcmp(zone_name(q->v[i]), name) == 0)
            return q->v[i];
    struct zone *z = zone_new(name, &none);
    if (!z)
        return NULL;
    if (q->count == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 16;
        q->v = mem_grow(q->v, q->cap * sizeof(struct zone *));
    }
    q->v[q->count++] = z;
    return z;
}

static void place_add(struct engine *eng, struct place *p, const char *name)
{
    const struct zone *z = zone_of(eng, name);
    for (size_t i = 0; i < p->count; i++)
        if (p->v[i] == z)
            return;
    if (z && p->count < ZONES_MAX)
        p->v[p->count++] = z;
}

static void place_country(struct engine *eng, struct place *p, const char *country)
{
    char names[ZONES_MAX][QUIET_ZONE_NAME];
    size_t n = quiet_zones_of(country, names, ZONES_MAX);
    for (size_t i = 0; i < n && i < ZONES_MAX; i++)
        place_add(eng, p, names[i]);
}

static int contact_of(struct engine *eng, const char *number, json_t **out, struct err *e)
{
    json_t *row = NULL;
    *out = NULL;
    if (address_get(eng->db, "phone", number, &row, e) < 0)
        return -1;
    int64_t id = json_get_int(row, "contact_id", 0);
    json_decref(row);
    return id ? record_get(eng->db, &contact_table, id, out, e) : 0;
}

static int place_of(struct engine *eng, const char *number, struct place *p, struct err *e)
{
    json_t *contact;
    char country[3] = "";
    const char *user = crm_user_by_address(eng->crm, "phone", number), *said;
    *p = (struct place){.count = 0};
    if (user) { /* our own people are at home */
        place_add(eng, p, engine_setting(eng, "time_zone", "UTC"));
        return 0;
    }
    if (contact_of(eng, number, &contact, e) < 0)
        return -1;
    AUTO_JSON json_t *owned = contact;
    if ((said = json_get_str(owned, "time_zone", NULL)))
        place_add(eng, p, said);
    if (p->count == 0 && crm_phone_country(number, country) == 0)
        place_country(eng, p, country);
    said = json_get_str(owned, "country", NULL);
    if (!json_get_str(owned, "time_zone", NULL) && said && strlen(said) == 2 &&
        strcmp(said, country) != 0)
        place_country(eng, p, said);
    if (p->count == 0)
        place_add(eng, p, engine_setting(eng, "time_zone", "UTC"));
    return 0;
}

static bool class_is_quiet(const json_t *sms, const char *class_)
{
    size_t i;
    const json_t *v;
    json_array_foreach(json_get_arr(sms, "quiet_for"), i, v)
        if (strcmp(json_string_value(v) ? json_string_value(v) : "", class_) == 0)
            return true;
    return false;
}

int quiet_next(struct engine *eng, const char *number, const char *class_, int64_t now_ms,
               int64_t *at_out, struct err *e)
{
    const json_t *sms = json_get_obj(eng->role->config, "sms");
    struct quiet q;
    struct place p;
    *at_out = now_ms;
    if (!class_is_quiet(sms, class_) ||
        text_parse_hours(json_get_str(sms, "quiet_hours", "none"), &q.begin, &q.end) < 0)
        return 0;
    if (place_of(eng, number, &p, e) < 0)
        return -1;
    int64_t at = quiet_until(&q, p.v, p.count, now_ms);
    if (at < 0) { /* spread over the whole day: then where we are */
        const struct zone *home = zone_of(eng, engine_setting(eng, "time_zone", "UTC"));
        at = home ? quiet_until(&q, &home, 1, now_ms) : now_ms;
    }
    *at_out = at < 0 ? now_ms : at;
    return 0;
}
