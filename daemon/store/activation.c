/* SPDX-License-Identifier: ISC
 *
 * activation - see activation.h
 */
#include "store/activation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/meta.h"
#include "store/rows.h"

int activation_add(struct db *db, int64_t ruleset_id, int64_t rules, const char *actor,
                   int64_t now_ms, struct err *e)
{
    int64_t last;
    if (db_get_int(db, e, &last, 0, "SELECT ruleset_id FROM activation ORDER BY id DESC LIMIT 1",
                   "") < 0)
        return -1;
    if (last == ruleset_id)
        return 0;
    return db_exec(db, e,
                   "INSERT INTO activation (at_ms, ruleset_id, rules, actor) "
                   "VALUES ($1, $2, $3, $4)",
                   "iiis", now_ms, ruleset_id, rules, actor);
}

static json_t *activation_read(struct db_rows *r)
{
    return json_pack("{s:I, s:I, s:s, s:I, s:I, s:s?}", "id", db_int(r, 0), "at_ms", db_int(r, 1),
                     "actor", db_text(r, 2), "rules", db_int(r, 3), "ruleset_id", db_int(r, 4),
                     "hash", db_text(r, 5));
}

json_t *activation_list(struct db *db, int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT a.id, a.at_ms, a.actor, a.rules, a.ruleset_id, r.hash "
                             "FROM activation a LEFT JOIN ruleset r ON r.id = a.ruleset_id "
                             "ORDER BY a.id DESC LIMIT $1",
                             "i", limit),
                    activation_read, e);
}

int activation_ask(struct db *db, const char *who, int64_t now_ms, struct err *e)
{
    AUTO_FREE char *value = mem_printf("%" PRId64 " %s", now_ms, who);
    return meta_put(db, "reload_by", value, e);
}

int activation_asked(struct db *db, int64_t since_ms, char **who_out, struct err *e)
{
    char *text, *end = NULL;
    *who_out = NULL;
    if (meta_get(db, "reload_by", &text, e) < 0)
        return -1;
    AUTO_FREE char *mine = text;
    if (text && strtoll(text, &end, 10) >= since_ms && *end == ' ')
        *who_out = mem_str(end + 1);
    return text ? activation_forget(db, e) : 0;
}

int activation_forget(struct db *db, struct err *e)
{
    return meta_remove(db, "reload_by", e);
}

static json_t *found_read(struct db_rows *r)
{
    json_t *body = json_loads(db_text(r, 2), 0, NULL);
    return json_pack("{s:I, s:s, s:o, s:I}", "id", db_int(r, 0), "hash", db_text(r, 1), "body",
                     body ? body : json_object(), "at_ms", db_int(r, 3));
}

/* A prefix is a range, so no pattern characters can mean anything. */
json_t *ruleset_find_hash(struct db *db, const char *prefix, struct err *e)
{
    AUTO_FREE char *end = mem_printf("%s~", prefix);
    AUTO_JSON json_t *rows =
        rows_all(db_query(db,
                          "SELECT id, hash, body, at_ms FROM ruleset WHERE hash >= $1 AND "
                          "hash < $2 ORDER BY hash LIMIT 2",
                          "ss", prefix, end),
                 found_read, e);
    if (!rows)
        return NULL;
    if (json_array_size(rows) == 1)
        return json_incref(json_array_get(rows, 0));
    err_set(e, ERR_INPUT, json_array_size(rows) ? "more than one rule set begins with %.70s"
                                                : "no rule set %.70s; see leadctl rules history",
            prefix);
    return NULL;
}
