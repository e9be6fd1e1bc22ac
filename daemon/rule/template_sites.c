/* SPDX-License-Identifier: ISC
 *
 * template_sites - where the links lead that a template has of its own (see template.h)
 *
 * A value that a stranger has set may hold a link, too: it is never looked at here. A site
 * that a tag completes (https://www.{{contact.company}}) is known to nobody.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "rule/template.h"
#include "rule/template_ops.h"

size_t template_site_length(const char *url)
{
    size_t scheme = text_starts(url, "https://") ? 8 : text_starts(url, "http://") ? 7 : 0;
    size_t n = scheme ? strcspn(url + scheme, "/?# \t\r\n\"'<>()[]{}|\\^`,;") : 0;
    while (n > 0 && strchr(".:!", url[scheme + n - 1]))
        n--;
    return n ? scheme + n : 0;
}

/* goes_on: a value stands behind the text. */
static void sites_add(const char *text, bool goes_on, json_t *out)
{
    for (const char *p = text; (p = strstr(p, "http"));) {
        size_t n = template_site_length(p);
        if (n && !(goes_on && !p[n + strspn(p + n, ".:!")])) {
            AUTO_FREE char *site = mem_strn(p, n);
            json_object_set_new(out, site, json_true());
        }
        p += n ? n : 4;
    }
}

static bool is_value(const struct template_op *op)
{
    return op->kind == OP_VALUE || op->kind == OP_RAW;
}

json_t *template_sites(const struct template *t)
{
    json_t *out = json_object();
    for (int id = 0; id < PART_COUNT; id++) {
        const struct template_part *p = &t->parts[id];
        for (int i = 0; i < p->count; i++)
            if (p->ops[i].kind == OP_TEXT)
                sites_add(p->ops[i].text, i + 1 < p->count && is_value(&p->ops[i + 1]), out);
    }
    return out;
}
