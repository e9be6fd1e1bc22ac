/* SPDX-License-Identifier: ISC
 *
 * ctl_backup - leadctl backup: one file with all that must not be lost
 *
 * Runs beside the daemon, on a read connection of its own, and asks the engine
 * only where things are. The copy is the database as it was when it began. It is
 * written aside and looked over before it gets its name, so that a file with the
 * name of a backup is one.
 */
#include "ctl_backup.h"

#include <dirent.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/backup.h"

#define BACKUP_PREFIX "leadd-"
#define BACKUP_SUFFIX ".db"
#define BACKUP_NAME_LEN 29 /* leadd-2026-11-21T10-00-00Z.db */
#define WAL_MAX (INT64_C(2) << 30) /* more than this, and more than the database: give up */

struct backup {
    const struct ctl_options *opt;
    char *store, *state_dir; /* own */
    char *path, *sum;        /* own; the file, and its checksum */
    char *aside, *part;      /* own; a folder of ours beside it, and in there what is not whole */
    char *folder;            /* own; NULL: a file was named */
    bool verify;
    int64_t keep; /* 0: all */
    int64_t start_mono, read_ms, wal_before, wal_after, schema;
    int shown;           /* per cent */
    char hex[HASH_SHA256_HEX];
    json_t *meta;    /* own */
    json_t *removed; /* own */
};

static int64_t file_size(const char *path, const char *more)
{
    struct stat st;
    AUTO_FREE char *name = mem_printf("%s%s", path, more);
    return stat(name, &st) == 0 ? st.st_size : 0;
}

/* ---- where things are ----------------------------------------------------------- */

static int facts_ask(struct backup *b, struct err *e)
{
    struct frame f = {.fd = -1};
    AUTO_JSON json_t *ask = json_pack("{s:[s]}", "argv", "backup");
    AUTO_FREE char *sock = ctl_socket_of(b->opt, "ctl.sock");
    if (ctl_ask(sock, FRAME_CTL, ask, NULL, 0, FRAME_CTL_DONE, b->opt->wait_s, &f, e) < 0)
        return err_set(e, ERR_BUG, "%s; without it: --store FILE --state FOLDER", e->text);
    json_t *facts = json_get_obj(f.json, "data"), *config = json_get_obj(facts, "config");
    const char *error = json_get_str(f.json, "error", NULL);
    if (error)
        err_set(e, ERR_TEMP, "%s", error);
    if (!b->store)
        b->store = mem_str(json_get_str(facts, "store", ""));
    if (!b->state_dir)
        b->state_dir = mem_str(json_get_str(facts, "state_dir", ""));
    AUTO_FREE char *text = config ? json_text(config) : NULL;
    json_put_str(b->meta, "config", text);
    frame_done(&f);
    return error ? -1 : 0;
}

static int key_read(struct backup *b, struct err *e)
{
    char hex[65];
    struct buf key AUTO_BUF;
    AUTO_FREE char *path = mem_printf("%s/secret.key", b->state_dir);
    buf_init(&key, 64);
    if (buf_read_file(&key, path, e) < 0)
        return -1;
    if (key.len != 32)
        return err_set(e, ERR_PERM, "%s: expected 32 bytes", path);
    text_hex(key.data, 32, hex);
    json_put_str(b->meta, "secret_key", hex);
    return 0;
}

/* ---- the copy --------------------------------------------------------------------- */

static bool backup_progress(void *arg, int64_t done, int64_t all)
{
    struct backup *b = arg;
    int percent = all > 0 ? (int)(done * 100 / all) : 0;
    if (percent != b->shown && isatty(STDERR_FILENO) && !b->opt->json)
        fprintf(stderr, "\r%3d %% of %lld MB", percent, (long long)file_size(b->store, "") >> 20);
    b->shown = percent;
    b->wal_after = file_size(b->store, "-wal");
    int64_t most = file_size(b->store, "");
    return b->wal_after - b->wal_before < (most > WAL_MAX ? most : WAL_MAX);
}

static int copy_make(struct backup *b, struct db *db, struct err *e)
{
    char made[32], schema[16];
    if (db_begin_read(db, e) < 0)
        return -1;
    AUTO_JSON json_t *counts = backup_counts(db, e);
    if (!counts || backup_schema(db, &b->schema, e) < 0)
        return -1;
    if (b->schema == 0)
        return err_set(e, ERR_PERM, "%s is no database of leadd's", b->store);
    AUTO_FREE char *text = json_text(counts);
    snprintf(made, sizeof(made), "%" PRId64, clock_now_ms());
    snprintf(schema, sizeof(schema), "%" PRId64, b->schema);
    json_put_str(b->meta, "made_ms", made);
    json_put_str(b->meta, "schema", schema);
    json_put_str(b->meta, "counts", text);
    json_put_str(b->meta, "version", LEADD_VERSION);
    json_put_str(b->meta, "store", b->store);
    json_put_str(b->meta, "state_dir", b->state_dir);
    return db_copy(db, b->part, backup_progress, b, e);
}

