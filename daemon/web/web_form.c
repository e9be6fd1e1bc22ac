/* SPDX-License-Identifier: ISC
 *
 * web_form - one POST /form/NAME: check, read, park, answer
 *
 * The checks run from cheap to dear, each with its own status and a sentence
 * that says what to change. What passes is parked and goes to the engine as a
 * FORM frame; the sender hears "ok" only after the engine has it stored.
 *
 * What was posted is never written back into an answer, apart from the names
 * of fields, which come from the config. The redirect comes from the config.
 */
#include <event2/buffer.h>
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/form.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "web/form_check.h"
#include "web/web_in.h"

#define RETRY_S 10

/* ---- answers ------------------------------------------------------------ */

static void html_text(struct buf *b, const char *s)
{
    for (; *s; s++) {
        if (*s == '<')
            buf_str(b, "&lt;");
        else if (*s == '>')
            buf_str(b, "&gt;");
        else if (*s == '&')
            buf_str(b, "&amp;");
        else if (*s == '"')
            buf_str(b, "&quot;");
        else
            buf_char(b, *s);
    }
}

static void reply_html(struct web_in *w, struct evhttp_request *req, struct web_reply *r,
                       const char *text)
{
    struct buf page AUTO_BUF;
    const char *title = r->code < 400 ? "Thank you" : "This did not work";
    buf_init(&page, KIB(16));
    buf_printf(&page,
               "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
               "<title>%s</title></head>\n<body><h1>%s</h1>\n<p>",
               title, title);
    html_text(&page, text);
    buf_str(&page, "</p></body></html>\n");
    r->type = "text/html; charset=utf-8";
    r->body = page.data;
    r->len = page.len;
    web_reply(w->http, req, r);
}

static void reply_json(struct web_in *w, struct evhttp_request *req, struct web_reply *r,
                       enum web_outcome outcome, const char *request_id, const char *text)
{
    AUTO_JSON json_t *j = json_object();
    json_put_bool(j, "ok", r->code < 300);
    json_put_str(j, "status", web_outcome_name(outcome));
    json_put_str(j, "request_id", request_id);
    if (r->code >= 300)
        json_put_str(j, "error", text);
    AUTO_FREE char *body = json_line(j);
    r->type = "application/json";
    r->body = body;
    r->len = strlen(body);
    web_reply(w->http, req, r);
}

/* JSON for those who post it or ask for it; a browser asks for HTML. */
static bool request_wants_json(struct evhttp_request *req)
{
    const char *accept = web_header(req, "Accept");
    if (accept && strcasestr(accept, "text/html"))
        return false;
    return (accept && strcasestr(accept, "application/json")) ||
           form_type_of(web_header(req, "Content-Type")) == FORM_TYPE_JSON;
}

/* The origin of the request when the form's config names it. */
static const char *form_origin(const json_t *conf, struct evhttp_request *req)
{
    const char *origin = web_header(req, "Origin");
    size_t i;
    json_t *v;
    if (!origin)
        return NULL;
    json_array_foreach (json_get_arr(conf, "origins"), i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), origin) == 0)
            return json_string_value(v);
    return NULL;
}

static const char *outcome_text(enum web_outcome outcome, const char *text)
{
    if (text && *text && text_is_utf8(text, strlen(text)))
        return text;
    switch (outcome) {
    case WEB_accepted:
    case WEB_duplicate:
        return "Your message has arrived.";
    case WEB_quarantined:
        return "Your message has arrived and will be looked at.";
    case WEB_busy:
    case WEB_no_engine:
        return "The service is busy. Nothing was lost here: please send it again in a moment.";
    default:
        return "The request could not be accepted.";
    }
}

void web_form_refuse(struct web_in *w, struct evhttp_request *req, const char *form,
                     enum web_outcome outcome, const char *text)
{
    char remote[64];
    struct web_reply r = {.code = web_outcome_code(outcome)};
    r.origin = form_origin(json_get_obj(w->forms, form), req);
    web_remote(req, json_get_arr(w->web, "trusted_proxies"), remote, sizeof(remote));
    w->counts[outcome]++;
    /* floods are counted, not written down: anybody can make them */
    bool flood = outcome == WEB_rate || outcome == WEB_unknown || outcome == WEB_method;
    log_write(flood ? LOG_LVL_DEBUG : LOG_LVL_INFO, "web.form",
              "form=%s id= status=%s code=%d ms=0 remote=%s", form, web_outcome_name(outcome), r.code,
              remote);
    if (outcome == WEB_method)
        r.allow = "POST";
    if (r.code == 503 || r.code == 429)
        r.retry_after = RETRY_S;
    if (request_wants_json(req))
        reply_json(w, req, &r, outcome, NULL, outcome_text(outcome, text));
    else
        reply_html(w, req, &r, outcome_text(outcome, text));
}

