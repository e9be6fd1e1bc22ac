/* SPDX-License-Identifier: ISC
 *
 * proof: which header of a mail proves that a user wrote it, and which does not
 *
 * The mails here are headers alone; whole ones, through the daemon, are in
 * tests/e2e/test_spoof.py, and real servers in tests/e2e/test_proof_servers.py.
 */
#include "crm_fixture.h"

#include "engine/align.h"
#include "engine/proof.h"
#include "engine/secret.h"
#include "mail/authres.h"
#include "mail/parse.h"

struct world {
    int64_t messages;
    struct fixture f;
    struct role role;
    struct engine eng;
};

static void world_init(struct world *w, const char *more)
{
    *w = (struct world){0};
    fixture_open(&w->f, ":memory:", fixture_config);
    AUTO_JSON json_t *extra = fixture_json(more);
    w->role.config = (json_t *)crm_config(w->f.crm);
    json_object_update(json_object_get(w->role.config, "settings"), extra);
    if (json_object_get(extra, "trusted_hosts")) /* lists stand beside the settings */
        json_object_set(w->role.config, "trusted_hosts", json_object_get(extra, "trusted_hosts"));
    json_object_set_new(json_get_obj(json_get_obj(w->role.config, "users"), "anna"), "logins",
                        json_pack("[s]", "aone"));
    w->eng.role = &w->role;
    w->eng.crm = w->f.crm;
    w->eng.db = w->f.db;
    w->eng.settings = json_object_get(w->role.config, "settings");
    memset(w->eng.key, 7, sizeof(w->eng.key));
}

static void world_done(struct world *w)
{
    fixture_close(&w->f);
}

#define PIPED ((const json_t *)-1) /* into leadctl ingest */

/* "A: b|C: d" as the header of a mail that anna seems to have written. mailbox NULL: one
 * that says nothing of its own. */
static enum proof_how check(struct world *w, const json_t *mailbox, const char *lines,
                            struct proof *out)
{
    struct err why = {0};
    struct buf raw AUTO_BUF;
    buf_init(&raw, 1024 * 1024);
    for (const char *p = lines; *p; p++)
        buf_str(&raw, *p == '|' ? "\r\n" : (char[]){*p, 0});
    buf_str(&raw, "\r\n\r\n#won 5000\r\n");
    AUTO_JSON json_t *message = mail_parse(raw.data, raw.len, NULL, &why);
    assert_non_null(message);
    AUTO_JSON json_t *plain = json_object();
    struct proof_mail mail = {message, raw.data, raw.len,
                              mailbox == PIPED ? NULL : mailbox ? mailbox : plain, "anna",
                              ++w->messages};
    OK(proof_check(&w->eng, &mail, out, e));
    assert_true(out->text[0] != '\0' && strlen(out->text) < sizeof(out->text));
    return out->how;
}

#define MX "{'trusted_auth': 'mx.our.example'}"
#define AR "Authentication-Results: mx.our.example; "
#define IN "|Received: from mail.our.example (mail.our.example [192.0.2.7])|\tby mx.our.example " \
           "(Postfix) with ESMTPS id 4F1; Sat, 21 Nov 2026 10:00:00 +0000|"
#define FROM "From: Anna One <anna@our.example>"

/* ---- what proves ---- */

