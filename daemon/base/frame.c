/* SPDX-License-Identifier: ISC
 *
 * frame - see frame.h
 *
 * Descriptors ride on the first byte of their frame (SCM_RIGHTS). They are
 * kept in arrival order and matched to frames that say they carry one, so a
 * frame may be read in pieces.
 */
#include "base/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#define FRAME_FD 1u    /* a descriptor comes along */
#define FRAME_MEMFD 2u /* it holds the raw bytes */
#define HEAD_LEN 24u
#define FDS_MAX 64
#define WRITE_FRAMES 64 /* frames of one write */
#define CORK_BYTES KIB(256) /* more is not held back */

struct head {
    uint32_t length;
    uint16_t type;
    uint16_t flags;
    uint64_t id;
    uint32_t json_len;
    uint32_t raw_len;
};
_Static_assert(sizeof(struct head) == HEAD_LEN, "frame head has no padding");

struct out {
    struct out *next;
    char *data; /* own */
    size_t len, sent;
    int fd; /* own; goes with the first byte; -1 none */
};

struct chan {
    char *name;
    int fd;
    struct event *rd, *wr, *gone_ev, *resume_ev;
    chan_frame_fn on_frame;
    chan_gone_fn on_gone;
    void *arg;
    struct buf in;
    int fds[FDS_MAX]; /* own; received and not yet matched */
    size_t nfds;
    struct out *out_head, **out_tail;
    size_t queued;
    const char *gone_why;
    bool paused, corked, busy, dead; /* dead: freed inside a callback */
};

static const struct {
    const char *name, *who;
} types[FRAME_TYPE_COUNT] = {
    {"NONE", ""},
#define X(name, who) {#name, who},
    FRAME_TYPES(X)
#undef X
};

const char *frame_type_name(enum frame_type t)
{
    return (unsigned)t < FRAME_TYPE_COUNT ? types[t].name : "?";
}

bool frame_allowed(enum frame_type t, const char *kind)
{
    if ((unsigned)t >= FRAME_TYPE_COUNT || t == FRAME_NONE)
        return false;
    size_t n = strlen(kind);
    for (const char *p = types[t].who; *p;) {
        size_t len = strcspn(p, " ");
        if (len == n && memcmp(p, kind, n) == 0)
            return true;
        p += len + (p[len] == ' ');
    }
    return false;
}

void frame_done(struct frame *f)
{
    json_decref(f->json);
    mem_free(f->raw);
    if (f->fd >= 0)
        close(f->fd);
    *f = (struct frame){.fd = -1};
}

/* ---- reading ---------------------------------------------------------- */

static int head_check(const struct head *h)
{
    size_t inline_raw = h->flags & FRAME_MEMFD ? 0 : h->raw_len;
    if (h->type == 0 || h->type >= FRAME_TYPE_COUNT || (h->flags & ~(FRAME_FD | FRAME_MEMFD)))
        return -1;
    if ((h->flags & FRAME_MEMFD) && !(h->flags & FRAME_FD))
        return -1;
    if (h->json_len > BOUND_FRAME_JSON || h->raw_len > BOUND_FRAME_RAW ||
        inline_raw > BOUND_FRAME_INLINE)
        return -1;
    return h->length == HEAD_LEN - 4 + h->json_len + inline_raw ? 0 : -1;
}

/* A memfd that its sender could still change or cut would be a way to crash or
 * confuse the reader: only sealed ones are read, and they are copied. */
static int frame_read_memfd(struct frame *f, size_t len)
{
    struct stat st;
    const int need = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int seals = fcntl(f->fd, F_GET_SEALS);
    if (seals < 0 || (seals & need) != need || fstat(f->fd, &st) < 0 || (size_t)st.st_size != len)
        return -1;
    f->raw = mem_alloc(len + 1);
    size_t at = 0;
    while (at < len) {
        ssize_t n = pread(f->fd, f->raw + at, len - at, (off_t)at);
        if (n <= 0)
            return -1;
        at += (size_t)n;
    }
    f->raw_len = len;
    close(f->fd);
    f->fd = -1;
    return 0;
}

