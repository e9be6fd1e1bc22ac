/* SPDX-License-Identifier: ISC
 *
 * hook - see hook.h
 */
#include "courier/hook.h"

#include <curl/curl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "base/text.h"
#include "courier/http.h"
#include "courier/multi.h"

#define CALL_PAUSE_MS 1000 /* until what was given back comes again */
#define HOOK_TEXT 300 /* of what is told about an outcome */

struct endpoint {
    const char *name, *url, *ca_file, *auth, *user; /* borrowed from the config */
    char *secret;                                   /* own; password or token */
    char *key;                                      /* own; signs; NULL: nothing is signed */
    size_t key_len;
    long timeout_ms;
    int port;
};

struct call {
    TAILQ_ENTRY(call) all;
    struct hooks *hooks;
    uint64_t id;
    CURL *easy; /* own; NULL when it is over */
    struct curl_slist *headers; /* own */
    struct buf body;
    struct http_answer answer;
    bool wants_answer;
    int64_t began_ms;
    json_t *called; /* own; the CALLED frame's JSON once it is over */
    char error[CURL_ERROR_SIZE];
};
TAILQ_HEAD(call_list, call);

struct hooks {
    json_t *config; /* own reference */
    struct endpoint list[BOUND_ENDPOINTS];
    size_t count, calls;
    struct multi *multi; /* own */
    struct chan *engine; /* borrowed; NULL while there is none */
    struct call_list all;
    bool draining;
};

/* ---- config ---------------------------------------------------------------------- */

/* "whsec_" and base64, or the bytes as they are. */
static int key_read(struct endpoint *ep, const char *path, struct err *e)
{
    AUTO_FREE char *text = role_read_secret(path, e);
    if (!text)
        return err_wrap(e, "endpoint %s", ep->name);
    if (!text_starts(text, "whsec_")) {
        ep->key_len = strlen(text);
        ep->key = mem_str(text);
        return 0;
    }
    gnutls_datum_t in = {(unsigned char *)text + 6, (unsigned)strlen(text + 6)}, out;
    if (gnutls_base64_decode2(&in, &out) < 0 || out.size == 0)
        return err_set(e, ERR_PERM, "endpoint %s: %s begins with whsec_, but no base64 follows",
                       ep->name, path);
    ep->key = mem_strn((char *)out.data, out.size);
    ep->key_len = out.size;
    gnutls_memset(out.data, 0, out.size);
    gnutls_free(out.data);
    return 0;
}

static int endpoint_read(struct endpoint *ep, const char *name, const json_t *c, struct err *e)
{
    *ep = (struct endpoint){.name = name,
                            .url = json_get_str(c, "url", ""),
                            .ca_file = json_get_str(c, "ca_file", NULL),
                            .auth = json_get_str(c, "auth", "none"),
                            .user = json_get_str(c, "user", ""),
                            .timeout_ms = (long)json_get_int(c, "timeout", 10000)};
    const char *sign = json_get_str(c, "secret_file", NULL);
    const char *file = strcmp(ep->auth, "basic") == 0    ? json_get_str(c, "password_file", NULL)
                       : strcmp(ep->auth, "bearer") == 0 ? json_get_str(c, "token_file", NULL)
                                                         : NULL;
    ep->port = http_port(ep->url);
    if (!ep->port || !text_is_single_line(ep->url))
        return err_set(e, ERR_PERM, "endpoint %s: the url cannot be read", name);
    if (sign && key_read(ep, sign, e) < 0)
        return -1;
    if (file && !(ep->secret = role_read_secret(file, e)))
        return err_wrap(e, "endpoint %s", name);
    return 0;
}

void hooks_rights(const struct hooks *hs, struct sandbox *sb)
{
    for (size_t i = 0; i < hs->count; i++) {
        sandbox_port(sb, hs->list[i].port);
        sandbox_path(sb, hs->list[i].ca_file, SANDBOX_READ);
    }
}

static struct endpoint *endpoint_find(struct hooks *hs, const char *name)
{
    for (size_t i = 0; i < hs->count; i++)
        if (strcmp(hs->list[i].name, name) == 0)
            return &hs->list[i];
    return NULL;
}

/* ---- one call --------------------------------------------------------------------- */

char *hook_signature(const void *key, size_t key_len, const char *id, int64_t at,
                     const char *body, size_t n)
{
    unsigned char mac[32];
    gnutls_hmac_hd_t h;
    gnutls_datum_t in = {mac, sizeof(mac)}, out;
    AUTO_FREE char *head = mem_printf("%s.%" PRId64 ".", id, at);
    LEADD_ASSERT(gnutls_hmac_init(&h, GNUTLS_MAC_SHA256, key, key_len) == 0);
    gnutls_hmac(h, head, strlen(head));
    gnutls_hmac(h, body, n);
    gnutls_hmac_deinit(h, mac);
    LEADD_ASSERT(gnutls_base64_encode2(&in, &out) == 0);
    char *text = mem_printf("v1,%.*s", (int)out.size, out.data);
    gnutls_free(out.data);
    return text;
}

