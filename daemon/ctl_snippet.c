/* SPDX-License-Identifier: ISC
 *
 * ctl_snippet - a form of the config as HTML that can be pasted into a page
 *
 * It works without scripts. The script adds three things: a key per opened page, so
 * that a double click is one post; a stamp, so that min_fill counts; and, where the form
 * names origins, answers within the page. It needs nothing from elsewhere. Pure.
 */
#include "ctl_form.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/form.h"
#include "base/form_words.h"
#include "base/json.h"
#include "base/mem.h"

struct snippet {
    struct buf *out;
    const json_t *conf;
    const char *form, *url, *lang;
    size_t fields; /* so far: each has an id of its own */
};

static const char *word(const struct snippet *s, enum form_word w)
{
    return form_word(s->lang, w);
}

static void attribute(const struct snippet *s, const char *name, const char *value)
{
    buf_printf(s->out, " %s=\"", name);
    buf_html(s->out, value);
    buf_char(s->out, '"');
}

static bool required(const struct snippet *s, const char *name, const json_t *row)
{
    size_t i;
    json_t *v;
    json_array_foreach (json_get_arr(s->conf, "required"), i, v)
        if (strcmp(json_string_value(v), name) == 0)
            return true;
    return json_get_bool(row, "required", false);
}

static void id_of(const struct snippet *s, const char *attr)
{
    buf_printf(s->out, " %s=\"leadd-%s-%zu\"", attr, s->form, s->fields);
}

static void label(const struct snippet *s, const char *text, bool must)
{
    buf_str(s->out, "<label");
    id_of(s, "for");
    buf_char(s->out, '>');
    buf_html(s->out, text);
    if (must)
        buf_printf(s->out, " <small>(%s)</small>", word(s, FORM_W_REQUIRED));
    buf_str(s->out, "</label>");
}

/* name, id, what browsers fill in by themselves, and what they see to. */
static void common(const struct snippet *s, const char *name, const json_t *row, bool must)
{
    static const struct {
        const char *to, *autocomplete;
    } known[] = {{"contact.email", "email"}, {"contact.phone", "tel"}, {"contact.name", "name"},
                 {"company.name", "organization"}};
    int64_t max = json_get_int(row, "max", 0);
    id_of(s, "id");
    attribute(s, "name", name);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(json_get_str(row, "to", ""), known[i].to) == 0)
            attribute(s, "autocomplete", known[i].autocomplete);
    if (max)
        buf_printf(s->out, " maxlength=\"%" PRId64 "\"", max);
    if (must)
        buf_str(s->out, " required");
}

static void choices(const struct snippet *s, const char *name, const json_t *row, bool must)
{
    bool several = json_get_bool(row, "several", false);
    size_t i;
    json_t *v;
    buf_str(s->out, "<select");
    common(s, name, row, must);
    buf_str(s->out, several ? " multiple>\n" : ">\n");
    if (!several)
        buf_printf(s->out, "  <option value=\"\">%s</option>\n", word(s, FORM_W_CHOOSE));
    json_array_foreach (json_get_arr(row, "choices"), i, v) {
        buf_str(s->out, "  <option>");
        buf_html(s->out, json_string_value(v));
        buf_str(s->out, "</option>\n");
    }
    buf_str(s->out, "</select>");
}

static void file_types(const struct snippet *s, const json_t *row)
{
    size_t i;
    json_t *v;
    if (json_array_size(json_get_arr(row, "accept")) == 0)
        return;
    buf_str(s->out, " accept=\"");
    json_array_foreach (json_get_arr(row, "accept"), i, v) {
        buf_str(s->out, i ? "," : "");
        buf_html(s->out, json_string_value(v));
    }
    buf_char(s->out, '"');
}

