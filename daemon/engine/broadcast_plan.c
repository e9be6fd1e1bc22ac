/* SPDX-License-Identifier: ISC
 *
 * broadcast_plan - everybody of the segment gets a row, slice by slice (see broadcast.h)
 *
 * How far it has come is in the broadcast's row, written with the rows of the slice: a
 * crash goes on there.
 */
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "engine/broadcast.h"
#include "store/broadcast.h"
#include "store/schedule.h"

#define PLAN_SLICE 50

/* "Europe/Vienna", or all zones of a country; "": at home, as with everybody without a window. */
static char *zones_text(struct broadcast *b, const struct broadcast_who *who, int64_t now)
{
    struct buf out AUTO_BUF;
    buf_init(&out, KIB(4));
    if (!b->window || window_open(b->window, who->zones, who->zone_count, now) == CALENDAR_NEVER)
        return mem_str("");
    for (size_t i = 0; i < who->zone_count; i++)
        buf_printf(&out, "%s%s", i ? " " : "", who->zones[i]);
    return buf_take(&out);
}

int broadcast_zone_of(struct engine *eng, struct broadcast *b, int64_t id,
                      const struct broadcast_who *who, int64_t now, int64_t *zone_out,
                      struct err *e)
{
    AUTO_FREE char *names = zones_text(b, who, now);
    return broadcast_zone(eng->db, id, names, zone_out, e);
}

static int plan_one(struct input *in, json_t *row, struct broadcast *b, int64_t record, struct err *e)
{
    struct crm_target t;
    struct broadcast_who who;
    struct err gone = {0};
    bool fits, added;
    int64_t id = json_get_int(row, "id", 0);
    if (crm_target_exact(in->ctx, crm_entity_parse(b->segment->over), record, &t, &gone) < 0) {
        *e = gone;
        return gone.cls == ERR_INPUT ? 0 : -1; /* merged or deleted meanwhile */
    }
    if (broadcast_fits(in, b->segments, b->segment, &t, &fits, e) < 0)
        return -1;
    if (!fits || !t.contact)
        return 0;
    if (broadcast_look(in, b, id, &t, &who, e) < 0)
        return -1;
    struct part_row p = {.broadcast = id, .contact = t.contact, .lead = t.lead,
                         .reason = *who.why ? who.why : NULL,
                         .mailbox = *who.mailbox ? who.mailbox : NULL,
                         .rank = broadcast_rank(b->name, t.contact)};
    if (broadcast_zone_of(in->eng, b, id, &who, in->now_ms, &p.zone, e) < 0 ||
        part_add(in->eng->db, &p, &added, e) < 0)
        return -1;
    if (added && !p.reason)
        json_put_int(row, "recipients", json_get_int(row, "recipients", 0) + 1);
    return 0;
}

int broadcast_plan(struct engine *eng, json_t *row, struct broadcast *b, struct err *e)
{
    struct input in;
    size_t i;
    json_t *record;
    int rc = 0;
    AUTO_JSON json_t *ids = schedule_ids(eng->db, b->segment->over, json_get_int(row, "walk_id", 0),
                                         json_get_int(row, "walk_to", 0), PLAN_SLICE, e);
    if (!ids)
        return -1;
    if (json_array_size(ids) == 0)
        return broadcast_planned(eng, row, b, e);
    input_begin(&in, eng, mem_printf("plan of broadcast %s", b->name), mem_str("plan"));
    json_array_foreach(ids, i, record) {
        if (rc == 0)
            rc = plan_one(&in, row, b, json_integer_value(record), e);
        json_put_int(row, "walk_id", json_integer_value(record));
    }
    input_end(&in); /* nothing of the CRM was changed */
    if (rc < 0 || broadcast_put(eng->db, row, e) < 0)
        return -1;
    broadcast_queue(eng, row, NULL, 0);
    return 0;
}
