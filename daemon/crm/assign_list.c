/* SPDX-License-Identifier: ISC
 *
 * assign_list - pools as a table: who is in it, what he has, and could he be dealt to
 *
 * It asks the same question as the dealing itself (assign_who), and changes nothing.
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "crm/assign.h"
#include "crm/cmd.h"
#include "store/lead.h"
#include "store/pool.h"

static json_t *member_row(struct crm_ctx *ctx, const char *pool, const struct who_ask *ask,
                          struct err *e)
{
    const char *user = json_get_str(ask->member, "user", "");
    char today[48] = "";
    struct buf now AUTO_BUF;
    struct who w;
    int64_t open;
    buf_init(&now, 4096);
    if (assign_who(ctx, user, ask, &w, e) < 0 ||
        lead_open_count(ctx->crm->db, user, &open, e) < 0)
        return NULL;
    assign_who_print(ctx->crm, &w, &now);
    if (w.limit)
        snprintf(today, sizeof(today), "%" PRId64 " of %" PRId64, w.given, w.limit);
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s}", "pool", pool, "by",
                     json_get_str(ask->config, "by", "round_robin"), "user", user, "weight",
                     (json_int_t)json_get_int(ask->member, "weight", 1), "open", (json_int_t)open,
                     "today", today, "now", now.data ? now.data : "");
}

static int pool_rows(struct crm_ctx *ctx, const char *pool, const json_t *p, json_t *rows,
                     struct err *e)
{
    AUTO_FREE char *key = mem_printf("pool %s", pool);
    AUTO_JSON json_t *state = NULL;
    const json_t *skills[] = {json_get_arr(p, "needs"), NULL};
    struct who_ask ask = {.pool = key, .config = p, .skills = skills};
    size_t i;
    if (pool_load(ctx->crm->db, key, &state, e) < 0)
        return -1;
    ask.state = state;
    json_array_foreach(json_get_arr(p, "members"), i, ask.member) {
        json_t *row = member_row(ctx, pool, &ask, e);
        if (!row)
            return -1;
        json_array_append_new(rows, row);
    }
    return 0;
}

int crm_pools_list(struct crm *crm, const char *pool, int64_t now_ms, json_t *rows, struct err *e)
{
    const char *name;
    const json_t *p;
    int rc = 0;
    if (pool && cmd_known(crm->pools, "pool", pool, e) < 0)
        return -1;
    struct crm_ctx *ctx = crm_begin(crm, NULL, now_ms);
    json_object_foreach((json_t *)crm->pools, name, p)
        if (rc == 0 && (!pool || !strcmp(pool, name)))
            rc = pool_rows(ctx, name, p, rows, e);
    crm_end(&ctx);
    return rc;
}

int assign_users_absent(struct crm *crm, json_t *rows, int64_t now_ms, struct err *e)
{
    struct crm_ctx *ctx = crm_begin(crm, NULL, now_ms);
    struct who_ask alone = {NULL};
    json_t *row;
    struct who w;
    size_t i;
    int rc = 0;
    json_array_foreach(rows, i, row) {
        struct buf told AUTO_BUF;
        buf_init(&told, 4096);
        if (assign_who(ctx, json_get_str(row, "name", ""), &alone, &w, e) < 0) {
            rc = -1;
            break;
        }
        if (w.state == WHO_ABSENT)
            assign_who_print(crm, &w, &told);
        json_put_str(row, "absent", told.data ? told.data + strlen("is ") : "");
    }
    crm_end(&ctx);
    return rc;
}
