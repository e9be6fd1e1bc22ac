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
/* The owner of the newest lead of a contact, or of a company, but for the lead `but`;
 * "" when there is none. owner: n bytes. */
int lead_last_owner(struct db *db, int64_t of, int64_t but, bool company, char *owner, size_t n,
                    struct err *e) LEADD_MUST_CHECK;
/* Open leads and cases of a user. */
int lead_open_count(struct db *db, const char *owner, int64_t *out, struct err *e) LEADD_MUST_CHECK;
/* Makes the indexes for the two when the config needs them, and drops them when not:
 * every new lead would pay for them. Needs a transaction. */
int lead_indexes(struct db *db, bool by_owner, bool by_company, struct err *e) LEADD_MUST_CHECK;
/* Leads of a contact, newest first: db_step and record_of_row. */
struct db_rows *lead_of_contact(struct db *db, int64_t contact_id);

#endif
