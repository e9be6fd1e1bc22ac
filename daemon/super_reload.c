/* SPDX-License-Identifier: ISC
 *
 * super_reload - the throwaway child that reads the config, and what follows
 *
 * The child writes {ok, errors, parts} into a pipe and ends; a child that
 * crashes, hangs or writes too much is an error like any other. With errors
 * nothing changes. Without, each role's part is compared with what it runs on,
 * and only those that differ are replaced: the courier beside the old one,
 * which drains, all others after the old one has ended.
 *
 * The child also runs the tests of the rules (super_check.h): with one that fails a
 * reload is refused. A start does not wait for them; when all is up, they are run once,
 * and what fails is told.
 *
 * The engine may be among the replaced; whoever asked is therefore told before
 * it stops, and otherwise when the new processes are ready.
 */
#include "super.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"

/* ---- the child -------------------------------------------------------- */

static void check_finish(struct super *s);

static void check_readable(evutil_socket_t fd, short what, void *arg)
{
    struct super *s = arg;
    char chunk[65536];
    (void)what;
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0 && buf_add(&s->check.out, chunk, (size_t)n) == 0)
        return;
    if (n > 0)
        kill(s->check.pid, SIGKILL); /* too much: full is noticed at the end */
    event_del(s->check.rd);
    s->check.eof = true;
    check_finish(s);
}

static void check_late(evutil_socket_t fd, short what, void *arg)
{
    struct super *s = arg;
    (void)fd;
    (void)what;
    s->check.late = true;
    if (!s->check.reaped)
        kill(s->check.pid, SIGKILL);
}

bool super_check_reaped(struct super *s, pid_t pid, int wait_status)
{
    if (s->check.pid == 0 || s->check.pid != pid)
        return false;
    s->check.reaped = true;
    s->check.wait_status = wait_status;
    check_finish(s);
    return true;
}

void super_check_start(struct super *s, enum super_check_for what)
{
    struct super_check *c = &s->check;
    int fds[2];
    struct timeval tv = {SUPER_CHECK_MS / 1000, 0};
    const char *const args[] = {"-R", "config", "-c", s->opt->config,
                                what == CHECK_START ? NULL : "-T", NULL};
    LEADD_ASSERT(c->pid == 0);
    *c = (struct super_check){.fd = -1, .what = what};
    if (pipe2(fds, O_CLOEXEC) < 0) {
        log_error("config.check", "error=\"%s\"", err_errno());
        return;
    }
    c->pid = super_exec(s, fds[1], args);
    close(fds[1]);
    c->fd = fds[0];
    evutil_make_socket_nonblocking(c->fd);
    buf_init(&c->out, SUPER_CHECK_BYTES);
    c->rd = event_new(s->base, c->fd, EV_READ | EV_PERSIST, check_readable, s);
    c->limit = event_new(s->base, -1, 0, check_late, s);
    event_add(c->rd, NULL);
    event_add(c->limit, &tv);
    if (c->pid < 0) {
        c->pid = getpid(); /* none; the closed pipe ends the check */
        c->reaped = true;
        c->wait_status = 127 << 8;
    }
}

void super_check_end(struct super *s)
{
    struct super_check *c = &s->check;
    if (c->pid == 0)
        return;
    if (!c->reaped)
        kill(c->pid, SIGKILL);
    event_free(c->rd);
    event_free(c->limit);
    close(c->fd);
    buf_done(&c->out);
    *c = (struct super_check){.fd = -1};
}

static json_t *errors_one(const char *text)
{
    return json_pack("{s:b, s:[s]}", "ok", 0, "errors", text);
}

static json_t *check_result(const struct super_check *c)
{
    struct err e = {0};
    char text[200];
    if (c->late)
        return errors_one("the config check took too long and was stopped");
    if (!buf_ok(&c->out))
        return errors_one("the config is too large");
    if (WIFSIGNALED(c->wait_status)) {
        snprintf(text, sizeof(text), "the config check died: signal %d", WTERMSIG(c->wait_status));
        return errors_one(text);
    }
    json_t *j = json_load_bounded(c->out.data, c->out.len, SUPER_CHECK_BYTES, &e);
    if (json_is_object(j))
        return j;
    json_decref(j);
    snprintf(text, sizeof(text), "the config check failed: exit %d", WEXITSTATUS(c->wait_status));
    return errors_one(text);
}

/* ---- what a part means ------------------------------------------------ */

/* Equal but for "at", where a setting stands in its file: a line added above a
 * mailbox is no reason to restart it. The engine shows these places. The order of
 * names counts: that of users is the turn they take, that of territories which is
 * asked first. */
