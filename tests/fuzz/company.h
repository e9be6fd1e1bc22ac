/* SPDX-License-Identifier: ISC
 *
 * company - the engine's part of a small company's config, for fuzz targets
 *
 * Rules use every kind of command, so that what comes in reaches the outbox,
 * tasks, cases and deals. DIR is replaced by the folder of the state.
 */
#ifndef LEADD_FUZZ_COMPANY_H
#define LEADD_FUZZ_COMPANY_H

#define COMPANY_NOW INT64_C(1795251600000) /* 2026-11-21T09:00:00Z */

#define COMPANY_TEXT(t) "{'text':'" t "','at':'r.conf:2','col':1}"
#define COMPANY_RULE(name, on, when, run)                                                          \
    "{'name':'" name "','at':'r.conf:1','on':" COMPANY_TEXT(on) ",'when':[" when "],'do':[" run    \
    "],'stop':'rule'}"

/* ' stands for ", and a backquote for ', to be readable */
static const char company_json[] =
    "{'settings':{'company':'Example Widgets','domain':'example.com','address':'sales@example.com',"
    "'default_owner':'mia','default_country':'AT','currency':'EUR','time_zone':'Europe/Vienna',"
    "'reply_address':'plus','subject_tag':true,'undo_window':0,'on_unknown':'ask',"
    "'mail_size':1048576,'admin':'mia@example.com','return_path':'sales@example.com',"
    "'state_dir':'DIR','run_dir':'DIR'},"
    "'pretend_ms':1795251600000,'warnings':[],'store':{'driver':'sqlite','path':'DIR/leadd.db'},"
    "'mailboxes':{'sales':{'type':'imap','creates':'lead','automate_within':0,'at':'x:1'},"
    "'inbox':{'type':'maildir','creates':'case','automate_within':172800000,'at':'x:1'}},"
    "'relays':[{'name':'main','type':'smtp','at':'x:1'},{'name':'spare','type':'smtp','at':'x:1'}],"
    "'forms':{'contact':{'fields':{'email':{'to':'contact.email','at':'x:1'},"
    "'name':{'to':'contact.name','at':'x:1'},'phone':{'to':'contact.phone','at':'x:1'},"
    "'size':{'to':'lead.employees','at':'x:1'},'company':{'to':'company.name','at':'x:1'},"
    "'message':{'to':'message.text','at':'x:1'}},"
    "'required':['email'],'source':'web','creates':'lead','origins':[],'at':'x:1'},"
    "'help':{'fields':{'email':{'to':'contact.email','at':'x:1'},'text':{'to':'message.text',"
    "'at':'x:1'}},'required':[],'source':'help','creates':'case','origins':[],'at':'x:1'}},"
    "'teams':{'sales':{'name':'Sales','at':'x:1'}},"
    "'users':{'mia':{'name':'Mia','email':'mia@example.com','role':'admin','addresses':[],"
    "'at':'x:1'},'tom':{'name':'Tom','email':'tom@example.com','role':'rep','team':'sales',"
    "'phone':'+431234567','addresses':['tom@home.example'],'at':'x:1'}},"
    "'stages':['new','proposal','negotiation'],"
    "'fields':{'lead':{'employees':{'type':'int','label':'Employees','at':'x:1'},"
    "'budget':{'type':'money','label':'Budget','at':'x:1'},"
    "'until':{'type':'date','label':'Until','at':'x:1'}},"
    "'contact':{},'company':{},'deal':{},'case':{}},"
    "'rules':[" COMPANY_RULE("welcome", "lead.created", COMPANY_TEXT("contact.email is set"),
                             COMPANY_TEXT("send welcome") "," COMPANY_TEXT("assign pool all"))
    "," COMPANY_RULE("hot", "lead.created",
                     COMPANY_TEXT("message.text contains @words") ","
                     COMPANY_TEXT("lead.employees >= 5 or lead.subject ~ `^(re|aw):`"),
                     COMPANY_TEXT("tag hot") "," COMPANY_TEXT("set lead.score +10") ","
                     COMPANY_TEXT("task 3d call back") "," COMPANY_TEXT("stage proposal"))
    "," COMPANY_RULE("told", "lead.assigned", "", COMPANY_TEXT("send told to owner"))
    "," COMPANY_RULE("answer", "message.received", COMPANY_TEXT("lead.id is set"),
                     COMPANY_TEXT("note an answer came"))
    "," COMPANY_RULE("failed", "outbox.failed", "", COMPANY_TEXT("task today write by hand")) "],"
    "'tables':{'words':{'values':['offer','price'],'at':'x:1'}},"
    "'pools':{'all':{'by':'weighted','members':[{'user':'tom','weight':2,'at':'x:1'},"
    "{'user':'mia','weight':1,'at':'x:1'}],'at':'x:1'}},"
    "'templates':{'welcome':{'text':'Subject: Your request {{lead.subject}}\\n\\nHello "
    "{{contact.name}}, {{> _sign}}\\n--html--\\n<p>{{contact.name}}</p>\\n','path':'welcome.txt'},"
    "'_sign':{'text':'{{our.company}}\\n','path':'_sign.txt'},"
    "'told':{'text':'Subject: {{lead.id}} {{contact.name}}\\n\\n{{message.text}}\\n',"
    "'path':'told.txt'}}}";

#endif
