/* SPDX-License-Identifier: ISC
 *
 * tests_check - does all that the tests name exist? See tests.h
 */
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/build.h"
#include "rule/ruleset.h"
#include "rule/sequence.h"
#include "tool/expect.h"
#include "tool/tests.h"

#define NAMES_MAX 512 /* among which the nearest is looked for */

struct checker {
    const json_t *tree;
    const struct crm *crm;
    struct errlist *errors;
    const char *test; /* its name */
};

static void wrong(const struct checker *c, const json_t *line, const char *fmt, ...)
    LEADD_PRINTF(3, 4);

static void wrong(const struct checker *c, const json_t *line, const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    errlist_add(c->errors, json_get_str(line, "at", NULL), "tests.%s: %s", c->test, text);
}

static const char *line_text(const json_t *line)
{
    return json_get_str(line, "text", "");
}

/* Is it a key of the object? Else says so, with the nearest one. */
static void known(const struct checker *c, const json_t *line, const char *what, const char *name,
                  const json_t *all)
{
    const char *names[NAMES_MAX], *key, *near;
    json_t *v;
    size_t n = 0;
    if (json_object_get(all, name))
        return;
    json_object_foreach((json_t *)all, key, v)
        if (n < NAMES_MAX)
            names[n++] = key;
    near = text_nearest(name, names, n);
    wrong(c, line, "no %s \"%s\"%s%s%s", what, name, near ? "; did you mean \"" : "",
          near ? near : "", near ? "\"?" : "");
}

static void known_key(const struct checker *c, const json_t *step, const char *key, const char *what,
                      const char *section)
{
    const json_t *line = json_get_obj(step, key);
    if (line)
        known(c, line, what, line_text(line), json_get_obj(c->tree, section));
}

static void check_time(const struct checker *c, const json_t *line, const char *text)
{
    struct err e = {0};
    int64_t ms;
    const char *zone = json_get_str(json_get_obj(c->tree, "settings"), "time_zone", "UTC");
    if (line && scene_time(zone, text, &ms, &e) < 0)
        wrong(c, line, "%s", e.text);
}

/* ---- steps ------------------------------------------------------------------------ */

/* A name that the form does not know is posted all the same; one that is nearly one of
 * its own is a slip. */
static void check_posted(const struct checker *c, const json_t *step)
{
    const json_t *form = json_get_obj(json_get_obj(c->tree, "forms"),
                                      line_text(json_get_obj(step, "form")));
    const json_t *fields = json_get_obj(form, "fields");
    const char *names[NAMES_MAX], *name, *near;
    json_t *v;
    size_t n = 0;
    json_object_foreach((json_t *)fields, name, v)
        if (n < NAMES_MAX)
            names[n++] = name;
    json_object_foreach(json_get_obj(step, "fields"), name, v)
        if (!json_object_get(fields, name) && (near = text_nearest(name, names, n)))
            wrong(c, step, "the form %s has no field \"%s\"; did you mean \"%s\"?",
                  line_text(json_get_obj(step, "form")), name, near);
}

static void check_mail(const struct checker *c, const json_t *mail)
{
    size_t i;
    json_t *line;
    known_key(c, mail, "answers", "template", "templates");
    json_array_foreach(json_get_arr(mail, "headers"), i, line)
        if (!strchr(line_text(line), ':'))
            wrong(c, line, "\"%s\" is no header field such as \"Auto-Submitted: auto-replied\"",
                  line_text(line));
}

/* Endpoints and enrichments, by name. */
static void check_called(const struct checker *c, const json_t *line)
{
    AUTO_JSON json_t *all = json_object();
    json_object_update(all, json_get_obj(c->tree, "endpoints"));
    json_object_update(all, json_get_obj(c->tree, "enrichments"));
    if (line)
        known(c, line, "endpoint or enrichment", line_text(line), all);
}

