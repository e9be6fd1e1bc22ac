/* SPDX-License-Identifier: ISC
 *
 * case - support cases (the table is support_case: case is a word of SQL)
 */
#ifndef LEADD_STORE_CASE_H
#define LEADD_STORE_CASE_H

#include "store/record.h"

int case_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out,
             struct err *e) LEADD_MUST_CHECK;
/* The contact's newest case that is not closed; 0 when there is none. */
int case_find_open(struct db *db, int64_t contact_id, int64_t *id_out,
                   struct err *e) LEADD_MUST_CHECK;
/* Cases of a contact, newest first: db_step and record_of_row. */
struct db_rows *case_of_contact(struct db *db, int64_t contact_id);

#endif
