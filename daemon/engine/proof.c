/* SPDX-License-Identifier: ISC
 *
 * proof - see proof.h
 */
#include "engine/proof.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/align.h"
#include "engine/secret.h"
#include "engine/signature.h"
#include "engine/trust.h"
#include "mail/authres.h"
#include "store/secret.h"

struct checking {
    const struct engine *eng;
    struct db *db;
    const struct proof_mail *mail;
    const json_t *user; /* the config's */
    bool piped; /* by no mailbox, and what is piped in is not believed */
    struct trust trust;
    struct trust_head head;
    char from[MAIL_ONE_MAX];
    const char *domain; /* of from */
    struct signatures signatures;
    struct proof *out;
};

static const char *const proof_names[] = {"none", "auth", "submission", "secret"};

const char *proof_name(enum proof_how how)
{
    return proof_names[how];
}

enum proof_how proof_named(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_LEN(proof_names); i++)
        if (strcmp(proof_names[i], name) == 0)
            return (enum proof_how)i;
    return PROOF_NONE;
}

static void proof_set(struct proof *out, enum proof_how how, const char *fmt, ...)
    LEADD_PRINTF(3, 4);
static void proof_set(struct proof *out, enum proof_how how, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out->text, sizeof(out->text), fmt, ap);
    va_end(ap);
    out->text[text_utf8_cut(out->text, strlen(out->text), sizeof(out->text) - 2)] = '\0';
    text_make_line(out->text);
    out->how = how;
    out->commands = how != PROOF_NONE;
}

/* ---- who wrote it, by its own words ------------------------------------------------ */

static bool is_address_of(const json_t *user, const char *address)
{
    size_t i;
    const json_t *v;
    if (strcasecmp(json_get_str(user, "email", ""), address) == 0)
        return true;
    json_array_foreach(json_get_arr(user, "addresses"), i, v)
        if (json_is_string(v) && strcasecmp(json_string_value(v), address) == 0)
            return true;
    return false;
}

/* A Sender that is somebody else wrote in the user's name. */
static bool sender_fits(struct checking *c)
{
    const struct mail_fields *f = &c->head.fields;
    const struct mail_field *sender = mail_fields_get(f, "Sender");
    char address[MAIL_ONE_MAX];
    struct err e = {0};
    if (!sender)
        return true;
    if (mail_fields_count(f, "Sender") == 1 &&
        mail_one_address(sender->value.p, sender->value.n, address, &e) == 0 &&
        is_address_of(c->user, address))
        return true;
    proof_set(c->out, PROOF_NONE, "its Sender is not the user");
    return false;
}

/* A field that comes twice is read by one program so, by another so. */
static const char *field_twice(const struct mail_fields *f)
{
    static const char *const once[] = {"To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To",
                                       "References", "Reply-To", "Content-Type"};
    for (size_t i = 0; i < ARRAY_LEN(once); i++)
        if (mail_fields_count(f, once[i]) > 1)
            return once[i];
    return NULL;
}

static bool from_fits(struct checking *c)
{
    const struct mail_fields *f = &c->head.fields;
    const struct mail_field *from = mail_fields_get(f, "From");
    struct err e = {0};
    if (mail_fields_count(f, "From") != 1)
        proof_set(c->out, PROOF_NONE, "it has %zu From fields", mail_fields_count(f, "From"));
    else if (mail_one_address(from->value.p, from->value.n, c->from, &e) < 0)
        proof_set(c->out, PROOF_NONE, "its From has %s", e.text);
    else if (!is_address_of(c->user, c->from))
        proof_set(c->out, PROOF_NONE, "its From is no registered address of %s", c->mail->user);
    else if (field_twice(f))
        proof_set(c->out, PROOF_NONE, "it has more than one %s", field_twice(f));
    else {
        c->domain = strchr(c->from, '@') + 1;
        return sender_fits(c);
    }
    return false;
}

/* Machines do not command, also those that answer in a person's name. */
static bool is_by_person(struct checking *c)
{
    const char *why = NULL;
    const json_t *m = c->mail->message;
    if (crm_is_machine(c->eng->crm, m, c->from, &why))
        proof_set(c->out, PROOF_NONE, "it was sent by a machine (%s)", why);
    else if (strcmp(json_get_str(m, "return_path", "-"), "") == 0)
        proof_set(c->out, PROOF_NONE, "it came from the null sender");
    else
        return true;
    return false;
}

/* ---- what the own server says --------------------------------------------------------- */