static void the_own_server_proves_a_mail(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        enum proof_how how;
    } rows[] = {
        {AR "dmarc=pass (p=none dis=none) header.from=our.example" IN FROM, PROOF_AUTH},
        {AR "dkim=pass (2048-bit key; unprotected) header.d=our.example "
            "header.i=@our.example header.b=\"ab+/c=\"" IN FROM, PROOF_AUTH},
        {AR "dkim=pass header.i=@our.example" IN FROM, PROOF_AUTH},
        {AR "dkim=pass header.d=mail.our.example" IN FROM, PROOF_AUTH},
        {AR "spf=pass smtp.mailfrom=bounce@our.example" IN FROM, PROOF_AUTH},
        {AR "spf=pass smtp.mailfrom=our.example" IN FROM, PROOF_AUTH},
        {"authentication-results :|\t(by the server (really)) \"mx.our.example\" 1 ;| DKIM = Pass|"
         "\t(good; dkim=fail) header.d = our.example;" IN FROM, PROOF_AUTH},
        {AR "auth=pass (PLAIN) smtp.auth=anna@our.example" IN FROM, PROOF_SUBMISSION},
        {AR "auth=pass smtp.auth=aone" IN FROM, PROOF_SUBMISSION},
        {"Return-Path: <anna@our.example>|Received: from mx.our.example by mx.our.example with "
         "LMTP| id x9 for <crm@our.example>; Sat, 21 Nov 2026 10:00:00 +0000|"
         AR "dkim=pass header.d=our.example" IN FROM, PROOF_AUTH},
        {AR "dkim=fail header.d=list.example; dkim=pass header.d=our.example" IN FROM, PROOF_AUTH},
        {AR "dkim=pass header.d=our.example" IN "From: anna@our.example", PROOF_AUTH},
        {AR "dkim=pass header.d=our.example" IN "From: ANNA@Our.Example (Anna)", PROOF_AUTH},
        {AR "dkim=pass header.d=our.example" IN
         "From: =?utf-8?q?Anna_=C3=96?= \"One, Anna\" <anna@our.example>|Sender: anna@our.example",
         PROOF_AUTH},
    };
    struct world w;
    struct proof p;
    world_init(&w, MX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (check(&w, NULL, rows[i].lines, &p) != rows[i].how)
            fail_msg("row %zu: %s: %s", i, proof_name(p.how), p.text);
    world_done(&w);
}

/* In the manner of the servers that there are. */
static void results_of_many_servers_are_read(void **state)
{
    (void)state;
    static const char *const rows[] = {
        AR "dmarc=pass (p=none dis=none) header.from=our.example",
        AR "|\tdkim=pass (2048-bit key; unprotected) header.d=our.example header.i=@our.example "
           "header.a=rsa-sha256 header.s=s1 header.b=VHkFgZvw;|\tdkim-atps=neutral",
        AR "|       dkim=pass header.i=@our.example header.s=google header.b=Ab3+/x;|"
           "       spf=pass (domain of anna@our.example designates 192.0.2.7 as permitted sender) "
           "smtp.mailfrom=anna@our.example;|       dmarc=pass (p=REJECT sp=REJECT dis=NONE) "
           "header.from=our.example",
        AR "|    dkim=pass (2048-bit rsa key sha256) header.d=our.example header.i=@our.example|"
           "    header.b=Ab3/; dmarc=pass policy.published-domain-policy=none|"
           "    policy.applied-disposition=none (p=none,d=none,d.eval=none) policy.policy-from=p|"
           "    header.from=our.example; iprev=pass smtp.remote-ip=2001:db8::7 (mail.our.example);|"
           "    spf=pass smtp.mailfrom=anna@our.example smtp.helo=mail.our.example;|"
           "    x-aligned-from=pass (Address match); x-tls=pass smtp.version=TLSv1.3",
        AR "dkim=pass header.i=@our.example header.s=s; spf=pass smtp.mailfrom=our.example; "
           "dmarc=pass(p=NONE) header.from=our.example;",
        AR "spf=pass (sender SPF authorized) smtp.mailfrom=our.example (client-ip=192.0.2.7; "
           "helo=mail.our.example; envelope-from=anna@our.example; receiver=<UNKNOWN>)",
        "Authentication-Results: mx.our.example (filter-new); dkim=pass (1024-bit key)|"
        "\theader.d=our.example header.b=\"ab cd\"",
        AR "dkim=pass header.d=our.example header.s=sel header.b=x;|\tdmarc=pass (policy=none) "
           "header.from=our.example;|\tspf=pass (mx: domain of \"bounce+a=b@our.example\" "
           "designates 192.0.2.7) smtp.mailfrom=\"bounce+a=b@our.example\"",
    };
    struct world w;
    struct proof p;
    world_init(&w, MX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE char *lines = mem_printf("%s" IN FROM, rows[i]);
        if (check(&w, NULL, lines, &p) != PROOF_AUTH)
            fail_msg("row %zu: %s", i, p.text);
    }
    world_done(&w);
}

/* ---- what does not ---- */

