/* SPDX-License-Identifier: ISC
 *
 * webhook - see webhook.h
 */
#include "engine/webhook.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/form.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/notice.h"
#include "engine/quota.h"
#include "engine/verify.h"
#include "store/ledger.h"

#define QUARANTINE_META 1024 /* headers and path that are kept beside the body, about */
#define RETRIED "after it was in quarantine"

struct hook {
    const char *name;      /* borrowed from the config */
    const json_t *conf;    /* borrowed */
    struct verify *verify; /* own */
    struct quota quota;
};

struct webhooks {
    struct hook *sources, *gateways; /* own */
    size_t source_count, gateway_count;
};

static const struct {
    const char *kind, *prefix;
    int (*take)(struct engine *eng, struct webhook *w, struct err *e);
} kinds[] = {
    {"source", "hook", source_take},
    {"sms", "sms", sms_take},
    {"receipt", "sms-receipt", receipt_take},
};

/* ---- the secrets ----------------------------------------------------------------- */

static int hook_open(struct hook *h, const char *name, const json_t *conf, struct err *e)
{
    const json_t *verify = json_get_obj(conf, "verify");
    const json_t *files = json_get_arr(verify, "secret_files");
    size_t count = 0, n = json_array_size(files);
    char **secrets AUTO_FREE = mem_array(n + 1, sizeof(*secrets));
    for (; count < n; count++) {
        secrets[count] = role_read_secret(json_string_value(json_array_get(files, count)), e);
        if (!secrets[count])
            break;
    }
    *h = (struct hook){.name = name, .conf = conf};
    const char *challenge = json_get_str(verify, "challenge_file", NULL);
    char *token = count == n && challenge ? role_read_secret(challenge, e) : NULL;
    if (count == n && (token || !challenge))
        h->verify = verify_new(verify, secrets, count, e);
    else
        for (size_t i = 0; i < count; i++)
            mem_free(secrets[i]);
    if (h->verify)
        verify_set_challenge(h->verify, token);
    else
        mem_free(token);
    return h->verify ? 0 : err_wrap(e, "%s", name);
}

static int hooks_open(struct engine *eng, const char *key, struct hook **list_out,
                      size_t *count_out, struct err *e)
{
    const char *name;
    json_t *conf, *group = json_get_obj(eng->role->config, key);
    *list_out = mem_array(json_object_size(group) + 1, sizeof(**list_out));
    json_object_foreach(group, name, conf)
        if (hook_open(&(*list_out)[(*count_out)++], name, conf, e) < 0)
            return err_wrap(e, "%s", key);
    return 0;
}

int webhooks_open(struct engine *eng, struct err *e)
{
    struct webhooks *hs = eng->webhooks = mem_alloc(sizeof(*hs));
    if (hooks_open(eng, "sources", &hs->sources, &hs->source_count, e) < 0)
        return -1;
    return hooks_open(eng, "gateways", &hs->gateways, &hs->gateway_count, e);
}

static void hooks_close(struct hook *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        verify_free(&list[i].verify);
    mem_free(list);
}

void webhooks_close(struct engine *eng)
{
    struct webhooks *hs = eng->webhooks;
    if (!hs)
        return;
    hooks_close(hs->sources, hs->source_count);
    hooks_close(hs->gateways, hs->gateway_count);
    mem_free(hs);
    eng->webhooks = NULL;
}

static struct hook *hook_find(const struct engine *eng, const char *kind, const char *name)
{
    const struct webhooks *hs = eng->webhooks;
    bool source = strcmp(kind, "source") == 0;
    size_t count = !hs ? 0 : source ? hs->source_count : hs->gateway_count;
    for (size_t i = 0; i < count; i++) {
        struct hook *h = source ? &hs->sources[i] : &hs->gateways[i];
        if (strcmp(h->name, name) == 0)
            return h;
    }
    return NULL;
}

/* ---- answers -------------------------------------------------------------------------- */

