/* SPDX-License-Identifier: ISC
 *
 * maildir - see maildir.h: first contact, handing over, the run
 */
#include "intake/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/maildir_inner.h"

static void maildir_report(struct maildir *m, const char *state, const char *error)
{
    json_t *j = json_object(), *folder = json_object(), *folders = json_array();
    json_put_str(j, "state", state);
    json_put_str(j, "error", error);
    json_put_str(folder, "folder", MAILDIR_FOLDER);
    if (m->alarm[0])
        json_put_str(folder, "alarm", m->alarm);
    json_array_append_new(folders, folder);
    json_object_set_new(j, "folders", folders);
    desk_report(m->desk, j);
}

/* ---- first contact ---- */

#define SECONDS_BELOW 100000000000 /* what the first databases hold is in seconds */

int64_t maildir_since_now(const struct maildir *m)
{
    int64_t newest = 0;
    for (size_t i = 0; i < m->count; i++)
        if (m->found[i].start_ms > newest)
            newest = m->found[i].start_ms;
    return m->count > 0 ? newest + 1 : 0;
}

/* Tells the engine from when on messages count; it has stored that on 0. */
static int maildir_first_contact(struct maildir *m)
{
    int64_t since = m->set->start == SETTINGS_NOW ? maildir_since_now(m)
                    : m->set->start == SETTINGS_DATE ? m->set->start_ms
                                                     : 0;
    json_t *j = json_object();
    json_put_str(j, "folder", MAILDIR_FOLDER);
    json_put_int(j, "uidvalidity", 1);
    json_put_int(j, "uidnext", since);
    json_put_int(j, "start_uid", since);
    CRASH_POINT("intake.maildir_folder.before");
    AUTO_JSON json_t *answer = desk_ask(m->desk, FRAME_FOLDER, j);
    if (!answer)
        return -1;
    CRASH_POINT("intake.maildir_folder.after");
    log_info("intake.folder", "folder=" MAILDIR_FOLDER " start=%lld messages=%zu",
             (long long)since, m->count);
    m->since_ms = since;
    m->known = true;
    if (m->set->start == SETTINGS_NOW) /* exactly these are not leadd's */
        for (size_t i = 0; i < m->count; i++)
            maildir_mark(m, m->found[i].file);
    return 0;
}

/* The engine's view of this Maildir, when it has sent a new one. */
static void maildir_adopt(struct maildir *m)
{
    if (!m->desk->cursors || m->cursors == m->desk->cursors_seen)
        return;
    m->cursors = m->desk->cursors_used = m->desk->cursors_seen;
    const json_t *c =
        json_get_obj(json_get_obj(m->desk->cursors, "folders"), MAILDIR_FOLDER);
    m->known = json_get_int(c, "uidvalidity", 0) > 0;
    m->since_ms = json_get_int(c, "start_uid", 0);
    if (m->since_ms < SECONDS_BELOW)
        m->since_ms *= 1000;
}

/* ---- handing over ---- */

/* The bytes of an opened file: all, or the header block of one over the limit. */
static int maildir_load(const struct maildir *m, int fd, struct buf *b, bool *truncated)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return -1;
    *truncated = (size_t)st.st_size > m->set->mail_size;
    size_t want = *truncated ? BOUND_MAIL_HEADER_BYTES : m->set->mail_size;
    char block[KIB(64)];
    while (b->len < want) {
        size_t n = want - b->len < sizeof block ? want - b->len : sizeof block;
        ssize_t got = read(fd, block, n);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        if (buf_add(b, block, (size_t)got) < 0)
            return -1;
    }
    if (*truncated) {
        b->len = desk_header_len(b->data, b->len);
        b->data[b->len] = '\0';
    }
    return 0;
}

static void maildir_wait_room(struct maildir *m, size_t bytes)
{
    while (!desk_has_room(m->desk, bytes) && !desk_over(m->desk))
        desk_wait(m->desk, -1);
}

