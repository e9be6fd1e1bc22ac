/* SPDX-License-Identifier: ISC
 *
 * fuzz_imap - any bytes as what an IMAP server says
 *
 * The first line of the input names the commands that the intake gives, a letter
 * each; the rest is the server's, handed over in pieces through the guard and
 * libetpan as in a real link, which is replaced here. A byte 0x01 stands for the
 * tag of the command. What comes out keeps the promises of imap.h: numbers that
 * were asked for, in order and once; bounded, valid text; and a reason whenever
 * it is not good.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "intake/guard.h"
#include "intake/imap.h"

#define COMMANDS 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libetpan 1.9.4 loses a word or two of an answer that it cannot read to its end.
 * The connection is closed then and opened again after a growing wait. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libetpan";
}

/* ---- the link, in memory --------------------------------------------------- */

struct link {
    struct guard guard;
    struct str server; /* still to be read */
    struct str tag;    /* the rest of a tag that is being written out */
    char last_tag[16];
    bool tag_next; /* a command begins */
    bool tagged;   /* the line that is being sent has the command's tag */
    bool broken;
    struct err error;
    const char *greeting;
    mailstream *stream;
    char ahead[KIB(16)];
    size_t ahead_len;
};

static struct str server_bytes;

void link_begin(struct link *l, struct link_limits limits)
{
    guard_allow(&l->guard, limits.bytes, limits.literal);
}

void link_begin_last(struct link *l, int ms)
{
    (void)ms;
    guard_allow(&l->guard, KIB(64), 0);
}

void link_extend(struct link *l, int ms)
{
    (void)l;
    (void)ms;
}

const struct err *link_error(const struct link *l)
{
    return l->broken ? &l->error : NULL;
}

static ssize_t receive(struct link *l, char *p, size_t n)
{
    size_t got = 0;
    while (got < n && (l->tag.n > 0 || l->server.n > 0)) {
        struct str *from = l->tag.n > 0 ? &l->tag : &l->server;
        char c = *from->p;
        from->p++;
        from->n--;
        if (from == &l->server && c == 0x01) {
            l->tag = (struct str){l->last_tag, strlen(l->last_tag)};
            l->tagged = true;
            continue;
        }
        p[got++] = c;
        if (c == 0x02 || (c == '\n' && l->tagged)) {
            l->tagged = false; /* the piece ends: the next command has its own tag */
            break;
        }
    }
    if (l->broken || got == 0) {
        if (!l->broken)
            err_set(&l->error, ERR_TEMP, "the server closed the connection");
        l->broken = true;
        return -1;
    }
    if (guard_check(&l->guard, p, got, &l->error) < 0) {
        l->broken = true;
        return -1;
    }
    return (ssize_t)got;
}

static ssize_t low_read(mailstream_low *low, void *p, size_t n)
{
    struct link *l = low->data;
    if (l->greeting) {
        size_t len = strlen(l->greeting);
        memcpy(p, l->greeting, len);
        l->greeting = NULL;
        return (ssize_t)len;
    }
    if (l->ahead_len > 0) {
        n = n < l->ahead_len ? n : l->ahead_len;
        memcpy(p, l->ahead, n);
        l->ahead_len -= n;
        memmove(l->ahead, l->ahead + n, l->ahead_len);
        return (ssize_t)n;
    }
    return receive(l, p, n < KIB(16) ? n : KIB(16));
}

int link_write(struct link *l, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(l->last_tag);
        LEADD_ASSERT(p[i] != '\0');
        if (l->tag_next && p[i] != ' ' && len + 1 < sizeof(l->last_tag)) {
            l->last_tag[len] = p[i];
            l->last_tag[len + 1] = '\0';
        } else {
            l->tag_next = false;
        }
        if (p[i] == '\n') {
            l->tag_next = true;
            if (i + 1 < n)
                l->last_tag[0] = '\0';
        }
    }
    return l->broken ? -1 : 0;
}

