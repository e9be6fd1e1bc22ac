/* SPDX-License-Identifier: ISC
 *
 * relay - see relay.h
 */
#include "courier/relay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "base/text.h"
#include "base/maildir.h"
#include "courier/smtp.h"

#define RELAY_STALE_TRIES 3
#define RELAY_CONNECT_MS 30000
#define RELAY_REPLY_MS 600000
#define RELAY_TICK_MS 250
#define RELAY_TEXT (BOUND_SMTP_TEXT + 512)

struct relay {
    struct relays *relays;
    size_t index;
    const char *name;    /* borrowed from the config */
    const char *maildir; /* borrowed; NULL: SMTP */
    struct smtp_setup setup;
    char *secret; /* own */
    size_t limit; /* connections */
    struct smtp *sessions[BOUND_RELAY_CONNECTIONS];
    struct job_list waiting;
    int64_t down_until; /* monotonic; avoided until then */
    char down_text[RELAY_TEXT];
    bool failed; /* since the last pass */
};

struct relays {
    struct event_base *base;
    json_t *config; /* own reference */
    char *helo;     /* own */
    struct relay list[BOUND_RELAYS];
    size_t count;
    struct event *tick; /* own; while jobs wait */
    bool draining, moved; /* moved: a job went on to another relay in this pass */
};

/* ---- config --------------------------------------------------------------- */

static int relay_read_secret(struct relay *r, const json_t *c, struct err *e)
{
    const char *auth = json_get_str(c, "auth", "password");
    struct hop_to *to = &r->setup.to;
    to->user = json_get_str(c, "user", NULL);
    if (!to->user || !*to->user) {
        to->user = NULL;
        return 0;
    }
    const char *path = json_get_str(c, "password_file", NULL);
    to->auth = HOP_AUTH_PASSWORD;
    if (strcmp(auth, "password") != 0) {
        to->auth = strcmp(auth, "xoauth2") == 0 ? HOP_AUTH_XOAUTH2 : HOP_AUTH_OAUTHBEARER;
        path = json_get_str(c, "token_file", NULL);
    }
    if (!path)
        return err_set(e, ERR_PERM, "relay %s: user is set, but no file with the secret", r->name);
    r->secret = role_read_secret(path, e);
    to->secret = r->secret;
    return r->secret ? 0 : err_wrap(e, "relay %s", r->name);
}

static int relay_read_smtp(struct relay *r, const json_t *c, struct err *e)
{
    const char *tls = json_get_str(c, "tls", "starttls");
    struct hop_to *to = &r->setup.to;
    int64_t port = json_get_int(c, "port", 0), n = json_get_int(c, "connections", 4);
    to->host = json_get_str(c, "host", NULL);
    to->tls = strcmp(tls, "tls") == 0 ? HOP_TLS : strcmp(tls, "none") == 0 ? HOP_PLAIN
                                                                            : HOP_STARTTLS;
    if (!to->host || !text_is_single_line(to->host) || strpbrk(to->host, "/@?# "))
        return err_set(e, ERR_PERM, "relay %s: no host", r->name);
    if (port == 0)
        port = to->tls == HOP_TLS ? 465 : to->tls == HOP_STARTTLS ? 587 : 25;
    if (port < 1 || port > 65535)
        return err_set(e, ERR_PERM, "relay %s: port %" PRId64, r->name, port);
    to->port = (unsigned)port;
    to->helo = r->relays->helo;
    to->ca_file = json_get_str(c, "ca_file", NULL);
    to->connect_ms = json_get_int(c, "connect_timeout", RELAY_CONNECT_MS);
    r->setup.reply_ms = json_get_int(c, "reply_timeout", RELAY_REPLY_MS);
    r->limit = (size_t)(n < 1 ? 1 : n > BOUND_RELAY_CONNECTIONS ? BOUND_RELAY_CONNECTIONS : n);
    return relay_read_secret(r, c, e);
}

/* The name for EHLO: the company's domain, or this host's name. */
static char *helo_name(const json_t *config)
{
    char host[256] = "";
    const char *name = json_get_str(config, "domain", NULL);
    if (!name || !*name) {
        gethostname(host, sizeof(host) - 1);
        name = host;
    }
    for (const char *p = name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *p))
            return mem_str("localhost");
    return mem_str(*name ? name : "localhost");
}

static const struct smtp_ops smtp_ops;

