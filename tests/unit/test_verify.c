/* SPDX-License-Identifier: ISC
 *
 * test_verify - what each scheme takes, and that one flipped bit is enough for it not to
 *
 * Where a scheme has a published example, that is the vector, and its page is named.
 * The others were computed by other programs (Python's hmac, OpenSSL, the vendors' own
 * libraries: tests/fixtures/verify).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/verify.h"

#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json"
#define TWILIO_FORM                                                                                \
    "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&"             \
    "To=%2B18005551212"

struct vector {
    const char *name;
    const char *conf;   /* the group verify */
    const char *secret;
    const char *headers;
    const char *body;
    int64_t at_s;       /* 0: the scheme knows no time */
    const char *signed_headers; /* names; each bit of these counts, behind a first word */
    bool url;           /* each bit of the path counts, too */
    bool part;          /* the body is not covered as a whole */
    const char *host, *path, *type;
};

static const struct vector vectors[] = {
    /* standard-webhooks.com, and the tests of its reference libraries */
    {"standard-webhooks", "{\"scheme\": \"standard-webhooks\"}", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
     "{\"webhook-id\": \"msg_p5jXN8AQM9LWM0D4loKWxJek\", \"webhook-timestamp\": \"1614265330\","
     " \"webhook-signature\": \"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\"}",
     "{\"test\": 2432232314}", 1614265330, "webhook-id webhook-timestamp webhook-signature",
     .type = JSON},
    /* docs.svix.com/receiving/verifying-payloads/how-manual: its former names */
    {"svix", "{\"scheme\": \"standard-webhooks\"}", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
     "{\"svix-id\": \"msg_p5jXN8AQM9LWM0D4loKWxJek\", \"svix-timestamp\": \"1614265330\","
     " \"svix-signature\": \"v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\"}",
     "{\"test\": 2432232314}", 1614265330, "svix-id svix-timestamp", .type = JSON},
    /* docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
    {"github", "{\"scheme\": \"github\"}", "It's a Secret to Everybody",
     "{\"x-hub-signature-256\": "
     "\"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\"}",
     "Hello, World!", 0, "x-hub-signature-256", .type = ""},
    /* docs.stripe.com/webhooks, "Verify webhook signatures manually" */
    {"stripe", "{\"scheme\": \"stripe\"}", "whsec_test_secret",
     "{\"stripe-signature\": \"t=1492774577,"
     "v1=4ee5e8d695c9619e003fd480d3d51700d924e29697337d379a6ef6e06e703ab4\"}",
     "{\"id\":\"evt_1\",\"type\":\"charge.succeeded\"}", 1492774577, "stripe-signature", .type = JSON},
    {"stripe-like", "{\"scheme\": \"stripe\", \"header\": \"Calendly-Webhook-Signature\"}",
     "whsec_test_secret",
     "{\"calendly-webhook-signature\": \"t=1492774577,"
     "v1=4ee5e8d695c9619e003fd480d3d51700d924e29697337d379a6ef6e06e703ab4\"}",
     "{\"id\":\"evt_1\",\"type\":\"charge.succeeded\"}", 1492774577, "calendly-webhook-signature",
     .type = JSON},
    /* typeform.com/developers/webhooks/secure-your-webhooks */
    {"typeform", "{\"scheme\": \"typeform\"}", "secret_tf",
     "{\"typeform-signature\": \"sha256=htBtSH9vQT7fFMQAViLEzsR8XYhDxRoo1pnXJexGpPI=\"}",
     "{\"event_id\":\"01\",\"event_type\":\"form_response\"}", 0, "typeform-signature", .type = ""},
    /* shopify.dev/docs/apps/build/webhooks/subscribe/https */
    {"shopify", "{\"scheme\": \"hmac\", \"header\": \"X-Shopify-Hmac-Sha256\", \"encoding\": \"base64\"}",
     "hush", "{\"x-shopify-hmac-sha256\": \"qBvrsZF7RfB1iS6BX6IHqJTp5L911P7intnPeTPsH0I=\"}",
     "{\"id\":820982911946154508}", 0, "x-shopify-hmac-sha256", .type = ""},
    /* developers.intercom.com/docs/webhooks/webhook-notifications: signed notifications */
    {"intercom", "{\"scheme\": \"hmac\", \"header\": \"X-Hub-Signature\", \"algorithm\": \"sha1\","
     " \"prefix\": \"sha1=\"}", "intercom",
     "{\"x-hub-signature\": \"sha1=d4f7c06b08e21239cf7d90823979d077fb21eaf4\"}",
     "{\"type\":\"notification_event\"}", 0, "x-hub-signature", .type = ""},
    /* docs.crisp.chat/guides/web-hooks/signing-web-hooks */
    {"crisp", "{\"scheme\": \"hmac\", \"header\": \"X-Crisp-Signature\", \"time\": "
     "\"X-Crisp-Request-Timestamp\", \"signs\": \"[{header X-Crisp-Request-Timestamp};{body}]\"}",
     "crisp-secret",
     "{\"x-crisp-signature\": \"eb7528f09227789c19723cd48667e7145c902ab146a9971173bf3a93e54d367d\","
     " \"x-crisp-request-timestamp\": \"1700000000123\"}",
     "{\"event\":\"message:send\"}", 1700000000, "x-crisp-signature x-crisp-request-timestamp", .type = ""},
    /* documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks */
    {"mailgun", "{\"scheme\": \"mailgun\"}", "key-mailgun", "{}",
     "{\"signature\":{\"timestamp\":\"1529006854\","
     "\"token\":\"a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0\","
     "\"signature\":\"4b85c3571bb0c3c16ab88b8921f8a55087cf0348e3bb3bcca7683c80606696cf\"}}",
     1529006854, "", .type = JSON},
    /* developers.telnyx.com/docs/messaging/webhooks; the key is that of RFC 8032, 7.1, test 1 */
    {"telnyx", "{\"scheme\": \"telnyx\"}", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
     "{\"telnyx-timestamp\": \"1600000000\", \"telnyx-signature-ed25519\": \"NP7RcORzuT8CET4AewOiBYYid9oL8"
     "/BKl4JFhVKvi+ug77vQj4cbr1tzlgO0llqsPdRO90GBxNF2didjvPSaCw==\"}",
     "{\"data\":{\"event_type\":\"message.received\"}}", 1600000000,
     "telnyx-timestamp telnyx-signature-ed25519", .type = JSON},
    /* developer.vonage.com/en/getting-started/concepts/webhooks, "Decoding signed webhooks" */
    {"vonage", "{\"scheme\": \"vonage\"}", "vonage-secret",
     "{\"authorization\": \"Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE1ODc0OTQ5NjIsImp0aSI6"
     "ImM1YmE4ZjI0LTFhMTQtNGMxMC1iZmRmLTNmYmU4Y2U1MTFiNSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6"
     "IjUxNWY4ODU1OGYxOGNkMTYyODEzYzU4ZmM0ZjhmZmFmMWJhMDc3OWFhODZiNmNjYjQxMTAyNTZmMTNmMDJhMjMiLCJh"
     "cGlfa2V5IjoiYTFiMmMzZCJ9.LLCxxzXZDB5hhBLMjoGZ0N_Q16V2-J_kDpOeNGlL6kE\"}",
     "{\"from\":\"447700900001\",\"text\":\"Hello\"}", 1587494962, "authorization", .type = JSON},
    /* twilio.com/docs/usage/security, and the tests of twilio-python */
    {"twilio", "{\"scheme\": \"twilio\"}", "12345",
     "{\"x-twilio-signature\": \"RSOYDt4T1cUTdK1PDd93/VVr8B8=\"}", TWILIO_FORM, 0, "x-twilio-signature",
     .url = true, .host = "mycompany.com", .path = "/myapp.php?foo=1&bar=2", .type = FORM},
    {"twilio, the same name twice", "{\"scheme\": \"twilio\", \"url\": \"https://mycompany.com/\"}",
     "12345", "{\"x-twilio-signature\": \"IK+Dwps556ElfBT0I3Rgjkr1wJU=\"}",
     "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234", 0, "x-twilio-signature", .url = true,
     .host = "127.0.0.1:8025", .path = "/myapp.php?foo=1&bar=2", .type = FORM},
    {"twilio, JSON", "{\"scheme\": \"twilio\"}", "12345",
     "{\"x-twilio-signature\": \"a9nBmqA0ju/hNViExpshrM61xv4=\"}",
     "{\"property\": \"value\", \"boolean\": true}", 0, "x-twilio-signature", .url = true,
     .host = "mycompany.com",
     .path = "/myapp.php?foo=1&bar=2&bodySHA256="
             "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620", .type = JSON},
    /* www.plivo.com/docs/messaging/concepts/signature-validation, and plivo-python */
    {"plivo, GET", "{\"scheme\": \"plivo\"}", "plivo-token",
     "{\"x-plivo-signature-v3\": \"AAAA,aCvadU40Lfv2J3H4n03ad8m8hRkcU8UcUv10dZCqu3g=\","
     " \"x-plivo-signature-v3-nonce\": \"12345\"}",
     "", 0, "x-plivo-signature-v3-nonce", .url = true, .host = "plivobin.example.com",
     .path = "/hook/p?b=2&a=1"},
    {"plivo, POST", "{\"scheme\": \"plivo\"}", "plivo-token",
     "{\"x-plivo-signature-v3\": \"7vmDGvn0jlXgC1OBk4/WoMfew0IGkajwTlU3cO5UsdU=\","
     " \"x-plivo-signature-v3-nonce\": \"05429567804466091622\"}",
     "To=%2B14153334444&From=14151112222&Text=Hi%20there", 0,
     "x-plivo-signature-v3-nonce x-plivo-signature-v3", .url = true, .host = "plivobin.example.com",
     .path = "/hook/p?a=1", .type = FORM},
    /* what carries the secret itself */
    {"token in a header", "{\"scheme\": \"token\", \"header\": \"X-Token\"}", "a-shared-token",
     "{\"x-token\": \"a-shared-token\"}", "{}", 0, "x-token", .part = true},
    {"token as bearer", "{\"scheme\": \"token\"}", "a-shared-token",
     "{\"authorization\": \"Bearer a-shared-token\"}", "{}", 0, "authorization", .part = true},
    {"token in the query", "{\"scheme\": \"token\", \"query\": \"key\"}", "a-shared-token", "{}", "{}", 0,
     "", .part = true, .path = "/hook/x?key=a-shared-token"},
    {"token in the body", "{\"scheme\": \"token\", \"field\": \"token\"}", "a-shared-token", "{}",
     "{\"token\":\"a-shared-token\"}", 0, "", .type = JSON},
    /* RFC 7617, 2 */
    {"basic", "{\"scheme\": \"basic\"}", "Aladdin:open sesame",
     "{\"authorization\": \"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\"}", "{}", 0, "authorization",
     .part = true},
};

