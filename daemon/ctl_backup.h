/* SPDX-License-Identifier: ISC
 *
 * ctl_backup - what leadctl backup, backup verify and restore share
 *
 *   ctl_backup.c   a copy of the running database
 *   ctl_verify.c   is a copy whole?
 *   ctl_restore.c  a copy becomes the database again
 *   ctl_file.c     files that are there whole or not at all
 */
#ifndef LEADD_CTL_BACKUP_H
#define LEADD_CTL_BACKUP_H

#include "base/hash.h"
#include "ctl.h"

enum {
    CTL_EXIT_NOINPUT = 66,
    CTL_EXIT_CANTCREAT = 73,
    CTL_EXIT_NOPERM = 77,
};

#define BACKUP_SUM ".sha256"

/* ---- ctl_file.c ---- */

/* Makes the file new and empty, for its owner alone; -1 when it is there. */
int file_create(const char *path, struct err *e) LEADD_MUST_CHECK;
int file_write_new(const char *path, const void *p, size_t n, struct err *e) LEADD_MUST_CHECK;
int file_sync(const char *path, struct err *e) LEADD_MUST_CHECK;
/* Renames, and makes the name last. Both are in the same folder. */
int file_rename(const char *from, const char *to, struct err *e) LEADD_MUST_CHECK;
int file_copy(const char *from, const char *to, struct err *e) LEADD_MUST_CHECK;
int file_sha256(const char *path, char out[HASH_SHA256_HEX], struct err *e) LEADD_MUST_CHECK;
bool file_there(const char *path);
const char *file_name(const char *path); /* its last part */
/* "2026-11-21T10-00-00Z" */
void file_stamp(int64_t ms, char out[32]);

/* ---- ctl_verify.c ---- */

struct verify {
    json_t *rows; /* own; [{"check", "result", "found"}] */
    json_t *meta; /* own; of the backup, or NULL */
    int64_t schema;
    bool bad;
};

/* Looks the whole file over. With sum the recorded checksum is compared. -1: the
 * file cannot be read. */
int verify_file(const char *path, bool sum, struct verify *v, struct err *e) LEADD_MUST_CHECK;
json_t *verify_table(const struct verify *v); /* the answer's data */
void verify_done(struct verify *v);

int ctl_local_backup(const struct ctl_options *opt, int argc, char **argv);
int ctl_verify(const struct ctl_options *opt, int argc, char **argv);
int ctl_local_restore(const struct ctl_options *opt, int argc, char **argv);

void ctl_show_copy(const struct ctl_options *opt, const json_t *data);
int ctl_complain(const char *what, const struct err *e, int code);

#endif
