/* SPDX-License-Identifier: ISC
 *
 * rep - a user's mail: its commands are run, and answered; its words become a note
 *
 * Called for each mail of a user after it was filed, inside its savepoint. Each
 * command is an input of its own, with its own journal row, so that each stands
 * alone: a line that is refused leaves the others, and each can be taken back. The
 * answer tells for every line what was done, or what would be valid.
 *
 * A mail whose sender is not proven runs nothing and is not answered from here: its
 * commands are held. Nothing that a machine wrote, and no mail that is older than
 * its mailbox lets automation see, is looked at.
 */
#ifndef LEADD_ENGINE_REP_H
#define LEADD_ENGINE_REP_H

#include "crm/crm.h"
#include "engine/engine.h"

struct sms_rep;

struct rep_mail {
    const json_t *message; /* as it was parsed */
    const char *user;      /* whose mail it is, by its From */
    bool proven;           /* and it really is, and may command: see proof.h */
    const char *unproven;  /* why not, in words */
    const char *released;  /* it was held, and who confirmed it; else NULL */
    const char *hold;      /* why nothing automatic may come of it, or NULL */
    int64_t message_id;    /* M */
    struct crm_target target; /* what it was filed with; nothing: no record */
    const char *plus;      /* words of our address: "task-tomorrow", "L42"; or NULL */
    bool to_contact;       /* the customer has it already: its words are no note */
    bool light;            /* whose number it came from is all that is known: notes, snoozes and
                            * questions, and nothing else */
    const struct sms_rep *sms; /* it came by SMS, and is answered so; else NULL */
    bool conversation;     /* it came to a conversation address: its words are for the customer */
};

/* What is left when the commands are out. */
struct rep_rest {
    char *words;        /* own; "" when nothing is left but a greeting */
    const char *inside; /* why the words must not go to a customer; NULL: they may */
    bool commands;      /* there were some, or what looks like one; they are answered or held */
    bool noted;         /* they are a note of the record now */
};

int rep_take(struct engine *eng, const struct rep_mail *m, struct rep_rest *out, struct err *e)
    LEADD_MUST_CHECK;
void rep_rest_done(struct rep_rest *r);

struct rep_lines;
/* What of a user's mail are commands; rep_lines_done. plus as in rep_mail. */
void rep_lines_of(struct engine *eng, const json_t *message, const char *plus,
                  struct rep_lines *out);

/* The commands of a mail that was held, now that somebody has confirmed them: by, in
 * words. What else the mail says stays where it is. */
int rep_release(struct engine *eng, int64_t message_id, const char *user,
                const struct crm_target *target, const char *by, struct err *e) LEADD_MUST_CHECK;

#endif
