/* SPDX-License-Identifier: ISC
 *
 * phrases_list - the words themselves, for phrases.c alone
 *
 * All in lower case, as mail_line_fold() writes a line. A new language is a word
 * in each of the first lists; the corpus has a mail for what was added.
 */
#ifndef LEADD_MAIL_PHRASES_LIST_H
#define LEADD_MAIL_PHRASES_LIST_H

#include "mail/phrases.h"

static const struct {
    enum mail_role role;
    const char *names; /* each between two bars */
} roles[] = {
    {MAIL_ROLE_FROM,
     "|from|von|de|da|van|od|från|fra|frá|lähettäjä|feladó|от|від|от кого|від кого|kimden|"
     "gönderen|发件人|寄件者|寄件人|差出人|送信者|보낸 사람|보낸사람|발신|จาก|từ|người gửi|dari|pengirim|από|"
     "expeditor|de la|saatja|kellelt|nuo|no|sūtītājs|siuntėjas|remitente|remetente|"
     "mittente|expéditeur|absender|afzender|nadawca|avsändare|afsender|avsender|odesílatel|"
     "odosielateľ|odesilatel|pošiljatelj|šalje|מאת|من|отправитель|відправник|подател|از|"
     "expeditorul|送信元|prej|gestuur deur|emitent|"},
    {MAIL_ROLE_DATE,
     "|date|sent|sent at|sent on|datum|gesendet|gesendet am|envoyé|envoyé le|date d'envoi|"
     "enviado|enviado el|enviada em|enviado em|enviada|fecha|data|inviato|data invio|"
     "inviato il|verzonden|verzonden op|wysłano|wysłane|data wysłania|skickat|skickades|"
     "sendt|dato|lähetetty|päivämäärä|päiväys|aika|elküldve|küldve|dátum|отправлено|дата|"
     "отправлен|надіслано|gönderildi|gönderilme|tarih|gönderme tarihi|发送时间|发送日期|日期|时间|時間|"
     "傳送時間|寄件日期|送信日時|日付|日時|보낸 날짜|보낸날짜|날짜|ส่งเมื่อ|ส่ง|วันที่|đã gửi|ngày|dikirim|terkirim|"
     "tanggal|εστάλη|στάλθηκε|ημερομηνία|αποστολή|trimis|odesláno|odoslané|poslano|poslato|"
     "נשלח|תאריך|تاريخ الإرسال|التاريخ|تاريخ|saadetud|kuupäev|nosūtīts|datums|išsiųsta|"
     "išsiuntimo data|изпратено|dag|dată|gönderilen|відправлено|gestuur|poslane|vytvořeno|"
     "datum/tid|date/time|"},
    {MAIL_ROLE_TO,
     "|to|an|à|pour|a|aan|para|do|till|til|vastaanottaja|címzett|кому|komu|kime|alıcı|收件人|"
     "收件者|宛先|받는 사람|받는사람|수신|ถึง|đến|tới|người nhận|kepada|untuk|προς|către|pro|za|prima|"
     "primatelj|אל|إلى|الى|destinatario|destinataire|destinatário|empfänger|kam|saņēmējs|"
     "kellele|saaja|adresatas|gavėjas|до|per a|به|destinatarul|pre|adresat|送信先|"
     "upphaflegur viðtakandi|"},
    {MAIL_ROLE_CC,
     "|cc|bcc|cci|ccn|cco|kopie|copie|copia|cópia|kopia|kopi|kopio|копия|копія|抄送|副本|참조|"
     "สำเนา|másolatot kap|másolat|bilgi|κοιν.|κοινοποίηση|kópia|dw|udw|нұсқа|đồng gửi|"
     "tembusan|kk|نسخة|kopie (cc)|copie à|kópia (cc)|copia para|kopie:|"},
    {MAIL_ROLE_SUBJECT,
     "|subject|betreff|objet|sujet|asunto|oggetto|onderwerp|assunto|temat|ämne|emne|aihe|"
     "otsikko|tárgy|тема|předmět|predmet|konu|主题|主旨|主題|件名|题名|제목|เรื่อง|หัวเรื่อง|"
     "ชื่อเรื่อง|chủ đề|tiêu đề|perihal|subjek|subyek|θέμα|subiect|subiectul|zadeva|naslov|"
     "נושא|الموضوع|tema|teema|pealkiri|temats|относно|assumpte|efni|موضوع|gaia|"},
    {MAIL_ROLE_OTHER,
     "|reply-to|reply to|antwort an|répondre à|responder a|importance|wichtigkeit|"
     "importanza|importancia|prioriteit|belang|priority|priorität|attachments|anlagen|"
     "anhänge|pièces jointes|datos adjuntos|allegati|bijlagen|bilagor|organization|"
     "organisation|message-id|resent-from|categories|sensitivity|when|where|wann|wo|"
     "odgovori na|odpověď na|svar til|antwoord aan|vastaus|válaszcím|rispondi a|"
     "odpowiedź-do|răspuns către|ответ-кому|odpovedať-pre|svara till|yanıt adresi|"
     "кому відповісти|responder para|回复|返信先|"},
};

