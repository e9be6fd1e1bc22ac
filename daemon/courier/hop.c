/* SPDX-License-Identifier: ISC
 *
 * hop - see hop.h
 */
#include "courier/hop.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "courier/reply.h"

#define HOP_FDS 8

/* How far libcurl got, as its commands tell; for the text of a failure. */
enum hop_step { STEP_CONNECT, STEP_GREETING, STEP_EHLO, STEP_STARTTLS, STEP_AUTH };
static const char *const step_names[] = {"connect", "greeting", "EHLO", "STARTTLS", "AUTH"};

struct hop {
    struct event_base *base;
    const struct hop_to *to;
    const struct hop_ops *ops;
    void *arg;
    CURLM *multi;
    CURL *easy;
    struct event *timer;    /* libcurl's */
    struct event *rd, *wr;  /* ours, once up */
    int fds[HOP_FDS];      /* libcurl's open sockets; -1 free */
    enum hop_step step;
    struct reply bad;       /* the last reply of 4xx or 5xx while connecting */
    struct hop_caps caps;
    bool authed, over;      /* over: up or failed was called */
    char error[CURL_ERROR_SIZE];
};

/* A socket that libcurl wants watched while connecting. */
struct watch {
    struct hop *hop;
    struct event *ev;
};

static void hop_check(struct hop *l);

/* ---- what libcurl says and hears while connecting ---------------------- */

static void hop_shutdown(struct hop *l)
{
    for (size_t i = 0; i < HOP_FDS; i++)
        if (l->fds[i] >= 0)
            shutdown(l->fds[i], SHUT_RDWR);
}

static bool said(const char *p, size_t n, const char *word)
{
    return n >= strlen(word) && strncasecmp(p, word, strlen(word)) == 0;
}

static void hop_sent_line(struct hop *l, const char *p, size_t n)
{
    if (!said(p, n, "QUIT"))
        l->bad = (struct reply){0}; /* libcurl went on from it, e.g. from EHLO to HELO */
    if (said(p, n, "EHLO") || said(p, n, "HELO")) {
        l->step = STEP_EHLO;
        l->caps = (struct hop_caps){0};
    } else if (said(p, n, "STARTTLS")) {
        l->step = STEP_STARTTLS;
    } else if (said(p, n, "AUTH")) {
        l->step = STEP_AUTH;
    } else if (said(p, n, "QUIT")) {
        hop_shutdown(l); /* libcurl would now wait for the answer, and everybody with it */
    }
}

static void hop_got_line(struct hop *l, const char *p, size_t n)
{
    struct buf line AUTO_BUF;
    struct reply r = {0};
    if (l->step == STEP_CONNECT)
        l->step = STEP_GREETING;
    if (l->step == STEP_EHLO && n > 4) {
        l->caps.size |= said(p + 4, n - 4, "SIZE");
        l->caps.eightbit |= said(p + 4, n - 4, "8BITMIME");
        l->caps.utf8 |= said(p + 4, n - 4, "SMTPUTF8");
    }
    buf_init(&line, BOUND_SMTP_LINE * 2);
    buf_add(&line, p, n);
    if (n == 0 || p[n - 1] != '\n')
        buf_char(&line, '\n');
    if (reply_take(&r, &line) == REPLY_BROKEN)
        return;
    if (r.code >= 400)
        l->bad = r;
    l->authed |= l->step == STEP_AUTH && r.code == 235;
}

static int hop_debug(CURL *easy, curl_infotype type, char *p, size_t n, void *arg)
{
    struct hop *l = arg;
    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        hop_sent_line(l, p, n);
    else if (type == CURLINFO_HEADER_IN && !l->over)
        hop_got_line(l, p, n);
    return 0;
}

static curl_socket_t hop_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct hop *l = arg;
    (void)purpose;
    for (size_t i = 0; i < HOP_FDS; i++) {
        if (l->fds[i] >= 0)
            continue;
        l->fds[i] = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
        return l->fds[i] < 0 ? CURL_SOCKET_BAD : l->fds[i];
    }
    return CURL_SOCKET_BAD;
}

