/* SPDX-License-Identifier: ISC
 *
 * super_proc - the processes of the roles: start, channels, death, restart
 *
 * A role is this binary executed again with its control channel as descriptor
 * 3, /dev/null as 0, and nothing else open. Every role but the engine shares a
 * socketpair with the engine; when either end is a new process, both get a new
 * pair. The death of a process is handled once its channel has closed too,
 * since its last words may still be in there.
 */
#include "super.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/role.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

static const struct super_kind kinds[] = {
    {"engine", {"ctl", "ingest"}, false, 2, 5000, 5000}, /* all others wait for it */
    {"parser", {NULL}, false, 3, 1000, 1000}, /* a crash on hostile mail must not stop the next */
    {"intake", {NULL}, false, 0, 3000, 30000},
    {"courier", {NULL}, true, 1, 5000, 30000},
    {"web-in", {"web-in"}, true, 0, 3000, 30000},
    {"web-ui", {"web-ui"}, false, 0, 3000, 30000},
};

const struct super_kind *super_kind_find(const char *name)
{
    size_t n = strcspn(name, ":");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, name, n) == 0)
            return &kinds[i];
    return NULL;
}

static bool is_engine(const struct super_kind *k)
{
    return k == &kinds[0];
}

/* ---- fork and exec ---------------------------------------------------- */

char **super_env(void)
{
    static const char *const keep[] = {"JOURNAL_STREAM=", "CREDENTIALS_DIRECTORY=", "LEADD_",
#ifdef LEADD_TEST_HOOKS
                                       "LD_PRELOAD=",
#endif
                                       "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS="};
    /* JSON trees are many small blocks, allocated and freed together: glibc's cache of 7 of
     * a size is soon full, and the slow path took an eighth of the engine's time */
    static const char *const set[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
        "TZ=UTC", "GLIBC_TUNABLES=glibc.malloc.tcache_count=200"};
    size_t count = 0, at = 0;
    while (environ[count])
        count++;
    char **env = mem_array(count + ARRAY_LEN(set) + 1, sizeof(*env));
    for (size_t i = 0; i < ARRAY_LEN(set); i++)
        env[at++] = mem_str(set[i]);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < ARRAY_LEN(keep); k++)
            if (text_starts(environ[i], keep[k]))
                env[at++] = mem_str(environ[i]);
    return env;
}

/* This very program, whatever its file is called by now. Under valgrind that is
 * valgrind, so a test says what runs the roles. */
static const char *own_program(void)
{
#ifdef LEADD_TEST_HOOKS
    const char *test = getenv("LEADD_EXE");
    if (test)
        return test;
#endif
    return "/proc/self/exe";
}

