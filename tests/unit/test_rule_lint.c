/* SPDX-License-Identifier: ISC
 *
 * What lint says about rules is true: random rules are linted and then matched
 * against random facts, and no facts may contradict a finding. LEADD_PROPERTY=5
 * does five times as much: 100,000 pairs of a rule set and facts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/lint.h"
#include "rule_facts.h"

#define SET_RULES 12
#define SET_FACTS 400
static long sets = 50; /* times SET_FACTS: pairs of a rule set and facts */

static const struct rule_event events[] = {
    {"lead.created", "lead"}, {"lead.changed", "lead"}, {"message.received", NULL}};

static const char tables_text[] =
    "{\"dach\": {\"values\": [\"DE\", \"AT\", \"CH\"], \"at\": \"t:1\"},"
    " \"eu\": {\"values\": [\"DE\", \"AT\", \"FR\", \"CH\", \"IT\"], \"at\": \"t:2\"},"
    " \"none\": {\"values\": [], \"at\": \"t:3\"},"
    " \"words\": {\"values\": [\"offer\", \"price\"], \"at\": \"t:4\"}}";

/* ---- the language of the test's commands: "FIELD=VALUE EVENT", "note" ---- */

static struct rule_fields *fields;

static void effect(void *arg, const char *on, const char *command, struct lint_effect *out)
{
    char field[64] = "", event[64] = "";
    (void)arg;
    (void)on;
    if (sscanf(command, "%63[^=]=%199s %63s", field, out->value, event) != 3)
        return;
    int i = rule_fields_find(fields, field);
    lint_fields_add(&out->writes, i);
    out->repeats = out->value[0] == '+';
    out->known = !out->repeats;
    out->field = i;
    out->has = i >= 0 && test_fields[i].type == RULE_TYPE_LIST;
    for (size_t k = 0; k < ARRAY_LEN(events); k++)
        if (strcmp(events[k].name, event) == 0)
            out->events[out->event_count++] = events[k].name;
}

static bool moves(void *arg, int field)
{
    (void)arg;
    return strcmp(test_fields[field].name, "lead.age") == 0;
}

static const char *const answered[] = {"lead.contacted", NULL};
static struct lint_env lint_env = {
    .now_ms = 1795305600000, .effect = effect, .moves = moves, .answered = answered};

struct made {
    json_t *config; /* own */
    struct ruleset_env env;
    struct ruleset *rs; /* own */
    json_t *found;      /* own */
};

static void made_lint(struct made *m)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 20);
    m->env = (struct ruleset_env){
        .fields = fields, .events = events, .event_count = ARRAY_LEN(events), .time_zone = "UTC"};
    m->rs = ruleset_new(m->config, &m->env, &errors);
    if (!m->rs)
        fail_msg("%s: %s", errors.v[0].text, errors.v[0].lines);
    lint_env.fields = fields;
    m->found = rule_lint(m->rs, &lint_env);
}

static void made_done(struct made *m)
{
    json_decref(m->config);
    json_decref(m->found);
    ruleset_free(&m->rs);
}

static json_t *line_json(const char *text)
{
    return json_pack("{s:s, s:s, s:i}", "text", text, "at", "r:1", "col", 1);
}

/* ---- random conditions ---- */

static uint64_t random_state = 0x9e3779b97f4a7c15;

static size_t below(size_t n) /* xorshift64 */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state >> 11) % n;
}

#define PICK(list) list[below(ARRAY_LEN(list))]

static const char *const countries[] = {"DE", "AT", "CH", "FR", "US", "it"};
static const char *const words[] = {"offer", "price", "offers", "the price", "off", "xyz"};
static const char *const amounts[] = {"5 EUR", "10 EUR", "10", "10.50", "5 USD", "1000 JPY"};
static const char *const days[] = {"2026-01-01", "2026-01-02", "2026-01-01 12:00", "2026-02-01"};
static const char *const compares[] = {"==", "!=", "<", "<=", ">", ">="};
static const char *const ages[] = {"1h", "2h", "1d", "3d"};

