/* SPDX-License-Identifier: ISC
 *
 * peers - the channels to the other roles and to clients: who is there, what each
 * may send, and how fast
 *
 * Frames become items of the queue here; what they mean is for the pass. A name
 * inside a frame says nothing about who sent it: the channel does.
 */
#include <string.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/clients.h"
#include "engine/engine.h"

const char *peer_instance(const struct peer *p)
{
    const char *colon = strchr(p->name, ':');
    return colon ? colon + 1 : p->name;
}

struct peer *peer_by_serial(struct engine *eng, uint64_t serial)
{
    struct peer *p = eng->peers;
    while (p && p->serial != serial)
        p = p->next;
    return p;
}

struct peer *peer_by_name(struct engine *eng, const char *name)
{
    struct peer *p = eng->peers; /* newest first */
    while (p && (p->draining || strcmp(p->name, name) != 0))
        p = p->next;
    return p;
}

void peer_remove(struct engine *eng, struct peer *p, const char *why)
{
    struct peer **at = &eng->peers;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    if (strcmp(p->name, "parser") == 0 && !peer_by_name(eng, "parser"))
        parsing_parser_gone(eng, why, p->leaving);
    clients_gone(eng, p);
    chan_free(&p->chan);
    slots_unmap(&p->slots);
    json_decref(p->state);
    mem_free(p->name);
    mem_free(p->gen);
    mem_free(p->who);
    mem_free(p);
}

/* It ends, and the supervisor will say how; or it only closed the channel, and
 * the supervisor sees to it that it ends. */
static void peer_closed(struct peer *p)
{
    AUTO_JSON json_t *j = json_pack("{s:s, s:s, s:s, s:b}", "name", p->name, "gen", p->gen, "why",
                                    "closed its channel", "closed", 1);
    chan_free(&p->chan);
    p->draining = true;
    chan_send_json(p->eng->role->sup, FRAME_REPLACE_PEER, 0, j);
}

/* By us: it lives, and gets no other channel. */
static void peer_cut(const struct peer *p, const char *why)
{
    AUTO_JSON json_t *j = json_pack("{s:s, s:s, s:s}", "name", p->name, "gen", p->gen, "why", why);
    log_error("peer.cut", "peer=%s why=\"%s\" next=replaced", p->name, why);
    if (*p->gen)
        chan_send_json(p->eng->role->sup, FRAME_REPLACE_PEER, 0, j);
}

void peer_odd(struct peer *p, const char *what)
{
    if (++p->odd <= 10)
        log_warn("peer.frame_refused", "peer=%s type=%s next=\"not believed\"", p->name, what);
    if (p->odd != BOUND_PEER_ODD || !*p->gen)
        return;
    peer_cut(p, "it sends what is not its to send");
    chan_pause(p->chan, true); /* until the supervisor has ended it */
}

static void peer_on_gone(struct chan *c, const char *why, void *arg)
{
    struct peer *p = arg;
    (void)c;
    log_debug("peer.gone", "peer=%s why=\"%s\"", p->name, why);
    if (strcmp(why, CHAN_CLOSED) != 0 && *p->gen)
        peer_cut(p, why);
    if (strcmp(why, CHAN_CLOSED) == 0 && strcmp(p->name, "parser") == 0) {
        peer_closed(p);
        return;
    }
    peer_remove(p->eng, p, why);
}

static bool peer_may_send(const struct peer *p, enum frame_type t)
{
    char kind[32];
    size_t n = strcspn(p->name, ":");
    memcpy(kind, p->name, n < sizeof(kind) ? n : sizeof(kind) - 1);
    kind[n < sizeof(kind) ? n : sizeof(kind) - 1] = '\0';
    return t == FRAME_HELLO ? frame_allowed(t, "peer") : frame_allowed(t, kind);
}

static int peer_queue_max(const struct peer *p)
{
    return clients_is_one(p) ? BOUND_CTL_QUEUE : BOUND_PEER_QUEUE;
}

void peer_item_done(struct peer *p)
{
    if (--p->queued < (peer_queue_max(p) + 1) / 2)
        chan_pause(p->chan, false);
}

