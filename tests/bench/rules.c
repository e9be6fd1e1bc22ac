/* SPDX-License-Identifier: ISC
 *
 * rules N EVENTS [CLIPS-FILE] - deciding an event against N rules
 *
 * A quarter of the rules compares texts, a quarter looks a domain up in a table, a
 * quarter looks for words in a mail of about 1,200 bytes, a quarter compares
 * numbers; each has a second condition. Leads are drawn so that about three match:
 * for each, one rule of the first three kinds is chosen and made true, numbers fall
 * as they may. Prints one JSON line. With a file name the same rules and leads are
 * also written there for CLIPS: (load* FILE), (reset), then each (decide) is all
 * leads once, and ?*matches* counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/ruleset.h"

enum { SOURCE, COUNTRY, DOMAIN, LANGUAGE, TEXT, EMPLOYEES, SCORE, FIELDS };

static const struct rule_field fields[FIELDS] = {
    {"lead.source", RULE_TYPE_TEXT, false, NULL, NULL},
    {"contact.country", RULE_TYPE_TEXT, true, NULL, NULL},
    {"contact.domain", RULE_TYPE_TEXT, true, NULL, NULL},
    {"contact.language", RULE_TYPE_TEXT, true, NULL, NULL},
    {"message.text", RULE_TYPE_TEXT, true, NULL, NULL},
    {"lead.employees", RULE_TYPE_INT, false, NULL, NULL},
    {"lead.score", RULE_TYPE_INT, false, NULL, NULL},
};
static const char *const slots[FIELDS] = {"source", "country",   "domain", "language",
                                          "text",   "employees", "score"};
static const struct rule_event events[] = {{"lead.created", "lead"}};

#define LEADS 500
#define TABLE 20
#define TEXT_BYTES 1200
#define PEOPLE 100000

struct lead {
    char text[FIELDS][TEXT_BYTES + 200];
    int64_t num[FIELDS];
};

static struct lead leads[LEADS];
static uint64_t seed = 20261122;

static int draw(int below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((seed >> 33) % (uint64_t)below);
}

/* Numbers as words that look like words. */
static const char *word(int n, char out[24])
{
    static const char *const parts[] = {"ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu",
                                        "an", "er", "is", "ol", "un", "st"};
    size_t at = 0;
    for (int i = 0; i < 5; i++, n /= 16)
        at += (size_t)snprintf(out + at, 24 - at, "%s", parts[n % 16]);
    return out;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* What rule i of n is about; the kinds take turns. */
static void rule_when(int i, int n, char *first, char *second, size_t size, struct buf *clips)
{
    char a[24], b[24];
    int k = i / 4, kinds = most(n / 4, 1);
    switch (i % 4) {
    case 0:
        snprintf(first, size, "lead.source == 'source-%d'", k % most(kinds / 8, 2));
        snprintf(second, size, "contact.country == '%c%c'", 'a' + k / 16 % 16, 'a' + k % 16);
        buf_printf(clips, "(source \"source-%d\") (country \"%c%c\")", k % most(kinds / 8, 2),
                   'a' + k / 16 % 16, 'a' + k % 16);
        break;
    case 1:
        snprintf(first, size, "contact.domain in @table-%d", k % most(kinds / 2, 2));
        snprintf(second, size, "lead.score >= %d", 10 + k % 50);
        buf_printf(clips, "(domain ?d&:(member$ ?d ?*table-%d*)) (score ?s&:(>= ?s %d))",
                   k % most(kinds / 2, 2), 10 + k % 50);
        break;
    case 2:
        snprintf(first, size, "contact.language in ['de', '%s']", k % 2 ? "en" : "fr");
        snprintf(second, size, "message.text contains ['%s', '%s']", word(k * 2, a),
                 word(k * 2 + 1, b));
        buf_printf(clips, "(language \"de\"|\"%s\") (text ?t&:(or (str-index \"%s\" ?t)"
                   " (str-index \"%s\" ?t)))", k % 2 ? "en" : "fr", a, b);
        break;
    default:
        snprintf(first, size, "lead.employees between %d and %d", k * (PEOPLE / kinds),
                 k * (PEOPLE / kinds) + PEOPLE / kinds / 2);
        snprintf(second, size, "lead.score > %d", k % 60);
        buf_printf(clips, "(employees ?e&:(<= %d ?e %d)) (score ?s&:(> ?s %d))",
                   k * (PEOPLE / kinds), k * (PEOPLE / kinds) + PEOPLE / kinds / 2, k % 60);
        break;
    }
}

static json_t *make_rules(int n, struct buf *clips)
{
    json_t *list = json_array(), *tables = json_object();
    int table_count = most(most(n / 4, 1) / 2, 2);
    for (int t = 0; t < table_count; t++) {
        char name[24];
        json_t *values = json_array();
        snprintf(name, sizeof(name), "table-%d", t);
        buf_printf(clips, "(defglobal ?*table-%d* = (create$", t);
        for (int i = 0; i < TABLE; i++) {
            AUTO_FREE char *domain = mem_printf("firm-%d-%d.example", t, i);
            json_array_append_new(values, json_string(domain));
            buf_printf(clips, " \"%s\"", domain);
        }
        json_object_set_new(tables, name, json_pack("{s:o, s:s}", "values", values, "at", "t:1"));
        buf_str(clips, "))\n");
    }
    for (int i = 0; i < n; i++) {
        char name[24], at[32], first[128], second[128];
        snprintf(name, sizeof(name), "rule-%d", i);
        snprintf(at, sizeof(at), "rules.conf:%d", i * 5 + 1);
        buf_printf(clips, "(defrule %s (lead ", name);
        rule_when(i, n, first, second, sizeof(first), clips);
        buf_str(clips, ") => (bind ?*matches* (+ ?*matches* 1)))\n");
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:{s:s}, s:[{s:s, s:s}, {s:s, s:s}], s:[{s:s, s:s}]}",
                            "name", name, "at", at, "on", "text", "lead.created", "when", "text",
                            first, "at", at, "text", second, "at", at, "do", "text", "tag x", "at",
                            at));
    }
    return json_pack("{s:o, s:o}", "rules", list, "tables", tables);
}

