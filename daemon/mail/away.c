/* SPDX-License-Identifier: ISC
 *
 * away - see away.h
 */
#include "mail/away.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define AWAY_TEXT KIB(4)
#define AWAY_CUE 60 /* bytes before a date in which its "until" stands */
#define AWAY_WORDS 200

static char *lowered(const char *s, size_t max)
{
    char *copy = mem_strn(s, text_utf8_cut(s, strlen(s), max));
    text_lower(copy);
    return copy;
}

static bool has_any(const char *low, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(low, words[i]))
            return true;
    return false;
}

static const char *const away_starts[] = {
    "automatic reply", "auto reply", "auto-reply", "autoreply", "automatic response",
    "auto response", "auto-response", "autoresponse", "autoresponder", "out of office",
    "out of the office", "out-of-office", "ooo:", "[auto-reply]", "[autoreply]", "(autoreply)",
    "away from my mail", "i am away", "i'm away", "on vacation", "vacation", "on holiday",
    "annual leave", "on leave", "parental leave", "maternity leave", "absence notice",
    "automatische antwort", "abwesenheit", "automatische abwesenheit", "abwesend", "außer haus",
    "urlaub", "nicht im büro", "nicht im haus", "réponse automatique", "reponse automatique",
    "absence du bureau", "absent", "en congé", "absence :", "absence:", "message d'absence",
    "respuesta automática", "respuesta automatica", "fuera de la oficina", "fuera de oficina",
    "ausente", "risposta automatica", "fuori sede", "fuori ufficio", "assente", "assenza",
    "automatisch antwoord", "afwezig", "niet aanwezig", "resposta automática",
    "resposta automatica", "ausência", "fora do escritório", "automatiskt svar", "frånvaro",
    "autosvar", "automatisk svar", "fravær", "automaattinen vastaus", "poissa",
    "automatyczna odpowied", "autoodpowied", "nieobecno", "automatická odpově",
    "automatická odpoveď", "nepřítomn", "automatikus válasz", "răspuns automat",
    "автоматический ответ", "автоответ", "автоматична відповідь", "otomatik yanıt",
    "αυτόματη απάντηση", "自動応答", "自動返信", "不在", "自动答复", "自动回复", "자동 회신", "automatski odgovor",
    "samodejni odgovor",
};

bool mail_away_subject(const char *subject)
{
    AUTO_FREE char *low = lowered(subject, 300);
    for (size_t i = 0; i < ARRAY_LEN(away_starts); i++) {
        size_t n = strlen(away_starts[i]);
        if (strncmp(low, away_starts[i], n) != 0)
            continue;
        /* "Out of office furniture" goes on in words: a machine puts a mark or ends there */
        const char *rest = low + n;
        while (*rest && (isalpha((unsigned char)*rest) || (*rest & 0x80)))
            rest++;
        rest += strspn(rest, " \t");
        if (!*rest || strchr(":-([\"|.,", *rest) || strncmp(rest, "re:", 3) == 0 ||
            strncmp(rest, "reply", 5) == 0 || strncmp(rest, "auto", 4) == 0 ||
            strncmp(rest, "until", 5) == 0 || strncmp(rest, "bis ", 4) == 0 ||
            strncmp(rest, "\xe2\x80\x93", 3) == 0 || strchr(rest, ':'))
            return true;
    }
    return false;
}

static const char *const away_words[] = {
    "out of office", "out of the office", "out-of-office", "away from the office",
    "away from my desk", "on vacation", "on annual leave", "annual leave", "on holiday",
    "on leave", "parental leave", "maternity leave", "i am away", "i'm away", "i will be away",
    "i'll be away", "currently away", "not in the office", "limited access to", "no access to",
    "when i return", "upon my return", "on my return", "automatic reply", "automatic response",
    "automated response", "automated reply", "auto-reply", "automatically generated",
    "no longer with the company", "no longer work", "nicht im büro", "nicht im haus",
    "nicht im hause", "außer haus", "im urlaub", "abwesend", "nicht erreichbar",
    "nicht am arbeitsplatz", "in elternzeit", "ab dem", "wieder erreichbar", "wieder im büro",
    "wieder für sie da", "automatische antwort", "automatisch erzeugt", "automatisch generiert",
    "absent", "en congé", "en vacances", "hors du bureau", "à mon retour", "de retour",
    "réponse automatique", "message automatique", "fuera de la oficina", "de vacaciones",
    "ausente", "a mi regreso", "respuesta automática", "mensaje automático", "fuori ufficio",
    "fuori sede", "in ferie", "assente", "al mio ritorno", "risposta automatica",
    "messaggio automatico", "afwezig", "op vakantie", "niet aanwezig", "niet op kantoor",
    "automatisch antwoord", "de férias", "fora do escritório", "resposta automática",
    "semester", "inte på kontoret", "ute fra kontoret", "ferie", "na urlopie", "nieobecn",
    "poza biurem", "dovolen", "nepřítomn", "mimo kancelář", "szabadság", "lomalla", "в отпуске",
    "отсутств", "автоматическ", "tatilde", "休暇", "不在", "休假", "外出",
};

