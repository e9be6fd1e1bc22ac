/* SPDX-License-Identifier: ISC
 *
 * sms_words - see sms_words.h
 *
 * The words of the table are in folded form. A word that is also an everyday answer ("yes",
 * "no") is not among them: the gateways' own flags say those.
 */
#include "crm/sms_words.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/mem.h"
#include "base/text.h"

#define SAID_MAX 80    /* bytes of the longest that may be a word, folded */
#define LOOKED_AT 2000 /* bytes in which a word inside a sentence is looked for */

static const struct {
    const char *word;
    char language[3];
    enum sms_word kind;
} words[] = {
    {"stop", "en", SMS_WORD_STOP},
    {"stopall", "en", SMS_WORD_STOP},
    {"stop all", "en", SMS_WORD_STOP},
    {"unsubscribe", "en", SMS_WORD_STOP},
    {"cancel", "en", SMS_WORD_STOP},
    {"end", "en", SMS_WORD_STOP},
    {"quit", "en", SMS_WORD_STOP},
    {"revoke", "en", SMS_WORD_STOP},
    {"optout", "en", SMS_WORD_STOP},
    {"opt out", "en", SMS_WORD_STOP},
    {"remove", "en", SMS_WORD_STOP},
    {"remove me", "en", SMS_WORD_STOP},
    {"unsub", "en", SMS_WORD_STOP},
    {"stop it", "en", SMS_WORD_STOP},
    {"stop now", "en", SMS_WORD_STOP},
    {"stop please", "en", SMS_WORD_STOP},
    {"please stop", "en", SMS_WORD_STOP},
    {"stop sms", "en", SMS_WORD_STOP},
    {"sms stop", "en", SMS_WORD_STOP},
    {"stop texting", "en", SMS_WORD_STOP},
    {"stop texting me", "en", SMS_WORD_STOP},
    {"please stop texting me", "en", SMS_WORD_STOP},
    {"stop messaging me", "en", SMS_WORD_STOP},
    {"do not text me", "en", SMS_WORD_STOP},
    {"don t text me", "en", SMS_WORD_STOP},
    {"no more texts", "en", SMS_WORD_STOP},
    {"stopp", "de", SMS_WORD_STOP},
    {"bitte stopp", "de", SMS_WORD_STOP},
    {"bitte stop", "de", SMS_WORD_STOP},
    {"abmelden", "de", SMS_WORD_STOP},
    {"abmeldung", "de", SMS_WORD_STOP},
    {"abbestellen", "de", SMS_WORD_STOP},
    {"austragen", "de", SMS_WORD_STOP},
    {"keine sms mehr", "de", SMS_WORD_STOP},
    {"bitte keine sms mehr", "de", SMS_WORD_STOP},
    {"arret", "fr", SMS_WORD_STOP},
    {"arreter", "fr", SMS_WORD_STOP},
    {"arretez", "fr", SMS_WORD_STOP},
    {"desabonner", "fr", SMS_WORD_STOP},
    {"desabonnement", "fr", SMS_WORD_STOP},
    {"desinscription", "fr", SMS_WORD_STOP},
    {"desinscrire", "fr", SMS_WORD_STOP},
    {"me desabonner", "fr", SMS_WORD_STOP},
    {"me desinscrire", "fr", SMS_WORD_STOP},
    {"stop svp", "fr", SMS_WORD_STOP},
    {"baja", "es", SMS_WORD_STOP},
    {"alto", "es", SMS_WORD_STOP},
    {"darme de baja", "es", SMS_WORD_STOP},
    {"dar de baja", "es", SMS_WORD_STOP},
    {"darse de baja", "es", SMS_WORD_STOP},
    {"detener", "es", SMS_WORD_STOP},
    {"no mas sms", "es", SMS_WORD_STOP},
    {"cancelar", "es", SMS_WORD_STOP},
    {"disiscrivimi", "it", SMS_WORD_STOP},
    {"cancellami", "it", SMS_WORD_STOP},
    {"disiscrizione", "it", SMS_WORD_STOP},
    {"basta sms", "it", SMS_WORD_STOP},
    {"parar", "pt", SMS_WORD_STOP},
    {"pare", "pt", SMS_WORD_STOP},
    {"sair", "pt", SMS_WORD_STOP},
    {"remover", "pt", SMS_WORD_STOP},
    {"afmelden", "nl", SMS_WORD_STOP},
    {"uitschrijven", "nl", SMS_WORD_STOP},
    {"stoppen", "nl", SMS_WORD_STOP},
    {"stop sms berichten", "nl", SMS_WORD_STOP},
    {"wypisz", "pl", SMS_WORD_STOP},
    {"rezygnuje", "pl", SMS_WORD_STOP},
    {"odhlasit", "cs", SMS_WORD_STOP},
    {"leiratkozas", "hu", SMS_WORD_STOP},
    {"leiratkozom", "hu", SMS_WORD_STOP},
    {"odjava", "hr", SMS_WORD_STOP},
    {"dezabonare", "ro", SMS_WORD_STOP},
    {"avsluta", "sv", SMS_WORD_STOP},
    {"avregistrera", "sv", SMS_WORD_STOP},
    {"afmeld", "da", SMS_WORD_STOP},
    {"avslutt", "nb", SMS_WORD_STOP},
    {"avmeld", "nb", SMS_WORD_STOP},
    {"lopeta", "fi", SMS_WORD_STOP},
    {"peruuta", "fi", SMS_WORD_STOP},
    {"iptal", "tr", SMS_WORD_STOP},
    {"стоп", "ru", SMS_WORD_STOP},
    {"отписаться", "ru", SMS_WORD_STOP},
    {"отписка", "ru", SMS_WORD_STOP},
    {"відписатися", "uk", SMS_WORD_STOP},
    {"στοπ", "el", SMS_WORD_STOP},
    {"διακοπη", "el", SMS_WORD_STOP},
    {"توقف", "ar", SMS_WORD_STOP},
    {"ايقاف", "ar", SMS_WORD_STOP},
    {"الغاء الاشتراك", "ar", SMS_WORD_STOP},
    {"הסר", "he", SMS_WORD_STOP},
    {"הסירו", "he", SMS_WORD_STOP},
    {"退订", "zh", SMS_WORD_STOP},
    {"停止", "ja", SMS_WORD_STOP},
    {"配信停止", "ja", SMS_WORD_STOP},
    {"ストッフ", "ja", SMS_WORD_STOP},
    {"수신거부", "ko", SMS_WORD_STOP},
    {"start", "en", SMS_WORD_START},
    {"unstop", "en", SMS_WORD_START},
    {"restart", "en", SMS_WORD_START},
    {"subscribe", "en", SMS_WORD_START},
    {"resubscribe", "en", SMS_WORD_START},
    {"optin", "en", SMS_WORD_START},
    {"opt in", "en", SMS_WORD_START},
    {"anmelden", "de", SMS_WORD_START},
    {"reprendre", "fr", SMS_WORD_START},
    {"alta", "es", SMS_WORD_START},
    {"iniciar", "es", SMS_WORD_START},
    {"старт", "ru", SMS_WORD_START},
    {"help", "en", SMS_WORD_HELP},
    {"info", "en", SMS_WORD_HELP},
    {"hilfe", "de", SMS_WORD_HELP},
    {"infos", "de", SMS_WORD_HELP},
    {"aide", "fr", SMS_WORD_HELP},
    {"ayuda", "es", SMS_WORD_HELP},
    {"aiuto", "it", SMS_WORD_HELP},
    {"ajuda", "pt", SMS_WORD_HELP},
    {"hulp", "nl", SMS_WORD_HELP},
    {"pomoc", "pl", SMS_WORD_HELP},
    {"hjalp", "sv", SMS_WORD_HELP},
    {"помощь", "ru", SMS_WORD_HELP},
};