static void nothing_else_does(void **state)
{
    (void)state;
    static const char *const rows[] = {
        /* nobody vouches */
        "X: y" IN FROM,
        FROM,
        AR "none" IN FROM,
        AR "dkim=none; dmarc=none header.from=our.example" IN FROM,
        AR "dkim=fail header.d=our.example" IN FROM,
        AR "dmarc=fail header.from=our.example; spf=pass smtp.mailfrom=our.example" IN FROM,
        AR "dkim=neutral header.d=our.example" IN FROM,
        AR "auth=fail smtp.auth=anna@our.example" IN FROM,
        /* ... or vouches for somebody else */
        AR "dkim=pass header.d=evil.example" IN FROM,
        AR "dmarc=pass header.from=evil.example" IN FROM,
        AR "dmarc=pass" IN FROM,
        AR "dkim=pass" IN FROM,
        AR "spf=pass smtp.mailfrom=eve@evil.example" IN FROM,
        AR "spf=pass smtp.helo=our.example" IN FROM,
        AR "spf=pass smtp.mailfrom=our.example@evil.example" IN FROM,
        AR "dkim=pass header.d=our.example.evil.example" IN FROM,
        AR "dkim=pass header.d=yourour.example" IN FROM,
        AR "dkim=pass header.d=example" IN FROM,
        AR "dkim=pass header.d=our.example header.i=@evil.example" IN FROM,
        AR "dkim=pass header.d=our.example header.i=eve@our.example" IN FROM,
        AR "dkim=pass header.d=our.example header.i=@yourour.example" IN FROM,
        AR "auth=pass smtp.auth=eve@our.example; dkim=pass header.d=our.example" IN FROM,
        AR "auth=pass; dkim=pass header.d=our.example" IN FROM,
        AR "arc=pass header.oldest-pass=0; x-dkim=pass header.d=our.example" IN FROM,
        /* the field says something else than it seems to */
        AR "spf=pass smtp.mailfrom=\"x; dkim=pass header.d=our.example; y\"@evil.example" IN FROM,
        AR "spf=fail (dkim=pass header.d=our.example) smtp.mailfrom=evil.example" IN FROM,
        AR "spf=none reason=\"; dmarc=pass header.from=our.example\"" IN FROM,
        AR "dkim=pass header.d=evil.example header.d=our.example" IN FROM,
        AR "dkim=pass (header.d=our.example" IN FROM,
        AR "dkim=pass header.d=our.example; spf=pass (" IN FROM,
        AR "dkim=pass header.d=our.example; spf=\"pass" IN FROM,
        "Authentication-Results: dkim=pass header.d=our.example" IN FROM,
        "Authentication-Results: mx.our.example 2; dkim=pass header.d=our.example" IN FROM,
        "Authentication-Results: mx.our.example.evil.example; dkim=pass header.d=our.example" IN FROM,
        "Authentication-Results: (mx.our.example;) evil.example; dkim=pass header.d=our.example"
        IN FROM,
        "Authentication-Results: evil.example; x=\"\"; mx.our.example; dkim=pass "
        "header.d=our.example" IN FROM,
        "X-Authentication-Results: mx.our.example; dkim=pass header.d=our.example" IN FROM,
        "ARC-Authentication-Results: i=1; mx.our.example; dkim=pass header.d=our.example" IN FROM,
        /* it is not the own server's field */
        AR "dkim=pass header.d=our.example|" FROM,
        "X: y" IN AR "dkim=pass header.d=our.example|" FROM,
        "X: y" IN AR "dkim=pass header.d=our.example" IN FROM,
        AR "dkim=none" IN AR "dkim=pass header.d=our.example|" FROM,
        "Received: from x by evil.example; x|" AR "dkim=pass header.d=our.example" IN FROM,
        "Received: from x y by mx.our.example with LMTP|" AR "dkim=pass header.d=our.example" IN FROM,
        "Received: from x by mx.our.example with LMTP (y) by mx.our.example with ESMTP; x|"
        AR "dkim=pass header.d=our.example" IN FROM,
        "Received: from x by evil.example by mx.our.example with LMTP; x|"
        AR "dkim=pass header.d=our.example" IN FROM,
        "Received: from x by mx.our.example with LMTP; (y) by mx.our.example with ESMTP; x|"
        AR "dkim=pass header.d=our.example" IN FROM,
        "Received: from x by mx.our.example with LMTP (y|" AR "dkim=pass header.d=our.example" IN FROM,
    };
    struct world w;
    struct proof p;
    world_init(&w, MX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (check(&w, NULL, rows[i], &p) != PROOF_NONE)
            fail_msg("row %zu: %s: %s\n%s", i, proof_name(p.how), p.text, rows[i]);
    world_done(&w);
}

/* The own server vouches for the domain, but who wrote it is not clear. */
static void a_from_that_is_not_exactly_the_user_proves_nothing(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "From: anna@our.example|From: eve@our.example",
        "From: eve@our.example|From: anna@our.example",
        "From: anna@our.example, eve@our.example",
        "From: eve@our.example, anna@our.example",
        "From: team: anna@our.example;",
        "From: team: anna@our.example",
        "From: anna@our.example <eve@our.example>",
        "From: \"anna@our.example\" <eve@our.example>",
        "From: eve@our.example <anna@our.example>",
        "From: <anna@our.example> <eve@our.example>",
        "From: <anna@our.example> eve@our.example",
        "From: <@evil.example:anna@our.example>",
        "From: \"anna\"@our.example",
        "From: anna@our.example (",
        "From: anna@our.example\xd0\xb5",
        "From: \xd0\xb0nna@our.example",
        "From: anna@\xd0\xbeur.example",
        "From: anna@xn--ur-emc.example",
        "From: anna@our.example.evil.example",
        "From: annaa@our.example",
        "From: anna@sub.our.example",
        "From: =?utf-8?q?anna=40our.example?=",
        "From: Anna",
        "From:",
        "Reply-To: anna@our.example",
        "From: anna @our.example",
        FROM "|Sender: eve@our.example",
        FROM "|Sender: Anna <anna@our.example>|Sender: eve@our.example",
        FROM "|Sender: nonsense",
        FROM "|a line that is no field|X: y",
        FROM "|Auto-Submitted: auto-replied",
        FROM "|Precedence: bulk|List-Id: <x.list.example>",
        "Return-Path: <>|" FROM,
        FROM "|DKIM-Signature: v=1; d=our.example; h=from; l=20; bh=x; b=y",
        FROM "|DKIM-Signature: v=1; d=our.example; h=from; bh=x;|\tl = 20; b=y",
        FROM "|To: crm@our.example|To: crm@our.example",
        FROM "|Subject: x|Subject: y",
    };
    struct world w;
    struct proof p;
    world_init(&w, MX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE char *lines = mem_printf(AR "dkim=pass header.d=our.example" IN "%s", rows[i]);
        if (check(&w, NULL, lines, &p) != PROOF_NONE)
            fail_msg("row %zu: %s: %s\n%s", i, proof_name(p.how), p.text, rows[i]);
    }
    world_done(&w);
}

