/* SPDX-License-Identifier: ISC
 *
 * scene - what a test or an explanation plays through: steps on an engine of its own
 *
 * A step is one of a test's `given` (config/tests.c). The scene remembers what a reader
 * would: which record it is about, what the sender was told, and what has happened since
 * it was last asked. Nothing it does leaves the process.
 */
#ifndef LEADD_TOOL_SCENE_H
#define LEADD_TOOL_SCENE_H

#include "crm/crm.h"
#include "engine/solo.h"

/* What tests call the mail that asks to confirm a form: the file of its words. */
#define SCENE_CONFIRM "_notice-confirm"

struct scene {
    struct solo *solo;         /* borrowed */
    const json_t *config;      /* borrowed; the config tree */
    struct solo_answer answer; /* to the last form, mail or command */
    char record[CRM_ID_LEN];   /* lead, case or contact of the last step that had one; "" */
    int64_t journal, outbox, calls;   /* rows up to these belong to what was asked before */
    int mails;                 /* numbers the Message-IDs of its mails */
};

/* An empty CRM at that time. */
int scene_begin(struct scene *s, struct solo *solo, const json_t *config, int64_t at_ms,
                struct err *e) LEADD_MUST_CHECK;
/* Plays one step that is not an expect. A refused command is no error but the answer
 * "refused"; an error is a step that cannot be played. */
int scene_step(struct scene *s, const json_t *step, struct err *e) LEADD_MUST_CHECK;
/* What happens from now on is new. */
int scene_mark(struct scene *s, struct err *e) LEADD_MUST_CHECK;

/* Since the mark, oldest first; own, NULL with e. Mails are rows of outbox_list without
 * those to the administrator. */
json_t *scene_journal(const struct scene *s, struct err *e);
json_t *scene_mails(const struct scene *s, struct err *e);
/* The same of what reminds of tasks, which scene_mails() leaves out. */
json_t *scene_reminders(const struct scene *s, struct err *e);
json_t *scene_calls(const struct scene *s, struct err *e);

const char *scene_zone(const struct scene *s);
/* A time as tests write it: "2026-11-20 10:00" in the zone, or RFC 3339. */
int scene_time(const char *zone, const char *text, int64_t *ms_out, struct err *e)
    LEADD_MUST_CHECK;
/* The record that about names: an id, or the address of a contact, whose newest lead or
 * case it is. */
int scene_find(const struct scene *s, const char *about, char out[CRM_ID_LEN], struct err *e)
    LEADD_MUST_CHECK;

/* The bytes of a step's mail (scene_mail.c). */
int scene_mail(struct scene *s, const json_t *mail, struct buf *out, struct err *e)
    LEADD_MUST_CHECK;

#endif
