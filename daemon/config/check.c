/* SPDX-License-Identifier: ISC
 *
 * check - what no single key can say, see config_check() in read.h
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include <gnutls/gnutls.h>

#include "base/bounds.h"
#include "base/gateway.h"
#include "base/mem.h"
#include "base/pin.h"
#include "base/text.h"
#include "config/check_inner.h"

void check_error(const struct check *c, const struct entry *e, const char *key,
                        const char *fmt, ...)
{
    char text[768];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    const struct scan_node *n = scan_member(e->node, key);
    char *at AUTO_FREE = scan_at(n ? n : e->node);
    errlist_add(c->w->errors, at, "%s%s%s: %s", e->path, e->path[0] ? "." : "", key, text);
}

void check_warn(const struct check *c, const struct entry *e, const char *key,
                       const char *text)
{
    const struct scan_node *n = scan_member(e->node, key);
    char *at AUTO_FREE = scan_at(n ? n : e->node);
    walk_warn(c->w, at, "%s%s%s: %s", e->path, e->path[0] ? "." : "", key, text);
}

const char *check_str(const struct entry *e, const char *key)
{
    return json_get_str(e->v, key, NULL);
}

bool check_is(const struct entry *e, const char *key, const char *value)
{
    return strcmp(json_get_str(e->v, key, ""), value) == 0;
}

bool check_name(json_t *map, const char *name, const char **near_out)
{
    *near_out = NULL;
    if (json_object_get(map, name))
        return true;
    const char *names[256] = {0}, *key;
    size_t n = 0;
    json_t *v;
    json_object_foreach(map, key, v)
        if (n < ARRAY_LEN(names))
            names[n++] = key;
    *near_out = text_nearest(name, names, n);
    return false;
}

static bool check_user(const struct check *c, const char *name, const char **near_out)
{
    return check_name(c->users, name, near_out);
}

const char *check_hint(const char *near, char *out, size_t n)
{
    snprintf(out, n, near ? "; did you mean \"%s\"?" : "%.0s", near ? near : "");
    return out;
}

bool check_is_loopback(const char *host)
{
    unsigned char a[4];
    if (strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
        return true;
    return inet_pton(AF_INET, host, a) == 1 && a[0] == 127;
}

void check_secret(const struct check *c, const struct entry *e, const char *key)
{
    const char *path = check_str(e, key);
    struct stat st;
    if (!path || c->w->away)
        return;
    if (path[0] == '$') {
        check_warn(c, e, key, "CREDENTIALS_DIRECTORY is not set here, so the file is not checked");
    } else if (stat(path, &st) != 0) {
        check_error(c, e, key, "cannot find %s: %s; put the secret there, mode 0600", path,
                    err_errno());
    } else if (!S_ISREG(st.st_mode)) {
        check_error(c, e, key, "%s is not a file", path);
    } else if (st.st_size == 0) {
        check_error(c, e, key, "%s is empty", path);
    } else if (st.st_mode & 0007) {
        char *text AUTO_FREE = mem_printf("everybody on this machine can read %s; chmod o= %s",
                                          path, path);
        check_warn(c, e, key, text);
    }
}

/* A PIN that stands there as it is. Who checks may not be who may read it. */
static void check_pin(const struct check *c, const struct entry *e)
{
    const char *path = check_str(e, "pin_file");
    struct buf kept AUTO_BUF;
    struct err why = {0};
    buf_init(&kept, KIB(1));
    check_secret(c, e, "pin_file");
    if (!path || c->w->away || *path == '$' || buf_read_file(&kept, path, &why) < 0 || kept.len == 0)
        return;
    if (!pin_is_hash(kept.data))
        check_warn(c, e, "pin_file", "the PIN stands there as it is; put the line in its place that "
                   "leadctl pin makes of it");
    gnutls_memset(kept.data, 0, kept.len);
}