static void call_tell(struct call *c)
{
    struct hooks *hs = c->hooks;
    CRASH_POINT("call.sent.before");
    if (hs->engine)
        chan_send(hs->engine, FRAME_CALLED, c->id, c->called,
                  c->wants_answer && !c->answer.too_large ? c->answer.body.data : NULL,
                  c->wants_answer && !c->answer.too_large ? c->answer.body.len : 0, -1);
    CRASH_POINT("call.sent.after");
}

static void call_stop(struct call *c)
{
    if (!c->easy)
        return;
    curl_multi_remove_handle(multi_handle(c->hooks->multi), c->easy);
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->headers);
    c->easy = NULL;
    c->headers = NULL;
    buf_done(&c->body);
    buf_init(&c->body, 1);
}

static void call_over(struct call *c, long code, const char *text, int64_t retry_ms, bool not_tried)
{
    int64_t ms = clock_mono_ms() - c->began_ms;
    char line[HOOK_TEXT];
    snprintf(line, sizeof(line), "%s", text);
    line[text_utf8_cut(line, strlen(line), sizeof(line) - 1)] = '\0';
    text_make_line(line);
    c->called = json_pack("{s:I, s:s, s:I}", "code", (json_int_t)code, "text", line, "ms",
                          (json_int_t)ms);
    if (retry_ms > 0)
        json_put_int(c->called, "retry_ms", retry_ms);
    if (c->answer.too_large)
        json_put_bool(c->called, "too_large", true);
    if (not_tried)
        json_put_bool(c->called, "not_tried", true);
    if (c->hooks->draining)
        json_put_bool(c->called, "draining", true);
    call_stop(c);
    log_info("call.made", "call=%" PRIu64 " code=%ld ms=%" PRId64 " text=\"%s\"", c->id, code, ms,
             line);
    call_tell(c);
}

static void call_free(struct hooks *hs, struct call *c)
{
    call_stop(c);
    TAILQ_REMOVE(&hs->all, c, all);
    hs->calls--;
    buf_done(&c->body);
    http_answer_done(&c->answer);
    json_decref(c->called);
    mem_free(c);
}

static void call_header(struct call *c, const char *fmt, ...) LEADD_PRINTF(2, 3);
static void call_header(struct call *c, const char *fmt, ...)
{
    char line[8192];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < sizeof(line) && text_is_single_line(line))
        c->headers = curl_slist_append(c->headers, line);
}

static void call_headers(struct call *c, const struct endpoint *ep, const char *key, int64_t at)
{
    call_header(c, "Content-Type: application/json");
    call_header(c, "Accept: application/json");
    call_header(c, "Expect:");
    call_header(c, "webhook-id: %s", key);
    call_header(c, "webhook-timestamp: %" PRId64, at);
    if (ep->key) {
        AUTO_FREE char *sign =
            hook_signature(ep->key, ep->key_len, key, at, c->body.data, c->body.len);
        call_header(c, "webhook-signature: %s", sign);
    }
    if (strcmp(ep->auth, "bearer") == 0)
        call_header(c, "Authorization: Bearer %s", ep->secret);
}

static void call_options(struct call *c, const struct endpoint *ep)
{
    CURL *h = c->easy;
    http_options(h, &(struct http_to){.url = ep->url,
                                      .ca_file = ep->ca_file,
                                      .headers = c->headers,
                                      .error = c->error,
                                      .timeout_ms = ep->timeout_ms,
                                      .own = c});
    if (strcmp(ep->auth, "basic") == 0) {
        curl_easy_setopt(h, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(h, CURLOPT_USERNAME, ep->user);
        curl_easy_setopt(h, CURLOPT_PASSWORD, ep->secret);
    }
    curl_easy_setopt(h, CURLOPT_POSTFIELDS, c->body.data);
    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)c->body.len);
    http_answer_begin(h, &c->answer, BOUND_CALL_ANSWER, !c->wants_answer);
}

static void call_begin(struct call *c, const struct endpoint *ep, const struct frame *f)
{
    c->easy = curl_easy_init();
    LEADD_ASSERT(c->easy);
    call_headers(c, ep, json_get_str(f->json, "key", ""), json_get_int(f->json, "at", 0));
    call_options(c, ep);
    if (curl_multi_add_handle(multi_handle(c->hooks->multi), c->easy) != CURLM_OK)
        call_over(c, 0, "libcurl takes no more calls", 0, true);
}

/* A code counts also when what came behind it was not wanted or never ended: the
 * receiver has decided. But an answer that is needed must be whole. */
