/* SPDX-License-Identifier: ISC
 *
 * secret - see secret.h
 */
#include "engine/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/secret.h"

int secret_token(struct engine *eng, const char *user, bool renew, char out[TOKEN_NAME_LEN],
                 int64_t *made_ms_out, struct err *e)
{
    char name[32];
    int64_t id = 0;
    if (!renew && secret_get(eng->db, user, &id, made_ms_out, e) < 0)
        return -1;
    if (id == 0) {
        *made_ms_out = clock_now_ms();
        if (secret_renew(eng->db, user, *made_ms_out, &id, e) < 0)
            return -1;
    }
    snprintf(name, sizeof(name), "U%" PRId64, id);
    token_make(eng->key, "secret", name, out);
    return 0;
}

int secret_read(struct engine *eng, const char *text, char **user_out, struct err *e)
{
    char name[32];
    int64_t id;
    *user_out = NULL;
    if (!token_find(eng->key, "secret", text, name) || text_parse_int(name + 1, &id) < 0)
        return 0;
    return secret_user(eng->db, id, user_out, e);
}

static int secret_try(struct engine *eng, const char *address, const char *user, bool *out,
                      struct err *e)
{
    AUTO_FREE char *whose = NULL;
    if (*out || !address)
        return 0;
    if (secret_read(eng, address, &whose, e) < 0)
        return -1;
    *out = whose && strcmp(whose, user) == 0;
    return 0;
}

int secret_in_message(struct engine *eng, const json_t *message, const char *user, bool *out,
                      struct err *e)
{
    static const char *const lists[] = {"delivered_to", "to", "cc"};
    size_t i;
    const json_t *v;
    *out = false;
    for (size_t k = 0; k < ARRAY_LEN(lists); k++)
        json_array_foreach(json_get_arr(message, lists[k]), i, v)
            if (secret_try(eng, json_is_string(v) ? json_string_value(v)
                                                  : json_get_str(v, "address", NULL),
                           user, out, e) < 0)
                return -1;
    return 0;
}
