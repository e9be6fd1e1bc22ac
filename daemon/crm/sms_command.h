/* SPDX-License-Identifier: ISC
 *
 * sms_command - what a user's text is: a command, a question, words for a customer, or a note
 *
 * "1234 won D17 5000", "#L42 won 5000", "won 5000", "4711", "4711 we come at ten", "L42: we come
 * at ten", "more". Digits in front may be a PIN or a code: which, is for the caller to see.
 * Pure, and linear in the text.
 */
#ifndef LEADD_CRM_SMS_COMMAND_H
#define LEADD_CRM_SMS_COMMAND_H

#include <stdbool.h>

#include "crm/crm.h"

enum sms_command_what {
    SMS_COMMAND_WORDS, /* nothing of the below */
    SMS_COMMAND_EMPTY, /* nothing but the digits, or nothing */
    SMS_COMMAND_MORE,  /* the rest of the last answer */
    SMS_COMMAND_HELP,  /* help, without a word behind it */
    SMS_COMMAND_ASK,   /* find, show, why, help WORD: changes nothing */
    SMS_COMMAND_LIGHT, /* note, snooze: a registered number is enough */
    SMS_COMMAND_FULL,  /* any other command */
    SMS_COMMAND_RELAY, /* "L42: words" */
};

struct sms_command {
    enum sms_command_what what;
    char digits[9];         /* 4 to 8 in front, or "" */
    char *rest;             /* own; the text behind the digits */
    char *lines;            /* own; commands as mail has them, "#D17 won 5000" each in a line */
    enum crm_entity entity; /* RELAY: the record */
    int64_t id;
    const char *words;      /* RELAY: borrowed from rest */
};

void sms_command_read(const char *text, struct sms_command *out);
void sms_command_done(struct sms_command *c);

#endif
