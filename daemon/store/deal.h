/* SPDX-License-Identifier: ISC
 *
 * deal - deals
 */
#ifndef LEADD_STORE_DEAL_H
#define LEADD_STORE_DEAL_H

#include "store/record.h"

int deal_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out,
             struct err *e) LEADD_MUST_CHECK;
/* The lead's open deal, else (unless open_only) its newest; 0 when there is none. */
int deal_find(struct db *db, int64_t lead_id, bool open_only, int64_t *id_out,
              struct err *e) LEADD_MUST_CHECK;
/* Deals of a lead, newest first: db_step and record_of_row. */
struct db_rows *deal_of_lead(struct db *db, int64_t lead_id);

#endif
