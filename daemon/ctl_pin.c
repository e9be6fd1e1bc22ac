/* SPDX-License-Identifier: ISC
 *
 * ctl_pin - `leadctl pin`: the line for a user's pin_file
 *
 * Asks without showing what is typed, and twice; or takes the first line of what is piped in.
 * A PIN is no argument: others on the machine could read it there.
 */
#include "ctl.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pin.h"

static bool line_read(char out[64])
{
    if (!fgets(out, 64, stdin))
        return false;
    out[strcspn(out, "\r\n")] = '\0';
    return true;
}

static bool line_ask(const char *words, char out[64])
{
    struct termios was, quiet;
    fputs(words, stderr);
    fflush(stderr);
    if (tcgetattr(STDIN_FILENO, &was) != 0)
        return line_read(out);
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    bool got = line_read(out);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    fputc('\n', stderr);
    return got;
}

int ctl_local_pin(const struct ctl_options *opt, int argc, char **argv)
{
    char pin[64] = "", again[64] = "";
    bool person = isatty(STDIN_FILENO);
    struct err e = {0};
    (void)opt;
    (void)argv;
    if (argc != 1) {
        fputs("usage: leadctl pin > FILE, and the PIN on the terminal or on standard input\n", stderr);
        return CTL_EXIT_USAGE;
    }
    bool got = person ? line_ask("PIN: ", pin) && line_ask("Again: ", again) : line_read(pin);
    if (!got || !pin_is_good(pin)) {
        fprintf(stderr, "leadctl: pin: a PIN has %d to %d digits\n", PIN_MIN, PIN_MAX);
        return CTL_EXIT_DATA;
    }
    if (person && strcmp(pin, again) != 0) {
        fputs("leadctl: pin: these are two different ones\n", stderr);
        return CTL_EXIT_DATA;
    }
    AUTO_FREE char *line = pin_hash(pin, &e);
    if (!line) {
        fprintf(stderr, "leadctl: pin: %s\n", e.text);
        return CTL_EXIT_FAILED;
    }
    puts(line);
    return 0;
}
