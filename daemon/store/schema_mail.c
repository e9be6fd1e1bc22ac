/* SPDX-License-Identifier: ISC
 *
 * schema_mail - tables of what mail brings besides records: what waits for a proof
 */
#include "store/migrate.h"

const char schema_mail_1[] =
    /* records that became another one; they are marked deleted, and their tokens lead on */
    "CREATE TABLE merged ("
    " entity TEXT NOT NULL,"
    " record_id INTEGER NOT NULL,"
    " into_id INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " PRIMARY KEY (entity, record_id)"
    ") STRICT, WITHOUT ROWID;"

    /* what messages of a contact say about him and his record does not: a person may take it */
    "CREATE TABLE offer ("
    " contact_id INTEGER NOT NULL,"
    " channel TEXT NOT NULL,"                 /* phone, email, title, company, name */
    " value TEXT NOT NULL,"                   /* personal; addresses folded */
    " source TEXT NOT NULL,"                  /* form, signature, text */
    " message_id INTEGER,"
    " at_ms INTEGER NOT NULL,"
    " PRIMARY KEY (contact_id, channel, value)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX offer_value ON offer (value);"
    /* colleagues, for who has the name of one of them; new companies come at its end */
    "CREATE INDEX contact_company ON contact (company_id) WHERE company_id IS NOT NULL;"

    /* commands of somebody who said to be a user and did not prove it: kept until he
     * confirms them, or a person releases or drops them */
    "CREATE TABLE held ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " user TEXT NOT NULL,"
    " message_id INTEGER NOT NULL UNIQUE,"    /* row of message */
    " entity TEXT, record_id INTEGER,"        /* the record they are about, when it is known */
    " lines TEXT NOT NULL,"                   /* a command each */
    " why TEXT NOT NULL,"
    " state TEXT NOT NULL DEFAULT 'held',"
    " created_ms INTEGER NOT NULL, settled_ms INTEGER"
    ") STRICT;"
    "CREATE INDEX held_open ON held (id) WHERE state = 'held';"
    "CREATE INDEX held_user ON held (user, created_ms);"
    /* the address for commands that only one user knows; another row is another address */
    "CREATE TABLE secret_address ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " user TEXT NOT NULL UNIQUE,"
    " created_ms INTEGER NOT NULL"
    ") STRICT;"

    /* what mails that nobody proved made through a dropbox, in a day from the first */
    "CREATE TABLE dropbox_rate ("
    " user TEXT PRIMARY KEY,"                 /* whose dropbox, empty: the company's */
    " since_ms INTEGER NOT NULL,"
    " made INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    /* signatures of mails that were let command by them: none does so twice */
    "CREATE TABLE signature_used (hash INTEGER PRIMARY KEY, message_id INTEGER NOT NULL) STRICT;"

    /* Message-IDs that relays gave to mails of ours, learned from answers and bounces */
    "CREATE TABLE rewritten ("
    " msgid_hash INTEGER PRIMARY KEY,"
    " outbox_id INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL"
    ") STRICT;"

    /* the last mail that each mailbox was sent as a probe */
    "CREATE TABLE probe ("
    " mailbox TEXT PRIMARY KEY,"
    " outbox_id INTEGER NOT NULL,"
    " sent_ms INTEGER NOT NULL, back_ms INTEGER,"
    " late INTEGER NOT NULL DEFAULT 0"        /* 1: it should have been back, people were told */
    ") STRICT, WITHOUT ROWID;"

    /* mail to an address that came back with a fault that may pass: several over days are
     * as good as one that does not */
    "CREATE TABLE address_bounce ("
    " value TEXT NOT NULL,"                   /* as in address; personal */
    " at_ms INTEGER NOT NULL,"
    " message_id INTEGER NOT NULL,"
    " PRIMARY KEY (value, at_ms, message_id)"
    ") STRICT, WITHOUT ROWID;"

    /* invitations: which activity stands for an event of somebody's calendar */
    "CREATE TABLE meeting ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " contact_id INTEGER NOT NULL,"           /* a UID means something between us and them alone */
    " uid TEXT NOT NULL,"
    " sequence INTEGER NOT NULL,"
    " activity_id INTEGER NOT NULL,"
    " UNIQUE (contact_id, uid)"
    ") STRICT;"

    "ALTER TABLE contact ADD COLUMN away_until_ms INTEGER;"
    "ALTER TABLE contact ADD COLUMN title TEXT;"

    /* a kind of timer is the engine's word, not the schema's */
    "CREATE TABLE timer_6 ("
    " entity TEXT NOT NULL, record_id INTEGER NOT NULL, kind TEXT NOT NULL, rule TEXT NOT NULL,"
    " due_ms INTEGER, step INTEGER NOT NULL DEFAULT 0, since_ms INTEGER NOT NULL, left_ms INTEGER,"
    " PRIMARY KEY (entity, record_id, kind, rule)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO timer_6 (entity, record_id, kind, rule, due_ms, step, since_ms, left_ms)"
    " SELECT entity, record_id, kind, rule, due_ms, step, since_ms, left_ms FROM timer;"
    "DROP TABLE timer;"
    "ALTER TABLE timer_6 RENAME TO timer;"
    "CREATE INDEX timer_due ON timer (due_ms) WHERE due_ms IS NOT NULL;"

    /* how many mails one of our own got, and what a ladder counts beside those of a lead */
    "ALTER TABLE notice_rate ADD COLUMN mails_since_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE notice_rate ADD COLUMN mails INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX outbox_case ON outbox (case_id)"
    " WHERE case_id IS NOT NULL AND lead_id IS NULL;"
    "CREATE INDEX outbox_contact ON outbox (contact_id)"
    " WHERE contact_id IS NOT NULL AND lead_id IS NULL AND case_id IS NULL;"
    "CREATE INDEX outbox_alone ON outbox (to_addr)"
    " WHERE lead_id IS NULL AND case_id IS NULL AND contact_id IS NULL;"

    /* for the morning mail */
    "CREATE INDEX task_due ON task (due_ms) WHERE status = 'open' AND due_ms IS NOT NULL;"
    "CREATE INDEX deal_open ON deal (owner) WHERE status = 'open';";