/* What stands between who and ':'. With a '*' the letters go on. */
static const char *const wrote[] = {
    "wrote", "writes", "schrieb", "hat geschrieben", "geschreven", "schreef", "a écrit",
    "écrit :", "écrivait", "escribió", "escribio", "ha scritto", "scrive:", "escreveu",
    "escribiu", "va escriure", "idatzi du", "skrev", "skrifaði", "kirjoitti", "pisze", "napisał",
    "napsal", "napísal", "napisao", "napisala", "napisal", "je pisal", "írta", "a scris",
    "написа", "пишет", "писал", "пише", "έγραψε", "yazdı", "yazmış", "kirjutas", "rakstīja",
    "rašė", "parašė", "さんは書きました", "さんが書きました", "のメール", "写道", "寫道", "写到", "作成", "님이 작성", "작성:",
    "썼습니다", "đã viết", "viết:", "menulis", "เขียน", "כתב", "מאת", "كتب", "كتابة", "نوشت",
    "shkroi", "напиша", "напісаў", "ने लिखा", "quoting ", "zitat von", "citando ", "missatge de",
    "odesílatel", "wiadomość napisana przez", "a publié", "said:", "skrev følgende", "följande",
    "escribió:",
};

/* First words of an attribution that is wrapped over lines. */
static const char *const opens[] = {
    "on ", "am ", "le ", "el ", "il ", "op ", "em ", "no dia ", "w dniu ", "den ", "dne ", "vào ",
    "på ", "στις ", "la ", "în ", "на ", "dana ", "pada ", "kuupäev ", "v ", "il giorno ", "de: ",
    "在 ", "в ", "у ", "wiadomość napisana ", "missatge de ", "a(z) ", "kl. ", "בתאריך ", "ב-",
    "في ", "در تاریخ ", "ในวันที่ ", "zitat von ", "quoting ", "dňa ", "pon., ", "wt., ", "śr., ",
    "czw., ", "pt., ", "sob., ", "niedz., ", "hé, ", "пн, ", "вт, ", "ср, ", "чт, ", "пт, ",
    "сб, ", "вс, ", "dia ", "ha ",
};