bool mail_away_text(const char *text)
{
    AUTO_FREE char *low = lowered(text, AWAY_TEXT);
    return has_any(low, away_words, ARRAY_LEN(away_words));
}

static const char *const ack_words[] = {
    "have received your", "has been received", "we received your", "was received",
    "received your request", "received your message", "received your e-mail",
    "received your email", "thank you for contacting", "thanks for contacting",
    "thank you for your message", "thank you for your inquiry", "thank you for your enquiry",
    "a ticket has been", "ticket has been created", "ticket number", "has been opened",
    "has been created", "has been registered", "has been closed", "has been resolved",
    "marked as solved", "considered resolved", "will get back to you", "will be in touch",
    "as soon as possible", "within one business", "within 24 hours", "within a day",
    "do not reply to this", "please do not reply", "this is an automat",
    "automatically generated", "automated", "eingegangen", "haben ihre nachricht",
    "haben ihre anfrage", "haben ihre e-mail", "eingang ihrer", "ticketnummer",
    "schnellstmöglich", "so bald wie möglich", "so rasch wie möglich", "nicht auf diese",
    "automatisch", "avons bien reçu", "accusé de réception", "dans les plus brefs",
    "hemos recibido", "ha sido recibid", "abbiamo ricevuto", "è stata ricevuta", "hebben uw",
    "ontvangen", "recebemos", "otrzymaliśmy", "mottagit", "modtaget", "получили ваш",
    "автоматическ",
};

bool mail_ack_text(const char *text)
{
    AUTO_FREE char *low = lowered(text, AWAY_TEXT);
    return has_any(low, ack_words, ARRAY_LEN(ack_words));
}

/* ---- the day ---- */

struct day {
    int day, month, year; /* year 0: not written */
    size_t end;
};

/* The beginnings of the months' names in the languages that occur. */
static int month_of(const char *s, size_t *len)
{
    static const struct {
        const char *stem;
        int month;
    } stems[] = {{"jan", 1},  {"jän", 1},  {"ene", 1},   {"genn", 1},  {"gen", 1},  {"feb", 2},
                 {"fév", 2},  {"fev", 2},  {"febb", 2},  {"march", 3}, {"mär", 3},  {"maer", 3},
                 {"mars", 3}, {"marz", 3}, {"maart", 3}, {"março", 3}, {"mar", 3},  {"mrz", 3},
                 {"apr", 4},  {"abr", 4},  {"avr", 4},   {"may", 5},   {"mai", 5},  {"mag", 5},
                 {"mei", 5},  {"maj", 5},  {"jun", 6},   {"juin", 6},  {"giu", 6},  {"jul", 7},
                 {"juil", 7}, {"lug", 7},  {"aug", 8},   {"aoû", 8},   {"aou", 8},  {"ago", 8},
                 {"sep", 9},  {"set", 9},  {"oct", 10},  {"okt", 10},  {"ott", 10}, {"outu", 10},
                 {"nov", 11}, {"dec", 12}, {"dez", 12},  {"dic", 12},  {"déc", 12}};
    size_t n = 0;
    int best = 0;
    size_t best_len = 0;
    while (isalpha((unsigned char)s[n]) || (s[n] & 0x80))
        n++;
    for (size_t i = 0; i < ARRAY_LEN(stems); i++) {
        size_t k = strlen(stems[i].stem);
        if (k > best_len && strncmp(s, stems[i].stem, k) == 0) {
            best = stems[i].month;
            best_len = k;
        }
    }
    *len = n + (s[n] == '.');
    return n <= 11 ? best : 0;
}

