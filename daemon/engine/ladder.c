/* SPDX-License-Identifier: ISC
 *
 * ladder - see ladder.h
 */
#include "engine/ladder.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/notice.h"
#include "store/outbox.h"

static const struct {
    int minutes;
    int64_t per_lead, in_all;
} ladder[] = {{10, 10, 30}, {30, 15, 60}, {60, 25, 120}, {180, 50, 240}, {600, 100, 360}};

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

int ladder_check(struct engine *eng, const struct crm_send *s, int64_t now_ms, char *why,
                 size_t size, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
        int64_t n, since = now_ms - (int64_t)ladder[i].minutes * 60000;
        if (s->target.lead) {
            if (outbox_count_lead(eng->db, s->to, s->target.lead, since, &n, e) < 0)
                return -1;
            if (n >= ladder[i].per_lead)
                return ladder_trip(eng, s, n, ladder[i].minutes, why, size, e);
        }
        if (s->to_user)
            continue;
        if (outbox_count_to(eng->db, s->to, since, &n, e) < 0)
            return -1;
        if (n >= ladder[i].in_all)
            return ladder_trip(eng, s, n, ladder[i].minutes, why, size, e);
    }
    return 0;
}
