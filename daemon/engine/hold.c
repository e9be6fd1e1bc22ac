/* SPDX-License-Identifier: ISC
 *
 * hold - see hold.h; and leadctl hold, leadctl release
 */
#include "engine/hold.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "engine/call.h"
#include "engine/ctl.h"
#include "store/call.h"
#include "store/hold.h"
#include "store/outbox.h"

#define HOLD_BATCH 500

/* For people, in the zone of the company. */
static const char *told_of(const struct engine *eng, const json_t *j, const char *key, char out[40])
{
    return crm_when_tell(engine_setting(eng, "time_zone", "UTC"), json_get_int(j, key, 0), true, out,
                         40);
}

static const char *stamp_of(const json_t *j, const char *key, char out[32])
{
    return clock_format_utc(json_get_int(j, key, 0), out, 32);
}

char *hold_status(const struct engine *eng)
{
    char made[40], restored[40];
    if (!eng->hold)
        return NULL;
    return mem_printf("restored at %s from a backup of %s: nothing is sent until leadctl release",
                      told_of(eng, eng->hold, "restored_ms", restored),
                      told_of(eng, eng->hold, "made_ms", made));
}

const char *hold_why(const struct engine *eng)
{
    return eng->hold ? HOLD_MARK "it was made after the restore" : NULL;
}

int hold_load(struct engine *eng, struct err *e)
{
    json_t *hold;
    if (hold_get(eng->db, &hold, e) < 0)
        return -1;
    json_decref(eng->hold);
    eng->hold = hold;
    AUTO_FREE char *text = hold_status(eng);
    if (text)
        log_warn("engine.hold", "state=\"%s\" from=\"%s\" next=\"leadctl hold shows what waits\"",
                 text, json_get_str(hold, "path", "?"));
    return 0;
}

void hold_committed(struct engine *eng)
{
    json_decref(eng->hold_ended);
    eng->hold_ended = NULL;
}

void hold_undone(struct engine *eng)
{
    if (!eng->hold_ended)
        return;
    json_decref(eng->hold);
    eng->hold = eng->hold_ended;
    eng->hold_ended = NULL;
}

/* ---- leadctl hold ------------------------------------------------------------- */

/* Calls of other programs wait with the mails, and go with them. */
static json_t *held_calls(struct ctl *c, struct err *e)
{
    size_t i;
    json_t *row, *rows = call_held(c->eng->db, 0, ctl_limit(c), e);
    json_array_foreach(rows, i, row) {
        char stamp[32];
        json_put_str(row, "made", stamp_of(row, "created_ms", stamp));
        json_object_del(row, "body");
    }
    return rows;
}

json_t *ctl_hold(struct ctl *c, struct err *e)
{
    size_t i;
    json_t *row, *rows, *calls;
    if (ctl_options_check(c, 1, "limit", e) < 0 || !(calls = held_calls(c, e)))
        return NULL;
    if (!(rows = hold_list(c->eng->db, 0, ctl_limit(c), e))) {
        json_decref(calls);
        return NULL;
    }
    json_array_foreach(rows, i, row) {
        char stamp[32], lead[CRM_ID_LEN] = "";
        json_put_str(row, "came", stamp_of(row, "came_ms", stamp));
        if (json_get_int(row, "lead_id", 0))
            crm_id_format(CRM_LEAD, json_get_int(row, "lead_id", 0), lead);
        json_put_str(row, "lead", lead);
        json_put_str(row, "why", json_get_str(row, "reply", "") + strlen(HOLD_MARK));
    }
    AUTO_FREE char *status = hold_status(c->eng);
    json_t *table = ctl_table(rows, "id ID|came CAUSE WRITTEN|class KIND|to TO|lead LEAD|"
                                    "template TEMPLATE|subject SUBJECT|why WHY");
    json_put_str(table, "text", status ? status : "not in hold");
    if (json_array_size(calls) == 0) {
        json_decref(calls);
        return table;
    }
    json_object_set_new(table, "sections",
                        json_pack("[o]", ctl_section("Calls; they go with release all, or since=, or one "
                                                     "by one with leadctl calls retry", calls,
                                                     "id ID|made MADE|endpoint ENDPOINT|kind KIND|"
                                                     "record RECORD|rule RULE")));
    return table;
}

