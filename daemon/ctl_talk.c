/* SPDX-License-Identifier: ISC
 *
 * ctl_talk - one question to the daemon over one socket, one answer
 */
#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

struct talk {
    enum frame_type want;
    struct frame *answer;
    bool over, answered;
};

char *ctl_socket_path(const char *name)
{
    const char *run = getenv("LEADD_RUN_DIR");
    return mem_printf("%s/%s", run && *run ? run : LEADD_RUNDIR, name);
}

static int talk_connect(const char *path, struct err *e)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(sa.sun_path))
        return err_set(e, ERR_PERM, "%s: the path is too long for a socket", path);
    memcpy(sa.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
        return fd;
    const char *hint = errno == EACCES    ? " (are you in group leadd?)"
                       : errno == ENOENT || errno == ECONNREFUSED ? " (is leadd running?)"
                                                                  : "";
    err_set(e, ERR_TEMP, "cannot reach leadd at %s: %s%s", path, err_errno(), hint);
    if (fd >= 0)
        close(fd);
    return -1;
}

static void talk_frame(struct chan *c, struct frame *f, void *arg)
{
    struct talk *t = arg;
    (void)c;
    if (t->over || f->type != t->want || f->id != 1)
        return;
    *t->answer = *f;
    *f = (struct frame){.fd = -1};
    t->over = t->answered = true;
}

static void talk_gone(struct chan *c, const char *why, void *arg)
{
    struct talk *t = arg;
    (void)c;
    (void)why;
    t->over = true;
}

static void talk_late(evutil_socket_t fd, short what, void *arg)
{
    struct talk *t = arg;
    (void)fd;
    (void)what;
    t->over = true;
}

int ctl_ask(const char *path, enum frame_type type, const json_t *json, const void *raw,
            size_t raw_len, enum frame_type want, int wait_s, struct frame *answer_out,
            struct err *e)
{
    struct talk t = {.want = want, .answer = answer_out};
    struct timeval tv = {wait_s, 0};
    int fd = talk_connect(path, e);
    if (fd < 0)
        return -1;
    struct event_base *base = event_base_new();
    struct chan *c = chan_new(base, fd, "leadd", talk_frame, talk_gone, &t);
    struct event *late = event_new(base, -1, 0, talk_late, &t);
    event_add(late, &tv);
    chan_send(c, type, 1, json, raw, raw_len, -1);
    while (!t.over && event_base_loop(base, EVLOOP_ONCE) == 0)
        ;
    bool in_time = event_pending(late, EV_TIMEOUT, NULL);
    event_free(late);
    chan_free(&c);
    event_base_free(base);
    if (t.answered)
        return 0;
    return err_set(e, ERR_TEMP, in_time ? "leadd at %s closed the connection without an answer"
                                        : "leadd at %s did not answer in time", path);
}