static const char *const originals[] = {
    "original message", "original mail", "original email", "original e-mail",
    "original appointment", "ursprüngliche nachricht", "originalnachricht", "original-nachricht",
    "ursprüngliche e-mail", "ursprüngliche mail", "ursprünglicher termin",
    "urspruengliche nachricht", "message d'origine", "message original", "message initial",
    "courriel original", "mensaje original", "messaggio originale", "messaggio originario",
    "oorspronkelijk bericht", "origineel bericht", "originele bericht", "mensagem original",
    "ursprungligt meddelande", "originalmeddelande", "original meddelande",
    "oprindelig meddelelse", "oprindelig besked", "original meddelelse", "opprinnelig melding",
    "original melding", "opphavleg melding", "alkuperäinen viesti", "wiadomość oryginalna",
    "oryginalna wiadomość", "wiadomość pierwotna", "původní zpráva", "původní e-mail",
    "pôvodná správa", "eredeti üzenet", "eredeti levél", "исходное сообщение",
    "оригинальное сообщение", "первоначальное сообщение", "исходное письмо",
    "оригінальне повідомлення", "вихідне повідомлення", "початкове повідомлення",
    "mesaj original", "mesajul original", "mesajul iniţial", "αρχικό μήνυμα", "orijinal mesaj",
    "özgün ileti", "orijinal ileti", "原始邮件", "原邮件", "原始郵件", "原始訊息", "原始信件", "元のメッセージ", "元のメール",
    "원본 메시지", "원본 메일", "tin nhắn gốc", "thư gốc", "pesan asli", "ข้อความต้นฉบับ", "ข้อความเดิม",
    "izvorna poruka", "originalna poruka", "izvirno sporočilo", "algne kiri", "algne sõnum",
    "algteade", "sākotnējais ziņojums", "oriģinālais ziņojums", "pradinis laiškas",
    "originalus laiškas", "missatge original", "הודעה מקורית", "الرسالة الأصلية",
    "оригинално съобщение", "reply above this line", "reply above", "upprunaleg skilaboð",
    "your reply above", "antworten sie oberhalb", "antworten sie über dieser",
};

static const char *const forwards[] = {
    "forwarded message", "forwarded mail", "forwarded by", "forwarded email",
    "weitergeleitete nachricht", "weitergeleitete mail", "weitergeleitete e-mail",
    "weitergeleitet von", "message transféré", "message transmis", "message réacheminé",
    "courriel transféré", "réexpédié", "mensaje reenviado", "reenviado por",
    "messaggio inoltrato", "inoltrato da", "doorgestuurd bericht", "doorgezonden bericht",
    "mensagem encaminhada", "mensagem reencaminhada", "encaminhado por",
    "vidarebefordrat meddelande", "vidarebefordrat mail", "videresendt meddelelse",
    "videresendt besked", "videresendt melding", "videresendt e-post", "välitetty viesti",
    "edelleenlähetetty viesti", "edelleen lähetetty", "przekazana wiadomość",
    "wiadomość przekazana", "treść przekazanej wiadomości", "przesłana wiadomość",
    "přeposlaná zpráva", "předaná zpráva", "přeposlaný e-mail", "preposlaná správa",
    "továbbított üzenet", "továbbított levél", "пересылаемое сообщение", "пересланное сообщение",
    "пересылаемое письмо", "переслане повідомлення", "пересилане повідомлення", "переслано",
    "mesaj redirecționat", "mesaj redirectionat", "mesaj transmis", "mesaj înaintat",
    "προωθημένο μήνυμα", "iletilmiş mesaj", "iletilen mesaj", "yönlendirilen ileti",
    "yönlendirilmiş mesaj", "yönlendirilmiş ileti", "转发的邮件", "转发邮件", "转发信息", "轉寄的郵件", "轉寄郵件",
    "轉寄的訊息", "已轉寄", "転送メッセージ", "転送された", "전달된 메시지", "전달된 메일", "chuyển tiếp", "pesan terusan",
    "pesan yang diteruskan", "pesan diteruskan", "ข้อความที่ส่งต่อ", "ข้อความส่งต่อ",
    "proslijeđena poruka", "prosleđena poruka", "posredovano sporočilo", "edastatud kiri",
    "edastatud sõnum", "edasi saadetud", "pārsūtīts ziņojums", "pārsūtītais ziņojums",
    "persiųstas laiškas", "persiųsta žinutė", "missatge reenviat", "הודעה שהועברה", "רסוה",
    "הודעה מועברת", "رسالة معاد توجيهها", "الرسالة المعاد توجيهها", "رسالة مُعاد توجيهها",
    "препратено съобщение", "پیام هدایت", "áframsent", "birtutako mezua", "mensaxe reenviada",
    "перенаправлен", "转发", "轉寄", "を転送", "proslijed", "áframsend",
};

