/* SPDX-License-Identifier: ISC
 *
 * rep_text - what rep_lines must know of text: what phones make of it, where a
 * quotation begins, and what is only a greeting
 *
 * Pure and linear. The quotation is found more eagerly than mail/reply.c does it: there
 * a doubtful line is kept, since words must not be lost; here it ends the commands,
 * since nothing quoted may command.
 */
#ifndef LEADD_CRM_REP_TEXT_H
#define LEADD_CRM_REP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* One line in plain characters: blanks of all kinds become spaces, invisible ones go, a
 * full-width # is a #. plain: also curly and double quotes become ', dashes -, and
 * punctuation at the end goes. Own. */
char *rep_text_clean(const char *p, size_t n, bool plain);

/* How many bytes of text stand above the first sign of a quotation, a forwarded mail or
 * a signature; strlen(text) when there is none. */
size_t rep_text_limit(const char *text);

/* Nothing but a greeting, thanks and a name: not worth sending to anybody. */
bool rep_text_is_thin(const char *words);

/* The n bytes of the line at p, without what ends it; *next_out is where the next begins. */
size_t rep_text_line(const char *p, const char **next_out);

#endif
