/* SPDX-License-Identifier: ISC
 *
 * gateway - what a preset of an SMS gateway says: a request made of it, answers and
 * receipts read by it
 *
 * A gateway is data (leadd.conf(5), GATEWAYS; contrib/gateways/NAME.conf): nothing here
 * knows any vendor. Texts in it may name {values}; each is written as its place needs it:
 * percent signs in a URL, JSON by the library, one line in a header. A field that names
 * a {value} which is empty is left out.
 *
 * Answers and receipts come from outside: they are read by form.h, so {"a": [{"b": 1}]}
 * has the value a.0.b. What an error means is looked up under its code, then by words in
 * the answer, then by the HTTP status; what no line of the preset knows is told by the
 * status alone, and nobody guesses that a text was not taken when it may have been.
 *
 * Pure: no socket, no clock, no log.
 */
#ifndef LEADD_GATEWAY_H
#define LEADD_GATEWAY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum gateway_reason {
    GATEWAY_OK,
    GATEWAY_PERMANENT,      /* this text will never be taken */
    GATEWAY_TEMPORARY,
    GATEWAY_OPTED_OUT,      /* the recipient has said STOP to the gateway */
    GATEWAY_INVALID_NUMBER, /* nobody has that number */
    GATEWAY_LANDLINE,       /* it cannot get texts */
    GATEWAY_AUTH,           /* our sign-in is refused */
    GATEWAY_RATE,           /* too many at a time */
    GATEWAY_BALANCE,        /* the account has no money left */
    GATEWAY_UNKNOWN,        /* it may have been taken */
    GATEWAY_REASON_COUNT
};
const char *gateway_reason_name(enum gateway_reason r); /* "opted_out" */
/* GATEWAY_REASON_COUNT when there is none of that name. */
enum gateway_reason gateway_reason_parse(const char *name);
/* Is it about this recipient, so that no other gateway need be tried? */
bool gateway_reason_is_final(enum gateway_reason r);

/* What {names} stand for: settings of the gateway (user, number, url, params), its secret,
 * and the text: {to, from, text, encoding, segments, key, receipt_url, provider_id}. own. */
json_t *gateway_values(const json_t *gw, const char *secret, const json_t *text);

enum gateway_place { GATEWAY_PLAIN, GATEWAY_URL };
/* ERR_PERM when the text names what is not there. */
int gateway_fill(const char *text, const json_t *values, enum gateway_place place,
                 struct buf *out, struct err *e) LEADD_MUST_CHECK;

struct gateway_request {
    const char *method; /* borrowed from the config */
    const char *type;   /* Content-Type, static; NULL: there is no body */
    char *url;          /* own */
    json_t *headers;    /* own; name -> value, Authorization among them */
    struct buf body;
};
/* part: "send" or "pull" of the gateway. Done is to be called in any case. */
int gateway_request(const json_t *gw, const char *part, const json_t *values,
                    struct gateway_request *out, struct err *e) LEADD_MUST_CHECK;
void gateway_request_done(struct gateway_request *r);
/* scheme, host and port alone; own; NULL with e. */
char *gateway_base_url(const json_t *gw, struct err *e);

#define GATEWAY_ID_MAX 200

struct gateway_answer {
    enum gateway_reason reason;
    char id[GATEWAY_ID_MAX]; /* the gateway's own of the text, or "" */
    char code[64];           /* its word for the error, or "" */
    char text[256];          /* one line, for people */
    int64_t micros;          /* price, millionths; -1: not told */
    char currency[4];
};
/* status and body of the answer to a request of `send`. */
void gateway_answer(const json_t *send, long status, const char *type, const char *body,
                    size_t n, struct gateway_answer *out);

enum gateway_state {
    GATEWAY_QUEUED,
    GATEWAY_SENT,
    GATEWAY_DELIVERED,
    GATEWAY_UNDELIVERED,
    GATEWAY_FAILED,
    GATEWAY_STATE_COUNT /* not known */
};
const char *gateway_state_name(enum gateway_state s);

struct gateway_receipt {
    enum gateway_state state;
    enum gateway_reason reason;
    char id[GATEWAY_ID_MAX], key[64]; /* one of the two says which text */
    char code[64], status[64];
    int64_t micros; /* -1: not told */
    char currency[4];
};
/* Receipt number i of a post; false when there are no more. values: name -> text. part is
 * "receipt" or "pull" of the gateway; what pull does not say is as in receipt. */
bool gateway_receipt(const json_t *gw, const char *part, const json_t *values, size_t i,
                     struct gateway_receipt *out);

/* The value under the first of these names that is there, or "". Borrowed. names: a text or
 * a list. */
const char *gateway_value(const json_t *values, const json_t *names);

/* "0.0075", "-0.00750": millionths, without the sign; -1 when it is no amount. */
int64_t gateway_micros(const char *text);

/* Does it tell of files that came with a text, and are they to be fetched? */
bool gateway_fetches(const json_t *gw);

/* Do its requests name {name}, or sign in with it ("user", "secret")? */
bool gateway_needs(const json_t *gw, const char *name);

/* All texts of the gateway: ERR_INPUT names the setting and the {name} that is not known. */
int gateway_check(const json_t *gw, struct err *e) LEADD_MUST_CHECK;

#endif