static const char *const begin_forwards[] = {
    "begin forwarded message", "anfang der weitergeleiteten", "beginn der weitergeleiteten",
    "début du message transféré", "début du message réexpédié", "début du courriel",
    "inicio del mensaje reenviado", "inizio messaggio inoltrato", "begin doorgestuurd bericht",
    "início da mensagem encaminhada", "início da mensagem reencaminhada", "vidarebefordrat brev",
    "vidarebefordrat mejl", "start på videresendt", "videresendt besked", "videresendt melding",
    "välitetty viesti alkaa", "välitetty viesti", "początek przekazywanej wiadomości",
    "początek przekazanej wiadomości", "začátek přeposílané zprávy", "začátek přeposlané zprávy",
    "začiatok preposlanej správy", "a továbbított levél kezdete", "továbbított levél",
    "начало переадресованного", "начало пересылаемого", "початок листа, що пересилається",
    "початок переадресованого", "începutul mesajului", "αρχή προωθημένου",
    "iletilen mesajın başlangıcı", "iletilmiş ileti", "开始转发的邮件", "下面是被转发的邮件", "被转发的邮件", "開始轉寄郵件",
    "轉寄郵件開始", "転送されたメッセージ", "전달된 메시지 시작", "bắt đầu thư được chuyển tiếp", "mulai pesan",
    "inici del missatge reenviat", "početak proslijeđene poruke", "תחילת ההודעה שהועברה",
    "بداية الرسالة", "započni proslijeđenu", "începe mesajul", "i̇leti başlangıcı",
    "ileti başlangıcı", "forwarded message", "forwarded email", "weitergeleitete nachricht",
    "message transféré", "mensaje reenviado", "messaggio inoltrato",
};

static const char *const forward_subjects[] = {
    "fw:", "fwd:", "wg:", "tr:", "rv:", "enc:", "i:", "inoltra:", "fs:", "vb:", "vs:", "vl:",
    "pd:", "doorst:", "dw:", "reenv:", "tr :", "fw :", "fwd :", "továbbítás:", "továbbítva:",
    "пересл:", "fwd ", "转发:", "轉寄:", "転送:", "전달:", "пер:", "πρθ:", "προωθ:", "ilt:", "i̇lt:",
    "fv:", "vid:", "[fwd:", "(fwd)", "trs:", "תשלח:", "encaminhado:", "encam:", "res:fw", "i: ",
    "redir.:", "redir:", "videresend:", "videresendt:", "vidarebefordrat:", "fwd：", "转发：", "轉寄：",
    "fw：", "transf:", "transféré:", "továbbít:",
};