static void hook_done(struct engine *eng, const struct webhook *w, const char *status)
{
    if (!w->it->peer)
        return;
    json_t *j = json_pack("{s:s}", "status", status);
    json_put_str(j, "type", w->answer ? w->answer_type : NULL);
    json_put_str(j, "text", w->answer);
    engine_answer(eng, w->it->peer, FRAME_HOOK_DONE, w->it->frame.id, j);
}

void webhook_say(struct webhook *w, const char *type, const char *text)
{
    mem_free(w->answer);
    w->answer_type = type;
    w->answer = mem_str(text);
}

/* ---- its rows ---------------------------------------------------------------------------- */

/* An event without a name is known by its request. */
static char *event_key(const struct webhook *w, const char *event, int64_t slice)
{
    char sum[HASH_SHA256_HEX];
    struct buf b AUTO_BUF;
    buf_init(&b, w->len + KIB(64));
    if (event && strlen(event) <= 160)
        return mem_printf("e:%s", event);
    buf_printf(&b, "%s\n%s\n%s\n", event ? event : "", w->method, w->path);
    buf_add(&b, w->body, w->len);
    hash_sha256_hex(b.data, b.len, sum);
    sum[40] = '\0';
    return w->bound || event ? mem_printf("b:%s", sum) : mem_printf("b:%s:%" PRId64, sum, slice);
}

/* The same request at the end of one slice of time and the beginning of the next is
 * the same event, too. */
static int event_was_here(struct engine *eng, struct webhook *w, const char *event, bool *here_out,
                          struct err *e)
{
    *here_out = false;
    if (event || w->bound)
        return 0;
    AUTO_FREE char *before = event_key(w, NULL, w->at_ms / BOUND_HOOK_SAME_MS - 1);
    return ledger_has(eng->db, w->source, 0, before, here_out, e);
}

static int quarantine_leave(struct engine *eng, const struct webhook *w, const char *state,
                            const char *reason, int64_t message, struct err *e)
{
    AUTO_JSON json_t *q = quarantine_get(eng->db, w->it->quarantine, e);
    if (!q || ledger_settle(eng->db, json_get_int(q, "ledger", 0), state, reason, message, e) < 0)
        return -1;
    return quarantine_remove(eng->db, w->it->quarantine, e);
}

/* A signature that does not cover the body counts once: else whoever has seen it could put
 * anything under it. */
static int signature_was_here(struct engine *eng, struct webhook *w, int64_t source, bool *here,
                              struct err *e)
{
    if (*here || w->bound || !w->signed_id)
        return 0;
    AUTO_FREE char *key = mem_printf("s:%s", w->signed_id);
    struct ledger_row row = {.source = source,
                             .key = key,
                             .state = "ignored",
                             .reason = "the signature of another row",
                             .at_ms = clock_now_ms()};
    if (ledger_add(eng->db, &row, e) < 0)
        return -1;
    *here = row.id == 0;
    return 0;
}

int webhook_enter(struct engine *eng, struct webhook *w, const char *event, bool *fresh_out,
                  struct err *e)
{
    bool here;
    int64_t source;
    if (!event && w->bound)
        event = w->signed_id;
    if (event_was_here(eng, w, event, &here, e) < 0 ||
        source_id(eng->db, w->source, &source, e) < 0 ||
        signature_was_here(eng, w, source, &here, e) < 0)
        return -1;
    AUTO_FREE char *key = event_key(w, event, w->at_ms / BOUND_HOOK_SAME_MS);
    struct ledger_row row = {.source = source,
                             .key = key,
                             .state = "filed",
                             .size = (int64_t)w->len,
                             .at_ms = clock_now_ms()};
    if (!here && ledger_add(eng->db, &row, e) < 0)
        return -1;
    w->ledger_id = row.id;
    *fresh_out = row.id != 0;
    if (*fresh_out)
        return 0;
    engine_count(eng, "hooks_duplicate", 1);
    log_info("hook.duplicate", "source=\"%s\" key=%s", w->source, key);
    hook_done(eng, w, "duplicate");
    return w->it->quarantine
               ? quarantine_leave(eng, w, "ignored", "the same event as before", 0, e)
               : 0;
}

