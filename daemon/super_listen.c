/* SPDX-License-Identifier: ISC
 *
 * super_listen - the daemon's folders, its lock and its listening sockets
 *
 * The supervisor binds and keeps every listening socket, so that a role may
 * die and come back while connections wait in the queue. The lock comes before
 * the sockets: a stale ctl.sock may be removed only by the daemon that holds it.
 */
#include "super.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define SUPER_GROUP "leadd" /* may use ctl.sock and ingest.sock */

/* Makes the folder and its parents; a folder that is there keeps its owner. */
static int folder_make(const char *path, mode_t mode, const char *user, struct err *e)
{
    AUTO_FREE char *copy = mem_str(path);
    struct stat st;
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? 0 : err_set(e, ERR_PERM, "%s is not a folder", path);
    for (char *p = copy + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            return err_set(e, ERR_PERM, "cannot create %s: %s", copy, err_errno());
        *p = '/';
    }
    if (mkdir(path, mode) < 0)
        return err_set(e, ERR_PERM, "cannot create %s: %s", path, err_errno());
    if (geteuid() != 0 || !user)
        return 0;
    struct passwd *pw = getpwnam(user);
    if (!pw)
        return err_set(e, ERR_PERM, "no user \"%s\": create it (systemd-sysusers) or set "
                       "run_as.engine", user);
    if (chown(path, pw->pw_uid, pw->pw_gid) < 0)
        return err_set(e, ERR_PERM, "cannot give %s to \"%s\": %s", path, user, err_errno());
    return 0;
}

static int file_write(int fd, const char *text)
{
    size_t n = strlen(text);
    return write(fd, text, n) == (ssize_t)n ? 0 : -1;
}

/* Held until this process ends, so that two daemons never share one store. */
static int lock_take(struct super *s, const char *state_dir, struct err *e)
{
    AUTO_FREE char *path = mem_printf("%s/leadd.lock", state_dir);
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    char text[32] = "";
    if (fd < 0)
        return err_set(e, ERR_PERM, "cannot open %s: %s", path, err_errno());
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK)
            return err_set(e, ERR_PERM, "cannot lock %s: %s", path, err_errno());
        if (pread(fd, text, sizeof(text) - 1, 0) < 0)
            text[0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        return err_set(e, ERR_TEMP, "another leadd (pid %s) already runs on %s",
                       *text ? text : "?", state_dir);
    }
    snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) < 0 || file_write(fd, text) < 0)
        return err_set(e, ERR_TEMP, "cannot write %s: %s", path, err_errno());
    s->lock_fd = fd;
    fd = -1;
    return 0;
}

/* Written aside and renamed, so that a reader never sees half of it. */
static int file_replace(const char *path, const char *text, struct err *e)
{
    AUTO_FREE char *tmp = mem_printf("%s.new", path);
    AUTO_CLOSE int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0 || file_write(fd, text) < 0 || rename(tmp, path) < 0)
        return err_set(e, ERR_PERM, "cannot write %s: %s", path, err_errno());
    return 0;
}

int super_prepare(struct super *s, struct err *e)
{
    const char *state = json_get_str(s->own, "state_dir", LEADD_STATEDIR);
    const char *run = json_get_str(s->own, "run_dir", LEADD_RUNDIR);
    const char *user = json_get_str(s->own, "engine_user", NULL);
    /* The run folder stays the supervisor's, and open to walk through: the
     * sockets in it have rights of their own. */
    if (folder_make(state, 0750, user, e) < 0 || folder_make(run, 0755, NULL, e) < 0 ||
        lock_take(s, state, e) < 0)
        return -1;
    AUTO_FREE char *path = mem_printf("%s/leadd.pid", run);
    AUTO_FREE char *pid = mem_printf("%d\n", (int)getpid());
    return file_replace(path, pid, e);
}

/* ---- sockets ---------------------------------------------------------- */

static int unix_listen(const char *path, struct err *e)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(sa.sun_path))
        return err_set(e, ERR_PERM, "%s: a socket's path has at most %zu bytes", path,
                       sizeof(sa.sun_path) - 1);
    memcpy(sa.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(path); /* stale: we hold the lock */
    mode_t old = umask(0117);
    int rc = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&sa, sizeof(sa));
    umask(old);
    struct group *gr = geteuid() == 0 ? getgrnam(SUPER_GROUP) : NULL;
    if (rc == 0 && gr)
        rc = chown(path, (uid_t)-1, gr->gr_gid);
    if (rc == 0)
        rc = listen(fd, 128);
    if (rc == 0)
        return fd;
    err_set(e, ERR_PERM, "cannot listen on %s: %s", path, err_errno());
    if (fd >= 0)
        close(fd);
    return -1;
}

/* "host:port", "[v6]:port", "*:port". */
static int address_split(const char *text, char *host, size_t n, const char **port_out)
{
    const char *colon = strrchr(text, ':');
    if (!colon || !colon[1])
        return -1;
    const char *from = text, *to = colon;
    if (*from == '[') {
        if (to - from < 2 || to[-1] != ']')
            return -1;
        from++, to--;
    }
    if ((size_t)(to - from) >= n)
        return -1;
    memcpy(host, from, (size_t)(to - from));
    host[to - from] = '\0';
    *port_out = colon + 1;
    return 0;
}

