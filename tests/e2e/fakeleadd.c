/* SPDX-License-Identifier: ISC
 *
 * fakeleadd - the supervisor with roles that only pretend
 *
 * For test_supervisor.py: the real supervisor code around roles that do what
 * their config part says, so that every death, hang and refusal can be had at
 * will. The config file is JSON: {"errors": [..], "parts": {NAME: {..}}}; a
 * part may say "fail_open", "die_at_start", "drains". The engine answers on
 * ctl.sock like the real one, with commands for the test.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "super.h"

#define LINKS 64

/* A channel of the engine: to a peer (gen set) or to a client. */
struct link {
    struct chan *chan;
    char gen[64];
    bool greeted;
};

struct fake {
    struct role *role;
    struct link links[LINKS];
    struct event *accept[2];
    size_t naccept;
    json_t *gone;         /* own; gens of PEER_GONE */
    struct chan *waiting; /* the client that waits for the supervisor */
    json_t *reloaded;     /* own; RELOAD_DONE that nobody asked for */
};

static struct fake fake;

static void hang(void)
{
    for (;;)
        poll(NULL, 0, -1);
}

static struct link *link_add(struct chan *chan, const char *gen)
{
    for (size_t i = 0; i < LINKS; i++)
        if (!fake.links[i].chan) {
            fake.links[i].chan = chan;
            fake.links[i].greeted = false;
            snprintf(fake.links[i].gen, sizeof(fake.links[i].gen), "%s", gen);
            return &fake.links[i];
        }
    abort();
}

static void on_link_gone(struct chan *c, const char *why, void *arg)
{
    (void)why;
    (void)arg;
    for (size_t i = 0; i < LINKS; i++)
        if (fake.links[i].chan == c)
            fake.links[i].chan = NULL;
    if (fake.waiting == c)
        fake.waiting = NULL;
    chan_free(&c);
}

/* ---- the engine's control socket --------------------------------------- */

static void answer(struct chan *c, uint64_t id, int code, const char *error, json_t *data)
{
    AUTO_JSON json_t *j = json_object();
    json_put_int(j, "exit", code);
    json_put_str(j, "error", error);
    json_put_str(j, "zone", json_get_str(fake.role->config, "zone", NULL));
    json_object_set_new(j, "data", data ? data : json_null());
    chan_send_json(c, FRAME_CTL_DONE, id, j);
}

static json_t *peers(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < LINKS; i++)
        if (fake.links[i].chan && *fake.links[i].gen)
            json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "name",
                                                  chan_name(fake.links[i].chan), "gen",
                                                  fake.links[i].gen, "greeted",
                                                  (int)fake.links[i].greeted));
    return json_pack("{s:o, s:O, s:O?}", "peers", list, "gone", fake.gone, "reloaded",
                     fake.reloaded);
}

/* Tells every peer of that name to do something. */
static void tell(const char *name, const char *what)
{
    AUTO_JSON json_t *j = json_pack("{s:s}", "do", what);
    for (size_t i = 0; i < LINKS; i++)
        if (fake.links[i].chan && *fake.links[i].gen &&
            strcmp(chan_name(fake.links[i].chan), name) == 0)
            chan_send_json(fake.links[i].chan, FRAME_RECEIPT, 0, j);
}

static void on_client(struct chan *c, struct frame *f, void *arg)
{
    json_t *argv = json_get_arr(f->json, "argv");
    const char *word[3] = {"", "", ""};
    (void)arg;
    if (f->type == FRAME_MAIL) {
        AUTO_JSON json_t *j = json_pack("{s:s, s:i}", "status", "filed", "size", (int)f->raw_len);
        chan_send_json(c, FRAME_RECEIPT, f->id, j);
        return;
    }
    for (size_t i = 0; i < 3 && json_string_value(json_array_get(argv, i)); i++)
        word[i] = json_string_value(json_array_get(argv, i));
    if (strcmp(word[0], "reload") == 0 || strcmp(word[0], "processes") == 0) {
        fake.waiting = c;
        chan_send_json(fake.role->sup, *word[0] == 'r' ? FRAME_RELOAD : FRAME_LIST_PROCESSES,
                       f->id, NULL);
    } else if (strcmp(word[0], "replace") == 0) {
        AUTO_JSON json_t *j = json_pack("{s:s, s:s}", "name", word[1], "why", "test");
        chan_send_json(fake.role->sup, FRAME_REPLACE_PEER, 0, j);
        answer(c, f->id, 0, NULL, NULL);
    } else if (strcmp(word[0], "tell") == 0) {
        tell(word[1], word[2]);
        answer(c, f->id, 0, NULL, NULL);
    } else if (strcmp(word[0], "hang") == 0) {
        answer(c, f->id, 0, NULL, NULL);
        chan_flush(c, 1000);
        hang();
    } else if (strcmp(word[0], "peers") == 0) {
        answer(c, f->id, 0, NULL, peers());
    } else if (strcmp(word[0], "config") == 0) {
        answer(c, f->id, 0, NULL, json_incref(fake.role->config));
    } else if (strcmp(word[0], "show") == 0 || strcmp(word[0], "list") == 0) { /* data from the config, for the rendering tests */
        json_t *data = json_object_get(json_get_obj(fake.role->config, "data"), word[1]);
        answer(c, f->id, data ? 0 : 4, data ? NULL : "no such thing", json_incref(data));
    } else {
        answer(c, f->id, 64, "unknown command", NULL);
    }
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    (void)arg;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    if (strcmp(fake.role->ops->kind, "engine") == 0) {
        link_add(chan_new(fake.role->base, client, "ctl", on_client, on_link_gone, NULL), "");
        return;
    }
    dprintf(client, "%s %d\n", fake.role->name, (int)getpid());
    close(client);
}

