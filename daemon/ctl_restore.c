/* SPDX-License-Identifier: ISC
 *
 * ctl_restore - leadctl restore: a backup becomes the database, in hold
 *
 * Without a daemon; the daemon's own lock is held meanwhile. What is there is
 * moved aside, never deleted. In this order, each step durable before the next:
 *
 *   1. STORE.restore.part    a copy of the backup, made ready: mails held, ids raised
 *   2. secret.key.restore    the key of the backup
 *   3. STORE.restore         the copy gets this name: from here on there is no way
 *                            back, and leadd refuses to start until the end
 *   4. STORE, -wal, -shm and secret.key are moved aside
 *   5. secret.key, then STORE get their names
 *
 * Ended at any point, the same command again goes on where it was: from 3 on it
 * finds STORE.restore and only finishes.
 */
#include "ctl_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hook.h"
#include "base/mem.h"
#include "store/backup.h"
#include "store/hold.h"

/* A test ends the process here: tests/e2e/test_backup.py. The daemon never comes by,
 * so these are none of its crash points. */
#define STEP_DONE(name) CRASH_POINT(name)

struct restore {
    const char *from;
    char *store, *state_dir;             /* own */
    char *ready, *part, *key, *key_ready; /* own; paths of the steps */
    char stamp[32];
    bool force, resumed;
    struct stat owner; /* whose the new files are to be */
    int64_t made_ms;
    json_t *aside; /* own; what was moved where */
};

/* The supervisor holds it as long as it lives. */
static int restore_lock(const struct restore *r, int *fd_out, struct err *e)
{
    AUTO_FREE char *path = mem_printf("%s/leadd.lock", r->state_dir);
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return err_set(e, ERR_PERM, "cannot open %s: %s", path, err_errno());
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(e, ERR_TEMP, errno == EWOULDBLOCK ? "leadd runs on %s: stop it first"
                                                         : "cannot lock %s", r->state_dir);
    *fd_out = fd;
    fd = -1;
    return 0;
}

/* As whoever owns the state folder, or the database that was: root restores, but
 * the engine must be able to write. The folder is the engine's: a link that it left
 * there must not give it a file of root's. */
static int restore_own(const struct restore *r, const char *path, struct err *e)
{
    if (geteuid() == 0 && lchown(path, r->owner.st_uid, r->owner.st_gid) < 0)
        return err_set(e, ERR_PERM, "cannot give %s to its owner: %s", path, err_errno());
    return 0;
}

/* ---- made ready --------------------------------------------------------------------- */

static int key_prepare(const struct restore *r, const json_t *meta, struct err *e)
{
    unsigned char key[32];
    const char *hex = json_get_str(meta, "secret_key", "");
    for (size_t i = 0; i < sizeof(key); i++) {
        char digits[3] = "", *end;
        if (strlen(hex) == 2 * sizeof(key))
            memcpy(digits, hex + 2 * i, 2);
        key[i] = (unsigned char)strtol(digits, &end, 16);
        if (end != digits + 2)
            return err_set(e, ERR_INPUT, "the backup has no key of the tokens");
    }
    if (file_write_new(r->key_ready, key, sizeof(key), e) < 0)
        return -1;
    return restore_own(r, r->key_ready, e);
}

static int restore_prepare(struct restore *r, const json_t *meta, struct err *e)
{
    AUTO_JSON json_t *hold =
        json_pack("{s:I, s:I, s:s}", "made_ms", (json_int_t)r->made_ms, "restored_ms",
                  (json_int_t)clock_now_ms(), "path", r->from);
    AUTO_FREE char *text = json_text(hold);
    if (file_copy(r->from, r->part, e) < 0 || backup_unpack(r->part, text, e) < 0 ||
        restore_own(r, r->part, e) < 0 || file_sync(r->part, e) < 0)
        return -1;
    STEP_DONE("restore.copied");
    if (key_prepare(r, meta, e) < 0)
        return -1;
    STEP_DONE("restore.key_ready");
    return file_rename(r->part, r->ready, e);
}

/* ---- put in place ------------------------------------------------------------------- */

/* more: "-wal", so that what is aside still belongs together. */
static int move_aside(struct restore *r, const char *name, const char *more, struct err *e)
{
    AUTO_FREE char *path = mem_printf("%s%s", name, more);
    AUTO_FREE char *to = mem_printf("%s.before-restore-%s%s", name, r->stamp, more);
    if (!file_there(path))
        return 0;
    if (file_rename(path, to, e) < 0)
        return -1;
    json_array_append_new(r->aside, json_string(to));
    return 0;
}

static int restore_place(struct restore *r, struct err *e)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    STEP_DONE("restore.ready");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (move_aside(r, r->store, parts[i], e) < 0)
            return -1;
        STEP_DONE("restore.aside");
    }
    if (file_there(r->key_ready)) {
        if (move_aside(r, r->key, "", e) < 0)
            return -1;
        STEP_DONE("restore.key_aside");
        if (file_rename(r->key_ready, r->key, e) < 0)
            return -1;
    }
    STEP_DONE("restore.key_placed");
    return file_rename(r->ready, r->store, e);
}

/* ---- the command ---------------------------------------------------------------------- */

