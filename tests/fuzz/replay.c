/* SPDX-License-Identifier: ISC
 *
 * replay - the main of a fuzz target without libFuzzer
 *
 *   replay_NAME [FILE-OR-FOLDER]...
 *
 * Runs the target on each stored input, in the order of their names, from memory
 * of exactly its size. Without arguments: tests/fuzz/corpus/NAME of the source
 * folder. A broken promise ends the process by a signal, and what was last written
 * is the name of the input. Ends with the TAP lines that tests/run counts.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count, bytes;

static int replay_file(const char *path)
{
    struct buf b AUTO_BUF;
    struct err e;
    buf_init(&b, MIB(16));
    if (buf_read_file(&b, path, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return -1;
    }
    fprintf(stderr, "%s\n", path);
    AUTO_FREE uint8_t *exact = mem_alloc(b.len ? b.len : 1);
    memcpy(exact, b.data, b.len);
    LLVMFuzzerTestOneInput(exact, b.len);
    count++;
    bytes += b.len;
    return 0;
}

static int not_hidden(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static int replay(const char *path)
{
    struct stat st;
    struct dirent **names;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return replay_file(path);
    int n = scandir(path, &names, not_hidden, alphasort), rc = n > 0 ? 0 : -1;
    for (int i = 0; i < n; i++) {
        AUTO_FREE char *file = mem_printf("%s/%s", path, names[i]->d_name);
        if (rc == 0)
            rc = replay_file(file);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return rc;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *src = getenv("srcdir");
    const char *name = slash ? slash + 1 : argv[0];
    int rc = 0;
    if (strncmp(name, "replay_", 7) == 0)
        name += 7;
    AUTO_FREE char *folder = mem_printf("%s/tests/fuzz/corpus/%s", src ? src : ".", name);
    for (int i = 1; i < argc && rc == 0; i++)
        rc = replay(argv[i]);
    if (argc < 2)
        rc = replay(folder);
    printf("1..1\n%s 1 - %zu stored inputs of %s (%zu bytes) keep its promises\n",
           rc == 0 && count ? "ok" : "not ok", count, name, bytes);
    return rc == 0 && count ? 0 : 1;
}
