/* SPDX-License-Identifier: ISC
 *
 * gateway_answer - see gateway.h: what a gateway said
 *
 * Bytes from outside: form.h reads them within its bounds, and what cannot be read is
 * an answer without values. Nothing here is fatal.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/form.h"
#include "base/gateway.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const states[] = {"queued", "sent", "delivered", "undelivered", "failed", ""};

const char *gateway_state_name(enum gateway_state s)
{
    return states[s];
}

static const char *value_under(const json_t *values, const char *prefix, const char *name)
{
    AUTO_FREE char *whole = mem_printf("%s%s", prefix, name);
    const char *v = json_get_str(values, whole, NULL);
    return v ? v : json_get_str(values, name, "");
}

static const char *value_in(const json_t *values, const char *prefix, const json_t *names)
{
    size_t i;
    json_t *name;
    if (json_is_string(names))
        return value_under(values, prefix, json_string_value(names));
    json_array_foreach((json_t *)names, i, name) {
        const char *v = value_under(values, prefix, json_string_value(name));
        if (*v)
            return v;
    }
    return "";
}

const char *gateway_value(const json_t *values, const json_t *names)
{
    return value_in(values, "", names);
}

int64_t gateway_micros(const char *s)
{
    int64_t v = 0;
    int digits = 0, places = -1;
    if (*s == '-')
        s++;
    for (; *s; s++) {
        if (*s == '.' && places < 0) {
            places = 0;
        } else if (*s >= '0' && *s <= '9' && v < INT64_MAX / 100) {
            digits++;
            if (places < 6)
                v = v * 10 + (*s - '0');
            places += places >= 0 && places < 6;
        } else {
            return -1;
        }
    }
    for (int i = places < 0 ? 0 : places; i < 6 && v < INT64_MAX / 100; i++)
        v *= 10;
    return digits > 0 ? v : -1;
}

static bool list_has(const json_t *list, const char *text)
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)list, i, v)
        if (strcasecmp(json_string_value(v), text) == 0)
            return true;
    return false;
}

static bool list_has_words(const json_t *list, const char *body)
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)list, i, v) {
        const char *s = json_string_value(v);
        if (*s == '~' && s[1] && strcasestr(body, s + 1))
            return true;
    }
    return false;
}

/* By the code, then by words ("~no credit"), then by the status ("http:402"). */
static enum gateway_reason reason_of(const json_t *errors, const char *code, const char *body,
                                     long status)
{
    char http[32];
    snprintf(http, sizeof(http), "http:%ld", status);
    for (int pass = 0; pass < 3; pass++)
        for (unsigned r = GATEWAY_PERMANENT; r < GATEWAY_REASON_COUNT; r++) {
            const json_t *list = json_get_arr(errors, gateway_reason_name((enum gateway_reason)r));
            if (pass == 0   ? *code && list_has(list, code)
                : pass == 1 ? list_has_words(list, body)
                            : status && list_has(list, http))
                return (enum gateway_reason)r;
        }
    return GATEWAY_OK;
}

/* What a status means by itself. A proxy that had no answer, or a server that broke down in
 * the middle, may have passed the text on. 503 is a server's word that it has not begun; but
 * there is a proxy (Envoy) that says 503 also for an answer that it has lost, in these words. */
static enum gateway_reason reason_of_status(long status, const char *body, bool has_code)
{
    switch (status) {
    case 401:
    case 403:
        return GATEWAY_AUTH;
    case 402:
        return GATEWAY_BALANCE;
    case 429:
        return GATEWAY_RATE;
    case 503:
        return strcasestr(body, "reset before headers") ? GATEWAY_UNKNOWN : GATEWAY_TEMPORARY;
    case 408:
        return GATEWAY_UNKNOWN;
    }
    if (status >= 500)
        return GATEWAY_UNKNOWN;
    if (status >= 400 || status / 100 == 3)
        return GATEWAY_PERMANENT;
    return has_code ? GATEWAY_PERMANENT : GATEWAY_UNKNOWN;
}

static bool is_success(const json_t *ok, long status, const json_t *values, const char *body)
{
    char text[32];
    const json_t *codes = json_get_arr(ok, "status"), *name = json_object_get(ok, "name"),
                 *words = json_get_arr(ok, "words");
    snprintf(text, sizeof(text), "%ld", status);
    if (json_array_size(codes) > 0 ? !list_has(codes, text) : status / 100 != 2)
        return false;
    if (json_is_string(name) && !list_has(json_get_arr(ok, "is"), gateway_value(values, name)))
        return false;
    bool said = json_array_size(words) == 0;
    for (size_t i = 0; i < json_array_size(words); i++)
        said |= strstr(body, json_string_value(json_array_get(words, i))) != NULL;
    return said;
}

static void copy(char *out, size_t n, const char *s)
{
    size_t len = text_utf8_cut(s, strlen(s), n - 1);
    memcpy(out, s, len);
    out[len] = '\0';
    text_make_line(out);
}

/* The word behind a text, as in "ID: 8cf42a". */
static void id_behind(const char *body, const char *after, char out[GATEWAY_ID_MAX])
{
    const char *p = after && *after ? strstr(body, after) : NULL;
    if (!p)
        return;
    p += strlen(after);
    p += strspn(p, " \t");
    size_t n = strcspn(p, " \t\r\n<>\"',;");
    AUTO_FREE char *word = mem_strn(p, n);
    copy(out, GATEWAY_ID_MAX, word);
}

