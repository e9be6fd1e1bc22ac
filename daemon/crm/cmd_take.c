/* SPDX-License-Identifier: ISC
 *
 * cmd_take - take [FACT]: what a mail or form says of the contact goes onto the record
 *
 * Alone it takes all that fills a gap; with a fact (a number, an address, the words of a
 * title) that one, also in place of another title or name. What the contact has stays,
 * and what another contact has stays with that one.
 */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "crm/address.h"
#include "crm/cmd.h"
#include "crm/offer.h"

static int take_parse(struct cmd *c, struct err *e)
{
    return cmd_text(c, NULL, e);
}

/* Is this the one that is meant? Numbers as people write them. */
static bool is_meant(const struct cmd *c, const json_t *offer)
{
    char folded[CRM_ADDRESS_MAX];
    const char *value = json_get_str(offer, "value", ""), *channel = json_get_str(offer, "channel", "");
    if (rule_fold_equal(c->text, value) || rule_fold_equal(c->text, channel))
        return true;
    return !strcmp(channel, "phone") &&
           crm_phone_fold(c->text, c->crm->country, folded, sizeof(folded)) == 0 &&
           !strcmp(folded, value);
}

static void tell(struct buf *out, const json_t *offer, enum crm_offer_done done)
{
    const char *channel = json_get_str(offer, "channel", ""), *value = json_get_str(offer, "value", ""),
               *other = json_get_str(offer, "other", "another contact");
    static const char *const form[] = {[OFFER_TAKEN] = "%s%s %s",
                                       [OFFER_HAS] = "%s%s %s was there already",
                                       [OFFER_STAYS] = "%snot the %s %s, since there is one"};
    const char *sep = out->len ? "; " : "";
    if (done == OFFER_OTHERS)
        buf_printf(out, "%snot the %s %s, which is that of %s", sep, channel, value, other);
    else
        buf_printf(out, form[done], sep, channel, value);
}

static int take_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    size_t i;
    json_t *v;
    json_t *offers = NULL;
    int taken = 0;
    struct buf text AUTO_BUF;
    buf_init(&text, sizeof(out->text));
    if (!t->contact)
        return err_set(e, ERR_INPUT, "take: there is no contact here");
    if (crm_offers(ctx, t->contact, &offers, e) < 0)
        return -1;
    json_array_append_new(ctx->strings, offers);
    json_array_foreach(offers, i, v) {
        enum crm_offer_done done;
        bool meant = c->text ? is_meant(c, v) : crm_offer_is_plain(v);
        if (!meant)
            continue;
        if (crm_offer_take(ctx, t->contact, json_get_str(v, "channel", ""),
                           json_get_str(v, "value", ""), c->text != NULL, &done, e) < 0)
            return -1;
        taken += done == OFFER_TAKEN;
        tell(&text, v, done);
    }
    if (!text.len)
        return c->text ? err_set(e, ERR_INPUT, "take: nothing such is offered; show %s tells what is",
                                 cmd_id(ctx, CRM_CONTACT, t->contact))
                       : err_set(e, ERR_INPUT, "take: nothing is offered for %s",
                                 cmd_id(ctx, CRM_CONTACT, t->contact));
    if (!taken)
        return err_set(e, ERR_INPUT, "take: %s", text.data);
    cmd_say(out, "%s: %s", cmd_id(ctx, CRM_CONTACT, t->contact), text.data);
    return 0;
}

const struct cmd_row crm_cmd_take = {
    "take", "[FACT]", MAY_STAFF, WORDS_SEALED, take_parse, take_run,
    "takes them off the contact again",
    "put on the contact what a signature or a form says of it: all that fills a gap, or that one",
    "take"};
