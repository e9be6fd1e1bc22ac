/* SPDX-License-Identifier: ISC
 *
 * sent_copies - see sent_copies.h
 */
#include "engine/sent_copies.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/broadcast.h"
#include "engine/conversation.h"
#include "engine/notice.h"
#include "engine/retry.h"
#include "store/outbox.h"
#include "store/sent_copy.h"

#define AGAIN_FIRST_MS INT64_C(10000) /* after it was not answered; then twice as long, up to .. */
#define AGAIN_MOST_MS HOUR_MS
#define AFTER_DEATH_MS INT64_C(2000)  /* the server may still be at what it got last */
#define HOLD_FIRST_MS INT64_C(60000)  /* after the folder was refused */
#define TELL_AFTER 3                  /* refusals in a row */
#define FAILED_FOR_MS (30 * DAY_MS)

struct copy_box {
    const char *name; /* borrowed from the config */
    int64_t next_ms;  /* when its next one is due; 0: none waits */
    int64_t ends_ms;  /* what waits has not waited too long before then; 0: none waits */
    int64_t hold_ms;  /* none before */
    int64_t fails;    /* refusals in a row */
    bool full;        /* the intake has as many as it may: its next answer looks again */
};

struct sent_copies {
    struct copy_box *list; /* own */
    size_t count;
    struct event *due; /* own */
    bool queued;
};

static struct copy_box *box_find(const struct engine *eng, const char *mailbox)
{
    for (size_t i = 0; eng->sent_copies && i < eng->sent_copies->count; i++)
        if (strcmp(eng->sent_copies->list[i].name, mailbox) == 0)
            return &eng->sent_copies->list[i];
    return NULL;
}

/* ---- life -------------------------------------------------------------------------- */

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct engine *eng = arg;
    (void)fd;
    (void)what;
    if (eng->sent_copies->queued)
        return;
    eng->sent_copies->queued = true;
    engine_queue(eng, item_new(ITEM_COPIES, NULL));
}

/* Of mailboxes that leadd.conf no longer has. */
static int boxes_end(struct engine *eng, struct err *e)
{
    size_t i;
    json_t *name;
    const json_t *boxes = json_get_obj(eng->role->config, "mailboxes");
    AUTO_JSON json_t *names = sent_copy_mailboxes(eng->db, e);
    if (!names)
        return -1;
    json_array_foreach(names, i, name)
        if (!json_object_get(boxes, json_string_value(name)) &&
            sent_copy_end(eng->db, json_string_value(name), clock_now_ms(),
                          "the mailbox is not in leadd.conf any more", e) < 0)
            return -1;
    return 0;
}

/* At least an hour away: after a start it may still be reached. */
static int box_look_later(struct engine *eng, struct copy_box *b, struct err *e)
{
    int64_t oldest, soon = clock_now_ms() + HOUR_MS;
    b->ends_ms = soon;
    if (sent_copy_oldest(eng->db, b->name, &oldest, e) < 0)
        return -1;
    b->ends_ms = oldest == 0 ? 0 : oldest + RETRY_GIVE_UP_MS > soon ? oldest + RETRY_GIVE_UP_MS : soon;
    return 0;
}

/* Every mailbox: one that no relay names any more may still have to get what waits. */
int sent_copies_start(struct engine *eng, struct err *e)
{
    const char *name;
    json_t *c;
    json_t *boxes = json_get_obj(eng->role->config, "mailboxes");
    struct sent_copies *sc = eng->sent_copies = mem_alloc(sizeof(*sc));
    sc->list = mem_array(json_object_size(boxes) + 1, sizeof(*sc->list));
    if (eng->role->base)
        sc->due = event_new(eng->role->base, -1, 0, on_due, eng);
    json_object_foreach(boxes, name, c) {
        struct copy_box *b = &sc->list[sc->count++];
        *b = (struct copy_box){.name = name};
        if (sent_copy_next(eng->db, name, &b->next_ms, e) < 0 || box_look_later(eng, b, e) < 0)
            return -1;
    }
    return boxes_end(eng, e) < 0 ? -1 : sent_copy_doubt(eng->db, e);
}

void sent_copies_stop(struct engine *eng)
{
    if (!eng->sent_copies)
        return;
    if (eng->sent_copies->due)
        event_free(eng->sent_copies->due);
    mem_free(eng->sent_copies->list);
    mem_free(eng->sent_copies);
    eng->sent_copies = NULL;
}

/* ---- what is copied ------------------------------------------------------------------ */

static bool is_class(const json_t *row, const char *class_)
{
    return strcmp(json_get_str(row, "class", ""), class_) == 0;
}

