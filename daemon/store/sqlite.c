/* SPDX-License-Identifier: ISC
 *
 * sqlite - the embedded driver behind db.h
 *
 * With sqlite_copy.c, and in test builds fault_vfs.c, the only file that knows
 * SQLite. Statements are kept in a small hash table by the address of their text;
 * one that is in use (a query inside a query of the same text) gets a second copy
 * for the while.
 */
#include "store/sqlite_inner.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/bounds.h"
#include "base/hook.h"
#include "base/mem.h"
#include "store/fault_vfs.h"

#define STMT_SLOTS 1024 /* power of two, well above the number of statements we have */
#define PARAMS_MAX 64
#define CHECKPOINT_PAGES 2000

struct stmt {
    const char *sql;
    sqlite3_stmt *st;
    int params;
    unsigned char place[PARAMS_MAX + 1]; /* $n -> SQLite's index, by first appearance */
    bool busy;
};

/* The database file, its WAL, and the index of the WAL. */
static const char *const file_ends[] = {"", "-wal", "-shm"};

struct db {
    sqlite3 *h;
    char *path; /* own */
    enum db_health health;
    bool locked; /* the last error was somebody else's lock */
    bool files_known;
    struct {
        dev_t dev;
        ino_t ino;
    } files[ARRAY_LEN(file_ends)]; /* as they were when first looked at */
    struct stmt stmts[STMT_SLOTS];
};

struct db_rows {
    struct db *db;
    struct stmt *slot; /* NULL: st is a copy of our own */
    sqlite3_stmt *st;
    struct err *err; /* own; NULL: all went well */
    bool finished;
};

/* What an error means for the connection. Out of space (also for the index of the
 * WAL) comes before anything was written for good: the transaction is undone, and
 * that is all. */
static enum err_class sqlite_class(struct db *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_IOERR:
        if (rc == SQLITE_IOERR_NOMEM || rc == SQLITE_IOERR_SHMSIZE)
            return ERR_TEMP;
        if (rc == SQLITE_IOERR_READ || rc == SQLITE_IOERR_CORRUPTFS)
            db->health = DB_DAMAGED;
        else if (db->health == DB_SOUND)
            db->health = DB_BROKEN;
        return ERR_TEMP;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        db->health = DB_DAMAGED;
        return ERR_PERM;
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return ERR_TEMP;
    default:
        return ERR_BUG;
    }
}

static int sqlite_fail(struct db *db, const char *what, struct err *e)
{
    int rc = sqlite3_extended_errcode(db->h), sys = sqlite3_system_errno(db->h);
    bool of_system = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_FULL ||
                     (rc & 0xff) == SQLITE_CANTOPEN;
    db->locked = (rc & 0xff) == SQLITE_BUSY;
    return err_set(e, sqlite_class(db, rc), "database: %s%s%s (%s)", sqlite3_errmsg(db->h),
                   of_system && sys ? ": " : "", of_system && sys ? strerror(sys) : "", what);
}

