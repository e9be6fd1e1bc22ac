/* SPDX-License-Identifier: ISC
 *
 * fuzz_engine - any frames from any role, and any words of leadctl
 *
 * The engine itself runs here, with a database in a folder in memory, and its peers say what
 * the input says: see play.h for records. Who: i and m an intake (IMAP, Maildir),
 * p parser, f web-in, c courier, u web-ui, l leadctl, g an MTA pipe, s the
 * supervisor; x and a peer's letter as type writes the bytes as they are; d ends
 * that peer, n ends it and brings another; t lets time pass. A record of leadctl
 * whose text is no JSON object is a command line; an empty PARSED is what mail/
 * makes of the mail that the engine wants parsed.
 *
 * Whatever is said, the engine stays, drops nothing, answers a question at most
 * once and a form always, says only what an engine may, and a mail it lets go is
 * safe on the wire. Foreign keys hold afterwards.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "company.h"
#include "engine/clients.h"
#include "engine/engine.h"
#include "mail/parse.h"
#include "play.h"
#include "wire.h"

#define RECORDS 48
#define IDS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    char letter;
    const char *name;
} who[] = {{'i', "intake:sales"}, {'m', "intake:inbox"}, {'p', "parser"}, {'f', "web-in"},
           {'c', "courier"},      {'u', "web-ui"},       {'l', "ctl"},    {'g', "ingest"}};
#define PEERS ARRAY_LEN(who)

struct world;

struct peer_of {
    struct world *w;
    size_t at; /* in who */
    struct play_end end;
    int gen;
    uint64_t last;                 /* id of what the engine asked last */
    char *raw;                     /* own; and its bytes */
    size_t raw_len;
    int asked[IDS], answered[IDS]; /* by id */
};

struct world {
    struct play play;
    struct peer_of peers[PEERS];
};

static char *state_dir(void)
{
    static char dir[128];
    if (!*dir) {
        const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof(dir), "%s/leadd-fuzz-XXXXXX", tmp ? tmp : "/tmp");
        LEADD_ASSERT(mkdtemp(dir));
        AUTO_FREE char *key = mem_printf("%s/secret.key", dir);
        AUTO_FCLOSE FILE *f = fopen(key, "w");
        LEADD_ASSERT(f && fputs("0123456789abcdef0123456789abcdef", f) > 0);
    }
    return dir;
}

static void state_unlink(const char *name)
{
    AUTO_FREE char *path = mem_printf("%s/%s", state_dir(), name);
    unlink(path);
}

/* An empty database, made once: migrations are most of the time of an input. */
static void database_make(void)
{
    struct err e;
    AUTO_FREE char *path = mem_printf("%s/empty.db", state_dir());
    struct db *db = db_open(path, false, &e);
    LEADD_ASSERT(db && db_migrate(db, &e) == 0);
    LEADD_ASSERT(db_script(db, "PRAGMA journal_mode = DELETE", &e) == 0); /* one file */
    db_close(&db);
}

static void database_copy(void)
{
    struct err e;
    struct buf b AUTO_BUF;
    buf_init(&b, MIB(16));
    AUTO_FREE char *from = mem_printf("%s/empty.db", state_dir());
    AUTO_FREE char *to = mem_printf("%s/leadd.db", state_dir());
    state_unlink("leadd.db-wal");
    state_unlink("leadd.db-shm");
    if (access(from, F_OK) < 0)
        database_make();
    AUTO_FCLOSE FILE *f = fopen(to, "w");
    LEADD_ASSERT(f && buf_read_file(&b, from, &e) == 0);
    LEADD_ASSERT(fwrite(b.data, 1, b.len, f) == b.len);
}

static void state_tidy(void)
{
    for (int gen = 1; gen < 64; gen++) {
        AUTO_FREE char *path = mem_printf("%s/slots.%d", state_dir(), gen);
        if (unlink(path) < 0)
            break;
    }
}

static void state_remove(void)
{
    static const char *const names[] = {"secret.key", "empty.db", "leadd.db", "leadd.db-wal",
                                        "leadd.db-shm"};
    state_tidy();
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        state_unlink(names[i]);
    rmdir(state_dir());
}

