/* SPDX-License-Identifier: ISC
 *
 * super - see super.h: start, signals, the tick, and the order of the end
 *
 * The end goes in stages: what brings new work stops first (intake, web), then
 * the courier, then the engine, and the parser last: a mail that it has in hand
 * when it goes before the engine would look like poison. Each stage has a limit
 * after which its processes are killed; all state is in the store.
 */
#include "super.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define STAGES 4

/* ---- status ----------------------------------------------------------- */

static void status_send(struct super *s)
{
    int running = 0, all = 0;
    const struct service *missing = NULL;
    for (struct service *svc = s->services; svc; svc = svc->next) {
        bool up = svc->cur && svc->cur->state == PROC_RUNNING;
        all++;
        running += up;
        if (!up && !missing)
            missing = svc;
    }
    const char *why = missing ? missing->last_error : NULL;
    AUTO_FREE char *text = s->stopping ? mem_str("stopping")
                           : missing   ? mem_printf("%d of %d roles running, waiting for %s%s%s",
                                                    running, all, missing->name, why ? ": " : "",
                                                    why ? why : "")
                                       : mem_printf("%d roles running", running);
    if (s->status && strcmp(s->status, text) == 0)
        return;
    super_notify("STATUS=%s", text);
    mem_free(s->status);
    s->status = mem_str(text);
}

static bool all_running(const struct super *s)
{
    for (const struct service *svc = s->services; svc; svc = svc->next)
        if (!svc->cur || svc->cur->state != PROC_RUNNING)
            return false;
    return s->services != NULL;
}

/* ---- the end ---------------------------------------------------------- */

static bool stage_stop(struct super *s)
{
    bool any = false;
    for (struct proc *p = s->procs; p; p = p->next) {
        if (p->kind->stop_stage != s->stop_stage)
            continue;
        any = true;
        proc_stop(p, p->kind->stop_ms);
    }
    return any;
}

static bool stage_empty(const struct super *s)
{
    for (const struct proc *p = s->procs; p; p = p->next)
        if (p->kind->stop_stage == s->stop_stage)
            return false;
    return true;
}

static void stop_step(struct super *s)
{
    while (s->stop_stage < STAGES && stage_empty(s)) {
        s->stop_stage++;
        if (stage_stop(s))
            return;
    }
    if (s->stop_stage >= STAGES)
        event_base_loopbreak(s->base);
}

static void stop_begin(struct super *s, const char *why)
{
    log_info("stop", "why=\"%s\"", why);
    super_notify("STOPPING=1");
    s->stopping = true;
    super_check_end(s);
    super_reload_stop(s);
    for (struct service *svc = s->services; svc; svc = svc->next)
        event_del(svc->retry);
    status_send(s);
    s->stop_stage = -1;
    stop_step(s); /* no process has stage -1 */
}

void super_fail(struct super *s, int exit_code)
{
    if (s->stopping)
        return;
    s->exit_code = exit_code;
    stop_begin(s, "start failed");
}

void super_changed(struct super *s)
{
    if (s->stopping) {
        stop_step(s);
        return;
    }
    if (!s->up && all_running(s)) {
        s->up = true;
        log_info("ready", "ms=%lld", (long long)(clock_mono_ms() - s->start_mono));
        super_notify("READY=1");
    }
    status_send(s);
    super_reload_progress(s);
    super_reload_next(s);
    super_look(s);
}

/* ---- signals and time ------------------------------------------------- */

static void on_term(evutil_socket_t sig, short what, void *arg)
{
    struct super *s = arg;
    (void)what;
    if (!s->stopping) {
        stop_begin(s, sig == SIGINT ? "SIGINT" : "SIGTERM");
        return;
    }
    log_warn("stop.now", "why=\"second signal\"");
    s->exit_code = SUPER_EXIT_FAILED;
    for (struct proc *p = s->procs; p; p = p->next)
        if (!p->reaped)
            kill(p->pid, SIGKILL);
    event_base_loopbreak(s->base);
}

static void on_hup(evutil_socket_t sig, short what, void *arg)
{
    (void)sig;
    (void)what;
    super_reload_ask(arg, 0, "");
}

static void on_child(evutil_socket_t sig, short what, void *arg)
{
    struct super *s = arg;
    int status;
    pid_t pid;
    (void)sig;
    (void)what;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (!super_check_reaped(s, pid, status))
            proc_reaped(s, pid, status);
}

