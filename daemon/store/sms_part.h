/* SPDX-License-Identifier: ISC
 *
 * sms_part - parts of a long text, which come in any order, until all are there
 */
#ifndef LEADD_STORE_SMS_PART_H
#define LEADD_STORE_SMS_PART_H

#include <jansson.h>

#include "store/db.h"

struct sms_part {
    const char *theirs, *ours, *ref; /* which text */
    int64_t part, total;             /* from 1 */
    const char *text, *key;          /* key: the gateway's id of the part */
    int64_t at_ms;
};

/* One that is there already stays as it is. */
int sms_part_add(struct db *db, const struct sms_part *p, struct err *e) LEADD_MUST_CHECK;
/* Those of the text that are there, in their order: [{part, total, text, key, at_ms}]. */
json_t *sms_part_list(struct db *db, const struct sms_part *p, struct err *e);
int sms_part_drop(struct db *db, const struct sms_part *p, struct err *e) LEADD_MUST_CHECK;

#endif
