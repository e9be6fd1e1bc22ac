/* SPDX-License-Identifier: ISC
 *
 * template - mustache texts of outgoing mail, checked at load
 *
 *   Subject: Your request {{lead.id}}
 *   From: owner
 *   List: news
 *   Attach: price-list.pdf
 *
 *   Hello{{#contact.first_name}} {{contact.first_name}}{{/contact.first_name}},
 *   ...
 *   --html--
 *   <p>Hello ...</p>
 *
 * List names one of leadd.conf that the mail belongs to; Track-Clicks: yes makes its links
 * tell when they are opened. From is the company, or the record's owner. What Attach names
 * is read with the config (config/attach.c).
 *
 * Headers, an empty line, the text, and optionally a line `--html--` and the same as
 * HTML. Without words before that line the text is made of the HTML, by who renders it.
 * Tags: {{name}} (escaped in HTML, plain elsewhere), {{{name}}} and {{& name}} (never
 * escaped), {{name|words}} with words for when it is not set, {{> signature}} for what
 * template_get_fn says it is, {{#name}}..{{/name}} when it is set (once per
 * item of a list; {{.}} is the item), {{^name}}..{{/name}} when it is not,
 * {{! comment}}, {{> partial}} taken in at load. A line that holds nothing but
 * a section, comment or partial tag leaves no empty line.
 *
 * Every name is checked against a field set at load. A header value never
 * carries CR or LF; output is bounded (BOUND_TEMPLATE_OUTPUT). Pure.
 */
#ifndef LEADD_RULE_TEMPLATE_H
#define LEADD_RULE_TEMPLATE_H

#include "base/errlist.h"
#include "base/json.h"
#include "rule/field.h"

struct template;

/* A partial's text (without headers; own part only, text and HTML alike) and
 * its path for messages; false when there is none of that name. */
typedef bool (*template_partial_fn)(void *arg, const char *name, const char **text_out,
                                    const char **path_out);

/* NULL when errors were added, each with path:line. partial may be NULL.
 * fields is borrowed. */
struct template *template_compile(const char *name, const char *text, const char *path,
                                  const struct rule_fields *fields, template_partial_fn partial,
                                  void *arg, struct errlist *errors);
/* "welcome.sms" and "welcome.sms.de" (the file welcome.sms.de.txt) have no headers, nor has a
 * name that begins with "_": they are words from the first line. */
bool template_is_sms(const char *name);
void template_free(struct template **t); /* accepts NULL, sets NULL */

const char *template_name(const struct template *t);
bool template_has_html(const struct template *t);
const char *template_list(const struct template *t); /* NULL: it belongs to none */
bool template_track_clicks(const struct template *t);
bool template_from_owner(const struct template *t);
/* {"https://www.example.com": true}: where links lead that stand in its own words, parts taken
 * in too, as against those that values bring. Own. */
json_t *template_sites(const struct template *t);
/* As far as the name of the site goes, of a URL; 0: it is none of http or https. */
size_t template_site_length(const char *url);

struct template_value {
    bool set;        /* false: unset; also a bool that is false */
    struct str text; /* ready to read; borrowed until the next call */
    size_t count;    /* LIST: number of items; otherwise not looked at */
};

#define TEMPLATE_SIGNATURE (-2) /* as a field: {{> signature}}; item 1: as HTML, which goes in as it is */

/* Reads a field: item -1 is the whole value (a list as one text), 0.. are the
 * items of a list. out comes in as not set. */
typedef void (*template_get_fn)(void *arg, int field, int item, struct template_value *out);

struct template_result {
    char *subject; /* own; one line */
    char *text;    /* own; lines end in LF; NULL: to be made of the HTML */
    char *html;    /* own; NULL when the template has none */
    int *missing;  /* own; fields that were named as {{x}} but unset, each once */
    size_t missing_count;
    const char *empty; /* "subject" or "text": has nothing but white space in it; else NULL */
};

/* 0 or -1 with e (then out is empty): CR or LF in the subject, output too long. Unset
 * names render as nothing and are listed, and what is empty is told: the caller decides. */
int template_render(const struct template *t, template_get_fn get, void *arg,
                    struct template_result *out, struct err *e) LEADD_MUST_CHECK;
void template_result_done(struct template_result *r);

/* What is allowed in a template, and yet hardly meant; at is path:line. kind:
 *   parts  a field or link that stands in the text or in the HTML alone
 *   unset  a field that may be unset, without words for that case
 *   empty  a subject or text that would be empty then */
typedef void (*template_found_fn)(void *arg, const char *at, const char *kind, const char *text,
                                  const char *advice);
/* is_set: fields that always are. */
void template_check(const struct template *t, bool (*is_set)(void *arg, int field),
                    template_found_fn found, void *arg);

#endif
