/* SPDX-License-Identifier: ISC
 *
 * maildir - see maildir.h
 */
#include "base/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/hook.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

#define NAME_LEN 64

/* The line at *at without its end, and *at behind it; false: there is none. */
static bool next_line(const char *raw, size_t n, size_t *at, struct str *line)
{
    if (*at >= n)
        return false;
    const char *p = raw + *at, *lf = memchr(p, '\n', n - *at);
    size_t len = lf ? (size_t)(lf - p) : n - *at;
    *at += len + 1;
    *line = (struct str){p, len - (len > 0 && p[len - 1] == '\r')};
    return true;
}

struct str maildir_message_id(const char *raw, size_t n)
{
    static const char key[] = "message-id:";
    struct str line;
    for (size_t at = 0; next_line(raw, n, &at, &line) && line.n > 0;)
        if (line.n >= sizeof(key) - 1 && strncasecmp(line.p, key, sizeof(key) - 1) == 0)
            return (struct str){line.p + sizeof(key) - 1, line.n - (sizeof(key) - 1)};
    return (struct str){"", 0};
}

/* "out17.0123456789abcdef.leadd". The id alone would not do: a new database
 * counts from 1 again, and its mails would pass for delivered ones. */
static void file_name(char out[NAME_LEN], uint64_t id, const char *raw, size_t n)
{
    struct str mid = maildir_message_id(raw, n);
    uint64_t h = (uint64_t)(mid.n ? hash_64(mid.p, mid.n) : hash_64(raw, n));
    snprintf(out, NAME_LEN, "out%" PRIu64 ".%016" PRIx64 ".leadd", id, h);
}

int maildir_make(const char *path, struct err *e)
{
    static const char *const sub[] = {"", "/tmp", "/new", "/cur"};
    for (size_t i = 0; i < ARRAY_LEN(sub); i++) {
        AUTO_FREE char *p = mem_printf("%s%s", path, sub[i]);
        if (mkdir(p, 0700) < 0 && errno != EEXIST)
            return err_set(e, ERR_TEMP, "%s: %s", p, err_errno());
    }
    return 0;
}

/* The mail with LF line ends; from NULL: without a Return-Path line in front. */
static int file_text(struct buf *out, const char *from, const char *raw, size_t n)
{
    if (from)
        buf_printf(out, "Return-Path: <%s>\n", from);
    struct str line;
    for (size_t at = 0; next_line(raw, n, &at, &line);) {
        buf_add(out, line.p, line.n);
        buf_char(out, '\n');
    }
    return buf_ok(out) ? 0 : -1;
}

/* when_ms: the time of the file; 0: now. */
static int file_write(const char *path, const char *from, const char *raw, size_t n, int64_t when_ms,
                      struct err *e)
{
    struct buf text AUTO_BUF;
    const struct timespec at = {when_ms / 1000, when_ms % 1000 * 1000000},
                          times[2] = {at, at};
    buf_init(&text, BOUND_FRAME_RAW * 2);
    if (file_text(&text, from, raw, n) < 0)
        return err_set(e, ERR_INPUT, "the mail is too large");
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || buf_write_fd(fd, text.data, text.len) < 0 ||
        (when_ms && futimens(fd, times) < 0) || fsync(fd) < 0)
        return err_set(e, ERR_TEMP, "%s: %s", path, err_errno());
    return 0;
}

static int dir_sync(const char *path, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_set(e, ERR_TEMP, "%s: %s", path, err_errno());
    return 0;
}

/* Did a mail reader take it from new/ to cur/, where flags follow the name? */
static int was_moved(const char *path, const char *name)
{
    AUTO_FREE char *cur = mem_printf("%s/cur", path);
    DIR *d = opendir(cur);
    size_t n = strlen(name);
    int found = 0;
    for (struct dirent *de; d && !found && (de = readdir(d));)
        found = strncmp(de->d_name, name, n) == 0 && (de->d_name[n] == ':' || !de->d_name[n]);
    if (d)
        closedir(d);
    return found;
}

/* From tmp/ to its place, and the place synced; *there_out: it was there. */
static int file_place(const char *tmp, const char *dir, const char *name, int *there_out,
                      struct err *e)
{
    AUTO_FREE char *dst = mem_printf("%s/%s", dir, name);
    CRASH_POINT("maildir.rename.before");
    *there_out = link(tmp, dst) < 0;
    if (*there_out && errno != EEXIST)
        return err_set(e, ERR_TEMP, "%s: %s", dst, err_errno());
    CRASH_POINT("maildir.rename.after");
    unlink(tmp);
    return dir_sync(dir, e);
}

int maildir_deliver(const char *path, uint64_t id, const char *from, const char *raw, size_t n,
                    int again, struct err *e)
{
    char name[NAME_LEN];
    int there;
    file_name(name, id, raw, n);
    AUTO_FREE char *tmp = mem_printf("%s/tmp/%s", path, name);
    AUTO_FREE char *dir = mem_printf("%s/new", path);
    if (maildir_make(path, e) < 0)
        return -1;
    if (again && was_moved(path, name))
        return 0;
    return file_write(tmp, from, raw, n, 0, e) < 0 ? -1 : file_place(tmp, dir, name, &there, e);
}

int maildir_keep(const char *path, uint64_t id, int64_t sent_ms, const char *raw, size_t n,
                 int again, int *there_out, struct err *e)
{
    char name[NAME_LEN];
    file_name(name, id, raw, n);
    AUTO_FREE char *tmp = mem_printf("%s/tmp/%s", path, name);
    AUTO_FREE char *dir = mem_printf("%s/cur", path);
    AUTO_FREE char *seen = mem_printf("%s:2,S", name);
    if (maildir_make(path, e) < 0)
        return -1;
    *there_out = again && was_moved(path, name); /* its flags may be others by now */
    if (*there_out)
        return 0;
    return file_write(tmp, NULL, raw, n, sent_ms, e) < 0 ? -1
                                                         : file_place(tmp, dir, seen, there_out, e);
}
