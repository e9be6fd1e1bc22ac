/* SPDX-License-Identifier: ISC
 *
 * storage - see storage.h
 */
#include "engine/storage.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/ctl.h"
#include "engine/engine.h"
#include "engine/notice.h"
#include "engine/store_open.h"

#define LOOK_MS 250          /* the disk is looked at that often, at most */
#define TICK_MS 1000         /* and at least */
#define TICK_CALM_MS 10000   /* the same while all is well and nothing is written */
#define RETRY_FIRST_MS 100   /* doubling up to BOUND_STORE_RETRY_MS */
#define LOG_AGAIN_MS MINUTE_MS /* the same trouble is logged that often, at most */
#define TELL_AFTER_MS 10000  /* a shorter failure is not worth a mail */
#define CAREFUL_ITEMS 64     /* items one by one after a failure */
#define CALM_MS 10000        /* or this long without another failure */
#define IDLE_MS 5000         /* then a large WAL is given back */
#define LOCK_WAIT_MS 100     /* inside a pass, for another process's lock */

enum storage_state { STORAGE_OK, STORAGE_LOW, STORAGE_FAILED, STORAGE_MOVED };

struct storage {
    struct engine *eng;
    enum storage_state state;
    struct event *tick;
    struct queue held;     /* mails that wait until intake is on again */
    int64_t min_free;      /* intake is off below */
    struct db_space space; /* as last seen */
    char *why;             /* own; the error of FAILED and MOVED */
    bool locked;           /* FAILED by another process's lock */
    bool short_of_space;   /* a write said "full", whatever the file system says */
    bool logged;           /* this trouble: then its end is logged too */
    int64_t since_ms, since_mono; /* of the state */
    int64_t looked_mono, passed_mono, failed_mono, retry_mono, logged_mono;
    int pause_ms;
    size_t careful;        /* passes of one item each that are left */
    unsigned failures;     /* in a row */
    int64_t turned_away;   /* since intake went off */
    int64_t wal_held;      /* pages that a reader keeps in a WAL that is too large */
    bool checkpoint_failed; /* the last one; said once */
};

/* ---- the state ------------------------------------------------------------ */

static char *megabytes(int64_t bytes)
{
    return mem_printf("%.1f MB", (double)bytes / (double)MIB(1));
}

static int64_t resume_at(const struct storage *s)
{
    return s->min_free + s->min_free / 4;
}

static void storage_notice(struct storage *s, const char *what, const char *subject,
                           const char *text)
{
    char hour[32];
    AUTO_FREE char *key = mem_printf("storage/%s/%s", what, notice_hour(hour));
    notice_queue(s->eng, key, subject, text);
}

static void storage_set(struct storage *s, enum storage_state state)
{
    s->state = state;
    s->since_ms = clock_now_ms();
    s->since_mono = clock_mono_ms();
}

/* One line for each trouble, not one for each try. */
static bool may_log(struct storage *s)
{
    int64_t now = clock_mono_ms();
    if (s->logged_mono && now - s->logged_mono < LOG_AGAIN_MS)
        return false;
    s->logged_mono = now;
    s->logged = true;
    return true;
}

static void intake_on(struct storage *s)
{
    struct queue *ready = &s->eng->ready, rest = *ready;
    int64_t ms = clock_mono_ms() - s->since_mono;
    if (s->logged)
        log_warn("store.well", "after_ms=%" PRId64 " turned_away=%" PRId64 " waiting=%zu "
                 "next=\"intake is on again\"", ms, s->turned_away, s->held.count);
    s->logged = false;
    s->turned_away = 0;
    s->short_of_space = false;
    storage_set(s, STORAGE_OK);
    if (!rest.head)
        rest.tail = &rest.head;
    queue_init(ready); /* the held ones came first */
    for (struct item *it; (it = queue_take(&s->held));)
        queue_add(ready, it);
    for (struct item *it; (it = queue_take(&rest));)
        queue_add(ready, it);
    engine_kick(s->eng);
}

static void go_low(struct storage *s)
{
    AUTO_FREE char *free = megabytes(s->space.free), *on = megabytes(resume_at(s));
    storage_set(s, STORAGE_LOW);
    if (may_log(s))
        log_error("store.low", "free=\"%s\" next=\"intake is off until %s are free\"", free, on);
    AUTO_FREE char *text = mem_printf(
        "The disk of the database is nearly full: %s are free.\n\n"
        "No mail and no form is taken in until %s are free; mails stay in their mailboxes, and\n"
        "who posts a form is asked to come again. Outgoing mail still leaves. This goes on by\n"
        "itself when there is room. The limit is store.min_free in leadd.conf.\n", free, on);
    storage_notice(s, "low", "leadd: the disk is nearly full, intake is off", text);
}

