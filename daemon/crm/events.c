/* SPDX-License-Identifier: ISC
 *
 * events - see events.h
 */
#include "crm/events.h"

#include <string.h>

#include "base/mem.h"

const struct crm_event_row crm_events_table[] = {
    {"message.received", CRM_NONE, false, "a mail or SMS came in and is filed"},
    {"message.clicked", CRM_ACTIVITY, false, "a person opened a link of a mail of ours"},
    {"bounce.received", CRM_NONE, false, "a mail of ours came back, or is late"},
    {"complaint.received", CRM_NONE, false, "a provider says that somebody calls our mail spam"},
    {"meeting.added", CRM_ACTIVITY, false, "an invitation is on the record, or was accepted"},
    {"meeting.changed", CRM_ACTIVITY, false, "a meeting moved, or somebody answered"},
    {"meeting.declined", CRM_ACTIVITY, false, "the contact declined a meeting"},
    {"meeting.countered", CRM_ACTIVITY, false, "the contact proposes another time for a meeting"},
    {"meeting.cancelled", CRM_ACTIVITY, false, "a meeting was called off"},
    {"form.received", CRM_NONE, false, "a web form came in and is filed"},
    {"call.started", CRM_ACTIVITY, false, "a source tells of a call that has begun"},
    {"call.ended", CRM_ACTIVITY, false, "a source tells of a call that has ended"},
    {"call.missed", CRM_ACTIVITY, false, "a source tells of a call that nobody took"},
    {"chat.ended", CRM_ACTIVITY, false, "a source tells of a chat, with its words"},
    {"order.placed", CRM_ACTIVITY, false, "a source tells of an order"},
    {"order.paid", CRM_ACTIVITY, false, "a source tells that an order is paid"},
    {"order.refunded", CRM_ACTIVITY, false, "a source tells that money was given back"},
    {"order.cancelled", CRM_ACTIVITY, false, "a source tells that an order was called off"},
    {"visit.seen", CRM_ACTIVITY, false, "a source tells that somebody visited a page"},
    {"contact.created", CRM_CONTACT, true, "somebody wrote for the first time"},
    {"contact.changed", CRM_CONTACT, true, "a field of a contact changed"},
    {"contact.merged", CRM_CONTACT, true, "another contact turned out to be this one"},
    {"contact.duplicate", CRM_CONTACT, false, "looks like a contact that is there, and made no lead"},
    {"company.created", CRM_COMPANY, true, "a company was seen for the first time"},
    {"company.changed", CRM_COMPANY, true, "a field of a company changed"},
    {"company.merged", CRM_COMPANY, true, "another company turned out to be this one"},
    {"lead.created", CRM_LEAD, true, "a new lead"},
    {"lead.changed", CRM_LEAD, true, "a field of a lead changed"},
    {"lead.merged", CRM_LEAD, true, "another lead turned out to be this one"},
    {"lead.duplicate", CRM_LEAD, false, "its contact looks like one that is there"},
    {"lead.assigned", CRM_LEAD, true, "a lead has another owner"},
    {"lead.status_changed", CRM_LEAD, true, "a lead's status changed"},
    {"lead.contacted", CRM_LEAD, true, "a human of ours answered or called for the first time"},
    {"deal.created", CRM_DEAL, true, "a new deal"},
    {"deal.changed", CRM_DEAL, true, "a field of a deal changed"},
    {"deal.stage_changed", CRM_DEAL, true, "a deal moved to another stage"},
    {"deal.won", CRM_DEAL, true, "a deal is won"},
    {"deal.lost", CRM_DEAL, true, "a deal is lost"},
    {"case.created", CRM_CASE, true, "a new case"},
    {"case.changed", CRM_CASE, true, "a field of a case changed"},
    {"case.duplicate", CRM_CASE, false, "its contact looks like one that is there"},
    {"case.merged", CRM_CASE, true, "another case turned out to be this one"},
    {"case.assigned", CRM_CASE, true, "a case has another owner"},
    {"case.closed", CRM_CASE, true, "a case is closed"},
    {"case.reopened", CRM_CASE, true, "a closed case is open again"},
    {"task.created", CRM_TASK, true, "a new task"},
    {"task.changed", CRM_TASK, true, "a field of a task changed"},
    {"task.done", CRM_TASK, true, "a task is done"},
    {"task.overdue", CRM_TASK, false, "a task is still open, task_overdue after its owner was told"},
    {"note.added", CRM_ACTIVITY, false, "somebody wrote a note"},
    {"call.logged", CRM_ACTIVITY, false, "somebody called"},
    {"lead.enriched", CRM_LEAD, true, "an enrichment has answered; actor is enrich-NAME"},
    {"lead.enrich_failed", CRM_LEAD, true, "an enrichment gave no usable answer"},
    {"case.enriched", CRM_CASE, true, "an enrichment has answered; actor is enrich-NAME"},
    {"case.enrich_failed", CRM_CASE, true, "an enrichment gave no usable answer"},
    {"contact.enriched", CRM_CONTACT, true, "an enrichment has answered; actor is enrich-NAME"},
    {"contact.enrich_failed", CRM_CONTACT, true, "an enrichment gave no usable answer"},
    {"sequence.begun", CRM_NONE, false, "a sequence of steps begins"},
    {"sequence.ended", CRM_NONE, false, "a sequence is done, or something ended it"},
    {"outbox.sent", CRM_NONE, false, "an outgoing mail was accepted"},
    {"outbox.failed", CRM_NONE, false, "an outgoing mail was refused for good"},
    {"outbox.unknown", CRM_NONE, false, "nobody knows whether an outgoing mail was accepted"},
    {"sms.delivered", CRM_NONE, false, "an SMS of ours is on the phone"},
    {"sms.failed", CRM_NONE, false, "an SMS of ours that the gateway took was not delivered"},
    {"address.bounced", CRM_NONE, false, "mail to an address came back for good"},
    {"address.opted_out", CRM_NONE, false, "somebody wants no more automatic mail"},
    {"list.left", CRM_NONE, false, "somebody wants no more mail of a list"},
    {"list.joined", CRM_NONE, false, "somebody wants the mail of a list"},
};

const size_t crm_events_count = ARRAY_LEN(crm_events_table);

const struct crm_event_row *crm_event_find(const char *name)
{
    for (size_t i = 0; i < crm_events_count; i++)
        if (!strcmp(crm_events_table[i].name, name))
            return &crm_events_table[i];
    return NULL;
}
