/* SPDX-License-Identifier: ISC
 *
 * conversation - between a lead or customer and the one of ours who looks after them
 *
 * What a contact answers goes to the owner of the record, from the company with the
 * contact's name shown, and with a conversation address as Reply-To. What the owner, or
 * another of ours, answers there goes to who wrote, in the company's name and in the
 * contact's own thread. The contact never
 * learns the address of ours.
 *
 * Nothing internal may ever leave this way, so a mail goes out only when all is certain:
 * the sender is proven, the mail answers one conversation and no notice, a person wrote
 * it, and nothing of what we wrote around the contact's words is left in it. In every
 * other case it stays inside, and told.text says why, for the answer to the sender.
 */
#ifndef LEADD_ENGINE_CONVERSATION_H
#define LEADD_ENGINE_CONVERSATION_H

#include "crm/crm.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "engine/thread.h"

/* A contact's mail was filed, and the rules have run (input_run): tells the owner. Does
 * nothing when settings.conversation is "off", for machine mail, for mail that is too
 * old to start anything, and with "answers" for the mail that made the record. */
int conversation_in(struct input *in, const struct crm_who *who, int64_t message_id,
                    struct err *e) LEADD_MUST_CHECK;
/* Files of a text that came after it: to the owner, when he was told of the text. raw: of
 * the message. */
int conversation_files(struct input *in, const struct crm_target *t, int64_t message_id,
                       bool (*take)(const json_t *attachment), const char *raw, size_t n,
                       struct err *e) LEADD_MUST_CHECK;
/* A mail carries the token of a record that its sender takes no part in: it was filed as
 * if it had none, and the owner of that record is to look. */
int conversation_stranger(struct input *in, const struct crm_who *who,
                          const struct thread *thread, int64_t message_id,
                          struct err *e) LEADD_MUST_CHECK;

/* What one of ours wrote. */
struct conversation_reply {
    const char *user;
    const struct thread *thread;  /* of the mail; its said must be a conversation */
    const struct crm_target *target;
    const json_t *message;        /* the whole mail */
    int64_t message_id;
    const char *words;            /* its new words without the commands; may be empty */
    const char *inside;           /* why they must not leave, as rep.h found; NULL: they may */
    const char *hold;             /* why nothing automatic may come of the mail; NULL: it may */
    bool proven;                  /* that the user wrote it (proof.h) */
    const char *unproven;         /* why not, in words; may be NULL */
};

struct conversation_told {
    bool relayed;   /* it is in the outbox */
    bool inside;    /* it stays, though it was meant to go, and the sender must hear */
    int64_t outbox; /* the row, when it is there */
    char text[600]; /* what became of it, a sentence */
};

/* Files it as outgoing and marks the record contacted when it goes. */
int conversation_out(struct input *in, const struct conversation_reply *r,
                     struct conversation_told *told, struct err *e) LEADD_MUST_CHECK;

/* Is this mail of ours one of a conversation, so that its words may be for the contact? */
bool conversation_is_meant(const struct thread *thread);
/* The same as an input of its own: what stays inside becomes a note, and its writer
 * hears why. */
int conversation_take(struct engine *eng, const struct conversation_reply *r,
                      struct err *e) LEADD_MUST_CHECK;

/* Did the answer of this user, that message, stay inside? */
int conversation_stayed(struct engine *eng, const char *user, int64_t message_id, bool *out,
                        struct err *e) LEADD_MUST_CHECK;

/* A row of RELAY_CLASS, as outbox_get gives it, will never arrive: who wrote it hears. */
int conversation_failed(struct input *in, const json_t *row, const char *why,
                        struct err *e) LEADD_MUST_CHECK;

/* What an answer to this row of outbox_get is for: a conversation, a notice or a thread. */
struct ours conversation_of_row(const json_t *row, const struct crm_target *t);

/* "Jane Doe via Example Sales", "Anna of Example": who a mail is shown to be from; own. */
char *conversation_from_contact(const struct engine *eng, const char *name, const char *address);
char *conversation_from_user(const struct engine *eng, const char *user);

/* A Message-ID that people of ours alone have seen: it is in no mail to others. */
bool conversation_is_inside(const struct engine *eng, const char *message_id);

#define CONVERSATION_CLASS "conversation" /* of the outbox: to one of ours */
#define RELAY_CLASS "relay"               /* to a contact, in a person's words */

#endif
