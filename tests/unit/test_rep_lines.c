/* SPDX-License-Identifier: ISC
 *
 * test_rep_lines - which lines of a user's mail are commands, and which are words
 *
 * Each body stands with what must come of it, in one line: commands as they would be
 * run ("L42: won 5000" of a named record, "?find x" of a question, "!stgae>stage" of
 * what is not understood, "^won" of what stands below a quotation), then what is left
 * behind a bar, then the flags: doubt, thin, more.
 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>
#include <time.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "crm/rep_lines.h"

static char *told(const struct rep_source *src)
{
    struct rep_lines r;
    struct buf out AUTO_BUF;
    char id[CRM_ID_LEN];
    buf_init(&out, 1 << 20);
    rep_lines_split(src, &r);
    for (size_t i = 0; i < r.count; i++) {
        const struct rep_line *l = &r.v[i];
        buf_str(&out, i ? "; " : "");
        if (l->entity)
            buf_printf(&out, "%s: ", crm_id_format(l->entity, l->id, id));
        if (l->what == REP_UNKNOWN)
            buf_printf(&out, "!%s>%s", l->word, l->near ? l->near : "");
        else
            buf_printf(&out, "%s%s", l->what == REP_ASK ? "?" : l->what == REP_BELOW ? "^" : "",
                       l->line);
    }
    buf_printf(&out, "|%s", r.words);
    for (char *p = out.data; *p; p++)
        if (*p == '\n')
            *p = '~';
    buf_printf(&out, "%s%s%s", r.doubt ? " [doubt]" : "", *r.words && r.thin ? " [thin]" : "",
               r.more ? " [more]" : "");
    rep_lines_done(&r);
    return buf_take(&out);
}

/* reply NULL: the text is all new words */
static const struct {
    const char *text, *expect, *reply;
} bodies[] = {
    /* plain */
    {"#won 5000\n", "won 5000|", NULL},
    {"#won\n", "won|", NULL},
    {"#won 5000", "won 5000|", NULL},
    {"#stage negotiation\n", "stage negotiation|", NULL},
    {"#assign ben\n", "assign ben|", NULL},
    {"#task fri 10:00 call back\n", "task fri 10:00 call back|", NULL},
    {"#lost too expensive\n", "lost too expensive|", NULL},
    {"#tag urgent\n#score +10\n#priority high\n", "tag urgent; score +10; priority high|", NULL},
    {"#score -5\n", "score -5|", NULL},
    {"#set lead.employees 50\n", "set lead.employees 50|", NULL},
    {"#case the pump leaks\n", "case the pump leaks|", NULL},
    {"#undo\n", "undo|", NULL},
    {"#undo J17\n", "undo J17|", NULL},
    {"#find pumps vienna\n#show L42\n#why\n#help won\n",
     "?find pumps vienna; ?show L42; ?why; ?help won|", NULL},
    {"#deal 'annual plan' 5000 EUR\n", "deal 'annual plan' 5000 EUR|", NULL},
    {"#send welcome\n", "send welcome|", NULL},
    /* what phones make of it */
    {"# Won 5.000\n", "won 5.000|", NULL},
    {"#Won 5000.\n", "won 5000|", NULL},
    {"#WON: 5.000,50 EUR!\n", "won 5.000,50 EUR|", NULL},
    {"#won\xc2\xa0" "5000\n", "won 5000|", NULL},
    {"\xc2\xa0\xe2\x80\x8b#won 5000\xe2\x80\x8b\n", "won 5000|", NULL},
    {"\xef\xbb\xbf#won 5\xe2\x80\xaf""000\n", "won 5 000|", NULL},
    {"\xef\xbc\x83won 5000\n", "won 5000|", NULL},
    {"#deal \xe2\x80\x9c" "annual plan\xe2\x80\x9d 5000\n", "deal 'annual plan' 5000|", NULL},
    {"#deal \xe2\x80\x9e" "Jahresplan\xe2\x80\x9c 5000.\n", "deal 'Jahresplan' 5000|", NULL},
    {"#score \xe2\x88\x92" "5\n", "score -5|", NULL},
    {"#help?\n", "?help|", NULL},
    {"#won, 5000\n", "won 5000|", NULL},
    {"   #won 5000   \r\n", "won 5000|", NULL},
    {"#task fri call Ann\xe2\x80\x99s office.\n", "task fri call Ann\xe2\x80\x99s office.|", NULL},
    {"#note \xe2\x80\x9cquoted\xe2\x80\x9d - stays.\n", "note \xe2\x80\x9cquoted\xe2\x80\x9d - stays.|",
     NULL},
    {"#note - he called\n", "note he called|", NULL},
    /* a named record */
    {"#L42 won 5000\n", "L42: won 5000|", NULL},
    {"#l42 Won 5000\n", "L42: won 5000|", NULL},
    {"# L42 #won 5000\n", "L42: won 5000|", NULL},
    {"#L42: won 5000\n", "L42: won 5000|", NULL},
    {"#K7 close\n#won\n", "K7: close; won|", NULL},
    {"#L42\n#won 5000\n#tag hot\n", "L42: won 5000; L42: tag hot|", NULL},
    {"#L42\n#L43 won\n#tag hot\n", "L43: won; L42: tag hot|", NULL},
    {"#L42 blah\n", "L42: !blah>| [doubt]", NULL},
    {"#won L42 5000\n", "won L42 5000|", NULL}, /* the answer says how it should stand */
    /* words beside commands */
    {"Hello Jo,\n\nsee you on Friday.\n\n#won 5000\n", "won 5000|Hello Jo,~~see you on Friday.", NULL},
    {"#won 5000\n\nHello Jo,\nsee you on Friday.\n", "won 5000|Hello Jo,~see you on Friday.", NULL},
    {"yes\n#tag a\nno\n#tag b\nperhaps\n", "tag a; tag b|yes~no~perhaps", NULL},
    {"no command at all\n", "|no command at all", NULL},
    {"", "|", NULL},
    {"Hi,\n#won 5000\nThanks\nAnna\n", "won 5000|Hi,~Thanks~Anna [thin]", NULL},
    {"#won 5000\nMit freundlichen Grüßen\nAnna Eins\n",
     "won 5000|Mit freundlichen Grüßen~Anna Eins [thin]", NULL},
    {"Hi Jo,\nYes.\n#won\n", "won|Hi Jo,~Yes.", NULL},
    /* to the end of the paragraph, and where the mail program broke the line */
    {"#note he called\nand wants two hundred\nof them\n\nHello Jo\n",
     "note he called~and wants two hundred~of them|Hello Jo [thin]", NULL},
    {"#note\nhe called\n", "note he called|", NULL},
    {"#call will decide\non Friday\n#won\n", "call will decide~on Friday; won|", NULL},
    {"#task fri 10:00 call back and ask about the second offer and also\nabout the pump\nHello\n",
     "task fri 10:00 call back and ask about the second offer and also about the pump|Hello [thin]", NULL},
    {"#lost too expensive\nThanks for trying.\n", "lost too expensive|Thanks for trying. [thin]", NULL},
    {"#won 5000\n5000 is fine\n", "won 5000|5000 is fine", NULL},
    /* what is none, or not understood */
    {"#stgae negotiation\n", "!stgae>stage| [doubt]", NULL},
    {"#win 5000\n", "!win>won| [doubt]", NULL},
    {"#remind me\n", "!remind>task| [doubt]", NULL},
    {"#xyzzyplugh\n", "!xyzzyplugh>| [doubt]", NULL},
    {"#fnid pumps\n", "!fnid>find| [doubt]", NULL},
    {"#1 is our offer\n", "|#1 is our offer", NULL},
    {"# Agenda\n\nwe meet\n", "|# Agenda~~we meet [doubt]", NULL},
    {"#\n", "|#", NULL},
    {"##won 5000\n", "|##won 5000 [doubt]", NULL},
    {"#foo/bar is a path\n", "|#foo/bar is a path", NULL},
    {"thanks #won 5000\n", "|thanks #won 5000 [doubt] [thin]", NULL},
    {"see #L42 there\n", "|see #L42 there [doubt]", NULL},
    {"order #4711 is fine\n", "|order #4711 is fine", NULL},
    {"won 5000\n", "|won 5000", NULL},
    {"- #won 5000\n", "|- #won 5000 [doubt]", NULL},
    {"#bounced jo@example.com\n", "bounced jo@example.com|", NULL},
    /* quotations: nothing in them commands, whatever the new words are thought to be */
    {"ok\n> #won 5000\n", "|ok", "ok"},
    {"ok\n> #won 5000\n", "|ok~> #won 5000 [doubt]", "ok\n> #won 5000"},
    {"On Fri, Nov 20, 2026 at 10:00 Jo <jo@shop.example> wrote:\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"#won 5\n\nAm 20.11.2026 um 10:00 schrieb Jo:\n#won 1\n", "won 5; ^won 1| [doubt]",
     "#won 5\n\n#won 1"},
    {"hi\n-----Original Message-----\nFrom: jo\n#won 1\n", "^won 1|hi [doubt] [thin]", "hi\n#won 1"},
    {"________________________________\nVon: jo\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"From: Jo\nSent: Friday\n\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"Expéditeur: Jo\nEnvoyé: vendredi\n\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"---------- Forwarded message ---------\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"-- \n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"发件人：Jo\n主题：x\n\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"2026年11月20日 10:00，Jo <jo@shop.example> 写道：\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"――\n────────\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"On Fri, 20 Nov 2026 at 10:00, Jo Beispiel\n<jo@shop.example> wrote:\n#won 1\n", "^won 1| [doubt]",
     "#won 1"},
    {"2026-11-20 10:00 GMT+01:00 Jo <jo@shop.example>:\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"*De :* Jo\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"#won 1\nname: x\n", "won 1|name: x", NULL},
    {"we meet at 10:00:\n#won 1\n", "won 1|we meet at 10:00:", NULL},
    {"plans for 2027:\n#won 1\n", "won 1|plans for 2027:", NULL},
    {"On 20 Nov 2026, Jo wrote:\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"Am 20.11.26 schrieb Jo:\n#won 1\n", "^won 1| [doubt]", "#won 1"},
    {"yes\n> how much?\n#won 5000\n", "^won 5000|yes [doubt]", "yes\n#won 5000"},
    /* the same line above and below: each for itself */
    {"#won 1\n> x\n#won 1\n", "won 1; ^won 1| [doubt]", "#won 1\n#won 1"},
    /* not of the whole text at all: then nobody knows where it stood */
    {"hello\n", "^won 1| [doubt]", "#won 1"},
};

static void each_body_gives_its_commands_and_its_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct rep_source src = {.reply = bodies[i].reply ? bodies[i].reply : bodies[i].text,
                                 .text = bodies[i].text};
        AUTO_FREE char *got = told(&src);
        if (strcmp(got, bodies[i].expect) != 0)
            fail_msg("%zu: %s\ngives:    %s\nexpected: %s", i, bodies[i].text, got,
                     bodies[i].expect);
    }
    assert_true(ARRAY_LEN(bodies) >= 60);
}

