/* SPDX-License-Identifier: ISC
 *
 * fuzz_frame - any frames from the engine, and any bytes on a channel
 *
 * The first byte chooses who listens: p the parser, c the courier, i the desk of
 * an intake; the rest is records as in play.h. Who: e speaks as the engine, x
 * writes bytes as they are, n brings a new engine, s tells the role to stop. A
 * SLOTS record carries a descriptor: id 1 a good file of slots, 2 a sealed memfd
 * of its raw bytes, any other one that is not sealed.
 *
 * The role stays, says only frames that it may, and what the courier says of a
 * mail is one of the four outcomes with one line of text.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/slots.h"
#include "base/text.h"
#include "courier/courier.h"
#include "intake/desk.h"
#include "parser/parser.h"
#include "play.h"

#define RECORDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[128];

static void folder_empty(const char *sub)
{
    AUTO_FREE char *path = mem_printf("%s/%s", dir, sub);
    DIR *d = opendir(path);
    for (struct dirent *f; d && (f = readdir(d));)
        if (f->d_name[0] != '.')
            unlinkat(dirfd(d), f->d_name, 0);
    if (d)
        closedir(d);
}

static void folder_remove(void)
{
    static const char *const subs[] = {"box/new", "box/tmp", "box/cur", "box", "."};
    folder_empty(".");
    for (size_t i = 0; i < ARRAY_LEN(subs) - 1; i++) {
        AUTO_FREE char *path = mem_printf("%s/%s", dir, subs[i]);
        folder_empty(subs[i]);
        rmdir(path);
    }
    rmdir(dir);
}

static void folder_make(void)
{
    static const char *const subs[] = {"box", "box/new", "box/tmp", "box/cur"};
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof(dir), "%s/leadd-fuzz-XXXXXX", tmp ? tmp : "/tmp");
    LEADD_ASSERT(mkdtemp(dir));
    for (size_t i = 0; i < ARRAY_LEN(subs); i++) {
        AUTO_FREE char *path = mem_printf("%s/%s", dir, subs[i]);
        LEADD_ASSERT(mkdir(path, 0700) == 0);
    }
    atexit(folder_remove);
}

static json_t *config(char kind)
{
    if (kind != 'c')
        return json_object();
    AUTO_FREE char *box = mem_printf("%s/box", dir);
    return json_pack("{s:s, s:[{s:s,s:s,s:s},{s:s,s:s,s:s,s:i,s:s}]}", "domain", "example.com",
                     "relays", "name", "box", "type", "maildir", "path", box, "name", "main", "type",
                     "smtp", "host", "127.0.0.1", "port", 1, "tls", "none");
}

/* ---- what the role says ------------------------------------------------------- */

struct world {
    struct play play;
    struct play_end engine;
    char kind;
    struct desk desk;
    uint64_t last;
};

static const struct role_ops desk_ops = {.kind = "intake"};

static void check_sent(const json_t *j)
{
    static const char *const outcomes[] = {"accepted", "deferred", "failed", "unknown"};
    const char *outcome = json_get_str(j, "outcome", ""), *text = json_get_str(j, "text", "");
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
        known |= strcmp(outcome, outcomes[i]) == 0;
    LEADD_ASSERT(known && text_is_single_line(text));
}

static void on_frame(void *arg, struct frame *f)
{
    struct world *w = arg;
    const char *kind = w->kind == 'p' ? "parser" : w->kind == 'c' ? "courier" : "intake";
    LEADD_ASSERT(f->type == FRAME_HELLO || frame_allowed(f->type, kind));
    if (f->type == FRAME_SENT)
        check_sent(f->json);
    if (f->type == FRAME_PARSED)
        LEADD_ASSERT(json_get_obj(f->json, "message") || json_get_str(f->json, "error", NULL));
    w->last = f->id;
}

/* ---- what the engine says ------------------------------------------------------ */

