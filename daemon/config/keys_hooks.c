/* SPDX-License-Identifier: ISC
 *
 * keys_hooks - the keys of sources and of how a request is verified, one row each
 *
 * As in keys.c, the help texts are the reference of leadd.conf(5). A source may name a
 * preset: what leadd.conf leaves out is then as the preset's file says (preset.c).
 */
#include "config/keys.h"

static const struct schema_key keys_verify[] = {
    {"scheme", TYPE_CHOICE,
     .choices = "none token basic hmac github typeform stripe standard-webhooks mailgun telnyx vonage "
                "twilio plivo",
     .help = "How a request shows who sent it. \"none\": not at all, so that anybody may send. "
             "\"token\": by a secret that it carries. \"basic\": by name and password, in the secret "
             "file as name:password. \"hmac\": by a signature as the keys below describe it. The others "
             "are those of their senders; \"stripe\" is t=..,v1=.. under any header."},
    {"secret_files", TYPE_SECRETS,
     .help = "Files with the secret, each in one line (for telnyx, the public key). Several are valid "
             "side by side until one is taken away, so that a secret can be changed."},
    {"challenge_file", TYPE_SECRET,
     .help = "A file with the token by which the sender checks, before it sends anything, whose "
             "address this is: a GET with hub.mode=subscribe, hub.verify_token and hub.challenge, as "
             "Meta and WebSub have it, is answered with that challenge when the token is this one."},
    {"header", TYPE_NAME,
     .help = "The header with the token or the signature. A token without header, query and field is "
             "taken from Authorization: Bearer, from ?token= and from /hook/NAME/TOKEN."},
    {"query", TYPE_TEXT, .help = "The name in the query of the URL that has the token."},
    {"field", TYPE_TEXT, .help = "The name in the body that has the token."},
    {"algorithm", TYPE_CHOICE, .choices = "sha256 sha1 sha512",
     .help = "Of scheme \"hmac\". Without it, sha256."},
    {"encoding", TYPE_CHOICE, .choices = "hex base64",
     .help = "How scheme \"hmac\" writes the signature. Without it, hex."},
    {"prefix", TYPE_TEXT, .help = "What stands before the signature of scheme \"hmac\": sha256=."},
    {"signs", TYPE_TEXT,
     .help = "What scheme \"hmac\" covers: {body}, or with more around it: "
             "\"{header X-Request-Timestamp}.{body}\". Without it, {body}."},
    {"time", TYPE_NAME,
     .help = "The header with the time of scheme \"hmac\", in seconds or milliseconds, which signs must "
             "name, too. Without it, none is looked at."},
    {"url", TYPE_URL,
     .help = "How this server is reached from outside, for signatures that cover the URL (twilio, "
             "plivo): https://hooks.example.com. Without it, https:// and the Host of the request."},
    {"window", TYPE_DURATION, .def = "5m", RANGE(SECOND_MS, DAY_MS),
     .help = "How far the time that was signed may be from ours."},
};
const struct schema schema_verify = {
    .name = "verify", .keys = keys_verify, .count = ARRAY_LEN(keys_verify)};

static const struct schema_key keys_quota[] = {
    {"rows", TYPE_INT, .def = "10000", RANGE(1, 100000000), .unit = "requests",
     .help = "Requests of a day that are stored."},
    {"bytes", TYPE_SIZE, .def = "64M", RANGE(KIB(1), INT64_C(1) << 40),
     .help = "Bytes of requests that cannot be verified and are kept to be looked at."},
    {"days", TYPE_INT, .def = "30", RANGE(1, 3650), .unit = "days",
     .help = "How long those are kept."},
};
static const struct schema schema_quota = {
    .name = "quota", .keys = keys_quota, .count = ARRAY_LEN(keys_quota)};

#define KINDS                                                                                      \
    "lead order.placed order.paid order.refunded order.cancelled call.started call.ended "         \
    "call.missed chat.ended visit nothing"

