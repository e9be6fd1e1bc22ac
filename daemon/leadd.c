/* SPDX-License-Identifier: ISC
 *
 * leadd - the daemon: the supervisor, and the entry of every role
 *
 * `leadd -c FILE` runs in the foreground and supervises. `leadd -R NAME` is one
 * role, started by the supervisor with its control channel on descriptor 3;
 * `leadd -R config -c FILE` is the throwaway child that reads the config.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "config/config.h"
#include "courier/courier.h"
#include "engine/engine.h"
#include "intake/intake.h"
#include "parser/parser.h"
#include "super.h"
#include "web/web.h"

/* One row per role: what stands before ':' in its name, and its main. */
static const struct {
    const char *kind;
    int (*main)(const char *name);
} roles[] = {
    {"engine", engine_main},
    {"courier", courier_main},
    {"intake", intake_main},
    {"parser", parser_main},
    {"web-in", web_in_main},
    {"web-ui", web_ui_main},
};

static int role_start_named(const char *name, const char *config, bool tests)
{
    size_t n = strcspn(name, ":");
    AUTO_FREE char *comm = mem_printf("leadd-%s", name);
    prctl(PR_SET_NAME, comm); /* the kernel cuts it at 15 bytes */
    log_init(name, LOG_LVL_INFO);
    if (strcmp(name, "config") == 0)
        return super_check_main(config, tests, 3);
    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (roles[i].kind && strlen(roles[i].kind) == n && memcmp(roles[i].kind, name, n) == 0)
            return roles[i].main(name);
    fprintf(stderr, "leadd: no role \"%s\"\n", name);
    return SUPER_EXIT_USAGE;
}

static int help_config(void)
{
    AUTO_FREE char *text = config_help_text();
    return fputs(text, stdout) == EOF;
}

static int usage(FILE *to)
{
    fputs("usage: leadd [-c FILE] [-t [--no-tests]] [--pretend-time TIME]\n"
          "\n"
          "  -c, --config FILE     default " LEADD_SYSCONFDIR "/leadd.conf\n"
          "  -t, --check           check the config, run the tests of the rules, print every error,\n"
          "                        and end: 0 or 78\n"
          "      --no-tests        -t without the tests\n"
          "      --pretend-time T  the engine's clock stands at T (RFC 3339), for tests\n"
          "      --help-config     every key of the config\n"
          "  -V, --version\n"
          "  -h, --help\n"
          "\n"
          "Runs in the foreground. SIGHUP reloads, SIGTERM ends. See leadd(8).\n", to);
    return to == stdout ? 0 : SUPER_EXIT_USAGE;
}

/* own; NULL when that cannot be said */
static char *absolute(const char *path)
{
    char dir[4096];
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    return getcwd(dir, sizeof(dir)) ? mem_printf("%s/%s", dir, path) : NULL;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 't'},
        {"version", no_argument, NULL, 'V'},      {"help", no_argument, NULL, 'h'},
        {"pretend-time", required_argument, NULL, 'P'}, {"no-tests", no_argument, NULL, 'N'},
        {"help-config", no_argument, NULL, 'K'}, {NULL, 0, NULL, 0}};
    struct super_options opt = {.config = LEADD_SYSCONFDIR "/leadd.conf"};
    const char *role = NULL;
    bool check = false, child_tests = false, tests = true;
    int c;
    while ((c = getopt_long(argc, argv, "c:tTVhR:", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            opt.config = optarg;
            break;
        case 't':
            check = true;
            break;
        case 'T': /* for -R config */
            child_tests = true;
            break;
        case 'N':
            tests = false;
            break;
        case 'R':
            role = optarg;
            break;
        case 'P':
            if (clock_parse_utc(optarg, &opt.pretend_ms) < 0) {
                fprintf(stderr, "leadd: --pretend-time %s: expected a time such as "
                        "2026-11-21T10:00:00Z\n", optarg);
                return SUPER_EXIT_USAGE;
            }
            opt.pretend = true;
            break;
        case 'V':
            puts("leadd " LEADD_VERSION);
            return 0;
        case 'K':
            return help_config();
        case 'h':
            return usage(stdout);
        default:
            return usage(stderr);
        }
    }
    if (optind != argc)
        return usage(stderr);
    if (role)
        return role_start_named(role, opt.config, child_tests);
    if (check)
        return super_check_print(opt.config, tests);
    AUTO_FREE char *whole = opt.config[0] == '/' ? NULL : absolute(opt.config);
    opt.config = whole ? whole : opt.config; /* others are told where it lies */
    return super_main(&opt);
}
