/* SPDX-License-Identifier: ISC
 *
 * click_rewrite - the links of an outgoing mail, found and replaced
 *
 * In the text a link is what begins with http:// or https:// and ends at a blank or a sign
 * that closes a sentence; in HTML it is the href of an <a>. What cannot be read with
 * certainty stays as it is, and so does a link to a site that the template itself has no
 * link to: a stranger may have written it into a form, and ours would lead anybody there.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/click.h"
#include "engine/click_inner.h"
#include "engine/verify_inner.h"

struct rewriting {
    struct engine *eng;
    int64_t outbox;
    const char *in_url, *ui_url;
    const json_t *sites; /* of the template */
    const char *urls[BOUND_CLICK_LINKS]; /* own; in the order they come */
    size_t count;
};

typedef void (*link_fn)(struct rewriting *w, const char *url, struct buf *out);

/* ---- one link ---------------------------------------------------------------------- */

static bool below(const char *url, const char *base)
{
    return base && *base && text_starts(url, base);
}

/* "https://www.example.com@evil.example" is another site than the template's. */
static bool is_ours(const struct rewriting *w, const char *url)
{
    size_t n = template_site_length(url);
    AUTO_FREE char *site = mem_strn(url, n);
    return n && (!url[n] || strchr("/?#", url[n])) && json_object_get(w->sites, site);
}

static bool is_tracked(const struct rewriting *w, const char *url)
{
    size_t n = strlen(url), scheme = text_starts(url, "https://") ? 8 : 7;
    if (n > BOUND_CLICK_URL || n <= scheme || below(url, w->in_url) || below(url, w->ui_url))
        return false;
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || *p == '"' || *p == '<')
            return false;
    return is_ours(w, url);
}

/* First all are counted, since each link says how many there are. */
static void link_collect(struct rewriting *w, const char *url, struct buf *out)
{
    (void)out;
    if (!is_tracked(w, url) || w->count == BOUND_CLICK_LINKS)
        return;
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->urls[i], url) == 0)
            return;
    w->urls[w->count++] = mem_str(url);
}

static void link_replace(struct rewriting *w, const char *url, struct buf *out)
{
    bool known = false;
    size_t n = strlen(w->in_url);
    for (size_t i = 0; i < w->count; i++)
        known |= strcmp(w->urls[i], url) == 0;
    if (!known) {
        buf_str(out, url);
        return;
    }
    AUTO_FREE char *path = click_path(w->eng, w->outbox, w->count, url);
    buf_printf(out, "%.*s/r/%s", (int)(n && w->in_url[n - 1] == '/' ? n - 1 : n), w->in_url, path);
}