static void go_moved(struct storage *s, const struct err *e)
{
    mem_free(s->why);
    s->why = mem_str(e->text);
    storage_set(s, STORAGE_MOVED);
    s->logged_mono = 0; /* this one is always told */
    if (may_log(s))
        log_error("store.moved", "error=\"%s\" next=\"nothing is written. Put the file back, or "
                  "copy what is open from /proc/PID/fd before leadd is stopped\"", e->text);
}

/* ---- looking ---------------------------------------------------------------- */

/* The connection is no good: all is undone, and the successor opens it anew. */
static bool storage_broken(struct storage *s, const char *error)
{
    enum db_health h = db_health(s->eng->db);
    if (h == DB_SOUND || s->eng->role->quit)
        return h != DB_SOUND;
    log_error(h == DB_DAMAGED ? "store.damaged" : "store.broken",
              "error=\"%s\" next=\"%sthe engine starts anew; what was not acknowledged comes "
              "again\"", error, h == DB_DAMAGED ? "see \"Damage\" in leadd(8); " : "");
    if (h == DB_DAMAGED)
        store_mark_damaged(json_get_str(json_get_obj(s->eng->role->config, "store"), "path", ""));
    role_quit(s->eng->role, 1);
    return true;
}

/* A WAL that a reader's old snapshot keeps from being used again grows. */
static void look_at_wal(struct storage *s)
{
    struct err e = {0};
    int64_t held = 0;
    bool idle = clock_mono_ms() - s->passed_mono >= IDLE_MS || s->state == STORAGE_LOW;
    bool large = s->space.wal > (int64_t)BOUND_WAL_BYTES + (int64_t)MIB(1);
    if (!large && !(idle && s->space.wal > (int64_t)MIB(1)))
        return;
    db_set_wait(s->eng->db, 0);
    bool failed = db_checkpoint(s->eng->db, idle, &held, &e) < 0;
    if (failed && !s->checkpoint_failed) /* on a full disk it fails at every look */
        log_warn("store.checkpoint", "error=\"%s\" next=\"tried again\"", e.text);
    s->checkpoint_failed = failed;
    db_set_wait(s->eng->db, LOCK_WAIT_MS);
    if (large && held > 0 && s->wal_held == 0)
        log_warn("store.wal_held", "bytes=%" PRId64 " pages=%" PRId64 " next=\"another process "
                 "reads an old state of the database: the WAL grows until it ends\"",
                 s->space.wal, held);
    if (held == 0 && s->wal_held > 0)
        log_info("store.wal_free", "bytes=%" PRId64, s->space.wal);
    s->wal_held = large || held == 0 ? held : s->wal_held;
}

static void look_at_space(struct storage *s)
{
    struct err e = {0};
    if (db_space(s->eng->db, &s->space, &e) < 0)
        return; /* the files are looked at next */
    if (s->state == STORAGE_OK && s->space.free < s->min_free)
        go_low(s);
    else if (s->state == STORAGE_LOW && s->space.free >= resume_at(s))
        intake_on(s);
}

static void look_at_files(struct storage *s)
{
    struct err e = {0};
    int rc = db_check_files(s->eng->db, &e);
    if (rc < 0 && s->state != STORAGE_MOVED)
        go_moved(s, &e);
    else if (rc == 0 && s->state == STORAGE_MOVED)
        intake_on(s);
}

static void storage_look(struct storage *s)
{
    int64_t now = clock_mono_ms();
    if (!s->eng->db || now - s->looked_mono < LOOK_MS)
        return;
    s->looked_mono = now;
    look_at_files(s);
    if (s->state == STORAGE_MOVED || storage_broken(s, "seen outside of a pass"))
        return;
    look_at_space(s);
    if (s->state != STORAGE_FAILED)
        look_at_wal(s);
}

/* ---- failing and trying again ------------------------------------------------ */

/* Others first: what the store refuses because of what it is must not stop them. */
static void move_back(struct storage *s, uint64_t peer)
{
    struct queue back, *ready = &s->eng->ready, all = *ready;
    queue_init(&back);
    queue_init(ready);
    if (!all.head)
        all.tail = &all.head;
    for (struct item *it; (it = queue_take(&all));)
        queue_add(it->peer == peer ? &back : ready, it);
    for (struct item *it; (it = queue_take(&back));)
        queue_add(ready, it); /* in their order: a mailbox's cursor only moves on */
}

