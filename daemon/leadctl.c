/* SPDX-License-Identifier: ISC
 *
 * leadctl - asks the running daemon, and shows the answer
 *
 * Knows the names of the commands only for help: whatever is not local goes to
 * the engine, which checks and answers. The exit status is the engine's.
 */
#include "ctl.h"
#include "ctl_backup.h"
#include "ctl_form.h"
#include "ctl_rules.h"
#include "ctl_simulate.h"
#include "ctl_template.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

struct command {
    const char *name, *args, *help;
    int (*local)(const struct ctl_options *opt, int argc, char **argv); /* NULL: the daemon's */
};

static int cmd_help(const struct ctl_options *opt, int argc, char **argv);

static int cmd_version(const struct ctl_options *opt, int argc, char **argv)
{
    (void)opt;
    (void)argc;
    (void)argv;
    puts("leadctl " LEADD_VERSION);
    return 0;
}

static const struct command commands[] = {
    {"status", "", "how the daemon is: roles, mailboxes, queues", NULL},
    {"list", "leads|contacts|companies|deals|cases|activities|tasks [FIELD=VALUE ..] [limit=N]",
     "records of one kind, newest first; also users, fields, events, commands", NULL},
    {"show", "ID | M12 [raw]", "one record, such as L42, or one message and its defects", NULL},
    {"message", "M12 [NUMBER [FILE]]", "a message; with a number, one of its attachments into a file",
     ctl_local_message},
    {"timeline", "ID [limit=N]", "everything that happened to a record, in order", NULL},
    {"why", "ID [rule=NAME] [limit=N] | M12",
     "which rules matched and, for those that did not, why not; all about one message", NULL},
    {"absent", "USER UNTIL | FROM..TO [REASON]", "deal the user no leads while he is away", NULL},
    {"present", "USER", "the user is back", NULL},
    {"do", "ID COMMAND..", "run a command on a record: leadctl do L42 assign anna", NULL},
    {"undo", "ID [JOURNAL]", "take the last command on a record back", NULL},
    {"merge", "ID OTHER", "two records are one: the first stays; undo takes it back", NULL},
    {"duplicates", "[contacts|companies|leads|cases] [limit=N]", "records that may be the same", NULL},
    {"timers", "[ID] [rule=NAME] [limit=N]", "what rules will do later, the earliest first", NULL},
    {"due", "[--late] [rule=NAME] [limit=N] | release|drop all|rule=NAME|ID ..",
     "what is due next; after days without leadd: what was due, to release or drop", NULL},
    {"sequence", "list | show NAME | preview ID [NAME] | start NAME [ID ..] [--where CONDITION | --segment "
     "NAME] [--again] [--yes] | enrolments [NAME] [state=STATE] | migrate NAME",
     "steps over days: what there is, who is in it, what goes out when; begin it for many",
     ctl_local_sequence},
    {"segment", "list | show NAME | count NAME | export NAME [limit=N]",
     "people by condition: what there is, how many and who fits now", NULL},
    {"broadcast", "list | show NAME | preview NAME [ID] | test NAME USER ID | start NAME [confirm=N] "
     "[at=TIME] | confirm NAME N | pause NAME | go-on NAME | cancel NAME | winner NAME N | "
     "results NAME | recipients NAME [state=STATE] [after=ID] [limit=N]",
     "letters to a segment: who would get them, send them, stop them, what came of them", NULL},
    {"pools", "[NAME]", "the members of pools, their load, and who could be dealt a lead now", NULL},
    {"outbox", "list [state=STATE] [lead=ID] | show N | retry|release|drop N, or of a selection: "
     "retry|release|drop state=STATE [domain=DOMAIN] [reason=WORDS] [template=NAME] [since=TIME] "
     "[until=TIME] [count=N] | copies [retry] [state=STATE] [mailbox=NAME]",
     "outgoing mail and its state; copies for a folder of sent mail", NULL},
    {"held", "list [all] [limit=N] | show H3 | release H3 | drop H3",
     "commands by mail that nothing proves: what they are, run them, drop them", NULL},
    {"consent", "show ADDRESS|C7 | grant ADDRESS [WORDS] | withdraw ADDRESS [WORDS]",
     "who may be written to: what was said, when and where; note it", NULL},
    {"suppression", "list [reason=REASON] [limit=N] | show ADDRESS | add ADDRESS .. | remove ADDRESS ..",
     "addresses that automatic mail is stopped for, and why", NULL},
    {"address", "secret USER [new|off] | dropbox [USER] [new]",
     "secret: to it the user's mail commands; dropbox: for copies and forwards of the user, or of all",
     NULL},
    {"calls", "list [state=STATE] [endpoint=NAME] [lead=ID] | show N | retry N | drop N | enable NAME",
     "what other programs are told and asked (webhook, enrich)", NULL},
    {"gateway", "status | enable NAME | pull NAME | test NAME [NUMBER [wait=30s]]",
     "gateways for SMS: how they are and what they cost; ask one again; ask what became of its "
     "texts; try one step by step", NULL},
    {"relay", "status", "relays: how they are, what they had today, and what waits for them", NULL},
    {"hold", "[limit=N]", "after a restore: what would be sent", NULL},
    {"resume", "", "after a restore: all that is held goes on, mails and late timers", NULL},
    {"release", "all|none|since=TIME|ID .. [rest=drop]", "after a restore: let it go, or drop it",
     NULL},
    {"quarantine", "list [unconfirmed] | show Q | retry Q | drop Q",
     "mail, forms and webhooks that could not be processed; forms that nobody confirmed", NULL},
    {"ledger", "[state=filed|ignored|quarantined] [source=SOURCE] [limit=N]",
     "what arrived, newest first, and what became of it", NULL},
    {"reconcile", "[MAILBOX]", "compare what the servers hold with what is filed", NULL},
    {"mailbox", "list | status | preview NAME | refetch NAME [FOLDER] UID|NAME ..",
     "mailboxes; when they were heard from; what a first sync would do", NULL},
    {"rules", "SUBCOMMAND [ARGUMENT..]", "check rule files and work on them: leadctl rules help",
     ctl_local_rules},
    {"template", "list | show NAME | check | preview NAME ID | send NAME ID --to ADDRESS  [--lang LANG]",
     "templates of mails: look them over; a record's mail as it would be sent; a test to yourself",
     ctl_local_template},
    {"simulate", "[--rules DIR|FILE] [--from DATE] [--days 30] [--answered 2d] [--who ADDRESS] MBOX ..",
     "mails and forms through all of leadd under virtual time: what would happen when; nothing is sent",
     ctl_local_simulate},
    {"form", "list | snippet NAME [--url URL] | test NAME FIELD=VALUE .. [-c CONFIG]",
     "web forms: HTML to paste into a page; what a post would become; needs no daemon",
     ctl_local_form},
    {"reload", "", "check the config and apply it; nothing changes on any error", NULL},
    {"clock", "[advance DURATION]", "the clock of a daemon under --pretend-time", NULL},
    {"calendar", "list | explain NAME START +DURATION [-c CONFIG]",
     "how business time is counted, day by day; needs no daemon", ctl_local_calendar},
    {"source", "list | test NAME [-c CONFIG] [--type TYPE] [--query Q] [--header H] < BODY",
     "what would be understood of a request of a source; needs no daemon", ctl_local_source},
    {"pin", "> FILE", "the line for a user's pin_file, which does not tell the PIN; needs no daemon",
     ctl_local_pin},
    {"backup", "[--keep N] FILE|FOLDER | verify FILE",
     "copy the running database with all that belongs to it; look a copy over", ctl_local_backup},
    {"restore", "[--force] BACKUP", "put a backup in place, in hold; leadd must be stopped",
     ctl_local_restore},
    {"parse", "[--json] [FILE]", "show how leadd reads one mail; needs no daemon", ctl_local_parse},
    {"ingest", "< MAIL", "hand one mail over, for an MTA's pipe; 75 when not stored",
     ctl_local_ingest},
    {"help", "[COMMAND]", "this list, or one command", cmd_help},
    {"version", "", "leadctl's version", cmd_version},
};

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int usage(FILE *to)
{
    fputs("usage: leadctl [-s SOCKET] [-w SECONDS] [--json] COMMAND [ARGUMENT..]\n\n", to);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %-11s %s\n", commands[i].name, commands[i].help);
    fputs("\nleadctl help COMMAND says more. Exit: 0 done, 1 refused, 64 usage,\n69 leadd does not answer.\n",
          to);
    return to == stdout ? 0 : CTL_EXIT_USAGE;
}

