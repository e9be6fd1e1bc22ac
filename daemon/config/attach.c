/* SPDX-License-Identifier: ISC
 *
 * attach - the files that templates attach to their mails
 *
 *   Attach: price-list.pdf, terms/2026.pdf
 *
 * They lie below templates_dir and stand in the tree whole, as the templates do: what is
 * sent is what was there when the config was read, a missing file is found then, and a
 * changed one is seen by the next reload. A link that leads out of the folder is refused.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "base/bounds.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/lex.h"
#include "config/read.h"


static const char *const types[][2] = {
    {"csv", "text/csv"},         {"doc", "application/msword"},
    {"gif", "image/gif"},        {"gz", "application/gzip"},
    {"htm", "text/html"},        {"html", "text/html"},
    {"ics", "text/calendar"},    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},       {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},        {"pdf", "application/pdf"},
    {"png", "image/png"},        {"ppt", "application/vnd.ms-powerpoint"},
    {"rtf", "application/rtf"},  {"svg", "image/svg+xml"},
    {"txt", "text/plain"},       {"vcf", "text/vcard"},
    {"xls", "application/vnd.ms-excel"}, {"zip", "application/zip"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
};

struct attach {
    struct walk *w;
    json_t *files, *names; /* borrowed: tree's attachments; the names of one template */
    const char *dir;
    size_t all, mail;      /* bytes so far, of the tree and of one template */
};

static const char *attach_type(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < ARRAY_LEN(types); i++)
        if (strcasecmp(dot + 1, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

/* Below the folder by its name, and by where links lead. */
static const char *attach_misplaced(const char *dir, const char *name, const char *path)
{
    char root[PATH_MAX], real[PATH_MAX];
    if (strlen(name) > BOUND_ATTACH_NAME || !text_is_single_line(name))
        return "is no name of a file";
    if (name[0] == '/' || strcmp(name, "..") == 0 || text_starts(name, "../") || strstr(name, "/../"))
        return "must lie below templates_dir, and be named from there";
    if (!realpath(dir, root) || !realpath(path, real))
        return "is not there";
    size_t n = strlen(root);
    return strncmp(real, root, n) == 0 && real[n] == '/' ? NULL
                                                         : "is a link that leads out of templates_dir";
}

static json_t *attach_tree(const char *name, const char *path, const struct buf *data)
{
    char sha[HASH_SHA256_HEX];
    gnutls_datum_t raw = {(unsigned char *)data->data, (unsigned)data->len}, text = {0};
    json_t *v = json_object();
    hash_sha256_hex(data->data, data->len, sha);
    json_put_str(v, "path", path);
    json_put_str(v, "type", attach_type(name));
    json_put_int(v, "size", (int64_t)data->len);
    json_put_str(v, "sha256", sha);
    int rc = gnutls_base64_encode2(&raw, &text);
    LEADD_ASSERT(rc == 0);
    json_object_set_new(v, "data", json_stringn((const char *)text.data, text.size));
    gnutls_free(text.data);
    return v;
}

/* NULL: it is in the tree now; else what is wrong with it. */
static const char *attach_load(struct attach *a, const char *name)
{
    char *path AUTO_FREE = lex_join(a->dir, name);
    const char *why = attach_misplaced(a->dir, name, path);
    struct stat st;
    struct buf data AUTO_BUF;
    struct err e = {0};
    buf_init(&data, BOUND_ATTACH_FILE + 1);
    if (why)
        return why;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return "is no file with anything in it";
    if ((size_t)st.st_size > BOUND_ATTACH_FILE)
        return "is larger than 4 MB; send a link to it instead";
    if (buf_read_file(&data, path, &e) < 0)
        return "cannot be read";
    if (a->all + data.len > BOUND_ATTACH_ALL)
        return "makes all attachments together larger than 16 MB; send a link to it instead";
    a->all += data.len;
    json_object_set_new(a->files, name, attach_tree(name, path, &data));
    return NULL;
}

static void attach_one(struct attach *a, const char *name, const char *at)
{
    const char *why = json_object_get(a->files, name) ? NULL : attach_load(a, name);
    if (!why) {
        a->mail += (size_t)json_get_int(json_object_get(a->files, name), "size", 0);
        if (a->mail > BOUND_ATTACH_MAIL)
            why = "makes the mail larger than 8 MB; send a link to it instead";
        else if (json_array_size(a->names) == BOUND_ATTACH_FILES)
            why = "is one file too many: a mail has at most 10";
    }
    if (why)
        errlist_add(a->w->errors, at, "Attach: %.200s %s", name, why);
    else
        json_array_append_new(a->names, json_string(name));
}

/* "price-list.pdf, terms.pdf" */
static void attach_value(struct attach *a, const char *p, size_t n, const char *at)
{
    char *value AUTO_FREE = mem_strn(p, n);
    for (char *next = value, *one; (one = strsep(&next, ","));) {
        one = text_trim(one);
        if (*one)
            attach_one(a, one, at);
        else
            errlist_add(a->w->errors, at, "Attach: a file is expected, such as price-list.pdf");
    }
}

static void attach_template(struct attach *a, json_t *t)
{
    const char *path = json_get_str(t, "path", "?");
    int line = 1;
    json_t *names AUTO_JSON = json_array();
    a->names = names;
    a->mail = 0;
    for (const char *p = json_get_str(t, "text", ""), *eol; *p && *p != '\n' && *p != '\r';
         p = eol + (*eol == '\n'), line++) {
        eol = p + strcspn(p, "\n");
        char *at AUTO_FREE = mem_printf("%s:%d", path, line);
        if (strncasecmp(p, "Attach:", 7) == 0)
            attach_value(a, p + 7, (size_t)(eol - p) - 7, at);
    }
    if (json_array_size(names))
        json_object_set(t, "attach", names);
}

void config_read_attachments(struct walk *w, json_t *tree, const char *dir)
{
    const char *name;
    json_t *t, *files = json_object();
    struct attach a = {.w = w, .files = files, .dir = dir};
    json_object_foreach(json_object_get(tree, "templates"), name, t) {
        size_t n = strcspn(name, ".");
        if (name[0] != '_' && strncmp(name + n, ".sms", 4) != 0) /* those have no headers */
            attach_template(&a, t);
    }
    json_object_set_new(tree, "attachments", files);
}
