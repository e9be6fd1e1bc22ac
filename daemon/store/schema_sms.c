/* SPDX-License-Identifier: ISC
 *
 * schema_sms - what texting brings: a row of the outbox says by which channel it goes,
 * and an SMS has a row of its own beside it; and what other programs tell of by HTTP
 */
#include "store/migrate.h"

const char schema_sms_1[] =
    /* email: outbox_body.raw is the mail; sms: it is JSON {to, from, text} */
    "ALTER TABLE outbox ADD COLUMN channel TEXT NOT NULL DEFAULT 'email';"

    /* of an SMS in the outbox: how it went out, and what became of it */
    "CREATE TABLE sms ("
    " outbox_id INTEGER PRIMARY KEY,"
    " wanted TEXT,"                           /* the one gateway it may go by; NULL: any */
    " gateway TEXT,"                          /* that has it */
    " provider_id TEXT,"                      /* the gateway's own of it */
    " encoding TEXT NOT NULL,"
    " segments INTEGER NOT NULL,"
    " delivery TEXT,"                         /* queued, sent, delivered, undelivered, failed */
    " delivery_ms INTEGER,"
    " reason TEXT, error TEXT,"               /* what we call it, and what the gateway does */
    " micros INTEGER, currency TEXT,"         /* price, millionths */
    " asked_ms INTEGER"                       /* when the gateway was last asked */
    ") STRICT;"
    "CREATE INDEX sms_provider ON sms (provider_id) WHERE provider_id IS NOT NULL;"
    "CREATE INDEX sms_open ON sms (gateway, outbox_id) WHERE provider_id IS NOT NULL AND"
    " (delivery IS NULL OR delivery = 'queued' OR delivery = 'sent');"

    /* receipts that came before the answer with the id */
    "CREATE TABLE sms_early ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " gateway TEXT NOT NULL,"
    " provider_id TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " receipt TEXT NOT NULL"                  /* JSON */
    ") STRICT;"
    "CREATE INDEX sms_early_provider ON sms_early (provider_id);"

    /* what went out by a gateway on a day (UTC) */
    "CREATE TABLE sms_day ("
    " gateway TEXT NOT NULL,"
    " day INTEGER NOT NULL,"                  /* days since 1970 */
    " texts INTEGER NOT NULL DEFAULT 0,"
    " segments INTEGER NOT NULL DEFAULT 0,"
    " delivered INTEGER NOT NULL DEFAULT 0,"
    " failed INTEGER NOT NULL DEFAULT 0,"
    " micros INTEGER NOT NULL DEFAULT 0,"
    " currency TEXT,"
    " PRIMARY KEY (gateway, day)"
    ") STRICT, WITHOUT ROWID;"

    /* orders, calls and chats of sources, by the name that the source has for them */
    "CREATE TABLE happening ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " source TEXT NOT NULL,"
    " ext TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " activity_id INTEGER NOT NULL,"          /* whose it is stands there */
    " number TEXT,"
    " amount INTEGER NOT NULL DEFAULT 0,"     /* minor units */
    " refunded INTEGER NOT NULL DEFAULT 0,"
    " currency TEXT,"
    " items TEXT,"
    " at_ms INTEGER NOT NULL,"
    " UNIQUE (source, ext)"
    ") STRICT;"
    "CREATE INDEX happening_activity ON happening (activity_id);"

    /* three more kinds; as in schema_lean.c, no stored row can be touched by it */
    "PRAGMA writable_schema = ON;"
    "UPDATE sqlite_schema SET sql = replace(sql, 'kind = ''order''',"
    " 'kind = ''order'' OR kind = ''chat'' OR kind = ''visit'' OR kind = ''click''')"
    " WHERE type = 'table' AND name = 'activity';"
    "PRAGMA writable_schema = RESET;";
