/* SPDX-License-Identifier: ISC
 *
 * http - see http.h
 */
#include "courier/http.h"

#include <stdint.h>

#include "base/bounds.h"
#include "base/text.h"

int http_port(const char *url)
{
    char *text = NULL;
    int64_t port = 0;
    CURLU *u = curl_url();
    if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        text_parse_int(text, &port) < 0)
        port = 0;
    curl_free(text);
    curl_url_cleanup(u);
    return port > 0 && port < 65536 ? (int)port : 0;
}

void http_options(CURL *h, const struct http_to *to)
{
    curl_easy_setopt(h, CURLOPT_URL, to->url);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, to->timeout_ms);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, to->timeout_ms);
    curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* or newer */
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
    if (to->ca_file)
        curl_easy_setopt(h, CURLOPT_CAINFO, to->ca_file);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "leadd/" LEADD_VERSION);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, to->headers);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, to->error);
    curl_easy_setopt(h, CURLOPT_PRIVATE, to->own);
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct http_answer *a = arg;
    a->body_bytes += size * n;
    if (a->dropped)
        return a->body_bytes > a->body.max ? 0 : size * n;
    if (buf_add(&a->body, p, size * n) == 0)
        return size * n;
    a->too_large = true;
    return 0;
}

bool http_answer_headless(const struct http_answer *a)
{
    return a->head_bytes > BOUND_CALL_HEADERS;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct http_answer *a = arg;
    (void)p;
    a->head_bytes += size * n;
    return http_answer_headless(a) ? 0 : size * n;
}

void http_answer_begin(CURL *h, struct http_answer *a, size_t max, bool dropped)
{
    buf_done(&a->body);
    *a = (struct http_answer){.dropped = dropped};
    buf_init(&a->body, max);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, a);
}

void http_answer_done(struct http_answer *a)
{
    buf_done(&a->body);
}
