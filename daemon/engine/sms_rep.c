/* SPDX-License-Identifier: ISC
 *
 * sms_rep - see sms_rep.h
 */
#include "engine/sms_rep.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pin.h"
#include "base/text.h"
#include "base/units.h"
#include "crm/sms_command.h"
#include "crm/sms_text.h"
#include "engine/conversation_sms.h"
#include "engine/notice.h"
#include "engine/rep_inner.h"
#include "engine/sms_out.h"
#include "store/sms_code.h"

#define CODE_MS (10 * MINUTE_MS)
#define CODES_PER_HOUR 10
#define GUESSES 5              /* wrong ones; then none counts for an hour */
#define ANSWER_SEGMENTS 2
#define MORE " (more)"

struct rep_sms {
    struct engine *eng;
    const struct sms_rep *r;
    struct sms_command c; /* own */
    int answers;          /* numbers the texts back */
};

/* ---- what it is answered ------------------------------------------------------------------ */

/* To the number of the config, whatever the text came from. */
static int answer_put(struct engine *eng, const struct sms_rep *r, const char *what,
                      const struct crm_target *t, const char *text, struct err *e)
{
    struct input in;
    struct err why = {0};
    int64_t outbox;
    const char *to = json_get_str(crm_user(eng->crm, r->user), "phone", NULL);
    AUTO_FREE char *intent = mem_printf("M%" PRId64 "/%s", r->message_id, what);
    struct crm_target none = {0};
    struct sms_letter l = {.class_ = "notice", .intent = intent, .to = to, .to_user = r->user,
                           .from = r->gateway, .text = text, .target = t ? t : &none};
    if (!to)
        return 0;
    input_begin(&in, eng, mem_printf("answer to %s by SMS M%" PRId64, r->user, r->message_id),
                mem_str(intent));
    int rc = sms_put(&in, &l, &outbox, NULL, &why);
    if (rc < 0 && why.cls == ERR_INPUT) {
        log_warn("sms.answer", "message=M%" PRId64 " user=%s error=\"%s\"", r->message_id, r->user,
                 why.text);
        rc = 0;
    } else if (rc < 0) {
        *e = why;
    }
    input_end(&in);
    return rc;
}

/* As much as two texts hold; "more" gives the rest. */
static int answer_short(struct engine *eng, const struct sms_rep *r, const char *what,
                        const struct crm_target *t, const char *text, struct err *e)
{
    AUTO_FREE char *full = mem_str(text);
    char *p = text_trim(full);
    struct sms_count count;
    size_t n = strlen(p);
    sms_count(p, &count);
    if (count.segments > ANSWER_SEGMENTS) {
        n = sms_cut(p, ANSWER_SEGMENTS);
        n = text_utf8_cut(p, n, n > sizeof(MORE) ? n - sizeof(MORE) : n);
        size_t word = n;
        while (word > 0 && p[word] != ' ' && p[word] != '\n')
            word--;
        n = word > n / 2 ? word : n;
    }
    AUTO_FREE char *first = mem_printf("%.*s%s", (int)n, p, p[n] ? MORE : "");
    if (sms_more_set(eng->db, r->user, p[n] ? p + n + strspn(p + n, " \n") : NULL, clock_now_ms(),
                     e) < 0)
        return -1;
    return answer_put(eng, r, what, t, first, e);
}

static int say(struct rep_sms *x, const char *text, struct err *e)
{
    char what[32];
    snprintf(what, sizeof(what), "sms%d", ++x->answers);
    return answer_short(x->eng, x->r, what, &x->r->target, text, e);
}

/* "  #won 5000\n      done (J7)\n" -> "won 5000: done (J7)" */
static void squeeze(const struct buf *from, const char *head, struct buf *out)
{
    const char *p = from->len ? from->data : "";
    if (*p && *head)
        buf_printf(out, "%s%s", out->len ? "\n" : "", head);
    while (*p) {
        size_t n = strcspn(p, "\n"), blank = strspn(p, " ");
        if (n > blank) {
            bool below = blank > 4; /* what became of the line above */
            if (!below && out->len)
                buf_char(out, '\n');
            else if (below)
                buf_str(out, ": ");
            blank += p[blank] == '#';
            buf_add(out, p + blank, n - blank);
        }
        p += n + (p[n] == '\n');
    }
}

