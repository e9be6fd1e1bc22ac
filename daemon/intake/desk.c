/* SPDX-License-Identifier: ISC
 *
 * desk - see desk.h
 */
#include "intake/desk.h"

#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"

struct desk_item {
    struct desk_item *next;
    uint64_t id;
    enum frame_type type;
    json_t *json; /* own */
    char *raw;    /* own */
    size_t raw_len;
    struct desk_place place; /* of a MAIL; its name lives in json */
    bool *answered;          /* of a question: set together with *answer */
    json_t **answer;
};

void desk_init(struct desk *d, struct role *r)
{
    *d = (struct desk){.role = r};
    d->items_tail = &d->items;
    d->done_tail = &d->done;
    d->requests_tail = &d->requests;
}

static void desk_item_free(struct desk_item *it)
{
    json_decref(it->json);
    mem_free(it->raw);
    mem_free(it);
}

void desk_done_free(struct desk_done *done)
{
    if (!done)
        return;
    mem_free((void *)done->place.name);
    mem_free(done);
}

void desk_request_free(struct desk_request *q)
{
    if (!q)
        return;
    json_decref(q->json);
    mem_free(q->raw);
    mem_free(q);
}

void desk_close(struct desk *d)
{
    if (d->engine)
        chan_flush(d->engine, 1000);
    chan_free(&d->engine);
    while (d->items) {
        struct desk_item *it = d->items;
        d->items = it->next;
        desk_item_free(it);
    }
    while (d->done) {
        struct desk_done *done = d->done;
        d->done = done->next;
        desk_done_free(done);
    }
    for (struct desk_request *q; (q = desk_take_request(d));)
        desk_request_free(q);
    json_decref(d->cursors);
    json_decref(d->state);
}

void desk_add_done(struct desk *d, const struct desk_place *p)
{
    struct desk_done *done = mem_alloc(sizeof *done);
    done->place = *p;
    done->place.name = mem_str(p->name);
    *d->done_tail = done;
    d->done_tail = &done->next;
}

/* The engine's cursor moves with its receipts; ours of it follows, so that a
 * later look does not begin at what CURSORS said long ago. */
static void desk_follow(struct desk *d, const struct desk_item *it)
{
    json_t *c = json_get_obj(json_get_obj(d->cursors, "folders"),
                             json_get_str(it->json, "folder", ""));
    if (c && !json_get_bool(it->json, "again", false) &&
        json_get_int(c, "uidvalidity", 0) == it->place.uidvalidity &&
        json_get_int(c, "last_uid", 0) < it->place.uid)
        json_put_int(c, "last_uid", it->place.uid);
}

static void desk_receipt(struct desk *d, struct frame *f)
{
    struct desk_item **p = &d->items;
    while (*p && (*p)->id != f->id)
        p = &(*p)->next;
    struct desk_item *it = *p;
    enum frame_type expected = it && it->type == FRAME_MATCH ? FRAME_MATCHED : FRAME_RECEIPT;
    if (!it || f->type != expected)
        return; /* settled before, or not ours: nothing to do */
    if (it->type == FRAME_MAIL)
        CRASH_POINT("intake.receipt.before");
    *p = it->next;
    if (d->items_tail == &it->next)
        d->items_tail = p;
    if (it->type == FRAME_MAIL) {
        d->item_count--;
        d->item_bytes -= it->raw_len;
        desk_follow(d, it);
        if (d->wants_done)
            desk_add_done(d, &it->place);
        CRASH_POINT("intake.receipt.after");
    } else {
        *it->answered = true;
        *it->answer = f->json;
        f->json = NULL;
    }
    desk_item_free(it);
}