static void without_a_pinned_server_nothing_is_proven(void **state)
{
    (void)state;
    struct world w;
    struct proof p;
    world_init(&w, "{}");
    assert_int_equal(check(&w, NULL, AR "dkim=pass header.d=our.example" IN FROM, &p), PROOF_NONE);
    assert_non_null(strstr(p.text, "trusted_auth"));
    world_done(&w);
}

static void a_mailbox_may_pin_another_server(void **state)
{
    (void)state;
    struct world w;
    struct proof p;
    world_init(&w, MX);
    AUTO_JSON json_t *gmail = fixture_json("{'trusted_auth': 'mx.big.example', 'trusted_below': true,"
                                           " 'trusted_hosts': ['2001:db8:*', '*.in.big.example']}");
    static const char ours[] = AR "dkim=pass header.d=our.example" IN FROM;
    static const char theirs[] =
        "Received: by 2001:db8:5:0:0 with SMTP id u1; Sat, 21 Nov 2026 10:00:00 +0000|"
        "Received: from a by b.in.big.example; x|"
        "Received: from mail.our.example by mx.big.example with ESMTPS id 1; x|"
        "Authentication-Results: mx.big.example; dkim=pass header.i=@our.example|"
        "Received: by mail.our.example; x|" FROM;
    assert_int_equal(check(&w, gmail, theirs, &p), PROOF_AUTH);
    assert_int_equal(check(&w, NULL, theirs, &p), PROOF_NONE);
    assert_int_equal(check(&w, gmail, ours, &p), PROOF_NONE);
    assert_int_equal(check(&w, NULL, ours, &p), PROOF_AUTH);
    world_done(&w);
}

