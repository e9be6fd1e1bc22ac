/* SPDX-License-Identifier: ISC
 *
 * gateway_probe - what a gateway of a config makes of texts, answers and receipts
 *
 * For tests/e2e/test_gateways.py: one JSON object in a line of the input, {"conf": PATH,
 * "gateway": NAME, "secret", "cases": [..]}, one in a line of the output, {"error"} or
 * {"gateway": its part of the config, "results": [..]}. A case is {"request": "send" or "pull",
 * "text"}, {"answer": BODY, "status", "type"}, {"receipt": "receipt" or "pull", "values", "i"}
 * or {"inbound": values}. Sends nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/errlist.h"
#include "base/form.h"
#include "base/gateway.h"
#include "base/mem.h"
#include "config/config.h"

static json_t *case_request(const json_t *gw, const json_t *in, const json_t *c)
{
    struct gateway_request r;
    struct err e = {0};
    const char *part = json_get_str(c, "request", "send");
    AUTO_JSON json_t *values =
        gateway_values(gw, json_get_str(in, "secret", ""), json_get_obj(c, "text"));
    json_t *out = json_object();
    if (gateway_request(gw, part, values, &r, &e) < 0) {
        json_put_str(out, "error", e.text);
    } else {
        json_put_str(out, "method", r.method);
        json_put_str(out, "url", r.url);
        json_put_str(out, "type", r.type ? r.type : "");
        json_object_set(out, "headers", r.headers);
        json_put_str(out, "body", r.body.data);
    }
    gateway_request_done(&r);
    struct buf to AUTO_BUF, subject AUTO_BUF;
    buf_init(&to, KIB(4));
    buf_init(&subject, KIB(4));
    const json_t *send = json_get_obj(gw, "send");
    if (gateway_fill(json_get_str(send, "to", ""), values, GATEWAY_PLAIN, &to, &e) == 0)
        json_put_str(out, "to", to.data);
    if (gateway_fill(json_get_str(send, "subject", ""), values, GATEWAY_PLAIN, &subject, &e) == 0)
        json_put_str(out, "subject", subject.data);
    return out;
}

static json_t *case_answer(const json_t *gw, const json_t *c)
{
    struct gateway_answer a;
    const char *body = json_get_str(c, "answer", "");
    gateway_answer(json_get_obj(gw, "send"), (long)json_get_int(c, "status", 200),
                   json_get_str(c, "type", NULL), body, strlen(body), &a);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "reason", gateway_reason_name(a.reason),
                     "id", a.id, "code", a.code, "text", a.text, "micros", (json_int_t)a.micros,
                     "currency", a.currency);
}

/* Posted JSON as the engine gets it: flat. own. */
static json_t *flat(const json_t *posted)
{
    struct form f;
    struct err e = {0};
    AUTO_FREE char *text = json_text(posted);
    form_init(&f);
    if (form_read_json(&f, text, strlen(text), &e) < 0)
        json_object_clear(f.values);
    json_t *v = json_incref(f.values);
    form_done(&f);
    return v;
}

static json_t *case_receipt(const json_t *gw, const json_t *c)
{
    struct gateway_receipt r;
    AUTO_JSON json_t *values = flat(json_get_obj(c, "values"));
    if (!gateway_receipt(gw, json_get_str(c, "receipt", ""), values,
                         (size_t)json_get_int(c, "i", 0), &r))
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "state", gateway_state_name(r.state),
                     "reason", gateway_reason_name(r.reason), "id", r.id, "key", r.key, "code",
                     r.code, "micros", (json_int_t)r.micros, "currency", r.currency);
}

static json_t *case_inbound(const json_t *gw, const json_t *c)
{
    static const char *const keys[] = {"from", "to",   "text",  "id",    "time",
                                       "ref",  "part", "total", "optout"};
    const json_t *in = json_get_obj(gw, "inbound");
    AUTO_JSON json_t *values = flat(json_get_obj(c, "inbound"));
    json_t *out = json_object();
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        json_put_str(out, keys[i], gateway_value(values, json_object_get(in, keys[i])));
    return out;
}

static json_t *probe(const json_t *in)
{
    struct errlist errors AUTO_ERRLIST;
    size_t i;
    json_t *c;
    errlist_init(&errors, 20);
    AUTO_JSON json_t *tree = config_load_away(json_get_str(in, "conf", ""), &errors);
    if (!tree) {
        struct buf all AUTO_BUF;
        buf_init(&all, KIB(16));
        for (i = 0; i < errors.count; i++)
            buf_printf(&all, "%s\n", errors.v[i].text);
        return json_pack("{s:s}", "error", all.data);
    }
    json_t *gw = json_object_get(json_object_get(tree, "gateways"),
                                 json_get_str(in, "gateway", ""));
    json_t *results = json_array();
    json_array_foreach(json_get_arr(in, "cases"), i, c)
        json_array_append_new(results, json_object_get(c, "request")   ? case_request(gw, in, c)
                                       : json_object_get(c, "answer")  ? case_answer(gw, c)
                                       : json_object_get(c, "receipt") ? case_receipt(gw, c)
                                                                       : case_inbound(gw, c));
    return json_pack("{s:O?, s:o}", "gateway", gw, "results", results);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        AUTO_JSON json_t *in = json_loads(line, 0, NULL);
        AUTO_JSON json_t *out = probe(in);
        AUTO_FREE char *text = json_line(out);
        puts(text);
        fflush(stdout);
    }
    free(line);
    return 0;
}
