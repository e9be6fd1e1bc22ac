/* SPDX-License-Identifier: ISC
 *
 * rtf - the words of an RTF text
 *
 * Outlook keeps the body of winmail.dat as RTF, often with HTML inside. Only the
 * words and the line ends are wanted: fonts, pictures and HTML tags are dropped.
 */
#ifndef LEADD_MAIL_RTF_H
#define LEADD_MAIL_RTF_H

#include "base/buf.h"
#include "mail/ctx.h"

/* Appends packed RTF ([MS-OXRTFCP]) unpacked. -1 when it is broken or does not
 * fit: out holds what could be read. (libytnef's own unpacking believes the sizes
 * in the file.) */
int mail_rtf_unpack(struct buf *out, const char *p, size_t n);

/* charset: of \'hh bytes, when the text itself names none. */
void mail_rtf_to_text(struct mail_ctx *c, struct buf *out, const char *p, size_t n,
                      const char *charset);

#endif