/* "Sent from my iPhone" begins so, or ends so and begins with what it was sent with. */
static const char *const sent_begins[] = {
    "sent from", "sent via", "sent with", "sent using", "sent by", "sent on", "sent through",
    "gesendet von", "gesendet mit", "gesendet aus", "gesendet über", "gesendet vom",
    "geschrieben mit", "versendet mit", "versendet von", "envoyé de", "envoyé depuis",
    "envoyé à partir", "envoyé avec", "envoyé via", "envoyé d'", "envoyé par", "enviado desde",
    "enviado de", "enviado do", "enviado a partir", "enviado con", "enviado com", "enviado por",
    "enviado pelo", "enviado via", "enviat des", "enviat amb", "inviato da", "inviato con",
    "inviato tramite", "verstuurd vanaf", "verstuurd vanuit", "verstuurd met", "verstuurd van",
    "verstuurd via", "verzonden vanaf", "verzonden vanuit", "verzonden met", "verzonden via",
    "verzonden van", "wysłane z", "wysłano z", "wysłane ze", "wysłano ze", "wysłana z",
    "wiadomość wysłana", "skickat från", "skickat med", "skickades från", "sendt fra",
    "sendt frå", "sendt via", "sendt med", "lähetetty", "odesláno z", "odesláno ze", "odoslané z",
    "odoslané zo", "отправлено с", "отправлено из", "отправлено через", "отправлено со",
    "надіслано з", "надіслано із", "надіслано через", "відправлено з", "trimis de", "trimis din",
    "trimis cu", "στάλθηκε από", "εστάλη από", "απεστάλη από", "发自", "發自", "傳自", "elküldve",
    "küldve", "poslano s", "poslano z", "poslato sa", "poslato s", "saadetud minu", "sūtīts no",
    "nosūtīts no", "išsiųsta iš", "נשלח מ", "أرسلت من", "أُرسلت من", "تم الإرسال من", "ส่งจาก",
    "gửi từ", "đã gửi từ", "được gửi từ", "dikirim dari", "изпратено от", "sent frá", "sent úr",
    "bidalia", "送信元",
};
static const char *const sent_ends[] = {
    "gesendet", "geschickt", "verschickt", "gesendet.", "verstuurd", "verzonden", "gönderildi",
    "送信", "から送信", "傳送", "发送", "發送", "보냄", "보냈습니다", "küldve", "küldött üzenet", "saadetud",
    "lähetetty",
};
static const char *const sent_with[] = {
    "von mei", "von unter", "diese nachricht wurde", "diese e-mail wurde", "diese mail wurde",
    "vanaf mijn", "vanuit", "iphone", "ipad", "android", "나의", "내 ", "我的", "從我的", "从我的",
    "samsung", "ios", "outlook", "az én", "iphone-", "minu ", "mein ", "yahoo", "スマ", "私の",
    "galaxy",
};
static const char *const devices[] = {
    "iphone", "ipad", "ipod", "apple watch", "android", "samsung", "galaxy", "huawei", "xiaomi",
    "redmi", "oneplus", "pixel", "blackberry", "nokia", "windows phone", "outlook", "mobile",
    "mobil", "smartphone", "handy", "telefon", "téléphone", "teléfono", "móvil", "celular",
    "cellulare", "telefoon", "tablet", "yahoo mail", "proton", "gmx", "web.de",
    "mail for windows", "mail for", "mail pour", "mail für", "mail para", "mail per", "mail voor",
    "tutanota", "tuta", "fastmail", "k-9", "fairemail", "bluemail", "blue mail", "mailbird",
    "mail.ru", "yandex", "яндекс", "почт", "zoho", "thunderbird", "telekom mail", "orange",
    "spark", "aquamail", "nine", "superhuman", "phone", "мобил", "устройств", "手机", "手機", "スマ",
    "휴대", "macbook", "mac", "edison", "hey", "canary", "airmail", "em client", "free mobile",
    "laposte", "libero mail", "o2 mail", "1&1 mail", "ionos", "sony", "xperia", "motorola", "lg ",
    "htc", "honor", "oppo",
};
static const char *const get_apps[] = {
    "get outlook for", "get bluemail for", "obtenir outlook pour", "télécharger outlook pour",
    "téléchargez outlook", "outlook für ", "holen sie sich outlook", "outlook für ios beziehen",
    "obtener outlook para", "obtén outlook para", "descargar outlook", "obter o outlook para",
    "obtenha o outlook", "baixar o outlook", "scarica outlook per", "ottieni outlook per",
    "outlook voor ", "download outlook voor", "pobierz outlook", "pobierz aplikację outlook",
    "hämta outlook för", "skaffa outlook för", "hent outlook til", "få outlook til",
    "hanki outlook", "získat outlook", "stáhnout outlook", "získajte outlook", "az outlook ",
    "outlook beszerzése", "скачать outlook", "получить outlook", "отримати outlook",
    "obțineți outlook", "λήψη του outlook", "ios için outlook", "android için outlook",
    "获取 outlook", "下载 outlook", "取得 outlook", "outlook for ios", "outlook for android",
    "ios 版 outlook", "ios용 outlook", "download de outlook", "sent with mailspring",
    "sent with sparrow", "télécharger yahoo mail", "yahoo mail: search", "yahoo mail:",
    "von outlook für", "diese nachricht wurde von meinem", "this message was sent from my",
};

