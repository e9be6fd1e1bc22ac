/* SPDX-License-Identifier: ISC
 *
 * schema_lean - what each new lead paid for and nothing needed
 *
 * An index on a value that comes at random costs a page of its own for every
 * row, in the log and in the file; one on a value that grows costs next to
 * nothing. So what can be found in another way has no such index: a mail of ours
 * by the row's number in its Message-ID, the mails to one address by the times
 * kept with the address, a message without Message-ID not at all.
 *
 * For IN with more than two words SQLite fills a table in memory at every insert;
 * the checks are the same in other words. Changing them in the schema's text is
 * what SQLite's documentation advises when no stored row can be touched by it.
 */
#include "store/migrate.h"

const char schema_lean_1[] =
    "PRAGMA writable_schema = ON;"
    "UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''filed'', ''ignored'',"
    " ''quarantined'')',"
    " 'state = ''filed'' OR state = ''ignored'' OR state = ''quarantined''')"
    " WHERE type = 'table' AND name = 'ledger';"
    "UPDATE sqlite_schema SET sql = replace(sql, 'state IN  (''ready'', ''claimed'',"
    " ''sent'', ''deferred'', ''failed'', ''unknown'', ''held'')',"
    " 'state = ''ready'' OR state = ''claimed'' OR state = ''sent'' OR state = ''deferred''"
    " OR state = ''failed'' OR state = ''unknown'' OR state = ''held''')"
    " WHERE type = 'table' AND name = 'outbox';"
    "UPDATE sqlite_schema SET sql = replace(sql, 'status IN (''new'', ''contacted'',"
    " ''qualified'', ''closed'')',"
    " 'status = ''new'' OR status = ''contacted'' OR status = ''qualified'' OR status ="
    " ''closed''')"
    " WHERE type = 'table' AND name = 'lead';"
    "UPDATE sqlite_schema SET sql = replace(sql, 'kind IN  (''mail'', ''form'', ''note'',"
    " ''call'', ''meeting'', ''sms'', ''order'')',"
    " 'kind = ''mail'' OR kind = ''form'' OR kind = ''note'' OR kind = ''call'' OR kind ="
    " ''meeting'' OR kind = ''sms'' OR kind = ''order''')"
    " WHERE type = 'table' AND name = 'activity';"
    "UPDATE sqlite_schema SET sql = replace(sql, 'direction IN (''in'', ''out'',"
    " ''none'')',"
    " 'direction = ''in'' OR direction = ''out'' OR direction = ''none''')"
    " WHERE type = 'table' AND name = 'activity';"
    "UPDATE sqlite_schema SET sql = replace(sql, 'status IN (''open'', ''won'', ''lost'')',"
    " 'status = ''open'' OR status = ''won'' OR status = ''lost''')"
    " WHERE type = 'table' AND name = 'deal';"
    "UPDATE sqlite_schema SET sql = replace(sql, 'status IN (''open'', ''waiting'',"
    " ''closed'')',"
    " 'status = ''open'' OR status = ''waiting'' OR status = ''closed''')"
    " WHERE type = 'table' AND name = 'support_case';"
    "UPDATE sqlite_schema SET sql = replace(sql, 'priority IN (''low'', ''normal'',"
    " ''high'', ''urgent'')',"
    " 'priority = ''low'' OR priority = ''normal'' OR priority = ''high'' OR priority ="
    " ''urgent''')"
    " WHERE type = 'table' AND name = 'support_case';"
    "PRAGMA writable_schema = RESET;"

    "DROP INDEX outbox_odd;"
    "CREATE INDEX outbox_odd ON outbox (state)"
    " WHERE state <> 'ready' AND state <> 'claimed' AND state <> 'sent';"
    "DROP INDEX outbox_msgid;"
    "DROP INDEX message_msgid;"
    "CREATE INDEX message_msgid ON message (msgid_hash) WHERE msgid_hash IS NOT NULL;"

    /* JSON: when follow-ups to this address were written, in the last ten hours */
    "ALTER TABLE address ADD COLUMN sent TEXT;"
    "INSERT OR IGNORE INTO address (channel, value, display, created_ms)"
    " SELECT 'email', to_addr, to_addr, max(created_ms) FROM outbox"
    " WHERE class <> 'notice' AND created_ms > (SELECT max(created_ms) FROM outbox) - 36000000"
    " GROUP BY to_addr;"
    "UPDATE address SET sent = (SELECT json_group_array(created_ms) FROM"
    "  (SELECT created_ms FROM outbox WHERE to_addr = address.value AND class <> 'notice'"
    "   AND created_ms > (SELECT max(created_ms) FROM outbox) - 36000000"
    "   ORDER BY created_ms DESC LIMIT 360))"
    " WHERE channel = 'email' AND value IN"
    "  (SELECT to_addr FROM outbox WHERE class <> 'notice'"
    "   AND created_ms > (SELECT max(created_ms) FROM outbox) - 36000000);"
    "DROP INDEX outbox_to;";
