/* SPDX-License-Identifier: ISC
 *
 * ours: what one of our addresses means, for all three ways of making it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/ours.h"

struct world {
    struct role role;
    struct engine eng;
};

/* JSON with single quotes, for reading. */
static json_t *json_of(const char *text)
{
    AUTO_FREE char *s = mem_str(text);
    for (char *p = s; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *v = json_loads(s, 0, NULL);
    assert_non_null(v);
    return v;
}

static void world_init(struct world *w, const char *style)
{
    *w = (struct world){0};
    w->role.config =
        json_of("{'settings': {'address': 'Sales@Example.com'}, 'users': {'anna': {}, 'ben-2': {}},"
                " 'mailboxes': {'a': {'user': 'office@example.com'}, 'b': {'path': '/x'}}}");
    w->eng.role = &w->role;
    w->eng.settings = json_object_get(w->role.config, "settings");
    json_put_str(json_object_get(w->role.config, "settings"), "reply_address", style);
    memset(w->eng.key, 7, sizeof(w->eng.key));
}

static void world_done(struct world *w)
{
    json_decref(w->role.config);
}

/* One of each kind. */
static const struct ours all[] = {
    {.kind = OURS_THREAD, .entity = CRM_LEAD, .id = 42},
    {.kind = OURS_THREAD, .entity = CRM_CASE, .id = 7},
    {.kind = OURS_CONVERSATION, .entity = CRM_LEAD, .id = 42, .message = 9},
    {.kind = OURS_CONVERSATION, .entity = CRM_CASE, .id = 7, .message = 123456789012345678},
    {.kind = OURS_NOTICE, .entity = CRM_LEAD, .id = 42},
    {.kind = OURS_NOTICE, .entity = CRM_CONTACT, .id = 3},
    {.kind = OURS_NOTICE, .entity = CRM_COMPANY, .id = 3},
    {.kind = OURS_RETURN, .id = 17},
    {.kind = OURS_CONFIRM, .id = 3},
    {.kind = OURS_DROPBOX},
    {.kind = OURS_DROPBOX, .user = "anna"},
    {.kind = OURS_SECRET, .user = "ben-2", .issue = 3},
};

static void assert_ours(const struct ours *is, const struct ours *want)
{
    assert_int_equal(is->kind, want->kind);
    assert_int_equal(is->entity, want->entity);
    assert_int_equal(is->id, want->id);
    assert_int_equal(is->message, want->message);
    assert_int_equal(is->issue, want->issue);
    assert_string_equal(is->user, want->user);
}

static void an_address_says_again_what_it_was_made_of(void **state)
{
    static const char *const styles[] = {"plus", "catchall"};
    struct world w;
    (void)state;
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
            struct ours o;
            world_init(&w, styles[s]);
            AUTO_FREE char *address = ours_address(&w.eng, &all[i]);
            assert_non_null(address);
            assert_int_equal(strchr(address, '+') != NULL, s == 0);
            json_put_str((json_t *)w.eng.settings, "reply_address", "none"); /* as it is now */
            assert_true(ours_read(&w.eng, address, &o));
            assert_ours(&o, &all[i]);
            for (char *p = address; *p; p++) /* as some relay writes it */
                *p = (char)toupper((unsigned char)*p);
            assert_true(ours_read(&w.eng, address, &o));
            assert_ours(&o, &all[i]);
            world_done(&w);
        }
}

static void without_plus_addresses_none_is_made_and_the_message_id_says_it(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, "none");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        char name[OURS_NAME_MAX], id[2 * OURS_NAME_MAX];
        struct ours o;
        assert_null(ours_address(&w.eng, &all[i]));
        ours_name(&w.eng, &all[i], name);
        assert_true(name[0]);
        snprintf(id, sizeof(id), "%s.O17.abcdefghijklmnop@example.com", name);
        if (all[i].kind == OURS_DROPBOX || all[i].kind == OURS_SECRET)
            continue; /* they are in addresses alone */
        assert_true(ours_find(&w.eng, id, &o));
        assert_ours(&o, &all[i]);
    }
    AUTO_FREE char *back = ours_return_path(&w.eng, 17); /* bounces come back at any rate */
    assert_non_null(strchr(back, '+'));
    world_done(&w);
}

