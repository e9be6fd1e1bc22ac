/* SPDX-License-Identifier: ISC
 *
 * ctl_message - leadctl message M12 [N [FILE]]: a message, or one of its attachments
 *
 * What strangers sent is written as it came, and never to a terminal.
 */
#include "ctl.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static int usage(void)
{
    fputs("usage: leadctl message M12 [NUMBER [FILE]]\n", stderr);
    return CTL_EXIT_USAGE;
}

static int save(const struct frame *f, const char *path)
{
    AUTO_CLOSE int fd = -1;
    if (path && (fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0) {
        fprintf(stderr, "leadctl: cannot make %s: %s\n", path, err_errno());
        return CTL_EXIT_FAILED;
    }
    if (buf_write_fd(path ? fd : STDOUT_FILENO, f->raw, f->raw_len) < 0) {
        fprintf(stderr, "leadctl: cannot write %s: %s\n", path ? path : "it", err_errno());
        return CTL_EXIT_FAILED;
    }
    return 0;
}

int ctl_local_message(const struct ctl_options *opt, int argc, char **argv)
{
    struct frame f;
    char *show[] = {"show", argc > 1 ? argv[1] : NULL, NULL};
    if (argc < 2 || argc > 4)
        return usage();
    if (argc == 2)
        return ctl_ask_daemon(opt, 2, show);
    if (argc == 3 && isatty(STDOUT_FILENO)) {
        fputs("leadctl: what strangers sent is not written to a terminal; name a FILE, or -\n",
              stderr);
        return CTL_EXIT_USAGE;
    }
    int code = ctl_call(opt, json_pack("[s, s, s]", argv[0], argv[1], argv[2]), &f);
    if (code == 0)
        code = save(&f, argc == 4 && strcmp(argv[3], "-") != 0 ? argv[3] : NULL);
    frame_done(&f);
    return code;
}
