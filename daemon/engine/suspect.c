/* SPDX-License-Identifier: ISC
 *
 * suspect - see suspect.h
 *
 * Written by pwrite and not mapped: somebody who cuts the file must not be able to
 * kill the engine by it.
 */
#include "engine/suspect.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define SUSPECTS 16 /* remembered at once; the one with the fewest deaths goes */
#define HEAD_BYTES 4096 /* of a message, and its length: enough to know it again */

struct entry {
    uint64_t name;
    uint32_t deaths;
    uint32_t seen; /* in the pass that runs; means nothing in the file */
};

struct file {
    char magic[8];
    uint64_t at; /* what is in hand; 0: nothing */
    struct entry entries[SUSPECTS];
};

struct suspect {
    int fd; /* -1: no file */
    struct file file;
};

static const char magic[8] = "LEADDSU1";

static void suspect_write(struct suspect *s, size_t from, size_t n)
{
    if (s->fd < 0 || pwrite(s->fd, (const char *)&s->file + from, n, (off_t)from) == (ssize_t)n)
        return;
    log_warn("suspect.failed", "error=\"%s\" next=\"a message that ends the engine is not known "
             "again\"", err_errno());
    close(s->fd);
    s->fd = -1;
}

static struct entry *entry_find(struct suspect *s, uint64_t name)
{
    for (size_t i = 0; i < SUSPECTS; i++)
        if (s->file.entries[i].name == name)
            return &s->file.entries[i];
    return NULL;
}

/* The engine before us ended with it in hand. */
static void suspect_blame(struct suspect *s, uint64_t name)
{
    struct entry *e = entry_find(s, name);
    if (!e) {
        e = &s->file.entries[0];
        for (size_t i = 1; i < SUSPECTS; i++)
            if (s->file.entries[i].deaths < e->deaths)
                e = &s->file.entries[i];
        *e = (struct entry){.name = name};
    }
    e->deaths++;
    s->file.at = 0;
    log_warn("engine.suspect", "name=%016" PRIx64 " deaths=%u next=\"%s\"", name, e->deaths,
             e->deaths < SUSPECT_DEATHS ? "tried again" : "not run any more");
    suspect_write(s, 0, sizeof(s->file));
}

struct suspect *suspect_open(const char *state_dir)
{
    struct suspect *s = mem_alloc(sizeof(*s));
    AUTO_FREE char *path = mem_printf("%s/suspect", state_dir);
    s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->fd < 0)
        log_warn("suspect.failed", "error=\"%s: %s\" next=\"a message that ends the engine is not "
                 "known again\"", path, err_errno());
    if (s->fd < 0 || pread(s->fd, &s->file, sizeof(s->file), 0) != (ssize_t)sizeof(s->file) ||
        memcmp(s->file.magic, magic, sizeof(magic)) != 0) {
        s->file = (struct file){.at = 0};
        memcpy(s->file.magic, magic, sizeof(magic));
        suspect_write(s, 0, sizeof(s->file));
    }
    if (s->file.at)
        suspect_blame(s, s->file.at);
    return s;
}

void suspect_free(struct suspect **sp)
{
    struct suspect *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    mem_free(s);
}

/* FNV-1a. Who makes two messages of one name gains nothing by it. */
static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)p)[i]) * UINT64_C(0x100000001b3);
    return h;
}

static const uint64_t mix_start = UINT64_C(0xcbf29ce484222325);

uint64_t suspect_of_bytes(const char *p, size_t n)
{
    uint64_t h = mix(mix_start, &n, sizeof(n));
    return mix(h, p, n < HEAD_BYTES ? n : HEAD_BYTES) | 1;
}

uint64_t suspect_of_row(const char *what, int64_t id)
{
    return mix(mix(mix_start, what, strlen(what)), &id, sizeof(id)) | 1;
}

unsigned suspect_at(struct suspect *s, uint64_t name)
{
    if (!s)
        return 0;
    if (name != s->file.at) {
        s->file.at = name;
        suspect_write(s, offsetof(struct file, at), sizeof(s->file.at));
    }
    struct entry *e = name ? entry_find(s, name) : NULL;
    if (e)
        e->seen = 1;
    return e ? e->deaths : 0;
}

void suspect_committed(struct suspect *s)
{
    bool changed = false;
    for (size_t i = 0; i < SUSPECTS; i++) {
        if (!s->file.entries[i].seen)
            continue;
        s->file.entries[i] = (struct entry){.name = 0};
        changed = true;
    }
    if (changed)
        suspect_write(s, 0, sizeof(s->file));
}

void suspect_undone(struct suspect *s)
{
    for (size_t i = 0; i < SUSPECTS; i++)
        s->file.entries[i].seen = 0;
}