static int hop_socket_close(void *arg, curl_socket_t fd)
{
    struct hop *l = arg;
    for (size_t i = 0; i < HOP_FDS; i++)
        if (l->fds[i] == fd)
            l->fds[i] = -1;
    return close(fd);
}

static size_t hop_swallow(char *p, size_t size, size_t n, void *arg)
{
    (void)p;
    (void)arg;
    return size * n;
}

/* ---- libcurl on the loop ----------------------------------------------- */

static void hop_curl_ready(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;
    struct hop *l = w->hop;
    int running, mask = (what & EV_READ ? CURL_CSELECT_IN : 0) |
                        (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(l->multi, fd, mask, &running); /* may free w */
    hop_check(l);
}

static int hop_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *fd_arg)
{
    struct hop *l = arg;
    struct watch *w = fd_arg;
    (void)easy;
    if (w) {
        event_free(w->ev);
        w->ev = NULL;
    }
    if (what == CURL_POLL_REMOVE) {
        mem_free(w);
        return 0;
    }
    if (!w) {
        w = mem_alloc(sizeof(*w));
        w->hop = l;
        curl_multi_assign(l->multi, fd, w);
    }
    short ev = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    w->ev = event_new(l->base, fd, (short)(ev | EV_PERSIST), hop_curl_ready, w);
    event_add(w->ev, NULL);
    return 0;
}

static void hop_curl_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct hop *l = arg;
    int running;
    (void)fd;
    (void)what;
    curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    hop_check(l);
}

static int hop_curl_timer(CURLM *multi, long ms, void *arg)
{
    struct hop *l = arg;
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    (void)multi;
    if (ms < 0)
        event_del(l->timer);
    else
        event_add(l->timer, &tv);
    return 0;
}

/* ---- up or not ---------------------------------------------------------- */

static void hop_ready(evutil_socket_t fd, short what, void *arg)
{
    struct hop *l = arg;
    (void)fd;
    (void)what;
    l->ops->ready(l->arg);
}

static void hop_fail(struct hop *l, CURLcode rc)
{
    char text[sizeof(l->error) + BOUND_SMTP_TEXT];
    const char *why = l->error[0] ? l->error : curl_easy_strerror(rc);
    if (l->bad.code)
        snprintf(text, sizeof(text), "%s: %s", step_names[l->step], l->bad.text);
    else
        snprintf(text, sizeof(text), "%s: %s", step_names[l->step], why);
    l->ops->failed(l->arg, l->bad.code, text);
}

static void hop_is_up(struct hop *l)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    event_del(l->timer);
    if (l->to->user && !l->authed) {
        /* libcurl goes on without when the relay offers nothing it can use */
        l->ops->failed(l->arg, 0, "AUTH: the relay offers no usable way to sign in");
        return;
    }
    if (curl_easy_getinfo(l->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
        fd == CURL_SOCKET_BAD) {
        l->ops->failed(l->arg, 0, "connect: lost at once");
        return;
    }
    l->rd = event_new(l->base, fd, EV_READ | EV_PERSIST, hop_ready, l);
    l->wr = event_new(l->base, fd, EV_WRITE, hop_ready, l);
    event_add(l->rd, NULL);
    l->ops->up(l->arg);
}

static void hop_check(struct hop *l)
{
    int left;
    CURLMsg *m = curl_multi_info_read(l->multi, &left);
    if (!m || m->msg != CURLMSG_DONE || l->over)
        return;
    CURLcode rc = m->data.result;
    l->over = true;
    if (rc == CURLE_OK)
        hop_is_up(l);
    else
        hop_fail(l, rc);
}

/* ---- life ---------------------------------------------------------------- */

