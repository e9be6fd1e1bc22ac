/* SPDX-License-Identifier: ISC
 *
 * box_run - the life of an IMAP intake: connect, visit, wait, again
 *
 * IDLE watches INBOX, or the first folder; every `poll` all folders are
 * visited, which is also the proof that the server still answers. A lost
 * connection is tried again soon; a refused password or certificate rarely,
 * so that no account gets locked.
 */
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/box.h"

#define RETRY_FIRST_MS 1000
#define REFUSED_FIRST_MS MINUTE_MS

void box_report(struct box *b)
{
    json_t *j = json_object(), *folders = json_array();
    json_put_str(j, "state", b->state);
    if (b->error.cls != ERR_NONE)
        json_put_str(j, "error", b->error.text);
    if (b->retry_ms > 0)
        json_put_int(j, "retry_ms", b->retry_ms);
    int64_t ends = settings_token_ends(b->set);
    if (ends)
        json_put_int(j, "token_ends_ms", ends);
    for (size_t i = 0; i < b->count; i++) {
        const struct box_folder *f = &b->folders[i];
        json_t *o = json_object();
        json_put_str(o, "folder", f->name);
        json_put_int(o, "uidvalidity", f->uidvalidity);
        json_put_int(o, "uidnext", f->uidnext);
        if (f->alarm[0])
            json_put_str(o, "alarm", f->alarm);
        json_array_append_new(folders, o);
    }
    json_object_set_new(j, "folders", folders);
    desk_report(b->desk, j);
}

static void box_set_state(struct box *b, const char *state, const struct err *why, int retry_ms)
{
    b->state = state;
    b->error = why ? *why : (struct err){0};
    b->retry_ms = retry_ms;
    box_report(b);
}

static enum imap_result box_visit_all(struct box *b, struct err *e)
{
    b->desk->cursors_used = b->desk->cursors_seen;
    for (size_t i = 0; i < b->count; i++) {
        size_t folder = (b->idle + 1 + i) % b->count; /* the watched one last */
        enum imap_result res = box_visit(b, folder, e);
        if (res == IMAP_BROKEN)
            return res;
    }
    return IMAP_OK;
}

/* What was receipted in folders that are not selected. */
static enum imap_result box_after_all(struct box *b, struct err *e)
{
    while (b->desk->done) {
        size_t folder = b->desk->done->place.folder;
        enum imap_result res = folder == b->selected ? box_after(b, folder, e)
                                                     : box_visit(b, folder, e);
        if (res == IMAP_BROKEN)
            return res;
        if (res == IMAP_NO) /* its alarm says why; these stay as they are */
            for (struct desk_done *d; (d = desk_take_done(b->desk, folder));)
                desk_done_free(d);
    }
    return IMAP_OK;
}

static enum imap_result box_requests(struct box *b, struct err *e)
{
    enum imap_result res = IMAP_OK;
    for (struct desk_request *q; res != IMAP_BROKEN && (q = desk_take_request(b->desk));) {
        res = box_request(b, q, e);
        desk_request_free(q);
    }
    for (size_t i = 0; i < b->count && res != IMAP_BROKEN; i++)
        if (b->folders[i].wanted.count > 0)
            res = box_visit(b, i, e);
    if (b->news && b->selected != SIZE_MAX && res != IMAP_BROKEN)
        res = box_news(b, b->selected, e);
    b->news = false;
    return res;
}

/* Everything that can be done at once, until there is nothing left. */
static enum imap_result box_work(struct box *b, struct err *e)
{
    while (!desk_over(b->desk) && desk_has_work(b->desk)) {
        enum imap_result res = IMAP_OK;
        if (b->desk->cursors_seen != b->desk->cursors_used)
            res = box_visit_all(b, e);
        if (res != IMAP_BROKEN)
            res = box_after_all(b, e); /* so that a LIST shows what a receipt led to */
        if (res != IMAP_BROKEN)
            res = box_requests(b, e);
        if (res == IMAP_BROKEN)
            return res;
    }
    return b->selected == b->idle ? IMAP_OK : box_visit(b, b->idle, e);
}

static enum imap_result box_wait(struct box *b, int ms, struct err *e)
{
    bool news = false;
    enum imap_result res = IMAP_NO;
    if (b->set->idle && b->imap.can_idle && b->selected == b->idle)
        res = imap_idle(&b->imap, ms < BOUND_INTAKE_IDLE_MS ? ms : BOUND_INTAKE_IDLE_MS, &news, e);
    if (res == IMAP_NO && !desk_has_work(b->desk))
        desk_wait(b->desk, ms);
    if (res == IMAP_OK && news)
        res = box_news(b, b->idle, e);
    return res == IMAP_BROKEN ? res : IMAP_OK;
}

