/* SPDX-License-Identifier: ISC
 *
 * slots - see slots.h
 *
 * The file: one struct head, then count struct row, in host order (both ends
 * are the same binary on the same machine). A row's state is one aligned word,
 * so a reader never sees half of it. No fsync: the page cache outlives every
 * process, and what it does not outlive the boot id tells.
 */
#include "base/slots.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"

#define SLOTS_MAGIC "leaddslt"
#define SLOTS_VERSION 1u
#define SLOTS_BOOT_PATH "/proc/sys/kernel/random/boot_id"

struct head {
    char magic[8];
    uint32_t version;
    uint32_t count;
    char boot_id[40]; /* NUL-terminated text of the kernel's */
    char reserved[8];
};
_Static_assert(sizeof(struct head) == 64, "slots head has no padding");

struct row {
    uint64_t id;
    uint32_t attempt;
    uint32_t state;
    uint32_t code;
    uint32_t reserved[3];
};
_Static_assert(sizeof(struct row) == 32, "slots row has no padding");

struct slots {
    int fd;           /* own; -1 when mapped */
    struct row *rows; /* the mapping behind its head; NULL when not mapped */
    struct head head;
    bool *taken;      /* own; the engine's notes of rows that are not free */
    uint32_t look;    /* where to look next */
};

static size_t slots_size(uint32_t count)
{
    return sizeof(struct head) + (size_t)count * sizeof(struct row);
}

static off_t row_offset(uint32_t at)
{
    return (off_t)(sizeof(struct head) + (size_t)at * sizeof(struct row));
}

static int boot_id_read(char out[40], struct err *e)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 256);
    if (buf_read_file(&b, SLOTS_BOOT_PATH, e) < 0)
        return -1;
    snprintf(out, 40, "%.*s", (int)strcspn(b.data, "\n"), b.data);
    return 0;
}

/* Magic, version and count of a file of that size. */
static int head_check(const struct head *h, int64_t size, struct err *e)
{
    if (memcmp(h->magic, SLOTS_MAGIC, sizeof(h->magic)) != 0)
        return err_set(e, ERR_INPUT, "not a slots file");
    if (h->version != SLOTS_VERSION)
        return err_set(e, ERR_INPUT, "slots file of version %u, expected %u", h->version,
                       SLOTS_VERSION);
    if (h->count == 0 || h->count > BOUND_SLOTS || size != (int64_t)slots_size(h->count))
        return err_set(e, ERR_INPUT, "slots file of %lld bytes does not hold %u slots",
                       (long long)size, h->count);
    return 0;
}

static int head_read(int fd, struct head *h, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(e, ERR_INPUT, "slots: not a regular file");
    if (pread(fd, h, sizeof(*h), 0) != (ssize_t)sizeof(*h))
        return err_set(e, ERR_INPUT, "slots: too short");
    if (head_check(h, st.st_size, e) < 0)
        return -1;
    h->boot_id[sizeof(h->boot_id) - 1] = '\0';
    return 0;
}

static struct slots *slots_new(int fd, struct row *rows, const struct head *h)
{
    struct slots *s = mem_alloc(sizeof(*s));
    s->fd = fd;
    s->rows = rows;
    s->head = *h;
    s->taken = mem_array(h->count, sizeof(*s->taken));
    return s;
}

struct slots *slots_create(const char *path, uint32_t count, struct err *e)
{
    struct head h = {.magic = SLOTS_MAGIC, .version = SLOTS_VERSION, .count = count};
    if (count == 0 || count > BOUND_SLOTS) {
        err_set(e, ERR_BUG, "slots: %u is not a count", count);
        return NULL;
    }
    if (boot_id_read(h.boot_id, e) < 0)
        return NULL;
    unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err_set(e, ERR_PERM, "%s: %s", path, err_errno());
        return NULL;
    }
    if (pwrite(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
        posix_fallocate(fd, 0, (off_t)slots_size(count)) != 0) {
        err_set(e, ERR_TEMP, "%s: %s", path, err_errno());
        close(fd);
        unlink(path);
        return NULL;
    }
    return slots_new(fd, NULL, &h);
}

struct slots *slots_open(const char *path, struct err *e)
{
    struct head h;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        err_set(e, ERR_PERM, "%s: %s", path, err_errno());
        return NULL;
    }
    if (head_read(fd, &h, e) < 0) {
        err_wrap(e, "%s", path);
        close(fd);
        return NULL;
    }
    return slots_new(fd, NULL, &h);
}

