/* SPDX-License-Identifier: ISC
 *
 * web_answer - what the sender of a form is told: a page, a redirect, or JSON
 *
 * What was posted is never written back into an answer: the names of fields, the words
 * and the redirects come from the config. A form's language and own words are used
 * where the form is known.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/form_check.h"
#include "base/form_words.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "web/web_in.h"

#define RETRY_S 10

/* One answer on its way. */
struct said {
    struct web_in *w;
    struct evhttp_request *req;
    const json_t *conf; /* of the form; NULL: it is not known */
    const char *form, *lang, *text, *request_id;
    const json_t *faults;
    enum web_outcome outcome;
    bool wants_json;
};

static void said_init(struct said *s, struct web_in *w, struct evhttp_request *req,
                      const char *form, enum web_outcome outcome)
{
    *s = (struct said){.w = w, .req = req, .form = form, .outcome = outcome};
    s->conf = json_get_obj(w->forms, form);
    s->lang = json_get_str(s->conf, "lang", NULL);
    s->wants_json = web_form_wants_json(req);
}

bool web_form_wants_json(struct evhttp_request *req)
{
    const char *accept = web_header(req, "Accept");
    if (accept && strcasestr(accept, "text/html"))
        return false;
    return (accept && strcasestr(accept, "application/json")) ||
           form_type_of(web_header(req, "Content-Type")) == FORM_TYPE_JSON;
}

const char *web_form_origin(const json_t *conf, struct evhttp_request *req)
{
    const char *origin = web_header(req, "Origin");
    size_t i;
    json_t *v;
    if (!origin)
        return NULL;
    json_array_foreach (json_get_arr(conf, "origins"), i, v) {
        const char *s = json_string_value(v);
        if (s && (strcmp(s, origin) == 0 || strcmp(s, "*") == 0))
            return s;
    }
    return NULL;
}

/* ---- words ------------------------------------------------------------------- */

static const char *said_own(const struct said *s, const char *key, enum form_word w)
{
    return json_get_str(json_get_obj(s->conf, "messages"), key, form_word(s->lang, w));
}

static const char *said_text(const struct said *s)
{
    if (s->text && *s->text && text_is_utf8(s->text, strlen(s->text)))
        return s->text;
    switch (s->outcome) {
    case WEB_accepted:
    case WEB_duplicate:
        return said_own(s, "thanks", FORM_W_ARRIVED);
    case WEB_confirm:
        return said_own(s, "confirm", FORM_W_CONFIRM_ASKED);
    case WEB_confirm_later:
        return said_own(s, "confirm_later", FORM_W_CONFIRM_LATER);
    case WEB_quarantined:
        return form_word(s->lang, FORM_W_LATER);
    case WEB_rate:
    case WEB_busy:
    case WEB_no_engine:
        return form_word(s->lang, FORM_W_BUSY);
    default:
        return form_word(s->lang, FORM_W_REFUSED);
    }
}

static void page_faults(struct buf *page, const struct said *s)
{
    size_t i;
    json_t *v;
    buf_html(page, said_own(s, "invalid", FORM_W_CORRECT));
    buf_str(page, "</p>\n<ul>");
    json_array_foreach ((json_t *)s->faults, i, v) {
        buf_str(page, "<li>");
        buf_html(page, json_get_str(v, "text", ""));
        buf_str(page, "</li>\n");
    }
    buf_str(page, "</ul>\n");
}

static void reply_html(const struct said *s, struct web_reply *r)
{
    struct buf page AUTO_BUF;
    const char *title =
        form_word(s->lang, r->code < 400 ? FORM_W_THANKS_TITLE : FORM_W_FAILED_TITLE);
    buf_init(&page, KIB(64));
    buf_printf(&page,
               "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
               "<title>%s</title></head>\n<body><h1>%s</h1>\n<p>",
               s->lang ? s->lang : "en", title, title);
    if (s->faults) {
        page_faults(&page, s);
    } else {
        buf_html(&page, said_text(s));
        buf_str(&page, "</p>");
    }
    buf_str(&page, "</body></html>\n");
    r->type = "text/html; charset=utf-8";
    r->body = page.data;
    r->len = page.len;
    web_reply(s->w->http, s->req, r);
}

