/* SPDX-License-Identifier: ISC
 *
 * post - posts forms as fast as they are answered, and counts by itself
 *
 *   post PORT FIRST TOTAL CONNECTIONS
 *
 * Keep-alive connections, one request at a time on each, every form of another
 * sender. Only 200 counts; the first answer that is none is shown. One line of
 * JSON on stdout; exit 1 when any form was not answered by 200. One thread and
 * epoll, so that the generator takes little of the machine that it measures.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX 65536
#define STALL_MS 30000 /* nothing at all happened for so long: give up */

struct conn {
    int fd;
    int64_t began_us; /* of the request that is out */
    size_t have;
    char answer[ANSWER_MAX];
};

struct load {
    int epoll;
    long next, end, ok, bad, live;
    uint32_t *times_us; /* of the answers with 200 */
    bool shown;
};

static int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static double cpu_s(void)
{
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
           (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static void conn_end(struct load *l, struct conn *c)
{
    close(c->fd);
    c->fd = -1;
    l->live--;
}

static void conn_fail(struct load *l, struct conn *c, const char *what)
{
    l->bad++;
    if (!l->shown)
        fprintf(stderr, "post: %s\n", what);
    l->shown = true;
    conn_end(l, c);
}

/* The next form on this connection, or its end. */
static void conn_post(struct load *l, struct conn *c)
{
    char body[256], request[768];
    if (l->next == l->end) {
        conn_end(l, c);
        return;
    }
    long n = l->next++;
    int len = snprintf(body, sizeof(body),
                       "email=p%ld%%40shop%ld.example&name=Ada+%ld&message=hello", n, n, n);
    int all = snprintf(request, sizeof(request),
                       "POST /form/contact HTTP/1.1\r\nHost: x\r\n"
                       "Content-Type: application/x-www-form-urlencoded\r\n"
                       "Content-Length: %d\r\n\r\n%s",
                       len, body);
    c->have = 0;
    c->began_us = now_us();
    if (send(c->fd, request, (size_t)all, MSG_NOSIGNAL) != all)
        conn_fail(l, c, "a request was not taken whole");
}

/* The length of the whole answer once its head is there, else 0. */
static size_t answer_size(const char *p)
{
    const char *end = strstr(p, "\r\n\r\n");
    if (!end)
        return 0;
    for (const char *line = strstr(p, "\r\n"); line && line < end; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, "Content-Length:", 15) == 0)
            return (size_t)(end + 4 - p) + strtoul(line + 17, NULL, 10);
    return (size_t)(end + 4 - p);
}

static void conn_read(struct load *l, struct conn *c)
{
    ssize_t n = recv(c->fd, c->answer + c->have, ANSWER_MAX - 1 - c->have, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        conn_fail(l, c, "hung up before the answer");
        return;
    }
    c->have += (size_t)n;
    c->answer[c->have] = '\0';
    size_t size = answer_size(c->answer);
    if (size == 0 || c->have < size) {
        if (c->have == ANSWER_MAX - 1)
            conn_fail(l, c, "the answer is too long");
        return;
    }
    if (strncmp(c->answer, "HTTP/1.1 200", 12) != 0) {
        c->answer[strcspn(c->answer, "\r")] = '\0';
        conn_fail(l, c, c->answer);
        return;
    }
    l->times_us[l->ok++] = (uint32_t)(now_us() - c->began_us);
    conn_post(l, c);
}

static void conn_open(struct load *l, struct conn *c, unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
        epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) < 0) {
        perror("post: connect");
        exit(1);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    l->live++;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double at_ms(const struct load *l, long percent)
{
    return l->ok ? (double)l->times_us[(l->ok - 1) * percent / 100] / 1000 : 0;
}

int main(int argc, char **argv)
{
    struct load l = {.epoll = epoll_create1(0)};
    if (argc != 5) {
        fprintf(stderr, "usage: post PORT FIRST TOTAL CONNECTIONS\n");
        return 64;
    }
    unsigned port = (unsigned)strtoul(argv[1], NULL, 10);
    long total = strtol(argv[3], NULL, 10), count = strtol(argv[4], NULL, 10);
    l.next = strtol(argv[2], NULL, 10);
    l.end = l.next + total;
    l.times_us = calloc((size_t)total + 1, sizeof(*l.times_us));
    struct conn *conns = calloc((size_t)count, sizeof(*conns));
    if (!l.times_us || !conns)
        return 71;
    for (long i = 0; i < count; i++)
        conn_open(&l, &conns[i], port);
    int64_t began = now_us();
    for (long i = 0; i < count; i++)
        conn_post(&l, &conns[i]);
    while (l.live > 0) {
        struct epoll_event got[64];
        int n = epoll_wait(l.epoll, got, 64, STALL_MS);
        if (n == 0) {
            fprintf(stderr, "post: no answer for %d s\n", STALL_MS / 1000);
            return 1;
        }
        for (int i = 0; i < n; i++)
            conn_read(&l, got[i].data.ptr);
    }
    double seconds = (double)(now_us() - began) / 1e6;
    qsort(l.times_us, (size_t)l.ok, sizeof(*l.times_us), by_value);
    printf("{\"ok\": %ld, \"bad\": %ld, \"seconds\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
           "\"max_ms\": %.3f, \"cpu\": %.3f}\n",
           l.ok, total - l.ok, seconds, at_ms(&l, 50), at_ms(&l, 99), at_ms(&l, 100), cpu_s());
    free(l.times_us);
    free(conns);
    return l.ok == total ? 0 : 1;
}
