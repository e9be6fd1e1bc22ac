/* SPDX-License-Identifier: ISC
 *
 * fuzz_proof - any bytes as the header of a mail that comes in from outside
 *
 * The own server has put its results and its Received line on top. Whatever follows,
 * the server's results stay the only ones, and nobody has signed in. An address that
 * From is read as is one address, and is read as the same again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/signature.h"
#include "engine/trust.h"
#include "mail/authres.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char ours[] = "Authentication-Results: mx.example.com; dkim=none\r\n"
                           "Received: from out.example (out.example [192.0.2.1])\r\n"
                           "\tby mx.example.com with ESMTP id 1; Fri, 20 Nov 2026 10:00:00 +0000\r\n";

static const struct trust strict = {.auth = "mx.example.com", .header = "X-User"};
static const struct trust loose = {.auth = "mx.example.com", .header = "X-User", .below = true};

static void check_address(const struct mail_field *f)
{
    char once[MAIL_ONE_MAX], twice[MAIL_ONE_MAX];
    struct err e = {0};
    if (mail_one_address(f->value.p, f->value.n, once, &e) < 0) {
        LEADD_ASSERT(e.cls == ERR_INPUT);
        return;
    }
    const char *at = strchr(once, '@');
    LEADD_ASSERT(at && at > once && at[1] && !strchr(at + 1, '@'));
    for (const char *p = once; *p; p++)
        LEADD_ASSERT(*p > ' ' && *p < 0x7f && !strchr("<>,;:()\"\\", *p));
    LEADD_ASSERT(mail_one_address(once, strlen(once), twice, &e) == 0);
    LEADD_ASSERT(strcmp(once, twice) == 0);
}

static void check_signatures(struct trust_head *h)
{
    static struct role role;
    struct engine eng = {.role = &role};
    struct signatures s;
    if (!role.config)
        role.config = json_pack("{s:{s:s}, s:{}, s:{}}", "settings", "address", "crm@example.com",
                                "users", "mailboxes");
    eng.settings = json_get_obj(role.config, "settings");
    signatures_read(&eng, &h->ctx, &h->fields, "example.com", &s);
    LEADD_ASSERT(s.count <= BOUND_SIGNATURES);
}

static void check_head(const struct trust *t, const char *p, size_t n, bool on_top)
{
    struct trust_head h;
    bool sound = trust_head_read(t, p, n, &h);
    LEADD_ASSERT(strlen(h.why) < sizeof(h.why));
    if (on_top && sound) {
        LEADD_ASSERT(json_array_size(h.results) == 1);
        LEADD_ASSERT(json_array_size(h.signed_in) == 0);
    }
    if (sound) {
        const struct mail_field *from = mail_fields_get(&h.fields, "From");
        if (from)
            check_address(from);
        check_signatures(&h);
    }
    LEADD_ASSERT(sound || json_array_size(h.results) == 0);
    trust_head_done(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    struct mail_received r;
    if (size > KIB(64))
        return 0;
    size_t n = sizeof(ours) - 1;
    AUTO_FREE char *whole = mem_alloc(n + size + 1);
    memcpy(whole, ours, n);
    memcpy(whole + n, data, size);
    check_head(&strict, whole, n + size, true);
    check_head(&loose, whole, n + size, false);
    check_head(&strict, (const char *)data, size, false);
    AUTO_JSON json_t *results = mail_authres_read((const char *)data, size, &e);
    LEADD_ASSERT(results || e.cls == ERR_INPUT);
    if (mail_received_read((const char *)data, size, &r) == 0)
        LEADD_ASSERT(strlen(r.by) < sizeof(r.by));
    return 0;
}
