/* SPDX-License-Identifier: ISC
 *
 * rep_lines - which lines of a user's mail are commands, and which are words
 *
 * A command begins its line with # and stands above the quotation: "#won 5000",
 * "# Won: 5.000.", "#L42 won 5000" (of another record than the mail's), and "#L42"
 * alone for all lines below it. note, call and meeting go on to the end of their
 * paragraph; other words of a person go on where the mail program broke the line. A
 * subject that begins with # is a line, too, unless the mail answers another.
 *
 * What looks like a command and is none is never taken for words: it is told, and
 * what stands beside it must not be sent to a customer ("doubt"). What phones make of
 * a line (no-break spaces, curly quotes, a full stop at the end) is made plain.
 *
 * Pure, and linear in the size of the mail. Who wrote it, and whether he may, is
 * asked elsewhere (engine/rep.c): everything here is only text.
 */
#ifndef LEADD_CRM_REP_LINES_H
#define LEADD_CRM_REP_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crm/crm.h"

enum rep_what {
    REP_COMMAND, /* of the table of commands */
    REP_ASK,     /* find, show, why, help: changes nothing */
    REP_UNKNOWN, /* `near` says what may have been meant */
    REP_BELOW,   /* a command that stands below a quotation */
};

struct rep_line {
    enum rep_what what;
    char *said;             /* own; as it was written, in one line: for the answer */
    char *line;             /* own; "won 5.000": for crm_command_run(), or the ask */
    char word[32];          /* "won"; of an unknown one as it was written */
    const char *near;       /* static, or NULL */
    enum crm_entity entity; /* the record it names; CRM_NONE: the mail's */
    int64_t id;
};

struct rep_lines {
    struct rep_line *v; /* own */
    size_t count;
    char *words;            /* own; what is left, "" when nothing is */
    enum crm_entity entity; /* of a plus address such as crm+L42@: the mail is about it */
    int64_t id;
    bool doubt; /* a command may be among the words, or was not understood */
    bool thin;  /* the words are a greeting and a name at most */
    bool more;  /* there were more than BOUND_REP_LINES */
};

struct rep_source {
    const char *subject; /* may be NULL, as the next two */
    const char *reply;   /* the new words */
    const char *text;    /* all of it: says what stands above the quotation; NULL: reply */
    const char *plus;    /* what our address was called with: "task-tomorrow", "L42" */
    bool answers;        /* it answers another mail: its subject is that one's */
    const char *reminded; /* it answers a reminder of these tasks, "T4 T7": then "done", or "snooze
                           * 2d", is a command without its # where it begins the words; or NULL */
};

void rep_lines_split(const struct rep_source *src, struct rep_lines *out);
void rep_lines_done(struct rep_lines *r);

/* Is there anything that begins as a command does? Cheap, for mails that have none. */
bool rep_lines_any(const struct rep_source *src);

/* The line with its user or stage called as the config does; own (rep_names.c). */
char *rep_line_names(const struct crm *crm, const char *line);

/* "find", "show", "why", "help" in turn, NULL after the last. */
const char *rep_ask_name(size_t i);

#endif
