/* SPDX-License-Identifier: ISC
 *
 * ours - see ours.h
 */
#include "engine/ours.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "engine/token.h"

#define TAG_LEN 4 /* characters of a token that stand in a subject */
#define SUBJECT_MAX (OURS_NAME_MAX - 32)

/* How the kinds are written. lead_in stands before the name, in addresses and tags. */
static const struct ours_row {
    enum ours_kind kind;
    const char *purpose, *lead_in, *tag;
} rows[] = {
    {OURS_CONVERSATION, "conversation", "", "answer "},
    {OURS_THREAD, "thread", "", ""},
    {OURS_NOTICE, "notice", "note.", "note "},
    {OURS_RETURN, "verp", "", NULL},
    {OURS_OPTOUT, "optout", "stop.", NULL},
    {OURS_CONFIRM, "confirm", "ok.", NULL},
    {OURS_DROPBOX, "dropbox", "drop.", NULL},
    {OURS_SECRET, "secret", "key.", NULL},
};

static const struct ours_row *row_of(enum ours_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].kind == kind)
            return &rows[i];
    return NULL;
}

struct ours ours_of(enum ours_kind kind, const struct crm_target *t, int64_t message)
{
    struct ours o = {.kind = kind, .message = message};
    bool is_case = t->kase && (t->main == CRM_CASE || !t->lead);
    if (kind == OURS_NOTICE && t->main == CRM_TASK && t->task) {
        o.entity = CRM_TASK;
        o.id = t->task;
        return o;
    }
    o.entity = is_case ? CRM_CASE : t->lead ? CRM_LEAD : t->contact ? CRM_CONTACT : CRM_NONE;
    o.id = is_case ? t->kase : t->lead ? t->lead : t->contact;
    return o;
}

/* ---- making --------------------------------------------------------------------- */

/* What the token is of: "L42", "L42.M7", "O17", "anna"; "" when there is nothing. */
static void subject_of(const struct ours *o, char out[SUBJECT_MAX])
{
    char record[CRM_ID_LEN] = "";
    *out = '\0';
    switch (o->kind) {
    case OURS_THREAD:
    case OURS_NOTICE:
    case OURS_CONVERSATION:
        if (o->entity == CRM_NONE || (o->kind == OURS_CONVERSATION && o->message <= 0))
            return;
        crm_id_format(o->entity, o->id, record);
        if (o->kind == OURS_CONVERSATION)
            snprintf(out, SUBJECT_MAX, "%s.M%" PRId64, record, o->message);
        else
            snprintf(out, SUBJECT_MAX, "%s", record);
        return;
    case OURS_RETURN:
    case OURS_OPTOUT:
    case OURS_CONFIRM:
        if (o->id > 0)
            snprintf(out, SUBJECT_MAX, "%c%" PRId64, o->kind == OURS_CONFIRM ? 'H' : 'O', o->id);
        return;
    case OURS_SECRET:
        snprintf(out, SUBJECT_MAX, "%s.%" PRId64, o->user, o->issue);
        return;
    case OURS_DROPBOX: /* the first issue has no number */
        if (o->issue)
            snprintf(out, SUBJECT_MAX, "%s%s%" PRId64, o->user, o->user[0] ? "." : "", o->issue);
        else
            snprintf(out, SUBJECT_MAX, "%s", o->user);
        return;
    case OURS_NONE:
    case OURS_COMPANY:
    case OURS_WORDS:
        return;
    }
}

void ours_name(const struct engine *eng, const struct ours *o, char out[OURS_NAME_MAX])
{
    const struct ours_row *row = row_of(o->kind);
    char name[SUBJECT_MAX], token[HASH_TOKEN_LEN];
    *out = '\0';
    if (!row)
        return;
    subject_of(o, name);
    if (!name[0] && o->kind != OURS_DROPBOX)
        return;
    hash_token(eng->key, sizeof(eng->key), row->purpose, name, token);
    snprintf(out, OURS_NAME_MAX, "%s%s%s%s", row->lead_in, name, name[0] ? "." : "", token);
}

