/* SPDX-License-Identifier: ISC
 *
 * fuzz_dsn - any bytes in a report give an address, a status and a verdict that fit
 *
 * The first byte chooses the envelope: a delivery report, a mail of a mail system in
 * words, a read receipt, a complaint; the rest is the part that the reader is about.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const heads[] = {
    "From: MAILER-DAEMON@mx.example\nTo: crm@firm.example\nSubject: Undelivered\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nno\n--b\n"
    "Content-Type: message/delivery-status\n\n",
    "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: crm@firm.example\nSubject: failure notice\n\n",
    "From: a@b.example\nContent-Type: multipart/report; report-type=disposition-notification; "
    "boundary=b\n\n--b\n\nread\n--b\nContent-Type: message/disposition-notification\n\n",
    "From: a@b.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
    "--b\n\nabuse\n--b\nContent-Type: message/feedback-report\n\n",
};

static void check_address(const json_t *said)
{
    const char *s = json_get_str(said, "recipient", NULL);
    if (!s)
        return;
    LEADD_ASSERT(strchr(s, '@') && strlen(s) <= 320 && text_is_utf8(s, strlen(s)));
    LEADD_ASSERT(!strpbrk(s, " \t\r\n<>"));
}

/* "5.1.10": a class, a subject and a detail; permanent is of class 5. */
static void check_bounce(const json_t *b)
{
    const char *status = json_get_str(b, "status", NULL);
    check_address(b);
    LEADD_ASSERT(json_is_boolean(json_object_get(b, "permanent")));
    if (status)
        LEADD_ASSERT(strlen(status) >= 5 && status[strspn(status, "0123456789.")] == '\0');
    if (status && *status == '4')
        LEADD_ASSERT(!json_get_bool(b, "permanent", true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mail_limits lim;
    struct err e = {0};
    AUTO_BUF struct buf mail;
    buf_init(&mail, KIB(64));
    if (n == 0 || n > KIB(32))
        return 0;
    mail_limits_default(&lim);
    lim.ms = 0;
    buf_str(&mail, heads[data[0] % ARRAY_LEN(heads)]);
    buf_add(&mail, data + 1, n - 1);
    AUTO_JSON json_t *msg = mail_parse(mail.data, mail.len, &lim, &e);
    LEADD_ASSERT(msg);
    if (json_get_obj(msg, "bounce"))
        check_bounce(json_get_obj(msg, "bounce"));
    check_address(json_get_obj(msg, "receipt"));
    check_address(json_get_obj(msg, "report"));
    return 0;
}