static int number_at(const char *s, size_t *len)
{
    int v = 0;
    size_t n = 0;
    while (isdigit((unsigned char)s[n]) && n < 5)
        v = v * 10 + s[n++] - '0';
    *len = n;
    return n && n <= 4 ? v : -1;
}

/* "2024" behind a day and a month; also "'24" and "de 2024". */
static void year_read(const char *s, struct day *d)
{
    size_t i = strspn(s, " ,.'"), n;
    if (strncmp(s + i, "de ", 3) == 0 || strncmp(s + i, "del ", 4) == 0)
        i += strcspn(s + i, " ") + 1;
    int v = number_at(s + i, &n);
    if (n == 4 && v >= 1990 && v < 2200) {
        d->year = v;
        d->end += i + n;
    }
}

/* 12.08.2024, 12.8., 12/08/2024, 12-08-24, 2024-08-12. */
static bool numeric_read(const char *s, int64_t base_ms, struct day *d)
{
    size_t n1, n2, n3 = 0;
    int a = number_at(s, &n1);
    char sep = s[n1];
    if (a < 0 || !sep || !strchr("./-", sep))
        return false;
    int b = number_at(s + n1 + 1, &n2);
    size_t at = n1 + 1 + n2;
    if (b < 1 || n2 > 2)
        return false;
    int c = s[at] == sep ? number_at(s + at + 1, &n3) : -1;
    if (n1 == 4) {
        *d = (struct day){c, b, a, at + 1 + n3};
        return c > 0 && b <= 12 && n3 <= 2;
    }
    if (n1 > 2 || a < 1 || (sep != '.' && c < 0) || (sep == '.' && c < 0 && s[at] != '.'))
        return false;
    *d = (struct day){a, b, n3 == 2 ? 2000 + c : n3 == 4 ? c : 0, at + (n3 ? 1 + n3 : 1)};
    if (sep == '/' && a <= 12 && (b > 12 || a == b)) {
        d->day = b;
        d->month = a;
    } else if (sep == '/' && a <= 12 && d->year) { /* which of both is soon? */
        char iso[96];
        int64_t one, other;
        snprintf(iso, sizeof(iso), "%04d-%02d-%02dT00:00:00Z", d->year, b, a);
        bool ok1 = clock_parse_utc(iso, &one) == 0;
        snprintf(iso, sizeof(iso), "%04d-%02d-%02dT00:00:00Z", d->year, a, b);
        bool ok2 = clock_parse_utc(iso, &other) == 0;
        bool near1 = ok1 && one >= base_ms - DAY_MS, near2 = ok2 && other >= base_ms - DAY_MS;
        if (near2 && (!near1 || other < one)) {
            d->day = b;
            d->month = a;
        }
    }
    return d->month <= 12 && d->day <= 31;
}

/* "29 July 2024", "29. Juli", "le 1er août", "July 29th, 2024". */
static bool named_read(const char *s, struct day *d)
{
    static const char *const fillers[] = {"of ", "de ", "di ", "van ", "den "};
    size_t n, m;
    int month = isalpha((unsigned char)*s) ? month_of(s, &m) : 0;
    int day = month ? number_at(s + m + strspn(s + m, " "), &n) : number_at(s, &n);
    if (month) {
        size_t at = m + strspn(s + m, " ") + n;
        if (n < 1 || n > 2 || day < 1 || day > 31)
            return false;
        at += strspn(s + at, "stndrh");
        *d = (struct day){day, month, 0, at};
        year_read(s + at, d);
        return true;
    }
    if (day < 1 || day > 31 || n > 2)
        return false;
    size_t at = n + strspn(s + n, "stndrhe.\xc2\xba\xb0");
    at += strspn(s + at, " ");
    for (size_t i = 0; i < ARRAY_LEN(fillers); i++)
        if (strncmp(s + at, fillers[i], strlen(fillers[i])) == 0)
            at += strlen(fillers[i]);
    if (!isalpha((unsigned char)s[at]) || !(month = month_of(s + at, &m)))
        return false;
    *d = (struct day){day, month, 0, at + m};
    year_read(s + at + m, d);
    return true;
}