static bool is_wanted(const json_t *relay, const json_t *row)
{
    const char *of = json_get_str(relay, "sent_copies_of", "");
    if (strcmp(json_get_str(row, "channel", ""), "sms") == 0)
        return false;
    if (is_class(row, "follow_up") || is_class(row, RELAY_CLASS) || strcmp(of, "all") == 0)
        return true;
    return is_class(row, BROADCAST_CLASS) && strcmp(of, "customers") == 0;
}

/* relay NULL: by the first, as nearly all. */
static const json_t *relay_of(const struct engine *eng, const char *relay)
{
    size_t i;
    json_t *c;
    json_t *relays = json_get_arr(eng->role->config, "relays");
    json_array_foreach(relays, i, c)
        if (!relay || strcmp(json_get_str(c, "name", ""), relay) == 0)
            return c;
    return NULL;
}

int sent_copies_note(struct engine *eng, const json_t *row, const char *relay, int64_t sent_ms,
                     struct err *e)
{
    const json_t *conf = eng->sent_copies ? relay_of(eng, relay) : NULL;
    const char *mailbox = json_get_str(conf, "sent_copies", NULL);
    int64_t now = clock_now_ms();
    struct copy_box *b = mailbox ? box_find(eng, mailbox) : NULL;
    if (!b || !is_wanted(conf, row))
        return 0;
    if (b->next_ms == 0 || now < b->next_ms)
        b->next_ms = now;
    if (b->ends_ms == 0)
        b->ends_ms = now + RETRY_GIVE_UP_MS;
    return sent_copy_add(eng->db, json_get_int(row, "id", 0), mailbox, sent_ms, now, e);
}

/* ---- due ----------------------------------------------------------------------------- */

/* Its intake, when that is connected; NULL: not now. */
static struct peer *box_intake(struct engine *eng, const struct copy_box *b)
{
    AUTO_FREE char *full = mem_printf("intake:%s", b->name);
    struct peer *p = peer_by_name(eng, full);
    const char *state = p ? json_get_str(p->state, "state", "") : "";
    return strcmp(state, "idle") == 0 || strcmp(state, "connected") == 0 ? p : NULL;
}

/* 0: not before something else happens. */
static int64_t box_at(struct engine *eng, const struct copy_box *b)
{
    if (b->next_ms == 0 || b->full || !box_intake(eng, b))
        return 0;
    return b->hold_ms > b->next_ms ? b->hold_ms : b->next_ms;
}

int64_t sent_copies_next(struct engine *eng)
{
    int64_t next = 0;
    for (size_t i = 0; eng->sent_copies && i < eng->sent_copies->count; i++) {
        const struct copy_box *b = &eng->sent_copies->list[i];
        int64_t at = box_at(eng, b);
        if (at && (next == 0 || at < next))
            next = at;
        if (b->ends_ms && (next == 0 || b->ends_ms < next))
            next = b->ends_ms;
    }
    return next;
}

bool sent_copies_busy(struct engine *eng)
{
    int64_t next = sent_copies_next(eng), n = 0, bytes;
    struct err e = {0};
    bool busy = eng->sent_copies && (eng->sent_copies->queued || (next && next <= clock_now_ms()));
    for (size_t i = 0; !busy && eng->sent_copies && i < eng->sent_copies->count; i++) {
        const struct copy_box *b = &eng->sent_copies->list[i];
        busy = box_intake(eng, b) && sent_copy_in_hand(eng->db, b->name, &n, &bytes, &e) == 0 && n > 0;
    }
    return busy;
}

void sent_copies_arm(struct engine *eng)
{
    struct sent_copies *sc = eng->sent_copies;
    int64_t next = sc && sc->due && !sc->queued ? sent_copies_next(eng) : 0, now = clock_now_ms();
    if (next == 0 || (next > now && clock_is_pretended()))
        return; /* `clock advance` looks again */
    int64_t wait = next > now ? next - now : 0;
    struct timeval tv = {wait / 1000, (wait % 1000) * 1000};
    event_add(sc->due, &tv);
}

/* A row whose bytes are gone stops nothing. */
static int copy_hand(struct engine *eng, const struct peer *intake, const json_t *row,
                     int64_t *bytes, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    struct outbox_mail mail;
    struct err gone = {0};
    if (outbox_mail(eng->db, id, &mail, &gone) < 0) {
        if (gone.cls == ERR_TEMP) {
            *e = gone;
            return -1;
        }
        return sent_copy_move(eng->db, id, "failed", clock_now_ms(), gone.text, e);
    }
    struct answer *a = engine_answer(
        eng, intake->serial, FRAME_APPEND, (uint64_t)id,
        json_pack("{s:I, s:b}", "internal_ms", (json_int_t)json_get_int(row, "sent_ms", 0), "again",
                  json_get_int(row, "tries", 0) > 0));
    a->raw = mail.raw;
    a->raw_len = mail.raw_len;
    *bytes += (int64_t)mail.raw_len;
    mail.raw = NULL;
    outbox_mail_done(&mail);
    CRASH_POINT("copy.handed.before");
    return sent_copy_handed(eng->db, id, e);
}

