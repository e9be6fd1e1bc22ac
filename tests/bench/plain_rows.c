/* SPDX-License-Identifier: ISC
 *
 * plain_rows - a plain loop that writes the rows another database has
 *
 *   plain_rows FULL.db EMPTY.db LEADS BATCH
 *
 * What leadd's store is compared with: every row of FULL.db that EMPTY.db (same
 * tables and indexes) lacks is held in memory and then inserted with prepared
 * statements, a BATCH of leads in each transaction, in the daemon's modes (WAL,
 * synchronous=FULL). Only inserts: the rows as they are in the end. One line of
 * JSON on stdout.
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"

#define TABLES_MAX 64

struct table {
    char *name;
    int columns;
    long rows, next;
    sqlite3_value **values; /* rows * columns */
    sqlite3_stmt *insert;
};

struct copy {
    sqlite3 *from, *to;
    struct table tables[TABLES_MAX];
    int count;
    long rows;
};

static void die(const char *what, sqlite3 *db)
{
    fprintf(stderr, "plain_rows: %s: %s\n", what, db ? sqlite3_errmsg(db) : "no memory");
    exit(1);
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sql, db);
}

static sqlite3_stmt *prepare(sqlite3 *db, char *sql)
{
    sqlite3_stmt *st;
    if (!sql || sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        die("prepare", db);
    sqlite3_free(sql);
    return st;
}

/* All rows that the other one lacks. */
static void table_load(struct copy *c, struct table *t)
{
    sqlite3_stmt *st = prepare(c->from, sqlite3_mprintf("SELECT * FROM main.\"%w\" EXCEPT "
                                                        "SELECT * FROM empty.\"%w\"",
                                                        t->name, t->name));
    long cap = 0;
    t->columns = sqlite3_column_count(st);
    while (sqlite3_step(st) == SQLITE_ROW) {
        if (t->rows == cap) {
            cap = cap ? cap * 2 : 1024;
            t->values = realloc(t->values, sizeof(*t->values) * (size_t)(cap * t->columns));
            if (!t->values)
                die("rows", NULL);
        }
        for (int i = 0; i < t->columns; i++)
            t->values[t->rows * t->columns + i] = sqlite3_value_dup(sqlite3_column_value(st, i));
        t->rows++;
    }
    sqlite3_finalize(st);
}

static void table_prepare(struct copy *c, struct table *t)
{
    char marks[512] = "?";
    for (int i = 1; i < t->columns && strlen(marks) < sizeof(marks) - 3; i++)
        memcpy(marks + strlen(marks), ",?", 3);
    t->insert = prepare(c->to, sqlite3_mprintf("INSERT OR REPLACE INTO \"%w\" VALUES (%s)",
                                               t->name, marks));
}

static void table_write(struct copy *c, struct table *t)
{
    for (int i = 0; i < t->columns; i++)
        sqlite3_bind_value(t->insert, i + 1, t->values[t->next * t->columns + i]);
    if (sqlite3_step(t->insert) != SQLITE_DONE)
        die(t->name, c->to);
    sqlite3_reset(t->insert);
    t->next++;
    c->rows++;
}

static void copy_load(struct copy *c)
{
    sqlite3_stmt *st = prepare(c->from, sqlite3_mprintf(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%%' "
        "ESCAPE '\\'"));
    while (sqlite3_step(st) == SQLITE_ROW && c->count < TABLES_MAX) {
        struct table *t = &c->tables[c->count++];
        t->name = strdup((const char *)sqlite3_column_text(st, 0));
        table_load(c, t);
        table_prepare(c, t);
    }
    sqlite3_finalize(st);
}

static long copy_write(struct copy *c, long leads, long batch)
{
    long done = 0, commits = 0;
    while (done < leads) {
        done = done + batch < leads ? done + batch : leads;
        run(c->to, "BEGIN IMMEDIATE");
        for (int i = 0; i < c->count; i++)
            while (c->tables[i].next < c->tables[i].rows * done / leads)
                table_write(c, &c->tables[i]);
        run(c->to, "COMMIT");
        commits++;
    }
    return commits;
}

static void copy_free(struct copy *c)
{
    for (int i = 0; i < c->count; i++) {
        struct table *t = &c->tables[i];
        for (long n = 0; n < t->rows * t->columns; n++)
            sqlite3_value_free(t->values[n]);
        free(t->values);
        free(t->name);
        sqlite3_finalize(t->insert);
    }
    sqlite3_close(c->from);
    sqlite3_close(c->to);
}

int main(int argc, char **argv)
{
    struct copy c = {0};
    if (argc != 5) {
        fprintf(stderr, "usage: plain_rows FULL.db EMPTY.db LEADS BATCH\n");
        return 64;
    }
    long leads = strtol(argv[3], NULL, 10), batch = strtol(argv[4], NULL, 10);
    if (leads < 1 || batch < 1 || sqlite3_open(argv[1], &c.from) != SQLITE_OK ||
        sqlite3_open(argv[2], &c.to) != SQLITE_OK)
        die("open", c.from);
    char *attach = sqlite3_mprintf("ATTACH %Q AS empty", argv[2]);
    run(c.from, attach);
    sqlite3_free(attach);
    run(c.to, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
              "PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -32768");
    copy_load(&c);
    run(c.from, "DETACH empty");
    double began = now_s(), cpu = cpu_s();
    long commits = copy_write(&c, leads, batch);
    printf("{\"leads\": %ld, \"rows\": %ld, \"commits\": %ld, \"seconds\": %.6f, \"cpu\": %.3f}\n",
           leads, c.rows, commits, now_s() - began, cpu_s() - cpu);
    copy_free(&c);
    return 0;
}
