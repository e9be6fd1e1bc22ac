/* SPDX-License-Identifier: ISC
 *
 * fields - the table of fields, and what the config adds to it
 *
 * See fields.h. One row per field; to add one is to add a row here.
 */
#include "crm/fields.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const char *const lead_status[] = {"new", "contacted", "qualified", "closed", NULL};
static const char *const deal_status[] = {"open", "won", "lost", NULL};
static const char *const case_status[] = {"open", "waiting", "closed", NULL};
static const char *const case_priority[] = {"low", "normal", "high", "urgent", NULL};
static const char *const task_status[] = {"open", "done", NULL};
static const char *const message_kind[] = {"person", "auto_reply", "bounce", "receipt", "list",
                                           "calendar", "report", "own", NULL};
static const char *const message_channel[] = {"email", "form", "sms",   "call",
                                              "chat",  "order", "visit", NULL};
static const char *const activity_kind[] = {"mail", "form", "note", "call", "meeting", "sms",
                                            "order", "chat", "visit", "click", NULL};
static const char *const activity_direction[] = {"in", "out", "none", NULL};
static const char *const user_role[] = {"admin", "manager", "rep", "viewer", NULL};
static const char *const duplicate_why[] = {"phone", "email", "name", NULL};
static const char *const actor_kind[] = {"system", "rule", "user", "operator", "contact", NULL};

#define T_TEXT RULE_TYPE_TEXT
#define T_INT RULE_TYPE_INT
#define T_MONEY RULE_TYPE_MONEY
#define T_BOOL RULE_TYPE_BOOL
#define T_TIME RULE_TYPE_TIME
#define T_DUR RULE_TYPE_DURATION
#define T_LIST RULE_TYPE_LIST

#define COLUMN crm_read_column
#define FLAG crm_read_flag
#define COUNT crm_read_count
#define SEQUENCE crm_read_sequence
#define OPEN false /* not personal */
#define PERS true
#define SET true
#define RO false

