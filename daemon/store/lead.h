/* SPDX-License-Identifier: ISC
 *
 * lead - leads
 */
#ifndef LEADD_STORE_LEAD_H
#define LEADD_STORE_LEAD_H

#include "store/record.h"

int lead_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out,
             struct err *e) LEADD_MUST_CHECK;
/* The newest lead of the contact that is not closed; 0 when there is none. */
int lead_find_open(struct db *db, int64_t contact_id, int64_t *id_out,
                   struct err *e) LEADD_MUST_CHECK;
/* Leads of a contact, newest first: db_step and record_of_row. */
struct db_rows *lead_of_contact(struct db *db, int64_t contact_id);

#endif
