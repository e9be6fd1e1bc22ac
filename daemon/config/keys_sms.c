/* SPDX-License-Identifier: ISC
 *
 * keys_sms - the keys of gateways for SMS, one row each
 *
 * As in keys.c, the help texts are the reference of leadd.conf(5). A gateway may name a
 * preset: what leadd.conf leaves out is then as the preset's file says (preset.c).
 */
#include "config/keys.h"

#define DATA .read = config_read_data, .choices = "a group { name = value; ... }"

static const struct schema_key keys_errors[] = {
    {"permanent", TYPE_TEXTS, .help = "The text will never be taken."},
    {"temporary", TYPE_TEXTS, .help = "Later it may be."},
    {"opted_out", TYPE_TEXTS, .help = "The recipient wants no more texts."},
    {"invalid_number", TYPE_TEXTS, .help = "Nobody has the number."},
    {"landline", TYPE_TEXTS, .help = "The number cannot get texts."},
    {"auth", TYPE_TEXTS, .help = "Our sign-in is refused."},
    {"rate", TYPE_TEXTS, .help = "Too many at a time."},
    {"balance", TYPE_TEXTS, .help = "The account has no money left."},
    {"unknown", TYPE_TEXTS, .help = "It may have been taken all the same."},
};
static const struct schema schema_errors = SCHEMA(keys_errors, "errors", false);

static const struct schema_key keys_ok[] = {
    {"status", TYPE_TEXTS, .help = "HTTP statuses of a success. Without it, all that begin with 2."},
    {"name", TYPE_TEXT, .help = "The value in the answer that tells success, such as messages.0.status."},
    {"is", TYPE_TEXTS, .help = "What that value then is."},
    {"words", TYPE_TEXTS, .help = "Texts of which the answer has one."},
};
static const struct schema schema_ok = SCHEMA(keys_ok, "ok", false);

static const struct schema_key keys_states[] = {
    {"queued", TYPE_TEXTS, .help = "The gateway has it."},
    {"sent", TYPE_TEXTS, .help = "The operator has it."},
    {"delivered", TYPE_TEXTS, .help = "The phone has it."},
    {"undelivered", TYPE_TEXTS, .help = "The operator could not deliver it."},
    {"failed", TYPE_TEXTS, .help = "The gateway could not send it."},
};
static const struct schema schema_states = SCHEMA(keys_states, "states", false);

#define KEYS_REQUEST                                                                               \
    {"method", TYPE_CHOICE, .choices = "POST GET PUT",                                             \
     .help = "The HTTP method. Without it, POST to send and GET to pull."},                       \
    {"url", TYPE_TEXT, .help = "In place of the gateway's url."},                                  \
    {"path", TYPE_TEXT, .help = "What follows url."},                                              \
    {"query", TYPE_CUSTOM, DATA, .help = "Names and values behind the ?"},                         \
    {"headers", TYPE_CUSTOM, DATA, .help = "Names and values of headers."},                        \
    {"form", TYPE_CUSTOM, DATA, .help = "The body as a form."},                                    \
    {"json", TYPE_CUSTOM, DATA, .help = "The body as JSON: a group is an object, a list an array."}, \
    {"auth", TYPE_CHOICE, .def = "none", .choices = "none basic bearer",                           \
     .help = "How to sign in: with user and secret, or with the secret. A secret in a header, "    \
             "query or body stands there as {secret}."}

static const struct schema_key keys_send[] = {
    KEYS_REQUEST,
    {"body", TYPE_CUSTOM, .read = config_read_data, .choices = "a text in quotes",
     .help = "The body, or the file of type = \"spool\", as text of several lines."},
    {"ok", TYPE_GROUP, .sub = &schema_ok, .help = "How an answer shows that the text was taken."},
    {"id", TYPE_TEXT, .help = "The value in the answer with the gateway's id, such as data.id."},
    {"id_after", TYPE_TEXT, .help = "In an answer of plain text: the text before the id."},
    {"error", TYPE_TEXTS, .help = "The values in the answer with the code of an error."},
    {"error_text", TYPE_TEXTS, .help = "And those with its words."},
    {"errors", TYPE_GROUP, .sub = &schema_errors,
     .help = "What codes mean: lists of codes, of words behind a ~, and of statuses as http:404."},
    {"price", TYPE_TEXT, .help = "The value in the answer with the price."},
    {"currency", TYPE_TEXT, .help = "And that with its currency."},
    {"currency_is", TYPE_TEXT, .help = "The currency, where no value tells it."},
    {"to", TYPE_TEXT, .help = "type = \"email\": the address, such as {to_digits}@sms.example.com."},
    {"subject", TYPE_TEXT, .help = "type = \"email\": the subject."},
};
static const struct schema schema_send = SCHEMA(keys_send, "send", false);

