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
    " lang TEXT,"
    " bytes INTEGER NOT NULL,"                /* of the post */
    " asked_ms INTEGER,"                      /* when the mail left */
    " ask_ms INTEGER,"                        /* when to try again: too many were asked */
    " at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
    " message_id INTEGER,"                    /* a person released the post: what it became */
    " done_ms INTEGER"
    ") STRICT;"
    "CREATE INDEX confirmation_value ON confirmation (value, asked_ms);"
    "CREATE INDEX confirmation_remote ON confirmation (remote, asked_ms);"
    "CREATE INDEX confirmation_form ON confirmation (form, asked_ms);"
    "CREATE INDEX confirmation_ask ON confirmation (ask_ms) WHERE ask_ms IS NOT NULL;"
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
