/* SPDX-License-Identifier: ISC
 *
 * lint_sms - texts that cost more than they look, or that nobody can answer
 *
 * Looks at the template of each `send sms` and `notify .. by sms` without what its tags
 * stand for: what is said of it is true of every text made from it. Tags count as nothing.
 */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/build.h"
#include "crm/cmd.h"
#include "crm/lint.h"
#include "crm/sms_text.h"

/* Operators take such links for spam, and nobody sees where they lead. */
static const char *const shorteners[] = {"bit.ly/", "tinyurl.com/", "goo.gl/", "t.co/", "ow.ly/",
                                         "is.gd/",  "buff.ly/",     "rebrand.ly/", "cutt.ly/"};

struct lint_sms {
    const struct crm *crm;
    json_t *found;           /* borrowed */
    const char *what, *name; /* as crm_lint_line has them */
};

static void sms_found(const struct lint_sms *l, const json_t *line, const char *text,
                      const char *advice)
{
    json_t *f = json_object();
    json_put_str(f, "at", json_get_str(line, "at", "?"));
    json_put_str(f, l->what, l->name);
    json_put_str(f, "finding", "sms");
    json_put_str(f, "text", text);
    json_put_str(f, "advice", advice);
    json_put_str(f, "source", json_get_str(line, "text", ""));
    json_put_int(f, "col", 0);
    json_array_append_new(l->found, f);
}

/* The words between the tags; own. own_file: NAME.sms, which has no headers. */
static char *template_words(const char *text, bool own_file)
{
    struct buf out AUTO_BUF;
    buf_init(&out, BOUND_TEMPLATE_BYTES + 1);
    const char *body = own_file ? NULL : strstr(text, "\n\n");
    for (const char *p = body ? body + 2 : text; *p;) {
        const char *end = strncmp(p, "{{", 2) == 0 ? strstr(p, "}}") : NULL;
        if (strncmp(p, "--html--", 8) == 0)
            break;
        if (end) {
            p = end + 2 + (end[2] == '}');
            continue;
        }
        buf_char(&out, *p++);
    }
    AUTO_FREE char *copy = mem_str(out.data);
    return mem_str(text_trim(copy));
}

static void sms_length(const struct lint_sms *l, const json_t *line, const char *name,
                       const struct sms_count *c)
{
    if (c->segments > 1) {
        AUTO_FREE char *told = mem_printf("%s takes %u SMS each time, its fields not counted", name,
                                          c->segments);
        sms_found(l, line, told, c->encoding == SMS_GSM7 ? "160 characters are one SMS"
                                                         : "70 such characters are one SMS");
    }
    if (c->encoding != SMS_UCS2 || c->odd_kinds != 1)
        return;
    AUTO_FREE char *told = mem_printf("%s has \"%s\", which the GSM alphabet has not: with it an SMS "
                                      "holds 70 characters, without it 160", name, c->odd);
    AUTO_FREE char *advice = c->instead && *c->instead ? mem_printf("write \"%s\"", c->instead)
                                                       : mem_str("leave it out");
    sms_found(l, line, told, advice);
}

/* A name as sender gets no STOP: the words must say another way. */
static void sms_way_out(const struct lint_sms *l, const json_t *line, const char *name,
                        const char *words)
{
    const char *key;
    json_t *gw;
    if (strstr(words, "http") || strchr(words, '@') || strpbrk(words, "+0123456789"))
        return;
    json_object_foreach(json_object_get(l->crm->config, "gateways"), key, gw) {
        const char *number = json_get_str(gw, "number", "");
        if (!*number || strspn(number, "+0123456789") == strlen(number))
            continue;
        AUTO_FREE char *told = mem_printf("the gateway %s sends as \"%s\", which nobody can answer with "
                                          "STOP, and %s says no other way to end the texts",
                                          key, number, name);
        sms_found(l, line, told, "name a link, an address or a number");
        return;
    }
}

static void sms_template(const struct lint_sms *l, const json_t *line, const char *name,
                         bool to_contact)
{
    struct sms_count c;
    AUTO_FREE char *own = mem_printf("%s.sms", name);
    const json_t *t = json_object_get(l->crm->templates_cfg, own);
    bool own_file = t != NULL;
    if (!t && !(t = json_object_get(l->crm->templates_cfg, name)))
        return;
    AUTO_FREE char *words = template_words(json_get_str(t, "text", ""), own_file);
    sms_count(words, &c);
    sms_length(l, line, name, &c);
    for (size_t i = 0; i < ARRAY_LEN(shorteners); i++)
        if (strcasestr(words, shorteners[i])) {
            AUTO_FREE char *told = mem_printf("%s has a link of %.*s, which operators take for spam",
                                              name, (int)strlen(shorteners[i]) - 1, shorteners[i]);
            sms_found(l, line, told, "write the link in full, on your own domain");
        }
    if (to_contact)
        sms_way_out(l, line, name, words);
}

static void sms_line(void *arg, const char *what, const char *of, const json_t *line)
{
    struct lint_sms *l = arg;
    const char *text = json_get_str(line, "text", ""), *using = strstr(text, " using ");
    bool send = strncasecmp(text, "send sms using ", 15) == 0,
         notify = strncasecmp(text, "notify ", 7) == 0 && strstr(text, "sms");
    if (!using || (!send && !notify))
        return;
    AUTO_FREE char *name = mem_strn(using + 7, strcspn(using + 7, " "));
    l->what = what;
    l->name = of;
    sms_template(l, line, name, send && crm_sends_to_contact(text));
}

void crm_lint_sms(const struct crm *crm, const json_t *tree, json_t *found)
{
    struct lint_sms l = {.crm = crm, .found = found};
    crm_lint_lines(tree, sms_line, &l);
}