struct asked {
    json_t *conf, *headers; /* own */
    struct verify *v;       /* own */
    struct verify_request r;
};

static void ask(struct asked *a, const struct vector *t, const char *const *secrets, size_t count)
{
    struct err e = {0};
    char *own[8];
    for (size_t i = 0; i < count; i++)
        own[i] = mem_str(secrets[i]);
    a->conf = json_loads(t->conf, 0, NULL);
    a->headers = json_loads(t->headers, 0, NULL);
    assert_non_null(a->conf);
    assert_non_null(a->headers);
    a->v = verify_new(a->conf, own, count, &e);
    assert_non_null(a->v);
    a->r = (struct verify_request){.method = *t->body ? "POST" : "GET",
                                   .path = t->path ? t->path : "/hook/x",
                                   .host = t->host ? t->host : "crm.example.com",
                                   .type = t->type ? t->type : "",
                                   .rest = "",
                                   .headers = a->headers,
                                   .body = t->body,
                                   .len = strlen(t->body),
                                   .at_ms = t->at_s * 1000};
}

static void asked_done(struct asked *a)
{
    verify_free(&a->v);
    json_decref(a->conf);
    json_decref(a->headers);
}

static bool takes(struct asked *a)
{
    struct verified out;
    verify_request(a->v, &a->r, &out);
    assert_int_equal(out.ok, !out.why[0]);
    return out.ok;
}

