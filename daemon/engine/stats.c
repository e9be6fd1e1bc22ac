/* SPDX-License-Identifier: ISC
 *
 * stats - numbers for /metrics and `leadctl status`
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/coverage.h"
#include "engine/call.h"
#include "engine/engine.h"
#include "engine/storage.h"
#include "engine/timer.h"
#include "store/counts.h"

#define COUNT_SLICE 10000  /* rows looked at in one go: some ms */
#define COUNT_PAUSE_MS 10  /* between two while there are more */
#define COUNT_REST_MS 5000

/* Between two passes, so all it sees is committed. */
static void count_on(struct engine *eng)
{
    struct err e = {0};
    bool more = false;
    if (counts_advance(eng->counts, eng->db, COUNT_SLICE, &more, &e) < 0)
        log_debug("count.failed", "error=\"%s\" next=\"again in %d ms\"", e.text, COUNT_REST_MS);
    int ms = more ? COUNT_PAUSE_MS : COUNT_REST_MS;
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    event_add(eng->count, &tv);
}

static void on_count(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    count_on(arg);
}

void stats_start(struct engine *eng)
{
    eng->counts = counts_new();
    eng->count = event_new(eng->role->base, -1, 0, on_count, eng);
    count_on(eng);
}

void stats_stop(struct engine *eng)
{
    if (eng->count)
        event_free(eng->count);
    counts_free(&eng->counts);
}

/* timers_next_in: seconds until the next one is due, negative when it is late. */
static void stats_timers(struct engine *eng, json_t *gauges)
{
    struct timers_stats t;
    if (timers_stats(eng, &t, NULL) < 0)
        return;
    json_put_int(gauges, "timers_pending", t.pending);
    json_put_int(gauges, "timers_overdue", t.late);
    if (t.next_ms)
        json_put_int(gauges, "timers_next_in", (t.next_ms - clock_now_ms()) / 1000);
}

json_t *stats_all(struct engine *eng)
{
    const char *state;
    json_t *n;
    json_t *gauges = json_object();
    AUTO_JSON json_t *outbox = counts_outbox(eng->counts, eng->db, NULL);
    AUTO_JSON json_t *ledger = counts_ledger(eng->counts, eng->db, "", NULL);
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
    storage_gauges(eng->storage, gauges);
    calls_gauges(eng, gauges);
    json_put_int(gauges, "hold", eng->hold != NULL);
    stats_timers(eng, gauges);
    json_put_int(gauges, "clients", eng->clients[0] + eng->clients[1]);
    coverage_stats(eng->coverage, eng->counters, gauges);
    json_put_int(gauges, "rows_written", db_total_changes(eng->db));
    return json_pack("{s:O, s:o}", "counters", eng->counters, "gauges", gauges);
}
