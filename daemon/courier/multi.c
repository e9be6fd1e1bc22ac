/* SPDX-License-Identifier: ISC
 *
 * multi - see multi.h
 */
#include "courier/multi.h"

#include "base/mem.h"

struct multi {
    struct event_base *base;
    CURLM *curl;         /* own */
    struct event *timer; /* own; libcurl's */
    multi_done_fn done;
    void *arg;
};

/* A socket that libcurl wants watched. */
struct watch {
    struct multi *multi;
    struct event *ev; /* own */
};

/* Those that have ended by what libcurl has just done. */
static void multi_check(struct multi *m)
{
    CURLMsg *msg;
    int left;
    while ((msg = curl_multi_info_read(m->curl, &left))) {
        void *own = NULL;
        CURLcode rc = msg->data.result;
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&own);
        m->done(m->arg, own, rc); /* msg is not valid any more */
    }
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct multi *m = ((struct watch *)arg)->multi;
    int running, mask = (what & EV_READ ? CURL_CSELECT_IN : 0) |
                        (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(m->curl, fd, mask, &running); /* may free the watch */
    multi_check(m);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *fd_arg)
{
    struct multi *m = arg;
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
        w->multi = m;
        curl_multi_assign(m->curl, fd, w);
    }
    short ev = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    w->ev = event_new(m->base, fd, (short)(ev | EV_PERSIST), on_socket, w);
    event_add(w->ev, NULL);
    return 0;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct multi *m = arg;
    int running;
    (void)fd;
    (void)what;
    curl_multi_socket_action(m->curl, CURL_SOCKET_TIMEOUT, 0, &running);
    multi_check(m);
}

static int set_timer(CURLM *curl, long ms, void *arg)
{
    struct multi *m = arg;
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    (void)curl;
    if (ms < 0)
        event_del(m->timer);
    else
        event_add(m->timer, &tv);
    return 0;
}

struct multi *multi_new(struct event_base *base, multi_done_fn done, void *arg)
{
    struct multi *m = mem_alloc(sizeof(*m));
    *m = (struct multi){.base = base, .curl = curl_multi_init(), .done = done, .arg = arg};
    LEADD_ASSERT(m->curl);
    m->timer = event_new(base, -1, 0, on_timer, m);
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
    return m;
}

void multi_free(struct multi **mp)
{
    struct multi *m = *mp;
    *mp = NULL;
    if (!m)
        return;
    curl_multi_cleanup(m->curl);
    event_free(m->timer);
    mem_free(m);
}

CURLM *multi_handle(const struct multi *m)
{
    return m->curl;
}

void multi_rest(struct multi *m)
{
    event_del(m->timer);
}
