/* SPDX-License-Identifier: ISC
 *
 * ctl - inside leadctl
 *
 *   leadctl.c     options, the table of commands, asking the daemon
 *   ctl_talk.c    one question over one socket
 *   ctl_ingest.c  one mail to ingest.sock
 *   ctl_calendar.c  how business time is counted, without a daemon
 *   ctl_message.c  a message, or one of its attachments
 *   ctl_sequence.c  a list, or all who fit a condition, begin a sequence
 *   ctl_pin.c     the line for a pin_file
 *   ctl_parse.c   one mail read without a daemon
 *   ctl_source.c  what would be understood of a webhook, without a daemon
 *   ctl_render.c  answers as tables for people
 *   ctl_backup.h  backup, backup verify and restore
 *   ctl_rules.h   rules
 *   ctl_template.h  template
 *   ctl_simulate.h  simulate
 *
 * leadctl shows what strangers wrote: nothing it prints may reach the terminal
 * as an escape sequence.
 */
#ifndef LEADD_CTL_H
#define LEADD_CTL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/frame.h"
#include "base/json.h"

enum {
    CTL_EXIT_FAILED = 1,
    CTL_EXIT_USAGE = 64,
    CTL_EXIT_DATA = 65,
    CTL_EXIT_UNAVAILABLE = 69,
    CTL_EXIT_TEMP = 75,
};

struct ctl_options {
    const char *socket; /* NULL: the default in the run folder */
    bool json;
    int wait_s;
};

/* The default path of a socket of that name; own. */
char *ctl_socket_path(const char *name);
/* The same beside the one that -s names, or in the folder that it names; own. */
char *ctl_socket_of(const struct ctl_options *opt, const char *name);

/* Sends one frame and waits for the answer of type want with the same id; asks
 * the successor of an engine that ended before it had done anything about it.
 * 0 with *answer_out (own, frame_done), or -1 with e. */
int ctl_ask(const char *path, enum frame_type type, const json_t *json, const void *raw,
            size_t raw_len, enum frame_type want, int wait_s, struct frame *answer_out,
            struct err *e) LEADD_MUST_CHECK;

/* Hands these arguments (taken) to the daemon. The exit status; what was refused is told.
 * *answer_out: own, frame_done, whatever came of it. */
int ctl_call(const struct ctl_options *opt, json_t *argv, struct frame *answer_out);

/* Hands the line to the daemon and shows its answer; the exit status. */
int ctl_ask_daemon(const struct ctl_options *opt, int argc, char **argv);

/* How an answer is shown. */
struct ctl_look {
    int width;        /* of the terminal; 0 for no limit */
    const char *zone; /* for times; NULL: UTC */
    bool seconds;     /* in times */
};

/* data: {"columns": [{"name", "title", "align"}], "rows": [[..] or {NAME: ..}]},
 * {"fields": [[label, value]], "sections": [{"title", ..}]}, {"text"}, or several.
 * A cell or value that is exactly a time in UTC is shown in the zone. */
void ctl_render(const json_t *data, const struct ctl_look *look, FILE *to);
void ctl_render_json(const json_t *data, FILE *to);
/* Text that strangers may have written, made harmless; newlines stay. */
void ctl_render_text(const char *text, FILE *to);
int ctl_terminal_width(FILE *to);

int ctl_local_calendar(const struct ctl_options *opt, int argc, char **argv);
int ctl_local_pin(const struct ctl_options *opt, int argc, char **argv);
int ctl_local_parse(const struct ctl_options *opt, int argc, char **argv);
int ctl_local_sequence(const struct ctl_options *opt, int argc, char **argv);
int ctl_local_message(const struct ctl_options *opt, int argc, char **argv);
int ctl_local_source(const struct ctl_options *opt, int argc, char **argv);
int ctl_local_ingest(const struct ctl_options *opt, int argc, char **argv);

#endif
