/* SPDX-License-Identifier: ISC
 *
 * play - see play.h
 */
#include "play.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"

#define TURNS 8 /* of the loop in one play_turn: frames, resumed channels, their ends */
#define HEAD 24u

static void on_sup_frame(struct chan *c, struct frame *f, void *arg)
{
    struct role *r = arg;
    (void)c;
    if (r->ops->frame)
        r->ops->frame(r, f);
}

static void on_sup_gone(struct chan *c, const char *why, void *arg)
{
    struct role *r = arg;
    (void)c;
    (void)why;
    chan_free(&r->sup);
}

static int pair(int *theirs)
{
    int fds[2], size = 4 << 20;
    LEADD_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    *theirs = fds[1];
    return fds[0];
}

bool play_open(struct play *p, const struct role_ops *ops, const char *name, json_t *config)
{
    struct err e = {0};
    int theirs;
    *p = (struct play){.role = {.ops = ops, .name = name, .base = event_base_new()}};
    p->outer = event_base_new();
    play_end_new(p, &p->sup, pair(&theirs), NULL, NULL);
    p->role.config = config;
    p->role.sup = chan_new(p->role.base, theirs, "supervisor", on_sup_frame, on_sup_gone, &p->role);
    return !ops->open || ops->open(&p->role, &e) == 0;
}

bool play_start(struct play *p)
{
    struct err e = {0};
    p->role.started = true;
    return !p->role.ops->start || p->role.ops->start(&p->role, &e) == 0;
}

static void end_on_frame(struct chan *c, struct frame *f, void *arg)
{
    struct play_end *end = arg;
    (void)c;
    LEADD_ASSERT(f->type != FRAME_NONE && f->type < FRAME_TYPE_COUNT && json_is_object(f->json));
    if (end->fn)
        end->fn(end->arg, f);
}

static void end_on_gone(struct chan *c, const char *why, void *arg)
{
    struct play_end *end = arg;
    (void)c;
    LEADD_ASSERT(strcmp(why, CHAN_CLOSED) == 0); /* never a malformed frame */
    play_end_close(end);
}

void play_end_new(struct play *p, struct play_end *end, int fd, play_fn fn, void *arg)
{
    *end = (struct play_end){.fd = fd, .fn = fn, .arg = arg};
    end->chan = chan_new(p->outer, fd, "role", end_on_frame, end_on_gone, end);
}

void play_end_close(struct play_end *end)
{
    chan_free(&end->chan);
    end->fd = -1;
}

void play_peer(struct play *p, struct play_end *end, const char *name, const char *gen, play_fn fn,
               void *arg)
{
    int theirs;
    play_end_new(p, end, pair(&theirs), fn, arg);
    p->role.ops->peer(&p->role, name, gen, theirs);
}

void play_turn(struct play *p)
{
    for (int i = 0; i < TURNS && !p->role.quit; i++) {
        event_base_loop(p->role.base, EVLOOP_NONBLOCK);
        if (p->role.ops->pass && p->role.started && !p->role.quit)
            p->role.ops->pass(&p->role);
        event_base_loop(p->outer, EVLOOP_NONBLOCK);
    }
}

void play_close(struct play *p)
{
    if (p->role.ops->end)
        p->role.ops->end(&p->role);
    if (p->role.ops->done)
        p->role.ops->done(&p->role);
    chan_free(&p->role.sup);
    json_decref(p->role.config);
    play_end_close(&p->sup);
    event_base_free(p->role.base);
    event_base_free(p->outer);
}

void play_bytes(int to, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(to, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return;
        bytes.p += n;
        bytes.n -= (size_t)n;
    }
}

void play_send(int to, enum frame_type type, uint64_t id, struct str text, struct str raw, int fd)
{
    struct buf b AUTO_BUF;
    uint16_t small[2] = {(uint16_t)type, fd >= 0};
    uint32_t length = (uint32_t)(HEAD - 4 + text.n + raw.n), sizes[2] = {(uint32_t)text.n,
                                                                         (uint32_t)raw.n};
    buf_init(&b, HEAD + text.n + raw.n);
    buf_add(&b, &length, 4);
    buf_add(&b, small, 4);
    buf_add(&b, &id, 8);
    buf_add(&b, sizes, 8);
    buf_add(&b, text.p, text.n);
    buf_add(&b, raw.p, raw.n);
    struct iovec iov = {b.data, b.len};
    union {
        char b[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } ctl = {.b = {0}};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        msg.msg_control = ctl.b;
        msg.msg_controllen = sizeof(ctl.b);
        struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
        cm->cmsg_level = SOL_SOCKET;
        cm->cmsg_type = SCM_RIGHTS;
        cm->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cm), &fd, sizeof(int));
    }
    (void)!sendmsg(to, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- records ---------------------------------------------------------------- */

bool play_next(struct str *in, struct play_record *out)
{
    if (in->n < 3)
        return false;
    const char *end = memchr(in->p, 0x1e, in->n);
    size_t n = end ? (size_t)(end - in->p) : in->n;
    struct str rec = {in->p, n};
    in->p += n + (end != NULL);
    in->n -= n + (end != NULL);
    *out = (struct play_record){.who = 0};
    if (n < 3)
        return true;
    out->who = rec.p[0];
    out->type = rec.p[1];
    out->id = rec.p[2];
    rec.p += 3;
    rec.n -= 3;
    const char *cut = memchr(rec.p, 0x1f, rec.n);
    out->json = (struct str){rec.p, cut ? (size_t)(cut - rec.p) : rec.n};
    if (cut)
        out->raw = (struct str){cut + 1, rec.n - out->json.n - 1};
    return true;
}

enum frame_type play_type(char letter)
{
    static const struct {
        char letter;
        enum frame_type type;
    } names[] = {
        {'H', FRAME_HELLO},     {'M', FRAME_MAIL},      {'F', FRAME_FOLDER},
        {'A', FRAME_MATCH},     {'I', FRAME_INTAKE_STATE}, {'L', FRAME_LISTED},
        {'V', FRAME_PREVIEWED}, {'P', FRAME_PARSED},    {'O', FRAME_FORM},
        {'S', FRAME_SENT},      {'T', FRAME_STATS},     {'C', FRAME_CTL},
        {'R', FRAME_RELOAD_DONE}, {'N', FRAME_PROCESSES}, {'Q', FRAME_PARSE},
        {'D', FRAME_FORM_DONE}, {'E', FRAME_SEND},      {'G', FRAME_RECEIPT},
        {'U', FRAME_CURSORS},   {'K', FRAME_MATCHED},   {'Y', FRAME_LIST},
        {'W', FRAME_PREVIEW},   {'Z', FRAME_REFETCH},   {'X', FRAME_SLOTS},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].letter == letter)
            return names[i].type;
    return (enum frame_type)((unsigned char)letter % FRAME_TYPE_COUNT);
}

uint64_t play_id(char letter, uint64_t last)
{
    if (letter == '=')
        return last;
    return letter >= '0' && letter <= '9' ? (uint64_t)(letter - '0') : (uint64_t)(unsigned char)letter;
}