static const char *const settable[] = {"contact.country", "lead.employees", "lead.tags",
                                       "message.subject", "deal.amount", "lead.contacted"};

static void random_test(struct buf *out)
{
    static const char *const has[] = {"contains", "starts", "ends", "not contains"};
    static const char *const lists[] = {"in @dach", "in @eu", "not in @dach", "in ['DE', 'AT']",
                                        "in ['DE']", "not in ['US', 'FR']", "in @none"};
    static const char *const befores[] = {
        "changed(lead.employees)", "not changed(lead.employees)", "was(lead.stage) == 'new'",
        "entered(lead.stage, 'contacted')", "was(lead.employees) < 3", "changed(lead.stage)",
        "lead.created + 1h > '2026-01-01'", "lead.changed - lead.created < 2h"};
    switch (below(16)) {
    case 15:
        buf_str(out, PICK(befores));
        break;
    case 0:
        buf_printf(out, "contact.country %s '%s'", PICK(compares), PICK(countries));
        break;
    case 1:
    case 2:
        buf_printf(out, "contact.country %s", PICK(lists));
        break;
    case 3:
    case 4:
        buf_printf(out, "lead.employees %s %d", PICK(compares), (int)below(5));
        break;
    case 5:
        buf_printf(out, "lead.employees between %d and %d", (int)below(3), 3 + (int)below(3));
        break;
    case 6:
        buf_printf(out, "lead.stage %s '%s'", below(2) ? "==" : "!=", test_stages[below(4)]);
        break;
    case 7:
        buf_str(out, below(2) ? "lead.contacted" : "lead.contacted == false");
        break;
    case 8:
        buf_printf(out, "message.subject %s '%s'", PICK(has), PICK(words));
        break;
    case 9:
        buf_printf(out, "message.subject %s", below(2) ? "contains @words" : "~ 'o.f'");
        break;
    case 10:
        buf_printf(out, "lead.tags contains ['%s', '%s']", PICK(words), PICK(words));
        break;
    case 11:
        buf_printf(out, "deal.amount %s %s", PICK(compares), PICK(amounts));
        break;
    case 12:
        buf_printf(out, "lead.created %s '%s'", PICK(compares), PICK(days));
        break;
    case 13:
        buf_printf(out, "%s is %sset", PICK(settable), below(2) ? "" : "not ");
        break;
    default:
        buf_printf(out, below(2) ? "lead.age %s %s" : "deal.amount < deal.target", PICK(compares),
                   PICK(ages));
    }
}

static void random_condition(struct buf *out, int depth)
{
    size_t parts = depth == 0 ? 1 : 1 + below(3);
    const char *word = below(2) ? " and " : " or ";
    for (size_t i = 0; i < parts; i++) {
        buf_str(out, i ? word : "");
        if (depth > 0 && below(3) == 0) {
            buf_str(out, below(2) ? "not (" : "(");
            random_condition(out, depth - 1);
            buf_str(out, ")");
        } else {
            random_test(out);
        }
    }
}

static json_t *random_rule(int i)
{
    json_t *when = json_array(), *r = json_object();
    for (size_t k = below(4); k > 0; k--) {
        struct buf b AUTO_BUF;
        buf_init(&b, 4096);
        random_condition(&b, (int)below(3));
        json_array_append_new(when, line_json(b.data));
    }
    AUTO_FREE char *name = mem_printf("r%d", i), *at = mem_printf("r.conf:%d", i + 1);
    json_put_str(r, "name", name);
    json_put_str(r, "at", at);
    bool edge = json_array_size(when) > 0 && below(4) == 0;
    json_object_set_new(r, "on", line_json(edge ? "lead" : "lead.created"));
    json_object_set_new(r, "when", when);
    json_object_set_new(r, "do", json_pack("[o]", line_json("note")));
    if (below(3) > 0)
        json_put_str(r, "first", below(2) ? "g" : "h");
    else if (below(6) == 0)
        json_put_str(r, "stop", "rule");
    return r;
}