/* Words that mean STOP also among others; the rest of the table is everyday speech there. */
static const char *const strong[] = {
    "stop", "stopp", "stopall", "unsubscribe", "unsub", "optout", "opt out", "abmelden",
    "abbestellen", "desabonner", "desabonnement", "desinscrire", "darme de baja", "dar de baja",
    "disiscrivimi", "cancellami", "afmelden", "uitschrijven", "leiratkozas", "odhlasit",
    "отписаться", "стоп"};

static const struct {
    char language[3];
    const char *stop, *start, *help;
} answers[] = {
    {"en", "{company}: you get no more texts from us. START brings them back.",
     "{company}: you get our texts again. STOP ends them.",
     "{company}: answer here and we read it. STOP ends our texts."},
    {"de", "{company}: Sie bekommen keine SMS mehr von uns. START macht das rückgängig.",
     "{company}: Sie bekommen wieder SMS von uns. STOPP beendet sie.",
     "{company}: Antworten Sie hier, wir lesen mit. STOPP beendet unsere SMS."},
    {"fr", "{company} : vous ne recevrez plus de SMS de notre part. START pour reprendre.",
     "{company} : vous recevrez de nouveau nos SMS. STOP pour arrêter.",
     "{company} : répondez ici, nous lisons. STOP pour ne plus recevoir nos SMS."},
    {"es", "{company}: no recibirá más SMS nuestros. ALTA para volver a recibirlos.",
     "{company}: volverá a recibir nuestros SMS. BAJA para dejar de recibirlos.",
     "{company}: responda aquí y le leeremos. BAJA para no recibir más SMS."},
    {"it", "{company}: non riceverà più i nostri SMS. START per riattivarli.",
     "{company}: riceverà di nuovo i nostri SMS. STOP per non riceverli.",
     "{company}: risponda qui, leggiamo. STOP per non ricevere più SMS."},
    {"pt", "{company}: não receberá mais SMS nossos. START para voltar a receber.",
     "{company}: voltará a receber os nossos SMS. PARAR para deixar de receber.",
     "{company}: responda aqui, nós lemos. PARAR para não receber mais SMS."},
    {"nl", "{company}: u krijgt geen sms meer van ons. START zet ze weer aan.",
     "{company}: u krijgt weer sms van ons. STOP zet ze uit.",
     "{company}: antwoord hier, wij lezen mee. STOP zet onze sms uit."},
    {"pl", "{company}: nie wyslemy juz do Pani/Pana SMS. START wlacza je ponownie.",
     "{company}: SMS sa znowu wlaczone. STOP je wylacza.",
     "{company}: prosze odpisac tutaj. STOP wylacza nasze SMS."},
};