static void desk_add_request(struct desk *d, struct frame *f)
{
    if (d->request_count >= BOUND_INTAKE_REQUESTS) {
        log_warn("intake.busy", "type=%s id=%llu dropped", frame_type_name(f->type),
                 (unsigned long long)f->id);
        struct desk_request dropped = {.type = f->type, .id = f->id};
        desk_refuse(d, &dropped, "too many requests wait at this mailbox");
        return;
    }
    struct desk_request *q = mem_alloc(sizeof *q);
    q->type = f->type;
    q->id = f->id;
    q->json = f->json;
    q->raw = f->raw;
    q->raw_len = f->raw_len;
    f->json = NULL;
    f->raw = NULL;
    *d->requests_tail = q;
    d->requests_tail = &q->next;
    d->request_count++;
}

static void desk_on_frame(struct chan *c, struct frame *f, void *arg)
{
    struct desk *d = arg;
    (void)c;
    switch (f->type) {
    case FRAME_CURSORS:
        json_decref(d->cursors);
        d->cursors = f->json;
        f->json = NULL;
        d->cursors_seen++;
        break;
    case FRAME_RECEIPT:
    case FRAME_MATCHED:
        desk_receipt(d, f);
        break;
    case FRAME_LIST:
    case FRAME_PREVIEW:
    case FRAME_REFETCH:
    case FRAME_APPEND:
        desk_add_request(d, f);
        break;
    default:
        return;
    }
    role_wake(d->role);
}

static void desk_on_gone(struct chan *c, const char *why, void *arg)
{
    struct desk *d = arg;
    (void)c;
    log_debug("intake.engine_gone", "why=\"%s\"", why);
    chan_free(&d->engine);
    json_decref(d->cursors);
    d->cursors = NULL;
}

void desk_connect(struct desk *d, int fd)
{
    chan_free(&d->engine);
    json_decref(d->cursors);
    d->cursors = NULL;
    d->engine = chan_new(d->role->base, fd, "engine", desk_on_frame, desk_on_gone, d);
    chan_send_json(d->engine, FRAME_HELLO, 0, NULL);
    if (d->state)
        chan_send_json(d->engine, FRAME_INTAKE_STATE, 0, d->state);
    for (struct desk_item *it = d->items; it; it = it->next)
        chan_send(d->engine, it->type, it->id, it->json, it->raw, it->raw_len, -1);
    role_wake(d->role);
}

bool desk_over(const struct desk *d)
{
    return d->stopping || d->role->quit;
}

bool desk_has_work(const struct desk *d)
{
    return desk_over(d) || d->requests || d->done || d->cursors_seen != d->cursors_used;
}

void desk_wait(struct desk *d, int ms)
{
    if (!desk_over(d))
        role_wait(d->role, -1, 0, ms);
}

int desk_wait_engine(struct desk *d)
{
    while (!d->cursors && !desk_over(d))
        desk_wait(d, -1);
    return desk_over(d) ? -1 : 0;
}

size_t desk_room(const struct desk *d)
{
    return BOUND_MAILBOX_INFLIGHT - d->item_count;
}

bool desk_has_room(const struct desk *d, size_t bytes)
{
    if (d->item_count == 0)
        return true;
    return d->item_count < BOUND_MAILBOX_INFLIGHT && bytes <= BOUND_INTAKE_INFLIGHT_BYTES &&
           d->item_bytes <= BOUND_INTAKE_INFLIGHT_BYTES - bytes;
}

bool desk_holds(const struct desk *d, const struct desk_place *p)
{
    for (const struct desk_item *it = d->items; it; it = it->next) {
        if (it->type != FRAME_MAIL || it->place.folder != p->folder)
            continue;
        if (p->name ? strcmp(it->place.name, p->name) == 0
                    : it->place.uidvalidity == p->uidvalidity && it->place.uid == p->uid)
            return true;
    }
    return false;
}

static struct desk_item *desk_add(struct desk *d, enum frame_type type, json_t *json,
                                  const void *raw, size_t raw_len)
{
    struct desk_item *it = mem_alloc(sizeof *it);
    it->id = ++d->last_id;
    it->type = type;
    it->json = json;
    it->raw = raw_len ? mem_strn(raw, raw_len) : NULL;
    it->raw_len = raw_len;
    *d->items_tail = it;
    d->items_tail = &it->next;
    if (d->engine)
        chan_send(d->engine, type, it->id, json, raw, raw_len, -1);
    return it;
}