char *click_path(const struct engine *eng, int64_t outbox, size_t links, const char *url)
{
    char token[HASH_TOKEN_LEN];
    AUTO_FREE char *said = mem_printf("%" PRId64 ".%zu %s", outbox, links, url);
    AUTO_FREE char *code = verify_base64(url, strlen(url));
    hash_token(eng->key, sizeof(eng->key), "click", said, token);
    code[strcspn(code, "=")] = '\0';
    for (char *p = code; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    return mem_printf("%" PRId64 ".%zu.%s/%s", outbox, links, token, code);
}

/* ---- text ----------------------------------------------------------------------------- */

static size_t url_length(const char *p)
{
    size_t n = strcspn(p, " \t\r\n<>\"'`|\\^{}");
    bool open = memchr(p, '(', n) != NULL;
    while (n > 0 && (strchr(".,;:!?]", p[n - 1]) || (p[n - 1] == ')' && !open)))
        n--;
    return n;
}

static bool url_begins(const char *text, const char *p)
{
    return (text_starts(p, "https://") || text_starts(p, "http://")) &&
           (p == text || !isalnum((unsigned char)p[-1]));
}

static void each_in_text(struct rewriting *w, const char *text, link_fn fn, struct buf *out)
{
    for (const char *p = text; *p;) {
        if (!url_begins(text, p)) {
            buf_char(out, *p++);
            continue;
        }
        size_t n = url_length(p);
        AUTO_FREE char *url = mem_strn(p, n);
        fn(w, url, out);
        p += n;
    }
}

/* ---- HTML -------------------------------------------------------------------------------- */

/* &amp; undone; NULL: it has another entity, or no scheme of ours. Own. */
static char *href_read(const char *p, size_t n)
{
    struct buf b AUTO_BUF;
    buf_init(&b, n + 1);
    for (size_t i = 0; i < n; i++) {
        bool amp = p[i] == '&' && n - i >= 5 && strncmp(p + i, "&amp;", 5) == 0;
        if (p[i] == '&' && !amp && memchr(p + i, ';', n - i < 10 ? n - i : 10))
            return NULL;
        buf_char(&b, p[i]);
        i += amp ? 4 : 0;
    }
    if (!b.data || (!text_starts(b.data, "https://") && !text_starts(b.data, "http://")))
        return NULL;
    return buf_take(&b);
}

/* The value of href in the tag from p to end, which stands behind "<a"; NULL: none. */
static const char *href_find(const char *p, const char *end, size_t *n_out)
{
    char quote = 0;
    for (; p + 6 < end; p++) {
        if (quote) {
            quote = *p == quote ? 0 : quote;
            continue;
        }
        if (*p == '"' || *p == '\'')
            quote = *p;
        if (!isspace((unsigned char)*p) || strncasecmp(p + 1, "href", 4) != 0)
            continue;
        const char *v = p + 5 + strspn(p + 5, " \t\r\n");
        if (*v != '=')
            continue;
        v += 1 + strspn(v + 1, " \t\r\n");
        const char *close = *v == '"' || *v == '\'' ? memchr(v + 1, *v, (size_t)(end - v - 1)) : NULL;
        if (!close)
            return NULL;
        *n_out = (size_t)(close - v - 1);
        return v + 1;
    }
    return NULL;
}

static void each_in_html(struct rewriting *w, const char *html, link_fn fn, struct buf *out)
{
    const char *p = html, *tag;
    while ((tag = strchr(p, '<')) != NULL) {
        const char *end = strchr(tag, '>');
        size_t n = 0;
        bool link = end && (tag[1] == 'a' || tag[1] == 'A') && isspace((unsigned char)tag[2]);
        const char *href = link ? href_find(tag + 2, end, &n) : NULL;
        AUTO_FREE char *url = href ? href_read(href, n) : NULL;
        const char *stop = url ? href : end ? end + 1 : tag + 1;
        buf_add(out, p, (size_t)(stop - p));
        p = stop;
        if (!url)
            continue;
        struct buf one AUTO_BUF;
        buf_init(&one, KIB(8));
        fn(w, url, &one);
        if (one.len && strcmp(one.data, url) != 0)
            buf_html(out, one.data);
        else
            buf_add(out, href, n);
        p += n;
    }
    buf_str(out, p);
}

/* ---- the mail -------------------------------------------------------------------------------- */

static void part_replace(struct rewriting *w, char **part, bool html)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 4 * BOUND_TEMPLATE_OUTPUT);
    (html ? each_in_html : each_in_text)(w, *part, link_replace, &b);
    if (!buf_ok(&b)) /* better without than cut off */
        return;
    mem_free(*part);
    *part = buf_take(&b);
}

void click_rewrite(struct engine *eng, int64_t outbox, const struct template *t,
                   struct template_result *r)
{
    const json_t *web = json_get_obj(eng->role->config, "web");
    AUTO_JSON json_t *sites = template_sites(t);
    struct rewriting w = {.eng = eng, .outbox = outbox, .in_url = json_get_str(web, "in_url", ""),
                          .ui_url = json_get_str(web, "url", NULL), .sites = sites};
    struct buf none AUTO_BUF;
    buf_init(&none, 4 * BOUND_TEMPLATE_OUTPUT);
    if (!*w.in_url)
        return;
    each_in_text(&w, r->text, link_collect, &none);
    if (r->html)
        each_in_html(&w, r->html, link_collect, &none);
    if (w.count)
        part_replace(&w, &r->text, false);
    if (w.count && r->html)
        part_replace(&w, &r->html, true);
    for (size_t i = 0; i < w.count; i++)
        mem_free((char *)w.urls[i]);
}
