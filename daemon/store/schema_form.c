/* SPDX-License-Identifier: ISC
 *
 * schema_form - forms that wait until their sender confirms his address, or for a verdict
 */
#include "store/migrate.h"

const char schema_form_1[] =
    /* id is that of the quarantine row with the post, which goes when it is confirmed or
     * expires; this one stays until until_ms, so that mails to an address are counted */
    "CREATE TABLE confirmation ("
    " id INTEGER PRIMARY KEY,"
    " form TEXT NOT NULL,"
    " value TEXT NOT NULL,"                   /* the address, folded */
    " remote TEXT NOT NULL,"                  /* who posted: an address, of IPv6 the /64 */
    " asked INTEGER NOT NULL,"                /* 0: too many were asked, and no mail left */
    " at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
    " done_ms INTEGER"
    ") STRICT;"
    "CREATE INDEX confirmation_value ON confirmation (value, at_ms);"
    "CREATE INDEX confirmation_remote ON confirmation (remote, at_ms);"
    "CREATE INDEX confirmation_form ON confirmation (form, at_ms);"
    "CREATE INDEX confirmation_until ON confirmation (until_ms);"

    /* id is that of the call that asks, post that of the quarantine row; gone when the
     * post is decided */
    "CREATE TABLE verdict ("
    " id INTEGER PRIMARY KEY,"
    " post INTEGER NOT NULL,"
    " form TEXT NOT NULL, endpoint TEXT NOT NULL,"
    " until_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX verdict_until ON verdict (until_ms);";