/* A day that is written without a year is the next one. */
static bool day_ms(const struct day *d, int64_t base_ms, int64_t *out)
{
    char iso[96];
    int year = d->year;
    if (!year) {
        clock_format_utc(base_ms - 7 * DAY_MS, iso, sizeof(iso));
        size_t n;
        year = number_at(iso, &n);
    }
    for (int i = 0; i < 2; i++, year++) {
        snprintf(iso, sizeof(iso), "%04d-%02d-%02dT00:00:00Z", year, d->month, d->day);
        if (clock_parse_utc(iso, out) < 0)
            return false;
        if (d->year || *out >= base_ms - 7 * DAY_MS)
            break;
    }
    return *out >= base_ms - DAY_MS && *out <= base_ms + 500 * DAY_MS;
}

static const char *const until_cues[] = {
    "until", "till", "through", "thru", "back", "return", "up to", "incl", "bis", "zurück",
    "wieder", "ab dem", "ab ", "jusqu", "retour", "hasta", "regres", "vuelv", "volver", "fino",
    "rientr", "torn", "tot", "t/m", "terug", "até", "retorn", "volto", "tom", "till", "do dnia",
    "до ", " to ", "available on", "available again", "resum", " – ", " - ", "reachable",
    "erreichbar",
};

/* Does a word for "until" or "back on" stand before it, in its sentence? 2: near. */
static int cue_points(const char *low, size_t at)
{
    size_t from = at > AWAY_CUE ? at - AWAY_CUE : 0;
    for (size_t i = at; i-- > from;)
        if (low[i] == '\n' && i + 1 < at && low[i + 1] == '\n') {
            from = i;
            break;
        }
    AUTO_FREE char *before = mem_strn(low + from, at - from);
    return has_any(before, until_cues, ARRAY_LEN(until_cues)) ? 2 : 0;
}

/* ---- "until Monday" ---- */

/* The beginnings of the weekdays' names, Monday first, as far as no other word in such a
 * mail begins so. */
static const char *const weekdays[7][16] = {
    {"monday", "montag", "lundi", "lunes", "lunedì", "lunedi", "maandag", "segunda-feira",
     "poniedział", "måndag", "mandag", "maanantai", "pondělí", "понедельник"},
    {"tuesday", "dienstag", "mardi", "martes", "martedì", "martedi", "dinsdag", "terça-feira",
     "wtork", "tisdag", "tirsdag", "tiistai", "úterý", "вторник"},
    {"wednesday", "mittwoch", "mercredi", "miércoles", "miercoles", "mercoledì", "mercoledi",
     "woensdag", "quarta-feira", "środ", "onsdag", "keskiviik", "střed", "сред"},
    {"thursday", "donnerstag", "jeudi", "jueves", "giovedì", "giovedi", "donderdag",
     "quinta-feira", "czwart", "torsdag", "torsta", "čtvrt", "четверг"},
    {"friday", "freitag", "vendredi", "viernes", "venerdì", "venerdi", "vrijdag", "sexta-feira",
     "piąt", "fredag", "perjantai", "pátek", "pátku", "пятниц"},
    {"saturday", "samstag", "sonnabend", "samedi", "sábado", "sabado", "sabato", "zaterdag",
     "sobot", "lördag", "lørdag", "lauantai", "суббот"},
    {"sunday", "sonntag", "dimanche", "domingo", "domenica", "zondag", "niedziel", "söndag",
     "søndag", "sunnuntai", "neděl", "воскресен"},
};
static const char *const tomorrows[] = {"tomorrow", "morgen", "demain", "mañana", "domani",
                                        "amanhã", "jutra", "imorgon", "i morgen", "завтра"};
static const char *const next_weeks[] = {
    "next week", "the following week", "nächste woche", "nächster woche", "nächsten woche",
    "kommende woche", "kommender woche", "kommenden woche", "la semaine prochaine",
    "semaine prochaine", "la próxima semana", "próxima semana", "la semana que viene",
    "la prossima settimana", "prossima settimana", "volgende week", "komende week",
    "semana que vem", "przyszłym tygodni", "nästa vecka", "næste uge", "neste uke",
};
/* Before it, and behind it: "until Monday", "ab Montag", "am Montag wieder". Without dashes
 * and "to", which stand between any two days. */
static const char *const before_words[] = {
    "until", "till", "through", "back", "return", "resum", "available", "bis", "zurück",
    "wieder", "ab ", "jusqu", "retour", "reviens", "hasta", "regres", "vuelv", "volver", "fino",
    "rientr", "torn", "tot ", "t/m", "terug", "até", "retorn", "volto", "wrac", "tillbaka",
    "tilbake", "tilbage", "до ", "верн",
};
static const char *const behind_words[] = {"wieder", "zurück", "back", "again", "de retour",
                                           "terug", "tillbaka", "tilbake", "tilbage", "de nuevo"};