int webhook_filed(struct engine *eng, struct webhook *w, const char *reason, int64_t message,
                  struct err *e)
{
    const char *state = reason ? "ignored" : "filed";
    if ((reason || message) &&
        ledger_settle(eng->db, w->ledger_id, state, reason, message, e) < 0)
        return -1;
    if (w->it->quarantine &&
        quarantine_leave(eng, w, state, reason ? reason : RETRIED, message, e) < 0)
        return -1;
    engine_count(eng, reason ? "hooks_ignored" : "hooks_filed", 1);
    log_info("hook.filed", "source=\"%s\" id=%s state=%s message=M%" PRId64, w->source,
             w->request_id, state, message);
    hook_done(eng, w, "ok");
    return 0;
}

/* ---- one request ------------------------------------------------------------------------ */

static int hook_alarm(struct engine *eng, const struct webhook *w, const char *why, struct err *e)
{
    char hour[32];
    AUTO_FREE char *key = mem_printf("hook/%s/%s", w->source, notice_hour(hour));
    AUTO_FREE char *subject = mem_printf("leadd: requests to %s %s cannot be verified",
                                         strcmp(w->kind, "source") == 0 ? "source" : "gateway",
                                         w->name);
    AUTO_FREE char *text =
        mem_printf("A request did not show that it is from whom it says: %s.\n\n"
                   "It is kept as it came and nothing was done with it. When the secret here is "
                   "not the one\nof the sender, mend it, then: leadctl quarantine list, leadctl "
                   "quarantine retry Q.\nThis is told at most once an hour.\n", why);
    return notice_admin(eng, key, subject, text, e);
}

static int hook_refuse(struct engine *eng, struct hook *h, struct webhook *w, const char *why,
                       struct err *e)
{
    bool full = false;
    engine_count(eng, "hooks_unverified", 1);
    if (!w->it->quarantine &&
        quota_keep(eng, &h->quota, json_get_obj(h->conf, "quota"), w->source,
                   w->len + QUARANTINE_META, &full, e) < 0)
        return -1;
    if (full) {
        hook_done(eng, w, "rate");
        return 0;
    }
    if (inbound_quarantine(eng, w->it, why, e) < 0)
        return -1;
    return w->it->quarantine ? 0 : hook_alarm(eng, w, why, e);
}

/* What a stranger says is read only after it was verified. */
static int hook_take(struct engine *eng, struct webhook *w, struct err *e)
{
    struct form f;
    struct err why = {0};
    const char *query = strchr(w->path, '?');
    int rc = 0;
    form_init(&f);
    if (w->len && form_type_of(w->type) != FORM_TYPE_UNKNOWN)
        rc = form_read(&f, w->type, w->body, w->len, &why);
    if (rc < 0)
        rc = err_set(e, ERR_INPUT, "the body cannot be read: %s", why.text);
    if (rc == 0 && query)
        form_read_urlencoded(&f, query + 1, strlen(query + 1));
    w->values = f.values;
    w->files = f.files;
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].kind, w->kind) == 0)
            rc = kinds[i].take(eng, w, e);
    form_done(&f);
    return rc;
}

/* "/hook/shop/TOKEN?a=b": what stands behind the name. */
static char *path_rest(const struct webhook *w)
{
    const char *path = w->path, *name = w->name;
    const char *at = strchr(path + (*path == '/'), '/');
    size_t n = strlen(name);
    if (!at || strncmp(at + 1, name, n) != 0 || at[1 + n] != '/' || strcmp(w->kind, "receipt") == 0)
        return mem_str("");
    return mem_strn(at + 2 + n, strcspn(at + 2 + n, "?"));
}

