/* SPDX-License-Identifier: ISC
 *
 * asks - see asks.h
 */
#include "engine/asks.h"

#include "base/mem.h"
#include "base/units.h"

#define ASK_TIMEOUT_MS MINUTE_MS

static void ask_free(struct ask *a)
{
    struct ask **at = &a->eng->asks;
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    event_free(a->late);
    json_decref(a->parts);
    mem_free(a->owed);
    mem_free(a);
}

/* Not through engine_answer: this may be outside a pass, and nothing here
 * promises anything that waits for a commit. */
static void ask_finish(struct ask *a)
{
    struct peer *client = peer_by_serial(a->eng, a->peer);
    AUTO_JSON json_t *j = ask_answer(a);
    if (client)
        chan_send_json(client->chan, FRAME_CTL_DONE, a->client, j);
    ask_free(a);
}

void ask_within(struct engine *eng, uint64_t id, int64_t ms)
{
    struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000 * 1000)};
    for (struct ask *a = eng->asks; a; a = a->next)
        if (a->id == id)
            event_add(a->late, &tv);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ask_finish(arg);
}

struct ask *ask_new(struct engine *eng, const struct item *it, const char *what)
{
    struct ask *a = mem_alloc(sizeof(*a));
    struct timeval tv = {ASK_TIMEOUT_MS / 1000, 0};
    a->eng = eng;
    a->id = ++eng->next_ask;
    a->peer = it->peer;
    a->client = it->frame.id;
    a->what = what;
    a->parts = json_array();
    a->late = event_new(eng->role->base, -1, 0, on_late, a);
    event_add(a->late, &tv);
    a->next = eng->asks;
    eng->asks = a;
    return a;
}

void ask_expect(struct ask *a, uint64_t peer, enum frame_type type)
{
    a->owed = mem_grow(a->owed, (a->owed_count + 1) * sizeof(*a->owed));
    a->owed[a->owed_count++] = (struct ask_owed){peer, type};
}

/* The part that stood at place i of owed; the last one answers the client. */
static void ask_part(struct ask *a, size_t i, json_t *part)
{
    a->owed[i] = a->owed[--a->owed_count];
    if (part)
        json_array_append_new(a->parts, part);
    if (a->owed_count == 0)
        ask_finish(a);
}

struct ask *ask_owed_by(struct engine *eng, uint64_t id, uint64_t peer, enum frame_type type)
{
    struct ask *a = eng->asks;
    while (a && a->id != id)
        a = a->next;
    for (size_t i = 0; a && i < a->owed_count; i++)
        if (a->owed[i].peer == peer && a->owed[i].type == type)
            return a;
    return NULL;
}

bool ask_answered(struct engine *eng, uint64_t id, uint64_t peer, enum frame_type type,
                  json_t *part)
{
    struct ask *a = eng->asks;
    while (a && a->id != id)
        a = a->next;
    for (size_t i = 0; a && i < a->owed_count; i++)
        if (a->owed[i].peer == peer && a->owed[i].type == type) {
            ask_part(a, i, json_incref(part));
            return true;
        }
    return false;
}

void ask_add(struct ask *a, json_t *part)
{
    json_array_append_new(a->parts, part);
}

void ask_asked(struct ask *a)
{
    if (a->owed_count == 0)
        ask_finish(a);
}

void asks_gone(struct engine *eng, const struct peer *p)
{
    for (struct ask *a = eng->asks, *next; a; a = next) {
        next = a->next;
        if (a->peer == p->serial) {
            ask_free(a);
            continue;
        }
        size_t i = 0;
        while (i < a->owed_count && a->owed[i].peer != p->serial)
            i++;
        if (i < a->owed_count)
            ask_part(a, i, json_pack("{s:s, s:s}", "mailbox", peer_instance(p), "error",
                                     "it has ended meanwhile; ask again"));
    }
}

void asks_undo(struct engine *eng, uint64_t last)
{
    while (eng->asks && eng->asks->id > last) /* newest first */
        ask_free(eng->asks);
}

void asks_stop(struct engine *eng)
{
    while (eng->asks)
        ask_free(eng->asks);
}
