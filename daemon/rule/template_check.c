/* SPDX-License-Identifier: ISC
 *
 * template_check - what is allowed in a template, and yet hardly meant (see template.h)
 *
 * Looks at the operations, so partials count where they stand. A field whose value is
 * asked for inside of its own section is set there. Of a link that a tag completes
 * (https://example.com/{{lead.id}}) what stands before the tag is compared.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rule/template.h"
#include "rule/template_ops.h"

#define LINK_MAX 200

struct check {
    const struct template *t;
    bool (*is_set)(void *arg, int field);
    template_found_fn found;
    void *arg;
};

static const char *const part_names[] = {"subject", "text", "HTML"};

/* behind: of a TEXT, whose line is that of its end, what stands behind the place; else NULL */
static void check_found(const struct check *c, const struct template_op *op, const char *behind,
                        const char *kind, const char *advice, const char *fmt, ...)
    LEADD_PRINTF(6, 7);
static void check_found(const struct check *c, const struct template_op *op, const char *behind,
                        const char *kind, const char *advice, const char *fmt, ...)
{
    int line = op->line;
    for (; behind && *behind; behind++)
        line -= *behind == '\n';
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    AUTO_FREE char *at = mem_printf("%s:%d", op->path, line);
    c->found(c->arg, at, kind, text, advice);
}

static const char *check_name(const struct check *c, int field)
{
    return rule_fields_get(c->t->fields, field)->name;
}

/* ---- what may be unset ------------------------------------------------------------------- */

/* Does operation i stand in a section of its own field? */
static bool check_guarded(const struct template_part *p, int i)
{
    for (int k = 0; k < i; k++)
        if (p->ops[k].kind == OP_SECTION && p->ops[k].field == p->ops[i].field && p->ops[k].end > i)
            return true;
    return false;
}

static bool check_may_be_unset(const struct check *c, const struct template_part *p, int i)
{
    const struct template_op *op = &p->ops[i];
    return !op->text && !c->is_set(c->arg, op->field) && !check_guarded(p, i);
}

static void check_unset(const struct check *c, enum template_part_id id)
{
    const struct template_part *p = &c->t->parts[id];
    AUTO_FREE bool *told = mem_array(rule_fields_count(c->t->fields), sizeof(*told));
    for (int i = 0; i < p->count; i++) {
        const struct template_op *op = &p->ops[i];
        if ((op->kind != OP_VALUE && op->kind != OP_RAW) || told[op->field] ||
            !check_may_be_unset(c, p, i))
            continue;
        const char *name = check_name(c, op->field);
        AUTO_FREE char *advice =
            mem_printf("say what stands there then: {{%s|words}}, or {{#%s}}..{{/%s}} around it", name,
                       name, name);
        check_found(c, op, NULL, "unset", advice,
                    "{{%s}} may be not set: the mail is held then, and does not leave", name);
        told[op->field] = true;
    }
}

/* Are there words, whatever is set? */
static bool check_has_words(const struct check *c, const struct template_part *p)
{
    for (int i = 0; i < p->count;) {
        const struct template_op *op = &p->ops[i];
        bool section = op->kind == OP_SECTION || op->kind == OP_INVERTED;
        bool value = op->kind == OP_VALUE || op->kind == OP_RAW;
        if ((op->kind == OP_TEXT && strspn(op->text, " \t\n") < op->len) ||
            (value && (op->text ? op->len > 0 : c->is_set(c->arg, op->field))))
            return true;
        i = section ? op->end : i + 1;
    }
    return false;
}

static void check_empty(const struct check *c, enum template_part_id id)
{
    const struct template_part *p = &c->t->parts[id];
    if (p->count && !check_has_words(c, p))
        check_found(c, &p->ops[0], p->ops[0].kind == OP_TEXT ? p->ops[0].text : NULL, "empty",
                    "put words there that stand in every mail",
                    "the %s is empty when nothing is set that it names", part_names[id]);
}