#define EACH(t) (const struct vector *t = vectors; t < vectors + ARRAY_LEN(vectors); t++)

static void each_published_example_is_taken(void **state)
{
    (void)state;
    for EACH (t) {
        struct asked a;
        ask(&a, t, &t->secret, 1);
        if (!takes(&a))
            fail_msg("%s is not taken", t->name);
        asked_done(&a);
    }
}

/* tests/fixtures/verify/vendors.mjs: what the vendors' own libraries sign, or accept. */
static void what_the_vendors_libraries_sign_is_taken(void **state)
{
    (void)state;
    const char *src = getenv("srcdir");
    AUTO_FREE char *path = mem_printf("%s/tests/fixtures/verify/vendors.json", src ? src : "..");
    AUTO_JSON json_t *all = json_load_file(path, 0, NULL);
    size_t i;
    json_t *v;
    assert_true(json_array_size(all) > 50);
    json_array_foreach(all, i, v) {
        struct asked a;
        AUTO_FREE char *conf = json_text(json_object_get(v, "conf")),
                       *headers = json_text(json_object_get(v, "headers")),
                       *body = mem_str(json_get_str(v, "body", ""));
        const char *secret = json_get_str(v, "secret", ""), *other = "another secret";
        struct vector t = {.name = json_get_str(v, "name", ""), .conf = conf, .secret = secret,
                           .headers = headers, .body = body, .at_s = json_get_int(v, "at_s", 0),
                           .host = json_get_str(v, "host", NULL),
                           .path = json_get_str(v, "path", NULL),
                           .type = json_get_str(v, "type", NULL)};
        ask(&a, &t, &secret, 1);
        if (!takes(&a))
            fail_msg("%s is not taken", t.name);
        body[strlen(body) / 2] ^= 1;
        if (takes(&a))
            fail_msg("%s is taken with another body", t.name);
        asked_done(&a);
        body[strlen(body) / 2] ^= 1;
        ask(&a, &t, &other, 1);
        if (takes(&a))
            fail_msg("%s is taken with another secret", t.name);
        asked_done(&a);
    }
}