/* name, type, personal, help, reader, record, key, settable, choices */
static const struct crm_field core[] = {
    {"lead.id", T_TEXT, OPEN, "the lead's number, L42", crm_read_id, CRM_LEAD, "id", RO, NULL},
    {"lead.status", T_TEXT, OPEN, "how far the lead is", COLUMN, CRM_LEAD, "status", RO,
     lead_status},
    {"lead.owner", T_TEXT, OPEN, "name of the user who has it", COLUMN, CRM_LEAD, "owner", RO,
     NULL},
    {"lead.source", T_TEXT, OPEN, "mailbox or form it came by", COLUMN, CRM_LEAD, "source", SET,
     NULL},
    {"lead.subject", T_TEXT, PERS, "what it is about", COLUMN, CRM_LEAD, "subject", SET, NULL},
    {"lead.score", T_INT, OPEN, "points", COLUMN, CRM_LEAD, "score", SET, NULL},
    {"lead.tags", T_LIST, OPEN, "its tags", crm_read_tags, CRM_LEAD, "tags", RO, NULL},
    {"lead.contacted", T_BOOL, OPEN, "has a human of ours answered or called", FLAG, CRM_LEAD,
     "contacted_ms", RO, NULL},
    {"lead.contacted_at", T_TIME, OPEN, "when that was first", COLUMN, CRM_LEAD, "contacted_ms",
     RO, NULL},
    {"lead.created", T_TIME, OPEN, "when it was created", COLUMN, CRM_LEAD, "created_ms", RO, NULL},
    {"lead.updated", T_TIME, OPEN, "when it was changed last", COLUMN, CRM_LEAD, "updated_ms", RO,
     NULL},
    {"lead.age", T_DUR, OPEN, "time since it was created", crm_read_age, CRM_LEAD, "created_ms",
     RO, NULL},
    {"lead.assigned", T_TIME, OPEN, "when it got its owner", COLUMN, CRM_LEAD, "assigned_ms", RO,
     NULL},
    {"lead.touched", T_TIME, OPEN, "when a human of ours did something with it last", COLUMN, CRM_LEAD,
     "touched_ms", RO, NULL},
    {"lead.first_in", T_TIME, OPEN, "first message from the contact", COLUMN, CRM_LEAD,
     "first_in_ms", RO, NULL},
    {"lead.last_in", T_TIME, OPEN, "last message from the contact", COLUMN, CRM_LEAD, "last_in_ms",
     RO, NULL},
    {"lead.first_out", T_TIME, OPEN, "first mail of ours", COLUMN, CRM_LEAD, "first_out_ms", RO,
     NULL},
    {"lead.last_out", T_TIME, OPEN, "last mail of ours", COLUMN, CRM_LEAD, "last_out_ms", RO, NULL},
    {"lead.closed", T_TIME, OPEN, "when it was closed", COLUMN, CRM_LEAD, "closed_ms", RO, NULL},
    {"lead.closed_reason", T_TEXT, PERS, "why it was closed", COLUMN, CRM_LEAD, "closed_reason",
     SET, NULL},
    {"lead.open_tasks", T_INT, OPEN, "number of its tasks that are open", COUNT, CRM_LEAD,
     "open_tasks", RO, NULL},
    {"lead.mails_in", T_INT, OPEN, "number of mails from the contact", COUNT, CRM_LEAD, "mails_in",
     RO, NULL},
    {"lead.mails_out", T_INT, OPEN, "number of mails of ours", COUNT, CRM_LEAD, "mails_out", RO,
     NULL},
    {"lead.notes", T_INT, OPEN, "number of notes", COUNT, CRM_LEAD, "notes", RO, NULL},
    {"lead.sequence", T_LIST, OPEN, "sequences that it is in", SEQUENCE, CRM_LEAD, "sequence", RO, NULL},

    {"contact.id", T_TEXT, OPEN, "the contact's number, C42", crm_read_id, CRM_CONTACT, "id", RO,
     NULL},
    {"contact.name", T_TEXT, PERS, "full name", COLUMN, CRM_CONTACT, "name", SET, NULL},
    {"contact.first_name", T_TEXT, PERS, "first name", COLUMN, CRM_CONTACT, "first_name", SET,
     NULL},
    {"contact.last_name", T_TEXT, PERS, "last name", COLUMN, CRM_CONTACT, "last_name", SET, NULL},
    {"contact.title", T_TEXT, PERS, "post at the company", COLUMN, CRM_CONTACT, "title", SET, NULL},
    {"contact.email", T_TEXT, PERS, "email address in lower case", crm_read_address, CRM_CONTACT,
     "email", SET, NULL},
    {"contact.phone", T_TEXT, PERS, "phone number, +4366012345", crm_read_address, CRM_CONTACT,
     "phone", SET, NULL},
    {"contact.domain", T_TEXT, PERS, "domain of the email address", crm_read_domain, CRM_CONTACT,
     "email", RO, NULL},
    {"contact.country", T_TEXT, PERS, "code of the country, AT; names that people write become one",
     COLUMN, CRM_CONTACT, "country", SET, NULL},
    {"contact.time_zone", T_TEXT, PERS, "time zone, such as Europe/Vienna: for quiet hours", COLUMN,
     CRM_CONTACT, "time_zone", SET, NULL},
    {"contact.language", T_TEXT, PERS, "language code", COLUMN, CRM_CONTACT, "language", SET, NULL},
    {"contact.opted_out", T_BOOL, OPEN, "wants no automatic mail", crm_read_address, CRM_CONTACT,
     "opted_out_ms", RO, NULL},
    {"contact.consents", T_LIST, OPEN, "what they have agreed to: marketing, sms:marketing, list:news",
     crm_read_consents, CRM_CONTACT, "consents", RO, NULL},
    {"contact.bouncing", T_BOOL, OPEN, "mail to the address came back for good", crm_read_address,
     CRM_CONTACT, "bouncing_ms", RO, NULL},
    {"contact.away_until", T_TIME, OPEN, "until when an automatic answer says that they are away",
     COLUMN, CRM_CONTACT, "away_until_ms", SET, NULL},
    {"contact.tags", T_LIST, OPEN, "its tags", crm_read_tags, CRM_CONTACT, "tags", RO, NULL},
    {"contact.created", T_TIME, OPEN, "when it was first seen", COLUMN, CRM_CONTACT, "created_ms",
     RO, NULL},
    {"contact.leads", T_INT, OPEN, "number of leads, closed ones as well", COUNT, CRM_CONTACT,
     "leads", RO, NULL},
    {"contact.open_leads", T_INT, OPEN, "number of leads that are not closed", COUNT, CRM_CONTACT,
     "open_leads", RO, NULL},
    {"contact.won_deals", T_INT, OPEN, "number of deals that were won", COUNT, CRM_CONTACT,
     "won_deals", RO, NULL},
    {"contact.open_cases", T_INT, OPEN, "number of cases that are not closed", COUNT, CRM_CONTACT,
     "open_cases", RO, NULL},
    {"contact.sequence", T_LIST, OPEN, "sequences that it is in, with any of its leads", SEQUENCE,
     CRM_CONTACT, "sequence", RO, NULL},

    {"company.id", T_TEXT, OPEN, "the company's number, O42", crm_read_id, CRM_COMPANY, "id", RO,
     NULL},
    {"company.name", T_TEXT, PERS, "name of the company", COLUMN, CRM_COMPANY, "name", SET, NULL},
    {"company.domain", T_TEXT, OPEN, "its domain", COLUMN, CRM_COMPANY, "domain", RO, NULL},
    {"company.country", T_TEXT, OPEN, "code of the country, AT", COLUMN, CRM_COMPANY, "country",
     SET, NULL},
    {"company.tags", T_LIST, OPEN, "its tags", crm_read_tags, CRM_COMPANY, "tags", RO, NULL},
    {"company.created", T_TIME, OPEN, "when it was first seen", COLUMN, CRM_COMPANY, "created_ms",
     RO, NULL},

    {"deal.id", T_TEXT, OPEN, "the deal's number, D42", crm_read_id, CRM_DEAL, "id", RO, NULL},
    {"deal.name", T_TEXT, PERS, "what is sold", COLUMN, CRM_DEAL, "name", SET, NULL},
    {"deal.stage", T_TEXT, OPEN, "stage of the pipeline", COLUMN, CRM_DEAL, "stage", RO, NULL},
    {"deal.status", T_TEXT, OPEN, "open, won or lost", COLUMN, CRM_DEAL, "status", RO, deal_status},
    {"deal.amount", T_MONEY, OPEN, "its worth", crm_read_amount, CRM_DEAL, "amount", SET, NULL},
    {"deal.owner", T_TEXT, OPEN, "name of the user who has it", COLUMN, CRM_DEAL, "owner", RO,
     NULL},
    {"deal.lost_reason", T_TEXT, PERS, "why it was lost", COLUMN, CRM_DEAL, "lost_reason", SET,
     NULL},
    {"deal.tags", T_LIST, OPEN, "its tags", crm_read_tags, CRM_DEAL, "tags", RO, NULL},
    {"deal.sequence", T_LIST, OPEN, "sequences that it is in", SEQUENCE, CRM_DEAL, "sequence", RO,
     NULL},
    {"deal.touched", T_TIME, OPEN, "when a human of ours did something with it last", COLUMN, CRM_DEAL,
     "touched_ms", RO, NULL},
    {"deal.created", T_TIME, OPEN, "when it was created", COLUMN, CRM_DEAL, "created_ms", RO, NULL},
    {"deal.age", T_DUR, OPEN, "time since it was created", crm_read_age, CRM_DEAL, "created_ms",
     RO, NULL},
    {"deal.closed", T_TIME, OPEN, "when it was won or lost", COLUMN, CRM_DEAL, "closed_ms", RO,
     NULL},

    {"case.id", T_TEXT, OPEN, "the case's number, K42", crm_read_id, CRM_CASE, "id", RO, NULL},
    {"case.status", T_TEXT, OPEN, "open, waiting (for the customer) or closed", COLUMN, CRM_CASE,
     "status", RO, case_status},
    {"case.priority", T_TEXT, OPEN, "how urgent it is", COLUMN, CRM_CASE, "priority", SET,
     case_priority},
    {"case.subject", T_TEXT, PERS, "what it is about", COLUMN, CRM_CASE, "subject", SET, NULL},
    {"case.owner", T_TEXT, OPEN, "name of the user who has it", COLUMN, CRM_CASE, "owner", RO,
     NULL},
    {"case.source", T_TEXT, OPEN, "mailbox or form it came by", COLUMN, CRM_CASE, "source", SET,
     NULL},
    {"case.tags", T_LIST, OPEN, "its tags", crm_read_tags, CRM_CASE, "tags", RO, NULL},
    {"case.sequence", T_LIST, OPEN, "sequences that it is in", SEQUENCE, CRM_CASE, "sequence", RO,
     NULL},
    {"case.touched", T_TIME, OPEN, "when a human of ours did something with it last", COLUMN, CRM_CASE,
     "touched_ms", RO, NULL},
    {"case.created", T_TIME, OPEN, "when it was opened", COLUMN, CRM_CASE, "created_ms", RO, NULL},
    {"case.age", T_DUR, OPEN, "time since it was opened", crm_read_age, CRM_CASE, "created_ms", RO,
     NULL},
    {"case.answered", T_BOOL, OPEN, "has a human of ours answered", FLAG, CRM_CASE, "answered_ms",
     RO, NULL},
    {"case.closed", T_TIME, OPEN, "when it was closed", COLUMN, CRM_CASE, "closed_ms", RO, NULL},
    {"case.reopened", T_INT, OPEN, "how often it was opened again", COLUMN, CRM_CASE, "reopened",
     RO, NULL},

    {"task.id", T_TEXT, OPEN, "the task's number, T42", crm_read_id, CRM_TASK, "id", RO, NULL},
    {"task.title", T_TEXT, PERS, "what is to be done", COLUMN, CRM_TASK, "title", SET, NULL},
    {"task.due", T_TIME, OPEN, "until when", COLUMN, CRM_TASK, "due_ms", SET, NULL},
    {"task.owner", T_TEXT, OPEN, "name of the user who has to", COLUMN, CRM_TASK, "owner", RO,
     NULL},
    {"task.status", T_TEXT, OPEN, "open or done", COLUMN, CRM_TASK, "status", RO, task_status},
    {"task.kind", T_TEXT, OPEN, "the word before the colon of its title, one of task_kinds", COLUMN,
     CRM_TASK, "kind", RO, NULL},
    {"task.recur", T_TEXT, OPEN, "how it comes again, such as every week on Mon 09:00", COLUMN,
     CRM_TASK, "recur", RO, NULL},
    {"task.created", T_TIME, OPEN, "when it was given", COLUMN, CRM_TASK, "created_ms", RO, NULL},

    {"activity.kind", T_TEXT, OPEN, "what happened", COLUMN, CRM_ACTIVITY, "kind", RO,
     activity_kind},
    {"activity.direction", T_TEXT, OPEN, "from the contact, to it, or neither", COLUMN,
     CRM_ACTIVITY, "direction", RO, activity_direction},
    {"activity.text", T_TEXT, PERS, "words of a note, subject of a mail", COLUMN, CRM_ACTIVITY,
     "text", RO, NULL},

    {"message.channel", T_TEXT, OPEN, "how it came", crm_read_message, CRM_NONE, "channel", RO,
     message_channel},
    {"message.source", T_TEXT, OPEN, "mailbox or form it came by", crm_read_message, CRM_NONE,
     "source", RO, NULL},
    {"message.form", T_TEXT, OPEN, "name of the form it was posted with", crm_read_message, CRM_NONE,
     "form", RO, NULL},
    {"message.kind", T_TEXT, OPEN, "a person's, or a machine's", crm_read_message, CRM_NONE,
     "kind", RO, message_kind},
    {"message.bounce_status", T_TEXT, OPEN, "why a mail of ours came back, 5.1.1",
     crm_read_message, CRM_NONE, "bounce.status", RO, NULL},
    {"message.bounce_action", T_TEXT, OPEN, "failed, or delayed", crm_read_message, CRM_NONE,
     "bounce.action", RO, NULL},
    {"message.bounce_permanent", T_BOOL, OPEN, "it came back for good", crm_read_message, CRM_NONE,
     "bounce.permanent", RO, NULL},
    {"message.receipt", T_TEXT, OPEN, "what became of a mail of ours: displayed, deleted",
     crm_read_message, CRM_NONE, "receipt.disposition", RO, NULL},
    {"message.meeting", T_TEXT, OPEN, "request, reply or cancel of an invitation",
     crm_read_message, CRM_NONE, "calendar.method", RO, NULL},
    {"message.meeting_start", T_TIME, OPEN, "when the meeting begins", crm_read_message, CRM_NONE,
     "calendar.start_ms", RO, NULL},
    {"message.away_until", T_TIME, OPEN, "until when an automatic answer says they are away",
     crm_read_message, CRM_NONE, "auto.until_ms", RO, NULL},
    {"message.subject", T_TEXT, PERS, "subject", crm_read_message, CRM_NONE, "subject", RO, NULL},
    {"message.text", T_TEXT, PERS, "all readable text", crm_read_message, CRM_NONE, "text", RO,
     NULL},
    {"message.reply", T_TEXT, PERS, "the new words only", crm_read_message, CRM_NONE, "reply", RO,
     NULL},
    {"message.from", T_TEXT, PERS, "the sender's address in lower case", crm_read_message,
     CRM_NONE, "from", RO, NULL},
    {"message.from_name", T_TEXT, PERS, "the sender's name", crm_read_message, CRM_NONE,
     "from_name", RO, NULL},
    {"message.phone", T_TEXT, PERS, "first phone number of the signature, as written there",
     crm_read_message, CRM_NONE, "phone", RO, NULL},
    {"message.title", T_TEXT, PERS, "the sender's post, in the signature", crm_read_message,
     CRM_NONE, "title", RO, NULL},
    {"message.forwarded_from", T_TEXT, PERS, "the address a forwarded mail names as its sender",
     crm_read_message, CRM_NONE, "forwarded_from", RO, NULL},
    {"message.to", T_LIST, PERS, "addresses in To", crm_read_message, CRM_NONE, "to", RO, NULL},
    {"message.cc", T_LIST, PERS, "addresses in Cc", crm_read_message, CRM_NONE, "cc", RO, NULL},
    {"message.attachments", T_INT, OPEN, "number of attachments", crm_read_message, CRM_NONE,
     "attachments", RO, NULL},
    {"message.size", T_INT, OPEN, "bytes", crm_read_message, CRM_NONE, "size", RO, NULL},
    {"message.defects", T_INT, OPEN, "number of things that were malformed", crm_read_message,
     CRM_NONE, "defects", RO, NULL},
    {"message.date", T_TIME, OPEN, "the Date header", crm_read_message, CRM_NONE, "date_ms", RO,
     NULL},
    {"message.answer", T_BOOL, OPEN, "is it an answer to another mail", crm_read_message, CRM_NONE,
     "in_reply_to", RO, NULL},
    {"order.number", T_TEXT, OPEN, "number of the order that a shop tells of", crm_read_message,
     CRM_NONE, "order.number", RO, NULL},
    {"order.amount", T_MONEY, OPEN, "its amount", crm_read_message, CRM_NONE, "order.amount", RO,
     NULL},
    {"order.refunded", T_MONEY, OPEN, "how much of it was given back", crm_read_message, CRM_NONE,
     "order.refunded", RO, NULL},
    {"order.status", T_TEXT, OPEN, "the shop's word for its state", crm_read_message, CRM_NONE,
     "order.status", RO, NULL},
    {"order.items", T_TEXT, OPEN, "what was ordered, a line each", crm_read_message, CRM_NONE,
     "order.items", RO, NULL},
    {"call.direction", T_TEXT, OPEN, "in or out, of a call that another program tells of",
     crm_read_message, CRM_NONE, "call.direction", RO, activity_direction},
    {"call.duration", T_DUR, OPEN, "how long it was", crm_read_message, CRM_NONE, "call.duration",
     RO, NULL},
    {"call.status", T_TEXT, OPEN, "the provider's word for how it ended", crm_read_message, CRM_NONE,
     "call.status", RO, NULL},
    {"call.recording", T_TEXT, PERS, "link to its recording", crm_read_message, CRM_NONE,
     "call.recording", RO, NULL},
    {"call.transcript", T_TEXT, PERS, "its words, or a link to them", crm_read_message, CRM_NONE,
     "call.transcript", RO, NULL},
    {"visit.url", T_TEXT, PERS, "page that somebody visited", crm_read_message, CRM_NONE,
     "visit.url", RO, NULL},
    {"visit.title", T_TEXT, OPEN, "title of that page", crm_read_message, CRM_NONE, "visit.title",
     RO, NULL},
    {"message.encrypted", T_BOOL, OPEN, "is it encrypted", crm_read_message, CRM_NONE, "encrypted",
     RO, NULL},
    {"message.signed", T_BOOL, OPEN, "is it signed", crm_read_message, CRM_NONE, "signed", RO,
     NULL},

    {"owner.id", T_TEXT, OPEN, "user name of the owner", crm_read_owner, CRM_NONE, "id", RO, NULL},
    {"owner.name", T_TEXT, PERS, "the owner's full name", crm_read_owner, CRM_NONE, "name", RO,
     NULL},
    {"owner.email", T_TEXT, PERS, "the owner's address", crm_read_owner, CRM_NONE, "email", RO,
     NULL},
    {"owner.phone", T_TEXT, PERS, "the owner's number", crm_read_owner, CRM_NONE, "phone", RO,
     NULL},
    {"owner.team", T_TEXT, OPEN, "the owner's team", crm_read_owner, CRM_NONE, "team", RO, NULL},
    {"owner.role", T_TEXT, OPEN, "the owner's role", crm_read_owner, CRM_NONE, "role", RO,
     user_role},

    {"actor", T_TEXT, OPEN, "who caused the event: user or rule name, system", crm_read_actor,
     CRM_NONE, "name", RO, NULL},
    {"actor.name", T_TEXT, PERS, "the full name of the user who caused it; of others as actor",
     crm_read_actor, CRM_NONE, "full", RO, NULL},
    {"actor.kind", T_TEXT, OPEN, "what caused the event", crm_read_actor, CRM_NONE, "kind", RO,
     actor_kind},

    {"duplicate.contact", T_TEXT, OPEN, "the contact that the new one looks like, C42",
     crm_read_duplicate, CRM_NONE, "contact", RO, NULL},
    {"duplicate.lead", T_TEXT, OPEN, "that contact's open lead, L42", crm_read_duplicate, CRM_NONE,
     "lead", RO, NULL},
    {"duplicate.owner", T_TEXT, OPEN, "name of the user who has that lead", crm_read_duplicate,
     CRM_NONE, "owner", RO, NULL},
    {"duplicate.why", T_TEXT, OPEN, "what both have", crm_read_duplicate, CRM_NONE, "why", RO,
     duplicate_why},

    {"unsubscribe_url", T_TEXT, OPEN, "in a mail to a contact: where to end such mail", crm_read_unsubscribe,
     CRM_NONE, "unsubscribe", RO, NULL},
    {"now", T_TIME, OPEN, "the time of the event", crm_read_now, CRM_NONE, "now", RO, NULL},

    {"our.open", T_BOOL, OPEN, "whether the calendar of leadd.conf is open now", crm_read_open,
     CRM_NONE, "open", RO, NULL},
    {"our.company", T_TEXT, OPEN, "our company's name", crm_read_setting, CRM_NONE, "company", RO,
     NULL},
    {"our.domain", T_TEXT, OPEN, "our domain", crm_read_setting, CRM_NONE, "domain", RO, NULL},
    {"our.address", T_TEXT, OPEN, "the address people write to", crm_read_setting, CRM_NONE,
     "address", RO, NULL},
};