/* Longer ones first where one begins another. */
static const char *const closings[] = {
    "best regards", "kind regards", "kindest regards", "warm regards", "warmest regards",
    "with kind regards", "with best regards", "with regards", "regards", "rgds", "best wishes",
    "with best wishes", "all the best", "best,", "best", "sincerely", "yours sincerely",
    "sincerely yours", "yours faithfully", "yours truly", "yours", "cheers", "thanks and regards",
    "thanks & regards", "thanks and best regards", "thanks again", "many thanks",
    "thanks in advance", "thank you and", "thank you", "thanks", "thx", "respectfully",
    "cordially", "br,", "br", "kr,", "kr", "mit freundlichen grüßen", "mit freundlichen grüssen",
    "mit freundlichen gruessen", "mit freundlichem gruß", "mit besten grüßen",
    "mit besten grüssen", "mit vielen grüßen", "mit herzlichen grüßen", "freundliche grüße",
    "freundliche grüsse", "freundlichen gruß", "viele grüße", "viele grüsse", "vielen dank und",
    "liebe grüße", "beste grüße", "beste grüsse", "schöne grüße", "herzliche grüße",
    "herzliche grüsse", "grüße", "grüsse", "gruß", "gruss", "mfg", "lg", "vg", "hochachtungsvoll",
    "vielen dank", "danke", "bien cordialement", "très cordialement", "cordialement",
    "bien à vous", "meilleures salutations", "sincères salutations", "salutations distinguées",
    "salutations", "amicalement", "respectueusement", "cdlt", "cordiales salutations",
    "bonne journée", "merci", "saludos cordiales", "cordiales saludos", "un cordial saludo",
    "un saludo", "saludos", "atentamente", "cordialmente", "atte", "muchas gracias", "gracias",
    "reciba un cordial saludo", "cordiali saluti", "distinti saluti", "un cordiale saluto",
    "cari saluti", "saluti", "grazie", "buona giornata", "in fede", "met vriendelijke groeten",
    "met vriendelijke groet", "vriendelijke groeten", "vriendelijke groet", "hartelijke groet",
    "groeten", "groet", "mvg", "hoogachtend", "bedankt", "alvast bedankt",
    "com os melhores cumprimentos", "melhores cumprimentos", "atenciosamente", "cumprimentos",
    "abraços", "abraço", "obrigado", "obrigada", "att", "serdecznie pozdrawiam",
    "pozdrawiam serdecznie", "pozdrawiam", "z poważaniem", "z wyrazami szacunku", "pozdrowienia",
    "dziękuję", "łączę pozdrowienia", "med vänliga hälsningar", "med vänlig hälsning",
    "vänliga hälsningar", "bästa hälsningar", "hälsningar", "vänligen", "mvh", "tack",
    "med venlig hilsen", "venlig hilsen", "de bedste hilsner", "med vennlig hilsen",
    "vennlig hilsen", "beste hilsen", "bedste hilsner", "hilsen", "mange hilsner",
    "på forhånd tak", "ystävällisin terveisin", "parhain terveisin", "terveisin", "yt", "terv",
    "kiitos", "s pozdravem", "s pozdravom", "s přátelským pozdravem", "s úctou", "děkuji",
    "ďakujem", "üdvözlettel", "tisztelettel", "köszönettel", "szívélyes üdvözlettel", "üdv",
    "с уважением", "с наилучшими пожеланиями", "спасибо", "заранее спасибо", "з повагою",
    "з найкращими побажаннями", "дякую", "с уважение", "поздрави", "cu stimă", "cu respect",
    "cu considerație", "o zi bună", "mulțumesc", "με εκτίμηση", "φιλικά", "ευχαριστώ",
    "saygılarımla", "saygılarımızla", "iyi çalışmalar", "teşekkürler", "此致", "祝好", "顺祝商祺", "谢谢",
    "謝謝", "敬具", "以上", "감사합니다", "trân trọng", "thân mến", "hormat kami", "hormat saya", "salam",
    "terima kasih", "ขอแสดงความนับถือ", "ขอบคุณ", "s poštovanjem", "srdačan pozdrav",
    "lijep pozdrav", "lep pozdrav", "lugupidamisega", "parimate soovidega", "ar cieņu",
    "pagarbiai", "su pagarba", "atentament", "salutacions", "בברכה", "תודה", "مع أطيب التحيات",
    "مع خالص التحية", "شكرا", "agur bero",
};

