/* SPDX-License-Identifier: ISC
 *
 * filter - which records a list is asked for: "status=new", "country=DE"
 *
 * A name is a field of the record itself, with or without its entity ("score",
 * "lead.score"), one of a record it belongs to ("contact.country"), or a column of
 * its table. A value is written as in a rule; empty means not set, and of a time
 * its beginning is enough ("created=2026-11"). What is not known is refused with the
 * nearest name: an empty list would say that there is nothing.
 */
#ifndef LEADD_CRM_FILTER_H
#define LEADD_CRM_FILTER_H

#include "crm/ctx.h"

#define FILTERS_MAX 16

struct crm_field;

struct filter {
    char *name, *value;            /* own */
    const struct crm_field *field; /* NULL: a column of the table */
    int index;                     /* of field */
    bool time;                     /* a column that is a time */
    int64_t num;                   /* of a number, a length, an amount, yes or no */
    char currency[4];
};

struct filters {
    struct filter v[FILTERS_MAX];
    size_t count;
    const char *status, *owner; /* borrowed: those that the SQL knows */
};

/* list: ["status=new", ..]. ERR_INPUT says what is wrong with it. */
int filters_read(struct crm *crm, enum crm_entity t, const json_t *list, struct filters *out,
                 struct err *e) LEADD_MUST_CHECK;
void filters_done(struct filters *f);

enum filter_match { FILTER_NO, FILTER_YES, FILTER_FAILED };
/* Does the record meet all of them? FAILED with e: the store failed. */
enum filter_match filters_match(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec,
                                const struct filters *f, struct err *e);

#endif
