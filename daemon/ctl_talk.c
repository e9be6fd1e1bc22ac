/* SPDX-License-Identifier: ISC
 *
 * ctl_talk - one question to the daemon over one socket, one answer
 */
#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

struct talk {
    enum frame_type want;
    struct frame *answer;
    bool over, answered;
    bool again; /* nothing was done: the engine is being replaced */
};

char *ctl_socket_path(const char *name)
{
    const char *run = getenv("LEADD_RUN_DIR");
    return mem_printf("%s/%s", run && *run ? run : LEADD_RUNDIR, name);
}

char *ctl_socket_of(const struct ctl_options *opt, const char *name)
{
    struct stat st;
    const char *slash = opt->socket ? strrchr(opt->socket, '/') : NULL;
    if (!opt->socket)
        return ctl_socket_path(name);
    if (stat(opt->socket, &st) == 0 && S_ISDIR(st.st_mode))
        return mem_printf("%s/%s", opt->socket, name);
    if (strcmp(slash ? slash + 1 : opt->socket, "ctl.sock") == 0)
        return mem_printf("%.*s%s", slash ? (int)(slash - opt->socket) + 1 : 0, opt->socket, name);
    return mem_str(opt->socket);
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
    if (t->over || f->type != t->want || f->id > 1)
        return;
    if (f->id == 0) {
        t->again = t->over = json_get_bool(f->json, "again", false);
        return;
    }
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

/* 0 with the answer, or -1; what is to be told is in t. */
static int talk_once(struct talk *t, int fd, enum frame_type type, const json_t *json,
                     const void *raw, size_t raw_len, int64_t wait_ms)
{
    struct timeval tv = {wait_ms / 1000, wait_ms % 1000 * 1000};
    struct event_base *base = event_base_new();
    struct chan *c = chan_new(base, fd, "leadd", talk_frame, talk_gone, t);
    struct event *late = event_new(base, -1, 0, talk_late, t);
    event_add(late, &tv);
    chan_send(c, type, 1, json, raw, raw_len, -1);
    while (!t->over && event_base_loop(base, EVLOOP_ONCE) == 0)
        ;
    event_free(late);
    chan_free(&c);
    event_base_free(base);
    return t->answered ? 0 : -1;
}

int ctl_ask(const char *path, enum frame_type type, const json_t *json, const void *raw,
            size_t raw_len, enum frame_type want, int wait_s, struct frame *answer_out,
            struct err *e)
{
    int64_t end = clock_mono_ms() + wait_s * (int64_t)1000, left;
    while ((left = end - clock_mono_ms()) > 0) {
        struct talk t = {.want = want, .answer = answer_out};
        int fd = talk_connect(path, e);
        if (fd < 0)
            return -1;
        if (talk_once(&t, fd, type, json, raw, raw_len, left) == 0)
            return 0;
        if (!t.again && clock_mono_ms() < end)
            return err_set(e, ERR_TEMP, "leadd at %s closed the connection without an answer",
                           path);
    }
    return err_set(e, ERR_TEMP, "leadd at %s did not answer in time", path);
}

int ctl_call(const struct ctl_options *opt, json_t *argv, struct frame *answer_out)
{
    struct err e = {0};
    AUTO_JSON json_t *j = json_pack("{s:o}", "argv", argv);
    AUTO_FREE char *path = ctl_socket_of(opt, "ctl.sock");
    *answer_out = (struct frame){.fd = -1};
    if (ctl_ask(path, FRAME_CTL, j, NULL, 0, FRAME_CTL_DONE, opt->wait_s, answer_out, &e) < 0) {
        fprintf(stderr, "leadctl: %s\n", e.text);
        return CTL_EXIT_UNAVAILABLE;
    }
    const char *error = json_get_str(answer_out->json, "error", NULL);
    if (error) {
        fputs("leadctl: ", stderr);
        ctl_render_text(error, stderr);
    }
    return (int)json_get_int(answer_out->json, "exit", CTL_EXIT_FAILED);
}