static void a_header_of_the_own_server_says_who_signed_in(void **state)
{
    (void)state;
    struct world w;
    struct proof p;
    world_init(&w, "{'trusted_header': 'X-Signed-In', 'trusted_below': true,"
                   " 'trusted_auth': 'mx.our.example'}");
    assert_int_equal(check(&w, NULL, "X-Signed-In: aone" IN FROM, &p), PROOF_SUBMISSION);
    assert_int_equal(check(&w, NULL, "x-signed-in: anna@our.example" IN FROM, &p), PROOF_SUBMISSION);
    assert_int_equal(check(&w, NULL, "X-Signed-In: eve" IN FROM, &p), PROOF_NONE);
    assert_int_equal(check(&w, NULL, "X-Signed-In: eve|X-Signed-In: aone" IN FROM, &p), PROOF_NONE);
    assert_int_equal(check(&w, NULL, "X-Signed-In:" IN FROM, &p), PROOF_NONE);
    /* no server cleans these away */
    assert_int_equal(check(&w, NULL, "X: y" IN "X-Signed-In: aone|Received: by x; x|" FROM, &p),
                     PROOF_NONE);
    assert_int_equal(check(&w, NULL, "X: y" IN "Received: from x by mx.our.example with LMTP; x|"
                                     "X-Signed-In: aone|Received: by x; x|" FROM, &p),
                     PROOF_NONE);
    assert_int_equal(check(&w, NULL, "X-Signed-In: aone|" FROM, &p), PROOF_NONE);
    world_done(&w);
}

/* A script fetches mail from somewhere and pipes it: what stands on top, its sender wrote. */
static void what_is_piped_in_is_believed_only_where_the_settings_say_so(void **state)
{
    (void)state;
    struct world w;
    struct proof p;
    static const char signed_in[] = AR "auth=pass smtp.auth=aone" IN FROM,
                      vouched[] = AR "dmarc=pass header.from=our.example" IN FROM;
    world_init(&w, "{'trusted_auth': 'mx.our.example', 'trusted_header': 'X-Signed-In'}");
    assert_int_equal(check(&w, PIPED, signed_in, &p), PROOF_NONE);
    assert_int_equal(check(&w, PIPED, vouched, &p), PROOF_NONE);
    assert_non_null(strstr(p.text, "trusted_ingest is not set"));
    assert_int_equal(check(&w, PIPED, "X-Signed-In: aone" IN FROM, &p), PROOF_NONE);
    assert_int_equal(check(&w, NULL, vouched, &p), PROOF_AUTH);
    json_object_set_new(json_get_obj(w.role.config, "settings"), "trusted_ingest", json_true());
    assert_int_equal(check(&w, PIPED, signed_in, &p), PROOF_SUBMISSION);
    assert_int_equal(check(&w, PIPED, vouched, &p), PROOF_AUTH);
    world_done(&w);
}

static void the_secret_address_proves_its_user_until_it_is_renewed(void **state)
{
    (void)state;
    struct world w;
    struct proof p;
    int64_t made;
    char *one = NULL, *two = NULL, *bens = NULL;
    world_init(&w, MX);
    OK(secret_address(&w.eng, "anna", false, &one, &made, e));
    OK(secret_address(&w.eng, "ben", false, &bens, &made, e));
    AUTO_FREE char *mail = mem_printf("To: <%s>|" FROM, one);
    AUTO_FREE char *eves = mem_printf("To: %s|From: eve@our.example", one);
    AUTO_FREE char *wrong = mem_printf("To: %s|" FROM, bens);
    AUTO_FREE char *quoted = mem_printf("To: crm@our.example|Subject: %s|" FROM, one);
    AUTO_FREE char *machine = mem_printf("To: %s|Auto-Submitted: auto-replied|" FROM, one);
    assert_int_equal(check(&w, NULL, mail, &p), PROOF_SECRET);
    /* what the server vouches for, too, may be sent on */
    AUTO_FREE char *vouched = mem_printf(AR "auth=pass smtp.auth=aone" IN "%s", mail);
    AUTO_FREE char *another = mem_printf(AR "auth=pass smtp.auth=eve" IN "%s", mail);
    assert_int_equal(check(&w, NULL, vouched, &p), PROOF_SUBMISSION);
    assert_int_equal(check(&w, NULL, another, &p), PROOF_SECRET);
    assert_int_equal(check(&w, PIPED, mail, &p), PROOF_SECRET);
    assert_int_equal(check(&w, NULL, eves, &p), PROOF_NONE);
    assert_int_equal(check(&w, NULL, wrong, &p), PROOF_NONE);
    assert_int_equal(check(&w, NULL, quoted, &p), PROOF_NONE);
    assert_int_equal(check(&w, NULL, machine, &p), PROOF_NONE);
    OK(secret_address(&w.eng, "anna", true, &two, &made, e));
    assert_string_not_equal(one, two);
    assert_int_equal(check(&w, NULL, mail, &p), PROOF_NONE);
    AUTO_FREE char *again = mem_printf("To: a@b.example|Cc: X <%s>|" FROM, two);
    assert_int_equal(check(&w, NULL, again, &p), PROOF_SECRET);
    mem_free(one);
    mem_free(two);
    mem_free(bens);
    world_done(&w);
}

