/* SPDX-License-Identifier: ISC
 *
 * parsing - mails on their way through the parser role
 *
 * The parser works strictly in order, so the first mail without an answer is
 * the one it is at. When it dies or takes too long, that mail is the suspect:
 * it goes to the pass as poison (and so to quarantine), the others go to the
 * next parser. One poison message cannot stop anything.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "engine/parsed.h"

#define PARSING_AHEAD 32 /* mails in the parser's channel: a pass then has many to commit */

static int64_t parser_cpu_ms(struct engine *eng)
{
    struct peer *parser = peer_by_name(eng, "parser");
    const char *dot = parser ? strchr(parser->gen, '.') : NULL; /* KIND.PID.NUMBER */
    return dot ? clock_cpu_ms((pid_t)strtol(dot + 1, NULL, 10)) : -1;
}

static void parsing_begin(struct engine *eng, struct item *head)
{
    head->parse_start_mono = clock_mono_ms();
    head->parse_start_cpu = parser_cpu_ms(eng);
}

static int64_t parse_limit_ms(void)
{
    return HOOK("parse.short") ? BOUND_PARSE_MS / 10 : BOUND_PARSE_MS;
}

/* What is left for the head: of processor time, which a busy machine does not
 * take from it, and on the clock. */
static int64_t parsing_left(struct engine *eng, const struct item *head)
{
    const int64_t limit = parse_limit_ms();
    int64_t wall = clock_mono_ms() - head->parse_start_mono, cpu = parser_cpu_ms(eng);
    if (cpu < 0 || head->parse_start_cpu < 0)
        return limit - wall;
    int64_t left = limit - (cpu - head->parse_start_cpu), left_wall = BOUND_PARSE_WALL_MS - wall;
    return left < left_wall ? left : left_wall;
}

static void parsing_look_in(struct engine *eng, int64_t ms)
{
    struct timeval tv = {ms > 0 ? ms / 1000 : 0, ms > 0 ? (ms % 1000) * 1000 : 0};
    event_add(eng->parse_late, &tv);
}

/* Nobody uses more processor time than has passed. */
static void parsing_arm(struct engine *eng)
{
    struct item *head = eng->parsing.head;
    if (head)
        parsing_look_in(eng, head->parse_start_mono + parse_limit_ms() - clock_mono_ms());
    else
        event_del(eng->parse_late);
}

void parsing_late(struct engine *eng)
{
    struct item *head = eng->parsing.head;
    struct peer *parser = peer_by_name(eng, "parser");
    if (!head || !parser)
        return;
    int64_t left = parsing_left(eng, head);
    if (left > 0) {
        parsing_look_in(eng, left);
        return;
    }
    int64_t cpu = head->parse_start_cpu < 0 ? -1 : parser_cpu_ms(eng) - head->parse_start_cpu;
    if (!head->late)
        head->late = cpu >= 0 ? mem_printf("out of time after %" PRId64 " ms of processor time", cpu)
                              : mem_str("out of time");
    log_warn("parser.late", "why=\"%s\" next=\"replaced\"", head->late);
    AUTO_JSON json_t *j = json_pack("{s:s, s:s, s:s}", "name", "parser", "gen", parser->gen, "why",
                                    head->late);
    chan_send_json(eng->role->sup, FRAME_REPLACE_PEER, 0, j);
}

static void parsing_send(struct engine *eng)
{
    struct peer *parser = peer_by_name(eng, "parser");
    while (parser && eng->parse.head && eng->parsing.count < PARSING_AHEAD) {
        struct item *it = queue_take(&eng->parse);
        AUTO_JSON json_t *ask = json_object();
        json_put_bool(ask, "truncated", json_get_bool(it->frame.json, "truncated", false));
        json_put_int(ask, "now_ms", clock_now_ms());
        if (json_get_arr(it->frame.json, "parts"))
            json_object_set(ask, "parts", json_get_arr(it->frame.json, "parts"));
        if (json_dumpb(ask, NULL, 0, JSON_COMPACT) > BOUND_FRAME_JSON)
            json_object_del(ask, "parts"); /* numbers may be longer than they came */
        if (eng->parsing.count == 0)
            parsing_begin(eng, it);
        it->parse_id = ++eng->next_parse;
        queue_add(&eng->parsing, it);
        chan_send(parser->chan, FRAME_PARSE, it->parse_id, ask, it->frame.raw,
                  it->frame.raw_len, -1);
    }
    parsing_arm(eng);
}

void parsing_add(struct engine *eng, struct item *it)
{
    queue_add(&eng->parse, it);
    parsing_send(eng);
}

/* The head leaves the parser, with a form or as poison; the next becomes head. */
static void parsing_finish_head(struct engine *eng)
{
    struct item *it = queue_take(&eng->parsing);
    engine_queue(eng, it);
    if (eng->parsing.head)
        parsing_begin(eng, eng->parsing.head);
}

void parsing_done(struct engine *eng, struct peer *p, struct frame *f)
{
    struct item *it = eng->parsing.head;
    if (!it || f->id != it->parse_id) {
        /* an answer to a question nobody asked: it must not become another mail's */
        log_debug("parser.wrong_answer", "id=%" PRIu64 " expected=%" PRIu64, f->id,
                  it ? it->parse_id : 0);
        peer_odd(p, "PARSED to a question that was not asked");
        return;
    }
    json_t *message = json_get_obj(f->json, "message");
    struct err e = {0};
    int removed = 0;
    if (message && parsed_clean(message, &removed, &e) == 0)
        it->message = json_incref(message);
    else
        it->poison = mem_str(message ? e.text
                                     : json_get_str(f->json, "error", "the parser gave no message"));
    if (removed || *e.text)
        log_warn("parser.odd", "unknown_keys=%d error=\"%s\" next=\"%s\"", removed, e.text,
                 *e.text ? "quarantine" : "the rest is taken");
    parsing_finish_head(eng);
    parsing_send(eng);
}

void parsing_new_parser(struct engine *eng)
{
    parsing_send(eng);
}

void parsing_parser_gone(struct engine *eng, const char *why, bool leaving)
{
    struct queue rest;
    queue_init(&rest);
    /* one that always says so and dies of the message is not believed for ever */
    if (eng->parsing.head && (!leaving || eng->parsing.head->given_back++ >= BOUND_GIVEN_BACK)) {
        const char *late = eng->parsing.head->late;
        eng->parsing.head->poison = mem_printf("the parser ended at this message (%s)",
                                               late ? late : why);
        log_warn("parser.poison", "size=%zu peer=%s why=\"%s\" next=quarantine",
                 eng->parsing.head->frame.raw_len, eng->parsing.head->peer_name, why);
        parsing_finish_head(eng);
    }
    /* back to the front of the waiting ones, in the same order */
    for (struct item *it; (it = queue_take(&eng->parsing));)
        queue_add(&rest, it);
    for (struct item *it; (it = queue_take(&eng->parse));)
        queue_add(&rest, it);
    for (struct item *it; (it = queue_take(&rest));)
        queue_add(&eng->parse, it);
    parsing_arm(eng);
}
