/* SPDX-License-Identifier: ISC
 *
 * hop - see hop.h
 */
#include "courier/hop.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "courier/multi.h"
#include "courier/reply.h"

/* How far libcurl got, as its commands tell; for the text of a failure. */
enum hop_step { STEP_CONNECT, STEP_GREETING, STEP_EHLO, STEP_STARTTLS, STEP_AUTH };
static const char *const step_names[] = {"connect", "greeting", "EHLO", "STARTTLS", "AUTH"};

struct hop {
    struct event_base *base;
    const struct hop_to *to;
    const struct hop_ops *ops;
    void *arg;
    struct multi *multi;    /* own */
    CURL *easy;             /* own */
    struct event *rd, *wr;  /* ours, once up */
    enum hop_step step;
    struct reply bad;       /* the last reply of 4xx or 5xx while connecting */
    struct hop_caps caps;
    bool authed, over;      /* over: up or failed was called */
    char error[CURL_ERROR_SIZE];
};

/* ---- what libcurl says and hears while connecting ---------------------- */

static bool said(const char *p, size_t n, const char *word)
{
    return n >= strlen(word) && strncasecmp(p, word, strlen(word)) == 0;
}

static void hop_sent_line(struct hop *h, const char *p, size_t n)
{
    h->bad = (struct reply){0}; /* libcurl went on from it, e.g. from EHLO to HELO */
    if (said(p, n, "EHLO") || said(p, n, "HELO")) {
        h->step = STEP_EHLO;
        h->caps = (struct hop_caps){0};
    } else if (said(p, n, "STARTTLS")) {
        h->step = STEP_STARTTLS;
    } else if (said(p, n, "AUTH")) {
        h->step = STEP_AUTH;
    }
}

static void hop_got_line(struct hop *h, const char *p, size_t n)
{
    struct buf line AUTO_BUF;
    struct reply r = {0};
    if (h->step == STEP_CONNECT)
        h->step = STEP_GREETING;
    if (h->step == STEP_EHLO && n > 4) {
        h->caps.size |= said(p + 4, n - 4, "SIZE");
        h->caps.eightbit |= said(p + 4, n - 4, "8BITMIME");
        h->caps.utf8 |= said(p + 4, n - 4, "SMTPUTF8");
        h->caps.pipelining |= said(p + 4, n - 4, "PIPELINING");
    }
    buf_init(&line, BOUND_SMTP_LINE * 2);
    buf_add(&line, p, n);
    if (n == 0 || p[n - 1] != '\n')
        buf_char(&line, '\n');
    if (reply_take(&r, &line) == REPLY_BROKEN)
        return;
    if (r.code >= 400)
        h->bad = r;
    h->authed |= h->step == STEP_AUTH && r.code == 235;
}

static int hop_debug(CURL *easy, curl_infotype type, char *p, size_t n, void *arg)
{
    struct hop *h = arg;
    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        hop_sent_line(h, p, n);
    else if (type == CURLINFO_HEADER_IN && !h->over)
        hop_got_line(h, p, n);
    return 0;
}

static size_t hop_swallow(char *p, size_t size, size_t n, void *arg)
{
    (void)p;
    (void)arg;
    return size * n;
}

/* ---- up or not ---------------------------------------------------------- */

static void hop_ready(evutil_socket_t fd, short what, void *arg)
{
    struct hop *h = arg;
    (void)fd;
    (void)what;
    h->ops->ready(h->arg);
}

static void hop_fail(struct hop *h, CURLcode rc)
{
    char text[sizeof(h->error) + BOUND_SMTP_TEXT];
    const char *why = h->error[0] ? h->error : curl_easy_strerror(rc);
    if (h->bad.code)
        snprintf(text, sizeof(text), "%s: %s", step_names[h->step], h->bad.text);
    else
        snprintf(text, sizeof(text), "%s: %s", step_names[h->step], why);
    h->ops->failed(h->arg, h->bad.code, text);
}

static void hop_is_up(struct hop *h)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    multi_rest(h->multi);
    if (h->to->user && !h->authed) {
        /* libcurl goes on without when the relay offers nothing it can use */
        h->ops->failed(h->arg, 0, "AUTH: the relay offers no usable way to sign in");
        return;
    }
    if (curl_easy_getinfo(h->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
        fd == CURL_SOCKET_BAD) {
        h->ops->failed(h->arg, 0, "connect: lost at once");
        return;
    }
    h->rd = event_new(h->base, fd, EV_READ | EV_PERSIST, hop_ready, h);
    h->wr = event_new(h->base, fd, EV_WRITE, hop_ready, h);
    event_add(h->rd, NULL);
    h->ops->up(h->arg);
}