static int frame_take(struct chan *c, const struct head *h, const char *p, struct frame *f)
{
    *f = (struct frame){.type = (enum frame_type)h->type, .id = h->id, .fd = -1};
    if (h->flags & FRAME_FD) {
        if (c->nfds == 0)
            return -1;
        f->fd = c->fds[0];
        memmove(c->fds, c->fds + 1, --c->nfds * sizeof(c->fds[0]));
    }
    f->json = h->json_len ? json_load_bounded(p, h->json_len, BOUND_FRAME_JSON, NULL) : json_object();
    if (!json_is_object(f->json))
        return -1;
    if (h->flags & FRAME_MEMFD)
        return frame_read_memfd(f, h->raw_len);
    if (h->raw_len) {
        f->raw = mem_strn(p + h->json_len, h->raw_len);
        f->raw_len = h->raw_len;
    }
    return 0;
}

static void chan_gone(struct chan *c, const char *why)
{
    if (c->gone_why)
        return;
    c->gone_why = why;
    event_del(c->rd);
    event_del(c->wr);
    event_active(c->gone_ev, EV_TIMEOUT, 0);
}

static void chan_release(struct chan *c);

/* Hands over every whole frame. Call only inside chan_enter/chan_leave. */
static void chan_dispatch(struct chan *c)
{
    size_t at = 0;
    while (!c->dead && !c->gone_why && !c->paused && c->in.len - at >= HEAD_LEN) {
        struct head h;
        struct frame f = {.fd = -1};
        memcpy(&h, c->in.data + at, HEAD_LEN);
        if (head_check(&h) < 0) {
            chan_gone(c, "malformed frame");
            break;
        }
        if (c->in.len - at < (size_t)h.length + 4)
            break;
        if (frame_take(c, &h, c->in.data + at + HEAD_LEN, &f) < 0)
            chan_gone(c, "malformed frame");
        else
            c->on_frame(c, &f, c->arg);
        frame_done(&f);
        at += (size_t)h.length + 4;
    }
    buf_drop(&c->in, at);
}

/* A channel may be freed by its own callbacks; the memory goes at the leave. */
static void chan_enter(struct chan *c)
{
    LEADD_ASSERT(!c->busy);
    c->busy = true;
}

static void chan_leave(struct chan *c)
{
    c->busy = false;
    if (c->dead)
        chan_release(c);
}

static int chan_keep_fds(struct chan *c, struct msghdr *msg)
{
    int rc = 0;
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(msg); cm; cm = CMSG_NXTHDR(msg, cm)) {
        if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
            if (c->nfds < FDS_MAX) {
                c->fds[c->nfds++] = fd;
            } else {
                close(fd);
                rc = -1;
            }
        }
    }
    return rc;
}

/* Reads what is there, at most a megabyte. Returns why the peer is gone, or NULL. */
static const char *chan_fill(struct chan *c)
{
    char chunk[65536];
    union {
        char b[CMSG_SPACE(sizeof(int) * 8)];
        struct cmsghdr align;
    } ctl;
    for (int i = 0; i < 16; i++) {
        struct iovec iov = {chunk, sizeof(chunk)};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.b,
                             .msg_controllen = sizeof(ctl.b)};
        ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return NULL;
        if (n <= 0)
            return CHAN_CLOSED;
        if (chan_keep_fds(c, &msg) < 0 || buf_add(&c->in, chunk, (size_t)n) < 0)
            return "too much at once";
        if ((size_t)n < sizeof(chunk))
            return NULL;
    }
    return NULL;
}

/* The last frames of a peer that went count: they are handed over first. */
static void chan_readable(evutil_socket_t fd, short what, void *arg)
{
    struct chan *c = arg;
    (void)fd;
    (void)what;
    chan_enter(c);
    const char *why = chan_fill(c);
    chan_dispatch(c);
    if (why && !c->dead)
        chan_gone(c, why);
    chan_leave(c);
}

void chan_read(struct chan *c)
{
    if (!c->dead && !c->gone_why && !c->paused)
        chan_readable(c->fd, EV_READ, c);
}

void chan_read_rest(struct chan *c)
{
    const char *why = NULL;
    chan_enter(c);
    for (int i = 0; i < 64 && !why && !c->dead && !c->gone_why; i++) {
        why = chan_fill(c);
        chan_dispatch(c);
    }
    chan_leave(c);
}

