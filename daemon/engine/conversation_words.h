/* SPDX-License-Identifier: ISC
 *
 * conversation_words - what of a rep's mail a customer may read
 *
 * Pure. The words come without commands, quotation and signature already; here is the
 * last look before they leave. What we wrote around the contact's words carries a tag of
 * ours, so it is found wherever a mail program put it: it and what follows is cut off,
 * with the line that introduces it, as long as nothing new stands below. An address of
 * the rep becomes the company's. A line that still looks like a command, or a token of
 * ours, makes the whole doubtful.
 */
#ifndef LEADD_ENGINE_CONVERSATION_WORDS_H
#define LEADD_ENGINE_CONVERSATION_WORDS_H

#include "base/buf.h"
#include "engine/engine.h"

/* Stands in every mail of a conversation, below the line with its tag. */
#define CONVERSATION_HINT "Your reply goes to the customer"

struct conversation_cut {
    const char *quoted;   /* the mail that is answered, as the user got it */
    const char *user;     /* whose addresses do not leave */
};

/* out gets what may leave; empty: nothing is left. false: it is doubtful, and why says
 * what it is; out is then of no use. renamed_out: addresses that were replaced. */
bool conversation_words(const struct engine *eng, const struct conversation_cut *cut,
                        const char *words, struct buf *out, int *renamed_out, char why[200]);
/* The same look at a text that is attached. */
bool conversation_text_may(const struct engine *eng, const char *text);
/* Bytes of text above the first line with something of a mail of ours in it, whatever mail
 * programs left of the marks of a quotation: what stands below it, others may have written. */
size_t conversation_above(const struct engine *eng, const char *text);

#endif
