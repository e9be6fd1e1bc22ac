/* SPDX-License-Identifier: ISC
 *
 * trust - see trust.h
 */
#include "engine/trust.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/authres.h"


void trust_read(const json_t *config, const json_t *mailbox, struct trust *out)
{
    bool own = json_object_get(mailbox, "trusted_auth") || json_object_get(mailbox, "trusted_header");
    const json_t *from = own ? mailbox : json_get_obj(config, "settings");
    *out = (struct trust){.auth = json_get_str(from, "trusted_auth", NULL),
                          .header = json_get_str(from, "trusted_header", NULL),
                          .hosts = json_get_arr(own ? mailbox : config, "trusted_hosts"),
                          .below = json_get_bool(from, "trusted_below", false)};
}

static bool field_is(const struct mail_field *f, const char *name)
{
    return f->name.n == strlen(name) && strncasecmp(f->name.p, name, f->name.n) == 0;
}

/* "mx2.example.com", "*.example.com", "2002:a05:*" */
static bool host_fits(const char *pattern, const char *host)
{
    size_t n = strlen(pattern), k = strlen(host);
    if (n > 1 && pattern[0] == '*')
        return k >= n - 1 && strcasecmp(host + k - (n - 1), pattern + 1) == 0;
    if (n > 1 && pattern[n - 1] == '*')
        return strncasecmp(host, pattern, n - 1) == 0;
    return strcasecmp(pattern, host) == 0;
}

static bool host_is_ours(const struct trust *t, const char *host)
{
    size_t i;
    const json_t *v;
    json_array_foreach((json_t *)t->hosts, i, v)
        if (json_is_string(v) && host_fits(json_string_value(v), host))
            return true;
    return false;
}

/* Does the block of trusted lines go on below this Received? outside: this is where the
 * mail came in, so lines below it are believed only as far as the server cleans them. */
static bool goes_on(const struct trust *t, const struct mail_field *f, char by[MAIL_HOST_MAX],
                    bool *outside)
{
    struct mail_received r;
    by[0] = '\0';
    if (mail_received_read(f->value.p, f->value.n, &r) < 0)
        return false;
    memcpy(by, r.by, sizeof(r.by));
    /* the server itself first: "*.example.com" in trusted_hosts must not mean it */
    bool server = t->auth && strcasecmp(t->auth, r.by) == 0;
    if (!server && host_is_ours(t, r.by))
        return true;
    *outside |= !r.local; /* and stays so: lines below may pretend to be local */
    return server && (r.local || t->below);
}

static void result_take(const struct trust *t, const struct mail_field *f, struct trust_head *h)
{
    struct err e = {0};
    AUTO_JSON json_t *field = mail_authres_read(f->value.p, f->value.n, &e);
    if (!field) {
        snprintf(h->why, sizeof(h->why), "%.150s", e.text);
        return;
    }
    if (strcasecmp(json_get_str(field, "id", ""), t->auth) != 0) {
        snprintf(h->why, sizeof(h->why), "the results are those of %.100s, not of %.60s",
                 json_get_str(field, "id", ""), t->auth);
        return;
    }
    json_array_extend(h->results, json_get_arr(field, "results"));
}

static void header_take(const struct mail_field *f, struct trust_head *h)
{
    AUTO_BUF struct buf v;
    buf_init(&v, BOUND_MAIL_FIELD + 1);
    mail_field_unfold(&v, f);
    json_t *text = json_stringn(v.data, v.len);
    if (text)
        json_array_append_new(h->signed_in, text);
}

static void block_read(const struct trust *t, struct trust_head *h)
{
    char by[MAIL_HOST_MAX] = "";
    bool ended = false, outside = false;
    size_t seen = 0;
    for (size_t i = 0; i < h->fields.count && !ended && seen < BOUND_MAIL_RESULTS; i++) {
        const struct mail_field *f = &h->fields.v[i];
        if (field_is(f, "Received")) {
            ended = !goes_on(t, f, by, &outside);
        } else if (t->auth && field_is(f, "Authentication-Results")) {
            seen++;
            result_take(t, f, h);
        } else if (t->header && !outside && field_is(f, t->header)) {
            header_take(f, h);
        }
    }
    if (!ended && !outside) { /* no line that says where the mail's own ones begin */
        json_array_clear(h->results);
        json_array_clear(h->signed_in);
        snprintf(h->why, sizeof(h->why), "it has no Received line, so nothing in it can be told "
                 "to be the own server's");
    } else if (!h->why[0]) {
        snprintf(h->why, sizeof(h->why), "no results of %.60s above Received by %.100s",
                 t->auth ? t->auth : t->header, *by ? by : "a host that cannot be read");
    }
}

/* Bytes of which two readers make two things. */
static bool has_odd_bytes(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] == '\0' || (p[i] == '\r' && i + 1 < n && p[i + 1] != '\n'))
            return true;
    return false;
}

bool trust_head_read(const struct trust *t, const char *raw, size_t n, struct trust_head *h)
{
    *h = (struct trust_head){.results = json_array(), .signed_in = json_array()};
    mail_limits_default(&h->lim);
    h->lim.ms = 0; /* the size bounds the work */
    mail_ctx_init(&h->ctx, &h->lim);
    size_t head = mail_fields_read(&h->ctx, &h->fields, raw, n, "the header", NULL, NULL);
    bool sound = false;
    if (json_array_size(h->ctx.defects))
        snprintf(h->why, sizeof(h->why), "%.190s",
                 json_string_value(json_array_get(h->ctx.defects, 0)));
    else if (has_odd_bytes(raw, head))
        snprintf(h->why, sizeof(h->why), "the header has bytes that no header has");
    else
        sound = true;
    if (sound)
        block_read(t, h);
    text_make_line(h->why);
    return sound;
}

void trust_head_done(struct trust_head *h)
{
    mail_fields_done(&h->fields);
    mail_ctx_done(&h->ctx);
    json_decref(h->results);
    json_decref(h->signed_in);
    *h = (struct trust_head){0};
}
