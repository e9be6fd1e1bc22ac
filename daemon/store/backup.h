/* SPDX-License-Identifier: ISC
 *
 * backup - what is in a backup beside the rows, and whether its rows fit together
 *
 * A backup is one SQLite file: the database as it was at one moment, and a table
 * backup_meta of texts:
 *
 *   made_ms, version, schema   when, by which program, with which schema
 *   store, state_dir           where it was
 *   counts                     {table: rows} as the snapshot had them
 *   secret_key                 the key of the tokens in hex: without it no answer to an
 *                              old mail finds its record
 *   config                     the configuration as it was loaded, without secrets
 */
#ifndef LEADD_STORE_BACKUP_H
#define LEADD_STORE_BACKUP_H

#include <jansson.h>

#include "store/db.h"

/* {table: rows} of all tables of the schema. */
json_t *backup_counts(struct db *db, struct err *e);
/* The number of the schema; 0 when it is no database of leadd's. */
int backup_schema(struct db *db, int64_t *out, struct err *e) LEADD_MUST_CHECK;

/* Adds backup_meta to the copy: {key: text}. */
int backup_meta_write(const char *path, const json_t *meta, struct err *e) LEADD_MUST_CHECK;
/* What stands there, or an empty object. */
json_t *backup_meta_read(struct db *db, struct err *e);

/* Rows that do not fit together: [{"what", "rows", "first"}], first being an id. */
json_t *backup_misfits(struct db *db, struct err *e);

/* Turns a copy of a backup into the database to go on with: what was waiting to be
 * sent is held, ids of all kinds go on far behind the last one, since the lost time
 * has given some away, hold goes to meta, and backup_meta is wiped out. */
int backup_unpack(const char *path, const char *hold, struct err *e) LEADD_MUST_CHECK;

#endif
