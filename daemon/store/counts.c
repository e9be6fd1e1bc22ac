/* SPDX-License-Identifier: ISC
 *
 * counts - see counts.h
 */
#include "store/counts.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/ledger.h"
#include "store/meta.h"

#define COUNTS_AHEAD 100000 /* rows that are counted while somebody waits, at most */
#define COUNTS_KEEP 100000  /* rows after which the state is written down */

struct counts_source {
    int64_t id, rows;
};

struct counts {
    bool loaded;
    int64_t ledger_upto, outbox_upto; /* every row up to this id is counted */
    int64_t kept;                     /* the sum of both when it was written down last */
    struct counts_source *sources;    /* own */
    size_t count, cap;
    int64_t outbox_rows;
};

struct counts *counts_new(void)
{
    return mem_alloc(sizeof(struct counts));
}

void counts_free(struct counts **c)
{
    if (*c)
        mem_free((*c)->sources);
    mem_free(*c);
    *c = NULL;
}

static void source_add(struct counts *c, int64_t id, int64_t rows)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->sources[i].id == id) {
            c->sources[i].rows += rows;
            return;
        }
    if (c->count == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 16;
        c->sources = mem_grow(c->sources, c->cap * sizeof(*c->sources));
    }
    c->sources[c->count++] = (struct counts_source){id, rows};
}

static int64_t source_rows(const struct counts *c, int64_t id)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->sources[i].id == id)
            return c->sources[i].rows;
    return 0;
}

/* ---- what is written down ---------------------------------------------------- */

static int counts_load(struct counts *c, struct db *db, struct err *e)
{
    json_t *n;
    const char *key;
    char *text;
    if (meta_get(db, "counts", &text, e) < 0)
        return -1;
    AUTO_FREE char *mine = text;
    AUTO_JSON json_t *kept = text ? json_loads(text, 0, NULL) : NULL;
    c->loaded = true;
    c->ledger_upto = json_get_int(kept, "ledger", 0);
    c->outbox_upto = json_get_int(kept, "outbox", 0);
    c->outbox_rows = json_get_int(kept, "mails", 0);
    c->kept = c->ledger_upto + c->outbox_upto;
    json_object_foreach(json_get_obj(kept, "sources"), key, n)
        source_add(c, strtoll(key, NULL, 10), json_integer_value(n));
    return 0;
}

static int counts_keep(struct counts *c, struct db *db, struct err *e)
{
    AUTO_JSON json_t *j = json_pack("{s:I, s:I, s:I}", "ledger", c->ledger_upto, "outbox",
                                    c->outbox_upto, "mails", c->outbox_rows);
    json_t *sources = json_object();
    for (size_t i = 0; i < c->count; i++) {
        AUTO_FREE char *key = mem_printf("%lld", (long long)c->sources[i].id);
        json_put_int(sources, key, c->sources[i].rows);
    }
    json_object_set_new(j, "sources", sources);
    AUTO_FREE char *text = json_text(j);
    if (meta_put(db, "counts", text, e) < 0)
        return -1;
    c->kept = c->ledger_upto + c->outbox_upto;
    return 0;
}

/* ---- counting on --------------------------------------------------------------- */

int counts_advance(struct counts *c, struct db *db, int64_t rows, bool *more_out, struct err *e)
{
    int64_t left = rows, n = 0;
    if (!c->loaded && counts_load(c, db, e) < 0)
        return -1;
    struct db_rows *r = db_query(
        db, "SELECT id, source_id FROM ledger WHERE id > $1 ORDER BY id LIMIT $2", "ii",
        c->ledger_upto, left);
    for (; db_step(r); left--) {
        c->ledger_upto = db_int(r, 0);
        source_add(c, db_int(r, 1), 1);
    }
    if (db_done(&r, e) < 0)
        return -1;
    r = db_query(db,
                 "SELECT count(*), max(id) FROM (SELECT id FROM outbox WHERE id > $1 "
                 "ORDER BY id LIMIT $2) AS next",
                 "ii", c->outbox_upto, left);
    if (db_step(r) && (n = db_int(r, 0)) > 0) {
        c->outbox_rows += n;
        c->outbox_upto = db_int(r, 1);
    }
    if (db_done(&r, e) < 0)
        return -1;
    *more_out = left - n <= 0;
    if (c->ledger_upto + c->outbox_upto - c->kept >= COUNTS_KEEP)
        return counts_keep(c, db, e);
    return 0;
}

/* ---- asking ------------------------------------------------------------------- */

/* Rows above what has been counted; false in *all_out when there are too many to
 * count them now. By source, or all (0). */
