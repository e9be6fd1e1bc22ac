/* SPDX-License-Identifier: ISC
 *
 * check_inner - what the files that hold a config against itself share (see config_check in
 * read.h)
 */
#ifndef LEADD_CONFIG_CHECK_INNER_H
#define LEADD_CONFIG_CHECK_INNER_H

#include "config/read.h"

struct check {
    struct walk *w;
    const struct scan_node *root; /* borrowed */
    json_t *tree;                 /* borrowed */
    json_t *users;                /* borrowed from tree */
    bool users_whole;             /* none of them was left out after an error */
};

/* One entry of mailboxes, relays, ...: its values, its node and its path. */
struct entry {
    json_t *v;
    const struct scan_node *node;
    char *path; /* own */
};

/* At the place of a key in the entry, or of the entry when it is a default. */
void check_error(const struct check *c, const struct entry *e, const char *key, const char *fmt,
                 ...) LEADD_PRINTF(4, 5);
void check_warn(const struct check *c, const struct entry *e, const char *key, const char *text);
const char *check_str(const struct entry *e, const char *key);
bool check_is(const struct entry *e, const char *key, const char *value);
/* Whether map has that name, or a hint at what may be meant. */
bool check_name(json_t *map, const char *name, const char **near_out);
const char *check_hint(const char *near, char *out, size_t n);
bool check_is_loopback(const char *host);
/* A credential must be there and be nobody else's to read. */
void check_secret(const struct check *c, const struct entry *e, const char *key);
/* The host of an absolute URL; false when it is none, or holds a password. */
bool check_url_host(const char *url, char *out, size_t n);

/* check_hooks.c */
void check_verify(const struct check *c, const struct entry *e);
void check_gateway(const struct check *c, const struct entry *e);
void check_form(const struct check *c, const struct entry *e);

#endif
