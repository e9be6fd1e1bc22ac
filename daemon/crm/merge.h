/* SPDX-License-Identifier: ISC
 *
 * merge - two records that are one, and taking that back
 *
 * Everything that belongs to the merged record moves to the one that stays, what that
 * one does not know is filled in, and the merged one is marked deleted and leads on
 * (store/merged.h). All of it are ordinary changes, so undo finds them in the journal;
 * but where undo of other commands refuses when something was changed later, undo of a
 * merge keeps what was changed and says so: see cmd_undo.c.
 */
#ifndef LEADD_CRM_MERGE_H
#define LEADD_CRM_MERGE_H

#include "base/buf.h"
#include "crm/ctx.h"

#define MERGE_MAX 1500 /* related records that one merge moves */

/* How many of each kind moved. */
struct merge_moved {
    int count[CRM_ENTITY_COUNT];
    int addresses;
};

/* Contacts, companies, leads or cases. ERR_INPUT, and nothing was changed, when they cannot be one. */
int crm_merge(struct crm_ctx *ctx, enum crm_entity t, int64_t into, int64_t from,
              struct merge_moved *out, struct err *e) LEADD_MUST_CHECK;

/* The record that stands for this one: itself, or the one it was merged into. */
int crm_follow(struct db *db, enum crm_entity t, int64_t *id, struct err *e) LEADD_MUST_CHECK;

/* May `from` go its own way again? moved: {"L7": true}, what the merge of that time had
 * moved. Refused while a later merge stands in the way. */
int crm_unmerge_check(struct crm_ctx *ctx, enum crm_entity t, int64_t into, int64_t from,
                      const json_t *moved, int64_t at_ms, struct err *e) LEADD_MUST_CHECK;
/* When the changes are taken back: what was filed since then on records that went back
 * goes with them; what stays is named in told. */
int crm_unmerge_settle(struct crm_ctx *ctx, enum crm_entity t, int64_t into, int64_t from,
                       const json_t *moved, int64_t since_ms, struct buf *told,
                       struct err *e) LEADD_MUST_CHECK;

#endif
