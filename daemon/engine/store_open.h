/* SPDX-License-Identifier: ISC
 *
 * store_open - the database is opened only when it is surely the right one and whole
 *
 * What is found wrong here is no matter of trying again: ERR_PERM, which ends the
 * daemon with 78, and a text that names the file and the next step. Nothing is
 * changed then, the WAL included, so that whoever repairs has all there was.
 */
#ifndef LEADD_ENGINE_STORE_OPEN_H
#define LEADD_ENGINE_STORE_OPEN_H

#include "base/err.h"
#include "store/db.h"

/* Opens and migrates. state_dir: where secret.key lies. */
struct db *store_open(const char *path, const char *state_dir, struct err *e) LEADD_MUST_CHECK;
/* The engine ends because the file is damaged: the next start looks it over. */
void store_mark_damaged(const char *path);

#endif
