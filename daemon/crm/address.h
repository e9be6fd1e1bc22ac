/* SPDX-License-Identifier: ISC
 *
 * address - email addresses and phone numbers, folded to the form they are found by
 */
#ifndef LEADD_CRM_ADDRESS_H
#define LEADD_CRM_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define CRM_ADDRESS_MAX 321

#ifdef __cplusplus
extern "C" {
#endif

/* Lower case, the domain in ASCII; 0, or -1 when it is no address. */
int crm_email_fold(const char *s, char out[CRM_ADDRESS_MAX]);
/* Everybody's mail provider: says nothing about the company. */
bool crm_domain_is_free(const char *domain);
/* "mail.shop.example" -> "shop.example", a part of domain: also theirs. -1 when what is
 * above belongs to a registry: shop.co.uk has no parent. */
int crm_domain_parent(const char *domain, const char **out);
/* "anna+news@example.com" -> "anna@example.com"; -1 when there is nothing to take away. */
int crm_email_base(const char *folded, char out[CRM_ADDRESS_MAX]);
/* E.164 by libphonenumber: "0660 123 45 67" in "AT" is "+436601234567". 0, or -1
 * when it is no possible number. */
int crm_phone_fold(const char *s, const char *country, char *out, size_t n);
/* As an SMS gateway writes it: often without the +, sometimes as it is dialled in its
 * country. 0, or -1 when it is none, such as a name. */
int crm_phone_read(const char *s, const char *country, char *out, size_t n);
/* The country of an E.164 number, "AT"; 0 or -1. */
int crm_phone_country(const char *e164, char out[3]);

/* "Example, Dr. Anna", "anna example": parts that fit the allocated buffers;
 * empty when there is none. Never fails. */
#define CRM_NAME_MAX 256
struct crm_name {
    char full[CRM_NAME_MAX], first[CRM_NAME_MAX], last[CRM_NAME_MAX];
};
void crm_name_split(const char *s, struct crm_name *out);

#ifdef __cplusplus
}
#endif

#endif
