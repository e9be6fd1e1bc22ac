/* SPDX-License-Identifier: ISC
 *
 * clients - see clients.h
 */
#include "engine/clients.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/asks.h"
#include "engine/notice.h"

static char *client_user(int fd)
{
    struct ucred cred;
    socklen_t n = sizeof(cred);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
        return mem_str("?");
    struct passwd *pw = getpwuid(cred.uid);
    return pw ? mem_str(pw->pw_name) : mem_printf("uid %u", (unsigned)cred.uid);
}

/* Has it asked for something that is not answered yet? */
static bool client_is_waiting(const struct engine *eng, const struct peer *p)
{
    for (const struct ask *a = eng->asks; a; a = a->next)
        if (a->peer == p->serial)
            return true;
    return p->queued > 0 || chan_queued(p->chan) > 0;
}

/* The socket is full. Whoever holds a place and asks for nothing, for the longest
 * time, gives it up; when all are at work, the next wait in the kernel's queue. */
static bool client_make_room(struct engine *eng, const char *name)
{
    struct peer *idle = NULL;
    for (struct peer *p = eng->peers; p; p = p->next) /* newest first */
        if (strcmp(p->name, name) == 0 && !client_is_waiting(eng, p))
            idle = p;
    if (!idle)
        return false;
    log_warn("client.idle", "socket=%s user=%s max=%d next=\"closed for another\"", name,
             idle->who ? idle->who : "?", BOUND_CTL_CLIENTS);
    peer_remove(eng, idle, "idle");
    return true;
}

static void client_accept(struct engine *eng, int listener, bool ctl)
{
    const char *name = ctl ? "ctl" : "ingest";
    if (eng->clients[ctl] >= BOUND_CTL_CLIENTS && !client_make_room(eng, name)) {
        event_del(ctl ? eng->ctl_accept : eng->ingest_accept); /* until one leaves */
        return;
    }
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    char *user = client_user(fd);
    struct peer *p = peer_add(eng, name, "", fd);
    p->who = user;
    eng->clients[ctl]++;
}

static void on_ctl(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    client_accept(arg, (int)fd, true);
}

static void on_ingest(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    client_accept(arg, (int)fd, false);
}

void clients_listen(struct engine *eng, const char *name, int fd)
{
    bool ctl = strcmp(name, "ctl") == 0;
    struct event **ev = ctl ? &eng->ctl_accept : &eng->ingest_accept;
    if ((!ctl && strcmp(name, "ingest") != 0) || *ev) {
        close(fd);
        return;
    }
    evutil_make_socket_nonblocking(fd);
    *ev = event_new(eng->role->base, fd, EV_READ | EV_PERSIST, ctl ? on_ctl : on_ingest, eng);
    event_add(*ev, NULL);
}

bool clients_is_one(const struct peer *p)
{
    return strcmp(p->name, "ctl") == 0 || strcmp(p->name, "ingest") == 0;
}

/* After SIGHUP nobody waits for the answer: the administrator gets the errors. */
static void reload_failed(struct engine *eng, const json_t *errors)
{
    struct buf text AUTO_BUF;
    size_t i;
    json_t *line;
    char stamp[32];
    buf_init(&text, 64 * 1024);
    buf_str(&text, "The new configuration has errors; the old one stays in force.\n\n");
    json_array_foreach((json_t *)errors, i, line)
        buf_printf(&text, "%s\n", json_string_value(line) ? json_string_value(line) : "");
    AUTO_FREE char *key =
        mem_printf("reload/%s", clock_format_utc(clock_now_ms(), stamp, sizeof(stamp)));
    notice_queue(eng, key, "leadd: the new configuration was refused", text.data);
}

void clients_sup_frame(struct engine *eng, struct frame *f)
{
    if (f->type == FRAME_RELOAD_DONE && f->id == 0 && !json_get_bool(f->json, "ok", true))
        reload_failed(eng, json_get_arr(f->json, "errors"));
    ask_answered(eng, f->id, 0, f->type, f->json);
}

void clients_gone(struct engine *eng, struct peer *p)
{
    if (clients_is_one(p)) {
        bool ctl = strcmp(p->name, "ctl") == 0;
        struct event *ev = ctl ? eng->ctl_accept : eng->ingest_accept;
        eng->clients[ctl]--;
        if (ev)
            event_add(ev, NULL);
    }
    asks_gone(eng, p);
}

/* Between two passes: what was done has been answered. */
void clients_turn_away(struct engine *eng)
{
    AUTO_JSON json_t *again = json_pack("{s:b}", "again", 1);
    for (struct peer *p = eng->peers; p; p = p->next) {
        bool ctl = strcmp(p->name, "ctl") == 0;
        if (clients_is_one(p))
            chan_send_json(p->chan, ctl ? FRAME_CTL_DONE : FRAME_RECEIPT, 0, again);
    }
}

static void listener_close(struct event **ev)
{
    if (!*ev)
        return;
    close((int)event_get_fd(*ev));
    event_free(*ev);
    *ev = NULL;
}

void clients_stop(struct engine *eng)
{
    asks_stop(eng);
    listener_close(&eng->ctl_accept);
    listener_close(&eng->ingest_accept);
}
