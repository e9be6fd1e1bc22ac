/* SPDX-License-Identifier: ISC
 *
 * web_form - one POST /form/NAME: check, read, park
 *
 * The checks run from cheap to dear, each with its own status and a sentence
 * that says what to change. What passes is parked and goes to the engine as a
 * FORM frame; the sender hears "ok" only after the engine has it stored. The
 * answers are in web_answer.c.
 */
#include <event2/buffer.h>
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/form_check.h"
#include "base/form.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "web/web_in.h"

void web_form_free(struct parked *p)
{
    json_decref(p->json);
    mem_free(p->request_id);
    mem_free(p);
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
 * holds within its form. A page without scripts of ours posts it as a field. NULL
 * with e when it is unusable. */
static char *request_id_of(struct evhttp_request *req, const char *form, const struct form *f,
                           struct err *e)
{
    const char *key = web_header(req, "Idempotency-Key");
    if (!key) /* a script fills the field; where there is none, it is empty */
        key = json_get_str(f->values, FORM_KEY_FIELD, "");
    if (!*key && !web_header(req, "Idempotency-Key"))
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
    r.origin = web_form_origin(conf, req);
    if (evhttp_request_get_command(req) != EVHTTP_REQ_OPTIONS || !r.origin)
        return false;
    web_reply(w->http, req, &r);
    return true;
}

/* A page of elsewhere posts, and the form is for named origins only. */
static bool form_is_foreign(const json_t *conf, struct evhttp_request *req)
{
    return json_get_bool(conf, "origins_only", false) && web_header(req, "Origin") &&
           !web_form_origin(conf, req);
}

/* Of the form, whoever posts it. */
static bool form_rate_allows(struct web_in *w, const char *form, int *retry_s_out)
{
    for (size_t i = 0; i < w->form_rate_count; i++)
        if (strcmp(w->form_rates[i].form, form) == 0)
            return bucket_take(&w->form_rates[i].bucket, w->form_rates[i].per_minute,
                               clock_mono_ms(), retry_s_out);
    return true;
}

/* What can be said before the body is read. True when it was refused. */
static bool form_refuse_early(struct web_in *w, struct evhttp_request *req, const char *form,
                              const json_t *conf, size_t size)
{
    int retry = 0;
    char remote[64];
    struct err e = {0};
    if (evhttp_request_get_command(req) != EVHTTP_REQ_POST) {
        web_form_refuse(w, req, form, WEB_method, "Forms are sent with POST.");
        return true;
    }
    web_in_remote(w, req, remote, sizeof(remote));
    if (!rate_allow(w->rate, remote, clock_mono_ms(), &retry)) {
        err_set(&e, ERR_TEMP, "Too many requests from this address: try again in %d seconds.",
                retry);
        web_form_refuse(w, req, form, WEB_rate, e.text);
        return true;
    }
    if (!form_rate_allows(w, form, &retry)) {
        err_set(&e, ERR_TEMP, "This form is posted too often: try again in %d seconds.", retry);
        web_form_refuse(w, req, form, WEB_rate, e.text);
        return true;
    }
    if (form_is_foreign(conf, req)) {
        web_form_refuse(w, req, form, WEB_origin,
                        "Pages of this origin may not post the form: see origins of the form in "
                        "leadd.conf.");
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

static void form_park(struct parked *p, const struct form *f, const struct form_checked *c,
                      int64_t fill_ms)
{
    p->type = FRAME_FORM;
    p->json = json_object();
    json_put_str(p->json, "form", p->form);
    json_put_str(p->json, "request_id", p->request_id);
    json_object_set(p->json, "fields", c->fields);
    json_object_set(p->json, "extra", c->extra);
    json_object_set(p->json, "files", f->files);
    if (json_array_size(f->defects) > 0)
        json_object_set(p->json, "defects", f->defects);
    if (fill_ms >= 0)
        json_put_int(p->json, "fill_ms", fill_ms);
    json_put_str(p->json, "remote", p->remote);
    put_header(p->json, "agent", web_header(p->req, "User-Agent"));
    put_header(p->json, "type", web_header(p->req, "Content-Type"));
    if (json_get_str(json_get_obj(p->conf, "verdict"), "endpoint", NULL))
        put_header(p->json, "page", web_header(p->req, "Referer"));
    p->wants_json = web_form_wants_json(p->req);
    p->since_ms = clock_mono_ms();
}

/* Reads the body and the query. -1 with e when it cannot be read at all. */
static int form_read_all(struct parked *p, struct form *f, struct err *e)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(p->req);
    const char *query = uri ? evhttp_uri_get_query(uri) : NULL;
    if (form_read(f, web_header(p->req, "Content-Type"), p->raw, p->raw_len, e) < 0)
        return -1;
    if (query)
        form_read_urlencoded(f, query, strlen(query));
    p->request_id = request_id_of(p->req, p->form, f, e);
    return p->request_id ? 0 : -1;
}

/* What was posted is parked, or answered with what is wrong with it. */
static void form_take(struct web_in *w, struct parked *p, struct form *f)
{
    struct form_checked c;
    struct err e = {0};
    if (form_read_all(p, f, &e) < 0) {
        web_form_refuse(w, p->req, p->form, WEB_malformed, e.text);
        web_form_free(p);
        return;
    }
    int64_t fill_ms = stamp_age(w->stamp_key, p->form,
                                json_get_str(f->values, FORM_STAMP_FIELD, ""), clock_now_ms());
    json_object_del(f->values, FORM_KEY_FIELD);
    json_object_del(f->values, FORM_STAMP_FIELD);
    if (form_check(f, p->conf, &c)) {
        form_park(p, f, &c, fill_ms);
        web_in_park(w, p);
    } else {
        web_form_faults(w, p->req, p->form, c.faults);
        web_form_free(p);
    }
    form_checked_done(&c);
}

/* GET /form/NAME/stamp, asked by the script of the page when it is opened. */
static void form_stamp(struct web_in *w, struct evhttp_request *req, const char *form,
                       const json_t *conf)
{
    char stamp[STAMP_LEN];
    stamp_make(w->stamp_key, form, clock_now_ms(), stamp);
    struct web_reply r = {.code = 200, .body = stamp, .len = strlen(stamp)};
    r.origin = web_form_origin(conf, req);
    web_reply(w->http, req, &r);
}

/* The form that "NAME/stamp" is about, when it is asked for that; own, or NULL. */
static char *form_of_stamp(struct evhttp_request *req, const char *name)
{
    const char *slash = strchr(name, '/');
    enum evhttp_cmd_type cmd = evhttp_request_get_command(req);
    bool asks = slash && strcmp(slash, "/stamp") == 0 &&
                (cmd == EVHTTP_REQ_GET || cmd == EVHTTP_REQ_HEAD);
    return asks ? mem_strn(name, (size_t)(slash - name)) : NULL;
}

void web_form_request(struct web_in *w, struct evhttp_request *req, const char *name)
{
    AUTO_FREE char *stamped = form_of_stamp(req, name);
    if (stamped && json_get_obj(w->forms, stamped)) {
        form_stamp(w, req, stamped, json_get_obj(w->forms, stamped));
        return;
    }
    const json_t *conf = json_get_obj(w->forms, name);
    struct evbuffer *body = evhttp_request_get_input_buffer(req);
    if (!conf) {
        web_form_refuse(w, req, "-", WEB_unknown, "There is no such form here.");
        return;
    }
    const char *form = json_object_iter_key(json_object_iter_at((json_t *)w->forms, name));
    if (form_preflight(w, req, conf))
        return;
    if (form_refuse_early(w, req, form, conf, evbuffer_get_length(body)))
        return;
    struct parked *p = mem_alloc(sizeof(*p));
    struct form f;
    p->req = req;
    p->form = form;
    p->conf = conf;
    p->raw_len = evbuffer_get_length(body);
    p->raw = p->raw_len ? (const char *)evbuffer_pullup(body, -1) : "";
    web_in_remote(w, req, p->remote, sizeof(p->remote));
    form_init(&f);
    form_take(w, p, &f);
    form_done(&f);
}