/* ---- a role ------------------------------------------------------------ */

static void on_peer(struct chan *c, struct frame *f, void *arg)
{
    struct link *l = arg;
    const char *what = json_get_str(f->json, "do", "");
    (void)c;
    if (f->type == FRAME_HELLO)
        l->greeted = true;
    if (f->type != FRAME_RECEIPT)
        return;
    if (strcmp(what, "hang") == 0)
        hang();
    if (strcmp(what, "usurp") == 0) { /* what only the engine may ask */
        AUTO_JSON json_t *j = json_pack("{s:s, s:s}", "name", "parser", "why", "mine");
        chan_send_json(fake.role->sup, FRAME_RELOAD, 1, NULL);
        chan_send_json(fake.role->sup, FRAME_REPLACE_PEER, 0, j);
    }
    if (strcmp(what, "quit") == 0)
        role_quit(fake.role, 0);
    if (strcmp(what, "garbage") == 0) {
        char junk[64];
        memset(junk, 0xff, sizeof(junk));
        (void)!write(3, junk, sizeof(junk));
    }
}

static int fake_open(struct role *r, struct err *e)
{
    const char *why = json_get_str(r->config, "fail_open", NULL);
    fake.role = r;
    fake.gone = json_array();
    if (json_get_bool(r->config, "die_at_start", false))
        raise(SIGKILL);
    return why ? err_set(e, ERR_PERM, "%s", why) : 0;
}

static void fake_peer(struct role *r, const char *name, const char *gen, int fd)
{
    AUTO_JSON json_t *hello = json_pack("{s:s}", "role", r->name);
    struct link *l = link_add((struct chan *)1, gen);
    l->chan = chan_new(r->base, fd, name, on_peer, on_link_gone, l);
    if (strcmp(name, "engine") == 0)
        chan_send_json(l->chan, FRAME_HELLO, 0, hello);
}

static void fake_peer_gone(struct role *r, const char *name, const char *gen, const char *how)
{
    (void)r;
    (void)name;
    (void)how;
    json_array_append_new(fake.gone, json_string(gen));
}

static void fake_listen(struct role *r, const char *name, int fd)
{
    (void)name;
    LEADD_ASSERT(fake.naccept < 2);
    fake.accept[fake.naccept] = event_new(r->base, fd, EV_READ | EV_PERSIST, on_accept, NULL);
    event_add(fake.accept[fake.naccept++], NULL);
}

static void fake_stop(struct role *r)
{
    if (!json_get_bool(r->config, "drains", false))
        role_quit(r, 0);
}

static void fake_frame(struct role *r, struct frame *f)
{
    (void)r;
    if (f->type == FRAME_RELOAD_DONE && f->id == 0) {
        json_decref(fake.reloaded);
        fake.reloaded = json_incref(f->json);
    } else if (fake.waiting && (f->type == FRAME_RELOAD_DONE || f->type == FRAME_PROCESSES)) {
        bool ok = f->type == FRAME_PROCESSES || json_get_bool(f->json, "ok", false);
        answer(fake.waiting, f->id, ok ? 0 : 1, ok ? NULL : "refused", json_incref(f->json));
        chan_flush(fake.waiting, 1000);
        fake.waiting = NULL;
    }
}

static int fake_main(const char *name)
{
    AUTO_FREE char *kind = mem_strn(name, strcspn(name, ":"));
    const struct role_ops ops = {.kind = kind, .open = fake_open, .peer = fake_peer,
                                 .peer_gone = fake_peer_gone, .listen = fake_listen,
                                 .stop = fake_stop, .frame = fake_frame};
    int code = role_main(&ops, name);
    _exit(code); /* what it holds is the kernel's to free */
}

/* ---- config and main --------------------------------------------------- */

int super_check_main(const char *path, bool tests, int fd)
{
    (void)tests;
    struct err e = {0};
    struct buf b AUTO_BUF;
    buf_init(&b, MIB(1));
    if (buf_read_file(&b, path, &e) < 0)
        abort();
    AUTO_JSON json_t *j = json_load_bounded(b.data, b.len, MIB(1), &e);
    if (json_get_bool(j, "crash", false))
        raise(SIGSEGV);
    if (json_get_bool(j, "hang", false))
        hang();
    json_put_bool(j, "ok", !json_get_arr(j, "errors"));
    AUTO_FREE char *text = json_text(j);
    return write(fd, text, strlen(text)) < 0;
}

/* Which descriptors are open, before this process opens any. */
static void show_fds(void)
{
    char text[512] = "";
    size_t at = 0;
    for (int fd = 0; fd < 1024 && at < sizeof(text) - 8; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%d", at ? " " : "", fd);
    log_info("exec.fds", "fds=\"%s\"", text);
}

int main(int argc, char **argv)
{
    struct super_options opt = {0};
    const char *role = NULL, *now = getenv("LEADD_TEST_NOW");
    int c;
    while ((c = getopt(argc, argv, "c:R:T")) != -1)
        if (c != 'T')
            *(c == 'c' ? &opt.config : &role) = optarg;
    opt.pretend = now && clock_parse_utc(now, &opt.pretend_ms) == 0;
    if (!role)
        return super_main(&opt);
    log_init(role, LOG_LVL_INFO);
    if (getenv("LEADD_TEST_SHOW_EXEC"))
        show_fds();
    return strcmp(role, "config") == 0 ? super_check_main(opt.config, false, 3) : fake_main(role);
}