/* In the child, between fork and exec: only calls that are safe there. */
static void child_exec(int ctl_fd, char *const *argv, char *const *env, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the net below: normally the closed channel tells */
    if (getppid() != parent)
        _exit(127);
    for (int sig = 1; sig < 32; sig++)
        signal(sig, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid(); /* Ctrl-C in a terminal is for the supervisor */
    int null = open("/dev/null", O_RDONLY);
    if (ctl_fd == 3)
        fcntl(3, F_SETFD, 0);
    else if (dup2(ctl_fd, 3) < 0)
        _exit(127);
    if (null < 0 || dup2(null, 0) < 0 || close_range(4, ~0U, 0) < 0)
        _exit(127);
    execve(own_program(), argv, env);
    _exit(127);
}

pid_t super_exec(struct super *s, int ctl_fd, const char *const *args)
{
    const char *argv[8] = {"leadd"};
    for (size_t i = 0; args[i] && i < ARRAY_LEN(argv) - 2; i++)
        argv[i + 1] = args[i];
    /* A signal between fork and exec must not run our handlers in the child:
     * they would write into the pipe both still share. */
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        child_exec(ctl_fd, (char *const *)argv, s->env, parent);
    int saved = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    errno = saved;
    return pid;
}

/* ---- services --------------------------------------------------------- */

struct service *service_find(struct super *s, const char *name)
{
    struct service *svc = s->services;
    while (svc && strcmp(svc->name, name) != 0)
        svc = svc->next;
    return svc;
}

static void service_retry(evutil_socket_t fd, short what, void *arg)
{
    struct service *svc = arg;
    (void)fd;
    (void)what;
    svc->waiting = false;
    service_start(svc);
}

/* Kept in the order of kinds[], which is the order of the start. */
struct service *service_new(struct super *s, const char *name, json_t *config)
{
    struct service *svc = mem_alloc(sizeof(*svc)), **at = &s->services;
    svc->super = s;
    svc->name = mem_str(name);
    svc->kind = super_kind_find(name);
    LEADD_ASSERT(svc->kind);
    svc->config = json_incref(config);
    svc->retry = event_new(s->base, -1, 0, service_retry, svc);
    svc->since_mono = clock_mono_ms();
    while (*at && (*at)->kind <= svc->kind)
        at = &(*at)->next;
    svc->next = *at;
    *at = svc;
    return svc;
}

void service_free(struct service *svc)
{
    struct super *s = svc->super;
    struct service **at = &s->services;
    while (*at != svc)
        at = &(*at)->next;
    *at = svc->next;
    for (struct proc *p = s->procs; p; p = p->next)
        if (p->svc == svc)
            p->svc = NULL;
    event_free(svc->retry);
    json_decref(svc->config);
    mem_free(svc->last_error);
    mem_free(svc->name);
    mem_free(svc);
}

struct proc *super_engine(struct super *s)
{
    for (struct service *svc = s->services; svc; svc = svc->next)
        if (is_engine(svc->kind) && svc->cur && svc->cur->chan && svc->cur->state != PROC_STOPPING)
            return svc->cur;
    return NULL;
}

void services_start_waiting(struct super *s)
{
    for (struct service *svc = s->services; svc; svc = svc->next)
        if (!svc->cur && !svc->waiting && !svc->unwanted)
            service_start(svc);
}

/* ---- channels --------------------------------------------------------- */

static void send_fd(struct proc *to, enum frame_type type, const char *name, const char *gen,
                    int fd)
{
    AUTO_JSON json_t *j = json_object();
    json_put_str(j, "name", name);
    json_put_str(j, "gen", gen);
    chan_send(to->chan, type, 0, j, NULL, 0, fd);
}

static void peers_join(struct proc *engine, struct proc *p)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("role.peer", "peer=%s error=\"%s\"", p->name, err_errno());
        proc_kill(p, "no channel"); /* the restart tries again */
        return;
    }
    CRASH_POINT("super.join.before");
    send_fd(engine, FRAME_PEER, p->name, p->gen, pair[0]);
    CRASH_POINT("super.join.between");
    send_fd(p, FRAME_PEER, engine->name, engine->gen, pair[1]);
    CRASH_POINT("super.join.after");
    close(pair[0]);
    close(pair[1]);
}

/* The running roles that are current, or those that only drain. */
static void engine_join_all(struct proc *engine, bool current)
{
    for (struct proc *o = engine->super->procs; o; o = o->next)
        if (o != engine && o->chan && !o->reaped && !is_engine(o->kind) &&
            (o->svc && o->svc->cur == o) == current)
            peers_join(engine, o);
}

/* Everything a new process needs before START. */
static void proc_equip(struct proc *p)
{
    struct super *s = p->super;
    role_config_send(p->chan, p->svc->config);
    if (is_engine(p->kind)) {
        engine_join_all(p, false); /* the engine takes the last of a name for the current one */
        engine_join_all(p, true);
    } else {
        peers_join(super_engine(s), p);
    }
    for (size_t i = 0; i < ARRAY_LEN(p->kind->listen); i++) {
        struct listener *l = p->kind->listen[i] ? super_listener(s, p->kind->listen[i]) : NULL;
        if (l)
            send_fd(p, FRAME_LISTEN, l->name, NULL, l->fd);
    }
    chan_send_json(p->chan, FRAME_START, 0, NULL);
}

static void proc_held(struct proc *p, const json_t *ready)
{
    struct super *s = p->super;
    p->held.no_new_privs = json_get_bool(ready, "no_new_privs", false);
    p->held.landlock = (int)json_get_int(ready, "landlock", 0);
    p->held.seccomp = json_get_bool(ready, "seccomp", false);
    snprintf(p->held.lacks, sizeof(p->held.lacks), "%s", json_get_str(ready, "lacks", ""));
    if (!*p->held.lacks || s->lacks_told)
        return;
    s->lacks_told = true;
    log_warn("sandbox.lacks", "role=%s lacks=\"%s\" next=\"goes on without\"", p->name,
             p->held.lacks);
}