static void random_fact(struct buf *b, const char *name, const char *value)
{
    if (below(5) == 0)
        return; /* not set */
    buf_printf(b, "%s%s=%s", b->len ? "|" : "", name, below(40) ? value : "?");
}

static void random_facts(struct buf *b)
{
    static const char *const subjects[] = {"offer", "an offer for you", "the price", "offers",
                                           "xyz price", "of", "OFFER xyz", "hello"};
    static const char *const tags[] = {"offer", "price,xyz", "off", "offers,the price", "a"};
    static const char *const moments[] = {"2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z",
                                          "2026-01-01T12:00:00Z", "2026-01-02T10:00:00Z",
                                          "2026-03-01T00:00:00Z"};
    static const char *const monies[] = {"5 EUR", "10 EUR", "10.50 EUR", "7 USD", "5 USD", "10 JPY",
                                         "11 JPY", "1000 JPY", "10.505 KWD", "3 GBP"};
    static const char *const spans[] = {"59m", "1h", "90m", "2h", "1d", "2d", "4d"};
    AUTO_FREE char *n = mem_printf("%d", (int)below(7));
    random_fact(b, "contact.country", PICK(countries));
    random_fact(b, "lead.employees", n);
    random_fact(b, "lead.stage", test_stages[below(4)]);
    random_fact(b, "lead.contacted", below(2) ? "true" : "false");
    random_fact(b, "message.subject", PICK(subjects));
    random_fact(b, "lead.tags", PICK(tags));
    random_fact(b, "deal.amount", PICK(monies));
    random_fact(b, "deal.target", PICK(monies));
    random_fact(b, "lead.created", PICK(moments));
    random_fact(b, "lead.changed", PICK(moments));
    random_fact(b, "lead.age", PICK(spans));
}

/* ---- the property ---- */

struct tally {
    long matched, decided, never, shadowed, unreachable, always, duplicate;
};

/* Finding i says of this rule that it never runs. */
static const char *says_never(const struct made *m, const char *rule)
{
    size_t i;
    json_t *f;
    json_array_foreach(m->found, i, f) {
        const char *what = json_get_str(f, "finding", ""), *text = json_get_str(f, "text", "");
        bool whole = strcmp(what, "never") != 0 || strncmp(text, "can never match", 15) == 0;
        if (strcmp(json_get_str(f, "rule", ""), rule) == 0 && whole &&
            (!strcmp(what, "never") || !strcmp(what, "shadowed") || !strcmp(what, "unreachable")))
            return text;
    }
    return NULL;
}

static void count_findings(const struct made *m, struct tally *t)
{
    size_t i;
    json_t *f;
    json_array_foreach(m->found, i, f) {
        const char *what = json_get_str(f, "finding", "");
        t->never += !strcmp(what, "never");
        t->shadowed += !strcmp(what, "shadowed");
        t->unreachable += !strcmp(what, "unreachable");
        t->always += !strcmp(what, "always");
        t->duplicate += !strcmp(what, "duplicate");
    }
}

static void match_all(const struct made *m, const char *const never_by[SET_RULES], const char *now,
                      const char *before, struct tally *t)
{
    struct test_facts a = {.text = now}, b = {.text = before};
    struct rule_facts facts = {.get = test_get, .now = &a, .before = before ? &b : NULL, .event = &a};
    struct rule_match *match = rule_match_new(m->rs, "lead.created", &facts);
    struct rule_decision d;
    while (rule_match_next(match, &d)) {
        const char *never = d.outcome == RULE_MATCHED ? never_by[d.rule->index] : NULL;
        t->decided++;
        t->matched += d.outcome == RULE_MATCHED;
        if (never) {
            AUTO_FREE char *rules = json_text(m->config);
            fail_msg("%s matched at %s (before: %s), and lint says: %s\n%s", d.rule->name, now,
                     before ? before : "nothing", never, rules);
        }
        if (d.outcome == RULE_CANNOT_KNOW)
            break;
    }
    rule_match_free(&match);
}

