/* SPDX-License-Identifier: ISC
 *
 * fuzz_http - any bytes from browsers, and any answers of the engine
 *
 * The role web-in runs here behind a real socket. Records as in play.h: a, b and c
 * are three connections, whose text is written as it is; A, B and C close them; e
 * speaks as the engine ('=' answers the last form), n brings a new engine, d ends
 * it, x writes bytes on its channel.
 *
 * The role stays and accounts for what it parks; every form it hands on is whole
 * and bounded; what a client gets is HTTP with a known status, and no header but
 * our own.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "play.h"
#include "web/web_in.h"

#define RECORDS 48
#define CLIENTS 3
#define ANSWER MIB(2) /* bytes kept of what a client gets */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char conf[] =
    "{\"web\":{\"max_body\":65536,\"timeout\":20000,\"rate\":0,\"trusted_proxies\":[\"127.0.0.1\"]},"
    "\"forms\":{\"contact\":{\"fields\":{\"email\":{\"to\":\"contact.email\"},\"name\":{\"to\":"
    "\"contact.name\"}},\"required\":[\"email\"],\"origins\":[\"https://www.example.com\"],"
    "\"redirect\":\"https://www.example.com/thanks\"},"
    "\"open\":{\"fields\":{\"text\":{\"to\":\"message.text\"}},\"required\":[],\"origins\":[]}}}";

struct client {
    int fd;
    struct buf got;
};

struct world {
    struct play play;
    struct play_end engine;
    struct client clients[CLIENTS];
    uint64_t last;
};

static struct sockaddr_in address;
static int listener = -1;

static void listener_open(void)
{
    socklen_t n = sizeof(address);
    address = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    LEADD_ASSERT(listener >= 0 && bind(listener, (struct sockaddr *)&address, n) == 0);
    LEADD_ASSERT(listen(listener, 64) == 0);
    LEADD_ASSERT(getsockname(listener, (struct sockaddr *)&address, &n) == 0);
}

/* ---- what the role says ------------------------------------------------------- */

static void on_frame(void *arg, struct frame *f)
{
    struct world *w = arg;
    const char *name = json_get_str(f->json, "form", "");
    LEADD_ASSERT(f->type == FRAME_FORM && f->id > 0);
    LEADD_ASSERT(strcmp(name, "contact") == 0 || strcmp(name, "open") == 0);
    LEADD_ASSERT(f->raw_len <= 65536 && json_get_obj(f->json, "fields"));
    size_t n = strlen(json_get_str(f->json, "request_id", ""));
    LEADD_ASSERT(n >= 3 && n <= BOUND_HTTP_KEY + 16);
    LEADD_ASSERT(text_is_single_line(json_get_str(f->json, "remote", "\n")));
    LEADD_ASSERT(strcmp(name, "open") == 0 ||
                 strchr(json_get_str(json_get_obj(f->json, "fields"), "email", ""), '@'));
    w->last = f->id;
}

