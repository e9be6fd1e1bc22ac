/* SPDX-License-Identifier: ISC
 *
 * letter - one mail that carries a person's words, as a row of the outbox
 *
 * What followup.c is for mail that leadd writes by itself, for the mails of a
 * conversation: address, tokens, headers and return path are made here, and nowhere
 * else. The intent's unique key keeps a second attempt from becoming a second mail.
 */
#ifndef LEADD_ENGINE_LETTER_H
#define LEADD_ENGINE_LETTER_H

#include "crm/crm.h"
#include "engine/input.h"
#include "engine/ours.h"
#include "mail/compose.h"

/* Attachments of a mail that came in, to be passed on. */
struct letter_files {
    struct mail_attachment *v; /* own; data is own, names and types borrowed from the form */
    size_t count, bytes;
};
/* Those of message (its bytes are raw, n) that take answers yes to; at most
 * BOUND_LETTER_FILES bytes of them. left_out gets how many of those did not fit or could
 * not be found. */
void letter_files_read(const json_t *message, const char *raw, size_t n,
                       bool (*take)(const json_t *attachment), struct letter_files *out,
                       int *left_out);
void letter_files_done(struct letter_files *f);
/* The bytes of one attachment (or file of a form), whose message came as raw. False when it
 * does not stand there, or is larger than room. */
bool letter_file_read(const json_t *attachment, const char *raw, size_t n, size_t room,
                      struct buf *out);

struct letter {
    const char *class_;   /* of the outbox */
    const char *intent;   /* unique */
    const char *to, *to_name;   /* folded; the name may be NULL */
    const char *to_user;  /* when it goes to one of ours */
    const char *from_name;
    struct ours answers;  /* what an answer to it is for */
    const char *subject;
    const char *in_reply_to; /* may be NULL */
    const char *const *references;
    size_t reference_count;
    const char *text;
    const struct crm_target *target;
    const struct letter_files *files; /* NULL: nothing is attached */
    const char *calendar, *method; /* an invitation, and its METHOD; NULL: none */
    bool machine;         /* leadd's own words to somebody else, and headers that say so */
    const char *hold;     /* why it may not leave now; NULL: it may */
};

/* outbox_out is 0 when the intent is there already: nothing was written. held_out, when
 * not NULL, gets why the mail waits, or "". ERR_INPUT when it cannot be written. */
int letter_put(struct input *in, const struct letter *l, int64_t *outbox_out, char held_out[256],
               struct err *e) LEADD_MUST_CHECK;

#endif
