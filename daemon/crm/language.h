/* SPDX-License-Identifier: ISC
 *
 * language - languages as people write them, and what is written differently in each
 *
 * A language is "de" or, with a country, "de-AT". Times, amounts and the like are
 * written by ICU, with plain spaces where it has others: an SMS has none of those.
 */
#ifndef LEADD_CRM_LANGUAGE_H
#define LEADD_CRM_LANGUAGE_H

#include <stdint.h>

#include "base/buf.h"

struct crm;
struct crm_locales; /* formats that were used once; part of struct crm */

#define CRM_LANGUAGE_MAX 8

/* "de", "DE", "de_at", "de-AT,de;q=0.9", "German", "Deutsch": the ISO 639 code, with the
 * country where one is named. 0, or -1: not known. */
int crm_language_code(const struct crm *crm, const char *text, char out[CRM_LANGUAGE_MAX]);

/* "21.11.2026, 10:00" in the zone of the settings; without the hour at midnight. */
void crm_language_time(const struct crm *crm, const char *language, int64_t ms, struct buf *out);
/* "5.000,50 €" */
void crm_language_money(const struct crm *crm, const char *language, int64_t minor,
                        const char *currency, struct buf *out);

struct crm_locales *crm_locales_new(void);
void crm_locales_free(struct crm_locales **l); /* accepts NULL, sets NULL */

#endif
