/* SPDX-License-Identifier: ISC
 *
 * Who gets a lead: territories, pools by open leads, skills, the owner it had before,
 * absence, capacity in the day of the user, hours.
 */
#include "crm_fixture.h"

#define HOUR INT64_C(3600000)
#define AT(text) "{'text': '" text "', 'at': 'r:9'}"

/* Saturday 11:00 in Vienna, 19:00 in Tokyo. */
static const char company_config[] =
    "{'settings': {'company': 'Example Ltd', 'domain': 'our.example', 'address': 'crm@our.example',"
    "  'default_country': 'AT', 'currency': 'EUR', 'time_zone': 'Europe/Vienna'},"
    " 'teams': {'sales': {'name': 'Sales', 'manager': 'dora', 'at': 'c:1'}},"
    " 'users': {"
    "  'anna': {'name': 'Anna One', 'email': 'anna@our.example', 'role': 'rep', 'team': 'sales',"
    "    'skills': ['french'], 'at': 'c:2'},"
    "  'ben': {'name': 'Ben Two', 'email': 'ben@our.example', 'role': 'rep', 'team': 'sales',"
    "    'at': 'c:3'},"
    "  'cleo': {'name': 'Cleo Three', 'email': 'cleo@our.example', 'role': 'rep', 'calendar': 'tokyo',"
    "    'capacity': 1, 'at': 'c:4'},"
    "  'eve': {'name': 'Eve Six', 'email': 'eve@our.example', 'role': 'rep', 'capacity': 1,"
    "    'absent': [" AT("2027-01-05") "], 'at': 'c:5'},"
    "  'dora': {'name': 'Dora Four', 'email': 'dora@our.example', 'role': 'manager', 'at': 'c:6'}},"
    " 'calendars': {"
    "  'tokyo': {'zone': 'Asia/Tokyo', 'hours': ['daily 00:00-24:00'], 'holidays': [], 'at': 'r:1'},"
    "  'early': {'zone': 'Europe/Vienna', 'hours': ['Mon-Fri 08:00-12:00'], 'holidays': [],"
    "    'at': 'r:1'},"
    "  'weekdays': {'zone': 'Europe/Vienna', 'hours': ['Mon-Fri 09:00-17:00'], 'holidays': [],"
    "    'at': 'r:1'}},"
    " 'pools': {"
    "  'two': {'by': 'round_robin', 'members': [{'user': 'anna'}, {'user': 'ben'}], 'at': 'p:1'},"
    "  'open': {'by': 'least_open', 'members': [{'user': 'anna', 'weight': 2}, {'user': 'ben'}],"
    "    'at': 'p:2'},"
    "  'italian': {'by': 'round_robin', 'members': [{'user': 'anna'},"
    "    {'user': 'ben', 'skills': ['italian']}], 'needs': ['italian'], 'at': 'p:3'},"
    "  'same': {'by': 'round_robin', 'members': [{'user': 'anna'}, {'user': 'ben'}],"
    "    'sticky': 'contact', 'at': 'p:4'},"
    "  'far': {'by': 'round_robin', 'members': [{'user': 'cleo'}, {'user': 'eve'}], 'at': 'p:5'},"
    "  'office': {'by': 'round_robin', 'members': [{'user': 'anna'}, {'user': 'ben'}],"
    "    'calendar': 'weekdays', 'at': 'p:6'},"
    "  'spare': {'by': 'round_robin', 'members': [{'user': 'anna'}], 'calendar': 'weekdays',"
    "    'when_nobody': 'else', 'else': " AT("pool two with skill french") ", 'at': 'p:7'}},"
    " 'territories': {"
    "  'world': {'assign': " AT("dora") ", 'at': 't:1'},"
    "  'large': {'parent': 'world', 'when': [" AT("lead.employees >= 100") "],"
    "    'assign': " AT("pool two") ", 'at': 't:2'},"
    "  'demo': {'parent': 'world', 'when': [" AT("lead.employees >= 10") "],"
    "    'assign': " AT("cleo") ", 'at': 't:3'},"
    "  'larger': {'parent': 'large', 'when': [" AT("lead.employees >= 200") "], 'at': 't:4'},"
    "  'huge': {'parent': 'larger', 'when': [" AT("lead.employees >= 500") ", "
    "    " AT("lead.employees <= 900") "], 'assign': " AT("eve") ", 'at': 't:5'}},"
    " 'stages': ['new', 'proposal'],"
    " 'fields': {'lead': {'employees': {'type': 'int', 'label': 'Employees', 'at': 'c:9'}}},"
    " 'forms': {}, 'rules': [], 'tables': {}, 'templates': {}}";

static int setup(void **state)
{
    return fixture_setup_with(state, company_config);
}

