/* SPDX-License-Identifier: ISC
 *
 * meta - see meta.h
 */
#include "store/meta.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"

int meta_get(struct db *db, const char *key, char **out, struct err *e)
{
    struct db_rows *r = db_query(db, "SELECT value FROM meta WHERE key = $1", "s", key);
    *out = db_step(r) ? mem_str(db_text(r, 0)) : NULL;
    if (db_done(&r, e) == 0)
        return 0;
    mem_free(*out);
    *out = NULL;
    return -1;
}

int meta_put(struct db *db, const char *key, const char *value, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO meta (key, value) VALUES ($1, $2) "
                   "ON CONFLICT (key) DO UPDATE SET value = $2",
                   "ss", key, value);
}

int meta_remove(struct db *db, const char *key, struct err *e)
{
    return db_exec(db, e, "DELETE FROM meta WHERE key = $1", "s", key);
}

int meta_get_int(struct db *db, const char *key, int64_t *out, struct err *e)
{
    return db_get_int(db, e, out, 0, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = $1", "s",
                      key);
}

int meta_put_int(struct db *db, const char *key, int64_t value, struct err *e)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    return meta_put(db, key, text, e);
}