void web_form_free(struct parked *p)
{
    json_decref(p->json);
    mem_free(p->request_id);
    mem_free(p);
}

void web_form_answer(struct web_in *w, struct parked *p, enum web_outcome outcome,
                     const char *text)
{
    struct web_reply r = {.code = web_outcome_code(outcome)};
    r.origin = form_origin(p->conf, p->req);
    const char *redirect = json_get_str(p->conf, "redirect", NULL);
    w->counts[outcome]++;
    if (r.code == 503)
        r.retry_after = RETRY_S;
    if (r.code == 200 && redirect && *redirect && !p->wants_json) {
        r.code = 303;
        r.location = redirect;
    }
    log_info("web.form", "form=%s id=%s status=%s code=%d ms=%" PRId64 " remote=%s", p->form,
             p->request_id, web_outcome_name(outcome), r.code, clock_mono_ms() - p->since_ms,
             p->remote);
    if (p->wants_json)
        reply_json(w, p->req, &r, outcome, p->request_id, outcome_text(outcome, text));
    else
        reply_html(w, p->req, &r, outcome_text(outcome, text));
    web_form_free(p);
}

/* ---- checks ------------------------------------------------------------- */

/* The time first, so that new ids stand together in the ledger's index. */
char *web_request_id(void)
{
    unsigned char id[16];
    char hex[2 * sizeof(id) + 1];
    int64_t now = clock_now_ms();
    hash_random(id, sizeof(id));
    for (int i = 0; i < 6; i++)
        id[i] = (unsigned char)(now >> (40 - 8 * i));
    text_hex(id, sizeof(id), hex);
    return mem_str(hex);
}

/* The sender's own key makes repeating safe across restarts of the sender; it
 * holds within its form. NULL with e when it is unusable. */
static char *request_id_of(struct evhttp_request *req, const char *form, struct err *e)
{
    const char *key = web_header(req, "Idempotency-Key");
    if (!key)
        return web_request_id();
    size_t n = strlen(key);
    bool fits = n >= 1 && n <= BOUND_HTTP_KEY;
    for (size_t i = 0; i < n; i++)
        fits = fits && key[i] > 0x20 && key[i] < 0x7f;
    if (fits)
        return mem_printf("%s:%s", form, key);
    err_set(e, ERR_INPUT, "Idempotency-Key: expected 1 to %d visible ASCII characters",
            BOUND_HTTP_KEY);
    return NULL;
}

/* A script of another site asks whether it may post (CORS). True: answered. */
static bool form_preflight(struct web_in *w, struct evhttp_request *req, const json_t *conf)
{
    struct web_reply r = {.code = 204};
    r.origin = form_origin(conf, req);
    if (evhttp_request_get_command(req) != EVHTTP_REQ_OPTIONS || !r.origin)
        return false;
    web_reply(w->http, req, &r);
    return true;
}

