/* SPDX-License-Identifier: ISC
 *
 * gateway_test - see gateway_test.h
 */
#include "engine/gateway_test.h"

#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/country.h"
#include "engine/asks.h"
#include "engine/sms_out.h"

/* What is owed beside QUERIED, under names that no peer can answer with. */
#define OWED_PEER UINT64_MAX
#define OWED_TEXT FRAME_TEXTED
#define OWED_RECEIPT FRAME_HOOK
#define RECEIPT_WAIT_MS 60000

/* state: "ok", "failed", or why it was not tried. */
static json_t *step(int place, const char *name, const char *state, const char *said)
{
    return json_pack("{s:i, s:s, s:s, s:s}", "place", place, "step", name, "state", state, "said",
                     said);
}

/* ---- the text -------------------------------------------------------------------------- */

static int text_queue(struct ctl *c, const struct gate *g, const char *number, int64_t *id_out,
                      char held[256], struct err *e)
{
    struct input in;
    struct crm_target none = {0};
    char to[CRM_ADDRESS_MAX];
    if (crm_phone_fold(number, engine_setting(c->eng, "default_country", NULL), to, sizeof(to)) < 0)
        return err_set(e, ERR_INPUT, "gateway test: '%.40s' is no number; such as +431234567",
                       number);
    uint64_t random; /* two tests at one moment are two texts */
    hash_random(&random, sizeof(random));
    input_begin(&in, c->eng, mem_printf("gateway test by %s", c->user),
                mem_printf("test/%s/%016" PRIx64, g->name, random));
    AUTO_FREE char *text = mem_printf("A test of leadd by %s: it works.",
                                      engine_setting(c->eng, "company", "us"));
    struct sms_letter l = {.class_ = "notice", .intent = in.intent, .to = to, .to_user = c->user,
                           .from = g->name, .text = text, .target = &none};
    int rc = sms_put(&in, &l, id_out, held, e);
    input_end(&in);
    return rc;
}

/* NULL: a receipt is to come. */
static const char *no_receipt(struct engine *eng, const struct gate *g)
{
    const json_t *receipt = json_get_obj(g->conf, "receipt");
    if (g->mail || json_array_size(json_get_arr(receipt, "status")) == 0)
        return "the gateway tells nothing of texts that it took";
    if (!json_get_bool(g->conf, "receipts", true))
        return "receipts = false";
    if (!json_get_str(json_get_obj(crm_config(eng->crm), "web"), "in_url", NULL))
        return "in_url of web is not set, so the gateway cannot tell";
    return NULL;
}

static int text_begin(struct ctl *c, const struct gate *g, struct ask *a, const char *number,
                      int64_t wait_ms, struct err *e)
{
    struct gateways *gs = c->eng->gateways;
    const char *none = no_receipt(c->eng, g);
    char held[256] = "";
    int64_t id = 0;
    if (text_queue(c, g, number, &id, held, e) < 0)
        return -1;
    if (*held) {
        ask_add(a, step(5, "accepted", "held", held));
        return 0;
    }
    gs->test_outbox = id;
    gs->test_wait_ms = wait_ms;
    gs->test_ask = a->id;
    ask_expect(a, OWED_PEER, OWED_TEXT);
    if (none)
        ask_add(a, step(6, "receipt", "not asked for", none));
    else
        ask_expect(a, OWED_PEER, OWED_RECEIPT);
    return 0;
}

void gateway_test_settled(struct engine *eng, int64_t outbox, const char *outcome,
                          const char *text)
{
    struct gateways *gs = eng->gateways;
    if (outbox != gs->test_outbox)
        return;
    bool ok = strcmp(outcome, "accepted") == 0;
    AUTO_FREE char *said = mem_printf("SMS %" PRId64 ": %s", outbox, text ? text : outcome);
    AUTO_JSON json_t *part = step(5, "accepted", ok ? "ok" : "failed", said);
    ask_within(eng, gs->test_ask, gs->test_wait_ms);
    ask_answered(eng, gs->test_ask, OWED_PEER, OWED_TEXT, part);
    if (!ok)
        ask_answered(eng, gs->test_ask, OWED_PEER, OWED_RECEIPT, NULL);
}

void gateway_test_receipt(struct engine *eng, int64_t outbox, const char *state)
{
    struct gateways *gs = eng->gateways;
    if (outbox != gs->test_outbox)
        return;
    AUTO_JSON json_t *part = step(6, "receipt", "ok", state);
    ask_answered(eng, gs->test_ask, OWED_PEER, OWED_RECEIPT, part);
}

/* ---- the connection ---------------------------------------------------------------------- */