int sms_rep_answer(struct engine *eng, const struct rep_mail *m, const struct rep_answer *a,
                   const char *words, struct err *e)
{
    struct buf text AUTO_BUF;
    buf_init(&text, BOUND_TEMPLATE_OUTPUT);
    squeeze(&a->done, "", &text);
    squeeze(&a->refused, "Not done:", &text);
    squeeze(&a->shown, "", &text);
    if (words)
        buf_printf(&text, "%s%s", text.len ? "\n" : "", words);
    if (!text.len)
        return 0;
    return answer_short(eng, m->sms, "answer", &a->target, text.data, e);
}

/* ---- commands ----------------------------------------------------------------------------- */

/* As the user's mail would do it. */
static int commands_run(struct rep_sms *x, const char *lines, const char *proof, struct err *e)
{
    bool light = strcmp(proof, "number") == 0;
    struct rep_rest rest;
    AUTO_JSON json_t *message = json_pack("{s:s, s:s, s:s, s:s, s:[], s:[]}", "channel", "sms",
                                          "kind", "person", "text", lines, "reply", lines,
                                          "in_reply_to", "references");
    struct rep_mail m = {.message = message, .user = x->r->user, .proven = true,
                         .message_id = x->r->message_id, .target = x->r->target, .sms = x->r, .light = light};
    log_info("sms.command", "message=M%" PRId64 " user=%s proof=%s", x->r->message_id, x->r->user,
             proof);
    if (rep_take(x->eng, &m, &rest, e) < 0)
        return -1;
    rep_rest_done(&rest);
    return 0;
}

/* What is no command is a note of the record that was texted about. */
static int words_take(struct rep_sms *x, struct err *e)
{
    char id[CRM_ID_LEN] = "";
    const struct crm_target *t = &x->r->target;
    AUTO_FREE char *words = mem_str(x->r->text);
    text_make_line(words); /* no line of it may begin a command */
    if (!t->lead && !t->kase && !t->contact)
        return say(x, "This was not understood. Write a command, such as: note L42 called. "
                   "help lists them.", e);
    crm_id_format(t->kase && !t->lead ? CRM_CASE : t->lead ? CRM_LEAD : CRM_CONTACT,
                  t->kase && !t->lead ? t->kase : t->lead ? t->lead : t->contact, id);
    AUTO_FREE char *line = mem_printf("#%s note %s\n", id, words);
    return commands_run(x, line, "number", e);
}

/* ---- proofs -------------------------------------------------------------------------------- */

static bool pin_is(const struct rep_sms *x, const char *digits)
{
    const char *pin = json_get_str(x->eng->pins, x->r->user, NULL);
    return pin && pin_matches(pin, digits);
}

/* Too many wrong ones: nothing counts for an hour, and the administrator knows. */
static int guesses_left(struct rep_sms *x, bool *left_out, struct err *e)
{
    int64_t n, at;
    if (sms_guess_get(x->eng->db, x->r->user, &n, &at, e) < 0)
        return -1;
    *left_out = n < GUESSES || clock_now_ms() - at > HOUR_MS;
    return 0;
}

