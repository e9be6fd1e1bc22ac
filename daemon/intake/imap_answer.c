/* SPDX-License-Identifier: ISC
 *
 * imap_answer - see imap_answer.h
 */
#include "intake/imap_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

void imap_add_day(struct buf *out, int64_t ms)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char day[32];
    clock_format_utc(ms, day, sizeof day); /* 2026-11-21T... */
    int month = (day[5] - '0') * 10 + day[6] - '0';
    if (month >= 1 && month <= 12)
        buf_printf(out, "%.2s-%s-%.4s", day + 8, months[month - 1], day);
}

void imap_add_since(struct buf *out, int64_t ms)
{
    buf_str(out, " SINCE ");
    imap_add_day(out, ms);
}

static bool listed_is(const struct mailimap_mailbox_list *l, const char *flag)
{
    for (clistiter *i = l->mb_flag ? imap_first(l->mb_flag->mbf_oflags) : NULL; i;
         i = clist_next(i)) {
        const struct mailimap_mbx_list_oflag *o = clist_content(i);
        if (o->of_flag_ext && strcasecmp(o->of_flag_ext, flag) == 0)
            return true;
    }
    return false;
}

/* "Sent", or "INBOX.Sent" where everything lies below INBOX. */
static bool listed_called_sent(const struct mailimap_mailbox_list *l)
{
    const char *name = l->mb_name;
    if (strncasecmp(name, "INBOX", 5) == 0 && l->mb_delimiter && name[5] == l->mb_delimiter)
        name += 6;
    return strcasecmp(name, "Sent") == 0;
}

char *imap_take_sent(clist *listed)
{
    const char *called = NULL;
    for (clistiter *i = imap_first(listed); i; i = clist_next(i)) {
        const struct mailimap_mailbox_list *l = clist_content(i);
        bool none = l->mb_flag && l->mb_flag->mbf_type == MAILIMAP_MBX_LIST_FLAGS_SFLAG &&
                    l->mb_flag->mbf_sflag == MAILIMAP_MBX_LIST_SFLAG_NOSELECT;
        if (!l->mb_name || none || listed_is(l, "NonExistent"))
            continue;
        if (listed_is(l, "Sent"))
            return mem_str(l->mb_name);
        if (!called && listed_called_sent(l))
            called = l->mb_name;
    }
    return mem_str(called);
}

static int imap_uid_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void imap_take_search(clist *found, uint32_t from, struct imap_uids *out)
{
    if (!found)
        return;
    size_t n = 0, all = (size_t)clist_count(found);
    out->uid = mem_array(all, sizeof *out->uid);
    for (clistiter *i = clist_begin(found); i && n < all; i = clist_next(i)) {
        uint32_t uid = *(uint32_t *)clist_content(i);
        if (uid != 0 && uid >= from) /* "9:*" names the last message even when it is 5 */
            out->uid[n++] = uid;
    }
    qsort(out->uid, n, sizeof *out->uid, imap_uid_order);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || out->uid[i] != out->uid[i - 1])
            out->uid[out->count++] = out->uid[i];
}

static int64_t imap_date_ms(const struct mailimap_date_time *t)
{
    char text[64];
    int zone = abs(t->dt_zone);
    int64_t ms = 0;
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", t->dt_year,
             t->dt_month, t->dt_day, t->dt_hour, t->dt_min, t->dt_sec, t->dt_zone < 0 ? '-' : '+',
             zone / 100 % 100, zone % 100);
    return clock_parse_utc(text, &ms) == 0 ? ms : 0;
}

/* What one FETCH response says, all borrowed. */
struct imap_said {
    uint32_t uid;
    size_t size;
    int64_t internal_ms;
    const char *body;
    size_t body_len;
    const struct mailimap_body *structure;
};

static void imap_hear(const struct mailimap_msg_att *att, struct imap_said *s)
{
    *s = (struct imap_said){0};
    for (clistiter *i = imap_first(att->att_list); i; i = clist_next(i)) {
        const struct mailimap_msg_att_item *item = clist_content(i);
        if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC || !item->att_data.att_static)
            continue;
        const struct mailimap_msg_att_static *a = item->att_data.att_static;
        if (a->att_type == MAILIMAP_MSG_ATT_UID) {
            s->uid = a->att_data.att_uid;
        } else if (a->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE) {
            s->size = a->att_data.att_rfc822_size;
        } else if (a->att_type == MAILIMAP_MSG_ATT_INTERNALDATE && a->att_data.att_internal_date) {
            s->internal_ms = imap_date_ms(a->att_data.att_internal_date);
        } else if (a->att_type == MAILIMAP_MSG_ATT_BODYSTRUCTURE) {
            s->structure = a->att_data.att_bodystructure;
        } else if (a->att_type == MAILIMAP_MSG_ATT_BODY_SECTION && a->att_data.att_body_section) {
            s->body = a->att_data.att_body_section->sec_body_part;
            s->body_len = s->body ? a->att_data.att_body_section->sec_length : 0;
        }
    }
}

/* The value of the one header field that was fetched. */
static void imap_hear_id(const struct imap_said *s, struct imap_item *item)
{
    const char *colon = s->body ? memchr(s->body, ':', s->body_len) : NULL;
    size_t n = 0;
    item->message_id[0] = '\0';
    if (!colon)
        return;
    for (const char *p = colon + 1; p < s->body + s->body_len; p++)
        if ((unsigned char)*p > ' ' && (unsigned char)*p < 0x7f && n + 1 < sizeof item->message_id)
            item->message_id[n++] = *p; /* folded lines join */
    item->message_id[n] = '\0';
}