#define KEYS_STATE                                                                                 \
    {"each", TYPE_TEXT, .help = "The list that holds several, such as results."},                  \
    {"id", TYPE_TEXTS, .help = "The values with the gateway's id of the text."},                   \
    {"key", TYPE_TEXTS, .help = "The values with our {key} of the text."},                         \
    {"status", TYPE_TEXTS, .help = "The values with the state."},                                  \
    {"states", TYPE_GROUP, .sub = &schema_states, .help = "What these words mean."},               \
    {"error", TYPE_TEXTS, .help = "The values with the code of an error."},                        \
    {"errors", TYPE_GROUP, .sub = &schema_errors, .help = "What these codes mean."},               \
    {"price", TYPE_TEXTS, .help = "The values with the price."},                                   \
    {"currency", TYPE_TEXTS, .help = "And those with its currency."}

static const struct schema_key keys_receipt[] = {
    KEYS_STATE,
    {"currency_is", TYPE_TEXT, .help = "The currency, where no value tells it."},
    {"answer", TYPE_TEXT, .help = "What the gateway is answered."},
    {"answer_type", TYPE_TEXT, .help = "The Content-Type of that."},
};
static const struct schema schema_receipt = SCHEMA(keys_receipt, "receipt", false);

static const struct schema_key keys_pull[] = {
    KEYS_REQUEST,
    KEYS_STATE,
    {"after", TYPE_DURATION, .def = "1h", RANGE(MINUTE_MS, 168 * HOUR_MS),
     .help = "How long a receipt may take before the gateway is asked."},
    {"rate", TYPE_INT, .def = "60", RANGE(1, 600), .unit = "questions per minute",
     .help = "How many are asked at most."},
};
static const struct schema schema_pull = SCHEMA(keys_pull, "pull", false);

static const struct schema_key keys_inbound[] = {
    {"each", TYPE_TEXT, .help = "The list that holds several, such as results."},
    {"from", TYPE_TEXTS, .help = "The values with the sender's number."},
    {"to", TYPE_TEXTS, .help = "The values with our number."},
    {"text", TYPE_TEXTS, .help = "The values with the words."},
    {"id", TYPE_TEXTS, .help = "The values with the gateway's id."},
    {"time", TYPE_TEXTS, .help = "The values with the time."},
    {"media", TYPE_TEXT, .help = "The values with URLs of attachments: MediaUrl{n}, n from 0."},
    {"media_type", TYPE_TEXT, .help = "And those with their types."},
    {"ref", TYPE_TEXTS, .help = "Of a text in parts: the values with what its parts share."},
    {"part", TYPE_TEXTS, .help = "The values with the number of the part."},
    {"total", TYPE_TEXTS, .help = "And those with how many there are."},
    {"optout", TYPE_TEXTS, .help = "The values with which the gateway tells an opt-out."},
    {"optout_is", TYPE_TEXTS, .help = "What they then are."},
    {"only", TYPE_TEXT, .help = "The value that tells what was posted, ..."},
    {"only_is", TYPE_TEXTS, .help = "... and what it is for a text that came in. Others are answered and left."},
    {"answer", TYPE_TEXT, .help = "What the gateway is answered."},
    {"answer_type", TYPE_TEXT, .help = "The Content-Type of that."},
};
static const struct schema schema_inbound = SCHEMA(keys_inbound, "inbound", false);

