/* SPDX-License-Identifier: ISC
 *
 * tnef - winmail.dat: the body and attachments Outlook packs into one part
 */
#ifndef LEADD_MAIL_TNEF_H
#define LEADD_MAIL_TNEF_H

#include "base/buf.h"
#include "mail/ctx.h"

/* One thing inside; name may be NULL. */
typedef void (*mail_tnef_fn)(void *arg, const char *name, const char *type, const void *p,
                             size_t n);

/* Calls fn for each attachment and appends the body, when there is one, as text.
 * Returns -1 (with a defect) when it cannot be read: then it is an attachment. */
int mail_tnef_read(struct mail_ctx *c, const char *p, size_t n, struct buf *text, mail_tnef_fn fn,
                   void *arg);

/* What kind of thing Outlook says that it is: "REPORT.IPM.Note.IPNRN". False: it does not. */
#define MAIL_TNEF_CLASS 64
bool mail_tnef_class(const char *p, size_t n, char out[MAIL_TNEF_CLASS]);

#endif