/* ---- leadctl release ------------------------------------------------------------ */

struct release {
    enum { RELEASE_ALL, RELEASE_NONE, RELEASE_SINCE, RELEASE_IDS } which;
    int64_t since_ms;
    bool drop_rest;
    int64_t let_go, dropped, calls;
};

static bool released(const struct ctl *c, const struct release *r, const json_t *row)
{
    int64_t id;
    if (r->which != RELEASE_IDS)
        return r->which == RELEASE_ALL ||
               (r->which == RELEASE_SINCE && json_get_int(row, "came_ms", 0) >= r->since_ms);
    for (int i = 1; i < c->argc; i++)
        if (text_parse_int(c->argv[i], &id) == 0 && id == json_get_int(row, "id", 0))
            return true;
    return false;
}

static int release_row(struct ctl *c, struct release *r, const json_t *row, struct err *e)
{
    bool go = released(c, r, row);
    if (!go && !r->drop_rest)
        return 0;
    AUTO_FREE char *by = mem_printf("%s by %s", go ? "released" : "dropped", c->user);
    struct outbox_change change = {
        .state = go ? "ready" : "failed",
        .next_ms = go ? clock_now_ms() : 0,
        .done_ms = go ? 0 : clock_now_ms(),
        .reply = by,
    };
    r->let_go += go;
    r->dropped += !go;
    return outbox_set_state(c->eng->db, json_get_int(row, "id", 0), &change, e);
}

static int release_rows(struct ctl *c, struct release *r, struct err *e)
{
    int64_t after = 0;
    for (;;) {
        size_t i;
        json_t *row;
        AUTO_JSON json_t *rows = hold_list(c->eng->db, after, HOLD_BATCH, e);
        if (!rows)
            return -1;
        json_array_foreach(rows, i, row) {
            after = json_get_int(row, "id", 0);
            if (release_row(c, r, row, e) < 0)
                return -1;
        }
        if (i < HOLD_BATCH)
            return 0;
    }
}

/* Calls of endpoints have no message that they came of: all of them, none, or those
 * made since. */
static int release_call(struct ctl *c, struct release *r, json_t *row, struct err *e)
{
    json_put_int(row, "came_ms", json_get_int(row, "created_ms", 0));
    bool go = r->which != RELEASE_IDS && released(c, r, row);
    if (r->which == RELEASE_IDS || (!go && !r->drop_rest))
        return 0;
    AUTO_FREE char *by = mem_printf("%s by %s", go ? "released" : "dropped", c->user);
    struct call_change change = {.state = go ? "ready" : "failed", .reply = by,
                                 .next_ms = go ? clock_now_ms() : 0,
                                 .again_ms = go ? clock_now_ms() : 0,
                                 .done_ms = go ? 0 : clock_now_ms()};
    r->calls += go;
    calls_look_again(c->eng, json_get_str(row, "endpoint", ""), change.next_ms);
    return call_set_state(c->eng->db, json_get_int(row, "id", 0), &change, e);
}

static int release_calls(struct ctl *c, struct release *r, struct err *e)
{
    int64_t after = 0;
    for (;;) {
        size_t i;
        json_t *row;
        AUTO_JSON json_t *rows = call_held(c->eng->db, after, HOLD_BATCH, e);
        if (!rows)
            return -1;
        json_array_foreach(rows, i, row) {
            after = json_get_int(row, "id", 0);
            if (release_call(c, r, row, e) < 0)
                return -1;
        }
        if (i < HOLD_BATCH)
            return 0;
    }
}

