/* SPDX-License-Identifier: ISC
 *
 * sms - see sms.h
 */
#include "courier/sms.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/gateway.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "base/text.h"
#include "courier/http.h"
#include "courier/multi.h"
#include "courier/spool.h"

/* One request. */
struct try {
    TAILQ_ENTRY(try) all;
    struct texts *texts;
    struct job *job;
    struct gate *gw;
    CURL *easy;                 /* own */
    struct curl_slist *headers; /* own */
    struct gateway_request req; /* own */
    struct http_answer answer;
    bool left;                  /* the request was on its way */
    char error[CURL_ERROR_SIZE];
};
TAILQ_HEAD(try_list, try);

struct texts {
    struct gates *gates; /* borrowed */
    struct multi *multi; /* own */
    struct try_list tries;
    bool draining;
};

static void text_go_on(struct texts *ts, struct job *j);

/* ---- outcomes ---------------------------------------------------------------------- */

static void try_free(struct try *t)
{
    TAILQ_REMOVE(&t->texts->tries, t, all);
    if (t->easy) {
        curl_multi_remove_handle(multi_handle(t->texts->multi), t->easy);
        curl_easy_cleanup(t->easy);
    }
    curl_slist_free_all(t->headers);
    gateway_request_done(&t->req);
    http_answer_done(&t->answer);
    t->gw->running--;
    mem_free(t);
}

/* Those that wait at a gateway with room. */
static void gateway_room(struct texts *ts, struct gate *gw)
{
    struct job *j;
    while (!ts->draining && gw->running < gw->connections && (j = TAILQ_FIRST(&gw->wait))) {
        TAILQ_REMOVE(&gw->wait, j, wait);
        text_go_on(ts, j);
    }
}

/* What TEXTED says of the last answer. */
static void told_answer(struct job *j, const struct gateway_answer *a, int64_t retry_ms)
{
    json_decref(j->told);
    j->told = json_object();
    json_put_str(j->told, "reason", gateway_reason_name(a->reason));
    if (*a->id)
        json_put_str(j->told, "provider_id", a->id);
    if (*a->code)
        json_put_str(j->told, "error", a->code);
    if (a->micros >= 0) {
        json_put_int(j->told, "micros", a->micros);
        json_put_str(j->told, "currency", a->currency);
    }
    if (retry_ms > 0)
        json_put_int(j->told, "retry_ms", retry_ms);
}

/* What each gateway that was left said: the engine keeps their breakers. */
static void told_left(struct job *j, const struct gate *gw, const struct gateway_answer *a,
                      json_t *before)
{
    if (!before)
        before = json_array();
    json_array_append_new(before, json_pack("{s:s, s:s, s:s}", "gateway", gw->name, "reason",
                                            gateway_reason_name(a->reason), "text", a->text));
    json_object_set_new(j->told, "left", before);
}

static void text_over(struct job *j, const struct gate *gw, const struct gateway_answer *a,
                      long code)
{
    enum job_outcome out = a->reason == GATEWAY_OK                ? JOB_ACCEPTED
                           : a->reason == GATEWAY_UNKNOWN         ? JOB_UNKNOWN
                           : gateway_reason_is_final(a->reason)   ? JOB_FAILED
                                                                  : JOB_DEFERRED;
    CRASH_POINT("text.over.before");
    job_finish(j, out, (int)code, gw->name, a->text, false);
}

/* One gateway's word: done with, or the next one's turn. */
static void text_answered(struct texts *ts, struct job *j, struct gate *gw,
                          const struct gateway_answer *a, long code, int64_t retry_ms)
{
    json_t *before = json_incref(json_object_get(j->told, "left"));
    bool over = a->reason == GATEWAY_OK || a->reason == GATEWAY_UNKNOWN ||
                gateway_reason_is_final(a->reason);
    told_answer(j, a, retry_ms);
    if (!over)
        told_left(j, gw, a, before);
    else if (before)
        json_object_set_new(j->told, "left", before);
    if (over || ++j->relay_at >= j->relay_count) {
        text_over(j, gw, a, code);
        return;
    }
    log_info("sms.failover", "out=%" PRIu64 " gateway=%s reason=%s text=\"%s\" next=%s", j->id,
             gw->name, gateway_reason_name(a->reason), a->text,
             ts->gates->list[j->relays[j->relay_at]].name);
    text_go_on(ts, j);
}