static void input(const struct snippet *s, const char *name, const char *type, const json_t *row,
                  bool must)
{
    static const char *const kinds[][2] = {{"email", "email"}, {"phone", "tel"}, {"date", "date"},
                                           {"file", "file"},   {"bool", "checkbox"},
                                           {"consent", "checkbox"}};
    const char *kind = "text";
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(type, kinds[i][0]) == 0)
            kind = kinds[i][1];
    buf_printf(s->out, "<input type=\"%s\"", kind);
    if (strcmp(kind, "checkbox") == 0)
        buf_str(s->out, " value=\"yes\"");
    if (strcmp(type, "number") == 0)
        buf_str(s->out, " inputmode=\"decimal\"");
    file_types(s, row);
    common(s, name, row, must);
    buf_char(s->out, '>');
}

static void field(struct snippet *s, const char *name, const json_t *row)
{
    const char *type = json_get_str(row, "type", "text");
    bool must = required(s, name, row), box = !strcmp(type, "bool") || !strcmp(type, "consent");
    const char *text = json_get_str(row, "label", name);
    s->fields++;
    if (!strcmp(type, "consent"))
        text = json_get_str(row, "text", text);
    buf_str(s->out, "<p>");
    if (!box) {
        label(s, text, must);
        buf_str(s->out, "<br>\n");
    }
    if (!strcmp(type, "choice")) {
        choices(s, name, row, must);
    } else if (!strcmp(type, "words")) {
        buf_str(s->out, "<textarea rows=\"6\" cols=\"50\"");
        common(s, name, row, must);
        buf_str(s->out, "></textarea>");
    } else {
        input(s, name, type, row, must);
    }
    if (box) {
        buf_char(s->out, ' ');
        label(s, text, must);
    }
    buf_str(s->out, "</p>\n");
}

/* Seen by programs alone: not shown, not reached by the tab key, not read out. */
static void honeypot(struct snippet *s)
{
    const char *name = json_get_str(s->conf, "honeypot", NULL);
    if (!name)
        return;
    s->fields++;
    buf_str(s->out, "<p style=\"position:absolute;left:-9999px\" aria-hidden=\"true\">");
    label(s, word(s, FORM_W_HONEYPOT), false);
    buf_str(s->out, "<input type=\"text\"");
    id_of(s, "id");
    attribute(s, "name", name);
    buf_str(s->out, " tabindex=\"-1\" autocomplete=\"off\"></p>\n");
}