/* The name somebody signed in with is the user's. */
static bool login_fits(const struct checking *c, const char *login)
{
    size_t i;
    const json_t *v;
    json_array_foreach(json_get_arr(c->user, "logins"), i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), login) == 0)
            return true;
    return is_address_of(c->user, login);
}

static const char *prop(const json_t *result, const char *name)
{
    return json_get_str(json_get_obj(result, "props"), name, NULL);
}

static const char *login_of(const json_t *result)
{
    if (strcmp(json_get_str(result, "method", ""), "auth") != 0 ||
        strcmp(json_get_str(result, "result", ""), "pass") != 0)
        return NULL;
    const char *login = prop(result, "smtp.auth");
    return login ? login : "";
}

/* Somebody has signed in: true when that settles it, for the user or against. */
static bool by_submission(struct checking *c)
{
    size_t i;
    const json_t *v;
    const char *login = NULL;
    size_t logins = 0, fit = 0;
    json_array_foreach(c->head.results, i, v)
        if (login_of(v)) {
            login = login_of(v);
            logins++;
            fit += login_fits(c, login);
        }
    json_array_foreach(c->head.signed_in, i, v) {
        login = json_string_value(v);
        logins++;
        fit += login_fits(c, login);
    }
    if (logins == 0)
        return false;
    if (fit == logins)
        proof_set(c->out, PROOF_SUBMISSION, "signed in as %.100s", login);
    else
        proof_set(c->out, PROOF_NONE, "who sent it has signed in as somebody else than %s",
                  c->mail->user);
    return true;
}

/* "@example.com" and "anna@example.com": is the identity that signed this user, or the
 * domain as a whole, and is it the signing domain's? */
static bool identity_fits(const struct checking *c, const char *i, const char *d)
{
    const char *at = strrchr(i, '@');
    if (!at || (at != i && strcasecmp(i, c->from) != 0))
        return false;
    size_t n = strlen(at + 1), k = d ? strlen(d) : 0;
    return !d || (n >= k && strcasecmp(at + 1 + n - k, d) == 0 &&
                  (n == k || at[n - k] == '.'));
}

/* The signing domain of a dkim result that is of the domain of From; NULL: another's. */
static const char *dkim_domain(const struct checking *c, const json_t *r)
{
    const char *d = prop(r, "header.d"), *i = prop(r, "header.i");
    const char *at = i ? strrchr(i, '@') : NULL;
    const char *domain = d ? d : at ? at + 1 : NULL;
    return domain && align_same(domain, c->domain) ? domain : NULL;
}

enum verdict { SAYS_NOTHING, SAYS_YES, SAYS_NO };

static enum verdict verdict_dmarc(const struct checking *c, const json_t *r, bool pass)
{
    const char *from = prop(r, "header.from");
    if (strcmp(json_get_str(r, "result", ""), "fail") == 0)
        return SAYS_NO;
    return pass && from && strcasecmp(from, c->domain) == 0 ? SAYS_YES : SAYS_NOTHING;
}

static enum verdict verdict_dkim(const struct checking *c, const json_t *r, bool pass)
{
    const char *d = dkim_domain(c, r), *i = prop(r, "header.i");
    if (!d)
        return SAYS_NOTHING;
    if (!pass)
        return strcmp(json_get_str(r, "result", ""), "fail") == 0 ? SAYS_NO : SAYS_NOTHING;
    return !i || identity_fits(c, i, prop(r, "header.d")) ? SAYS_YES : SAYS_NO;
}

static enum verdict verdict_spf(const struct checking *c, const json_t *r, bool pass)
{
    const char *from = prop(r, "smtp.mailfrom");
    const char *at = from ? strrchr(from, '@') : NULL;
    return pass && from && align_same(at ? at + 1 : from, c->domain) ? SAYS_YES : SAYS_NOTHING;
}

/* What one result says of the domain of From; also the words for it. */
static enum verdict verdict_of(const struct checking *c, const json_t *r, bool part)
{
    const char *method = json_get_str(r, "method", "");
    bool pass = strcmp(json_get_str(r, "result", ""), "pass") == 0;
    enum verdict v = SAYS_NOTHING;
    if (strcmp(method, "dmarc") == 0)
        v = verdict_dmarc(c, r, pass);
    else if (strcmp(method, "dkim") == 0)
        v = verdict_dkim(c, r, pass);
    else if (strcmp(method, "spf") == 0)
        return verdict_spf(c, r, pass);
    return part && v == SAYS_YES ? SAYS_NOTHING : v;
}

