/* SPDX-License-Identifier: ISC
 *
 * bounce_words - which words of a mail server mean which status (RFC 3463)
 *
 * Most of what came back in thirty years has no enhanced status code, but says in
 * one of a few hundred ways that there is no such mailbox, or that it is full. The
 * words are looked for in the order below: the special before the general. All
 * tables are in lower case; letters outside ASCII are compared as they are.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/bounce.h"

struct meaning {
    char class; /* '4', '5': what it is when no code says so */
    const char *detail;
    const char *const *words;
};

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct meaning meanings[] = {
    {'5', "1.8",
     WORDS("sender address rejected", "sender rejected", "domain of sender address",
           "sender domain", "sender verify", "invalid sender", "bad sender", "sender unknown")},
    {'5', "2.2",
     WORDS("mailbox full", "mailbox is full", "mailfolder is full", "mail box full",
           "inbox is full", "inbox full", "over quota", "overquota", "quota exceeded",
           "exceeded quota", "exceeds quota", "exceed mailbox quota", "quota is exceeded",
           "exceeding quota", "exceeded his quota", "exceeded its quota", "disk quota",
           "out of storage", "exceeded storage", "storage allocation", "storage quota",
           "exceeded the space", "mailbox has exceeded", "mailbox size limit",
           "mailbox exceeds", "is over the allowed quota", "not have enough space",
           "not enough storage space", "quotaexceeded", "mailboxquota", "is full",
           "postfach ist voll", "postfach voll", "postfach des empfängers ist voll",
           "speicherplatz", "boîte aux lettres est pleine", "boite pleine", "boîte pleine",
           "buzón lleno", "buzón está lleno", "cuota", "casella piena",
           "casella di posta piena", "mailbox piena", "postvak is vol",
           "caixa de correio cheia", "caixa cheia", "ящик переполнен", "переполнен",
           "skrzynka jest pełna", "skrzynka pełna", "schránka je plná")},
    {'5', "3.4",
     WORDS("message too large", "message is too large", "message too big", "size exceeds",
           "exceeds the maximum", "message size", "exceeds size limit", "maximum message size",
           "too large for", "exceeds the size", "nachricht ist zu groß", "zu groß",
           "trop volumineux", "demasiado grande", "troppo grande")},
    {'5', "4.6",
     WORDS("too many hops", "mail loop", "loops back to myself", "hop count exceeded",
           "routing loop", "mail forwarding loop", "looping", "hop limit")},
    {'5', "7.1",
     WORDS("relay access denied", "relaying denied", "unable to relay", "relaying not",
           "relaying is not", "not permitted to relay", "relay not permitted",
           "we do not relay", "relaying prohibited", "relaying mail", "relay denied",
           "not relaying", "list of allowed rcpthosts", "no relaying", "relay is prohibited")},
    {'5', "1.1",
     WORDS("user unknown", "unknown user", "no such user", "no such recipient",
           "no such mailbox", "no such account", "no such address", "no such person",
           "no such local user", "no such email", "no such name", "no such local",
           "user does not exist", "account does not exist", "user doesn't",
           "address does not exist", "mailbox does not exist", "recipient does not exist",
           "doesn't exist", "does not exist at", "no mailbox here", "mailbox not found",
           "no longer accepts mail", "is no longer valid", "no longer in use",
           "mailbox unavailable", "mailbox is unavailable", "mailbox could not be found",
           "recipient unknown", "unknown recipient", "invalid recipient", "invalid mailbox",
           "invalid user", "invalid address", "unknown address", "address unknown",
           "address invalid", "unknown local", "unknown mailbox", "unknown account",
           "not listed in", "address not found", "recipient name is not recognized",
           "user not found", "recipient not found", "recipientnotfound", "addressee unknown",
           "no valid recipient", "account not found", "not a valid mailbox", "not a valid user",
           "not a valid recipient", "not a valid address", "undeliverable address",
           "is not a known user", "is not known", "not known here", "unknown or illegal",
           "no longer on server", "no longer available", "not our customer",
           "account is unavailable", "doesn't have a", "does not have a", "does not have an",
           "doesn't have an", "not a user", "no account", "no one by that", "nobody by",
           "no user by that", "user name is unknown", "mailbox name not allowed",
           "recipient rejected", "recipient address rejected", "address couldn't be found",
           "address couldn\xe2\x80\x99t be found", "couldn't be found", "wasn't found at",
           "email address you entered", "mailbox for", "not exist", "unknown in",
           "bad destination mailbox", "invalid recipients", "recipient is invalid",
           "destination address was unknown", "empfänger unbekannt", "unbekannter empfänger",
           "unbekannter benutzer", "benutzer unbekannt", "existiert nicht", "nicht gefunden",
           "adresse unbekannt", "nicht bekannt", "unbekannt", "utilisateur inconnu",
           "destinataire inconnu", "adresse inconnue", "inconnu", "n'existe pas", "introuvable",
           "n\xe2\x80\x99" "existe pas", "usuario desconocido", "destinatario desconocido",
           "no existe", "desconocid", "no se encontró", "utente sconosciuto", "sconosciut",
           "non esiste", "inesistente", "onbekend", "bestaat niet", "desconhecid", "não existe",
           "não foi encontrado", "inexistente", "не существует", "не найден", "неизвестн",
           "nie istnieje", "nieznany", "neexistuje", "neznám", "finns inte", "okänd",
           "findes ikke", "ukjent", "ei löydy", "nem létezik", "ismeretlen", "bulunamadı",
           "不存在", "存在しません", "見つかりません")},
    {'5', "2.1",
     WORDS("account disabled", "account is disabled", "account has been disabled",
           "mailbox disabled", "mailbox is disabled", "user disabled", "account inactive",
           "mailbox inactive", "is inactive", "inactive user", "account suspended",
           "is suspended", "has been suspended", "deactivated", "account closed",
           "account locked", "account is locked", "mailbox is frozen", "is closed",
           "discontinued", "no longer active", "temporarily disabled", "not active", "disabled",
           "gesperrt", "deaktiviert", "désactivé", "deshabilitad", "disattivat")},
    {'5', "1.6",
     WORDS("has moved", "user moved", "have moved", "no forwarding address", "no longer works",
           "no longer with", "no longer employed", "changed address")},
    {'5', "1.2",
     WORDS("host unknown", "unknown host", "host not found", "domain not found",
           "no such domain", "domain does not exist", "unknown domain",
           "unrouteable mail domain", "unrouteable address", "unroutable",
           "couldn't find any host", "nxdomain", "no such host",
           "host or domain name not found", "name service error", "name or service not known",
           "non-existent host", "non-existent domain", "non-existing domain",
           "domain name not found", "bad destination host", "host name lookup failure", "no mx",
           "mx lookup failure", "no route to domain", "illegal host/domain", "unresolvable",
           "domain couldn't be found", "host lookup", "invalid domain", "domain not exist",
           "domäne", "domain unbekannt")},
    {'5', "1.3",
     WORDS("bad address syntax", "address syntax", "malformed address", "invalid syntax",
           "illegal address", "bad recipient address syntax")},
    {'4', "3.1",
     WORDS("insufficient system storage", "insufficient disk space", "system storage",
           "disk full", "no space left")},
    {'4', "7.1", WORDS("greylist", "grey-list", "graylist")},
    {'5', "7.1",
     WORDS("spam", "blacklist", "black list", "blocklist", "block list", "blocked", "dnsbl",
           "spamhaus", "spamcop", "policy", "prohibited", "dmarc", "spf", "virus", "infected",
           "content rejected", "content filter", "message rejected", "message content",
           "access denied", "not authorized", "not authorised", "permission denied",
           "not allowed", "administratively", "not permitted", "banned", "poor reputation",
           "bad reputation", "authentication required", "unauthenticated", "refused by",
           "service denied", "security", "abgelehnt", "rejected for", "restricted")},
    {'4', "4.7",
     WORDS("retry timeout exceeded", "queue too long", "in the queue too long",
           "too long in the queue", "been in the queue", "message expired", "expired",
           "delivery time", "could not be delivered for", "for too long", "timeout exceeded",
           "retry time not reached", "maximum retr", "max retries", "too many retries",
           "gave up after", "retry limit", "time limit", "could not deliver mail for",
           "cannot send message within", "cannot send message for", "still undelivered after")},
    {'4', "4.1",
     WORDS("connection refused", "connection timed out", "no route to host",
           "network is unreachable", "network unreachable", "unable to connect",
           "couldn't make", "couldn't establish", "could not connect", "cannot connect",
           "failed to connect", "no answer from", "connect failed", "host is down",
           "unreachable", "not responding", "establish an smtp connection",
           "operation timed out", "server not available", "host unreachable", "cannot reach",
           "not reachable", "did not respond", "didn't respond", "nicht erreichbar")},
    {'4', "4.2",
     WORDS("connection lost", "lost connection", "connection reset", "connection dropped",
           "connection died", "connection closed", "closed connection", "timed out while",
           "conversation with", "connection was dropped", "broken pipe", "read error",
           "remote end closed", "session aborted", "timed out", "timeout", "time-out")},
    {'4', "3.2",
     WORDS("too many connections", "too busy", "system not accepting", "service not available",
           "server busy", "temporarily unavailable", "service unavailable",
           "not accepting messages", "too many concurrent")},
    {'4', "7.0",
     WORDS("temporarily deferred", "try again later", "rate limit", "deferred",
           "too many messages", "throttl", "too much mail")},
    {'5', "1.1",
     WORDS("mailbox", "recipient not", "bad address", "address rejected", "undeliverable to",
           "invalid")},
};

