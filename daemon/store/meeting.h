/* SPDX-License-Identifier: ISC
 *
 * meeting - which activity stands for an event of a contact's calendar
 */
#ifndef LEADD_STORE_MEETING_H
#define LEADD_STORE_MEETING_H

#include "store/db.h"

struct meeting_row {
    int64_t id, sequence, activity_id; /* id 0: there is none */
};

int meeting_find(struct db *db, int64_t contact_id, const char *uid, struct meeting_row *out,
                 struct err *e) LEADD_MUST_CHECK;
/* Adds it, or gives the one that is there this sequence and activity. */
int meeting_put(struct db *db, int64_t contact_id, const char *uid, int64_t sequence,
                int64_t activity_id, struct err *e) LEADD_MUST_CHECK;

/* One that we invited to. */
struct meeting_own {
    char *uid, *what; /* own; uid NULL: there is none */
    int64_t sequence, start_ms, end_ms;
};
int meeting_own_get(struct db *db, int64_t activity_id, struct meeting_own *out,
                    struct err *e) LEADD_MUST_CHECK;
void meeting_own_done(struct meeting_own *m);
int meeting_own_put(struct db *db, int64_t contact_id, int64_t activity_id,
                    const struct meeting_own *m, struct err *e) LEADD_MUST_CHECK;

#endif