/* What mailboxes and relays have in common. needed: it always signs in. */
static void check_sign_in(const struct check *c, const struct entry *e, bool needed)
{
    bool password = check_is(e, "auth", "password");
    const char *key = password ? "password_file" : "token_file";
    const char *other = password ? "token_file" : "password_file";
    bool user = check_str(e, "user") != NULL, secret = check_str(e, key) != NULL;
    const char *host = json_get_str(e->v, "host", "");
    if (e->node->damaged)
        return;
    if ((needed || user) && !secret && !scan_member(e->node, key))
        check_error(c, e, key, "is missing; auth = \"%s\" needs it",
                    json_get_str(e->v, "auth", ""));
    if (check_str(e, other))
        check_error(c, e, other, "is not used with auth = \"%s\"", json_get_str(e->v, "auth", ""));
    if (secret && !user && !scan_member(e->node, "user"))
        check_error(c, e, "user", "is missing; %s needs it", key);
    if (secret && check_is(e, "tls", "none") && *host && !check_is_loopback(host)) {
        if (!json_get_bool(e->v, "allow_plaintext", false))
            check_error(c, e, "tls",
                        "the %s would go to %s in the open; use \"tls\" or \"starttls\", or set "
                        "allow_plaintext = true", password ? "password" : "token", host);
        else
            check_warn(c, e, "tls", "what is sent to sign in can be read on the way");
    }
    check_secret(c, e, key);
    const char *ca = check_str(e, "ca_file");
    struct stat st;
    if (ca && !c->w->away && stat(ca, &st) != 0)
        check_error(c, e, "ca_file", "cannot find %s: %s", ca, err_errno());
}

static void check_mailbox(const struct check *c, const struct entry *e)
{
    bool imap = check_is(e, "type", "imap");
    const json_t *folders = json_object_get(e->v, "folders");
    for (size_t i = 0; i < json_array_size(folders); i++)
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(folders, i), json_array_get(folders, j)))
                check_error(c, e, "folders", "\"%s\" stands twice",
                            json_string_value(json_array_get(folders, i)));
    if (check_is(e, "after", "move") && !check_str(e, "move_to") && !e->node->damaged)
        check_error(c, e, "move_to", "is missing; after = \"move\" needs it");
    if (check_str(e, "move_to") && !check_is(e, "after", "move"))
        check_error(c, e, "move_to", "is only for after = \"move\"");
    for (size_t i = 0; check_str(e, "move_to") && i < json_array_size(folders); i++)
        if (strcmp(check_str(e, "move_to"), json_string_value(json_array_get(folders, i))) == 0)
            check_error(c, e, "move_to", "is one of folders; mail would come in again and again");
    if (json_get_int(e->v, "probe_within", 0) >= json_get_int(e->v, "probe", INT64_MAX))
        check_error(c, e, "probe", "is not longer than probe_within: the next one would leave "
                    "before the last one is due back");
    if (check_str(e, "probe_to") && !json_get_int(e->v, "probe", 0))
        check_error(c, e, "probe_to", "is only for mailboxes with probe");
    if (imap)
        check_sign_in(c, e, true);
}

static void check_relay(const struct check *c, const struct entry *e)
{
    const char *name = check_str(e, "name");
    const json_t *relays = json_object_get(c->tree, "relays");
    json_t *other;
    size_t i;
    json_array_foreach(relays, i, other) {
        if (other == e->v)
            break;
        if (name && strcmp(name, json_get_str(other, "name", "")) == 0)
            check_error(c, e, "name", "relay \"%s\" is already defined in %s", name,
                        json_get_str(other, "at", "?"));
    }
    const char *copies = check_str(e, "sent_copies"), *near;
    char hint[128];
    if (copies && !check_name(json_object_get(c->tree, "mailboxes"), copies, &near))
        check_error(c, e, "sent_copies", "there is no mailbox \"%s\"%s", copies,
                    check_hint(near, hint, sizeof(hint)));
    if (!copies && scan_member(e->node, "sent_copies_of"))
        check_error(c, e, "sent_copies_of", "is only for relays with sent_copies");
    if (check_is(e, "type", "smtp"))
        check_sign_in(c, e, false);
}

