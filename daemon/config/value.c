/* SPDX-License-Identifier: ISC
 *
 * value - a text from a config file made into a typed value
 *
 * Also defaults go through here, so that a default cannot be what a file may
 * not say.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/hook.h"
#include "base/mem.h"
#include "base/place.h"
#include "base/text.h"
#include "config/lex.h"
#include "config/schema.h"

#define ZONE_DIR "/usr/share/zoneinfo"

static bool value_all(const char *s, const char *extra)
{
    size_t n = strlen(s), end = HOOK("config.off_by_one") ? n + 2 : n;
    for (size_t i = 0; i < end; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr(extra, s[i]))
            return false;
    return n > 0;
}

static bool value_is_name(const char *s)
{
    return isalpha((unsigned char)*s) && value_all(s, "-_");
}

static bool value_is_host(const char *s)
{
    unsigned char addr[16];
    if (inet_pton(AF_INET6, s, addr) == 1)
        return true;
    if (strlen(s) > 253 || !value_all(s, ".-"))
        return false;
    return s[0] != '.' && s[0] != '-' && !strstr(s, "..");
}

/* The plain form user@host that leadd sends from and files by; quoted local
 * parts and literals are for mail that comes in. */
static bool value_is_email(const char *s)
{
    const char *at = strrchr(s, '@');
    size_t n = at ? (size_t)(at - s) : 0;
    if (n == 0 || n > 64 || strlen(s) > 254 || !value_is_host(at + 1) || strchr(at + 1, ':'))
        return false;
    if (s[0] == '.' || s[n - 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c <= ' ' || c == 0x7f || strchr("()<>[]:;@\\,\"", c) || (c == '.' && s[i + 1] == '.'))
            return false;
    }
    return true;
}

static bool value_is_phone(const char *s)
{
    size_t n = strlen(s);
    return s[0] == '+' && n >= 8 && n <= 16 && s[1] != '0' &&
           strspn(s + 1, "0123456789") == n - 1;
}

static bool value_is_port(const char *s, int64_t min)
{
    int64_t v;
    return strlen(s) <= 5 && text_parse_int(s, &v) == 0 && v >= min && v <= 65535;
}

static bool value_is_listen(const char *s)
{
    const char *colon = strrchr(s, ':');
    if (!colon || !value_is_port(colon + 1, 0))
        return false;
    char *host AUTO_FREE = mem_strn(s, (size_t)(colon - s));
    size_t n = strlen(host);
    unsigned char addr[16];
    if (host[0] == '[' && n > 2 && host[n - 1] == ']') {
        host[n - 1] = '\0';
        return inet_pton(AF_INET6, host + 1, addr) == 1;
    }
    return strcmp(host, "*") == 0 || (value_is_host(host) && !strchr(host, ':'));
}

static bool value_is_upper(const char *s, size_t n)
{
    return strlen(s) == n && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == n;
}

