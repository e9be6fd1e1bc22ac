/* SPDX-License-Identifier: ISC
 *
 * consent - see consent.h
 */
#include "store/consent.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/rows.h"

int consent_add(struct db *db, struct consent_row *row, struct err *e)
{
    return db_insert(db, e, &row->id,
                     "INSERT INTO consent (channel, value, sender, granted, counts, source, words,"
                     " message_id, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                     "RETURNING id",
                     "sssiissoi", row->channel, row->value, row->sender ? row->sender : "",
                     (int64_t)row->granted, (int64_t)row->counts, row->source, row->words,
                     row->message_id, row->at_ms);
}

int consent_withdrawn(struct db *db, const char *channel, const char *value, const char *sender,
                      bool *yes_out, struct err *e)
{
    int64_t granted;
    if (db_get_int(db, e, &granted, 1,
                   "SELECT granted FROM consent WHERE channel = $1 AND value = $2 "
                   "AND (sender = '' OR sender = $3) AND counts = 1 ORDER BY id DESC LIMIT 1",
                   "sss", channel, value, sender ? sender : "") < 0)
        return -1;
    *yes_out = !granted;
    return 0;
}

int consent_last(struct db *db, const char *channel, const char *value, const char *sender,
                 int64_t *id_out, bool *withdrawn_out, struct err *e)
{
    struct db_rows *r = db_query(db,
                                 "SELECT id, granted FROM consent WHERE channel = $1 AND value = $2 "
                                 "AND sender = $3 AND counts = 1 ORDER BY id DESC LIMIT 1",
                                 "sss", channel, value, sender);
    bool found = db_step(r);
    int64_t id = found ? db_int(r, 0) : 0;
    bool withdrawn = found && db_int(r, 1) == 0;
    if (db_done(&r, e) < 0)
        return -1;
    *id_out = id;
    *withdrawn_out = withdrawn;
    return 0;
}

int consent_granted(struct db *db, const char *channel, const char *value, bool *yes_out,
                    struct err *e)
{
    int64_t granted;
    if (db_get_int(db, e, &granted, 0,
                   "SELECT granted FROM consent WHERE channel = $1 AND value = $2 "
                   "AND sender <> '" CONSENT_PROOF "' ORDER BY id DESC LIMIT 1",
                   "ss", channel, value) < 0)
        return -1;
    *yes_out = granted != 0;
    return 0;
}

static json_t *word_of(const char *channel, const char *sender)
{
    if (text_starts(sender, CONSENT_LIST))
        return json_string(sender);
    AUTO_FREE char *word = mem_printf("%s%s", strcmp(channel, "phone") == 0 ? "sms:" : "",
                                      sender + strlen(CONSENT_PURPOSE));
    return json_string(word);
}

int consent_words(struct db *db, const char *channel, const char *value, json_t *words,
                  struct err *e)
{
    /* the last word about each sender, in the order in which they were said; the tick of a box
     * need not count, for it lifts nothing */
    struct db_rows *r = db_query(db,
                                 "SELECT c.sender, c.granted FROM consent c JOIN (SELECT MAX(id) AS id "
                                 "FROM consent WHERE channel = $1 AND value = $2 AND (counts = 1 OR "
                                 "sender LIKE '" CONSENT_PURPOSE "%') GROUP BY sender) newest "
                                 "ON newest.id = c.id ORDER BY c.id",
                                 "ss", channel, value);
    AUTO_JSON json_t *granted = json_array();
    bool stopped = false;
    while (db_step(r)) {
        const char *sender = db_text(r, 0);
        bool yes = db_int(r, 1) != 0;
        if (text_starts(sender, CONSENT_LIST) || text_starts(sender, CONSENT_PURPOSE)) {
            if (yes)
                json_array_append_new(granted, word_of(channel, sender));
        } else if (yes == !*sender) {
            /* a STOP to one number ends all texts that were agreed to, a word on all begins them */
            stopped = !yes;
        }
    }
    if (db_done(&r, e) < 0)
        return -1;
    if (!stopped)
        json_array_extend(words, granted);
    return 0;
}

static json_t *consent_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:b, s:b, s:s, s:s?, s:I, s:I}", "id", db_int(r, 0),
                     "channel", db_text(r, 1), "value", db_text(r, 2), "sender", db_text(r, 3),
                     "granted", (int)db_int(r, 4), "counts", (int)db_int(r, 5), "source",
                     db_text(r, 6), "words", db_text(r, 7), "message_id", db_int(r, 8), "at_ms",
                     db_int(r, 9));
}

json_t *consent_list(struct db *db, const char *channel, const char *value, int64_t limit,
                     struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT id, channel, value, sender, granted, counts, source, words,"
                             " message_id, at_ms FROM consent WHERE channel = $1 AND value = $2 "
                             "ORDER BY id DESC LIMIT $3",
                             "ssi", channel, value, limit),
                    consent_read, e);
}