struct crm_fieldset {
    struct crm_field *rows;  /* own */
    struct rule_field *pub;  /* own; what the rule room sees */
    size_t count, cap;
    struct rule_fields *set; /* own */
    const char **stages;     /* own; NULL-terminated */
    char **names;            /* own; of the added rows */
    size_t name_count;
};

static char *fieldset_keep(struct crm_fieldset *s, char *text)
{
    s->names = mem_grow(s->names, (s->name_count + 1) * sizeof(*s->names));
    return s->names[s->name_count++] = text;
}

static void fieldset_add(struct crm_fieldset *s, const struct crm_field *f)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 256;
        s->rows = mem_grow(s->rows, s->cap * sizeof(*s->rows));
    }
    s->rows[s->count++] = *f;
}

static bool fieldset_has(const struct crm_fieldset *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (!strcmp(s->rows[i].name, name))
            return true;
    return false;
}

static int type_parse(const char *name, enum rule_type *out)
{
    static const struct {
        const char *name;
        enum rule_type type;
    } types[] = {{"text", T_TEXT}, {"int", T_INT},   {"money", T_MONEY},
                 {"bool", T_BOOL}, {"date", T_TIME}, {"duration", T_DUR}};
    for (size_t i = 0; name && i < ARRAY_LEN(types); i++)
        if (!strcmp(types[i].name, name)) {
            *out = types[i].type;
            return 0;
        }
    return -1;
}

