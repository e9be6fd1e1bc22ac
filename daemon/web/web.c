/* SPDX-License-Identifier: ISC
 *
 * web - see web.h
 */
#include "web/web.h"

#include <string.h>
#include <sys/resource.h>

#include "base/bounds.h"

/* Room for as many connections as we take, as far as we may; the rest of the
 * descriptors is for channels and memfds. */
static size_t web_connections(size_t want)
{
    const size_t other = 64;
    struct rlimit rl;
    if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
        return want;
    if (rl.rlim_cur < want + other) {
        rl.rlim_cur = rl.rlim_max < want + other ? rl.rlim_max : want + other;
        setrlimit(RLIMIT_NOFILE, &rl);
        getrlimit(RLIMIT_NOFILE, &rl);
    }
    if (rl.rlim_cur < want + other)
        return rl.rlim_cur > 2 * other ? rl.rlim_cur - other : other;
    return want;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

void web_http_conf(const json_t *web, struct web_http_conf *out)
{
    int64_t body = json_get_int(web, "max_body", (int64_t)BOUND_HTTP_BODY);
    int64_t conns = json_get_int(web, "connections", BOUND_HTTP_CONNECTIONS);
    out->max_body = (size_t)clamp(body, 1024, (int64_t)BOUND_HTTP_BODY_MAX);
    out->timeout_ms = clamp(json_get_int(web, "timeout", BOUND_HTTP_IDLE_MS), 100, HOUR_MS);
    out->trusted = json_get_arr(web, "trusted_proxies");
    out->connections = web_connections((size_t)clamp(conns, 1, 65536));
}

bool web_refuse_method(struct web_http *h, struct evhttp_request *req)
{
    static const char text[] = "This page is read with GET.\n";
    enum evhttp_cmd_type cmd = evhttp_request_get_command(req);
    if (cmd == EVHTTP_REQ_GET || cmd == EVHTTP_REQ_HEAD)
        return false;
    struct web_reply r = {.code = 405, .body = text, .len = strlen(text), .allow = "GET, HEAD"};
    web_reply(h, req, &r);
    return true;
}