/* Words of no rule, now and then an umlaut, and the one word that matters. */
static void make_text(struct lead *l, const char *wanted)
{
    static const char *const fill[] = {"please", "we", "would", "like", "grüße", "an", "of",
                                       "your",
                                       "pricing", "für", "the", "factory", "in", "may", "können",
                                       "delivery", "quickly", "and", "thanks", "with"};
    struct buf text AUTO_BUF;
    buf_init(&text, TEXT_BYTES + 100);
    bool put = false;
    while (text.len < TEXT_BYTES - 40) {
        if (!put && text.len > TEXT_BYTES / 2) {
            buf_printf(&text, "%s ", wanted);
            put = true;
        }
        buf_printf(&text, "%s ", fill[draw(20)]);
    }
    snprintf(l->text[TEXT], sizeof(l->text[TEXT]), "%s", text.data);
}

static void make_lead(struct lead *l, int n)
{
    char w[24];
    int kinds = most(n / 4, 1), equal = draw(kinds), table = draw(kinds), words = draw(kinds);
    snprintf(l->text[SOURCE], sizeof(l->text[0]), "source-%d", equal % most(kinds / 8, 2));
    snprintf(l->text[COUNTRY], sizeof(l->text[0]), "%c%c", 'a' + equal / 16 % 16, 'a' + equal % 16);
    snprintf(l->text[DOMAIN], sizeof(l->text[0]), "firm-%d-%d.example", table % most(kinds / 2, 2),
             draw(TABLE));
    snprintf(l->text[LANGUAGE], sizeof(l->text[0]), "%s", words % 2 ? "en" : "fr");
    make_text(l, word(words * 2 + draw(2), w));
    l->num[EMPLOYEES] = draw(PEOPLE);
    l->num[SCORE] = draw(60);
}