static ssize_t low_write(mailstream_low *low, const void *p, size_t n)
{
    struct link *l = low->data;
    if (l->tag_next && n > 0)
        l->last_tag[0] = '\0';
    return link_write(l, p, n) < 0 ? -1 : (ssize_t)n;
}

static int low_close(mailstream_low *low)
{
    ((struct link *)low->data)->stream = NULL;
    return 0;
}

static int low_fd(mailstream_low *low)
{
    (void)low;
    return -1;
}

static void low_free(mailstream_low *low)
{
    free(low); /* allocated by libetpan */
}

static mailstream_low_driver driver = {
    .mailstream_read = low_read,
    .mailstream_write = low_write,
    .mailstream_close = low_close,
    .mailstream_get_fd = low_fd,
    .mailstream_free = low_free,
};

mailstream *link_stream(struct link *l)
{
    mailstream_low *low = mailstream_low_new(l, &driver);
    l->stream = mailstream_new(low, KIB(16));
    LEADD_ASSERT(l->stream);
    l->greeting = "* PREAUTH ready\r\n";
    return l->stream;
}

enum link_line link_read_line(struct link *l, struct buf *line, int ms)
{
    (void)ms;
    mailstream *s = l->stream;
    size_t n = s ? s->read_buffer_len : 0;
    if (n > sizeof(l->ahead) - l->ahead_len)
        n = sizeof(l->ahead) - l->ahead_len;
    if (n > 0) {
        memcpy(l->ahead + l->ahead_len, s->read_buffer, n);
        l->ahead_len += n;
        s->read_buffer_len -= n;
        memmove(s->read_buffer, s->read_buffer + n, s->read_buffer_len);
    }
    char *end;
    while (!(end = memchr(l->ahead, '\n', l->ahead_len))) {
        if (l->ahead_len == sizeof(l->ahead))
            l->broken = true;
        ssize_t got = receive(l, l->ahead + l->ahead_len, sizeof(l->ahead) - l->ahead_len);
        if (got < 0)
            return LINK_BROKEN;
        l->ahead_len += (size_t)got;
    }
    size_t used = (size_t)(end - l->ahead) + 1;
    buf_reset(line);
    buf_add(line, l->ahead, used - 1 - (used > 1 && end[-1] == '\r'));
    l->ahead_len -= used;
    memmove(l->ahead, l->ahead + used, l->ahead_len);
    return LINK_LINE;
}

struct link *link_open(struct desk *d, const struct settings *s, enum link_trouble *why,
                       struct err *e)
{
    struct link *l = mem_alloc(sizeof(*l));
    (void)d;
    (void)s;
    (void)why;
    (void)e;
    guard_init(&l->guard);
    l->server = server_bytes;
    l->tag_next = true;
    return l;
}

void link_free(struct link **l)
{
    LEADD_ASSERT(!*l || !(*l)->stream);
    mem_free(*l);
    *l = NULL;
}

/* ---- the commands ----------------------------------------------------------- */

static const uint32_t asked[] = {1, 2, 3, 7, 8, 500, 4294967295u};

static void check_parts(const json_t *parts)
{
    size_t i;
    json_t *part;
    LEADD_ASSERT(json_is_array(parts) && json_array_size(parts) <= BOUND_MAIL_PARTS);
    json_array_foreach (parts, i, part) {
        const char *key;
        json_t *v;
        json_object_foreach (part, key, v)
            LEADD_ASSERT(!json_is_string(v) ||
                         (strlen(json_string_value(v)) == json_string_length(v) &&
                          text_is_utf8(json_string_value(v), json_string_length(v))));
    }
}

static void on_body(void *arg, uint32_t uid, const char *p, size_t n, json_t *parts)
{
    unsigned sum = 0;
    (void)arg;
    LEADD_ASSERT(uid != 0 && p);
    for (size_t i = 0; i < n; i++)
        sum += (unsigned char)p[i]; /* all of it can be read */
    LEADD_ASSERT(sum <= 255 * n);
    if (parts)
        check_parts(parts);
    json_decref(parts);
}

