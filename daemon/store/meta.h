/* SPDX-License-Identifier: ISC
 *
 * meta - single values that the database keeps by name: its schema, what is held, ..
 */
#ifndef LEADD_STORE_META_H
#define LEADD_STORE_META_H

#include "store/db.h"

/* *out: own; NULL when there is none. */
int meta_get(struct db *db, const char *key, char **out, struct err *e) LEADD_MUST_CHECK;
int meta_put(struct db *db, const char *key, const char *value, struct err *e) LEADD_MUST_CHECK;
int meta_remove(struct db *db, const char *key, struct err *e) LEADD_MUST_CHECK;

/* *out: 0 when there is none. */
int meta_get_int(struct db *db, const char *key, int64_t *out, struct err *e) LEADD_MUST_CHECK;
int meta_put_int(struct db *db, const char *key, int64_t value, struct err *e) LEADD_MUST_CHECK;

#endif
