/* SPDX-License-Identifier: ISC
 *
 * media - see media.h
 */
#include "courier/media.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/gateway.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "courier/http.h"
#include "courier/multi.h"

#define MEDIA_RUNNING 4 /* at the same time; the others wait */
#define MEDIA_HOPS 4    /* addresses in a row, the first among them */
#define MEDIA_TIME_MS 60000

struct media {
    TAILQ_ENTRY(media) all;
    struct medias *medias;
    const struct gate *gate;
    const json_t *conf; /* the gateway's `media`; may be NULL */
    uint64_t id;
    json_t *asked;              /* own; the frame's JSON, which comes back in FETCHED */
    char *url;                  /* own; where it is now */
    CURL *easy;                 /* own; NULL: it waits */
    struct curl_slist *headers; /* own */
    struct http_answer answer;
    int hops;
    bool private, refused_address;
    bool strange; /* a host that gets no sign-in had a say in where it is now */
    int64_t began_ms;
    char error[CURL_ERROR_SIZE];
};
TAILQ_HEAD(media_list, media);

struct medias {
    struct gates *gates; /* borrowed */
    struct multi *multi; /* own */
    struct chan *engine; /* borrowed; NULL while there is none */
    struct media_list all;
    size_t count, running;
};

/* ---- where to ------------------------------------------------------------------------ */

struct prefix {
    uint32_t net;
    int bits;
};

static bool v4_is_public(uint32_t ip)
{
    static const struct prefix not[] = {
        {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
        {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0a80000, 16}, {0xc6120000, 15},
        {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(not); i++)
        if ((ip ^ not[i].net) >> (32 - not[i].bits) == 0)
            return false;
    return true;
}

static uint32_t v4_at(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* 2000::/3 alone, without those in it that stand for other addresses or for none. */
static bool v6_is_public(const unsigned char a[16])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
                               nat64[12] = {0, 0x64, 0xff, 0x9b};
    if (!memcmp(a, mapped, 12) || !memcmp(a, nat64, 12))
        return v4_is_public(v4_at(a + 12));
    if (a[0] >> 5 != 1 || (a[0] == 0x20 && a[1] == 0x02)) /* 6to4 */
        return false;
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 2) /* Teredo and others */
        return false;
    return !(a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8);
}

bool media_address_is_public(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return v4_is_public(ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr));
    return sa->sa_family == AF_INET6 &&
           v6_is_public(((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr);
}

/* The name may have led elsewhere a moment ago: what counts is where the connection goes. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct media *m = arg;
    (void)purpose;
    if (!m->private && !media_address_is_public(&to->addr)) {
        m->refused_address = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

struct place {
    char *scheme, *host, *port; /* own, libcurl's */
};

static void place_done(struct place *p)
{
    curl_free(p->scheme);
    curl_free(p->host);
    curl_free(p->port);
}

/* NULL, or why it is no place to be asked. */
static const char *place_read(const char *url, struct place *p)
{
    char *user = NULL;
    CURLU *u = curl_url();
    *p = (struct place){0};
    bool ok = u && text_is_single_line(url) && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_SCHEME, &p->scheme, 0) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_HOST, &p->host, 0) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_PORT, &p->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    bool named = ok && curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK;
    curl_free(user);
    curl_url_cleanup(u);
    return !ok ? "the address cannot be read" : named ? "the address holds a name and password" : NULL;
}

/* The gateway's own scheme, host and port. */
static bool place_is_own(const struct media *m, const struct place *p)
{
    struct place own;
    struct err e = {0};
    AUTO_FREE char *url = gateway_base_url(m->gate->conf, &e);
    bool same = url && *url && !place_read(url, &own);
    if (same) {
        same = !strcasecmp(own.scheme, p->scheme) && !strcasecmp(own.host, p->host) &&
               !strcmp(own.port, p->port);
        place_done(&own);
    }
    return same;
}

static bool place_is_named(const struct media *m, const struct place *p)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_get_arr(m->conf, "hosts"), i, v)
        if (!strcasecmp(json_string_value(v), p->host))
            return true;
    return false;
}

/* NULL, or why it is not asked. */
static const char *place_refused(const struct media *m, const struct place *p, bool own)
{
    if (strcasecmp(p->scheme, "https") != 0 && strcasecmp(p->scheme, "http") != 0)
        return "the address is neither https nor http";
    if (own && (m->private || !strcasecmp(p->scheme, "https")))
        return NULL;
    int port = http_port(m->url);
    if (m->private) /* what gates_rights() opens */
        return port == 80 || port == 443 || port == m->gate->port
                   ? NULL
                   : "the address has a port other than 80, 443 and the gateway's own";
    if (strcasecmp(p->scheme, "https") != 0)
        return "the address is without TLS (http)";
    return port != 443 ? "the address has a port other than 443" : NULL;
}