static enum imap_result try_search(struct imap *m, struct err *e)
{
    struct imap_uids u;
    enum imap_result r = imap_search(m, 3, INT64_C(1795251600000), &u, e);
    for (size_t i = 0; i < u.count; i++)
        LEADD_ASSERT(u.uid[i] >= 3 && (i == 0 || u.uid[i] > u.uid[i - 1]));
    imap_uids_done(&u);
    return r;
}

static enum imap_result try_items(struct imap *m, bool ids, struct err *e)
{
    struct imap_item items[ARRAY_LEN(asked)];
    size_t found = 0, at = 0;
    enum imap_result r = imap_items(m, asked, ARRAY_LEN(asked), ids, items, &found, e);
    LEADD_ASSERT(found <= ARRAY_LEN(asked) && (r == IMAP_OK || found == 0));
    for (size_t i = 0; i < found; i++) {
        while (at < ARRAY_LEN(asked) && asked[at] != items[i].uid)
            at++;
        LEADD_ASSERT(at++ < ARRAY_LEN(asked));
        LEADD_ASSERT(!ids || text_is_single_line(items[i].message_id));
    }
    return r;
}

static enum imap_result run(struct imap *m, char command, struct err *e)
{
    struct imap_folder folder = {0};
    bool flag;
    enum imap_result r;
    size_t n = ARRAY_LEN(asked);
    switch (command) {
    case 's':
        r = imap_select(m, "INBOX/\xc3\xa4", true, &folder, e);
        LEADD_ASSERT(r != IMAP_OK || folder.uidvalidity != 0);
        return r;
    case 'e':
        return try_search(m, e);
    case 'i':
    case 'I':
        return try_items(m, command == 'I', e);
    case 'b':
        return imap_bodies(m, asked, n, KIB(8), on_body, NULL, e);
    case 'h':
        return imap_header(m, 7, true, on_body, NULL, e);
    case 'f':
        return imap_flag(m, asked, n, "\\Seen", e);
    case 'm':
        return imap_move(m, asked, n, "Done", &flag, e);
    case 'w':
        return imap_idle(m, 0, &flag, e);
    default:
        return imap_noop(m, e);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct imap m;
    struct role role = {.name = "intake:fuzz"};
    struct desk desk;
    struct settings set = {.mail_size = KIB(64)};
    enum link_trouble why;
    struct err e = {0};
    size_t line = 0;
    if (size > KIB(64))
        return 0;
    while (line < size && data[line] != '\n')
        line++;
    server_bytes = (struct str){(const char *)data + line, size - line};
    if (line < size)
        server_bytes = (struct str){(const char *)data + line + 1, size - line - 1};
    desk_init(&desk, &role);
    enum imap_result r = imap_open(&m, &desk, &set, &why, &e) == 0 ? IMAP_OK : IMAP_BROKEN;
    if (getenv("LEADD_FUZZ_LOG"))
        fprintf(stderr, "open: %d %s\n", (int)r, e.text);
    for (size_t i = 0; i < line && i < COMMANDS && r != IMAP_BROKEN; i++) {
        e = (struct err){0};
        r = run(&m, (char)data[i], &e);
        if (getenv("LEADD_FUZZ_LOG"))
            fprintf(stderr, "%c: %d %s\n", data[i], (int)r, e.text);
        imap_has_news(&m);
        LEADD_ASSERT(r == IMAP_OK || e.cls != ERR_NONE || data[i] == 'w');
        LEADD_ASSERT(text_is_single_line(e.text) && text_is_utf8(e.text, strlen(e.text)));
    }
    LEADD_ASSERT(r != IMAP_BROKEN || e.text[0]);
    imap_close(&m, r != IMAP_BROKEN);
    return 0;
}
