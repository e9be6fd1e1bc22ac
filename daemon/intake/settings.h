/* SPDX-License-Identifier: ISC
 *
 * settings - what one intake is told: its mailbox and its secret
 *
 * Read once in the role's open step, while files that only root may see can
 * still be opened. The secret never leaves this struct but towards libcurl.
 */
#ifndef LEADD_INTAKE_SETTINGS_H
#define LEADD_INTAKE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/sandbox.h"

enum settings_tls { SETTINGS_TLS, SETTINGS_STARTTLS, SETTINGS_PLAIN };
enum settings_auth { SETTINGS_PASSWORD, SETTINGS_XOAUTH2, SETTINGS_OAUTHBEARER };
enum settings_start { SETTINGS_NOW, SETTINGS_ALL, SETTINGS_DATE };
enum settings_after { SETTINGS_KEEP, SETTINGS_FLAG, SETTINGS_MOVE };

struct settings {
    const json_t *json; /* borrowed from the role's config; strings point into it */
    bool maildir;
    const char *path; /* Maildir */
    const char *host, *user, *ca_file, *token_file;
    int port;
    enum settings_tls tls;
    enum settings_auth auth;
    char *password; /* own */
    int token_fd;   /* own; the token file, opened with the first rights; -1 none */
    const char *const *folders; /* own array */
    size_t folder_count;
    bool idle;
    int poll_ms, connect_ms, command_ms;
    int alive_ms; /* so often at most the engine hears that nothing has changed */
    enum settings_start start;
    int64_t start_ms; /* for SETTINGS_DATE */
    enum settings_after after;
    const char *flag, *move_to;
    const char *sent_folder; /* of copies; NULL: the one that the server marks, or .Sent */
    size_t mail_size, batch;
};

/* config is the role's part; it must outlive s. */
int settings_load(struct settings *s, const json_t *config, struct err *e) LEADD_MUST_CHECK;
/* Its port and files, or its Maildir and the one that mails are moved to. */
void settings_rights(const struct settings *s, struct sandbox *sb);
void settings_done(struct settings *s);
/* The access token as it is in its file now; own (mem_free). */
char *settings_read_token(const struct settings *s, struct err *e);

/* When that token ends, in ms since 1970: what a JSON Web Token says itself (RFC 7519,
 * exp). 0: there is none, or it does not say. */
int64_t settings_token_ends(const struct settings *s);

#endif
