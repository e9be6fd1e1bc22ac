/* SPDX-License-Identifier: ISC
 *
 * schema_optout - lists that people can leave
 */
#include "store/migrate.h"

const char schema_optout_1[] =
    /* of leadd.conf, that the mail belongs to: asked for again when it leaves */
    "ALTER TABLE outbox ADD COLUMN list TEXT;"
    /* few among many */
    "CREATE INDEX address_stopped ON address (value)"
    " WHERE opted_out_ms IS NOT NULL OR bouncing_ms IS NOT NULL;";
