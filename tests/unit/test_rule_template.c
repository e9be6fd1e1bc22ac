/* SPDX-License-Identifier: ISC
 *
 * rule/template: rendering, escaping, errors at load, and values of strangers
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/bounds.h"
#include "rule/template.h"
#include "rule_facts.h"

static struct rule_fields *fields;

static int setup(void **state)
{
    (void)state;
    fields = rule_fields_new(test_fields, ARRAY_LEN(test_fields));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rule_fields_free(&fields);
    return 0;
}

/* arg: "name=value|..."; a list's items are parted by commas. */
static void get(void *arg, int field, int item, struct template_value *out)
{
    if (field == TEMPLATE_SIGNATURE) {
        out->set = true;
        out->text = item == 1 ? (struct str){"<b>Eva</b>", 10} : (struct str){"Eva\n", 4};
        return;
    }
    const struct rule_field *def = &test_fields[field];
    struct str s = test_fact(arg, def->name);
    if (s.n == 0 || (def->type == RULE_TYPE_BOOL && s.p[0] == 'f'))
        return;
    out->set = true;
    out->text = s;
    if (def->type != RULE_TYPE_LIST)
        return;
    const char *p = s.p, *end = s.p + s.n;
    for (out->count = 1; p < end; p++)
        out->count += *p == ',';
    for (p = s.p; item > 0; item--)
        p = (const char *)memchr(p, ',', (size_t)(end - p)) + 1;
    if (item == 0) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        out->text = (struct str){p, (size_t)((comma ? comma : end) - p)};
    }
}

static char *big_partial; /* set while one is tested */

static bool partials(void *arg, const char *name, const char **text_out, const char **path_out)
{
    (void)arg;
    static const struct {
        const char *name, *text;
    } all[] = {
        {"sign", "-- \n{{owner.name}}, {{company}}\n"},
        {"self", "x{{> self}}"},
        {"a1", "{{> a2}}"},
        {"a2", "{{> a1}}{{> a2}}"},
        {"wrong", "ok\n{{nobody}}\n"},
        {"open", "{{#company}}"},
        {"close", "{{/company}}"},
        {"bomb1", "{{> bomb2}}{{> bomb2}}{{> bomb2}}{{> bomb2}}{{> bomb2}}{{> bomb2}}{{> bomb2}}"},
        {"bomb2", "{{> bomb3}}{{> bomb3}}{{> bomb3}}{{> bomb3}}{{> bomb3}}{{> bomb3}}{{> bomb3}}"},
        {"bomb3", "{{> bomb4}}{{> bomb4}}{{> bomb4}}{{> bomb4}}{{> bomb4}}{{> bomb4}}{{> bomb4}}"},
        {"bomb4", "{{> bomb5}}{{> bomb5}}{{> bomb5}}{{> bomb5}}{{> bomb5}}{{> bomb5}}{{> bomb5}}"},
        {"bomb5", "{{> bomb6}}{{> bomb6}}{{> bomb6}}{{> bomb6}}{{> bomb6}}{{> bomb6}}{{> bomb6}}"},
        {"bomb6", "{{> nil}}{{> nil}}{{> nil}}x"},
        {"nil", "{{! nothing }}"},
    };
    *path_out = name;
    *text_out = big_partial;
    if (big_partial && strcmp(name, "big") == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (strcmp(all[i].name, name) == 0) {
            *text_out = all[i].text;
            return true;
        }
    return false;
}

static struct template *compile(const char *text)
{
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    errlist_init(&errors, 20);
    buf_init(&said, 8192);
    struct template *t = template_compile("t", text, "t.txt", fields, partials, NULL, &errors);
    errlist_print(&errors, &said);
    if (!t)
        fail_msg("%s", said.data);
    return t;
}

struct row {
    const char *body, *facts, *want;
};

/* The body is rendered as the text of a mail. */
static void check_texts(const struct row *rows, size_t n)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++) {
        struct err e;
        struct template_result out;
        AUTO_FREE char *file = mem_printf("Subject: s\n\n%s", rows[i].body);
        struct template *t = compile(file);
        assert_int_equal(template_render(t, get, (void *)rows[i].facts, &out, &e), 0);
        if (strcmp(out.text, rows[i].want) != 0) {
            print_error("%s\n  wanted \"%s\"\n  got    \"%s\"\n", rows[i].body, rows[i].want,
                        out.text);
            bad++;
        }
        template_result_done(&out);
        template_free(&t);
    }
    assert_int_equal(bad, 0);
}

