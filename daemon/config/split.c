/* SPDX-License-Identifier: ISC
 *
 * split - config_split(): what each role may know
 *
 * A role gets the settings it uses and no more; above all, the path of a
 * credential goes only to the one role that opens it.
 */
#include <string.h>

#include "base/gateway.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/config.h"

/* A new part: the log level, and the user to become. role is the key of
 * run_as, NULL for the supervisor. */
static json_t *split_part(const json_t *tree, const char *role)
{
    json_t *part = json_object();
    const json_t *settings = json_object_get(tree, "settings");
    json_put_str(part, "log_level", json_get_str(settings, "log_level", "info"));
    if (json_get_bool(settings, "log_personal", false))
        json_put_bool(part, "log_personal", true);
    if (role)
        json_put_str(part, "run_as", json_get_str(json_object_get(tree, "run_as"), role, NULL));
    return part;
}

static void split_copy(json_t *part, const json_t *from, const char *const *keys)
{
    for (; *keys; keys++) {
        json_t *v = json_object_get(from, *keys);
        if (v)
            json_object_set_new(part, *keys, json_deep_copy(v));
    }
}

static void split_drop_files(json_t *obj)
{
    static const char *const secret[] = {"password_file", "token_file", "secret_file", "ca_file"};
    for (size_t i = 0; i < ARRAY_LEN(secret); i++)
        json_object_del(obj, secret[i]);
}

/* Their names alone: who may post where. */
static void split_names(json_t *part, const json_t *tree, const char *key)
{
    json_t *names = json_object(), *v;
    const char *name;
    json_object_foreach(json_object_get(tree, key), name, v)
        json_object_set_new(names, name, json_object());
    json_object_set_new(part, key, names);
}

static json_t *split_engine(const json_t *tree)
{
    json_t *part = json_deep_copy(tree), *head AUTO_JSON = split_part(tree, "engine"), *v;
    const char *name;
    size_t i;
    json_object_del(part, "run_as");
    json_object_del(part, "warnings");
    json_object_del(part, "tests"); /* for tools alone */
    json_object_update(part, head);
    json_object_foreach(json_object_get(part, "mailboxes"), name, v)
        split_drop_files(v);
    json_array_foreach(json_object_get(part, "relays"), i, v)
        split_drop_files(v);
    json_object_foreach(json_object_get(part, "endpoints"), name, v)
        split_drop_files(v);
    json_object_foreach(json_object_get(part, "gateways"), name, v)
        split_drop_files(v);
    return part;
}

/* Sockets and folders, and which mailboxes there are: no host, no secret. */
static json_t *split_supervisor(const json_t *tree)
{
    static const char *const settings[] = {"state_dir", "run_dir", "admin", NULL};
    static const char *const web[] = {"listen", "ui_listen", NULL};
    static const char *const top[] = {"store", "run_as", NULL};
    json_t *part = split_part(tree, NULL), *st = json_object(), *wb = json_object();
    json_t *names = json_array(), *v;
    const char *name;
    split_copy(st, json_object_get(tree, "settings"), settings);
    split_copy(wb, json_object_get(tree, "web"), web);
    split_copy(part, tree, top);
    json_object_set_new(part, "settings", st);
    json_object_set_new(part, "web", wb);
    json_object_foreach(json_object_get(tree, "mailboxes"), name, v)
        json_array_append_new(names, json_string(name));
    json_object_set_new(part, "mailboxes", names);
    return part;
}

static json_t *split_intake(const json_t *tree, const char *name, const json_t *mailbox)
{
    json_t *part = split_part(tree, "intake");
    json_put_str(part, "name", name);
    json_object_set_new(part, "mailbox", json_deep_copy(mailbox));
    return part;
}

json_t *config_split(const json_t *tree)
{
    static const char *const parser_settings[] = {"default_country", "mail_size", NULL};
    static const char *const courier_top[] = {"relays", "endpoints", "gateways", NULL};
    static const char *const courier_settings[] = {"domain", NULL};
    static const char *const web_in[] = {"web", "forms", NULL};
    static const char *const web_ui[] = {"web", "store", NULL};
    const json_t *settings = json_object_get(tree, "settings");
    json_t *out = json_object(), *part, *v;
    const char *name;

    json_object_set_new(out, "supervisor", split_supervisor(tree));
    json_object_set_new(out, "engine", split_engine(tree));
    json_object_set_new(out, "parser", part = split_part(tree, "parser"));
    split_copy(part, settings, parser_settings);
    json_object_foreach(json_object_get(tree, "mailboxes"), name, v) {
        char *role AUTO_FREE = mem_printf("intake:%s", name);
        json_object_set_new(out, role, split_intake(tree, name, v));
    }
    json_object_set_new(out, "web-in", part = split_part(tree, "web_in"));
    split_copy(part, tree, web_in);
    split_names(part, tree, "sources");
    split_names(part, tree, "gateways");
    json_object_set_new(out, "web-ui", part = split_part(tree, "web_ui"));
    split_copy(part, tree, web_ui);
    json_object_set_new(out, "courier", part = split_part(tree, "courier"));
    split_copy(part, tree, courier_top);
    json_object_foreach(json_object_get(part, "gateways"), name, v) {
        if (!gateway_fetches(v))
            json_object_del(v, "media");
        else if (!json_get_obj(v, "media"))
            json_object_set_new(v, "media", json_object());
        json_object_del(v, "verify"); /* the engine's */
        json_object_del(v, "inbound");
    }
    split_copy(part, settings, courier_settings);
    return out;
}
