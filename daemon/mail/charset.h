/* SPDX-License-Identifier: ISC
 *
 * charset - bytes in a declared, wrong, unknown or missing charset become UTF-8
 *
 * The declared charset is believed unless the bytes say otherwise: 8-bit text
 * that is valid UTF-8 is UTF-8 under any single-byte label, and text that a label
 * cannot have produced is given to ICU's detector. Each such reading is a defect
 * that names both.
 */
#ifndef LEADD_MAIL_CHARSET_H
#define LEADD_MAIL_CHARSET_H

#include <stddef.h>

#include "base/buf.h"
#include "mail/ctx.h"

/* Appends p as valid UTF-8 without NUL. label may be NULL: none declared. what
 * names the place in defects ("Subject", "the text"). */
void mail_to_utf8(struct mail_ctx *c, struct buf *out, const char *p, size_t n, const char *label,
                  const char *what);

/* The charset of the mail's text: tried first for header bytes that declare none. */
void mail_charset_hint(struct mail_ctx *c, const char *label);

void mail_charset_warm_up(void);

#endif
