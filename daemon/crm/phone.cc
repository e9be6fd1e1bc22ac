/* SPDX-License-Identifier: ISC
 *
 * phone - libphonenumber behind two C functions (see address.h)
 *
 * No exception leaves this file, and nothing of C++ does.
 */
#include <phonenumbers/phonenumberutil.h>

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