static const char *at_domain(const char *address)
{
    const char *at = strrchr(address, '@');
    return at ? at + 1 : address;
}

/* "sales@example.com" and "L42.tok" -> "sales+L42.tok@example.com" */
static char *address_plus(const char *address, const char *extra)
{
    const char *domain = at_domain(address);
    return mem_printf("%.*s+%s@%s", (int)(domain - address - 1), address, extra, domain);
}

char *ours_address(const struct engine *eng, const struct ours *o)
{
    const char *address = engine_setting(eng, "address", ""),
               *style = engine_setting(eng, "reply_address", "plus");
    char name[OURS_NAME_MAX];
    ours_name(eng, o, name);
    if (!name[0] || !strchr(address, '@') || strcmp(style, "none") == 0)
        return NULL;
    return strcmp(style, "plus") == 0 ? address_plus(address, name)
                                      : mem_printf("%s@%s", name, at_domain(address));
}

char *ours_return_path(const struct engine *eng, int64_t outbox)
{
    const char *ret = engine_setting(eng, "return_path", NULL);
    char name[OURS_NAME_MAX];
    ours_name(eng, &(struct ours){.kind = OURS_RETURN, .id = outbox}, name);
    return address_plus(ret && *ret ? ret : engine_setting(eng, "address", ""), name);
}

void ours_tag(const struct engine *eng, const struct ours *o, char out[OURS_TAG_MAX])
{
    const struct ours_row *row = row_of(o->kind);
    char name[SUBJECT_MAX], token[HASH_TOKEN_LEN], record[CRM_ID_LEN];
    *out = '\0';
    if (!row || !row->tag)
        return;
    subject_of(o, name);
    if (!name[0])
        return;
    hash_token(eng->key, sizeof(eng->key), row->purpose, name, token);
    crm_id_format(o->entity, o->id, record);
    if (o->kind == OURS_CONVERSATION)
        snprintf(out, OURS_TAG_MAX, "[%s%s.%" PRId64 "-%.*s]", row->tag, record, o->message,
                 TAG_LEN, token);
    else
        snprintf(out, OURS_TAG_MAX, "[%s%s-%.*s]", row->tag, record, TAG_LEN, token);
}

void ours_frame(const struct engine *eng, const struct ours *o, struct buf *out)
{
    char tag[OURS_TAG_MAX] = "";
    if (o->entity)
        ours_tag(eng, o, tag);
    buf_printf(out, "%s%s" OURS_HINT ": write above this line.\n\n", tag, *tag ? " " : "");
}

/* ---- reading -------------------------------------------------------------------- */

/* "L42" at p, with end behind it: 0 and the place of that in *next, or -1. */
static int id_at(const char *p, char end, char *letter_out, int64_t *id_out, const char **next)
{
    size_t digits = isalpha((unsigned char)*p) ? strspn(p + 1, "0123456789") : 0;
    if (digits == 0 || digits > 18 || p[1] == '0' || p[1 + digits] != end)
        return -1;
    *letter_out = (char)toupper((unsigned char)*p);
    *id_out = strtoll(p + 1, NULL, 10);
    *next = p + 1 + digits;
    return 0;
}

static int record_at(const char *p, char end, struct ours *o, const char **next)
{
    char letter, text[CRM_ID_LEN];
    int64_t id;
    if (id_at(p, end, &letter, &id, next) < 0)
        return -1;
    snprintf(text, sizeof(text), "%c%" PRId64, letter, id);
    return crm_id_parse(text, &o->entity, &o->id);
}

/* Do these characters stand here, as the beginning of the token of what o is about? */
static bool token_is(const struct engine *eng, const struct ours *o, const char *given, size_t n)
{
    const struct ours_row *row = row_of(o->kind);
    char name[SUBJECT_MAX], token[HASH_TOKEN_LEN], said[HASH_TOKEN_LEN];
    size_t have = 0;
    while (have < n && isalnum((unsigned char)given[have]))
        have++;
    if (have < n || isalnum((unsigned char)given[n]))
        return false;
    memcpy(said, given, n);
    said[n] = '\0';
    text_lower(said); /* addresses may arrive in another case */
    subject_of(o, name);
    hash_token(eng->key, sizeof(eng->key), row->purpose, name, token);
    token[n] = '\0';
    return text_equal_ct(token, said);
}