static int relay_read(struct relays *rs, const json_t *c, struct err *e)
{
    struct relay *r = &rs->list[rs->count];
    const char *type = json_get_str(c, "type", "smtp");
    r->relays = rs;
    r->index = rs->count++;
    r->name = json_get_str(c, "name", "?");
    r->setup = (struct smtp_setup){.base = rs->base, .relay = r->name, .ops = &smtp_ops, .arg = r};
    TAILQ_INIT(&r->waiting);
    if (strcmp(type, "maildir") != 0)
        return relay_read_smtp(r, c, e);
    r->maildir = json_get_str(c, "path", NULL);
    return r->maildir ? 0 : err_set(e, ERR_PERM, "relay %s: no path", r->name);
}

static void relays_on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg; /* there is a pass now: that is all */
}

struct relays *relays_new(struct event_base *base, const json_t *config, struct err *e)
{
    struct relays *rs = mem_alloc(sizeof(*rs));
    const json_t *list = json_get_arr(config, "relays");
    rs->base = base;
    rs->tick = event_new(base, -1, 0, relays_on_tick, rs);
    rs->config = json_incref((json_t *)config);
    rs->helo = helo_name(config);
    if (json_array_size(list) > BOUND_RELAYS) {
        err_set(e, ERR_PERM, "%zu relays, at most %d", json_array_size(list), BOUND_RELAYS);
        relays_free(&rs);
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (relay_read(rs, json_array_get(list, i), e) < 0) {
            relays_free(&rs);
            return NULL;
        }
    }
    return rs;
}

void relays_rights(const struct relays *rs, struct sandbox *sb)
{
    struct err e = {0};
    for (size_t i = 0; i < rs->count; i++) {
        const struct relay *r = &rs->list[i];
        if (r->maildir) {
            if (maildir_make(r->maildir, &e) < 0)
                log_warn("courier.maildir", "relay=%s error=\"%s\" next=\"mails wait\"", r->name,
                         e.text);
            sandbox_path(sb, r->maildir, SANDBOX_MOVE);
        } else {
            sandbox_port(sb, (int)r->setup.to.port);
            sandbox_path(sb, r->setup.to.ca_file, SANDBOX_READ);
        }
    }
}

void relays_free(struct relays **rp)
{
    struct relays *rs = *rp;
    *rp = NULL;
    if (!rs)
        return;
    for (size_t i = 0; i < rs->count; i++) {
        for (size_t k = 0; k < BOUND_RELAY_CONNECTIONS; k++)
            smtp_free(&rs->list[i].sessions[k], "the courier ended");
        mem_free(rs->list[i].secret);
    }
    event_free(rs->tick);
    mem_free(rs->helo);
    json_decref(rs->config);
    mem_free(rs);
}

void relays_resolve(struct relays *rs, struct job *j, const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names) && j->relay_count < BOUND_RELAYS; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        for (size_t k = 0; name && k < rs->count; k++)
            if (strcmp(rs->list[k].name, name) == 0)
                j->relays[j->relay_count++] = k;
    }
}

/* ---- where a job goes --------------------------------------------------------- */

static bool relay_is_down(const struct relay *r)
{
    return r->down_until > clock_mono_ms();
}

static void job_wait_at(struct relays *rs, struct job *j)
{
    struct job_list *waiting = &rs->list[j->relays[j->relay_at]].waiting;
    struct job *other = NULL;
    if (j->urgent)
        TAILQ_FOREACH (other, waiting, wait)
            if (!other->urgent)
                break;
    if (other)
        TAILQ_INSERT_BEFORE(other, j, wait);
    else
        TAILQ_INSERT_TAIL(waiting, j, wait);
}

/* The engine keeps account of which relays work. */
static void job_tell_left(const struct relay *r, struct job *j, int code, const char *text)
{
    if (!j->told)
        j->told = json_pack("{s:[]}", "left");
    json_array_append_new(json_object_get(j->told, "left"),
                          json_pack("{s:s, s:i, s:s}", "relay", r->name, "code", code, "text", text));
}

/* The first relay that is not known to be down; when all are, the first: a mail
 * is not deferred on hearsay alone. */
void relays_add(struct relays *rs, struct job *j)
{
    j->relay_at = 0;
    for (size_t i = 0; i < j->relay_count; i++) {
        if (!relay_is_down(&rs->list[j->relays[i]])) {
            j->relay_at = i;
            break;
        }
    }
    for (size_t i = 0; i < j->relay_at; i++)
        job_tell_left(&rs->list[j->relays[i]], j, 0, rs->list[j->relays[i]].down_text);
    job_wait_at(rs, j);
}