#define CUE_NEAR 32

/* In the same sentence, so near that it can be meant. */
static bool relative_cue(const char *low, size_t at, size_t end)
{
    size_t from = at, to = end;
    while (from > 0 && at - from < CUE_NEAR && !strchr(".!?\n", low[from - 1]))
        from--;
    while (low[to] && to - end < CUE_NEAR && !strchr(".!?\n", low[to]))
        to++;
    AUTO_FREE char *before = mem_strn(low + from, at - from);
    AUTO_FREE char *behind = mem_strn(low + end, to - end);
    return has_any(before, before_words, ARRAY_LEN(before_words)) ||
           has_any(behind, behind_words, ARRAY_LEN(behind_words));
}

static size_t starts_any(const char *s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count && words[i]; i++)
        if (strncmp(s, words[i], strlen(words[i])) == 0)
            return strlen(words[i]);
    return 0;
}

/* The day that is named relative to the day of the mail; the bytes it took, or 0. */
static size_t relative_read(const char *s, int64_t base_ms, int64_t *out)
{
    int64_t today = base_ms / DAY_MS;
    int now = (int)((today + 3) % 7); /* 1970-01-01 was a Thursday; Monday is 0 */
    size_t n = starts_any(s, next_weeks, ARRAY_LEN(next_weeks));
    if (n) {
        *out = (today + 7 - now) * DAY_MS;
        return n;
    }
    if ((n = starts_any(s, tomorrows, ARRAY_LEN(tomorrows))) && !isalpha((unsigned char)s[n])) {
        *out = (today + 1) * DAY_MS;
        return n;
    }
    for (int day = 0; day < 7; day++) {
        n = starts_any(s, weekdays[day], ARRAY_LEN(weekdays[day]));
        if (n && s[n] != 's') { /* "Mondays": each of them */
            *out = (today + (day - now + 6) % 7 + 1) * DAY_MS;
            return n;
        }
    }
    return 0;
}

/* The last of the days that are named so; INT64_MIN: none is. */
static int64_t relative_until(const char *low, int64_t base_ms, size_t *at_out)
{
    int64_t best = INT64_MIN, ms;
    for (size_t i = 0; low[i]; i++) {
        bool begins = i == 0 || !(isalnum((unsigned char)low[i - 1]) || low[i - 1] & 0x80);
        size_t n = begins ? relative_read(low + i, base_ms, &ms) : 0;
        if (!n)
            continue;
        if (ms > best && relative_cue(low, i, i + n)) {
            best = ms;
            *at_out = i;
        }
        i += n - 1;
    }
    return best;
}

static void put_words(json_t *a, const char *text, size_t at)
{
    size_t from = at, to = at;
    while (from && text[from - 1] != '\n' && at - from < AWAY_WORDS / 2)
        from--;
    while (from && (text[from] & 0xc0) == 0x80)
        from--;
    while (text[to] && text[to] != '\n' && to - from < AWAY_WORDS)
        to++;
    AUTO_FREE char *s =
        mem_strn(text + from, text_utf8_cut(text + from, strlen(text + from), to - from));
    json_put_str(a, "until_text", text_trim(s));
}

void mail_away_until(json_t *a, const char *text, int64_t base_ms)
{
    AUTO_FREE char *low = lowered(text, AWAY_TEXT);
    size_t n = strlen(low), best_at = 0;
    int64_t best_ms = INT64_MIN;
    if (base_ms <= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct day d;
        int64_t ms;
        bool begins = i == 0 || !(isalnum((unsigned char)low[i - 1]) || low[i - 1] & 0x80);
        if (!begins || !isalnum((unsigned char)low[i]))
            continue;
        if (!numeric_read(low + i, base_ms, &d) && !named_read(low + i, &d))
            continue;
        if (day_ms(&d, base_ms, &ms) && cue_points(low, i) > 0 && ms > best_ms) {
            best_ms = ms;
            best_at = i;
        }
        i += d.end ? d.end - 1 : 0;
    }
    if (best_ms == INT64_MIN)
        best_ms = relative_until(low, base_ms, &best_at);
    if (best_ms == INT64_MIN)
        return;
    json_put_int(a, "until_ms", best_ms);
    put_words(a, text, best_at);
}