#define TOKEN_LEN (HASH_TOKEN_LEN - 1)

/* "L42.TOKEN" or "L42.M7.TOKEN": of which kind the token is decides. */
static bool record_token_at(const struct engine *eng, const char *p, struct ours *out)
{
    static const enum ours_kind kinds[] = {OURS_THREAD, OURS_NOTICE};
    struct ours o = {0};
    const char *next;
    char letter;
    if (record_at(p, '.', &o, &next) < 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        o.kind = kinds[i];
        *out = o;
        if (token_is(eng, &o, next + 1, TOKEN_LEN))
            return true;
    }
    o.kind = OURS_CONVERSATION;
    if (id_at(next + 1, '.', &letter, &o.message, &next) < 0 || letter != 'M')
        return false;
    *out = o;
    return token_is(eng, &o, next + 1, TOKEN_LEN);
}

static bool token_at(const struct engine *eng, const char *p, struct ours *out)
{
    const char *next;
    char letter;
    if (record_token_at(eng, p, out))
        return true;
    *out = (struct ours){0};
    if (id_at(p, '.', &letter, &out->id, &next) < 0 || (letter != 'O' && letter != 'H'))
        return false;
    out->kind = letter == 'O' ? OURS_RETURN : OURS_CONFIRM;
    if (token_is(eng, out, next + 1, TOKEN_LEN))
        return true;
    out->kind = OURS_OPTOUT;
    return letter == 'O' && token_is(eng, out, next + 1, TOKEN_LEN);
}

bool ours_find(const struct engine *eng, const char *text, struct ours *out)
{
    struct ours o = {0};
    for (const char *p = text; *p; p++) {
        if (!isalpha((unsigned char)*p) || !isdigit((unsigned char)p[1]) ||
            (p > text && isalnum((unsigned char)p[-1])))
            continue;
        if (token_at(eng, p, &o)) {
            *out = o;
            return true;
        }
    }
    *out = (struct ours){0};
    return false;
}

/* The length of the user's name in "anna.3" (n bytes), whose number goes to o->issue. */
static size_t issue_read(const char *s, size_t n, struct ours *o)
{
    size_t digits = 0;
    while (digits < n && isdigit((unsigned char)s[n - 1 - digits]))
        digits++;
    if (digits == 0 || digits > 18 || digits == n || s[n - 1 - digits] != '.')
        return 0;
    o->issue = strtoll(s + n - digits, NULL, 10);
    return n - digits - 1;
}

static bool user_named(const struct engine *eng, const char *s, size_t n, struct ours *o)
{
    const json_t *users = json_get_obj(eng->role->config, "users"), *u;
    const char *name;
    o->user[0] = '\0';
    json_object_foreach((json_t *)users, name, u)
        if (strlen(name) == n && strncasecmp(name, s, n) == 0)
            snprintf(o->user, sizeof(o->user), "%s", name);
    return o->user[0] != '\0';
}

/* "anna" or "anna.3" (n bytes), or of a dropbox "" or "3": the token says which is meant. */
static bool named_is(const struct engine *eng, const char *s, size_t n, const char *token,
                     struct ours *o)
{
    bool dropbox = o->kind == OURS_DROPBOX;
    if (dropbox && (n == 0 || user_named(eng, s, n, o)) && token_is(eng, o, token, TOKEN_LEN))
        return true;
    size_t k = issue_read(s, n, o);
    if (k > 0 && user_named(eng, s, k, o) && token_is(eng, o, token, TOKEN_LEN))
        return true;
    o->user[0] = '\0';
    if (!dropbox || n == 0 || n > 18 || strspn(s, "0123456789") != n)
        return false;
    o->issue = strtoll(s, NULL, 10);
    return token_is(eng, o, token, TOKEN_LEN);
}

