/* SPDX-License-Identifier: ISC
 *
 * offer - what mails and forms of a contact said about him, and nobody has taken yet
 *
 * Kept once each, the first time. channel: "phone", "email" (folded), "title", "company",
 * "name". source: "form", "signature", "text". Whoever wrote it is not proven: a person
 * takes it, or leaves it.
 */
#ifndef LEADD_STORE_OFFER_H
#define LEADD_STORE_OFFER_H

#include <jansson.h>

#include "store/db.h"

/* new_out: it was not there. */
int offer_add(struct db *db, int64_t contact, const char *channel, const char *value,
              const char *source, int64_t message, int64_t now_ms, bool *new_out,
              struct err *e) LEADD_MUST_CHECK;
/* [{"channel","value","source","message_id","at_ms"}], the newest first. */
json_t *offer_list(struct db *db, int64_t contact, struct err *e);
/* [{"contact_id","source"}]: whose messages named it, the newest first. */
json_t *offer_named(struct db *db, const char *channel, const char *value, struct err *e);
/* Is there any offer at all? */
int offer_any(struct db *db, bool *out, struct err *e) LEADD_MUST_CHECK;

#endif