/* Says which command was probably meant; the rest is the daemon's. */
static void hint(const char *name)
{
    const char *names[ARRAY_LEN(commands)];
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        names[i] = commands[i].name;
    const char *near = text_nearest(name, names, ARRAY_LEN(commands));
    if (near && !command_find(name))
        fprintf(stderr, "leadctl: did you mean \"%s\"?\n", near);
}

static int cmd_help(const struct ctl_options *opt, int argc, char **argv)
{
    if (argc < 2)
        return usage(stdout);
    const struct command *c = command_find(argv[1]);
    if (c && c->local == ctl_local_rules) {
        char *line[] = {argv[1], argv[0], NULL};
        return ctl_local_rules(opt, 2, line);
    }
    if (!c) {
        fprintf(stderr, "leadctl: no command \"%s\"\n", argv[1]);
        hint(argv[1]);
        return CTL_EXIT_USAGE;
    }
    printf("usage: leadctl %s%s%s\n%s\n", c->name, *c->args ? " " : "", c->args, c->help);
    return 0;
}

/* Seconds matter where one looks at one record, and for the order of what happened. */
static bool with_seconds(int argc, char **argv)
{
    return strcmp(argv[0], "show") == 0 || strcmp(argv[0], "timeline") == 0 ||
           strcmp(argv[0], "timers") == 0 || (argc > 1 && strcmp(argv[1], "show") == 0);
}

