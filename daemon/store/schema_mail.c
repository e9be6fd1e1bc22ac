/* SPDX-License-Identifier: ISC
 *
 * schema_mail - tables of what mail brings besides records: what waits for a proof
 */
#include "store/migrate.h"

const char schema_mail_1[] =
    /* commands of somebody who said to be a user and did not prove it: kept until he
     * confirms them, or a person releases or drops them */
    "CREATE TABLE held ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " user TEXT NOT NULL,"
    " message_id INTEGER NOT NULL,"           /* row of message */
    " entity TEXT, record_id INTEGER,"        /* the record they are about, when it is known */
    " lines TEXT NOT NULL,"                   /* a command each */
    " why TEXT NOT NULL,"
    " state TEXT NOT NULL DEFAULT 'held',"
    " created_ms INTEGER NOT NULL, settled_ms INTEGER"
    ") STRICT;"
    /* the address for commands that only one user knows; another row is another address */
    "CREATE TABLE secret_address ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " user TEXT NOT NULL UNIQUE,"
    " created_ms INTEGER NOT NULL"
    ") STRICT;";
