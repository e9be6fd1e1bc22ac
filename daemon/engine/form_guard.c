/* SPDX-License-Identifier: ISC
 *
 * form_guard - see form_guard.h
 */
#include "engine/form_guard.h"

#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

char *form_guard_spam(const json_t *conf, const json_t *j)
{
    const char *pot = json_get_str(conf, "honeypot", NULL);
    const char *filled = pot ? json_get_str(json_get_obj(j, "extra"), pot, "") : "";
    int64_t least = json_get_int(conf, "min_fill", 0), took = json_get_int(j, "fill_ms", -1);
    char text[32];
    if (filled[strspn(filled, " \t\r\n")])
        return mem_printf("taken for spam: the field \"%s\", which people do not see, is filled",
                          pot);
    if (took >= 0 && took < least)
        return mem_printf("taken for spam: sent %" PRId64 " ms after the page was opened, min_fill is "
                          "%s", took, text_format_duration(least, text, sizeof(text)));
    return NULL;
}

/* The same form with the same words and files: the hash only finds who is to be asked. */
static bool same_words(const json_t *a, const json_t *b)
{
    const json_t *x = json_get_arr(a, "attachments"), *y = json_get_arr(b, "attachments");
    if (strcmp(json_get_str(a, "form", ""), json_get_str(b, "form", "")) != 0 ||
        !json_equal(json_object_get(a, "fields"), json_object_get(b, "fields")) ||
        !json_equal(json_object_get(a, "extra"), json_object_get(b, "extra")) ||
        json_array_size(x) != json_array_size(y))
        return false;
    for (size_t i = 0; i < json_array_size(x); i++)
        if (strcmp(json_get_str(json_array_get(x, i), "sha256", ""),
                   json_get_str(json_array_get(y, i), "sha256", "-")) != 0)
            return false;
    return true;
}

int form_guard_same(struct engine *eng, const json_t *conf, const json_t *message,
                    struct message_row *m, int64_t *same_out, struct err *e)
{
    int64_t within = json_get_int(conf, "same_within", 0), id = 0;
    *same_out = 0;
    if (!within)
        return 0;
    AUTO_JSON json_t *words = json_pack("[s, O?]", json_get_str(message, "form", ""),
                                        json_object_get(message, "fields"));
    AUTO_FREE char *text = json_line(words);
    m->msgid_hash = hash_64(text, strlen(text));
    if (message_latest(eng->db, m->msgid_hash, m->received_ms - within, &id, e) < 0)
        return -1;
    AUTO_JSON json_t *before = id ? message_json(eng->db, id, e) : NULL;
    if (id && !before)
        return -1;
    if (before && same_words(before, message))
        *same_out = id;
    return 0;
}