/* One connection, until it breaks or the role ends. */
static void box_stay(struct box *b, struct err *e)
{
    enum imap_result res = box_visit_all(b, e);
    while (res != IMAP_BROKEN && !desk_over(b->desk)) {
        int64_t poll_at = clock_mono_ms() + b->set->poll_ms;
        box_set_state(b, "idle", NULL, 0);
        b->progress = true;
        while (res != IMAP_BROKEN && !desk_over(b->desk)) {
            int64_t left = poll_at - clock_mono_ms();
            if (left <= 0)
                break;
            res = box_work(b, e);
            box_report(b);
            if (res != IMAP_BROKEN && !desk_over(b->desk))
                res = box_wait(b, (int)left, e);
        }
        if (res != IMAP_BROKEN && !desk_over(b->desk))
            res = box_visit_all(b, e);
    }
    if (res != IMAP_BROKEN)
        err_set(e, ERR_TEMP, "told to end");
}

static int box_next_retry(int last, enum link_trouble why)
{
    int first = why == LINK_TROUBLE_REFUSED ? REFUSED_FIRST_MS : RETRY_FIRST_MS;
    int max = why == LINK_TROUBLE_REFUSED ? BOUND_INTAKE_REFUSED_MS : BOUND_INTAKE_RETRY_MS;
    if (last < first)
        return first;
    return last > max / 2 ? max : last * 2;
}

/* Up to a quarter less, so that many intakes do not come back at once. */
static int box_jitter(int ms)
{
    uint32_t r;
    hash_random(&r, sizeof r);
    return ms - (int)(r % ((uint32_t)ms / 4 + 1));
}

/* Waits before the next attempt; questions are answered with the reason. */
static void box_pause(struct box *b, int ms)
{
    int64_t until = clock_mono_ms() + ms;
    while (!desk_over(b->desk)) {
        for (struct desk_request *q; (q = desk_take_request(b->desk)); desk_request_free(q))
            if (!desk_refuse(b->desk, q, b->error.text))
                box_want(b, q->json);
        int64_t left = until - clock_mono_ms();
        if (left <= 0)
            return;
        desk_wait(b->desk, (int)left);
    }
}

/* One attempt; returns how long to wait before the next. */
static int box_attempt(struct box *b, int last_retry)
{
    struct err e = {0};
    enum link_trouble why = LINK_TROUBLE_NETWORK;
    b->progress = false;
    b->selected = SIZE_MAX;
    if (b->state[0] == '\0' || last_retry == 0)
        box_set_state(b, "connecting", NULL, 0);
    if (imap_open(&b->imap, b->desk, b->set, &why, &e) == 0) {
        log_info("intake.connected", "host=%s port=%d", b->set->host, b->set->port);
        box_set_state(b, "connected", NULL, 0);
        box_stay(b, &e);
        imap_close(&b->imap, desk_over(b->desk));
    }
    if (desk_over(b->desk))
        return 0;
    int retry = box_next_retry(b->progress ? 0 : last_retry, why);
    log_warn(why == LINK_TROUBLE_REFUSED ? "intake.refused" : "intake.lost",
             "error=\"%s\" retry_ms=%d", e.text, retry);
    box_set_state(b, why == LINK_TROUBLE_REFUSED ? "failed" : "backoff", &e, retry);
    box_pause(b, box_jitter(retry));
    return retry;
}

void box_run(struct desk *d, const struct settings *s)
{
    struct box b = {.desk = d, .set = s, .count = s->folder_count, .state = ""};
    b.folders = mem_array(b.count, sizeof *b.folders);
    for (size_t i = 0; i < b.count; i++) {
        b.folders[i].name = s->folders[i];
        b.folders[i].index = i;
        if (strcasecmp(s->folders[i], "INBOX") == 0)
            b.idle = i;
    }
    d->wants_done = s->after != SETTINGS_KEEP;
    if (desk_wait_engine(d) == 0)
        for (int retry = 0; !desk_over(d);)
            retry = box_attempt(&b, retry);
    for (size_t i = 0; i < b.count; i++) {
        box_list_done(&b.folders[i].wanted);
        box_list_done(&b.folders[i].todo);
        imap_uids_done(&b.folders[i].matched);
    }
    mem_free(b.folders);
    mem_free(b.sent);
}