/* After a commit, and as SQLite itself would: what fails now succeeds later. */
static int sqlite_checkpoint(void *arg, sqlite3 *h, const char *name, int pages)
{
    (void)arg;
    if (pages < (HOOK("store.checkpoint_often") ? 50 : CHECKPOINT_PAGES))
        return SQLITE_OK;
    CRASH_POINT("checkpoint.before");
    sqlite3_wal_checkpoint_v2(h, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    CRASH_POINT("checkpoint.after");
    return SQLITE_OK;
}

static int sqlite_configure(struct db *db, bool readonly, struct err *e)
{
    int on = 1;
    sqlite3_busy_timeout(db->h, 5000);
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db->h, SQLITE_LIMIT_LENGTH, 256 * 1024 * 1024);
    if (readonly)
        return db_script(db, "PRAGMA query_only = 1", e);
    if (db_script(db,
                  "PRAGMA page_size = 2048; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                  "PRAGMA foreign_keys = ON;"
                  "PRAGMA cache_size = -32768;"
                  /* else what a savepoint may undo is written to a file in /var/tmp */
                  "PRAGMA temp_store = MEMORY;",
                  e) < 0)
        return -1;
    AUTO_FREE char *limit = mem_printf("PRAGMA journal_size_limit = %zu", BOUND_WAL_BYTES);
    if (db_script(db, limit, e) < 0)
        return -1;
    sqlite3_wal_hook(db->h, sqlite_checkpoint, NULL);
    /* without it the WAL goes at a clean exit, and a reader under another uid
     * can then not open the file */
    sqlite3_file_control(db->h, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
    return 0;
}

sqlite3 *sqlite_handle(struct db *db)
{
    return db->h;
}

static struct db *sqlite_open(const char *path, int flags, struct err *e)
{
    /* one thread works with the database; the first call counts, later ones fail */
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    struct db *db = mem_alloc(sizeof(*db));
    flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    db->path = mem_str(path);
    if (sqlite3_open_v2(path, &db->h, flags,
                        flags & SQLITE_OPEN_CREATE ? fault_vfs() : NULL) != SQLITE_OK) {
        err_set(e, ERR_TEMP, "cannot open database %s: %s", path,
                db->h ? sqlite3_errmsg(db->h) : "no memory");
        db_close(&db);
    }
    return db;
}

struct db *db_open(const char *path, bool readonly, struct err *e)
{
    struct db *db = sqlite_open(
        path, readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e);
    if (db && sqlite_configure(db, readonly, e) < 0) {
        err_wrap(e, "%s", path);
        db_close(&db);
    }
    return db;
}

struct db *db_open_alone(const char *path, struct err *e)
{
    struct db *db = sqlite_open(path, SQLITE_OPEN_READWRITE, e);
    if (db && db_script(db, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;"
                            "PRAGMA secure_delete = ON;", e) < 0) {
        err_wrap(e, "%s", path);
        db_close(&db);
    }
    return db;
}

void db_close(struct db **dbp)
{
    struct db *db = *dbp;
    *dbp = NULL;
    if (!db)
        return;
    for (size_t i = 0; i < STMT_SLOTS; i++)
        sqlite3_finalize(db->stmts[i].st);
    sqlite3_close_v2(db->h);
    mem_free(db->path);
    mem_free(db);
}

/* For RETURNING, SQLite makes and drops a table in memory at each insert, which is
 * dearer than the insert; the id is known without it. */
static int sql_length(const char *sql)
{
    static const char returning[] = " RETURNING id";
    size_t n = strlen(sql), k = strlen(returning);
    return (int)(n > k && !strcmp(sql + n - k, returning) ? n - k : n);
}

/* Parameters must be $1..$n: SQLite would take any other name as a new, NULL
 * parameter without a word. */
static int sqlite_prepare(struct db *db, const char *sql, struct stmt *s, struct err *e)
{
    if (sqlite3_prepare_v3(db->h, sql, sql_length(sql), SQLITE_PREPARE_PERSISTENT, &s->st, NULL) !=
        SQLITE_OK)
        return sqlite_fail(db, sql, e);
    s->sql = sql;
    s->params = sqlite3_bind_parameter_count(s->st);
    for (int i = 1; i <= s->params; i++) {
        const char *name = sqlite3_bind_parameter_name(s->st, i);
        char *end = NULL;
        long n = name && name[0] == '$' ? strtol(name + 1, &end, 10) : 0;
        if (n >= 1 && n <= s->params && n <= PARAMS_MAX && *end == '\0') {
            s->place[n] = (unsigned char)i;
        } else {
            err_set(e, ERR_BUG, "parameter %s is not $1..$n in: %s", name ? name : "?", sql);
            sqlite3_finalize(s->st);
            *s = (struct stmt){0};
            return -1;
        }
    }
    return 0;
}

static struct stmt *stmt_slot(struct db *db, const char *sql)
{
    size_t h = ((uintptr_t)sql >> 3) * 2654435761u;
    for (size_t i = 0; i < STMT_SLOTS; i++) {
        struct stmt *s = &db->stmts[(h + i) & (STMT_SLOTS - 1)];
        if (!s->sql || s->sql == sql)
            return s;
    }
    return NULL;
}

static int bind_one(sqlite3_stmt *st, int at, char type, va_list *ap)
{
    switch (type) {
    case 'i':
        return sqlite3_bind_int64(st, at, va_arg(*ap, int64_t));
    case 'o': {
        int64_t v = va_arg(*ap, int64_t);
        return v ? sqlite3_bind_int64(st, at, v) : sqlite3_bind_null(st, at);
    }
    case 's': {
        const char *s = va_arg(*ap, const char *);
        return s ? sqlite3_bind_text(st, at, s, -1, SQLITE_TRANSIENT) : sqlite3_bind_null(st, at);
    }
    case 'd':
        return sqlite3_bind_double(st, at, va_arg(*ap, double));
    case 'b': {
        const void *p = va_arg(*ap, const void *);
        size_t n = va_arg(*ap, size_t);
        return p ? sqlite3_bind_blob64(st, at, p, n, SQLITE_TRANSIENT) : sqlite3_bind_null(st, at);
    }
    default:
        return SQLITE_MISUSE;
    }
}

static int rows_bind(struct db_rows *r, const struct stmt *s, const char *types, va_list *ap,
                     struct err *e)
{
    if (strlen(types) != (size_t)s->params)
        return err_set(e, ERR_BUG, "%zu values for %d parameters in: %s", strlen(types), s->params,
                       s->sql);
    for (int i = 0; types[i]; i++)
        if (bind_one(r->st, s->place[i + 1], types[i], ap) != SQLITE_OK)
            return sqlite_fail(r->db, s->sql, e);
    return 0;
}

static void rows_fail(struct db_rows *r, const struct err *e)
{
    r->err = mem_alloc(sizeof(*r->err));
    *r->err = *e;
}

static struct db_rows *rows_open(struct db *db, const char *sql, const char *types, va_list *ap)
{
    struct db_rows *r = mem_alloc(sizeof(*r));
    struct stmt copy = {0}, *s = stmt_slot(db, sql);
    struct err e;
    r->db = db;
    if (s && !s->busy)
        r->slot = s;
    else
        s = &copy;
    if (!s->st && sqlite_prepare(db, sql, s, &e) < 0) {
        rows_fail(r, &e);
        return r;
    }
    s->busy = true;
    r->st = s->st;
    if (rows_bind(r, s, types, ap, &e) < 0)
        rows_fail(r, &e);
    return r;
}

struct db_rows *db_query(struct db *db, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    struct db_rows *r = rows_open(db, sql, types, &ap);
    va_end(ap);
    return r;
}

bool db_step(struct db_rows *r)
{
    if (r->err || r->finished)
        return false;
    int rc = sqlite3_step(r->st);
    if (rc == SQLITE_ROW)
        return true;
    r->finished = true;
    if (rc != SQLITE_DONE) {
        struct err e;
        sqlite_fail(r->db, sqlite3_sql(r->st), &e);
        rows_fail(r, &e);
    }
    return false;
}

int db_done(struct db_rows **rp, struct err *e)
{
    struct db_rows *r = *rp;
    int rc = r->err ? -1 : 0;
    *rp = NULL;
    if (r->err && e)
        *e = *r->err;
    if (r->slot && r->slot->st) {
        sqlite3_reset(r->slot->st);
        sqlite3_clear_bindings(r->slot->st);
        r->slot->busy = false;
    } else if (!r->slot) {
        sqlite3_finalize(r->st);
    }
    mem_free(r->err);
    mem_free(r);
    return rc;
}

int64_t db_int(struct db_rows *r, int col)
{
    return sqlite3_column_int64(r->st, col);
}

const char *db_text(struct db_rows *r, int col)
{
    return (const char *)sqlite3_column_text(r->st, col);
}

const void *db_blob(struct db_rows *r, int col, size_t *n_out)
{
    const void *p = sqlite3_column_blob(r->st, col);
    *n_out = (size_t)sqlite3_column_bytes(r->st, col);
    return p;
}

bool db_is_null(struct db_rows *r, int col)
{
    return sqlite3_column_type(r->st, col) == SQLITE_NULL;
}

int db_exec(struct db *db, struct err *e, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    struct db_rows *r = rows_open(db, sql, types, &ap);
    va_end(ap);
    while (db_step(r))
        ;
    return db_done(&r, e);
}

int db_insert(struct db *db, struct err *e, int64_t *id_out, const char *sql, const char *types, ...)
{
    int64_t id = 0;
    va_list ap;
    va_start(ap, types);
    struct db_rows *r = rows_open(db, sql, types, &ap);
    va_end(ap);
    while (db_step(r))
        ;
    if (!r->err && sqlite3_changes64(db->h) > 0)
        id = sqlite3_last_insert_rowid(db->h);
    if (db_done(&r, e) < 0)
        return -1;
    *id_out = id;
    return 0;
}

int db_get_int(struct db *db, struct err *e, int64_t *out, int64_t def, const char *sql,
               const char *types, ...)
{
    int64_t v = def;
    va_list ap;
    va_start(ap, types);
    struct db_rows *r = rows_open(db, sql, types, &ap);
    va_end(ap);
    if (db_step(r) && !db_is_null(r, 0))
        v = db_int(r, 0);
    if (db_done(&r, e) < 0)
        return -1;
    *out = v;
    return 0;
}

int db_has(struct db *db, struct err *e, bool *out, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    struct db_rows *r = rows_open(db, sql, types, &ap);
    va_end(ap);
    bool any = db_step(r);
    if (db_done(&r, e) < 0)
        return -1;
    *out = any;
    return 0;
}

int db_script(struct db *db, const char *sql, struct err *e)
{
    return sqlite3_exec(db->h, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sqlite_fail(db, "script", e);
}

int db_begin(struct db *db, struct err *e)
{
    return db_exec(db, e, "BEGIN IMMEDIATE", "");
}

int db_commit(struct db *db, struct err *e)
{
    CRASH_POINT("commit.before");
    int rc = db_exec(db, e, "COMMIT", "");
    CRASH_POINT("commit.after");
    return rc;
}

void db_rollback(struct db *db)
{
    if (db_in_transaction(db))
        (void)!db_exec(db, NULL, "ROLLBACK", "");
}

bool db_in_transaction(const struct db *db)
{
    return !sqlite3_get_autocommit(db->h);
}

int db_savepoint(struct db *db, struct err *e)
{
    return db_exec(db, e, "SAVEPOINT item", "");
}

int db_release(struct db *db, struct err *e)
{
    return db_exec(db, e, "RELEASE item", "");
}

void db_rollback_to(struct db *db)
{
    /* a full disk may have ended the whole transaction already */
    if (db_in_transaction(db) && db_exec(db, NULL, "ROLLBACK TO item", "") == 0)
        (void)!db_exec(db, NULL, "RELEASE item", "");
}

int64_t db_total_changes(const struct db *db)
{
    return sqlite3_total_changes64(db->h);
}

/* ---- the files ---------------------------------------------------------------- */

enum db_health db_health(const struct db *db)
{
    return db->health;
}

bool db_locked(const struct db *db)
{
    return db->locked;
}

void db_set_wait(struct db *db, int ms)
{
    sqlite3_busy_timeout(db->h, ms);
}

int db_check_files(struct db *db, struct err *e)
{
    bool known = db->files_known;
    for (size_t i = 0; i < ARRAY_LEN(file_ends); i++) {
        struct stat st;
        AUTO_FREE char *path = mem_printf("%s%s", db->path, file_ends[i]);
        if (stat(path, &st) < 0)
            return err_set(e, ERR_TEMP, "%s: %s", path, err_errno());
        if (known && (st.st_ino != db->files[i].ino || st.st_dev != db->files[i].dev))
            return err_set(e, ERR_TEMP, "%s is not the file any more that is open", path);
        db->files[i].ino = st.st_ino;
        db->files[i].dev = st.st_dev;
    }
    db->files_known = true;
    return 0;
}

int db_space(const struct db *db, struct db_space *out, struct err *e)
{
    struct statvfs fs;
    struct stat st;
    AUTO_FREE char *wal = mem_printf("%s-wal", db->path);
    if (statvfs(db->path, &fs) < 0)
        return err_set(e, ERR_TEMP, "%s: %s", db->path, err_errno());
    out->free = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    out->total = (int64_t)fs.f_blocks * (int64_t)fs.f_frsize;
    out->wal = stat(wal, &st) == 0 ? st.st_size : 0;
    return 0;
}

int db_checkpoint(struct db *db, bool truncate, int64_t *held_out, struct err *e)
{
    int all = 0, done = 0;
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int rc = sqlite3_wal_checkpoint_v2(db->h, NULL, mode, &all, &done);
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
        return sqlite_fail(db, "checkpoint", e);
    /* a reader that is at the newest page lets all be copied, but nothing be cut off */
    *held_out = all > done ? all - done : rc != SQLITE_OK ? all : 0;
    return 0;
}

int db_probe(struct db *db, struct err *e)
{
    if (db_begin(db, e) < 0)
        return -1;
    if (db_exec(db, e, "INSERT INTO meta (key, value) VALUES ('probe', '1') "
                       "ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1", "") == 0 &&
        db_commit(db, e) == 0)
        return 0;
    db_rollback(db);
    return -1;
}
