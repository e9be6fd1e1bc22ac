/* SPDX-License-Identifier: ISC
 *
 * sms_code - what a user was texted to prove with: codes, wrong ones, and the rest of answers
 */
#ifndef LEADD_STORE_SMS_CODE_H
#define LEADD_STORE_SMS_CODE_H

#include <jansson.h>

#include "store/db.h"

struct sms_code {
    int64_t id;
    const char *user, *kind, *code; /* kind: "command" or "relay" */
    const char *entity;             /* what it is about; may be NULL */
    int64_t record_id;
    const char *theirs, *ours;      /* relay: the contact's number and ours */
    const char *lines;              /* command: a JSON array of texts */
    int64_t message_id, created_ms, until_ms;
};

int sms_code_add(struct db *db, struct sms_code *c, struct err *e) LEADD_MUST_CHECK;
/* The one that is valid then, as an object with the members' names; NULL in *out: none. */
int sms_code_find(struct db *db, const char *user, const char *code, int64_t now_ms, json_t **out,
                  struct err *e) LEADD_MUST_CHECK;
int sms_code_use(struct db *db, int64_t id, int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* The relay code of that user for a number that is still valid; *out is NULL when none. */
int sms_code_relay(struct db *db, const char *user, const char *theirs, const char *ours,
                   int64_t now_ms, json_t **out, struct err *e) LEADD_MUST_CHECK;
int sms_code_extend(struct db *db, int64_t id, const char *entity, int64_t record_id,
                    int64_t until_ms, struct err *e) LEADD_MUST_CHECK;
/* How many command codes the user was sent since then. */
int sms_code_count(struct db *db, const char *user, int64_t since_ms, int64_t *out,
                   struct err *e) LEADD_MUST_CHECK;

/* Wrong PINs and codes: counted from at_ms on. */
int sms_guess_get(struct db *db, const char *user, int64_t *n_out, int64_t *at_out,
                  struct err *e) LEADD_MUST_CHECK;
int sms_guess_set(struct db *db, const char *user, int64_t n, int64_t at_ms,
                  struct err *e) LEADD_MUST_CHECK;

/* What did not fit into the last answer; *out is own, NULL: nothing. */
int sms_more_get(struct db *db, const char *user, char **out, struct err *e) LEADD_MUST_CHECK;
/* NULL: nothing is left. */
int sms_more_set(struct db *db, const char *user, const char *text, int64_t now_ms,
                 struct err *e) LEADD_MUST_CHECK;

#endif