/* ---- one ------------------------------------------------------------------------------- */

static void media_begin(struct medias *ms);

static void media_stop(struct media *m)
{
    if (m->easy) {
        curl_multi_remove_handle(multi_handle(m->medias->multi), m->easy);
        curl_easy_cleanup(m->easy);
        m->easy = NULL;
        m->medias->running--;
    }
    curl_slist_free_all(m->headers);
    m->headers = NULL;
}

static void media_free(struct media *m)
{
    media_stop(m);
    TAILQ_REMOVE(&m->medias->all, m, all);
    m->medias->count--;
    http_answer_done(&m->answer);
    json_decref(m->asked);
    mem_free(m->url);
    mem_free(m);
}

/* Tells it and forgets it. refused: another try would end the same way. */
static void media_over(struct media *m, long code, const char *type, const char *text, bool refused)
{
    struct medias *ms = m->medias;
    char line[256];
    int64_t ms_taken = clock_mono_ms() - m->began_ms;
    bool have = code / 100 == 2;
    snprintf(line, sizeof(line), "%s", text);
    line[text_utf8_cut(line, strlen(line), sizeof(line) - 1)] = '\0';
    text_make_line(line);
    json_put_int(m->asked, "code", code);
    json_put_str(m->asked, "text", line);
    json_put_str(m->asked, "type", type && text_is_utf8(type, strlen(type)) ? type : "");
    json_put_bool(m->asked, "refused", refused);
    json_put_int(m->asked, "ms", ms_taken);
    log_info("media.fetched", "message=M%" PRId64 " number=%" PRId64 " gateway=%s code=%ld bytes=%zu"
             " ms=%" PRId64 " text=\"%s\"", json_get_int(m->asked, "message", 0),
             json_get_int(m->asked, "n", 0) + 1, json_get_str(m->asked, "gateway", "?"), code,
             have ? m->answer.body.len : 0, ms_taken, line);
    if (ms->engine)
        chan_send(ms->engine, FRAME_FETCHED, m->id, m->asked, have ? m->answer.body.data : NULL,
                  have ? m->answer.body.len : 0, -1);
    media_free(m);
}

/* The gateway's sign-in, as its preset has it. */
static int media_sign_in(struct media *m, struct err *e)
{
    struct gateway_request req = {0};
    const char *name;
    json_t *v;
    AUTO_JSON json_t *values = gateway_values(m->gate->conf, m->gate->secret, m->asked);
    int rc = m->conf ? gateway_request(m->gate->conf, "media", values, &req, e) : 0;
    if (rc == 0)
        json_object_foreach(req.headers, name, v) {
            AUTO_FREE char *line = mem_printf("%s: %s", name, json_string_value(v));
            m->headers = curl_slist_append(m->headers, line);
        }
    gateway_request_done(&req);
    return rc;
}

