/* SPDX-License-Identifier: ISC
 *
 * web_in - what the files of the role web-in share
 *
 * web_in.c is the role and its channel to the engine, web_form.c one posted
 * form from its first check to its answer, web_hook.c the same of a webhook, web_public.c
 * of a page that a mail names.
 */
#ifndef LEADD_WEB_WEB_IN_H
#define LEADD_WEB_WEB_IN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/frame.h"
#include "base/json.h"
#include "base/role.h"
#include "web/http.h"
#include "web/rate.h"
#include "web/stamp.h"

/* how requests ended; the names in healthz and in the log */
#define WEB_OUTCOMES(X)                                                                            \
    X(accepted, 200)     /* stored: new */                                                         \
    X(duplicate, 200)    /* stored before under this request id */                                 \
    X(confirm, 200)      /* stored: it counts once its sender confirms his address */              \
    X(confirm_later, 200) /* the same, and the mail to him leaves later */                         \
    X(quarantined, 202)  /* stored, to be looked at */                                             \
    X(malformed, 400)    /* not HTTP or not the content type it says */                            \
    X(refused, 403)      /* a webhook of a source that the engine does not know */                 \
    X(origin, 403)       /* a page that may not post this form */                                  \
    X(unknown, 404)      /* no such form */                                                        \
    X(method, 405)                                                                                 \
    X(too_large, 413)                                                                              \
    X(type, 415)                                                                                   \
    X(invalid, 422)      /* a field is missing or wrong */                                         \
    X(rate, 429)         /* too many from this address, or of this source */                       \
    X(busy, 503)         /* too many parked, the engine is busy or role stops */                   \
    X(no_engine, 503)    /* the engine was gone or silent for too long */

enum web_outcome {
#define X(name, code) WEB_##name,
    WEB_OUTCOMES(X)
#undef X
    WEB_OUTCOME_COUNT
};

/* A form that waits for the engine. Its body stays in the request. */
struct parked {
    TAILQ_ENTRY(parked) next;
    struct evhttp_request *req; /* evhttp's; valid until it is answered */
    uint64_t id;
    enum frame_type type; /* FORM, HOOK or LINK */
    const char *form;   /* its name, or that of the source or gateway; borrowed from the config */
    const json_t *conf; /* borrowed: the form's config */
    char *request_id;   /* own */
    json_t *json;       /* own; of the frame */
    const char *raw;    /* borrowed from req */
    size_t raw_len;
    int64_t since_ms;
    bool sent; /* on the present channel */
    bool wants_json;
    char remote[64];
};

/* Of a form with a rate: over all addresses. */
struct form_rate {
    const char *form; /* borrowed from the config */
    int64_t per_minute;
    struct bucket bucket;
};

struct web_in {
    struct role *role; /* borrowed */
    struct web_http *http;
    unsigned char stamp_key[STAMP_KEY];
    struct rate *rate, *hook_rate; /* of forms, which people post; of programs */
    struct form_rate *form_rates;  /* own */
    size_t form_rate_count;
    struct chan *engine; /* own; NULL while there is none */
    char *engine_gen;    /* own */
    struct event *tick;  /* own */
    const json_t *web, *forms, *sources, *gateways; /* borrowed from the role's config */
    size_t max_body, held_max;
    int64_t park_ms;
    int64_t gone_ms;    /* since when there is no engine */
    bool proxy_told; /* that one is not in trusted_proxies */
    bool stopping;
    int64_t stop_ms;
    TAILQ_HEAD(parked_list, parked) parked; /* own; oldest first */
    size_t parked_count, held_bytes;
    uint64_t next_id;
    uint64_t counts[WEB_OUTCOME_COUNT];
};

/* web_in.c */
extern const struct role_ops web_in_ops; /* for tests that play the supervisor in one process */
void web_in_park(struct web_in *w, struct parked *p); /* takes p, sends the frame */
bool web_in_engine_is_gone(const struct web_in *w);
/* Who asks (web_remote). Once it is told when that seems to be a proxy nobody named. */
void web_in_remote(struct web_in *w, struct evhttp_request *req, char *out, size_t n);
json_t *web_in_counts(const struct web_in *w); /* own */

const char *web_outcome_name(enum web_outcome outcome);
int web_outcome_code(enum web_outcome outcome);

/* web_hook.c */
void web_hook_request(struct web_in *w, struct evhttp_request *req, const char *path);
/* As web_form_answer. type, text: what the engine wants said, or NULL. */
void web_hook_answer(struct web_in *w, struct parked *p, enum web_outcome outcome,
                     const char *type, const char *text);

/* web_public.c */
bool web_public_is(const char *path);
void web_public_request(struct web_in *w, struct evhttp_request *req, const char *path);
/* answer: of the engine; NULL: there was none. Frees p. */
void web_public_answer(struct web_in *w, struct parked *p, const json_t *answer);

/* web_form.c */
char *web_request_id(void); /* own; grows with the time */
void web_form_request(struct web_in *w, struct evhttp_request *req, const char *name);
void web_form_free(struct parked *p);

/* web_answer.c */
/* Answers a parked form and frees it; it is no longer in the list. */
void web_form_answer(struct web_in *w, struct parked *p, enum web_outcome outcome,
                     const char *text);
/* Answers a request that was not parked, with a readable reason. */
void web_form_refuse(struct web_in *w, struct evhttp_request *req, const char *form,
                     enum web_outcome outcome, const char *text);
/* The same, for fields that are missing or wrong: those of form_check(). */
void web_form_faults(struct web_in *w, struct evhttp_request *req, const char *form,
                     const json_t *faults);
/* JSON for those who post it or ask for it; a browser asks for HTML. */
bool web_form_wants_json(struct evhttp_request *req);
/* The origin of the request when the form's config names it; else NULL. */
const char *web_form_origin(const json_t *conf, struct evhttp_request *req);

#endif
