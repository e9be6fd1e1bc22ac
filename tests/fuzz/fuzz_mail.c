/* SPDX-License-Identifier: ISC
 *
 * fuzz_mail - any bytes give a message form that keeps its promises
 *
 * Built as a libFuzzer target with --enable-fuzz; the unit test test_mail_fuzz
 * runs the same function over the stored mails and mutations of them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_strings(const json_t *v)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_string(v)) {
        const char *s = json_string_value(v);
        LEADD_ASSERT(strlen(s) == json_string_length(v) && text_is_utf8(s, strlen(s)));
    } else if (json_is_array(v)) {
        json_array_foreach (v, i, item)
            check_strings(item);
    } else if (json_is_object(v)) {
        json_object_foreach ((json_t *)v, key, item)
            check_strings(item);
    }
}

static void check_form(const json_t *msg)
{
    static const char *const arrays[] = {"in_reply_to", "references", "reply_to", "to", "cc",
                                         "delivered_to", "attachments", "phones", "defects"};
    static const char *const strings[] = {"channel", "subject", "text", "reply", "signature",
                                          "kind"};
    for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
        LEADD_ASSERT(json_get_arr(msg, arrays[i]));
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        LEADD_ASSERT(json_get_str(msg, strings[i], NULL));
    LEADD_ASSERT(json_get_obj(msg, "auto") && json_get_obj(msg, "token_headers"));
    LEADD_ASSERT(text_is_single_line(json_get_str(msg, "subject", "")));
    LEADD_ASSERT(strlen(json_get_str(msg, "text", "")) <= BOUND_MAIL_TEXT);
    LEADD_ASSERT(strlen(json_get_str(msg, "subject", "")) <= BOUND_MAIL_SUBJECT);
    LEADD_ASSERT(json_array_size(json_get_arr(msg, "defects")) <= BOUND_MAIL_DEFECTS);
    LEADD_ASSERT(json_array_size(json_get_arr(msg, "to")) <= BOUND_MAIL_ADDRESSES);
    LEADD_ASSERT(json_dumpb(msg, NULL, 0, JSON_COMPACT) < BOUND_FRAME_JSON);
    check_strings(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mail_limits lim;
    struct err e = {0};
    mail_limits_default(&lim);
    lim.ms = 0;
    lim.truncated = n > 0 && data[n - 1] == 0xfe;
    AUTO_JSON json_t *msg = mail_parse((const char *)data, n, &lim, &e);
    LEADD_ASSERT(msg);
    check_form(msg);
    return 0;
}