bool check_url_host(const char *url, char *out, size_t n)
{
    const char *host = strstr(url, "://");
    if (!host || *url == '/')
        return false;
    host += 3;
    size_t len = strcspn(host, "/?#");
    if (memchr(host, '@', len) || len == 0)
        return false;
    size_t end = *host == '[' ? strcspn(host, "]") : strcspn(host, ":/?#");
    bool v6 = *host == '[';
    snprintf(out, n, "%.*s", (int)(end - v6), host + v6);
    return *out != '\0';
}

static void check_endpoint_auth(const struct check *c, const struct entry *e)
{
    static const char *const keys[][2] = {{"basic", "user"}, {"basic", "password_file"},
                                          {"bearer", "token_file"}};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        bool needed = check_is(e, "auth", keys[i][0]), there = scan_member(e->node, keys[i][1]) != NULL;
        if (needed && !there)
            check_error(c, e, keys[i][1], "is missing; auth = \"%s\" needs it", keys[i][0]);
        if (!needed && there)
            check_error(c, e, keys[i][1], "is not used with auth = \"%s\"",
                        json_get_str(e->v, "auth", ""));
    }
    check_secret(c, e, "secret_file");
    check_secret(c, e, "password_file");
    check_secret(c, e, "token_file");
}

static void check_endpoint(const struct check *c, const struct entry *e)
{
    const char *url = check_str(e, "url"), *ca = check_str(e, "ca_file");
    char host[256] = "";
    struct stat st;
    if (e->node->damaged || !url)
        return;
    if (!check_url_host(url, host, sizeof(host)))
        check_error(c, e, "url", "expected a whole URL without name and password, such as "
                    "https://erp.example.com/hooks");
    if (url && !check_str(e, "user") && gateway_needs(e->v, "user"))
        check_error(c, e, "user", "is missing: its requests name it; add user = \"...\"; (the name or "
                    "account at the gateway)");
    if (url && !check_str(e, "secret_file") && gateway_needs(e->v, "secret"))
        check_error(c, e, "secret_file", "is missing: its requests sign in with it; put the password "
                    "or key in a file and add secret_file = \"/etc/leadd/secrets/%s\";",
                    e->path + strlen("gateways."));
    if (url && text_starts(url, "http:") && *host && !check_is_loopback(host) &&
        !json_get_bool(e->v, "allow_plaintext", false))
        check_error(c, e, "url", "what is sent to %s could be read on the way; use https, or set "
                    "allow_plaintext = true", host);
    if (ca && stat(ca, &st) != 0)
        check_error(c, e, "ca_file", "cannot find %s: %s", ca, err_errno());
    check_endpoint_auth(c, e);
}

/* Refuses the second user with an address. seen: address -> user. */
static void check_address(const struct check *c, const struct entry *e, const char *key,
                          const char *address, json_t *seen, const char *user)
{
    char *low AUTO_FREE = mem_str(address);
    text_lower(low);
    const char *before = json_get_str(seen, low, NULL);
    if (before && strcmp(before, user) == 0)
        check_error(c, e, key, "\"%s\" stands twice", address);
    else if (before)
        check_error(c, e, key, "\"%s\" already belongs to the user \"%s\"", address, before);
    json_put_str(seen, low, user);
}

static void check_manager(const struct check *c, const struct entry *e)
{
    const char *manager = check_str(e, "manager"), *near;
    char hint[128];
    if (manager && c->users_whole && !check_user(c, manager, &near))
        check_error(c, e, "manager", "there is no user \"%s\"%s", manager,
                    check_hint(near, hint, sizeof(hint)));
}

static void check_users(const struct check *c, const struct scan_node *group)
{
    json_t *seen AUTO_JSON = json_object(), *v, *a;
    const json_t *teams = json_object_get(c->tree, "teams");
    const char *name;
    json_object_foreach(c->users, name, v) {
        char *path AUTO_FREE = mem_printf("users.%s", name);
        struct entry e = {v, scan_member(group, name), path};
        const char *team = check_str(&e, "team");
        size_t i;
        if (team && !json_object_get(teams, team))
            check_error(c, &e, "team", "there is no team \"%s\"; define it in teams", team);
        check_manager(c, &e);
        check_pin(c, &e);
        if (check_str(&e, "email"))
            check_address(c, &e, "email", check_str(&e, "email"), seen, name);
        json_array_foreach(json_object_get(v, "addresses"), i, a)
            check_address(c, &e, "addresses", json_string_value(a), seen, name);
        if (check_str(&e, "phone"))
            check_address(c, &e, "phone", check_str(&e, "phone"), seen, name);
    }
}

