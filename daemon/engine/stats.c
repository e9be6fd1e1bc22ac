/* SPDX-License-Identifier: ISC
 *
 * stats - numbers for /metrics and `leadctl status`
 */
#include "base/clock.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "store/ledger.h"
#include "store/outbox.h"

json_t *stats_all(struct engine *eng)
{
    const char *state;
    json_t *n;
    json_t *gauges = json_object();
    AUTO_JSON json_t *outbox = outbox_counts(eng->db, NULL);
    AUTO_JSON json_t *ledger = ledger_counts(eng->db, "", NULL);
    json_object_foreach(outbox, state, n) {
        AUTO_FREE char *key = mem_printf("outbox_rows_%s", state);
        json_object_set(gauges, key, n);
    }
    json_object_foreach(ledger, state, n) {
        AUTO_FREE char *key = mem_printf("ledger_rows_%s", state);
        json_object_set(gauges, key, n);
    }
    json_put_int(gauges, "queue_ready", (int64_t)eng->ready.count);
    json_put_int(gauges, "queue_parse", (int64_t)(eng->parse.count + eng->parsing.count));
    json_put_int(gauges, "clients", eng->ctl_clients);
    json_put_int(gauges, "rows_written", db_total_changes(eng->db));
    return json_pack("{s:O, s:o}", "counters", eng->counters, "gauges", gauges);
}
