/* SPDX-License-Identifier: ISC
 *
 * sms_in - what a gateway posted becomes texts (see sms_in.h)
 */
#include "engine/sms_in.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/gateway.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "engine/webhook.h"
#include "store/sms_part.h"

#define TEXTS_MAX 50          /* of one request */
#define PARTS_MAX 32          /* of one text */
#define PART_WAIT_MS INT64_C(300000)

/* ---- names ----------------------------------------------------------------------------- */

/* The values of text i of a list, under their own names; NULL: there is none. */
static json_t *values_of(const json_t *values, const char *each, size_t i)
{
    json_t *out = json_object(), *v;
    const char *name;
    AUTO_FREE char *prefix = mem_printf("%s.%zu.", each, i);
    json_object_foreach((json_t *)values, name, v)
        if (text_starts(name, prefix))
            json_object_set(out, name + strlen(prefix), v);
    if (json_object_size(out))
        return out;
    json_decref(out);
    return NULL;
}

static bool is_among(const json_t *list, const char *s)
{
    size_t i;
    const json_t *v;
    json_array_foreach((json_t *)list, i, v)
        if (json_is_string(v) && !strcasecmp(json_string_value(v), s))
            return true;
    return false;
}

/* "MediaUrl{n}" with n from 0: "MediaUrl3" */
static const char *numbered(const json_t *values, const char *name, int n)
{
    const char *at = name ? strstr(name, "{n}") : NULL;
    if (!name || (!at && n > 0))
        return "";
    if (!at)
        return json_get_str(values, name, "");
    AUTO_FREE char *full = mem_printf("%.*s%d%s", (int)(at - name), name, n, at + 3);
    return json_get_str(values, full, "");
}

static json_t *media_of(const json_t *in, const json_t *values)
{
    json_t *out = json_array();
    for (int n = 0; n < BOUND_MEDIA_COUNT; n++) {
        const char *url = numbered(values, json_get_str(in, "media", NULL), n),
                   *type = numbered(values, json_get_str(in, "media_type", NULL), n);
        if (!*url)
            continue;
        json_t *a = json_pack("{s:s, s:s}", "url", url, "type",
                              *type ? type : "application/octet-stream");
        json_array_append_new(out, a);
    }
    return out;
}

/* ---- parts ------------------------------------------------------------------------------ */

static struct timer_key part_timer(const char *name)
{
    return (struct timer_key){"sms_part", name, "", 0};
}

static char *part_name(const char *gateway, const struct sms_part *p)
{
    return mem_printf("%s %s %s %s", gateway, p->theirs, p->ours, p->ref);
}

/* What is there, in order; a gap is named in its place. */
static void parts_join(const json_t *parts, struct buf *text, struct buf *gap)
{
    int64_t total = json_get_int(json_array_get(parts, 0), "total", 0), next = 1;
    size_t i;
    const json_t *p;
    json_array_foreach((json_t *)parts, i, p) {
        for (; next < json_get_int(p, "part", 0); next++) {
            buf_printf(text, "[part %" PRId64 " of %" PRId64 " is missing]", next, total);
            buf_printf(gap, "%s%" PRId64, gap->len ? ", " : "", next);
        }
        buf_str(text, json_get_str(p, "text", ""));
        next = json_get_int(p, "part", 0) + 1;
    }
    for (; next <= total; next++) {
        buf_printf(text, "[part %" PRId64 " of %" PRId64 " is missing]", next, total);
        buf_printf(gap, "%s%" PRId64, gap->len ? ", " : "", next);
    }
}

/* Files what there is of a long text. */
static int parts_file(struct engine *eng, const struct sms *first, const struct sms_part *p,
                      const json_t *parts, int64_t *message_out, struct err *e)
{
    struct buf text AUTO_BUF, gap AUTO_BUF;
    buf_init(&text, PARTS_MAX * KIB(8));
    buf_init(&gap, KIB(1));
    parts_join(parts, &text, &gap);
    AUTO_FREE char *missing = gap.len ? mem_printf("part %s of %" PRId64 " never came", gap.data,
                                                   json_get_int(json_array_get(parts, 0), "total",
                                                                0))
                                      : NULL;
    struct sms s = *first;
    s.text = text.data;
    s.id = json_get_str(json_array_get(parts, 0), "key", "");
    s.gap = missing;
    if (sms_part_drop(eng->db, p, e) < 0)
        return -1;
    return sms_file(eng, &s, message_out, e);
}

