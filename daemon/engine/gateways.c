/* SPDX-License-Identifier: ISC
 *
 * gateways - see gateways.h
 */
#include "engine/gateways.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "engine/notice.h"

#define BREAK_AFTER 3             /* failures in a row */
#define BREAK_FIRST_MS MINUTE_MS /* then twice as long each time, up to ... */
#define BREAK_MOST_MS HOUR_MS
#define BREAK_ACCOUNT_MS 300000   /* sign-in refused, no money: a person has to act */
#define PAUSE_RATE_MS 5000        /* it said "too many", and not how long */

int64_t gateway_price(const char *text, char currency[4])
{
    size_t n = strcspn(text, " ");
    AUTO_FREE char *number = mem_strn(text, n);
    const char *c = text + n + (text[n] == ' ');
    snprintf(currency, 4, "%s", strlen(c) == 3 ? c : "");
    return *currency ? gateway_micros(number) : -1;
}

static void gate_read(struct gate *g, const char *name, const json_t *c)
{
    const char *type = json_get_str(c, "type", "http");
    *g = (struct gate){.name = name,
                       .conf = c,
                       .mail = strcmp(type, "email") == 0,
                       .sends = strcmp(type, "http") != 0 || json_get_str(c, "url", NULL)};
    turn_begin(&g->turn, json_get_int(c, "rate", 600));
}

int gateways_start(struct engine *eng, struct err *e)
{
    const char *name;
    json_t *c;
    eng->gateways = mem_alloc(sizeof(*eng->gateways));
    eng->gateways->held = json_object();
    json_object_foreach(json_get_obj(crm_config(eng->crm), "gateways"), name, c) {
        if (eng->gateways->count == BOUND_GATEWAYS)
            return err_set(e, ERR_PERM, "more than %d gateways", BOUND_GATEWAYS);
        gate_read(&eng->gateways->list[eng->gateways->count++], name, c);
    }
    return 0;
}

void gateways_stop(struct engine *eng)
{
    for (size_t i = 0; eng->gateways && i < eng->gateways->count; i++)
        turn_end(&eng->gateways->list[i].turn);
    if (eng->gateways)
        json_decref(eng->gateways->held);
    mem_free(eng->gateways);
    eng->gateways = NULL;
}

struct gate *gateways_find(struct engine *eng, const char *name)
{
    for (size_t i = 0; name && eng->gateways && i < eng->gateways->count; i++)
        if (strcmp(eng->gateways->list[i].name, name) == 0)
            return &eng->gateways->list[i];
    return NULL;
}

struct gate *gateways_of(struct engine *eng, const char *name_or_number)
{
    struct gate *g = gateways_find(eng, name_or_number);
    for (size_t i = 0; !g && name_or_number && eng->gateways && i < eng->gateways->count; i++)
        if (strcmp(json_get_str(eng->gateways->list[i].conf, "number", ""), name_or_number) == 0)
            g = &eng->gateways->list[i];
    return g;
}

bool gateway_serves(const struct gate *g, const char *number)
{
    const json_t *to = json_get_arr(g->conf, "to");
    bool serves = json_array_size(to) == 0;
    size_t i;
    json_t *prefix;
    if (!number)
        return true;
    json_array_foreach((json_t *)to, i, prefix)
        serves |= text_starts(number, json_string_value(prefix));
    return serves;
}

static bool gate_is_for(const struct gate *g, const char *wanted, const char *number)
{
    return g->sends && (!wanted || strcmp(wanted, g->name) == 0) && gateway_serves(g, number);
}

struct gate *gateways_first(struct engine *eng, const char *wanted, const char *number)
{
    for (size_t i = 0; eng->gateways && i < eng->gateways->count; i++)
        if (gate_is_for(&eng->gateways->list[i], wanted, number))
            return &eng->gateways->list[i];
    return NULL;
}

/* ---- turns ------------------------------------------------------------------------- */

/* A turn of one that is named in case those before it fail: taken at once where nobody waits
 * for it, and given back if it was not asked (gateways_used). */
static bool gate_spare_turn(struct gateways *gs, struct gate *g, int64_t row, int64_t segments,
                            int64_t now_ms)
{
    char id[32];
    if (!turn_spare(&g->turn, segments, now_ms))
        return false;
    snprintf(id, sizeof(id), "%" PRId64, row);
    json_t *held = json_object_get(gs->held, id);
    if (!held) {
        held = json_pack("{s:I, s:[]}", "segments", (json_int_t)segments, "names");
        json_object_set_new(gs->held, id, held);
    }
    json_array_append_new(json_get_arr(held, "names"), json_string(g->name));
    return true;
}

static bool was_asked(const json_t *texted, const char *name)
{
    size_t i;
    json_t *one;
    bool asked = strcmp(json_get_str(texted, "relay", ""), name) == 0;
    json_array_foreach(json_get_arr(texted, "left"), i, one)
        asked |= strcmp(json_get_str(one, "gateway", ""), name) == 0;
    return asked;
}

void gateways_used(struct engine *eng, int64_t row, const json_t *texted)
{
    char id[32];
    size_t i;
    json_t *name;
    snprintf(id, sizeof(id), "%" PRId64, row);
    const json_t *held = json_object_get(eng->gateways->held, id);
    json_array_foreach(json_get_arr(held, "names"), i, name) {
        struct gate *g = gateways_find(eng, json_string_value(name));
        if (g && texted && !was_asked(texted, g->name)) /* a courier that died may have asked it */
            turn_back(&g->turn, json_get_int(held, "segments", 1));
    }
    json_object_del(eng->gateways->held, id);
}

