/* SPDX-License-Identifier: ISC
 *
 * sqlite_copy - a whole database: copied while others write, and looked over
 *
 * The pages are copied as they are, which is the fastest way and so holds the
 * reader's snapshot the shortest: while it lasts, the WAL cannot be reused and
 * grows by what is written meanwhile.
 */
#include "store/sqlite_inner.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

#define COPY_PAGES 1024      /* in one step: 2 MB */
#define CHECK_STEPS 100000   /* of SQLite's machine, between two looks at the clock */
#define CHECK_LINES 100

static int copy_pages(sqlite3 *from, sqlite3 *to, db_progress_fn progress, void *arg, struct err *e)
{
    int rc = SQLITE_OK;
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (!b)
        return err_set(e, ERR_TEMP, "cannot begin the copy: %s", sqlite3_errmsg(to));
    while (rc == SQLITE_OK) {
        rc = sqlite3_backup_step(b, COPY_PAGES);
        int64_t all = sqlite3_backup_pagecount(b), left = sqlite3_backup_remaining(b);
        if (rc == SQLITE_OK && progress && !progress(arg, all - left, all))
            rc = SQLITE_INTERRUPT;
    }
    sqlite3_backup_finish(b);
    if (rc == SQLITE_DONE)
        return 0;
    return err_set(e, rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB ? ERR_PERM : ERR_TEMP,
                   "the copy was not made: %s", sqlite3_errstr(rc));
}

int db_copy(struct db *from, const char *path, db_progress_fn progress, void *arg, struct err *e)
{
    sqlite3 *to = NULL;
    int rc = -1;
    if (sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL) !=
        SQLITE_OK)
        err_set(e, ERR_TEMP, "cannot open %s: %s", path, sqlite3_errmsg(to));
    else
        rc = copy_pages(sqlite_handle(from), to, progress, arg, e);
    /* not in WAL mode: the copy is one file, whole in itself */
    if (rc == 0 && sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) != SQLITE_OK)
        rc = err_set(e, ERR_TEMP, "%s: %s", path, sqlite3_errmsg(to));
    sqlite3_close(to);
    return rc;
}

int db_begin_read(struct db *db, struct err *e)
{
    return db_script(db, "BEGIN; SELECT count(*) FROM sqlite_master", e);
}

/* "immutable" is what makes SQLite not look at the WAL. */
void db_id(const char *path, bool with_wal, char out[DB_ID_LEN])
{
    sqlite3 *h = NULL;
    sqlite3_stmt *st = NULL;
    struct buf uri AUTO_BUF;
    buf_init(&uri, 64 * 1024);
    buf_str(&uri, "file:");
    for (const char *p = path; *p; p++)
        buf_printf(&uri, strchr("?#%", *p) ? "%%%02x" : "%c", (unsigned)(unsigned char)*p);
    buf_str(&uri, with_wal ? "?mode=ro" : "?mode=ro&immutable=1");
    out[0] = '\0';
    if (sqlite3_open_v2(uri.data, &h, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(h, "SELECT value FROM meta WHERE key = 'id'", -1, &st, NULL) ==
            SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW && sqlite3_column_text(st, 0))
        snprintf(out, DB_ID_LEN, "%s", (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    sqlite3_close(h);
}

void db_leave_wal(struct db *db)
{
    sqlite3_db_config(sqlite_handle(db), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static int on_progress(void *arg)
{
    const int64_t *until_mono = arg;
    return *until_mono && clock_mono_ms() > *until_mono;
}

int db_check(struct db *db, bool quick, int64_t limit_ms, db_line_fn line, void *arg, struct err *e)
{
    sqlite3 *h = sqlite_handle(db);
    sqlite3_stmt *st = NULL;
    int64_t until_mono = limit_ms ? clock_mono_ms() + limit_ms : 0;
    sqlite3_progress_handler(h, CHECK_STEPS, on_progress, &until_mono);
    int rc = sqlite3_prepare_v2(h, quick ? "PRAGMA quick_check(100)" : "PRAGMA integrity_check(100)",
                                -1, &st, NULL);
    for (int n = 0; rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW && n < CHECK_LINES; n++) {
        const char *s = (const char *)sqlite3_column_text(st, 0);
        if (s && strcmp(s, "ok") != 0)
            line(arg, s);
        rc = SQLITE_OK;
    }
    int primary = rc & 0xff, result = 0;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
        line(arg, sqlite3_errmsg(h)); /* so damaged that it cannot be looked over */
    else if (primary != SQLITE_OK && primary != SQLITE_ROW && primary != SQLITE_DONE &&
             primary != SQLITE_INTERRUPT)
        result = err_set(e, ERR_TEMP, "cannot look it over: %s", sqlite3_errmsg(h));
    sqlite3_finalize(st);
    sqlite3_progress_handler(h, 0, NULL, NULL);
    return result;
}
