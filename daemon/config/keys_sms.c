/* SPDX-License-Identifier: ISC
 *
 * keys_sms - the keys of gateways for SMS, one row each
 *
 * As in keys.c, the help texts are the reference of leadd.conf(5). A gateway may name a
 * preset: what leadd.conf leaves out is then as the preset's file says (preset.c).
 */
#include "base/mem.h"
#include "config/read.h"

static const struct schema_key keys_gateway[] = {
    {"preset", TYPE_NAME,
     .help = "A file in gateways below presets_dir: all that is not set here is as it says."},
    {"number", TYPE_PHONE, .help = "The number that is texted from, with its country code."},
    {"verify", TYPE_GROUP, .sub = &schema_verify,
     .help = "How the gateway's requests show that they are its own."},
};
const struct schema schema_gateway = {.name = "gateway",
                                      .keys = keys_gateway,
                                      .count = ARRAY_LEN(keys_gateway),
                                      .place = true,
                                      .presets = "gateways"};
