/* SPDX-License-Identifier: ISC
 *
 * list - cells and rows of tables, shared by list and show
 */
#ifndef LEADD_CRM_LIST_H
#define LEADD_CRM_LIST_H

#include "crm/ctx.h"

json_t *crm_time_json(int64_t ms);                             /* RFC 3339, null for 0; own */
json_t *crm_money_json(int64_t minor, const char *currency);   /* "5000.00 EUR"; own */
/* One value of a record by its short name ("email", "created", "employees"); own,
 * JSON null when unset; NULL with e when the store failed. */
json_t *crm_cell(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec, const char *name,
                 struct err *e);
json_t *crm_table_columns(enum crm_entity t); /* own */
/* own; NULL with e */
json_t *crm_table_row(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec, struct err *e);

#endif