static int guess_wrong(struct rep_sms *x, struct err *e)
{
    int64_t n, at, now = clock_now_ms();
    char hour[32];
    if (sms_guess_get(x->eng->db, x->r->user, &n, &at, e) < 0)
        return -1;
    if (now - at > HOUR_MS)
        n = 0;
    n++;
    log_warn("sms.guess", "message=M%" PRId64 " user=%s wrong=%" PRId64, x->r->message_id,
             x->r->user, n);
    if (sms_guess_set(x->eng->db, x->r->user, n, n == 1 ? now : at, e) < 0)
        return -1;
    if (n == GUESSES) {
        AUTO_FREE char *key = mem_printf("sms-guess/%s/%s", x->r->user, notice_hour(hour));
        AUTO_FREE char *subject = mem_printf("leadd: wrong PINs by SMS for %s", x->r->user);
        AUTO_FREE char *text =
            mem_printf("%d texts from the number of %s had a wrong PIN or code. The last one is "
                       "M%" PRId64 ".\n\nFor an hour no PIN and no code counts for that number; "
                       "nothing was done. Numbers can be forged:\nask the user.\n", GUESSES,
                       x->r->user, x->r->message_id);
        if (notice_admin(x->eng, key, subject, text, e) < 0)
            return -1;
    }
    return say(x, n >= GUESSES ? "Wrong PIN or code. No more are taken for an hour."
                               : "Wrong PIN or code, or it is too old. Nothing was done.", e);
}

static int guess_right(struct rep_sms *x, struct err *e)
{
    int64_t n, at;
    if (sms_guess_get(x->eng->db, x->r->user, &n, &at, e) < 0)
        return -1;
    return n ? sms_guess_set(x->eng->db, x->r->user, 0, at, e) : 0;
}

/* What needs a proof, and has none: the code goes to the registered number. */
static int code_ask(struct rep_sms *x, const char *lines, const char *shown, struct err *e)
{
    int64_t now = clock_now_ms(), count = 0;
    char digits[8];
    uint32_t random;
    if (sms_code_count(x->eng->db, x->r->user, now - HOUR_MS, &count, e) < 0)
        return -1;
    if (count >= CODES_PER_HOUR) {
        log_warn("sms.codes", "user=%s next=\"no more codes within the hour\"", x->r->user);
        return 0;
    }
    hash_random(&random, sizeof(random));
    snprintf(digits, sizeof(digits), "%04u", random % 10000);
    struct sms_code c = {.user = x->r->user, .kind = "command", .code = digits, .lines = lines,
                         .message_id = x->r->message_id, .created_ms = now,
                         .until_ms = now + CODE_MS};
    if (sms_code_add(x->eng->db, &c, e) < 0)
        return -1;
    AUTO_FREE char *line = mem_strn(shown, text_utf8_cut(shown, strlen(shown), 100));
    text_make_line(line);
    AUTO_FREE char *text = mem_printf("Reply %s within 10 minutes to do: %s", digits, text_trim(line));
    return say(x, text, e);
}

/* ---- one text ------------------------------------------------------------------------------- */

static int relay_do(struct rep_sms *x, enum crm_entity t, int64_t id, const char *words,
                    struct err *e)
{
    char told[400];
    struct conversation_text c = {.user = x->r->user, .entity = t, .id = id, .words = words,
                                  .message_id = x->r->message_id, .ours = x->r->ours};
    if (conversation_text_out(x->eng, &c, told, sizeof(told), e) < 0)
        return -1;
    return say(x, told, e);
}

/* Lines that were proven: commands, or words for a customer. */
static int proven_do(struct rep_sms *x, const struct sms_command *c, const char *proof,
                     struct err *e)
{
    if (guess_right(x, e) < 0)
        return -1;
    if (c->what == SMS_COMMAND_RELAY)
        return relay_do(x, c->entity, c->id, c->words, e);
    if (c->lines)
        return commands_run(x, c->lines, proof, e);
    return say(x, "The PIN is right. What is to be done? help lists commands.", e);
}

/* A code that we texted. *taken_out false: it is none. */
static int code_take(struct rep_sms *x, bool *taken_out, struct err *e)
{
    json_t *row = NULL;
    int64_t now = clock_now_ms();
    *taken_out = false;
    if (sms_code_find(x->eng->db, x->r->user, x->c.digits, now, &row, e) < 0)
        return -1;
    AUTO_JSON json_t *owned = row;
    if (!owned)
        return 0;
    bool relay = strcmp(json_get_str(owned, "kind", ""), "relay") == 0;
    if (relay != (*x->c.rest != '\0')) /* a code for words has words, and the other has none */
        return 0;
    *taken_out = true;
    if (relay) {
        enum crm_entity t = crm_entity_parse(json_get_str(owned, "entity", ""));
        return guess_right(x, e) < 0 ? -1 : relay_do(x, t, json_get_int(owned, "record_id", 0),
                                                      x->c.rest, e);
    }
    if (sms_code_use(x->eng->db, json_get_int(owned, "id", 0), now, e) < 0)
        return -1;
    struct sms_command c;
    sms_command_read(json_get_str(owned, "lines", ""), &c);
    int rc = proven_do(x, &c, "code", e);
    sms_command_done(&c);
    return rc;
}