void desk_mail(struct desk *d, const struct desk_place *p, json_t *json, const void *raw,
               size_t raw_len)
{
    struct desk_item *it = desk_add(d, FRAME_MAIL, json, raw, raw_len);
    it->place = *p;
    if (p->name)
        it->place.name = json_get_str(json, "name", "");
    d->item_count++;
    d->item_bytes += raw_len;
}

size_t desk_header_len(const char *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (p[i] != '\n')
            continue;
        if (p[i + 1] == '\n')
            return i + 2;
        if (p[i + 1] == '\r' && i + 2 < n && p[i + 2] == '\n')
            return i + 3;
    }
    return n;
}

/* The asker gives up: its answer, should one still come, is not wanted. */
static void desk_forget(struct desk *d, uint64_t id)
{
    struct desk_item **p = &d->items;
    while (*p && (*p)->id != id)
        p = &(*p)->next;
    struct desk_item *it = *p;
    if (!it)
        return;
    *p = it->next;
    if (d->items_tail == &it->next)
        d->items_tail = p;
    desk_item_free(it);
}

json_t *desk_ask(struct desk *d, enum frame_type type, json_t *json)
{
    bool answered = false;
    json_t *answer = NULL;
    struct desk_item *it = desk_add(d, type, json, NULL, 0);
    uint64_t id = it->id;
    it->answered = &answered;
    it->answer = &answer;
    while (!answered && !desk_over(d))
        desk_wait(d, -1);
    if (!answered)
        desk_forget(d, id);
    return answer;
}

struct desk_done *desk_take_done(struct desk *d, size_t folder)
{
    struct desk_done **p = &d->done;
    while (*p && (*p)->place.folder != folder)
        p = &(*p)->next;
    struct desk_done *done = *p;
    if (!done)
        return NULL;
    *p = done->next;
    if (d->done_tail == &done->next)
        d->done_tail = p;
    done->next = NULL;
    return done;
}

struct desk_request *desk_take_request(struct desk *d)
{
    struct desk_request *q = d->requests;
    if (!q)
        return NULL;
    d->requests = q->next;
    if (!d->requests)
        d->requests_tail = &d->requests;
    d->request_count--;
    q->next = NULL;
    return q;
}

void desk_answer(struct desk *d, const struct desk_request *q, enum frame_type type, json_t *json)
{
    if (d->engine)
        chan_send_json(d->engine, type, q->id, json);
    json_decref(json);
}

bool desk_refuse(struct desk *d, const struct desk_request *q, const char *why)
{
    if (q->type == FRAME_REFETCH)
        return false;
    json_t *j = json_object();
    json_put_str(j, "error", why);
    if (q->type == FRAME_APPEND)
        json_put_str(j, "outcome", "later");
    desk_answer(d, q,
                q->type == FRAME_APPEND ? FRAME_APPENDED
                : q->type == FRAME_LIST ? FRAME_LISTED
                                        : FRAME_PREVIEWED,
                j);
    return true;
}

void desk_report(struct desk *d, json_t *state)
{
    /* the same again says that it is alive: that a mailbox which is silent is not dead */
    const char *word = json_get_str(state, "state", "");
    bool well = strcmp(word, "idle") == 0 || strcmp(word, "connected") == 0;
    int64_t now = clock_mono_ms();
    if (d->state && json_equal(d->state, state) && !(well && now - d->state_mono >= d->alive_ms)) {
        json_decref(state);
        return;
    }
    json_decref(d->state);
    d->state = state;
    d->state_mono = now;
    if (d->engine)
        chan_send_json(d->engine, FRAME_INTAKE_STATE, 0, state);
}
