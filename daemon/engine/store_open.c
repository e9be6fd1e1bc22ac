/* SPDX-License-Identifier: ISC
 *
 * store_open - see store_open.h
 *
 * After a clean end the file is taken as it is. After any other, SQLite has read
 * what the WAL holds, and the structure is looked over for a bounded time: that
 * is when a WAL of another database, or half of a copied file, would show.
 */
#include "engine/store_open.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"

#define LOOK_MS 250           /* after an unclean end: about 100 MB */
#define LOOK_DAMAGED_MS MINUTE_MS /* when damage was seen before */
#define KEY_OLDER_S 60

#define NEXT "see \"Damage\" in leadd(8)"

static bool there(const char *path, const char *more, struct stat *st)
{
    AUTO_FREE char *name = mem_printf("%s%s", path, more);
    return stat(name, st) == 0;
}

/* The folder must be writable, too: SQLite makes the WAL and its index there. */
static int may_write(const char *path, const struct stat *st, struct err *e)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    const struct passwd *pw = getpwuid(geteuid());
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        AUTO_FREE char *name = mem_printf("%s%s", path, parts[i]);
        if (faccessat(AT_FDCWD, name, R_OK | W_OK, AT_EACCESS) == 0 || errno == ENOENT)
            continue;
        if (errno == EROFS)
            return err_set(e, ERR_TEMP, "%s is on a file system that is read-only", name);
        return err_set(e, ERR_PERM, "%s cannot be written by user %s: %s (it belongs to uid %d, "
                       "mode %03o); chown it", name, pw ? pw->pw_name : "?", err_errno(),
                       (int)st->st_uid, (unsigned)(st->st_mode & 0777));
    }
    return 0;
}

/* A file that had something in it once is not taken for a new one. */
static int not_emptied(const char *path, const struct stat *st, const char *state_dir,
                       struct err *e)
{
    struct stat key;
    AUTO_FREE char *name = mem_printf("%s/secret.key", state_dir);
    if (stat(name, &key) < 0 || key.st_mtime + KEY_OLDER_S > st->st_mtime)
        return 0; /* the first start, ended before its first commit */
    return err_set(e, ERR_PERM, "%s is empty, and there was a database before: restore one by "
                   "leadctl restore, or remove the file to begin anew", path);
}

static int head_check(const char *path, struct err *e)
{
    char head[16] = "";
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, ERR_PERM, "cannot open %s: %s", path, err_errno());
    if (read(fd, head, sizeof(head)) != sizeof(head) ||
        memcmp(head, "SQLite format 3", sizeof(head)) != 0)
        return err_set(e, ERR_PERM, "%s is not a database: leadctl restore puts a backup in its "
                       "place; " NEXT, path);
    return 0;
}

/* Somebody put another database in the place of a file and left the old -wal. */
static int wal_check(const char *path, struct err *e)
{
    char alone[DB_ID_LEN], both[DB_ID_LEN];
    db_id(path, false, alone);
    db_id(path, true, both);
    if (!*alone || strcmp(alone, both) == 0)
        return 0; /* or all it has is in the WAL still */
    return err_set(e, ERR_PERM, "%s-wal belongs to another database than %s: move the one away "
                   "that is not wanted; nothing was changed; " NEXT, path, path);
}

static int file_check(const char *path, const char *state_dir, struct err *e)
{
    struct stat st;
    if (there(path, ".restore", &st))
        return err_set(e, ERR_PERM, "a restore was begun and not finished (%s.restore): run the "
                       "same leadctl restore again", path);
    if (!there(path, "", &st) && errno == ENOENT) {
        if (!there(path, "-wal", &st) && !there(path, "-shm", &st))
            return 0;
        /* SQLite would begin a new one and throw away what the WAL holds */
        return err_set(e, ERR_TEMP, "%s is gone, and its WAL is there: put it back, or remove both",
                       path);
    }
    if (stat(path, &st) < 0)
        return err_set(e, ERR_PERM, "cannot look at %s: %s", path, err_errno());
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_PERM, "%s is not a file", path);
    if (may_write(path, &st, e) < 0)
        return -1;
    return st.st_size == 0 ? not_emptied(path, &st, state_dir, e) : head_check(path, e);
}

/* ---- looking it over -------------------------------------------------------------- */

struct look {
    char first[256];
    int lines;
};

static void look_line(void *arg, const char *line)
{
    struct look *l = arg;
    if (l->lines++ == 0)
        snprintf(l->first, sizeof(l->first), "%s", line);
}

static int damaged(const char *path, const char *what, struct err *e)
{
    return err_set(e, ERR_PERM, "%s is damaged: %s; nothing was changed. leadctl backup verify "
                   "%s says more; " NEXT, path, what, path);
}

static int look_over(struct db *db, const char *path, int64_t limit_ms, struct err *e)
{
    struct look l = {.lines = 0};
    if (db_check(db, true, limit_ms, look_line, &l, e) < 0)
        return -1;
    if (l.lines == 0)
        return 0;
    store_mark_damaged(path);
    return damaged(path, l.first, e);
}

void store_mark_damaged(const char *path)
{
    AUTO_FREE char *mark = mem_printf("%s.damaged", path);
    AUTO_CLOSE int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    (void)fd;
}

static int check_and_migrate(struct db *db, const char *path, bool unclean, bool marked,
                             struct err *e)
{
    AUTO_FREE char *mark = mem_printf("%s.damaged", path);
    if ((unclean || marked) && look_over(db, path, marked ? LOOK_DAMAGED_MS : LOOK_MS, e) < 0)
        return -1;
    if (marked) {
        log_warn("store.sound", "path=\"%s\" next=\"nothing wrong was found in %d s of looking\"",
                 path, (int)(LOOK_DAMAGED_MS / 1000));
        unlink(mark);
    }
    return db_migrate(db, e);
}

struct db *store_open(const char *path, const char *state_dir, struct err *e)
{
    struct stat st;
    bool fresh = !there(path, "", &st);
    bool unclean = there(path, "-wal", &st) && st.st_size > 0, marked = there(path, ".damaged", &st);
    if (file_check(path, state_dir, e) < 0 || (unclean && wal_check(path, e) < 0))
        return NULL;
    struct db *db = db_open(path, false, e);
    if (db && check_and_migrate(db, path, unclean, marked, e) == 0) {
        if (fresh)
            log_info("store.new", "path=\"%s\"", path);
        return db;
    }
    if (db)
        db_leave_wal(db); /* it may be all that is right, or all that is wrong */
    db_close(&db);
    if (e->cls == ERR_PERM && !strstr(e->text, path)) {
        struct err why = *e;
        if (strstr(why.text, "newer leadd"))
            err_set(e, ERR_PERM, "%s: %s: install that, or restore an older backup", path, why.text);
        else
            damaged(path, why.text, e);
    }
    return NULL;
}
