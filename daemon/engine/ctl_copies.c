/* SPDX-License-Identifier: ISC
 *
 * ctl_copies - leadctl outbox copies: copies of sent mail that are not in their folder yet
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "engine/ctl.h"
#include "engine/sent_copies.h"
#include "store/sent_copy.h"

#define COPY_STATES "waiting handed failed"

static json_t *copies_list(struct ctl *c, struct err *e)
{
    size_t i;
    json_t *row;
    const char *state = ctl_option(c, "state");
    if (ctl_options_check(c, 2, "state mailbox limit", e) < 0)
        return NULL;
    if (state && !ctl_word_in(state, COPY_STATES)) {
        err_set(e, ERR_INPUT, "state=%s: expected one of: %s", state, COPY_STATES);
        return NULL;
    }
    json_t *rows = sent_copy_list(c->eng->db, state, ctl_option(c, "mailbox"), ctl_limit(c), e);
    json_array_foreach(rows, i, row) {
        char stamp[32];
        bool waits = strcmp(json_get_str(row, "state", ""), "waiting") == 0;
        json_put_str(row, "sent", clock_format_utc(json_get_int(row, "sent_ms", 0), stamp,
                                                   sizeof(stamp)));
        json_put_str(row, "next", waits ? clock_format_utc(json_get_int(row, "next_ms", 0), stamp,
                                                           sizeof(stamp))
                                        : "");
    }
    return rows ? ctl_table(rows, "id ID|mailbox MAILBOX|state STATE|to TO|subject SUBJECT|sent SENT|"
                                  "tries TRIES|next NEXT|error ERROR")
                : NULL;
}

static json_t *copies_retry(struct ctl *c, struct err *e)
{
    int64_t n;
    const char *mailbox = ctl_option(c, "mailbox");
    if (ctl_options_check(c, 3, "mailbox", e) < 0 ||
        sent_copies_again(c->eng, mailbox, &n, e) < 0)
        return NULL;
    return n ? ctl_text("%" PRId64 " cop%s tried again at once", n, n == 1 ? "y is" : "ies are")
             : ctl_text("no copy waits or has failed%s%s", mailbox ? " for " : "",
                        mailbox ? mailbox : "");
}

json_t *ctl_copies(struct ctl *c, struct err *e)
{
    return c->argc > 2 && strcmp(c->argv[2], "retry") == 0 ? copies_retry(c, e) : copies_list(c, e);
}