/* Replies that say where the fault is even without words. */
static const struct {
    int code;
    const char *detail;
} replies[] = {
    {421, "3.2"}, {422, "2.2"}, {431, "3.1"},  {432, "2.0"}, {441, "4.1"}, {442, "4.2"},
    {446, "4.6"}, {447, "4.7"}, {449, "4.0"},  {450, "2.0"}, {451, "3.0"}, {452, "2.2"},
    {454, "7.0"}, {455, "0.0"}, {471, "7.1"},  {500, "5.2"}, {501, "5.4"}, {502, "5.1"},
    {503, "5.1"}, {504, "5.4"}, {510, "1.1"},  {511, "1.1"}, {512, "1.2"}, {513, "1.3"},
    {517, "1.8"}, {521, "0.0"}, {523, "3.4"},  {530, "7.0"}, {533, "0.0"}, {534, "7.9"},
    {535, "7.8"}, {541, "7.1"}, {550, "0.0"},  {551, "1.6"}, {552, "2.2"}, {553, "1.3"},
    {554, "0.0"}, {555, "5.4"}, {556, "1.10"}, {571, "7.1"},
};

static bool is_alone_before(const char *text, size_t at)
{
    char c = at ? text[at - 1] : ' ';
    return !isalnum((unsigned char)c) && c != '.' && c != '_' && c != '@' && !(c & 0x80);
}

