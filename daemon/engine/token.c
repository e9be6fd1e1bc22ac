/* SPDX-License-Identifier: ISC
 *
 * token - see token.h
 */
#include "engine/token.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

static int token_key_create(const char *state_dir, const char *path, unsigned char key[32],
                            struct err *e)
{
    AUTO_FREE char *tmp = mem_printf("%s.new", path);
    hash_random(key, 32);
    AUTO_CLOSE int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, key, 32) != 32 || fsync(fd) < 0 || rename(tmp, path) < 0)
        return err_set(e, ERR_TEMP, "cannot write %s: %s", path, err_errno());
    /* tokens leave in mails: its name must outlive a power cut, too */
    AUTO_CLOSE int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fsync(dir) < 0)
        return err_set(e, ERR_TEMP, "cannot sync %s: %s", state_dir, err_errno());
    return 0;
}

int token_key_load(const char *state_dir, unsigned char key[32], struct err *e)
{
    AUTO_FREE char *path = mem_printf("%s/secret.key", state_dir);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return token_key_create(state_dir, path, key, e);
    if (fd < 0 || read(fd, key, 32) != 32)
        return err_set(e, ERR_PERM, "cannot read 32 bytes from %s: %s", path,
                       fd < 0 ? err_errno() : "too short");
    return 0;
}

void token_make(const unsigned char key[32], const char *purpose, const char *name,
                char out[TOKEN_NAME_LEN])
{
    char token[HASH_TOKEN_LEN];
    hash_token(key, 32, purpose, name, token);
    snprintf(out, TOKEN_NAME_LEN, "%s.%s", name, token);
}

/* At s: a letter, digits, '.', 16 base32 digits, and no more of them. */
static bool token_at(const unsigned char key[32], const char *purpose, const char *s,
                     char name_out[32])
{
    char name[32], given[HASH_TOKEN_LEN], token[HASH_TOKEN_LEN];
    size_t digits = strspn(s + 1, "0123456789");
    if (digits == 0 || digits > 18 || s[1 + digits] != '.')
        return false;
    const char *t = s + digits + 2;
    size_t n = 0;
    while (isalnum((unsigned char)t[n]) && n < HASH_TOKEN_LEN)
        n++;
    if (n != HASH_TOKEN_LEN - 1)
        return false;
    memcpy(given, t, n);
    given[n] = '\0';
    text_lower(given); /* addresses may arrive in another case */
    snprintf(name, sizeof(name), "%c%.*s", toupper((unsigned char)s[0]), (int)digits, s + 1);
    hash_token(key, 32, purpose, name, token);
    if (!text_equal_ct(token, given))
        return false;
    memcpy(name_out, name, sizeof(name));
    return true;
}

bool token_find(const unsigned char key[32], const char *purpose, const char *text,
                char name_out[32])
{
    for (const char *p = text; *p; p++) {
        if (!isalpha((unsigned char)*p) || (p > text && isalnum((unsigned char)p[-1])))
            continue;
        if (isdigit((unsigned char)p[1]) && token_at(key, purpose, p, name_out))
            return true;
    }
    return false;
}