static int ledger_above(struct counts *c, struct db *db, int64_t source, int64_t *n_out,
                        bool *all_out, struct err *e)
{
    int64_t seen = 0, n = 0;
    struct db_rows *r = db_query(
        db, "SELECT source_id FROM ledger WHERE id > $1 ORDER BY id LIMIT $2", "ii",
        c->ledger_upto, (int64_t)COUNTS_AHEAD);
    for (; db_step(r); seen++)
        n += source == 0 || db_int(r, 0) == source;
    *n_out = n;
    *all_out = seen < COUNTS_AHEAD;
    return db_done(&r, e);
}

static int source_count(struct counts *c, struct db *db, int64_t source, json_t *sums, bool *all,
                        struct err *e)
{
    int64_t odd = 0, n = 0;
    struct db_rows *r = db_query(db,
                                 "SELECT state, count(*) FROM ledger WHERE state <> 'filed' AND "
                                 "state IN ('ignored', 'quarantined') AND source_id = $1 "
                                 "GROUP BY state",
                                 "i", source);
    while (db_step(r)) {
        json_put_int(sums, db_text(r, 0), json_get_int(sums, db_text(r, 0), 0) + db_int(r, 1));
        odd += db_int(r, 1);
    }
    if (db_done(&r, e) < 0 || ledger_above(c, db, source, &n, all, e) < 0)
        return -1;
    json_put_int(sums, "filed",
                 json_get_int(sums, "filed", 0) + source_rows(c, source) + n - odd);
    return 0;
}

static int ledger_all(struct counts *c, struct db *db, json_t *sums, bool *all, struct err *e)
{
    int64_t odd = 0, n = 0;
    struct db_rows *r = db_query(
        db, "SELECT state, count(*) FROM ledger WHERE state <> 'filed' GROUP BY state", "");
    while (db_step(r)) {
        json_put_int(sums, db_text(r, 0), db_int(r, 1));
        odd += db_int(r, 1);
    }
    if (db_done(&r, e) < 0 || ledger_above(c, db, 0, &n, all, e) < 0)
        return -1;
    for (size_t i = 0; i < c->count; i++)
        n += c->sources[i].rows;
    json_put_int(sums, "filed", n - odd);
    return 0;
}

json_t *counts_ledger(struct counts *c, struct db *db, const char *prefix, struct err *e)
{
    bool all = true;
    int rc = 0;
    json_t *sums = json_pack("{s:i, s:i, s:i}", "filed", 0, "ignored", 0, "quarantined", 0);
    if (*prefix == '\0') {
        rc = ledger_all(c, db, sums, &all, e);
    } else {
        size_t i;
        json_t *id;
        AUTO_JSON json_t *ids = source_ids(db, prefix, e);
        rc = ids ? 0 : -1;
        json_array_foreach(ids, i, id)
            if (rc == 0 && all)
                rc = source_count(c, db, json_integer_value(id), sums, &all, e);
    }
    if (!all)
        json_object_del(sums, "filed");
    if (rc == 0)
        return sums;
    json_decref(sums);
    return NULL;
}

json_t *counts_outbox(struct counts *c, struct db *db, struct err *e)
{
    int64_t above, waiting, claimed, rest = 0;
    json_t *sums = json_object();
    struct db_rows *r = db_query(db,
                                 "SELECT state, count(*) FROM outbox WHERE state <> 'ready' AND "
                                 "state <> 'claimed' AND state <> 'sent' GROUP BY state",
                                 "");
    while (db_step(r)) {
        json_put_int(sums, db_text(r, 0), db_int(r, 1));
        rest += db_int(r, 1);
    }
    if (db_done(&r, e) < 0 ||
        db_get_int(db, e, &waiting, 0, "SELECT count(*) FROM outbox WHERE next_ms IS NOT NULL",
                   "") < 0 ||
        db_get_int(db, e, &claimed, 0, "SELECT count(*) FROM outbox WHERE state = 'claimed'",
                   "") < 0 ||
        db_get_int(db, e, &above, 0,
                   "SELECT count(*) FROM (SELECT id FROM outbox WHERE id > $1 LIMIT $2) AS next",
                   "ii", c->outbox_upto, (int64_t)COUNTS_AHEAD) < 0) {
        json_decref(sums);
        return NULL;
    }
    int64_t ready = waiting - json_get_int(sums, "deferred", 0);
    int64_t sent = c->outbox_rows + above - rest - ready - claimed;
    if (ready)
        json_put_int(sums, "ready", ready);
    if (claimed)
        json_put_int(sums, "claimed", claimed);
    if (sent && above < COUNTS_AHEAD)
        json_put_int(sums, "sent", sent);
    return sums;
}