static void tags_render_as_mustache_says(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Hello {{contact.first_name}}!", "contact.first_name=Anna", "Hello Anna!"},
        {"Hello {{ contact.first_name }}!", "contact.first_name=Anna", "Hello Anna!"},
        {"Hello {{contact.first_name}}!", "", "Hello !"},
        {"{{contact.name}} {{{contact.name}}} {{&contact.name}}", "contact.name=<A&B>",
         "<A&B> <A&B> <A&B>"},
        {"Hello{{#contact.first_name}} {{contact.first_name}}{{/contact.first_name}},",
         "contact.first_name=Anna", "Hello Anna,"},
        {"Hello{{#contact.first_name}} {{contact.first_name}}{{/contact.first_name}},", "",
         "Hello,"},
        {"{{^contact.first_name}}there{{/contact.first_name}}", "", "there"},
        {"{{^contact.first_name}}there{{/contact.first_name}}", "contact.first_name=A", ""},
        {"{{#lead.contacted}}yes{{/lead.contacted}}{{^lead.contacted}}no{{/lead.contacted}}",
         "lead.contacted=true", "yes"},
        {"{{#lead.contacted}}yes{{/lead.contacted}}{{^lead.contacted}}no{{/lead.contacted}}",
         "lead.contacted=false", "no"},
        {"{{#lead.tags}}[{{.}}]{{/lead.tags}}", "lead.tags=a,b,c", "[a][b][c]"},
        {"{{#lead.tags}}[{{.}}]{{/lead.tags}}{{^lead.tags}}none{{/lead.tags}}", "", "none"},
        {"{{lead.tags}}", "lead.tags=a,b", "a,b"},
        {"{{#lead.tags}}{{^company}}{{.}};{{/company}}{{/lead.tags}}", "lead.tags=a,b", "a;b;"},
        {"{{#company}}{{.}}{{/company}}", "company=Acme", "Acme"},
        {"a{{! a comment }}b", "", "ab"},
        {"a\n{{! alone }}\nb", "", "a\nb"},
        {"a\n  {{#company}}  \nb\n{{/company}}\nc\n", "company=x", "a\nb\nc\n"},
        {"a\n  {{#company}}  \nb\n{{/company}}\nc\n", "", "a\nc\n"},
        {"a\n{{#company}}\r\nb\r\n{{/company}}\r\nc", "company=x", "a\nb\nc"},
        {"{{#company}}{{#lead.id}}{{lead.id}}{{/lead.id}}{{/company}}", "company=x|lead.id=L1",
         "L1"},
        {"text\n{{> sign}}\nend", "owner.name=Eva|company=Acme",
         "text\n-- \nEva, Acme\nend"},
        {"{ {x}} }} {", "", "{ {x}} }} {"},
        {"{{company}}", "company=\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"{{lead.id}}{{lead.id}}", "lead.id={{company}}", "{{company}}{{company}}"},
    };
    check_texts(rows, ARRAY_LEN(rows));
}