static void own_hosts_behind_the_server_are_gone_past(void **state)
{
    (void)state;
    struct world w;
    struct proof p;
    world_init(&w, "{'trusted_auth': 'mx.our.example',"
                   " 'trusted_hosts': ['imap.our.example', 'mx*', '*.our.example.net']}");
    static const char hop[] = "Received: from mx.our.example by imap.our.example with ESMTP; x|"
                              AR "dkim=pass header.d=our.example" IN FROM;
    static const char foreign[] = "Received: from mx.our.example by imap2.our.example with ESMTP; x|"
                                  AR "dkim=pass header.d=our.example" IN FROM;
    assert_int_equal(check(&w, NULL, hop, &p), PROOF_AUTH);
    assert_int_equal(check(&w, NULL, foreign, &p), PROOF_NONE);
    assert_non_null(strstr(p.text, "imap2.our.example"));
    /* the server takes mail from outside, whatever fits its name */
    assert_int_equal(check(&w, NULL, "X: y" IN AR "dkim=pass header.d=our.example|" FROM, &p),
                     PROOF_NONE);
    world_done(&w);
}

static void a_signature_alone_commands_once_and_only_when_it_is_one_to_us(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        bool commands;
    } rows[] = {
        {"To: crm@our.example|DKIM-Signature: d=our.example; h=From:To:Subject:Date; b=a1", true},
        {"To: crm@our.example|DKIM-Signature: d=our.example; h=From:To:Subject:Date;|\tb=a|\t1",
         false}, /* the one before */
        {"To: x@y.example|Cc: A <crm+x@our.example>|DKIM-Signature: d=mail.our.example;"
         "h=cc:from:to : subject:date; b=a2", true},
        {"To: x@y.example|DKIM-Signature: d=our.example; h=From:To:Subject:Date; b=a3", false},
        {"To: crm@our.example|DKIM-Signature: d=our.example; h=From:Subject:Date; b=a4", false},
        {"To: crm@our.example|DKIM-Signature: d=our.example; h=From:To:Date; b=a5", false},
        {"To: crm@our.example|DKIM-Signature: d=our.example; h=From:To:Subject:Date; b=a6|"
         "DKIM-Signature: d=our.example; h=From; b=a7", false},
        {"To: crm@our.example|DKIM-Signature: d=our.example; h=From:To:Subject:Date; b=a8|"
         "DKIM-Signature: d=our.example; d=x.example; h=From; b=a9", false},
        {"To: crm@our.example|DKIM-Signature: d=x.example; h=From; b=a10", true},
        {"To: crm@our.example", true},
    };
    struct world w;
    struct proof p;
    world_init(&w, MX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE char *lines = mem_printf(AR "dkim=pass header.d=our.example" IN FROM "|%s",
                                           rows[i].lines);
        AUTO_FREE char *straight = mem_printf(AR "dkim=pass header.d=our.example; "
                                              "spf=pass smtp.mailfrom=our.example" IN FROM "|%s",
                                              rows[i].lines);
        assert_int_equal(check(&w, NULL, lines, &p), PROOF_AUTH);
        if (p.commands != rows[i].commands)
            fail_msg("row %zu: %s", i, p.text);
        /* from the domain's own hosts: nobody was in between */
        assert_int_equal(check(&w, NULL, straight, &p), PROOF_AUTH);
        assert_true(p.commands);
    }
    world_done(&w);
}

/* ---- its parts ---- */

