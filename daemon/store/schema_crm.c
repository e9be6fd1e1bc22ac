/* SPDX-License-Identifier: ISC
 *
 * schema_crm - tables of the CRM: companies, contacts, leads, deals, cases,
 * activities, tasks
 *
 * Every index costs each new lead a row of work, so there are few: what a mail
 * needs to find its lead, and what the timeline needs. Personal values stand
 * only in contact, address, activity.text, task.title, the subjects and `custom`.
 * Amounts are minor units (cents). A deleted record keeps its row: its id must
 * never mean somebody else.
 */
#include "store/migrate.h"

const char schema_crm_1[] =
    /* users and teams of the config; rows stay when the config forgets them */
    "CREATE TABLE team ("
    " name TEXT PRIMARY KEY,"
    " title TEXT"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE app_user ("
    " name TEXT PRIMARY KEY,"
    " full_name TEXT,"
    " email TEXT,"
    " phone TEXT,"
    " team TEXT,"
    " role TEXT NOT NULL,"
    " active INTEGER NOT NULL DEFAULT 1,"
    " updated_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE company ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT,"
    " domain TEXT UNIQUE,"                    /* folded; NULL when unknown */
    " country TEXT,"
    " custom TEXT,"                           /* JSON object or NULL */
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, deleted_ms INTEGER"
    ") STRICT;"

    "CREATE TABLE contact ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT, first_name TEXT, last_name TEXT,"
    " company_id INTEGER,"
    " country TEXT, language TEXT,"
    " custom TEXT,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, deleted_ms INTEGER"
    ") STRICT;"

    /* an address is a row of its own: its state outlives what the contact is called */
    "CREATE TABLE address ("
    " channel TEXT NOT NULL CHECK (channel IN ('email', 'phone')),"
    " value TEXT NOT NULL,"                   /* folded: lower case, E.164 */
    " display TEXT,"
    " contact_id INTEGER,"
    " verified_ms INTEGER, verified_by TEXT,"
    " bouncing_ms INTEGER, bounce_reason TEXT,"
    " opted_out_ms INTEGER, opt_out_reason TEXT,"
    " created_ms INTEGER NOT NULL,"
    " PRIMARY KEY (channel, value)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX address_contact ON address (contact_id);"

    "CREATE TABLE lead ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " contact_id INTEGER, company_id INTEGER,"
    " subject TEXT,"
    " status TEXT NOT NULL CHECK (status IN ('new', 'contacted', 'qualified', 'closed')),"
    " owner TEXT, source TEXT,"
    " score INTEGER NOT NULL DEFAULT 0,"
    " closed_reason TEXT,"
    " first_in_ms INTEGER, last_in_ms INTEGER,"
    " first_out_ms INTEGER, last_out_ms INTEGER," /* any mail of ours */
    " contacted_ms INTEGER,"                  /* a human of ours answered or called */
    " assigned_ms INTEGER, closed_ms INTEGER,"
    " custom TEXT,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, deleted_ms INTEGER"
    ") STRICT;"
    "CREATE INDEX lead_contact ON lead (contact_id);"

    "CREATE TABLE deal ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " lead_id INTEGER, contact_id INTEGER, company_id INTEGER,"
    " name TEXT, stage TEXT,"
    " amount INTEGER, currency TEXT,"
    " status TEXT NOT NULL CHECK (status IN ('open', 'won', 'lost')),"
    " lost_reason TEXT,"
    " owner TEXT,"
    " stage_ms INTEGER, closed_ms INTEGER,"
    " custom TEXT,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, deleted_ms INTEGER"
    ") STRICT;"
    "CREATE INDEX deal_lead ON deal (lead_id);"

    "CREATE TABLE support_case ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " contact_id INTEGER, company_id INTEGER, lead_id INTEGER,"
    " subject TEXT,"
    " status TEXT NOT NULL CHECK (status IN ('open', 'waiting', 'closed')),"
    " priority TEXT NOT NULL DEFAULT 'normal'"
    "  CHECK (priority IN ('low', 'normal', 'high', 'urgent')),"
    " owner TEXT, source TEXT,"
    " first_in_ms INTEGER, last_in_ms INTEGER,"
    " first_out_ms INTEGER, last_out_ms INTEGER,"
    " answered_ms INTEGER,"                   /* first answer of a human */
    " assigned_ms INTEGER,"
    " waiting_ms INTEGER,"                    /* since when for the customer */
    " waited_ms INTEGER NOT NULL DEFAULT 0,"  /* sum of such times: not ours */
    " closed_ms INTEGER, closed_reason TEXT,"
    " reopened INTEGER NOT NULL DEFAULT 0,"
    " custom TEXT,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, deleted_ms INTEGER"
    ") STRICT;"
    "CREATE INDEX support_case_contact ON support_case (contact_id);"

    /* what happened with people; exactly one of the three indexes holds each row */
    "CREATE TABLE activity ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind TEXT NOT NULL CHECK (kind IN"
    "  ('mail', 'form', 'note', 'call', 'meeting', 'sms', 'order')),"
    " direction TEXT NOT NULL CHECK (direction IN ('in', 'out', 'none')),"
    " at_ms INTEGER NOT NULL,"
    " lead_id INTEGER, contact_id INTEGER, deal_id INTEGER, case_id INTEGER,"
    " message_id INTEGER, outbox_id INTEGER,"
    " actor TEXT NOT NULL,"                   /* "user anna", "rule greet", "contact C7" */
    " text TEXT,"                             /* subject of a mail, words of a note */
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, deleted_ms INTEGER"
    ") STRICT;"
    "CREATE INDEX activity_lead ON activity (lead_id) WHERE lead_id IS NOT NULL;"
    "CREATE INDEX activity_case ON activity (case_id)"
    " WHERE case_id IS NOT NULL AND lead_id IS NULL;"
    "CREATE INDEX activity_contact ON activity (contact_id)"
    " WHERE lead_id IS NULL AND case_id IS NULL;"

    "CREATE TABLE task ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " title TEXT NOT NULL,"
    " due_ms INTEGER,"
    " owner TEXT,"
    " status TEXT NOT NULL CHECK (status IN ('open', 'done')),"
    " lead_id INTEGER, contact_id INTEGER, deal_id INTEGER, case_id INTEGER,"
    " created_by TEXT NOT NULL,"
    " done_ms INTEGER,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, deleted_ms INTEGER"
    ") STRICT;"
    "CREATE INDEX task_lead ON task (lead_id) WHERE lead_id IS NOT NULL;"

    "CREATE TABLE tag ("
    " entity TEXT NOT NULL,"
    " record_id INTEGER NOT NULL,"
    " tag TEXT NOT NULL,"                     /* folded */
    " created_ms INTEGER NOT NULL,"
    " PRIMARY KEY (entity, record_id, tag)"
    ") STRICT, WITHOUT ROWID;"

    /* where each pool's round stands: {"anna": -1, "ben": 1} */
    "CREATE TABLE pool_cursor ("
    " pool TEXT PRIMARY KEY,"
    " state TEXT NOT NULL,"
    " updated_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;";
