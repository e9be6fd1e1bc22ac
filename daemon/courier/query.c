/* SPDX-License-Identifier: ISC
 *
 * query - see query.h
 */
#include "courier/query.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/gateway.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "courier/http.h"
#include "courier/multi.h"

#define QUERY_CONNECTIONS 2 /* to one gateway; more wait in libcurl */

struct query {
    TAILQ_ENTRY(query) all;
    struct queries *queries;
    const struct gate *gate;
    uint64_t id;
    json_t *asked;              /* own; the frame's JSON, which comes back in QUERIED */
    CURL *easy;                 /* own */
    struct curl_slist *headers; /* own */
    struct gateway_request req; /* own */
    struct http_answer answer;
    bool test;
    int64_t began_ms;
    char error[CURL_ERROR_SIZE];
};
TAILQ_HEAD(query_list, query);

struct queries {
    struct gates *gates;  /* borrowed */
    struct multi *multi;  /* own */
    struct chan *engine;  /* borrowed; NULL while there is none */
    struct query_list all;
    size_t count;
};

static void query_free(struct query *q)
{
    TAILQ_REMOVE(&q->queries->all, q, all);
    q->queries->count--;
    if (q->easy) {
        curl_multi_remove_handle(multi_handle(q->queries->multi), q->easy);
        curl_easy_cleanup(q->easy);
    }
    curl_slist_free_all(q->headers);
    gateway_request_done(&q->req);
    http_answer_done(&q->answer);
    json_decref(q->asked);
    mem_free(q);
}

/* Tells it and forgets it. */
static void query_over(struct query *q, long code, const char *type, const char *text)
{
    char line[256];
    int64_t ms = clock_mono_ms() - q->began_ms;
    snprintf(line, sizeof(line), "%s", text);
    line[text_utf8_cut(line, strlen(line), sizeof(line) - 1)] = '\0';
    text_make_line(line);
    json_put_int(q->asked, "code", code);
    json_put_str(q->asked, "text", line);
    json_put_str(q->asked, "type", type && text_is_utf8(type, strlen(type)) ? type : "");
    json_put_int(q->asked, "ms", ms);
    log_info("gateway.asked", "gateway=%s what=%s code=%ld ms=%" PRId64 " text=\"%s\"",
             json_get_str(q->asked, "gateway", "?"), json_get_str(q->asked, "what", "?"), code, ms,
             line);
    if (q->queries->engine)
        chan_send(q->queries->engine, FRAME_QUERIED, q->id, q->asked, q->answer.body.data,
                  code > 0 ? q->answer.body.len : 0, -1);
    query_free(q);
}

/* ---- a request ---------------------------------------------------------------------- */

static void query_header(struct query *q, const char *name, const char *value)
{
    AUTO_FREE char *line = mem_printf("%s: %s", name, value);
    q->headers = curl_slist_append(q->headers, line);
}

static void query_options(struct query *q)
{
    const char *name;
    json_t *v;
    if (q->req.type && !json_object_get(q->req.headers, "Content-Type"))
        query_header(q, "Content-Type", q->req.type);
    json_object_foreach(q->req.headers, name, v)
        query_header(q, name, json_string_value(v));
    http_options(q->easy, &(struct http_to){.url = q->req.url,
                                            .ca_file = q->gate->ca_file,
                                            .headers = q->headers,
                                            .error = q->error,
                                            .timeout_ms = q->gate->timeout_ms,
                                            .own = q});
    if (q->req.type) {
        curl_easy_setopt(q->easy, CURLOPT_POSTFIELDS, q->req.body.data);
        curl_easy_setopt(q->easy, CURLOPT_POSTFIELDSIZE, (long)q->req.body.len);
    }
    curl_easy_setopt(q->easy, CURLOPT_CUSTOMREQUEST, q->req.method);
    http_answer_begin(q->easy, &q->answer, BOUND_CALL_ANSWER, false);
}

/* libcurl may tell no time of a connection whose TLS failed. */
static bool is_of_tls(CURLcode rc)
{
    return rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_PEER_FAILED_VERIFICATION ||
           rc == CURLE_SSL_CACERT_BADFILE;
}

