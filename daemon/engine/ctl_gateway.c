/* SPDX-License-Identifier: ISC
 *
 * ctl_gateway - leadctl gateway status, enable, pull and test
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crm/address.h"
#include "crm/country.h"
#include "engine/ctl.h"
#include "engine/gateway_pull.h"
#include "engine/gateways.h"
#include "engine/sms_out.h"
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

static json_t *status_gates(struct engine *eng)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < eng->gateways->count; i++) {
        const struct gate *g = &eng->gateways->list[i];
        char stamp[32];
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "name", g->name, "number",
                            json_get_str(g->conf, "number", ""), "state", gate_state(g), "next",
                            g->open_ms ? clock_format_utc(g->open_until_ms, stamp, sizeof(stamp))
                                       : "",
                            "rate", (json_int_t)json_get_int(g->conf, "rate", 0), "said", g->text));
    }
    return rows;
}

/* Days with their sums; money as people write it. */
static json_t *status_days(struct engine *eng, struct err *e)
{
    size_t i;
    json_t *row;
    json_t *rows = sms_days(eng->db, clock_now_ms() / 86400000 - STATUS_DAYS + 1, e);
    json_array_foreach(rows, i, row) {
        char stamp[32];
        int64_t micros = json_get_int(row, "micros", 0);
        clock_format_utc(json_get_int(row, "day", 0) * 86400000, stamp, sizeof(stamp));
        stamp[10] = '\0';
        AUTO_FREE char *cost = mem_printf("%" PRId64 ".%04" PRId64 " %s", micros / 1000000,
                                          micros % 1000000 / 100, json_get_str(row, "currency", ""));
        json_put_str(row, "date", stamp);
        json_put_str(row, "cost", json_is_string(json_object_get(row, "currency")) ? cost : "");
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
        ctl_section("Gateways", status_gates(c->eng),
                    "name GATEWAY|number NUMBER|state STATE|rate PER MINUTE|next TRIED AGAIN|said SAID"),
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

static json_t *gateway_test(struct ctl *c, struct gate *g, const char *number, struct err *e)
{
    struct input in;
    struct crm_target none = {0};
    char to[CRM_ADDRESS_MAX];
    int64_t id = 0;
    if (crm_phone_fold(number, engine_setting(c->eng, "default_country", NULL), to, sizeof(to)) < 0) {
        err_set(e, ERR_INPUT, "gateway test: '%.40s' is no number; such as +431234567", number);
        return NULL;
    }
    input_begin(&in, c->eng, mem_printf("gateway test by %s", c->user),
                mem_printf("test/%s/%" PRId64, g->name, clock_now_ms()));
    AUTO_FREE char *text = mem_printf("A test of leadd by %s: it works.",
                                      engine_setting(c->eng, "company", "us"));
    struct sms_letter l = {.class_ = "notice", .intent = in.intent, .to = to, .to_user = c->user,
                           .from = g->name, .text = text, .target = &none};
    char held[256] = "";
    int rc = sms_put(&in, &l, &id, held, e);
    input_end(&in);
    if (rc < 0)
        return NULL;
    return ctl_text("SMS %" PRId64 " to %s %s%s; what %s says of it: leadctl outbox show %" PRId64, id,
                    to, *held ? "is held: " : "goes out now", held, g->name, id);
}

json_t *ctl_gateway(struct ctl *c, struct err *e)
{
    const char *verb = c->argv[1];
    if (strcmp(verb, "status") == 0 && c->argc == 2)
        return gateway_status(c, e);
    bool test = strcmp(verb, "test") == 0, pull = strcmp(verb, "pull") == 0;
    if ((test || pull || strcmp(verb, "enable") == 0) && c->argc == (test ? 4 : 3)) {
        struct gate *g = gateways_find(c->eng, c->argv[2]);
        if (!g)
            err_set(e, ERR_INPUT, "there is no gateway %s in leadd.conf", c->argv[2]);
        return !g     ? NULL
               : test ? gateway_test(c, g, c->argv[3], e)
               : pull ? pull_now(c, g, e)
                      : gateway_enable(c, g);
    }
    err_set(e, ERR_INPUT, "expected: gateway status, gateway enable NAME, gateway pull NAME, or "
                          "gateway test NAME NUMBER");
    return NULL;
}
