/* SPDX-License-Identifier: ISC
 *
 * sms_pair - one row for each number of ours and each of theirs: what was last texted about
 *
 * That is the thread of an SMS, which carries no reference: the record of the last text
 * between the two, whichever way it went.
 */
#ifndef LEADD_STORE_SMS_PAIR_H
#define LEADD_STORE_SMS_PAIR_H

#include <jansson.h>

#include "store/db.h"

struct sms_pair {
    int64_t lead_id, case_id, contact_id;
    int64_t in_ms, out_ms; /* the last one each way; 0: none */
};

/* Zeroes when there is none. */
int sms_pair_get(struct db *db, const char *ours, const char *theirs, struct sms_pair *out,
                 struct err *e) LEADD_MUST_CHECK;
int sms_pair_put(struct db *db, const char *ours, const char *theirs, const struct sms_pair *p,
                 struct err *e) LEADD_MUST_CHECK;
/* When they last texted any number of ours; 0: never. */
int sms_pair_last_in(struct db *db, const char *theirs, int64_t *ms_out,
                     struct err *e) LEADD_MUST_CHECK;
/* The number of ours that this contact's number texted with last; *out is own, NULL: none. */
int sms_pair_ours(struct db *db, const char *theirs, char **out, struct err *e) LEADD_MUST_CHECK;

#endif