static int release_read(struct ctl *c, struct release *r, struct err *e)
{
    int64_t id;
    const char *rest = ctl_option(c, "rest"), *since = ctl_option(c, "since");
    *r = (struct release){.which = since ? RELEASE_SINCE : RELEASE_IDS};
    if (rest && strcmp(rest, "drop") != 0 && strcmp(rest, "keep") != 0)
        return err_set(e, ERR_INPUT, "rest=%s: expected drop or keep", rest);
    r->drop_rest = rest && strcmp(rest, "drop") == 0;
    if (since && ctl_option_time(c, "since", &r->since_ms, e) < 0)
        return -1;
    for (int i = 1; i < c->argc; i++) {
        const char *arg = c->argv[i];
        bool word = strcmp(arg, "all") == 0 || strcmp(arg, "none") == 0;
        if (arg == (rest ? rest - strlen("rest=") : NULL) ||
            arg == (since ? since - strlen("since=") : NULL))
            continue;
        if (word ? r->which != RELEASE_IDS : r->which != RELEASE_IDS || text_parse_int(arg, &id) < 0)
            return err_set(e, ERR_INPUT, "\"%s\": expected all, none, since=TIME or numbers of "
                           "leadctl hold, and rest=drop", arg);
        if (word)
            r->which = *arg == 'a' ? RELEASE_ALL : RELEASE_NONE;
    }
    return 0;
}

/* Numbers that are not held: a mistyped one must not look like one that was released. */
static int release_known(struct ctl *c, const struct release *r, struct err *e)
{
    int64_t id, after = 0;
    size_t n = HOLD_BATCH, i, numbers = 0;
    json_t *row;
    AUTO_JSON json_t *held = json_object();
    for (int k = 1; k < c->argc && r->which == RELEASE_IDS; k++)
        numbers += text_parse_int(c->argv[k], &id) == 0;
    if (r->which != RELEASE_IDS)
        return 0;
    if (numbers == 0)
        return err_set(e, ERR_INPUT, "usage: leadctl release NUMBER .. | all | none | since=TIME "
                       "[rest=drop]; leadctl hold has the numbers");
    while (n == HOLD_BATCH) {
        AUTO_JSON json_t *rows = hold_list(c->eng->db, after, HOLD_BATCH, e);
        if (!rows)
            return -1;
        n = json_array_size(rows);
        json_array_foreach(rows, i, row) {
            char key[24];
            after = json_get_int(row, "id", 0);
            snprintf(key, sizeof(key), "%" PRId64, after);
            json_put_bool(held, key, true);
        }
    }
    for (int k = 1; k < c->argc; k++) {
        char key[24];
        if (text_parse_int(c->argv[k], &id) < 0)
            continue;
        snprintf(key, sizeof(key), "%" PRId64, id);
        if (!json_object_get(held, key))
            return err_set(e, ERR_INPUT, "no mail with the number %s is in hold: nothing was released",
                           key);
    }
    return 0;
}

json_t *ctl_release(struct ctl *c, struct err *e)
{
    struct release r;
    if (release_read(c, &r, e) < 0 || release_known(c, &r, e) < 0 || release_rows(c, &r, e) < 0 ||
        release_calls(c, &r, e) < 0)
        return NULL;
    bool ends = r.which != RELEASE_IDS && c->eng->hold;
    if (ends && hold_end(c->eng->db, e) < 0)
        return NULL;
    if (ends) {
        c->eng->hold_ended = c->eng->hold;
        c->eng->hold = NULL;
    }
    log_info("engine.released", "mails=%" PRId64 " dropped=%" PRId64 " hold=%s by=%s", r.let_go,
             r.dropped, c->eng->hold ? "goes on" : "ended", c->user);
    AUTO_FREE char *calls = r.calls ? mem_printf(" and %" PRId64 " calls", r.calls) : mem_str("");
    return ctl_text("%" PRId64 "%s released, %" PRId64 " dropped; %s", r.let_go, calls, r.dropped,
                    c->eng->hold ? "still in hold" : "not in hold any more");
}

/* ---- what a backup needs to know ---------------------------------------------------- */

#define BACKUP_CONFIG_MAX (3 * 1024 * 1024)

json_t *ctl_backup(struct ctl *c, struct err *e)
{
    json_t *config = c->eng->role->config;
    (void)e;
    json_t *facts = json_pack("{s:I, s:s, s:s}", "now_ms", (json_int_t)clock_now_ms(), "store",
                              json_get_str(json_get_obj(config, "store"), "path", ""), "state_dir",
                              engine_setting(c->eng, "state_dir", ""));
    if (json_dumpb(config, NULL, 0, JSON_COMPACT) < BACKUP_CONFIG_MAX) /* must fit the frame */
        json_object_set(facts, "config", config);
    return facts;
}