static void proc_ready(struct proc *p, const struct frame *f)
{
    struct service *svc = p->svc;
    const char *error = json_get_str(f->json, "error", NULL);
    if (p->state != PROC_STARTING)
        return;
    if (error) {
        mem_free(svc->last_error);
        svc->last_error = mem_str(error);
        return; /* it ends now */
    }
    int64_t now = clock_mono_ms();
    p->state = PROC_RUNNING;
    p->since_mono = p->pong_mono = now;
    p->user = mem_str(json_get_str(f->json, "user", NULL));
    p->dropped = json_get_bool(f->json, "dropped", false);
    proc_held(p, f->json);
    svc->was_ready = true;
    mem_free(svc->last_error);
    svc->last_error = NULL;
    log_info("role.ready", "role=%s pid=%d user=%s ms=%lld", p->name, (int)p->pid,
             p->user ? p->user : "?", (long long)(now - p->start_mono));
    super_changed(p->super);
}

static void proc_replace_peer(struct super *s, const struct frame *f)
{
    struct service *svc = service_find(s, json_get_str(f->json, "name", ""));
    const char *gen = json_get_str(f->json, "gen", NULL);
    if (!svc || !svc->cur || is_engine(svc->kind) || (gen && strcmp(gen, svc->cur->gen) != 0))
        return;
    if (json_get_bool(f->json, "closed", false)) { /* it may be ending: a death like any other */
        struct timeval tv = {3, 0};
        if (svc->cur->state != PROC_STOPPING && !svc->cur->reaped)
            event_add(svc->cur->limit, &tv);
        return;
    }
    svc->cur->expected = true; /* no backoff: the engine waits for it */
    proc_kill(svc->cur, json_get_str(f->json, "why", "asked by the engine"));
}

/* A file that it may read was put in another place; see base/sandbox.h. */
static void proc_renew(struct proc *p, const struct frame *f)
{
    if (!p->svc || p->svc->cur != p || p->state != PROC_RUNNING || p->super->stopping ||
        clock_mono_ms() - p->since_mono < SUPER_RENEW_MS)
        return;
    log_info("role.renew", "role=%s changed=\"%s\"", p->name, json_get_str(f->json, "why", "?"));
    service_replace(p->svc);
}

static void proc_on_frame(struct chan *c, struct frame *f, void *arg)
{
    struct proc *p = arg;
    (void)c;
    if (!frame_allowed(f->type, "role") && !frame_allowed(f->type, p->kind->name)) {
        if (++p->odd <= 10)
            log_warn("role.frame", "role=%s frame=%s error=\"not allowed, ignored\"", p->name,
                     frame_type_name(f->type));
        if (p->odd == BOUND_PEER_ODD)
            proc_kill(p, "sends what is not its to send");
        return;
    }
    switch (f->type) {
    case FRAME_READY:
        proc_ready(p, f);
        break;
    case FRAME_PONG:
        p->pong_mono = clock_mono_ms();
        break;
    case FRAME_RENEW:
        proc_renew(p, f);
        break;
    case FRAME_REPLACE_PEER:
        proc_replace_peer(p->super, f);
        break;
    case FRAME_RELOAD:
        super_reload_ask(p->super, f->id, p->gen);
        break;
    case FRAME_LIST_PROCESSES: {
        AUTO_JSON json_t *j = super_processes(p->super);
        chan_send_json(p->chan, FRAME_PROCESSES, f->id, j);
        break;
    }
    default:
        break;
    }
}

/* ---- death ------------------------------------------------------------ */

static int backoff_ms(const struct service *svc)
{
    unsigned shift = svc->fails > 10 ? 10 : svc->fails ? svc->fails - 1 : 0;
    int ms = SUPER_BACKOFF_MS << shift;
    return ms < svc->kind->backoff_max_ms ? ms : svc->kind->backoff_max_ms;
}

static const char *status_text(int status, char *out, size_t n)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        snprintf(out, n, "signal %d: the sandbox does not allow that call", SIGSYS);
    else if (WIFSIGNALED(status))
        snprintf(out, n, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == MEM_EXIT)
        snprintf(out, n, "exit %d: out of memory", MEM_EXIT);
    else
        snprintf(out, n, "exit %d", WEXITSTATUS(status));
    return out;
}

/* The engine says that no restart will help (a database that is damaged or none): to
 * try again would only hide it. systemd leaves it down, too. */
static bool is_hopeless(const struct service *svc, const struct proc *p)
{
    return is_engine(svc->kind) && p && p->state == PROC_STARTING && WIFEXITED(p->wait_status) &&
           WEXITSTATUS(p->wait_status) == SUPER_EXIT_CONFIG;
}

