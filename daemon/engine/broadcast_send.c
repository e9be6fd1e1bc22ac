/* SPDX-License-Identifier: ISC
 *
 * broadcast_send - one mail of a broadcast (see broadcast.h)
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/command.h"
#include "engine/broadcast.h"
#include "engine/suspect.h"
#include "store/broadcast.h"
#include "store/outbox.h"

struct letter {
    struct input in;
    json_t *row;        /* of the broadcast */
    struct broadcast *b;
    const json_t *part;
    int64_t id, contact;
};

static int letter_leave_out(struct letter *l, const char *why, struct err *e)
{
    input_note(&l->in, "broadcast %s: left out: %s", l->b->name, why);
    return part_leave_out(l->in.eng->db, l->id, l->contact, why, e);
}

/* The winner; before there is one they take turns. */
static size_t letter_template(const struct letter *l)
{
    int64_t winner = json_get_int(l->row, "winner", 0);
    return winner ? (size_t)winner - 1
                  : (size_t)json_get_int(l->row, "dealt", 0) % l->b->template_count;
}

static int letter_write(struct letter *l, struct err *e)
{
    struct engine *eng = l->in.eng;
    size_t n = letter_template(l);
    struct err refused = {0};
    bool test = l->b->test && !json_get_int(l->row, "winner", 0);
    struct crm_actor actor = {.kind = CRM_BY_SYSTEM, .name = l->in.bulk->by};
    AUTO_FREE char *line = mem_printf("send %s to contact", l->b->templates[n]);
    if (crm_command_run(l->in.ctx, &l->in.target, line, &actor, NULL, &refused) < 0) {
        if (refused.cls == ERR_INPUT)
            return letter_leave_out(l, refused.text, e);
        *e = refused;
        return -1;
    }
    json_put_int(l->row, "dealt", json_get_int(l->row, "dealt", 0) + 1);
    return part_made(eng->db, l->id, l->contact, (int64_t)n + 1, test, l->in.bulk->outbox,
                     l->in.now_ms, e) < 0
               ? -1
               : broadcast_put(eng->db, l->row, e);
}

/* As things are now. */
static int letter_ask(struct letter *l, struct err *e)
{
    struct broadcast_who who;
    bool fits;
    int64_t zone;
    if (broadcast_fits(&l->in, l->b->segments, l->b->segment, &l->in.target, &fits, e) < 0 ||
        broadcast_look(&l->in, l->b, l->id, &l->in.target, &who, e) < 0)
        return -1;
    if (!fits)
        return letter_leave_out(l, "is not in the segment any more", e);
    if (*who.why)
        return letter_leave_out(l, who.why, e);
    if (broadcast_opens(l->b, &who, l->in.now_ms) == l->in.now_ms)
        return letter_write(l, e);
    if (broadcast_zone_of(l->in.eng, l->b, l->id, &who, l->in.now_ms, &zone, e) < 0)
        return -1; /* it has moved since */
    return part_move(l->in.eng->db, l->id, l->contact, zone, e);
}

static int letter_make(struct letter *l, struct err *e)
{
    int64_t lead = json_get_int(l->part, "lead_id", 0);
    struct err gone = {0};
    if (crm_target_exact(l->in.ctx, lead ? CRM_LEAD : CRM_CONTACT, lead ? lead : l->contact,
                         &l->in.target, &gone) == 0)
        return letter_ask(l, e);
    if (gone.cls == ERR_INPUT)
        return letter_leave_out(l, "is not there any more", e);
    *e = gone;
    return -1;
}

/* Whoever ends the engine is left out at last. */
static bool letter_is_poison(struct engine *eng, const char *intent)
{
    if (suspect_at(eng->suspect, suspect_of_bytes(intent, strlen(intent))) < SUSPECT_DEATHS)
        return false;
    log_error("broadcast.suspect", "intent=%s next=\"left out\"", intent);
    return true;
}

static int letter_send(struct engine *eng, json_t *row, struct broadcast *b, const json_t *part,
                       struct err *e)
{
    struct letter l = {.row = row, .b = b, .part = part, .id = json_get_int(row, "id", 0),
                       .contact = json_get_int(part, "contact_id", 0)};
    AUTO_FREE char *by = mem_printf("broadcast %s", b->name);
    struct input_bulk bulk = {.list = b->list, .by = by};
    AUTO_FREE char *intent = mem_printf("broadcast:%s:C%" PRId64, b->name, l.contact);
    input_begin(&l.in, eng, mem_printf("broadcast %s to C%" PRId64, b->name, l.contact),
                mem_str(intent));
    l.in.bulk = &bulk;
    int rc = letter_is_poison(eng, intent) ? letter_leave_out(&l, "the engine ended at it", e)
                                           : letter_make(&l, e);
    l.in.bulk = NULL; /* what rules send now is not of it */
    if (rc == 0)
        rc = input_finish(&l.in, e);
    input_end(&l.in);
    return rc;
}

int broadcast_send(struct engine *eng, const struct item *it, json_t *row, struct broadcast *b,
                   struct err *e)
{
    json_t *zones = json_get_arr(it->frame.json, "zones"), *part = NULL;
    int64_t left = json_get_int(it->frame.json, "left", 0), id = json_get_int(row, "id", 0);
    while (!part && json_array_size(zones) > 0) {
        if (part_next(eng->db, id, json_integer_value(json_array_get(zones, 0)),
                      broadcast_rank_to(row, b), &part, e) < 0)
            return -1;
        if (!part)
            json_array_remove(zones, 0);
    }
    AUTO_JSON json_t *mine = part;
    if (!part)
        return 0; /* all of these zones are written; the timer looks further, at its pace */
    if (letter_send(eng, row, b, part, e) < 0)
        return -1;
    if (left > 1)
        broadcast_queue(eng, row, json_incref(zones), left - 1);
    return 0;
}

/* Rows that have not left yet; back to ready only what this broadcast held. */
int broadcast_hold_rows(struct engine *eng, const json_t *row, const char *state, const char *why,
                        struct err *e)
{
    size_t i;
    json_t *id;
    int64_t now = clock_now_ms();
    AUTO_JSON json_t *ids = part_made_rows(eng->db, json_get_int(row, "id", 0), e);
    if (!ids)
        return -1;
    json_array_foreach(ids, i, id) {
        AUTO_JSON json_t *out = outbox_get(eng->db, json_integer_value(id), e);
        if (!out)
            return -1;
        const char *is = json_get_str(out, "state", "");
        bool held = strcmp(is, "held") == 0, back = strcmp(state, "ready") == 0;
        bool mine = held && strcmp(json_get_str(out, "reply", ""), why) == 0;
        struct outbox_change c = {.state = state, .reply = back ? NULL : why,
                                  .next_ms = back ? now : 0,
                                  .done_ms = strcmp(state, "failed") == 0 ? now : 0};
        if (strcmp(is, "claimed") == 0 || (back ? !mine : held && !c.done_ms))
            continue;
        if (outbox_set_state(eng->db, json_integer_value(id), &c, e) < 0)
            return -1;
    }
    return 0;
}