/* "drop.TOKEN", "drop.2.TOKEN", "drop.anna.TOKEN", "drop.anna.2.TOKEN", "key.anna.3.TOKEN" */
static bool named_token(const struct engine *eng, const char *local, struct ours *out)
{
    static const enum ours_kind kinds[] = {OURS_DROPBOX, OURS_SECRET};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct ours o = {.kind = kinds[i]};
        const char *lead_in = row_of(o.kind)->lead_in;
        size_t n = strlen(lead_in), given = strlen(local);
        if (strncmp(local, lead_in, n) != 0 || given < n + TOKEN_LEN)
            continue;
        size_t all = given - TOKEN_LEN - n; /* with the dot behind it */
        if (all > 0 && local[n + all - 1] != '.')
            return false;
        bool is = named_is(eng, local + n, all ? all - 1 : 0, local + n + all, &o);
        *out = o;
        return is;
    }
    return false;
}

/* Is folded this address of the company? *extra gets what stands behind a plus. */
static bool beside(const char *folded, const char *own, const char **extra, size_t *n)
{
    char mine[CRM_ADDRESS_MAX];
    if (!own || crm_email_fold(own, mine) < 0)
        return false;
    size_t local = (size_t)(strrchr(mine, '@') - mine);
    const char *at = strrchr(folded, '@');
    if (strncmp(folded, mine, local) != 0 || strcmp(at, mine + local) != 0 ||
        (folded[local] != '+' && folded[local] != '@'))
        return false;
    *extra = folded[local] == '+' ? folded + local + 1 : at;
    *n = (size_t)(at - *extra);
    return true;
}

static bool is_company(const struct engine *eng, const char *folded, const char **extra, size_t *n)
{
    const char *name;
    const json_t *m;
    if (beside(folded, engine_setting(eng, "address", NULL), extra, n) ||
        beside(folded, engine_setting(eng, "return_path", NULL), extra, n))
        return true;
    json_object_foreach(json_get_obj(eng->role->config, "mailboxes"), name, m)
        if (beside(folded, json_get_str(m, "user", NULL), extra, n))
            return true;
    return false;
}

bool ours_read(const struct engine *eng, const char *address, struct ours *out)
{
    char folded[CRM_ADDRESS_MAX];
    const char *extra = NULL;
    size_t n = 0;
    *out = (struct ours){0};
    if (!address || crm_email_fold(address, folded) < 0)
        return false;
    char *at = strrchr(folded, '@');
    bool company = is_company(eng, folded, &extra, &n);
    *at = '\0'; /* tokens are of the local part */
    const char *plus = strrchr(folded, '+');
    if (ours_find(eng, folded, out) || named_token(eng, plus ? plus + 1 : folded, out))
        return true;
    *out = (struct ours){.kind = company ? n ? OURS_WORDS : OURS_COMPANY : OURS_NONE};
    if (n)
        snprintf(out->words, sizeof(out->words), "%.*s", (int)n, extra);
    return company;
}

/* "[L42-k7f3]", "[note L42-k7f3]", "[answer L42.7-k7f3]" */
static bool tag_at(const struct engine *eng, const char *p, struct ours *out)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ours o = {.kind = rows[i].kind};
        const char *s = p + 1, *next;
        size_t n = rows[i].tag ? strlen(rows[i].tag) : 0;
        if (!rows[i].tag || strncasecmp(s, rows[i].tag, n) != 0)
            continue;
        if (record_at(s + n, o.kind == OURS_CONVERSATION ? '.' : '-', &o, &next) < 0)
            continue;
        if (o.kind == OURS_CONVERSATION) {
            size_t digits = strspn(next + 1, "0123456789");
            if (digits == 0 || digits > 18 || next[1 + digits] != '-')
                continue;
            o.message = strtoll(next + 1, NULL, 10);
            next += 1 + digits;
        }
        if (token_is(eng, &o, next + 1, TAG_LEN) && next[1 + TAG_LEN] == ']') {
            *out = o;
            return true;
        }
    }
    return false;
}

bool ours_find_tag(const struct engine *eng, const char *subject, struct ours *out)
{
    *out = (struct ours){0};
    for (const char *p = strchr(subject, '['); p; p = strchr(p + 1, '['))
        if (tag_at(eng, p, out))
            return true;
    return false;
}