/* `PART` always holds, `PART` never holds: put to the evaluator. */
static void parts_hold(const struct made *m, const char *now)
{
    struct rule_tables *tables = rule_tables_new(json_object_get(m->config, "tables"), NULL);
    struct expr_env env = {.fields = fields, .tables = tables, .time_zone = "UTC"};
    struct test_facts a = {.text = now};
    struct expr_facts *facts = expr_facts_new(fields, test_get, &a);
    size_t i;
    json_t *f;
    json_array_foreach(m->found, i, f) {
        const char *text = json_get_str(f, "text", ""), *end = strrchr(text, '`');
        bool always = end && !strcmp(end, "` always holds"), never = end && !strcmp(end, "` never holds");
        const char *from = strchr(text, '`');
        if ((!always && !never) || end - from > 300)
            continue;
        AUTO_FREE char *part = mem_strn(from + 1, (size_t)(end - from) - 1);
        struct expr *x = expr_compile(&env, part, NULL, NULL);
        assert_non_null(x);
        enum rule_result r = expr_eval(x, facts);
        if (r == (always ? RULE_FALSE : RULE_TRUE))
            fail_msg("%s, but not at %s", text, now);
        expr_free(&x);
    }
    expr_facts_free(&facts);
    rule_tables_free(&tables);
}

static void no_facts_contradict_a_finding(void **state)
{
    struct tally t = {0};
    (void)state;
    for (long i = 0; i < sets; i++) {
        struct made m = {.config = json_object()};
        json_t *rules = json_array();
        for (int r = 0; r < SET_RULES; r++)
            json_array_append_new(rules, random_rule(r));
        json_object_set_new(m.config, "rules", rules);
        json_object_set_new(m.config, "tables", json_loads(tables_text, 0, NULL));
        made_lint(&m);
        count_findings(&m, &t);
        const char *never_by[SET_RULES];
        for (size_t r = 0; r < SET_RULES; r++)
            never_by[r] = says_never(&m, ruleset_rule(m.rs, r)->name);
        for (int k = 0; k < SET_FACTS; k++) {
            struct buf now AUTO_BUF, before AUTO_BUF;
            buf_init(&now, 4096);
            buf_init(&before, 4096);
            random_facts(&now);
            random_facts(&before);
            match_all(&m, never_by, now.data, below(2) ? before.data : NULL, &t);
            if (k % 50 == 0)
                parts_hold(&m, now.data);
        }
        made_done(&m);
    }
    printf("%ld facts, %ld decisions, %ld matched; findings: %ld never, %ld always, %ld shadowed, "
           "%ld unreachable, %ld duplicate\n", sets * SET_FACTS, t.decided, t.matched, t.never,
           t.always, t.shadowed, t.unreachable, t.duplicate);
    assert_true(t.matched > t.decided / 20);
    assert_true(t.never > 20 && t.shadowed > 50 && t.unreachable > 10 && t.always > 5);
}

/* ---- what must be found, and what must not ---- */

/* Rules as "NAME|ON|WHEN && WHEN|DO && DO|KEYS"; KEYS is first=G or stop or once. */
static json_t *case_rule(const char *text, int line)
{
    char part[5][256] = {""};
    json_t *r = json_object(), *when = json_array(), *dos = json_array();
    for (int i = 0; i < 5; i++) {
        size_t n = strcspn(text, "|");
        snprintf(part[i], sizeof(part[i]), "%.*s", (int)n, text);
        text += n + (text[n] == '|');
    }
    AUTO_FREE char *at = mem_printf("r.conf:%d", line);
    for (int i = 2; i < 4; i++)
        for (char *p = part[i], *next; *p; p = next) {
            char *cut = strstr(p, " && ");
            next = cut ? cut + 4 : p + strlen(p);
            if (cut)
                *cut = '\0';
            json_array_append_new(i == 2 ? when : dos, line_json(p));
        }
    json_put_str(r, "name", part[0]);
    json_put_str(r, "at", at);
    json_object_set_new(r, "on", line_json(part[1]));
    json_object_set_new(r, "when", when);
    json_object_set_new(r, "do", dos);
    if (strncmp(part[4], "first=", 6) == 0)
        json_put_str(r, "first", part[4] + 6);
    else if (strcmp(part[4], "stop") == 0)
        json_put_bool(r, "stop", true);
    else if (strcmp(part[4], "once") == 0)
        json_put_bool(r, "once", true);
    return r;
}

