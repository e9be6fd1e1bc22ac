/* SPDX-License-Identifier: ISC
 *
 * imap_answer - out of libetpan's trees into what imap.h promises
 *
 * Everything here has been sent by the server: numbers that were not asked for
 * are left out, text is made valid, lists are bounded.
 */
#ifndef LEADD_INTAKE_IMAP_ANSWER_H
#define LEADD_INTAKE_IMAP_ANSWER_H

#include "intake/imap.h"

/* The first of a list; libetpan leaves out the list itself when nothing is in it. */
static inline clistiter *imap_first(clist *list)
{
    return list ? clist_begin(list) : NULL;
}

void imap_add_day(struct buf *out, int64_t ms);   /* "21-Nov-2026" */
void imap_add_since(struct buf *out, int64_t ms); /* " SINCE 21-Nov-2026" */
/* Of LIST: the folder for sent mail, as it travels (own), or NULL. */
char *imap_take_sent(clist *listed);
void imap_take_search(clist *found, uint32_t from, struct imap_uids *out);
/* Items of these uids (ascending), in their order; returns how many. */
size_t imap_take_items(clist *fetched, const uint32_t *uids, size_t count,
                       struct imap_item *items);
void imap_give_bodies(clist *fetched, imap_body_fn fn, void *arg);
json_t *imap_parts(const struct mailimap_body *body);

#endif