/* Runs the command, and expects that owner. */
static void gives(struct fixture *f, struct crm_target *t, const char *line, const char *owner)
{
    run_command(f, t, "dora", line);
    if (strcmp(LEAD(f, "owner", t->lead), owner) != 0)
        fail_msg("%s: %s, expected %s", line, LEAD(f, "owner", t->lead), owner);
}

static void sized(struct fixture *f, struct crm_target *t, const char *employees, const char *owner)
{
    AUTO_FREE char *line = mem_printf("set lead.employees %s", employees);
    run_command(f, t, "dora", line);
    gives(f, t, "assign territory", owner);
}

/* ---- territories --------------------------------------------------------------- */

static void a_lead_falls_into_the_deepest_territory_that_holds(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    gives(f, &t, "assign territory", "dora"); /* nothing is known: the root */
    sized(f, &t, "9", "dora");
    sized(f, &t, "10", "cleo"); /* the second of two that stand side by side */
    sized(f, &t, "100", "anna"); /* the first, though the second holds as well */
    sized(f, &t, "500", "eve");
    sized(f, &t, "901", "ben"); /* one condition of two: larger, which has large's pool */
}

static void when_nobody_is_there_the_territory_above_gets_it(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    run_command(f, &t, "dora", "absent eve 3d");
    sized(f, &t, "500", "anna");
    run_command(f, &t, "dora", "absent anna 3d");
    run_command(f, &t, "dora", "absent ben 3d");
    sized(f, &t, "500", "dora");
    run_command(f, &t, "dora", "absent dora 3d");
    refuse_command(f, &t, "dora", "assign territory", "dora is absent until");
    refuse_command(f, &t, "dora", "assign territory", "eve is absent until");
    f->now += 72 * HOUR;
    gives(f, &t, "assign territory", "eve");
}

