/* SPDX-License-Identifier: ISC
 *
 * schema_click - links of mails that were opened
 */
#include "store/migrate.h"

const char schema_click_1[] =
    /* one row per mail and address, however often it is opened */
    "CREATE TABLE click ("
    " outbox_id INTEGER NOT NULL,"
    " url TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL,"                /* opened first, and last: */
    " seen_ms INTEGER NOT NULL,"
    " counted_ms INTEGER,"                    /* NULL: not decided yet whether a person did it */
    " PRIMARY KEY (outbox_id, url)"
    ") STRICT, WITHOUT ROWID;";