/* May it command, too? */
static int signed_commands(struct checking *c, bool by_spf, struct err *e)
{
    const struct signatures *s = &c->signatures;
    const char *why = NULL;
    int64_t before = 0;
    if (s->count == 0 || by_spf)
        return 0;
    if (s->odd)
        why = "a signature that cannot be read";
    else if (!s->addressed)
        why = "signed, but not as a mail to us: it may have been handed on";
    for (size_t i = 0; i < s->count && !why; i++) {
        if (signature_use(c->db, s->keys[i], c->mail->message_id, &before, e) < 0)
            return -1;
        if (before)
            why = "the same signed mail came before";
    }
    if (why) {
        proof_set(c->out, c->out->how, "%s", why);
        c->out->commands = false;
    }
    return 0;
}

static int by_results(struct checking *c, struct err *e)
{
    size_t i;
    const json_t *r, *yes = NULL;
    bool part, by_spf = false;
    signatures_read(c->eng, &c->head.ctx, &c->head.fields, c->domain, &c->signatures);
    part = c->signatures.part;
    json_array_foreach(c->head.results, i, r) {
        enum verdict v = verdict_of(c, r, part);
        if (v == SAYS_NO) {
            proof_set(c->out, PROOF_NONE, "%s=%s for %s", json_get_str(r, "method", ""),
                      json_get_str(r, "result", ""), c->domain);
            return 0;
        }
        by_spf |= v == SAYS_YES && strcmp(json_get_str(r, "method", ""), "spf") == 0;
        if (v == SAYS_YES && !yes)
            yes = r;
    }
    if (yes) {
        proof_set(c->out, PROOF_AUTH, "%s=pass for %s by %s", json_get_str(yes, "method", ""),
                  c->domain, c->trust.auth);
        return signed_commands(c, by_spf, e);
    }
    if (json_array_size(c->head.results))
        proof_set(c->out, PROOF_NONE, "%s did not find that it is from %s%s", c->trust.auth,
                  c->domain, part ? ": its signature is of a part" : "");
    else
        proof_set(c->out, PROOF_NONE, "%s", c->head.why);
    return 0;
}

/* ---- all of it ----------------------------------------------------------------------- */

static int by_secret(struct engine *eng, struct checking *c, struct err *e)
{
    bool fits = false;
    if (secret_in_message(eng, c->mail->message, c->mail->user, &fits, e) < 0)
        return -1;
    if (fits)
        proof_set(c->out, PROOF_SECRET, "it came to the secret address of %s", c->mail->user);
    return 0;
}

static int proof_check_head(struct engine *eng, struct checking *c, struct err *e)
{
    if (!trust_head_read(&c->trust, c->mail->raw, c->mail->n, &c->head)) {
        proof_set(c->out, PROOF_NONE, "its header is not sound: %s", c->head.why);
        return 0;
    }
    if (!from_fits(c) || !is_by_person(c))
        return 0;
    bool settled = by_submission(c);
    if (!settled && (c->trust.auth || c->trust.header)) {
        if (by_results(c, e) < 0)
            return -1;
    } else if (!settled) {
        proof_set(c->out, PROOF_NONE, "%s", c->piped
                  ? "it was piped in, and trusted_ingest is not set: its header proves nothing"
                  : "no trusted_auth is set, so nothing can prove a mail");
    }
    /* what the server vouches for may be sent on, too, so it goes before the secret */
    return c->out->how != PROOF_NONE && c->out->commands ? 0 : by_secret(eng, c, e);
}

int proof_check(struct engine *eng, const struct proof_mail *mail, struct proof *out,
                struct err *e)
{
    struct checking c = {.eng = eng, .db = eng->db, .mail = mail, .out = out};
    *out = (struct proof){.how = PROOF_NONE};
    c.user = crm_user(eng->crm, mail->user);
    trust_read(eng->role->config, mail->mailbox, &c.trust);
    out->user = true;
    out->could = c.trust.auth || c.trust.header;
    if (eng->foreign_scale > 0) { /* a replay has no header to look at */
        proof_set(out, (enum proof_how)eng->foreign_proof, "found so when it came");
        out->commands &= !eng->foreign_handed_on;
        return 0;
    }
    /* anybody may have written the whole of it, if a person piped it in */
    c.piped = !mail->mailbox && !json_get_bool(eng->settings, "trusted_ingest", false);
    if (c.piped)
        c.trust = (struct trust){0};
    if (!c.user) {
        proof_set(out, PROOF_NONE, "no such user");
        return 0;
    }
    int rc = proof_check_head(eng, &c, e);
    trust_head_done(&c.head);
    return rc;
}
