/* SPDX-License-Identifier: ISC
 *
 * schema_sms_in - what comes in by SMS, and who may be written to
 */
#include "store/migrate.h"

const char schema_sms_in_1[] =
    /* rows are added and never changed */
    "CREATE TABLE consent ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " channel TEXT NOT NULL,"                 /* as in address: email, phone */
    " value TEXT NOT NULL,"                   /* personal, as words is */
    " sender TEXT NOT NULL DEFAULT '',"       /* a number of ours; '': whatever we send */
    " granted INTEGER NOT NULL,"              /* 0: withdrawn */
    " counts INTEGER NOT NULL DEFAULT 1,"     /* 0: kept as proof, and lifts nothing */
    " source TEXT NOT NULL, words TEXT,"
    " message_id INTEGER,"
    " at_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX consent_of ON consent (channel, value, id);"
    "INSERT INTO consent (channel, value, granted, source, words, at_ms)"
    " SELECT channel, value, 0, 'before there was a ledger', opt_out_reason, opted_out_ms"
    " FROM address WHERE opted_out_ms IS NOT NULL ORDER BY opted_out_ms;";
