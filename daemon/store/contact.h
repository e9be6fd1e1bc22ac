/* SPDX-License-Identifier: ISC
 *
 * contact - companies, contacts, their addresses and tags
 */
#ifndef LEADD_STORE_CONTACT_H
#define LEADD_STORE_CONTACT_H

#include "store/record.h"

/* rec has the columns by name; what it has not is NULL. */
int company_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out,
                struct err *e) LEADD_MUST_CHECK;
/* 0 in *id_out when there is none. Also finds a deleted one. */
int company_find(struct db *db, const char *domain, int64_t *id_out,
                 struct err *e) LEADD_MUST_CHECK;
/* By its name; reads the whole table, for a person who asks. */
int company_named(struct db *db, const char *name, int64_t *id_out,
                  struct err *e) LEADD_MUST_CHECK;
int contact_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out,
                struct err *e) LEADD_MUST_CHECK;

/* Contacts of a company, newest first: db_step and record_of_row. */
struct db_rows *contact_of_company(struct db *db, int64_t company_id);

/* {"channel","value","display","contact_id","verified_ms",...}; *out is NULL when unknown. */
int address_get(struct db *db, const char *channel, const char *value, json_t **out,
                struct err *e) LEADD_MUST_CHECK;
/* Adds it, or gives it to this contact (contact_id 0: to nobody). */
int address_put(struct db *db, const char *channel, const char *value, const char *display,
                int64_t contact_id, int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* Those that no automatic mail or text goes to, newest first: {"value", "contact_id", "reason":
 * "opted_out" or "bouncing", "words", "source" (who said so, of the ledger), "at_ms"}; reason
 * NULL: both. NULL with e. */
json_t *address_stopped(struct db *db, const char *reason, int64_t limit, struct err *e);
enum address_state { ADDRESS_VERIFIED, ADDRESS_BOUNCING, ADDRESS_OPTED_OUT };
/* at_ms 0 takes the state away. The address is added when unknown. */
int address_set_state(struct db *db, const char *channel, const char *value,
                      enum address_state state, int64_t at_ms, const char *reason, int64_t now_ms,
                      struct err *e) LEADD_MUST_CHECK;
/* When follow-ups to an email address or a number (+43..) were written, an array of times; empty when
 * there were none lately. The ladder decides what is kept. */
int address_sent(struct db *db, const char *value, json_t **out, struct err *e) LEADD_MUST_CHECK;
/* The address is added when unknown. */
int address_set_sent(struct db *db, const char *value, const json_t *times, int64_t now_ms,
                     struct err *e) LEADD_MUST_CHECK;
/* Array of address_get objects: usable ones first, then the newest. */
int address_list(struct db *db, int64_t contact_id, json_t **out, struct err *e) LEADD_MUST_CHECK;

int tag_set(struct db *db, const char *entity, int64_t id, const char *tag, bool on, int64_t now_ms,
            struct err *e) LEADD_MUST_CHECK;
int tag_list(struct db *db, const char *entity, int64_t id, json_t **out,
             struct err *e) LEADD_MUST_CHECK;

#endif
