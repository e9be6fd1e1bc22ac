/* SPDX-License-Identifier: ISC
 *
 * optout_words - see optout_words.h
 */
#include "crm/optout_words.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const char *const languages[] = {"en", "de", "fr", "es", "it"};

static const char *const words[OPTOUT_W_COUNT][ARRAY_LEN(languages)] = {
    [OPTOUT_W_FOOT_LIST] = {"You get this mail because you are on our list “%s”. To leave it:",
                            "Sie bekommen diese Mail, weil Sie auf unserer Liste „%s“ stehen. Abmelden:",
                            "Vous recevez ce message car vous êtes sur notre liste « %s ». Pour la quitter :",
                            "Recibe este mensaje porque está en nuestra lista «%s». Para dejarla:",
                            "Riceve questo messaggio perché è nella nostra lista «%s». Per lasciarla:"},
    [OPTOUT_W_FOOT_ALL] = {"To get no more such mail:", "Keine solchen Mails mehr:",
                           "Pour ne plus recevoir ces messages :",
                           "Para no recibir más mensajes como este:",
                           "Per non ricevere più questi messaggi:"},
    [OPTOUT_W_TITLE] = {"Your mail from %s", "Ihre Mail von %s", "Vos messages de %s",
                        "Sus mensajes de %s", "I suoi messaggi da %s"},
    [OPTOUT_W_FOR] = {"What is sent to %s:", "Was an %s geschickt wird:",
                      "Ce qui est envoyé à %s :", "Lo que se envía a %s:",
                      "Che cosa viene inviato a %s:"},
    [OPTOUT_W_ALL] = {"Mail that is sent automatically", "Mail, die automatisch verschickt wird",
                      "Messages envoyés automatiquement", "Mensajes que se envían automáticamente",
                      "Messaggi inviati automaticamente"},
    [OPTOUT_W_LANGUAGE] = {"Language", "Sprache", "Langue", "Idioma", "Lingua"},
    [OPTOUT_W_SAVE] = {"Save", "Speichern", "Enregistrer", "Guardar", "Salva"},
    [OPTOUT_W_SAVED] = {"Saved.", "Gespeichert.", "C'est enregistré.", "Guardado.", "Salvato."},
    [OPTOUT_W_GONE] = {"You get no more of this mail.", "Sie bekommen diese Mails nicht mehr.",
                       "Vous ne recevrez plus ces messages.", "No recibirá más estos mensajes.",
                       "Non riceverà più questi messaggi."},
    [OPTOUT_W_LEDGER] = {"What we keep about it:", "Was wir dazu festhalten:",
                         "Ce que nous en gardons :", "Lo que guardamos al respecto:",
                         "Che cosa ne conserviamo:"},
    [OPTOUT_W_GRANTED] = {"agreed", "zugestimmt", "accepté", "aceptado", "accettato"},
    [OPTOUT_W_WITHDRAWN] = {"withdrawn", "widerrufen", "retiré", "retirado", "revocato"},
};

const char *optout_language(size_t i)
{
    return i < ARRAY_LEN(languages) ? languages[i] : NULL;
}

const char *optout_language_of(const char *said)
{
    for (size_t i = 0; said && i < ARRAY_LEN(languages); i++)
        if (strncasecmp(said, languages[i], 2) == 0 && (!said[2] || strchr("-_", said[2])))
            return languages[i];
    return languages[0];
}

const char *optout_word(const char *language, enum optout_word w)
{
    const char *known = optout_language_of(language);
    for (size_t i = 0; i < ARRAY_LEN(languages); i++)
        if (known == languages[i])
            return words[w][i];
    return words[w][0];
}

char *optout_word_fill(const char *language, enum optout_word w, const char *what)
{
    const char *text = optout_word(language, w), *at = strstr(text, "%s");
    return at ? mem_printf("%.*s%s%s", (int)(at - text), text, what, at + 2) : mem_str(text);
}
