/* SPDX-License-Identifier: ISC
 *
 * bare_http - a bare evhttp that answers the same requests and keeps nothing
 *
 *   bare_http PORT
 *
 * What leadd's forms are compared with: libevent reads the request, its query
 * parser splits the body, one e-mail address is looked at, a page of the same
 * size goes back. Runs until SIGTERM.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char page[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Thank you</title>"
    "<meta name=\"viewport\" content=\"width=device-width\"></head>\n"
    "<body><h1>Thank you</h1>\n<p>We have your message.</p></body></html>\n";

static void on_request(struct evhttp_request *req, void *arg)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    struct evbuffer *out = arg;
    struct evkeyvalq fields;
    size_t n = evbuffer_get_length(in);
    char body[4096];
    int code = 400;
    if (n < sizeof(body) && evbuffer_remove(in, body, n) == (int)n) {
        body[n] = '\0';
        if (evhttp_parse_query_str(body, &fields) == 0) {
            const char *email = evhttp_find_header(&fields, "email");
            code = email && strchr(email, '@') ? 200 : 422;
            evhttp_clear_headers(&fields);
        }
    }
    evbuffer_add(out, page, sizeof(page) - 1);
    evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
                      "text/html; charset=utf-8");
    evhttp_send_reply(req, code, NULL, out);
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = base ? evhttp_new(base) : NULL;
    struct evbuffer *out = evbuffer_new();
    if (argc != 2 || !http || !out) {
        fprintf(stderr, "usage: bare_http PORT\n");
        return 64;
    }
    evhttp_set_gencb(http, on_request, out);
    if (evhttp_bind_socket(http, "127.0.0.1", (ev_uint16_t)strtoul(argv[1], NULL, 10)) < 0) {
        perror("bare_http");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    return event_base_dispatch(base);
}