static int show_answer(const struct ctl_options *opt, const struct frame *f, int argc, char **argv)
{
    struct ctl_look look = {ctl_terminal_width(stdout), json_get_str(f->json, "zone", NULL),
                            with_seconds(argc, argv)};
    const json_t *data = json_object_get(f->json, "data");
    const char *error = json_get_str(f->json, "error", NULL);
    int64_t code = json_get_int(f->json, "exit", CTL_EXIT_FAILED);
    if (data && !json_is_null(data)) {
        if (opt->json)
            ctl_render_json(data, stdout);
        else
            ctl_render(data, &look, stdout);
    }
    if (error) {
        fflush(stdout);
        fputs("leadctl: ", stderr);
        ctl_render_text(error, stderr);
    }
    if (code == CTL_EXIT_USAGE)
        hint(argv[0]);
    return code >= 0 && code < 256 ? (int)code : CTL_EXIT_FAILED;
}

int ctl_ask_daemon(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    struct frame f = {.fd = -1};
    AUTO_JSON json_t *j = json_object();
    json_t *args = json_array();
    for (int i = 0; i < argc; i++) {
        if (argc > BOUND_CTL_ARGS || strlen(argv[i]) > BOUND_CTL_ARG ||
            !text_is_utf8(argv[i], strlen(argv[i]))) {
            fputs("leadctl: too many arguments, or one that is too long or not UTF-8\n", stderr);
            json_decref(args);
            return CTL_EXIT_USAGE;
        }
        json_array_append_new(args, json_string(argv[i]));
    }
    json_object_set_new(j, "argv", args);
    AUTO_FREE char *path = ctl_socket_of(opt, "ctl.sock");
    if (ctl_ask(path, FRAME_CTL, j, NULL, 0, FRAME_CTL_DONE, opt->wait_s, &f, &e) < 0) {
        fprintf(stderr, "leadctl: %s\n", e.text);
        return CTL_EXIT_UNAVAILABLE;
    }
    int code = show_answer(opt, &f, argc, argv);
    frame_done(&f);
    return code;
}

/* --json may stand anywhere: `leadctl parse --json FILE`. */
static int take_json(struct ctl_options *opt, int argc, char **argv)
{
    int n = 0;
    bool over = false;
    for (int i = 0; i < argc; i++) {
        over |= strcmp(argv[i], "--") == 0;
        if (!over && strcmp(argv[i], "--json") == 0)
            opt->json = true;
        else
            argv[n++] = argv[i];
    }
    return n;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"socket", required_argument, NULL, 's'},
                                          {"wait", required_argument, NULL, 'w'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct ctl_options opt = {.wait_s = 120};
    int64_t n;
    int c;
    while ((c = getopt_long(argc, argv, "+s:w:jVh", longs, NULL)) != -1) {
        if (c == 's')
            opt.socket = optarg;
        else if (c == 'j')
            opt.json = true;
        else if (c == 'w' && text_parse_int(optarg, &n) == 0 && n > 0 && n < 1000000)
            opt.wait_s = (int)n;
        else if (c == 'V')
            return cmd_version(&opt, 0, NULL);
        else
            return usage(c == 'h' ? stdout : stderr);
    }
    argc = take_json(&opt, argc - optind, argv + optind);
    argv += optind;
    if (argc == 0)
        return usage(stderr);
    const struct command *cmd = command_find(argv[0]);
    return cmd && cmd->local ? cmd->local(&opt, argc, argv) : ctl_ask_daemon(&opt, argc, argv);
}
