/* SPDX-License-Identifier: ISC
 *
 * away - the words of automatic answers, and until when somebody is away
 *
 * Words are supporting evidence alone: classify.c asks for a second sign before it
 * takes a mail for a machine's.
 */
#ifndef LEADD_MAIL_AWAY_H
#define LEADD_MAIL_AWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

/* "Automatic reply: ..." at the very start, in many languages. */
bool mail_away_subject(const char *subject);
/* "I am out of the office", "ich bin bis ... nicht im Haus". */
bool mail_away_text(const char *text);
/* "we have received your message": a confirmation that nobody wrote. */
bool mail_ack_text(const char *text);

/* Sets until_ms (midnight UTC of the day named) and until_text (the words) on a, when
 * the text names a day near base_ms until or on which. */
void mail_away_until(json_t *a, const char *text, int64_t base_ms);

#endif