/* ---- writing ---------------------------------------------------------- */

static int memfd_of(const void *raw, size_t len)
{
    int fd = memfd_create("leadd-frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, (const char *)raw + at, len - at);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        at += (size_t)n;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void out_free(struct out *o)
{
    if (o->fd >= 0)
        close(o->fd);
    mem_free(o->data);
    mem_free(o);
}

/* A descriptor goes with the first byte of what is written: o's own, if any, and
 * the frames behind it only as far as they have none. */
static ssize_t out_write(int fd, struct out *o)
{
    struct iovec iov[WRITE_FRAMES] = {{o->data + o->sent, o->len - o->sent}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 1};
    union {
        char b[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } ctl;
    if (o->fd >= 0) {
        memset(&ctl, 0, sizeof(ctl));
        msg.msg_control = ctl.b;
        msg.msg_controllen = sizeof(ctl.b);
        struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
        cm->cmsg_level = SOL_SOCKET;
        cm->cmsg_type = SCM_RIGHTS;
        cm->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cm), &o->fd, sizeof(int));
    }
    for (const struct out *next = o->next; next && next->fd < 0 && msg.msg_iovlen < WRITE_FRAMES;
         next = next->next)
        iov[msg.msg_iovlen++] = (struct iovec){next->data, next->len};
    ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0 && o->fd >= 0) {
        close(o->fd);
        o->fd = -1;
    }
    return n;
}

/* n bytes from the front of the queue have left. */
static void chan_wrote(struct chan *c, size_t n)
{
    c->queued -= n;
    while (n > 0) {
        struct out *o = c->out_head;
        size_t left = o->len - o->sent;
        if (n < left) {
            o->sent += n;
            return;
        }
        n -= left;
        c->out_head = o->next;
        if (!c->out_head)
            c->out_tail = &c->out_head;
        out_free(o);
    }
}

static void chan_write(struct chan *c)
{
    while (c->out_head && !c->gone_why) {
        ssize_t n = out_write(c->fd, c->out_head);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            event_add(c->wr, NULL);
            return;
        }
        if (n < 0) {
            /* what the peer sent before it went is still in the socket: the
             * read side finds the end by itself */
            event_del(c->wr);
            return;
        }
        chan_wrote(c, (size_t)n);
    }
}

static void chan_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    chan_write(arg);
}

void chan_send(struct chan *c, enum frame_type type, uint64_t id, const json_t *json,
               const void *raw, size_t raw_len, int fd)
{
    if (c->gone_why || c->dead)
        return;
    LEADD_ASSERT(raw_len <= BOUND_FRAME_RAW && !(raw_len && fd >= 0));
    AUTO_FREE char *text = json ? json_line(json) : NULL;
    struct head h = {.type = (uint16_t)type, .id = id, .raw_len = (uint32_t)raw_len};
    size_t json_len = text ? strlen(text) : 0, inline_raw = raw_len;
    if (json_len > BOUND_FRAME_JSON) { /* it may be made of what came from outside */
        chan_gone(c, "more JSON than a frame takes");
        return;
    }
    h.json_len = (uint32_t)json_len;

    struct out *o = mem_alloc(sizeof(*o));
    o->fd = -1;
    if (raw_len > BOUND_FRAME_INLINE) {
        o->fd = memfd_of(raw, raw_len);
        h.flags = FRAME_FD | FRAME_MEMFD;
        inline_raw = 0;
    } else if (fd >= 0) {
        o->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        h.flags = FRAME_FD;
    }
    if (h.flags && o->fd < 0) {
        mem_free(o);
        chan_gone(c, "no descriptor left");
        return;
    }
    h.length = (uint32_t)(HEAD_LEN - 4 + json_len + inline_raw);
    o->len = (size_t)h.length + 4;
    o->data = mem_alloc(o->len);
    memcpy(o->data, &h, HEAD_LEN);
    if (json_len)
        memcpy(o->data + HEAD_LEN, text, json_len);
    if (inline_raw)
        memcpy(o->data + HEAD_LEN + json_len, raw, inline_raw);

    bool idle = c->out_head == NULL;
    *c->out_tail = o;
    c->out_tail = &o->next;
    c->queued += o->len;
    if (c->queued > BOUND_CHAN_QUEUE_BYTES)
        chan_gone(c, "does not read");
    else if (c->corked ? c->queued > CORK_BYTES && !event_pending(c->wr, EV_WRITE, NULL) : idle)
        chan_write(c);
}

