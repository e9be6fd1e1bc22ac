/* SPDX-License-Identifier: ISC
 *
 * pool - see pool.h
 */
#include "store/pool.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"

int pool_load(struct db *db, const char *pool, json_t **out, struct err *e)
{
    json_t *state = NULL;
    struct db_rows *r = db_query(db, "SELECT state FROM pool_cursor WHERE pool = $1", "s", pool);
    if (db_step(r)) {
        const char *text = db_text(r, 0);
        state = json_load_bounded(text, strlen(text), MIB(1), NULL);
    }
    if (db_done(&r, e) < 0) {
        json_decref(state);
        return -1;
    }
    *out = json_is_object(state) ? state : json_object();
    return 0;
}

int pool_store(struct db *db, const char *pool, const json_t *state, int64_t now_ms, struct err *e)
{
    AUTO_FREE char *text = json_line(state);
    return db_exec(db, e,
                   "INSERT INTO pool_cursor (pool, state, updated_ms) VALUES ($1, $2, $3) "
                   "ON CONFLICT (pool) DO UPDATE SET state = excluded.state, "
                   "updated_ms = excluded.updated_ms",
                   "ssi", pool, text, now_ms);
}