static int backup_copy(struct backup *b, struct err *e)
{
    struct db *db = db_open(b->store, true, e);
    if (!db || file_create(b->part, e) < 0) {
        db_close(&db);
        return -1;
    }
    b->wal_before = b->wal_after = file_size(b->store, "-wal");
    int64_t start = clock_mono_ms();
    int rc = copy_make(b, db, e);
    if (rc < 0 && e->cls == ERR_PERM) {
        struct err why = *e;
        err_set(e, ERR_INPUT, "the database itself is damaged: %s; see \"Damage\" in leadd(8)",
                why.text);
    }
    db_close(&db); /* the sooner it ends, the less the WAL grows */
    b->read_ms = clock_mono_ms() - start;
    if (b->shown && isatty(STDERR_FILENO) && !b->opt->json)
        fputs("\r", stderr);
    return rc < 0 ? -1 : backup_meta_write(b->part, b->meta, e);
}

static int sum_write(struct backup *b, struct err *e)
{
    if (file_sha256(b->part, b->hex, e) < 0)
        return -1;
    AUTO_FREE char *line = mem_printf("%s  %s\n", b->hex, file_name(b->path));
    AUTO_FREE char *aside = mem_printf("%s.part", b->sum);
    return file_write_new(aside, line, strlen(line), e) < 0 ? -1 : file_rename(aside, b->sum, e);
}

/* What is damaged is kept under a name that says so: it may be the only copy. */
static int backup_look(struct backup *b, struct err *e)
{
    struct verify v;
    int rc = verify_file(b->part, false, &v, e);
    if (rc == 0 && v.bad) {
        AUTO_JSON json_t *table = verify_table(&v);
        AUTO_FREE char *damaged = mem_printf("%s.damaged", b->path);
        ctl_show_copy(b->opt, table);
        rename(b->part, damaged);
        rc = err_set(e, ERR_INPUT, "the database itself is damaged: what could be read is in %s; "
                     "see \"Damage\" in leadd(8)", damaged);
    }
    verify_done(&v);
    return rc;
}

/* ---- many in a folder ----------------------------------------------------------------- */

static bool is_backup_name(const char *name)
{
    return strlen(name) == BACKUP_NAME_LEN && text_starts(name, BACKUP_PREFIX) &&
           strcmp(name + BACKUP_NAME_LEN - strlen(BACKUP_SUFFIX), BACKUP_SUFFIX) == 0 &&
           name[16] == 'T' && name[25] == 'Z';
}

static int backup_filter(const struct dirent *d)
{
    return is_backup_name(d->d_name);
}

/* The oldest beyond keep; their names sort by time. */
static void backup_prune(struct backup *b)
{
    struct dirent **found = NULL;
    int n = b->keep > 0 ? scandir(b->folder, &found, backup_filter, alphasort) : 0;
    for (int i = 0; i < n; i++) {
        AUTO_FREE char *path = mem_printf("%s/%s", b->folder, found[i]->d_name);
        AUTO_FREE char *sum = mem_printf("%s" BACKUP_SUM, path);
        if (n - i > b->keep && unlink(path) == 0) {
            unlink(sum);
            json_array_append_new(b->removed, json_string(path));
        }
        free(found[i]);
    }
    free(found);
}

/* ---- the command ------------------------------------------------------------------------ */

static int backup_report(struct backup *b)
{
    char made[32];
    int64_t bytes = file_size(b->path, "");
    clock_format_utc(strtoll(json_get_str(b->meta, "made_ms", "0"), NULL, 10), made, sizeof(made));
    AUTO_JSON json_t *data = json_pack(
        "{s:[[s,s],[s,I],[s,s],[s,I],[s,I],[s,I],[s,s],[s,O]], s:{s:s, s:I, s:s, s:I, s:I, s:I, "
        "s:s, s:O}}",
        "fields", "File", b->path, "Bytes", bytes, "Made", made, "Schema", b->schema,
        "Snapshot held, ms", b->read_ms, "WAL grew, bytes", b->wal_after - b->wal_before, "SHA-256",
        b->hex, "Removed", b->removed, "backup", "path", b->path, "bytes", bytes, "made", made,
        "schema", b->schema, "snapshot_ms", b->read_ms, "wal_growth", b->wal_after - b->wal_before,
        "sha256", b->hex, "removed", b->removed);
    ctl_show_copy(b->opt, data);
    return 0;
}