/* ---- folding ------------------------------------------------------------------------ */

static void fold_add(struct buf *out, UChar32 c, bool *gap)
{
    char utf8[U8_MAX_LENGTH];
    int32_t n = 0;
    if (u_charType(c) == U_NON_SPACING_MARK ||
        u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
        return;
    if (!u_isalnum(c)) {
        *gap = true;
        return;
    }
    if (*gap && out->len)
        buf_char(out, ' ');
    *gap = false;
    U8_APPEND_UNSAFE(utf8, n, u_foldCase(c, U_FOLD_CASE_DEFAULT));
    buf_add(out, utf8, (size_t)n);
}

/* One character at a time, taken apart: no buffer grows with the text. */
void sms_words_fold(const char *text, size_t n, struct buf *out)
{
    UErrorCode ec = U_ZERO_ERROR;
    const UNormalizer2 *apart = unorm2_getNFKDInstance(&ec);
    bool gap = false;
    for (int32_t i = 0, len = (int32_t)n; i < len;) {
        UChar32 c, d;
        UChar units[32];
        U8_NEXT(text, i, len, c);
        if (c < 0) {
            gap = true;
            continue;
        }
        ec = U_ZERO_ERROR;
        bool whole = c < 0x80 || (c >= 0xac00 && c <= 0xd7a3); /* Hangul stays in syllables */
        int32_t count = whole ? -1 : unorm2_getDecomposition(apart, c, units, 32, &ec);
        if (count < 0 || U_FAILURE(ec)) {
            fold_add(out, c, &gap);
            continue;
        }
        for (int32_t k = 0; k < count;) {
            U16_NEXT(units, k, count, d);
            fold_add(out, d, &gap);
        }
    }
}

/* ---- reading ------------------------------------------------------------------------- */

static bool is_among(const json_t *more, const char *said)
{
    size_t i;
    const json_t *v;
    json_array_foreach((json_t *)more, i, v) {
        struct buf fold AUTO_BUF;
        const char *s = json_string_value(v) ? json_string_value(v) : "";
        buf_init(&fold, 4 * SAID_MAX);
        sms_words_fold(s, text_utf8_cut(s, strlen(s), SAID_MAX), &fold);
        if (fold.len && buf_ok(&fold) && !strcmp(fold.data, said))
            return true;
    }
    return false;
}

static bool word_find(const char *said, const json_t *more, struct sms_said *out)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strcmp(words[i].word, said)) {
            out->word = words[i].kind;
            memcpy(out->language, words[i].language, sizeof(out->language));
            return true;
        }
    if (is_among(more, said))
        out->word = SMS_WORD_STOP;
    return out->word != SMS_WORD_NONE;
}

