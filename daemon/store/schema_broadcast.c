/* SPDX-License-Identifier: ISC
 *
 * schema_broadcast - letters to many: how far each is, and what became of everybody
 */
#include "store/migrate.h"

const char schema_broadcast_1[] =
    "CREATE TABLE broadcast ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE,"
    " state TEXT NOT NULL,"                   /* see store/broadcast.h */
    " was TEXT,"                              /* the state before it was paused */
    " source TEXT NOT NULL,"                  /* JSON; its definition and its segment's */
    " by TEXT NOT NULL, reason TEXT,"         /* who started it; why it rests or ended */
    " created_ms INTEGER NOT NULL, begin_ms INTEGER NOT NULL,"
    " confirmed INTEGER NOT NULL DEFAULT 0,"  /* so many recipients at most need no question */
    " walk_id INTEGER NOT NULL DEFAULT 0, walk_to INTEGER NOT NULL DEFAULT 0,"
    " recipients INTEGER NOT NULL DEFAULT 0,"
    " dealt INTEGER NOT NULL DEFAULT 0,"      /* mails written in this phase */
    " winner INTEGER NOT NULL DEFAULT 0, winner_why TEXT,"
    " decide_ms INTEGER, ended_ms INTEGER"
    ") STRICT;"

    /* where recipients live: zones, parted by blanks; '' for all of them */
    "CREATE TABLE broadcast_zone ("
    " broadcast_id INTEGER NOT NULL, zone INTEGER NOT NULL, names TEXT NOT NULL,"
    " PRIMARY KEY (broadcast_id, zone)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE broadcast_part ("
    " broadcast_id INTEGER NOT NULL, contact_id INTEGER NOT NULL, lead_id INTEGER,"
    " state TEXT NOT NULL, reason TEXT,"
    " mailbox TEXT,"                          /* the address without its tag; personal */
    " zone INTEGER NOT NULL, rank INTEGER NOT NULL,"
    " variant INTEGER NOT NULL DEFAULT 0, test INTEGER NOT NULL DEFAULT 0,"
    " outbox_id INTEGER,"
    " made_ms INTEGER, sent_ms INTEGER, bounced_ms INTEGER, replied_ms INTEGER,"
    " unsubscribed_ms INTEGER, won_ms INTEGER,"
    " PRIMARY KEY (broadcast_id, contact_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX broadcast_part_next ON broadcast_part (broadcast_id, zone, rank)"
    " WHERE state = 'waiting';"
    "CREATE INDEX broadcast_part_made ON broadcast_part (state, broadcast_id) WHERE state = 'made';"
    "CREATE INDEX broadcast_part_contact ON broadcast_part (contact_id);"
    "CREATE INDEX broadcast_part_mailbox ON broadcast_part (mailbox, broadcast_id);";
