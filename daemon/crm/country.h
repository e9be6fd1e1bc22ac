/* SPDX-License-Identifier: ISC
 *
 * country - names of countries as people write them, and their codes
 */
#ifndef LEADD_CRM_COUNTRY_H
#define LEADD_CRM_COUNTRY_H

struct crm;

/* "at", "Germany", "Österreich", "DEU", "UK": the ISO 3166 code in capitals. Names are
 * known in English, in a language of the country itself, and in that of
 * default_country. 0, or -1: not known. */
int crm_country_code(const struct crm *crm, const char *text, char out[3]);

#endif
