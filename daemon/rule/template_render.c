/* SPDX-License-Identifier: ISC
 *
 * template_render - operations and values to texts
 *
 * Values come from strangers. In HTML they are escaped, in a subject a line
 * break ends the rendering, everywhere bytes that are no UTF-8 are replaced;
 * output and steps are bounded, whatever lists a value brings.
 */
#include "rule/template.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/template_ops.h"

struct render {
    const struct template *t;
    const struct template_part *part;
    template_get_fn get;
    void *arg;
    struct buf *out;
    bool escape;
    int *items; /* per operation of the part: the item a section is at, -1 for none */
    bool *missing; /* per field */
    int steps;
};

static struct template_value render_get(struct render *r, int field, int item)
{
    struct template_value v = {0};
    r->get(r->arg, field, item, &v);
    return v;
}

static void render_value(struct render *r, const struct template_op *op)
{
    int item = op->scope >= 0 ? r->items[op->scope] : -1;
    struct template_value v = render_get(r, op->field, item);
    if (!v.set && op->text) {
        v.text = (struct str){op->text, op->len};
    } else if (!v.set) {
        r->missing[op->field] = true;
        return;
    }
    struct buf clean AUTO_BUF;
    buf_init(&clean, BOUND_TEMPLATE_OUTPUT);
    text_add_utf8(&clean, v.text.p, v.text.n);
    if (!buf_ok(&clean))
        r->out->full = true;
    if (op->kind == OP_VALUE && r->escape)
        buf_html(r->out, clean.data);
    else
        buf_add(r->out, clean.data, clean.len);
}

static void render_signature(struct render *r)
{
    struct template_value v = render_get(r, TEMPLATE_SIGNATURE, r->escape ? 1 : 0);
    if (v.set)
        buf_add(r->out, v.text.p, v.text.n);
}

static void render_step(struct render *r)
{
    if (++r->steps > BOUND_TEMPLATE_STEPS)
        r->out->full = true;
}

static void render_range(struct render *r, int from, int to);

static void render_section(struct render *r, int at)
{
    const struct template_op *op = &r->part->ops[at];
    struct template_value v = render_get(r, op->field, -1);
    bool list = rule_fields_get(r->t->fields, op->field)->type == RULE_TYPE_LIST;
    bool is = v.set && (!list || v.count > 0);
    if (op->kind == OP_INVERTED) {
        if (!is)
            render_range(r, at + 1, op->end);
        return;
    }
    if (!is)
        return;
    if (!list) {
        render_range(r, at + 1, op->end);
        return;
    }
    int before = r->items[at];
    for (size_t i = 0; i < v.count && i < INT32_MAX && buf_ok(r->out); i++) {
        r->items[at] = (int)i;
        render_step(r); /* an empty section costs, too */
        render_range(r, at + 1, op->end);
    }
    r->items[at] = before;
}

static void render_range(struct render *r, int from, int to)
{
    for (int i = from; i < to && buf_ok(r->out);) {
        const struct template_op *op = &r->part->ops[i];
        render_step(r);
        switch (op->kind) {
        case OP_TEXT:
            buf_add(r->out, op->text, op->len);
            i++;
            break;
        case OP_VALUE:
        case OP_RAW:
            render_value(r, op);
            i++;
            break;
        case OP_SIGNATURE:
            render_signature(r);
            i++;
            break;
        case OP_SECTION:
        case OP_INVERTED:
            render_section(r, i);
            i = op->end;
            break;
        }
    }
}

/* One part as text, own; NULL with e when it is too long. */
static char *render_part(struct render *r, enum template_part_id id, struct err *e)
{
    struct buf out AUTO_BUF;
    buf_init(&out, BOUND_TEMPLATE_OUTPUT);
    r->part = &r->t->parts[id];
    r->escape = id == PART_HTML;
    r->out = &out;
    AUTO_FREE int *items = mem_array((size_t)r->part->count, sizeof(*items));
    for (int i = 0; i < r->part->count; i++)
        items[i] = -1;
    r->items = items;
    render_range(r, 0, r->part->count);
    if (buf_ok(&out))
        return buf_take(&out);
    err_set(e, ERR_INPUT, "template %s: the result is longer than %zu bytes", r->t->name,
            BOUND_TEMPLATE_OUTPUT);
    return NULL;
}

static int render_subject(struct render *r, struct template_result *out, struct err *e)
{
    AUTO_FREE char *raw = render_part(r, PART_SUBJECT, e);
    if (!raw)
        return -1;
    char *s = raw;
    if (!text_is_single_line(s))
        return err_set(e, ERR_INPUT,
                       "template %s: a value holds a line break or control character, which a "
                       "subject cannot",
                       r->t->name);
    out->subject = mem_str(text_trim(s));
    return 0;
}

static void render_missing(const struct render *r, struct template_result *out)
{
    size_t n = rule_fields_count(r->t->fields);
    out->missing = mem_array(n, sizeof(*out->missing));
    for (size_t i = 0; i < n; i++)
        if (r->missing[i])
            out->missing[out->missing_count++] = (int)i;
}

static const char *render_empty(const struct template_result *out)
{
    const char *text = out->text ? out->text : "made of the HTML";
    return !*out->subject                              ? "subject"
           : text[strspn(text, " \t\n")] == '\0' ? "text"
                                                       : NULL;
}

int template_render(const struct template *t, template_get_fn get, void *arg,
                    struct template_result *out, struct err *e)
{
    AUTO_FREE bool *missing = mem_array(rule_fields_count(t->fields), sizeof(*missing));
    struct render r = {.t = t, .get = get, .arg = arg, .missing = missing};
    *out = (struct template_result){0};
    if (render_subject(&r, out, e) < 0 ||
        (!t->html_alone && !(out->text = render_part(&r, PART_TEXT, e))) ||
        (t->has_html && !(out->html = render_part(&r, PART_HTML, e)))) {
        template_result_done(out);
        return -1;
    }
    render_missing(&r, out);
    out->empty = render_empty(out);
    return 0;
}

void template_result_done(struct template_result *r)
{
    mem_free(r->subject);
    mem_free(r->text);
    mem_free(r->html);
    mem_free(r->missing);
    *r = (struct template_result){0};
}