static bool part_same(const json_t *a, const json_t *b, bool places)
{
    const char *key;
    json_t *v;
    size_t i;
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        json_array_foreach(a, i, v)
            if (!part_same(v, json_array_get(b, i), places))
                return false;
        return true;
    }
    if (!json_is_object(a))
        return json_equal(a, b);
    if (json_object_size(a) != json_object_size(b))
        return false;
    void *other = json_object_iter((json_t *)b);
    json_object_foreach((json_t *)a, key, v) {
        if (strcmp(key, json_object_iter_key(other)) != 0 ||
            (!(strcmp(key, "at") == 0 && !places) &&
             !part_same(v, json_object_iter_value(other), places)))
            return false;
        other = json_object_iter_next((json_t *)b, other);
    }
    return true;
}

static bool service_differs(const struct super *s, const struct service *svc, const json_t *part,
                            const json_t *own)
{
    if (!part_same(svc->config, part, strcmp(svc->kind->name, "engine") == 0) ||
        svc->secrets != super_secrets(part))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(svc->kind->listen); i++) {
        const char *name = svc->kind->listen[i];
        const char *was = name ? json_get_str(json_get_obj(s->own, "listen"), name, NULL) : NULL;
        const char *is = name ? json_get_str(json_get_obj(own, "listen"), name, NULL) : NULL;
        if ((was == NULL) != (is == NULL) || (was && strcmp(was, is) != 0))
            return true;
    }
    return false;
}

/* Folders and the store cannot change under a running engine. */
static int own_allowed(const json_t *was, const json_t *is, struct err *e)
{
    static const char *const fixed[] = {"state_dir", "run_dir", "store"};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        const char *a = json_get_str(was, fixed[i], ""), *b = json_get_str(is, fixed[i], "");
        if (strcmp(a, b) != 0)
            return err_set(e, ERR_PERM, "%s changed from %s to %s: restart leadd for that",
                           fixed[i], a, b);
    }
    return 0;
}

/* What is of this start and stands in no file. */
static void parts_start_with(const struct super *s, json_t *parts)
{
    json_t *engine = json_get_obj(parts, "engine");
    if (s->opt->pretend && engine) {
        json_put_int(engine, "pretend_ms", s->opt->pretend_ms);
        json_put_str(engine, "pretend_run", s->run_id); /* the next engine's clock goes on */
    }
    if (engine)
        json_put_str(engine, "config_file", s->opt->config);
}

/* ---- the first start -------------------------------------------------- */

static void start_all(struct super *s, json_t *result)
{
    struct err e = {0};
    json_t *parts = json_get_obj(result, "parts");
    enum log_level level;
    s->own = json_incref(json_get_obj(parts, "supervisor"));
    if (log_level_parse(json_get_str(s->own, "log_level", "info"), &level) == 0)
        log_set_level(level);
    if (super_prepare(s, &e) < 0 || super_listen(s, s->own, &e) < 0 ||
        super_write_ports(s, &e) < 0) {
        log_error("start.failed", "error=\"%s\"", e.text);
        super_fail(s, SUPER_EXIT_FAILED);
        return;
    }
    const char *name;
    json_t *part;
    json_object_foreach(parts, name, part)
        if (super_kind_find(name) && !service_find(s, name))
            service_new(s, name, part);
    services_start_waiting(s);
}

static void log_warnings(const json_t *result)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_get_arr(result, "warnings"), i, v)
        log_warn("config.warning", "%s", json_string_value(v) ? json_string_value(v) : "?");
}

static void start_refused(struct super *s, json_t *result)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_get_arr(result, "errors"), i, v)
        fprintf(stderr, "%s\n", json_string_value(v) ? json_string_value(v) : "?");
    log_error("start.failed", "config=%s errors=%zu", s->opt->config,
              json_array_size(json_get_arr(result, "errors")));
    super_fail(s, SUPER_EXIT_CONFIG);
}

/* ---- reload ----------------------------------------------------------- */

/* After SIGHUP the engine hears too, with id 0: it knows the admin's address. */
static void askers_tell(struct super *s, struct super_askers *a, const json_t *answer)
{
    struct proc *engine = super_engine(s);
    if (answer && engine && a->signal)
        chan_send_json(engine->chan, FRAME_RELOAD_DONE, 0, answer);
    for (size_t i = 0; answer && engine && strcmp(engine->gen, a->gen) == 0 && i < a->count; i++)
        chan_send_json(engine->chan, FRAME_RELOAD_DONE, a->ids[i], answer);
    a->signal = false;
    a->count = 0;
}

static void reload_tell(struct super *s)
{
    struct super_reload *r = &s->reload;
    askers_tell(s, &r->now, r->answer);
    json_decref(r->answer);
    r->answer = NULL;
}

void super_reload_stop(struct super *s)
{
    struct super_reload *r = &s->reload;
    json_decref(r->answer);
    if (r->limit)
        event_free(r->limit);
    *r = (struct super_reload){0};
}

