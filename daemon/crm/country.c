/* SPDX-License-Identifier: ISC
 *
 * country - see country.h
 *
 * The names are ICU's. They are put into a map when the first text comes that is no
 * code: most forms send codes, and most never ask.
 */
#include "crm/country.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#include "base/mem.h"
#include "crm/ctx.h"

#define NAME_MAX_UNITS 100

/* What ICU calls otherwise, or not at all. */
static const struct {
    const char *name, *code;
} others[] = {{"UK", "GB"},          {"England", "GB"},         {"Great Britain", "GB"},
              {"Scotland", "GB"},    {"Wales", "GB"},           {"USA", "US"},
              {"U.S.A.", "US"},      {"U.S.", "US"},            {"America", "US"},
              {"EL", "GR"},          {"Holland", "NL"},         {"The Netherlands", "NL"},
              {"Czech Republic", "CZ"}, {"Turkey", "TR"},       {"Korea", "KR"},
              {"South Korea", "KR"}, {"Russian Federation", "RU"}, {"UAE", "AE"},
              {"Suisse", "CH"},      {"Svizzera", "CH"},        {"Belgique", "BE"}};

static void name_add(json_t *names, const char *name, const char *code)
{
    struct buf fold AUTO_BUF;
    buf_init(&fold, 1024);
    rule_fold(name, strlen(name), &fold);
    if (fold.len && !json_object_get(names, fold.data))
        json_object_set_new(names, fold.data, json_string(code));
}

/* The country's name in that language. */
static void name_add_in(json_t *names, const char *code, const char *language)
{
    UErrorCode ec = U_ZERO_ERROR;
    UChar wide[NAME_MAX_UNITS];
    char name[NAME_MAX_UNITS * 3 + 1], locale[16];
    snprintf(locale, sizeof(locale), "und_%.2s", code);
    int32_t n = uloc_getDisplayCountry(locale, language, wide, NAME_MAX_UNITS, &ec);
    if (U_FAILURE(ec) || n >= NAME_MAX_UNITS)
        return;
    u_strToUTF8(name, (int32_t)sizeof(name), NULL, wide, n, &ec);
    if (U_SUCCESS(ec) && strcmp(name, code) != 0)
        name_add(names, name, code);
}

/* "AT" -> "de" */
static void language_of(const char *code, char out[16])
{
    UErrorCode ec = U_ZERO_ERROR;
    char locale[16], full[64];
    snprintf(locale, sizeof(locale), "und_%.2s", code);
    out[0] = '\0';
    uloc_addLikelySubtags(locale, full, sizeof(full), &ec);
    if (U_SUCCESS(ec))
        uloc_getLanguage(full, out, 16, &ec);
    if (U_FAILURE(ec) || !*out)
        snprintf(out, 16, "en");
}

static void names_fill(const struct crm *crm, json_t *names)
{
    char home[16], own[16], locale[16];
    language_of(crm->country, home);
    for (const char *const *code = uloc_getISOCountries(); *code; code++) {
        snprintf(locale, sizeof(locale), "und_%.2s", *code);
        language_of(*code, own);
        name_add(names, *code, *code);
        name_add(names, uloc_getISO3Country(locale), *code);
        name_add_in(names, *code, "en");
        name_add_in(names, *code, home);
        name_add_in(names, *code, own);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        name_add(names, others[i].name, others[i].code);
}

static bool is_code(const char *s)
{
    char locale[16];
    if (!isalpha((unsigned char)s[0]) || !isalpha((unsigned char)s[1]) || s[2])
        return false;
    snprintf(locale, sizeof(locale), "und_%c%c", toupper((unsigned char)s[0]),
             toupper((unsigned char)s[1]));
    return *uloc_getISO3Country(locale) != '\0';
}

int crm_country_code(const struct crm *crm, const char *text, char out[3])
{
    struct buf fold AUTO_BUF;
    buf_init(&fold, 4096);
    if (is_code(text)) {
        snprintf(out, 3, "%c%c", toupper((unsigned char)text[0]), toupper((unsigned char)text[1]));
        return 0;
    }
    if (json_object_size(crm->countries) == 0)
        names_fill(crm, crm->countries);
    rule_fold(text, strnlen(text, 200), &fold);
    const char *code = json_get_str(crm->countries, fold.len ? fold.data : "", NULL);
    if (!code)
        return -1;
    snprintf(out, 3, "%s", code);
    return 0;
}