static int tcp_bind(const struct addrinfo *ai)
{
    int one = 1, zero = 0;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, 1024) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int tcp_listen(const char *address, struct err *e)
{
    char host[256];
    const char *port;
    /* No names: a lookup could block the supervisor. */
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV}, *list;
    if (address_split(address, host, sizeof(host), &port) < 0)
        return err_set(e, ERR_PERM, "listen address \"%s\": expected HOST:PORT", address);
    bool any = host[0] == '\0' || strcmp(host, "*") == 0;
    const char *node = any ? NULL : strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    int rc = getaddrinfo(node, port, &hints, &list);
    if (rc != 0)
        return err_set(e, ERR_PERM, "listen address \"%s\": expected an IP address and a port",
                       address);
    int fd = -1;
    for (int v6 = 1; v6 >= 0 && fd < 0; v6--) /* "*": one socket for both families when possible */
        for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
            if (!any || (ai->ai_family == AF_INET6) == v6)
                fd = tcp_bind(ai);
    if (fd < 0)
        err_set(e, ERR_PERM, "cannot listen on %s: %s", address, err_errno());
    freeaddrinfo(list);
    return fd;
}

static int socket_port(int fd)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof(ss);
    if (getsockname(fd, (struct sockaddr *)&ss, &n) < 0)
        return 0;
    if (ss.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&ss)->sin_port);
    return ss.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&ss)->sin6_port) : 0;
}

struct listener *super_listener(struct super *s, const char *name)
{
    struct listener *l = s->listeners; /* the newest of a name comes first */
    while (l && strcmp(l->name, name) != 0)
        l = l->next;
    return l;
}

static int listener_add(struct super *s, const char *name, const char *address, bool is_unix,
                        struct err *e)
{
    struct listener *l = super_listener(s, name);
    if (l && strcmp(l->address, address) == 0)
        return 0;
    int fd = is_unix ? unix_listen(address, e) : tcp_listen(address, e);
    if (fd < 0)
        return -1;
    l = mem_alloc(sizeof(*l));
    *l = (struct listener){s->listeners, mem_str(name), mem_str(address), fd, is_unix,
                           is_unix ? 0 : socket_port(fd)};
    s->listeners = l;
    return 0;
}

static void listener_free(struct listener *l, bool unlink_it)
{
    if (l->is_unix && unlink_it)
        unlink(l->address);
    close(l->fd);
    mem_free(l->name);
    mem_free(l->address);
    mem_free(l);
}

int super_listen(struct super *s, const json_t *own, struct err *e)
{
    const char *run = json_get_str(own, "run_dir", LEADD_RUNDIR);
    AUTO_FREE char *ctl = mem_printf("%s/ctl.sock", run);
    AUTO_FREE char *ingest = mem_printf("%s/ingest.sock", run);
    if (listener_add(s, "ctl", ctl, true, e) < 0 || listener_add(s, "ingest", ingest, true, e) < 0)
        return -1;
    const char *name;
    json_t *v;
    json_object_foreach(json_get_obj(own, "listen"), name, v)
        if (listener_add(s, name, json_string_value(v), false, e) < 0) {
            super_listen_prune(s, s->own); /* a reload must change nothing then */
            return -1;
        }
    return 0;
}

void super_listen_prune(struct super *s, const json_t *own)
{
    json_t *listen = json_get_obj(own, "listen");
    for (struct listener **at = &s->listeners; *at;) {
        struct listener *l = *at;
        const char *address = json_get_str(listen, l->name, NULL);
        if (l->is_unix || (address && strcmp(address, l->address) == 0)) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        listener_free(l, true);
    }
}

int super_write_ports(struct super *s, struct err *e)
{
    AUTO_JSON json_t *ports = json_object();
    for (struct listener *l = s->listeners; l; l = l->next)
        if (!l->is_unix) {
            json_t *one = json_object();
            json_put_str(one, "listen", l->address);
            json_put_int(one, "port", l->port);
            json_object_set_new(ports, l->name, one);
        }
    AUTO_FREE char *text = json_text(ports);
    AUTO_FREE char *path = mem_printf("%s/ports.json",
                                      json_get_str(s->own, "run_dir", LEADD_RUNDIR));
    return file_replace(path, text, e);
}

void super_unlisten(struct super *s)
{
    while (s->listeners) {
        struct listener *l = s->listeners;
        s->listeners = l->next;
        listener_free(l, true);
    }
    if (s->lock_fd < 0 || !s->own)
        return;
    const char *run = json_get_str(s->own, "run_dir", LEADD_RUNDIR);
    static const char *const files[] = {"leadd.pid", "ports.json"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        AUTO_FREE char *path = mem_printf("%s/%s", run, files[i]);
        unlink(path);
    }
}
