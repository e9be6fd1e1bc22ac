/* SPDX-License-Identifier: ISC
 *
 * parse - the bytes of one mail become the message form
 *
 * The form (absent where marked ?, else always there):
 *
 *   channel "email", size (bytes of the mail)
 *   message_id?, in_reply_to [], references []      ids without < >
 *   from?, sender?            {address, folded, name?}
 *   reply_to [], to [], cc [] of the same; delivered_to [address]
 *   return_path?              "" is the null sender
 *   date_ms?, received_ms?    Date; the date of the topmost Received
 *   subject                   "" when missing
 *   text                      all readable text, lines end in \n
 *   reply, signature          the new words; what is signature of the sender or of a program
 *   signature_facts?          {phones [], title?, name?, company?} as written there
 *   forward?                  {exact, confidence "exact" | "sure" | "guess", from? {address?,
 *                             folded?, name?}, to [], date_ms?, subject?, message_id?, text,
 *                             note: the forwarder's own words}: the first mail attached, or
 *                             the one that the text forwards (forward.h says when)
 *   kind                      own bounce receipt auto_reply list calendar report person
 *   auto {auto_submitted?, precedence?, x_loop?, list_id?, response_suppress?: the fields as
 *                             they came; suppress: bool, nothing automatic may answer this
 *                             mail; why?: the field that decided; until_ms?, until_text?:
 *                             the day (midnight UTC) until or on which somebody is away}
 *   bounce?                   {recipient?, status?, permanent, diagnostic?, action?,
 *                             original_message_id?, original_token?, envelope_recipients []}
 *                             a delay notice: action "delayed", permanent false
 *   receipt?                  {recipient?, disposition ("displayed", "deleted", "delivered" ...),
 *                             original_message_id?, original_token?}
 *   report?                   {feedback_type?, recipient?, return_path?, original_message_id?,
 *                             original_token?}: a complaint; "dmarc", "tls": statistics
 *   calendar?                 mail/calendar.h; also of a letter with an invitation in it
 *   language?                 the first that Content-Language names, as it was written
 *   attachments []            {filename?, type, size, sha256?, inline, part, content_id?,
 *                             message? {subject?, message_id?, from?}: an attached mail;
 *                             at?, bytes?, encoding?: where it stands in the mail as it
 *                             came: base64, quoted-printable or binary}
 *   encrypted, signed         bool
 *   token_headers {}          X-Leadd-* headers: name in lower case -> first value
 *   phones []                 numbers as written in the new words; not yet E.164
 *   defects []                what was malformed or cut, and how it was read
 *
 * address keeps the local part and has its domain in lower case; folded is all
 * lower case. Every string is valid UTF-8 without NUL.
 *
 * Pure: no files, no network, no clock but the monotonic one for the time
 * limit. Work is linear in the size. Broken mail is a message with defects,
 * never a failure; mail_parse fails only when no message can be made at all.
 * What the form has is also in engine/parsed.c, which takes nothing else.
 * Nothing here proves who sent a mail: that is the engine's, from raw headers.
 */
#ifndef LEADD_MAIL_PARSE_H
#define LEADD_MAIL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"

struct mail_limits {
    size_t size;         /* bytes of a mail that are read; the rest is a defect */
    size_t header_bytes; /* of one header block */
    size_t headers;      /* fields of one header block */
    size_t depth;        /* of nested parts */
    size_t parts;
    size_t text; /* bytes of text kept */
    size_t addresses;
    size_t references;
    size_t subject;
    size_t defects;
    int64_t ms; /* time for one mail; 0: no limit */

    bool truncated;        /* only the header block was fetched: missing says what else is there */
    const json_t *missing; /* borrowed, may be NULL: [{type, filename, size}] */
    int64_t now_ms;        /* wall time, when the caller knows it; 0: unknown */
    uint64_t *work;        /* borrowed, may be NULL: gets the bytes looked at, for tests */
};

/* The limits of bounds.h, not truncated, time unknown. */
void mail_limits_default(struct mail_limits *lim);

/* lim may be NULL: the defaults. Returns the message (own), or NULL with e. */
json_t *mail_parse(const char *raw, size_t n, const struct mail_limits *lim,
                   struct err *e) LEADD_MUST_CHECK;

/* Loads what the libraries would otherwise load from disk while parsing, so that
 * the parser role can give up its file access afterwards. */
void mail_warm_up(void);

/* Reads one mail from in and writes its message form to out, indented and with
 * sorted keys: what `leadctl parse --json` prints. */
int mail_print_json(FILE *in, FILE *out, struct err *e) LEADD_MUST_CHECK;

#endif
