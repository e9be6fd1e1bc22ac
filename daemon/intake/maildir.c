/* SPDX-License-Identifier: ISC
 *
 * maildir - see maildir.h
 *
 * `seen` remembers every name that was handed over or is not leadd's, with the
 * place where the file was last found, so that a directory of many thousand
 * files costs one readdir per look and no bytes.
 */
#include "intake/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

struct found { /* one file of a look */
    char *file; /* own; "new/NAME" or "cur/NAME:2,S" */
    int64_t internal_ms;
    int64_t size;
};

struct maildir {
    struct desk *desk;
    const struct settings *set;
    int root;        /* own; directory */
    int watch;       /* own; inotify */
    json_t *seen;    /* own; {unique name: file} */
    json_t *present; /* own; the names of the last full look */
    int64_t since_ms;
    bool known;      /* since_ms is the engine's */
    bool again;      /* look into cur/ before the next poll */
    bool looked;     /* all was seen once: what is new from now on has just arrived */
    unsigned cursors;
    struct found *found; /* own; of the current look */
    size_t count, cap;
    char alarm[300];
};

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

static void maildir_alarm(struct maildir *m, const char *file, const char *what)
{
    char text[sizeof m->alarm];
    snprintf(text, sizeof text, "%.200s: %s", file, what);
    if (strcmp(text, m->alarm) == 0)
        return;
    memcpy(m->alarm, text, sizeof m->alarm);
    log_warn("intake.alarm", "alarm=\"%s\"", m->alarm);
}

static void maildir_forget_found(struct maildir *m)
{
    for (size_t i = 0; i < m->count; i++)
        mem_free(m->found[i].file);
    m->count = 0;
}

static char *maildir_unique(const char *file)
{
    const char *name = file + 4; /* behind "new/" */
    return mem_strn(name, maildir_unique_len(name));
}

