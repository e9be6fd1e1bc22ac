/* SPDX-License-Identifier: ISC
 *
 * ctl_gateway - leadctl gateway status, enable, pull and test
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "engine/ctl.h"
#include "engine/gateway_pull.h"
#include "engine/gateway_test.h"
#include "engine/gateways.h"
#include "store/sms.h"

#define STATUS_DAYS 7

static const char *gate_state(const struct gate *g)
{
    return !g->sends                     ? "only receives"
           : g->open_ms == 0             ? "ok"
           : g->why == GATEWAY_AUTH      ? "refuses our sign-in"
           : g->why == GATEWAY_BALANCE   ? "no money left"
           : g->why == GATEWAY_RATE      ? "asked to wait"
                                         : "does not answer";
}

/* own */
static char *money(int64_t micros, const char *currency)
{
    return *currency ? mem_printf("%" PRId64 ".%04" PRId64 " %s", micros / 1000000,
                                  micros % 1000000 / 100, currency)
                     : mem_str("");
}

/* Of the days shown; "" when nothing was told, or in several currencies. own */
static char *gate_cost(const struct gate *g, const json_t *days)
{
    int64_t micros = 0;
    const char *currency = "";
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)days, i, row) {
        const char *c = json_get_str(row, "currency", "");
        if (strcmp(json_get_str(row, "gateway", ""), g->name) != 0 || !*c)
            continue;
        if (*currency && strcmp(currency, c) != 0)
            return mem_str("several currencies");
        currency = c;
        micros += json_get_int(row, "micros", 0);
    }
    return money(micros, currency);
}

static json_t *status_gates(struct engine *eng, const json_t *days)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < eng->gateways->count; i++) {
        const struct gate *g = &eng->gateways->list[i];
        char stamp[32];
        struct buf to AUTO_BUF;
        AUTO_FREE char *cost = gate_cost(g, days);
        size_t k;
        json_t *prefix;
        buf_init(&to, KIB(4));
        json_array_foreach(json_get_arr(g->conf, "to"), k, prefix)
            buf_printf(&to, "%s%s", k ? " " : "", json_string_value(prefix));
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "name", g->name, "number",
                            json_get_str(g->conf, "number", ""), "to", to.data, "state", gate_state(g),
                            "next", g->open_ms ? clock_format_utc(g->open_until_ms, stamp, sizeof(stamp))
                                               : "",
                            "rate", (json_int_t)json_get_int(g->conf, "rate", 0), "cost", cost, "said",
                            g->text));
    }
    return rows;
}

/* Days with their sums; money as people write it. */
static json_t *status_days(struct engine *eng, struct err *e)
{
    size_t i;
    json_t *row;
    json_t *rows = sms_days(eng->db, clock_now_ms() / DAY_MS - STATUS_DAYS + 1, e);
    json_array_foreach(rows, i, row) {
        char stamp[32];
        AUTO_FREE char *cost =
            money(json_get_int(row, "micros", 0), json_get_str(row, "currency", ""));
        clock_format_utc(json_get_int(row, "day", 0) * DAY_MS, stamp, sizeof(stamp));
        stamp[10] = '\0';
        json_put_str(row, "date", stamp);
        json_put_str(row, "cost", cost);
    }
    return rows;
}

static json_t *gateway_status(struct ctl *c, struct err *e)
{
    json_t *days = status_days(c->eng, e);
    if (!days)
        return NULL;
    return json_pack(
        "{s:[], s:[o, o]}", "fields", "sections",
        ctl_section("Gateways", status_gates(c->eng, days),
                    "name GATEWAY|number NUMBER|to TO|state STATE|rate PER MINUTE|cost COST OF 7 DAYS|"
                    "next TRIED AGAIN|said SAID"),
        ctl_section("The last days", days,
                    "date DAY|gateway GATEWAY|texts TEXTS|segments SMS|delivered DELIVERED|"
                    "failed FAILED|cost COST"));
}

/* What waits for it gets another turn with the next row that is due. */
static json_t *gateway_enable(struct ctl *c, struct gate *g)
{
    gateway_close(g);
    outbound_arm(c->eng);
    return ctl_text("%s is asked again with the next text", g->name);
}

json_t *ctl_gateway(struct ctl *c, struct err *e)
{
    const char *verb = c->argv[1];
    if (strcmp(verb, "status") == 0 && c->argc == 2)
        return gateway_status(c, e);
    bool test = strcmp(verb, "test") == 0, pull = strcmp(verb, "pull") == 0;
    int most = test ? 5 : 3;
    bool number = test && c->argc > 3 && !strchr(c->argv[3], '=');
    if ((test || pull || strcmp(verb, "enable") == 0) && c->argc >= 3 && c->argc <= most) {
        if (test && ctl_options_check(c, 3 + number, "wait", e) < 0)
            return NULL;
        struct gate *g = gateways_find(c->eng, c->argv[2]);
        if (!g)
            err_set(e, ERR_INPUT, "there is no gateway %s in leadd.conf", c->argv[2]);
        return !g     ? NULL
               : test ? gateway_test(c, g, number ? c->argv[3] : NULL, e)
               : pull ? pull_now(c, g, e)
                      : gateway_enable(c, g);
    }
    err_set(e, ERR_INPUT, "expected: gateway status, gateway enable NAME, gateway pull NAME, or "
                          "gateway test NAME [NUMBER [wait=30s]]");
    return NULL;
}
