/* SPDX-License-Identifier: ISC
 *
 * fuzz_expr - any bytes as a condition or a template
 *
 * Beyond not crashing: an error has a column inside the text, a trace lies
 * inside the text, `not (X)` is the opposite of X, asking twice gives the same
 * answer, a rendered subject is one line. The unit test runs the same on
 * mutations. Layout of the input: see expr_seeds.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bounds.h"
#include "../unit/rule_facts.h"
#include "rule/expr.h"
#include "rule/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct rule_fields *fields;
    struct rule_tables *tables;
    const char *text; /* the condition or template */
    struct str held;  /* what fields hold */
    int errors;
    struct str items[TEST_ITEMS];
};

static struct rule_tables *fuzz_tables(void)
{
    static const char def[] =
        "{\"dach\": {\"values\": [\"DE\", \"AT\"]}, \"freemail\": {\"values\": [\"mail.example\"]},"
        " \"sizes\": {\"values\": [\"10\", \"50\"]}, \"words\": {\"values\": [\"offer\"]}}";
    struct err e;
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 5);
    json_t *v AUTO_JSON = json_load_bounded(def, sizeof(def) - 1, sizeof(def), &e);
    LEADD_ASSERT(v);
    return rule_tables_new(v, &errors);
}

static void fuzz_items(struct fuzz *z, struct rule_value *out)
{
    const char *p = z->held.p, *end = p + z->held.n;
    while (p < end && out->count < TEST_ITEMS) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        size_t n = (size_t)((comma ? comma : end) - p);
        z->items[out->count++] = (struct str){p, n};
        p += n + 1;
    }
    out->items = z->items;
}

/* Every value follows from the bytes and the field's number. */
static void fuzz_get(void *arg, int field, struct rule_value *out)
{
    struct fuzz *z = arg;
    unsigned char first = z->held.n ? (unsigned char)z->held.p[(size_t)field % z->held.n] : 0;
    if (z->held.n == 0 || (first + field) % 7 == 0)
        return;
    out->state = (first + field) % 11 == 0 ? RULE_VALUE_UNKNOWN : RULE_VALUE_SET;
    out->text = z->held;
    out->num = (first % 3 == 0) ? first : (int64_t)((uint64_t)first * UINT64_C(0x123456789abcdef));
    memcpy(out->currency, first % 2 ? "EUR" : "JPY", 4);
    if (test_fields[field].type == RULE_TYPE_LIST)
        fuzz_items(z, out);
}

static void fuzz_report(void *arg, int col, const char *what)
{
    struct fuzz *z = arg;
    z->errors++;
    LEADD_ASSERT(col >= 0 && (size_t)col <= strlen(z->text) && *what);
}

static void fuzz_trace(const struct expr *x, const struct expr_trace *t)
{
    struct buf out AUTO_BUF;
    buf_init(&out, MIB(1));
    size_t n = strlen(expr_text(x));
    LEADD_ASSERT(t->col >= 0 && t->len > 0 && (size_t)t->col + (size_t)t->len <= n);
    LEADD_ASSERT(t->seen_count >= 1 && t->seen_count <= EXPR_SEEN_MAX);
    expr_trace_print(x, t, &out);
    json_t *obj AUTO_JSON = expr_trace_json(x, t);
    AUTO_FREE char *text = json_text(obj);
    LEADD_ASSERT(text);
}

/* not (X): the same parts, the opposite answer. */
static void fuzz_negated(struct fuzz *z, const struct expr_env *env, struct expr_facts *f,
                         enum rule_result was)
{
    AUTO_FREE char *text = mem_printf("not (%s)", z->text);
    const char *before = z->text;
    z->text = text;
    struct expr *x = expr_compile(env, text, fuzz_report, z);
    if (x) { /* it may be one level too deep */
        enum rule_result r = expr_eval(x, f);
        LEADD_ASSERT(was == RULE_UNKNOWN ? r == was : r == (was == RULE_TRUE ? RULE_FALSE : RULE_TRUE));
        expr_free(&x);
    }
    z->text = before;
}

