/* SPDX-License-Identifier: ISC
 *
 * config_files - a fresh folder with config files in it, for the config tests
 *
 * Included once by each test program, which runs inside that folder.
 */
#ifndef LEADD_TESTS_CONFIG_FILES_H
#define LEADD_TESTS_CONFIG_FILES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"

static char dir[64];

static const char *const base_lines[] = {
    "company = \"Example\"; address = \"crm@example.com\"; default_owner = \"mia\";\n",
    "users : { mia : { name = \"Mia\"; email = \"mia@example.com\"; }; };\n",
    "relays = ( { name = \"out\"; type = \"maildir\"; path = \"out\"; } );\n",
    "mailboxes : { drop : { type = \"maildir\"; path = \"in\"; }; };\n",
};

static void put_bytes(const char *name, const void *p, size_t n)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

/* The least that is a whole config, without one of its lines (-1: with all). */
static void put_config(int without, const char *more)
{
    struct buf b AUTO_BUF;
    buf_init(&b, MIB(16));
    for (int i = 0; i < (int)ARRAY_LEN(base_lines); i++)
        if (i != without)
            buf_str(&b, base_lines[i]);
    buf_str(&b, more);
    put_bytes("leadd.conf", b.data, b.len);
}

static void empty(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    assert_non_null(d);
    while ((e = readdir(d))) {
        char *path AUTO_FREE = mem_printf("%s/%s", folder, e->d_name);
        unlink(path);
    }
    closedir(d);
}

static void clear(void)
{
    empty("rules.d");
    empty("templates");
    empty(".");
}

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/leadd-config-XXXXXX");
    return !mkdtemp(dir) || chdir(dir) || mkdir("rules.d", 0700) || mkdir("templates", 0700);
}

static int teardown(void **state)
{
    (void)state;
    clear();
    return rmdir("rules.d") || rmdir("templates") || chdir("/") || rmdir(dir);
}

/* text with from replaced by to; own. */
static char *replaced(const char *text, const char *from, const char *to)
{
    struct buf b AUTO_BUF;
    const char *p;
    buf_init(&b, MIB(16));
    for (; (p = strstr(text, from)); text = p + strlen(from)) {
        buf_add(&b, text, (size_t)(p - text));
        buf_str(&b, to);
    }
    buf_str(&b, text);
    return buf_take(&b);
}

/* All that is said about leadd.conf, with DIR for the folder; "" when it is
 * good. A tree comes if and only if there is no error. */
static char *messages(const char *path, json_t **tree_out)
{
    struct errlist l AUTO_ERRLIST;
    struct buf out AUTO_BUF;
    errlist_init(&l, 200);
    json_t *tree = config_load(path, &l);
    buf_init(&out, MIB(1));
    errlist_print(&l, &out);
    assert_int_equal(tree == NULL, errlist_total(&l) > 0);
    if (tree_out)
        *tree_out = tree;
    else
        json_decref(tree);
    return replaced(out.data, dir, "DIR");
}

static char *read_file(const char *path)
{
    struct buf b AUTO_BUF;
    struct err e = {0};
    buf_init(&b, MIB(16));
    if (buf_read_file(&b, path, &e))
        fail_msg("%s", e.text);
    return buf_take(&b);
}

#endif
