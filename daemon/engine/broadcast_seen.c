/* SPDX-License-Identifier: ISC
 *
 * broadcast_seen - what recipients did then (see broadcast.h)
 *
 * Counted once for each recipient, of the last broadcast that was sent to him before, within
 * BROADCAST_SEEN_MS. Who is talked with gets nothing more: what waits for him is left out,
 * what is written and has not left is taken back. Where no broadcast ran lately, nothing is
 * looked up.
 */
#include <string.h>

#include "engine/broadcast.h"
#include "store/broadcast.h"
#include "store/outbox.h"

/* The row of a mail that is not with the courier yet. */
static int take_back(struct engine *eng, int64_t outbox, const char *why, int64_t now, bool *done_out,
                     struct err *e)
{
    struct outbox_change c = {.state = "failed", .done_ms = now, .reply = why};
    AUTO_JSON json_t *out = outbox_get(eng->db, outbox, e);
    if (!out)
        return -1;
    const char *state = json_get_str(out, "state", "");
    *done_out = strcmp(state, "ready") == 0 || strcmp(state, "deferred") == 0 || strcmp(state, "held") == 0;
    return *done_out ? outbox_set_state(eng->db, outbox, &c, e) : 0;
}

static int talk_one(struct input *in, int64_t contact, const json_t *open, const char *why,
                    struct err *e)
{
    struct err gone = {0};
    json_t *row;
    int64_t id = json_get_int(open, "broadcast_id", 0), outbox = json_get_int(open, "outbox_id", 0);
    if (broadcast_get(in->eng->db, json_get_str(open, "broadcast", ""), &row, e) < 0)
        return -1;
    AUTO_JSON json_t *mine = row;
    const struct broadcast *b = broadcast_definition(in->eng, row, &gone);
    bool done = true;
    if (!b || !b->talk_ms) /* it does not mind; or it is paused, at its next look */
        return 0;
    if (outbox && take_back(in->eng, outbox, why, in->now_ms, &done, e) < 0)
        return -1;
    return done ? part_leave_out(in->eng->db, id, contact, why, e) : 0;
}

static int talk(struct input *in, int64_t contact, const char *why, struct err *e)
{
    size_t i;
    json_t *one;
    AUTO_JSON json_t *open = part_open_of_contact(in->eng->db, contact, e);
    if (!open)
        return -1;
    json_array_foreach(open, i, one)
        if (talk_one(in, contact, one, why, e) < 0)
            return -1;
    return 0;
}

static bool is_words(const struct input *in, const struct crm_event *ev)
{
    return ev->actor.kind == CRM_BY_CONTACT &&
           (strcmp(ev->name, "form.received") == 0 ||
            (strcmp(ev->name, "message.received") == 0 &&
             strcmp(json_get_str(in->message, "kind", "person"), "person") == 0));
}

static bool is_leaving(const struct crm_event *ev)
{
    return strcmp(ev->name, "address.opted_out") == 0 || strcmp(ev->name, "list.left") == 0;
}

/* left_too: in the same input somebody left, so his words say no more than that. */
static int see_one(struct input *in, const struct crm_event *ev, bool left_too, struct err *e)
{
    struct db *db = in->eng->db;
    int64_t contact = ev->target.contact, now = in->now_ms, since = now - BROADCAST_SEEN_MS;
    bool words = !left_too && is_words(in, ev), left = is_leaving(ev);
    bool won = strcmp(ev->name, "deal.won") == 0, back = strcmp(ev->name, "bounce.received") == 0;
    bool meet = strcmp(ev->name, "meeting.added") == 0 || strcmp(ev->name, "call.logged") == 0;
    if (!contact || !(words || left || won || back || meet))
        return 0;
    if (part_sync(db, 0, contact, e) < 0)
        return -1;
    if ((words || left || won) &&
        part_mark_last(db, contact, words ? PART_REPLIED : left ? PART_UNSUBSCRIBED : PART_WON, since,
                       now, e) < 0)
        return -1;
    return words  ? talk(in, contact, "has written meanwhile", e)
           : meet ? talk(in, contact, "was talked with meanwhile", e)
                  : 0;
}

int broadcasts_see(struct input *in, struct err *e)
{
    bool left = false;
    if (!in->eng->broadcasts_seen)
        return 0;
    for (size_t i = 0; i < in->count; i++)
        left |= is_leaving(&in->events[i].ev);
    for (size_t i = 0; i < in->count; i++)
        if (see_one(in, &in->events[i].ev, left, e) < 0)
            return -1;
    return 0;
}
