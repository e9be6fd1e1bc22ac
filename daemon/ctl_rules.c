/* SPDX-License-Identifier: ISC
 *
 * ctl_rules - the subcommands of `leadctl rules`, see ctl_rules.h
 */
#include "ctl_rules.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "crm/check.h"

#define RULES_FILE "leadd.conf"

struct rules_command {
    const char *name, *args, *help;
    int (*local)(const struct ctl_options *opt, int argc, char **argv); /* NULL: the daemon's */
};

/* In the order in which a rule set is worked on. */
static const struct rules_command rules_commands[] = {
    {"check", "[--strict] [DIR|FILE]",
     "find every mistake in a rule set, and what is hardly meant; needs no daemon", ctl_rules_check},
    {"test", "[DIR|FILE [NAME..]] [-v]", "run the tests beside the rules; -v tells what happened in each",
     ctl_rules_test},
    {"explain", "[--form NAME | --mailbox NAME] [--at TIME] [DIR|FILE] < MAIL",
     "what would be done with this mail or form, and why; nothing is sent or kept", ctl_rules_explain},
    {"route", "FIELD=VALUE .. [--expect TERRITORY] [DIR|FILE]",
     "which territory a lead with these fields falls into; 1 when it is another", ctl_rules_route},
    {"replay", "--rules DIR|FILE [--since 30d|DATE] [--until DATE] [--limit N] [--fresh]\n"
     "                            [--against-history] [--progress] [-c CONFIG] [--store FILE]",
     "stored history through another rule set: who would own, receive or escalate what",
     ctl_rules_replay},
    {"activate", "[-n] [-r 30d|DATE] [-c CONFIG] [DIR]",
     "check and test the files, tell what they change, and have the daemon decide by them",
     ctl_rules_activate},
    {"coverage", "[--never] [since=30d|DATE]",
     "how often each rule was asked, matched and fired, when last, and what it costs", NULL},
    {"history", "[limit=N]", "which rule sets decided, since when, and who brought them", NULL},
    {"show", "HASH", "one of these sets as it was", NULL},
};

static const struct rules_command *rules_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rules_commands); i++)
        if (strcmp(rules_commands[i].name, name) == 0)
            return &rules_commands[i];
    return NULL;
}

/* The table, for `leadctl help rules` and for a wrong name. */
static int rules_list(FILE *to)
{
    for (size_t i = 0; i < ARRAY_LEN(rules_commands); i++) {
        const struct rules_command *c = &rules_commands[i];
        fprintf(to, "%s leadctl rules %s%s%s\n", i ? "      " : "usage:", c->name,
                *c->args ? " " : "", c->args);
        fprintf(to, "           %s\n", c->help);
    }
    fputs("\nDIR is the folder with " RULES_FILE ", FILE that file; without them, the one that leadd\n"
          "reads. See leadd-rules(5).\n", to);
    return to == stdout ? 0 : CTL_EXIT_USAGE;
}

int ctl_rules_usage(const char *name)
{
    const struct rules_command *c = rules_find(name);
    if (!c)
        return rules_list(stderr);
    fprintf(stderr, "usage: leadctl rules %s%s%s\n", c->name, *c->args ? " " : "", c->args);
    return CTL_EXIT_USAGE;
}

static int rules_unknown(const char *name)
{
    const char *names[ARRAY_LEN(rules_commands)];
    for (size_t i = 0; i < ARRAY_LEN(rules_commands); i++)
        names[i] = rules_commands[i].name;
    const char *near = text_nearest(name, names, ARRAY_LEN(names));
    fprintf(stderr, "leadctl: no command \"rules %s\"", name);
    if (near)
        fprintf(stderr, "; did you mean \"rules %s\"?", near);
    fputc('\n', stderr);
    return rules_list(stderr);
}

int ctl_local_rules(const struct ctl_options *opt, int argc, char **argv)
{
    if (argc < 2)
        return rules_list(stderr);
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)
        return rules_list(stdout);
    const struct rules_command *c = rules_find(argv[1]);
    if (!c)
        return rules_unknown(argv[1]);
    return c->local ? c->local(opt, argc - 1, argv + 1) : ctl_ask_daemon(opt, argc, argv);
}

char *ctl_rules_path(const char *arg, struct err *e)
{
    struct stat st;
    if (!arg)
        return mem_str(LEADD_SYSCONFDIR "/" RULES_FILE);
    if (stat(arg, &st) < 0) {
        err_set(e, ERR_INPUT, "%s: %s", arg, err_errno());
        return NULL;
    }
    if (!S_ISDIR(st.st_mode))
        return mem_str(arg);
    size_t n = strlen(arg);
    while (n > 1 && arg[n - 1] == '/')
        n--;
    char *path = mem_printf("%.*s%s" RULES_FILE, (int)n, arg, arg[n - 1] == '/' ? "" : "/");
    if (stat(path, &st) == 0)
        return path;
    err_set(e, ERR_INPUT, "there is no " RULES_FILE " in %s; rules are checked with the users, fields "
            "and settings of theirs, so name the folder it lies in", arg);
    mem_free(path);
    return NULL;
}

json_t *ctl_rules_load(const char *path, struct errlist *errors)
{
    json_t *tree = config_load_away(path, errors);
    if (tree && crm_check(tree, errors) < 0) {
        json_decref(tree);
        return NULL;
    }
    return tree;
}