static void fieldset_add_custom(struct crm_fieldset *s, const char *entity, const json_t *fields,
                                struct errlist *errors)
{
    enum crm_entity t = crm_entity_parse(entity);
    const char *name;
    const json_t *v;
    json_object_foreach((json_t *)fields, name, v) {
        const char *at = json_get_str(v, "at", NULL);
        struct crm_field f = {.personal = true, .read = COLUMN, .entity = t, .settable = true};
        f.help = json_get_str(v, "label", CRM_FIELD_NO_LABEL);
        if (t == CRM_NONE || t == CRM_ACTIVITY || t == CRM_TASK) {
            errlist_add(errors, at, "fields: a %s has no fields of its own", entity);
            continue;
        }
        if (type_parse(json_get_str(v, "type", "text"), &f.type) < 0) {
            errlist_add(errors, at, "fields: %s.%s has no type of text, int, money, bool, date, "
                        "duration", entity, name);
            continue;
        }
        f.name = fieldset_keep(s, mem_printf("%s.%s", entity, name));
        f.key = fieldset_keep(s, mem_printf("custom.%s", name));
        if (fieldset_has(s, f.name))
            errlist_add(errors, at, "fields: %s is a field of leadd already", f.name);
        else
            fieldset_add(s, &f);
    }
}