/* systemd hears only while the engine answers; its first start may take long
 * (a migration), later starts may not. */
static bool engine_alive(struct super *s)
{
    struct proc *engine = super_engine(s);
    if (!engine)
        return false;
    if (engine->state == PROC_STARTING)
        return engine->svc->fails == 0;
    return clock_mono_ms() - engine->pong_mono <= 3 * s->ping_ms;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct super *s = arg;
    (void)fd;
    (void)what;
    for (struct proc *p = s->procs; p; p = p->next)
        proc_check_alive(p);
    if (s->watchdog_ms && (s->stopping || s->check.pid || engine_alive(s)))
        super_notify("WATCHDOG=1");
}

/* ---- start ------------------------------------------------------------ */

static int64_t test_ms(const char *name, int64_t def)
{
    const char *v = getenv(name);
    int64_t ms;
    return v && text_parse_int(v, &ms) == 0 && ms > 0 ? ms : def;
}

static void signal_add(struct super *s, int i, int sig, event_callback_fn fn)
{
    s->sig[i] = evsignal_new(s->base, sig, fn, s);
    event_add(s->sig[i], NULL);
}

static void super_init(struct super *s)
{
    s->base = event_base_new();
    s->env = super_env();
    s->start_mono = clock_mono_ms();
    unsigned char id[(sizeof(s->run_id) - 1) / 2];
    hash_random(id, sizeof(id));
    text_hex(id, sizeof(id), s->run_id);
    s->ping_ms = test_ms("LEADD_TEST_PING_MS", SUPER_PING_MS);
    s->hang_ms = test_ms("LEADD_TEST_HANG_MS", SUPER_HANG_MS);
    s->watchdog_ms = super_watchdog_ms();
    if (s->watchdog_ms && s->watchdog_ms < s->ping_ms)
        s->ping_ms = s->watchdog_ms;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files); /* inherited: web-in holds many connections */
    }
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    signal_add(s, 0, SIGTERM, on_term);
    signal_add(s, 1, SIGINT, on_term);
    signal_add(s, 2, SIGHUP, on_hup);
    signal_add(s, 3, SIGCHLD, on_child);
    struct timeval tv = {s->ping_ms / 1000, (s->ping_ms % 1000) * 1000};
    s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
    event_add(s->tick, &tv);
}

/* Nothing that a role executes may gain rights, and none of the roles may do
 * what no process of ours ever does. It keeps files, ports and users: its roles
 * start with them. */
static void super_close_sandbox(struct super *s)
{
    struct err e = {0};
    struct sandbox *sb = sandbox_new("supervisor");
    struct sandbox_held held = {0};
    if (sandbox_enter(sb, &held, &e) < 0 || *held.lacks) {
        log_warn("sandbox.lacks", "role=supervisor lacks=\"%s\" next=\"goes on without\"",
                 *held.lacks ? held.lacks : e.text);
        s->lacks_told = true;
    }
    sandbox_free(&sb);
}

static void super_done(struct super *s)
{
    super_check_end(s);
    while (s->procs) /* killed at once: not reaped yet */
        proc_free(s->procs);
    while (s->services)
        service_free(s->services);
    super_unlisten(s);
    for (size_t i = 0; i < ARRAY_LEN(s->sig); i++)
        event_free(s->sig[i]);
    event_free(s->tick);
    json_decref(s->own);
    for (size_t i = 0; s->env[i]; i++)
        mem_free(s->env[i]);
    mem_free(s->env);
    mem_free(s->status);
    event_base_free(s->base);
}

int super_main(const struct super_options *opt)
{
    struct super s = {.opt = opt, .lock_fd = -1, .check.fd = -1};
    log_init("supervisor", LOG_LVL_INFO);
    super_init(&s);
    super_close_sandbox(&s);
    log_info("start", "version=" LEADD_VERSION " config=%s", opt->config);
    super_check_start(&s, CHECK_START);
    if (s.check.pid)
        event_base_dispatch(s.base);
    else
        s.exit_code = SUPER_EXIT_FAILED;
    log_info("end", "exit=%d", s.exit_code);
    super_done(&s);
    if (s.lock_fd >= 0)
        close(s.lock_fd);
    return s.exit_code;
}