static bool is_class(const char *s)
{
    static const char *const all[] = {"follow_up", "confirmation", "relay", "notice",
                                      "conversation"};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (strcmp(all[i], s) == 0)
            return true;
    return false;
}

static void check_sms(const struct check *c)
{
    const struct scan_node *node = scan_member(c->root, "sms");
    struct entry e = {json_object_get(c->tree, "sms"), node ? node : c->root, (char *)"sms"};
    const char *hours = check_str(&e, "quiet_hours");
    const json_t *v;
    size_t i;
    int begin, end;
    if (hours && strcmp(hours, "none") != 0 && text_parse_hours(hours, &begin, &end) < 0)
        check_error(c, &e, "quiet_hours", "expected hours such as \"21:00-08:00\", or \"none\"");
    json_array_foreach(json_object_get(e.v, "quiet_for"), i, v)
        if (!is_class(json_string_value(v)))
            check_error(c, &e, "quiet_for", "\"%s\" is no kind of text; expected follow_up, "
                        "confirmation, relay, notice or conversation", json_string_value(v));
}

/* leadd speaks no TLS: something in front of it does, and all come through that. */
static void check_web(const struct check *c)
{
    const struct scan_node *node = scan_member(c->root, "web");
    struct entry e = {json_object_get(c->tree, "web"), node ? node : c->root, (char *)"web"};
    const char *listen = json_get_str(e.v, "listen", "");
    size_t i, n = strcspn(listen, "]");
    const json_t *v;
    AUTO_FREE char *host = *listen == '[' ? mem_strn(listen + 1, n ? n - 1 : 0)
                                          : mem_strn(listen, strcspn(listen, ":"));
    bool near = check_is_loopback(host) || !*host;
    json_array_foreach(json_object_get(e.v, "trusted_proxies"), i, v)
        near |= !check_is_loopback(json_string_value(v));
    if (!near && text_starts(json_get_str(e.v, "in_url", ""), "https:") &&
        json_object_size(json_object_get(c->tree, "forms")))
        check_warn(c, &e, "trusted_proxies",
                   "in_url is https, so a proxy is in front of leadd; one on another machine must be "
                   "named here, else all who come through it count as one sender. One on this machine "
                   "needs no more than listen = \"127.0.0.1:8025\"");
}

static void check_fields(const struct check *c)
{
    const char *kind, *name;
    json_t *fields, *v;
    json_object_foreach(json_object_get(c->tree, "fields"), kind, fields)
        json_object_foreach(fields, name, v)
            if (strpbrk(name, "-*") || isupper((unsigned char)name[0]))
                errlist_add(c->w->errors, json_get_str(v, "at", ""),
                            "fields.%s.%s: a field is named with small letters, digits and \"_\", "
                            "since rules write %s.NAME", kind, name, kind);
}

static void check_pools(const struct check *c)
{
    const char *name;
    json_t *pool, *m;
    json_object_foreach(json_object_get(c->tree, "pools"), name, pool) {
        json_t *seen AUTO_JSON = json_object();
        size_t i;
        json_array_foreach(json_object_get(pool, "members"), i, m) {
            const char *user = json_get_str(m, "user", NULL), *at = json_get_str(m, "at", "");
            const char *near;
            char hint[128];
            if (!user)
                continue;
            if (!check_user(c, user, &near))
                errlist_add(c->w->errors, at, "pools.%s: there is no user \"%s\"%s", name, user,
                            check_hint(near, hint, sizeof(hint)));
            if (json_object_get(seen, user))
                errlist_add(c->w->errors, at, "pools.%s: \"%s\" stands twice; use weight", name,
                            user);
            json_put_str(seen, user, user);
        }
    }
}