static void connection_steps(const json_t *j, json_t *parts)
{
    static const char *const names[] = {"name", "connection", "TLS", "sign-in"};
    const char *reached = json_get_str(j, "reached", ""), *text = json_get_str(j, "text", "");
    int64_t code = json_get_int(j, "code", 0);
    bool over = false;
    for (int i = 0; i < 4; i++) {
        const char *said = json_get_str(j, names[i], "");
        if (over)
            continue;
        if (strcmp(reached, names[i]) == 0) { /* the first that failed */
            json_array_append_new(parts, step(i + 1, names[i], "failed", text));
            over = true;
        } else if (i < 3) {
            json_array_append_new(parts, step(i + 1, names[i], *said ? "ok" : "not used", said));
        } else if (code) {
            bool refused = code == 401 || code == 403;
            json_array_append_new(parts, step(4, "sign-in", refused ? "failed" : "ok", text));
        } else {
            json_array_append_new(parts, step(4, "sign-in", "not tried",
                                              "only a text shows it: gateway test NAME NUMBER"));
        }
    }
}

void gateway_test_told(struct engine *eng, const struct item *it)
{
    const json_t *j = it->frame.json;
    AUTO_JSON json_t *part = json_object();
    json_t *steps = json_array();
    if (json_object_get(j, "reached"))
        connection_steps(j, steps);
    else /* a folder, or nothing that could be asked */
        json_array_append_new(steps, step(1, json_get_str(j, "step", "gateway"),
                                          json_get_bool(j, "ok", false) ? "ok" : "failed",
                                          json_get_str(j, "text", "")));
    json_object_set_new(part, "steps", steps);
    ask_answered(eng, it->frame.id, it->peer, FRAME_QUERIED, part);
}

/* wait=30s, behind the number. */
static int wait_read(const struct ctl *c, int64_t *ms_out, struct err *e)
{
    const char *wait = ctl_option(c, "wait");
    *ms_out = RECEIPT_WAIT_MS;
    if (!wait || (text_parse_duration(wait, ms_out) == 0 && *ms_out > 0 && *ms_out <= RECEIPT_WAIT_MS))
        return 0;
    return err_set(e, ERR_INPUT, "wait=%s: expected a duration up to 1m", wait);
}

json_t *gateway_test(struct ctl *c, struct gate *g, const char *number, struct err *e)
{
    int64_t wait_ms;
    if (wait_read(c, &wait_ms, e) < 0)
        return NULL;
    struct peer *courier = peer_by_name(c->eng, "courier");
    if (!courier || !courier->greeted) {
        err_set(e, ERR_INPUT, "the courier is just starting; ask again");
        return NULL;
    }
    struct ask *a = ask_new(c->eng, c->it, "gateway test");
    if (g->mail)
        ask_add(a, step(1, "relays", "ok", "it goes as mail, by the relays"));
    else
        ask_expect(a, courier->serial, FRAME_QUERIED);
    if (!g->mail)
        engine_answer(c->eng, courier->serial, FRAME_QUERY, a->id,
                      json_pack("{s:s, s:s, s:s}", "gateway", g->name, "what", "test",
                                "provider_id", "leadd-test"));
    if (number && text_begin(c, g, a, number, wait_ms, e) < 0)
        return NULL;
    ask_asked(a);
    return NULL;
}

/* ---- the answer --------------------------------------------------------------------------- */

static void put_in_order(json_t *rows, json_t *s)
{
    size_t at = 0;
    while (at < json_array_size(rows) &&
           json_get_int(json_array_get(rows, at), "place", 0) <= json_get_int(s, "place", 0))
        at++;
    json_array_insert(rows, at, s);
}

/* What has not come in time, each as the step that it is. */
static void steps_owed(const struct ask *a, json_t *rows)
{
    int64_t n = a->eng->gateways->test_outbox;
    for (size_t i = 0; i < a->owed_count; i++) {
        enum frame_type type = a->owed[i].peer == OWED_PEER ? a->owed[i].type : FRAME_QUERIED;
        AUTO_FREE char *said =
            type == OWED_RECEIPT ? mem_printf("the gateway took the text, and has told nothing of it so far; "
                                              "leadctl outbox show %" PRId64 " tells when it does", n)
            : type == OWED_TEXT  ? mem_printf("it waits or is being handed over; leadctl outbox show %" PRId64, n)
                                 : mem_str("the gateway, or the courier, did not answer in time");
        AUTO_JSON json_t *s = type == OWED_RECEIPT ? step(6, "receipt", "none yet", said)
                              : type == OWED_TEXT  ? step(5, "accepted", "not yet", said)
                                                   : step(1, "courier", "failed", said);
        put_in_order(rows, s);
    }
}

json_t *gateway_test_answer(const struct ask *a, int *exit_out)
{
    size_t i, k;
    json_t *part, *s, *rows = json_array();
    if (a->owed_count > 0)
        *exit_out = 75;
    json_array_foreach(a->parts, i, part) {
        const char *error = json_get_str(part, "error", NULL);
        json_array_foreach(json_get_arr(part, "steps"), k, s)
            put_in_order(rows, s);
        if (json_get_str(part, "step", NULL))
            put_in_order(rows, part);
        if (error)
            json_array_append_new(rows, step(9, "courier", "failed", error));
    }
    steps_owed(a, rows);
    json_array_foreach(rows, i, s)
        if (strcmp(json_get_str(s, "state", ""), "failed") == 0)
            *exit_out = 1;
    return ctl_table(rows, "step STEP|state STATE|said SAID");
}
