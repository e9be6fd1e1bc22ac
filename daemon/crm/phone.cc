/* SPDX-License-Identifier: ISC
 *
 * phone - libphonenumber behind two C functions (see address.h)
 *
 * No exception leaves this file, and nothing of C++ does.
 */
#include <phonenumbers/phonenumberutil.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "crm/address.h"

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

int crm_phone_fold(const char *s, const char *country, char *out, size_t n)
{
    try {
        PhoneNumber number;
        std::string text;
        const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
        if (!s || std::strlen(s) > 250)
            return -1;
        if (util->Parse(s, country ? country : "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR ||
            !util->IsPossibleNumber(number))
            return -1;
        util->Format(number, PhoneNumberUtil::E164, &text);
        if (text.size() + 1 > n)
            return -1;
        std::memcpy(out, text.c_str(), text.size() + 1);
        return 0;
    } catch (...) {
        return -1;
    }
}

static bool phone_valid(const char *e164)
{
    try {
        PhoneNumber number;
        const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
        return util->Parse(e164, "ZZ", &number) == PhoneNumberUtil::NO_PARSING_ERROR &&
               util->IsValidNumber(number);
    } catch (...) {
        return false;
    }
}

/* Digits alone are most often a whole number without its +; ten of them in North America
 * never are. */
int crm_phone_read(const char *s, const char *country, char *out, size_t n)
{
    char plus[40], home[40], full[40];
    size_t len = s ? std::strspn(s, "0123456789") : 0;
    if (!s || !*s || std::strlen(s) > 30)
        return -1;
    if (!s[len] && len < 7) /* a short code */
        return -1;
    if (s[len] || (s[0] == '0' && s[1] != '0'))
        return crm_phone_fold(s, country, out, n);
    std::snprintf(plus, sizeof(plus), "+%s", s[0] == '0' ? s + 2 : s);
    bool whole = crm_phone_fold(plus, "ZZ", full, sizeof(full)) == 0;
    bool local = s[0] != '0' && crm_phone_fold(s, country, home, sizeof(home)) == 0;
    bool ten = local && len == 10 && std::strncmp(home, "+1", 2) == 0;
    bool use_home = local && ((ten && phone_valid(home)) || !whole ||
                              (!phone_valid(full) && phone_valid(home)));
    const char *best = use_home ? home : full;
    if ((!whole && !local) || std::strlen(best) + 1 > n)
        return -1;
    std::memcpy(out, best, std::strlen(best) + 1);
    return 0;
}

int crm_phone_country(const char *e164, char out[3])
{
    try {
        PhoneNumber number;
        std::string region;
        const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
        if (util->Parse(e164, "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR)
            return -1;
        util->GetRegionCodeForNumber(number, &region);
        if (region.size() != 2 || region == "ZZ")
            return -1;
        std::memcpy(out, region.c_str(), 3);
        return 0;
    } catch (...) {
        return -1;
    }
}
