/* SPDX-License-Identifier: ISC
 *
 * sqlite_inner - between the two files that know SQLite
 */
#ifndef LEADD_STORE_SQLITE_INNER_H
#define LEADD_STORE_SQLITE_INNER_H

#include <sqlite3.h>

#include "store/db.h"

sqlite3 *sqlite_handle(struct db *db);

#endif