static void html_is_escaped_and_text_is_not(void **state)
{
    (void)state;
    struct err e;
    struct template_result out;
    struct template *t = compile("Subject: {{contact.name}} & co\n\n{{contact.name}}\n--html--\n"
                                 "<p>{{contact.name}}</p>{{{contact.name}}}\n");
    assert_true(template_has_html(t));
    assert_string_equal(template_name(t), "t");
    assert_int_equal(template_render(t, get, (void *)"contact.name=<b a=\"1\" c='2'>&", &out, &e), 0);
    assert_string_equal(out.subject, "<b a=\"1\" c='2'>& & co");
    assert_string_equal(out.text, "<b a=\"1\" c='2'>&\n");
    assert_string_equal(out.html, "<p>&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;</p>"
                                  "<b a=\"1\" c='2'>&\n");
    template_result_done(&out);
    template_free(&t);
}

static void a_subject_cannot_be_broken_into_headers(void **state)
{
    (void)state;
    static const char *const names[] = {"contact.name=a\nBcc: x@example.com",
                                        "contact.name=a\r\nBcc: x@example.com",
                                        "contact.name=a\rb", "contact.name=a\x01" "b",
                                        "contact.name=a\x7f" "b"};
    struct err e;
    struct template_result out;
    struct template *t = compile("Subject: Hi {{{contact.name}}}\n\ntext");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(template_render(t, get, (void *)names[i], &out, &e), -1);
        assert_int_equal(e.cls, ERR_INPUT);
        assert_null(out.subject);
        assert_null(out.text);
    }
    template_free(&t);
}

static void what_is_empty_is_told(void **state)
{
    (void)state;
    struct err e;
    struct template_result out;
    struct template *t = compile("Subject: {{contact.name}}\n\n {{company}}\n");
    static const struct {
        const char *facts, *empty;
    } rows[] = {{"contact.name=  |company=A", "subject"}, {"company=A", "subject"},
                {"contact.name=x", "text"}, {"contact.name= x |company=A", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(template_render(t, get, (void *)rows[i].facts, &out, &e), 0);
        if (rows[i].empty)
            assert_string_equal(out.empty ? out.empty : "nothing", rows[i].empty);
        else
            assert_null(out.empty);
        if (!rows[i].empty)
            assert_string_equal(out.subject, "x");
        template_result_done(&out);
    }
    template_free(&t);
}

static void words_for_what_is_not_set_stand_behind_a_bar(void **state)
{
    (void)state;
    struct err e;
    struct template_result out;
    struct template *t = compile("Subject: {{ contact.name | you & me }}\n\n{{company|}}{{{lead.id|a|b}}}"
                                 "\n--html--\n{{contact.name|you & me}}{{&company|<i>}}");
    assert_int_equal(template_render(t, get, (void *)"", &out, &e), 0);
    assert_string_equal(out.subject, "you & me");
    assert_string_equal(out.text, "a|b\n");
    assert_string_equal(out.html, "you &amp; me<i>");
    assert_int_equal(out.missing_count, 0);
    template_result_done(&out);
    assert_int_equal(template_render(t, get, (void *)"contact.name=Al|company=B", &out, &e), 0);
    assert_string_equal(out.subject, "Al");
    assert_string_equal(out.html, "AlB");
    template_result_done(&out);
    template_free(&t);
}

static void html_alone_leaves_the_text_to_who_renders_it(void **state)
{
    (void)state;
    struct err e;
    struct template_result out;
    struct template *t = compile("Subject: s\nFrom: Owner\nAttach: a.pdf\nAttach: b.pdf\n\n--html--\n"
                                 "<p>{{contact.name}}</p>{{> signature}}");
    assert_true(template_from_owner(t));
    assert_int_equal(template_render(t, get, (void *)"contact.name=A", &out, &e), 0);
    assert_null(out.text);
    assert_null(out.empty);
    assert_string_equal(out.html, "<p>A</p><b>Eva</b>");
    template_result_done(&out);
    template_free(&t);
}

static bool id_is_set(void *arg, int field)
{
    (void)arg;
    return strcmp(test_fields[field].name, "lead.id") == 0;
}

static void note_found(void *arg, const char *at, const char *kind, const char *text,
                       const char *advice)
{
    struct buf *out = arg;
    assert_true(*advice);
    buf_printf(out, "%s %s: %s\n", at, kind, text);
}

static void what_is_hardly_meant_is_found_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"Subject: {{lead.id}}\n\nHello {{contact.name|you}},\n{{#company}}{{company}}{{/company}}", ""},
        {"Subject: s\n\nHello\n{{contact.name}},\n{{contact.name}}",
         "t.txt:4 unset: {{contact.name}} may be not set: the mail is held then, and does not leave\n"},
        {"Subject: {{contact.name|}}\n\n{{#company}}\nx\n{{/company}}",
         "t.txt:1 empty: the subject is empty when nothing is set that it names\n"
         "t.txt:3 empty: the text is empty when nothing is set that it names\n"},
        {"Subject: s\n\n{{> sign}}",
         "sign:2 unset: {{owner.name}} may be not set: the mail is held then, and does not leave\n"
         "sign:2 unset: {{company}} may be not set: the mail is held then, and does not leave\n"},
        {"Subject: s\n\nSee https://example.com/a?x=1&y=2, {{lead.id}}\n--html--\n"
         "<a href=\"https://example.com/a?x=1&amp;y=2\">{{lead.id}}</a>"
         "<img src=\"https://example.com/logo.png\">", ""},
        {"Subject: s\n\nSee https://example.com/a.\n{{> signature}}\n--html--\n"
         "<a href='https://example.com/b/{{lead.id}}'>b</a>",
         "t.txt:3 parts: the text has the link https://example.com/a, the HTML has not\n"
         "t.txt:4 parts: the text has {{> signature}}, the HTML has not\n"
         "t.txt:6 parts: the HTML has the link https://example.com/b/, the text has not\n"
         "t.txt:6 parts: the HTML has {{lead.id}}, the text has not\n"},
        {"Subject: s\n\n--html--\n<p>{{company}}</p>",
         "t.txt:4 unset: {{company}} may be not set: the mail is held then, and does not leave\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf said AUTO_BUF;
        buf_init(&said, 8192);
        struct template *t = compile(rows[i].text);
        template_check(t, id_is_set, note_found, &said);
        assert_string_equal(said.len ? said.data : "", rows[i].want);
        template_free(&t);
    }
}