static void peer_on_frame(struct chan *c, struct frame *f, void *arg)
{
    struct peer *p = arg;
    struct engine *eng = p->eng;
    if (p->odd >= BOUND_PEER_ODD && *p->gen)
        return; /* it is being replaced */
    if (!peer_may_send(p, f->type)) {
        engine_count(eng, "frames_refused", 1);
        if (clients_is_one(p)) /* it is no leadctl; one line is enough */
            peer_remove(eng, p, "frame refused");
        else
            peer_odd(p, frame_type_name(f->type));
        return;
    }
    if (clients_is_one(p) && chan_queued(c) > BOUND_CTL_UNREAD) { /* leadctl asks and reads */
        log_warn("client.cut", "peer=%s error=\"it asks on and does not read\"", p->name);
        peer_remove(eng, p, "does not read");
        return;
    }
    if (f->type == FRAME_PARSED) {
        parsing_done(eng, p, f);
        return;
    }
    if (f->type == FRAME_HELLO && strcmp(p->name, "parser") == 0) {
        p->leaving = json_get_bool(f->json, "leaving", false);
        return;
    }
    struct item *it = item_new(f->type == FRAME_MAIL ? ITEM_MAIL : ITEM_FRAME, p);
    it->frame = *f;
    *f = (struct frame){.fd = -1};
    if (++p->queued >= peer_queue_max(p) ||
        (it->kind == ITEM_MAIL && p->inflight >= 2 * BOUND_MAILBOX_INFLIGHT))
        chan_pause(p->chan, true); /* what it sends on waits in its own memory */
    if (it->kind == ITEM_MAIL) {
        p->inflight++;
        parsing_add(eng, it);
    } else {
        engine_queue(eng, it);
    }
}

struct peer *peer_add(struct engine *eng, const char *name, const char *gen, int fd)
{
    struct peer *p = mem_alloc(sizeof(*p));
    p->eng = eng;
    p->serial = ++eng->next_serial;
    p->name = mem_str(name);
    p->gen = mem_str(gen);
    p->next = eng->peers;
    eng->peers = p;
    p->chan = chan_new(eng->role->base, fd, name, peer_on_frame, peer_on_gone, p);
    return p;
}

/* What it answered counts: else the next in line would look like its death. */
static void peer_replaced(struct engine *eng, struct peer *p, const char *why)
{
    if (strcmp(p->name, "parser") == 0 && p->chan)
        chan_read_rest(p->chan);
    peer_remove(eng, p, why);
}

/* Of these an old process ends beside its successor. */
static bool peer_drains(const char *name)
{
    return strcmp(name, "courier") == 0 || strcmp(name, "web-in") == 0;
}

void peers_come(struct role *r, const char *name, const char *gen, int fd)
{
    struct engine *eng = r->state;
    for (struct peer *old = eng->peers, *next; old; old = next) {
        next = old->next;
        if (strcmp(old->name, name) != 0)
            continue;
        if (peer_drains(name) && strcmp(old->gen, gen) != 0)
            old->draining = true; /* it goes on with what it has */
        else
            peer_replaced(eng, old, "replaced");
    }
    struct peer *p = peer_add(eng, name, gen, fd);
    if (strcmp(name, "parser") == 0)
        parsing_new_parser(eng);
    if (strcmp(name, "courier") == 0) {
        struct err e = {0};
        if (outbound_courier(eng, p, &e) < 0)
            log_error("courier.no_slots", "error=\"%s\" next=\"nothing is sent until they can be "
                      "written\"", e.text);
    }
}

void peers_went(struct role *r, const char *name, const char *gen, const char *how)
{
    struct engine *eng = r->state;
    for (struct peer *p = eng->peers, *next; p; p = next) {
        next = p->next;
        if (strcmp(p->name, name) != 0 || strcmp(p->gen, gen) != 0)
            continue;
        /* a courier's last frames may still be in the socket: the channel's own
         * end removes it when they have been read; but nothing may be claimed
         * for it any more, since ITEM_GONE settles only what is claimed now */
        if (strcmp(name, "courier") == 0)
            p->draining = true;
        else
            peer_replaced(eng, p, how);
    }
    if (strcmp(name, "courier") == 0) {
        struct item *it = item_new(ITEM_GONE, NULL);
        it->gen = mem_str(gen);
        engine_queue(eng, it);
    }
}
