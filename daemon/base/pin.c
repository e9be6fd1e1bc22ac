/* SPDX-License-Identifier: ISC
 *
 * pin - see pin.h
 */
#include "base/pin.h"

#include <crypt.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

bool pin_is_good(const char *digits)
{
    size_t n = strlen(digits);
    return n >= PIN_MIN && n <= PIN_MAX && strspn(digits, "0123456789") == n;
}

/* own; NULL: it cannot be computed */
static char *hashed(const char *digits, const char *setting)
{
    struct crypt_data *d = mem_alloc(sizeof(*d)); /* 32 KB */
    const char *line = crypt_rn(digits, setting, d, (int)sizeof(*d));
    char *own = line && *line != '*' ? mem_str(line) : NULL;
    gnutls_memset(d, 0, sizeof(*d));
    mem_free(d);
    return own;
}

char *pin_hash(const char *digits, struct err *e)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    char *line = NULL;
    if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) ||
        crypt_gensalt_rn("$6$", 0, NULL, 0, setting, sizeof(setting)))
        line = hashed(digits, setting);
    if (!line)
        err_set(e, ERR_PERM, "crypt(3) of this system makes no hash");
    return line;
}

bool pin_is_hash(const char *kept)
{
    return *kept == '$';
}

bool pin_hash_is_good(const char *kept)
{
    return text_is_single_line(kept) && crypt_checksalt(kept) == CRYPT_SALT_OK;
}

bool pin_matches(const char *kept, const char *digits)
{
    if (!pin_is_good(digits))
        return false;
    if (!pin_is_hash(kept))
        return text_equal_ct(kept, digits);
    AUTO_FREE char *line = hashed(digits, kept);
    return line && text_equal_ct(line, kept);
}
