/* SPDX-License-Identifier: ISC
 *
 * link - see link.h
 */
#include "intake/link.h"

#include <curl/curl.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "intake/guard.h"

#define LINK_BUFFER KIB(16)

struct link {
    struct desk *desk;
    const struct settings *set;
    CURLM *multi; /* own; the transfer stays in it while the link lives */
    CURL *easy;   /* own */
    int fd;       /* libcurl's socket */
    char curl_text[CURL_ERROR_SIZE];
    struct guard guard;
    int64_t deadline; /* of the command, monotonic */
    bool last;        /* the role ends: go on nevertheless */
    bool broken;
    struct err error;
    const char *greeting; /* what libetpan still has to be told */
    mailstream *stream;   /* borrowed: libetpan frees it */
    char ahead[LINK_BUFFER]; /* read and not yet taken as a line */
    size_t ahead_len;
};

void link_begin(struct link *l, struct link_limits limits)
{
    int64_t ms = l->set->command_ms + (int64_t)(limits.expected / BOUND_INTAKE_BYTES_PER_MS);
    l->deadline = clock_mono_ms() + ms;
    guard_allow(&l->guard, limits.bytes, limits.literal);
}

void link_begin_last(struct link *l, int ms)
{
    l->last = true;
    l->deadline = clock_mono_ms() + ms;
    guard_allow(&l->guard, KIB(64), 0);
}

void link_extend(struct link *l, int ms)
{
    l->deadline += ms;
}

const struct err *link_error(const struct link *l)
{
    return l->broken ? &l->error : NULL;
}

static void link_break(struct link *l, enum err_class cls, const char *text)
{
    if (!l->broken)
        err_set(&l->error, cls, "%s", text);
    l->broken = true;
}

/* Waits until the socket is ready, a frame came, or ms are over. */
static void link_wait(struct link *l, short what, int64_t ms)
{
    if (ms > 0)
        role_wait(l->desk->role, l->fd, what, (int)ms);
}

/* -1 when the command may not go on. */
static int link_may_go_on(struct link *l)
{
    if (l->broken)
        return -1;
    if (desk_over(l->desk) && !l->last) {
        link_break(l, ERR_TEMP, "told to end");
        return -1;
    }
    if (clock_mono_ms() >= l->deadline) {
        link_break(l, ERR_TEMP, "the server did not answer in time");
        return -1;
    }
    return 0;
}

/* What has arrived, 0 when nothing has, -1 when the link is broken. libcurl is
 * always asked first: TLS may hold decrypted bytes that no poll would show. */
static ssize_t link_receive(struct link *l, char *p, size_t n)
{
    size_t got = 0;
    CURLcode rc = curl_easy_recv(l->easy, p, n, &got);
    if (rc == CURLE_AGAIN)
        return 0;
    if (rc != CURLE_OK) {
        link_break(l, ERR_TEMP, curl_easy_strerror(rc));
        return -1;
    }
    if (got == 0) {
        link_break(l, ERR_TEMP, "the server closed the connection");
        return -1;
    }
    if (guard_check(&l->guard, p, got, &l->error) < 0) {
        l->broken = true;
        return -1;
    }
    return (ssize_t)got;
}

static ssize_t link_read(mailstream_low *low, void *p, size_t n)
{
    struct link *l = low->data;
    if (l->greeting) {
        size_t len = strlen(l->greeting);
        LEADD_ASSERT(len <= n);
        memcpy(p, l->greeting, len);
        l->greeting = NULL;
        return (ssize_t)len;
    }
    if (l->ahead_len > 0) {
        n = n < l->ahead_len ? n : l->ahead_len;
        memcpy(p, l->ahead, n);
        l->ahead_len -= n;
        memmove(l->ahead, l->ahead + n, l->ahead_len);
        return (ssize_t)n;
    }
    if (n > LINK_BUFFER)
        n = LINK_BUFFER; /* so that stop and deadline are seen between the blocks */
    while (link_may_go_on(l) == 0) {
        ssize_t got = link_receive(l, p, n);
        if (got != 0)
            return got;
        link_wait(l, EV_READ, l->deadline - clock_mono_ms());
    }
    return -1; /* never 0: libetpan would ask for ever */
}

int link_write(struct link *l, const char *p, size_t n)
{
    while (n > 0) {
        if (link_may_go_on(l) < 0)
            return -1;
        size_t sent = 0;
        CURLcode rc = curl_easy_send(l->easy, p, n, &sent);
        if (rc == CURLE_AGAIN) {
            link_wait(l, EV_WRITE, l->deadline - clock_mono_ms());
        } else if (rc != CURLE_OK) {
            link_break(l, ERR_TEMP, curl_easy_strerror(rc));
            return -1;
        }
        p += sent;
        n -= sent;
    }
    return 0;
}