static void reload_end(struct super *s)
{
    struct super_askers next = s->reload.next;
    reload_tell(s);
    super_reload_stop(s);
    s->reload.next = next;
    super_notify("READY=1");
    super_reload_next(s);
}

static void reload_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    reload_end(arg);
}

/* Every service serves with its new config? */
void super_reload_progress(struct super *s)
{
    if (!s->reload.active || s->check.pid || s->stopping)
        return;
    for (struct service *svc = s->services; svc; svc = svc->next) {
        if (!svc->waiting && (!svc->cur || svc->cur->state != PROC_RUNNING))
            return; /* one that waits after a failure is not waited for */
    }
    reload_end(s);
}

/* One line each: what follows in an error, such as the source line, is for those
 * who asked. */
static void reload_log_errors(json_t *errors)
{
    size_t i;
    json_t *v;
    json_array_foreach(errors, i, v) {
        const char *text = json_string_value(v) ? json_string_value(v) : "?";
        log_error("reload.error", "%.*s", (int)strcspn(text, "\n"), text);
    }
    log_error("reload.failed", "errors=%zu next=\"the running config stays\"",
              json_array_size(errors));
}

static void reload_refused(struct super *s, json_t *errors)
{
    reload_log_errors(errors);
    s->reload.answer = json_pack("{s:b, s:O}", "ok", 0, "errors", errors);
    reload_end(s);
}

void service_replace(struct service *svc)
{
    struct proc *p = svc->cur;
    if (svc->waiting) { /* it failed before: try at once with the new config */
        event_del(svc->retry);
        svc->waiting = false;
    }
    if (!p) {
        service_start(svc);
    } else if (svc->kind->drains && p->state == PROC_RUNNING) {
        proc_stop(p, SUPER_DRAIN_MS);
        svc->cur = NULL;
        svc->restarts++;
        service_start(svc);
    } else if (p->state != PROC_STOPPING) {
        proc_stop(p, SUPER_REPLACE_MS);
    }
}

static void service_remove(struct service *svc)
{
    svc->unwanted = true;
    event_del(svc->retry);
    if (svc->cur)
        proc_stop(svc->cur, svc->kind->drains ? SUPER_DRAIN_MS : SUPER_REPLACE_MS);
    else
        service_free(svc);
}

/* Notes what will happen in the answer; nothing is stopped yet. */
static void reload_plan(struct super *s, json_t *parts, const json_t *own, json_t *changed,
                        json_t *started, json_t *stopped)
{
    const char *name;
    json_t *part;
    for (struct service *svc = s->services; svc; svc = svc->next) {
        part = json_get_obj(parts, svc->name);
        if (!part && !svc->unwanted)
            json_array_append_new(stopped, json_string(svc->name));
        else if (part && (svc->unwanted || service_differs(s, svc, part, own)))
            json_array_append_new(changed, json_string(svc->name));
    }
    json_object_foreach(parts, name, part)
        if (super_kind_find(name) && !service_find(s, name))
            json_array_append_new(started, json_string(name));
}

static void reload_carry_out(struct super *s, json_t *parts, json_t *changed, json_t *started,
                             json_t *stopped)
{
    size_t i;
    json_t *v;
    json_array_foreach(stopped, i, v)
        service_remove(service_find(s, json_string_value(v)));
    json_array_foreach(changed, i, v) {
        struct service *svc = service_find(s, json_string_value(v));
        json_decref(svc->config);
        svc->config = json_incref(json_get_obj(parts, svc->name));
        svc->unwanted = false;
        service_replace(svc);
    }
    json_array_foreach(started, i, v)
        service_new(s, json_string_value(v), json_get_obj(parts, json_string_value(v)));
    services_start_waiting(s);
}

static bool names_engine(json_t *changed)
{
    size_t i;
    json_t *v;
    json_array_foreach(changed, i, v)
        if (strcmp(json_string_value(v), "engine") == 0)
            return true;
    return false;
}

/* A relay that never answers keeps an old courier for ten minutes. Somebody who
 * reloads again and again must not fill the machine with them. */
static int draining_allowed(const struct super *s, json_t *changed, struct err *e)
{
    size_t i;
    json_t *v;
    json_array_foreach(changed, i, v) {
        int count = 0;
        for (const struct proc *p = s->procs; p; p = p->next)
            count += strcmp(p->name, json_string_value(v)) == 0 && p->kind->drains &&
                     p->state == PROC_STOPPING;
        if (count >= SUPER_DRAINING_MAX)
            return err_set(e, ERR_TEMP, "%d older processes of %s still finish what they have in "
                           "hand: try again when some have ended (leadctl status)", count,
                           json_string_value(v));
    }
    return 0;
}

