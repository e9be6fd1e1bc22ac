/* SPDX-License-Identifier: ISC
 *
 * queue - items in the order they came
 */
#include "base/clock.h"
#include "base/mem.h"
#include "engine/engine.h"

void queue_init(struct queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
    q->count = 0;
}

void queue_add(struct queue *q, struct item *it)
{
    it->next = NULL;
    *q->tail = it;
    q->tail = &it->next;
    q->count++;
}

void queue_put_back(struct queue *q, struct item *it)
{
    it->next = q->head;
    if (!q->head)
        q->tail = &it->next;
    q->head = it;
    q->count++;
}

struct item *queue_take(struct queue *q)
{
    struct item *it = q->head;
    if (!it)
        return NULL;
    q->head = it->next;
    if (!q->head)
        q->tail = &q->head;
    q->count--;
    it->next = NULL;
    return it;
}

struct item *item_new(enum item_kind kind, const struct peer *p)
{
    struct item *it = mem_alloc(sizeof(*it));
    it->kind = kind;
    it->since_mono = clock_mono_ms();
    it->frame.fd = -1;
    if (p) {
        it->peer = p->serial;
        it->peer_name = mem_str(p->name);
    }
    return it;
}

void item_free(struct item *it)
{
    if (!it)
        return;
    frame_done(&it->frame);
    json_decref(it->message);
    mem_free(it->peer_name);
    mem_free(it->gen);
    mem_free(it->poison);
    mem_free(it->late);
    mem_free(it);
}
