/* SPDX-License-Identifier: ISC
 *
 * migrate - see migrate.h
 */
#include "store/migrate.h"

#include <inttypes.h>

#include "base/hash.h"
#include "base/hook.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/db.h"
#include "store/meta.h"

#define STEP_PARTS 12

/* Append only. The place in the table is the number, from 1. */
static const char *const steps[][STEP_PARTS] = {
    {schema_pipeline_1},
    {schema_crm_1},
    {schema_look_1},
    {schema_lean_1},
    {schema_rules_1},
    {schema_mail_1, schema_sms_1, schema_sms_in_1, schema_sequence_1, schema_optout_1,
     schema_outbox_1, schema_form_1, schema_task_1, schema_click_1,
     schema_broadcast_1},
};

int migrate_newest(void)
{
    return (int)ARRAY_LEN(steps);
}

static int migrate_parts(struct db *db, int64_t n, struct err *e)
{
    for (int i = 0; i < STEP_PARTS && steps[n - 1][i]; i++)
        if (db_script(db, steps[n - 1][i], e) < 0)
            return -1;
    return 0;
}

static int migrate_step(struct db *db, int64_t n, struct err *e)
{
    CRASH_POINT("migrate.before");
    if (db_begin(db, e) < 0)
        return -1;
    if (migrate_parts(db, n, e) == 0 &&
        meta_put_int(db, "schema", n, e) == 0 &&
        db_commit(db, e) == 0)
        return 0;
    db_rollback(db);
    return err_wrap(e, "schema step %" PRId64, n);
}

/* A name of its own, so that a WAL of another database can be told (db_id). */
int db_new_id(struct db *db, struct err *e)
{
    unsigned char random[16];
    char id[33];
    hash_random(random, sizeof(random));
    text_hex(random, sizeof(random), id);
    return meta_put(db, "id", id, e);
}

static int migrate_name(struct db *db, struct err *e)
{
    bool named;
    if (db_has(db, e, &named, "SELECT 1 FROM meta WHERE key = 'id'", "") < 0)
        return -1;
    return named ? 0 : db_new_id(db, e);
}

int db_migrate(struct db *db, struct err *e)
{
    int64_t done;
    if (db_script(db,
                  "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) "
                  "STRICT, WITHOUT ROWID",
                  e) < 0 ||
        meta_get_int(db, "schema", &done, e) < 0)
        return -1;
    if (done > migrate_newest())
        return err_set(e, ERR_PERM,
                       "the database is of a newer leadd (schema %" PRId64 ", this one knows %d)",
                       done, migrate_newest());
    for (int64_t n = done + 1; n <= migrate_newest(); n++) {
        if (migrate_step(db, n, e) < 0)
            return -1;
        CRASH_POINT("migrate.after");
    }
    return migrate_name(db, e);
}
