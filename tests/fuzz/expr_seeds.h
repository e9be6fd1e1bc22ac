/* SPDX-License-Identifier: ISC
 *
 * expr_seeds - inputs that fuzz_expr starts from
 *
 * The first byte chooses: 'e' a condition, 'c' a condition with a local time
 * zone, 't' a template. What follows a NUL is what fields hold.
 */
#ifndef LEADD_FUZZ_EXPR_SEEDS_H
#define LEADD_FUZZ_EXPR_SEEDS_H

static const struct {
    const char *p;
    unsigned n;
} expr_seeds[] = {
#define SEED(s) {s, sizeof(s) - 1}
    SEED("elead.score >= 60 and not lead.contacted\0" "abc"),
    SEED("econtact.country in @dach or contact.domain not in @freemail\0DE"),
    SEED("econtact.country in ['DE', 'AT', 'O''Brien']\0o'brien"),
    SEED("elead.score in [1,2,3,4,5,6,7,8,9,10] and lead.score not between -5 and 12\0x"),
    SEED("elead.score in @sizes and 60 <= lead.score\0x"),
    SEED("edeal.amount between 5000 EUR and '20000.50 EUR'\0x"),
    SEED("edeal.amount > deal.target or deal.amount == 12.5\0x"),
    SEED("celead.created >= '2026-01-31' and lead.created < '2026-03-29 02:30'\0x"),
    SEED("clead.created in ['2026-10-25', '2026-03-29T01:30:00+01:00']\0x"),
    SEED("elead.age > 2 days or lead.age between 30m and 1h 30m\0x"),
    SEED("elead.tags contains ['vip', 'new'] and lead.tags not contains @words\0vip,new"),
    SEED("emessage.subject contains @words or message.subject starts 'Re:'\0Re: Angebot"),
    SEED("econtact.email ends ['.com', '@example.org']\0a@EXAMPLE.org"),
    SEED("emessage.text ~ '^(order|bestellung)\\s+\\d{3,}$'\0ORDER 1234"),
    SEED("emessage.text ~ '(a+)+[bc]' and not message.text ~ '(?=.*\\d)x'\0aaaaaaaaaaaaaaaaaaaaaa"),
    SEED("elead.stage == 'qualified' or lead.stage in ['new', 'closed']\0new"),
    SEED("elead.employees is not set and not (lead.industry is set)\0x"),
    SEED("e((((lead.contacted == true))))\0x"),
    SEED("econtact.name == 'STRASSE'\0Stra\xc3\x9f" "e \xc4\xb0\xce\xa3"),
    SEED("echanged(lead.stage) && x = \"y\""),
    SEED("echanged(lead.stage) and not entered(lead.stage, 'new')\0new"),
    SEED("ewas(lead.score) < 50 and lead.score >= 50 or was(lead.tags) contains 'a'\0a,b"),
    SEED("eentered(lead.tags, 'vip') and was(contact.name) is not set\0vip,x"),
    SEED("elead.created < lead.changed - 3 days 2h and lead.changed - lead.created > lead.age + 1d\0x"),
    SEED("tSubject: Hi {{contact.name}}\n\nHello{{#contact.first_name}} {{.}}{{/contact.first_name}}\n"
         "--html--\n<p>{{{contact.name}}}</p>\0<b>"),
    SEED("tSubject: s\n\n{{#lead.tags}}\n{{^company}}{{.}}, {{/company}}\n{{/lead.tags}}\0a,b,c"),
    SEED("tSubject: s\n\n{{! comment }}\n{{> part}}\n{{&lead.id}}\0{{lead.id}}{{> part}}"),
#undef SEED
};

#endif