static int media_options(struct media *m, bool own, bool named, struct err *e)
{
    /* whoever listens on the way to a named host must not get it, nor may anybody who gets none
     * say what is asked with it */
    m->strange |= !own && !(named && text_starts(m->url, "https:"));
    if (!m->strange && media_sign_in(m, e) < 0)
        return -1;
    http_options(m->easy, &(struct http_to){.url = m->url,
                                            .ca_file = own || named ? m->gate->ca_file : NULL,
                                            .headers = m->headers,
                                            .error = m->error,
                                            .timeout_ms = MEDIA_TIME_MS,
                                            .own = m});
    curl_easy_setopt(m->easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(m->easy, CURLOPT_OPENSOCKETDATA, m);
    curl_easy_setopt(m->easy, CURLOPT_FORBID_REUSE, 1L); /* one that was open may be another's */
    curl_easy_setopt(m->easy, CURLOPT_FRESH_CONNECT, 1L);
    http_answer_begin(m->easy, &m->answer, (size_t)json_get_int(m->conf, "max_size", BOUND_MEDIA),
                      false);
    return 0;
}

/* Asks at m->url; false: it is over. */
static bool media_ask(struct media *m)
{
    struct place p;
    struct err e = {0};
    const char *why = place_read(m->url, &p);
    bool own = !why && place_is_own(m, &p), named = !why && place_is_named(m, &p);
    why = why ? why : place_refused(m, &p, own);
    place_done(&p);
    if (why) {
        media_over(m, 0, NULL, why, true);
        return false;
    }
    m->easy = curl_easy_init();
    LEADD_ASSERT(m->easy);
    m->medias->running++;
    m->error[0] = '\0';
    m->refused_address = false;
    if (media_options(m, own, named, &e) < 0) {
        media_over(m, 0, NULL, e.text, false);
        return false;
    }
    if (curl_multi_add_handle(multi_handle(m->medias->multi), m->easy) == CURLM_OK)
        return true;
    media_over(m, 0, NULL, "it cannot be begun", false);
    return false;
}

/* On to where it was moved, as if that had been told at first. */
static bool media_moved(struct media *m, long code)
{
    char *to = NULL;
    if (code != 301 && code != 302 && code != 303 && code != 307 && code != 308)
        return false;
    curl_easy_getinfo(m->easy, CURLINFO_REDIRECT_URL, &to);
    if (!to)
        return false;
    if (++m->hops >= MEDIA_HOPS) {
        media_over(m, 0, NULL, "it was moved on again and again", true);
        return true;
    }
    mem_free(m->url);
    m->url = mem_str(to);
    media_stop(m);
    media_ask(m);
    return true;
}

static void media_ended(void *arg, void *own, CURLcode rc)
{
    struct media *m = own;
    struct medias *ms = m->medias;
    long code = 0;
    char *type = NULL, text[256];
    (void)arg;
    curl_easy_getinfo(m->easy, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(m->easy, CURLINFO_CONTENT_TYPE, &type);
    if (rc == CURLE_OK && media_moved(m, code)) {
        media_begin(ms);
        return;
    }
    if (rc == CURLE_OK && code >= 200)
        snprintf(text, sizeof(text), "HTTP %ld", code);
    else if (m->answer.too_large)
        snprintf(text, sizeof(text), "it is larger than max_size");
    else if (m->refused_address)
        snprintf(text, sizeof(text), "its address is not one of the public internet");
    else
        snprintf(text, sizeof(text), "%s", m->error[0] ? m->error : curl_easy_strerror(rc));
    media_over(m, rc == CURLE_OK ? code : 0, type, text,
               rc != CURLE_OK && (m->answer.too_large || m->refused_address));
    media_begin(ms);
}

/* Those that wait, as far as there is room. */
static void media_begin(struct medias *ms)
{
    struct media *m, *next;
    for (m = TAILQ_FIRST(&ms->all); m && ms->running < MEDIA_RUNNING; m = next) {
        next = TAILQ_NEXT(m, all);
        if (!m->easy)
            media_ask(m);
    }
}

/* ---- what the courier asks ------------------------------------------------------------ */

struct medias *medias_new(struct event_base *base, struct gates *gates)
{
    struct medias *ms = mem_alloc(sizeof(*ms));
    ms->gates = gates;
    TAILQ_INIT(&ms->all);
    ms->multi = multi_new(base, media_ended, ms);
    return ms;
}

void medias_free(struct medias **mp)
{
    struct medias *ms = *mp;
    *mp = NULL;
    if (!ms)
        return;
    while (!TAILQ_EMPTY(&ms->all))
        media_free(TAILQ_FIRST(&ms->all));
    multi_free(&ms->multi);
    mem_free(ms);
}

void medias_engine(struct medias *ms, struct chan *engine)
{
    ms->engine = engine;
}

static bool media_in_hand(const struct medias *ms, uint64_t id)
{
    const struct media *m;
    TAILQ_FOREACH (m, &ms->all, all)
        if (m->id == id)
            return true;
    return false;
}

void medias_fetch(struct medias *ms, const struct frame *f)
{
    if (media_in_hand(ms, f->id))
        return; /* its outcome comes */
    struct media *m = mem_alloc(sizeof(*m));
    m->medias = ms;
    m->id = f->id;
    m->asked = json_deep_copy(f->json);
    m->url = mem_str(json_get_str(f->json, "url", ""));
    m->began_ms = clock_mono_ms();
    m->gate = gates_find(ms->gates, json_get_str(f->json, "gateway", ""));
    m->conf = m->gate ? json_get_obj(m->gate->conf, "media") : NULL;
    m->private = json_get_bool(m->conf, "private", false);
    TAILQ_INSERT_TAIL(&ms->all, m, all);
    if (++ms->count > BOUND_QUERIES)
        media_over(m, 0, NULL, "too many in hand", false);
    else if (!m->gate)
        media_over(m, 0, NULL, "the courier has no such gateway", false);
    else
        media_begin(ms);
}