static void job_go_on(struct relay *r, struct job *j, int code, const char *text)
{
    job_tell_left(r, j, code, text);
    if (++j->relay_at < j->relay_count) {
        job_wait_at(r->relays, j);
        r->relays->moved = true;
    } else {
        job_finish(j, JOB_DEFERRED, code, r->name, text, false);
    }
}

/* A 5xx before MAIL, or to MAIL for want of a sign-in, is no recipient's fault. */
static void relay_set_down(struct relay *r, int code, const char *text)
{
    snprintf(r->down_text, sizeof(r->down_text), "relay %s: %s", r->name, text);
    r->down_until = clock_mono_ms() + (HOOK("courier.impatient") ? 300 : BOUND_RELAY_DOWN_MS);
    r->failed = true;
    log_write(code / 100 == 5 ? LOG_LVL_ERROR : LOG_LVL_WARN, "relay.failed",
              "relay=%s code=%d text=\"%s\" next=\"its mails go elsewhere or are tried again\"",
              r->name, code, text);
}

static void relay_on_failed(void *arg, int code, const char *text)
{
    relay_set_down(arg, code, text);
}

static void relay_on_stale(void *arg, struct job *j)
{
    struct relay *r = arg;
    char text[RELAY_TEXT];
    if (++j->stale < RELAY_STALE_TRIES) {
        TAILQ_INSERT_HEAD(&r->waiting, j, wait);
        return;
    }
    snprintf(text, sizeof(text), "relay %s: hangs up at MAIL", r->name);
    job_finish(j, JOB_DEFERRED, 0, r->name, text, false);
}

static void relay_on_refused(void *arg, struct job *j, int code, const char *text)
{
    struct relay *r = arg;
    relay_set_down(r, code, text);
    job_go_on(r, j, code, r->down_text);
}

static const struct smtp_ops smtp_ops = {relay_on_failed, relay_on_stale, relay_on_refused};

/* ---- one pass ------------------------------------------------------------------ */

struct tally {
    size_t connecting, live; /* live: may still carry a mail */
};

static struct tally relay_sweep(struct relay *r)
{
    struct tally t = {0};
    for (size_t i = 0; i < r->limit; i++) {
        if (r->sessions[i] && smtp_state(r->sessions[i]) == SMTP_DEAD)
            smtp_free(&r->sessions[i], "closed");
        if (!r->sessions[i])
            continue;
        enum smtp_state s = smtp_state(r->sessions[i]);
        t.connecting += s == SMTP_CONNECTING;
        t.live += s != SMTP_QUIT;
    }
    return t;
}

/* Nothing is left here that could carry them. */
static void relay_send_on(struct relay *r)
{
    struct job *j;
    while ((j = TAILQ_FIRST(&r->waiting))) {
        TAILQ_REMOVE(&r->waiting, j, wait);
        job_go_on(r, j, 0, r->down_text);
    }
}

/* An idle session for the job; one that is surely alive when it met a dead one. */
static struct smtp *relay_idle(struct relay *r, const struct job *j)
{
    for (size_t i = 0; i < r->limit; i++) {
        struct smtp *s = r->sessions[i];
        if (!s || smtp_state(s) != SMTP_IDLE)
            continue;
        if (j->stale == 0 || !smtp_is_used(s))
            return s;
        smtp_quit(s); /* makes room for a new one */
    }
    return NULL;
}

static void relay_hand_out(struct relay *r)
{
    struct job *j;
    while ((j = TAILQ_FIRST(&r->waiting))) {
        struct smtp *s = relay_idle(r, j);
        if (!s)
            return;
        TAILQ_REMOVE(&r->waiting, j, wait);
        smtp_begin(s, j);
    }
}

static void relay_open_more(struct relay *r, size_t connecting)
{
    size_t waiting = 0;
    struct job *j;
    TAILQ_FOREACH (j, &r->waiting, wait)
        if (++waiting > r->limit)
            break;
    for (size_t i = 0; i < r->limit && connecting < waiting; i++) {
        if (!r->sessions[i]) {
            r->sessions[i] = smtp_open(&r->setup);
            connecting++;
        }
    }
}

/* All its connections hang, each for long. One at which something moves will
 * take the waiting jobs sooner or later. */