static void unset_names_are_listed_once_and_sections_do_not_count(void **state)
{
    (void)state;
    struct err e;
    struct template_result out;
    struct template *t = compile("Subject: s {{lead.id}}\n\n{{company}} {{company}} {{lead.id}}"
                                 "{{#owner.name}}{{owner.name}}{{/owner.name}}{{contact.name}}");
    assert_int_equal(template_render(t, get, (void *)"contact.name=A", &out, &e), 0);
    assert_int_equal(out.missing_count, 2);
    assert_string_equal(test_fields[out.missing[0]].name, "lead.id");
    assert_string_equal(test_fields[out.missing[1]].name, "company");
    template_result_done(&out);
    template_free(&t);
}

static void wrong_templates_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"Subject: s\n\nHello {{contact.frist_name}}\n",
         "t.txt:3: unknown name \"contact.frist_name\"; did you mean \"contact.first_name\"?\n"},
        {"Subject: {{lead.idd}}\n\na\n{{zzzzzz.zzzzzzz}}\n",
         "t.txt:1: unknown name \"lead.idd\"; did you mean \"lead.id\"?\n"
         "t.txt:4: unknown name \"zzzzzz.zzzzzzz\"\n"},
        {"Hello\n\ntext",
         "t.txt:1: expected a header such as \"Subject: ...\", or an empty line before the text\n"
         "t.txt:1: there is no \"Subject: ...\" line before the first empty line\n"},
        {"\ntext", "t.txt:1: there is no \"Subject: ...\" line before the first empty line\n"},
        {"Subject:  \n\ntext", "t.txt:1: the subject is empty\n"},
        {"Subjct: a\nSubject: b\n\ntext",
         "t.txt:1: unknown header \"Subjct\"; did you mean \"Subject\"?\n"},
        {"Subject: a\nBcc: x@example.com\n\ntext", "t.txt:2: unknown header \"Bcc\"\n"},
        {"Subject: a\nSubject: b\n\ntext", "t.txt:2: a second subject\n"},
        {"Subject: a\n folded\n\ntext",
         "t.txt:2: expected a header such as \"Subject: ...\", or an empty line before the text\n"},
        {"Subject: a\n\n  \n", "t.txt:3: the text is empty\n"},
        {"Subject: a\n", "t.txt:2: the text is empty\n"},
        {"Subject: a", "t.txt:1: the text is empty\n"},
        {"Subject: a\n\n\n--html--\n \n", "t.txt:3: the text is empty\n"},
        {"Subject: a\nFrom: eva@example.com\n\nx",
         "t.txt:2: From is owner or company; the addresses are those of leadd.conf\n"},
        {"Subject: a\n\n{{#company}}\nx", "t.txt:3: the section {{#company}} is never closed\n"},
        {"Subject: a\n\nx{{/company}}", "t.txt:3: {{/company}} closes nothing\n"},
        {"Subject: a\n\n{{#company}}\n{{/lead.id}}",
         "t.txt:4: {{/lead.id}} closes {{#company}} of line 3\n"},
        {"Subject: a\n\nx\n{{company", "t.txt:4: the tag that opens here is never closed with }}\n"},
        {"Subject: a\n\n{{{company}}",
         "t.txt:3: the tag that opens here is never closed with }}}\n"},
        {"Subject: a\n\n{{}}x", "t.txt:3: the tag has no name\n"},
        {"Subject: a\n\n{{.}}x",
         "t.txt:3: {{.}} stands only in a section: {{#lead.tags}}..{{/lead.tags}}\n"},
        {"Subject: a\n\n{{=<% %>=}}", "t.txt:3: other delimiters than {{ }} are not supported\n"},
        {"Subject: a\n\n{{> nothing}}x", "t.txt:3: there is no partial \"nothing\"\n"},
        {"Subject: {{> signature}}\n\nx", "t.txt:1: a header takes no partial\n"},
        {"Subject: a\n\n{{> wrong}}", "wrong:2: unknown name \"nobody\"\n"},
        {"Subject: a\n\n{{> self}}",
         "self:1: the partial \"self\" holds itself\n"},
        {"Subject: a\n\n{{> a1}}",
         "a2:1: the partial \"a1\" holds itself\na2:1: the partial \"a2\" holds itself\n"},
        {"Subject: a\n\n{{> open}}x", "open:1: the section {{#company}} is never closed\n"},
        {"Subject: a\n\n{{#company}}{{> close}}{{/company}}",
         "close:1: {{/company}} closes nothing\n"},
        {"Subject: a\n\n{{> bomb1}}", "nil:1: the template has more than 20000 tags\n"},
        {"Subject: a\n\n{{> big}}{{> big}}{{> big}}{{> big}}{{> big}}{{> big}}{{> big}}{{> big}}"
         "{{> big}}{{> big}}{{> big}}{{> big}}",
         "big:1: the template with its partials is larger than 2097152 bytes\n"},
        {"Subject: a\n\n\xff", "t.txt: the template is not valid UTF-8\n"},
        {"", "t.txt:1: there is no \"Subject: ...\" line before the first empty line\n"
             "t.txt:1: the text is empty\n"},
    };
    int bad = 0;
    big_partial = mem_alloc(KIB(200) + 1);
    memset(big_partial, 'x', KIB(200));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct errlist errors AUTO_ERRLIST;
        struct buf said AUTO_BUF;
        errlist_init(&errors, 20);
        buf_init(&said, 8192);
        struct template *t =
            template_compile("t", rows[i].text, "t.txt", fields, partials, NULL, &errors);
        errlist_print(&errors, &said);
        if (t || strcmp(said.data, rows[i].said) != 0) {
            print_error("%s\n  wanted %s  got    %s\n", rows[i].text, rows[i].said, said.data);
            bad++;
        }
        template_free(&t);
    }
    mem_free(big_partial);
    assert_int_equal(bad, 0);
}