static void no_kind_is_made_of_another(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, "plus");
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        for (size_t k = 0; k < ARRAY_LEN(all); k++) {
            char mine[OURS_NAME_MAX], theirs[OURS_NAME_MAX], address[600];
            struct ours o;
            ours_name(&w.eng, &all[i], mine);
            ours_name(&w.eng, &all[k], theirs);
            if (i == k)
                continue;
            /* the name of one with the token of the other */
            snprintf(address, sizeof(address), "sales+%.*s%s@example.com",
                     (int)(strlen(mine) - 16), mine, theirs + strlen(theirs) - 16);
            ours_read(&w.eng, address, &o);
            /* note.L42 is L42 with another token, and says so */
            bool same = o.entity == all[k].entity && o.id == all[k].id && o.kind == all[k].kind;
            if (o.kind != OURS_WORDS && !same)
                fail_msg("%s is read as kind %d", address, o.kind);
        }
    world_done(&w);
}

static void a_token_of_another_key_or_a_part_of_one_is_words(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, "plus");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct ours o;
        AUTO_FREE char *address = ours_address(&w.eng, &all[i]);
        char *at = strrchr(address, '@');
        w.eng.key[0]++;
        assert_true(ours_read(&w.eng, address, &o));
        assert_int_equal(o.kind, OURS_WORDS);
        w.eng.key[0]--;
        at[-1] = at[-1] == 'a' ? 'b' : 'a';
        assert_true(ours_read(&w.eng, address, &o));
        assert_int_equal(o.kind, OURS_WORDS);
    }
    world_done(&w);
}

static void words_stand_beside_an_address_of_the_company_alone(void **state)
{
    static const struct {
        const char *address;
        enum ours_kind kind;
        const char *words;
    } cases[] = {
        {"sales@example.com", OURS_COMPANY, ""},
        {"SALES@EXAMPLE.COM", OURS_COMPANY, ""},
        {"office@example.com", OURS_COMPANY, ""},
        {"sales+task-tomorrow@example.com", OURS_WORDS, "task-tomorrow"},
        {"office+L42@example.com", OURS_WORDS, "l42"},
        {"sales+a+b@example.com", OURS_WORDS, "a+b"},
        {"sales+L42@other.example", OURS_NONE, ""},
        {"salesman@example.com", OURS_NONE, ""},
        {"anna@example.com", OURS_NONE, ""},
        {"sales+@example.com", OURS_COMPANY, ""},
        {"L42.aaaaaaaaaaaaaaaa@example.com", OURS_NONE, ""},
        {"not an address", OURS_NONE, ""},
        {"", OURS_NONE, ""},
    };
    struct world w;
    (void)state;
    world_init(&w, "plus");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ours o;
        assert_int_equal(ours_read(&w.eng, cases[i].address, &o), cases[i].kind != OURS_NONE);
        assert_int_equal(o.kind, cases[i].kind);
        assert_string_equal(o.words, cases[i].words);
    }
    world_done(&w);
}

static void a_user_who_is_gone_has_no_secret_address(void **state)
{
    struct world w;
    struct ours o;
    (void)state;
    world_init(&w, "plus");
    AUTO_FREE char *address =
        ours_address(&w.eng, &(struct ours){.kind = OURS_SECRET, .user = "anna"});
    assert_true(ours_read(&w.eng, address, &o) && o.kind == OURS_SECRET);
    json_object_del(json_object_get(w.role.config, "users"), "anna");
    assert_true(ours_read(&w.eng, address, &o) && o.kind == OURS_WORDS);
    world_done(&w);
}

static void a_tag_in_a_subject_says_of_which_kind_it_is(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, "plus");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        char tag[OURS_TAG_MAX], subject[200];
        struct ours o;
        ours_tag(&w.eng, &all[i], tag);
        if (!tag[0]) {
            assert_true(all[i].kind != OURS_THREAD && all[i].kind != OURS_CONVERSATION &&
                        all[i].kind != OURS_NOTICE);
            continue;
        }
        snprintf(subject, sizeof(subject), "AW: [list] Re: price %s (fwd)", tag);
        assert_true(ours_find_tag(&w.eng, subject, &o));
        assert_ours(&o, &all[i]);
        char *last = strrchr(subject, ']') - 1;
        *last = *last == 'a' ? 'b' : 'a';
        assert_false(ours_find_tag(&w.eng, subject, &o));
    }
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_says_again_what_it_was_made_of),
        cmocka_unit_test(without_plus_addresses_none_is_made_and_the_message_id_says_it),
        cmocka_unit_test(no_kind_is_made_of_another),
        cmocka_unit_test(a_token_of_another_key_or_a_part_of_one_is_words),
        cmocka_unit_test(words_stand_beside_an_address_of_the_company_alone),
        cmocka_unit_test(a_user_who_is_gone_has_no_secret_address),
        cmocka_unit_test(a_tag_in_a_subject_says_of_which_kind_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