static int part_take(struct engine *eng, const struct sms *s, struct sms_part *p,
                     int64_t *message_out, struct err *e)
{
    AUTO_FREE char *name = part_name(s->gateway, p);
    struct timer_key k = part_timer(name);
    if (sms_part_add(eng->db, p, e) < 0)
        return -1;
    AUTO_JSON json_t *parts = sms_part_list(eng->db, p, e);
    if (!parts)
        return -1;
    int64_t total = json_get_int(json_array_get(parts, 0), "total", 0);
    *message_out = 0;
    if ((int64_t)json_array_size(parts) >= total)
        return timer_remove(eng, &k, e) < 0 ? -1 : parts_file(eng, s, p, parts, message_out, e);
    struct timer_row t = {.key = k, .due_ms = p->at_ms + PART_WAIT_MS, .since_ms = p->at_ms};
    return timer_write(eng, &t, e);
}

static int part_late(struct engine *eng, const json_t *row, struct err *e)
{
    struct timer_key k = timer_key_of(row);
    const char *const words[] = {"gateway", "theirs", "ours", "ref"};
    char *v[ARRAY_LEN(words)] = {0};
    const char *at = k.rule;
    int64_t message = 0;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t n = i + 1 < ARRAY_LEN(words) ? strcspn(at, " ") : strlen(at);
        v[i] = mem_strn(at, n);
        at += n + (at[n] == ' ');
    }
    struct sms_part p = {.theirs = v[1], .ours = v[2], .ref = v[3]};
    struct sms s = {.gateway = v[0], .theirs = v[1], .ours = v[2], .number = v[1][0] == '+',
                    .flag = ""};
    AUTO_JSON json_t *parts = sms_part_list(eng->db, &p, e);
    int rc = !parts || timer_remove(eng, &k, e) < 0 ? -1 : 0;
    if (rc == 0 && json_array_size(parts))
        rc = parts_file(eng, &s, &p, parts, &message, e);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        mem_free(v[i]);
    return rc;
}

static void part_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    (void)row;
    snprintf(out, n, "the other parts of a text should be there by then");
}

const struct timer_kind timer_kind_sms_part = {.name = "sms_part",
                                               .fire = part_late,
                                               .tell = part_tell};

/* ---- one text ----------------------------------------------------------------------------- */

struct numbers {
    char theirs[CRM_ADDRESS_MAX], ours[CRM_ADDRESS_MAX];
    bool number;
};

static void numbers_read(struct engine *eng, const struct webhook *w, const json_t *in,
                         const json_t *values, struct numbers *out)
{
    const char *country = json_get_str(w->conf, "country",
                                       engine_setting(eng, "default_country", "ZZ")),
               *from = gateway_value(values, json_object_get(in, "from")),
               *to = gateway_value(values, json_object_get(in, "to")),
               *own = json_get_str(w->conf, "number", "");
    from += strspn(from, " \t");
    out->number = crm_phone_read(from, country, out->theirs, sizeof(out->theirs)) == 0;
    if (!out->number) {
        size_t n = text_utf8_cut(from, strlen(from), 60);
        snprintf(out->theirs, sizeof(out->theirs), "%.*s", (int)n, from);
        text_make_line(out->theirs);
    }
    if (crm_phone_read(to + strspn(to, " \t"), country, out->ours, sizeof(out->ours)) < 0)
        snprintf(out->ours, sizeof(out->ours), "%s", *own ? own : "us");
    /* a short code, and a number that the gateway writes in its own way, are the gateway's */
    if (*own && *own != '+')
        snprintf(out->ours, sizeof(out->ours), "%s", own);
}

