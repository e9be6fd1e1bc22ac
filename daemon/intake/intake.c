/* SPDX-License-Identifier: ISC
 *
 * intake - see intake.h
 *
 * The role's first pass after START does not return until the role ends:
 * mailbox work is written one step after the other, and every wait in it runs
 * the loop (role_wait).
 */
#include "intake/intake.h"

#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "intake/box.h"
#include "intake/desk.h"
#include "intake/maildir.h"
#include "intake/settings.h"

struct intake {
    struct settings set;
    struct desk desk;
    bool running;
};

static void intake_free(struct role *r)
{
    struct intake *in = r->state;
    if (!in)
        return;
    desk_close(&in->desk);
    settings_done(&in->set);
    mem_free(in);
    r->state = NULL;
}

static int intake_open(struct role *r, struct err *e)
{
    struct intake *in = mem_alloc(sizeof *in);
    r->state = in;
    desk_init(&in->desk, r);
    if (settings_load(&in->set, r->config, e) == 0) {
        in->desk.alive_ms = in->set.alive_ms;
        return 0;
    }
    intake_free(r);
    return err_wrap(e, "mailbox \"%s\"", role_instance(r));
}

static void intake_rights(struct role *r, struct sandbox *sb)
{
    struct intake *in = r->state;
    settings_rights(&in->set, sb);
}

static void intake_peer(struct role *r, const char *name, const char *gen, int fd)
{
    struct intake *in = r->state;
    (void)gen;
    if (in && strcmp(name, "engine") == 0)
        desk_connect(&in->desk, fd);
    else
        close(fd);
}

static void intake_stop(struct role *r)
{
    struct intake *in = r->state;
    if (!in || !in->running) {
        intake_free(r);
        role_quit(r, 0);
        return;
    }
    in->desk.stopping = true;
    role_wake(r);
}

static void intake_pass(struct role *r)
{
    struct intake *in = r->state;
    if (!in || in->running)
        return;
    in->running = true;
    if (in->set.maildir)
        maildir_run(&in->desk, &in->set);
    else
        box_run(&in->desk, &in->set);
    intake_free(r);
    if (!r->quit)
        role_quit(r, 0);
}

static const struct role_ops intake_ops = {
    .kind = "intake",
    .open = intake_open,
    .rights = intake_rights,
    .peer = intake_peer,
    .pass = intake_pass,
    .stop = intake_stop,
};


int intake_main(const char *name)
{
    mailstream_debug = 0; /* libetpan must not log what it reads */
    mmap_string_set_ceil(SIZE_MAX); /* large literals in memory, not in /tmp */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int code = role_main(&intake_ops, name);
    curl_global_cleanup();
    return code;
}
