/* SPDX-License-Identifier: ISC
 *
 * loop - which rules wake each other for ever
 *
 * Every event of an input knows the event whose rule caused it. When a chain is as long
 * as it may be, the way back tells the rules it went through; the last part that
 * repeats is the circle.
 */
#include <string.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/input.h"

#define LOOP_TEXT 400

/* Who caused the events of the chain, the newest first. */
static size_t loop_actors(const struct input *in, const struct crm_actor *last,
                          const struct crm_actor *out[BOUND_CHAIN_DEPTH + 1])
{
    size_t n = 0;
    out[n++] = last;
    for (size_t at = in->running; at && n <= BOUND_CHAIN_DEPTH; at = in->events[at - 1].parent)
        out[n++] = &in->events[at - 1].ev.actor;
    return n;
}

static bool same_actor(const struct crm_actor *a, const struct crm_actor *b)
{
    return a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

/* "a (10.conf:3) -> b (10.conf:9) -> a (10.conf:3)", or all of the chain when nothing in
 * it repeats. */
static void loop_text(const struct crm_actor *const *actors, size_t n, struct buf *out)
{
    size_t from = n - 1;
    for (size_t i = n - 1; i > 0; i--)
        if (same_actor(actors[i], actors[0]))
            from = i;
    for (size_t i = from + 1; i-- > 0;) {
        const struct crm_actor *a = actors[i];
        buf_printf(out, "%s", i < from ? " -> " : "");
        if (a->kind == CRM_BY_RULE)
            buf_printf(out, "%s (%s)", a->name, a->at ? a->at : "?");
        else
            buf_printf(out, "%s \"%s\"", crm_actor_kind_name(a->kind), a->name);
    }
}

void input_loop(struct input *in, const char *what, const struct crm_actor *last)
{
    const struct crm_actor *actors[BOUND_CHAIN_DEPTH + 1];
    struct buf chain AUTO_BUF;
    buf_init(&chain, LOOP_TEXT);
    if (in->loop)
        return; /* said already */
    loop_text(actors, loop_actors(in, last, actors), &chain);
    input_note(in, "stopped: %s: %s", what, chain.data);
    log_warn("rules.loop", "what=\"%s\" rules=\"%s\" next=\"not run\"", what, chain.data);
    engine_count(in->eng, "rules_loops", 1);
    in->loop = mem_printf("Rules wake each other in a circle:\n\n  %s\n\n"
                          "It was stopped: %s (%s). Give one of them a condition that\n"
                          "is false once it has run.\nThis is told at most once an hour.\n",
                          chain.data, what, in->cause);
}
