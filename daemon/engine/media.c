/* SPDX-License-Identifier: ISC
 *
 * media - see media.h
 */
#include "engine/media.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/conversation.h"
#include "engine/gateways.h"
#include "engine/retry.h"
#include "store/message.h"

#define ANSWER_MS INT64_C(120000)  /* then the courier is asked again */
#define GIVE_UP_MS DAY_MS
#define EARLY_TRIES 3              /* so many failures the owner's mail waits for a file */

/* ---- types and names ----------------------------------------------------------------- */

static const struct media_type {
    const char *type, *end; /* of a file's name */
    const char *magic;
    size_t at, n; /* where the magic stands */
} types[] = {
    {"image/jpeg", "jpg", "\xff\xd8\xff", 0, 3},
    {"image/png", "png", "\x89PNG\r\n", 0, 6},
    {"image/gif", "gif", "GIF8", 0, 4},
    {"image/webp", "webp", "WEBP", 8, 4},
    {"image/heic", "heic", "ftypheic", 4, 8},
    {"video/3gpp", "3gp", "ftyp3g", 4, 6},
    {"video/mp4", "mp4", "ftyp", 4, 4},
    {"audio/amr", "amr", "#!AMR", 0, 5},
    {"audio/mpeg", "mp3", "ID3", 0, 3},
    {"audio/ogg", "ogg", "OggS", 0, 4},
    {"application/pdf", "pdf", "%PDF-", 0, 5},
    {"text/vcard", "vcf", "BEGIN:VCARD", 0, 11},
    {"text/calendar", "ics", "BEGIN:VCALENDAR", 0, 15},
    {"text/plain", "txt", "", 0, 0},
};

static const struct media_type *type_by_bytes(const char *p, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].n && n >= types[i].at + types[i].n &&
            memcmp(p + types[i].at, types[i].magic, types[i].n) == 0)
            return &types[i];
    return NULL;
}

static const char *end_of_type(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcasecmp(types[i].type, type) == 0)
            return types[i].end;
    return NULL;
}

/* "image/jpeg; charset=x" -> "image/jpeg"; own; NULL: it says nothing. */
static char *type_clean(const char *type)
{
    size_t n = strcspn(type, "; \t");
    char *out = mem_strn(type, n);
    text_lower(out);
    if (n > 2 && n <= 100 && strchr(out, '/') && text_is_single_line(out) &&
        strcmp(out, "application/octet-stream") != 0 && strcmp(out, "binary/octet-stream") != 0)
        return out;
    mem_free(out);
    return NULL;
}

/* What the server says, else what the gateway said, else what the bytes look like. */
static void type_settle(json_t *a, const char *told, const char *p, size_t n)
{
    AUTO_FREE char *server = type_clean(told), *gateway = type_clean(json_get_str(a, "type", ""));
    const struct media_type *seen = type_by_bytes(p, n);
    json_put_str(a, "type", server ? server : gateway ? gateway : seen ? seen->type
                                                                : "application/octet-stream");
    const char *name = json_get_str(a, "filename", ""), *end = end_of_type(json_get_str(a, "type", "")),
               *dot = strrchr(name, '.');
    if (end && (!dot || !dot[1] || strlen(dot) > 6)) {
        AUTO_FREE char *full = mem_printf("%s.%s", name, end);
        json_put_str(a, "filename", full);
    }
}

/* ---- one text's files ------------------------------------------------------------------ */

json_t *media_links(struct engine *eng, const char *gateway, const json_t *media)
{
    const struct gate *g = gateways_find(eng, gateway);
    bool fetch = g && gateway_fetches(g->conf);
    json_t *out = json_array(), *m;
    size_t i;
    json_array_foreach((json_t *)media, i, m) {
        const char *url = json_get_str(m, "url", ""), *name = strrchr(url, '/');
        json_t *a = json_copy(m);
        AUTO_FREE char *file = mem_strn(name ? name + 1 : url, name ? strcspn(name + 1, "?#") : 0);
        json_put_str(a, "filename", *file ? file : "attachment");
        json_put_bool(a, "inline", false);
        if (fetch && i < BOUND_MEDIA_COUNT)
            json_put_str(a, "fetch", "waiting");
        json_array_append_new(out, a);
    }
    return out;
}

static bool waits(const json_t *a)
{
    return strcmp(json_get_str(a, "fetch", ""), "waiting") == 0;
}

/* "M12 0 main": message, number from 0, gateway. own */
static char *media_name(int64_t message, int64_t n, const char *gateway)
{
    return mem_printf("M%" PRId64 " %" PRId64 " %s", message, n, gateway);
}

static bool media_parse(const char *name, int64_t *message, int64_t *n, const char **gateway)
{
    char *end;
    if (*name != 'M')
        return false;
    *message = strtoll(name + 1, &end, 10);
    *n = strtoll(end, &end, 10);
    *gateway = *end == ' ' ? end + 1 : "";
    return *message > 0 && *n >= 0 && *n < BOUND_MEDIA_COUNT;
}

