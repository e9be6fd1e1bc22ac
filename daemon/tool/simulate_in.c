/* SPDX-License-Identifier: ISC
 *
 * simulate_in - what a simulation is given, see simulate.h
 *
 * All is read before anything runs, so that the run itself opens no file.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/parse.h"
#include "tool/simulate.h"

static struct simulate_item *item_add(struct simulate_items *items)
{
    if (items->count == items->cap) {
        items->cap = items->cap ? items->cap * 2 : 256;
        items->v = mem_grow(items->v, items->cap * sizeof(*items->v));
    }
    struct simulate_item *it = &items->v[items->count];
    *it = (struct simulate_item){.order = items->count};
    items->count++;
    return it;
}

/* When the own server had it, else when it says it was written. */
static int64_t mail_time(const char *raw, size_t n)
{
    struct mail_limits lim;
    struct err e;
    mail_limits_default(&lim);
    AUTO_JSON json_t *m = mail_parse(raw, n, &lim, &e);
    int64_t received = json_get_int(m, "received_ms", 0);
    return received > 0 ? received : json_get_int(m, "date_ms", 0);
}

/* Takes raw. */
static void mail_add(struct simulate_items *items, char *raw, size_t n)
{
    struct simulate_item *it = item_add(items);
    it->raw = raw;
    it->raw_len = n;
    it->at_ms = mail_time(raw, n);
}

/* ---- mbox -------------------------------------------------------------------------------------- */

static bool line_is_from(const char *p, const char *end)
{
    return end - p > 5 && memcmp(p, "From ", 5) == 0;
}

/* ">From" of a line loses one ">". */
static void mbox_mail(struct simulate_items *items, const char *p, const char *end)
{
    struct buf out AUTO_BUF;
    buf_init(&out, (size_t)(end - p) + 1);
    while (p < end) {
        const char *eol = memchr(p, '\n', (size_t)(end - p)), *next = eol ? eol + 1 : end;
        const char *quote = p;
        while (quote < next && *quote == '>')
            quote++;
        if (quote > p && line_is_from(quote, next))
            p++;
        buf_add(&out, p, (size_t)(next - p));
        p = next;
    }
    if (out.len)
        mail_add(items, mem_strn(out.data, out.len), out.len);
}

static void mbox_read(struct simulate_items *items, const char *p, const char *end)
{
    const char *mail = NULL;
    bool blank = true; /* the line before is empty */
    while (p < end) {
        const char *eol = memchr(p, '\n', (size_t)(end - p)), *next = eol ? eol + 1 : end;
        if (blank && line_is_from(p, next)) {
            if (mail)
                mbox_mail(items, mail, p);
            mail = next;
        }
        blank = eol && (eol == p || (eol == p + 1 && *p == '\r'));
        p = next;
    }
    if (mail)
        mbox_mail(items, mail, end);
}

/* ---- forms ---------------------------------------------------------------------------------------- */

static int form_line(struct simulate_items *items, const char *p, size_t n, struct err *e)
{
    int64_t at = 0;
    AUTO_JSON json_t *j = json_load_bounded(p, n, BOUND_HTTP_BODY, e);
    if (!j)
        return -1;
    const char *form = json_get_str(j, "form", NULL), *when = json_get_str(j, "at", NULL);
    json_t *fields = json_get_obj(j, "fields");
    if (!form || !fields || (when && clock_parse_utc(when, &at) < 0))
        return err_set(e, ERR_INPUT, "expected {\"at\": \"2026-10-01T09:00:00Z\", \"form\": \"contact\", "
                       "\"fields\": {..}}");
    struct simulate_item *it = item_add(items);
    it->form = mem_str(form);
    it->fields = json_incref(fields);
    it->at_ms = at;
    return 0;
}

static int forms_read(struct simulate_items *items, const char *path, const char *p, const char *end,
                      struct err *e)
{
    for (int line = 1; p < end; line++) {
        const char *eol = memchr(p, '\n', (size_t)(end - p)), *next = eol ? eol + 1 : end;
        size_t n = (size_t)((eol ? eol : end) - p);
        if (strspn(p, " \t\r") < n && form_line(items, p, n, e) < 0)
            return err_wrap(e, "%s:%d", path, line);
        p = next;
    }
    return 0;
}

/* ---- files and folders ------------------------------------------------------------------------------ */

static int file_read(struct simulate_items *items, const char *path, struct err *e)
{
    struct buf data AUTO_BUF;
    buf_init(&data, BOUND_SIMULATE_BYTES - items->bytes);
    if (buf_read_file(&data, path, e) < 0)
        return -1;
    items->bytes += data.len;
    const char *end = data.data + data.len;
    if (line_is_from(data.data, end))
        mbox_read(items, data.data, end);
    else if (data.len && data.data[strspn(data.data, " \t\r\n")] == '{')
        return forms_read(items, path, data.data, end, e);
    else if (data.len)
        mail_add(items, mem_strn(data.data, data.len), data.len);
    return 0;
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of a folder in the order of their names; hidden ones are none. */
static int folder_read(struct simulate_items *items, const char *path, struct err *e)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    char **names = NULL;
    size_t count = 0, cap = 0;
    int rc = 0;
    if (!d)
        return err_set(e, ERR_INPUT, "%s: %s", path, err_errno());
    while ((entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        if (count == cap) {
            cap = cap ? cap * 2 : 256;
            names = mem_grow(names, cap * sizeof(*names));
        }
        names[count++] = mem_str(entry->d_name);
    }
    closedir(d);
    if (count)
        qsort(names, count, sizeof(*names), name_compare);
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *file = mem_printf("%s/%s", path, names[i]);
        struct stat st;
        if (rc == 0 && stat(file, &st) == 0 && S_ISREG(st.st_mode))
            rc = file_read(items, file, e);
        mem_free(names[i]);
    }
    mem_free(names);
    return rc;
}

int simulate_read(struct simulate_items *items, const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return err_set(e, ERR_INPUT, "%s: %s", path, err_errno());
    if (!S_ISDIR(st.st_mode))
        return file_read(items, path, e);
    AUTO_FREE char *fresh = mem_printf("%s/new", path), *seen = mem_printf("%s/cur", path);
    if (stat(fresh, &st) < 0 || stat(seen, &st) < 0)
        return folder_read(items, path, e);
    return folder_read(items, seen, e) < 0 ? -1 : folder_read(items, fresh, e);
}

void simulate_items_done(struct simulate_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        mem_free(items->v[i].raw);
        mem_free(items->v[i].form);
        json_decref(items->v[i].fields);
    }
    mem_free(items->v);
    *items = (struct simulate_items){.v = NULL};
}
