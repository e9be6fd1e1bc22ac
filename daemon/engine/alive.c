/* SPDX-License-Identifier: ISC
 *
 * alive - silence, missing mail, tokens that end (see alive.h)
 */
#include "engine/alive.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/notice.h"
#include "store/ledger.h"
#include "store/probe.h"

#define LOOK_MIN_MS 1000
#define LOOK_MAX_MS MINUTE_MS
#define TOKEN_SOON_MS 600000 /* who renews tokens does so earlier */

/* One matter of one mailbox. */
struct alarm {
    bool on;
    int64_t since_mono;
};

struct watch {
    const char *name; /* borrowed from the config */
    int64_t silent_ms, expect_ms; /* 0: not asked for */
    int64_t life_mono, mail_mono;
    int64_t life_ms, mail_ms; /* the same by the clock; 0: not since the start */
    int64_t token_ms;         /* when its token ends; 0: not known */
    struct alarm silent, no_mail, token;
};

struct alive {
    struct event *ev; /* own */
    int64_t rest_ms;
    size_t count;
    struct watch list[]; /* one per mailbox */
};

static struct watch *watch_find(struct engine *eng, const char *mailbox)
{
    for (size_t i = 0; eng->alive && i < eng->alive->count; i++)
        if (strcmp(eng->alive->list[i].name, mailbox) == 0)
            return &eng->alive->list[i];
    return NULL;
}

/* "43 minutes" */
static void span_text(int64_t ms, char out[32])
{
    int64_t minutes = ms / 60000, hours = minutes / 60;
    if (hours >= 48)
        snprintf(out, 32, "%" PRId64 " days", hours / 24);
    else if (minutes >= 120)
        snprintf(out, 32, "%" PRId64 " hours", hours);
    else if (minutes >= 2)
        snprintf(out, 32, "%" PRId64 " minutes", minutes);
    else
        snprintf(out, 32, "%" PRId64 " seconds", ms / 1000);
}

/* ---- alarms --------------------------------------------------------------------- */

static void alarm_tell(struct engine *eng, const char *mailbox, const char *what,
                       const char *subject, const char *text)
{
    char stamp[32];
    AUTO_FREE char *key =
        mem_printf("mailbox/%s/%s/%s", mailbox, what, clock_format_utc(clock_now_ms(), stamp,
                                                                      sizeof(stamp)));
    notice_queue(eng, key, subject, text);
}

static void alarm_begin(struct engine *eng, const struct watch *w, struct alarm *a,
                        const char *what, const char *text)
{
    AUTO_FREE char *subject = mem_printf("leadd: mailbox %s: %s", w->name, what);
    AUTO_FREE char *whole = mem_printf("%s\n\nSee: leadctl mailbox status\n", text);
    a->on = true;
    a->since_mono = clock_mono_ms();
    log_error("mailbox.alarm", "mailbox=%s what=\"%s\" next=\"the administrator is told\"", w->name,
              what);
    engine_count(eng, "mailbox_alarms", 1);
    alarm_tell(eng, w->name, what, subject, whole);
}

static void alarm_end(struct engine *eng, const struct watch *w, struct alarm *a, const char *what)
{
    char span[32];
    if (!a->on)
        return;
    a->on = false;
    span_text(clock_mono_ms() - a->since_mono, span);
    log_info("mailbox.alarm_over", "mailbox=%s what=\"%s\"", w->name, what);
    AUTO_FREE char *subject = mem_printf("leadd: mailbox %s is well again (%s)", w->name, what);
    AUTO_FREE char *text = mem_printf("The alarm \"%s\" is over, %s after it was raised.\n", what,
                                      span);
    AUTO_FREE char *over = mem_printf("%s is over", what);
    alarm_tell(eng, w->name, over, subject, text);
}

static void watch_silent(struct engine *eng, struct watch *w, int64_t now)
{
    char span[32];
    AUTO_FREE char *full = mem_printf("intake:%s", w->name);
    const struct peer *p = peer_by_name(eng, full);
    if (!w->silent_ms || w->silent.on || now - w->life_mono < w->silent_ms)
        return;
    span_text(now - w->life_mono, span);
    AUTO_FREE char *text = mem_printf(
        "Mailbox \"%s\" has not been read for %s. What comes there is not seen.\n\n"
        "Its process: %s. Its last words: %s", w->name, span,
        p ? json_get_str(p->state, "state", "starting") : "it does not run",
        p ? json_get_str(p->state, "error", "none") : "none");
    alarm_begin(eng, w, &w->silent, "it is silent", text);
}

static void watch_mail(struct engine *eng, struct watch *w, int64_t now)
{
    char span[32];
    if (!w->expect_ms || w->no_mail.on || now - w->mail_mono < w->expect_ms)
        return;
    span_text(w->expect_ms, span);
    AUTO_FREE char *text = mem_printf(
        "No mail at all has come into mailbox \"%s\" for %s (expect_mail).\n"
        "The server answers; perhaps mail goes elsewhere: a forwarding that was switched off,\n"
        "another MX, a filter.", w->name, span);
    alarm_begin(eng, w, &w->no_mail, "no mail comes", text);
}

