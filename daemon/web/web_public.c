/* SPDX-License-Identifier: ISC
 *
 * web_public - pages that a link of a mail opens for anybody: /c/TOKEN and the like
 *
 * What stands behind the first part is a secret, so it is not logged, and it means
 * something to the engine alone: it is asked as for a link of web-ui, and says page or
 * redirect. A GET or HEAD is never more than a look; what a button does comes as POST.
 */
#include <event2/buffer.h>
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "web/page.h"
#include "web/web_in.h"

#define RETRY_S 10

static const char *const paths[] = {"/c/", "/r/", "/u/"}; /* what engine/public.c has pages for */

bool web_public_is(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (text_starts(path, paths[i]))
            return true;
    return false;
}

static void public_reply(struct web_in *w, struct evhttp_request *req, const json_t *answer,
                         int code)
{
    struct buf text AUTO_BUF;
    buf_init(&text, BOUND_PAGE);
    const char *location = json_get_str(answer, "location", NULL);
    page_render(answer, &text);
    if (!buf_ok(&text)) { /* a part of it would be saved as the whole */
        log_warn("web.public", "status=too_large why=\"the page has more than %zu bytes\"", BOUND_PAGE);
        AUTO_JSON json_t *sorry = json_pack("{s:s, s:s}", "title", "This did not work", "text",
                                            "The page is too long to be shown.");
        public_reply(w, req, sorry, 500);
        return;
    }
    struct web_reply r = {.code = code,
                          .type = PAGE_CONTENT_TYPE,
                          .body = text.data,
                          .len = text.len,
                          .location = location,
                          .button = json_get_str(answer, "button", NULL) != NULL,
                          .retry_after = code == 503 || code == 429 ? RETRY_S : 0};
    if (code == 405)
        r.allow = "GET, HEAD, POST";
    web_reply(w->http, req, &r);
}

static void public_refuse(struct web_in *w, struct evhttp_request *req, enum web_outcome outcome,
                          const char *text)
{
    w->counts[outcome]++;
    AUTO_JSON json_t *answer = json_pack("{s:s, s:s}", "title", "This did not work", "text", text);
    log_debug("web.public", "status=%s", web_outcome_name(outcome));
    public_reply(w, req, answer, web_outcome_code(outcome));
}

void web_public_answer(struct web_in *w, struct parked *p, const json_t *answer)
{
    int code = (int)json_get_int(answer, "code", 503);
    if (answer) {
        w->counts[code < 400 ? WEB_accepted : WEB_unknown]++;
        public_reply(w, p->req, answer, code);
    } else {
        public_refuse(w, p->req, WEB_no_engine, "Please try again in a minute.");
    }
    log_debug("web.public", "code=%d ms=%" PRId64 " remote=%s", code,
              clock_mono_ms() - p->since_ms, p->remote);
    web_form_free(p);
}

/* True when it was refused. */
static bool public_refuse_early(struct web_in *w, struct evhttp_request *req, const char *remote,
                                size_t size)
{
    int retry = 0;
    enum evhttp_cmd_type cmd = evhttp_request_get_command(req);
    if (cmd != EVHTTP_REQ_POST && cmd != EVHTTP_REQ_GET && cmd != EVHTTP_REQ_HEAD)
        public_refuse(w, req, WEB_method, "Open it in a browser.");
    /* mailbox providers post one click of all their users from a few addresses */
    else if (!rate_allow(cmd == EVHTTP_REQ_POST && text_starts(web_path(req), "/u/") ? w->hook_rate
                                                                                     : w->rate,
                         remote, clock_mono_ms(), &retry))
        public_refuse(w, req, WEB_rate, "Too many requests. Please try again in a minute.");
    else if (web_framing_is_ambiguous(req))
        public_refuse(w, req, WEB_malformed, "The length of the body is given twice.");
    else if (size > w->max_body || strlen(evhttp_request_get_uri(req)) > BOUND_HOOK_PATH)
        public_refuse(w, req, WEB_too_large, "The request is too large.");
    else if (w->parked_count >= BOUND_HTTP_PARKED || w->held_bytes + size > w->held_max ||
             web_in_engine_is_gone(w))
        public_refuse(w, req, WEB_busy, "Please try again in a minute.");
    else
        return false;
    return true;
}

static void put_header(json_t *j, const char *key, const char *value)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 3 * BOUND_PAGE_HEADER + 1);
    if (value)
        text_add_utf8(&b, value, text_utf8_cut(value, strlen(value), BOUND_PAGE_HEADER));
    json_put_str(j, key, value ? b.data : NULL);
}

void web_public_request(struct web_in *w, struct evhttp_request *req, const char *path)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(req);
    enum evhttp_cmd_type cmd = evhttp_request_get_command(req);
    size_t size = evbuffer_get_length(body);
    char remote[64];
    web_in_remote(w, req, remote, sizeof(remote));
    if (!text_is_utf8(path, strlen(path))) {
        public_refuse(w, req, WEB_unknown, "There is nothing here.");
        return;
    }
    if (public_refuse_early(w, req, remote, size))
        return;
    struct parked *p = mem_alloc(sizeof(*p));
    p->req = req;
    p->type = FRAME_LINK;
    p->form = "";
    p->raw_len = size;
    p->raw = size ? (const char *)evbuffer_pullup(body, -1) : "";
    p->since_ms = clock_mono_ms();
    snprintf(p->remote, sizeof(p->remote), "%s", remote);
    p->json = json_pack("{s:s, s:b, s:b, s:s}", "path", path + 1, "go", cmd == EVHTTP_REQ_POST,
                        "head", cmd == EVHTTP_REQ_HEAD, "remote", remote);
    put_header(p->json, "agent", web_header(req, "User-Agent"));
    put_header(p->json, "type", web_header(req, "Content-Type"));
    web_in_park(w, p);
}
