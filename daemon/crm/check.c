/* SPDX-License-Identifier: ISC
 *
 * check - see check.h
 */
#include "crm/check.h"

#include <string.h>

#include "base/mem.h"
#include "crm/build.h"
#include "crm/cmd.h"
#include "crm/form.h"
#include "crm/source_map.h"
#include "crm/when.h"

static void check_settings(const struct crm *crm, struct errlist *errors)
{
    struct err e;
    const char *owner = crm_setting(crm, "default_owner", NULL);
    if (owner && cmd_known(crm->users, "user", owner, &e) < 0)
        errlist_add(errors, NULL, "settings.default_owner: %s", e.text);
    if (!crm_zone_ok(crm->zone))
        errlist_add(errors, NULL, "settings.time_zone: no time zone %s", crm->zone);
}

static void check_users(const struct crm *crm, struct errlist *errors)
{
    const char *name;
    const json_t *u;
    struct err e;
    json_object_foreach((json_t *)crm->users, name, u) {
        const char *team = json_get_str(u, "team", NULL);
        if (team && *team && cmd_known(crm->teams, "team", team, &e) < 0)
            errlist_add(errors, json_get_str(u, "at", NULL), "users: %s: %s", name, e.text);
    }
}

static void check_pools(const struct crm *crm, struct errlist *errors)
{
    const char *name;
    const json_t *p, *m;
    size_t i;
    struct err e;
    json_object_foreach((json_t *)crm->pools, name, p) {
        const json_t *members = json_get_arr(p, "members");
        const char *at = json_get_str(p, "at", NULL);
        if (json_array_size(members) == 0)
            errlist_add(errors, at, "pools: %s has no members", name);
        json_array_foreach((json_t *)members, i, m) {
            const char *member_at = json_get_str(m, "at", at);
            if (cmd_known(crm->users, "user", json_get_str(m, "user", ""), &e) < 0)
                errlist_add(errors, member_at, "pools: %s: %s", name, e.text);
            if (json_get_int(m, "weight", 1) < 1)
                errlist_add(errors, member_at, "pools: %s: the weight of %s must be 1 or more",
                            name, json_get_str(m, "user", ""));
        }
    }
}

int crm_check(const json_t *config_tree, struct errlist *errors)
{
    size_t before = errlist_total(errors);
    struct crm *crm = crm_build(NULL, config_tree, errors);
    check_settings(crm, errors);
    check_users(crm, errors);
    check_pools(crm, errors);
    crm_forms_check(crm, errors);
    crm_begins_check(crm, "forms", errors);
    crm_begins_check(crm, "sources", errors);
    source_map_check(crm, errors);
    crm_free(&crm);
    return errlist_total(errors) == before ? 0 : -1;
}
