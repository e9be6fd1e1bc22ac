/* SPDX-License-Identifier: ISC
 *
 * super_notify - tells systemd how the daemon is (sd_notify protocol)
 *
 * One datagram per message to $NOTIFY_SOCKET; without it nothing is sent. A
 * name that begins with '@' is an abstract socket. Never fatal: a manager that
 * does not listen must not stop the daemon.
 */
#include "super.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

void super_notify(const char *fmt, ...)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof(sa.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(sa.sun_path, path, n);
    if (path[0] == '@')
        sa.sun_path[0] = '\0';

    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&sa,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

int64_t super_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    int64_t us, whose;
    if (!usec || text_parse_int(usec, &us) < 0 || us <= 0)
        return 0;
    if (pid && (text_parse_int(pid, &whose) < 0 || whose != getpid()))
        return 0;
    return us / 2000 > 0 ? us / 2000 : 1; /* twice as often as asked */
}