/* A text of the config in a script: no tag can end it. */
static void script_text(struct buf *out, const char *text)
{
    AUTO_JSON json_t *v = json_string(text);
    AUTO_FREE char *j = json_dumps(v, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    for (const char *p = j; *p; p++)
        if (*p == '<')
            buf_str(out, "\\u003c");
        else
            buf_char(out, *p);
}

static const char script_head[] =
    "  var form = document.getElementById(ID), sent = false, button = form.querySelector('button');\n"
    "  function open() {\n"
    "    var bytes = new Uint8Array(16), key = '';\n"
    "    crypto.getRandomValues(bytes);\n"
    "    bytes.forEach(function (b) { key += (b + 256).toString(16).slice(1); });\n"
    "    form.elements._key.value = key;\n"
    "    sent = false;\n"
    "    fetch(form.getAttribute('action') + '/stamp').then(function (r) { return r.ok ? r.text() : ''; })\n"
    "      .then(function (t) { form.elements._stamp.value = t; }).catch(function () {});\n"
    "  }\n"
    "  open();\n"
    "  addEventListener('pageshow', function (e) { if (e.persisted) open(); });\n";

/* The page is left: the answer is a page of its own. */
static const char script_leave[] =
    "  form.addEventListener('submit', function (e) {\n"
    "    if (sent) e.preventDefault();\n"
    "    sent = true;\n"
    "  });\n"
    "})();\n";

/* The answer comes into this page. */
static const char script_stay[] =
    "  function say(lines) {\n"
    "    var box = form.querySelector('[role=alert]'), list = document.createElement('ul');\n"
    "    lines.forEach(function (t) { list.appendChild(document.createElement('li')).textContent = t; });\n"
    "    box.replaceChildren(list);\n"
    "    box.focus();\n"
    "  }\n"
    "  function mark(faults) {\n"
    "    Array.prototype.forEach.call(form.elements, function (x) {\n"
    "      if (faults.some(function (f) { return f.field === x.name; }))\n"
    "        x.setAttribute('aria-invalid', 'true');\n"
    "      else x.removeAttribute('aria-invalid');\n"
    "    });\n"
    "  }\n"
    "  function done(a) {\n"
    "    if (a.ok && REDIRECT) { location.href = REDIRECT; return; }\n"
    "    if (!a.ok) { mark(a.fields || []); say((a.fields || [{text: a.error}]).map(function (f) {\n"
    "      return f.text; })); return; }\n"
    "    var p = document.createElement('p');\n"
    "    p.setAttribute('role', 'status');\n"
    "    p.tabIndex = -1;\n"
    "    p.textContent = a.text;\n"
    "    form.replaceWith(p);\n"
    "    p.focus();\n"
    "  }\n"
    "  form.addEventListener('submit', function (e) {\n"
    "    var was = button.textContent;\n"
    "    e.preventDefault();\n"
    "    if (sent) return;\n"
    "    sent = true;\n"
    "    button.textContent = SENDING;\n"
    "    fetch(form.getAttribute('action'), {method: 'POST', body: new FormData(form),\n"
    "                        headers: {Accept: 'application/json'}})\n"
    "      .then(function (r) { return r.json(); }).then(done, function () { say([FAILED]); })\n"
    "      .then(function () { sent = false; button.textContent = was; });\n"
    "  });\n"
    "})();\n";

static void script_var(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "  var %s = ", name);
    script_text(out, value);
    buf_str(out, ";\n");
}

static void script(const struct snippet *s)
{
    bool stay = json_array_size(json_get_arr(s->conf, "origins")) > 0;
    AUTO_FREE char *id = mem_printf("leadd-%s", s->form);
    buf_str(s->out, "<script>\n(function () {\n");
    script_var(s->out, "ID", id);
    if (stay) {
        script_var(s->out, "REDIRECT", json_get_str(s->conf, "redirect", ""));
        script_var(s->out, "SENDING", word(s, FORM_W_SENDING));
        script_var(s->out, "FAILED", word(s, FORM_W_FAILED_NET));
    }
    buf_str(s->out, script_head);
    buf_str(s->out, stay ? script_stay : script_leave);
    buf_str(s->out, "</script>\n");
}

void ctl_snippet(const char *form, const json_t *conf, const char *url, struct buf *out)
{
    struct snippet s = {.out = out, .conf = conf, .form = form, .url = url};
    size_t n = strlen(url);
    const char *name;
    json_t *row;
    s.lang = json_get_str(conf, "lang", "en");
    buf_printf(out, "<form id=\"leadd-%s\" method=\"post\" enctype=\"multipart/form-data\" lang=\"%s\"\n"
               "      accept-charset=\"utf-8\" action=\"", form, s.lang);
    AUTO_FREE char *base = mem_strn(url, n && url[n - 1] == '/' ? n - 1 : n);
    buf_html(out, base);
    buf_printf(out, "/form/%s\">\n<div role=\"alert\" tabindex=\"-1\"></div>\n", form);
    json_object_foreach (json_get_obj(conf, "fields"), name, row)
        if (!strchr(name, '*'))
            field(&s, name, row);
    honeypot(&s);
    buf_printf(out, "<input type=\"hidden\" name=\"%s\" autocomplete=\"off\">"
               "<input type=\"hidden\" name=\"%s\" autocomplete=\"off\">\n"
               "<p><button type=\"submit\">%s</button></p>\n</form>\n", FORM_KEY_FIELD,
               FORM_STAMP_FIELD, word(&s, FORM_W_SEND));
    script(&s);
}