static bool relay_is_stuck(const struct relay *r)
{
    int64_t stuck = HOOK("courier.impatient") ? 300 : BOUND_RELAY_STUCK_MS;
    int64_t before = clock_mono_ms() - stuck;
    for (size_t i = 0; i < r->limit; i++)
        if (!r->sessions[i] || smtp_state(r->sessions[i]) == SMTP_IDLE ||
            smtp_since_ms(r->sessions[i]) > before)
            return false;
    return true;
}

/* What waits and has another relay to go to goes there. */
static void relay_spare(struct relay *r)
{
    struct job *j, *next;
    if (!relay_is_down(r))
        relay_set_down(r, 0, "no connection moves");
    for (j = TAILQ_FIRST(&r->waiting); j; j = next) {
        next = TAILQ_NEXT(j, wait);
        if (j->relay_at + 1 == j->relay_count)
            continue;
        TAILQ_REMOVE(&r->waiting, j, wait);
        job_go_on(r, j, 0, r->down_text);
    }
}

static void relay_pass_smtp(struct relay *r)
{
    struct tally t = relay_sweep(r);
    if (r->failed && t.live == 0)
        relay_send_on(r);
    r->failed = r->failed && t.live > 0 && !TAILQ_EMPTY(&r->waiting);
    relay_hand_out(r);
    /* one that answers some connections and refuses others wants no more of them */
    if (!r->failed || !relay_is_down(r))
        relay_open_more(r, t.connecting);
    if (!TAILQ_EMPTY(&r->waiting) && relay_is_stuck(r))
        relay_spare(r);
    if (!TAILQ_EMPTY(&r->waiting) && !event_pending(r->relays->tick, EV_TIMEOUT, NULL))
        event_add(r->relays->tick, &(struct timeval){.tv_usec = RELAY_TICK_MS * 1000});
}

/* The slot stays at SENDING: sent again, the mail is found under its name. */
static void relay_pass_maildir(struct relay *r)
{
    struct job *j;
    while ((j = TAILQ_FIRST(&r->waiting))) {
        struct err e = {0};
        struct slot row = {.attempt = 2};
        TAILQ_REMOVE(&r->waiting, j, wait);
        slots_get(j->map->slots, j->slot, &row);
        job_mark(j, SLOT_SENDING);
        if (maildir_deliver(r->maildir, j->id, j->from, j->raw.data, j->raw.len, row.attempt > 1,
                            &e) == 0) {
            job_finish(j, JOB_ACCEPTED, 250, r->name, "written to the Maildir", false);
            continue;
        }
        relay_set_down(r, 0, e.text);
        job_go_on(r, j, 0, r->down_text);
    }
}

void relays_pass(struct relays *rs)
{
    do {
        rs->moved = false;
        for (size_t i = 0; i < rs->count; i++) {
            if (rs->list[i].maildir)
                relay_pass_maildir(&rs->list[i]);
            else
                relay_pass_smtp(&rs->list[i]);
        }
    } while (rs->moved);
    if (rs->draining)
        relays_drain(rs);
}

/* ---- the end ---------------------------------------------------------------------- */

void relays_drain(struct relays *rs)
{
    rs->draining = true;
    for (size_t i = 0; i < rs->count; i++) {
        struct relay *r = &rs->list[i];
        struct job *j;
        while ((j = TAILQ_FIRST(&r->waiting))) {
            TAILQ_REMOVE(&r->waiting, j, wait);
            job_finish(j, JOB_DEFERRED, 0, NULL, "courier is draining", true);
        }
        for (size_t k = 0; k < BOUND_RELAY_CONNECTIONS; k++) {
            struct smtp *s = r->sessions[k];
            if (s && smtp_state(s) == SMTP_IDLE)
                smtp_quit(s);
            else if (s && smtp_state(s) == SMTP_CONNECTING)
                smtp_free(&r->sessions[k], "not needed any more");
        }
    }
}

void relays_cut(struct relays *rs, const char *why)
{
    relays_drain(rs);
    for (size_t i = 0; i < rs->count; i++)
        for (size_t k = 0; k < BOUND_RELAY_CONNECTIONS; k++)
            smtp_free(&rs->list[i].sessions[k], why);
}

bool relays_are_closed(const struct relays *rs)
{
    for (size_t i = 0; i < rs->count; i++)
        for (size_t k = 0; k < BOUND_RELAY_CONNECTIONS; k++)
            if (rs->list[i].sessions[k])
                return false;
    return true;
}
