/* SPDX-License-Identifier: ISC
 *
 * box_fetch - from a list of UIDs to messages on the engine's desk
 *
 * Sizes come first; then messages in batches by size, those over the limit as
 * headers and part list.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/box.h"

#define TRIALS_WHOLE 4   /* attempts at the whole message */
#define TRIALS_PARTS 5   /* up to here: headers and part list */
#define TRIALS_HEADERS 6 /* up to here: headers alone; then it is left */

struct fetch { /* one command's answers */
    struct box *b;
    struct box_folder *f;
    const struct imap_item *items;
    size_t count;
    bool *came;
    bool headers; /* headers were asked for */
    bool again;   /* the engine asked for these: its cursor stays where it is */
    size_t given;
};

static void fetch_give(void *arg, uint32_t uid, const char *p, size_t n, json_t *parts)
{
    struct fetch *x = arg;
    size_t i = 0;
    while (i < x->count && x->items[i].uid != uid)
        i++;
    if (i == x->count || x->came[i]) {
        json_decref(parts);
        return; /* not asked for, or told twice */
    }
    x->came[i] = true;
    size_t size = x->items[i].size;
    bool truncated = x->headers;
    if (!truncated && n > x->b->set->mail_size) { /* larger than the server said */
        truncated = true;
        size = n;
        n = desk_header_len(p, n);
    }
    if (truncated && n > MIB(1))
        n = MIB(1);
    struct desk_place place = {.folder = x->f->index, .uidvalidity = x->f->uidvalidity, .uid = uid};
    json_t *j = json_object();
    json_put_str(j, "folder", x->f->name);
    json_put_int(j, "uidvalidity", x->f->uidvalidity);
    json_put_int(j, "uid", uid);
    json_put_int(j, "internal_ms", x->items[i].internal_ms);
    json_put_int(j, "size", (int64_t)size);
    json_put_bool(j, "truncated", truncated);
    if (x->again)
        json_put_bool(j, "again", true);
    if (truncated)
        json_object_set_new(j, "parts", parts ? parts : json_array());
    else
        json_decref(parts);
    desk_mail(x->b->desk, &place, j, p, n);
    if (x->given++ == 0)
        x->f->alarm[0] = '\0'; /* what follows in this command may set a new one */
    x->b->progress = true;
}

/* Waits until bytes may be handed over; keeps the connection alive meanwhile.
 * Once the desk is full, until it is half empty: one command per message would
 * be slow. */
static enum imap_result fetch_wait_room(struct box *b, size_t bytes, struct err *e)
{
    size_t least = desk_has_room(b->desk, bytes) ? 1 : BOUND_MAILBOX_INFLIGHT / 2;
    while (!desk_has_room(b->desk, bytes) || desk_room(b->desk) < least) {
        size_t before = desk_room(b->desk);
        desk_wait(b->desk, 60000);
        if (desk_over(b->desk)) {
            err_set(e, ERR_TEMP, "told to end");
            return IMAP_BROKEN;
        }
        if (desk_room(b->desk) == before) {
            enum imap_result res = imap_noop(&b->imap, e);
            if (res == IMAP_BROKEN)
                return res;
        }
    }
    return IMAP_OK;
}

/* How many of items go into one command. */
static size_t fetch_batch(const struct box *b, const struct box_folder *f,
                          const struct imap_item *items, size_t count)
{
    size_t bytes = 0, n = 0, room = desk_room(b->desk);
    if (items[0].uid <= f->careful_to)
        return 1;
    while (n < count && n < room && items[n].size <= b->set->mail_size) {
        bytes += items[n].size;
        if (n > 0 && (bytes > b->set->batch || !desk_has_room(b->desk, bytes)))
            break;
        n++;
    }
    return n ? n : 1;
}

