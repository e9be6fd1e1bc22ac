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
    "ALTER TABLE contact ADD COLUMN time_zone TEXT;"
    "CREATE INDEX consent_of ON consent (channel, value, id);"
    /* the thread of texts between a number of ours and one of theirs */
    "CREATE TABLE sms_pair ("
    " theirs TEXT NOT NULL, ours TEXT NOT NULL,"
    " lead_id INTEGER, case_id INTEGER, contact_id INTEGER,"
    " in_ms INTEGER NOT NULL DEFAULT 0, out_ms INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (theirs, ours)"
    ") STRICT, WITHOUT ROWID;"
    /* parts of a long text that wait for the others */
    "CREATE TABLE sms_part ("
    " theirs TEXT NOT NULL, ours TEXT NOT NULL, ref TEXT NOT NULL,"
    " part INTEGER NOT NULL, total INTEGER NOT NULL,"
    " text TEXT NOT NULL,"                    /* personal */
    " message_key TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " PRIMARY KEY (theirs, ours, ref, part)"
    ") STRICT, WITHOUT ROWID;"
    /* commands by SMS that wait for the code which their user was sent */
    "CREATE TABLE sms_code ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " user TEXT NOT NULL,"
    " kind TEXT NOT NULL,"                    /* command; relay: answers to a contact */
    " code TEXT NOT NULL,"
    " entity TEXT, record_id INTEGER,"        /* what it is about */
    " theirs TEXT, ours TEXT,"                /* relay: between which numbers */
    " lines TEXT,"                            /* command: personal */
    " message_id INTEGER,"
    " created_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
    " used_ms INTEGER"
    ") STRICT;"
    "CREATE INDEX sms_code_user ON sms_code (user, code);"
    /* wrong PINs and codes of a user, so that nobody can try them all */
    "CREATE TABLE sms_guess ("
    " user TEXT NOT NULL, at_ms INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY (user)"
    ") STRICT, WITHOUT ROWID;"
    /* the rest of an answer that was too long for a text */
    "CREATE TABLE sms_more (user TEXT PRIMARY KEY, text TEXT NOT NULL, at_ms INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "INSERT INTO consent (channel, value, granted, source, words, at_ms)"
    " SELECT channel, value, 0, 'before there was a ledger', opt_out_reason, opted_out_ms"
    " FROM address WHERE opted_out_ms IS NOT NULL ORDER BY opted_out_ms;";
