/* SPDX-License-Identifier: ISC
 *
 * address - see address.h
 */
#include "web/address.h"

#include <arpa/inet.h>
#include <string.h>

bool address_canonical(const char *s, char *out, size_t n)
{
    struct in_addr a4;
    struct in6_addr a6;
    if (inet_pton(AF_INET, s, &a4) == 1)
        return inet_ntop(AF_INET, &a4, out, (socklen_t)n) != NULL;
    if (inet_pton(AF_INET6, s, &a6) != 1)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&a6))
        return inet_ntop(AF_INET, &a6.s6_addr[12], out, (socklen_t)n) != NULL;
    return inet_ntop(AF_INET6, &a6, out, (socklen_t)n) != NULL;
}

bool address_is_trusted(const json_t *trusted, const char *address)
{
    size_t i;
    json_t *v;
    char one[INET6_ADDRSTRLEN];
    json_array_foreach ((json_t *)trusted, i, v) {
        const char *s = json_string_value(v);
        if (s && address_canonical(s, one, sizeof(one)) && strcmp(one, address) == 0)
            return true;
    }
    return false;
}

void address_key(const char *address, unsigned char key[ADDRESS_KEY])
{
    struct in_addr a4;
    struct in6_addr a6;
    memset(key, 0, ADDRESS_KEY);
    if (inet_pton(AF_INET, address, &a4) == 1) {
        key[1] = 4; /* no /64 begins like this: 0::/8 is reserved */
        memcpy(key + 4, &a4, 4);
    } else if (inet_pton(AF_INET6, address, &a6) == 1) {
        memcpy(key, &a6, ADDRESS_KEY);
    }
}