static ssize_t link_low_write(mailstream_low *low, const void *p, size_t n)
{
    return link_write(low->data, p, n) < 0 ? -1 : (ssize_t)n;
}

static int link_low_close(mailstream_low *low)
{
    struct link *l = low->data;
    l->stream = NULL;
    return 0;
}

static int link_low_fd(mailstream_low *low)
{
    struct link *l = low->data;
    return l->fd;
}

static void link_low_free(mailstream_low *low)
{
    mem_free(low); /* allocated by libetpan */
}

static mailstream_low_driver link_driver = {
    .mailstream_read = link_read,
    .mailstream_write = link_low_write,
    .mailstream_close = link_low_close,
    .mailstream_get_fd = link_low_fd,
    .mailstream_free = link_low_free,
};

mailstream *link_stream(struct link *l)
{
    mailstream_low *low = mailstream_low_new(l, &link_driver);
    l->stream = low ? mailstream_new(low, LINK_BUFFER) : NULL;
    LEADD_ASSERT(l->stream);
    l->greeting = "* PREAUTH ready\r\n"; /* libcurl has read the real one and logged in */
    return l->stream;
}

/* Bytes that libetpan has read behind its last answer come first. */
static void link_take_ahead(struct link *l)
{
    mailstream *s = l->stream;
    if (!s || s->read_buffer_len == 0)
        return;
    size_t n = s->read_buffer_len;
    if (n > sizeof l->ahead - l->ahead_len)
        n = sizeof l->ahead - l->ahead_len;
    memcpy(l->ahead + l->ahead_len, s->read_buffer, n);
    l->ahead_len += n;
    s->read_buffer_len -= n;
    memmove(s->read_buffer, s->read_buffer + n, s->read_buffer_len);
}

static bool link_cut_line(struct link *l, struct buf *line)
{
    char *end = memchr(l->ahead, '\n', l->ahead_len);
    if (!end)
        return false;
    size_t n = (size_t)(end - l->ahead), used = n + 1;
    if (n > 0 && l->ahead[n - 1] == '\r')
        n--;
    buf_reset(line);
    buf_add(line, l->ahead, n);
    l->ahead_len -= used;
    memmove(l->ahead, l->ahead + used, l->ahead_len);
    return true;
}

enum link_line link_read_line(struct link *l, struct buf *line, int ms)
{
    int64_t until = clock_mono_ms() + ms;
    for (bool waited = false;; waited = true) {
        if (link_may_go_on(l) < 0)
            return LINK_BROKEN;
        link_take_ahead(l);
        if (link_cut_line(l, line))
            return LINK_LINE;
        if (l->ahead_len == sizeof l->ahead) {
            link_break(l, ERR_INPUT, "the server sent too long a line");
            return LINK_BROKEN;
        }
        ssize_t got = link_receive(l, l->ahead + l->ahead_len, sizeof l->ahead - l->ahead_len);
        if (got < 0)
            return LINK_BROKEN;
        l->ahead_len += (size_t)got;
        if (got > 0)
            continue;
        int64_t left = until - clock_mono_ms();
        if (waited || left <= 0)
            return LINK_NO_LINE;
        link_wait(l, EV_READ, left);
    }
}

/* ---- connecting ---- */

static int link_set_login(struct link *l, struct err *e)
{
    const struct settings *s = l->set;
    curl_easy_setopt(l->easy, CURLOPT_USERNAME, s->user);
    if (s->auth == SETTINGS_PASSWORD) {
        curl_easy_setopt(l->easy, CURLOPT_PASSWORD, s->password);
        return 0;
    }
    char *token = settings_read_token(s, e);
    if (!token)
        return -1;
    curl_easy_setopt(l->easy, CURLOPT_XOAUTH2_BEARER, token);
    curl_easy_setopt(l->easy, CURLOPT_LOGIN_OPTIONS,
                     s->auth == SETTINGS_XOAUTH2 ? "AUTH=XOAUTH2" : "AUTH=OAUTHBEARER");
    explicit_bzero(token, strlen(token));
    mem_free(token);
    return 0;
}