static const struct schema_key keys_map[] = {
    {"event", TYPE_TEXT,
     .help = "The sender's name of the event, by which one that comes twice is known. Without it, the "
             "same request within ten minutes, or with the same signature, is the same event."},
    {"id", TYPE_TEXT,
     .help = "The sender's name of the order, call or chat that several events are about: they become "
             "one activity."},
    {"at", TYPE_TEXT,
     .help = "When it happened: seconds or milliseconds since 1970, 2026-11-21T10:00:00Z, or Sat, 21 "
             "Nov 2026 10:00:00 +0000. Without it, when it came."},
    {"email", TYPE_TEXT, .help = "Address of the person it is about."},
    {"phone", TYPE_TEXT, .help = "Number of that person, who is known by it when there is no address."},
    {"name", TYPE_TEXT, .help = "Name of that person: \"{first_name} {last_name}\"."},
    {"company", TYPE_TEXT, .help = "Name of that person's company."},
    {"subject", TYPE_TEXT, .help = "What it is about."},
    {"text", TYPE_TEXT, .help = "Words of that person."},
    {"lines", TYPE_TEXT, .help = "A list whose elements are the lines of a chat."},
    {"line", TYPE_TEXT, .help = "One of these lines: \"{author}: {text}\"."},
    {"direction", TYPE_TEXT,
     .help = "Of a call: what begins with out is outgoing, everything else incoming."},
    {"duration", TYPE_TEXT, .help = "Of a call: seconds, or 1:35."},
    {"duration_in", TYPE_CHOICE, .choices = "s ms", .help = "\"ms\": duration is in milliseconds."},
    {"recording", TYPE_TEXT, .help = "Link to the recording of a call."},
    {"transcript", TYPE_TEXT, .help = "Words of a call, or a link to them."},
    {"number", TYPE_TEXT, .help = "Number of an order, as people know it."},
    {"status", TYPE_TEXT, .help = "The sender's word for the state of an order or call."},
    {"amount", TYPE_TEXT, .help = "Amount of an order."},
    {"refunded", TYPE_TEXT, .help = "How much of it was given back."},
    {"amount_in", TYPE_CHOICE, .choices = "major minor",
     .help = "\"minor\": amounts are in cents, or what stands for them in the currency."},
    {"currency", TYPE_TEXT, .help = "Currency of the amounts. Without it, currency above."},
    {"items", TYPE_TEXT, .help = "A list whose elements are the items of an order."},
    {"item", TYPE_TEXT, .help = "One of these items: \"{quantity} x {name}\"."},
    {"url", TYPE_TEXT, .help = "Address of the page of a visit."},
    {"title", TYPE_TEXT, .help = "Title of that page."},
};
static const struct schema schema_map = {
    .name = "map", .keys = keys_map, .count = ARRAY_LEN(keys_map)};

#define KEY_FIELDS                                                                                 \
    {"fields", TYPE_CUSTOM, .read = config_read_form_fields,                                       \
     .choices = "a list such as ( { from = \"data.budget\"; to = \"lead.budget\"; } )",            \
     .help = "Further fields that are filled where they are empty: ( { from = \"data.budget\"; to = " \
             "\"lead.budget\"; } )."}

static const struct schema_key keys_event[] = {
    {"when", TYPE_LINES,
     .help = "Conditions, all of which must hold: \"type = order.paid|order.complete\", \"type != test\", "
             "\"topic starts orders/\", \"email is set\", \"email is not set\"."},
    {"kind", TYPE_CHOICE, .choices = KINDS, .help = "What such an event is; \"nothing\" ignores it."},
    {"map", TYPE_GROUP, .sub = &schema_map, .help = "As map of the source, and before it."},
    KEY_FIELDS,
};
static const struct schema schema_event = {
    .name = "event", .keys = keys_event, .count = ARRAY_LEN(keys_event), .place = true};

static const struct schema_key keys_source[] = {
    {"preset", TYPE_NAME,
     .help = "A file in sources below presets_dir: all that is not set here is as it says."},
    {"verify", TYPE_GROUP, .sub = &schema_verify, .help = "How a request shows who sent it."},
    {"kind", TYPE_CHOICE, .choices = KINDS,
     .help = "What the source tells of, where events does not say it."},
    {"events", TYPE_MAP, .sub = &schema_event,
     .help = "Kinds of its events by names of your own: the first whose conditions hold counts."},
    {"map", TYPE_GROUP, .sub = &schema_map,
     .help = "Where values stand in what is sent. See SOURCES."},
    KEY_FIELDS,
    {"creates", TYPE_CHOICE, .def = "lead", .choices = "lead case contact nothing",
     .help = "What somebody becomes who is not known yet. Who is known gets a new lead or case by a "
             "lead or a chat alone."},
    {"sequence", TYPE_NAME,
     .help = "Whoever it tells of begins this sequence of the rule files, as with the command sequence "
             "NAME. Where that is refused, leadctl why tells."},
    {"quota", TYPE_GROUP, .sub = &schema_quota,
     .help = "What strangers may fill; beyond it the sender gets the status 429."},
};
const struct schema schema_source = {.name = "source",
                                     .keys = keys_source,
                                     .count = ARRAY_LEN(keys_source),
                                     .place = true,
                                     .presets = "sources"};
