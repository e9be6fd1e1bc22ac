/* SPDX-License-Identifier: ISC
 *
 * role - see role.h
 */
#include "base/role.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/try.h"

#define ROLE_CONTROL_FD 3

const char *role_instance(const struct role *r)
{
    const char *colon = strchr(r->name, ':');
    return colon ? colon + 1 : "";
}

void role_quit(struct role *r, int exit_code)
{
    r->quit = true;
    r->exit_code = exit_code;
    event_base_loopbreak(r->base);
}

char *role_read_secret(const char *path, struct err *e)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 64 * 1024);
    if (buf_read_file(&b, path, e) < 0)
        return NULL;
    while (b.len > 0 && (b.data[b.len - 1] == '\n' || b.data[b.len - 1] == '\r'))
        b.data[--b.len] = '\0';
    if (b.len == 0 || strlen(b.data) != b.len || !text_is_single_line(b.data)) {
        err_set(e, ERR_PERM, "%s: expected one line with the secret", path);
        return NULL;
    }
    return buf_take(&b);
}

/* config.run_as: the user to become, when started as root. */
static int role_drop(struct role *r, struct err *e)
{
    const char *user = json_get_str(r->config, "run_as", NULL);
    if (geteuid() == 0 && user) {
        struct passwd *pw = getpwnam(user);
        if (!pw)
            return err_set(e, ERR_PERM, "no user \"%s\": create it (systemd-sysusers) or set "
                           "run_as.%s", user, r->ops->kind);
        if (initgroups(user, pw->pw_gid) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
            setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
            return err_set(e, ERR_PERM, "cannot become user \"%s\": %s", user, err_errno());
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* forgotten by the kernel when the user changes */
        r->dropped = true;
    }
    struct passwd *pw = getpwuid(geteuid());
    r->user = pw ? mem_str(pw->pw_name) : mem_printf("uid %u", (unsigned)geteuid());
    return 0;
}

static int role_close_sandbox(struct role *r, struct err *e)
{
    r->sandbox = sandbox_new(r->ops->kind);
    if (r->ops->rights)
        r->ops->rights(r, r->sandbox);
    return sandbox_enter(r->sandbox, &r->held, e);
}

/* What it may read has been put in another place: only a new process can open
 * that. The old one goes on until it is told to stop. */
static void role_look_for_change(struct role *r)
{
    const char *path = r->sandbox ? sandbox_stale(r->sandbox) : NULL;
    if (!path)
        return;
    AUTO_JSON json_t *j = json_object();
    json_put_str(j, "why", path);
    chan_send_json(r->sup, FRAME_RENEW, 0, j);
}

static void role_fail(struct role *r, const struct err *e)
{
    AUTO_JSON json_t *j = json_object();
    json_put_str(j, "error", e->text);
    chan_send_json(r->sup, FRAME_READY, 0, j);
    log_error("role.failed", "error=\"%s\"", e->text);
    role_quit(r, e->cls == ERR_PERM ? ROLE_EXIT_CONFIG : 1);
}

/* Some thousand rules are larger than the JSON of a frame may be: then they are its bytes. */
void role_config_send(struct chan *c, const json_t *config)
{
    AUTO_FREE char *text = json_line(config);
    size_t n = strlen(text);
    if (n <= BOUND_FRAME_JSON)
        chan_send_json(c, FRAME_CONFIG, 0, config);
    else
        chan_send(c, FRAME_CONFIG, 0, NULL, text, n, -1);
}

static void role_configure(struct role *r, struct frame *f)
{
    struct err e = {0};
    enum log_level level;
    r->config = f->raw ? json_load_bounded(f->raw, f->raw_len, BOUND_CONFIG_PART, &e) : f->json;
    if (!f->raw)
        f->json = NULL;
    if (!r->config) {
        r->config = json_object();
        role_fail(r, &e);
        return;
    }
    if (log_level_parse(json_get_str(r->config, "log_level", "info"), &level) == 0)
        log_set_level(level);
    log_set_personal(json_get_bool(r->config, "log_personal", false));
    if ((r->ops->open && r->ops->open(r, &e) < 0) || role_drop(r, &e) < 0 ||
        role_close_sandbox(r, &e) < 0)
        role_fail(r, &e);
}

static void role_start(struct role *r)
{
    struct err e = {0};
    r->started = true;
    if (r->ops->start && r->ops->start(r, &e) < 0) {
        role_fail(r, &e);
        return;
    }
    AUTO_JSON json_t *j = json_object();
    json_put_str(j, "user", r->user);
    json_put_bool(j, "dropped", r->dropped);
    json_put_bool(j, "no_new_privs", r->held.no_new_privs);
    json_put_int(j, "landlock", r->held.landlock);
    json_put_bool(j, "seccomp", r->held.seccomp);
    json_put_str(j, "lacks", r->held.lacks);
    chan_send_json(r->sup, FRAME_READY, 0, j);
#ifdef LEADD_TEST_HOOKS
    if (getenv("LEADD_TRY")) {
        chan_flush(r->sup, 1000);
        try_all();
    }
#endif
}

static void role_stop(struct role *r)
{
    if (r->ops->stop)
        r->ops->stop(r);
    else
        role_quit(r, 0);
}

static void role_on_frame(struct chan *c, struct frame *f, void *arg)
{
    struct role *r = arg;
    (void)c;
    const char *name = json_get_str(f->json, "name", ""), *gen = json_get_str(f->json, "gen", "");
    if (r->quit || (!r->config && f->type != FRAME_CONFIG))
        return;
    switch (f->type) {
    case FRAME_CONFIG:
        if (!r->config)
            role_configure(r, f);
        break;
    case FRAME_PEER:
        if (f->fd >= 0 && r->ops->peer) {
            r->ops->peer(r, name, gen, f->fd);
            f->fd = -1;
        }
        break;
    case FRAME_PEER_GONE:
        if (r->ops->peer_gone)
            r->ops->peer_gone(r, name, gen, json_get_str(f->json, "how", "ended"));
        break;
    case FRAME_LISTEN:
        if (f->fd >= 0 && r->ops->listen) {
            r->ops->listen(r, name, f->fd);
            f->fd = -1;
        }
        break;
    case FRAME_START:
        role_start(r);
        break;
    case FRAME_STOP:
        role_stop(r);
        break;
    case FRAME_PING:
        chan_send_json(r->sup, FRAME_PONG, f->id, NULL);
        role_look_for_change(r);
        break;
    default:
        if (r->ops->frame)
            r->ops->frame(r, f);
    }
}

static void role_on_gone(struct chan *c, const char *why, void *arg)
{
    struct role *r = arg;
    (void)c;
    (void)why;
    chan_free(&r->sup);
    role_quit(r, 0); /* state is in the store: nothing to save here */
}

int role_main(const struct role_ops *ops, const char *name)
{
    struct role r = {.ops = ops, .name = name, .base = event_base_new()};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* the supervisor's business */
    signal(SIGINT, SIG_IGN);
    fcntl(ROLE_CONTROL_FD, F_SETFD, FD_CLOEXEC);
    r.sup = chan_new(r.base, ROLE_CONTROL_FD, "supervisor", role_on_frame, role_on_gone, &r);
    while (!r.quit) {
        if (event_base_loop(r.base, EVLOOP_ONCE) != 0)
            break;
        if (ops->pass && r.started && !r.quit)
            ops->pass(&r);
    }
    if (ops->end)
        ops->end(&r);
    if (r.sup)
        chan_flush(r.sup, 1000);
    if (ops->done)
        ops->done(&r);
    chan_free(&r.sup);
    json_decref(r.config);
    sandbox_free(&r.sandbox);
    mem_free(r.user);
    /* libevent gives a connection's memory back behind the callbacks that wait for it */
    for (int i = 0; i < 3; i++)
        event_base_loop(r.base, EVLOOP_NONBLOCK);
    event_base_free(r.base);
    if (HOOK("role.leak"))
        (void)mem_str("lost on purpose: a test must notice");
    return r.exit_code;
}

struct role_waiter {
    struct role *role;
    short got;
    bool over;
};

static void role_wait_ready(evutil_socket_t fd, short what, void *arg)
{
    struct role_waiter *w = arg;
    (void)fd;
    w->got = what & (EV_READ | EV_WRITE);
    w->over = true;
    event_base_loopbreak(w->role->base);
}

short role_wait(struct role *r, int fd, short what, int timeout_ms)
{
    struct role_waiter w = {.role = r};
    struct timeval tv = {timeout_ms / 1000, (timeout_ms % 1000) * 1000};
    struct event *ev = event_new(r->base, fd, fd < 0 ? 0 : what, role_wait_ready, &w);
    event_add(ev, timeout_ms < 0 ? NULL : &tv);
    while (!w.over && !r->quit && !r->woken)
        if (event_base_loop(r->base, EVLOOP_ONCE) != 0)
            break;
    r->woken = false;
    event_free(ev);
    return w.got;
}

void role_wake(struct role *r)
{
    r->woken = true;
    event_base_loopbreak(r->base);
}
