/* SPDX-License-Identifier: ISC
 *
 * misbehave - see misbehave.h; empty unless test hooks are compiled in
 */
#include "parser/misbehave.h"

#ifdef LEADD_TEST_HOOKS

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/hook.h"
#include "base/mem.h"

/* The word behind name in the header block, or an empty text. */
static void field(const struct frame *f, const char *name, char out[32])
{
    const char *at = HOOK("parser.misbehave") && f->raw ? strstr(f->raw, name) : NULL;
    *out = '\0';
    if (at)
        snprintf(out, 32, "%.*s", (int)strcspn(at + strlen(name), "\r\n"), at + strlen(name));
}

void misbehave_die(struct chan *c, const struct frame *f)
{
    char how[32];
    (void)c;
    field(f, "X-Test-Poison: ", how);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "crash") == 0)
        raise(SIGSEGV);
    if (strcmp(how, "exit") == 0)
        _exit(3);
    while (strcmp(how, "spin") == 0)
        __asm__ volatile("" ::: "memory");
    while (strcmp(how, "hang") == 0)
        poll(NULL, 0, -1);
    while (strcmp(how, "memory") == 0)
        (void)mem_alloc(MIB(16));
    if (strcmp(how, "call") == 0)
        (void)!socket(AF_INET, SOCK_STREAM, 0);
    if (strcmp(how, "close") == 0) {
        for (int fd = 4; fd < 32; fd++)
            shutdown(fd, SHUT_RDWR); /* its channel to the engine; it lives on */
        poll(NULL, 0, -1);
    }
}

static void lie_auth(json_t *message)
{
    static const char *const words[] = {"auth", "proven", "user", "actor", "authenticated", "spf",
                                        "dkim", "commands", "thread", "lead"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        json_object_set_new(message, words[i], json_string("pass"));
    json_object_set_new(json_get_obj(message, "from"), "auth", json_string("pass"));
    json_object_set_new(json_get_obj(message, "auto"), "proven", json_true());
}

static void lie_frames(struct chan *c, int count)
{
    AUTO_JSON json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "folder", "INBOX", "status", "filed",
                                    "outcome", "accepted", "name", "intake:other");
    for (int i = 0; i < count; i++)
        for (int t = FRAME_NONE + 1; t < FRAME_TYPE_COUNT; t++)
            if (t != FRAME_PARSED && t != FRAME_HELLO)
                chan_send_json(c, (enum frame_type)t, 1, j);
}

void misbehave_lie(struct chan *c, const struct frame *f, json_t *answer)
{
    char how[32];
    json_t *message = json_get_obj(answer, "message");
    field(f, "X-Test-Lie: ", how);
    if (strcmp(how, "auth") == 0)
        lie_auth(message);
    for (int i = 0; strcmp(how, "keys") == 0 && i < 20000; i++) {
        AUTO_FREE char *key = mem_printf("key%d", i);
        json_put_str(message, key, "x");
    }
    if (strcmp(how, "types") == 0)
        json_object_set_new(message, "from", json_pack("[i, {s:n}]", 1, "address"));
    if (strcmp(how, "early") == 0) /* to the questions that will come */
        for (uint64_t id = f->id + 1; id < f->id + 20; id++)
            chan_send_json(c, FRAME_PARSED, id, answer);
    if (strcmp(how, "twice") == 0)
        chan_send_json(c, FRAME_PARSED, f->id, answer);
    if (strcmp(how, "frames") == 0)
        lie_frames(c, 1);
    if (strcmp(how, "flood") == 0)
        lie_frames(c, 100);
}

#endif