/* ---- the two parts of one mail -------------------------------------------------------------- */

static bool check_asks(const struct template_part *p, const struct template_op *op)
{
    for (int i = 0; i < p->count; i++)
        if (p->ops[i].kind != OP_TEXT && p->ops[i].kind != OP_SECTION &&
            p->ops[i].kind != OP_INVERTED && p->ops[i].field == op->field)
            return true;
    return false;
}

/* HTML has "&amp;" where the text has "&". */
static void check_link_copy(const char *s, size_t n, char out[LINK_MAX])
{
    size_t k = 0;
    for (size_t i = 0; i < n && k < LINK_MAX - 1; i++) {
        out[k++] = s[i];
        if (n - i > 4 && memcmp(s + i, "&amp;", 5) == 0)
            i += 4;
    }
    out[k] = '\0';
}

/* The next link at or behind *p, as far as it stands in this text; moves *p behind it.
 * What an image or a style is loaded from is no link. */
static bool check_link(const char **p, char out[LINK_MAX])
{
    for (const char *s; (s = strstr(*p, "http"));) {
        bool loaded = s - *p > 4 && memcmp(s - 5, "src=", 4) == 0;
        size_t n = strcspn(s, " \t\n\"'<>()");
        *p = s + n;
        while (n > 0 && strchr(".,;:!?", s[n - 1]))
            n--;
        if (loaded || (strncmp(s, "http://", 7) != 0 && strncmp(s, "https://", 8) != 0))
            continue;
        check_link_copy(s, n, out);
        return true;
    }
    return false;
}

static bool check_has_link(const struct template_part *p, const char *link)
{
    char other[LINK_MAX];
    for (int i = 0; i < p->count; i++)
        for (const char *s = p->ops[i].kind == OP_TEXT ? p->ops[i].text : ""; check_link(&s, other);)
            if (strcmp(other, link) == 0)
                return true;
    return false;
}

static void check_missing(const struct check *c, enum template_part_id in, enum template_part_id not_in)
{
    const struct template_part *p = &c->t->parts[in], *other = &c->t->parts[not_in];
    AUTO_FREE bool *told = mem_array(rule_fields_count(c->t->fields), sizeof(*told));
    AUTO_FREE char *advice = mem_printf("say the same in the %s: some read only that one",
                                        part_names[not_in]);
    char link[LINK_MAX];
    for (int i = 0; i < p->count; i++) {
        const struct template_op *op = &p->ops[i];
        if (op->kind == OP_TEXT) {
            for (const char *s = op->text; check_link(&s, link);)
                if (!check_has_link(other, link))
                    check_found(c, op, s, "parts", advice, "the %s has the link %s, the %s has not",
                                part_names[in], link, part_names[not_in]);
        } else if (op->kind == OP_SIGNATURE) {
            if (!check_asks(other, op))
                check_found(c, op, NULL, "parts", advice, "the %s has {{> signature}}, the %s has not",
                            part_names[in], part_names[not_in]);
        } else if ((op->kind == OP_VALUE || op->kind == OP_RAW) && !told[op->field] &&
                   !check_asks(other, op)) {
            check_found(c, op, NULL, "parts", advice, "the %s has {{%s}}, the %s has not", part_names[in],
                        check_name(c, op->field), part_names[not_in]);
            told[op->field] = true;
        }
    }
}

void template_check(const struct template *t, bool (*is_set)(void *arg, int field),
                    template_found_fn found, void *arg)
{
    const struct check c = {t, is_set, found, arg};
    check_unset(&c, PART_SUBJECT);
    check_unset(&c, t->html_alone ? PART_HTML : PART_TEXT);
    check_empty(&c, PART_SUBJECT);
    if (!t->html_alone)
        check_empty(&c, PART_TEXT);
    if (!t->has_html || t->html_alone)
        return;
    check_missing(&c, PART_TEXT, PART_HTML);
    check_missing(&c, PART_HTML, PART_TEXT);
}