static void maildir_add(struct maildir *m, const char *sub, const char *name)
{
    struct stat st;
    AUTO_FREE char *file = mem_printf("%s/%s", sub, name);
    AUTO_FREE char *unique = maildir_unique(file);
    if (json_object_get(m->present, unique))
        return; /* moved from new/ to cur/ between the two */
    json_object_set_new(m->present, unique, json_true());
    if (json_object_get(m->seen, unique)) {
        json_object_set_new(m->seen, unique, json_string(file)); /* it may have moved */
        return;
    }
    if (fstatat(m->root, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* gone meanwhile */
    if (!S_ISREG(st.st_mode)) {
        maildir_alarm(m, file, "not a regular file, left alone");
        return;
    }
    if (m->count == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->found = mem_grow(m->found, m->cap * sizeof *m->found);
    }
    int64_t mtime = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    m->found[m->count++] =
        (struct found){mem_str(file), maildir_internal_ms(name, mtime), st.st_size};
}

static int maildir_read(struct maildir *m, const char *sub, struct err *e)
{
    int fd = openat(m->root, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        err_set(e, ERR_TEMP, "%s/%s: %s", m->set->path, sub, err_errno());
        mem_cleanup_close(&fd);
        return -1;
    }
    for (struct dirent *d; (d = readdir(dir));) {
        if (d->d_name[0] == '.')
            continue;
        if (maildir_unique_len(d->d_name) == 0)
            maildir_alarm(m, sub, "a file name is not text, left alone");
        else
            maildir_add(m, sub, d->d_name);
    }
    closedir(dir);
    return 0;
}

static int maildir_order(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->internal_ms != y->internal_ms)
        return x->internal_ms < y->internal_ms ? -1 : 1;
    return strcmp(x->file + 4, y->file + 4);
}

/* What is there and not yet seen, oldest first. */
static int maildir_look(struct maildir *m, bool cur, struct err *e)
{
    maildir_forget_found(m);
    json_object_clear(m->present);
    if (maildir_read(m, "new", e) < 0 || (cur && maildir_read(m, "cur", e) < 0))
        return -1;
    if (m->count > 0)
        qsort(m->found, m->count, sizeof *m->found, maildir_order);
    return 0;
}

static void maildir_mark(struct maildir *m, const char *file)
{
    AUTO_FREE char *unique = maildir_unique(file);
    json_object_set_new(m->seen, unique, json_string(file));
}

/* After a full look: names whose file is gone need not be remembered. */
static void maildir_tidy(struct maildir *m)
{
    const char *unique;
    json_t *file;
    void *next;
    json_object_foreach_safe(m->seen, next, unique, file)
        if (!json_object_get(m->present, unique))
            json_object_del(m->seen, unique);
}

/* ---- first contact ---- */

static int64_t maildir_since_now(const struct maildir *m)
{
    int64_t newest = 0;
    for (size_t i = 0; i < m->count; i++)
        if (m->found[i].internal_ms > newest)
            newest = m->found[i].internal_ms;
    return m->count > 0 ? newest / 1000 + 1 : 0;
}

/* Tells the engine from when on messages count; it has stored that on 0. */
static int maildir_first_contact(struct maildir *m)
{
    int64_t since = m->set->start == SETTINGS_NOW ? maildir_since_now(m)
                    : m->set->start == SETTINGS_DATE ? m->set->start_ms / 1000
                                                     : 0;
    json_t *j = json_object();
    json_put_str(j, "folder", MAILDIR_FOLDER);
    json_put_int(j, "uidvalidity", 1);
    json_put_int(j, "uidnext", since);
    json_put_int(j, "start_uid", since);
    AUTO_JSON json_t *answer = desk_ask(m->desk, FRAME_FOLDER, j);
    if (!answer)
        return -1;
    log_info("intake.folder", "folder=" MAILDIR_FOLDER " start=%lld messages=%zu",
             (long long)since, m->count);
    m->since_ms = since * 1000;
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
    m->since_ms = json_get_int(c, "start_uid", 0) * 1000;
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

static void maildir_hand_over(struct maildir *m, const struct found *f)
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
        json_object_set_new(j, "parts", json_array());
    desk_mail(m->desk, &place, j, raw.data, raw.len);
    maildir_mark(m, f->file);
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
    AUTO_JSON json_t *answer = desk_ask(m->desk, FRAME_MATCH, q);
    size_t i;
    json_t *v;
    json_array_foreach(json_get_arr(answer, "names"), i, v)
        for (size_t k = from; json_is_string(v) && k < from + n; k++) {
            size_t len = json_string_length(v);
            if (maildir_unique_len(m->found[k].file + 4) == len &&
                memcmp(m->found[k].file + 4, json_string_value(v), len) == 0)
                maildir_mark(m, m->found[k].file);
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
        if (!m->looked && f->internal_ms < m->since_ms)
            maildir_mark(m, f->file);
        else if (!maildir_is_seen(m, f))
            maildir_hand_over(m, f);
    }
}

/* ---- after the receipt ---- */

/* Where the file is now: where it was last seen, or under other flags. */
static char *maildir_find(struct maildir *m, const char *unique)
{
    struct err ignored = {0};
    const char *file = json_string_value(json_object_get(m->seen, unique));
    if (file && faccessat(m->root, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return mem_str(file);
    if (maildir_look(m, true, &ignored) < 0 || !json_object_get(m->present, unique))
        return NULL;
    file = json_string_value(json_object_get(m->seen, unique));
    for (size_t i = 0, n = strlen(unique); !file && i < m->count; i++)
        if (maildir_unique_len(m->found[i].file + 4) == n &&
            memcmp(m->found[i].file + 4, unique, n) == 0)
            file = m->found[i].file;
    return mem_str(file);
}

static void maildir_settle(struct maildir *m, const char *unique)
{
    AUTO_FREE char *file = maildir_find(m, unique);
    if (!file)
        return; /* somebody has removed it */
    AUTO_FREE char *target = NULL;
    int dir = m->root;
    AUTO_CLOSE int other = -1;
    if (m->set->after == SETTINGS_FLAG) {
        AUTO_FREE char *name = maildir_flagged(file + 4, 'S');
        target = mem_printf("cur/%s", name);
    } else {
        bool plain = !strchr(file + 4, ':');
        target = mem_printf("cur/%s%s", file + 4, plain ? ":2," : "");
        other = openat(m->root, m->set->move_to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = other;
    }
    if (strcmp(file, target) == 0 && dir == m->root)
        return;
    if (dir < 0 || renameat2(m->root, file, dir, target, RENAME_NOREPLACE) < 0)
        maildir_alarm(m, dir < 0 ? m->set->move_to : file, err_errno());
    else if (dir == m->root)
        maildir_mark(m, target);
}

static void maildir_settle_all(struct maildir *m)
{
    for (struct desk_done *d; (d = desk_take_done(m->desk, 0)); desk_done_free(d))
        maildir_settle(m, d->place.name);
}

/* ---- questions ---- */

static json_t *maildir_list(struct maildir *m)
{
    size_t bytes = 0;
    json_t *names = json_array(), *j = json_object();
    const char *unique;
    json_t *file;
    json_object_foreach(m->seen, unique, file) {
        if ((bytes += strlen(unique) + 3) > BOUND_FRAME_JSON - MIB(1)) {
            json_decref(names);
            json_put_str(j, "error", "too many messages to list");
            return j;
        }
        json_array_append_new(names, json_string(unique));
    }
    json_object_set_new(j, "names", names);
    return j;
}

static json_t *maildir_preview(struct maildir *m)
{
    int64_t older = 0, newer = 0, bytes = 0, first = 0, last = 0;
    int64_t since = m->set->start == SETTINGS_NOW ? maildir_since_now(m) * 1000
                    : m->set->start == SETTINGS_DATE ? m->set->start_ms : 0;
    for (size_t i = 0; i < m->count; i++) {
        int64_t ms = m->found[i].internal_ms;
        if (ms < since) {
            older++;
            continue;
        }
        newer++;
        bytes += m->found[i].size;
        first = first == 0 || ms < first ? ms : first;
        last = ms > last ? ms : last;
    }
    json_t *f = json_object(), *list = json_array(), *j = json_object();
    json_put_str(f, "folder", MAILDIR_FOLDER);
    json_put_int(f, "messages", older + newer);
    json_put_int(f, "older", older);
    json_put_int(f, "newer", newer);
    json_put_int(f, "first_ms", first);
    json_put_int(f, "last_ms", last);
    json_put_int(f, "bytes", bytes);
    json_array_append_new(list, f);
    json_object_set_new(j, "folders", list);
    return j;
}

static void maildir_refetch(struct maildir *m, const json_t *request)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_get_arr(request, "names"), i, v) {
        struct stat st;
        AUTO_FREE char *file = json_is_string(v) ? maildir_find(m, json_string_value(v)) : NULL;
        if (!file || fstatat(m->root, file, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            log_warn("intake.refetch", "name=\"%s\" is not there", json_string_value(v));
            continue;
        }
        int64_t mtime = (int64_t)st.st_mtim.tv_sec * 1000;
        struct found f = {file, maildir_internal_ms(file + 4, mtime), st.st_size};
        maildir_hand_over(m, &f);
    }
}

static void maildir_request(struct maildir *m, const struct desk_request *q)
{
    struct err e = {0};
    if (q->type == FRAME_REFETCH) {
        maildir_refetch(m, q->json);
        return;
    }
    /* A look into an empty memory finds everything. */
    json_t *seen = m->seen;
    m->seen = q->type == FRAME_PREVIEW ? json_object() : json_incref(seen);
    int rc = maildir_look(m, true, &e);
    if (rc < 0)
        desk_refuse(m->desk, q, e.text);
    else if (q->type == FRAME_PREVIEW)
        desk_answer(m->desk, q, FRAME_PREVIEWED, maildir_preview(m));
    else
        desk_answer(m->desk, q, FRAME_LISTED, maildir_list(m));
    json_decref(m->seen);
    m->seen = seen;
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
    log_warn("intake.failed", "error=\"%s\" retry_ms=%d", e->text, m->set->poll_ms);
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
                        .present = json_object()};
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
    mem_cleanup_close(&m.root);
    mem_cleanup_close(&m.watch);
}