void storage_failed(struct storage *s, const struct err *e)
{
    if (storage_broken(s, e->text))
        return;
    if (s->careful && s->eng->ready.head)
        move_back(s, s->eng->ready.head->peer);
    s->failures++;
    s->failed_mono = clock_mono_ms();
    s->locked = db_locked(s->eng->db);
    s->careful = s->locked ? s->careful : CAREFUL_ITEMS;
    s->short_of_space |= !s->locked;
    s->pause_ms = s->pause_ms ? 2 * s->pause_ms : RETRY_FIRST_MS;
    if (s->pause_ms > BOUND_STORE_RETRY_MS)
        s->pause_ms = BOUND_STORE_RETRY_MS;
    s->retry_mono = s->failed_mono + s->pause_ms;
    mem_free(s->why);
    s->why = mem_str(e->text);
    engine_count(s->eng, "store_failures", 1);
    if (s->state != STORAGE_FAILED)
        storage_set(s, STORAGE_FAILED);
    if (may_log(s))
        log_error("store.failed", "error=\"%s\" items=%zu next=\"nothing of it is acknowledged; "
                  "tried again until it works\"", e->text, s->eng->ready.count);
    struct timeval tv = {s->pause_ms / 1000, (s->pause_ms % 1000) * 1000};
    event_add(s->tick, &tv);
    engine_kick(s->eng); /* to answer those who cannot wait */
}

static void tell_outage(struct storage *s, int64_t ms)
{
    AUTO_FREE char *text = mem_printf(
        "For %" PRId64 " seconds the database could not be written:\n\n  %s\n\n"
        "Nothing that was acknowledged is lost. %" PRId64 " forms and mails were asked to come "
        "again.\n", ms / 1000, s->why, s->turned_away);
    if (ms >= TELL_AFTER_MS)
        storage_notice(s, "failed", "leadd: the database could not be written for a while", text);
}

/* FAILED, and the pause is over: does a small transaction go through? */
static void storage_retry(struct storage *s)
{
    struct err e = {0};
    if (db_probe(s->eng->db, &e) < 0) {
        storage_failed(s, &e);
        return;
    }
    tell_outage(s, clock_mono_ms() - s->since_mono);
    if (s->short_of_space && s->space.free < resume_at(s))
        go_low(s);
    else
        intake_on(s);
}

void storage_passed(struct storage *s, size_t items)
{
    s->passed_mono = clock_mono_ms();
    s->careful -= items < s->careful ? items : s->careful;
    if (s->careful == 0 || s->passed_mono - s->failed_mono >= CALM_MS) {
        s->careful = 0;
        s->failures = 0;
        s->pause_ms = 0;
    }
}

/* ---- what cannot be taken now -------------------------------------------------- */

/* What leadctl asks that needs no database. */
static bool is_about_us(const struct item *it)
{
    const char *s = json_string_value(json_array_get(json_get_arr(it->frame.json, "argv"), 0));
    return s && (strcmp(s, "status") == 0 || strcmp(s, "reload") == 0);
}

/* Somebody waits at the other end: now, or after a while where a lock may end soon. */
static bool may_wait(const struct storage *s, const struct item *it)
{
    return s->state == STORAGE_FAILED && s->locked &&
           clock_mono_ms() - it->since_mono < BOUND_STORE_WAIT_MS;
}

static bool refuse_form(struct storage *s, struct item *it)
{
    if (may_wait(s, it))
        return false;
    s->turned_away++;
    engine_count(s->eng, "forms_turned_away", 1);
    engine_answer(s->eng, it->peer,
                  it->frame.type == FRAME_FORM ? FRAME_FORM_DONE : FRAME_HOOK_DONE, it->frame.id,
                  json_pack("{s:s}", "status", "busy"));
    return true;
}

static bool refuse_ctl(struct storage *s, struct item *it)
{
    struct err e = {0};
    if (s->state == STORAGE_LOW)
        return false;
    if (is_about_us(it)) {
        (void)!ctl_frame(s->eng, it, &e);
        return true;
    }
    if (may_wait(s, it))
        return false;
    engine_answer(s->eng, it->peer, FRAME_CTL_DONE, it->frame.id,
                  ctl_done(s->eng, json_pack("{s:i, s:s}", "exit", 75, "error", s->why)));
    return true;
}

/* A mail waits; but an MTA keeps it better than we do. */
static bool refuse_mail(struct storage *s, struct item *it)
{
    if (!it->peer_name || strcmp(it->peer_name, "ingest") != 0 || may_wait(s, it))
        return false;
    AUTO_FREE char *text = storage_text(s);
    s->turned_away++;
    engine_answer(s->eng, it->peer, FRAME_RECEIPT, it->frame.id, json_pack("{s:s}", "error", text));
    return true;
}