void maildir_hand_over(struct maildir *m, const struct found *f)
{
    AUTO_FREE char *unique = maildir_unique(f->file);
    struct desk_place place = {.name = unique};
    if (desk_holds(m->desk, &place))
        return;
    AUTO_CLOSE int fd = openat(m->root, f->file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        m->again |= errno == ENOENT; /* another program has moved it: look into cur/ */
        if (errno != ENOENT)
            maildir_alarm(m, f->file, err_errno());
        return;
    }
    size_t size = (size_t)f->size < m->set->mail_size ? (size_t)f->size : 0;
    maildir_wait_room(m, size);
    if (desk_over(m->desk))
        return;
    struct buf raw AUTO_BUF;
    bool truncated = false;
    buf_init(&raw, m->set->mail_size + KIB(256));
    if (maildir_load(m, fd, &raw, &truncated) < 0) {
        maildir_alarm(m, f->file, "cannot be read");
        return;
    }
    json_t *j = json_object();
    json_put_str(j, "name", unique);
    json_put_int(j, "internal_ms", f->internal_ms);
    json_put_int(j, "size", truncated ? f->size : (int64_t)raw.len);
    json_put_bool(j, "truncated", truncated);
    if (truncated)
        json_object_set_new(j, "parts", maildir_parts(fd));
    desk_mail(m->desk, &place, j, raw.data, raw.len);
    maildir_mark(m, f->file);
}

/* The engine has it from before. Whoever handed it over may have died before the
 * receipt came. What lies in cur/ was flagged, or the flag was taken away by people. */
static void maildir_is_known(struct maildir *m, const char *file)
{
    AUTO_FREE char *unique = maildir_unique(file);
    struct desk_place place = {.name = unique};
    maildir_mark(m, file);
    if (m->set->after == SETTINGS_MOVE ||
        (m->set->after == SETTINGS_FLAG && strncmp(file, "new/", 4) == 0))
        desk_add_done(m->desk, &place);
}

/* Asks the engine which of the next files it has; marks those. */
static int maildir_match(struct maildir *m, size_t from, size_t n)
{
    json_t *names = json_array(), *q = json_object();
    for (size_t i = from; i < from + n; i++) {
        AUTO_FREE char *unique = maildir_unique(m->found[i].file);
        json_array_append_new(names, json_string(unique));
    }
    json_object_set_new(q, "names", names);
    CRASH_POINT("intake.names.before");
    AUTO_JSON json_t *answer = desk_ask(m->desk, FRAME_MATCH, q);
    CRASH_POINT("intake.names.after");
    size_t i;
    json_t *v;
    json_array_foreach(json_get_arr(answer, "names"), i, v)
        for (size_t k = from; json_is_string(v) && k < from + n; k++) {
            size_t len = json_string_length(v);
            if (maildir_unique_len(m->found[k].file + 4) == len &&
                memcmp(m->found[k].file + 4, json_string_value(v), len) == 0)
                maildir_is_known(m, m->found[k].file);
        }
    return answer ? 0 : -1;
}

static bool maildir_is_seen(const struct maildir *m, const struct found *f)
{
    AUTO_FREE char *unique = maildir_unique(f->file);
    return json_object_get(m->seen, unique) != NULL;
}

static void maildir_hand_over_all(struct maildir *m)
{
    bool ask = json_get_bool(m->desk->cursors, "names", false) && m->count > BOUND_MAILBOX_INFLIGHT;
    for (size_t i = 0; i < m->count && !desk_over(m->desk); i++) {
        const struct found *f = &m->found[i];
        size_t left = m->count - i;
        if (ask && i % BOUND_INTAKE_CHUNK == 0 &&
            maildir_match(m, i, left < BOUND_INTAKE_CHUNK ? left : BOUND_INTAKE_CHUNK) < 0)
            return;
        if (!m->looked && f->start_ms < m->since_ms)
            maildir_mark(m, f->file);
        else if (!maildir_is_seen(m, f))
            maildir_hand_over(m, f);
    }
}