/* What is printed compiles to the same condition, and prints the same. */
static void fuzz_printed(struct fuzz *z, const struct expr_env *env, const struct expr *x)
{
    struct buf text AUTO_BUF, again AUTO_BUF;
    buf_init(&text, MIB(1));
    buf_init(&again, MIB(1));
    expr_print(x, &text);
    const char *before = z->text;
    z->text = text.data;
    struct expr *y = text.len <= BOUND_EXPR_BYTES ? expr_compile(env, text.data, fuzz_report, z)
                                                  : NULL;
    LEADD_ASSERT(y || text.len > BOUND_EXPR_BYTES);
    if (y) {
        expr_print(y, &again);
        LEADD_ASSERT(expr_same(x, y) && strcmp(text.data, again.data) == 0);
    }
    expr_free(&y);
    z->text = before;
}

static void fuzz_expr(struct fuzz *z, const char *zone)
{
    struct expr_env env = {.fields = z->fields, .tables = z->tables, .time_zone = zone};
    struct expr *x = expr_compile(&env, z->text, fuzz_report, z);
    LEADD_ASSERT((x == NULL) == (z->errors > 0));
    if (!x)
        return;
    struct expr_trace trace;
    struct expr_facts *f = expr_facts_new(z->fields, fuzz_get, z);
    struct fuzz other = *z; /* before the event fields held less */
    other.held.n /= 2;
    struct expr_facts *before = expr_facts_new(z->fields, fuzz_get, &other);
    expr_facts_event(f, z->held.n % 5 ? before : NULL, NULL);
    enum rule_result r = expr_eval(x, f);
    LEADD_ASSERT(expr_explain(x, f, &trace) == r);
    if (r != RULE_TRUE)
        fuzz_trace(x, &trace);
    expr_facts_changed(f);
    LEADD_ASSERT(expr_eval(x, f) == r);
    fuzz_negated(z, &env, f, r);
    fuzz_printed(z, &env, x);
    expr_facts_free(&f);
    expr_facts_free(&before);
    expr_free(&x);
}

static bool fuzz_partial(void *arg, const char *name, const char **text_out, const char **path_out)
{
    struct fuzz *z = arg;
    (void)name;
    *text_out = z->held.p; /* ends in NUL */
    *path_out = "partial";
    return true;
}

static void fuzz_value(void *arg, int field, int item, struct template_value *out)
{
    struct fuzz *z = arg;
    struct rule_value v = {0};
    if (field == TEMPLATE_SIGNATURE)
        return;
    fuzz_get(z, field, &v);
    out->set = v.state == RULE_VALUE_SET;
    out->count = v.count;
    out->text = item >= 0 ? v.items[item] : z->held;
}

static void fuzz_template(struct fuzz *z)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 10);
    struct template *t =
        template_compile("t", z->text, "t.txt", z->fields, fuzz_partial, z, &errors);
    LEADD_ASSERT((t == NULL) == (errlist_total(&errors) > 0));
    if (!t)
        return;
    struct template_result out;
    struct err e;
    if (template_render(t, fuzz_value, z, &out, &e) == 0) {
        const char *text = out.text ? out.text : out.html;
        LEADD_ASSERT((out.empty || out.subject[0]) && text_is_single_line(out.subject));
        LEADD_ASSERT(strlen(text) <= BOUND_TEMPLATE_OUTPUT);
        LEADD_ASSERT(text_is_utf8(text, strlen(text)));
        LEADD_ASSERT((out.html != NULL) == template_has_html(t));
        LEADD_ASSERT(out.missing_count <= ARRAY_LEN(test_fields));
    }
    template_result_done(&out);
    template_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > KIB(64))
        return 0;
    struct fuzz z = {.fields = rule_fields_new(test_fields, ARRAY_LEN(test_fields)),
                     .tables = fuzz_tables()};
    AUTO_FREE char *text = mem_strn((const char *)data + 1, size - 1);
    size_t n = strlen(text);
    z.text = text;
    z.held = n < size - 1 ? (struct str){text + n + 1, size - 2 - n} : (struct str){text + n, 0};
    if (data[0] == 't')
        fuzz_template(&z);
    else
        fuzz_expr(&z, data[0] == 'c' ? "Europe/Vienna" : NULL);
    rule_fields_free(&z.fields);
    rule_tables_free(&z.tables);
    return 0;
}
