/* SPDX-License-Identifier: ISC
 *
 * happening - see happening.h
 */
#include "store/happening.h"

#include <stdio.h>

#include "base/json.h"
#include "store/rows.h"

int happening_find(struct db *db, const char *source, const char *ext, struct happening_row *out,
                   struct err *e)
{
    struct db_rows *r = db_query(db,
                                 "SELECT id, activity_id, at_ms, state, amount, refunded, currency "
                                 "FROM happening WHERE source = $1 AND ext = $2",
                                 "ss", source, ext);
    *out = (struct happening_row){0};
    if (db_step(r)) {
        const char *state = db_text(r, 3), *currency = db_text(r, 6);
        *out = (struct happening_row){.id = db_int(r, 0),
                                      .activity_id = db_int(r, 1),
                                      .at_ms = db_int(r, 2),
                                      .amount = db_int(r, 4),
                                      .refunded = db_int(r, 5)};
        snprintf(out->state, sizeof(out->state), "%s", state ? state : "");
        snprintf(out->currency, sizeof(out->currency), "%s", currency ? currency : "");
    }
    return db_done(&r, e);
}

int happening_put(struct db *db, const struct happening_row *row, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO happening (source, ext, state, activity_id, number, amount, refunded, "
                   "currency, items, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                   "ON CONFLICT (source, ext) DO UPDATE SET state = $3, activity_id = $4, "
                   "number = coalesce($5, number), amount = $6, refunded = $7, "
                   "currency = coalesce($8, currency), items = coalesce($9, items), at_ms = $10",
                   "sssisiissi", row->source, row->ext, row->state, row->activity_id, row->number,
                   row->amount, row->refunded, row->currency[0] ? row->currency : NULL, row->items,
                   row->at_ms);
}

static json_t *order_read(struct db_rows *r)
{
    json_t *o = json_object();
    json_put_str(o, "number", db_text(r, 0));
    json_put_str(o, "state", db_text(r, 1));
    json_put_int(o, "amount", db_int(r, 2));
    json_put_int(o, "refunded", db_int(r, 3));
    json_put_str(o, "currency", db_text(r, 4));
    json_put_str(o, "items", db_text(r, 5));
    json_put_int(o, "at_ms", db_int(r, 6));
    json_put_str(o, "source", db_text(r, 7));
    return o;
}

json_t *happening_orders(struct db *db, int64_t contact, int64_t limit, struct err *e)
{
    return rows_all(
        db_query(db,
                 "SELECT h.number, h.state, h.amount, h.refunded, h.currency, h.items, h.at_ms, "
                 "h.source FROM activity a JOIN happening h ON h.activity_id = a.id "
                 "WHERE a.kind = 'order' AND a.deleted_ms IS NULL AND a.id IN ("
                 "SELECT id FROM activity WHERE contact_id = $1 AND lead_id IS NULL "
                 "AND case_id IS NULL UNION ALL "
                 "SELECT x.id FROM lead l JOIN activity x ON x.lead_id = l.id "
                 "WHERE l.contact_id = $1 UNION ALL "
                 "SELECT x.id FROM support_case c JOIN activity x ON x.case_id = c.id "
                 "AND x.lead_id IS NULL WHERE c.contact_id = $1) ORDER BY h.at_ms DESC, h.id DESC "
                 "LIMIT $2",
                 "ii", contact, limit),
        order_read, e);
}
