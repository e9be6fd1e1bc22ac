/* SPDX-License-Identifier: ISC
 *
 * signature - see signature.h
 */
#include "engine/signature.h"

#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/mem.h"
#include "engine/align.h"
#include "engine/ours.h"
#include "mail/address.h"

/* The tags that matter; own, NULL where there is none. */
struct tags {
    char *d, *h, *b, *l;
    bool twice;
};

static char *plain(const char *p, size_t n)
{
    char *out = mem_strn(p, n), *to = out;
    for (const char *s = out; *s; s++)
        if (!strchr(" \t\r\n", *s))
            *to++ = *s;
    *to = '\0';
    return out;
}

static void tags_read(const struct mail_field *f, struct tags *t)
{
    const char *p = f->value.p, *end = p + f->value.n;
    *t = (struct tags){0};
    while (p < end) {
        const char *semi = memchr(p, ';', (size_t)(end - p)), *stop = semi ? semi : end;
        const char *eq = memchr(p, '=', (size_t)(stop - p));
        AUTO_FREE char *name = plain(p, (size_t)((eq ? eq : stop) - p));
        char **to = !strcasecmp(name, "d")   ? &t->d
                    : !strcasecmp(name, "h") ? &t->h
                    : !strcasecmp(name, "b") ? &t->b
                    : !strcasecmp(name, "l") ? &t->l
                                             : NULL;
        if (to) {
            t->twice |= *to != NULL;
            mem_free(*to);
            *to = eq ? plain(eq + 1, (size_t)(stop - eq - 1)) : mem_str("");
        }
        p = semi ? semi + 1 : end;
    }
}

static void tags_done(struct tags *t)
{
    mem_free(t->d);
    mem_free(t->h);
    mem_free(t->b);
    mem_free(t->l);
}

/* "from:to:subject" names it. */
static bool covers(const char *h, const char *name)
{
    for (size_t n; *h; h += n, h += *h == ':') {
        n = strcspn(h, ":");
        if (n == strlen(name) && strncasecmp(h, name, n) == 0)
            return true;
    }
    return false;
}

static bool names_ours(const struct engine *eng, struct mail_ctx *c, const struct mail_fields *f,
                       const char *name)
{
    size_t i;
    const json_t *v;
    struct ours o;
    const struct mail_field *field = mail_fields_get(f, name);
    if (!field || mail_fields_count(f, name) != 1)
        return false;
    AUTO_JSON json_t *list = json_array();
    mail_address_field_read(c, field, name, list);
    json_array_foreach(list, i, v)
        if (ours_read(eng, json_get_str(v, "address", ""), &o))
            return true;
    return false;
}

void signatures_read(const struct engine *eng, struct mail_ctx *c, const struct mail_fields *f,
                     const char *domain, struct signatures *out)
{
    const struct mail_field *field = NULL;
    bool to = names_ours(eng, c, f, "To"), cc = names_ours(eng, c, f, "Cc");
    *out = (struct signatures){.addressed = true};
    while ((field = mail_fields_next(f, "DKIM-Signature", field))) {
        struct tags t;
        tags_read(field, &t);
        if (t.twice || !t.d || !t.h || !t.b) {
            out->odd = true;
        } else if (align_same(t.d, domain)) {
            out->part |= t.l != NULL;
            out->addressed &= covers(t.h, "from") && covers(t.h, "date") &&
                              covers(t.h, "subject") &&
                              ((to && covers(t.h, "to")) || (cc && covers(t.h, "cc")));
            if (out->count < BOUND_SIGNATURES)
                out->keys[out->count++] = hash_64(t.b, strlen(t.b));
            else
                out->odd = true;
        }
        tags_done(&t);
    }
}