/* "RULE finding, RULE finding" of up to three rules. */
static void case_finds(const char *const rules[4], const char *want)
{
    struct made m = {.config = json_object()};
    struct buf got AUTO_BUF;
    json_t *list = json_array(), *f;
    size_t i;
    buf_init(&got, 4096);
    for (int r = 0; r < 4 && rules[r]; r++)
        json_array_append_new(list, case_rule(rules[r], r + 1));
    json_object_set_new(m.config, "rules", list);
    json_object_set_new(m.config, "tables", json_loads(tables_text, 0, NULL));
    made_lint(&m);
    json_array_foreach(m.found, i, f)
        buf_printf(&got, "%s%s %s", i ? ", " : "", json_get_str(f, "rule", "?"),
                   json_get_str(f, "finding", "?"));
    if (strcmp(got.data, want) != 0) {
        AUTO_FREE char *all = json_text(m.found);
        fail_msg("%s\n%s\n%s\nfound \"%s\", not \"%s\"\n%s", rules[0], rules[1] ? rules[1] : "",
                 rules[2] ? rules[2] : "", got.data, want, all);
    }
    made_done(&m);
}

struct find_case {
    const char *rules[4];
    const char *want;
};

static void find_all(const struct find_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        case_finds(cases[i].rules, cases[i].want);
}

static void conditions_that_cannot_hold_are_found(void **state)
{
    static const struct find_case cases[] = {
        {{"a|lead.created|lead.score > 10 && lead.score < 5|note"}, "a never"},
        {{"a|lead.created|lead.score > 10 && lead.score < 12|note"}, ""},
        {{"a|lead.created|lead.score > 10 && lead.score < 11|note"}, "a never"},
        {{"a|lead.created|contact.country == 'de' and contact.country == 'AT'|note"}, "a never"},
        {{"a|lead.created|contact.country == 'de' and contact.country == 'DE'|note"}, ""},
        {{"a|lead.created|contact.country in @none|note"}, "a never"},
        {{"a|lead.created|contact.country == 'US' && contact.country in @dach|note"}, "a never"},
        {{"a|lead.created|contact.country is not set && contact.country != 'DE'|note"}, "a never"},
        {{"a|lead.created|lead.stage not in ['new', 'contacted', 'qualified', 'closed'] "
          "&& lead.stage is set|note"}, "a never"},
        {{"a|lead.created|lead.contacted && not lead.contacted|note"}, "a never"},
        {{"a|lead.created|deal.amount == 5 EUR && deal.amount == 5 USD|note"}, "a never"},
        {{"a|lead.created|deal.amount > 5 EUR && deal.amount < 6|note"}, ""},
        {{"a|lead.created|lead.created >= '2026-01-02' && lead.created <= '2026-01-01'|note"}, "a never"},
        {{"a|lead.created|lead.created >= '2026-01-01 10:00' && lead.created <= '2026-01-01'|note"}, ""},
        {{"a|lead.created|message.subject contains 'offers' && not message.subject contains 'offer'|note"},
         "a never"},
        {{"a|lead.created|message.subject contains 'offer' && not message.subject contains 'offers'|note"},
         ""},
        {{"a|lead.created|contact.name starts 'dr' && contact.name starts 'prof'|note"}, "a never"},
        {{"a|lead.created|contact.name starts 'dr' && contact.name ends 'prof'|note"}, ""},
        {{"a|lead.created|message.subject ~ 'x' && not message.subject ~ 'x'|note"}, "a never"},
        {{"a|lead.created|deal.amount < deal.target && not deal.amount < deal.target|note"}, "a never"},
        {{"a|lead.changed|changed(lead.score) && not changed(lead.score)|note"}, "a never"},
        {{"a|lead.changed|was(lead.score) > 5 && lead.score < 3|note"}, ""},
        {{"a|lead.changed|was(lead.score) > 5 && was(lead.score) <= 5|note"}, ""},
        {{"a|lead.changed|lead.created + 1h > '2026-01-01' && lead.created < '2026-01-01'|note"}, ""},
        {{"a|lead.created|lead.tags contains 'x' && lead.tags is not set|note"}, "a never"},
        {{"a|lead.created|lead.score == 1 or (lead.score > 5 and lead.score < 3)|note"}, "a never"},
        {{"a|lead.created|lead.score > 3 or lead.score <= 3 or lead.score is not set|note"}, "a always"},
        {{"a|lead.created|lead.score > 3 or lead.score <= 3|note"}, ""},
    };
    (void)state;
    find_all(cases, ARRAY_LEN(cases));
}

