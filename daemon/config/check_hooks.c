/* SPDX-License-Identifier: ISC
 *
 * check_hooks - what no single key of a form, a source or a gateway can say (see
 * check_inner.h)
 */
#include <ctype.h>
#include <string.h>
#include <sys/stat.h>


#include "base/gateway.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/check_inner.h"

/* Scheme "hmac" is what the config says it is. */
static void check_hmac(const struct check *c, const struct entry *e)
{
    const char *time = check_str(e, "time"), *signs = check_str(e, "signs");
    char *need AUTO_FREE = mem_printf("{header %s}", time ? time : "");
    if (!check_str(e, "header"))
        check_error(c, e, "header", "is missing; scheme \"hmac\" needs the header with the signature");
    if (signs && !strstr(signs, "{body}"))
        check_error(c, e, "signs", "has no {body}, so anything could stand under the signature");
    if (time && (!signs || !strcasestr(signs, need)))
        check_error(c, e, "time", "is not signed; signs must have %s", need);
}

/* How a request of a source or gateway is verified. */
void check_verify(const struct check *c, const struct entry *e)
{
    json_t *verify = json_object_get(e->v, "verify"), *v;
    const struct scan_node *node = scan_member(e->node, "verify");
    char *path AUTO_FREE = mem_printf("%s.verify", e->path);
    struct entry in = {verify, node ? node : e->node, path};
    const char *scheme = check_str(&in, "scheme");
    json_t *files = json_object_get(verify, "secret_files");
    size_t i;
    if (e->node->damaged || (node && node->damaged))
        return;
    if (!scheme) {
        check_error(c, &in, "scheme", "is missing: how its requests show whose they are. Where nothing "
                    "is signed, a token in the URL (?token=..): verify : { scheme = \"token\"; query = "
                    "\"token\"; secret_files = \"/etc/leadd/secrets/hook\"; }; \"none\" takes requests from "
                    "anybody");
        return;
    }
    bool none = strcmp(scheme, "none") == 0;
    if (!none && json_array_size(files) == 0)
        check_error(c, &in, "secret_files", "is missing; the scheme \"%s\" needs the secret", scheme);
    if (none && json_array_size(files) > 0)
        check_error(c, &in, "secret_files", "is of no use with the scheme \"none\"");
    if (strcmp(scheme, "hmac") == 0)
        check_hmac(c, &in);
    check_secret(c, &in, "challenge_file");
    json_array_foreach(files, i, v) {
        json_t *one AUTO_JSON = json_pack("{s:O}", "secret_files", v);
        struct entry file = {one, in.node, path};
        check_secret(c, &file, "secret_files");
    }
}

/* As browsers write it: scheme, host in lower case, and a port that is not the usual one. */
static bool is_origin(const char *s)
{
    size_t n = text_starts(s, "https://") ? 8 : text_starts(s, "http://") ? 7 : 0;
    if (strcmp(s, "*") == 0 || strcmp(s, "null") == 0)
        return true;
    return n && s[n] && !s[n + strspn(s + n, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]")];
}

/* A number, a short code, or a name. */
static bool is_sender(const char *s)
{
    size_t n = strlen(s), digits = strspn(s + (*s == '+'), "0123456789");
    if (*s == '+')
        return n >= 8 && n <= 16 && digits == n - 1;
    if (digits == n)
        return n >= 3 && n <= 8;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && s[i] != ' ')
            return false;
    return n > 0 && n <= 11;
}

static void check_gateway_way(const struct check *c, const struct entry *e)
{
    const char *url = check_str(e, "url");
    char host[256] = "";
    if (check_is(e, "type", "spool")) {
        if (!check_str(e, "folder"))
            check_error(c, e, "folder", "is missing; type = \"spool\" needs it");
        return;
    }
    if (check_is(e, "type", "email")) {
        if (!json_get_str(json_object_get(e->v, "send"), "to", NULL))
            check_error(c, e, "send", "to is missing: the address that takes texts");
        return;
    }
    if (!url && !json_object_get(json_object_get(e->v, "send"), "path"))
        return; /* texts come in by it, and none goes out */
    if (!url)
        check_error(c, e, "url", "is missing: where the gateway is");
    else if (!check_url_host(url, host, sizeof(host)))
        check_error(c, e, "url", "expected a whole URL without name and password, such as "
                    "https://api.example.com");
    else if (text_starts(url, "http:") && !check_is_loopback(host) &&
             !json_get_bool(e->v, "allow_plaintext", false))
        check_error(c, e, "url", "what is sent to %s could be read on the way; use https, or set "
                    "allow_plaintext = true", host);
}