static json_t *config(void)
{
    struct buf b AUTO_BUF;
    struct err e;
    buf_init(&b, KIB(64));
    for (const char *p = company_json; *p; p++) {
        if (strncmp(p, "'DIR", 4) == 0) {
            buf_printf(&b, "\"%s", state_dir());
            p += 3;
        } else {
            buf_char(&b, *p == '\'' ? '"' : *p == '`' ? '\'' : *p);
        }
    }
    json_t *conf = json_load_bounded(b.data, b.len, b.len, &e);
    LEADD_ASSERT(conf);
    return conf;
}

/* ---- what the engine says ---------------------------------------------------- */

static void on_frame(void *arg, struct frame *f)
{
    struct peer_of *p = arg;
    LEADD_ASSERT(frame_allowed(f->type, "engine"));
    switch (f->type) {
    case FRAME_RECEIPT:
    case FRAME_FORM_DONE:
    case FRAME_CTL_DONE:
    case FRAME_STATS_DONE:
    case FRAME_MATCHED:
        p->answered[f->id % IDS]++;
        LEADD_ASSERT(p->answered[f->id % IDS] <= p->asked[f->id % IDS]);
        return;
    case FRAME_SEND:
        wire_check(f->raw, f->raw_len);
        LEADD_ASSERT(wire_count(f->raw, "from") == 1 && wire_count(f->raw, "subject") == 1);
        LEADD_ASSERT(wire_count(f->raw, "bcc") == 0);
        LEADD_ASSERT(!strpbrk(json_get_str(f->json, "to", "\n"), " \r\n<>"));
        p->last = f->id;
        return;
    case FRAME_CURSORS:
    case FRAME_SLOTS:
        return;
    default: /* a question */
        mem_free(p->raw);
        p->raw = f->raw;
        p->raw_len = f->raw_len;
        p->last = f->id;
        f->raw = NULL;
    }
}

/* ---- what the peers say ------------------------------------------------------- */

static struct peer_of *find(struct world *w, char letter)
{
    for (size_t i = 0; i < PEERS; i++)
        if (who[i].letter == letter)
            return &w->peers[i];
    return NULL;
}

static void arrive(struct peer_of *p)
{
    char gen[16];
    memset(p->asked, 0, sizeof(p->asked));
    memset(p->answered, 0, sizeof(p->answered));
    if (++p->gen > 60)
        return;
    snprintf(gen, sizeof(gen), "%d", p->gen);
    bool client = who[p->at].letter == 'l' || who[p->at].letter == 'g';
    play_peer(&p->w->play, &p->end, who[p->at].name, client ? "" : gen, on_frame, p);
    if (client) {
        struct engine *eng = p->w->play.role.state;
        eng->peers->who = mem_str("root");
        eng->clients[who[p->at].letter == 'l']++;
    }
}

static void leave(struct peer_of *p)
{
    char gen[16];
    snprintf(gen, sizeof(gen), "%d", p->gen);
    play_end_close(&p->end);
    play_turn(&p->w->play);
    if (who[p->at].letter != 'l' && who[p->at].letter != 'g')
        p->w->play.role.ops->peer_gone(&p->w->play.role, who[p->at].name, gen, "signal 9 (Killed)");
}

/* A command line in words, as leadctl sends it. */
static char *argv_text(struct str line)
{
    AUTO_JSON json_t *argv = json_array();
    AUTO_JSON json_t *all = json_pack("{s:O}", "argv", argv);
    for (size_t i = 0; i < line.n;) {
        size_t n = 0;
        while (i + n < line.n && line.p[i + n] != ' ')
            n++;
        json_t *word = json_stringn(line.p + i, n);
        if (word)
            json_array_append_new(argv, word);
        i += n + 1;
    }
    return json_text(all);
}

static char *parsed_text(const struct peer_of *p)
{
    struct mail_limits lim;
    struct err e;
    mail_limits_default(&lim);
    lim.ms = 0;
    AUTO_JSON json_t *msg = mail_parse(p->raw ? p->raw : "", p->raw_len, &lim, &e);
    AUTO_JSON json_t *all = json_pack("{s:O}", "message", msg);
    return json_text(all);
}

