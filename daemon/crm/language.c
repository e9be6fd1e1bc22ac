/* SPDX-License-Identifier: ISC
 *
 * language - see language.h
 */
#include "crm/language.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/udat.h>
#include <unicode/uloc.h>
#include <unicode/unum.h>
#include <unicode/ustring.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/ctx.h"
#include "crm/when.h"

#define NAME_UNITS 100
#define LOCALES 24 /* kept; with more languages than this, each is made again when it is its turn */

struct locale {
    char language[CRM_LANGUAGE_MAX];
    UDateFormat *when, *day; /* own */
    UNumberFormat *money;    /* own */
};

struct crm_locales {
    struct locale list[LOCALES];
    size_t count, next; /* next: to be replaced when all are taken */
};

/* ---- codes ----------------------------------------------------------------------------- */

static bool code_in(const char *const *codes, const char *code)
{
    for (; *codes; codes++)
        if (strcmp(*codes, code) == 0)
            return true;
    return false;
}

/* Letters from s in out, as many as there are up to max, all of one case. */
static size_t letters(const char *s, size_t max, bool upper, char *out)
{
    size_t n = 0;
    while (n < max && isalpha((unsigned char)s[n])) {
        out[n] = (char)(upper ? toupper((unsigned char)s[n]) : tolower((unsigned char)s[n]));
        n++;
    }
    out[n] = '\0';
    return n;
}

/* "de-AT" at s, and nothing behind it but what an Accept-Language has. */
static int code_read(const char *s, char out[CRM_LANGUAGE_MAX])
{
    char base[4], region[3] = "";
    size_t n = letters(s, 3, false, base);
    const char *p = s + n;
    if (n < 2 || !code_in(uloc_getISOLanguages(), base))
        return -1;
    if ((*p == '-' || *p == '_') && letters(p + 1, 2, true, region) == 2)
        p += 3;
    if (*p && !strchr(",; \t", *p))
        return -1;
    snprintf(out, CRM_LANGUAGE_MAX, "%s%s%s", base,
             *region && code_in(uloc_getISOCountries(), region) ? "-" : "",
             *region && code_in(uloc_getISOCountries(), region) ? region : "");
    return 0;
}

static void name_add(json_t *names, const char *code, const char *in)
{
    UErrorCode ec = U_ZERO_ERROR;
    UChar wide[NAME_UNITS];
    char name[NAME_UNITS * 3 + 1];
    struct buf fold AUTO_BUF;
    buf_init(&fold, 1024);
    int32_t n = uloc_getDisplayLanguage(code, in, wide, NAME_UNITS, &ec);
    if (U_FAILURE(ec) || n >= NAME_UNITS)
        return;
    u_strToUTF8(name, (int32_t)sizeof(name), NULL, wide, n, &ec);
    if (U_FAILURE(ec))
        return;
    rule_fold(name, strlen(name), &fold);
    if (fold.len && !json_object_get(names, fold.data))
        json_object_set_new(names, fold.data, json_string(code));
}

/* Names in English and in the language itself, put in when the first text comes that is
 * no code. */
static const char *name_find(const struct crm *crm, const char *text)
{
    struct buf fold AUTO_BUF;
    buf_init(&fold, 1024);
    if (json_object_size(crm->languages) == 0)
        for (const char *const *code = uloc_getISOLanguages(); *code; code++) {
            name_add(crm->languages, *code, *code);
            name_add(crm->languages, *code, "en");
        }
    rule_fold(text, strlen(text), &fold);
    return json_get_str(crm->languages, fold.data, NULL);
}

int crm_language_code(const struct crm *crm, const char *text, char out[CRM_LANGUAGE_MAX])
{
    text += strspn(text, " \t");
    if (code_read(text, out) == 0)
        return 0;
    const char *code = strlen(text) < NAME_UNITS ? name_find(crm, text) : NULL;
    if (!code || strlen(code) >= CRM_LANGUAGE_MAX)
        return -1;
    snprintf(out, CRM_LANGUAGE_MAX, "%s", code);
    return 0;
}

/* ---- formats ------------------------------------------------------------------------------ */