static int restore_look(struct restore *r, struct verify *v, struct err *e)
{
    if (verify_file(r->from, true, v, e) < 0)
        return -1;
    if (v->bad)
        return err_set(e, ERR_INPUT, "%s is not whole: see leadctl backup verify %s", r->from,
                       r->from);
    if (!json_object_get(v->meta, "secret_key"))
        return err_set(e, ERR_INPUT, "%s is a database, but no backup of leadctl's", r->from);
    r->made_ms = strtoll(json_get_str(v->meta, "made_ms", "0"), NULL, 10);
    if (!r->store)
        r->store = mem_str(json_get_str(v->meta, "store", ""));
    if (!r->state_dir)
        r->state_dir = mem_str(json_get_str(v->meta, "state_dir", ""));
    return 0;
}

/* What an interrupted restore has ready is another backup than the one named: to
 * finish that one and say this one is in place would be a lie. */
static int restore_same(const struct restore *r, struct err *e)
{
    json_t *hold = NULL;
    struct db *db = db_open(r->ready, true, e);
    int rc = db ? hold_get(db, &hold, e) : -1;
    int64_t made = json_get_int(hold, "made_ms", 0);
    if (rc == 0 && made != r->made_ms) {
        char stamp[32];
        clock_format_utc(made, stamp, sizeof(stamp));
        rc = err_set(e, ERR_INPUT, "a restore of %s (made %s) was interrupted: name that backup "
                     "again to finish it, then restore this one",
                     json_get_str(hold, "path", "another backup"), stamp);
    }
    json_decref(hold);
    db_close(&db);
    return rc;
}

static int restore_run(struct restore *r, const json_t *meta, struct err *e)
{
    AUTO_CLOSE int lock = -1;
    file_stamp(clock_now_ms(), r->stamp);
    r->ready = mem_printf("%s.restore", r->store);
    r->part = mem_printf("%s.restore.part", r->store);
    r->key = mem_printf("%s/secret.key", r->state_dir);
    r->key_ready = mem_printf("%s/secret.key.restore", r->state_dir);
    if (stat(r->state_dir, &r->owner) < 0)
        return err_set(e, ERR_PERM, "no folder %s: make it as leadd(8) says, or name another by "
                       "--state", r->state_dir);
    if (restore_lock(r, &lock, e) < 0)
        return -1;
    r->resumed = file_there(r->ready);
    if (!r->resumed && file_there(r->store) && !r->force)
        return err_set(e, ERR_PERM, "%s is there; --force moves it aside", r->store);
    if (file_there(r->store) && stat(r->store, &r->owner) < 0)
        return err_set(e, ERR_PERM, "cannot look at %s: %s", r->store, err_errno());
    if ((r->resumed ? restore_same(r, e) : restore_prepare(r, meta, e)) < 0)
        return -1;
    return restore_place(r, e);
}

static void restore_report(const struct ctl_options *opt, const struct restore *r)
{
    char made[32];
    clock_format_utc(r->made_ms, made, sizeof(made));
    AUTO_JSON json_t *data = json_pack(
        "{s:[[s,s],[s,s],[s,s],[s,O]], s:s, s:{s:s, s:s, s:b, s:O}}", "fields", "Restored",
        r->store, "From", r->from, "Backup of", made, "Moved aside", r->aside, "text",
        r->resumed
            ? "A restore that had been interrupted is finished.\n"
            : "leadd starts in hold: mail comes in and is filed, nothing is sent. Then:\n"
              "  leadctl hold      what would be sent\n"
              "  leadctl release   let it go, or drop it\n",
        "restore", "store", r->store, "made", made, "resumed", r->resumed, "aside", r->aside);
    ctl_show_copy(opt, data);
}

static void restore_done(struct restore *r)
{
    mem_free(r->store);
    mem_free(r->state_dir);
    mem_free(r->ready);
    mem_free(r->part);
    mem_free(r->key);
    mem_free(r->key_ready);
    json_decref(r->aside);
}

static int usage(void)
{
    fputs("usage: leadctl restore [--force] [--store FILE] [--state FOLDER] BACKUP\n", stderr);
    return CTL_EXIT_USAGE;
}

int ctl_local_restore(const struct ctl_options *opt, int argc, char **argv)
{
    static const struct option longs[] = {{"force", no_argument, NULL, 'f'},
                                          {"store", required_argument, NULL, 's'},
                                          {"state", required_argument, NULL, 'd'},
                                          {NULL, 0, NULL, 0}};
    const char *store = NULL, *state = NULL;
    struct restore r = {0};
    struct verify v = {0};
    struct err e = {0};
    int c;
    optind = 0;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 's')
            store = optarg;
        else if (c == 'd')
            state = optarg;
        else if (c == 'f')
            r.force = true;
        else
            return usage();
    }
    if (optind != argc - 1)
        return usage();
    r.from = argv[optind];
    r.store = mem_str(store);
    r.state_dir = mem_str(state);
    r.aside = json_array();
    int rc = restore_look(&r, &v, &e);
    if (rc == 0)
        rc = restore_run(&r, v.meta, &e);
    if (rc == 0)
        restore_report(opt, &r);
    int code = rc == 0                ? 0
               : e.cls == ERR_INPUT ? CTL_EXIT_DATA
               : e.cls == ERR_TEMP  ? CTL_EXIT_TEMP
                                    : CTL_EXIT_CANTCREAT;
    if (rc < 0)
        ctl_complain("restore", &e, code);
    verify_done(&v);
    restore_done(&r);
    return code;
}
