/* SPDX-License-Identifier: ISC
 *
 * ctl_ingest - hands one mail over, for an MTA's pipe
 *
 * Follows the rules of such pipes: 0 only when the mail is stored, 75 when the
 * MTA must keep it and try again, 65 when it will never be taken.
 */
#include "ctl.h"

#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/mem.h"

static int ingest_answer(const struct frame *f)
{
    const char *status = json_get_str(f->json, "status", "");
    const char *error = json_get_str(f->json, "error", NULL);
    if (!error && strcmp(status, "too_large") != 0 && *status)
        return 0; /* filed, ignored, duplicate and quarantined are all durable */
    fprintf(stderr, "leadctl: ingest: ");
    ctl_render_text(error ? error : *status ? status : "no receipt", stderr);
    return strcmp(status, "too_large") == 0 ? CTL_EXIT_DATA : CTL_EXIT_TEMP;
}

int ctl_local_ingest(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    struct frame f = {.fd = -1};
    struct buf mail AUTO_BUF;
    (void)argv;
    buf_init(&mail, BOUND_MAIL_SIZE);
    if (argc != 1) {
        fputs("usage: leadctl ingest < MAIL\n", stderr);
        return CTL_EXIT_USAGE;
    }
    if (buf_read_fd(&mail, STDIN_FILENO, &e) < 0 || mail.len == 0) {
        fprintf(stderr, "leadctl: ingest: %s\n", mail.len ? e.text : "no mail on standard input");
        return e.cls == ERR_TEMP ? CTL_EXIT_TEMP : CTL_EXIT_DATA;
    }
    AUTO_FREE char *path = ctl_socket_of(opt, "ingest.sock");
    if (ctl_ask(path, FRAME_MAIL, NULL, mail.data, mail.len, FRAME_RECEIPT, opt->wait_s, &f,
                &e) < 0) {
        fprintf(stderr, "leadctl: ingest: %s\n", e.text);
        return CTL_EXIT_TEMP;
    }
    int code = ingest_answer(&f);
    frame_done(&f);
    return code;
}