static void reload_apply(struct super *s, json_t *parts)
{
    struct err e = {0};
    json_t *own = json_get_obj(parts, "supervisor");
    AUTO_JSON json_t *changed = json_array();
    AUTO_JSON json_t *started = json_array();
    AUTO_JSON json_t *stopped = json_array();
    reload_plan(s, parts, own, changed, started, stopped);
    if (own_allowed(s->own, own, &e) < 0 || draining_allowed(s, changed, &e) < 0 ||
        super_listen(s, own, &e) < 0) {
        AUTO_JSON json_t *errors = json_pack("[s]", e.text);
        reload_refused(s, errors);
        return;
    }
    super_listen_prune(s, own);
    json_decref(s->own);
    s->own = json_incref(own);
    if (super_write_ports(s, &e) < 0)
        log_warn("reload.ports", "error=\"%s\"", e.text);

    bool engine = names_engine(changed);
    s->reload.answer = json_pack("{s:b, s:[], s:O, s:O, s:O}", "ok", 1, "errors",
                                 engine ? "restarting" : "restarted", changed, "started", started,
                                 "stopped", stopped);
    AUTO_FREE char *text = json_text(s->reload.answer);
    log_info("reload.done", "answer=%s", text);
    if (engine) {
        reload_tell(s);
        s->reload.next.count = 0; /* the engine tells its clients to ask its successor */
    }
    CRASH_POINT("super.reload.before");
    reload_carry_out(s, parts, changed, started, stopped);
    CRASH_POINT("super.reload.after");
    struct timeval tv = {SUPER_RELOAD_WAIT_MS / 1000, 0};
    s->reload.limit = event_new(s->base, -1, 0, reload_late, s);
    event_add(s->reload.limit, &tv);
    super_reload_progress(s);
}

static void reload_begin(struct super *s)
{
    struct super_reload *r = &s->reload;
    *r = (struct super_reload){.active = true, .now = r->next};
    /* systemd drops a stamp older than its own signal, and ours is cut to
     * milliseconds: so the next one. */
    super_notify("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=checking the config",
                 (long long)(clock_mono_ms() + 1) * 1000);
    if (s->check.pid && s->check.what == CHECK_LOOK)
        super_check_end(s); /* this one says it too */
    super_check_start(s, CHECK_RELOAD);
    if (s->check.pid == 0) {
        AUTO_JSON json_t *errors = json_pack("[s]", "the config check cannot be started");
        reload_refused(s, errors);
    }
}

void super_reload_next(struct super *s)
{
    const struct super_askers *next = &s->reload.next;
    if (s->up && !s->stopping && !s->reload.active && (next->signal || next->count > 0))
        reload_begin(s);
}

void super_reload_ask(struct super *s, uint64_t id, const char *gen)
{
    struct super_askers *next = &s->reload.next;
    if (s->stopping)
        return;
    if (id == 0) {
        next->signal = true;
    } else {
        if (strcmp(next->gen, gen) != 0)
            next->count = 0; /* those asked an engine that is no more */
        snprintf(next->gen, sizeof(next->gen), "%s", gen);
        if (next->count == SUPER_RELOAD_ASKERS)
            return; /* the engine gives its clients up after a minute */
        next->ids[next->count++] = id;
    }
    super_reload_next(s);
}

void super_look(struct super *s)
{
    if (!s->look || !s->up || s->stopping || s->reload.active || s->check.pid)
        return;
    s->look = false;
    super_check_start(s, CHECK_LOOK);
}

/* What would be refused now; it was taken at the start. */
static void look_tell(const json_t *result)
{
    size_t i;
    json_t *v, *errors = json_get_arr(result, "errors");
    json_array_foreach(errors, i, v) {
        const char *text = json_string_value(v) ? json_string_value(v) : "?";
        log_warn("rules.test", "%.*s", (int)strcspn(text, "\n"), text);
    }
    if (json_array_size(errors))
        log_warn("rules.tests", "failed=%zu next=\"the rules are in force; a reload would be refused: "
                 "leadctl rules test\"", json_array_size(errors));
}

/* The pipe is closed and the child is gone: its word counts. */
static void check_finish(struct super *s)
{
    if (!s->check.eof || !s->check.reaped)
        return;
    AUTO_JSON json_t *result = check_result(&s->check);
    bool ok = json_get_bool(result, "ok", false);
    json_t *parts = json_get_obj(result, "parts");
    enum super_check_for what = s->check.what;
    super_check_end(s);
    if (s->stopping)
        return;
    if (what == CHECK_LOOK) {
        look_tell(result);
        return;
    }
    s->look = what == CHECK_START && json_get_int(result, "tests", 0) > 0;
    log_warnings(result);
    if (parts)
        parts_start_with(s, parts);
    if (!s->reload.active && ok && parts)
        start_all(s, result);
    else if (!s->reload.active)
        start_refused(s, result);
    else if (ok && parts)
        reload_apply(s, parts);
    else
        reload_refused(s, json_get_arr(result, "errors"));
}