/* "550" at text[at], as a reply code: its place in replies, or -1. */
static int reply_at(const char *text, size_t n, size_t at)
{
    if ((text[at] != '4' && text[at] != '5') || n - at < 3 || !is_alone_before(text, at) ||
        (at && (text[at - 1] == '/' || text[at - 1] == ':' || text[at - 1] == ',')))
        return -1;
    if (!isdigit((unsigned char)text[at + 1]) || !isdigit((unsigned char)text[at + 2]) ||
        (n - at > 3 && (isalnum((unsigned char)text[at + 3]) || text[at + 3] == '/')) ||
        (n - at > 4 && text[at + 3] == '.' && isdigit((unsigned char)text[at + 4])))
        return -1;
    int code = (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + text[at + 2] - '0';
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        if (replies[i].code == code)
            return (int)i;
    return -1;
}

/* "5.1.10" at text[at]: its length, or 0. Not an address of a host, no version. */
static size_t enhanced_at(const char *text, size_t n, size_t at)
{
    size_t i = at + 1, subject, detail;
    if ((text[at] != '4' && text[at] != '5') || !is_alone_before(text, at) || i >= n ||
        text[i++] != '.')
        return 0;
    for (subject = 0; i < n && isdigit((unsigned char)text[i]); i++)
        subject++;
    if (subject != 1 || text[i - 1] > '7' || i >= n || text[i++] != '.')
        return 0;
    for (detail = 0; i < n && isdigit((unsigned char)text[i]); i++)
        detail++;
    if (detail < 1 || detail > 3 || (i < n && (isalpha((unsigned char)text[i]) || text[i] == '_')))
        return 0;
    if (i + 1 < n && (text[i] == '.' || text[i] == '/') && isdigit((unsigned char)text[i + 1]))
        return 0;
    return i - at;
}

/* What stands in front makes it a version: "postfix 2.5.1", "version 5.0.2", "v5.1.1". */
static bool is_version(const char *text, size_t at)
{
    static const char *const names[] = {
        "version", "release", "postfix", "exim", "sendmail", "pro", "server", "qmail",
        "service", "daemon", "mailer", "esmtp",
    };
    size_t end = at;
    while (end && (text[end - 1] == ' ' || text[end - 1] == '(' || text[end - 1] == '-'))
        end--;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t k = strlen(names[i]);
        if (end >= k && memcmp(text + end - k, names[i], k) == 0)
            return true;
    }
    return false;
}

