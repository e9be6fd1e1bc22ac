/* SPDX-License-Identifier: ISC
 *
 * ladder - see ladder.h
 */
#include "engine/ladder.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/notice.h"
#include "store/contact.h"
#include "store/outbox.h"

static const struct {
    int minutes;
    int64_t per_lead, in_all;
} ladder[] = {{10, 10, 30}, {30, 15, 60}, {60, 25, 120}, {180, 50, 240}, {600, 100, 360}};

/* the last step: what is older, or more, decides nothing */
#define LONGEST INT64_C(600)
#define MOST_PER_LEAD 100
#define MOST_IN_ALL 360

static int ladder_trip(struct engine *eng, const struct crm_send *s, int64_t n, int minutes,
                       char *why, size_t size, struct err *e)
{
    char day[32];
    snprintf(why, size, "%" PRId64 " automatic mails to this address in %d minutes", n, minutes);
    log_warn("out.ladder", "lead=L%" PRId64 " mails=%" PRId64 " minutes=%d next=held",
             s->target.lead, n, minutes);
    engine_count(eng, "ladder_trips", 1);
    AUTO_FREE char *key = mem_printf("ladder/%s/%s", s->to, notice_day(day));
    AUTO_FREE char *text =
        mem_printf("Automatic mail to %s about L%" PRId64 " is held: %s.\n\n"
                   "Two machines may be answering each other. See: leadctl outbox list state=held,\n"
                   "leadctl why L%" PRId64 ". Release one with: leadctl outbox release NUMBER.\n",
                   s->to, s->target.lead, why, s->target.lead);
    return notice_admin(eng, key, "leadd holds automatic mail: too many to one address", text, e);
}

static int64_t times_since(const json_t *times, int64_t since)
{
    int64_t n = 0;
    size_t i;
    json_t *t;
    json_array_foreach((json_t *)times, i, t)
        n += json_integer_value(t) > since;
    return n;
}

int ladder_check(struct engine *eng, const struct crm_send *s, int64_t now_ms, char *why,
                 size_t size, struct err *e)
{
    json_t *all = NULL;
    int64_t since = now_ms - LONGEST * 60000;
    if (!s->to_user && address_sent(eng->db, s->to, &all, e) < 0)
        return -1;
    AUTO_JSON json_t *to_all = all, *to_lead = NULL;
    if (s->target.lead) {
        to_lead = outbox_times(eng->db, s->to, s->target.lead, since, MOST_PER_LEAD, e);
        if (!to_lead)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
        since = now_ms - (int64_t)ladder[i].minutes * 60000;
        int64_t n = times_since(to_lead, since), in_all = times_since(to_all, since);
        if (n >= ladder[i].per_lead)
            return ladder_trip(eng, s, n, ladder[i].minutes, why, size, e);
        if (in_all >= ladder[i].in_all)
            return ladder_trip(eng, s, in_all, ladder[i].minutes, why, size, e);
    }
    return 0;
}

/* What is held counts too; more than the last step allows need not be remembered. */
int ladder_note(struct engine *eng, const struct crm_send *s, int64_t now_ms, struct err *e)
{
    json_t *times, *kept;
    size_t i;
    const json_t *t;
    if (s->to_user)
        return 0;
    if (address_sent(eng->db, s->to, &times, e) < 0)
        return -1;
    kept = json_array();
    json_array_append_new(kept, json_integer(now_ms));
    json_array_foreach(times, i, t)
        if (json_integer_value(t) > now_ms - LONGEST * 60000 && json_array_size(kept) < MOST_IN_ALL)
            json_array_append(kept, (json_t *)t);
    int rc = address_set_sent(eng->db, s->to, kept, now_ms, e);
    json_decref(times);
    json_decref(kept);
    return rc;
}