static void get(void *arg, int field, struct rule_value *out)
{
    const struct lead *l = arg;
    out->state = RULE_VALUE_SET;
    if (fields[field].type == RULE_TYPE_TEXT)
        out->text = (struct str){l->text[field], strlen(l->text[field])};
    else
        out->num = l->num[field];
}

static long memory_kib(void)
{
    long pages = 0, resident = 0;
    FILE *f AUTO_FCLOSE = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &pages, &resident) != 2)
        return 0;
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void write_clips(const char *path, const struct buf *rules, int count)
{
    FILE *f AUTO_FCLOSE = fopen(path, "w");
    if (!f)
        exit(1);
    fprintf(f, "(defglobal ?*matches* = 0)\n(deftemplate lead");
    for (int i = 0; i < FIELDS; i++)
        fprintf(f, " (slot %s)", slots[i]);
    fprintf(f, ")\n%s(deffunction decide ()\n", rules->data);
    for (int i = 0; i < count; i++) {
        fprintf(f, "(bind ?f (assert (lead");
        for (int k = 0; k < FIELDS; k++)
            if (fields[k].type == RULE_TYPE_TEXT)
                fprintf(f, " (%s \"%s\")", slots[k], leads[i].text[k]);
            else
                fprintf(f, " (%s %d)", slots[k], (int)leads[i].num[k]);
        fprintf(f, "))) (run) (retract ?f)\n");
    }
    fprintf(f, ")\n");
}

static long asked;

static int decide_all(const struct ruleset *rs, int count)
{
    int matches = 0;
    for (int i = 0; i < count; i++) {
        struct rule_facts facts = {.get = get, .now = &leads[i % LEADS]};
        struct rule_match *m = rule_match_new(rs, "lead.created", &facts);
        struct rule_decision d;
        while (rule_match_next(m, &d) && ++asked)
            matches += d.outcome == RULE_MATCHED;
        rule_match_free(&m);
    }
    return matches;
}

int main(int argc, char **argv)
{
    int64_t n, count;
    if (argc < 3 || text_parse_int(argv[1], &n) < 0 || text_parse_int(argv[2], &count) < 0 ||
        n < 1 || n > 100000 || count < 1) {
        fprintf(stderr, "usage: rules N EVENTS [CLIPS-FILE]\n");
        return 64;
    }
    struct buf clips AUTO_BUF;
    struct errlist errors AUTO_ERRLIST;
    buf_init(&clips, MIB(64));
    errlist_init(&errors, 5);
    json_t *config AUTO_JSON = make_rules((int)n, &clips);
    for (int i = 0; i < LEADS; i++)
        make_lead(&leads[i], (int)n);
    if (argc > 3)
        write_clips(argv[3], &clips, count < LEADS ? (int)count : LEADS);
    struct rule_fields *set = rule_fields_new(fields, FIELDS);
    struct ruleset_env env = {.fields = set, .events = events, .event_count = 1};
    long memory = memory_kib();
    double begin = cpu_seconds();
    struct ruleset *rs = ruleset_new(config, &env, &errors);
    double compiled = cpu_seconds() - begin;
    if (!rs) {
        struct buf said AUTO_BUF;
        buf_init(&said, KIB(16));
        errlist_print(&errors, &said);
        fprintf(stderr, "%s", said.data);
        return 1;
    }
    memory = memory_kib() - memory;
    decide_all(rs, LEADS); /* warm */
    asked = 0;
    begin = cpu_seconds();
    int matches = decide_all(rs, (int)count);
    double spent = cpu_seconds() - begin;
    printf("{\"ns\": %.1f, \"matches\": %.3f, \"compile_ms\": %.1f, \"kib\": %ld,"
           " \"asked\": %.2f}\n",
           spent * 1e9 / (double)count, matches / (double)count, compiled * 1000, memory,
           (double)asked / (double)count);
    ruleset_free(&rs);
    rule_fields_free(&set);
    return 0;
}