/* One command: whole messages, or one message's headers. */
static enum imap_result fetch_command(struct box *b, struct fetch *x, struct err *e)
{
    struct box_folder *f = x->f;
    uint32_t uids[BOUND_MAILBOX_INFLIGHT];
    size_t bytes = 0;
    unsigned trials = x->count == 1 && f->trial_uid == x->items[0].uid ? f->trials : 0;
    for (size_t i = 0; i < x->count; i++) {
        uids[i] = x->items[i].uid;
        bytes += x->items[i].size;
    }
    if (x->count == 1) {
        f->trial_uid = uids[0];
        f->trials = trials + 1;
    }
    f->careful_to = uids[x->count - 1] > f->careful_to ? uids[x->count - 1] : f->careful_to;
    x->headers = x->count == 1 && (x->items[0].size > b->set->mail_size || trials >= TRIALS_WHOLE);
    if (x->headers)
        return imap_header(&b->imap, uids[0], trials < TRIALS_PARTS, fetch_give, x, e);
    return imap_bodies(&b->imap, uids, x->count, bytes, fetch_give, x, e);
}

/* Those that were asked for and did not come are named, not passed over. */
static void fetch_report_missing(struct box *b, const struct fetch *x)
{
    for (size_t i = 0; i < x->count; i++)
        if (!x->came[i])
            box_alarm(b, x->f, "UID %u is listed but was not delivered", x->items[i].uid);
}

/* A broken network is worth more attempts; an answer that broke a limit or
 * cannot be parsed will be the same next time. */
static void fetch_learn(struct box_folder *f, size_t count, const struct err *e)
{
    if (count != 1 || e->cls != ERR_INPUT)
        return;
    f->trials = f->trials <= TRIALS_WHOLE   ? TRIALS_WHOLE
                : f->trials <= TRIALS_PARTS ? TRIALS_PARTS
                                            : TRIALS_HEADERS;
}

static enum imap_result fetch_some(struct box *b, struct box_folder *f,
                                   const struct imap_item *items, size_t *n, bool again,
                                   size_t *given, struct err *e)
{
    bool came[BOUND_MAILBOX_INFLIGHT] = {false};
    enum imap_result res = fetch_wait_room(b, items[0].size, e);
    if (res != IMAP_OK)
        return res;
    *n = fetch_batch(b, f, items, *n);
    struct fetch x = {.b = b, .f = f, .items = items, .count = *n, .came = came, .again = again};
    uint32_t careful_before = f->careful_to;
    if (*n == 1 && f->trial_uid == items[0].uid && f->trials >= TRIALS_HEADERS) {
        box_alarm(b, f, "UID %u cannot be fetched and was left out", items[0].uid);
    } else {
        CRASH_POINT("intake.fetch.before");
        res = fetch_command(b, &x, e);
        CRASH_POINT("intake.fetch.after");
        if (res == IMAP_BROKEN) {
            fetch_learn(f, *n, e);
            return res;
        }
        if (res == IMAP_NO)
            box_alarm(b, f, "UID %u: %s", items[0].uid, e->text);
        fetch_report_missing(b, &x);
    }
    f->careful_to = careful_before;
    f->trial_uid = 0;
    *given += x.given;
    return IMAP_OK;
}

static enum imap_result fetch_chunk(struct box *b, struct box_folder *f, const uint32_t *uids,
                                    size_t count, bool advance, size_t *given, struct err *e)
{
    AUTO_FREE struct imap_item *items = mem_array(count, sizeof *items);
    size_t found = 0;
    enum imap_result res = imap_items(&b->imap, uids, count, false, items, &found, e);
    if (res != IMAP_OK)
        return res;
    if (found < count)
        log_info("intake.gone", "folder=\"%s\" listed=%zu found=%zu", f->name, count, found);
    for (size_t i = 0, n; i < found; i += n) {
        n = found - i;
        res = fetch_some(b, f, items + i, &n, !advance, given, e);
        if (res == IMAP_OK)
            res = box_after_many(b, f, e);
        if (res != IMAP_OK)
            return res;
        if (advance)
            f->next_uid = items[i + n - 1].uid + 1;
    }
    if (advance && count > 0)
        f->next_uid = uids[count - 1] + 1;
    return IMAP_OK;
}

enum imap_result box_fetch(struct box *b, struct box_folder *f, const uint32_t *uids, size_t count,
                           bool advance, size_t *given, struct err *e)
{
    enum imap_result res = IMAP_OK;
    for (size_t i = 0; i < count && res == IMAP_OK; i += BOUND_INTAKE_CHUNK) {
        size_t n = count - i < BOUND_INTAKE_CHUNK ? count - i : BOUND_INTAKE_CHUNK;
        res = fetch_chunk(b, f, uids + i, n, advance, given, e);
    }
    return res;
}
