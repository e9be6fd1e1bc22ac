/* SPDX-License-Identifier: ISC
 *
 * schema_look - indexes for those who look: status, metrics, show, why
 *
 * Each holds only rows that are not the common case. What every lead writes (a
 * filed arrival, a mail that is sent, a journal row of a lead) is in none of
 * them, so none costs the way of a mail anything. store/counts.c lives on them.
 */
#include "store/migrate.h"

const char schema_look_1[] =
    "CREATE INDEX ledger_odd ON ledger (state, source_id) WHERE state <> 'filed';"
    /* the first arrival of a message is found by its time, later ones here */
    "CREATE INDEX ledger_again ON ledger (message_id)"
    " WHERE message_id IS NOT NULL AND reason IS NOT NULL;"
    "CREATE INDEX outbox_odd ON outbox (state)"
    " WHERE state IN ('deferred', 'failed', 'unknown', 'held');"
    "CREATE INDEX journal_contact ON journal (contact_id)"
    " WHERE contact_id IS NOT NULL AND lead_id IS NULL AND case_id IS NULL;";