static void wrong_trees_are_refused(void **state)
{
    static const struct {
        const char *territory, *name, *says;
    } cases[] = {
        {"{'assign': " AT("ben") ", 'at': 't:9'}", "other", "world (t:1) is the root already"},
        {"{'parent': 'wrld', 'when': [], 'at': 't:9'}", "other", "did you mean 'world'"},
        {"{'parent': 'huge', 'when': [" AT("lead.employees > 1") "], 'at': 't:9'}", "large", "circle"},
        {"{'at': 't:9'}", "world", "needs an assign"},
        {"{'assign': " AT("dora") ", 'when': [" AT("lead.employees > 1") "], 'at': 't:9'}", "world",
         "needs a parent"},
        {"{'parent': 'world', 'when': [" AT("lead.emploies > 1") "], 'at': 't:9'}", "demo",
         "lead.employees"},
        {"{'parent': 'world', 'when': [], 'at': 't:9'}", "large", "demo is never reached"},
        {"{'assign': " AT("territory") ", 'at': 't:9'}", "world", "cannot be 'territory'"},
        {"{'assign': " AT("pool tow") ", 'at': 't:9'}", "world", "did you mean 'two'"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        AUTO_JSON json_t *config = fixture_json(company_config);
        json_object_set_new(json_get_obj(config, "territories"), cases[i].name,
                            fixture_json(cases[i].territory));
        struct crm *crm = crm_new(f->db, config, NOW, &e);
        if (crm || !strstr(e.text, cases[i].says))
            fail_msg("'%s' is not in '%s'", cases[i].says, crm ? "(accepted)" : e.text);
    }
}

/* ---- pools --------------------------------------------------------------------- */

static void least_open_deals_to_who_has_the_fewest_for_his_weight(void **state)
{
    struct fixture *f = *state;
    static const char *const expected[] = {"anna", "ben", "anna", "anna", "ben", "anna"};
    struct crm_target t[6], more;
    for (int i = 0; i < 6; i++) {
        AUTO_FREE char *from = mem_printf("p%d@customer.example", i);
        t[i] = lead_of(f, from, NULL);
        gives(f, &t[i], "assign pool open", expected[i]);
    }
    run_command(f, &t[1], "dora", "lost price"); /* what is closed does not count */
    more = lead_of(f, "x@customer.example", NULL);
    gives(f, &more, "assign pool open", "ben");
}

static void of_equals_least_open_takes_who_got_one_longest_ago_and_undo_gives_that_back(void **state)
{
    struct fixture *f = *state;
    struct crm_target a = some_lead(f), b = lead_of(f, "b@customer.example", NULL), t;
    json_t *pools = json_object_get((json_t *)crm_config(f->crm), "pools");
    json_t *anna = json_array_get(json_get_arr(json_get_obj(pools, "open"), "members"), 0);
    json_put_int(anna, "weight", 1);
    gives(f, &a, "assign pool open", "anna");
    gives(f, &b, "assign pool open", "ben");
    run_command(f, &a, "dora", "lost price");
    run_command(f, &b, "dora", "lost price");
    t = lead_of(f, "c@customer.example", NULL);
    gives(f, &t, "assign pool open", "anna");
    run_command(f, &t, "dora", "undo");
    gives(f, &t, "assign pool open", "anna");
}

static void who_lacks_a_skill_is_passed_over(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    for (int i = 0; i < 3; i++) {
        gives(f, &t, "assign pool italian", "ben"); /* a skill he has in this pool */
        gives(f, &t, "assign pool two with skill French", "anna");
        gives(f, &t, "assign team sales with skill french", "anna");
    }
    refuse_command(f, &t, "dora", "assign pool two with skill french and italian",
                   "anna has no skill 'italian', ben has no skill 'french'");
    refuse_command(f, &t, "dora", "assign pool italian with skill french", "ben has no skill 'french'");
    refuse_command(f, &t, "dora", "assign pool two with skill frensh", "did you mean 'french'");
    refuse_command(f, &t, "dora", "assign pool two with skill", "a skill is missing");
    refuse_command(f, &t, "dora", "assign anna with skill french", "too much");
}

static void a_tag_that_is_a_skill_is_needed_where_the_pool_says_so(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    json_t *two = json_get_obj(json_get_obj(crm_config(f->crm), "pools"), "two");
    json_put_bool(two, "match_tags", true);
    run_command(f, &t, "dora", "tag urgent");
    gives(f, &t, "assign pool two", "anna");
    gives(f, &t, "assign pool two", "ben");
    run_command(f, &t, "dora", "tag french");
    for (int i = 0; i < 3; i++)
        gives(f, &t, "assign pool two", "anna");
}

static void who_wrote_before_meets_the_same_person(void **state)
{
    struct fixture *f = *state;
    struct crm_target first = some_lead(f), t;
    gives(f, &first, "assign pool two", "anna");
    gives(f, &first, "assign pool two", "ben");
    run_command(f, &first, "dora", "lost price");
    t = lead_of(f, "lena@customer.example", NULL);
    assert_int_not_equal(t.lead, first.lead);
    gives(f, &t, "assign pool same", "ben");
    gives(f, &t, "assign pool same", "ben");
    gives(f, &t, "assign pool two sticky", "ben");
    /* the round did not turn for those: anna, who is next, is next */
    t = lead_of(f, "karl@customer.example", NULL);
    gives(f, &t, "assign pool same", "anna"); /* of the same company, which nobody asked for */
    gives(f, &t, "assign dora", "dora");
    t = lead_of(f, "otto@customer.example", NULL);
    gives(f, &t, "assign pool two sticky company", "anna"); /* dora, the last, is no member */
    run_command(f, &t, "dora", "assign ben");
    t = lead_of(f, "paul@customer.example", NULL);
    gives(f, &t, "assign pool two sticky company", "ben");
    run_command(f, &t, "dora", "absent ben 3d");
    gives(f, &t, "assign pool two sticky company", "anna");
}

/* ---- absence -------------------------------------------------------------------- */

static void who_is_absent_is_dealt_nothing_until_present_or_undo(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    run_command(f, &t, "anna", "absent anna 2026-11-24 at the sea");
    gives(f, &t, "assign pool two", "ben");
    gives(f, &t, "assign pool two", "ben");
    run_command(f, &t, "anna", "present anna");
    gives(f, &t, "assign pool two", "anna");
    run_command(f, &t, "dora", "absent ben 2d");
    run_command(f, &t, "dora", "undo");
    gives(f, &t, "assign pool two", "ben");
    run_command(f, &t, "dora", "absent ben 2d");
    run_command(f, &t, "dora", "present ben");
    run_command(f, &t, "dora", "undo"); /* he is absent again */
    for (int i = 0; i < 3; i++)
        gives(f, &t, "assign pool two", "anna");
    f->now += 48 * HOUR;
    gives(f, &t, "assign pool two", "anna");
    gives(f, &t, "assign pool two", "ben");
}

static void an_absence_ends_with_its_last_day_in_the_users_zone(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    run_command(f, &t, "dora", "absent anna 2026-11-23..2026-11-24");
    gives(f, &t, "assign pool two", "anna"); /* it has not begun */
    f->now = INT64_C(1795388400000) - 2000;  /* 2026-11-22 23:00 UTC, midnight there */
    gives(f, &t, "assign pool two", "ben");
    for (int i = 0; i < 2; i++)
        gives(f, &t, "assign pool two", "ben");
    f->now = INT64_C(1795388400000) + 48 * HOUR - 2000;
    gives(f, &t, "assign pool two", "ben");
    gives(f, &t, "assign pool two", "anna");
}

static void an_absence_that_makes_no_sense_is_refused(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    refuse_command(f, &t, "dora", "absent", "a user");
    refuse_command(f, &t, "dora", "absent ana 3d", "did you mean 'anna'");
    refuse_command(f, &t, "dora", "absent anna", "until when");
    refuse_command(f, &t, "dora", "absent anna 2026-11-01..2026-11-03", "over already");
    refuse_command(f, &t, "dora", "absent anna 2026-12-03..2026-12-01", "ends before it begins");
    refuse_command(f, &t, "anna", "absent ben 3d", "for himself only");
    refuse_command(f, &t, "anna", "present ben", "for himself only");
    refuse_command(f, &t, "anna", "present anna", "is not absent");
    f->now += 45 * 24 * HOUR; /* 2027-01-05, of the config */
    refuse_command(f, &t, "dora", "present eve", "by leadd.conf");
    gives(f, &t, "assign pool far", "cleo");
    refuse_command(f, &t, "dora", "assign pool far", "eve is absent until");
}

/* ---- capacity and hours ---------------------------------------------------------- */

static void a_day_of_capacity_is_a_day_where_the_user_is(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    gives(f, &t, "assign pool far", "cleo");
    gives(f, &t, "assign pool far", "eve");
    refuse_command(f, &t, "dora", "assign pool far", "cleo has had 1 of 1 today");
    f->now = NOW + 5 * HOUR - 3000; /* 23:59:58 in Tokyo */
    refuse_command(f, &t, "dora", "assign pool far", "cleo has had 1 of 1 today");
    f->now = NOW + 5 * HOUR;
    gives(f, &t, "assign pool far", "cleo");
    refuse_command(f, &t, "dora", "assign pool far", "eve has had 1 of 1 today");
    f->now = NOW + 13 * HOUR - 3000; /* 23:59:58 in Vienna */
    refuse_command(f, &t, "dora", "assign pool far", "eve has had 1 of 1 today");
    f->now = NOW + 13 * HOUR;
    gives(f, &t, "assign pool far", "eve");
}

static void undo_on_another_day_takes_nothing_from_that_days_count(void **state)
{
    struct fixture *f = *state;
    struct crm_target old = some_lead(f), t = lead_of(f, "b@customer.example", NULL);
    gives(f, &old, "assign pool far", "cleo");
    f->now += 24 * HOUR;
    gives(f, &t, "assign pool far", "eve");
    gives(f, &t, "assign pool far", "cleo");
    run_command(f, &old, "dora", "undo");
    refuse_command(f, &t, "dora", "assign pool far", "cleo has had 1 of 1 today");
    run_command(f, &t, "dora", "undo");
    gives(f, &t, "assign pool far", "cleo");
    refuse_command(f, &t, "dora", "assign pool far", "eve has had 1 of 1 today");
}

static void outside_hours_who_begins_first_gets_it_or_else_does(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    gives(f, &t, "assign pool office", "anna"); /* on Saturday, all begin on Monday */
    gives(f, &t, "assign pool office", "ben");
    json_t *ben = json_get_obj(json_get_obj(crm_config(f->crm), "users"), "ben");
    json_put_str(ben, "calendar", "early");
    for (int i = 0; i < 3; i++)
        gives(f, &t, "assign pool office", "ben"); /* he begins an hour before anna */
    json_put_str(ben, "calendar", "tokyo");
    gives(f, &t, "assign pool office", "ben"); /* his own hours go before those of the pool */
    gives(f, &t, "assign pool office", "ben");
    json_put_str(json_get_obj(json_get_obj(crm_config(f->crm), "pools"), "office"), "when_nobody", "else");
    run_command(f, &t, "dora", "absent ben 5h");
    refuse_command(f, &t, "dora", "assign pool office", "anna is not at work until");
    gives(f, &t, "assign pool spare", "anna"); /* by its else, whose pool has no hours */
    run_command(f, &t, "dora", "absent anna 5h");
    refuse_command(f, &t, "dora", "assign pool spare", "anna is absent until");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_lead_falls_into_the_deepest_territory_that_holds),
        T(when_nobody_is_there_the_territory_above_gets_it),
        T(wrong_trees_are_refused),
        T(least_open_deals_to_who_has_the_fewest_for_his_weight),
        T(of_equals_least_open_takes_who_got_one_longest_ago_and_undo_gives_that_back),
        T(who_lacks_a_skill_is_passed_over),
        T(a_tag_that_is_a_skill_is_needed_where_the_pool_says_so),
        T(who_wrote_before_meets_the_same_person),
        T(who_is_absent_is_dealt_nothing_until_present_or_undo),
        T(an_absence_ends_with_its_last_day_in_the_users_zone),
        T(an_absence_that_makes_no_sense_is_refused),
        T(a_day_of_capacity_is_a_day_where_the_user_is),
        T(undo_on_another_day_takes_nothing_from_that_days_count),
        T(outside_hours_who_begins_first_gets_it_or_else_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