/* Nothing has left. */
static void text_not_sent(struct texts *ts, struct job *j, struct gate *gw,
                          enum gateway_reason reason, const char *why)
{
    struct gateway_answer a = {.reason = reason, .micros = -1};
    snprintf(a.text, sizeof(a.text), "%s: %s", gw->name, why);
    text_make_line(a.text);
    text_answered(ts, j, gw, &a, 0, 0);
}

/* ---- a request ---------------------------------------------------------------------- */

/* The connection stands, and the request is about to leave. */
static int on_request(void *arg, char *ip, char *local, int port, int local_port)
{
    struct try *t = arg;
    (void)ip;
    (void)local;
    (void)port;
    (void)local_port;
    CRASH_POINT("text.final.before");
    if (job_mark(t->job, SLOT_FINAL) < 0)
        return CURL_PREREQFUNC_ABORT;
    CRASH_POINT("text.final.after");
    t->left = true;
    return CURL_PREREQFUNC_OK;
}

static void try_options(struct try *t)
{
    CURL *h = t->easy;
    http_options(h, &(struct http_to){.url = t->req.url,
                                      .ca_file = t->gw->ca_file,
                                      .headers = t->headers,
                                      .error = t->error,
                                      .timeout_ms = t->gw->timeout_ms,
                                      .own = t});
    curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(h, CURLOPT_FORBID_REUSE, 1L);
    if (t->req.type) {
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, t->req.body.data);
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)t->req.body.len);
    }
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, t->req.method);
    http_answer_begin(h, &t->answer, BOUND_CALL_ANSWER, false);
    curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(h, CURLOPT_PREREQDATA, t);
}

static void try_header(struct try *t, const char *name, const char *value)
{
    AUTO_FREE char *line = mem_printf("%s: %s", name, value);
    t->headers = curl_slist_append(t->headers, line);
}

static void try_headers(struct try *t)
{
    const char *name;
    json_t *v;
    if (t->req.type && !json_object_get(t->req.headers, "Content-Type"))
        try_header(t, "Content-Type", t->req.type);
    t->headers = curl_slist_append(t->headers, "Expect:");
    json_object_foreach(t->req.headers, name, v)
        try_header(t, name, json_string_value(v));
}

static int text_request(const struct gate *gw, const struct job *j, struct gateway_request *req,
                        struct err *e)
{
    AUTO_JSON json_t *text = json_copy(j->text);
    const char *base = json_get_str(text, "receipt_base", "");
    AUTO_FREE char *url = mem_printf("%s%s/receipt", base, gw->name);
    if (*base && json_get_bool(gw->conf, "receipts", true))
        json_put_str(text, "receipt_url", url);
    AUTO_JSON json_t *values = gateway_values(gw->conf, gw->secret, text);
    return gateway_request(gw->conf, "send", values, req, e);
}

static void text_spool(struct texts *ts, struct job *j, struct gate *gw)
{
    struct gateway_request req;
    struct gateway_answer a = {.reason = GATEWAY_OK, .micros = -1, .text = "in the folder"};
    struct err e = {0};
    AUTO_FREE char *name = mem_printf("leadd-%" PRIu64 "-%.32s", j->id,
                                      json_get_str(j->text, "key", ""));
    int rc = text_request(gw, j, &req, &e);
    if (rc == 0)
        rc = spool_put(gw->folder ? gw->folder : "", name, req.body.data, req.body.len, &e);
    gateway_request_done(&req);
    snprintf(a.id, sizeof(a.id), "%s", name);
    if (rc < 0)
        text_not_sent(ts, j, gw, e.cls == ERR_TEMP ? GATEWAY_TEMPORARY : GATEWAY_PERMANENT, e.text);
    else
        text_answered(ts, j, gw, &a, 200, 0);
}

static void text_http(struct texts *ts, struct job *j, struct gate *gw)
{
    struct try *t = mem_alloc(sizeof(*t));
    struct err e = {0};
    t->texts = ts;
    t->job = j;
    t->gw = gw;
    TAILQ_INSERT_TAIL(&ts->tries, t, all);
    gw->running++;
    if (text_request(gw, j, &t->req, &e) < 0) {
        try_free(t);
        text_not_sent(ts, j, gw, GATEWAY_PERMANENT, e.text);
        return;
    }
    t->easy = curl_easy_init();
    LEADD_ASSERT(t->easy);
    try_headers(t);
    try_options(t);
    if (job_mark(j, SLOT_SENDING) < 0 ||
        curl_multi_add_handle(multi_handle(ts->multi), t->easy) != CURLM_OK) {
        try_free(t);
        text_not_sent(ts, j, gw, GATEWAY_TEMPORARY, "it cannot be begun");
    }
}