void chan_cork(struct chan *c)
{
    c->corked = true;
}

void chan_uncork(struct chan *c)
{
    c->corked = false;
    if (c->out_head && !event_pending(c->wr, EV_WRITE, NULL))
        chan_write(c);
}

int chan_flush(struct chan *c, int timeout_ms)
{
    int64_t end = clock_mono_ms() + timeout_ms;
    while (c->out_head && !c->gone_why) {
        int left = (int)(end - clock_mono_ms());
        struct pollfd p = {.fd = c->fd, .events = POLLOUT};
        if (left <= 0 || poll(&p, 1, left) <= 0 || (p.revents & (POLLERR | POLLHUP)))
            return -1;
        chan_write(c);
    }
    return c->out_head ? -1 : 0;
}

/* ---- life ------------------------------------------------------------- */

static void chan_tell_gone(evutil_socket_t fd, short what, void *arg)
{
    struct chan *c = arg;
    (void)fd;
    (void)what;
    chan_enter(c);
    if (!c->dead)
        c->on_gone(c, c->gone_why, c->arg);
    chan_leave(c);
}

static void chan_resume(evutil_socket_t fd, short what, void *arg)
{
    struct chan *c = arg;
    (void)fd;
    (void)what;
    chan_enter(c);
    chan_dispatch(c);
    chan_leave(c);
}

struct chan *chan_new(struct event_base *base, int fd, const char *name, chan_frame_fn on_frame,
                      chan_gone_fn on_gone, void *arg)
{
    struct chan *c = mem_alloc(sizeof(*c));
    evutil_make_socket_nonblocking(fd);
    c->name = mem_str(name);
    c->fd = fd;
    c->on_frame = on_frame;
    c->on_gone = on_gone;
    c->arg = arg;
    c->out_tail = &c->out_head;
    buf_init(&c->in, HEAD_LEN + BOUND_FRAME_JSON + BOUND_FRAME_INLINE + 2 * 1024 * 1024);
    c->rd = event_new(base, fd, EV_READ | EV_PERSIST, chan_readable, c);
    c->wr = event_new(base, fd, EV_WRITE, chan_writable, c);
    c->gone_ev = event_new(base, -1, 0, chan_tell_gone, c);
    c->resume_ev = event_new(base, -1, 0, chan_resume, c);
    event_add(c->rd, NULL);
    return c;
}

static void chan_release(struct chan *c)
{
    event_free(c->rd);
    event_free(c->wr);
    event_free(c->gone_ev);
    event_free(c->resume_ev);
    close(c->fd);
    for (size_t i = 0; i < c->nfds; i++)
        close(c->fds[i]);
    while (c->out_head) {
        struct out *o = c->out_head;
        c->out_head = o->next;
        out_free(o);
    }
    buf_done(&c->in);
    mem_free(c->name);
    mem_free(c);
}

void chan_free(struct chan **cp)
{
    struct chan *c = *cp;
    *cp = NULL;
    if (!c || c->dead)
        return;
    c->dead = true;
    if (!c->busy)
        chan_release(c);
}

const char *chan_name(const struct chan *c)
{
    return c->name;
}

bool chan_is_kind(const struct chan *c, const char *kind)
{
    size_t n = strlen(kind);
    return strncmp(c->name, kind, n) == 0 && (c->name[n] == '\0' || c->name[n] == ':');
}

size_t chan_queued(const struct chan *c)
{
    return c->queued;
}

void chan_pause(struct chan *c, bool paused)
{
    if (c->paused == paused || c->dead || c->gone_why)
        return;
    c->paused = paused;
    if (paused) {
        event_del(c->rd);
        return;
    }
    event_add(c->rd, NULL);
    if (c->in.len >= HEAD_LEN)
        event_active(c->resume_ev, EV_TIMEOUT, 0);
}
