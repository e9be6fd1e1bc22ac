/* SPDX-License-Identifier: ISC
 *
 * digest - the morning mail of each user (crm/digest.h), as a timer without a record
 *
 * The timer's row has the next time and when the last one was. One that was missed
 * while leadd was down is sent at the start, unless that was a day ago or longer. A
 * day on which there is nothing to tell has no mail.
 */
#include "crm/digest.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "engine/notice.h"
#include "engine/timer.h"


/* Its next time, counted from now; the row goes when the user gets none. */
static int digest_next(struct engine *eng, const char *user, int64_t since_ms, struct err *e)
{
    struct timer_key k = {"digest", user, "", 0};
    struct schedule *s = NULL;
    struct err wrong = {0};
    if (!crm_user(eng->crm, user) || crm_digest_schedule(eng->crm, user, &s, &wrong) < 0 || !s)
        return timer_remove(eng, &k, e);
    int64_t next = schedule_next(s, clock_now_ms());
    schedule_free(&s);
    struct timer_row t = {.key = k,
                          .due_ms = next == CALENDAR_NEVER ? 0 : next,
                          .since_ms = since_ms};
    return timer_write(eng, &t, e);
}

static int digest_mail(struct engine *eng, const char *user, int64_t due_ms, const char *subject,
                       const char *text, struct err *e)
{
    AUTO_FREE char *intent = mem_printf("digest/%s/%" PRId64, user, due_ms);
    struct notice n = {.intent = intent, .to = json_get_str(crm_user(eng->crm, user), "email", NULL),
                       .subject = subject, .text = text};
    return n.to ? notice_send(eng, &n, NULL, e) : 0;
}

static int digest_fire(struct engine *eng, const json_t *row, struct err *e)
{
    const char *user = json_get_str(row, "rule", "");
    int64_t due = json_get_int(row, "due_ms", 0), now = clock_now_ms();
    char *subject = NULL, *text = NULL;
    int rc = 0;
    if (crm_user(eng->crm, user) && now - due < DAY_MS) {
        struct crm_ctx *ctx = crm_begin(eng->crm, NULL, now);
        rc = crm_digest(ctx, user, json_get_int(row, "since_ms", 0), &subject, &text, e);
        crm_end(&ctx);
    }
    if (rc == 0 && text)
        rc = digest_mail(eng, user, due, subject, text, e);
    if (rc == 0)
        log_info("digest.made", "user=%s told=\"%s\"", user, subject ? subject : "nothing");
    mem_free(subject);
    mem_free(text);
    return rc < 0 ? -1 : digest_next(eng, user, now, e);
}

int digests_start(struct engine *eng, struct err *e)
{
    const char *user;
    json_t *u;
    json_object_foreach(json_get_obj(eng->role->config, "users"), user, u) {
        struct timer_key k = {"digest", user, "", 0};
        struct schedule *s = NULL;
        struct err wrong = {0};
        json_t *row;
        if (timer_get(eng->db, &k, &row, e) < 0)
            return -1;
        int64_t due = json_get_int(row, "due_ms", 0), now = clock_now_ms(),
                since = json_get_int(row, "since_ms", now - DAY_MS);
        bool there = row != NULL, wanted = crm_digest_schedule(eng->crm, user, &s, &wrong) == 0 && s;
        json_decref(row);
        schedule_free(&s);
        if ((there || wanted) && (!due || due > now) && digest_next(eng, user, since, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- the kind -------------------------------------------------------------------------- */

static void digest_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    snprintf(out, n, "the morning mail of %s", json_get_str(row, "rule", ""));
}

const struct timer_kind timer_kind_digest = {.name = "digest",
                                             .fire = digest_fire,
                                             .tell = digest_tell};