/* ---- the run ---- */

static int maildir_open(struct maildir *m, struct err *e)
{
    mem_cleanup_close(&m->root);
    mem_cleanup_close(&m->watch);
    m->watch = -1;
    m->root = open(m->set->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (m->root < 0)
        return err_set(e, ERR_TEMP, "%s: %s", m->set->path, err_errno());
    m->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    AUTO_FREE char *fresh = mem_printf("%s/new", m->set->path);
    uint32_t what = IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR;
    if (m->watch < 0 || inotify_add_watch(m->watch, fresh, what) < 0)
        log_warn("intake.watch", "path=\"%s\" error=\"%s\", looking every poll", m->set->path,
                 err_errno());
    return 0;
}

/* True when something has come into new/. */
static bool maildir_drain(const struct maildir *m)
{
    char block[KIB(4)];
    bool any = false;
    while (m->watch >= 0 && read(m->watch, block, sizeof block) > 0)
        any = true;
    return any;
}

static int maildir_pass(struct maildir *m, bool full, struct err *e)
{
    if (maildir_look(m, full || !m->known, e) < 0)
        return -1;
    if (full)
        maildir_tidy(m);
    if (!m->known && maildir_first_contact(m) < 0)
        return 0; /* told to end */
    maildir_hand_over_all(m);
    m->looked |= full && !desk_over(m->desk);
    return 0;
}

/* Waits for a file, a frame or the next poll. */
static void maildir_wait(struct maildir *m, int64_t ms)
{
    if (!desk_has_work(m->desk) && !m->again && ms > 0)
        role_wait(m->desk->role, m->watch, EV_READ, (int)ms);
}

static void maildir_stay(struct maildir *m, struct err *e)
{
    int64_t poll_at = 0;
    bool dirty = true;
    while (!desk_over(m->desk)) {
        maildir_adopt(m);
        bool full = m->again || clock_mono_ms() >= poll_at;
        m->again = false;
        if (full)
            poll_at = clock_mono_ms() + m->set->poll_ms;
        if ((full || dirty) && maildir_pass(m, full, e) < 0)
            return;
        maildir_settle_all(m);
        for (struct desk_request *q; (q = desk_take_request(m->desk)); desk_request_free(q))
            maildir_request(m, q);
        maildir_report(m, "idle", NULL);
        maildir_wait(m, poll_at - clock_mono_ms());
        dirty = maildir_drain(m);
    }
}

/* The Maildir cannot be read: says so and tries again at the next poll. */
static void maildir_pause(struct maildir *m, const struct err *e)
{
    int64_t until = clock_mono_ms() + m->set->poll_ms;
    if (strcmp(m->failed.text, e->text) != 0)
        log_warn("intake.failed", "error=\"%s\" retry_ms=%d", e->text, m->set->poll_ms);
    m->failed = *e;
    maildir_report(m, "failed", e->text);
    while (!desk_over(m->desk) && clock_mono_ms() < until) {
        for (struct desk_request *q; (q = desk_take_request(m->desk)); desk_request_free(q))
            (void)desk_refuse(m->desk, q, e->text);
        desk_wait(m->desk, (int)(until - clock_mono_ms()));
    }
}

void maildir_run(struct desk *d, const struct settings *s)
{
    struct maildir m = {.desk = d, .set = s, .root = -1, .watch = -1, .seen = json_object(),
                        .present = json_object(), .told = json_object()};
    d->wants_done = s->after != SETTINGS_KEEP;
    if (desk_wait_engine(d) == 0)
        while (!desk_over(d)) {
            struct err e = {0};
            if (maildir_open(&m, &e) == 0)
                maildir_stay(&m, &e);
            if (!desk_over(d))
                maildir_pause(&m, &e);
        }
    maildir_forget_found(&m);
    mem_free(m.found);
    json_decref(m.seen);
    json_decref(m.present);
    json_decref(m.told);
    mem_cleanup_close(&m.root);
    mem_cleanup_close(&m.watch);
}
