/* SPDX-License-Identifier: ISC
 *
 * super_secrets - has a file with a secret changed since a role read it?
 *
 * A role reads its secrets at its start and closes its sandbox, so a reload must replace it
 * when one of them is another file or was written since, though no setting has changed. Looks
 * at the files' places and times and never at what is in them.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "super.h"

static bool key_is(const char *key, const char *end)
{
    size_t n = strlen(key), m = strlen(end);
    return n >= m && strcmp(key + n - m, end) == 0;
}

static void stamp_file(const json_t *path, struct buf *out)
{
    struct stat st;
    if (json_is_string(path) && stat(json_string_value(path), &st) == 0)
        buf_printf(out, "%ju %ju %jd.%09ld %jd\n", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
                   (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (intmax_t)st.st_size);
}

/* In each group, at most as deep as the config's tables nest them. */
static void stamp_group(const json_t *group, int depth, struct buf *out)
{
    const char *key;
    json_t *v, *one;
    size_t i;
    json_object_foreach((json_t *)group, key, v) {
        if (key_is(key, "_file") && strcmp(key, "config_file") != 0) /* its settings are compared */
            stamp_file(v, out);
        if (key_is(key, "_files"))
            json_array_foreach(v, i, one)
                stamp_file(one, out);
        if (depth > 0 && json_is_object(v))
            stamp_group(v, depth - 1, out);
        if (depth > 0 && json_is_array(v))
            json_array_foreach(v, i, one)
                stamp_group(one, depth - 1, out);
    }
}

int64_t super_secrets(const json_t *part)
{
    struct buf b AUTO_BUF;
    buf_init(&b, MIB(1));
    stamp_group(part, 3, &b);
    return hash_64(b.data ? b.data : "", b.len);
}