/* What can be said before the body is read. True when it was refused. */
static bool form_refuse_early(struct web_in *w, struct evhttp_request *req, const char *form,
                              size_t size)
{
    int retry = 0;
    char remote[64];
    struct err e = {0};
    if (evhttp_request_get_command(req) != EVHTTP_REQ_POST) {
        web_form_refuse(w, req, form, WEB_method, "Forms are sent with POST.");
        return true;
    }
    web_remote(req, json_get_arr(w->web, "trusted_proxies"), remote, sizeof(remote));
    if (!rate_allow(w->rate, remote, clock_mono_ms(), &retry)) {
        err_set(&e, ERR_TEMP, "Too many requests from this address: try again in %d seconds.",
                retry);
        web_form_refuse(w, req, form, WEB_rate, e.text);
        return true;
    }
    if (web_framing_is_ambiguous(req)) {
        web_form_refuse(w, req, form, WEB_malformed, "The length of the body is given twice.");
        return true;
    }
    if (size > w->max_body) {
        err_set(&e, ERR_INPUT, "The form is larger than the %zu bytes accepted here.",
                w->max_body);
        web_form_refuse(w, req, form, WEB_too_large, e.text);
        return true;
    }
    if (form_type_of(web_header(req, "Content-Type")) == FORM_TYPE_UNKNOWN) {
        web_form_refuse(w, req, form, WEB_type,
                        "Content-Type: accepted are " FORM_TYPES_ACCEPTED ".");
        return true;
    }
    if (w->parked_count >= BOUND_HTTP_PARKED ||
        w->held_bytes + size > w->held_max) {
        web_form_refuse(w, req, form, WEB_busy, NULL);
        return true;
    }
    if (web_in_engine_is_gone(w)) {
        web_form_refuse(w, req, form, WEB_no_engine, NULL);
        return true;
    }
    return false;
}

/* ---- the frame ---------------------------------------------------------- */

static void put_header(json_t *j, const char *key, const char *value)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 3 * 512);
    if (!value)
        return;
    text_add_utf8(&b, value, text_utf8_cut(value, strlen(value), 512));
    json_put_str(j, key, b.data);
}

static void form_park(struct web_in *w, struct parked *p, const struct form *f, json_t *fields,
                      json_t *extra)
{
    p->type = FRAME_FORM;
    p->json = json_object();
    json_put_str(p->json, "form", p->form);
    json_put_str(p->json, "request_id", p->request_id);
    json_object_set_new(p->json, "fields", fields);
    json_object_set_new(p->json, "extra", extra);
    json_object_set(p->json, "files", f->files);
    if (json_array_size(f->defects) > 0)
        json_object_set(p->json, "defects", f->defects);
    json_put_str(p->json, "remote", p->remote);
    put_header(p->json, "agent", web_header(p->req, "User-Agent"));
    put_header(p->json, "type", web_header(p->req, "Content-Type"));
    p->wants_json = request_wants_json(p->req);
    p->since_ms = clock_mono_ms();
    web_in_park(w, p);
}

/* Reads what was posted and parks it. -1 with the outcome to answer. */
static int form_take(struct web_in *w, struct parked *p, struct form *f,
                     enum web_outcome *outcome_out, struct err *e)
{
    json_t *fields = NULL, *extra = NULL;
    *outcome_out = WEB_malformed;
    p->request_id = request_id_of(p->req, p->form, e);
    if (!p->request_id ||
        form_read(f, web_header(p->req, "Content-Type"), p->raw, p->raw_len, e) < 0)
        return -1;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(p->req);
    const char *query = uri ? evhttp_uri_get_query(uri) : NULL;
    if (query)
        form_read_urlencoded(f, query, strlen(query));
    *outcome_out = WEB_invalid;
    if (form_check(f, p->conf, &fields, &extra, NULL, e) < 0)
        return -1;
    form_park(w, p, f, fields, extra);
    return 0;
}

void web_form_request(struct web_in *w, struct evhttp_request *req, const char *name)
{
    const json_t *conf = json_get_obj(w->forms, name);
    struct evbuffer *body = evhttp_request_get_input_buffer(req);
    if (!conf) {
        web_form_refuse(w, req, "-", WEB_unknown, "There is no such form here.");
        return;
    }
    const char *form = json_object_iter_key(json_object_iter_at((json_t *)w->forms, name));
    if (form_preflight(w, req, conf))
        return;
    if (form_refuse_early(w, req, form, evbuffer_get_length(body)))
        return;
    struct parked *p = mem_alloc(sizeof(*p));
    struct form f;
    struct err e = {0};
    enum web_outcome outcome;
    p->req = req;
    p->form = form;
    p->conf = conf;
    p->raw_len = evbuffer_get_length(body);
    p->raw = p->raw_len ? (const char *)evbuffer_pullup(body, -1) : "";
    web_remote(req, json_get_arr(w->web, "trusted_proxies"), p->remote, sizeof(p->remote));
    form_init(&f);
    if (form_take(w, p, &f, &outcome, &e) < 0) {
        web_form_refuse(w, req, form, outcome, e.text);
        web_form_free(p);
    }
    form_done(&f);
}