static bool value_is_zone(const char *s)
{
    if (!value_all(s, "/_+-") || s[0] == '/')
        return false;
    char *path AUTO_FREE = mem_printf(ZONE_DIR "/%s", s);
    struct stat st;
    if (stat(ZONE_DIR, &st) != 0)
        return true; /* no zones here to compare with */
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool value_is_date(const char *s)
{
    int64_t ms;
    if (strcmp(s, "now") == 0 || strcmp(s, "all") == 0)
        return true;
    if (strlen(s) != 10 || clock_parse_utc(s, &ms))
        return false;
    char back[32];
    clock_format_utc(ms, back, sizeof(back)); /* the 31st of February is another day */
    return strncmp(back, s, 10) == 0;
}

static bool value_is_url(const char *s)
{
    if (strpbrk(s, " \"<>\\") || (s[0] == '/' && s[1] == '/'))
        return false;
    if (text_starts(s, "http://") || text_starts(s, "https://"))
        return strchr(s, ':')[3] != '\0' && strchr(s, ':')[3] != '/';
    return s[0] == '/';
}

/* Choices are separated by spaces, or by | where one has spaces in it. */
static const char *value_choice_sep(const char *choices)
{
    return strchr(choices, '|') ? "|" : " ";
}

static bool value_is_choice(const char *choices, const char *s)
{
    size_t n = strlen(s);
    for (const char *p = choices; n > 0 && *p;) {
        size_t len = strcspn(p, value_choice_sep(choices));
        if (len == n && memcmp(p, s, n) == 0)
            return true;
        p += len + (p[len] != '\0');
    }
    return false;
}

/* "a, b or c" from "a b c". */
static void value_list_choices(const char *choices, char *out, size_t n)
{
    size_t at = 0;
    for (const char *p = choices; *p && at < n;) {
        const char *sep = value_choice_sep(choices);
        size_t len = strcspn(p, sep);
        bool last = p[len] == '\0', second_last = !last && !strchr(p + len + 1, *sep);
        at += (size_t)snprintf(out + at, n - at, "\"%.*s\"%s", (int)len, p,
                               last ? "" : second_last ? " or " : ", ");
        p += len + !last;
    }
}

static const char *const value_words[] = {
    [TYPE_TEXT] = "a text in quotes",
    [TYPE_BOOL] = "true or false",
    [TYPE_TEXTS] = "a list of texts such as [ \"a\", \"b\" ]",
    [TYPE_PATH] = "a path in quotes",
    [TYPE_SECRET] = "the path of a file in quotes",
    [TYPE_SECRETS] = "the path of a file in quotes, or a list of such",
    [TYPE_PORT] = "a port from 1 to 65535",
    [TYPE_EMAIL] = "an address such as \"sales@example.com\"",
    [TYPE_EMAILS] = "a list of addresses such as [ \"sales@example.com\" ]",
    [TYPE_PHONE] = "a phone number with its country code such as \"+431234567\"",
    [TYPE_HOST] = "a host name or address in quotes",
    [TYPE_LISTEN] = "an address and port such as \"127.0.0.1:8025\"",
    [TYPE_COUNTRY] = "a country code of two capitals such as \"AT\"",
    [TYPE_CURRENCY] = "a currency code of three capitals such as \"EUR\"",
    [TYPE_ZONE] = "a time zone such as \"Europe/Vienna\"",
    [TYPE_DATE] = "\"now\", \"all\" or a date such as \"2026-01-31\"",
    [TYPE_URL] = "a URL beginning with http:// or https://, or a path beginning with /",
    [TYPE_NAME] = "a name of letters, digits, \"-\" and \"_\" that begins with a letter",
    [TYPE_LINE] = "a text in quotes",
    [TYPE_LINES] = "a text or a list of texts such as [ \"a\", \"b\" ]",
    [TYPE_GROUP] = "a group { ... }",
    [TYPE_MAP] = "a group of named groups { name : { ... }; }",
    [TYPE_LIST] = "a list of groups ( { ... }, { ... } )",
};

static const char *value_size(int64_t v, char *out, size_t n)
{
    static const char units[] = "\0KMG";
    int u = 0;
    while (u < 3 && v >= 1024 && v % 1024 == 0) {
        v /= 1024;
        u++;
    }
    snprintf(out, n, "%lld%.1s", (long long)v, units + u);
    return out;
}

const char *schema_expected(const struct schema_key *key, char *out, size_t n)
{
    char a[64], b[64];
    bool limits = key->min || key->max;
    switch (key->type) {
    case TYPE_INT:
        snprintf(out, n, key->min == key->max ? "%lld" : "a number from %lld to %lld",
                 (long long)key->min, (long long)key->max);
        break;
    case TYPE_DURATION:
        snprintf(out, n, "a duration such as \"30m\", \"2h\" or \"1d 12h\"");
        if (limits)
            snprintf(out, n, "a duration from \"%s\" to \"%s\"",
                     text_format_duration(key->min, a, sizeof(a)),
                     text_format_duration(key->max, b, sizeof(b)));
        break;
    case TYPE_SIZE:
        snprintf(out, n, "a size such as \"64K\" or \"50M\"");
        if (limits)
            snprintf(out, n, "a size from \"%s\" to \"%s\"", value_size(key->min, a, sizeof(a)),
                     value_size(key->max, b, sizeof(b)));
        break;
    case TYPE_CHOICE:
        value_list_choices(key->choices, out, n);
        break;
    case TYPE_CUSTOM:
        snprintf(out, n, "%s", key->choices);
        break;
    default:
        snprintf(out, n, "%s", value_words[key->type]);
    }
    return out;
}

static json_t *value_number(const struct schema_key *key, const char *text)
{
    int64_t v = 0;
    int rc = key->type == TYPE_DURATION ? text_parse_duration(text, &v)
             : key->type == TYPE_SIZE   ? text_parse_size(text, &v)
                                        : text_parse_int(text, &v);
    if (rc || ((key->min || key->max) && (v < key->min || v > key->max)))
        return NULL;
    return json_integer(v);
}

static bool value_fits(const struct schema_key *key, const char *text)
{
    switch (key->type) {
    case TYPE_CHOICE:
        return value_is_choice(key->choices, text);
    case TYPE_EMAIL:
    case TYPE_EMAILS:
        return value_is_email(text);
    case TYPE_PHONE:
        return value_is_phone(text);
    case TYPE_HOST:
        return value_is_host(text);
    case TYPE_LISTEN:
        return value_is_listen(text);
    case TYPE_COUNTRY:
        return value_is_upper(text, 2);
    case TYPE_CURRENCY:
        return value_is_upper(text, 3);
    case TYPE_ZONE:
        return value_is_zone(text);
    case TYPE_DATE:
        return value_is_date(text);
    case TYPE_URL:
        return value_is_url(text);
    case TYPE_NAME:
        return value_is_name(text);
    default:
        return true;
    }
}

/* "$CREDENTIALS_DIRECTORY/sales" is where systemd puts a credential. */
static json_t *value_path(const struct walk *w, const char *text)
{
    static const char cred[] = "$CREDENTIALS_DIRECTORY/";
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    char *path AUTO_FREE = NULL;
    if (text_starts(text, cred) && dir)
        path = lex_join(dir, text + sizeof(cred) - 1);
    else if (text_starts(text, cred))
        path = mem_str(text);
    else
        path = lex_join(w->dir, text);
    return json_string(path);
}

static json_t *value_texts(struct walk *w, const struct schema_key *key, const char *text,
                           struct err *e)
{
    json_t *list = json_array();
    struct schema_key one = *key;
    one.type = key->type == TYPE_EMAILS ? TYPE_EMAIL : TYPE_TEXT;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " ");
        char *word AUTO_FREE = mem_strn(p, n);
        json_array_append_new(list, schema_text(w, &one, word, e));
        p += n + (p[n] == ' ');
    }
    return list;
}

