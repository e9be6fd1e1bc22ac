/* SPDX-License-Identifier: ISC
 *
 * hold - see hold.h
 */
#include "store/hold.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/meta.h"
#include "store/rows.h"

int hold_begin(struct db *db, const char *json, struct err *e)
{
    return meta_put(db, "hold", json, e);
}

int hold_end(struct db *db, struct err *e)
{
    return meta_remove(db, "hold", e);
}

int hold_get(struct db *db, json_t **out, struct err *e)
{
    char *text;
    if (meta_get(db, "hold", &text, e) < 0)
        return -1;
    AUTO_FREE char *mine = text;
    *out = text ? json_loads(text, 0, NULL) : NULL;
    if (text && !*out) /* whatever stands there: it says hold */
        *out = json_object();
    return 0;
}

static json_t *hold_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:s, s:s?, s:s?, s:I, s:I, s:s, s:s}", "id", db_int(r, 0), "class",
                     db_text(r, 1), "to", db_text(r, 2), "template", db_text(r, 3), "subject",
                     db_text(r, 4), "lead_id", db_int(r, 5), "created_ms", db_int(r, 6), "reply",
                     db_text(r, 7), "intent", db_text(r, 8));
}

/* The intent of what a message caused begins with its name: "M12/...". */
static int came_put(struct db *db, json_t *row, struct err *e)
{
    const char *intent = json_get_str(row, "intent", "");
    int64_t message = *intent == 'M' ? strtoll(intent + 1, NULL, 10) : 0, came;
    if (db_get_int(db, e, &came, json_get_int(row, "created_ms", 0),
                   "SELECT coalesce(date_ms, received_ms) FROM message WHERE id = $1", "i",
                   message) < 0)
        return -1;
    json_put_int(row, "came_ms", came);
    return 0;
}

json_t *hold_list(struct db *db, int64_t after, int64_t limit, struct err *e)
{
    size_t i;
    json_t *row;
    json_t *rows = rows_all(
        db_query(db,
                 "SELECT o.id, o.class, o.to_addr, o.template, b.subject, o.lead_id, o.created_ms,"
                 " o.reply, o.intent FROM outbox o LEFT JOIN outbox_body b ON b.outbox_id = o.id "
                 "WHERE o.state <> 'ready' AND o.state <> 'claimed' AND o.state <> 'sent' AND "
                 "o.state = 'held' AND o.id > $2 AND substr(o.reply, 1, length($1)) = $1 "
                 "ORDER BY o.id LIMIT $3",
                 "sii", HOLD_MARK, after, limit),
        hold_read, e);
    json_array_foreach(rows, i, row)
        if (came_put(db, row, e) < 0) {
            json_decref(rows);
            return NULL;
        }
    return rows;
}