/* Whose address is this, the sender asks, and sends nothing yet: no row comes of it. */
static void hook_challenged(struct engine *eng, struct webhook *w, char *answer, const char *why)
{
    if (answer)
        webhook_say(w, "text/plain; charset=utf-8", answer);
    else
        log_warn("hook.challenge", "source=\"%s\" error=\"%s\" next=\"403\"", w->source, why);
    hook_done(eng, w, answer ? "ok" : "refused");
    mem_free(answer);
}

/* True: it was a challenge, and is answered. */
static bool hook_verify(struct engine *eng, const struct hook *h, struct webhook *w,
                        struct verified *v)
{
    bool asked = false;
    AUTO_FREE char *rest = path_rest(w);
    const struct verify_request r = {
        .method = w->method,
        .path = w->path,
        .host = json_get_str(w->it->frame.json, "host", ""),
        .type = w->type,
        .rest = rest,
        .headers = w->headers,
        .body = w->body,
        .len = w->len,
        .at_ms = w->at_ms,
    };
    char *answer = verify_challenge(h->verify, &r, &asked, v);
    if (asked) {
        hook_challenged(eng, w, answer, v->why);
        return true;
    }
    verify_request(h->verify, &r, v);
    w->bound = v->bound;
    w->signed_id = v->id[0] ? v->id : NULL;
    return false;
}

/* When it came: of one from quarantine, then. */
static int hook_time(struct engine *eng, struct webhook *w, struct err *e)
{
    w->at_ms = clock_now_ms();
    if (!w->it->quarantine)
        return 0;
    AUTO_JSON json_t *q = quarantine_get(eng->db, w->it->quarantine, e);
    w->at_ms = json_get_int(q, "at_ms", w->at_ms);
    return q ? 0 : -1;
}

static int hook_unknown(struct engine *eng, const struct webhook *w)
{
    log_warn("hook.refused", "kind=\"%.20s\" name=\"%.60s\" error=\"not in the config\"", w->kind,
             w->name);
    hook_done(eng, w, "refused");
    return 0;
}

int webhook_frame(struct engine *eng, struct item *it, struct err *e)
{
    const json_t *j = it->frame.json;
    struct verified v;
    struct webhook w = {.kind = json_get_str(j, "kind", ""),
                        .name = json_get_str(j, "name", ""),
                        .headers = json_get_obj(j, "headers"),
                        .method = json_get_str(j, "method", ""),
                        .path = json_get_str(j, "path", ""),
                        .type = json_get_str(j, "type", ""),
                        .remote = json_get_str(j, "remote", ""),
                        .request_id = json_get_str(j, "request_id", ""),
                        .body = it->frame.raw ? it->frame.raw : "",
                        .len = it->frame.raw_len,
                        .it = it};
    const char *prefix = webhook_prefix(w.kind);
    struct hook *h = prefix ? hook_find(eng, w.kind, w.name) : NULL;
    bool full = false;
    if (!h)
        return it->quarantine ? err_set(e, ERR_INPUT, "%s is not in the config", w.name)
                              : hook_unknown(eng, &w);
    w.conf = h->conf;
    w.source = mem_printf("%s:%s", prefix, w.name);
    int rc = hook_time(eng, &w, e);
    if (rc == 0 && !it->quarantine)
        rc = quota_request(eng, &h->quota, json_get_obj(h->conf, "quota"), w.source, &full, e);
    if (rc == 0 && full) {
        hook_done(eng, &w, "rate");
    } else if (rc == 0 && !hook_verify(eng, h, &w, &v)) {
        rc = v.ok ? hook_take(eng, &w, e) : hook_refuse(eng, h, &w, v.why, e);
    }
    mem_free(w.source);
    mem_free(w.answer);
    return rc;
}

const char *webhook_prefix(const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].prefix;
    return NULL;
}
