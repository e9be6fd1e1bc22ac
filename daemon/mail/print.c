/* SPDX-License-Identifier: ISC
 *
 * print - one mail from a stream as indented JSON (see parse.h)
 */
#include "base/bounds.h"
#include "base/buf.h"
#include "mail/parse.h"

/* More is read than is parsed, so that an over-long mail gets its defect. */
#define PRINT_MAX (BOUND_MAIL_SIZE * 2)

int mail_print_json(FILE *in, FILE *out, struct err *e)
{
    char chunk[65536];
    size_t n;
    AUTO_BUF struct buf raw;
    buf_init(&raw, PRINT_MAX);
    while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
        if (buf_add(&raw, chunk, n) < 0)
            return err_set(e, ERR_INPUT, "the mail is larger than %zu bytes", PRINT_MAX);
    if (ferror(in))
        return err_set(e, ERR_TEMP, "cannot read the mail: %s", err_errno());
    AUTO_JSON json_t *msg = mail_parse(raw.data, raw.len, NULL, e);
    if (!msg)
        return -1;
    if (json_dumpf(msg, out, JSON_INDENT(2) | JSON_SORT_KEYS) < 0 || fputc('\n', out) == EOF ||
        fflush(out) != 0)
        return err_set(e, ERR_TEMP, "cannot write the message: %s", err_errno());
    return 0;
}