size_t imap_take_items(clist *fetched, const uint32_t *uids, size_t count, struct imap_item *items)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        items[i].uid = 0;
    for (clistiter *i = imap_first(fetched); i; i = clist_next(i)) {
        struct imap_said s;
        imap_hear(clist_content(i), &s);
        const uint32_t *at = bsearch(&s.uid, uids, count, sizeof *uids, imap_uid_order);
        if (!at)
            continue;
        struct imap_item *item = &items[at - uids];
        item->uid = s.uid;
        item->size = s.size;
        item->internal_ms = s.internal_ms;
        imap_hear_id(&s, item);
    }
    for (size_t i = 0; i < count; i++)
        if (items[i].uid != 0)
            items[found++] = items[i];
    return found;
}

void imap_give_bodies(clist *fetched, imap_body_fn fn, void *arg)
{
    for (clistiter *i = imap_first(fetched); i; i = clist_next(i)) {
        struct imap_said s;
        imap_hear(clist_content(i), &s);
        if (s.uid != 0 && s.body)
            fn(arg, s.uid, s.body, s.body_len, s.structure ? imap_parts(s.structure) : NULL);
    }
}

/* ---- the list of parts of a message that is too large to be taken ---- */

static const char *imap_param(const struct mailimap_body_fld_param *p, const char *name)
{
    for (clistiter *i = imap_first(p ? p->pa_list : NULL); i; i = clist_next(i)) {
        const struct mailimap_single_body_fld_param *one = clist_content(i);
        if (strcasecmp(one->pa_name, name) == 0)
            return one->pa_value;
    }
    return NULL;
}

static void imap_put_text(json_t *obj, const char *key, const char *value)
{
    if (!value)
        return;
    struct buf b AUTO_BUF;
    buf_init(&b, KIB(4));
    text_add_utf8(&b, value, text_utf8_cut(value, strlen(value), 1000));
    json_object_set_new(obj, key, json_stringn(b.data, b.len));
}

static const char *imap_basic_type(const struct mailimap_media_basic *m)
{
    switch (m->med_type) {
    case MAILIMAP_MEDIA_BASIC_APPLICATION:
        return "application";
    case MAILIMAP_MEDIA_BASIC_AUDIO:
        return "audio";
    case MAILIMAP_MEDIA_BASIC_IMAGE:
        return "image";
    case MAILIMAP_MEDIA_BASIC_MESSAGE:
        return "message";
    case MAILIMAP_MEDIA_BASIC_VIDEO:
        return "video";
    default:
        return m->med_basic_type ? m->med_basic_type : "application";
    }
}

static void imap_add_part(json_t *parts, const struct mailimap_body_type_1part *b)
{
    const struct mailimap_body_fields *f = NULL;
    AUTO_FREE char *type = NULL;
    if (b->bd_type == MAILIMAP_BODY_TYPE_1PART_TEXT && b->bd_data.bd_type_text) {
        f = b->bd_data.bd_type_text->bd_fields;
        type = mem_printf("text/%s", b->bd_data.bd_type_text->bd_media_text);
    } else if (b->bd_type == MAILIMAP_BODY_TYPE_1PART_MSG && b->bd_data.bd_type_msg) {
        f = b->bd_data.bd_type_msg->bd_fields;
        type = mem_str("message/rfc822");
    } else if (b->bd_type == MAILIMAP_BODY_TYPE_1PART_BASIC && b->bd_data.bd_type_basic) {
        const struct mailimap_media_basic *m = b->bd_data.bd_type_basic->bd_media_basic;
        f = b->bd_data.bd_type_basic->bd_fields;
        type = mem_printf("%s/%s", imap_basic_type(m), m->med_subtype);
    }
    if (!f)
        return;
    const struct mailimap_body_fld_dsp *dsp = b->bd_ext_1part ? b->bd_ext_1part->bd_disposition
                                                              : NULL;
    const char *name = imap_param(dsp ? dsp->dsp_attributes : NULL, "filename");
    json_t *part = json_object();
    text_lower(type);
    imap_put_text(part, "type", type);
    imap_put_text(part, "filename", name ? name : imap_param(f->bd_parameter, "name"));
    json_put_int(part, "size", f->bd_size);
    json_array_append_new(parts, part);
}

static void imap_walk(json_t *parts, const struct mailimap_body *body, int depth)
{
    if (!body || depth > BOUND_MAIL_DEPTH || json_array_size(parts) >= BOUND_MAIL_PARTS)
        return;
    if (body->bd_type == MAILIMAP_BODY_1PART && body->bd_data.bd_body_1part) {
        imap_add_part(parts, body->bd_data.bd_body_1part);
    } else if (body->bd_type == MAILIMAP_BODY_MPART && body->bd_data.bd_body_mpart) {
        clist *list = body->bd_data.bd_body_mpart->bd_list;
        for (clistiter *i = imap_first(list); i; i = clist_next(i))
            imap_walk(parts, clist_content(i), depth + 1);
    }
}

json_t *imap_parts(const struct mailimap_body *body)
{
    json_t *parts = json_array();
    imap_walk(parts, body, 0);
    return parts;
}