/* At the gateway whose turn it is. */
static void text_go_on(struct texts *ts, struct job *j)
{
    struct gate *gw = &ts->gates->list[j->relays[j->relay_at]];
    if (gw->spool)
        text_spool(ts, j, gw);
    else if (gw->running >= gw->connections && ts->draining)
        job_finish(j, JOB_DEFERRED, 0, NULL, "courier is draining", true);
    else if (gw->running >= gw->connections)
        TAILQ_INSERT_TAIL(&gw->wait, j, wait);
    else
        text_http(ts, j, gw);
}

/* Whole, or cut where the rest cannot matter: the answer is longer than is read. */
static void try_ended(void *arg, void *own, CURLcode rc)
{
    struct texts *ts = arg;
    struct try *t = own;
    struct job *j = t->job;
    struct gate *gw = t->gw;
    struct gateway_answer a = {.reason = GATEWAY_UNKNOWN, .micros = -1};
    long code = 0;
    curl_off_t retry = 0;
    char *type = NULL;
    bool left = t->left;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry);
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    if (rc == CURLE_OK && code >= 200) {
        gateway_answer(json_get_obj(gw->conf, "send"), code, type, t->answer.body.data, t->answer.body.len,
                       &a);
    } else {
        snprintf(a.text, sizeof(a.text), "%s", t->answer.too_large ? "the answer is too large"
                 : t->error[0] ? t->error : curl_easy_strerror(rc));
        text_make_line(a.text);
        code = 0;
    }
    try_free(t);
    if (!left) /* whatever it was, nobody has the text */
        text_not_sent(ts, j, gw, GATEWAY_TEMPORARY, a.text);
    else
        text_answered(ts, j, gw, &a, code, retry > 0 && retry < 1000000 ? retry * 1000 : 0);
    gateway_room(ts, gw);
}

/* ---- what the courier asks ---------------------------------------------------------- */

struct texts *texts_new(struct event_base *base, struct gates *gates)
{
    struct texts *ts = mem_alloc(sizeof(*ts));
    ts->gates = gates;
    TAILQ_INIT(&ts->tries);
    ts->multi = multi_new(base, try_ended, ts);
    return ts;
}

void texts_free(struct texts **tp)
{
    struct texts *ts = *tp;
    *tp = NULL;
    if (!ts)
        return;
    while (!TAILQ_EMPTY(&ts->tries))
        try_free(TAILQ_FIRST(&ts->tries));
    multi_free(&ts->multi);
    mem_free(ts);
}

void texts_resolve(struct texts *ts, struct job *j, const json_t *names)
{
    size_t i;
    json_t *name;
    json_array_foreach((json_t *)names, i, name)
        for (size_t k = 0; k < ts->gates->count && j->relay_count < ARRAY_LEN(j->relays); k++)
            if (json_is_string(name) && strcmp(ts->gates->list[k].name, json_string_value(name)) == 0)
                j->relays[j->relay_count++] = k;
}

void texts_add(struct texts *ts, struct job *j)
{
    text_go_on(ts, j);
}

void texts_drain(struct texts *ts)
{
    struct job *j;
    ts->draining = true;
    for (size_t i = 0; i < ts->gates->count; i++)
        while ((j = TAILQ_FIRST(&ts->gates->list[i].wait))) {
            TAILQ_REMOVE(&ts->gates->list[i].wait, j, wait);
            job_finish(j, JOB_DEFERRED, 0, NULL, "courier is draining", true);
        }
}

void texts_cut(struct texts *ts, const char *why)
{
    struct try *t;
    texts_drain(ts);
    while ((t = TAILQ_FIRST(&ts->tries))) {
        struct job *j = t->job;
        const struct gate *gw = t->gw;
        bool left = t->left;
        try_free(t);
        job_finish(j, left ? JOB_UNKNOWN : JOB_DEFERRED, 0, gw->name, why, false);
    }
}
