/* SPDX-License-Identifier: ISC
 *
 * same - see same.h
 */
#include "engine/same.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/message.h"

#define FOOTER_MAX 1000 /* bytes that a list may put below the words */

int64_t same_hash(const json_t *m)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 4 * 1024 * 1024);
    buf_str(&b, json_get_str(m, "message_id", ""));
    buf_char(&b, '\0');
    buf_str(&b, json_get_str(json_get_obj(m, "from"), "folded", ""));
    buf_printf(&b, "%c%" PRId64 "%c", 0, json_get_int(m, "date_ms", 0), 0);
    buf_str(&b, json_get_str(m, "text", ""));
    return hash_64(b.data, b.len);
}

/* A list may write in its own name, and say in Reply-To whose mail it is. */
static bool same_sender(const json_t *a, const json_t *b)
{
    const char *from_a = json_get_str(json_get_obj(a, "from"), "folded", ""),
               *from_b = json_get_str(json_get_obj(b, "from"), "folded", "");
    const json_t *reply_a = json_array_get(json_get_arr(a, "reply_to"), 0),
                 *reply_b = json_array_get(json_get_arr(b, "reply_to"), 0);
    if (!*from_a || !*from_b)
        return false;
    return !strcmp(from_a, from_b) || !strcmp(json_get_str(reply_a, "folded", ""), from_b) ||
           !strcmp(json_get_str(reply_b, "folded", ""), from_a);
}

static const char *skip_space(const char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    return s;
}

/* One begins with all of the other, blanks apart, and adds little. */
static bool same_words(const char *a, const char *b)
{
    a = skip_space(a);
    b = skip_space(b);
    if (!*a || !*b)
        return !*a && !*b;
    while (*a && *b) {
        if (isspace((unsigned char)*a) || isspace((unsigned char)*b)) {
            a = skip_space(a);
            b = skip_space(b);
            continue;
        }
        if (*a++ != *b++)
            return false;
    }
    return strlen(*a ? a : b) <= FOOTER_MAX;
}

static int same_content(struct engine *eng, const json_t *message, int64_t id, bool *out,
                        struct err *e)
{
    AUTO_JSON json_t *other = message_json(eng->db, id, e);
    if (!other)
        return -1;
    *out = same_sender(message, other) &&
           json_get_int(message, "date_ms", 0) == json_get_int(other, "date_ms", 0) &&
           same_words(json_get_str(message, "text", ""), json_get_str(other, "text", ""));
    return 0;
}

int same_find(struct engine *eng, const json_t *message, int64_t msgid_hash, int64_t hash,
              int64_t *id_out, bool *idle_out, struct err *e)
{
    struct message_row rows[MESSAGE_CANDIDATES];
    size_t n;
    *id_out = 0;
    *idle_out = false;
    if (message_candidates(eng->db, msgid_hash, rows, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n && !*id_out; i++) {
        bool is = rows[i].same_hash == hash;
        if (!is && same_content(eng, message, rows[i].id, &is, e) < 0)
            return -1;
        if (!is)
            continue;
        *id_out = rows[i].id;
        *idle_out = !rows[i].contact_id && !rows[i].lead_id && !rows[i].case_id;
    }
    return 0;
}