static void say(struct peer_of *p, const struct play_record *r)
{
    enum frame_type type = play_type(r->type);
    uint64_t id = play_id(r->id, p->last);
    AUTO_FREE char *text = NULL;
    struct str json = r->json;
    if (type == FRAME_CTL && (json.n == 0 || json.p[0] != '{'))
        text = argv_text(json);
    else if (type == FRAME_PARSED && json.n == 0)
        text = parsed_text(p);
    if (text)
        json = (struct str){text, strlen(text)};
    p->asked[id % IDS]++;
    play_send(p->end.fd, type, id, json, r->raw, -1);
}

static void supervisor_says(struct world *w, const struct play_record *r)
{
    struct err e;
    struct frame f = {.type = play_type(r->type), .id = play_id(r->id, 1), .fd = -1};
    f.json = json_load_bounded(r->json.p, r->json.n, r->json.n, &e);
    if (json_is_object(f.json))
        w->play.role.ops->frame(&w->play.role, &f);
    frame_done(&f);
}

static void act(struct world *w, const struct play_record *r)
{
    struct peer_of *p = find(w, r->who), *about = find(w, r->type);
    if (p && p->end.fd < 0)
        return;
    if (p)
        say(p, r);
    else if (r->who == 'x' && about && about->end.fd >= 0) {
        for (int i = 0; i < IDS; i++)
            about->asked[i] += 1000; /* they may hold any frames */
        play_bytes(about->end.fd, r->json);
    } else if (r->who == 's')
        supervisor_says(w, r);
    else if ((r->who == 'd' || r->who == 'n') && about && about->end.fd >= 0)
        leave(about);
    if (r->who == 'n' && about && about->end.fd < 0)
        arrive(about);
    if (r->who == 't') {
        struct engine *eng = w->play.role.state;
        clock_advance((int64_t)(unsigned char)r->id * 600000);
        engine_queue(eng, item_new(ITEM_DUE, NULL));
    }
}

/* ---- promises ------------------------------------------------------------------- */

static void check_store(struct engine *eng)
{
    struct err e = {0};
    struct db_rows *rows = db_query(eng->db, "PRAGMA foreign_key_check", "");
    LEADD_ASSERT(!db_step(rows));
    LEADD_ASSERT(db_done(&rows, &e) == 0);
    LEADD_ASSERT(!db_in_transaction(eng->db));
}

static void check_end(struct world *w)
{
    struct engine *eng = w->play.role.state;
    LEADD_ASSERT(!w->play.role.quit && !eng->ready.head && eng->answer_count == 0);
    LEADD_ASSERT(json_get_int(eng->counters, "items_dropped", 0) == 0);
    LEADD_ASSERT(json_get_int(eng->counters, "store_failures", 0) == 0);
    check_store(eng);
}

static void world_open(struct world *w)
{
    *w = (struct world){.play = {.role = {0}}};
    state_tidy();
    database_copy();
    LEADD_ASSERT(play_open(&w->play, &engine_ops, "engine", config()));
    for (size_t i = 0; i < PEERS; i++) {
        w->peers[i].w = w;
        w->peers[i].at = i;
        w->peers[i].end.fd = -1;
        arrive(&w->peers[i]);
    }
    LEADD_ASSERT(play_start(&w->play));
    play_turn(&w->play);
}

static void world_close(struct world *w)
{
    for (size_t i = 0; i < PEERS; i++) {
        play_end_close(&w->peers[i].end);
        mem_free(w->peers[i].raw);
    }
    play_close(&w->play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    static struct world w;
    struct str in = {(const char *)data, size};
    struct play_record r;
    if (size > KIB(64))
        return 0;
    if (!begun) {
        log_init("fuzz", getenv("LEADD_FUZZ_LOG") ? LOG_LVL_DEBUG : LOG_LVL_ERROR);
        atexit(state_remove);
        begun = true;
    }
    world_open(&w);
    for (int i = 0; i < RECORDS && play_next(&in, &r); i++) {
        act(&w, &r);
        play_turn(&w.play);
    }
    for (int i = 0; i < 64 && ((struct engine *)w.play.role.state)->ready.head; i++)
        play_turn(&w.play);
    check_end(&w);
    world_close(&w);
    return 0;
}
