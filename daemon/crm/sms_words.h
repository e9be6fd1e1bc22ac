/* SPDX-License-Identifier: ISC
 *
 * sms_words - STOP, START and HELP, as people text them
 *
 * The whole text must be one of the words, in any case, with any accents, punctuation and
 * pictures around it: "Stop.", "ARRÊT!!", "opt-out". Inside a sentence a word means nothing
 * ("stop by tomorrow"), but whoever reads the text should know that it is there. Pure, and
 * linear in the text.
 */
#ifndef LEADD_CRM_SMS_WORDS_H
#define LEADD_CRM_SMS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buf.h"

enum sms_word { SMS_WORD_NONE, SMS_WORD_STOP, SMS_WORD_START, SMS_WORD_HELP };

struct sms_said {
    enum sms_word word;
    char language[3]; /* of the word, "de"; "en" when it is none of a language */
    bool inside;      /* none, but a word for STOP stands in the sentence */
};

/* company: "STOP Example" is for the company, too; may be NULL. more: further words for
 * STOP (array of texts), or NULL. */
void sms_said_read(const char *text, const char *company, const json_t *more,
                   struct sms_said *out);

/* "Arrêt !" -> "arret": letters and digits without marks, one space between words. */
void sms_words_fold(const char *text, size_t n, struct buf *out);

/* What is answered: {company} is filled in by the caller. Language as in sms_said; NULL for
 * SMS_WORD_NONE. */
const char *sms_word_answer(enum sms_word word, const char *language);

/* Row i of the data, for its test; false after the last. */
bool sms_word_row(size_t i, const char **word_out, const char **language_out,
                  enum sms_word *kind_out);

#endif
