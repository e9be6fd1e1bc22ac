/* SPDX-License-Identifier: ISC
 *
 * explain - what a set of rules would do with one mail or form, and why
 *
 * Plays it on an engine of its own with an empty CRM, as if the sender had never
 * written before. Nothing is sent or kept.
 */
#ifndef LEADD_TOOL_EXPLAIN_H
#define LEADD_TOOL_EXPLAIN_H

#include "base/errlist.h"
#include "base/json.h"

struct explain_options {
    const char *form;    /* what came in is a form: its name; else a mail */
    const char *mailbox; /* where the mail came in; NULL: the first of the config */
    const char *at;      /* as tests write it; NULL: now */
    const char *raw;     /* the mail's bytes; of a form a JSON object, or lines NAME=VALUE */
    size_t raw_len;
};

/* For leadctl to draw: {"text": the story, "sections": [mails, timers, records], "answer":
 * {"status", "text"}, "passes": [journal rows]}; NULL when errors were added. */
json_t *explain_run(const json_t *config_tree, const struct explain_options *o,
                    struct errlist *errors);

#endif