static int box_due(struct engine *eng, struct copy_box *b, struct err *e)
{
    size_t i;
    json_t *row;
    int64_t n, bytes, now = clock_now_ms();
    const struct peer *intake = box_intake(eng, b);
    b->full = false; /* a pass that was undone may have said otherwise, here and about the next one */
    if (sent_copy_next(eng->db, b->name, &b->next_ms, e) < 0)
        return -1;
    int64_t at = box_at(eng, b);
    if (at == 0 || at > now)
        return 0;
    if (sent_copy_in_hand(eng->db, b->name, &n, &bytes, e) < 0)
        return -1;
    AUTO_JSON json_t *rows = sent_copy_due(eng->db, b->name, now, BOUND_COPIES_IN_HAND, e);
    if (!rows)
        return -1;
    /* while the folder takes none, one of them is enough to see */
    int64_t most = b->fails ? 1 : BOUND_COPIES_IN_HAND;
    json_array_foreach(rows, i, row) {
        if (n >= most || bytes >= (int64_t)BOUND_COPIES_BYTES)
            break;
        if (copy_hand(eng, intake, row, &bytes, e) < 0)
            return -1;
        n++;
    }
    b->full = n >= most || bytes >= (int64_t)BOUND_COPIES_BYTES;
    return sent_copy_next(eng->db, b->name, &b->next_ms, e);
}

static int box_tell(struct engine *eng, const struct copy_box *b, const char *why, struct err *e)
{
    char day[32];
    AUTO_FREE char *key = mem_printf("sent_copies/%s/%s", b->name, notice_day(day));
    AUTO_FREE char *text = mem_printf(
        "What leadd sends cannot be put into the folder for sent mail of the mailbox \"%s\".\n\n"
        "What was said: %s\n\nThe mails themselves have left. Copies wait five days: leadctl outbox "
        "copies.\nOnce it is set right: leadctl outbox copies retry.\n", b->name, why);
    return notice_admin(eng, key, "leadd: copies of sent mail cannot be stored", text, e);
}

/* Whether or not it can be reached: where nobody answers, nobody would hear of it. */
static int box_give_up(struct engine *eng, struct copy_box *b, struct err *e)
{
    int64_t n, now = clock_now_ms();
    if (b->ends_ms == 0 || b->ends_ms > now)
        return 0;
    if (box_look_later(eng, b, e) < 0) /* first: what follows may be undone, but not this */
        return -1;
    AUTO_FREE char *full = mem_printf("intake:%s", b->name);
    if (!peer_by_name(eng, full) && sent_copy_back(eng->db, b->name, now, e) < 0)
        return -1;
    if (sent_copy_give_up(eng->db, b->name, now - RETRY_GIVE_UP_MS, now,
                          "the mailbox could not be reached, or took none, for five days", &n, e) < 0)
        return -1;
    if (n == 0)
        return 0;
    AUTO_FREE char *why = mem_printf("%" PRId64 " cop%s waited for five days", n,
                                     n == 1 ? "y has" : "ies have");
    engine_count(eng, "sent_copies_failed", n);
    log_warn("copy.failed", "mailbox=%s error=\"%s\" next=\"leadctl outbox copies\"", b->name, why);
    return box_tell(eng, b, why, e);
}

int sent_copies_due(struct engine *eng, struct err *e)
{
    struct sent_copies *sc = eng->sent_copies;
    int rc = 0;
    sc->queued = false;
    for (size_t i = 0; i < sc->count && rc == 0; i++)
        rc = box_give_up(eng, &sc->list[i], e) < 0 ? -1 : box_due(eng, &sc->list[i], e);
    for (size_t i = 0; i < sc->count && rc < 0; i++) {
        sc->list[i].full = false; /* what was handed over is undone */
        sc->list[i].next_ms = clock_now_ms() + AGAIN_FIRST_MS;
    }
    return rc < 0 ? -1 : sent_copy_forget(eng->db, clock_now_ms() - FAILED_FOR_MS, e);
}

/* ---- what came of it ------------------------------------------------------------------- */