struct slots *slots_map(int fd, struct err *e)
{
    struct head h;
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS); /* -1: neither a memfd nor a file on a tmpfs */
    if (seals >= 0 && !(seals & F_SEAL_SHRINK) && (fstat(fd, &st) < 0 || st.st_nlink == 0)) {
        err_set(e, ERR_INPUT, "slots: memfd is not sealed against shrinking");
        return NULL;
    }
    if (head_read(fd, &h, e) < 0)
        return NULL;
    char *p = mmap(NULL, slots_size(h.count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        err_set(e, ERR_PERM, "slots: cannot map: %s", err_errno());
        return NULL;
    }
    return slots_new(-1, (struct row *)(void *)(p + sizeof(struct head)), &h);
}

void slots_unmap(struct slots **sp)
{
    struct slots *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    if (s->rows)
        munmap((char *)s->rows - sizeof(struct head), slots_size(s->head.count));
    if (s->fd >= 0)
        close(s->fd);
    mem_free(s->taken);
    mem_free(s);
}

uint32_t slots_count(const struct slots *s)
{
    return s->head.count;
}

int slots_fd(const struct slots *s)
{
    return s->fd;
}

bool slots_same_boot(const struct slots *s)
{
    char now[40];
    return boot_id_read(now, NULL) == 0 && strcmp(now, s->head.boot_id) == 0;
}

const char *slots_state_name(uint32_t state)
{
    static const char *const names[SLOT_STATE_COUNT] = {"free", "claimed", "sending", "final",
                                                        "done"};
    return state < SLOT_STATE_COUNT ? names[state] : "?";
}

/* A row as it stands; -1 when it is out of range or cannot be read. */
static int row_read(const struct slots *s, uint32_t at, struct row *out)
{
    if (at >= s->head.count)
        return -1;
    if (!s->rows)
        return pread(s->fd, out, sizeof(*out), row_offset(at)) == (ssize_t)sizeof(*out) ? 0 : -1;
    const struct row *r = &s->rows[at];
    out->state = __atomic_load_n(&r->state, __ATOMIC_ACQUIRE);
    out->id = __atomic_load_n(&r->id, __ATOMIC_RELAXED);
    out->attempt = __atomic_load_n(&r->attempt, __ATOMIC_RELAXED);
    out->code = __atomic_load_n(&r->code, __ATOMIC_RELAXED);
    return 0;
}

static int word_write(struct slots *s, uint32_t at, size_t field, uint32_t value)
{
    if (!s->rows)
        return pwrite(s->fd, &value, sizeof(value), row_offset(at) + (off_t)field) ==
                       (ssize_t)sizeof(value) ? 0 : -1;
    uint32_t *word = (uint32_t *)(void *)((char *)&s->rows[at] + field);
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    return 0;
}

/* Everything but the state, then the state: a row that says CLAIMED is whole. */
int slots_claim(struct slots *s, uint32_t at, uint64_t id, uint32_t attempt)
{
    struct row r;
    if (row_read(s, at, &r) < 0 || (r.state != SLOT_FREE && r.state != SLOT_DONE))
        return -1;
    if (!s->rows) {
        r = (struct row){.id = id, .attempt = attempt, .state = SLOT_FREE};
        if (pwrite(s->fd, &r, sizeof(r), row_offset(at)) != (ssize_t)sizeof(r))
            return -1;
    } else {
        word_write(s, at, offsetof(struct row, state), SLOT_FREE);
        __atomic_store_n(&s->rows[at].id, id, __ATOMIC_RELEASE);
        word_write(s, at, offsetof(struct row, attempt), attempt);
        word_write(s, at, offsetof(struct row, code), 0);
    }
    if (word_write(s, at, offsetof(struct row, state), SLOT_CLAIMED) < 0)
        return -1;
    s->taken[at] = true;
    return 0;
}

int slots_free(struct slots *s, uint32_t at)
{
    if (at >= s->head.count || word_write(s, at, offsetof(struct row, state), SLOT_FREE) < 0)
        return -1;
    s->taken[at] = false;
    return 0;
}

int64_t slots_find_free(struct slots *s)
{
    for (uint32_t i = 0; i < s->head.count; i++) {
        uint32_t at = (s->look + i) % s->head.count;
        struct slot row;
        if (s->taken[at])
            continue;
        s->look = at;
        if (slots_get(s, at, &row) == 0 && row.state == SLOT_FREE)
            return at;
        s->taken[at] = true;
    }
    return -1;
}

int slots_set(struct slots *s, uint32_t at, uint64_t id, enum slot_state state, uint32_t code)
{
    struct row r;
    if (row_read(s, at, &r) < 0 || r.id != id || r.state == SLOT_FREE)
        return -1;
    if (word_write(s, at, offsetof(struct row, code), code) < 0)
        return -1;
    return word_write(s, at, offsetof(struct row, state), state);
}

int slots_get(const struct slots *s, uint32_t at, struct slot *out)
{
    struct row r;
    if (row_read(s, at, &r) < 0 || r.state >= SLOT_STATE_COUNT)
        return -1;
    *out = (struct slot){.id = r.id, .attempt = r.attempt, .state = r.state, .code = r.code};
    return 0;
}