static bool part_read(const json_t *in, const json_t *values, struct sms_part *p)
{
    p->ref = gateway_value(values, json_object_get(in, "ref"));
    return *p->ref && strlen(p->ref) <= 60 && !strpbrk(p->ref, " \t\r\n") &&
           text_parse_int(gateway_value(values, json_object_get(in, "part")), &p->part) == 0 &&
           text_parse_int(gateway_value(values, json_object_get(in, "total")), &p->total) == 0 &&
           p->total > 1 && p->total <= PARTS_MAX && p->part >= 1 && p->part <= p->total;
}

static int text_take(struct engine *eng, const struct webhook *w, const json_t *in,
                     const json_t *values, int64_t *message_out, struct err *e)
{
    struct numbers n;
    numbers_read(eng, w, in, values, &n);
    AUTO_JSON json_t *media = media_of(in, values);
    const char *flag = gateway_value(values, json_object_get(in, "optout"));
    struct sms s = {
        .gateway = w->name,
        .theirs = n.theirs,
        .ours = n.ours,
        .number = n.number,
        .text = gateway_value(values, json_object_get(in, "text")),
        .id = gateway_value(values, json_object_get(in, "id")),
        .flag = flag,
        .opted_out = *flag && is_among(json_get_arr(in, "optout_is"), flag),
        .media = media,
    };
    struct sms_part p = {.theirs = n.theirs, .ours = n.ours, .text = s.text, .key = s.id,
                         .at_ms = clock_now_ms()};
    *message_out = 0;
    if (!*n.theirs)
        return err_set(e, ERR_INPUT, "the text has no sender");
    if (part_read(in, values, &p))
        return part_take(eng, &s, &p, message_out, e);
    return sms_file(eng, &s, message_out, e);
}

/* ---- one request ---------------------------------------------------------------------------- */

/* What one request is called: the gateway's id of its (first) text, and of its part. */
static char *event_name(const json_t *in, const json_t *values)
{
    const char *id = gateway_value(values, json_object_get(in, "id")),
               *part = gateway_value(values, json_object_get(in, "part"));
    return *id ? mem_printf("%s%s%s", id, *part ? "/" : "", part) : NULL;
}

static void answer(struct webhook *w, const json_t *in)
{
    const char *text = json_get_str(in, "answer", NULL);
    if (text)
        webhook_say(w, json_get_str(in, "answer_type", "text/plain"), text);
}

static int texts_take(struct engine *eng, struct webhook *w, const json_t *in, int64_t *message_out,
                      struct err *e)
{
    const char *each = json_get_str(in, "each", NULL);
    if (!each)
        return text_take(eng, w, in, w->values, message_out, e);
    for (size_t i = 0; i < TEXTS_MAX; i++) {
        int64_t message;
        AUTO_JSON json_t *values = values_of(w->values, each, i);
        if (!values)
            break;
        if (text_take(eng, w, in, values, &message, e) < 0)
            return -1;
        *message_out = message ? message : *message_out;
    }
    return 0;
}

int sms_take(struct engine *eng, struct webhook *w, struct err *e)
{
    const json_t *in = json_get_obj(w->conf, "inbound");
    const char *each = json_get_str(in, "each", NULL), *only = json_get_str(in, "only", NULL),
               *reason = NULL;
    bool fresh;
    int64_t message = 0;
    AUTO_JSON json_t *first = each ? values_of(w->values, each, 0) : json_incref((json_t *)w->values);
    AUTO_FREE char *event = event_name(in, first);
    answer(w, in);
    if (webhook_enter(eng, w, event, &fresh, e) < 0)
        return -1;
    if (!fresh)
        return 0;
    if (!json_object_get(in, "from"))
        reason = "the gateway's preset says nothing of texts that come in";
    else if (only && !is_among(json_get_arr(in, "only_is"), json_get_str(w->values, only, "")))
        reason = "it is no text that came in";
    else if (texts_take(eng, w, in, &message, e) < 0)
        return -1;
    return webhook_filed(eng, w, reason, message, e);
}