static void a_subject_commands_where_it_answers_nothing(void **state)
{
    static const struct {
        const char *subject, *reply, *expect;
        bool answers;
    } all[] = {
        {"#L42 won 5000", "", "L42: won 5000|", false},
        {"# Won 5000.", "", "won 5000|", false},
        {"#note", "he called\nand wants two\n", "note he called~and wants two|", false},
        {"#note wants two", "Hello\n", "note wants two|Hello [thin]", false},
        {"#task fri call", "#tag hot\n", "task fri call; tag hot|", false},
        {"#won 5000", "", "|", true}, /* the subject of what it answers */
        {"Re: #won 5000", "", "|", false},
        {"Fwd: #won 5000", "", "|", false},
        {"#stgae new", "", "!stgae>stage| [doubt]", false},
        {"about #won", "", "|", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct rep_source src = {.subject = all[i].subject, .reply = all[i].reply,
                                 .text = all[i].reply, .answers = all[i].answers};
        AUTO_FREE char *got = told(&src);
        if (strcmp(got, all[i].expect) != 0)
            fail_msg("%zu: %s\ngives:    %s\nexpected: %s", i, all[i].subject, got, all[i].expect);
    }
}

static void a_plus_address_commands(void **state)
{
    static const struct {
        const char *plus, *subject, *reply, *expect;
    } all[] = {
        {"task-tomorrow", "Call Jo", "", "task tomorrow Call Jo|"},
        {"task-2026-12-24", "Call Jo", "", "task 2026-12-24 Call Jo|"},
        {"task", "Call Jo", "about the pump\n", "task Call Jo|about the pump"},
        {"l42", "Call Jo", "#won 5000\n", "L42: won 5000|"},
        {"l42-won-5000", "Call Jo", "", "L42: won 5000|"},
        {"l42-task-fri", "Call Jo", "", "L42: task fri Call Jo|"},
        {"note", "Call Jo", "he called\n", "note he called|"},
        {"won-5000", "x", "", "won 5000|"},
        {"help", "", "", "?help|"},
        {"nothing-known", "x", "", "!nothing>lost| [doubt]"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct rep_source src = {.plus = all[i].plus, .subject = all[i].subject,
                                 .reply = all[i].reply, .text = all[i].reply};
        AUTO_FREE char *got = told(&src);
        if (strcmp(got, all[i].expect) != 0 && all[i].expect[0] != '!')
            fail_msg("%s\ngives:    %s\nexpected: %s", all[i].plus, got, all[i].expect);
        if (all[i].expect[0] == '!')
            assert_int_equal(got[0], '!');
    }
}

static void no_more_commands_than_a_person_writes(void **state)
{
    (void)state;
    struct buf text AUTO_BUF;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "#tag t%d\n", i);
    struct rep_source src = {.reply = text.data, .text = text.data};
    struct rep_lines r;
    rep_lines_split(&src, &r);
    assert_int_equal(r.count, BOUND_REP_LINES);
    assert_true(r.more && r.doubt);
    assert_string_equal(r.words, ""); /* none of them is taken for words */
    rep_lines_done(&r);
}

/* What costs more than its bytes would let one mail hold up the engine. */
static void the_work_grows_with_the_mail_alone(void **state)
{
    (void)state;
    double took[2];
    for (int round = 0; round < 2; round++) {
        size_t n = (size_t)(round ? 400000 : 50000);
        struct buf text AUTO_BUF, reply AUTO_BUF;
        buf_init(&text, 1 << 20);
        buf_init(&reply, 1 << 20);
        while (text.len < n)
            buf_str(&text, "From: x x x\n\n#a a:\n");
        for (int i = 0; i < 40; i++)
            buf_printf(&reply, "#won %d\n", i);
        buf_add(&reply, text.data, n - 10000);
        struct rep_source src = {.reply = reply.data, .text = text.data};
        struct rep_lines r;
        clock_t begin = clock();
        rep_lines_split(&src, &r);
        took[round] = (double)(clock() - begin) / CLOCKS_PER_SEC;
        rep_lines_done(&r);
    }
    assert_true(took[1] < 8 * took[0] * 6 + 0.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_body_gives_its_commands_and_its_words),
        cmocka_unit_test(a_subject_commands_where_it_answers_nothing),
        cmocka_unit_test(a_plus_address_commands),
        cmocka_unit_test(no_more_commands_than_a_person_writes),
        cmocka_unit_test(the_work_grows_with_the_mail_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
