/* SPDX-License-Identifier: ISC
 *
 * rows - the ends of a query: one row as JSON, all rows, or one blob
 *
 * Each takes the query over and ends it. what names the row in the message
 * when there is none ("no outbox row 7", ERR_INPUT).
 */
#ifndef LEADD_STORE_ROWS_H
#define LEADD_STORE_ROWS_H

#include <jansson.h>

#include "store/db.h"

typedef json_t *(*rows_read_fn)(struct db_rows *r);

json_t *rows_one(struct db_rows *r, rows_read_fn read, const char *what, int64_t id,
                 struct err *e);
json_t *rows_all(struct db_rows *r, rows_read_fn read, struct err *e);
/* The first column of the first row; own (mem_free), followed by a NUL. */
char *rows_blob(struct db_rows *r, size_t *n_out, const char *what, int64_t id, struct err *e);
/* The last id of a table before at_ms. newest asks for the table's last id, next ($1: an id)
 * for the time of the row behind it. Ids and times rise together, as long as nobody sets
 * the clock back. */
int rows_before(struct db *db, const char *newest, const char *next, int64_t at_ms,
                int64_t *id_out, struct err *e) LEADD_MUST_CHECK;
/* The first column of the first row, a JSON text. */
json_t *rows_read_json(struct db_rows *r);

#endif
