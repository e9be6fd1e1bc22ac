/* SPDX-License-Identifier: ISC
 *
 * optout - how a contact ends what we send: one click, a mail, a page
 *
 * Each automatic mail to a contact names where it can be ended, by a token of its own row
 * of the outbox, which knows the address, the list and the mail: nobody can make one for
 * somebody else. Who holds the mail can end it, and no more than such mail: that of its
 * list, or where it has none, all that is sent automatically.
 *
 *   List-Unsubscribe: <https://.../u/stop.O17.TOKEN>, <mailto:sales+stop.O17.TOKEN@..>
 *   List-Unsubscribe-Post: List-Unsubscribe=One-Click         (RFC 8058, with https alone)
 *   List-Id: <news.example.com>                               (of a list)
 *
 * The mailto form needs no web.in_url. A mail whose own words are nothing but "unsubscribe"
 * (in some twenty languages) ends all automatic mail to whom it is from.
 */
#ifndef LEADD_ENGINE_OPTOUT_H
#define LEADD_ENGINE_OPTOUT_H

#include "crm/consent.h"
#include "engine/engine.h"
#include "mail/compose.h"
#include "rule/template.h"

/* ---- in a mail that is written ---- */

#define OPTOUT_HEADERS 3
struct optout {
    char *url;    /* own; for {{unsubscribe_url}}: the page, or the mailto form */
    char *ends, *list_id; /* own; of headers */
    bool one_click;
};
/* For the mail of this row of the outbox; list may be NULL. */
void optout_make(const struct engine *eng, int64_t outbox, const char *list, struct optout *out);
void optout_done(struct optout *o);
/* How many were put into out, which borrows from o. */
size_t optout_headers(const struct optout *o, struct mail_header out[OPTOUT_HEADERS]);
/* What stands for the url while the words are made, before the row is there. */
#define OPTOUT_PLACE "about:unsubscribe-url"
/* The url in its places; mail of a list that names none gets a line with it at the end. */
void optout_fill(const struct engine *eng, const struct optout *o, const char *list,
                 const char *language, struct template_result *r);

/* ---- asked for ---- */

struct input;
/* Ends the list, or with NULL all automatic mail, for the address. c: who says so, where. */
int optout_withdraw(struct input *in, const struct crm_target *t, const char *address,
                    const char *list, const struct crm_consent *c, struct err *e) LEADD_MUST_CHECK;

/* What a mail that came in asks for. */
struct optout_asked {
    bool asked;
    char *address; /* own; whose mail is to end */
    char *list;    /* own; or NULL: all */
    json_t *row;   /* own; of the outbox, NULL: it names none */
};
int optout_read(struct engine *eng, const json_t *message, struct optout_asked *out,
                struct err *e) LEADD_MUST_CHECK;
/* Does it, before any rule of this input runs. */
int optout_take(struct input *in, const struct optout_asked *a, int64_t message_id,
                struct err *e) LEADD_MUST_CHECK;
void optout_asked_done(struct optout_asked *a);

/* The row of the outbox that "stop.O17.TOKEN" names; *row_out NULL: it is none of ours. Own. */
int optout_row(struct engine *eng, const char *name, json_t **row_out, struct err *e) LEADD_MUST_CHECK;

#endif
