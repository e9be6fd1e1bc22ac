/* SPDX-License-Identifier: ISC
 *
 * amount - amounts of money as people write them (see when.h)
 *
 * Digits are read as digits: no floating point comes near an amount.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unicode/ucurr.h>
#include <unicode/ustring.h>

#include "base/mem.h"
#include "crm/when.h"
#include "rule/field.h"

#define AMOUNT_DIGITS 15

static bool currency_known(const char code[4])
{
    UChar id[4];
    UErrorCode rc = U_ZERO_ERROR;
    u_uastrncpy(id, code, 4);
    return ucurr_isAvailable(id, U_DATE_MIN, U_DATE_MAX, &rc) && U_SUCCESS(rc);
}

static int currency_sign(const char *s, char out[4])
{
    static const struct {
        const char *sign, *code;
    } signs[] = {{"\xe2\x82\xac", "EUR"}, {"$", "USD"}, {"\xc2\xa3", "GBP"}};
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (!strncmp(s, signs[i].sign, strlen(signs[i].sign))) {
            snprintf(out, 4, "%s", signs[i].code);
            return (int)strlen(signs[i].sign);
        }
    return 0;
}

/* A currency at s: bytes, 0 when there is none, -1 when it looks like one and is
 * not. Lower case counts for a few only: "all" and "try" are words, too. */
static int currency_parse(const char *s, const char *def, char out[4], struct err *e)
{
    static const char *const lower[] = {"EUR", "USD", "GBP", "CHF"};
    int n = currency_sign(s, out), upper = 0;
    if (n)
        return n;
    while (isalpha((unsigned char)s[n]))
        upper += isupper((unsigned char)s[n++]) != 0;
    if (n != 3 || (s[3] != '\0' && s[3] != ' ' && s[3] != '\t' && !isdigit((unsigned char)s[3])))
        return 0;
    char code[4] = {(char)toupper((unsigned char)s[0]), (char)toupper((unsigned char)s[1]),
                    (char)toupper((unsigned char)s[2]), '\0'};
    bool known = upper == 3 && currency_known(code);
    for (size_t i = 0; i < ARRAY_LEN(lower) && !known; i++)
        known = !strcmp(code, lower[i]);
    if (!known && def && !strcmp(code, def))
        known = true;
    if (!known)
        return upper == 3 ? err_set(e, ERR_INPUT, "no currency %s", code) : 0;
    memcpy(out, code, 4);
    return 3;
}

/* The place of the decimal separator among the n bytes of a number, n when it
 * has none, -1 when the separators make no sense. */
static int decimal_place(const char *s, int n, bool scaled)
{
    int seps = 0, last = n, group_from = n;
    bool mixed = false;
    char first = 0;
    for (int i = 0; i < n; i++) {
        if (isdigit((unsigned char)s[i]) || s[i] == '\'')
            continue;
        mixed |= first && s[i] != first;
        if (!first)
            first = s[i];
        seps++;
        last = i;
    }
    if (seps == 0)
        return n;
    if (seps == 1 && (n - last - 1 != 3 || scaled || memchr(s, '\'', (size_t)n)))
        return last;
    if (mixed) { /* "5.000,50": the other kind, once, at the end */
        for (int i = 0; i < last; i++)
            if (s[i] == s[last])
                return -1;
        group_from = last;
    }
    for (int i = group_from, run = 0; i-- > 0;) { /* all others group by three */
        if (isdigit((unsigned char)s[i]))
            run++;
        else if (run != 3)
            return -1;
        else
            run = 0;
    }
    return mixed ? last : n;
}

static int number_read(const char *s, int n, int decimal, int places, int scale, int64_t *out)
{
    int64_t v = 0;
    int count = 0, after = 0;
    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)s[i]))
            continue;
        if (++count > AMOUNT_DIGITS)
            return -1;
        v = v * 10 + (s[i] - '0');
        after += i > decimal;
    }
    for (places += scale; after < places; after++)
        if (v > INT64_MAX / 1000 || ++count > AMOUNT_DIGITS + 6)
            return -1;
        else
            v *= 10;
    if (after > places)
        return -1;
    *out = v;
    return 0;
}

static int spaces(const char *s)
{
    return (int)strspn(s, " \t");
}

int crm_amount_parse(const char *s, const char *default_currency, int64_t *minor_out,
                     char currency_out[4], struct err *e)
{
    char currency[4] = "";
    int at = currency_parse(s, default_currency, currency, NULL), n = 0, scale = 0, more;
    if (at < 0)
        return 0; /* a word in capitals, not a currency in front of a number */
    if (at > 0)
        at += spaces(s + at);
    const char *num = s + at;
    while (isdigit((unsigned char)num[n]) ||
           (n > 0 && strchr(".,'", num[n]) && num[n] && isdigit((unsigned char)num[n + 1])))
        n++;
    if (n == 0)
        return 0;
    if ((num[n] | 0x20) == 'k' || num[n] == 'm' || num[n] == 'M') {
        if (!isalpha((unsigned char)num[n + 1]))
            scale = (num[n] | 0x20) == 'k' ? 3 : 6;
    }
    at += n + (scale != 0);
    if (!currency[0]) {
        more = currency_parse(s + at + spaces(s + at), default_currency, currency, e);
        if (more < 0)
            return -1;
        if (more > 0)
            at += spaces(s + at) + more;
    }
    if (s[at] != '\0' && s[at] != ' ' && s[at] != '\t')
        return 0;
    if (!currency[0])
        snprintf(currency, sizeof(currency), "%s", default_currency);
    int decimal = decimal_place(num, n, scale != 0);
    if (decimal < 0 ||
        number_read(num, n, decimal, rule_money_digits(currency), scale, minor_out) < 0)
        return err_set(e, ERR_INPUT, "%.*s is no amount in %s", at, s, currency);
    memcpy(currency_out, currency, 4);
    return at;
}