static void backup_paths(struct backup *b, const char *target)
{
    struct stat st;
    char stamp[32];
    if (stat(target, &st) == 0 && S_ISDIR(st.st_mode)) {
        file_stamp(clock_now_ms(), stamp);
        b->folder = mem_str(target);
        b->path = mem_printf("%s/" BACKUP_PREFIX "%s" BACKUP_SUFFIX, target, stamp);
    } else {
        b->path = mem_str(target);
    }
    b->aside = mem_printf("%s.part", b->path);
    b->part = mem_printf("%s/copy.db", b->aside);
    b->sum = mem_printf("%s" BACKUP_SUM, b->path);
}

/* In a folder that everybody may write into, somebody could put a journal beside the
 * copy that SQLite would then undo it by. */
static int aside_make(const struct backup *b, struct err *e)
{
    return mkdir(b->aside, 0700) < 0
               ? err_set(e, ERR_PERM, "cannot make the folder %s: %s", b->aside, err_errno()) : 0;
}

/* Also what one left that was ended. */
static void aside_remove(const struct backup *b)
{
    AUTO_FREE char *journal = mem_printf("%s-journal", b->part);
    unlink(b->part);
    unlink(journal);
    rmdir(b->aside);
}

/* The checksum has its name before the file has: a backup without one never was. */
static int backup_make(struct backup *b, struct err *e)
{
    if (file_there(b->path))
        return err_set(e, ERR_PERM, "%s is there already", b->path);
    aside_remove(b);
    if (((!b->store || !b->state_dir) && facts_ask(b, e) < 0) || key_read(b, e) < 0 ||
        aside_make(b, e) < 0)
        return -1;
    int rc = backup_copy(b, e) == 0 && file_sync(b->part, e) == 0 &&
                     (!b->verify || backup_look(b, e) == 0) && sum_write(b, e) == 0
                 ? file_rename(b->part, b->path, e) : -1;
    aside_remove(b);
    return rc;
}

static int exit_of(const struct err *e)
{
    return e->cls == ERR_INPUT  ? CTL_EXIT_DATA
           : e->cls == ERR_TEMP ? CTL_EXIT_TEMP
           : e->cls == ERR_BUG  ? CTL_EXIT_UNAVAILABLE
                                : CTL_EXIT_CANTCREAT;
}

static void backup_done(struct backup *b)
{
    mem_free(b->store);
    mem_free(b->state_dir);
    mem_free(b->path);
    mem_free(b->aside);
    mem_free(b->part);
    mem_free(b->sum);
    mem_free(b->folder);
    json_decref(b->meta);
    json_decref(b->removed);
}

static int usage(void)
{
    fputs("usage: leadctl backup [--keep N] [--no-verify] [--store FILE --state FOLDER] FILE|FOLDER\n"
          "       leadctl backup verify FILE\n", stderr);
    return CTL_EXIT_USAGE;
}

int ctl_local_backup(const struct ctl_options *opt, int argc, char **argv)
{
    static const struct option longs[] = {{"keep", required_argument, NULL, 'k'},
                                          {"no-verify", no_argument, NULL, 'n'},
                                          {"store", required_argument, NULL, 's'},
                                          {"state", required_argument, NULL, 'd'},
                                          {NULL, 0, NULL, 0}};
    struct backup b = {.opt = opt, .verify = true};
    struct err e = {0};
    int c, code;
    if (argc > 1 && strcmp(argv[1], "verify") == 0)
        return ctl_verify(opt, argc - 1, argv + 1);
    const char *store = NULL, *state = NULL;
    optind = 0;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'k' && (text_parse_int(optarg, &b.keep) < 0 || b.keep < 1))
            return usage();
        if (c == 's')
            store = optarg;
        else if (c == 'd')
            state = optarg;
        else if (c == 'n')
            b.verify = false;
        else if (c != 'k')
            return usage();
    }
    if (optind != argc - 1)
        return usage();
    b.meta = json_object();
    b.removed = json_array();
    b.store = mem_str(store);
    b.state_dir = mem_str(state);
    backup_paths(&b, argv[optind]);
    if (b.keep && !b.folder) {
        fputs("leadctl: backup: --keep is for a folder\n", stderr);
        code = CTL_EXIT_USAGE;
    } else if (backup_make(&b, &e) < 0) {
        code = ctl_complain("backup", &e, exit_of(&e));
    } else {
        backup_prune(&b); /* only after a good one is there */
        code = backup_report(&b);
    }
    backup_done(&b);
    return code;
}
