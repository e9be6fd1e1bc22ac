/* SPDX-License-Identifier: ISC
 *
 * zones - where a contact lives, as far as is known: one time zone, or those of a country
 *
 * Who has said his zone has one; else his country has one or several, of which those
 * whose clocks go alike are one. Nothing known: that of the settings.
 */
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "crm/country.h"
#include "crm/ctx.h"
#include "rule/quiet.h"
#include "rule/zone.h"

#define HALF_YEAR_MS (182 * DAY_MS)
#define ZONES_ASKED 64u /* the largest country has 29 */

/* Do its clocks go as those of one that is in the list? */
static bool zone_is_there(const json_t *list, const struct zone *z, int64_t now_ms)
{
    size_t i;
    json_t *v;
    bool same = false;
    json_array_foreach((json_t *)list, i, v) {
        struct zone *other = zone_new(json_string_value(v), NULL);
        same |= other && zone_offset(other, now_ms) == zone_offset(z, now_ms) &&
                zone_offset(other, now_ms + HALF_YEAR_MS) == zone_offset(z, now_ms + HALF_YEAR_MS);
        zone_free(&other);
    }
    return same;
}

static json_t *zones_read(const char *country, int64_t now_ms)
{
    char names[ZONES_ASKED][QUIET_ZONE_NAME];
    size_t n = quiet_zones_of(country, names, ZONES_ASKED);
    json_t *list = json_array();
    for (size_t i = 0; i < n && i < ZONES_ASKED && json_array_size(list) < CRM_ZONES; i++) {
        struct zone *z = zone_new(names[i], NULL);
        if (z && !zone_is_there(list, z, now_ms))
            json_array_append_new(list, json_string(names[i]));
        zone_free(&z);
    }
    return list;
}

static const json_t *zones_of_country(struct crm_ctx *ctx, const char *text)
{
    char country[3];
    if (!text || !*text || crm_country_code(ctx->crm, text, country) < 0)
        return NULL;
    if (!json_object_get(ctx->crm->zones, country))
        json_object_set_new(ctx->crm->zones, country, zones_read(country, ctx->now_ms));
    return json_object_get(ctx->crm->zones, country);
}

int crm_zones_of_contact(struct crm_ctx *ctx, int64_t contact, const char *out[CRM_ZONES],
                         size_t *count_out, struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_CONTACT, contact, e), *list;
    size_t i;
    json_t *v;
    *count_out = 0;
    if (!rec)
        return -1;
    const char *own = json_get_str(rec, "time_zone", NULL);
    if (own && *own) {
        out[(*count_out)++] = own;
        return 0;
    }
    list = zones_of_country(ctx, json_get_str(rec, "country", NULL));
    json_array_foreach((json_t *)list, i, v)
        out[(*count_out)++] = json_string_value(v);
    if (*count_out == 0)
        out[(*count_out)++] = ctx->crm->zone;
    return 0;
}
