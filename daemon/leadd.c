/* SPDX-License-Identifier: ISC
 *
 * leadd - the daemon: the entry of every role
 *
 * `leadd -R NAME` is one role, started by the supervisor with its control
 * channel on descriptor 3.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "intake/intake.h"
#include "web/web.h"

/* One row per role: what stands before ':' in its name, and its main. */
static const struct {
    const char *kind;
    int (*main)(const char *name);
} roles[] = {
    {"intake", intake_main},
    {"web-in", web_in_main},
    {"web-ui", web_ui_main},
};

static int role_start_named(const char *name)
{
    size_t n = strcspn(name, ":");
    log_init(name, LOG_LVL_INFO);
    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (roles[i].kind && strlen(roles[i].kind) == n && memcmp(roles[i].kind, name, n) == 0)
            return roles[i].main(name);
    fprintf(stderr, "leadd: no role \"%s\"\n", name);
    return 64;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "-R") == 0)
        return role_start_named(argv[2]);
    puts("leadd " LEADD_VERSION);
    return 0;
}
