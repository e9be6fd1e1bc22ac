/* SPDX-License-Identifier: ISC
 *
 * inbound_user - see inbound_user.h
 */
#include "engine/inbound_user.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/address.h"
#include "engine/conversation.h"
#include "engine/dropbox.h"
#include "engine/held.h"
#include "engine/rep.h"

const char *inbound_user(const struct engine *eng, const json_t *message)
{
    char folded[CRM_ADDRESS_MAX];
    const char *from = json_get_str(json_get_obj(message, "from"), "address", "");
    return crm_email_fold(from, folded) < 0 ? NULL
                                            : crm_user_by_address(eng->crm, "email", folded);
}

int inbound_user_proof(struct input *in, const struct item *it, const json_t *mailbox, int64_t id,
                       struct proof *out, struct err *e)
{
    struct engine *eng = in->eng;
    struct proof_mail mail = {.message = it->message,
                              .raw = it->frame.raw,
                              .n = it->frame.raw_len,
                              .mailbox = mailbox,
                              .user = inbound_user(eng, it->message),
                              .message_id = id};
    *out = (struct proof){.how = PROOF_NONE};
    if (!mail.user)
        return 0;
    if (proof_check(eng, &mail, out, e) < 0)
        return -1;
    if (out->how != PROOF_NONE) {
        in->proof = proof_name(out->how);
        in->handed_on = !out->commands;
    }
    input_note(in, "from %s, %s: %s", mail.user, out->how == PROOF_NONE ? "not proven" : "proven",
               out->text);
    log_info("mail.proof", "message=%s user=%s how=%s commands=%s why=\"%s\"", in->intent, mail.user,
             proof_name(out->how), out->commands ? "yes" : "no", out->text);
    return 0;
}

/* What it commands; and its words are a note, or for the contact. */
int inbound_user_take(struct engine *eng, const struct crm_input *ci, const struct crm_who *who,
                      const struct thread *thread, const struct proof *proof, const char *plus,
                      const char *hold, bool *commands_out, struct err *e)
{
    struct rep_rest rest;
    bool answers = conversation_is_meant(thread);
    struct rep_mail m = {
        .message = ci->message,
        .user = who->user,
        .proven = proof->commands,
        .unproven = proof->text,
        .hold = hold,
        .message_id = ci->message_id,
        .target = who->target,
        .plus = *plus ? plus : NULL,
        .to_contact = who->to_contact,
        .conversation = answers,
    };
    if (rep_take(eng, &m, &rest, e) < 0)
        return -1;
    struct conversation_reply r = {
        .user = who->user,
        .thread = thread,
        .target = &who->target,
        .message = ci->message,
        .message_id = ci->message_id,
        .words = rest.words,
        .inside = rest.inside,
        .hold = hold,
        .proven = proof->commands && proof->how != PROOF_SECRET,
        .unproven = proof->text,
    };
    /* commands alone that are held: the user is asked about those, and nothing else was said */
    bool asked = rest.commands && !proof->commands && !*rest.words;
    int rc = answers && !asked ? conversation_take(eng, &r, e) : 0;
    *commands_out = rest.commands;
    rep_rest_done(&rest);
    return rc;
}

/* ---- a copy that came later ------------------------------------------------------------ */

/* What waits of the copy that came first: commands that are held, an answer to a customer
 * that stayed inside. */
static int again_waits(struct engine *eng, const char *user, int64_t same, struct crm_target *target,
                       int64_t *held_out, bool *answer_out, struct err *e)
{
    if (held_waits(eng, same, user, held_out, target, e) < 0)
        return -1;
    return conversation_stayed(eng, user, same, answer_out, e);
}

static int again_take(struct input *in, const struct item *it, const char *user, int64_t same,
                      const struct proof *proof, struct crm_target *target, bool answer,
                      const char *hold, struct err *e)
{
    struct thread thread;
    char plus[OURS_WORDS_MAX];
    bool commands;
    if (thread_read(in->eng, in->ctx, it->message, &thread, e) < 0)
        return -1;
    if (target->main == CRM_NONE)
        *target = thread.target;
    if (!answer) /* it has been told, or was none */
        thread.said = (struct ours){0}, thread.doubtful = false;
    dropbox_words(in->eng, it->message, plus);
    struct crm_input ci = {.kind = "mail", .message = it->message, .message_id = same,
                           .at_ms = in->now_ms};
    /* its words were filed: what stands beside the commands is no second note */
    struct crm_who who = {.kind = CRM_WHO_USER, .user = user, .target = *target, .to_contact = true};
    return inbound_user_take(in->eng, &ci, &who, &thread, proof, plus, hold, &commands, e);
}

int inbound_user_again(struct engine *eng, const struct item *it, const json_t *mailbox,
                       int64_t same, const char *hold, struct err *e)
{
    const char *user = inbound_user(eng, it->message);
    struct crm_target target = {0};
    struct proof proof;
    struct input in;
    int64_t held = 0;
    bool answer = false;
    if (!user || hold)
        return 0;
    if (again_waits(eng, user, same, &target, &held, &answer, e) < 0)
        return -1;
    if (!held && !answer)
        return 0;
    input_begin(&in, eng, mem_printf("mail M%" PRId64 " again, with a proof", same),
                mem_printf("M%" PRId64, same));
    int rc = inbound_user_proof(&in, it, mailbox, same, &proof, e);
    bool proven = rc == 0 && proof.commands;
    if (proven && held)
        rc = held_proven(eng, held, e);
    if (proven && rc == 0)
        rc = again_take(&in, it, user, same, &proof, &target, answer, hold, e);
    input_end(&in);
    return rc;
}
