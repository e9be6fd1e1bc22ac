/* SPDX-License-Identifier: ISC
 *
 * sms_text - how many SMS a text takes
 *
 * A text whose characters are all in the GSM alphabet (3GPP TS 23.038, default table and
 * extension) takes seven bits each: 160 of them in one SMS, 153 in each part of a longer
 * one; those of the extension count twice. One other character, and the whole text goes as
 * UCS-2: 70 in one SMS, 67 in a part; what lies beyond the basic plane (most emoji) counts
 * twice. Neither a pair nor an escape is cut in two. Pure.
 */
#ifndef LEADD_CRM_SMS_TEXT_H
#define LEADD_CRM_SMS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


enum sms_encoding { SMS_GSM7, SMS_UCS2 };

struct sms_count {
    enum sms_encoding encoding;
    unsigned units;    /* septets, or 16 bit units */
    unsigned segments; /* 0 for an empty text */
    char odd[8];       /* the first character outside of the GSM alphabet, or "" */
    unsigned odd_count;  /* how many there are */
    unsigned odd_kinds;  /* how many different ones, 2 when more than one */
    const char *instead; /* what GSM has in place of odd, static; NULL: nothing near */
};

/* text is UTF-8; a byte that is none counts as one odd character. */
void sms_count(const char *text, struct sms_count *out);
const char *sms_encoding_name(enum sms_encoding e); /* "gsm7", "ucs2" */

/* Bytes of the first characters that fit into so many segments (at least one). */
size_t sms_cut(const char *text, unsigned segments);

#endif
