/* SPDX-License-Identifier: ISC
 *
 * receive_inner - what receive.c and receive_user.c share
 */
#ifndef LEADD_CRM_RECEIVE_INNER_H
#define LEADD_CRM_RECEIVE_INNER_H

#include "crm/cmd.h"

#define RECEIVE_SUBJECT_MAX 300

struct receive {
    struct crm_ctx *ctx;
    const struct crm_input *in;
    struct crm_who *who;
    const json_t *message; /* also of a form */
    const char *creates, *source;
    char subject[RECEIVE_SUBJECT_MAX + 1];
    bool person;
};

void receive_subject(struct receive *r, const char *subject, size_t max);
int receive_new_contact(struct receive *r, struct err *e) LEADD_MUST_CHECK;
int receive_new_record(struct receive *r, enum crm_entity t, struct err *e) LEADD_MUST_CHECK;
/* It is the contact's: creates what r->creates says, or files it where it belongs. */
int receive_contact(struct receive *r, struct err *e) LEADD_MUST_CHECK;
/* It is one of ours'. */
int receive_user(struct receive *r, struct err *e) LEADD_MUST_CHECK;

#endif