static void currency_of(const json_t *values, const char *prefix, const json_t *names,
                        const json_t *part, char out[4])
{
    const char *c = value_in(values, prefix, names);
    if (!*c)
        c = json_get_str(part, "currency_is", "");
    snprintf(out, 4, "%s", strlen(c) == 3 ? c : "");
}

/* Values of a body: by its type, or, where none is told, as the JSON that it looks like. */
static void body_read(struct form *f, const char *type, const char *body, size_t n)
{
    struct err e = {0};
    size_t skip = strspn(body, " \t\r\n");
    form_init(f);
    if (skip < n && (body[skip] == '{' || body[skip] == '['))
        type = "application/json";
    if (type && n > 0 && form_read(f, type, body, n, &e) < 0)
        json_object_clear(f->values);
}

static void answer_error(const json_t *send, long status, const json_t *values, const char *body,
                         struct gateway_answer *out)
{
    const char *code = gateway_value(values, json_object_get(send, "error")),
               *text = gateway_value(values, json_object_get(send, "error_text"));
    copy(out->code, sizeof(out->code), code);
    out->reason = reason_of(json_get_obj(send, "errors"), out->code, body, status);
    if (out->reason == GATEWAY_OK)
        out->reason = reason_of_status(status, body, *code != '\0');
    if (!*text && !*code && json_object_size(values) == 0)
        text = body;
    AUTO_FREE char *line = mem_printf("HTTP %ld%s%s%s%s", status, *code ? " " : "", code,
                                      *text ? " " : "", text);
    copy(out->text, sizeof(out->text), line);
}

void gateway_answer(const json_t *send, long status, const char *type, const char *body,
                    size_t n, struct gateway_answer *out)
{
    struct form f;
    AUTO_FREE char *text = mem_strn(body ? body : "", n);
    *out = (struct gateway_answer){.micros = -1};
    body_read(&f, type, text, n);
    if (is_success(json_get_obj(send, "ok"), status, f.values, text)) {
        copy(out->id, sizeof(out->id), gateway_value(f.values, json_object_get(send, "id")));
        id_behind(text, json_get_str(send, "id_after", NULL), out->id);
        out->micros = gateway_micros(gateway_value(f.values, json_object_get(send, "price")));
        currency_of(f.values, "", json_object_get(send, "currency"), send, out->currency);
        snprintf(out->text, sizeof(out->text), "HTTP %ld", status);
    } else {
        answer_error(send, status, f.values, text, out);
    }
    form_done(&f);
}

/* ---- receipts ------------------------------------------------------------------------- */

/* Nothing was said: lists that are not set are empty. */
static bool is_empty(const json_t *v)
{
    const char *name;
    json_t *one;
    json_object_foreach((json_t *)v, name, one)
        if (json_array_size(one) > 0)
            return false;
    return !json_is_string(v) && json_array_size(v) == 0;
}

static const json_t *said_by(const json_t *gw, const char *part, const char *key)
{
    const json_t *v = json_object_get(json_get_obj(gw, part), key);
    return is_empty(v) ? json_object_get(json_get_obj(gw, "receipt"), key) : v;
}

static enum gateway_state state_of(const json_t *map, const char *status)
{
    for (unsigned s = 0; *status && s < GATEWAY_STATE_COUNT; s++)
        if (list_has(json_get_arr(map, states[s]), status))
            return (enum gateway_state)s;
    return GATEWAY_STATE_COUNT;
}

static bool any_begins(const json_t *values, const char *prefix)
{
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)values, name, v)
        if (text_starts(name, prefix))
            return true;
    return false;
}

bool gateway_receipt(const json_t *gw, const char *part, const json_t *values, size_t i,
                     struct gateway_receipt *out)
{
    const char *each = json_get_str(json_get_obj(gw, part), "each", "");
    AUTO_FREE char *prefix = *each ? mem_printf("%s.%zu.", each, i) : mem_str("");
    if (*each ? !any_begins(values, prefix) : i > 0)
        return false;
    *out = (struct gateway_receipt){.state = GATEWAY_STATE_COUNT, .micros = -1};
    const char *status = value_in(values, prefix, said_by(gw, part, "status"));
    copy(out->id, sizeof(out->id), value_in(values, prefix, said_by(gw, part, "id")));
    copy(out->key, sizeof(out->key), value_in(values, prefix, said_by(gw, part, "key")));
    copy(out->code, sizeof(out->code), value_in(values, prefix, said_by(gw, part, "error")));
    copy(out->status, sizeof(out->status), status);
    out->state = state_of(said_by(gw, part, "states"), out->status);
    out->micros = gateway_micros(value_in(values, prefix, said_by(gw, part, "price")));
    currency_of(values, prefix, said_by(gw, part, "currency"), json_get_obj(gw, "receipt"),
                out->currency);
    if (out->state == GATEWAY_UNDELIVERED || out->state == GATEWAY_FAILED) {
        out->reason = reason_of(said_by(gw, part, "errors"), out->code, "", 0);
        if (out->reason == GATEWAY_OK)
            out->reason = GATEWAY_PERMANENT;
    }
    return true;
}
