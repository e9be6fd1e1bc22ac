/* SPDX-License-Identifier: ISC
 *
 * phrases - the words that mail programs put around quotations and that people
 * put under their mails, in many languages
 *
 * All take a line as mail_line_fold() writes it. Nothing here decides alone:
 * quote.c and signature.c look at what stands around.
 */
#ifndef LEADD_MAIL_PHRASES_H
#define LEADD_MAIL_PHRASES_H

#include <stdbool.h>
#include <stddef.h>

enum mail_role {
    MAIL_ROLE_NONE,
    MAIL_ROLE_FROM,
    MAIL_ROLE_DATE,
    MAIL_ROLE_TO,
    MAIL_ROLE_CC,
    MAIL_ROLE_SUBJECT,
    MAIL_ROLE_OTHER, /* Importance:, Attachments:, … */
};

/* Which field "Gesendet: …" is; *colon is where its ':' stands in the line. */
enum mail_role mail_phrase_role(const char *line, size_t *colon);

/* "wrote", "schrieb", "a écrit", … somewhere in the line. */
bool mail_phrase_wrote(const char *line);
/* The line begins as attributions do: "On ", "Am ", "Le ". */
bool mail_phrase_opens(const char *line);

bool mail_phrase_original(const char *line);
bool mail_phrase_forwarded(const char *line);
/* "Begin forwarded message:", which stands alone. */
bool mail_phrase_begin_forward(const char *line);
/* A subject that says it is a forward: "Fwd:", "WG:", "Tr:", … */
bool mail_phrase_forward_subject(const char *subject);

/* "Sent from my iPhone", "Get Outlook for iOS": the whole line. */
bool mail_phrase_device(const char *line);
/* "Best regards", with at most a name behind it on the line. */
bool mail_phrase_closing(const char *line);
/* Begins a note about confidentiality, viruses or printing. Takes a paragraph. */
bool mail_phrase_disclaimer(const char *paragraph);
/* Put above a mail by the receiver's server: "CAUTION: external sender". */
bool mail_phrase_banner(const char *paragraph);

bool mail_phrase_title(const char *line);
bool mail_phrase_company(const char *line);
bool mail_phrase_fax(const char *line);

#endif
