/* SPDX-License-Identifier: ISC
 *
 * address - see address.h
 */
#include "mail/address.h"

#include <libetpan/libetpan.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/word.h"

#define STRICT_MAX KIB(64)
#define COMMENT_DEPTH 4
#define NAME_MAX_BYTES 300 /* of a display name; the rest is cut */

struct list {
    struct mail_ctx *c;
    const char *field; /* for defects */
    json_t *out;       /* borrowed */
    bool full;
};

json_t *mail_address_json(const char *address, const char *name)
{
    const char *at = strrchr(address, '@');
    if (!at || at == address || !at[1] || strlen(address) > 320)
        return NULL;
    for (const char *p = address; *p; p++)
        if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '<' || *p == '>')
            return NULL;
    AUTO_FREE char *plain = mem_str(address), *folded = mem_str(address);
    text_lower(plain + (at - address));
    text_lower(folded);
    json_t *j = json_object();
    json_put_str(j, "address", plain);
    json_put_str(j, "folded", folded);
    if (name && *name)
        json_put_str(j, "name", name);
    return j;
}

static bool is_full(struct list *l)
{
    if (json_array_size(l->out) < l->c->lim->addresses)
        return false;
    l->full = true;
    mail_defect(l->c, "%s has more than %zu addresses: the rest was not read", l->field,
                l->c->lim->addresses);
    return true;
}

/* name is raw: it may hold encoded words and 8-bit bytes. */
static void list_add(struct list *l, const char *address, const char *name)
{
    if (is_full(l))
        return;
    AUTO_BUF struct buf shown, clean;
    buf_init(&shown, NAME_MAX_BYTES);
    buf_init(&clean, KIB(4));
    text_add_utf8(&clean, address, strlen(address));
    size_t n = name ? strlen(name) : 0;
    /* libetpan leaves the quotes around encoded words */
    bool quoted = n > 4 && name[0] == '"' && name[1] == '=' && name[n - 1] == '"';
    if (name)
        mail_words_decode(l->c, &shown, name + quoted, quoted ? n - 2 : n, l->field);
    json_t *j = mail_address_json(clean.data, shown.data);
    if (j)
        json_array_append_new(l->out, j);
    else if (*address)
        mail_defect(l->c, "%s has something that is no address: it was skipped", l->field);
}

static void list_add_mailbox(struct list *l, const struct mailimf_mailbox *mb)
{
    if (mb && mb->mb_addr_spec)
        list_add(l, mb->mb_addr_spec, mb->mb_display_name);
}

/* libetpan takes what it understands and stops: only a whole reading counts. */
static bool read_strict(struct list *l, const char *v, size_t n)
{
    struct mailimf_address_list *al = NULL;
    size_t at = 0;
    if (mailimf_address_list_parse(v, n, &at, &al) != MAILIMF_NO_ERROR)
        return false;
    while (at < n && (v[at] == ' ' || v[at] == ','))
        at++;
    bool whole = at == n;
    for (clistiter *i = clist_begin(al->ad_list); i && whole; i = clist_next(i)) {
        const struct mailimf_address *a = clist_content(i);
        const struct mailimf_mailbox *mb = a->ad_type == MAILIMF_ADDRESS_MAILBOX
                                               ? a->ad_data.ad_mailbox : NULL;
        if (mb && (!mb->mb_addr_spec || !strchr(mb->mb_addr_spec, '@') ||
                   strpbrk(mb->mb_addr_spec, " \t<>")))
            whole = false;
    }
    for (clistiter *i = clist_begin(al->ad_list); i && whole; i = clist_next(i)) {
        const struct mailimf_address *a = clist_content(i);
        if (a->ad_type == MAILIMF_ADDRESS_MAILBOX) {
            list_add_mailbox(l, a->ad_data.ad_mailbox);
        } else if (a->ad_data.ad_group && a->ad_data.ad_group->grp_mb_list) {
            clist *members = a->ad_data.ad_group->grp_mb_list->mb_list;
            for (clistiter *k = clist_begin(members); k; k = clist_next(k))
                list_add_mailbox(l, clist_content(k));
        }
    }
    mailimf_address_list_free(al);
    return whole;
}

/* What stands between two separators, quotes and comments taken apart. */
struct loose {
    struct buf words, quoted, comment, angle;
    bool has_angle, has_at; /* has_at: in words */
    bool no_close;          /* no '>' comes any more */
};

static void loose_reset(struct loose *s)
{
    buf_reset(&s->words);
    buf_reset(&s->quoted);
    buf_reset(&s->comment);
    buf_reset(&s->angle);
    s->has_angle = s->has_at = false;
}

/* The bare words of an item without brackets: the one with an @ is the address,
 * the others are its name. */
static void loose_split(struct loose *s, struct buf *address)
{
    struct buf rest AUTO_BUF;
    buf_init(&rest, BOUND_MAIL_FIELD);
    for (char *p = s->words.data; *p;) {
        size_t n = strcspn(p, " ");
        if (memchr(p, '@', n) && address->len == 0) {
            buf_add(address, p, n);
        } else if (n) {
            if (rest.len)
                buf_char(&rest, ' ');
            buf_add(&rest, p, n);
        }
        p += n + strspn(p + n, " ");
    }
    buf_reset(&s->words);
    buf_add(&s->words, rest.data, rest.len);
}

