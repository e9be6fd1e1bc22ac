/* SPDX-License-Identifier: ISC
 *
 * migrate - the numbered, append-only steps from an empty file to this schema
 *
 * A step that has been released is never edited: a new one is added. meta
 * holds the number of the last step done ("schema").
 */
#ifndef LEADD_MIGRATE_H
#define LEADD_MIGRATE_H

extern const char schema_pipeline_1[]; /* schema_pipeline.c */
extern const char schema_crm_1[];      /* schema_crm.c */
extern const char schema_look_1[];     /* schema_look.c */
extern const char schema_lean_1[];     /* schema_lean.c */
extern const char schema_rules_1[];    /* schema_rules.c */
extern const char schema_mail_1[];     /* schema_mail.c */
extern const char schema_sequence_1[]; /* schema_sequence.c */
extern const char schema_optout_1[];   /* schema_optout.c */
extern const char schema_outbox_1[];   /* schema_outbox.c */
extern const char schema_form_1[];     /* schema_form.c */
extern const char schema_task_1[];     /* schema_task.c */
extern const char schema_click_1[];    /* schema_click.c */
extern const char schema_broadcast_1[]; /* schema_broadcast.c */
extern const char schema_sms_1[], schema_sms_in_1[];      /* schema_sms.c */

/* The number of the newest step. */
int migrate_newest(void);

#endif