static void locale_done(struct locale *l)
{
    if (l->when)
        udat_close(l->when);
    if (l->day)
        udat_close(l->day);
    if (l->money)
        unum_close(l->money);
    *l = (struct locale){.when = NULL};
}

static void locale_open(struct locale *l, const char *language, const char *zone)
{
    UErrorCode ec = U_ZERO_ERROR;
    UChar id[64];
    snprintf(l->language, sizeof(l->language), "%s", language);
    u_uastrncpy(id, zone, ARRAY_LEN(id) - 1);
    id[ARRAY_LEN(id) - 1] = 0;
    l->when = udat_open(UDAT_SHORT, UDAT_MEDIUM, language, id, -1, NULL, 0, &ec);
    l->day = udat_open(UDAT_NONE, UDAT_MEDIUM, language, id, -1, NULL, 0, &ec);
    l->money = unum_open(UNUM_CURRENCY, NULL, 0, language, NULL, &ec);
    if (U_FAILURE(ec)) /* never seen: each falls back to the root */
        locale_done(l);
}

static const struct locale *locale_of(const struct crm *crm, const char *language)
{
    struct crm_locales *ls = crm->locales;
    for (size_t i = 0; i < ls->count; i++)
        if (strcmp(ls->list[i].language, language) == 0)
            return &ls->list[i];
    struct locale *l = &ls->list[ls->count < LOCALES ? ls->count++ : ls->next++ % LOCALES];
    locale_done(l);
    locale_open(l, language, crm->zone);
    return l;
}

/* U+00A0, U+202F and their kin become spaces. */
static void put_wide(const UChar *wide, int32_t n, struct buf *out)
{
    UErrorCode ec = U_ZERO_ERROR;
    char text[NAME_UNITS * 3 + 1];
    UChar plain[NAME_UNITS];
    for (int32_t i = 0; i < n; i++)
        plain[i] = wide[i] == 0xa0 || wide[i] == 0x202f || wide[i] == 0x2009 ? ' ' : wide[i];
    u_strToUTF8(text, (int32_t)sizeof(text), NULL, plain, n, &ec);
    if (U_SUCCESS(ec))
        buf_str(out, text);
}

void crm_language_time(const struct crm *crm, const char *language, int64_t ms, struct buf *out)
{
    const struct locale *l = locale_of(crm, language);
    UErrorCode ec = U_ZERO_ERROR;
    UChar wide[NAME_UNITS];
    char plain[32];
    crm_when_print(crm->zone, ms, plain, sizeof(plain));
    bool midnight = strlen(plain) > 6 && strcmp(plain + strlen(plain) - 6, " 00:00") == 0;
    int32_t n = l->when ? udat_format(midnight ? l->day : l->when, (double)ms, wide, NAME_UNITS,
                                      NULL, &ec)
                        : NAME_UNITS;
    if (U_FAILURE(ec) || n >= NAME_UNITS)
        buf_str(out, plain);
    else
        put_wide(wide, n, out);
}

void crm_language_money(const struct crm *crm, const char *language, int64_t minor,
                        const char *currency, struct buf *out)
{
    const struct locale *l = locale_of(crm, language);
    UErrorCode ec = U_ZERO_ERROR;
    UChar wide[NAME_UNITS], code[4];
    struct buf number AUTO_BUF;
    buf_init(&number, 64);
    rule_money_print(minor, currency, &number);
    int32_t digits = (int32_t)strcspn(number.data, " "), n = NAME_UNITS;
    if (l->money && strlen(currency) == 3) {
        u_uastrcpy(code, currency);
        unum_setTextAttribute(l->money, UNUM_CURRENCY_CODE, code, 3, &ec);
        n = unum_formatDecimal(l->money, number.data, digits, wide, NAME_UNITS, NULL, &ec);
    }
    if (U_FAILURE(ec) || n >= NAME_UNITS)
        buf_str(out, number.data);
    else
        put_wide(wide, n, out);
}

struct crm_locales *crm_locales_new(void)
{
    return mem_alloc(sizeof(struct crm_locales));
}

void crm_locales_free(struct crm_locales **l)
{
    if (!*l)
        return;
    for (size_t i = 0; i < (*l)->count; i++)
        locale_done(&(*l)->list[i]);
    mem_free(*l);
    *l = NULL;
}
