/* SPDX-License-Identifier: ISC
 *
 * field - see field.h
 */
#include "rule/field.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/map.h"

struct rule_fields {
    const struct rule_field *v; /* borrowed */
    size_t count;
    struct rule_map by_name;
    const char **names; /* own; for nearest names */
};

const char *rule_type_name(enum rule_type t)
{
    switch (t) {
    case RULE_TYPE_TEXT:
        return "text";
    case RULE_TYPE_INT:
        return "a whole number";
    case RULE_TYPE_MONEY:
        return "money";
    case RULE_TYPE_BOOL:
        return "true or false";
    case RULE_TYPE_TIME:
        return "a time";
    case RULE_TYPE_DURATION:
        return "a duration";
    case RULE_TYPE_LIST:
        return "a list";
    }
    return "?";
}

struct rule_fields *rule_fields_new(const struct rule_field *fields, size_t count)
{
    struct rule_fields *f = mem_alloc(sizeof(*f));
    f->v = fields;
    f->count = count;
    f->names = mem_array(count, sizeof(*f->names));
    rule_map_init(&f->by_name, count);
    for (size_t i = 0; i < count; i++) {
        f->names[i] = fields[i].name;
        bool fresh = rule_map_add(&f->by_name, fields[i].name, strlen(fields[i].name), (int)i);
        LEADD_ASSERT(fresh);
    }
    return f;
}

void rule_fields_free(struct rule_fields **f)
{
    if (!*f)
        return;
    rule_map_done(&(*f)->by_name);
    mem_free((*f)->names);
    mem_free(*f);
    *f = NULL;
}

size_t rule_fields_count(const struct rule_fields *f)
{
    return f->count;
}

const struct rule_field *rule_fields_get(const struct rule_fields *f, int index)
{
    LEADD_ASSERT(index >= 0 && (size_t)index < f->count);
    return &f->v[index];
}

int rule_fields_find(const struct rule_fields *f, const char *name)
{
    return rule_map_get(&f->by_name, name, strlen(name));
}

const char *rule_fields_nearest(const struct rule_fields *f, const char *name)
{
    return text_nearest(name, f->names, f->count);
}

/* 'text', cut between characters; control characters become spaces. */
static void value_print_text(const struct str *s, size_t max, struct buf *out)
{
    size_t room = max > 8 ? max - 8 : 0; /* quotes and dots */
    size_t n = text_utf8_cut(s->p, s->n, room);
    buf_char(out, '\'');
    size_t at = out->len;
    text_add_utf8(out, s->p, n);
    for (size_t i = at; i < out->len; i++)
        if ((unsigned char)out->data[i] < 0x20 || out->data[i] == 0x7f)
            out->data[i] = ' ';
    buf_str(out, n < s->n ? "...'" : "'");
}

static void value_print_list(const struct rule_value *v, size_t max, struct buf *out)
{
    size_t start = out->len;
    buf_char(out, '[');
    for (size_t i = 0; i < v->count; i++) {
        size_t used = out->len - start;
        if (i > 0)
            buf_str(out, ", ");
        if (used + 24 > max) {
            buf_str(out, "...");
            break;
        }
        value_print_text(&v->items[i], max - used - 16, out);
    }
    buf_char(out, ']');
}

static void value_print_time(int64_t ms, struct buf *out)
{
    char s[40];
    clock_format_utc(ms, s, sizeof(s));
    if (strlen(s) >= 19)
        buf_printf(out, "%.10s %.8s UTC", s, s + 11);
    else
        buf_str(out, s);
}

static void value_print_set(const struct rule_field *f, const struct rule_value *v, size_t max,
                            struct buf *out)
{
    char s[64];
    switch (f->type) {
    case RULE_TYPE_TEXT:
        value_print_text(&v->text, max, out);
        break;
    case RULE_TYPE_INT:
        buf_printf(out, "%" PRId64, v->num);
        break;
    case RULE_TYPE_MONEY:
        rule_money_print(v->num, v->currency, out);
        break;
    case RULE_TYPE_BOOL:
        buf_str(out, v->num ? "true" : "false");
        break;
    case RULE_TYPE_TIME:
        value_print_time(v->num, out);
        break;
    case RULE_TYPE_DURATION:
        if (v->num < 0)
            buf_char(out, '-');
        buf_str(out, text_format_duration(v->num < -INT64_MAX ? INT64_MAX
                                          : v->num < 0        ? -v->num
                                                              : v->num,
                                          s, sizeof(s)));
        break;
    case RULE_TYPE_LIST:
        value_print_list(v, max, out);
        break;
    }
}

void rule_value_print(const struct rule_field *f, const struct rule_value *v, size_t max,
                      struct buf *out)
{
    switch (v->state) {
    case RULE_VALUE_UNSET:
        buf_str(out, "not set");
        break;
    case RULE_VALUE_UNKNOWN:
        buf_str(out, "not known yet");
        break;
    case RULE_VALUE_SET:
        value_print_set(f, v, max, out);
        break;
    }
}