static void link_set_target(struct link *l)
{
    const struct settings *s = l->set;
    bool v6 = strchr(s->host, ':') && s->host[0] != '[';
    AUTO_FREE char *url = mem_printf("%s://%s%s%s:%d/", s->tls == SETTINGS_TLS ? "imaps" : "imap",
                                     v6 ? "[" : "", s->host, v6 ? "]" : "", s->port);
    curl_easy_setopt(l->easy, CURLOPT_URL, url);
    curl_easy_setopt(l->easy, CURLOPT_PROTOCOLS_STR, "imap,imaps");
    curl_easy_setopt(l->easy, CURLOPT_USE_SSL,
                     s->tls == SETTINGS_PLAIN ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
    curl_easy_setopt(l->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(l->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (s->ca_file)
        curl_easy_setopt(l->easy, CURLOPT_CAINFO, s->ca_file);
    curl_easy_setopt(l->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(l->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)s->connect_ms);
    curl_easy_setopt(l->easy, CURLOPT_TIMEOUT_MS, (long)s->connect_ms);
    curl_easy_setopt(l->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(l->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(l->easy, CURLOPT_ERRORBUFFER, l->curl_text);
}

/* Waits for whatever libcurl waits for; briefly, since it may be more than one
 * socket or none (a name being resolved). */
static void link_wait_curl(struct link *l)
{
    fd_set rd, wr, ex;
    int max = -1;
    long ms = -1;
    FD_ZERO(&rd);
    FD_ZERO(&wr);
    FD_ZERO(&ex);
    curl_multi_fdset(l->multi, &rd, &wr, &ex, &max);
    curl_multi_timeout(l->multi, &ms);
    if (ms < 0 || ms > 100)
        ms = 100;
    short what = 0;
    if (max >= 0)
        what = (short)((FD_ISSET(max, &rd) ? EV_READ : 0) | (FD_ISSET(max, &wr) ? EV_WRITE : 0));
    role_wait(l->desk->role, what ? max : -1, what, (int)ms);
}

/* Runs the transfer, which ends when the login is through. */
static int link_connect(struct link *l, CURLcode *rc)
{
    int running = 1, queued;
    while (running && !desk_over(l->desk)) {
        if (curl_multi_perform(l->multi, &running) != CURLM_OK)
            return -1;
        CURLMsg *m = curl_multi_info_read(l->multi, &queued);
        if (m && m->msg == CURLMSG_DONE) {
            *rc = m->data.result;
            return 0;
        }
        if (running)
            link_wait_curl(l);
    }
    return -1;
}

static enum link_trouble link_judge(CURLcode rc)
{
    switch (rc) {
    case CURLE_LOGIN_DENIED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_USE_SSL_FAILED:
    case CURLE_AUTH_ERROR:
        return LINK_TROUBLE_REFUSED;
    default:
        return LINK_TROUBLE_NETWORK;
    }
}

static int link_fail(struct link *l, CURLcode rc, enum link_trouble *why, struct err *e)
{
    const char *what = "";
    *why = link_judge(rc);
    if (rc == CURLE_LOGIN_DENIED || rc == CURLE_AUTH_ERROR)
        what = "login refused: ";
    else if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_ISSUER_ERROR)
        what = "certificate refused: ";
    else if (rc == CURLE_USE_SSL_FAILED)
        what = "no TLS: ";
    return err_set(e, *why == LINK_TROUBLE_REFUSED ? ERR_PERM : ERR_TEMP, "%s:%d: %s%s",
                   l->set->host, l->set->port, what,
                   l->curl_text[0] ? l->curl_text : curl_easy_strerror(rc));
}

static int link_try(struct link *l, enum link_trouble *why, struct err *e)
{
    CURLcode rc = CURLE_FAILED_INIT;
    curl_socket_t fd = CURL_SOCKET_BAD;
    *why = LINK_TROUBLE_REFUSED;
    link_set_target(l);
    if (link_set_login(l, e) < 0)
        return -1;
    curl_multi_add_handle(l->multi, l->easy);
    *why = LINK_TROUBLE_NETWORK;
    if (link_connect(l, &rc) < 0)
        return err_set(e, ERR_TEMP, "told to end");
    if (rc != CURLE_OK)
        return link_fail(l, rc, why, e);
    rc = curl_easy_getinfo(l->easy, CURLINFO_ACTIVESOCKET, &fd);
    if (rc != CURLE_OK || fd == CURL_SOCKET_BAD)
        return err_set(e, ERR_TEMP, "%s:%d: the connection was lost", l->set->host, l->set->port);
    l->fd = (int)fd;
    return 0;
}

struct link *link_open(struct desk *d, const struct settings *s, enum link_trouble *why,
                       struct err *e)
{
    struct link *l = mem_alloc(sizeof *l);
    l->desk = d;
    l->set = s;
    l->fd = -1;
    guard_init(&l->guard);
    l->multi = curl_multi_init();
    l->easy = curl_easy_init();
    LEADD_ASSERT(l->multi && l->easy);
    if (link_try(l, why, e) < 0)
        link_free(&l);
    return l;
}

void link_free(struct link **lp)
{
    struct link *l = *lp;
    if (!l)
        return;
    LEADD_ASSERT(!l->stream);
    curl_multi_remove_handle(l->multi, l->easy);
    curl_easy_cleanup(l->easy);
    curl_multi_cleanup(l->multi);
    mem_free(l);
    *lp = NULL;
}
