/* SPDX-License-Identifier: ISC
 *
 * super - the supervisor: starts, watches and restarts the roles
 *
 * It holds no data and, after start, no secrets: a throwaway child reads the
 * config files (super_check.c) and hands back what each role may know. State
 * is the list of services (what should run) and of processes (what runs); a
 * service has at most one serving process, while older ones may still drain.
 *
 *   super.c         start, signals, the tick, the order of the end
 *   super_proc.c    fork, exec, channels, death and restart
 *   super_reload.c  the throwaway child, and what a new config changes
 *   super_listen.c  folders, lock, sockets
 *   super_notify.c  what systemd is told
 *   super_secrets.c whether a file with a secret has changed
 *   super_check.c   the inside of the throwaway child, and `leadd -t`
 *
 * Nothing in here may block: a supervisor that waits cannot restart.
 */
#ifndef LEADD_SUPER_H
#define LEADD_SUPER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/frame.h"
#include "base/json.h"
#include "base/sandbox.h"
#include "base/units.h"

#define SUPER_START_TRIES 3            /* of one role before the first start fails */
#define SUPER_BACKOFF_MS 100           /* doubling */
#define SUPER_HEALTHY_MS MINUTE_MS /* after that, a death is the first one again */
#define SUPER_PING_MS 5000             /* default; LEADD_TEST_PING_MS in tests */
#define SUPER_HANG_MS MINUTE_MS /* without PONG: killed; LEADD_TEST_HANG_MS */
#define SUPER_START_MS (10 * 60000)    /* until READY: a migration may take its time */
#define SUPER_DRAIN_MS (10 * 60000)    /* for running transfers of an old courier */
#define SUPER_REPLACE_MS 10000         /* from STOP to SIGKILL when a role is replaced */
#define SUPER_RENEW_MS 5000            /* a process younger than that is not renewed */
#define SUPER_CHECK_MS MINUTE_MS /* for the throwaway child */
#define SUPER_RELOAD_WAIT_MS 15000     /* for new processes before the asker is told */
#define SUPER_CHECK_BYTES MIB(64)
#define SUPER_RELOAD_ASKERS 64         /* that may wait for one reload */
#define SUPER_DRAINING_MAX 32          /* processes of one kind that end beside their successor */

enum {
    SUPER_EXIT_FAILED = 1,
    SUPER_EXIT_USAGE = 64,
    SUPER_EXIT_CONFIG = 78,
};

struct super_options {
    const char *config;    /* path */
    bool pretend;
    int64_t pretend_ms;    /* given to the engine as its wall clock */
};

/* One row per kind of role, in the order of the start. */
struct super_kind {
    const char *name;
    const char *listen[2]; /* names of the sockets it gets */
    bool drains;           /* on reload the old process ends beside its successor */
    int stop_stage;        /* at the end: 0 first */
    int stop_ms;           /* at the end: from STOP to SIGKILL */
    int backoff_max_ms;
};

enum proc_state { PROC_STARTING, PROC_RUNNING, PROC_STOPPING };

struct super;

/* What should run. */
struct service {
    struct service *next;
    struct super *super;
    char *name; /* own; "intake:sales" */
    const struct super_kind *kind;
    json_t *config;       /* own; this role's part */
    int64_t secrets;      /* super_secrets() when its process was started */
    struct proc *cur;     /* borrowed; the process that serves, or NULL */
    struct event *retry;  /* own; the backoff */
    bool waiting;         /* retry is armed */
    bool unwanted;        /* gone from the config: freed when its process ends */
    bool was_ready;
    unsigned fails;       /* in a row */
    unsigned restarts;    /* ever */
    int64_t since_mono;   /* of the last change of state */
    char *last_error;     /* own; why it does not run, or NULL */
};

/* What runs. */
struct proc {
    struct proc *next;
    struct super *super;
    struct service *svc; /* borrowed; NULL when the service is gone meanwhile */
    char *name;          /* own */
    const struct super_kind *kind;
    pid_t pid;
    char gen[64];
    struct chan *chan; /* own; NULL when it closed */
    enum proc_state state;
    bool expected;     /* its end was asked for */
    bool reaped;
    int odd; /* frames that are not its to send */
    int wait_status;
    int64_t start_mono, since_mono, pong_mono;
    struct event *limit; /* own; SIGKILL at its end, or the channel given up */
    char *user;          /* own; from READY */
    bool dropped;
    struct sandbox_held held; /* from READY */
};

struct listener {
    struct listener *next;
    char *name;    /* own; "web-in", "ctl" */
    char *address; /* own; "127.0.0.1:8025" or a path */
    int fd;        /* own */
    bool is_unix;
    int port;
};