static int media_timer(struct engine *eng, const char *name, int64_t due_ms, int64_t since_ms,
                       struct err *e)
{
    struct timer_row t = {.key = {"media", name, "", 0}, .due_ms = due_ms, .since_ms = since_ms};
    return timer_write(eng, &t, e);
}

int media_await(struct engine *eng, const char *gateway, int64_t message_id, const json_t *message,
                struct err *e)
{
    size_t i;
    json_t *a;
    int64_t now = clock_now_ms();
    json_array_foreach(json_get_arr(message, "attachments"), i, a) {
        AUTO_FREE char *name = media_name(message_id, (int64_t)i, gateway);
        if (waits(a) && media_timer(eng, name, now, now, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- what becomes of them ---------------------------------------------------------------- */

/* The owner's mail waits for those that may still come soon. */
static bool all_tried(const json_t *message)
{
    size_t i;
    json_t *a;
    json_array_foreach(json_get_arr(message, "attachments"), i, a)
        if (waits(a) && json_get_int(a, "tries", 0) < EARLY_TRIES)
            return false;
    return true;
}

static bool is_untold(const json_t *a)
{
    return json_object_get(a, "at") && !json_get_bool(a, "told", false);
}

static void mark_told(const json_t *message)
{
    size_t i;
    json_t *a;
    json_array_foreach(json_get_arr(message, "attachments"), i, a)
        if (json_object_get(a, "at"))
            json_put_bool(a, "told", true);
}

static int tell_input(struct engine *eng, int64_t id, const json_t *message, const char *raw,
                      size_t n, struct err *e)
{
    struct input in;
    struct message_row row;
    struct err gone = {0};
    if (message_get(eng->db, id, &row, e) < 0)
        return -1;
    input_begin(&in, eng, mem_printf("files of M%" PRId64, id), mem_printf("M%" PRId64 "/files", id));
    in.message = message;
    int rc = row.lead_id || row.case_id
                 ? crm_target_of(in.ctx, row.lead_id ? CRM_LEAD : CRM_CASE,
                                 row.lead_id ? row.lead_id : row.case_id, &in.target, &gone)
                 : 0;
    if (rc < 0 && gone.cls == ERR_INPUT)
        rc = 0; /* deleted meanwhile: nobody is told */
    else if (rc < 0)
        *e = gone;
    else if (in.target.lead || in.target.kase)
        rc = conversation_files(&in, &in.target, id, is_untold, raw, n, e);
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

/* raw NULL: it stays as it is. */
static int media_save(struct engine *eng, int64_t id, json_t *message, const char *raw, size_t n,
                      struct err *e)
{
    bool tell = false;
    size_t i;
    json_t *a;
    json_array_foreach(json_get_arr(message, "attachments"), i, a)
        tell |= is_untold(a);
    tell = tell && all_tried(message);
    AUTO_FREE char *own = tell && !raw ? message_raw(eng->db, id, &n, e) : NULL;
    if (tell && !raw && !own)
        return -1;
    if (tell && tell_input(eng, id, message, raw ? raw : own, n, e) < 0)
        return -1;
    if (tell)
        mark_told(message);
    AUTO_FREE char *json = json_line(message);
    return message_set_body(eng->db, id, json, raw, n, e);
}

/* For good. */
static void attachment_fails(json_t *a, const char *why)
{
    json_object_del(a, "fetch");
    json_object_del(a, "tries");
    json_put_str(a, "why", why);
}

static int media_fails(struct engine *eng, const struct timer_key *k, int64_t id, json_t *message,
                       json_t *a, const char *why, struct err *e)
{
    log_warn("media.failed", "message=M%" PRId64 " error=\"%s\" next=\"it stays a link\"", id, why);
    engine_count(eng, "media_failed", 1);
    attachment_fails(a, why);
    return timer_remove(eng, k, e) < 0 ? -1 : media_save(eng, id, message, NULL, 0, e);
}

static int media_later(struct engine *eng, const struct timer_key *k, int64_t since_ms, int64_t id,
                       json_t *message, json_t *a, const char *why, struct err *e)
{
    uint32_t random;
    int64_t tries = json_get_int(a, "tries", 0) + 1, now = clock_now_ms();
    hash_random(&random, sizeof(random));
    json_put_int(a, "tries", tries);
    json_put_str(a, "why", why);
    return media_timer(eng, k->rule, now + retry_call_ms(tries, random), since_ms, e) < 0
               ? -1
               : media_save(eng, id, message, NULL, 0, e);
}

static int media_keep(struct engine *eng, const struct timer_key *k, int64_t id, json_t *message,
                      json_t *a, const struct item *it, struct err *e)
{
    char sum[HASH_SHA256_HEX];
    size_t n = 0, len = it->frame.raw_len;
    const char *p = it->frame.raw ? it->frame.raw : "";
    AUTO_FREE char *was = message_raw(eng->db, id, &n, e);
    if (!was)
        return -1;
    if (len == 0 || n + len > BOUND_MEDIA_ALL)
        return media_fails(eng, k, id, message, a,
                           len ? "the files of this text are too large together" : "it is empty", e);
    AUTO_FREE char *raw = mem_alloc(n + len + 1);
    memcpy(raw, was, n);
    memcpy(raw + n, p, len);
    type_settle(a, json_get_str(it->frame.json, "type", ""), p, len);
    hash_sha256_hex(p, len, sum);
    attachment_fails(a, "");
    json_object_del(a, "why");
    json_put_int(a, "at", (int64_t)n);
    json_put_int(a, "bytes", (int64_t)len);
    json_put_int(a, "size", (int64_t)len);
    json_put_str(a, "sha256", sum);
    json_put_str(a, "encoding", "binary");
    engine_count(eng, "media_kept", 1);
    return timer_remove(eng, k, e) < 0 ? -1 : media_save(eng, id, message, raw, n + len, e);
}

/* Codes that no later try changes. */
static bool is_final(int64_t code)
{
    return code == 400 || code == 405 || code == 406 || code == 410 || code == 413 || code == 414 ||
           code == 451;
}

static int media_outcome(struct engine *eng, const struct timer_key *k, int64_t since_ms,
                         int64_t id, json_t *message, json_t *a, const struct item *it,
                         struct err *e)
{
    const json_t *j = it->frame.json;
    int64_t code = json_get_int(j, "code", 0);
    const char *why = json_get_str(j, "text", "");
    if (code / 100 == 2)
        return media_keep(eng, k, id, message, a, it, e);
    if (json_get_bool(j, "refused", false) || is_final(code))
        return media_fails(eng, k, id, message, a, why, e);
    return media_later(eng, k, since_ms, id, message, a, why, e);
}

/* The attachment that a timer is for; NULL with ERR_NONE: nothing waits. *message_out: own. */
static json_t *media_waiting(struct engine *eng, int64_t id, int64_t n, json_t **message_out,
                             struct err *e)
{
    *message_out = message_json(eng->db, id, e);
    if (!*message_out && e->cls == ERR_INPUT)
        *e = (struct err){0}; /* it was erased */
    json_t *a = json_array_get(json_get_arr(*message_out, "attachments"), (size_t)n);
    return waits(a) ? a : NULL;
}

int media_fetched(struct engine *eng, struct item *it, struct err *e)
{
    const json_t *j = it->frame.json;
    int64_t id = json_get_int(j, "message", 0), n = json_get_int(j, "n", -1);
    AUTO_FREE char *name = media_name(id, n, json_get_str(j, "gateway", ""));
    struct timer_key k = {"media", name, "", 0};
    json_t *row = NULL, *message = NULL;
    int rc = 0;
    eng->gateways->asked -= eng->gateways->asked > 0;
    if (timer_get(eng->db, &k, &row, e) < 0)
        return -1;
    json_t *a = row ? media_waiting(eng, id, n, &message, e) : NULL; /* nobody asked, or it is here */
    if (a)
        rc = media_outcome(eng, &k, json_get_int(row, "since_ms", 0), id, message, a, it, e);
    else if (row && e->cls == ERR_NONE)
        rc = timer_remove(eng, &k, e);
    json_decref(message);
    json_decref(row);
    return rc < 0 || e->cls != ERR_NONE ? -1 : 0;
}

/* ---- the timer ----------------------------------------------------------------------------- */

static void media_ask(struct engine *eng, const char *gateway, int64_t id, int64_t n,
                      const json_t *a)
{
    const struct peer *courier = peer_by_name(eng, "courier");
    if (!courier || !courier->greeted)
        return;
    eng->gateways->asked++;
    engine_answer(eng, courier->serial, FRAME_FETCH, (uint64_t)(id * BOUND_MEDIA_COUNT + n),
                  json_pack("{s:s, s:I, s:I, s:s}", "gateway", gateway, "message", (json_int_t)id, "n",
                            (json_int_t)n, "url", json_get_str(a, "url", "")));
}

static int media_fire(struct engine *eng, const json_t *row, struct err *e)
{
    struct timer_key k = timer_key_of(row);
    int64_t id, n, now = clock_now_ms(), since = json_get_int(row, "since_ms", now);
    const char *gateway;
    json_t *message = NULL;
    if (!media_parse(k.rule, &id, &n, &gateway))
        return timer_remove(eng, &k, e);
    json_t *a = media_waiting(eng, id, n, &message, e);
    AUTO_JSON json_t *owned = message;
    if (e->cls != ERR_NONE)
        return -1;
    if (!a)
        return timer_remove(eng, &k, e);
    if (now - since >= GIVE_UP_MS) {
        AUTO_FREE char *why = mem_printf("given up after a day: %s",
                                         json_get_str(a, "why", "the courier was not there"));
        return media_fails(eng, &k, id, message, a, why, e);
    }
    media_ask(eng, gateway, id, n, a);
    return media_timer(eng, k.rule, now + ANSWER_MS, since, e);
}

static void media_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    (void)row;
    snprintf(out, n, "fetches a file that came with a text");
}

const struct timer_kind timer_kind_media = {.name = "media", .fire = media_fire, .tell = media_tell};
