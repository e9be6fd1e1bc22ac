/* SPDX-License-Identifier: ISC
 *
 * money - amounts in minor units (see field.h)
 */
#include "rule/field.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

/* ISO 4217 currencies whose minor unit is not a hundredth. */
static const struct {
    char code[4];
    int digits;
} money_units[] = {
    {"BHD", 3}, {"BIF", 0}, {"CLF", 4}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"IQD", 3}, {"ISK", 0},
    {"JOD", 3}, {"JPY", 0}, {"KMF", 0}, {"KRW", 0}, {"KWD", 3}, {"LYD", 3}, {"OMR", 3}, {"PYG", 0},
    {"RWF", 0}, {"TND", 3}, {"UGX", 0}, {"UYI", 0}, {"UYW", 4}, {"VND", 0}, {"VUV", 0}, {"XAF", 0},
    {"XOF", 0}, {"XPF", 0},
};

int rule_money_digits(const char *currency)
{
    for (size_t i = 0; i < ARRAY_LEN(money_units); i++)
        if (strcmp(money_units[i].code, currency) == 0)
            return money_units[i].digits;
    return 2;
}

static const char *money_spaces(const char *s)
{
    while (*s == ' ')
        s++;
    return s;
}

static bool money_code(const char **p, char out[4])
{
    for (int i = 0; i < 3; i++)
        if ((*p)[i] < 'A' || (*p)[i] > 'Z')
            return false;
    memcpy(out, *p, 3);
    out[3] = '\0';
    *p += 3;
    return true;
}

/* Reads digits into minor; the decimals are kept apart until the currency,
 * which may follow, says how many there are. */
static bool money_number(const char **p, int64_t *whole_out, char decimals[5])
{
    int64_t whole = 0;
    const char *s = *p;
    size_t n = 0;
    if (!isdigit((unsigned char)*s))
        return false;
    for (; isdigit((unsigned char)*s); s++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, *s - '0', &whole))
            return false;
    if (*s == '.') {
        for (s++; isdigit((unsigned char)*s) && n < 4; s++)
            decimals[n++] = *s;
        if (n == 0 || isdigit((unsigned char)*s))
            return false;
    }
    decimals[n] = '\0';
    *whole_out = whole;
    *p = s;
    return true;
}

int rule_money_parse(const char *s, const char *default_currency, int64_t *minor_out,
                     char currency_out[4])
{
    char code[4] = "", decimals[5];
    const char *p = money_spaces(s);
    int64_t v;
    bool minus = false, have = money_code(&p, code);
    p = money_spaces(p);
    if (*p == '-') {
        minus = true;
        p++;
    }
    if (!money_number(&p, &v, decimals))
        return -1;
    p = money_spaces(p);
    if (!have && *p)
        have = money_code(&p, code);
    p = money_spaces(p);
    if (*p)
        return -1;
    if (!have && default_currency && strlen(default_currency) == 3)
        memcpy(code, default_currency, 4);
    int digits = rule_money_digits(code);
    if (strlen(decimals) > (size_t)digits)
        return -1;
    const char *d = decimals;
    for (int i = 0; i < digits; i++)
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, *d ? *d++ - '0' : 0, &v))
            return -1;
    *minor_out = minus ? -v : v;
    memcpy(currency_out, code, 4);
    return 0;
}

void rule_money_print(int64_t minor, const char *currency, struct buf *out)
{
    int digits = rule_money_digits(currency);
    uint64_t unit = 1, v = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    for (int i = 0; i < digits; i++)
        unit *= 10;
    buf_printf(out, "%s%" PRIu64, minor < 0 ? "-" : "", v / unit);
    if (digits > 0)
        buf_printf(out, ".%0*" PRIu64, digits, v % unit);
    if (*currency)
        buf_printf(out, " %s", currency);
}