static void rules_that_others_take_the_place_of_are_found(void **state)
{
    static const struct find_case cases[] = {
        {{"a|lead.created||note|first=g", "b|lead.created|lead.score > 5|note|first=g"}, "b shadowed"},
        {{"a|lead.created||note|first=g", "b|lead.created|lead.score > 5|note|first=h"}, ""},
        {{"a|lead.created||note|first=g", "b|lead.changed|lead.score > 5|note|first=g"}, ""},
        {{"a|lead.created||note|once", "b|lead.created||note2|first=g"}, "a useless"},
        {{"a|lead.created|contact.country in @eu|note|first=g",
          "b|lead.created|contact.country in @dach && lead.score > 5|note|first=g"}, "b shadowed"},
        {{"a|lead.created|contact.country in @dach|note|first=g",
          "b|lead.created|contact.country in @eu|note|first=g"}, ""},
        {{"a|lead.created|lead.score >= 50|note|first=g",
          "b|lead.created|lead.score >= 100|note|first=g"}, "b shadowed"},
        {{"a|lead.created|message.subject contains ['offer', 'price']|note|first=g",
          "b|lead.created|message.subject contains 'best price'|note|first=g"}, "b shadowed"},
        {{"a|lead.created||note|stop", "b|lead.created||note2"}, "b unreachable"},
        {{"a|lead.created|lead.score > 5|note|stop", "b|lead.created|lead.score > 5|note2"},
         "b unreachable"},
        {{"a|lead.created|lead.score > 5|note|stop", "b|lead.created|lead.score > 4|note2"}, ""},
        /* a rule between them may change what the first asked about */
        {{"a|lead.created|lead.stage == 'new'|note|first=g", "m|lead.created||lead.stage=new lead.changed",
          "b|lead.created|lead.stage == 'new'|note|first=g"}, ""},
        {{"a|lead|lead.score > 5|note|first=g", "b|lead|lead.score > 8|note|first=g"}, ""},
        {{"a|lead|lead.score > 5|note|first=g", "b|lead|5 < lead.score|note2|first=g"}, "b shadowed"},
        {{"a|lead.created|lead.score > 5|tag x && note", "b|lead.created|lead.score >= 6|tag x"},
         "b duplicate"},
        {{"a|lead.created|lead.score > 5|tag x", "b|lead.created|lead.score > 6|tag x"}, ""},
    };
    (void)state;
    find_all(cases, ARRAY_LEN(cases));
}