static void call_ended(void *arg, void *own, CURLcode rc)
{
    struct call *c = own;
    (void)arg;
    long code = 0;
    curl_off_t retry = 0;
    char text[HOOK_TEXT];
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry);
    bool headless = http_answer_headless(&c->answer) || code < 200;
    bool cut = rc != CURLE_OK && c->wants_answer && !c->answer.too_large && code / 100 == 2;
    if ((rc == CURLE_OK && !headless) || (!headless && !cut && rc == CURLE_WRITE_ERROR)) {
        snprintf(text, sizeof(text), "HTTP %ld", code);
    } else {
        snprintf(text, sizeof(text), "%s",
                 headless && rc == CURLE_WRITE_ERROR ? "the answer has too large a head"
                 : c->error[0]                       ? c->error
                                                     : curl_easy_strerror(rc));
        code = 0;
    }
    call_over(c, code, text, retry > 0 && retry < 1000000 ? (int64_t)retry * 1000 : 0, false);
}

/* ---- what the courier asks -------------------------------------------------------------- */

struct hooks *hooks_new(struct event_base *base, const json_t *config, struct err *e)
{
    struct hooks *hs = mem_alloc(sizeof(*hs));
    const char *name;
    json_t *c;
    int rc = 0;
    hs->config = json_incref((json_t *)config);
    TAILQ_INIT(&hs->all);
    hs->multi = multi_new(base, call_ended, hs);
    json_object_foreach(json_get_obj(config, "endpoints"), name, c) {
        if (hs->count == BOUND_ENDPOINTS)
            rc = err_set(e, ERR_PERM, "more than %d endpoints", BOUND_ENDPOINTS);
        if (rc == 0)
            rc = endpoint_read(&hs->list[hs->count++], name, c, e);
    }
    if (rc < 0)
        hooks_free(&hs);
    return hs;
}

void hooks_free(struct hooks **hp)
{
    struct hooks *hs = *hp;
    struct call *c;
    *hp = NULL;
    if (!hs)
        return;
    while ((c = TAILQ_FIRST(&hs->all)))
        call_free(hs, c);
    multi_free(&hs->multi);
    for (size_t i = 0; i < hs->count; i++) {
        mem_free(hs->list[i].secret);
        mem_free(hs->list[i].key);
    }
    json_decref(hs->config);
    mem_free(hs);
}

static struct call *call_find(struct hooks *hs, uint64_t id)
{
    struct call *c;
    TAILQ_FOREACH (c, &hs->all, all)
        if (c->id == id)
            return c;
    return NULL;
}

void hooks_call(struct hooks *hs, struct frame *f)
{
    struct call *c = call_find(hs, f->id);
    if (c) { /* asked again for what is in hand: its outcome comes, or comes again */
        if (c->called)
            call_tell(c);
        return;
    }
    struct endpoint *ep = endpoint_find(hs, json_get_str(f->json, "endpoint", ""));
    c = mem_alloc(sizeof(*c));
    c->hooks = hs;
    c->id = f->id;
    c->began_ms = clock_mono_ms();
    c->wants_answer = json_get_bool(f->json, "answer", false);
    buf_init(&c->body, 2 * BOUND_CALL_BODY);
    TAILQ_INSERT_TAIL(&hs->all, c, all);
    hs->calls++;
    if (hs->draining || hs->calls > BOUND_CALLS)
        call_over(c, 0, hs->draining ? "courier is draining" : "too many calls in hand",
                  CALL_PAUSE_MS, true);
    else if (!ep)
        call_over(c, 0, "the courier has no such endpoint", 0, false);
    else if (f->raw_len == 0 || buf_add(&c->body, f->raw, f->raw_len) < 0)
        call_over(c, 0, "nothing that could be sent", 0, false);
    else
        call_begin(c, ep, f);
}

void hooks_receipt(struct hooks *hs, uint64_t id)
{
    struct call *c = call_find(hs, id);
    if (c && c->called)
        call_free(hs, c);
}

void hooks_engine(struct hooks *hs, struct chan *engine)
{
    hs->engine = engine;
}

void hooks_busy(const struct hooks *hs, json_t *busy)
{
    const struct call *c;
    TAILQ_FOREACH (c, &hs->all, all)
        json_array_append_new(busy, json_integer((json_int_t)c->id));
}

void hooks_greeted(struct hooks *hs)
{
    struct call *c;
    TAILQ_FOREACH (c, &hs->all, all)
        if (c->called)
            call_tell(c);
}

void hooks_drain(struct hooks *hs)
{
    hs->draining = true;
}

bool hooks_are_idle(const struct hooks *hs)
{
    const struct call *c;
    TAILQ_FOREACH (c, &hs->all, all)
        if (!c->called)
            return false;
    return true;
}

bool hooks_are_settled(const struct hooks *hs)
{
    return TAILQ_EMPTY(&hs->all);
}

void hooks_cut(struct hooks *hs)
{
    struct call *c;
    TAILQ_FOREACH (c, &hs->all, all)
        if (!c->called)
            call_over(c, 0, "the courier was told to end", 0, false);
}
