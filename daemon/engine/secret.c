/* SPDX-License-Identifier: ISC
 *
 * secret - see secret.h; and leadctl address
 */
#include "engine/secret.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/ctl.h"
#include "engine/dropbox.h"
#include "engine/ours.h"
#include "store/secret.h"

int secret_address(struct engine *eng, const char *user, bool renew, char **address_out,
                   int64_t *made_ms_out, struct err *e)
{
    struct ours o = {.kind = OURS_SECRET};
    if (strcmp(engine_setting(eng, "reply_address", "plus"), "none") == 0)
        return err_set(e, ERR_INPUT, "with reply_address = \"none\" no mail to another address than "
                       "the company's arrives, so there can be no secret one");
    if (!renew && secret_get(eng->db, user, &o.issue, made_ms_out, e) < 0)
        return -1;
    if (o.issue == 0) {
        *made_ms_out = clock_now_ms();
        if (secret_renew(eng->db, user, *made_ms_out, &o.issue, e) < 0)
            return -1;
    }
    snprintf(o.user, sizeof(o.user), "%s", user);
    *address_out = ours_address(eng, &o);
    return *address_out ? 0 : err_set(e, ERR_INPUT, "no address of the company is set");
}

int secret_is(struct engine *eng, const char *address, const char *user, bool *out,
              struct err *e)
{
    struct ours o;
    int64_t issue, made_ms;
    *out = false;
    if (!ours_read(eng, address, &o) || o.kind != OURS_SECRET || strcmp(o.user, user) != 0)
        return 0;
    if (secret_get(eng->db, user, &issue, &made_ms, e) < 0)
        return -1;
    *out = issue > 0 && issue == o.issue;
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
        json_array_foreach(json_get_arr(message, lists[k]), i, v) {
            const char *address = json_is_string(v) ? json_string_value(v)
                                                    : json_get_str(v, "address", NULL);
            if (secret_is(eng, address, user, out, e) < 0)
                return -1;
            if (*out)
                return 0;
        }
    return 0;
}

/* address dropbox [USER] [new] */
static json_t *ctl_dropbox(struct ctl *c, struct err *e)
{
    int n = c->argc;
    bool renew = n > 2 && strcmp(c->argv[n - 1], "new") == 0;
    const char *user = n - renew > 2 ? c->argv[2] : NULL;
    if (n - renew > 3 || (user && !crm_user(c->eng->crm, user))) {
        err_set(e, ERR_INPUT, "\"%s\" is none of the users; see: leadctl list users",
                n - renew > 3 ? c->argv[3] : user);
        return NULL;
    }
    AUTO_FREE char *address = dropbox_address(c->eng, user, renew, e);
    if (!address)
        return NULL;
    json_t *out = ctl_text("%s", address);
    json_put_str(out, "address", address);
    return out;
}

json_t *ctl_address(struct ctl *c, struct err *e)
{
    if (strcmp(c->argv[1], "dropbox") == 0)
        return ctl_dropbox(c, e);
    if (c->argc < 3) {
        err_set(e, ERR_INPUT, "address %s: expected secret USER, or dropbox", c->argv[1]);
        return NULL;
    }
    const char *user = c->argv[2], *verb = c->argc > 3 ? c->argv[3] : "";
    AUTO_FREE char *address = NULL;
    int64_t made_ms;
    char stamp[32];
    if (strcmp(c->argv[1], "secret") != 0) {
        err_set(e, ERR_INPUT, "address %s: expected secret or dropbox", c->argv[1]);
        return NULL;
    }
    if (!crm_user(c->eng->crm, user)) {
        err_set(e, ERR_INPUT, "\"%s\" is none of the users; see: leadctl list users", user);
        return NULL;
    }
    if (strcmp(verb, "off") == 0)
        return secret_remove(c->eng->db, user, e) < 0
                   ? NULL : ctl_text("%s has no secret address any more", user);
    if (*verb && strcmp(verb, "new") != 0) {
        err_set(e, ERR_INPUT, "address secret %s %s: expected nothing more, new or off", user, verb);
        return NULL;
    }
    if (secret_address(c->eng, user, *verb != '\0', &address, &made_ms, e) < 0)
        return NULL;
    json_t *out = ctl_text("%s", address);
    json_put_str(out, "address", address);
    json_put_str(out, "made", clock_format_utc(made_ms, stamp, sizeof(stamp)));
    return out;
}
