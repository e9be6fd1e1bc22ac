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

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"

#define GIVEN_BACK_MAX 5
#define PARSING_AHEAD 32 /* mails in the parser's channel: a pass then has many to commit */

static void parsing_arm(struct engine *eng)
{
    struct item *head = eng->parsing.head;
    if (!head) {
        event_del(eng->parse_late);
        return;
    }
    int64_t left = head->parse_start_mono + BOUND_PARSE_MS - clock_mono_ms();
    struct timeval tv = {left > 0 ? left / 1000 : 0, left > 0 ? (left % 1000) * 1000 : 0};
    event_add(eng->parse_late, &tv);
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
            it->parse_start_mono = clock_mono_ms();
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
        eng->parsing.head->parse_start_mono = clock_mono_ms();
}

void parsing_done(struct engine *eng, struct frame *f)
{
    struct item *it = eng->parsing.head;
    if (!it || f->id != it->parse_id) {
        /* an answer to a question nobody asked: it must not become another mail's */
        log_warn("parser.wrong_answer", "id=%" PRIu64 " expected=%" PRIu64 " next=\"not taken\"",
                 f->id, it ? it->parse_id : 0);
        return;
    }
    json_t *message = json_get_obj(f->json, "message");
    if (message)
        it->message = json_incref(message);
    else
        it->poison = mem_str(json_get_str(f->json, "error", "the parser gave no message"));
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
    if (eng->parsing.head && (!leaving || eng->parsing.head->given_back++ >= GIVEN_BACK_MAX)) {
        eng->parsing.head->poison = mem_printf("the parser ended at this message (%s)", why);
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
