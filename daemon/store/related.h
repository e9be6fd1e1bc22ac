/* SPDX-License-Identifier: ISC
 *
 * related - how many records belong to another one, such as the open leads of a contact
 *
 * Each count is one query by an index that is there anyway: a count that would need an
 * index of its own has no row here, since every new record would pay for it. Deleted
 * records do not count.
 */
#ifndef LEADD_STORE_RELATED_H
#define LEADD_STORE_RELATED_H

#include "base/json.h"
#include "store/db.h"

/* What a record must be to count; as the text of the query says it. */
struct related {
    const char *name;   /* "contact.open_leads" */
    const char *child;  /* "lead": whose records are counted */
    const char *parent; /* column of the child with the id of the record it belongs to */
    struct {
        const char *col, *value; /* a column that is never NULL */
        bool other; /* any value but this one */
    } where[2];     /* col NULL: no condition */
    const char *sql;
};

/* NULL when there is none. */
const struct related *related_find(const char *name);
/* BOUND_RELATED at most: counting ends there. */
int related_count(struct db *db, const struct related *r, int64_t id, int64_t *out,
                  struct err *e) LEADD_MUST_CHECK;

#endif