static int digits_take(struct rep_sms *x, bool *taken_out, struct err *e)
{
    enum sms_command_what what = x->c.what;
    bool left, code = false;
    *taken_out = false;
    if (!x->c.digits[0])
        return 0;
    if (guesses_left(x, &left, e) < 0)
        return -1;
    if (left && (code_take(x, &code, e) < 0 || (code && (*taken_out = true))))
        return code ? 0 : -1;
    if (what == SMS_COMMAND_WORDS) /* "4000 pumps, he says" */
        return 0;
    *taken_out = true;
    if (!left)
        return say(x, "No PIN and no code is taken within an hour of too many wrong ones.", e);
    return pin_is(x, x->c.digits) ? proven_do(x, &x->c, "pin", e) : guess_wrong(x, e);
}

static int more_say(struct rep_sms *x, struct err *e)
{
    char *text = NULL;
    if (sms_more_get(x->eng->db, x->r->user, &text, e) < 0)
        return -1;
    AUTO_FREE char *owned = text;
    return say(x, owned ? owned : "There is no more.", e);
}

static int plain_do(struct rep_sms *x, struct err *e)
{
    switch (x->c.what) {
    case SMS_COMMAND_MORE:
        return more_say(x, e);
    case SMS_COMMAND_HELP:
        return say(x, "note L42 .. | snooze L42 .. | find .. | show L42 | won L42 5000 | assign L42 "
                   "anna | undo | L42: words for the customer | more. PIN or code first where asked. "
                   "help won tells of one.", e);
    case SMS_COMMAND_ASK:
    case SMS_COMMAND_LIGHT:
        return commands_run(x, x->c.lines, "number", e);
    case SMS_COMMAND_FULL:
    case SMS_COMMAND_RELAY:
        return code_ask(x, x->c.rest, x->c.rest, e);
    case SMS_COMMAND_WORDS:
    case SMS_COMMAND_EMPTY:
        break;
    }
    return x->r->text[strspn(x->r->text, " \t\r\n")] ? words_take(x, e) : 0;
}

int sms_rep_take(struct engine *eng, const struct sms_rep *r, struct err *e)
{
    struct rep_sms x = {.eng = eng, .r = r};
    bool taken = false;
    sms_command_read(r->text, &x.c);
    int rc = digits_take(&x, &taken, e);
    if (rc == 0 && !taken)
        rc = plain_do(&x, e);
    sms_command_done(&x.c);
    return rc;
}

/* ---- PINs ------------------------------------------------------------------------------------- */

int sms_pins_open(struct engine *eng, struct err *e)
{
    const char *name;
    json_t *user;
    eng->pins = json_object();
    json_object_foreach(json_get_obj(eng->role->config, "users"), name, user) {
        const char *path = json_get_str(user, "pin_file", NULL);
        if (!path)
            continue;
        char *pin = role_read_secret(path, e);
        if (!pin)
            return err_wrap(e, "users.%s.pin_file", name);
        size_t n = strlen(pin);
        bool good = pin_is_hash(pin) ? pin_hash_is_good(pin) : pin_is_good(pin);
        json_put_str(eng->pins, name, pin);
        memset(pin, 0, n);
        mem_free(pin);
        if (!good)
            return err_set(e, ERR_INPUT, "users.%s.pin_file: expected the line that leadctl pin makes: a PIN has "
                           "four to eight digits", name);
    }
    return 0;
}

void sms_pins_close(struct engine *eng)
{
    json_decref(eng->pins);
    eng->pins = NULL;
}