static const struct schema_key keys_media[] = {
    {"fetch", TYPE_BOOL, .def = "true",
     .help = "Keep photos and other files as attachments of the text. false: only their links."},
    {"auth", TYPE_CHOICE, .def = "none", .choices = "none basic bearer",
     .help = "How the gateway's own host wants a sign-in for them: as in send."},
    {"headers", TYPE_CUSTOM, DATA, .help = "Names and values of headers for that host."},
    {"hosts", TYPE_TEXTS,
     .help = "Other hosts that get the sign-in, by https. All others are asked without one."},
    {"max_size", TYPE_SIZE, .def = "10M", RANGE(KIB(1), MIB(18)),
     .help = "What is larger stays a link."},
    {"private", TYPE_BOOL, .def = "false",
     .help = "Fetch from addresses that are not public, and without TLS, at the ports 80, 443 and "
             "the gateway's own: for a gateway in your own network. Who may post to the gateway's hook "
             "then decides what is asked there."},
};
static const struct schema schema_media = SCHEMA(keys_media, "media", false);

static const struct schema_key keys_gateway[] = {
    {"preset", TYPE_NAME,
     .help = "A file in gateways below presets_dir: all that is not set here is as it says."},
    {"number", TYPE_TEXT,
     .help = "The number that is texted from, with its country code, a short code, or a name of up "
             "to 11 letters and digits, which nobody can answer."},
    {"to", TYPE_TEXTS,
     .help = "Beginnings of the numbers that it serves, such as \"+43\". Others go by the next that "
             "serves them. Without it, all."},
    {"user", TYPE_TEXT, .help = "Name or account to sign in with."},
    {"secret_file", TYPE_SECRET, .help = "File with the password, key or token."},
    {"params", TYPE_CUSTOM, DATA,
     .help = "Further values that the preset asks for, such as a region."},
    {"country", TYPE_COUNTRY,
     .help = "Where numbers without a country code are, that come in here. Without it, "
             "default_country."},
    {"max_segments", TYPE_INT, .def = "3", RANGE(1, 10), .unit = "SMS",
     .help = "A text that would take more is not sent."},
    {"rate", TYPE_INT, .def = "600", RANGE(1, 600000), .unit = "SMS per minute",
     .help = "How many leave at most; the others wait."},
    {"price", TYPE_TEXT,
     .help = "What one SMS costs, such as \"0.075 EUR\", where the gateway does not tell it."},
    {"connections", TYPE_INT, .def = "4", RANGE(1, 64), .unit = "connections",
     .help = "How many to hold at the same time."},
    {"timeout", TYPE_DURATION, .def = "30s", RANGE(SECOND_MS, 10 * MINUTE_MS),
     .help = "How long a gateway may take to answer. A text without an answer is told as unknown."},
    {"url", TYPE_TEXT, .help = "Where the gateway is: https://api.example.com."},
    {"ca_file", TYPE_PATH,
     .help = "Certificates to trust instead of the system's, in PEM form."},
    {"allow_plaintext", TYPE_BOOL, .def = "false",
     .help = "Send the secret without TLS to a host other than this one."},
    {"type", TYPE_CHOICE, .def = "http", .choices = "http email spool",
     .help = "How texts go out: by HTTP, as mail to an address, or as a file in a folder."},
    {"folder", TYPE_PATH, .help = "type = \"spool\": the folder in which the files are put."},
    {"receipts", TYPE_BOOL, .def = "true",
     .help = "Ask for receipts where the preset can; they come to in_url of web."},
    {"encodings", TYPE_CUSTOM, DATA,
     .help = "Groups gsm7 and ucs2 with values that differ: { ucs2 : { coding = \"2\"; }; ... }."},
    {"send", TYPE_GROUP, .sub = &schema_send, .help = "The request that sends a text, and its answer."},
    {"receipt", TYPE_GROUP, .sub = &schema_receipt, .help = "What tells what became of a text."},
    {"pull", TYPE_GROUP, .sub = &schema_pull,
     .help = "The request that asks what became of {provider_id}, where no receipt came: once a "
             "day, for a week. See also: leadctl gateway pull."},
    {"inbound", TYPE_GROUP, .sub = &schema_inbound, .help = "What a text that comes in looks like."},
    {"media", TYPE_GROUP, .sub = &schema_media,
     .help = "How files that came with a text are fetched, where inbound says under which names "
             "they stand."},
    {"verify", TYPE_GROUP, .sub = &schema_verify,
     .help = "How the gateway's requests show that they are its own."},
    {"documented", TYPE_TEXTS, .help = "Pages of the vendor that the preset was written by."},
};
const struct schema schema_gateway = {.name = "gateway",
                                      .keys = keys_gateway,
                                      .count = ARRAY_LEN(keys_gateway),
                                      .place = true,
                                      .presets = "gateways"};