/* How far a test came: "reached" is the step at which it ended, or "all". */
static void test_steps(struct query *q, CURLcode rc)
{
    char *ip = NULL, *scheme = NULL;
    curl_off_t name = 0, connected = 0, tls = 0;
    long port = 0;
    curl_easy_getinfo(q->easy, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(q->easy, CURLINFO_PRIMARY_PORT, &port);
    curl_easy_getinfo(q->easy, CURLINFO_SCHEME, &scheme);
    curl_easy_getinfo(q->easy, CURLINFO_NAMELOOKUP_TIME_T, &name);
    curl_easy_getinfo(q->easy, CURLINFO_CONNECT_TIME_T, &connected);
    curl_easy_getinfo(q->easy, CURLINFO_APPCONNECT_TIME_T, &tls);
    bool wants_tls = text_starts(q->req.url, "https:");
    const char *reached = rc == CURLE_OK                               ? "all"
                          : name == 0 || rc == CURLE_COULDNT_RESOLVE_HOST ? "name"
                          : is_of_tls(rc)                              ? "TLS"
                          : connected == 0                             ? "connection"
                          : wants_tls && tls == 0                      ? "TLS"
                                                                       : "sign-in";
    AUTO_FREE char *at = mem_printf("%s port %ld", ip && *ip ? ip : "?", port);
    json_put_str(q->asked, "reached", reached);
    json_put_str(q->asked, "name", "found");
    json_put_str(q->asked, "connection", at);
    if (wants_tls)
        json_put_str(q->asked, "TLS", "its certificate is good");
}

static void query_ended(void *arg, void *own, CURLcode rc)
{
    struct query *q = own;
    long code = 0;
    char *type = NULL, text[256];
    (void)arg;
    curl_easy_getinfo(q->easy, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(q->easy, CURLINFO_CONTENT_TYPE, &type);
    if (rc == CURLE_OK && code >= 200)
        snprintf(text, sizeof(text), "HTTP %ld", code);
    else if (rc == CURLE_OK)
        snprintf(text, sizeof(text), "connected");
    else
        snprintf(text, sizeof(text), "%s", q->answer.too_large ? "the answer is too large"
                 : q->error[0] ? q->error : curl_easy_strerror(rc));
    if (q->test)
        test_steps(q, rc);
    query_over(q, rc == CURLE_OK ? code : 0, type, text);
}

static bool has_pull(const struct gate *g)
{
    const json_t *pull = json_get_obj(g->conf, "pull");
    return json_get_str(pull, "path", NULL) || json_get_str(pull, "url", NULL);
}

/* A test of a gateway that nothing can be asked: as far as the connection. */
static int query_connect_only(struct query *q, struct err *e)
{
    q->req.method = "GET";
    q->req.url = gateway_base_url(q->gate->conf, e);
    return q->req.url ? 0 : -1;
}

static void query_folder(struct query *q)
{
    bool ok = q->gate->folder && access(q->gate->folder, W_OK) == 0;
    json_put_str(q->asked, "step", "folder");
    json_put_bool(q->asked, "ok", ok);
    query_over(q, 0, NULL, ok ? q->gate->folder : "it cannot be written to by the courier");
}

/* ---- what the courier asks ------------------------------------------------------------ */

struct queries *queries_new(struct event_base *base, struct gates *gates)
{
    struct queries *qs = mem_alloc(sizeof(*qs));
    qs->gates = gates;
    TAILQ_INIT(&qs->all);
    qs->multi = multi_new(base, query_ended, qs);
    curl_multi_setopt(multi_handle(qs->multi), CURLMOPT_MAX_HOST_CONNECTIONS,
                      (long)QUERY_CONNECTIONS);
    return qs;
}

void queries_free(struct queries **qp)
{
    struct queries *qs = *qp;
    *qp = NULL;
    if (!qs)
        return;
    while (!TAILQ_EMPTY(&qs->all))
        query_free(TAILQ_FIRST(&qs->all));
    multi_free(&qs->multi);
    mem_free(qs);
}

void queries_engine(struct queries *qs, struct chan *engine)
{
    qs->engine = engine;
}

void queries_ask(struct queries *qs, const struct frame *f)
{
    struct query *q = mem_alloc(sizeof(*q));
    struct err e = {0};
    q->queries = qs;
    q->id = f->id;
    q->asked = json_deep_copy(f->json);
    q->began_ms = clock_mono_ms();
    q->gate = gates_find(qs->gates, json_get_str(f->json, "gateway", ""));
    TAILQ_INSERT_TAIL(&qs->all, q, all);
    if (++qs->count > BOUND_QUERIES) {
        query_over(q, 0, NULL, "too many questions in hand");
        return;
    }
    q->test = strcmp(json_get_str(f->json, "what", ""), "test") == 0;
    if (q->test && q->gate && q->gate->spool) {
        query_folder(q);
        return;
    }
    if (!q->gate || !q->gate->port) {
        query_over(q, 0, NULL, "the courier has no such gateway");
        return;
    }
    AUTO_JSON json_t *values = gateway_values(q->gate->conf, q->gate->secret, f->json);
    int rc = q->test && !has_pull(q->gate) ? query_connect_only(q, &e)
                                           : gateway_request(q->gate->conf, "pull", values, &q->req, &e);
    if (rc < 0) {
        query_over(q, 0, NULL, e.text);
        return;
    }
    q->easy = curl_easy_init();
    LEADD_ASSERT(q->easy);
    query_options(q);
    if (q->test)
        curl_easy_setopt(q->easy, CURLOPT_FRESH_CONNECT, 1L); /* a used one would show nothing */
    if (q->test && !has_pull(q->gate))
        curl_easy_setopt(q->easy, CURLOPT_CONNECT_ONLY, 1L);
    if (curl_multi_add_handle(multi_handle(qs->multi), q->easy) != CURLM_OK)
        query_over(q, 0, NULL, "it cannot be begun");
}