/* p: the process that ended, NULL when there was none. */
static void service_failed(struct service *svc, const struct proc *p, const char *how)
{
    struct super *s = svc->super;
    svc->fails++;
    if (is_hopeless(svc, p)) {
        log_error("engine.hopeless", "error=\"%s\" next=\"leadd ends; start it when this is mended\"",
                  svc->last_error ? svc->last_error : how);
        super_fail(s, SUPER_EXIT_CONFIG);
        return;
    }
    if (!s->up && !svc->was_ready && svc->fails >= SUPER_START_TRIES) {
        log_error("start.failed", "role=%s tries=%u error=\"%s\"", svc->name, svc->fails,
                  svc->last_error ? svc->last_error : how);
        super_fail(s, SUPER_EXIT_FAILED);
        return;
    }
    int ms = HOOK("super.restart_soon") ? 10 : backoff_ms(svc);
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    log_warn("role.restart", "role=%s fails=%u in_ms=%d", svc->name, svc->fails, ms);
    svc->waiting = true;
    event_add(svc->retry, &tv);
}

static void service_after_death(struct service *svc, const struct proc *p, const char *how)
{
    struct super *s = svc->super;
    int64_t now = clock_mono_ms();
    svc->cur = NULL;
    svc->since_mono = now;
    if (s->stopping)
        return;
    if (svc->unwanted) {
        service_free(svc);
        return;
    }
    svc->restarts++;
    if (p->state != PROC_STARTING && now - p->since_mono >= SUPER_HEALTHY_MS)
        svc->fails = 0;
    if (p->expected) {
        service_start(svc);
        return;
    }
    if (p->state != PROC_STARTING || !svc->last_error) { /* else it said why it cannot start */
        mem_free(svc->last_error);
        svc->last_error = svc->fails ? mem_printf("it ended %u times in a row, last by %s",
                                                  svc->fails + 1, how)
                                     : mem_printf("it ended by %s", how);
    }
    service_failed(svc, p, how);
}

void proc_free(struct proc *p)
{
    struct proc **at = &p->super->procs;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    chan_free(&p->chan);
    event_free(p->limit);
    mem_free(p->user);
    mem_free(p->name);
    mem_free(p);
}

static void proc_ended(struct proc *p)
{
    struct super *s = p->super;
    char how[64];
    status_text(p->wait_status, how, sizeof(how));
    if (p->expected)
        log_info("role.ended", "role=%s pid=%d how=\"%s\"", p->name, (int)p->pid, how);
    else
        log_error("role.died", "role=%s pid=%d how=\"%s\"", p->name, (int)p->pid, how);
    CRASH_POINT("super.death.before");
    struct proc *engine = super_engine(s);
    if (engine && engine != p) {
        AUTO_JSON json_t *j = json_pack("{s:s, s:s, s:s}", "name", p->name, "gen", p->gen, "how",
                                        how);
        chan_send_json(engine->chan, FRAME_PEER_GONE, 0, j);
    }
    struct service *svc = p->svc;
    if (svc && svc->cur == p)
        service_after_death(svc, p, how);
    proc_free(p);
    super_changed(s);
}

static void proc_on_gone(struct chan *c, const char *why, void *arg)
{
    struct proc *p = arg;
    (void)c;
    chan_free(&p->chan);
    if (p->reaped) {
        proc_ended(p);
        return;
    }
    /* It ends by itself, or it broke the format and is of no use. */
    struct timeval tv = {3, 0};
    if (p->state != PROC_STOPPING) {
        log_debug("role.channel", "role=%s pid=%d why=\"%s\"", p->name, (int)p->pid, why);
        event_add(p->limit, &tv);
    }
}

void proc_reaped(struct super *s, pid_t pid, int wait_status)
{
    struct proc *p = s->procs;
    while (p && p->pid != pid)
        p = p->next;
    if (!p)
        return;
    p->reaped = true;
    p->wait_status = wait_status;
    if (!p->chan) {
        proc_ended(p);
        return;
    }
    struct timeval tv = {1, 0}; /* a child of it may hold the channel open */
    event_add(p->limit, &tv);
}

void proc_kill(struct proc *p, const char *why)
{
    if (p->reaped)
        return;
    log_warn("role.kill", "role=%s pid=%d why=\"%s\"", p->name, (int)p->pid, why);
    kill(p->pid, SIGKILL);
}

static void proc_limit(evutil_socket_t fd, short what, void *arg)
{
    struct proc *p = arg;
    (void)fd;
    (void)what;
    if (p->reaped) {
        chan_free(&p->chan);
        proc_ended(p);
    } else {
        proc_kill(p, p->state == PROC_STOPPING ? "did not stop in time" : "left its channel");
    }
}

