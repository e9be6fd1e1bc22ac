/* SPDX-License-Identifier: ISC
 *
 * activity - what happened with people: mails, forms, notes, calls
 */
#ifndef LEADD_STORE_ACTIVITY_H
#define LEADD_STORE_ACTIVITY_H

#include "store/record.h"

int activity_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out,
                 struct err *e) LEADD_MUST_CHECK;
/* Activities of a "lead", "case", "deal" or "contact", newest first. */
struct db_rows *activity_of(struct db *db, const char *entity, int64_t id, int64_t limit);

#endif
