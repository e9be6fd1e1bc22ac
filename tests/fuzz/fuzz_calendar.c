/* SPDX-License-Identifier: ISC
 *
 * fuzz_calendar - any bytes as an invitation give times and people that fit, or nothing
 */
#include <stdint.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_text(const json_t *cal, const char *key)
{
    const char *s = json_get_str(cal, key, "");
    LEADD_ASSERT(text_is_utf8(s, strlen(s)) && strlen(s) <= 1000 && text_is_single_line(s));
}

static void check_calendar(const json_t *cal)
{
    static const char *const texts[] = {"uid", "summary", "location", "status", "method", "zone"};
    const json_t *who;
    size_t i;
    for (i = 0; i < ARRAY_LEN(texts); i++)
        check_text(cal, texts[i]);
    LEADD_ASSERT(*json_get_str(cal, "uid", "") && *json_get_str(cal, "method", ""));
    LEADD_ASSERT(json_get_int(cal, "sequence", -1) >= 0);
    LEADD_ASSERT(json_array_size(json_get_arr(cal, "attendees")) <= 50);
    json_array_foreach(json_get_arr(cal, "attendees"), i, who)
        LEADD_ASSERT(strchr(json_get_str(who, "address", ""), '@'));
    if (json_object_get(cal, "start_ms")) /* the years 1 to 9999, and a zone's offset */
        LEADD_ASSERT(json_get_int(cal, "start_ms", 0) > INT64_C(-62200000000000) &&
                     json_get_int(cal, "start_ms", 0) < INT64_C(253500000000000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mail_limits lim;
    struct err e = {0};
    AUTO_BUF struct buf mail;
    buf_init(&mail, KIB(64));
    if (n == 0 || n > KIB(32))
        return 0;
    mail_limits_default(&lim);
    lim.ms = 0;
    buf_str(&mail, "From: a@b.example\nContent-Type: text/calendar; charset=utf-8\n\n");
    buf_add(&mail, data, n);
    AUTO_JSON json_t *msg = mail_parse(mail.data, mail.len, &lim, &e);
    LEADD_ASSERT(msg);
    if (json_get_obj(msg, "calendar"))
        check_calendar(json_get_obj(msg, "calendar"));
    return 0;
}
