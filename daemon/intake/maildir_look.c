/* SPDX-License-Identifier: ISC
 *
 * maildir_look - which files are there, and which of them are new to us
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "intake/maildir_inner.h"

#define TOLD_MAX 100 /* alarms that are remembered */

void maildir_alarm(struct maildir *m, const char *file, const char *what)
{
    char text[sizeof m->alarm];
    snprintf(text, sizeof text, "%.200s: %s", file, what);
    text_make_line(text); /* the name may be of any bytes, and is cut */
    memcpy(m->alarm, text, sizeof m->alarm);
    if (json_object_get(m->told, text))
        return; /* every look sees it again */
    if (json_object_size(m->told) >= TOLD_MAX)
        json_object_clear(m->told);
    json_object_set_new(m->told, text, json_true());
    log_warn("intake.alarm", "alarm=\"%s\"", m->alarm);
}

void maildir_forget_found(struct maildir *m)
{
    for (size_t i = 0; i < m->count; i++)
        mem_free(m->found[i].file);
    m->count = 0;
}

char *maildir_unique(const char *file)
{
    const char *name = file + 4; /* behind "new/" */
    return mem_strn(name, maildir_unique_len(name));
}

static int64_t time_ms(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000;
}

/* With "now", a mail that came into new/ after the first look is new, whatever
 * time it carries: to come there is a rename, and that sets the ctime. In cur/
 * the ctime says when the flags changed last, and nothing about start. */
int64_t maildir_start_ms(const struct maildir *m, const char *file, const struct stat *st)
{
    int64_t ms = maildir_internal_ms(file + 4, time_ms(&st->st_mtim));
    int64_t came = time_ms(&st->st_ctim);
    bool now = m->set->start == SETTINGS_NOW && strncmp(file, "new/", 4) == 0;
    return now && came > ms ? came : ms;
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
        m->odd[sub[0] == 'c']++;
        maildir_alarm(m, file, "not a regular file, left alone");
        return;
    }
    if (m->count == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->found = mem_grow(m->found, m->cap * sizeof *m->found);
    }
    m->found[m->count++] =
        (struct found){mem_str(file), maildir_internal_ms(name, time_ms(&st.st_mtim)), st.st_size,
                       maildir_start_ms(m, file, &st)};
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
    m->odd[sub[0] == 'c'] = 0;
    for (struct dirent *d; (d = readdir(dir));) {
        if (d->d_name[0] == '.')
            continue;
        if (maildir_unique_len(d->d_name) > 0) {
            maildir_add(m, sub, d->d_name);
            continue;
        }
        m->odd[sub[0] == 'c']++;
        maildir_alarm(m, sub, "a file name is not text, left alone");
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
int maildir_look(struct maildir *m, bool cur, struct err *e)
{
    maildir_forget_found(m);
    json_object_clear(m->present);
    if (maildir_read(m, "new", e) < 0 || (cur && maildir_read(m, "cur", e) < 0))
        return -1;
    if (m->count > 0)
        qsort(m->found, m->count, sizeof *m->found, maildir_order);
    return 0;
}

void maildir_mark(struct maildir *m, const char *file)
{
    AUTO_FREE char *unique = maildir_unique(file);
    json_object_set_new(m->seen, unique, json_string(file));
}

/* After a full look: names whose file is gone need not be remembered. */
void maildir_tidy(struct maildir *m)
{
    const char *unique;
    json_t *file;
    void *next;
    json_object_foreach_safe(m->seen, next, unique, file)
        if (!json_object_get(m->present, unique))
            json_object_del(m->seen, unique);
}

/* Where the file is now: where it was last seen, or under other flags. */
char *maildir_find(struct maildir *m, const char *unique)
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