/* "stop example" is "stop", when the company is called Example. */
static bool without_company(char *said, const char *company)
{
    struct buf name AUTO_BUF;
    size_t n = strlen(said);
    buf_init(&name, 4 * SAID_MAX);
    sms_words_fold(company, text_utf8_cut(company, strlen(company), SAID_MAX), &name);
    if (!name.len || !buf_ok(&name) || n <= name.len + 1 ||
        strcmp(said + n - name.len, name.data) != 0 || said[n - name.len - 1] != ' ')
        return false;
    said[n - name.len - 1] = '\0';
    return true;
}

static bool stands_in(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = strstr(text, word); p; p = strstr(p + 1, word))
        if ((p == text || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

void sms_said_read(const char *text, const char *company, const json_t *more,
                   struct sms_said *out)
{
    struct buf fold AUTO_BUF;
    buf_init(&fold, 8 * LOOKED_AT);
    *out = (struct sms_said){.language = "en"};
    sms_words_fold(text, text_utf8_cut(text, strlen(text), LOOKED_AT), &fold);
    if (!fold.len || !buf_ok(&fold))
        return;
    if (fold.len <= SAID_MAX && word_find(fold.data, more, out))
        return;
    for (size_t i = 0; i < ARRAY_LEN(strong) && !out->inside; i++)
        out->inside = stands_in(fold.data, strong[i]);
    if (fold.len <= 2 * SAID_MAX && company && without_company(fold.data, company) &&
        word_find(fold.data, more, out))
        out->inside = false;
}

const char *sms_word_answer(enum sms_word word, const char *language)
{
    size_t i = 0;
    for (size_t k = 0; k < ARRAY_LEN(answers); k++)
        if (!strcmp(answers[k].language, language))
            i = k;
    return word == SMS_WORD_STOP    ? answers[i].stop
           : word == SMS_WORD_START ? answers[i].start
           : word == SMS_WORD_HELP  ? answers[i].help
                                    : NULL;
}

bool sms_word_row(size_t i, const char **word_out, const char **language_out,
                  enum sms_word *kind_out)
{
    if (i >= ARRAY_LEN(words))
        return false;
    *word_out = words[i].word;
    *language_out = words[i].language;
    *kind_out = words[i].kind;
    return true;
}
