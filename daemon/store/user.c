/* SPDX-License-Identifier: ISC
 *
 * user - see user.h
 */
#include "store/user.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"

static int user_deactivate(struct db *db, const json_t *users, int64_t now_ms, struct err *e)
{
    json_t *gone = json_array();
    struct db_rows *r = db_query(db, "SELECT name FROM app_user WHERE active = 1", "");
    while (db_step(r))
        if (!json_object_get(users, db_text(r, 0)))
            json_array_append_new(gone, json_string(db_text(r, 0)));
    int rc = db_done(&r, e);
    for (size_t i = 0; rc == 0 && i < json_array_size(gone); i++)
        rc = db_exec(db, e, "UPDATE app_user SET active = 0, updated_ms = $1 WHERE name = $2", "is",
                     now_ms, json_string_value(json_array_get(gone, i)));
    json_decref(gone);
    return rc;
}

int user_sync(struct db *db, const json_t *users, const json_t *teams, int64_t now_ms,
              struct err *e)
{
    const char *name;
    const json_t *v;
    json_object_foreach((json_t *)teams, name, v)
        if (db_exec(db, e,
                    "INSERT INTO team (name, title) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE "
                    "SET title = excluded.title WHERE COALESCE(team.title, '') <> "
                    "COALESCE(excluded.title, '')",
                    "ss", name, json_get_str(v, "name", NULL)) < 0)
            return -1;
    json_object_foreach((json_t *)users, name, v)
        if (db_exec(db, e,
                    "INSERT INTO app_user (name, full_name, email, phone, team, role, active, "
                    "updated_ms) VALUES ($1, $2, $3, $4, $5, $6, 1, $7) "
                    "ON CONFLICT (name) DO UPDATE SET full_name = excluded.full_name, "
                    "email = excluded.email, phone = excluded.phone, team = excluded.team, "
                    "role = excluded.role, active = 1, updated_ms = excluded.updated_ms "
                    "WHERE app_user.active = 0 OR app_user.role <> excluded.role "
                    "OR COALESCE(app_user.full_name, '') <> COALESCE(excluded.full_name, '') "
                    "OR COALESCE(app_user.email, '') <> COALESCE(excluded.email, '') "
                    "OR COALESCE(app_user.phone, '') <> COALESCE(excluded.phone, '') "
                    "OR COALESCE(app_user.team, '') <> COALESCE(excluded.team, '')",
                    "ssssssi", name, json_get_str(v, "name", NULL), json_get_str(v, "email", NULL),
                    json_get_str(v, "phone", NULL), json_get_str(v, "team", NULL),
                    json_get_str(v, "role", "rep"), now_ms) < 0)
            return -1;
    return user_deactivate(db, users, now_ms, e);
}

int user_list(struct db *db, json_t **out, struct err *e)
{
    json_t *list = json_array();
    struct db_rows *r = db_query(
        db, "SELECT name, full_name, email, team, role, active FROM app_user ORDER BY name", "");
    while (db_step(r)) {
        json_t *o = json_object();
        json_put_str(o, "name", db_text(r, 0));
        json_put_str(o, "full_name", db_text(r, 1));
        json_put_str(o, "email", db_text(r, 2));
        json_put_str(o, "team", db_text(r, 3));
        json_put_str(o, "role", db_text(r, 4));
        json_put_bool(o, "active", db_int(r, 5) != 0);
        json_array_append_new(list, o);
    }
    if (db_done(&r, e) < 0) {
        json_decref(list);
        return -1;
    }
    *out = list;
    return 0;
}

int user_absences(struct db *db, json_t **out, struct err *e)
{
    json_t *all = json_object();
    struct db_rows *r = db_query(db, "SELECT name, list FROM absence", "");
    while (db_step(r)) {
        const char *text = db_text(r, 1);
        json_t *list = text ? json_load_bounded(text, strlen(text), MIB(1), NULL) : NULL;
        if (list)
            json_object_set_new(all, db_text(r, 0), list);
    }
    if (db_done(&r, e) < 0) {
        json_decref(all);
        return -1;
    }
    *out = all;
    return 0;
}

int user_absence_set(struct db *db, const char *user, const json_t *list, int64_t now_ms,
                     struct err *e)
{
    if (json_array_size(list) == 0)
        return db_exec(db, e, "DELETE FROM absence WHERE name = $1", "s", user);
    AUTO_FREE char *text = json_line(list);
    return db_exec(db, e,
                   "INSERT INTO absence (name, list, updated_ms) VALUES ($1, $2, $3) "
                   "ON CONFLICT (name) DO UPDATE SET list = excluded.list, "
                   "updated_ms = excluded.updated_ms",
                   "ssi", user, text, now_ms);
}
