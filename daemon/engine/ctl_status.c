/* SPDX-License-Identifier: ISC
 *
 * ctl_status - status, reload, clock
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "engine/asks.h"
#include "engine/call.h"
#include "engine/ctl.h"
#include "engine/hold.h"
#include "engine/storage.h"
#include "engine/timer.h"
#include "rule/ruleset.h"
#include "store/activation.h"
#include "store/counts.h"
#include "store/held.h"

static json_t *ask_supervisor(struct ctl *c, const char *what, enum frame_type type)
{
    struct ask *a = ask_new(c->eng, c->it, what);
    ask_expect(a, 0, type == FRAME_RELOAD ? FRAME_RELOAD_DONE : FRAME_PROCESSES);
    chan_send_json(c->eng->role->sup, type, a->id, NULL);
    return NULL;
}

json_t *ctl_status(struct ctl *c, struct err *e)
{
    (void)e;
    return ask_supervisor(c, "status", FRAME_LIST_PROCESSES);
}

json_t *ctl_reload(struct ctl *c, struct err *e)
{
    /* a store that cannot be written must not keep anybody from a reload */
    if (db_in_transaction(c->eng->db) &&
        activation_ask(c->eng->db, c->user, clock_now_ms(), e) < 0)
        return NULL;
    return ask_supervisor(c, "reload", FRAME_RELOAD);
}

static void field(json_t *fields, const char *label, json_t *value)
{
    json_array_append_new(fields, json_pack("[s, o]", label, value));
}

static json_t *processes_section(const json_t *parts)
{
    json_t *rows = json_get_arr(json_array_get(parts, 0), "processes");
    return ctl_section("Processes", rows ? json_incref(rows) : json_null(),
                       "name PROCESS|pid PID|state STATE|restarts RESTARTS|user USER|"
                       "dropped OWN USER|no_new_privs NO NEW PRIVS|landlock LANDLOCK|"
                       "seccomp SECCOMP|lacks LACKS|error ERROR");
}

/* "counting" for the first moments of a start with very many rows. */
static json_t *filed_cell(const json_t *counts)
{
    json_t *n = json_object_get(counts, "filed");
    return n ? json_incref(n) : json_string("counting");
}

static json_t *mailbox_row(struct engine *eng, const struct peer *p)
{
    const char *name = peer_instance(p);
    const json_t *box = json_get_obj(json_get_obj(eng->role->config, "mailboxes"), name);
    bool maildir = strcmp(json_get_str(box, "type", ""), "maildir") == 0;
    AUTO_FREE char *source = mem_printf(maildir ? "maildir:%s" : "imap:%s/", name);
    AUTO_JSON json_t *n = counts_ledger(eng->counts, eng->db, source, NULL);
    return json_pack("{s:s, s:s, s:o, s:I, s:I, s:i, s:s}", "name", name, "state",
                     json_get_str(p->state, "state", "starting"), "filed", filed_cell(n),
                     "ignored", json_get_int(n, "ignored", 0), "quarantined",
                     json_get_int(n, "quarantined", 0), "in_hand", p->inflight, "error",
                     json_get_str(p->state, "error", ""));
}

static json_t *mailboxes_section(struct engine *eng)
{
    json_t *rows = json_array();
    for (struct peer *p = eng->peers; p; p = p->next) {
        char stamp[32];
        int64_t at = json_get_int(p->state, "at_ms", 0);
        if (strncmp(p->name, "intake:", 7) != 0)
            continue;
        json_t *row = mailbox_row(eng, p);
        json_put_str(row, "since", at ? clock_format_utc(at, stamp, sizeof(stamp)) : "");
        json_array_append_new(rows, row);
    }
    return ctl_section("Mailboxes", rows,
                       "name MAILBOX|state STATE|filed FILED|ignored IGNORED|"
                       "quarantined QUARANTINED|in_hand IN HAND|error ERROR");
}

static json_t *outbox_section(struct engine *eng)
{
    const char *state;
    json_t *n, *rows = json_array();
    AUTO_JSON json_t *counts = counts_outbox(eng->counts, eng->db, NULL);
    json_object_foreach(counts, state, n)
        json_array_append_new(rows, json_pack("{s:s, s:O}", "state", state, "mails", n));
    return ctl_section("Outbox", rows, "state STATE|mails MAILS");
}

/* Where no rule waits, nothing is said. */
static void field_timers(struct engine *eng, json_t *fields)
{
    struct timers_stats t;
    char next[32] = "";
    if (timers_stats(eng, &t, NULL) < 0 || t.pending == 0)
        return;
    AUTO_FREE char *text = mem_printf("%lld%s pending, %lld late%s", (long long)t.pending,
                                      t.pending == TIMERS_COUNTED ? " or more" : "",
                                      (long long)t.late,
                                      t.held ? ", which are held: leadctl due --late" : "");
    field(fields, "timers", json_string(text));
    if (t.next_ms)
        field(fields, "next timer", json_string(clock_format_utc(t.next_ms, next, sizeof(next))));
}

