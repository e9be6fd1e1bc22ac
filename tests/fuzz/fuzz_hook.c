/* SPDX-License-Identifier: ISC
 *
 * fuzz_hook - any bytes as a webhook: its signature, and what a mapping makes of it
 *
 * The first byte chooses the scheme and the mapping, the first line is the path, the
 * lines up to an empty one are headers, the rest is the body. A stranger's request never
 * verifies by what it says of itself, and whatever it says becomes a record of valid text.
 * What a good signature is, test_verify.c shows.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bounds.h"
#include "base/form.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/source_map.h"
#include "engine/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const schemes[] = {
    "{\"scheme\": \"token\"}",
    "{\"scheme\": \"token\", \"field\": \"token\"}",
    "{\"scheme\": \"basic\"}",
    "{\"scheme\": \"hmac\", \"header\": \"X-Sig\", \"encoding\": \"base64\", \"prefix\": \"v=\", \"time\": \"X-Time\","
    " \"signs\": \"{header X-Time}.{body}\"}",
    "{\"scheme\": \"github\"}",
    "{\"scheme\": \"typeform\"}",
    "{\"scheme\": \"stripe\"}",
    "{\"scheme\": \"standard-webhooks\"}",
    "{\"scheme\": \"mailgun\"}",
    "{\"scheme\": \"telnyx\"}",
    "{\"scheme\": \"vonage\"}",
    "{\"scheme\": \"twilio\"}",
    "{\"scheme\": \"plivo\", \"url\": \"https://hooks.example.com/\"}",
};

static const char *const mappings[] = {
    "{\"kind\": \"lead\", \"map\": {\"event\": \"id | header.x-id\", \"email\": \"answers[type=email].email\","
    " \"name\": \"{first} {last.0}\", \"text\": \"list[*].v | 'none'\", \"lines\": \"list\", \"line\": \"{k}: {v}\"},"
    " \"fields\": {\"a.b[c=d].e\": {\"to\": \"lead.budget\"}}}",
    "{\"map\": {\"id\": \"id\", \"amount\": \"total\", \"currency\": \"cur\", \"at\": \"when\", \"items\": \"list\","
    " \"item\": \"{k} x {v}\"}, \"events\": {\"r\": {\"when\": [{\"text\": \"type starts refund\"}], \"kind\":"
    " \"order.refunded\", \"map\": {\"refunded\": \"back\", \"amount_in\": \"minor\"}}, \"p\": {\"when\": [{\"text\":"
    " \"type = paid|new\"}, {\"text\": \"test != true\"}], \"kind\": \"order.paid\"}, \"n\": {\"when\": [{\"text\":"
    " \"id is set\"}], \"kind\": \"order.placed\"}}}",
    "{\"kind\": \"call.ended\", \"map\": {\"id\": \"id\", \"phone\": \"query.phone | phone\", \"duration\": \"secs\","
    " \"direction\": \"dir\", \"recording\": \"rec\", \"status\": \"st\"}}",
    "{\"kind\": \"visit\", \"map\": {\"url\": \"url\", \"title\": \"title\", \"at\": \"at\"}}",
};

static void check_record(const json_t *v)
{
    const char *key;
    size_t i;
    json_t *one;
    if (json_is_string(v))
        LEADD_ASSERT(text_is_utf8(json_string_value(v), json_string_length(v)));
    json_object_foreach((json_t *)v, key, one)
        check_record(one);
    json_array_foreach((json_t *)v, i, one)
        check_record(one);
}

/* The next line of the head; false at its end. */
static bool next_line(const char **p, const char *end, char **line)
{
    const char *nl = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;
    if (!nl)
        return false;
    *line = mem_strn(*p, (size_t)(nl - *p));
    *p = nl + 1;
    return true;
}

static void header_put(json_t *headers, char *line)
{
    char *colon = strchr(line, ':');
    if (!colon || !text_is_utf8(line, strlen(line)))
        return;
    *colon = '\0';
    text_lower(line);
    json_put_str(headers, line, colon + 1 + strspn(colon + 1, " "));
}

static void play_verify(unsigned which, const struct verify_request *r)
{
    struct err e = {0};
    struct verified out;
    AUTO_JSON json_t *conf = json_loads(schemes[which % ARRAY_LEN(schemes)], 0, NULL);
    char *secrets[] = {mem_str("a secret that no input has by chance"), mem_str("Zm9v")};
    struct verify *v = verify_new(conf, secrets, 2, &e);
    LEADD_ASSERT(v);
    verify_request(v, r, &out);
    LEADD_ASSERT(out.ok == !out.why[0]);
    LEADD_ASSERT(text_is_utf8(out.why, strlen(out.why)) && text_is_single_line(out.why));
    LEADD_ASSERT(strlen(out.id) < VERIFY_ID_MAX);
    verify_free(&v);
}

static void play_map(unsigned which, const struct verify_request *r)
{
    struct err e = {0};
    struct form query, posted;
    const char *asked = strchr(r->path, '?');
    AUTO_JSON json_t *conf = json_loads(mappings[which % ARRAY_LEN(mappings)], 0, NULL);
    AUTO_JSON json_t *body = json_load_bounded(r->body, r->len, BOUND_HTTP_BODY_MAX, &e);
    form_init(&query);
    form_init(&posted);
    if (asked)
        form_read_urlencoded(&query, asked + 1, strlen(asked + 1));
    form_read_urlencoded(&posted, r->body, r->len);
    LEADD_ASSERT(conf);
    const struct source_in in = {.body = body ? body : posted.values,
                                 .query = query.values,
                                 .headers = r->headers};
    AUTO_JSON json_t *record = source_map(conf, &in, "EUR");
    check_record(record);
    LEADD_ASSERT(json_array_size(json_get_arr(record, "defects")) <= BOUND_FORM_DEFECTS);
    LEADD_ASSERT(text_is_single_line(json_get_str(record, "title", "")));
    form_done(&query);
    form_done(&posted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > KIB(64))
        return 0;
    const char *p = (const char *)data + 1, *end = (const char *)data + size;
    char *line = NULL, *path = NULL;
    AUTO_JSON json_t *headers = json_object();
    if (!next_line(&p, end, &path))
        path = mem_str("/hook/x");
    while (next_line(&p, end, &line)) {
        bool last = !*line;
        header_put(headers, line);
        mem_free(line);
        if (last)
            break;
    }
    AUTO_FREE char *body = mem_strn(p, (size_t)(end - p));
    const struct verify_request r = {.method = p < end ? "POST" : "GET",
                                     .path = path,
                                     .host = "crm.example.com",
                                     .type = json_get_str(headers, "content-type", ""),
                                     .rest = "",
                                     .headers = headers,
                                     .body = body,
                                     .len = (size_t)(end - p),
                                     .at_ms = INT64_C(1614265330000)};
    play_verify(data[0], &r);
    play_map(data[0] / 16, &r);
    mem_free(path);
    return 0;
}
