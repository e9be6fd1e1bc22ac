/* SPDX-License-Identifier: ISC
 *
 * outcome - see outcome.h
 */
#include "store/outcome.h"

#define OF_RECORD(value, table) "SELECT id, '', " value ", NULL, 0 FROM " table                    \
    " WHERE deleted_ms IS NULL AND $1 = $1 ORDER BY id"
#define OF_TAG(entity) "SELECT record_id, tag, 'set', NULL, 0 FROM tag WHERE entity = '" entity    \
    "' AND $1 = $1 ORDER BY record_id, tag"
#define OF_TASK(col) "SELECT " col ", title, coalesce(owner, 'nobody') || ', ' || status, NULL, 0" \
    " FROM task WHERE " col " IS NOT NULL AND deleted_ms IS NULL AND $1 = $1"                      \
    " ORDER BY " col ", title, id"
/* what was held or taken back was not received; of no rule is what people write to each other,
 * and what a user is told of his own mail */
#define OF_MAIL(col, where) "SELECT " col ", coalesce(template, 'mail') || ' to ' || to_addr,"     \
    " count(*), min(intent), min(created_ms) FROM outbox WHERE " where " AND created_ms >= $1"     \
    " AND state <> 'held' AND (state <> 'failed' OR relay IS NOT NULL)"                            \
    " AND class <> 'conversation' AND class <> 'relay'"                                            \
    " AND intent NOT LIKE 'rep/%' AND intent NOT LIKE 'held/%' AND intent NOT LIKE 'forward/%'"    \
    " GROUP BY 1, 2 ORDER BY 1, 2"
/* min(rule) stands where a mail has its intent */
#define OF_CALL(col, where) "SELECT " col ", endpoint || ' ' || name, count(*), min('/' || rule),"  \
    " min(created_ms) FROM call WHERE " where " AND created_ms >= $1 AND state <> 'held'"          \
    " GROUP BY 1, 2 ORDER BY 1, 2"
#define OF_TIMER(entity) "SELECT record_id, kind || ' ' || rule, 'due', NULL, coalesce(due_ms, 0)" \
    " FROM timer WHERE entity = '" entity "' AND $1 = $1 ORDER BY record_id, kind, rule"

static const struct {
    const char *name;
    char letter;
    const char *sql;
} outcomes[OUTCOME_COUNT] = {
    [OUTCOME_LEAD_OWNER] = {"owner", 'L', OF_RECORD("owner", "lead")},
    [OUTCOME_CASE_OWNER] = {"owner", 'K', OF_RECORD("owner", "support_case")},
    [OUTCOME_LEAD_STATUS] = {"status", 'L', OF_RECORD("status", "lead")},
    [OUTCOME_CASE_STATUS] = {"status", 'K', OF_RECORD("status", "support_case")},
    [OUTCOME_LEAD_STAGE] = {"stage", 'L',
                            OF_RECORD("(SELECT stage || ' (' || status || ')' FROM deal WHERE "
                                      "deal.lead_id = lead.id AND deal.deleted_ms IS NULL "
                                      "ORDER BY deal.id DESC LIMIT 1)", "lead")},
    [OUTCOME_LEAD_SCORE] = {"score", 'L', OF_RECORD("score", "lead")},
    [OUTCOME_CASE_PRIORITY] = {"priority", 'K', OF_RECORD("priority", "support_case")},
    [OUTCOME_LEAD_TAG] = {"tag", 'L', OF_TAG("lead")},
    [OUTCOME_CASE_TAG] = {"tag", 'K', OF_TAG("case")},
    [OUTCOME_LEAD_TASK] = {"task", 'L', OF_TASK("lead_id")},
    [OUTCOME_CASE_TASK] = {"task", 'K', OF_TASK("case_id")},
    [OUTCOME_LEAD_MAIL] = {"mail", 'L', OF_MAIL("lead_id", "lead_id IS NOT NULL")},
    [OUTCOME_CASE_MAIL] = {"mail", 'K', OF_MAIL("case_id", "lead_id IS NULL AND case_id IS NOT NULL")},
    [OUTCOME_OTHER_MAIL] = {"mail", 'C',
                            OF_MAIL("contact_id", "lead_id IS NULL AND case_id IS NULL "
                                    "AND contact_id IS NOT NULL")},
    [OUTCOME_LEAD_CALL] = {"call", 'L', OF_CALL("lead_id", "lead_id IS NOT NULL")},
    [OUTCOME_CASE_CALL] = {"call", 'K', OF_CALL("case_id", "lead_id IS NULL AND case_id IS NOT NULL")},
    [OUTCOME_LEAD_TIMER] = {"timer", 'L', OF_TIMER("lead")},
    [OUTCOME_CASE_TIMER] = {"timer", 'K', OF_TIMER("case")},
};

const char *outcome_name(enum outcome o)
{
    return outcomes[o].name;
}

char outcome_letter(enum outcome o)
{
    return outcomes[o].letter;
}

struct db_rows *outcome_query(struct db *db, enum outcome o, int64_t since_ms)
{
    return db_query(db, outcomes[o].sql, "i", since_ms);
}

bool outcome_step(struct db_rows *r, struct outcome_row *out)
{
    if (!db_step(r))
        return false;
    *out = (struct outcome_row){
        .id = db_int(r, 0),
        .key = db_text(r, 1),
        .value = db_text(r, 2),
        .intent = db_text(r, 3),
        .at_ms = db_int(r, 4),
    };
    return true;
}