static int slots_of(const struct play_record *r)
{
    AUTO_FREE char *path = mem_printf("%s/slots", dir);
    struct err e;
    if (r->id == '1') {
        struct slots *s = slots_create(path, 8, &e);
        LEADD_ASSERT(s);
        for (uint32_t i = 0; i < 4; i++)
            LEADD_ASSERT(slots_claim(s, i, i, 1) == 0);
        int fd = dup(slots_fd(s));
        slots_unmap(&s);
        return fd;
    }
    int fd = memfd_create("slots", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    LEADD_ASSERT(fd >= 0 && write(fd, r->raw.p, r->raw.n) == (ssize_t)r->raw.n);
    if (r->id == '2')
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    return fd;
}

static void engine_arrives(struct world *w, const char *gen)
{
    play_end_close(&w->engine);
    play_peer(&w->play, &w->engine, "engine", gen, on_frame, w);
}

static void desk_peer(struct role *r, const char *name, const char *gen, int fd)
{
    (void)name;
    (void)gen;
    desk_connect(r->state, fd);
}

static void act(struct world *w, const struct play_record *r)
{
    enum frame_type type = play_type(r->type);
    struct str none = {"", 0};
    if (r->who == 'e' && type == FRAME_SLOTS) {
        AUTO_CLOSE int fd = slots_of(r);
        play_send(w->engine.fd, type, 0, r->json, none, fd);
    } else if (r->who == 'e') {
        play_send(w->engine.fd, type, play_id(r->id, w->last), r->json, r->raw, -1);
    } else if (r->who == 'x') {
        play_bytes(w->engine.fd, (struct str){r->json.p, r->json.n});
    } else if (r->who == 'n') {
        engine_arrives(w, "2");
    } else if (r->who == 'm' && w->kind == 'i') {
        struct desk_place place = {.uidvalidity = 7, .uid = (uint32_t)(unsigned char)r->id};
        if (desk_has_room(&w->desk, r->raw.n) && !desk_holds(&w->desk, &place))
            desk_mail(&w->desk, &place, json_pack("{s:i}", "uid", r->id), r->raw.p, r->raw.n);
    }
}

/* The sequential side of an intake: takes what was put down. */
static void desk_work(struct desk *d)
{
    struct desk_request *q;
    struct desk_done *done;
    while ((q = desk_take_request(d))) {
        LEADD_ASSERT(json_is_object(q->json));
        if (!desk_refuse(d, q, "not now"))
            LEADD_ASSERT(q->type == FRAME_REFETCH);
        desk_request_free(q);
    }
    while ((done = desk_take_done(d, 0)))
        desk_done_free(done);
    LEADD_ASSERT(d->item_count <= BOUND_MAILBOX_INFLIGHT);
    LEADD_ASSERT(d->request_count == 0);
    d->cursors_used = d->cursors_seen;
    d->role->woken = false;
}

static void world_open(struct world *w, char kind)
{
    struct role_ops ops = desk_ops;
    static struct role_ops desk_play;
    ops.peer = desk_peer;
    desk_play = ops;
    *w = (struct world){.kind = kind};
    const struct role_ops *use = kind == 'p' ? &parser_ops : kind == 'c' ? &courier_ops : &desk_play;
    AUTO_CLOSE int out = dup(STDOUT_FILENO); /* the parser's open turns it off */
    LEADD_ASSERT(play_open(&w->play, use, "fuzz", config(kind)));
    dup2(out, STDOUT_FILENO);
    prctl(PR_SET_DUMPABLE, 1); /* and this, which the leak checker needs */
    if (kind == 'i') {
        desk_init(&w->desk, &w->play.role);
        w->desk.wants_done = true;
        w->play.role.state = &w->desk;
    }
    w->engine.fd = -1;
    engine_arrives(w, "1");
    w->play.role.started = true; /* start itself gives up rights */
}

static void world_close(struct world *w)
{
    play_end_close(&w->engine);
    play_turn(&w->play);
    if (w->kind == 'i')
        desk_close(&w->desk);
    play_close(&w->play);
    folder_empty("box/new");
    folder_empty("box/tmp");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct str in = {(const char *)data + 1, size - 1};
    struct play_record r;
    if (size < 2 || size > KIB(64) || !memchr("pci", data[0], 3))
        return 0;
    if (!*dir) {
        log_init("fuzz", getenv("LEADD_FUZZ_LOG") ? LOG_LVL_DEBUG : LOG_LVL_ERROR);
        folder_make();
    }
    world_open(&w, (char)data[0]);
    for (int i = 0; i < RECORDS && play_next(&in, &r) && w.engine.fd >= 0; i++) {
        act(&w, &r);
        play_turn(&w.play);
        if (w.kind == 'i')
            desk_work(&w.desk);
        if (w.engine.fd < 0 && r.who == 'x')
            engine_arrives(&w, "3"); /* it was cut off: that is right */
    }
    LEADD_ASSERT(!w.play.role.quit);
    world_close(&w);
    return 0;
}