static void reply_json(const struct said *s, struct web_reply *r)
{
    AUTO_JSON json_t *j = json_object();
    json_put_bool(j, "ok", r->code < 300);
    json_put_str(j, "status", web_outcome_name(s->outcome));
    json_put_str(j, "request_id", s->request_id);
    json_put_str(j, r->code < 300 ? "text" : "error", said_text(s));
    if (s->faults)
        json_object_set(j, "fields", (json_t *)s->faults);
    AUTO_FREE char *body = json_line(j);
    r->type = "application/json";
    r->body = body;
    r->len = strlen(body);
    web_reply(s->w->http, s->req, r);
}

/* ---- where the browser goes ----------------------------------------------------- */

static void url_part(struct buf *b, const char *s)
{
    for (; *s; s++)
        if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
            strchr("-_.~", *s))
            buf_char(b, *s);
        else
            buf_printf(b, "%%%02X", (unsigned char)*s);
}

/* URL?form=NAME&fields=NAME,NAME; own. NULL: there is no such page. */
static char *fault_location(const struct said *s)
{
    const char *url = json_get_str(s->conf, "error_redirect", NULL);
    struct buf b AUTO_BUF;
    size_t i;
    json_t *v;
    buf_init(&b, KIB(16));
    if (!url || !s->faults)
        return NULL;
    buf_printf(&b, "%s%cform=", url, strchr(url, '?') ? '&' : '?');
    url_part(&b, s->form);
    buf_str(&b, "&fields=");
    json_array_foreach ((json_t *)s->faults, i, v) {
        buf_str(&b, i ? "," : "");
        url_part(&b, json_get_str(v, "field", ""));
    }
    return buf_take(&b);
}

static void said_send(const struct said *s)
{
    struct web_reply r = {.code = web_outcome_code(s->outcome)};
    AUTO_FREE char *fault = fault_location(s);
    const char *redirect = json_get_str(s->conf, "redirect", NULL);
    r.origin = web_form_origin(s->conf, s->req);
    s->w->counts[s->outcome]++;
    if (s->outcome == WEB_method)
        r.allow = "POST";
    if (r.code == 503 || r.code == 429)
        r.retry_after = RETRY_S;
    if (fault)
        redirect = fault;
    else if (r.code != 200)
        redirect = NULL;
    if (redirect && *redirect && !s->wants_json) {
        r.code = 303;
        r.location = redirect;
    }
    if (s->wants_json)
        reply_json(s, &r);
    else
        reply_html(s, &r);
}

/* ---- what is told ------------------------------------------------------------------ */

static void refuse(const struct said *s)
{
    char remote[64];
    web_in_remote(s->w, s->req, remote, sizeof(remote));
    /* floods are counted, not written down: anybody can make them */
    bool flood = s->outcome == WEB_rate || s->outcome == WEB_unknown || s->outcome == WEB_method;
    log_write(flood ? LOG_LVL_DEBUG : LOG_LVL_INFO, "web.form",
              "form=%s id= status=%s code=%d ms=0 remote=%s", s->form, web_outcome_name(s->outcome),
              web_outcome_code(s->outcome), remote);
    said_send(s);
}

void web_form_refuse(struct web_in *w, struct evhttp_request *req, const char *form,
                     enum web_outcome outcome, const char *text)
{
    struct said s;
    said_init(&s, w, req, form, outcome);
    s.text = text;
    refuse(&s);
}

void web_form_faults(struct web_in *w, struct evhttp_request *req, const char *form,
                     const json_t *faults)
{
    struct said s;
    said_init(&s, w, req, form, WEB_invalid);
    AUTO_FREE char *text = form_faults_text(faults);
    s.text = text;
    s.faults = faults;
    refuse(&s);
}

void web_form_answer(struct web_in *w, struct parked *p, enum web_outcome outcome,
                     const char *text)
{
    struct said s;
    said_init(&s, w, p->req, p->form, outcome);
    s.text = text;
    s.request_id = p->request_id;
    s.wants_json = p->wants_json;
    log_info("web.form", "form=%s id=%s status=%s code=%d ms=%" PRId64 " remote=%s", p->form,
             p->request_id, web_outcome_name(outcome), web_outcome_code(outcome),
             clock_mono_ms() - p->since_ms, p->remote);
    said_send(&s);
    web_form_free(p);
}