static void loose_flush(struct list *l, struct loose *s)
{
    AUTO_BUF struct buf address, name;
    buf_init(&address, BOUND_MAIL_FIELD);
    buf_init(&name, BOUND_MAIL_FIELD * 2);
    if (s->has_angle) {
        bool quoted = false; /* a space inside quotes makes another address: kept, refused later */
        for (const char *p = s->angle.data; *p; p++) {
            quoted ^= *p == '"';
            if (*p != ' ' || quoted)
                buf_char(&address, *p);
        }
        const char *route = *address.data == '@' ? strchr(address.data, ':') : NULL;
        if (route)
            buf_drop(&address, (size_t)(route + 1 - address.data));
    } else {
        loose_split(s, &address);
    }
    char *words = text_trim(s->words.data);
    buf_printf(&name, "%s%s%s", s->quoted.data, s->quoted.len && *words ? " " : "", words);
    if (name.len == 0)
        buf_str(&name, s->comment.data);
    if (address.len == 0 && strchr(s->quoted.data, '@') && !strchr(s->quoted.data, ' '))
        buf_str(&address, s->quoted.data);
    if (address.len || name.len)
        list_add(l, address.len ? address.data : "?", name.data);
    loose_reset(s);
}

/* An unclosed bracket ends where the next address begins. */
static const char *loose_angle(struct loose *s, const char *p)
{
    s->has_angle = true;
    buf_reset(&s->angle);
    if (!s->no_close && !strchr(p, '>'))
        s->no_close = true;
    size_t n = strcspn(p + 1, s->no_close ? ",;" : ">");
    buf_add(&s->angle, p + 1, n);
    return p[1 + n] == '>' ? p + 1 + n : p + n;
}

static const char *loose_quoted(struct buf *out, const char *p)
{
    for (p++; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1])
            p++;
        buf_char(out, *p);
    }
    return *p ? p : p - 1;
}

static const char *loose_comment(struct buf *out, const char *p)
{
    size_t depth = 0;
    if (out->len)
        buf_char(out, ' ');
    for (; *p; p++) {
        depth += *p == '(';
        depth -= *p == ')';
        if (depth == 0)
            return p;
        if (*p != '(' && *p != ')')
            buf_char(out, *p);
    }
    return p - 1;
}

/* The address ends the name that a comma would have cut: "Doe, Jane <j@x>". */
static bool comma_in_name(const struct loose *s, const char *rest)
{
    if (s->has_angle || s->has_at || (s->words.len == 0 && s->quoted.len == 0))
        return false;
    size_t n = strcspn(rest, ",;<@");
    return rest[n] == '<';
}

static void read_loose(struct list *l, const char *v)
{
    struct loose s = {.has_angle = false};
    struct buf *all[] = {&s.words, &s.quoted, &s.comment, &s.angle};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        buf_init(all[i], BOUND_MAIL_FIELD);
    for (const char *p = v; *p && !l->full; p++) {
        if (*p == '"')
            p = loose_quoted(&s.quoted, p);
        else if (*p == '(')
            p = loose_comment(&s.comment, p);
        else if (*p == '<')
            p = loose_angle(&s, p);
        else if ((*p == ',' || *p == ';') && !(*p == ',' && comma_in_name(&s, p + 1)))
            loose_flush(l, &s);
        else if (*p == ':' && !s.has_angle && !s.has_at)
            loose_reset(&s); /* the name of a group */
        else {
            s.has_at |= *p == '@';
            buf_char(&s.words, *p);
        }
    }
    loose_flush(l, &s);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        buf_done(all[i]);
}

/* Plain ASCII, short, and no comments inside comments inside comments. */
static bool is_safe_for_strict(const char *v, size_t n)
{
    size_t depth = 0;
    if (n > STRICT_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        depth += v[i] == '(';
        depth -= v[i] == ')' && depth > 0;
        if (depth > COMMENT_DEPTH || (unsigned char)v[i] >= 0x80)
            return false;
    }
    return true;
}

void mail_address_field_read(struct mail_ctx *c, const struct mail_field *field, const char *name,
                             json_t *out)
{
    struct list l = {.c = c, .field = name, .out = out};
    AUTO_BUF struct buf v;
    buf_init(&v, BOUND_MAIL_FIELD + 1);
    mail_field_unfold(&v, field);
    if (v.len && (!is_safe_for_strict(v.data, v.len) || !read_strict(&l, v.data, v.len)))
        read_loose(&l, v.data);
}

void mail_addresses_read(struct mail_ctx *c, const struct mail_fields *f, const char *name,
                         json_t *out)
{
    const struct mail_field *field = NULL;
    while (json_array_size(out) < c->lim->addresses && !c->late &&
           (field = mail_fields_next(f, name, field)) && !mail_late(c, field->value.n))
        mail_address_field_read(c, field, name, out);
}

void mail_ids_read(struct mail_ctx *c, const struct mail_field *f, size_t max, json_t *out)
{
    AUTO_BUF struct buf v, clean;
    buf_init(&v, BOUND_MAIL_FIELD + 1);
    buf_init(&clean, BOUND_MAIL_FIELD * 3);
    mail_field_unfold(&v, f);
    text_add_utf8(&clean, v.data, v.len);
    mail_late(c, v.len);
    for (char *p = clean.data; *p;) {
        p += strspn(p, " ,;\t");
        bool angle = *p == '<';
        size_t n = strcspn(p + angle, angle ? ">" : " ,;<");
        char *id = mem_strn(p + angle, n);
        char *t = text_trim(id);
        if (*t && strlen(t) <= 998 && (angle || strchr(t, '@'))) {
            json_array_append_new(out, json_string(t));
            if (json_array_size(out) > max)
                json_array_remove(out, 1); /* the first and the last ones tell most */
        }
        mem_free(id);
        p += angle + n;
        p += *p == '>';
    }
}
