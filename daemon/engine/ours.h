/* SPDX-License-Identifier: ISC
 *
 * ours - what one of our own addresses means, and how it is made
 *
 * Everything leadd writes to somebody can be answered, and what the answer is for is
 * in the address it goes to. Each kind carries an HMAC of a purpose of its own, so
 * that none can be guessed, and none can be turned into another:
 *
 *   sales+L42.TOKEN@        thread: what leads and customers answer to
 *   sales+L42.M7.TOKEN@     conversation: what people of ours answer to, about the mail
 *                           M7; their words go to who wrote it
 *   sales+note.L42.TOKEN@   notice: notes and commands, never relayed
 *   sales+O17.TOKEN@        return path of one mail of the outbox
 *   sales+ok.H3.TOKEN@      confirms what is held
 *   sales+stop.O17.TOKEN@   ends such mail as O17 was; the same name stands in the page's
 *                           address (optout.h)
 *   sales+drop.TOKEN@       the dropbox of the company; +drop.anna.TOKEN@ of a user; with
 *                           a number before the token once it was renewed (dropbox.h)
 *   sales+key.anna.3.TOKEN@ the secret address of a user, in its issue (secret.h)
 *   sales+WORDS@            words that anybody may write: they prove nothing
 *
 * With reply_address = "catchall" the same stands alone before the @, and with "none"
 * only in Message-IDs and in a tag of the subject. What is read does not depend on
 * the setting: it may have been another when the mail left. A token is good at any
 * domain, since relays rewrite those; words only beside an address of the company.
 *
 * An address says what is meant, never who wrote: see thread.h and proof.h.
 */
#ifndef LEADD_ENGINE_OURS_H
#define LEADD_ENGINE_OURS_H

#include "base/bounds.h"
#include "base/buf.h"
#include "crm/crm.h"
#include "engine/engine.h"

enum ours_kind {
    OURS_NONE,    /* not ours */
    OURS_COMPANY, /* the company's own, a mailbox's, the return path */
    OURS_WORDS,
    OURS_THREAD,
    OURS_CONVERSATION,
    OURS_NOTICE,
    OURS_RETURN,
    OURS_DROPBOX,
    OURS_SECRET,
    OURS_OPTOUT,
    OURS_CONFIRM,
};

#define OURS_WORDS_MAX 128

struct ours {
    enum ours_kind kind;
    enum crm_entity entity; /* thread, conversation, notice; CRM_NONE: a notice of no record */
    int64_t id;      /* of that record; of the outbox row (return, optout), of what is held (confirm) */
    int64_t message; /* conversation: the mail that is answered */
    int64_t issue;   /* secret, dropbox: one is good at a time; see secret.h, dropbox.h */
    char user[BOUND_CONFIG_NAME + 1]; /* secret, dropbox; "" there: the company's */
    char words[OURS_WORDS_MAX];       /* "task-tomorrow", "L42", in lower case */
};

/* false, and OURS_NONE, when the address is not ours. */
bool ours_read(const struct engine *eng, const char *address, struct ours *out);
/* The first token of ours anywhere in a text, such as a Message-ID. */
bool ours_find(const struct engine *eng, const char *text, struct ours *out);
/* A tag of ours in a subject: thread, conversation or notice. It is short, so it is a
 * hint about the mail of somebody who takes part, and nothing by itself. */
bool ours_find_tag(const struct engine *eng, const char *subject, struct ours *out);

/* "L42.TOKEN", "note.L42.TOKEN", ..: the local part's end, and a Message-ID's beginning.
 * Empty for what has no token. */
#define OURS_NAME_MAX (BOUND_CONFIG_NAME + 96)
void ours_name(const struct engine *eng, const struct ours *o, char out[OURS_NAME_MAX]);
/* The whole address by settings.reply_address; own. NULL with "none". */
char *ours_address(const struct engine *eng, const struct ours *o);
/* The return path of an outbox row: always with the token; own. */
char *ours_return_path(const struct engine *eng, int64_t outbox);
/* "[L42-k7f3]", "[answer L42.7-k7f3]", "[note L42-k7f3]"; empty for the other kinds. */
#define OURS_TAG_MAX 80
void ours_tag(const struct engine *eng, const struct ours *o, char out[OURS_TAG_MAX]);

/* The first line of every mail to people of ours that others' words may stand in, below
 * which nothing of it commands, however a mail program quotes it; conversation_above()
 * finds it by the tag or by its words. */
#define OURS_HINT "Your reply stays with us"
void ours_frame(const struct engine *eng, const struct ours *o, struct buf *out);

/* The record and the mail of it, as ours_name takes them. */
struct ours ours_of(enum ours_kind kind, const struct crm_target *t, int64_t message);

#endif
