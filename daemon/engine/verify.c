/* SPDX-License-Identifier: ISC
 *
 * verify - see verify.h
 */
#include "engine/verify.h"

#include <stdio.h>
#include <string.h>

#include "base/form.h"
#include "base/mem.h"
#include "base/text.h"

struct scheme;

struct verify {
    const struct scheme *scheme;
    const json_t *conf; /* borrowed from the config */
    char *secrets[VERIFY_SECRETS]; /* own */
    size_t count;
};

struct scheme {
    const char *name;
    void (*check)(const struct verify *v, const struct verify_request *r, struct verified *out);
};

static void say(struct verified *out, const char *why)
{
    snprintf(out->why, sizeof(out->why), "%s", why);
}

/* ---- a token that is carried along --------------------------------------------- */

static bool is_one_of(const struct verify *v, const char *given)
{
    bool found = false;
    for (size_t i = 0; i < v->count; i++)
        found |= text_equal_ct(v->secrets[i], given);
    return found;
}

static const char *bearer_of(const json_t *headers)
{
    const char *auth = json_get_str(headers, "authorization", "");
    return strncasecmp(auth, "bearer ", 7) == 0 ? auth + 7 : NULL;
}

static const char *header_named(const json_t *headers, const char *name)
{
    AUTO_FREE char *low = mem_str(name);
    text_lower(low);
    return json_get_str(headers, low, NULL);
}

/* A token in the header or query that the config names; else wherever senders can put one. */
static void check_token(const struct verify *v, const struct verify_request *r,
                        struct verified *out)
{
    const char *header = json_get_str(v->conf, "header", NULL);
    const char *query = json_get_str(v->conf, "query", NULL), *given = NULL;
    const char *asked = strchr(r->path, '?');
    struct form f;
    form_init(&f);
    if (asked && (query || !header))
        form_read_urlencoded(&f, asked + 1, strlen(asked + 1));
    if (header)
        given = header_named(r->headers, header);
    if (!given && (query || !header))
        given = json_get_str(f.values, query ? query : "token", NULL);
    if (!given && !header && !query)
        given = bearer_of(r->headers);
    if (!given && !header && !query && *r->rest)
        given = r->rest;
    out->ok = given && is_one_of(v, given);
    if (!out->ok)
        say(out, given ? "the token is not the right one" : "the request has no token");
    form_done(&f);
}

static void check_none(const struct verify *v, const struct verify_request *r,
                       struct verified *out)
{
    (void)v;
    (void)r;
    out->ok = true;
}

static const struct scheme schemes[] = {
    {"none", check_none},
    {"token", check_token},
};

/* ---- all of them ------------------------------------------------------------------- */

struct verify *verify_new(const json_t *conf, char **secrets, size_t count, struct err *e)
{
    const char *name = json_get_str(conf, "scheme", "");
    const struct scheme *found = NULL;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strcmp(schemes[i].name, name) == 0)
            found = &schemes[i];
    struct verify *v = mem_alloc(sizeof(*v));
    v->scheme = found;
    v->conf = conf;
    v->count = count < VERIFY_SECRETS ? count : VERIFY_SECRETS;
    for (size_t i = 0; i < v->count; i++)
        v->secrets[i] = secrets[i];
    if (found && count <= VERIFY_SECRETS)
        return v;
    if (found)
        err_set(e, ERR_PERM, "more than %d secret_files", VERIFY_SECRETS);
    else
        err_set(e, ERR_PERM, "no scheme \"%.60s\"", name);
    for (size_t i = v->count; i < count; i++)
        mem_free(secrets[i]);
    verify_free(&v);
    return NULL;
}

void verify_free(struct verify **v)
{
    if (!*v)
        return;
    for (size_t i = 0; i < (*v)->count; i++)
        mem_free((*v)->secrets[i]);
    mem_free(*v);
    *v = NULL;
}

void verify_request(const struct verify *v, const struct verify_request *r, struct verified *out)
{
    *out = (struct verified){0};
    v->scheme->check(v, r, out);
}