void check_gateway(const struct check *c, const struct entry *e)
{
    const char *name, *number = check_str(e, "number");
    const char *ca = check_str(e, "ca_file"), *price = check_str(e, "price");
    struct err why = {0};
    struct stat st;
    json_t *v;
    size_t i;
    if (e->node->damaged)
        return;
    check_gateway_way(c, e);
    if (number && !is_sender(number))
        check_error(c, e, "number", "expected a number with its country code such as "
                    "\"+431234567\", a short code, or a name of up to 11 letters and digits");
    json_array_foreach(json_object_get(e->v, "to"), i, v) {
        const char *prefix = json_string_value(v);
        if (*prefix != '+' || !prefix[1] || strspn(prefix + 1, "0123456789") != strlen(prefix + 1))
            check_error(c, e, "to", "expected the beginning of a number with its country code, such "
                        "as \"+43\", not \"%.40s\"", prefix);
    }
    json_object_foreach(json_object_get(e->v, "params"), name, v)
        if (json_is_string(v) && !*json_string_value(v))
            check_error(c, e, "params", "%s is missing; the preset needs it", name);
    size_t digits = price ? strspn(price, "0123456789.") : 0;
    if (price && (digits == 0 || price[digits] != ' ' || strlen(price + digits) != 4))
        check_error(c, e, "price", "expected an amount and its currency, such as \"0.075 EUR\"");
    if (ca && !c->w->away && stat(ca, &st) != 0)
        check_error(c, e, "ca_file", "cannot find %s: %s", ca, err_errno());
    check_secret(c, e, "secret_file");
    if (gateway_check(e->v, &why) < 0)
        check_error(c, e, "send", "%s", why.text);
}

static void check_confirm(const struct check *c, const struct entry *e)
{
    const char *name;
    json_t *v, *need = json_object_get(e->v, "required");
    bool found = false;
    size_t i;
    json_t *one;
    json_object_foreach(json_object_get(e->v, "fields"), name, v) {
        bool required = json_get_bool(v, "required", false);
        json_array_foreach(need, i, one)
            required |= strcmp(json_string_value(one), name) == 0;
        found |= required && strcmp(json_get_str(v, "to", ""), "contact.email") == 0;
    }
    if (!found)
        check_error(c, e, "confirm", "needs a required field to contact.email: who is to confirm?");
    if (!json_get_str(json_object_get(c->tree, "web"), "in_url", NULL))
        check_error(c, e, "confirm", "needs in_url of web: where the link of the mail leads");
}

void check_form(const struct check *c, const struct entry *e)
{
    const json_t *fields = json_object_get(e->v, "fields");
    json_t *v;
    size_t i;
    json_array_foreach(json_object_get(e->v, "required"), i, v)
        if (fields && !json_object_get(fields, json_string_value(v)) && !e->node->damaged)
            check_error(c, e, "required", "\"%s\" is not one of fields", json_string_value(v));
    json_array_foreach(json_object_get(e->v, "origins"), i, v)
        if (!is_origin(json_string_value(v)))
            check_error(c, e, "origins", "\"%s\" is no origin; expected one such as "
                        "https://www.example.com, without a path, or \"*\" or \"null\"",
                        json_string_value(v));
    if (json_get_bool(e->v, "origins_only", false) &&
        json_array_size(json_object_get(e->v, "origins")) == 0)
        check_error(c, e, "origins_only", "needs origins: the pages that may post the form");
    if (json_get_bool(e->v, "confirm", false) && !e->node->damaged)
        check_confirm(c, e);
    char hint[128];
    const char *near,
        *judge = json_get_str(json_object_get(e->v, "verdict"), "endpoint", NULL);
    if (judge && !check_name(json_object_get(c->tree, "endpoints"), judge, &near))
        check_error(c, e, "verdict", "there is no endpoint \"%s\"%s", judge,
                    check_hint(near, hint, sizeof(hint)));
}