static void fieldset_add_forms(struct crm_fieldset *s, const json_t *forms)
{
    const char *form, *posted;
    const json_t *v, *to;
    json_object_foreach((json_t *)forms, form, v) {
        json_object_foreach(json_get_obj(v, "fields"), posted, to) {
            AUTO_FREE char *name = mem_printf("form.%s", posted);
            if (fieldset_has(s, name))
                continue;
            struct crm_field f = {.type = T_TEXT,
                                  .personal = true,
                                  .help = "as posted in a form",
                                  .read = crm_read_form};
            f.name = fieldset_keep(s, mem_str(name));
            f.key = fieldset_keep(s, mem_str(posted));
            fieldset_add(s, &f);
        }
    }
}

static void fieldset_add_core(struct crm_fieldset *s, const json_t *stages)
{
    size_t n = json_array_size(stages);
    s->stages = mem_array(n + 1, sizeof(*s->stages));
    for (size_t i = 0; i < n; i++)
        s->stages[i] = json_string_value(json_array_get(stages, i));
    for (size_t i = 0; i < ARRAY_LEN(core); i++) {
        struct crm_field f = core[i];
        if (n && !strcmp(f.name, "deal.stage"))
            f.choices = s->stages;
        fieldset_add(s, &f);
    }
}

struct crm_fieldset *crm_fieldset_new(const json_t *config, struct errlist *errors)
{
    struct crm_fieldset *s = mem_alloc(sizeof(*s));
    const char *entity;
    const json_t *v;
    fieldset_add_core(s, json_get_arr(config, "stages"));
    json_object_foreach(json_get_obj(config, "fields"), entity, v)
        fieldset_add_custom(s, entity, v, errors);
    fieldset_add_forms(s, json_get_obj(config, "forms"));
    s->pub = mem_array(s->count, sizeof(*s->pub));
    for (size_t i = 0; i < s->count; i++)
        s->pub[i] = (struct rule_field){s->rows[i].name, s->rows[i].type, s->rows[i].personal,
                                        s->rows[i].help, s->rows[i].choices};
    s->set = rule_fields_new(s->pub, s->count);
    return s;
}