static void domains_of_one_organization_are_aligned(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"example.com", "example.com"}, {"Example.COM", "mail.example.com."},
        {"a.example.co.uk", "b.example.co.uk"}, {"our.example", "x.y.our.example"}};
    static const char *const other[][2] = {
        {"example.com", "example.org"}, {"co.uk", "example.co.uk"}, {"a.co.uk", "b.co.uk"},
        {"com", "example.com"}, {"example.com", "badexample.com"}, {"", ""}, {"a..b", "a..b"},
        {"example.com", "example.com.evil.com"}, {"a.github.io", "b.github.io"},
        {".example.com", "example.com"}, {"ex ample.com", "ex ample.com"},
        {"ex\xc3\xa4mple.com", "ex\xc3\xa4mple.com"}};
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        assert_true(align_same(same[i][0], same[i][1]));
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        if (align_same(other[i][0], other[i][1]) || align_same(other[i][1], other[i][0]))
            fail_msg("%s and %s", other[i][0], other[i][1]);
}

static void a_results_field_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out; /* NULL: refused */
    } rows[] = {
        {" mx.a; none", "{'id': 'mx.a', 'results': []}"},
        {"mx.a", "{'id': 'mx.a', 'results': []}"},
        {"mx.a 1; spf=pass", "{'id': 'mx.a', 'results': [{'method': 'spf', 'result': 'pass',"
                             " 'props': {}}]}"},
        {"MX.a; dkim/1 (x(y\\)z))=(q)pass reason = \"a;b\" header.b=ab/c==(x);dmarc=none;",
         "{'id': 'mx.a', 'results': [{'method': 'dkim', 'result': 'pass', 'props':"
         " {'reason': 'a;b', 'header.b': 'ab/c=='}},"
         " {'method': 'dmarc', 'result': 'none', 'props': {}}]}"},
        {"mx.a; spf=pass smtp.mailfrom=\"a b\"@c.d", "{'id': 'mx.a', 'results': [{'method': 'spf',"
         " 'result': 'pass', 'props': {'smtp.mailfrom': 'a b@c.d'}}]}"},
        {"", NULL}, {";", NULL}, {"mx.a; spf", NULL}, {"mx.a; =pass", NULL}, {"mx.a; spf=", NULL},
        {"mx.a; spf=pass x", NULL}, {"mx.a; spf=pass x=", NULL}, {"mx.a;; spf=pass", NULL},
        {"mx.a; spf=pass x=\"a\"b", NULL}, {"mx.a; none; spf=pass", NULL}, {"mx.a b; none", NULL},
        {"mx.a; spf=pass (", NULL}, {"mx.a; spf=pass x=\"", NULL}, {"mx.a; spf=pass x=\\", NULL},
        {"mx.a; spf=p\x01ss", NULL}, {"mx.a; spf=pass x=\xff", NULL}, {"mx.a; spf=pass)", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        AUTO_JSON json_t *got = mail_authres_read(rows[i].in, strlen(rows[i].in), &e);
        if (!rows[i].out) {
            if (got || e.cls != ERR_INPUT)
                fail_msg("row %zu was read: %s", i, rows[i].in);
            continue;
        }
        AUTO_JSON json_t *want = fixture_json(rows[i].out);
        if (!got || !json_equal(got, want))
            fail_msg("row %zu: %s", i, got ? json_dumps(got, 0) : e.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_own_server_proves_a_mail),
        cmocka_unit_test(results_of_many_servers_are_read),
        cmocka_unit_test(nothing_else_does),
        cmocka_unit_test(a_from_that_is_not_exactly_the_user_proves_nothing),
        cmocka_unit_test(without_a_pinned_server_nothing_is_proven),
        cmocka_unit_test(a_mailbox_may_pin_another_server),
        cmocka_unit_test(a_header_of_the_own_server_says_who_signed_in),
        cmocka_unit_test(what_is_piped_in_is_believed_only_where_the_settings_say_so),
        cmocka_unit_test(the_secret_address_proves_its_user_until_it_is_renewed),
        cmocka_unit_test(a_signature_alone_commands_once_and_only_when_it_is_one_to_us),
        cmocka_unit_test(own_hosts_behind_the_server_are_gone_past),
        cmocka_unit_test(domains_of_one_organization_are_aligned),
        cmocka_unit_test(a_results_field_is_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
