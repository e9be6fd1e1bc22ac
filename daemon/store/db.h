/* SPDX-License-Identifier: ISC
 *
 * db - the dozen verbs through which everything reaches the database
 *
 * SQL text is written once for both drivers, with $1..$n as placeholders in
 * any order of appearance; prepare refuses any other kind of parameter. SQL is
 * a string constant: statements are prepared once and kept. Values are bound,
 * never pasted.
 *
 * Types of values, one letter each, in the order of $1..$n:
 *   i  int64_t                       o  int64_t, where 0 is NULL (optional id)
 *   s  const char *, NULL is NULL    b  const void *, size_t
 *   d  double
 *
 * Text must be valid UTF-8 without NUL; the caller sees to it at the border.
 * Times are int64 UTC milliseconds. Errors: ERR_TEMP is worth another try
 * (disk full, I/O), ERR_PERM a damaged file, ERR_BUG is a statement of ours that is wrong.
 */
#ifndef LEADD_DB_H
#define LEADD_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db;
struct db_rows;

/* SQLite at path: WAL, synchronous=FULL, foreign keys on. With readonly the
 * file must exist already. NULL with e on failure. */
struct db *db_open(const char *path, bool readonly, struct err *e) LEADD_MUST_CHECK;
void db_close(struct db **db); /* accepts NULL; sets to NULL */

int db_begin(struct db *db, struct err *e) LEADD_MUST_CHECK;
int db_commit(struct db *db, struct err *e) LEADD_MUST_CHECK;
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/* One savepoint at a time, inside a transaction. */
int db_savepoint(struct db *db, struct err *e) LEADD_MUST_CHECK;
int db_release(struct db *db, struct err *e) LEADD_MUST_CHECK;
void db_rollback_to(struct db *db); /* undoes and ends the savepoint */

/* Runs a statement without rows. 0 or -1. */
int db_exec(struct db *db, struct err *e, const char *sql, const char *types, ...)
    LEADD_MUST_CHECK;
/* Runs "INSERT ... RETURNING id". *id_out is 0 when ON CONFLICT DO NOTHING did
 * nothing. 0 or -1. */
int db_insert(struct db *db, struct err *e, int64_t *id_out, const char *sql, const char *types,
              ...) LEADD_MUST_CHECK;
/* The first column of the first row as a number; def when there is no row or
 * it is NULL. */
int db_get_int(struct db *db, struct err *e, int64_t *out, int64_t def, const char *sql,
               const char *types, ...) LEADD_MUST_CHECK;
/* Is there a row? */
int db_has(struct db *db, struct err *e, bool *out, const char *sql, const char *types, ...)
    LEADD_MUST_CHECK;

/*   struct db_rows *r = db_query(db, e, "SELECT ...", "i", id);
 *   while (db_step(r)) ... db_int(r, 0) ...
 *   if (db_done(&r, e) < 0) return -1;
 *
 * db_query never returns NULL; an error shows in db_done. Text and blobs are
 * borrowed and valid until the next db_step. */
struct db_rows *db_query(struct db *db, const char *sql, const char *types, ...);
bool db_step(struct db_rows *r);
int db_done(struct db_rows **r, struct err *e) LEADD_MUST_CHECK;

int64_t db_int(struct db_rows *r, int col);       /* NULL gives 0 */
const char *db_text(struct db_rows *r, int col);  /* NULL gives NULL */
const void *db_blob(struct db_rows *r, int col, size_t *n_out);
bool db_is_null(struct db_rows *r, int col);

/* ---- when the disk fails ---------------------------------------------------- */

/* SOUND also after a full disk or a lock: then the transaction was undone. BROKEN:
 * a write or an fsync failed, and what the kernel still has of it is not known: close
 * and open anew. DAMAGED: pages cannot be read, or make no sense. Both stay. */
enum db_health { DB_SOUND, DB_BROKEN, DB_DAMAGED };
enum db_health db_health(const struct db *db);
/* The last error was that another process holds the write lock. */
bool db_locked(const struct db *db);
/* How long to wait, inside a call, for another process's lock; 5 s after db_open. */
void db_set_wait(struct db *db, int ms);

/* Do path, WAL and its index still name the files that are open? The first call
 * takes them down. -1 with e, which names the file that is gone or another one. */
int db_check_files(struct db *db, struct err *e) LEADD_MUST_CHECK;

struct db_space {
    int64_t free, total; /* bytes of the file system */
    int64_t wal;         /* bytes of the WAL */
};
int db_space(const struct db *db, struct db_space *out, struct err *e) LEADD_MUST_CHECK;
/* Copies the WAL into the database file, and cuts it down to nothing where truncate
 * says so. *held_out: pages that a reader's old snapshot keeps in the WAL. */
int db_checkpoint(struct db *db, bool truncate, int64_t *held_out, struct err *e) LEADD_MUST_CHECK;
/* A transaction that writes and syncs a few bytes: does it work again? */
int db_probe(struct db *db, struct err *e) LEADD_MUST_CHECK;

/* Several statements without parameters: migrations only. */
int db_script(struct db *db, const char *sql, struct err *e) LEADD_MUST_CHECK;

/* ---- whole files (sqlite_copy.c) ---- */

/* For one who works alone on a file that is no live database: no WAL. */
struct db *db_open_alone(const char *path, struct err *e) LEADD_MUST_CHECK;

/* For a reader: what it sees stays as it is until db_rollback or db_close. */
int db_begin_read(struct db *db, struct err *e) LEADD_MUST_CHECK;

/* done of all pages; false stops the copy. */
typedef bool (*db_progress_fn)(void *arg, int64_t done, int64_t all);
/* Copies what `from` sees, whatever is written meanwhile, into the empty file path,
 * which is not flushed. Inside a transaction of `from` it is that snapshot. */
int db_copy(struct db *from, const char *path, db_progress_fn progress, void *arg,
            struct err *e) LEADD_MUST_CHECK;

/* Calls line for everything that is wrong with the structure of the file, at most
 * 100 times. quick does not compare indexes with their tables. Stops without a word
 * after limit_ms (0: none). -1: it could not be done. */
typedef void (*db_line_fn)(void *arg, const char *line);
int db_check(struct db *db, bool quick, int64_t limit_ms, db_line_fn line, void *arg,
             struct err *e) LEADD_MUST_CHECK;

/* The name that a database was given at random: as the file alone has it, or with its
 * WAL. Empty when it has none. */
#define DB_ID_LEN 33
void db_id(const char *path, bool with_wal, char out[DB_ID_LEN]);
/* Gives it another one: it goes its own way from now on. */
int db_new_id(struct db *db, struct err *e) LEADD_MUST_CHECK;

/* What is in the WAL stays there when the database is closed. */
void db_leave_wal(struct db *db);

/* Rows written since open: for the benchmark. */
int64_t db_total_changes(const struct db *db);

/* Brings the schema up to date (store/migrate.c), all in one transaction per
 * step. Refuses a database newer than this program. */
int db_migrate(struct db *db, struct err *e) LEADD_MUST_CHECK;

#endif
