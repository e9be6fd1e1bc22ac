/* SPDX-License-Identifier: ISC
 *
 * schema_sequence - who goes through which steps
 */
#include "store/migrate.h"

const char schema_sequence_1[] =
    /* definitions as they were when somebody began; the same one has one row */
    "CREATE TABLE sequence_version ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " hash TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL,"
    " source TEXT NOT NULL,"                  /* JSON */
    " at_ms INTEGER NOT NULL"
    ") STRICT;"

    /* when the next step is due is in the table of timers, kind 'sequence' */
    "CREATE TABLE enrolment ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " sequence TEXT NOT NULL,"
    " version_id INTEGER NOT NULL,"
    " entity TEXT NOT NULL, record_id INTEGER NOT NULL,"
    " contact_id INTEGER,"
    " state TEXT NOT NULL,"                   /* active, paused, done, stopped */
    " step INTEGER NOT NULL DEFAULT 0,"       /* once it is not active: where it stood, and */
    " due_ms INTEGER,"                        /* when it would have gone on */
    " variants TEXT,"                         /* \"4:2 7:1\": which fell to it */
    " began_by TEXT NOT NULL, began_ms INTEGER NOT NULL,"
    " ended_ms INTEGER, reason TEXT"          /* why it was paused, or ended */
    ") STRICT;"
    "CREATE UNIQUE INDEX enrolment_running ON enrolment (entity, record_id, sequence)"
    " WHERE ended_ms IS NULL;"
    "CREATE INDEX enrolment_record ON enrolment (entity, record_id);"
    "CREATE INDEX enrolment_contact ON enrolment (contact_id) WHERE ended_ms IS NULL;"
    "CREATE INDEX enrolment_sequence ON enrolment (sequence, state);";
