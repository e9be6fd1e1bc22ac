/* SPDX-License-Identifier: ISC
 *
 * maildir_ask - after the receipt, and what the engine asks about a Maildir
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/maildir.h"
#include "base/mem.h"
#include "intake/maildir_inner.h"

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
    CRASH_POINT("intake.rename.before");
    if (dir < 0 || renameat2(m->root, file, dir, target, RENAME_NOREPLACE) < 0)
        maildir_alarm(m, dir < 0 ? m->set->move_to : file, err_errno());
    else if (dir == m->root)
        maildir_mark(m, target);
    CRASH_POINT("intake.rename.after");
}

void maildir_settle_all(struct maildir *m)
{
    for (struct desk_done *d; (d = desk_take_done(m->desk, 0)); desk_done_free(d))
        maildir_settle(m, d->place.name);
}

/* ---- questions ---- */

/* From before `start`: it was seen, and is not leadd's. */
static bool maildir_is_old(const struct maildir *m, const char *file)
{
    struct stat st;
    return fstatat(m->root, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
           maildir_start_ms(m, file, &st) < m->since_ms;
}

/* One list over several frames, each but the last with "more". */
struct list {
    struct maildir *m;
    const struct desk_request *q;
    json_t *names; /* own; of the next frame */
    size_t bytes, all;
};

static void list_send(struct list *l, bool more)
{
    json_t *j = json_object();
    json_object_set_new(j, "names", l->names);
    if (more)
        json_put_bool(j, "more", true);
    else
        json_put_int(j, "left_alone", l->m->odd[0] + l->m->odd[1]);
    desk_answer(l->m->desk, l->q, FRAME_LISTED, j);
    l->names = json_array();
    l->bytes = 0;
}

static bool list_add(struct list *l, const char *unique)
{
    size_t n = strlen(unique) + 3;
    if (l->bytes + n > BOUND_LIST_FRAME)
        list_send(l, true);
    l->bytes += n;
    l->all += n;
    json_array_append_new(l->names, json_string(unique));
    return l->all < BOUND_LIST_BYTES;
}

/* What was handed over, and what could not be until now. */
static void maildir_list(struct maildir *m, const struct desk_request *q)
{
    struct list l = {.m = m, .q = q, .names = json_array()};
    bool fits = true;
    const char *unique;
    json_t *file;
    json_object_foreach(m->seen, unique, file)
        if (fits && !maildir_is_old(m, json_string_value(file)))
            fits = list_add(&l, unique);
    for (size_t i = 0; i < m->count && fits; i++) {
        AUTO_FREE char *name = maildir_unique(m->found[i].file);
        if (m->found[i].start_ms >= m->since_ms)
            fits = list_add(&l, name);
    }
    if (fits)
        list_send(&l, false);
    else
        desk_refuse(m->desk, q, "too many messages to list");
    json_decref(l.names);
}

static json_t *maildir_preview(struct maildir *m)
{
    int64_t older = 0, newer = 0, bytes = 0, first = 0, last = 0;
    int64_t since = m->set->start == SETTINGS_NOW ? maildir_since_now(m)
                    : m->set->start == SETTINGS_DATE ? m->set->start_ms : 0;
    for (size_t i = 0; i < m->count; i++) {
        int64_t ms = m->found[i].internal_ms;
        if (m->found[i].start_ms < since) {
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
        struct found f = {file, maildir_internal_ms(file + 4, mtime), st.st_size, 0};
        maildir_hand_over(m, &f);
    }
}

/* A copy of what was sent: into .Sent of the Maildir, as Maildir++ has it, or where
 * leadd.conf wants it. */
static void maildir_append(struct maildir *m, const struct desk_request *q)
{
    int there = 0;
    struct err e = {0};
    json_t *j = json_object();
    AUTO_FREE char *path = m->set->sent_folder ? mem_str(m->set->sent_folder)
                                               : mem_printf("%s/.Sent", m->set->path);
    int rc = maildir_keep(path, q->id, json_get_int(q->json, "internal_ms", 0), q->raw, q->raw_len,
                          json_get_bool(q->json, "again", false), &there, &e);
    /* where it may write was settled at its start, for the folder that was there */
    AUTO_FREE char *why = mem_printf("%s%s", e.text, m->set->sent_folder
                                         ? " (was the folder removed or made since leadd started? "
                                           "then restart leadd)" : "");
    json_put_str(j, "folder", path);
    if (rc < 0)
        json_put_str(j, "error", why);
    json_put_str(j, "outcome", rc < 0 ? "refused" : there ? "there" : "stored");
    desk_answer(m->desk, q, FRAME_APPENDED, j);
}

void maildir_request(struct maildir *m, const struct desk_request *q)
{
    struct err e = {0};
    if (q->type == FRAME_APPEND) {
        maildir_append(m, q);
        return;
    }
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
        maildir_list(m, q);
    json_decref(m->seen);
    m->seen = seen;
}