void proc_stop(struct proc *p, int kill_after_ms)
{
    struct timeval tv = {kill_after_ms / 1000, (kill_after_ms % 1000) * 1000};
    bool told = p->state == PROC_STOPPING;
    p->state = PROC_STOPPING;
    p->expected = true;
    p->since_mono = clock_mono_ms();
    if (p->reaped)
        return;
    event_add(p->limit, &tv);
    if (p->chan && !told)
        chan_send_json(p->chan, FRAME_STOP, 0, NULL);
}

/* Called at every tick. */
void proc_check_alive(struct proc *p)
{
    struct super *s = p->super;
    int64_t now = clock_mono_ms();
    if (!p->chan || p->reaped || p->state == PROC_STOPPING)
        return;
    if (p->state == PROC_STARTING) {
        if (now - p->start_mono > SUPER_START_MS)
            proc_kill(p, "not ready in time");
        return;
    }
    if (now - p->pong_mono > s->hang_ms)
        proc_kill(p, "does not answer");
    else
        chan_send_json(p->chan, FRAME_PING, ++s->counter, NULL);
}

/* ---- start ------------------------------------------------------------ */

void service_start(struct service *svc)
{
    struct super *s = svc->super;
    int pair[2];
    /* A role without an engine has nobody to talk to: the engine's start
     * starts it too. */
    if (s->stopping || svc->cur || (!is_engine(svc->kind) && !super_engine(s)))
        return;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        service_failed(svc, NULL, err_errno());
        return;
    }
    const char *const args[] = {"-R", svc->name, NULL};
    svc->secrets = super_secrets(svc->config);
    pid_t pid = super_exec(s, pair[1], args);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        service_failed(svc, NULL, err_errno());
        return;
    }
    struct proc *p = mem_alloc(sizeof(*p));
    p->next = s->procs;
    s->procs = p;
    p->super = s;
    p->svc = svc;
    p->kind = svc->kind;
    p->name = mem_str(svc->name);
    p->pid = pid;
    p->start_mono = p->since_mono = svc->since_mono = clock_mono_ms();
    snprintf(p->gen, sizeof(p->gen), "%s.%d.%llu.%s", p->kind->name, (int)pid,
             (unsigned long long)++s->counter, s->run_id);
    p->limit = event_new(s->base, -1, 0, proc_limit, p);
    p->chan = chan_new(s->base, pair[0], p->name, proc_on_frame, proc_on_gone, p);
    svc->cur = p;
    log_debug("role.started", "role=%s pid=%d gen=%s", p->name, (int)pid, p->gen);
    CRASH_POINT("super.start.after");
    proc_equip(p);
    if (is_engine(p->kind))
        services_start_waiting(s);
}

/* ---- list ------------------------------------------------------------- */

static json_t *process_row(const struct service *svc, const struct proc *p)
{
    static const char *const states[] = {"starting", "running", "stopping"};
    bool old = p && svc && svc->cur != p;
    json_t *j = json_object();
    json_put_str(j, "name", p ? p->name : svc->name);
    json_put_int(j, "pid", p ? p->pid : 0);
    json_put_str(j, "gen", p ? p->gen : "");
    json_put_str(j, "state", !p ? "waiting" : old ? "draining" : states[p->state]);
    json_put_int(j, "restarts", svc ? svc->restarts : 0);
    json_put_int(j, "since_ms_mono", p ? p->since_mono : svc->since_mono);
    json_put_str(j, "user", p ? p->user : NULL);
    json_put_bool(j, "dropped", p && p->dropped);
    json_put_bool(j, "no_new_privs", p && p->held.no_new_privs);
    json_put_int(j, "landlock", p ? p->held.landlock : 0);
    json_put_bool(j, "seccomp", p && p->held.seccomp);
    json_put_str(j, "lacks", p ? p->held.lacks : NULL);
    json_put_str(j, "error", svc ? svc->last_error : NULL);
    return j;
}

json_t *super_processes(struct super *s)
{
    json_t *all = json_object(), *list = json_array();
    for (struct service *svc = s->services; svc; svc = svc->next)
        json_array_append_new(list, process_row(svc, svc->cur));
    for (struct proc *p = s->procs; p; p = p->next)
        if (!p->svc || p->svc->cur != p)
            json_array_append_new(list, process_row(p->svc, p));
    json_object_set_new(all, "processes", list);
    return all;
}
