/* SPDX-License-Identifier: ISC
 *
 * user - users and teams as the config last had them
 */
#ifndef LEADD_STORE_USER_H
#define LEADD_STORE_USER_H

#include "base/json.h"
#include "store/db.h"

/* users and teams of the config tree. Who is no longer in it becomes inactive;
 * rows that are right already are not written. Needs a transaction. */
int user_sync(struct db *db, const json_t *users, const json_t *teams, int64_t now_ms,
              struct err *e) LEADD_MUST_CHECK;
/* [{"name","full_name","email","team","role","active"}] by name. */
int user_list(struct db *db, json_t **out, struct err *e) LEADD_MUST_CHECK;

/* Absences by the command `absent`: {USER: [{"from": ms, "until": ms, "reason"}]}. */
int user_absences(struct db *db, json_t **out, struct err *e) LEADD_MUST_CHECK;
/* All of one user's; an empty list or NULL: none. */
int user_absence_set(struct db *db, const char *user, const json_t *list, int64_t now_ms,
                     struct err *e) LEADD_MUST_CHECK;

#endif
