/* SPDX-License-Identifier: ISC
 *
 * ctl_relay - leadctl relay status
 */
#include <string.h>

#include "base/clock.h"
#include "engine/ctl.h"
#include "engine/relays.h"
#include "store/outbox.h"

/* A row goes by whichever relay takes it, so what waits is told by line and not by relay. */
static json_t *status_waiting(struct engine *eng, struct err *e)
{
    static const char *const names[LANE_COUNT] = {"persons and notices", "follow-ups", "broadcasts"};
    size_t i;
    json_t *row, *rows = outbox_waiting(eng->db, clock_now_ms(), e);
    json_array_foreach(rows, i, row) {
        char stamp[32];
        int64_t line = json_get_int(row, "line", 0);
        json_put_str(row, "lane", names[line % LANE_COUNT]);
        json_put_str(row, "tried", line >= LANE_RETRY ? "yes" : "no");
        json_put_str(row, "first",
                     clock_format_utc(json_get_int(row, "first_ms", 0), stamp, sizeof(stamp)));
    }
    return rows;
}

static json_t *relay_status(struct ctl *c, struct err *e)
{
    json_t *relays = relays_status(c->eng, e), *waiting = relays ? status_waiting(c->eng, e) : NULL;
    if (!waiting) {
        json_decref(relays);
        return NULL;
    }
    return json_pack("{s:[], s:[o, o]}", "fields", "sections",
                     ctl_section("Relays", relays,
                                 "name RELAY|where WHERE|state STATE|rate PER MINUTE|today TODAY|"
                                 "next TRIED AGAIN|said SAID"),
                     ctl_section("What waits", waiting,
                                 "lane LANE|tried TRIED BEFORE|mails WAITING|due DUE NOW|first NEXT"));
}

json_t *ctl_relay(struct ctl *c, struct err *e)
{
    if (strcmp(c->argv[1], "status") == 0 && c->argc == 2)
        return relay_status(c, e);
    err_set(e, ERR_INPUT, "expected: relay status");
    return NULL;
}