static void check_called_all(const struct checker *c, const json_t *lines)
{
    size_t i;
    json_t *line;
    json_array_foreach((json_t *)lines, i, line)
        check_called(c, line);
}

static void check_step(const struct checker *c, const json_t *step)
{
    const json_t *file = json_get_obj(step, "mail_file");
    known_key(c, step, "form", "form", "forms");
    known_key(c, step, "mailbox", "mailbox", "mailboxes");
    known_key(c, step, "by", "user", "users");
    known_key(c, step, "gateway", "gateway", "gateways");
    check_called(c, json_get_obj(step, "answered"));
    if (json_get_obj(step, "form"))
        check_posted(c, step);
    check_mail(c, json_get_obj(step, "mail"));
    if (file && access(line_text(file), R_OK) < 0)
        wrong(c, file, "%s: %s", line_text(file), err_errno());
    check_time(c, json_get_obj(step, "until"), line_text(json_get_obj(step, "until")));
}

/* ---- expectations ------------------------------------------------------------------- */

static json_t *names_of(const json_t *list)
{
    size_t i;
    json_t *v, *out = json_object();
    json_array_foreach((json_t *)list, i, v)
        json_object_set_new(out, json_is_string(v) ? json_string_value(v)
                                                   : json_get_str(v, "name", "?"), json_true());
    return out;
}

static void check_rules(const struct checker *c, const json_t *lines, const json_t *names)
{
    size_t i;
    json_t *line;
    json_array_foreach((json_t *)lines, i, line)
        known(c, line, "rule, escalation or step", line_text(line), names);
}

static void check_timers(const struct checker *c, const json_t *lines, const json_t *names)
{
    size_t i;
    json_t *line;
    json_array_foreach((json_t *)lines, i, line) {
        const char *text = line_text(line), *at = strstr(text, " at ");
        AUTO_FREE char *rule = mem_strn(text, at ? (size_t)(at - text) : strlen(text));
        if (strcmp(rule, "task") != 0)
            known(c, line, "rule, escalation or step", rule, names);
        check_time(c, at ? line : NULL, at ? at + 4 : "");
    }
}

/* NAME.sms alone is enough for texts. */
static void check_template(const struct checker *c, const json_t *line, const char *name)
{
    const json_t *all = json_get_obj(c->tree, "templates");
    AUTO_FREE char *sms = mem_printf("%s.sms", name);
    if (strcmp(name, SCENE_CONFIRM) != 0 && !json_object_get(all, sms))
        known(c, line, "template", name, all);
}

static void check_mails(const struct checker *c, const json_t *lines)
{
    size_t i;
    json_t *line;
    json_array_foreach((json_t *)lines, i, line) {
        struct expect_mail m;
        expect_mail_read(line_text(line), &m);
        if (m.template_name)
            check_template(c, line, m.template_name);
        if (m.to && !strchr(m.to, '@') && *m.to != '+')
            known(c, line, "user", m.to, json_get_obj(c->tree, "users"));
        if (!m.template_name && !m.to)
            wrong(c, line, "is empty; expected \"TEMPLATE to WHOM\"");
        expect_mail_done(&m);
    }
}

static void check_users(const struct checker *c, const json_t *lines)
{
    size_t i;
    json_t *line;
    json_array_foreach((json_t *)lines, i, line)
        known(c, line, "user", line_text(line), json_get_obj(c->tree, "users"));
}

struct condition {
    const struct checker *c;
    const json_t *line;
};

static void condition_wrong(void *arg, int col, const char *what)
{
    const struct condition *x = arg;
    wrong(x->c, x->line, "%s", what);
    errlist_caret(x->c->errors, line_text(x->line), col);
}

static void check_conditions(const struct checker *c, const json_t *lines)
{
    size_t i;
    json_t *line;
    json_array_foreach((json_t *)lines, i, line) {
        if (!crm_rules(c->crm))
            return; /* of rules with mistakes nothing is there to read them with */
        struct condition x = {c, line};
        struct expr *expr = expr_compile(ruleset_expr_env(crm_rules(c->crm)), line_text(line),
                                         condition_wrong, &x);
        expr_free(&expr);
    }
}

