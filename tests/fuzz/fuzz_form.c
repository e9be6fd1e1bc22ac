/* SPDX-License-Identifier: ISC
 *
 * fuzz_form - any bytes as a posted form
 *
 * The first byte chooses the content type; from 3 on the first line is the
 * Content-Type header itself. Whatever comes in, what comes out is bounded,
 * valid text and fits into a frame. The unit test runs the same on mutations.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bounds.h"
#include "base/form.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/form_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_texts(const json_t *values)
{
    const char *name;
    json_t *v;
    json_object_foreach ((json_t *)values, name, v) {
        LEADD_ASSERT(*name && text_is_utf8(name, strlen(name)));
        LEADD_ASSERT(strlen(name) <= BOUND_FORM_NAME * 3 + 4);
        LEADD_ASSERT(strlen(json_string_value(v)) == json_string_length(v));
        LEADD_ASSERT(text_is_utf8(json_string_value(v), json_string_length(v)));
        LEADD_ASSERT(json_string_length(v) <= BOUND_FORM_VALUE * 3);
        LEADD_ASSERT(!strchr(json_string_value(v), '\r'));
    }
}

static void check_form(const struct form *f)
{
    check_texts(f->values);
    LEADD_ASSERT(json_object_size(f->values) + json_array_size(f->files) <= BOUND_FORM_FIELDS);
    LEADD_ASSERT(json_array_size(f->defects) <= BOUND_FORM_DEFECTS);
    LEADD_ASSERT(f->text <= BOUND_FORM_TEXT);
    AUTO_JSON json_t *all = json_pack("[O,O,O]", f->values, f->files, f->defects);
    AUTO_FREE char *text = json_text(all);
    LEADD_ASSERT(strlen(text) < BOUND_FRAME_JSON - KIB(8));
}

/* Files stand in the body. */
static void check_places(const struct form *f, const char *body, size_t n)
{
    size_t i;
    json_t *file;
    json_array_foreach (f->files, i, file) {
        size_t at = (size_t)json_get_int(file, "at", -1), len = (size_t)json_get_int(file, "bytes", -1);
        char sha[HASH_SHA256_HEX];
        LEADD_ASSERT(at <= n && len <= n - at);
        hash_sha256_hex(body + at, len, sha);
        LEADD_ASSERT(strcmp(sha, json_get_str(file, "sha256", "")) == 0);
    }
}

/* Held against a form with all types: what comes out is bounded text, too. */
static void check_conf(const struct form *f)
{
    static const char text[] =
        "{\"lang\": \"fr\", \"required\": [\"a\"], \"fields\": {\"email\": {\"to\": \"contact.email\"},"
        "\"a.*\": {\"type\": \"words\"}, \"*.b\": {\"max\": 3}, \"a\": {\"type\": \"number\"},"
        "\"b\": {\"type\": \"date\"}, \"c\": {\"type\": \"choice\", \"several\": true, \"choices\":"
        "[\"x\", \"y\"]}, \"d\": {\"type\": \"bool\"}, \"e\": {\"type\": \"consent\"},"
        "\"f\": {\"type\": \"file\", \"max_size\": 4, \"accept\": [\".x\", \"a/*\"]}}}";
    struct form_checked c;
    AUTO_JSON json_t *conf = json_loads(text, 0, NULL);
    form_check(f, conf, &c);
    check_texts(c.fields);
    check_texts(c.extra);
    LEADD_ASSERT(json_array_size(c.faults) <= FORM_FAULTS_MAX);
    AUTO_FREE char *said = form_faults_text(c.faults);
    LEADD_ASSERT(text_is_utf8(said, strlen(said)));
    form_checked_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"application/x-www-form-urlencoded", "application/json",
                                        "multipart/form-data; boundary=XX"};
    struct form f;
    struct err e = {0};
    if (size < 1)
        return 0;
    const char *body = (const char *)data + 1;
    size_t n = size - 1, line = 0;
    while (line < n && body[line] != '\n')
        line++;
    AUTO_FREE char *own = data[0] < 3 ? mem_str(types[data[0]]) : mem_strn(body, line);
    if (data[0] >= 3) {
        body += line + (line < n);
        n -= line + (line < n);
    }
    form_init(&f);
    int r = form_read(&f, own, body, n, &e);
    LEADD_ASSERT(r == 0 || (e.cls == ERR_INPUT && e.text[0]));
    check_form(&f);
    check_places(&f, body, n);
    check_conf(&f);
    form_done(&f);
    return 0;
}