/* %2b and %2B are the same byte, and a form of them the same values. */
static bool is_same_code(const char *text, size_t i, int bit)
{
    bool digit = (i >= 1 && text[i - 1] == '%') || (i >= 2 && text[i - 2] == '%');
    return digit && bit == 5 && (text[i] & 0xdf) >= 'A';
}

static void flip_text(struct asked *a, const struct vector *t, const char *what, char *text,
                      size_t from)
{
    for (size_t i = from; i < strlen(text); i++)
        for (int bit = 0; bit < 8; bit++) {
            char was = text[i];
            if ((char)(was ^ (1 << bit)) == '\0' || is_same_code(text, i, bit))
                continue;
            text[i] = (char)(was ^ (1 << bit));
            if (takes(a))
                fail_msg("%s: %s with bit %d of byte %zu flipped is taken: %s", t->name, what, bit,
                         i, text);
            text[i] = was;
        }
}

static void one_flipped_bit_of_the_body_is_enough(void **state)
{
    (void)state;
    for EACH (t) {
        struct asked a;
        ask(&a, t, &t->secret, 1);
        AUTO_FREE char *body = mem_str(t->body);
        a.r.body = body;
        if (!t->part && strcmp(t->name, "mailgun") != 0 && !strstr(t->name, "in the body"))
            flip_text(&a, t, "the body", body, 0);
        asked_done(&a);
    }
}

static void one_flipped_bit_of_the_url_is_enough(void **state)
{
    (void)state;
    for EACH (t) {
        struct asked a;
        ask(&a, t, &t->secret, 1);
        AUTO_FREE char *path = mem_str(a.r.path);
        a.r.path = path;
        if (t->url)
            flip_text(&a, t, "the path", path, 0);
        if (strstr(t->name, "in the query"))
            flip_text(&a, t, "the path", path, strlen("/hook/x"));
        asked_done(&a);
    }
}

static void flip_header(struct asked *a, const struct vector *t, const char *name)
{
    const char *value = json_string_value(json_object_get(a->headers, name));
    const char *space = strchr(value, ' ');
    AUTO_FREE char *was = mem_str(value);
    for (size_t i = space ? (size_t)(space - value) + 1 : 0; i < strlen(was); i++)
        for (int bit = 0; bit < 8; bit++) {
            AUTO_FREE char *text = mem_str(was);
            text[i] = (char)(text[i] ^ (1 << bit));
            json_t *v = json_string(text); /* no UTF-8: web-in would put U+FFFD there */
            json_object_set_new(a->headers, name, v ? v : json_string("?"));
            if (text[i] && takes(a))
                fail_msg("%s: %s with bit %d of byte %zu flipped is taken: %s", t->name, name, bit,
                         i, text);
        }
    json_object_set_new(a->headers, name, json_string(was));
}

static void one_flipped_bit_of_a_signed_header_is_enough(void **state)
{
    (void)state;
    for EACH (t) {
        struct asked a;
        ask(&a, t, &t->secret, 1);
        for (const char *p = t->signed_headers; *p;) {
            size_t n = strcspn(p, " ");
            AUTO_FREE char *name = mem_strn(p, n);
            flip_header(&a, t, name);
            p += n + (p[n] == ' ');
        }
        assert_true(takes(&a));
        asked_done(&a);
    }
}