void crm_fieldset_free(struct crm_fieldset **p)
{
    struct crm_fieldset *s = *p;
    *p = NULL;
    if (!s)
        return;
    rule_fields_free(&s->set);
    for (size_t i = 0; i < s->name_count; i++)
        mem_free(s->names[i]);
    mem_free(s->names);
    mem_free(s->stages);
    mem_free(s->pub);
    mem_free(s->rows);
    mem_free(s);
}

const struct rule_fields *crm_fieldset_rules(const struct crm_fieldset *s)
{
    return s->set;
}

const struct crm_field *crm_fieldset_get(const struct crm_fieldset *s, int index)
{
    return index >= 0 && (size_t)index < s->count ? &s->rows[index] : NULL;
}

const struct crm_field *crm_fieldset_find(const struct crm_fieldset *s, const char *name,
                                          struct err *e)
{
    int i = rule_fields_find(s->set, name);
    if (i >= 0)
        return &s->rows[i];
    const char *near = rule_fields_nearest(s->set, name);
    if (near)
        err_set(e, ERR_INPUT, "no field %s; did you mean %s?", name, near);
    else
        err_set(e, ERR_INPUT, "no field %s", name);
    return NULL;
}

bool crm_field_is_of_event(const struct crm_field *f)
{
    return f->read == crm_read_message || f->read == crm_read_form || f->read == crm_read_actor ||
           f->read == crm_read_duplicate ||
           f->entity == CRM_ACTIVITY;
}

bool crm_field_is_of_message(const struct crm_field *f)
{
    return (f->read == crm_read_message && strcmp(f->key, "source") != 0) ||
           f->read == crm_read_form;
}

bool crm_field_is_dear(const struct crm_field *f)
{
    return f->read == crm_read_count || f->read == crm_read_sequence || f->read == crm_read_consents;
}