/* Who waits for a reload. */
struct super_askers {
    bool signal;  /* SIGHUP */
    size_t count; /* RELOAD frames of the engine */
    uint64_t ids[SUPER_RELOAD_ASKERS];
    char gen[64]; /* of the engine that asked */
};

/* A reload under way. The file may have changed since it was read, so whoever
 * asks meanwhile waits for the next one; all those share it. */
struct super_reload {
    bool active;
    struct super_askers now, next;
    json_t *answer; /* own */
    struct event *limit;
};

/* What the throwaway child is for. The tests of the rules are run before a reload, and
 * after a start only to tell of those that fail: they are no reason to stay down. */
enum super_check_for { CHECK_START, CHECK_RELOAD, CHECK_LOOK };

struct super_check {
    pid_t pid; /* 0: none runs */
    enum super_check_for what;
    int fd;
    bool eof, reaped, late;
    int wait_status;
    struct event *rd, *limit;
    struct buf out;
};

struct super {
    const struct super_options *opt;
    struct event_base *base;
    struct event *sig[4], *tick;
    struct service *services;
    struct proc *procs;
    struct listener *listeners;
    json_t *own; /* own; the supervisor's part of the config */
    struct super_check check;
    bool look; /* the rules have tests that were not run yet */
    struct super_reload reload;
    char **env; /* own; of every role */
    int lock_fd;
    uint64_t counter; /* of processes and pings */
    char run_id[17];  /* in each gen: pids and counts come again, and a new courier must
                         not pass for one whose claimed rows wait in the store */
    int64_t start_mono, ping_ms, hang_ms;
    int64_t watchdog_ms; /* 0: none */
    bool up;             /* every service was ready once */
    bool lacks_told;     /* what the kernel lacks is logged once */
    bool stopping;
    int stop_stage;
    int exit_code;
    char *status; /* own; what systemd was told last */
};

/* super.c */
int super_main(const struct super_options *opt);
void super_changed(struct super *s); /* a process became ready or ended */
void super_fail(struct super *s, int exit_code);

/* super_proc.c */
const struct super_kind *super_kind_find(const char *name);
char **super_env(void);
/* Forks and executes this binary again; ctl_fd becomes descriptor 3. The
 * arguments end in NULL. Returns the pid, or -1 with errno. */
pid_t super_exec(struct super *s, int ctl_fd, const char *const *args);
struct service *service_find(struct super *s, const char *name);
struct service *service_new(struct super *s, const char *name, json_t *config);
void service_free(struct service *svc); /* only without a serving process */
void service_start(struct service *svc);
void service_replace(struct service *svc);
void services_start_waiting(struct super *s);
void proc_stop(struct proc *p, int kill_after_ms);
void proc_kill(struct proc *p, const char *why);
void proc_reaped(struct super *s, pid_t pid, int wait_status);
void proc_check_alive(struct proc *p);
void proc_free(struct proc *p);
struct proc *super_engine(struct super *s); /* the one that can be talked to, or NULL */
json_t *super_processes(struct super *s);

/* super_reload.c */
void super_check_start(struct super *s, enum super_check_for what);
bool super_check_reaped(struct super *s, pid_t pid, int wait_status);
void super_check_end(struct super *s);
void super_reload_ask(struct super *s, uint64_t id, const char *gen);
void super_reload_progress(struct super *s);
void super_reload_next(struct super *s); /* the one that is waited for, if it can begin */
void super_reload_stop(struct super *s); /* the daemon ends */
/* It is up: runs the tests of its rules, once. */
void super_look(struct super *s);

/* super_listen.c */
int super_prepare(struct super *s, struct err *e) LEADD_MUST_CHECK;
/* Binds what own names and is not bound yet, without closing anything. */
int super_listen(struct super *s, const json_t *own, struct err *e) LEADD_MUST_CHECK;
/* Closes what own no longer names or names differently. */
void super_listen_prune(struct super *s, const json_t *own);
struct listener *super_listener(struct super *s, const char *name);
int super_write_ports(struct super *s, struct err *e) LEADD_MUST_CHECK;
void super_unlisten(struct super *s);

/* super_secrets.c */
/* Stands for the files that the part names as secrets: where they are, and when written. */
int64_t super_secrets(const json_t *part);

/* super_notify.c */
void super_notify(const char *fmt, ...) LEADD_PRINTF(1, 2);
int64_t super_watchdog_ms(void); /* how often systemd wants to hear, or 0 */

/* super_check.c */
/* In the throwaway child: {ok, errors, parts, tests} to fd. tests: are those of the rules
 * to be run? Else it says how many there are. */
int super_check_main(const char *path, bool tests, int fd);
/* `leadd -t`: every error on stderr. */
int super_check_print(const char *path, bool tests);

#endif