static void a_stranger_cannot_make_the_output_grow_without_end(void **state)
{
    (void)state;
    struct err e;
    struct template_result out;
    struct buf facts AUTO_BUF;
    buf_init(&facts, MIB(8));
    buf_str(&facts, "lead.tags=");
    for (int i = 0; i < 300; i++)
        buf_str(&facts, "a,");
    buf_str(&facts, "a|company=");
    for (int i = 0; i < 200000; i++)
        buf_str(&facts, "0123456789");
    struct template *t = compile("Subject: s\n\n{{company}}{{company}}{{company}}");
    assert_int_equal(template_render(t, get, facts.data, &out, &e), -1);
    assert_string_equal(e.text, "template t: the result is longer than 2097152 bytes");
    template_free(&t);
    /* no output, but 301 * 301 * 301 steps */
    t = compile("Subject: s\n\nx{{#lead.tags}}{{#lead.tags}}{{#lead.tags}}{{/lead.tags}}"
                "{{/lead.tags}}{{/lead.tags}}");
    assert_int_equal(template_render(t, get, facts.data, &out, &e), -1);
    template_free(&t);
}

static void links_of_its_own_are_those_that_no_value_can_make(void **state)
{
    (void)state;
    struct template *t = compile(
        "Subject: s {{contact.name}}\n\nhttps://a.example/x (http://b.example). https://c.example:81?q\n"
        "https://d.example{{contact.name}} https://{{contact.name}} https://www.{{contact.name}}/\n"
        "https://me@e.example/ ftp://f.example http:// {{contact.name|https://g.example}}\n"
        "{{#contact.name}}https://h.example{{/contact.name}}\n--html--\n"
        "<a href=\"https://i.example\">{{> sign}}</a>\n");
    AUTO_JSON json_t *sites = template_sites(t);
    static const char *const want[] = {"https://a.example",       "http://b.example",
                                       "https://c.example:81",    "https://me@e.example",
                                       "https://h.example",       "https://i.example"};
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        if (!json_object_get(sites, want[i]))
            fail_msg("%s is missing", want[i]);
    AUTO_FREE char *all = json_line(sites);
    if (json_object_size(sites) != ARRAY_LEN(want))
        fail_msg("too many: %s", all);
    template_free(&t);
    assert_int_equal(template_site_length("https://a.example@evil.example/x"), 30);
    assert_int_equal(template_site_length("https://a.example\\@evil.example/"), 17);
    assert_int_equal(template_site_length("mailto:a@b.example"), 0);
    assert_int_equal(template_site_length("https:///x"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_render_as_mustache_says),
        cmocka_unit_test(html_is_escaped_and_text_is_not),
        cmocka_unit_test(a_subject_cannot_be_broken_into_headers),
        cmocka_unit_test(what_is_empty_is_told),
        cmocka_unit_test(words_for_what_is_not_set_stand_behind_a_bar),
        cmocka_unit_test(html_alone_leaves_the_text_to_who_renders_it),
        cmocka_unit_test(what_is_hardly_meant_is_found_with_its_line),
        cmocka_unit_test(unset_names_are_listed_once_and_sections_do_not_count),
        cmocka_unit_test(wrong_templates_are_refused_with_their_line),
        cmocka_unit_test(a_stranger_cannot_make_the_output_grow_without_end),
        cmocka_unit_test(links_of_its_own_are_those_that_no_value_can_make),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
