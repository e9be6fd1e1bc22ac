/* SPDX-License-Identifier: ISC
 *
 * rule_facts - fields and facts for the tests of daemon/rule
 *
 * Facts are written as "lead.score=60|lead.tags=a,b|lead.industry=?" where ?
 * means "cannot know now".
 */
#ifndef LEADD_TEST_RULE_FACTS_H
#define LEADD_TEST_RULE_FACTS_H

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/field.h"

static const char *const test_stages[] = {"new", "contacted", "qualified", "closed", NULL};

static const struct rule_field test_fields[] = {
    {"contact.country", RULE_TYPE_TEXT, false, NULL, NULL},
    {"contact.name", RULE_TYPE_TEXT, true, NULL, NULL},
    {"contact.first_name", RULE_TYPE_TEXT, true, NULL, NULL},
    {"contact.email", RULE_TYPE_TEXT, true, NULL, NULL},
    {"contact.domain", RULE_TYPE_TEXT, false, NULL, NULL},
    {"lead.id", RULE_TYPE_TEXT, false, NULL, NULL},
    {"lead.source", RULE_TYPE_TEXT, false, NULL, NULL},
    {"lead.stage", RULE_TYPE_TEXT, false, NULL, test_stages},
    {"lead.employees", RULE_TYPE_INT, false, NULL, NULL},
    {"lead.score", RULE_TYPE_INT, false, NULL, NULL},
    {"lead.contacted", RULE_TYPE_BOOL, false, NULL, NULL},
    {"lead.created", RULE_TYPE_TIME, false, NULL, NULL},
    {"lead.changed", RULE_TYPE_TIME, false, NULL, NULL},
    {"lead.age", RULE_TYPE_DURATION, false, NULL, NULL},
    {"lead.tags", RULE_TYPE_LIST, false, NULL, NULL},
    {"lead.industry", RULE_TYPE_TEXT, false, NULL, NULL},
    {"deal.amount", RULE_TYPE_MONEY, false, NULL, NULL},
    {"deal.target", RULE_TYPE_MONEY, false, NULL, NULL},
    {"message.subject", RULE_TYPE_TEXT, false, NULL, NULL},
    {"message.text", RULE_TYPE_TEXT, true, NULL, NULL},
    {"owner.name", RULE_TYPE_TEXT, false, NULL, NULL},
    {"company", RULE_TYPE_TEXT, false, NULL, NULL},
};

#define TEST_ITEMS 8

struct test_facts {
    const char *text;
    int reads; /* calls of the getter */
    struct str items[TEST_ITEMS];
};

/* The text behind "name=", or an empty one. */
static inline struct str test_fact(const char *facts, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = facts; p && *p;) {
        const char *end = strchr(p, '|');
        size_t len = end ? (size_t)(end - p) : strlen(p);
        if (len > n && memcmp(p, name, n) == 0 && p[n] == '=')
            return (struct str){p + n + 1, len - n - 1};
        p = end ? end + 1 : p + len;
    }
    return (struct str){"", 0};
}

static inline void test_split(struct test_facts *f, struct str s, struct rule_value *out)
{
    const char *p = s.p, *end = s.p + s.n;
    while (p < end && out->count < TEST_ITEMS) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        size_t n = (size_t)((comma ? comma : end) - p);
        f->items[out->count++] = (struct str){p, n};
        p += n + 1;
    }
    out->items = f->items;
}

static inline void test_get(void *arg, int field, struct rule_value *out)
{
    struct test_facts *f = arg;
    const struct rule_field *def = &test_fields[field];
    struct str s = test_fact(f->text, def->name);
    f->reads++;
    if (s.n == 0)
        return;
    out->state = RULE_VALUE_SET;
    AUTO_FREE char *t = mem_strn(s.p, s.n);
    if (strcmp(t, "?") == 0)
        out->state = RULE_VALUE_UNKNOWN;
    else if (def->type == RULE_TYPE_TEXT)
        out->text = s;
    else if (def->type == RULE_TYPE_LIST)
        test_split(f, s, out);
    else if (def->type == RULE_TYPE_BOOL)
        out->num = strcmp(t, "true") == 0;
    else if (def->type == RULE_TYPE_MONEY)
        LEADD_ASSERT(rule_money_parse(t, "EUR", &out->num, out->currency) == 0);
    else if (def->type == RULE_TYPE_TIME)
        LEADD_ASSERT(clock_parse_utc(t, &out->num) == 0);
    else if (def->type == RULE_TYPE_DURATION)
        LEADD_ASSERT(text_parse_duration(t, &out->num) == 0);
    else
        LEADD_ASSERT(text_parse_int(t, &out->num) == 0);
}

#endif
