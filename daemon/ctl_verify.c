/* SPDX-License-Identifier: ISC
 *
 * ctl_verify - leadctl backup verify: is this file whole, without a daemon
 *
 * Five looks: the checksum beside the file, SQLite's own look at its structure,
 * a schema this program knows, as many rows as were recorded, and rows that fit
 * together. It also looks at a database that is no backup, as after damage.
 */
#include "ctl_backup.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/backup.h"
#include "store/migrate.h"

void ctl_show_copy(const struct ctl_options *opt, const json_t *data)
{
    struct ctl_look look = {.width = ctl_terminal_width(stdout)};
    if (opt->json)
        ctl_render_json(data, stdout);
    else
        ctl_render(data, &look, stdout);
}

int ctl_complain(const char *what, const struct err *e, int code)
{
    fprintf(stderr, "leadctl: %s: ", what);
    ctl_render_text(e->text, stderr);
    return code;
}

static void look(struct verify *v, const char *check, bool bad, const char *found)
{
    v->bad |= bad;
    json_array_append_new(v->rows, json_pack("{s:s, s:s, s:s}", "check", check, "result",
                                             bad ? "BAD" : "ok", "found", found));
}

/* "HEX  NAME" as sha256sum writes it. */
static int look_sum(struct verify *v, const char *path, struct err *e)
{
    char sum[HASH_SHA256_HEX];
    struct buf text AUTO_BUF;
    AUTO_FREE char *beside = mem_printf("%s" BACKUP_SUM, path);
    buf_init(&text, 4096);
    if (!file_there(beside)) {
        look(v, "checksum", false, "none is recorded beside the file");
        return 0;
    }
    if (buf_read_file(&text, beside, e) < 0 || file_sha256(path, sum, e) < 0)
        return -1;
    bool same = text.len > strlen(sum) && memcmp(text.data, sum, strlen(sum)) == 0;
    look(v, "checksum", !same, same ? sum : "the file is not the one that was written");
    return 0;
}

static void look_line(void *arg, const char *line)
{
    look(arg, "structure", true, line);
}

static int look_structure(struct verify *v, struct db *db, struct err *e)
{
    size_t before = json_array_size(v->rows);
    if (db_check(db, false, 0, look_line, v, e) < 0)
        return -1;
    if (json_array_size(v->rows) == before)
        look(v, "structure", false, "pages, tables and indexes agree");
    return 0;
}

static int look_schema(struct verify *v, struct db *db, struct err *e)
{
    if (backup_schema(db, &v->schema, e) < 0)
        return -1;
    bool known = v->schema > 0 && v->schema <= migrate_newest();
    AUTO_FREE char *text =
        v->schema == 0 ? mem_str("it is no database of leadd's")
                       : mem_printf("%" PRId64 "%s", v->schema,
                                    known ? "" : ", of a newer leadd than this one");
    look(v, "schema", !known, text);
    return 0;
}

static int look_counts(struct verify *v, struct db *db, struct err *e)
{
    const char *table;
    json_t *n;
    int64_t all = 0;
    bool same = true;
    AUTO_JSON json_t *now = backup_counts(db, e);
    const char *text = json_get_str(v->meta, "counts", NULL);
    AUTO_JSON json_t *then = text ? json_loads(text, 0, NULL) : NULL;
    if (!now)
        return -1;
    json_object_foreach(now, table, n) {
        int64_t before = json_get_int(then, table, -1);
        all += json_integer_value(n);
        if (!then || before == json_integer_value(n))
            continue;
        same = false;
        AUTO_FREE char *line = mem_printf("%s has %" JSON_INTEGER_FORMAT " rows, recorded are %"
                                          PRId64, table, json_integer_value(n), before);
        look(v, "rows", true, line);
    }
    AUTO_FREE char *sum = mem_printf("%" PRId64 "%s", all, then ? ", as recorded"
                                                                 : "; none are recorded");
    if (same)
        look(v, "rows", false, sum);
    return 0;
}

static int look_references(struct verify *v, struct db *db, struct err *e)
{
    size_t i;
    json_t *row;
    AUTO_JSON json_t *misfits = backup_misfits(db, e);
    if (!misfits)
        return -1;
    json_array_foreach(misfits, i, row) {
        AUTO_FREE char *line =
            mem_printf("%" PRId64 " %s, the first is %" PRId64, json_get_int(row, "rows", 0),
                       json_get_str(row, "what", ""), json_get_int(row, "first", 0));
        look(v, "references", true, line);
    }
    if (i == 0)
        look(v, "references", false, "every row has what it names");
    return 0;
}

/* Damage ends the look with what it is; other errors are no verdict. */
static int look_all(struct verify *v, struct db *db, struct err *e)
{
    if (look_structure(v, db, e) == 0 && look_schema(v, db, e) == 0) {
        if (v->schema == 0 || v->schema > migrate_newest())
            return 0;
        v->meta = backup_meta_read(db, e);
        if (v->meta && look_counts(v, db, e) == 0 && look_references(v, db, e) == 0)
            return 0;
    }
    if (e->cls == ERR_TEMP)
        return -1;
    if (!v->bad)
        look(v, "structure", true, e->text);
    return 0;
}

int verify_file(const char *path, bool sum, struct verify *v, struct err *e)
{
    *v = (struct verify){.rows = json_array()};
    if (access(path, R_OK) < 0)
        return err_set(e, ERR_INPUT, "cannot read %s: %s", path, err_errno());
    if (sum && look_sum(v, path, e) < 0)
        return -1;
    struct db *db = db_open(path, true, e);
    int rc = db ? look_all(v, db, e) : -1;
    db_close(&db);
    if (rc < 0 && e->cls == ERR_PERM) {
        look(v, "structure", true, e->text);
        rc = 0;
    }
    return rc;
}

json_t *verify_table(const struct verify *v)
{
    return json_pack("{s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}], s:O, s:b}", "columns", "name",
                     "check", "title", "CHECK", "name", "result", "title", "RESULT", "name",
                     "found", "title", "FOUND", "rows", v->rows, "ok", !v->bad);
}

void verify_done(struct verify *v)
{
    json_decref(v->rows);
    json_decref(v->meta);
    *v = (struct verify){0};
}

int ctl_verify(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    struct verify v;
    if (argc != 2) {
        fputs("usage: leadctl backup verify FILE\n", stderr);
        return CTL_EXIT_USAGE;
    }
    int rc = verify_file(argv[1], true, &v, &e);
    if (rc == 0) {
        AUTO_JSON json_t *table = verify_table(&v);
        ctl_show_copy(opt, table);
    }
    int code = rc == 0 ? (v.bad ? CTL_EXIT_DATA : 0)
                       : ctl_complain("backup verify", &e,
                                      e.cls == ERR_INPUT ? CTL_EXIT_NOINPUT : CTL_EXIT_TEMP);
    verify_done(&v);
    return code;
}
