/* SPDX-License-Identifier: ISC
 *
 * form_words - see form_words.h
 */
#include "base/form_words.h"

#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"

static const char *const langs[] = {"en", "de", "fr", "es", "it"};

static const char *const words[FORM_W_COUNT][ARRAY_LEN(langs)] = {
    [FORM_W_THANKS_TITLE] = {"Thank you", "Vielen Dank", "Merci", "Gracias", "Grazie"},
    [FORM_W_FAILED_TITLE] = {"This did not work", "Das hat nicht geklappt",
                             "Cela n'a pas fonctionné", "No ha funcionado", "Non ha funzionato"},
    [FORM_W_ARRIVED] = {"Your message has arrived.", "Ihre Nachricht ist angekommen.",
                        "Votre message est bien arrivé.", "Su mensaje ha llegado.",
                        "Il suo messaggio è arrivato."},
    [FORM_W_LATER] = {"Your message has arrived and will be looked at.",
                      "Ihre Nachricht ist angekommen und wird angesehen.",
                      "Votre message est bien arrivé et sera examiné.",
                      "Su mensaje ha llegado y será revisado.",
                      "Il suo messaggio è arrivato e sarà esaminato."},
    [FORM_W_BUSY] = {"The service is busy. Nothing was lost here: please send it again in a moment.",
                     "Der Dienst ist gerade ausgelastet. Bitte senden Sie das Formular gleich noch "
                     "einmal.",
                     "Le service est occupé. Veuillez renvoyer le formulaire dans un instant.",
                     "El servicio está ocupado. Envíe el formulario de nuevo en un momento.",
                     "Il servizio è occupato. Invii di nuovo il modulo tra un momento."},
    [FORM_W_REFUSED] = {"The request could not be accepted.",
                        "Die Anfrage konnte nicht angenommen werden.",
                        "La demande n'a pas pu être acceptée.",
                        "No se pudo aceptar la solicitud.",
                        "La richiesta non è stata accettata."},
    [FORM_W_CORRECT] = {"Please go back, correct this, and send the form again:",
                        "Bitte gehen Sie zurück, korrigieren Sie dies und senden Sie das Formular "
                        "noch einmal:",
                        "Veuillez revenir en arrière, corriger ceci et renvoyer le formulaire :",
                        "Vuelva atrás, corrija esto y envíe el formulario de nuevo:",
                        "Torni indietro, corregga quanto segue e invii di nuovo il modulo:"},
    [FORM_W_MISSING] = {"The field \"%s\" is missing.", "Das Feld „%s“ fehlt.",
                        "Le champ « %s » est vide.", "Falta el campo «%s».",
                        "Il campo \"%s\" è vuoto."},
    [FORM_W_SHAPE] = {"The field \"%s\" must be one text, not a list or an object.",
                      "Das Feld „%s“ muss ein Text sein, keine Liste und kein Objekt.",
                      "Le champ « %s » doit être un texte, ni une liste ni un objet.",
                      "El campo «%s» debe ser un texto, no una lista ni un objeto.",
                      "Il campo \"%s\" deve essere un testo, non un elenco né un oggetto."},
    [FORM_W_EMAIL] = {"The field \"%s\" is not an email address.",
                      "Das Feld „%s“ ist keine E-Mail-Adresse.",
                      "Le champ « %s » n'est pas une adresse e-mail.",
                      "El campo «%s» no es una dirección de correo.",
                      "Il campo \"%s\" non è un indirizzo e-mail."},
    [FORM_W_NUMBER] = {"The field \"%s\" is not a number.", "Das Feld „%s“ ist keine Zahl.",
                       "Le champ « %s » n'est pas un nombre.", "El campo «%s» no es un número.",
                       "Il campo \"%s\" non è un numero."},
    [FORM_W_DATE] = {"The field \"%s\" is not a date such as 2026-12-31.",
                     "Das Feld „%s“ ist kein Datum wie 2026-12-31.",
                     "Le champ « %s » n'est pas une date comme 2026-12-31.",
                     "El campo «%s» no es una fecha como 2026-12-31.",
                     "Il campo \"%s\" non è una data come 2026-12-31."},
    [FORM_W_BOOL] = {"The field \"%s\" must be yes or no.", "Das Feld „%s“ muss yes oder no sein.",
                     "Le champ « %s » doit être yes ou no.", "El campo «%s» debe ser yes o no.",
                     "Il campo \"%s\" deve essere yes o no."},
    [FORM_W_CHOICE] = {"The field \"%s\" must be one of: %s.", "Das Feld „%s“ muss eines sein von: %s.",
                       "Le champ « %s » doit être l'un de : %s.",
                       "El campo «%s» debe ser uno de: %s.", "Il campo \"%s\" deve essere uno di: %s."},
    [FORM_W_LONG] = {"The field \"%s\" is too long: at most %s characters.",
                     "Das Feld „%s“ ist zu lang: höchstens %s Zeichen.",
                     "Le champ « %s » est trop long : %s caractères au plus.",
                     "El campo «%s» es demasiado largo: como máximo %s caracteres.",
                     "Il campo \"%s\" è troppo lungo: al massimo %s caratteri."},
    [FORM_W_CONSENT] = {"Please tick the box \"%s\".", "Bitte kreuzen Sie „%s“ an.",
                        "Veuillez cocher la case « %s ».", "Marque la casilla «%s».",
                        "Selezioni la casella \"%s\"."},
    [FORM_W_FILE_MISSING] = {"Please choose a file for \"%s\".",
                             "Bitte wählen Sie eine Datei für „%s“.",
                             "Veuillez choisir un fichier pour « %s ».",
                             "Elija un archivo para «%s».", "Scelga un file per \"%s\"."},
    [FORM_W_FILE_TYPE] = {"The file in \"%s\" is of a kind that is not taken here. Taken are: %s.",
                          "Die Datei in „%s“ ist von einer Art, die hier nicht genommen wird. "
                          "Genommen werden: %s.",
                          "Le fichier de « %s » n'est pas d'un type accepté. Acceptés : %s.",
                          "El archivo de «%s» no es de un tipo aceptado. Se aceptan: %s.",
                          "Il file in \"%s\" non è di un tipo accettato. Accettati: %s."},
    [FORM_W_FILE_SIZE] = {"The file in \"%s\" is larger than %s.",
                          "Die Datei in „%s“ ist größer als %s.",
                          "Le fichier de « %s » dépasse %s.", "El archivo de «%s» supera %s.",
                          "Il file in \"%s\" supera %s."},
    [FORM_W_FILE_OTHER] = {"A file was sent in the field \"%s\", which takes none.",
                           "Im Feld „%s“ kam eine Datei, es nimmt aber keine.",
                           "Un fichier est arrivé dans le champ « %s », qui n'en prend pas.",
                           "Llegó un archivo en el campo «%s», que no admite ninguno.",
                           "È arrivato un file nel campo \"%s\", che non ne accetta."},
    [FORM_W_REQUIRED] = {"required", "Pflichtfeld", "obligatoire", "obligatorio", "obbligatorio"},
    [FORM_W_SEND] = {"Send", "Senden", "Envoyer", "Enviar", "Invia"},
    [FORM_W_SENDING] = {"Sending …", "Wird gesendet …", "Envoi en cours …", "Enviando …",
                        "Invio in corso …"},
    [FORM_W_FAILED_NET] = {"There was no answer. Please send it again; it will not arrive twice.",
                           "Es kam keine Antwort. Bitte senden Sie noch einmal; es kommt nicht "
                           "doppelt an.",
                           "Pas de réponse. Veuillez renvoyer ; rien n'arrivera en double.",
                           "No hubo respuesta. Envíelo de nuevo; no llegará dos veces.",
                           "Nessuna risposta. Invii di nuovo; non arriverà due volte."},
    [FORM_W_HONEYPOT] = {"Leave this empty", "Bitte leer lassen", "Laissez ce champ vide",
                         "Deje esto vacío", "Lasci vuoto questo campo"},
    [FORM_W_CHOOSE] = {"Please choose", "Bitte wählen", "Veuillez choisir", "Elija", "Scelga"},
    [FORM_W_CONFIRM_ASKED] =
        {"Almost done: please open the mail that is on its way to you, and confirm there.",
         "Fast fertig: Bitte öffnen Sie die Mail, die zu Ihnen unterwegs ist, und bestätigen Sie dort.",
         "Presque terminé : ouvrez le message qui vous est envoyé et confirmez.",
         "Casi listo: abra el correo que le llega y confirme allí.",
         "Quasi fatto: apra il messaggio in arrivo e confermi."},
    [FORM_W_CONFIRM_LATER] =
        {"Almost done: a mail to confirm will come to you later, as many were asked for just now. If "
         "earlier ones are in your mailbox, please confirm those first.",
         "Fast fertig: Die Mail zum Bestätigen kommt später, da gerade sehr viele angefordert wurden. "
         "Wenn schon frühere in Ihrem Postfach liegen, bestätigen Sie bitte zuerst diese.",
         "Presque terminé : le message de confirmation arrivera plus tard, car beaucoup viennent d'être "
         "demandés. Si vous en avez déjà reçu, confirmez d'abord ceux-là.",
         "Casi listo: el correo para confirmar llegará más tarde, porque se acaban de pedir muchos. Si ya "
         "tiene otros anteriores, confirme primero esos.",
         "Quasi fatto: il messaggio di conferma arriverà più tardi, perché ne sono stati appena chiesti "
         "molti. Se ne ha già ricevuti altri, confermi prima quelli."},
    [FORM_W_CONFIRM_SUBJECT] = {"Please confirm your address", "Bitte bestätigen Sie Ihre Adresse",
                                "Veuillez confirmer votre adresse", "Confirme su dirección",
                                "Confermi il suo indirizzo"},
    [FORM_W_CONFIRM_MAIL] =
        {"A form of %s was sent with this address. If that was you, open this page and press its "
         "button:",
         "Ein Formular von %s wurde mit dieser Adresse abgeschickt. Wenn Sie das waren, öffnen Sie "
         "diese Seite und drücken Sie dort auf den Knopf:",
         "Un formulaire de %s a été envoyé avec cette adresse. Si c'était vous, ouvrez cette page et "
         "appuyez sur le bouton :",
         "Se envió un formulario de %s con esta dirección. Si fue usted, abra esta página y pulse el "
         "botón:",
         "Un modulo di %s è stato inviato con questo indirizzo. Se è stato lei, apra questa pagina e "
         "prema il pulsante:"},
    [FORM_W_CONFIRM_UNTIL] = {"The link works until %s.", "Der Link gilt bis %s.",
                              "Le lien est valable jusqu'au %s.", "El enlace vale hasta el %s.",
                              "Il link vale fino al %s."},
    [FORM_W_CONFIRM_NOT_YOU] =
        {"If it was not you, do nothing: what was sent is deleted, and nothing else comes of it.",
         "Wenn nicht, tun Sie nichts: Was gesendet wurde, wird gelöscht, und es folgt nichts weiter.",
         "Sinon, ne faites rien : l'envoi sera supprimé et n'aura aucune suite.",
         "Si no, no haga nada: lo enviado se borra y no tiene más consecuencias.",
         "Altrimenti non faccia nulla: quanto inviato viene cancellato, senza altro seguito."},
    [FORM_W_CONFIRM_PAGE] =
        {"A form of %s was sent with the address %s. Was that you?",
         "Ein Formular von %s wurde mit der Adresse %s abgeschickt. Waren Sie das?",
         "Un formulaire de %s a été envoyé avec l'adresse %s. Était-ce vous ?",
         "Se envió un formulario de %s con la dirección %s. ¿Fue usted?",
         "Un modulo di %s è stato inviato con l'indirizzo %s. È stato lei?"},
    [FORM_W_CONFIRM_BUTTON] = {"Yes, confirm", "Ja, bestätigen", "Oui, confirmer", "Sí, confirmar",
                               "Sì, confermo"},
    [FORM_W_CONFIRMED] = {"Your address is confirmed, and your message has arrived.",
                          "Ihre Adresse ist bestätigt, Ihre Nachricht ist angekommen.",
                          "Votre adresse est confirmée et votre message est bien arrivé.",
                          "Su dirección está confirmada y su mensaje ha llegado.",
                          "Il suo indirizzo è confermato e il suo messaggio è arrivato."},
    [FORM_W_CONFIRM_GONE] = {"This link has ended. Please fill in the form again.",
                             "Dieser Link gilt nicht mehr. Bitte füllen Sie das Formular noch einmal "
                             "aus.",
                             "Ce lien n'est plus valable. Veuillez remplir le formulaire de nouveau.",
                             "Este enlace ha caducado. Rellene el formulario de nuevo.",
                             "Questo link non vale più. Compili di nuovo il modulo."},
};

const char *form_word(const char *lang, enum form_word w)
{
    size_t n = lang ? strcspn(lang, "-") : 0;
    for (size_t i = 0; lang && i < ARRAY_LEN(langs); i++)
        if (strncmp(langs[i], lang, n) == 0 && !langs[i][n])
            return words[w][i];
    return words[w][0];
}

char *form_word_fill(const char *lang, enum form_word w, const char *label, const char *what)
{
    const char *s = form_word(lang, w), *next;
    const char *const values[] = {label, what ? what : ""};
    struct buf b;
    buf_init(&b, KIB(4));
    for (size_t i = 0; (next = strstr(s, "%s")) != NULL; i++, s = next + 2) {
        buf_add(&b, s, (size_t)(next - s));
        if (i < ARRAY_LEN(values))
            buf_str(&b, values[i]);
    }
    buf_str(&b, s);
    char *text = buf_take(&b);
    buf_done(&b);
    return text;
}
