/* SPDX-License-Identifier: ISC
 *
 * web_hook - a request of another program: /hook/NAME, /sms/NAME, /sms/NAME/receipt
 *
 * It travels on as it came: method, path with query, headers and body, since a signature
 * may cover any of them. Nothing is verified and nothing is read here; there is no
 * secret in this process. The sender hears "ok" only after the engine has it stored.
 */
#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "web/web_in.h"

#define RETRY_S 30

/* The kind of a path and the name in it; own. */
struct hook_path {
    const char *kind;
    char *name;
};

static struct hook_path hook_path_read(const char *path)
{
    struct hook_path p = {0};
    bool sms = text_starts(path, "/sms/");
    const char *name = path + (sms ? strlen("/sms/") : strlen("/hook/"));
    size_t n = strcspn(name, "/");
    const char *rest = name + n;
    p.name = mem_strn(name, n);
    if (!sms) /* what stands behind may be a token */
        p.kind = "source";
    else if (!*rest || strcmp(rest, "/") == 0)
        p.kind = "sms";
    else if (strcmp(rest, "/receipt") == 0)
        p.kind = "receipt";
    return p;
}

/* ---- answers -------------------------------------------------------------------- */

static void hook_reply(struct web_in *w, struct evhttp_request *req, enum web_outcome outcome,
                       const char *type, const char *text)
{
    struct web_reply r = {.code = web_outcome_code(outcome), .type = "application/json"};
    AUTO_JSON json_t *j = json_object();
    json_put_bool(j, "ok", r.code < 300);
    json_put_str(j, "status", web_outcome_name(outcome));
    if (r.code >= 300)
        json_put_str(j, "error", text);
    AUTO_FREE char *body = json_line(j);
    r.body = body;
    if (r.code == 200 && text) { /* as the sender wants it, such as TwiML */
        r.type = type ? type : "text/plain; charset=utf-8";
        r.body = text;
    }
    r.len = strlen(r.body);
    if (outcome == WEB_method)
        r.allow = "GET, POST";
    if (r.code == 503 || r.code == 429)
        r.retry_after = RETRY_S;
    web_reply(w->http, req, &r);
}

static void hook_refuse(struct web_in *w, struct evhttp_request *req, enum web_outcome outcome,
                        const char *text)
{
    w->counts[outcome]++;
    log_debug("web.hook", "status=%s", web_outcome_name(outcome));
    hook_reply(w, req, outcome, NULL, text);
}

void web_hook_answer(struct web_in *w, struct parked *p, enum web_outcome outcome,
                     const char *type, const char *text)
{
    w->counts[outcome]++;
    log_info("web.hook", "kind=%s name=%s id=%s status=%s ms=%" PRId64 " remote=%s",
             json_get_str(p->json, "kind", ""), p->form, p->request_id, web_outcome_name(outcome),
             clock_mono_ms() - p->since_ms, p->remote);
    hook_reply(w, p->req, outcome, type, text);
    web_form_free(p);
}

/* ---- what can be said at once ---------------------------------------------------------- */

/* True when it was refused. */
static bool hook_refuse_early(struct web_in *w, struct evhttp_request *req, const char *remote,
                              size_t size)
{
    int retry = 0;
    enum evhttp_cmd_type cmd = evhttp_request_get_command(req);
    if (cmd != EVHTTP_REQ_POST && cmd != EVHTTP_REQ_GET)
        hook_refuse(w, req, WEB_method, "Send it with POST or GET.");
    else if (!rate_allow(w->hook_rate, remote, clock_mono_ms(), &retry))
        hook_refuse(w, req, WEB_rate, "Too many requests from this address.");
    else if (web_framing_is_ambiguous(req))
        hook_refuse(w, req, WEB_malformed, "The length of the body is given twice.");
    else if (size > w->max_body)
        hook_refuse(w, req, WEB_too_large, "The body is too large.");
    else if (strlen(evhttp_request_get_uri(req)) > BOUND_HOOK_PATH)
        hook_refuse(w, req, WEB_malformed, "The path is too long.");
    else if (w->parked_count >= BOUND_HTTP_PARKED || w->held_bytes + size > w->held_max)
        hook_refuse(w, req, WEB_busy, NULL);
    else if (web_in_engine_is_gone(w))
        hook_refuse(w, req, WEB_no_engine, NULL);
    else
        return false;
    return true;
}

/* ---- the frame ------------------------------------------------------------------------- */

static void put_text(json_t *j, const char *key, const char *value, size_t max)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 3 * max + 1);
    if (!value)
        return;
    text_add_utf8(&b, value, text_utf8_cut(value, strlen(value), max));
    json_put_str(j, key, b.data);
}

/* A header that comes twice is one with both values, as HTTP has it. */
static json_t *hook_headers(struct evhttp_request *req)
{
    json_t *all = json_object();
    const struct evkeyval *h;
    size_t bytes = 0;
    TAILQ_FOREACH (h, evhttp_request_get_input_headers(req), next) {
        AUTO_FREE char *name = mem_str(h->key);
        text_lower(name);
        bytes += strlen(h->key) + strlen(h->value);
        if (bytes > BOUND_HOOK_HEADER_BYTES || json_object_size(all) >= BOUND_HOOK_HEADERS)
            break;
        const char *before = json_get_str(all, name, NULL);
        AUTO_FREE char *value = before ? mem_printf("%s, %s", before, h->value) : mem_str(h->value);
        if (text_is_utf8(name, strlen(name)))
            put_text(all, name, value, BOUND_HOOK_HEADER);
    }
    return all;
}

static void hook_park(struct web_in *w, struct parked *p, const char *kind)
{
    bool get = evhttp_request_get_command(p->req) == EVHTTP_REQ_GET;
    p->type = FRAME_HOOK;
    p->request_id = web_request_id();
    p->json = json_object();
    json_put_str(p->json, "kind", kind);
    json_put_str(p->json, "name", p->form);
    json_put_str(p->json, "method", get ? "GET" : "POST");
    put_text(p->json, "path", evhttp_request_get_uri(p->req), BOUND_HOOK_PATH);
    put_text(p->json, "host", web_header(p->req, "Host"), 300);
    json_put_str(p->json, "request_id", p->request_id);
    json_object_set_new(p->json, "headers", hook_headers(p->req));
    json_put_str(p->json, "remote", p->remote);
    put_text(p->json, "type", web_header(p->req, "Content-Type"), 300);
    p->since_ms = clock_mono_ms();
    web_in_park(w, p);
}

void web_hook_request(struct web_in *w, struct evhttp_request *req, const char *path)
{
    struct hook_path hp = hook_path_read(path);
    AUTO_FREE char *name = hp.name;
    const json_t *names = hp.kind && strcmp(hp.kind, "source") == 0 ? w->sources : w->gateways;
    struct evbuffer *body = evhttp_request_get_input_buffer(req);
    size_t size = evbuffer_get_length(body);
    void *known = hp.kind ? json_object_iter_at((json_t *)names, name) : NULL;
    char remote[64];
    web_in_remote(w, req, remote, sizeof(remote));
    if (!known) {
        hook_refuse(w, req, WEB_unknown, "There is nothing of that name here.");
        return;
    }
    if (hook_refuse_early(w, req, remote, size))
        return;
    struct parked *p = mem_alloc(sizeof(*p));
    p->req = req;
    p->form = json_object_iter_key(known);
    p->raw_len = size;
    p->raw = size ? (const char *)evbuffer_pullup(body, -1) : "";
    snprintf(p->remote, sizeof(p->remote), "%s", remote);
    hook_park(w, p, hp.kind);
}