/* The breaker lets one through when its time is over, and waits for what comes of it. */
static bool gate_open(struct gate *g, int64_t now_ms)
{
    if (g->open_ms == 0)
        return true;
    if (now_ms < g->open_until_ms)
        return false;
    g->open_until_ms = now_ms + BREAK_FIRST_MS;
    return true;
}

static void gate_too_late(const struct gate *g, int64_t *later, char why[256])
{
    if (*later && *later <= g->open_until_ms)
        return;
    *later = g->open_until_ms;
    snprintf(why, 256, "%s", g->text);
}

json_t *gateways_turn(struct engine *eng, int64_t row, const char *wanted, const char *number,
                      int64_t segments, int64_t now_ms, struct gate **mail_out, int64_t *later_out,
                      char why[256])
{
    json_t *names = json_array();
    *mail_out = NULL;
    *later_out = 0;
    *why = '\0';
    for (size_t i = 0; eng->gateways && i < eng->gateways->count; i++) {
        struct gate *g = &eng->gateways->list[i];
        bool first = json_array_size(names) == 0;
        if (!gate_is_for(g, wanted, number))
            continue;
        if (!gate_open(g, now_ms)) {
            gate_too_late(g, later_out, why);
            continue;
        }
        if (g->mail && !first)
            break; /* mail is another way: it is taken when those before it are not there */
        if (first && !turn_take(&g->turn, row, segments, now_ms, later_out)) {
            snprintf(why, 256, "waits its turn at %s", g->name);
            json_decref(names);
            return NULL;
        }
        if (!first && !gate_spare_turn(eng->gateways, g, row, segments > 0 ? segments : 1, now_ms))
            continue;
        json_array_append_new(names, json_string(g->name));
        if (g->mail) {
            *mail_out = g;
            break;
        }
    }
    if (json_array_size(names) > 0)
        return names;
    json_decref(names);
    return NULL;
}

void gateway_turn_back(struct gate *g, int64_t segments)
{
    turn_back(&g->turn, segments);
}

/* ---- what came of it ------------------------------------------------------------------ */

static void gate_tell(struct engine *eng, const struct gate *g)
{
    char day[32];
    AUTO_FREE char *key = mem_printf("gateway/%s/%s/%s", g->name, gateway_reason_name(g->why),
                                     notice_day(day));
    AUTO_FREE char *subject = mem_printf("leadd: no SMS by the gateway %s", g->name);
    AUTO_FREE char *text = mem_printf(
        "%s\n\nWhat it said last: %s\n\nTexts wait, or go by the next gateway. See: leadctl gateway "
        "status.\nOnce it is set right: leadctl gateway enable %s.\n",
        g->why == GATEWAY_AUTH      ? "It refuses our sign-in: look at user and secret_file."
        : g->why == GATEWAY_BALANCE ? "It says that the account has no money left."
                                    : "It cannot be reached, or fails again and again.",
        g->text, g->name);
    notice_queue(eng, key, subject, text);
}

static void gate_break(struct engine *eng, struct gate *g, int64_t pause_ms)
{
    int64_t now = clock_now_ms();
    bool news = g->open_ms == 0;
    g->open_ms = news ? now : g->open_ms;
    g->open_until_ms = now + pause_ms;
    log_warn("gateway.break", "gateway=%s reason=%s text=\"%s\" next=\"again in %" PRId64 " s\"",
             g->name, gateway_reason_name(g->why), g->text, pause_ms / 1000);
    if (news && g->why != GATEWAY_RATE)
        gate_tell(eng, g);
}

void gateway_close(struct gate *g)
{
    g->open_ms = g->open_until_ms = g->fails = 0;
    g->why = GATEWAY_OK;
    g->text[0] = '\0';
}

void gateway_said(struct engine *eng, struct gate *g, enum gateway_reason r, const char *text,
                  int64_t retry_ms)
{
    if (r == GATEWAY_OK || gateway_reason_is_final(r)) {
        if (g->open_ms)
            log_info("gateway.back", "gateway=%s", g->name);
        gateway_close(g);
        return;
    }
    g->why = r;
    snprintf(g->text, sizeof(g->text), "%s", text ? text : "");
    g->text[text_utf8_cut(g->text, strlen(g->text), sizeof(g->text) - 1)] = '\0';
    g->fails++;
    if (r == GATEWAY_RATE) {
        gate_break(eng, g, retry_ms > 0 ? retry_ms : PAUSE_RATE_MS);
    } else if (r == GATEWAY_AUTH || r == GATEWAY_BALANCE) {
        engine_count(eng, r == GATEWAY_AUTH ? "gateway_auth_errors" : "gateway_balance_errors", 1);
        gate_break(eng, g, BREAK_ACCOUNT_MS);
    } else if (g->fails >= BREAK_AFTER) {
        int64_t pause = BREAK_FIRST_MS;
        for (int64_t i = BREAK_AFTER; i < g->fails && pause < BREAK_MOST_MS; i++)
            pause *= 2;
        pause = pause < BREAK_MOST_MS ? pause : BREAK_MOST_MS;
        gate_break(eng, g, retry_ms > pause ? retry_ms : pause);
    }
}