static void check_settings(const struct check *c)
{
    struct entry e = {json_object_get(c->tree, "settings"), c->root, mem_str("")};
    const char *owner = check_str(&e, "default_owner"), *near;
    char hint[128];
    if (owner && c->users_whole && !check_user(c, owner, &near))
        check_error(c, &e, "default_owner", "there is no user \"%s\"%s", owner,
                    check_hint(near, hint, sizeof(hint)));
    const char *calendar = check_str(&e, "calendar");
    if (calendar && !check_name(json_object_get(c->tree, "calendars"), calendar, &near))
        check_error(c, &e, "calendar", "there is no calendar \"%s\" in the rule files%s", calendar,
                    check_hint(near, hint, sizeof(hint)));
    const char *endpoint = check_str(&e, "alarm_endpoint");
    if (endpoint && !check_name(json_object_get(c->tree, "endpoints"), endpoint, &near))
        check_error(c, &e, "alarm_endpoint", "there is no endpoint \"%s\"%s", endpoint,
                    check_hint(near, hint, sizeof(hint)));
    if (json_object_size(json_object_get(c->tree, "lists")) > BOUND_LISTS)
        check_error(c, &e, "lists", "there are more than %d: people leave them on one page, each by a box",
                    BOUND_LISTS);
    json_t *stages = json_object_get(c->tree, "stages");
    for (size_t i = 0; i < json_array_size(stages); i++)
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(stages, i), json_array_get(stages, j)))
                check_error(c, &e, "stages", "\"%s\" stands twice",
                            json_string_value(json_array_get(stages, i)));
    if (json_object_size(json_object_get(c->tree, "mailboxes")) +
            json_object_size(json_object_get(c->tree, "forms")) == 0 && !c->root->damaged)
        check_warn(c, &e, "mailboxes", "there are no mailboxes and no forms: nothing comes in");
    if (json_array_size(json_object_get(c->tree, "relays")) == 0 && !c->root->damaged)
        check_warn(c, &e, "relays", "there are no relays: nothing can be sent");
    mem_free(e.path);
}

typedef void (*check_fn)(const struct check *c, const struct entry *e);

static void check_map(const struct check *c, const char *section, check_fn fn)
{
    const struct scan_node *group = scan_member(c->root, section);
    const char *name;
    json_t *v;
    json_object_foreach(json_object_get(c->tree, section), name, v) {
        struct entry e = {v, scan_member(group, name), mem_printf("%s.%s", section, name)};
        if (e.node)
            fn(c, &e);
        mem_free(e.path);
    }
}

/* The tree holds the groups of the list; what else stood there was reported. */
static void check_relays(const struct check *c)
{
    const struct scan_node *list = scan_member(c->root, "relays");
    const json_t *relays = json_object_get(c->tree, "relays");
    size_t i = 0;
    for (size_t k = 0; list && k < list->count; k++) {
        if (list->sub[k]->type != SCAN_GROUP)
            continue;
        struct entry e = {json_array_get(relays, i++), list->sub[k],
                          mem_printf("relays[%zu]", k + 1)};
        if (e.v)
            check_relay(c, &e);
        mem_free(e.path);
    }
}

void config_check(struct walk *w, const struct scan_node *root, json_t *tree)
{
    const struct scan_node *users = scan_member(root, "users");
    struct check c = {w, root, tree, json_object_get(tree, "users"), false};
    c.users_whole = users && !users->damaged && json_object_size(c.users) == users->count;
    check_settings(&c);
    check_map(&c, "mailboxes", check_mailbox);
    check_relays(&c);
    check_map(&c, "forms", check_form);
    check_map(&c, "endpoints", check_endpoint);
    check_map(&c, "sources", check_verify);
    check_map(&c, "gateways", check_verify);
    check_map(&c, "gateways", check_gateway);
    check_users(&c, users);
    check_sms(&c);
    check_web(&c);
    check_map(&c, "teams", check_manager);
    check_fields(&c);
    if (c.users_whole)
        check_pools(&c);
}
