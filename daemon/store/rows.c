/* SPDX-License-Identifier: ISC
 *
 * rows - see rows.h
 */
#include "store/rows.h"

#include "base/mem.h"

json_t *rows_one(struct db_rows *r, rows_read_fn read, const char *what, int64_t id, struct err *e)
{
    json_t *row = db_step(r) ? read(r) : NULL;
    if (db_done(&r, e) < 0) {
        json_decref(row);
        return NULL;
    }
    if (!row)
        err_set(e, ERR_INPUT, "no %s%lld", what, (long long)id);
    return row;
}

json_t *rows_all(struct db_rows *r, rows_read_fn read, struct err *e)
{
    json_t *list = json_array();
    while (db_step(r))
        json_array_append_new(list, read(r));
    if (db_done(&r, e) < 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

char *rows_blob(struct db_rows *r, size_t *n_out, const char *what, int64_t id, struct err *e)
{
    char *bytes = NULL;
    if (db_step(r)) {
        const void *p = db_blob(r, 0, n_out);
        bytes = mem_strn(p, *n_out);
    }
    if (db_done(&r, e) < 0) {
        mem_free(bytes);
        return NULL;
    }
    if (!bytes)
        err_set(e, ERR_INPUT, "no %s%lld", what, (long long)id);
    return bytes;
}

json_t *rows_read_json(struct db_rows *r)
{
    return json_loads(db_text(r, 0), 0, NULL);
}

int rows_before(struct db *db, const char *newest, const char *next, int64_t at_ms,
                int64_t *id_out, struct err *e)
{
    int64_t low = 0, high;
    if (db_get_int(db, e, &high, 0, newest, "") < 0)
        return -1;
    while (low < high) {
        int64_t mid = low + (high - low) / 2, at;
        if (db_get_int(db, e, &at, INT64_MAX, next, "i", mid) < 0)
            return -1;
        if (at < at_ms)
            low = mid + 1;
        else
            high = mid;
    }
    *id_out = low;
    return 0;
}