/* Twice as long each time. */
static int64_t pause_of(int64_t first, int64_t n)
{
    int64_t ms = first;
    for (int64_t i = 1; i < n && ms < AGAIN_MOST_MS; i++)
        ms *= 2;
    ms = ms < AGAIN_MOST_MS ? ms : AGAIN_MOST_MS;
    return HOOK("outbox.retry_soon") ? ms / 100 : ms;
}

/* The folder, not the mail: all others would be told the same. */
static int box_refused(struct engine *eng, struct copy_box *b, const char *why, struct err *e)
{
    b->hold_ms = clock_now_ms() + pause_of(HOLD_FIRST_MS, ++b->fails);
    log_warn("copy.refused", "mailbox=%s error=\"%s\" next=\"again in %" PRId64 " s\"", b->name, why,
             (b->hold_ms - clock_now_ms()) / 1000);
    return b->fails >= TELL_AFTER ? box_tell(eng, b, why, e) : 0;
}

static int copy_failed(struct engine *eng, struct copy_box *b, int64_t id, const char *why,
                       struct err *e)
{
    engine_count(eng, "sent_copies_failed", 1);
    log_warn("copy.failed", "out=%" PRId64 " mailbox=%s error=\"%s\" next=\"leadctl outbox copies\"",
             id, b->name, why);
    if (sent_copy_move(eng->db, id, "failed", clock_now_ms(), why, e) < 0)
        return -1;
    return box_tell(eng, b, why, e);
}

static int copy_not_stored(struct engine *eng, struct copy_box *b, const json_t *row,
                           const json_t *told, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0), now = clock_now_ms();
    const char *outcome = json_get_str(told, "outcome", "");
    AUTO_FREE char *why = mem_str(json_get_str(told, "error", "no reason given"));
    text_make_line(why);
    if (strcmp(outcome, "refused") == 0 && box_refused(eng, b, why, e) < 0)
        return -1;
    if (strcmp(outcome, "impossible") == 0 || now - json_get_int(row, "since_ms", 0) > RETRY_GIVE_UP_MS)
        return copy_failed(eng, b, id, why, e);
    return sent_copy_move(eng->db, id, "waiting",
                          now + pause_of(AGAIN_FIRST_MS, json_get_int(row, "tries", 1)), why, e);
}

int sent_copies_told(struct engine *eng, struct item *it, struct err *e)
{
    const char *mailbox = it->peer_name + strlen("intake:");
    const char *outcome = json_get_str(it->frame.json, "outcome", "");
    int64_t id = (int64_t)it->frame.id;
    json_t *one;
    struct copy_box *b = box_find(eng, mailbox);
    if (!b || sent_copy_get(eng->db, id, &one, e) < 0)
        return b ? -1 : 0;
    AUTO_JSON json_t *row = one;
    /* an answer counts once, and from who was asked */
    if (!row || strcmp(json_get_str(row, "mailbox", ""), mailbox) != 0 ||
        strcmp(json_get_str(row, "state", ""), "handed") != 0)
        return 0;
    b->full = false;
    if (strcmp(outcome, "stored") == 0 || strcmp(outcome, "there") == 0) {
        b->fails = b->hold_ms = 0;
        engine_count(eng, "sent_copies", 1);
        log_info("copy.stored", "out=%" PRId64 " mailbox=%s folder=\"%s\" was=%s", id, mailbox,
                 json_get_str(it->frame.json, "folder", ""), outcome);
        CRASH_POINT("copy.stored.before");
        if (sent_copy_stored(eng->db, id, e) < 0)
            return -1;
    } else if (copy_not_stored(eng, b, row, it->frame.json, e) < 0) {
        return -1;
    }
    return sent_copy_next(eng->db, mailbox, &b->next_ms, e);
}

int sent_copies_hello(struct engine *eng, const char *mailbox, struct err *e)
{
    struct copy_box *b = box_find(eng, mailbox);
    if (!b)
        return 0;
    b->full = false;
    if (sent_copy_back(eng->db, mailbox, clock_now_ms() + AFTER_DEATH_MS, e) < 0)
        return -1;
    return sent_copy_next(eng->db, mailbox, &b->next_ms, e);
}

int sent_copies_again(struct engine *eng, const char *mailbox, int64_t *n_out, struct err *e)
{
    int64_t now = clock_now_ms();
    if (sent_copy_again(eng->db, mailbox, now, n_out, e) < 0)
        return -1;
    for (size_t i = 0; eng->sent_copies && i < eng->sent_copies->count; i++) {
        struct copy_box *b = &eng->sent_copies->list[i];
        if (mailbox && strcmp(b->name, mailbox) != 0)
            continue;
        b->hold_ms = 0;
        if (sent_copy_next(eng->db, b->name, &b->next_ms, e) < 0 || box_look_later(eng, b, e) < 0)
            return -1;
    }
    return 0;
}
