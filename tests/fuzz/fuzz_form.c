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
#include "base/mem.h"
#include "base/text.h"
#include "web/form_check.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"application/x-www-form-urlencoded", "application/json",
                                        "multipart/form-data; boundary=XX"};
    struct form f;
    struct err e = {0};
    json_t *fields = NULL, *extra = NULL;
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
    AUTO_JSON json_t *conf = json_pack("{s:{s:{s:s},s:{s:s}},s:[s]}", "fields", "email", "to",
                                       "contact.email", "a.b", "to", "lead.note", "required", "a");
    if (form_check(&f, conf, &fields, &extra, NULL, &e) == 0)
        LEADD_ASSERT(json_object_size(fields) + json_object_size(extra) ==
                     json_object_size(f.values));
    json_decref(fields);
    json_decref(extra);
    form_done(&f);
    return 0;
}
