/* SPDX-License-Identifier: ISC
 *
 * find - records by words, for a person who looks for one
 *
 * An address or phone number is looked up; other words must all occur in what a list
 * shows of a lead, case or contact, folded. Only the newest FIND_SCAN of each kind are
 * read, so that no question holds up the engine: leadctl list sees all.
 */
#ifndef LEADD_CRM_FIND_H
#define LEADD_CRM_FIND_H

#include "crm/crm.h"

/* Adds a text for each hit that the user may see, leads first, at most `most`. */
int crm_find(struct crm_ctx *ctx, const char *user, const char *words, size_t most, json_t *hits,
             struct err *e) LEADD_MUST_CHECK;

#endif
