/* SPDX-License-Identifier: ISC
 *
 * secret - which secret address each user has at present, and which signatures of
 * mails were let command already
 *
 * The address is made from the number of the row and the key of the installation;
 * another row is another address, and the old one is nobody's.
 */
#ifndef LEADD_STORE_SECRET_H
#define LEADD_STORE_SECRET_H

#include "base/json.h"
#include "store/db.h"

/* 0 in *id_out: the user has none. */
int secret_get(struct db *db, const char *user, int64_t *id_out, int64_t *made_ms_out,
               struct err *e) LEADD_MUST_CHECK;
/* A new one in place of what there was. */
int secret_renew(struct db *db, const char *user, int64_t now_ms, int64_t *id_out,
                 struct err *e) LEADD_MUST_CHECK;
int secret_remove(struct db *db, const char *user, struct err *e) LEADD_MUST_CHECK;

/* How many records a dropbox made without proof, in a day that began at since_ms; zeroes
 * when there is no row. user "": the company's. */
int dropbox_rate_get(struct db *db, const char *user, int64_t *since_ms_out, int64_t *made_out,
                     struct err *e) LEADD_MUST_CHECK;
int dropbox_rate_put(struct db *db, const char *user, int64_t since_ms, int64_t made,
                     struct err *e) LEADD_MUST_CHECK;

/* *message_out: the message that had it before; else 0, and it is this one's now. */
int signature_use(struct db *db, int64_t hash, int64_t message_id, int64_t *message_out,
                  struct err *e) LEADD_MUST_CHECK;

#endif
