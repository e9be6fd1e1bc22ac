/* SPDX-License-Identifier: ISC
 *
 * settings - see settings.h
 */
#include "intake/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/maildir.h"
#include "base/mem.h"
#include "base/role.h"
#include "base/text.h"


/* The place of key's value in names, or -1 with e. */
static int settings_choice(const json_t *mb, const char *key, const char *def,
                           const char *const *names, int count, struct err *e)
{
    const char *value = json_get_str(mb, key, def);
    for (int i = 0; i < count; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    return err_set(e, ERR_PERM, "%s: unknown value \"%s\"", key, value);
}

#define ALIVE_MOST_MS 10000

static int settings_ms(const json_t *mb, const char *key, int64_t def)
{
    int64_t ms = json_get_int(mb, key, def);
    return ms < 100 ? 100 : ms > INT_MAX ? INT_MAX : (int)ms;
}

static size_t settings_bytes(const json_t *mb, const char *key, size_t def)
{
    int64_t n = json_get_int(mb, key, (int64_t)def);
    if (n < 1024)
        return 1024;
    return (size_t)n > BOUND_FRAME_RAW / 2 ? BOUND_FRAME_RAW / 2 : (size_t)n;
}

static int settings_load_start(struct settings *s, const json_t *mb, struct err *e)
{
    const char *start = json_get_str(mb, "start", "now");
    s->start = strcmp(start, "now") == 0 ? SETTINGS_NOW
               : strcmp(start, "all") == 0 ? SETTINGS_ALL
                                           : SETTINGS_DATE;
    if (s->start == SETTINGS_DATE && clock_parse_utc(start, &s->start_ms) < 0)
        return err_set(e, ERR_PERM, "start: expected \"now\", \"all\" or a date such as "
                       "\"2026-11-21\", not \"%s\"", start);
    return 0;
}

static int settings_load_folders(struct settings *s, const json_t *mb, struct err *e)
{
    json_t *list = json_get_arr(mb, "folders");
    size_t n = json_array_size(list);
    if (n > BOUND_INTAKE_FOLDERS)
        return err_set(e, ERR_PERM, "folders: at most %d", BOUND_INTAKE_FOLDERS);
    const char **folders = mem_array(n ? n : 1, sizeof *folders);
    s->folders = folders;
    s->folder_count = n ? n : 1;
    folders[0] = "INBOX";
    for (size_t i = 0; i < n; i++) {
        folders[i] = json_string_value(json_array_get(list, i));
        if (!folders[i] || !*folders[i] || !text_is_single_line(folders[i]))
            return err_set(e, ERR_PERM, "folders: a name is empty or not one line of text");
    }
    return 0;
}

static int settings_load_secret(struct settings *s, const json_t *mb, struct err *e)
{
    if (s->auth == SETTINGS_PASSWORD) {
        const char *path = json_get_str(mb, "password_file", NULL);
        if (!path)
            return err_set(e, ERR_PERM, "password_file is not set");
        s->password = role_read_secret(path, e);
        return s->password ? 0 : -1;
    }
    s->token_file = json_get_str(mb, "token_file", NULL);
    if (!s->token_file)
        return err_set(e, ERR_PERM, "token_file is not set");
    s->token_fd = open(s->token_file, O_RDONLY | O_CLOEXEC);
    if (s->token_fd < 0)
        return err_set(e, ERR_PERM, "%s: %s", s->token_file, err_errno());
    return 0;
}

static int settings_load_imap(struct settings *s, const json_t *mb, struct err *e)
{
    static const char *const tls[] = {"tls", "starttls", "none"};
    static const char *const auth[] = {"password", "xoauth2", "oauthbearer"};
    int t = settings_choice(mb, "tls", "tls", tls, ARRAY_LEN(tls), e);
    int a = settings_choice(mb, "auth", "password", auth, ARRAY_LEN(auth), e);
    if (t < 0 || a < 0)
        return -1;
    s->tls = (enum settings_tls)t;
    s->auth = (enum settings_auth)a;
    s->host = json_get_str(mb, "host", NULL);
    s->user = json_get_str(mb, "user", NULL);
    s->ca_file = json_get_str(mb, "ca_file", NULL);
    if (!s->host || !text_is_single_line(s->host) || strpbrk(s->host, "/@ ?#"))
        return err_set(e, ERR_PERM, "host: expected a host name");
    if (!s->user)
        return err_set(e, ERR_PERM, "user is not set");
    int64_t port = json_get_int(mb, "port", s->tls == SETTINGS_TLS ? 993 : 143);
    if (port < 1 || port > 65535)
        return err_set(e, ERR_PERM, "port: expected 1 to 65535");
    s->port = (int)port;
    s->idle = json_get_bool(mb, "idle", true);
    s->flag = json_get_str(mb, "flag", "\\Seen");
    if (!text_is_single_line(s->flag) || !*s->flag || strpbrk(s->flag, " (){}\"%*]"))
        return err_set(e, ERR_PERM, "flag: expected one flag such as \"\\Seen\"");
    s->batch = settings_bytes(mb, "batch", MIB(4));
    s->connect_ms = settings_ms(mb, "connect_timeout", BOUND_INTAKE_CONNECT_MS);
    s->command_ms = settings_ms(mb, "command_timeout", BOUND_INTAKE_COMMAND_MS);
    if (settings_load_folders(s, mb, e) < 0)
        return -1;
    return settings_load_secret(s, mb, e);
}

int settings_load(struct settings *s, const json_t *config, struct err *e)
{
    static const char *const after[] = {"keep", "flag", "move"};
    const json_t *mb = json_get_obj(config, "mailbox");
    *s = (struct settings){.json = mb, .token_fd = -1};
    if (!mb)
        return err_set(e, ERR_PERM, "no mailbox in the config");
    const char *type = json_get_str(mb, "type", "imap");
    s->maildir = strcmp(type, "maildir") == 0;
    if (!s->maildir && strcmp(type, "imap") != 0)
        return err_set(e, ERR_PERM, "type: unknown value \"%s\"", type);
    int a = settings_choice(mb, "after", "keep", after, ARRAY_LEN(after), e);
    if (a < 0)
        return -1;
    s->after = (enum settings_after)a;
    s->move_to = json_get_str(mb, "move_to", NULL);
    if (s->after == SETTINGS_MOVE && (!s->move_to || !text_is_single_line(s->move_to)))
        return err_set(e, ERR_PERM, "after = \"move\" needs move_to");
    s->sent_folder = json_get_str(mb, "sent_folder", NULL);
    if (s->sent_folder && !text_is_single_line(s->sent_folder))
        return err_set(e, ERR_PERM, "sent_folder: expected one line");
    s->poll_ms = settings_ms(mb, "poll", 60000);
    s->alive_ms = settings_ms(mb, "silent_after", 30 * MINUTE_MS) / 4;
    s->alive_ms = s->alive_ms < ALIVE_MOST_MS ? s->alive_ms : ALIVE_MOST_MS;
    s->mail_size = settings_bytes(mb, "mail_size", BOUND_MAIL_SIZE);
    if (settings_load_start(s, mb, e) < 0)
        return -1;
    if (!s->maildir)
        return settings_load_imap(s, mb, e);
    s->path = json_get_str(mb, "path", NULL);
    return s->path ? 0 : err_set(e, ERR_PERM, "path is not set");
}

static void settings_rights_maildir(const struct settings *s, struct sandbox *sb)
{
    struct err e = {0};
    sandbox_path(sb, s->path, SANDBOX_MOVE);
    if (s->sent_folder && maildir_make(s->sent_folder, &e) < 0)
        log_warn("intake.sent_folder", "error=\"%s\" next=\"copies wait\"", e.text);
    sandbox_path(sb, s->sent_folder, SANDBOX_MOVE);
    if (s->after != SETTINGS_MOVE)
        return;
    AUTO_FREE char *to = *s->move_to == '/' ? mem_str(s->move_to)
                                            : mem_printf("%s/%s", s->path, s->move_to);
    sandbox_path(sb, to, SANDBOX_MOVE);
}

void settings_rights(const struct settings *s, struct sandbox *sb)
{
    if (s->maildir) {
        settings_rights_maildir(s, sb);
        return;
    }
    sandbox_port(sb, s->port);
    sandbox_path(sb, s->ca_file, SANDBOX_READ);
    sandbox_path(sb, s->token_file, SANDBOX_READ);
}

void settings_done(struct settings *s)
{
    if (s->password)
        explicit_bzero(s->password, strlen(s->password));
    mem_free(s->password);
    mem_free((void *)s->folders);
    mem_cleanup_close(&s->token_fd);
    s->password = NULL;
    s->folders = NULL;
}

char *settings_read_token(const struct settings *s, struct err *e)
{
    /* Whoever renews the token may put a new file in its place; the role may
     * no longer have the right to open that, so the first one is the fallback. */
    struct err ignored = {0};
    char *token = role_read_secret(s->token_file, &ignored);
    if (token)
        return token;
    char raw[BOUND_INTAKE_TOKEN];
    ssize_t n = pread(s->token_fd, raw, sizeof raw - 1, 0);
    while (n > 0 && (raw[n - 1] == '\n' || raw[n - 1] == '\r'))
        n--;
    if (n > 0) {
        raw[n] = '\0';
        if (strlen(raw) == (size_t)n && text_is_single_line(raw))
            token = mem_str(raw);
        explicit_bzero(raw, sizeof raw);
    }
    if (!token)
        err_set(e, ERR_PERM, "%s: expected one line with the access token", s->token_file);
    return token;
}

/* The claims of a JSON Web Token (RFC 7519): the middle part, base64url without '='. */
static json_t *token_claims(const char *token)
{
    const char *dot = strchr(token, '.'), *end = dot ? strchr(dot + 1, '.') : NULL;
    json_t *claims = NULL;
    if (!end || end - dot > (ptrdiff_t)BOUND_INTAKE_TOKEN)
        return NULL;
    size_t n = (size_t)(end - dot - 1);
    char text[BOUND_INTAKE_TOKEN + 4];
    for (size_t i = 0; i < n; i++)
        text[i] = dot[1 + i] == '-' ? '+' : dot[1 + i] == '_' ? '/' : dot[1 + i];
    while (n % 4)
        text[n++] = '=';
    gnutls_datum_t in = {(unsigned char *)text, (unsigned)n}, out = {NULL, 0};
    if (gnutls_base64_decode2(&in, &out) == 0)
        claims = json_load_bounded((const char *)out.data, out.size, BOUND_INTAKE_TOKEN, NULL);
    gnutls_free(out.data);
    explicit_bzero(text, sizeof(text));
    return claims;
}

int64_t settings_token_ends(const struct settings *s)
{
    struct err ignored = {0};
    char *token = s->token_file ? settings_read_token(s, &ignored) : NULL;
    if (!token)
        return 0;
    AUTO_JSON json_t *claims = token_claims(token);
    int64_t exp = json_get_int(claims, "exp", 0);
    explicit_bzero(token, strlen(token));
    mem_free(token);
    return exp > 0 && exp < INT64_MAX / 1000 ? exp * 1000 : 0;
}
