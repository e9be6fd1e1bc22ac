/* SPDX-License-Identifier: ISC
 *
 * address - address fields and dates
 *
 * libetpan reads what follows the grammar; what it refuses or only half reads is
 * read again tolerantly: commas in bare names, dots, 8-bit names, lists with
 * semicolons, addresses without brackets. Values with deeply nested comments
 * never reach libetpan, whose parser recurses on them.
 */
#ifndef LEADD_MAIL_ADDRESS_H
#define LEADD_MAIL_ADDRESS_H

#include "mail/ctx.h"
#include "mail/header.h"

/* Appends {address, folded, name?} for each mailbox of all fields of that name. */
void mail_addresses_read(struct mail_ctx *c, const struct mail_fields *f, const char *name,
                         json_t *out);

/* The same for one field; name is for defects. */
void mail_address_field_read(struct mail_ctx *c, const struct mail_field *field, const char *name,
                             json_t *out);

/* One such object for a bare address (own), or NULL when s is none. */
json_t *mail_address_json(const char *address, const char *name);

/* RFC 5322 date, tolerantly. 0 or -1. */
int mail_date_parse(const char *s, int64_t *ms_out);

/* Appends ids without < > ("a@b"), each once, to a JSON array. */
void mail_ids_read(struct mail_ctx *c, const struct mail_field *f, size_t max, json_t *out);

#endif
