/* SPDX-License-Identifier: ISC
 *
 * stamp - when a page with a form was opened, signed
 *
 * The script of a form asks for one (GET /form/NAME/stamp) and posts it along, so the time
 * of filling in is known without trusting the sender, and pages may be cached. The key is
 * random and this process's own: web-in holds no secret of the company. A stamp of another
 * process, or of nobody, says nothing, and the form is taken as one without.
 */
#ifndef LEADD_WEB_STAMP_H
#define LEADD_WEB_STAMP_H

#include <stdint.h>

#define STAMP_KEY 32
#define STAMP_LEN 48

void stamp_make(const unsigned char key[STAMP_KEY], const char *form, int64_t now_ms,
                char out[STAMP_LEN]);
/* How long ago it was made for that form; -1 when it was not, or over a day ago. */
int64_t stamp_age(const unsigned char key[STAMP_KEY], const char *form, const char *stamp,
                  int64_t now_ms);

#endif
