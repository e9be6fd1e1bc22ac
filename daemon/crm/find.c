/* SPDX-License-Identifier: ISC
 *
 * find - see find.h
 */
#include "crm/find.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/identity.h"
#include "crm/list.h"
#include "crm/see.h"
#include "store/case.h"
#include "store/lead.h"

#define FIND_SCAN 2000
#define FIND_WORDS 8
#define FIND_TEXT KIB(4)

struct find {
    struct crm_ctx *ctx;
    const char *user;
    char *words[FIND_WORDS]; /* own; folded */
    size_t count, most;
    json_t *hits;
};

/* "L42  new  anna  Two hundred pumps" */
static void row_text(enum crm_entity t, const json_t *row, struct buf *out)
{
    AUTO_JSON json_t *columns = crm_table_columns(t);
    size_t i;
    const json_t *c;
    json_array_foreach(columns, i, c) {
        const char *name = json_get_str(c, "name", ""), *s = json_get_str(row, name, "");
        if (!*s || (s[4 * (strlen(s) > 4)] == '-' && strchr(s, 'T') && s[strlen(s) - 1] == 'Z'))
            continue; /* empty, or a time */
        buf_printf(out, "%s%s", out->len ? "  " : "", s);
    }
}

static bool row_matches(const struct find *f, const char *text)
{
    struct buf folded AUTO_BUF;
    buf_init(&folded, FIND_TEXT * 3);
    rule_fold(text, strlen(text), &folded);
    for (size_t i = 0; i < f->count; i++)
        if (!strstr(folded.data, f->words[i]))
            return false;
    return true;
}

static int row_take(struct find *f, enum crm_entity t, const json_t *rec, bool matched,
                    struct err *e)
{
    struct err why = {0};
    struct buf text AUTO_BUF;
    AUTO_JSON json_t *row = crm_table_row(f->ctx, t, rec, e);
    buf_init(&text, FIND_TEXT);
    if (!row)
        return -1;
    row_text(t, row, &text);
    if (json_object_get(rec, "deleted_ms") || (!matched && !row_matches(f, text.data)))
        return 0;
    if (crm_may_see(f->ctx, f->user, t, json_get_int(rec, "id", 0), &why) < 0)
        return why.cls == ERR_INPUT ? 0 : err_set(e, why.cls, "%s", why.text);
    text_make_line(text.data);
    json_array_append_new(f->hits, json_string(text.data));
    return 0;
}

/* Ends the query in any case. */
static int rows_take(struct find *f, enum crm_entity t, struct db_rows *r, bool matched,
                     struct err *e)
{
    bool failed = false;
    for (int n = 0; !failed && n < FIND_SCAN && json_array_size(f->hits) < f->most && db_step(r);
         n++) {
        AUTO_JSON json_t *rec = record_of_row(r, crm_table(t));
        failed = row_take(f, t, rec, matched, e) < 0;
    }
    return db_done(&r, failed ? NULL : e) < 0 || failed ? -1 : 0;
}

static int contact_take(struct find *f, int64_t contact, struct err *e)
{
    const json_t *rec = crm_record(f->ctx, CRM_CONTACT, contact, e);
    if (!rec || row_take(f, CRM_CONTACT, rec, true, e) < 0 ||
        rows_take(f, CRM_LEAD, lead_of_contact(f->ctx->crm->db, contact), true, e) < 0)
        return -1;
    return rows_take(f, CRM_CASE, case_of_contact(f->ctx->crm->db, contact), true, e);
}

/* 0 in *contact: the words are no address that somebody has. */
static int by_address(struct find *f, const char *words, int64_t *contact, struct err *e)
{
    char folded[CRM_ADDRESS_MAX];
    *contact = 0;
    if (crm_email_fold(words, folded) == 0)
        return crm_find_contact(f->ctx, "email", folded, contact, e);
    if (crm_phone_fold(words, f->ctx->crm->country, folded, sizeof(folded)) == 0)
        return crm_find_contact(f->ctx, "phone", folded, contact, e);
    return 0;
}

static void words_read(struct find *f, const char *words)
{
    struct buf folded AUTO_BUF;
    buf_init(&folded, FIND_TEXT * 3);
    rule_fold(words, text_utf8_cut(words, strlen(words), FIND_TEXT), &folded);
    for (const char *p = folded.data; *p && f->count < FIND_WORDS;) {
        size_t n = strcspn(p, " ");
        if (n)
            f->words[f->count++] = mem_strn(p, n);
        p += n + (p[n] == ' ');
    }
}

int crm_find(struct crm_ctx *ctx, const char *user, const char *words, size_t most, json_t *hits,
             struct err *e)
{
    static const enum crm_entity kinds[] = {CRM_LEAD, CRM_CASE, CRM_CONTACT};
    struct find f = {.ctx = ctx, .user = user, .most = most, .hits = hits};
    int64_t contact;
    int rc = by_address(&f, words, &contact, e);
    if (rc == 0 && contact)
        return contact_take(&f, contact, e);
    words_read(&f, words);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(kinds); i++)
        rc = rows_take(&f, kinds[i],
                       record_list(ctx->crm->db, crm_table(kinds[i]), INT64_MAX, NULL, NULL), false, e);
    for (size_t i = 0; i < f.count; i++)
        mem_free(f.words[i]);
    return rc;
}
