/* SPDX-License-Identifier: ISC
 *
 * schema_outbox - in which line a mail waits, and copies of what was sent
 *
 * The index of what is due has the line first, so the first of each is one look; that
 * of what the courier holds has it too, since lines may have a part of the slots only.
 */
#include "store/migrate.h"

const char schema_outbox_1[] =
    "ALTER TABLE outbox ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;" /* enum outbox_lane, + 3: tried */
    "UPDATE outbox SET lane = 1 WHERE next_ms IS NOT NULL AND class = 'follow_up';"
    "UPDATE outbox SET lane = lane + 3 WHERE next_ms IS NOT NULL AND attempts > 0;"
    "DROP INDEX outbox_due;"
    "CREATE INDEX outbox_due ON outbox (lane, next_ms) WHERE next_ms IS NOT NULL;"
    "DROP INDEX outbox_claimed;"
    "CREATE INDEX outbox_claimed ON outbox (lane) WHERE state = 'claimed';"

    /* what is remembered of a relay */
    "CREATE TABLE relay ("
    " name TEXT PRIMARY KEY,"
    " down_ms INTEGER NOT NULL,"              /* told as down since then; 0: it is not */
    " first_day INTEGER NOT NULL,"            /* days since 1970; of its warm-up */
    " day INTEGER NOT NULL, mails INTEGER NOT NULL" /* handed to it on that day */
    ") STRICT, WITHOUT ROWID;"

    /* a copy of a mail that was sent, until it is in its folder */
    "CREATE TABLE sent_copy ("
    " outbox_id INTEGER PRIMARY KEY,"
    " mailbox TEXT NOT NULL,"
    " state TEXT NOT NULL,"                   /* waiting, handed, failed */
    " sent_ms INTEGER NOT NULL,"
    " since_ms INTEGER NOT NULL,"             /* has been wanted since then */
    " next_ms INTEGER NOT NULL,"              /* of failed: since then */
    " tries INTEGER NOT NULL DEFAULT 0,"      /* it may be there from one of them */
    " error TEXT"
    ") STRICT;"
    "CREATE INDEX sent_copy_due ON sent_copy (mailbox, state, next_ms);"
    "CREATE INDEX sent_copy_failed ON sent_copy (next_ms) WHERE state = 'failed';";