/* After a reply code of its class ("550 5.1.1", "550-5.1.1"), "#", or "status". */
static bool is_introduced(const char *text, size_t at)
{
    size_t end = at;
    if (at && text[at - 1] == '#')
        return true;
    while (end && strchr(" -,:<(['\"", text[end - 1]))
        end--;
    if (end >= 6 && memcmp(text + end - 6, "status", 6) == 0)
        return true;
    return end >= 3 && isdigit((unsigned char)text[end - 1]) &&
           isdigit((unsigned char)text[end - 2]) && text[end - 3] == text[at];
}

bool bounce_status_written(const char *text, size_t n, char out[BOUNCE_STATUS])
{
    int best = 0; /* 4: introduced; 3: alone; 2, 1: the same, but x.0.0 */
    for (size_t i = 0; i < n && best < 4; i++) {
        size_t len = enhanced_at(text, n, i);
        if (len == 0)
            continue;
        bool introduced = is_introduced(text, i),
             vague = memcmp(text + i + 1, ".0.0", 4) == 0 && len == 5;
        int rank = introduced ? (vague ? 2 : 4) : is_version(text, i) ? 0 : vague ? 1 : 3;
        if (rank > best) {
            best = rank;
            snprintf(out, BOUNCE_STATUS, "%.*s", (int)len, text + i);
        }
        i += len - 1;
    }
    return best > 0;
}

static const struct meaning *meaning_of(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
        for (const char *const *w = meanings[i].words; *w; w++)
            if (strstr(text, *w))
                return &meanings[i];
    return NULL;
}

bool bounce_status_find(const char *text, size_t n, char out[BOUNCE_STATUS])
{
    int reply = -1;
    bool written = bounce_status_written(text, n, out);
    if (written && strcmp(out + 1, ".0.0") != 0)
        return true;
    for (size_t i = 0; i < n && reply < 0; i++)
        reply = reply_at(text, n, i);
    AUTO_FREE char *copy = mem_strn(text, n);
    const struct meaning *m = meaning_of(copy);
    char class = written      ? out[0]
                 : reply >= 0 ? (char)('0' + replies[reply].code / 100)
                 : m          ? m->class
                              : '5';
    if (m)
        snprintf(out, BOUNCE_STATUS, "%c.%s", class, m->detail);
    else if (!written && reply >= 0)
        snprintf(out, BOUNCE_STATUS, "%c.%s", class, replies[reply].detail);
    return m || reply >= 0 || written;
}

static bool has_any(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasestr(text, *words))
            return true;
    return false;
}

static const char *const delay_words[] = {
    "has not yet been delivered", "not yet been delivered", "still being retried",
    "will be retried", "will continue to", "delayed mail", "warning only", "has been delayed",
    "delivery delayed", "delivery delay", "is delayed", "was delayed", "delivery is delayed",
    "still trying", "will keep trying", "could not be delivered yet", "do not need to resend",
    "delay reason", "warning: message", "warning: could not send", "has been deferred",
    "temporarily deferred", "transient non-fatal", "delivery incomplete", "(delay)",
    "noch nicht zugestellt", "verzögert", "wird weiterhin versucht", "retardé", "différé",
    "retrasad", "ritardo", "vertraagd", "atrasad", "задерж", "opóźni",
    "delivery attempts will continue", NULL,
};

bool bounce_is_delay(const char *text)
{
    static const char *const finals[] = {
        "permanent error", "permanent fatal", "failed permanently", "given up", "giving up",
        "gave up", "returned to sender", "will not be retried", "not going to try again",
        "(failure)", "delivery has failed", "endgültig", NULL,
    };
    return has_any(text, delay_words) && !has_any(text, finals);
}