static void hop_set_url(struct hop *l)
{
    const struct hop_to *to = l->to;
    bool v6 = strchr(to->host, ':') != NULL;
    AUTO_FREE char *url = mem_printf("%s://%s%s%s:%u/%s", to->tls == HOP_TLS ? "smtps" : "smtp",
                                     v6 ? "[" : "", to->host, v6 ? "]" : "", to->port,
                                     to->helo ? to->helo : "");
    curl_easy_setopt(l->easy, CURLOPT_URL, url);
    curl_easy_setopt(l->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(l->easy, CURLOPT_PROXY, ""); /* none, whatever the environment says */
    curl_easy_setopt(l->easy, CURLOPT_USE_SSL,
                     (long)(to->tls == HOP_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(l->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(l->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (to->ca_file)
        curl_easy_setopt(l->easy, CURLOPT_CAINFO, to->ca_file);
}

static void hop_set_auth(struct hop *l)
{
    const struct hop_to *to = l->to;
    if (!to->user)
        return;
    curl_easy_setopt(l->easy, CURLOPT_USERNAME, to->user);
    if (to->auth == HOP_AUTH_PASSWORD) {
        curl_easy_setopt(l->easy, CURLOPT_PASSWORD, to->secret);
        return;
    }
    curl_easy_setopt(l->easy, CURLOPT_XOAUTH2_BEARER, to->secret);
    curl_easy_setopt(l->easy, CURLOPT_LOGIN_OPTIONS,
                     to->auth == HOP_AUTH_XOAUTH2 ? "AUTH=XOAUTH2" : "AUTH=OAUTHBEARER");
}

static void hop_set_callbacks(struct hop *l)
{
    curl_easy_setopt(l->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(l->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(l->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)l->to->connect_ms);
    curl_easy_setopt(l->easy, CURLOPT_ERRORBUFFER, l->error);
    curl_easy_setopt(l->easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(l->easy, CURLOPT_DEBUGFUNCTION, hop_debug);
    curl_easy_setopt(l->easy, CURLOPT_DEBUGDATA, l);
    curl_easy_setopt(l->easy, CURLOPT_WRITEFUNCTION, hop_swallow);
    curl_easy_setopt(l->easy, CURLOPT_HEADERFUNCTION, hop_swallow);
    curl_easy_setopt(l->easy, CURLOPT_OPENSOCKETFUNCTION, hop_socket);
    curl_easy_setopt(l->easy, CURLOPT_OPENSOCKETDATA, l);
    curl_easy_setopt(l->easy, CURLOPT_CLOSESOCKETFUNCTION, hop_socket_close);
    curl_easy_setopt(l->easy, CURLOPT_CLOSESOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, hop_curl_socket);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, hop_curl_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
}

struct hop *hop_open(struct event_base *base, const struct hop_to *to,
                       const struct hop_ops *ops, void *arg)
{
    struct hop *l = mem_alloc(sizeof(*l));
    l->base = base;
    l->to = to;
    l->ops = ops;
    l->arg = arg;
    for (size_t i = 0; i < HOP_FDS; i++)
        l->fds[i] = -1;
    l->timer = event_new(base, -1, 0, hop_curl_timeout, l);
    l->multi = curl_multi_init();
    l->easy = curl_easy_init();
    LEADD_ASSERT(l->multi && l->easy);
    hop_set_url(l);
    hop_set_auth(l);
    hop_set_callbacks(l);
    curl_multi_add_handle(l->multi, l->easy);
    return l;
}

void hop_close(struct hop **lp)
{
    struct hop *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    hop_shutdown(l);
    if (l->rd)
        event_free(l->rd);
    if (l->wr)
        event_free(l->wr);
    curl_multi_remove_handle(l->multi, l->easy);
    curl_easy_cleanup(l->easy);
    curl_multi_cleanup(l->multi);
    event_free(l->timer);
    mem_free(l);
}

const struct hop_caps *hop_caps(const struct hop *l)
{
    return &l->caps;
}

enum hop_result hop_send(struct hop *l, const char *p, size_t n, size_t *n_out)
{
    *n_out = 0;
    CURLcode rc = curl_easy_send(l->easy, p, n, n_out);
    if (rc == CURLE_OK && *n_out > 0)
        return HOP_OK;
    if (rc != CURLE_OK && rc != CURLE_AGAIN)
        return HOP_GONE;
    event_add(l->wr, NULL);
    return HOP_AGAIN;
}

enum hop_result hop_recv(struct hop *l, char *p, size_t n, size_t *n_out)
{
    *n_out = 0;
    CURLcode rc = curl_easy_recv(l->easy, p, n, n_out);
    if (rc == CURLE_AGAIN)
        return HOP_AGAIN;
    return rc == CURLE_OK && *n_out > 0 ? HOP_OK : HOP_GONE;
}
