/* SPDX-License-Identifier: ISC
 *
 * record - see record.h
 */
#include "store/record.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"

json_t *record_of_row(struct db_rows *r, const struct record_table *t)
{
    json_t *o = json_object();
    json_put_int(o, "id", db_int(r, 0));
    for (size_t i = 0; i < t->count; i++) {
        const struct record_col *c = &t->cols[i];
        int at = (int)i + 1;
        if (db_is_null(r, at))
            continue;
        const char *text = c->type == 's' || c->type == 'j' ? db_text(r, at) : NULL;
        if (c->type == 's') {
            json_put_str(o, c->name, text);
        } else if (c->type == 'j') {
            json_t *v = text ? json_load_bounded(text, strlen(text), BOUND_FRAME_JSON, NULL) : NULL;
            if (v)
                json_object_set_new(o, c->name, v);
        } else {
            json_put_int(o, c->name, db_int(r, at));
        }
    }
    return o;
}

int record_get(struct db *db, const struct record_table *t, int64_t id, json_t **out,
               struct err *e)
{
    json_t *o = NULL;
    struct db_rows *r = db_query(db, t->get_sql, "i", id);
    if (db_step(r))
        o = record_of_row(r, t);
    if (db_done(&r, e) < 0) {
        json_decref(o);
        return -1;
    }
    *out = o;
    return 0;
}

struct db_rows *record_list(struct db *db, const struct record_table *t, int64_t before_id,
                            const char *status, const char *owner)
{
    return db_query(db, t->list_sql, "iss", before_id, status, owner);
}

char *record_custom_text(const json_t *rec)
{
    const json_t *custom = json_get_obj(rec, "custom");
    return json_object_size(custom) ? json_line(custom) : NULL;
}

const struct record_col *record_col_find(const struct record_table *t, const char *col)
{
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(t->cols[i].name, col))
            return &t->cols[i];
    return NULL;
}

int record_set(struct db *db, const struct record_table *t, int64_t id, const char *col,
               const json_t *value, int64_t now_ms, struct err *e)
{
    const struct record_col *c = record_col_find(t, col);
    bool null = !value || json_is_null(value);
    if (!c)
        return err_set(e, ERR_BUG, "table %s has no column %s", t->name, col);
    if (c->type == 'j') {
        AUTO_FREE char *text = null ? NULL : json_line(value);
        return db_exec(db, e, c->set_sql, "sii", text, now_ms, id);
    }
    if (c->type == 's')
        return db_exec(db, e, c->set_sql, "sii", null ? NULL : json_string_value(value), now_ms,
                       id);
    /* 'o' binds 0 as NULL, so a plain number must tell 0 and nothing apart */
    if (null)
        return db_exec(db, e, c->set_sql, "oii", (int64_t)0, now_ms, id);
    return db_exec(db, e, c->set_sql, "iii", (int64_t)json_integer_value(value), now_ms, id);
}
