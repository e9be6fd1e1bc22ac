/* SPDX-License-Identifier: ISC
 *
 * schema_pipeline - tables of the pipeline: what came in, what was decided,
 * what goes out
 *
 * The unique keys here are promise 2 (nothing twice): a check before an insert
 * would not be enough.
 */
#include "store/migrate.h"

const char schema_pipeline_1[] =
    /* mailbox folders, Maildirs, forms: "imap:sales/INBOX", "form:contact" */
    "CREATE TABLE source ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE,"
    " epoch INTEGER NOT NULL DEFAULT 0,"      /* UIDVALIDITY */
    " last_uid INTEGER NOT NULL DEFAULT 0,"   /* highest UID with a ledger row */
    " start_uid INTEGER NOT NULL DEFAULT 0"   /* UIDs below are not ours */
    ") STRICT;"

    /* one row for everything that ever arrived, whatever became of it */
    "CREATE TABLE ledger ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " source_id INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL,"
    " key TEXT NOT NULL,"                     /* UID, Maildir name, request id */
    " state TEXT NOT NULL CHECK (state IN ('filed', 'ignored', 'quarantined')),"
    " reason TEXT,"
    " message_id INTEGER,"
    " size INTEGER NOT NULL,"
    " internal_ms INTEGER,"
    " at_ms INTEGER NOT NULL,"
    " UNIQUE (source_id, epoch, key)"
    ") STRICT;"

    /* one row per message of any channel; the same mail in two mailboxes is one */
    "CREATE TABLE message ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " channel TEXT NOT NULL,"
    " msgid_hash INTEGER,"                    /* of Message-ID */
    " same_hash INTEGER,"                     /* of Message-ID, From, Date, body */
    " kind TEXT NOT NULL,"
    " date_ms INTEGER,"
    " received_ms INTEGER NOT NULL,"
    " contact_id INTEGER, lead_id INTEGER, case_id INTEGER"
    ") STRICT;"
    "CREATE INDEX message_msgid ON message (msgid_hash);"

    /* the heavy part, outside the hot table */
    "CREATE TABLE message_body ("
    " message_id INTEGER PRIMARY KEY,"
    " json TEXT NOT NULL,"
    " raw BLOB NOT NULL"
    ") STRICT;"

    "CREATE TABLE quarantine ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " ledger_id INTEGER NOT NULL UNIQUE,"
    " kind TEXT NOT NULL,"                    /* mail or form */
    " meta TEXT NOT NULL,"                    /* the frame's JSON */
    " reason TEXT NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 1,"
    " at_ms INTEGER NOT NULL,"
    " raw BLOB NOT NULL"
    ") STRICT;"

    /* one row per pass: its events, decisions and commands */
    "CREATE TABLE journal ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at_ms INTEGER NOT NULL,"
    " cause TEXT NOT NULL,"                   /* "mail M12", "form contact", "ctl anna" */
    " contact_id INTEGER, lead_id INTEGER, case_id INTEGER,"
    " ruleset_id INTEGER,"
    " body TEXT NOT NULL,"                    /* JSON, ids and operators only */
    " personal TEXT"                          /* JSON, emptied by erasure */
    ") STRICT;"
    "CREATE INDEX journal_lead ON journal (lead_id) WHERE lead_id IS NOT NULL;"
    "CREATE INDEX journal_case ON journal (case_id) WHERE case_id IS NOT NULL;"

    /* every rule set that ever decided something, for `why` */
    "CREATE TABLE ruleset ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " hash TEXT NOT NULL UNIQUE,"
    " body TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE outbox ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " intent TEXT NOT NULL UNIQUE,"           /* who, why, which step */
    " state TEXT NOT NULL CHECK (state IN"
    "  ('ready', 'claimed', 'sent', 'deferred', 'failed', 'unknown', 'held')),"
    " class TEXT NOT NULL,"                   /* follow_up, notice, confirmation */
    " to_addr TEXT NOT NULL,"                 /* folded */
    " lead_id INTEGER, contact_id INTEGER, case_id INTEGER,"
    " template TEXT,"
    " msgid_hash INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " created_ms INTEGER NOT NULL,"
    " next_ms INTEGER,"                       /* when due; NULL in final states */
    " gen TEXT,"                              /* the courier that holds it */
    " slot INTEGER,"
    " done_ms INTEGER,"
    " relay TEXT, code INTEGER, reply TEXT"
    ") STRICT;"
    "CREATE INDEX outbox_due ON outbox (next_ms) WHERE next_ms IS NOT NULL;"
    "CREATE INDEX outbox_claimed ON outbox (gen) WHERE state = 'claimed';"
    "CREATE INDEX outbox_to ON outbox (to_addr, created_ms);"
    "CREATE INDEX outbox_lead ON outbox (lead_id) WHERE lead_id IS NOT NULL;"
    "CREATE INDEX outbox_msgid ON outbox (msgid_hash);"

    "CREATE TABLE outbox_body ("
    " outbox_id INTEGER PRIMARY KEY,"
    " mail_from TEXT NOT NULL,"               /* envelope; empty is the null sender */
    " rcpt_to TEXT NOT NULL,"
    " subject TEXT NOT NULL,"
    " raw BLOB NOT NULL"
    ") STRICT;";