/* Commands by mail that wait for a proof; nothing is said where there are none. */
static void field_held(struct engine *eng, json_t *fields)
{
    int64_t n = 0;
    if (held_count(eng->db, &n, NULL) < 0 || n == 0)
        return;
    AUTO_FREE char *text = mem_printf("%lld, see leadctl held list", (long long)n);
    field(fields, "held commands", json_string(text));
}

json_t *ctl_status_answer(struct engine *eng, const json_t *parts)
{
    char now[32], hash[16];
    const struct ruleset *rules = crm_rules(eng->crm);
    json_t *fields = json_array();
    snprintf(hash, sizeof(hash), "%.12s", ruleset_hash(rules));
    field(fields, "version", json_string(LEADD_VERSION));
    field(fields, "time", json_string(clock_format_utc(clock_now_ms(), now, sizeof(now))));
    if (clock_is_pretended())
        field(fields, "clock", json_string("pretended"));
    AUTO_FREE char *hold = hold_status(eng);
    if (hold)
        field(fields, "in hold", json_string(hold));
    field(fields, "rules", json_integer((json_int_t)ruleset_count(rules)));
    field(fields, "rule set", json_string(hash));
    field_timers(eng, fields);
    AUTO_FREE char *storage = storage_text(eng->storage);
    field(fields, "storage", json_string(storage));
    AUTO_JSON json_t *ledger = counts_ledger(eng->counts, eng->db, "", NULL);
    field(fields, "filed", filed_cell(ledger));
    field(fields, "ignored", json_integer(json_get_int(ledger, "ignored", 0)));
    field(fields, "quarantined", json_integer(json_get_int(ledger, "quarantined", 0)));
    field_held(eng, fields);
    json_t *sections = json_pack("[o, o, o]", processes_section(parts), mailboxes_section(eng),
                                 outbox_section(eng));
    json_t *endpoints = calls_section(eng);
    if (endpoints)
        json_array_append_new(sections, endpoints);
    return json_pack("{s:o, s:o}", "fields", fields, "sections", sections);
}

json_t *ctl_reload_answer(struct engine *eng, const json_t *parts, int *exit_out)
{
    const json_t *r = json_array_get(parts, 0);
    struct err e = {0};
    struct buf b AUTO_BUF;
    size_t i;
    json_t *s;
    buf_init(&b, 256 * 1024);
    *exit_out = json_get_bool(r, "ok", false) ? 0 : 78;
    if (*exit_out && !db_in_transaction(eng->db) && activation_forget(eng->db, &e) < 0)
        log_debug("reload.forget", "error=\"%s\"", e.text); /* nothing came of it */
    if (!r)
        buf_str(&b, "the supervisor did not answer");
    json_array_foreach(json_get_arr(r, "errors"), i, s)
        buf_printf(&b, "%s\n", json_string_value(s) ? json_string_value(s) : "");
    if (r && *exit_out)
        buf_str(&b, "nothing was changed: the old configuration stays in force");
    if (r && *exit_out == 0) {
        json_t *list = json_get_arr(r, "restarted");
        if (!list)
            list = json_get_arr(r, "restarting");
        buf_str(&b, json_array_size(list) ? "restarting:" : "nothing has changed");
        json_array_foreach(list, i, s)
            buf_printf(&b, " %s", json_string_value(s) ? json_string_value(s) : "");
    }
    json_t *out = ctl_text("%s", "");
    json_put_str(out, "text", b.data);
    if (r)
        json_object_set(out, "reload", (json_t *)r);
    return out;
}

json_t *ctl_clock(struct ctl *c, struct err *e)
{
    char now[32], told[40];
    int64_t ms;
    if (c->argc > 1) {
        if (!clock_is_pretended()) {
            err_set(e, ERR_INPUT, "the clock is real; start leadd with --pretend-time to set it");
            return NULL;
        }
        if (c->argc != 3 || strcmp(c->argv[1], "advance") != 0 ||
            text_parse_duration(c->argv[2], &ms) < 0) {
            err_set(e, ERR_INPUT, "usage: leadctl clock advance DURATION, such as 3d or \"2h 30m\"");
            return NULL;
        }
        if (c->eng->walk) {
            err_set(e, ERR_INPUT, "the clock is on its way already");
            return NULL;
        }
        walk_start(c->eng, c->it, clock_now_ms() + ms);
        return NULL;
    }
    const char *zone = engine_setting(c->eng, "time_zone", "UTC");
    crm_when_tell(zone, clock_now_ms(), true, told, sizeof(told));
    json_t *data = ctl_text("%s %s%s", told, zone, clock_is_pretended() ? " (pretended)" : "");
    json_put_str(data, "now", clock_format_utc(clock_now_ms(), now, sizeof(now)));
    return data;
}