static const char *const confidential[] = {
    "confidential", "privileged", "vertraulich", "confidentiel", "confidencial", "riservat",
    "confidenzial", "vertrouwelijk", "poufn", "konfidentiell", "fortrolig", "luottamuksell",
    "důvěrn", "dôvern", "bizalmas", "конфиденциальн", "конфіденційн", "confidențial",
    "εμπιστευτικ", "gizli", "机密", "保密", "機密", "기밀", "povjerljiv", "zaupn",
};
static const char *const recipient[] = {
    "recipient", "addressee", "intended", "empfänger", "adressat", "destinatair", "destinatari",
    "geadresseerde", "ontvanger", "adresat", "mottagare", "modtager", "mottaker", "vastaanottaj",
    "příjem", "adresát", "címzett", "адресат", "получател", "одержувач", "destinatar", "παραλήπτ",
    "alıcı", "收件人", "受信者", "宛先", "수신", "primatelj", "prejemnik",
};
/* What such a notice asks for: without it, it is somebody's own sentence. */
static const char *const notices[] = {
    "notify", "delete", "prohibited", "unauthori", "not the intended", "in error", "sole use",
    "solely", "irrtümlich", "unbefugt", "nicht der richtige", "vernichten", "erreur", "interdit",
    "détrui", "exclusi", "error", "prohib", "elimin", "borr", "errore", "vietat", "distrugg",
    "autorizz", "onterecht", "ten onrechte", "per abuis", "verwijder", "omyłk", "usuni", "zabron",
    "felaktig", "misstag", "radera", "fejl", "feil", "slett", "virhe", "erehdyk", "omyl", "smaž",
    "vymaž", "tévedés", "törö", "ошибк", "уничтож", "удал", "помилк", "знищ", "грешка", "eroare",
    "șterge", "σφάλμα", "διαγρά", "yanlış", "siliniz", "misdirected", "误", "删除", "誤", "削除", "잘못",
    "삭제", "greškom", "pomot", "eksikombel", "kļūd", "klaid",
};

static const char *const footers[] = {
    "please consider the environment", "consider the environment before",
    "think before you print", "before printing this", "pensez à l'environnement",
    "bitte prüfen sie, ob diese", "bitte denken sie an die umwelt", "denken sie an die umwelt",
    "denk aan het milieu", "pensa all'ambiente", "piensa en el medio ambiente",
    "antes de imprimir", "this email has been scanned", "this e-mail has been scanned",
    "virus-free.", "virenfrei.", "this email was scanned", "diese e-mail wurde von avast",
    "l'absence de virus", "libre de virus", "privo di virus", "this message has been scanned",
    "confidentiality notice", "disclaimer:", "legal notice", "haftungsausschluss",
    "avis de confidentialité", "aviso legal", "aviso de confidencial",
    "you received this message because you are subscribed", "to unsubscribe from this group",
    "avast logo", "der inhalt dieser e-mail ist", "avviso di riservatezza", "disclaimer",
};