static void hop_done(void *arg, void *own, CURLcode rc)
{
    struct hop *h = arg;
    (void)own;
    if (h->over)
        return;
    h->over = true;
    if (rc == CURLE_OK)
        hop_is_up(h);
    else
        hop_fail(h, rc);
}

/* ---- life ---------------------------------------------------------------- */

static void hop_set_url(struct hop *h)
{
    const struct hop_to *to = h->to;
    bool v6 = strchr(to->host, ':') != NULL;
    AUTO_FREE char *url = mem_printf("%s://%s%s%s:%u/%s", to->tls == HOP_TLS ? "smtps" : "smtp",
                                     v6 ? "[" : "", to->host, v6 ? "]" : "", to->port,
                                     to->helo ? to->helo : "");
    curl_easy_setopt(h->easy, CURLOPT_URL, url);
    curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(h->easy, CURLOPT_PROXY, ""); /* none, whatever the environment says */
    curl_easy_setopt(h->easy, CURLOPT_USE_SSL,
                     (long)(to->tls == HOP_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(h->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* or newer */
    curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (to->ca_file)
        curl_easy_setopt(h->easy, CURLOPT_CAINFO, to->ca_file);
}

static void hop_set_auth(struct hop *h)
{
    const struct hop_to *to = h->to;
    if (!to->user)
        return;
    curl_easy_setopt(h->easy, CURLOPT_USERNAME, to->user);
    if (to->auth == HOP_AUTH_PASSWORD) {
        curl_easy_setopt(h->easy, CURLOPT_PASSWORD, to->secret);
        return;
    }
    curl_easy_setopt(h->easy, CURLOPT_XOAUTH2_BEARER, to->secret);
    curl_easy_setopt(h->easy, CURLOPT_LOGIN_OPTIONS,
                     to->auth == HOP_AUTH_XOAUTH2 ? "AUTH=XOAUTH2" : "AUTH=OAUTHBEARER");
}

static void hop_set_callbacks(struct hop *h)
{
    curl_easy_setopt(h->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)h->to->connect_ms);
    curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error);
    curl_easy_setopt(h->easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(h->easy, CURLOPT_DEBUGFUNCTION, hop_debug);
    curl_easy_setopt(h->easy, CURLOPT_DEBUGDATA, h);
    curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, hop_swallow);
    curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, hop_swallow);
}

struct hop *hop_open(struct event_base *base, const struct hop_to *to,
                       const struct hop_ops *ops, void *arg)
{
    struct hop *h = mem_alloc(sizeof(*h));
    h->base = base;
    h->to = to;
    h->ops = ops;
    h->arg = arg;
    h->multi = multi_new(base, hop_done, h);
    h->easy = curl_easy_init();
    LEADD_ASSERT(h->easy);
    hop_set_url(h);
    hop_set_auth(h);
    hop_set_callbacks(h);
    curl_multi_add_handle(multi_handle(h->multi), h->easy);
    return h;
}

void hop_close(struct hop **hp)
{
    struct hop *h = *hp;
    *hp = NULL;
    if (!h)
        return;
    if (h->rd)
        event_free(h->rd);
    if (h->wr)
        event_free(h->wr);
    curl_multi_remove_handle(multi_handle(h->multi), h->easy);
    curl_easy_cleanup(h->easy);
    multi_free(&h->multi);
    mem_free(h);
}

const struct hop_caps *hop_caps(const struct hop *h)
{
    return &h->caps;
}

bool hop_may_hold_more(const struct hop *h, size_t got, size_t room)
{
    return got == room || h->to->tls != HOP_PLAIN; /* TLS decrypts more than it is asked for */
}

enum hop_result hop_send(struct hop *h, const char *p, size_t n, size_t *n_out)
{
    *n_out = 0;
    CURLcode rc = curl_easy_send(h->easy, p, n, n_out);
    if (rc == CURLE_OK && *n_out > 0)
        return HOP_OK;
    if (rc != CURLE_OK && rc != CURLE_AGAIN)
        return HOP_GONE;
    event_add(h->wr, NULL);
    return HOP_AGAIN;
}

enum hop_result hop_recv(struct hop *h, char *p, size_t n, size_t *n_out)
{
    *n_out = 0;
    CURLcode rc = curl_easy_recv(h->easy, p, n, n_out);
    if (rc == CURLE_AGAIN)
        return HOP_AGAIN;
    return rc == CURLE_OK && *n_out > 0 ? HOP_OK : HOP_GONE;
}