static bool known_header(const char *line, size_t n)
{
    static const char *const names[] = {
        "Content-Type", "Content-Length", "Connection", "Date", "Location", "Allow", "Retry-After",
        "Access-Control-", "Vary", "X-Content-Type-Options", "Content-Security-Policy",
        "Referrer-Policy", "Cache-Control", "X-Frame-Options", "Transfer-Encoding", "Server",
        "Cross-Origin-", "Permissions-Policy"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (n > strlen(names[i]) && strncasecmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* One answer at p; the bytes it has, 0 when it is not whole. */
static size_t check_answer(const char *p, size_t n)
{
    size_t length = 0;
    const char *end = memmem(p, n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    /* evhttp echoes the client's version */
    const char *space = strchr(p, ' ');
    LEADD_ASSERT(strncmp(p, "HTTP/", 5) == 0 && space && space < p + 16);
    long code = strtol(space, NULL, 10);
    LEADD_ASSERT(code == 100 || (code >= 200 && code <= 505));
    for (const char *line = strstr(p, "\r\n") + 2; line < end + 2; line = strstr(line, "\r\n") + 2) {
        LEADD_ASSERT(known_header(line, (size_t)(end + 2 - line)));
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            length = strtoul(line + 15, NULL, 10);
        if (strncasecmp(line, "Location: ", 10) == 0)
            LEADD_ASSERT(strncmp(line + 10, "https://www.example.com/thanks\r\n", 32) == 0);
    }
    return (size_t)(end - p) + 4 + length;
}

static void client_read(struct client *c)
{
    char chunk[KIB(16)];
    ssize_t n;
    while (c->fd >= 0 && (n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
        buf_add(&c->got, chunk, (size_t)n);
}

/* Answers to HEAD have a length and no body, so only the first is surely cut right. */
static void client_check(struct client *c)
{
    if (c->got.len > 0)
        check_answer(c->got.data, c->got.len);
}

/* ---- what the clients say ------------------------------------------------------ */

static void client_close(struct client *c)
{
    struct linger hard = {1, 0};
    if (c->fd < 0)
        return;
    client_read(c);
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(c->fd);
    c->fd = -1;
}

static void client_write(struct client *c, struct str bytes)
{
    if (c->fd < 0) {
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        LEADD_ASSERT(c->fd >= 0);
        if (connect(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
            client_close(c);
            return;
        }
    }
    play_bytes(c->fd, bytes);
}

static void engine_arrives(struct world *w, const char *gen)
{
    play_end_close(&w->engine);
    play_peer(&w->play, &w->engine, "engine", gen, on_frame, w);
}

static void act(struct world *w, const struct play_record *r)
{
    struct str all = {r->json.p, r->json.n};
    if (r->raw.p)
        all.n += r->raw.n + 1;
    if (r->who >= 'a' && r->who < 'a' + CLIENTS)
        client_write(&w->clients[r->who - 'a'], all);
    else if (r->who >= 'A' && r->who < 'A' + CLIENTS)
        client_close(&w->clients[r->who - 'A']);
    else if (r->who == 'e' && w->engine.fd >= 0)
        play_send(w->engine.fd, play_type(r->type), play_id(r->id, w->last), r->json, r->raw, -1);
    else if (r->who == 'x' && w->engine.fd >= 0)
        play_bytes(w->engine.fd, r->json);
    else if (r->who == 'n')
        engine_arrives(w, "2");
    else if (r->who == 'd')
        play_end_close(&w->engine);
}

static void check_role(struct web_in *w)
{
    struct parked *p;
    size_t count = 0, bytes = 0;
    TAILQ_FOREACH (p, &w->parked, next) {
        count++;
        bytes += p->raw_len;
    }
    LEADD_ASSERT(count == w->parked_count && bytes == w->held_bytes);
    LEADD_ASSERT(!w->role->quit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct str in = {(const char *)data, size};
    struct play_record r;
    struct err e;
    if (size > KIB(64))
        return 0;
    if (listener < 0) {
        log_init("fuzz", getenv("LEADD_FUZZ_LOG") ? LOG_LVL_DEBUG : LOG_LVL_ERROR);
        listener_open();
    }
    w = (struct world){.engine = {.fd = -1}};
    json_t *config = json_load_bounded(conf, sizeof(conf) - 1, sizeof(conf), &e);
    LEADD_ASSERT(config && play_open(&w.play, &web_in_ops, "web-in", config));
    w.play.role.ops->listen(&w.play.role, "web-in", fcntl(listener, F_DUPFD_CLOEXEC, 3));
    engine_arrives(&w, "1");
    w.play.role.started = true;
    for (int i = 0; i < CLIENTS; i++) {
        w.clients[i].fd = -1;
        buf_init(&w.clients[i].got, ANSWER);
    }
    for (int i = 0; i < RECORDS && play_next(&in, &r); i++) {
        act(&w, &r);
        play_turn(&w.play);
        check_role(w.play.role.state);
        for (int k = 0; k < CLIENTS; k++)
            client_read(&w.clients[k]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        client_close(&w.clients[i]);
        client_check(&w.clients[i]);
        buf_done(&w.clients[i].got);
    }
    play_turn(&w.play);
    play_end_close(&w.engine);
    play_close(&w.play);
    return 0;
}
