/* SPDX-License-Identifier: ISC
 *
 * sink - an SMTP server that takes everything, counts it, and keeps nothing
 *
 *   sink PORT COUNTS [-n]      -n: does not offer PIPELINING
 *
 * COUNTS is a file that always holds three little-endian 64-bit numbers: mails
 * taken, and when (monotonic, microseconds) the first MAIL and the last final
 * dot came. At SIGTERM one line of JSON on stdout: mails, recipients, octets,
 * reads and how long the dialogues took from MAIL to the final dot, which is
 * where a wait of Nagle's algorithm for a delayed acknowledgement would show.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN_MAX 65536
#define OUT_MAX 8192
#define TIMES_MAX 1000000
#define CONNS_MAX 1024

struct counts {
    uint64_t mails;
    int64_t first_us, last_us;
};

struct conn {
    int fd;
    bool data, quit;
    int64_t began_us;
    size_t have, say;
    char in[IN_MAX], out[OUT_MAX];
};

static struct counts *counts;
static struct conn *conns[CONNS_MAX]; /* by descriptor */
static uint32_t *times_us;
static uint64_t recipients, octets, reads;
static bool pipelining = true;
static volatile sig_atomic_t stop;

static int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void on_stop(int sig)
{
    (void)sig;
    stop = 1;
}

static void say(struct conn *c, const char *text)
{
    size_t n = strlen(text);
    if (c->say + n <= OUT_MAX) {
        memcpy(c->out + c->say, text, n);
        c->say += n;
    }
}

static bool is(const char *line, size_t n, const char *word)
{
    return n >= strlen(word) && strncasecmp(line, word, strlen(word)) == 0;
}

static void command(struct conn *c, const char *line, size_t n)
{
    if (is(line, n, "EHLO")) {
        say(c, "250-sink\r\n");
        say(c, pipelining ? "250-PIPELINING\r\n" : "");
        say(c, "250-SIZE 100000000\r\n250 8BITMIME\r\n");
    } else if (is(line, n, "MAIL")) {
        c->began_us = now_us();
        if (!counts->first_us)
            counts->first_us = c->began_us;
        say(c, "250 2.1.0 Ok\r\n");
    } else if (is(line, n, "RCPT")) {
        recipients++;
        say(c, "250 2.1.5 Ok\r\n");
    } else if (is(line, n, "DATA")) {
        c->data = true;
        say(c, "354 End data with <CR><LF>.<CR><LF>\r\n");
    } else if (is(line, n, "QUIT")) {
        c->quit = true;
        say(c, "221 2.0.0 Bye\r\n");
    } else if (is(line, n, "HELO") || is(line, n, "RSET") || is(line, n, "NOOP")) {
        say(c, "250 2.0.0 Ok\r\n");
    } else {
        say(c, "500 5.5.2 What\r\n");
    }
}

static void taken(struct conn *c)
{
    c->data = false;
    counts->last_us = now_us();
    if (counts->mails < TIMES_MAX)
        times_us[counts->mails] = (uint32_t)(counts->last_us - c->began_us);
    counts->mails++;
    say(c, "250 2.0.0 Ok: queued\r\n");
}

/* Takes what is whole off the front; what is left is moved there. */
static void conn_lines(struct conn *c)
{
    size_t at = 0;
    while (at < c->have && !c->quit) {
        const char *p = c->in + at;
        const char *nl = memchr(p, '\n', c->have - at);
        if (!nl)
            break;
        size_t n = (size_t)(nl + 1 - p);
        at += n;
        if (!c->data)
            command(c, p, n);
        else if (n == 3 && p[0] == '.' && p[1] == '\r')
            taken(c);
        else
            octets += n;
    }
    c->have -= at;
    memmove(c->in, c->in + at, c->have);
}

static void conn_ready(struct conn *c)
{
    ssize_t n = recv(c->fd, c->in + c->have, IN_MAX - c->have, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    reads++;
    c->say = 0;
    if (n > 0) {
        c->have += (size_t)n;
        conn_lines(c);
    }
    if (c->say && send(c->fd, c->out, c->say, MSG_NOSIGNAL) != (ssize_t)c->say)
        n = 0;
    if (n <= 0 || c->quit || c->have == IN_MAX) {
        close(c->fd);
        conns[c->fd] = NULL;
        free(c);
    }
}

static void conn_new(int epoll, int listener)
{
    int on = 1, fd = accept(listener, NULL, NULL);
    struct conn *c = fd >= 0 && fd < CONNS_MAX ? calloc(1, sizeof(*c)) : NULL;
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
    if (!c)
        return;
    c->fd = fd;
    conns[fd] = c;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
    say(c, "220 sink ESMTP\r\n");
    if (send(fd, c->out, c->say, MSG_NOSIGNAL) != (ssize_t)c->say)
        perror("sink: greeting");
}

static int listen_on(unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 128) < 0) {
        perror("sink");
        exit(1);
    }
    return fd;
}

static void open_counts(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(*counts)) < 0) {
        perror(path);
        exit(1);
    }
    counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    times_us = calloc(TIMES_MAX, sizeof(*times_us));
    if (counts == MAP_FAILED || !times_us)
        exit(71);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void report(void)
{
    struct rusage ru;
    size_t n = counts->mails < TIMES_MAX ? counts->mails : TIMES_MAX;
    qsort(times_us, n, sizeof(*times_us), by_value);
    getrusage(RUSAGE_SELF, &ru);
    printf("{\"mails\": %llu, \"recipients\": %llu, \"octets\": %llu, \"reads\": %llu, "
           "\"seconds\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, "
           "\"cpu\": %.3f}\n",
           (unsigned long long)counts->mails, (unsigned long long)recipients,
           (unsigned long long)octets, (unsigned long long)reads,
           (double)(counts->last_us - counts->first_us) / 1e6, n ? times_us[(n - 1) / 2] / 1e3 : 0,
           n ? times_us[(n - 1) * 99 / 100] / 1e3 : 0, n ? times_us[n - 1] / 1e3 : 0,
           (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
               (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: sink PORT COUNTS [-n]\n");
        return 64;
    }
    pipelining = argc < 4;
    open_counts(argv[2]);
    int listener = listen_on((unsigned)strtoul(argv[1], NULL, 10)), epoll = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN};
    struct sigaction sa = {.sa_handler = on_stop};
    sigaction(SIGTERM, &sa, NULL);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev);
    puts("ready");
    fflush(stdout);
    while (!stop) {
        struct epoll_event got[64];
        int n = epoll_wait(epoll, got, 64, -1);
        for (int i = 0; i < n; i++) {
            if (got[i].data.ptr)
                conn_ready(got[i].data.ptr);
            else
                conn_new(epoll, listener);
        }
    }
    report();
    return 0;
}
