/* SPDX-License-Identifier: ISC
 *
 * schema_sms - what texting brings: a row of the outbox says by which channel it goes
 */
#include "store/migrate.h"

const char schema_sms_1[] =
    /* email: outbox_body.raw is the mail; sms: it is JSON {to, from, text} */
    "ALTER TABLE outbox ADD COLUMN channel TEXT NOT NULL DEFAULT 'email';";