static void check_word(const struct checker *c, const json_t *expect, const char *key,
                       const char *const *words, size_t n)
{
    const json_t *line = json_get_obj(expect, key);
    AUTO_JSON json_t *all = json_object();
    for (size_t i = 0; i < n; i++)
        json_object_set_new(all, words[i], json_true());
    if (line)
        known(c, line, key, line_text(line), all);
}

/* "nurture", which waits, and its steps "nurture/3". */
static void names_of_sequences(const struct crm *crm, json_t *names)
{
    const struct sequence *q;
    const struct step *s;
    for (size_t i = 0; (q = crm_sequence_at(crm, i)) != NULL; i++) {
        json_put_bool(names, sequence_name(q), true);
        for (size_t k = 0; (s = sequence_step(q, k)) != NULL; k++) {
            AUTO_FREE char *name = mem_printf("%s/%s", sequence_name(q), s->path);
            json_put_bool(names, name, true);
        }
    }
}

/* rules: with the escalations and steps. */
static void check_expect(const struct checker *c, const json_t *expect, const json_t *rules)
{
    static const char *const answers[] = {"ok", "invalid", "filed", "ignored", "quarantined",
                                          "duplicate", "refused", "confirm"};
    const json_t *stage = json_get_obj(expect, "stage");
    if (!expect)
        return;
    known_key(c, expect, "owner", "user", "users");
    check_word(c, expect, "answer", answers, ARRAY_LEN(answers));
    if (stage && strcmp(line_text(stage), "won") != 0 && strcmp(line_text(stage), "lost") != 0) {
        AUTO_JSON json_t *stages = names_of(json_get_arr(c->tree, "stages"));
        known(c, stage, "stage", line_text(stage), stages);
    }
    check_conditions(c, json_get_arr(expect, "when"));
    check_mails(c, json_get_arr(expect, "sent"));
    check_mails(c, json_get_arr(expect, "not_sent"));
    check_users(c, json_get_arr(expect, "reminded"));
    check_users(c, json_get_arr(expect, "not_reminded"));
    check_called_all(c, json_get_arr(expect, "called"));
    check_called_all(c, json_get_arr(expect, "not_called"));
    check_rules(c, json_get_arr(expect, "rules"), rules);
    check_rules(c, json_get_arr(expect, "not_rules"), rules);
    check_timers(c, json_get_arr(expect, "timers"), rules);
}

void tests_check_names(const json_t *tree, struct errlist *errors)
{
    struct errlist told AUTO_ERRLIST; /* by whoever checks the rest */
    errlist_init(&told, 1);
    struct crm *crm = crm_build(NULL, tree, &told);
    (void)!tests_check(tree, crm, errors);
    crm_free(&crm);
}

int tests_check(const json_t *tree, const struct crm *crm, struct errlist *errors)
{
    size_t before = errlist_total(errors), i;
    json_t *test, *step;
    struct checker c = {.tree = tree, .crm = crm, .errors = errors};
    AUTO_JSON json_t *rules = names_of(json_get_arr(tree, "rules"));
    json_object_update(rules, json_get_obj(tree, "escalations"));
    names_of_sequences(crm, rules);
    json_object_foreach(json_get_obj(tree, "tests"), c.test, test) {
        check_time(&c, json_get_obj(test, "time"), line_text(json_get_obj(test, "time")));
        json_array_foreach(json_get_arr(test, "given"), i, step) {
            check_step(&c, step);
            check_expect(&c, json_get_obj(step, "expect"), rules);
        }
        check_expect(&c, json_get_obj(test, "expect"), rules);
    }
    return errlist_total(errors) == before ? 0 : -1;
}