static void watch_token(struct engine *eng, struct watch *w)
{
    char stamp[32];
    int64_t left = w->token_ms - clock_now_ms();
    if (!w->token_ms || left > TOKEN_SOON_MS) {
        alarm_end(eng, w, &w->token, "its token ends");
        return;
    }
    if (w->token.on)
        return;
    AUTO_FREE char *text = mem_printf(
        "The access token of mailbox \"%s\" %s at %s and has not been renewed.\n"
        "Whoever renews the file token_file names does not run, or is refused.", w->name,
        left > 0 ? "ends" : "ended", clock_format_utc(w->token_ms, stamp, sizeof(stamp)));
    alarm_begin(eng, w, &w->token, "its token ends", text);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct engine *eng = arg;
    int64_t now = clock_mono_ms();
    (void)fd;
    (void)what;
    for (size_t i = 0; i < eng->alive->count; i++) {
        struct watch *w = &eng->alive->list[i];
        watch_silent(eng, w, now);
        watch_mail(eng, w, now);
        watch_token(eng, w);
    }
    struct timeval tv = {eng->alive->rest_ms / 1000, 0};
    event_add(eng->alive->ev, &tv);
}

/* ---- what is heard ---------------------------------------------------------------- */

void alive_state(struct engine *eng, const char *mailbox, const json_t *state)
{
    struct watch *w = watch_find(eng, mailbox);
    const char *word = json_get_str(state, "state", "");
    if (!w)
        return;
    w->token_ms = json_get_int(state, "token_ends_ms", 0);
    if (strcmp(word, "idle") != 0 && strcmp(word, "connected") != 0)
        return;
    w->life_mono = clock_mono_ms();
    w->life_ms = clock_now_ms();
    alarm_end(eng, w, &w->silent, "it is silent");
}

void alive_mail(struct engine *eng, const char *mailbox)
{
    struct watch *w = watch_find(eng, mailbox);
    if (!w)
        return;
    w->mail_mono = clock_mono_ms();
    w->mail_ms = clock_now_ms();
    alarm_end(eng, w, &w->no_mail, "no mail comes");
}

/* ---- leadctl mailbox status --------------------------------------------------------- */

static void put_time(json_t *row, const char *key, int64_t ms)
{
    char stamp[32];
    json_put_str(row, key, ms ? clock_format_utc(ms, stamp, sizeof(stamp)) : "");
}

static bool put_alarms(json_t *row, const struct watch *w, const json_t *probe)
{
    const char *alarm = w->silent.on                       ? "it is silent"
                        : json_get_bool(probe, "late", false) ? "the probe has not come back"
                        : w->no_mail.on                    ? "no mail comes"
                        : w->token.on                      ? "its token ends"
                                                           : NULL;
    json_put_str(row, "alarm", alarm ? alarm : "");
    return alarm != NULL;
}

static int put_probe(struct engine *eng, json_t *row, const struct watch *w, json_t **probe_out,
                     struct err *e)
{
    if (probe_get(eng->db, w->name, probe_out, e) < 0)
        return -1;
    int64_t back = json_get_int(*probe_out, "back_ms", 0),
            sent = json_get_int(*probe_out, "sent_ms", 0);
    AUTO_FREE char *text = !*probe_out ? mem_str("")
                           : back      ? mem_printf("back in %" PRId64 " ms", back - sent)
                                       : mem_str("on its way");
    put_time(row, "probe_sent", sent);
    json_put_str(row, "probe", text);
    return 0;
}

json_t *alive_rows(struct engine *eng, int *alarms_out, struct err *e)
{
    AUTO_JSON json_t *rows = json_array();
    *alarms_out = 0;
    for (size_t i = 0; eng->alive && i < eng->alive->count; i++) {
        const struct watch *w = &eng->alive->list[i];
        AUTO_FREE char *full = mem_printf("intake:%s", w->name);
        const struct peer *p = peer_by_name(eng, full);
        json_t *row = json_object(), *found = NULL;
        json_array_append_new(rows, row);
        json_put_str(row, "name", w->name);
        json_put_str(row, "state",
                     p ? json_get_str(p->state, "state", "starting") : "not running");
        put_time(row, "heard", w->life_ms);
        int64_t mail = w->mail_ms;
        if (!mail && ledger_last(eng->db, w->name, &mail, e) < 0)
            return NULL;
        put_time(row, "mail", mail);
        int rc = put_probe(eng, row, w, &found, e);
        AUTO_JSON json_t *probe = found;
        if (rc < 0)
            return NULL;
        put_time(row, "token_ends", w->token_ms);
        *alarms_out += put_alarms(row, w, probe);
        json_put_str(row, "error", p ? json_get_str(p->state, "error", "") : "");
    }
    return json_incref(rows);
}

/* ---- life ----------------------------------------------------------------------------- */

static void watch_begin(struct alive *al, const char *name, const json_t *box)
{
    struct watch *w = &al->list[al->count++];
    int64_t least;
    w->name = name;
    w->silent_ms = json_get_int(box, "silent_after", 0);
    w->expect_ms = json_get_int(box, "expect_mail", 0);
    w->life_mono = w->mail_mono = clock_mono_ms();
    least = w->silent_ms;
    if (!least || (w->expect_ms && w->expect_ms < least))
        least = w->expect_ms;
    if (least && least / 4 < al->rest_ms)
        al->rest_ms = least / 4 < LOOK_MIN_MS ? LOOK_MIN_MS : least / 4;
}

int alive_start(struct engine *eng, struct err *e)
{
    const json_t *boxes = json_get_obj(eng->role->config, "mailboxes");
    size_t n = json_object_size(boxes);
    const char *name;
    json_t *box;
    eng->alive = mem_alloc(sizeof(*eng->alive) + n * sizeof(struct watch));
    eng->alive->rest_ms = LOOK_MAX_MS;
    json_object_foreach((json_t *)boxes, name, box)
        watch_begin(eng->alive, name, box);
    eng->alive->ev = event_new(eng->role->base, -1, 0, on_look, eng);
    on_look(-1, 0, eng);
    return probes_start(eng, e);
}

void alive_stop(struct engine *eng)
{
    if (eng->alive && eng->alive->ev)
        event_free(eng->alive->ev);
    mem_free(eng->alive);
    eng->alive = NULL;
}