/* Of Mailgun's body, each bit within the signature's three values counts. */
static void one_flipped_bit_of_a_signature_in_the_body_is_enough(void **state)
{
    (void)state;
    for EACH (t) {
        struct asked a;
        bool mailgun = strcmp(t->name, "mailgun") == 0;
        if (!mailgun && !strstr(t->name, "in the body"))
            continue;
        ask(&a, t, &t->secret, 1);
        AUTO_FREE char *body = mem_str(t->body);
        a.r.body = body;
        flip_text(&a, t, "the body", body, 0);
        asked_done(&a);
    }
}

static void a_time_outside_the_window_is_not_taken(void **state)
{
    (void)state;
    for EACH (t) {
        static const int64_t apart[] = {-300000, 300000, -301000, 301000, 86400000};
        struct asked a;
        ask(&a, t, &t->secret, 1);
        for (size_t i = 0; t->at_s && i < ARRAY_LEN(apart); i++) {
            a.r.at_ms = t->at_s * 1000 + apart[i] + (strcmp(t->name, "crisp") == 0 ? 123 : 0);
            if (takes(&a) != (i < 2))
                fail_msg("%s, %lld ms apart", t->name, (long long)apart[i]);
        }
        asked_done(&a);
    }
}

static void the_window_is_as_long_as_it_is_set(void **state)
{
    (void)state;
    for EACH (t) {
        struct asked a;
        ask(&a, t, &t->secret, 1);
        json_object_set_new(a.conf, "window", json_integer(1000));
        a.r.at_ms += 2000;
        assert_int_equal(takes(&a), t->at_s == 0);
        asked_done(&a);
    }
}

static void while_a_secret_changes_both_are_valid(void **state)
{
    (void)state;
    for EACH (t) {
        const char *const sets[][3] = {{"another", t->secret, NULL}, {t->secret, "another", NULL},
                                       {"another", "and-one-more", NULL}};
        for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
            struct asked a;
            ask(&a, t, sets[i], 2);
            if (takes(&a) != (i < 2))
                fail_msg("%s with secrets %zu", t->name, i);
            asked_done(&a);
        }
    }
}

static void without_what_it_signs_nothing_is_taken(void **state)
{
    (void)state;
    for EACH (t) {
        struct asked a;
        ask(&a, t, &t->secret, 1);
        json_object_clear(a.headers);
        if (*t->signed_headers)
            assert_false(takes(&a));
        a.r.body = "";
        a.r.len = 0;
        a.r.path = "/";
        assert_false(takes(&a));
        asked_done(&a);
    }
}

static void an_empty_secret_or_token_opens_nothing(void **state)
{
    (void)state;
    const struct vector t = {"token", "{\"scheme\": \"token\"}", "x", "{\"authorization\": \"Bearer \"}",
                             "{}", 0, "", .type = ""};
    struct asked a;
    ask(&a, &t, NULL, 0);
    assert_false(takes(&a));
    asked_done(&a);
}

/* A JWT that says it needs no signature, or another kind of it. */
static void a_token_without_signature_is_none(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "Bearer eyJhbGciOiJub25lIn0.eyJpYXQiOjE1ODc0OTQ5NjJ9.",
        "Bearer eyJhbGciOiJub25lIn0.eyJpYXQiOjE1ODc0OTQ5NjJ9",
        "Bearer ..", "Bearer .", "Bearer", "",
    };
    const struct vector t = {"vonage", "{\"scheme\": \"vonage\"}", "s", "{}", "", 1587494962, "", .type = ""};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct asked a;
        ask(&a, &t, &t.secret, 1);
        json_object_set_new(a.headers, "authorization", json_string(heads[i]));
        assert_false(takes(&a));
        asked_done(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_published_example_is_taken),
        cmocka_unit_test(what_the_vendors_libraries_sign_is_taken),
        cmocka_unit_test(one_flipped_bit_of_the_body_is_enough),
        cmocka_unit_test(one_flipped_bit_of_the_url_is_enough),
        cmocka_unit_test(one_flipped_bit_of_a_signed_header_is_enough),
        cmocka_unit_test(one_flipped_bit_of_a_signature_in_the_body_is_enough),
        cmocka_unit_test(a_time_outside_the_window_is_not_taken),
        cmocka_unit_test(the_window_is_as_long_as_it_is_set),
        cmocka_unit_test(while_a_secret_changes_both_are_valid),
        cmocka_unit_test(without_what_it_signs_nothing_is_taken),
        cmocka_unit_test(an_empty_secret_or_token_opens_nothing),
        cmocka_unit_test(a_token_without_signature_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