static const char *const subject_words[] = {
    "undeliver", "returned mail", "returned to sender", "delivery status", "failure notice",
    "delivery failed", "delivery failure", "failure delivery", "delivery error",
    "delivery problem", "delivery fail", "delivery notification", "delivery report",
    "delivery has failed", "mail failure", "mail failed", "returning to sender",
    "returning message", "failed mail", "failure mail", "mail error", "could not be delivered",
    "couldn't be delivered", "not delivered", "nondeliverable", "non-deliver", "non deliver",
    "not deliverable", "not be delivered", "unable to deliver", "can't be delivered",
    "cannot be delivered", "mail delivery", "mail system error", "message status",
    "warning: message", "delayed mail", "mail delayed", "delayed:", "delivery delayed",
    "delivery delay", "(delay)", "could not send message", "cannot send", "deferred",
    "message rejected", "rejected mail", "rejected:", "mail rejected", "address not found",
    "bounced mail", "bounce:", "mail bounce", "user unknown", "unknown user", "mail returned",
    "returned:", "returned email", "returned message", "return mail", "error sending",
    "failed delivery", "delivery unsuccessful", "mail not", "unzustellbar", "nicht zustellbar",
    "zustellung", "nicht zugestellt", "zustellfehler", "nicht übermittelt", "non remis",
    "non distribu", "échec de", "echec de", "non délivré", "remise", "n'a pas pu",
    "no se puede entregar", "no se pudo entregar", "no se ha podido", "no entregado",
    "no entregable", "devuelto", "error de entrega", "mancato recapito",
    "impossibile recapitare", "non recapitabile", "mancata consegna", "non consegnat",
    "niet bezorgd", "onbestelbaar", "niet afgeleverd", "worden bezorgd", "não entregue",
    "falha na entrega", "não foi possível", "não pode ser entregue", "недостав", "не доставлен",
    "не удалось", "olevererbar", "kunde inte leverera", "kan ikke leveres",
    "kunne ikke leveres", "niedostarcz", "nie dostarcz", "zwrot", "niedoręcz", "nedoruč",
    "kézbesít", "toimitus", "teslim", "iletilemedi", "配信", "配送", "送信", "退信", "未送达", "投递", "전송",
    "반송",
};

bool bounce_has_subject(const char *subject)
{
    static const char *const answers[] = {
        "re:", "fw:", "fwd:", "aw:", "wg:", "tr:", "rv:", "rif:", "r:", "antw:", "sv:", "vs:",
        "odp:", "enc:", "doorst:",
    };
    subject += strspn(subject, " \t");
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        if (strncasecmp(subject, answers[i], strlen(answers[i])) == 0)
            return false;
    for (size_t i = 0; i < ARRAY_LEN(subject_words); i++)
        if (strcasestr(subject, subject_words[i]))
            return true;
    return false;
}

static const char *const server_sentences[] = {
    "this is the mail system at host", "this is the qmail-send program",
    "this is the mail delivery agent", "created automatically by mail delivery software",
    "i'm sorry to have to inform you that your message could not",
    "i'm afraid i wasn't able to deliver", "transcript of session follows",
    "had permanent fatal errors", "had delivery problems", "had transient non-fatal errors",
    "automatically generated delivery status notification",
    "did not reach the following recipient", "was not delivered to", "wasn't delivered to",
    "undeliverable to the following", "sorry, we were unable to deliver your message",
    "could not be delivered to", "couldn't be delivered to", "cannot be delivered to",
    "couldn't be delivered", "delivery to the following recipient",
    "the following address(es) failed", "the following addresses failed", "failed recipient",
    "following recipients failed", "following recipients could not", "unable to deliver",
    "delivery status notification", "this message was undeliverable",
    "your message was not delivered", "undelivered message", "undeliverable mail",
    "delivery failed", "delivery has failed", "has failed to deliver", "could not deliver",
    "konnte nicht zugestellt werden", "nicht zugestellt", "konnte nicht an",
    "nicht ausgeliefert", "non è stato possibile recapitare", "n'a pas pu être",
    "no se ha podido entregar", "no se pudo entregar", "kon niet worden",
    "não pôde ser entregue", "не удалось доставить", "не было доставлено", "nie mogła",
    "配信できません", "配信できませんでした", "送信できません", "message could not be", "message cannot be",
    "mail could not be", "mail cannot be", "has not yet been delivered", "still being retried",
    "rejected by", "was rejected", "has been rejected", "been blocked", "was blocked",
    "returned to sender", "returned mail", "failed to deliver",
    "error occurred while trying to deliver",
};

bool bounce_has_marker(const char *text, size_t n)
{
    AUTO_FREE char *head = mem_strn(text, n < 4000 ? n : 4000);
    for (size_t i = 0; i < ARRAY_LEN(server_sentences); i++) {
        const char *at = strcasestr(head, server_sentences[i]), *line = at;
        while (line && line > head && line[-1] != '\n')
            line--;
        if (line && *line != '>')
            return true;
    }
    return false;
}