json_t *schema_text(struct walk *w, const struct schema_key *key, const char *text,
                    struct err *e)
{
    char want[256];
    json_t *v = NULL;
    if (!*text || !text_is_single_line(text) || !text_is_utf8(text, strlen(text))) {
        err_set(e, ERR_INPUT, *text ? "text must be one line of UTF-8" : "must not be empty");
        return NULL;
    }
    switch (key->type) {
    case TYPE_INT:
    case TYPE_DURATION:
    case TYPE_SIZE:
        v = value_number(key, text);
        break;
    case TYPE_PORT:
        if (value_is_port(text, 1))
            v = value_number(key, text);
        break;
    case TYPE_BOOL:
        v = json_boolean(strcmp(text, "true") == 0);
        break;
    case TYPE_TEXTS:
    case TYPE_EMAILS:
        return value_texts(w, key, text, e);
    case TYPE_PATH:
    case TYPE_SECRET:
        return value_path(w, text);
    default:
        if (value_fits(key, text))
            v = json_string(text);
    }
    const char *zone = v || key->type != TYPE_ZONE ? NULL : place_zone(text);
    if (zone)
        err_set(e, ERR_INPUT, "unknown time zone \"%.60s\"; did you mean \"%s\"?", text, zone);
    else if (!v && key->type == TYPE_DATE && clock_no_such_day(text))
        err_set(e, ERR_INPUT, "there is no such day: \"%.60s\"", text);
    else if (!v)
        err_set(e, ERR_INPUT, "expected %s, got \"%.60s\"",
                schema_expected(key, want, sizeof(want)), text);
    return v;
}
