/* SPDX-License-Identifier: ISC
 *
 * quota - see quota.h
 */
#include "engine/quota.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "engine/timer.h"
#include "store/confirmation.h"
#include "store/ledger.h"

#define COUNT_AGAIN_MS 5000 /* somebody may have dropped what was kept */
#define ROWS INT64_C(10000)
#define BYTES (INT64_C(64) << 20)
#define DAYS 30

/* One row for the day, whose reason has the number. */
static int quota_refuse(struct engine *eng, struct quota *q, const char *source, const char *what,
                        struct err *e)
{
    char stamp[32];
    int64_t id;
    clock_format_utc(q->day * DAY_MS, stamp, sizeof(stamp));
    stamp[10] = '\0';
    bool form = strncmp(source, "form:", 5) == 0;
    q->over++;
    engine_count(eng, form ? "forms_over_quota" : "hooks_over_quota", 1);
    if (source_id(eng->db, source, &id, e) < 0)
        return -1;
    AUTO_FREE char *key = mem_printf("over:%s", stamp);
    AUTO_FREE char *reason = mem_printf("beyond the quota of %s: %" PRId64 " requests of that day were "
                                        "refused", what, q->over);
    if (q->over == 1)
        log_warn(form ? "form.over_quota" : "hook.over_quota", "source=\"%s\" quota=%s next=\"429\"", source, what);
    return ledger_count(eng->db, id, key, reason, clock_now_ms(), e);
}

static int quota_day(struct engine *eng, struct quota *q, const char *source, struct err *e)
{
    int64_t day = clock_now_ms() / DAY_MS, rows = 0;
    if (q->day == day)
        return 0;
    if (q->day == 0 && ledger_since_count(eng->db, source, day * DAY_MS, &rows, e) < 0)
        return -1;
    q->day = day;
    q->rows = rows;
    q->over = 0;
    return 0;
}

int quota_request(struct engine *eng, struct quota *q, const json_t *conf, const char *source,
                  bool *full_out, struct err *e)
{
    if (quota_day(eng, q, source, e) < 0)
        return -1;
    *full_out = q->rows >= json_get_int(conf, "rows", ROWS);
    if (*full_out)
        return quota_refuse(eng, q, source, "rows", e);
    q->rows++;
    return 0;
}

/* ---- what nobody looks at ---------------------------------------------------------------- */

static struct timer_key kept_key(const char *source)
{
    return (struct timer_key){"quarantine", source, "", 0};
}

/* The first one that is kept begins it. */
static int kept_begin(struct engine *eng, const char *source, int64_t days, struct err *e)
{
    json_t *row;
    int64_t now = clock_now_ms();
    struct timer_row t = {.key = kept_key(source), .due_ms = now + days * DAY_MS, .since_ms = now};
    if (timer_get(eng->db, &t.key, &row, e) < 0)
        return -1;
    bool there = row != NULL;
    json_decref(row);
    return there ? 0 : timer_write(eng, &t, e);
}

/* "hook:shop" is a source; all others are gateways. */
static int64_t kept_days(const struct engine *eng, const char *source)
{
    const char *name = strchr(source, ':');
    bool hook = strncmp(source, "hook:", 5) == 0;
    const json_t *group = json_get_obj(eng->role->config, hook ? "sources" : "gateways");
    const json_t *conf = json_get_obj(group, name ? name + 1 : "");
    return json_get_int(json_get_obj(conf, "quota"), "days", DAYS);
}

static int kept_due(struct engine *eng, const json_t *row, struct err *e)
{
    struct timer_key k = timer_key_of(row);
    int64_t now = clock_now_ms(), keep_ms = kept_days(eng, k.rule) * DAY_MS, oldest;
    if (quarantine_expire(eng->db, k.rule, now - keep_ms + 1, e) < 0 ||
        quarantine_oldest(eng->db, k.rule, &oldest, e) < 0)
        return -1;
    struct timer_row t = {.key = k, .due_ms = oldest + keep_ms, .since_ms = now};
    return oldest ? timer_write(eng, &t, e) : timer_remove(eng, &k, e);
}

static void kept_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    (void)row;
    snprintf(out, n, "what could not be verified is dropped, when nobody has looked at it");
}

const struct timer_kind timer_kind_quarantine = {.name = "quarantine",
                                                 .fire = kept_due,
                                                 .tell = kept_tell};

/* Its bytes are read from the store again now and then. */
static bool quota_is_old(struct quota *q)
{
    int64_t now = clock_mono_ms();
    if (q->counted_mono && now - q->counted_mono <= COUNT_AGAIN_MS)
        return false;
    q->counted_mono = now;
    return true;
}

int quota_keep(struct engine *eng, struct quota *q, const json_t *conf, const char *source,
               size_t bytes, bool *full_out, struct err *e)
{
    int64_t most = json_get_int(conf, "bytes", BYTES);
    int64_t days = json_get_int(conf, "days", DAYS), before = clock_now_ms() - days * DAY_MS;
    bool old = quota_is_old(q);
    if (old && (quarantine_expire(eng->db, source, before, e) < 0 ||
                quarantine_bytes(eng->db, source, &q->bytes, e) < 0))
        return -1;
    *full_out = q->bytes + (int64_t)bytes > most;
    if (*full_out)
        return quota_refuse(eng, q, source, "bytes", e);
    q->bytes += (int64_t)bytes;
    return kept_begin(eng, source, days, e);
}

/* ---- posts that nobody has confirmed -------------------------------------------------------- */

struct form_quotas {
    struct form_quotas *next;
    char *form; /* own */
    struct quota q;
};

static struct quota *quota_of_form(struct engine *eng, const char *form)
{
    struct form_quotas *f = eng->form_quotas;
    while (f && strcmp(f->form, form) != 0)
        f = f->next;
    if (!f) {
        f = mem_alloc(sizeof(*f));
        f->form = mem_str(form);
        f->next = eng->form_quotas;
        eng->form_quotas = f;
    }
    return &f->q;
}

void quota_forms_free(struct form_quotas **q)
{
    while (*q) {
        struct form_quotas *next = (*q)->next;
        mem_free((*q)->form);
        mem_free(*q);
        *q = next;
    }
}

int quota_unconfirmed(struct engine *eng, const char *form, size_t bytes, bool *full_out,
                      struct err *e)
{
    struct quota *q = quota_of_form(eng, form);
    int64_t most = HOOK("confirm.small_quota") ? 4096 : (int64_t)BOUND_CONFIRM_BYTES;
    if (quota_is_old(q) && confirmation_bytes(eng->db, form, &q->bytes, e) < 0)
        return -1;
    *full_out = q->bytes + (int64_t)bytes > most;
    if (!*full_out) {
        q->bytes += (int64_t)bytes;
        return 0;
    }
    AUTO_FREE char *source = mem_printf("form:%s", form);
    return quota_day(eng, q, source, e) < 0 ? -1
                                            : quota_refuse(eng, q, source, "what is not confirmed", e);
}
