/* SPDX-License-Identifier: ISC
 *
 * walk - pretended time goes on, and stops wherever something is due (see timer.h)
 *
 * `leadctl clock advance 30d` is thirty days in which every timer fires and every mail
 * leaves at its own time, one after the other. The clock goes on when nothing is in hand
 * any more: no item, no mail at the parser or the courier. A relay that is silent is not
 * waited for longer than WALK_WAIT_MS of real time.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "crm/when.h"
#include "engine/call.h"
#include "engine/ctl.h"
#include "engine/gateways.h"
#include "engine/sent_copies.h"
#include "engine/timer.h"
#include "store/outbox.h"
#include "store/timer.h"

#define WALK_WAIT_MS 5000
#define WALK_LOOK_MS 10

struct walk {
    int64_t to_ms;
    uint64_t peer, client; /* who is answered */
    int64_t moved_mono;    /* when something happened last */
    int64_t changes;       /* rows written until then */
    struct event *look;    /* own */
};

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg; /* the loop returns, and the pass runs */
}

void walk_start(struct engine *eng, const struct item *asker, int64_t to_ms)
{
    struct walk *w = eng->walk = mem_alloc(sizeof(*w));
    w->to_ms = to_ms;
    w->peer = asker->peer;
    w->client = asker->frame.id;
    w->moved_mono = clock_mono_ms();
    w->look = event_new(eng->role->base, -1, 0, on_look, eng);
}

void walk_stop(struct engine *eng)
{
    if (!eng->walk)
        return;
    event_free(eng->walk->look);
    mem_free(eng->walk);
    eng->walk = NULL;
}

/* Mails that are with the courier, or about to be. */
static bool walk_sending(struct engine *eng)
{
    int64_t due = 0;
    bool any = false;
    struct err e = {0};
    if (outbox_any_claimed(eng->db, &any, &e) == 0 && any)
        return true;
    return outbound_can_send(eng) && outbox_next_due(eng->db, &due, &e) == 0 && due &&
           due <= clock_now_ms();
}

static bool walk_busy(struct engine *eng, int64_t timer_due)
{
    return eng->ready.head || eng->due_queued || eng->timers.queued || eng->parse.count ||
           eng->parsing.count || (timer_due && timer_due <= clock_now_ms()) || walk_sending(eng) ||
           calls_busy(eng) || sent_copies_busy(eng) || eng->gateways->asked;
}

/* The next stop behind now; 0: none. */
static int64_t walk_next(struct engine *eng, int64_t timer_due)
{
    int64_t mail = 0, now = clock_now_ms();
    struct err e = {0};
    if (!outbound_can_send(eng) || outbox_next_due(eng->db, &mail, &e) < 0 || mail <= now)
        mail = 0;
    int64_t call = calls_next(eng), copy = sent_copies_next(eng),
            next = mail && (timer_due == 0 || mail < timer_due) ? mail : timer_due;
    next = call > now && (next == 0 || call < next) ? call : next;
    return copy > now && (next == 0 || copy < next) ? copy : next;
}

/* For the engine after this one, which a reload brings. */
static void walk_keep(struct engine *eng)
{
    struct err e = {0};
    const char *run = json_get_str(eng->role->config, "pretend_run", NULL);
    if (!run || db_begin(eng->db, &e) < 0)
        return;
    if (timer_clock_keep(eng->db, run, clock_now_ms(), &e) < 0 || db_commit(eng->db, &e) < 0)
        db_rollback(eng->db);
}

int walk_go_on(struct engine *eng, struct err *e)
{
    const char *run = json_get_str(eng->role->config, "pretend_run", NULL);
    int64_t ms = clock_now_ms();
    if (!run)
        return 0;
    if (timer_clock_kept(eng->db, run, &ms, e) < 0)
        return -1;
    clock_pretend(ms);
    return 0;
}

static void walk_done(struct engine *eng)
{
    walk_keep(eng);
    struct walk *w = eng->walk;
    char now[32], told[40];
    const char *zone = engine_setting(eng, "time_zone", "UTC");
    crm_when_tell(zone, clock_now_ms(), true, told, sizeof(told));
    json_t *data = ctl_text("%s %s (pretended)", told, zone);
    json_put_str(data, "now", clock_format_utc(clock_now_ms(), now, sizeof(now)));
    engine_answer(eng, w->peer, FRAME_CTL_DONE, w->client,
                  ctl_done(eng, json_pack("{s:i, s:n, s:o}", "exit", 0, "error", "data", data)));
    engine_answers_send(eng);
    walk_stop(eng);
}

static void walk_move(struct engine *eng, int64_t to_ms)
{
    clock_pretend(to_ms);
    eng->walk->moved_mono = clock_mono_ms();
    eng->due_at_ms = 0;
    eng->timers.changed = true;
    outbound_arm(eng);
    calls_arm(eng);
    sent_copies_arm(eng);
    timers_arm(eng);
}

void walk_step(struct engine *eng)
{
    struct walk *w = eng->walk;
    struct timeval look = {0, WALK_LOOK_MS * 1000};
    struct err e = {0};
    int64_t timer = 0, changes;
    if (!w)
        return;
    if ((changes = db_total_changes(eng->db)) != w->changes) {
        w->changes = changes;
        w->moved_mono = clock_mono_ms();
    }
    if (eng->timers.some && timer_next_due(eng->db, eng->timers.held_ms, &timer, &e) < 0)
        timer = 0;
    bool waited = clock_mono_ms() - w->moved_mono > WALK_WAIT_MS;
    if (walk_busy(eng, timer) && !waited) {
        event_add(w->look, &look);
        return;
    }
    int64_t now = clock_now_ms(), next = walk_next(eng, timer);
    if (next > now && next <= w->to_ms)
        walk_move(eng, next);
    else if (now < w->to_ms)
        walk_move(eng, w->to_ms);
    else {
        walk_done(eng);
        return;
    }
    event_add(w->look, &look);
    engine_kick(eng);
}
