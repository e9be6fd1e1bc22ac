/* SPDX-License-Identifier: ISC
 *
 * notice_foot - see notice_foot.h
 */
#include "engine/notice_foot.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/offer.h"
#include "crm/when.h"
#include "engine/ours.h"
#include "rule/zone.h"
#include "store/message.h"

#define HISTORY_LINES 3
#define OFFERS_SHOWN 5
#define HISTORY_LOOK 40 /* among so many rows */
#define LINE_MAX 160

/* The assignment of this input, if there was one: who gave it, and in which words. */
static void foot_why(struct input *in, struct buf *out)
{
    const json_t *commands = crm_commands(in->ctx), *c, *found = NULL;
    size_t i;
    json_array_foreach((json_t *)commands, i, c)
        if (strncmp(json_get_str(c, "line", ""), "assign ", 7) == 0 && !json_object_get(c, "error"))
            found = c;
    if (!found)
        return;
    const char *by = json_get_str(found, "by", ""), *actor = json_get_str(found, "actor", "?"),
               *result = json_get_str(found, "result", NULL);
    buf_printf(out, "Why:      %s %s: %s%s%s\n", by, actor, json_get_str(found, "line", ""),
               result ? " - " : "", result ? result : "");
}

/* What rules did of themselves; and a mail of ours with commands or notes, which have lines
 * of their own. */
static bool is_beside(const json_t *row)
{
    const char *kind = json_get_str(row, "kind", "");
    return (strcmp(kind, "mail") == 0 && strcmp(json_get_str(row, "direction", ""), "none") == 0) ||
           (strcmp(kind, "command") == 0 && strncmp(json_get_str(row, "who", ""), "rule ", 5) == 0);
}

static void foot_line(const json_t *row, const char *zone, struct buf *out)
{
    char stamp[40];
    const char *time = json_get_str(row, "time", ""), *direction = json_get_str(row, "direction", ""),
               *told = crm_when_retell(zone, time, false, stamp, sizeof(stamp));
    AUTO_FREE char *text = mem_str(json_get_str(row, "text", ""));
    text_make_line(text);
    text[text_utf8_cut(text, strlen(text), LINE_MAX)] = '\0';
    buf_printf(out, "  %s  %s%s%s, %s: %s\n", told ? told : time, json_get_str(row, "kind", "?"),
               strcmp(direction, "none") ? " " : "", strcmp(direction, "none") ? direction : "",
               json_get_str(row, "who", "?"), text);
}

static int foot_history(struct input *in, const char *user, enum crm_entity what, int64_t id,
                        struct buf *out, struct err *e)
{
    const char *zone = zone_name(assign_zone(in->eng->crm, user));
    json_t *timeline = NULL;
    size_t i;
    const json_t *row;
    if (crm_timeline(in->eng->crm, what, id, HISTORY_LOOK, &timeline, e) < 0)
        return e->cls == ERR_INPUT ? 0 : -1;
    json_t *rows = json_get_arr(timeline, "rows");
    for (i = json_array_size(rows); i-- > 0;)
        if (is_beside(json_array_get(rows, i)))
            json_array_remove(rows, i);
    while (json_array_size(rows) > HISTORY_LINES)
        json_array_remove(rows, 0);
    if (json_array_size(rows))
        buf_printf(out, "\nHistory (%s):\n", zone);
    json_array_foreach(rows, i, row)
        foot_line(row, zone, out);
    json_decref(timeline);
    return 0;
}

static int foot_answer(struct input *in, const struct crm_target *t, struct buf *out,
                       struct err *e)
{
    int64_t message = 0;
    if (!t->lead || strcmp(engine_setting(in->eng, "conversation", "answers"), "off") == 0)
        return 0;
    if (message_latest_of_lead(in->eng->db, t->lead, &message, e) < 0)
        return -1;
    struct ours o = ours_of(OURS_CONVERSATION, t, message);
    AUTO_FREE char *address = message ? ours_address(in->eng, &o) : NULL;
    if (address)
        buf_printf(out, "To answer the customer, write to %s\n", address);
    return 0;
}

void notice_offered(struct input *in, const struct crm_who *who)
{
    char id[CRM_ID_LEN];
    if (who->offered[0])
        input_note(in, "said of %s and not on the record: %s; `show %s` tells what, and the command "
                   "take puts it there", crm_id_format(CRM_CONTACT, who->target.contact, id),
                   who->offered, id);
}

int notice_offers(struct input *in, int64_t contact, struct buf *out, struct err *e)
{
    char id[CRM_ID_LEN];
    size_t i;
    const json_t *v;
    json_t *offers = NULL;
    bool any;
    size_t shown = 0;
    if (!contact)
        return 0;
    if (crm_offers_any(in->ctx, &any, e) < 0 ||
        (any && crm_offers(in->ctx, contact, &offers, e) < 0))
        return -1;
    json_array_foreach(offers, i, v)
        if (crm_offer_is_plain(v) && shown++ < OFFERS_SHOWN)
            buf_printf(out, "%s %s %s", shown == 1 ? "Said, and not on the contact:" : ",",
                       json_get_str(v, "channel", ""), json_get_str(v, "value", ""));
    if (shown)
        buf_printf(out, "%s. #%s take puts it there.\n", shown > OFFERS_SHOWN ? " and more" : "",
                   crm_id_format(CRM_CONTACT, contact, id));
    json_decref(offers);
    return 0;
}

int notice_foot(struct input *in, const char *user, const struct crm_target *t, struct buf *out,
                struct err *e)
{
    bool is_case = t->kase && (t->main == CRM_CASE || !t->lead);
    if (!t->lead && !t->kase)
        return 0;
    buf_str(out, "\n");
    foot_why(in, out);
    if (foot_history(in, user, is_case ? CRM_CASE : CRM_LEAD, is_case ? t->kase : t->lead, out, e) < 0)
        return -1;
    buf_str(out, "\n");
    if (notice_offers(in, t->contact, out, e) < 0)
        return -1;
    buf_printf(out, "Reply with lines such as:\n  %s\nYour reply stays with us; what else you write "
               "becomes a note.\n",
               is_case ? "#note TEXT   #assign USER   #priority up   #close   #help"
                       : "#note TEXT   #call TEXT   #task fri 10:00 TEXT   #stage NAME\n"
                         "  #won 5000   #lost REASON   #assign USER   #help");
    return is_case ? 0 : foot_answer(in, t, out, e);
}