static bool refuse(struct storage *s, struct item *it)
{
    if (it->kind == ITEM_MAIL)
        return refuse_mail(s, it);
    if (it->kind != ITEM_FRAME)
        return false;
    switch (it->frame.type) {
    case FRAME_FORM:
    case FRAME_HOOK:
        return !it->quarantine && refuse_form(s, it);
    case FRAME_CTL:
        return refuse_ctl(s, it);
    case FRAME_STATS:
        if (s->state == STORAGE_LOW)
            return false;
        engine_answer(s->eng, it->peer, FRAME_STATS_DONE, it->frame.id, stats_all(s->eng));
        return true;
    default:
        return false;
    }
}

static void sort_ready(struct storage *s)
{
    struct queue *ready = &s->eng->ready, all = *ready;
    if (!all.head)
        all.tail = &all.head;
    queue_init(ready);
    for (struct item *it; (it = queue_take(&all));) {
        if (refuse(s, it))
            engine_item_done(s->eng, it);
        else
            queue_add(it->kind == ITEM_MAIL || it->quarantine ? &s->held : ready, it);
    }
    engine_answers_send(s->eng);
}

size_t storage_before_pass(struct storage *s)
{
    storage_look(s);
    if (s->eng->role->quit)
        return 0;
    if (s->state == STORAGE_FAILED && clock_mono_ms() >= s->retry_mono)
        storage_retry(s);
    if (s->state != STORAGE_OK && s->eng->ready.head)
        sort_ready(s);
    if (s->state == STORAGE_FAILED || s->state == STORAGE_MOVED || s->eng->role->quit)
        return 0;
    return s->careful ? 1 : BOUND_PASS_FRAMES;
}

bool storage_takes_all(const struct storage *s)
{
    return s->state == STORAGE_OK;
}

/* ---- life ------------------------------------------------------------------------ */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct storage *s = arg;
    bool calm = s->state == STORAGE_OK && clock_mono_ms() - s->passed_mono > 2 * TICK_MS;
    struct timeval tv = {(calm ? TICK_CALM_MS : TICK_MS) / 1000, 0};
    (void)fd;
    (void)what; /* the loop returns, and the pass begins with a look */
    event_add(s->tick, &tv);
}

struct storage *storage_new(struct engine *eng)
{
    struct storage *s = mem_alloc(sizeof(*s));
    s->eng = eng;
    queue_init(&s->held);
    s->tick = event_new(eng->role->base, -1, 0, on_tick, s);
    return s;
}

void storage_free(struct storage **sp)
{
    struct storage *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    for (struct item *it; (it = queue_take(&s->held));)
        item_free(it);
    event_free(s->tick);
    mem_free(s->why);
    mem_free(s);
}

int storage_start(struct storage *s, struct err *e)
{
    const json_t *conf = json_get_obj(s->eng->role->config, "store");
    if (db_check_files(s->eng->db, e) < 0 || db_space(s->eng->db, &s->space, e) < 0)
        return -1;
    /* the default is too much for a small disk */
    s->min_free = json_get_int(conf, "min_free", (int64_t)BOUND_STORE_MIN_FREE);
    if (!json_object_get(conf, "min_free") && s->min_free > s->space.total / 20)
        s->min_free = s->space.total / 20;
    db_set_wait(s->eng->db, LOCK_WAIT_MS);
    s->passed_mono = clock_mono_ms();
    storage_set(s, STORAGE_OK);
    on_tick(-1, 0, s);
    return 0;
}

/* ---- telling ---------------------------------------------------------------------- */

char *storage_text(const struct storage *s)
{
    AUTO_FREE char *free = megabytes(s->space.free), *on = megabytes(resume_at(s)),
                   *wal = megabytes(s->space.wal);
    AUTO_FREE char *held =
        s->wal_held ? mem_printf("; another process reads an old state, so the WAL grows: %s", wal)
                    : mem_str("");
    switch (s->state) {
    case STORAGE_OK:
        return mem_printf("ok, %s free%s", free, held);
    case STORAGE_LOW:
        return mem_printf("low: %s free, intake is off until %s are%s", free, on, held);
    case STORAGE_FAILED:
        return mem_printf("failed, tried %u times, intake is off: %s", s->failures, s->why);
    case STORAGE_MOVED:
        return mem_printf("moved, nothing is written: %s", s->why);
    }
    return mem_str("?");
}

void storage_gauges(const struct storage *s, json_t *gauges)
{
    json_put_int(gauges, "store_intake_off", s->state != STORAGE_OK);
    json_put_int(gauges, "store_free_bytes", s->space.free);
    json_put_int(gauges, "store_wal_bytes", s->space.wal);
    json_put_int(gauges, "mails_held", (int64_t)s->held.count);
}