static void rings_of_rules_are_found(void **state)
{
    static const struct find_case cases[] = {
        {{"a|lead.changed||lead.score=+1 lead.changed"}, "a cycle"},
        {{"a|lead.changed||lead.score=+1 lead.changed|once"}, ""},
        {{"a|lead.changed||lead.source=x lead.changed"}, ""}, /* is x already */
        {{"a|lead.changed|lead.source != 'x'|lead.source=x lead.changed"}, ""},
        {{"a|lead.changed|lead.score < 10|lead.score=+1 lead.changed"}, "a cycle"},
        {{"a|lead.changed|lead.source == 'x'|lead.source=y lead.changed",
          "b|lead.changed|lead.source == 'y'|lead.source=x lead.changed"}, "a cycle"},
        {{"a|lead.changed|lead.source == 'x'|lead.source=y lead.changed",
          "b|lead.changed|lead.source == 'y'|lead.source=z lead.changed"}, ""},
        {{"a|lead.changed|not lead.tags contains 'p'|lead.tags=p lead.changed",
          "b|lead.changed|not lead.tags contains 'q'|lead.tags=q lead.changed"}, ""},
        {{"a|lead|lead.source == 'x'|lead.source=y lead.changed",
          "b|lead|lead.source == 'y'|lead.source=x lead.changed"}, "a cycle"},
        /* an edge that its ring never lets turn false */
        {{"a|lead|lead.employees > 5|lead.score=+1 lead.changed"}, ""},
        {{"a|lead|lead.score > 5|lead.score=+1 lead.changed"}, ""}, /* true before, too */
        {{"a|lead.changed|changed(lead.source)|lead.score=+1 lead.changed"}, ""},
        {{"a|lead.changed|changed(lead.score)|lead.score=+1 lead.changed"}, "a cycle"},
        {{"a|lead.changed|was(lead.score) < 5|lead.score=+1 lead.changed"}, ""},
        {{"a|message.received||lead.score=+1 lead.changed", "b|lead.changed||lead.source=x lead.changed"},
         ""},
        {{"a|lead.created||lead.source=x lead.changed", "b|lead.changed|lead.source == 'x'|"
          "lead.source=y lead.changed", "c|lead.changed|lead.source == 'y'|lead.source=x lead.changed"},
         "b cycle"},
    };
    (void)state;
    find_all(cases, ARRAY_LEN(cases));
}

static void what_only_time_makes_true_is_found(void **state)
{
    static const struct find_case cases[] = {
        {{"a|lead|lead.age > 2 days && not lead.contacted|note"}, "a clock"},
        {{"a|lead|2 days < lead.age|note"}, "a clock"},
        {{"a|lead|lead.age < 2 days && lead.contacted|note"}, ""},
        {{"a|lead.created|lead.age > 2 days|note"}, ""},
    };
    (void)state;
    find_all(cases, ARRAY_LEN(cases));
}

/* Thousands of rules that hold each other up as badly as can be. */
static void very_many_rules_are_linted_in_bounded_time(void **state)
{
    struct made m = {.config = json_object()};
    json_t *list = json_array();
    (void)state;
    for (int i = 0; i < 1500; i++) {
        AUTO_FREE char *text = mem_printf(
            "r%d|lead.created|lead.score > %d && contact.country == 'DE'|note|first=g", i, 3000 - i);
        AUTO_FREE char *wakes = mem_printf("c%d|lead.changed|lead.score > %d|lead.score=%d lead.changed",
                                           i, i, i);
        json_array_append_new(list, case_rule(text, i + 1));
        json_array_append_new(list, case_rule(wakes, i + 1));
    }
    json_object_set_new(m.config, "rules", list);
    made_lint(&m);
    made_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_facts_contradict_a_finding),
        cmocka_unit_test(conditions_that_cannot_hold_are_found),
        cmocka_unit_test(rules_that_others_take_the_place_of_are_found),
        cmocka_unit_test(rings_of_rules_are_found),
        cmocka_unit_test(what_only_time_makes_true_is_found),
        cmocka_unit_test(very_many_rules_are_linted_in_bounded_time),
    };
    if (getenv("LEADD_PROPERTY"))
        sets *= strtol(getenv("LEADD_PROPERTY"), NULL, 10);
    fields = rule_fields_new(test_fields, ARRAY_LEN(test_fields));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rule_fields_free(&fields);
    return failed;
}
