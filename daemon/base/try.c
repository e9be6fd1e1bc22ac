/* SPDX-License-Identifier: ISC
 *
 * try - see try.h; empty unless test hooks are compiled in
 */
#include "base/try.h"

#include "config.h"

#ifdef LEADD_TEST_HOOKS

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

static int keep(int fd)
{
    if (fd >= 0)
        close(fd);
    return fd < 0 ? -1 : 0;
}

static int try_read(const char *path)
{
    return keep(open(path, O_RDONLY | O_CLOEXEC));
}

static int try_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(path);
    return keep(fd);
}

static int tcp(const char *port, int (*call)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtol(port, NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int rc = call(fd, (struct sockaddr *)&to, sizeof(to));
    int saved = errno;
    close(fd);
    errno = saved;
    return rc < 0 && errno != ECONNREFUSED ? -1 : 0;
}

static int try_connect(const char *port)
{
    return tcp(port, connect);
}

static int try_bind(const char *port)
{
    return tcp(port, bind);
}

static int try_socket(const char *arg)
{
    return keep(socket(strcmp(arg, "packet") == 0 ? AF_PACKET : AF_INET, SOCK_DGRAM, 0));
}

static int try_exec(const char *path)
{
    char *argv[] = {(char *)path, NULL}, *env[] = {NULL};
    return execve(path, argv, env);
}

static int try_ptrace(const char *arg)
{
    (void)arg;
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 ? -1 : 0;
}

static int try_peek(const char *arg)
{
    char here[8];
    struct iovec to = {here, sizeof(here)}, from = {here, sizeof(here)};
    (void)arg;
    return process_vm_readv(getppid(), &to, 1, &from, 1, 0) < 0 ? -1 : 0;
}

static int try_kill(const char *pid)
{
    return kill(*pid ? (pid_t)strtol(pid, NULL, 10) : getppid(), 0);
}

static int try_fork(const char *arg)
{
    (void)arg;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? -1 : waitpid(pid, NULL, 0) < 0 ? -1 : 0;
}

static int try_mount(const char *arg)
{
    return mount("none", arg, "tmpfs", 0, NULL);
}

static int try_setuid(const char *arg)
{
    (void)arg;
    return setuid(0);
}

static int try_code(const char *arg)
{
    (void)arg;
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? -1 : munmap(p, 4096);
}

static int try_type(const char *arg) /* into the terminal of whoever started it */
{
    return ioctl(STDERR_FILENO, TIOCSTI, arg);
}

static int try_keyring(const char *arg)
{
    (void)arg;
    return (int)syscall(SYS_keyctl, 0, -3, 0, 0, 0);
}

static int try_uring(const char *arg)
{
    char params[256] = {0};
    (void)arg;
    return keep((int)syscall(SYS_io_uring_setup, 1, params));
}

void try_all(void)
{
    static const struct {
        const char *name;
        int (*fn)(const char *arg);
    } all[] = {{"read", try_read},     {"write", try_write},   {"connect", try_connect},
               {"bind", try_bind},     {"socket", try_socket}, {"exec", try_exec},
               {"ptrace", try_ptrace}, {"peek", try_peek},     {"kill", try_kill},
               {"fork", try_fork},     {"mount", try_mount},   {"setuid", try_setuid},
               {"code", try_code},     {"type", try_type},     {"keyring", try_keyring},
               {"uring", try_uring}};
    AUTO_FREE char *list = mem_str(getenv("LEADD_TRY"));
    char *rest = NULL;
    for (char *one = list ? strtok_r(list, ";", &rest) : NULL; one; one = strtok_r(NULL, ";", &rest)) {
        AUTO_FREE char *what = mem_str(one);
        char *arg = strchr(one, ':');
        if (arg)
            *arg++ = '\0';
        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
            if (strcmp(all[i].name, one) != 0)
                continue;
            int rc = all[i].fn(arg ? arg : "");
            log_info("sandbox.try", "what=\"%s\" got=%s", what,
                     rc >= 0 ? "ok" : strerrorname_np(errno));
        }
    }
    log_info("sandbox.try", "what=done got=ok");
}

#endif