static const char *const banners[] = {
    "caution: this email originated", "caution: this e-mail originated", "caution: external",
    "external email", "[external", "warning: this email", "warning: external",
    "this email originated from outside", "this message originated from outside",
    "you don't often get email from", "achtung: diese e-mail", "achtung: externe",
    "externe e-mail", "[extern", "some people who received this message don't often get email",
    "sie erhalten nicht häufig e-mails von", "vous n'obtenez pas souvent d'e-mail",
    "attention : courriel externe", "attention: ce courriel", "no suele recibir correo",
    "u ontvangt niet vaak e-mail", "non si ricevono spesso messaggi", "security notice: external",
};

static const char *const titles[] = {
    "manager", "director", "head of", "chief ", "officer", "ceo", "cto", "cfo", "coo", "cmo",
    "president", "founder", "partner", "owner", "engineer", "consultant", "sales", "purchasing",
    "procurement", "buyer", "assistant", "executive", "specialist", "coordinator", "supervisor",
    "analyst", "accountant", "account manager", "team lead", "lead ", "administrator",
    "secretary", "attorney", "architect", "developer", "representative", "advisor", "technician",
    "operations", "logistics", "marketing", "leiter", "leitung", "geschäftsführ", "prokurist",
    "einkauf", "vertrieb", "sachbearbeit", "inhaber", "referent", "vorstand", "assistenz",
    "berater", "ingenieur", "abteilung", "disposition", "responsable", "directeur", "directrice",
    "gérant", "chef de", "acheteu", "ingénieur", "assistante", "commercial", "président",
    "achats", "gerente", "jefe ", "jefa ", "encargad", "compras", "ventas", "ingenier",
    "responsabile", "direttore", "direttrice", "titolare", "amministrat", "ufficio acquisti",
    "acquisti", "impiegat", "inkoper", "inkoop", "verkoop", "bedrijfsleider", "eigenaar",
    "medewerker", "adviseur", "diretor", "comprador", "engenheir", "sócio", "kierownik",
    "dyrektor", "specjalista", "prezes", "handlow", "właściciel", "inköp", "direktör", "säljare",
    "ansvarig", "chef", "indkøb", "direktør", "innkjøp", "leder", "sjef", "johtaja", "päällikkö",
    "ostaja", "toimitusjohtaja", "директор", "менеджер", "начальник", "руководитель",
    "специалист", "инженер", "керівник", "ředitel", "vedoucí", "manažer", "nákup", "riaditeľ",
    "igazgató", "vezető", "müdür", "yönetici", "uzman", "διευθυντ", "υπεύθυν", "direktor",
    "voditelj", "vodja", "juhataja", "vadītājs", "vadovas", "部長", "課長", "係長", "取締役", "社長", "経理",
    "经理", "總監", "总监", "主任", "工程师", "팀장", "부장", "과장", "대표", "이사", "giám đốc", "trưởng phòng",
    "manajer", "direktur", "ผู้จัดการ", "ผู้อำนวยการ", "מנהל", "مدير",
};

static const char *const company_words[] = {
    "gmbh", "ltd", "limited", "inc", "inc.", "llc", "ag", "s.a.", "sa", "sas", "sarl", "b.v.",
    "bv", "n.v.", "ab", "oy", "oyj", "a/s", "aps", "as", "s.r.l.", "srl", "s.p.a.", "spa", "s.l.",
    "sl", "lda", "lda.", "ltda", "ltda.", "plc", "corp", "corp.", "corporation", "company", "co.",
    "kg", "ohg", "e.k.", "ug", "kft", "kft.", "zrt", "zrt.", "s.r.o.", "a.s.", "d.o.o.", "pty",
    "llp", "se", "ооо", "зао", "ао", "тов", "株式会社", "有限公司", "group", "holding", "a.ş.", "şti.",
    "sp.", "eood", "oü", "sia", "uab", "kk", "k.k.", "sdn", "pvt",
};

#endif
