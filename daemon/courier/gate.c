/* SPDX-License-Identifier: ISC
 *
 * gate - see gate.h
 */
#include "courier/gate.h"

#include <string.h>

#include "base/gateway.h"
#include "base/mem.h"
#include "base/role.h"
#include "courier/http.h"

static int gate_read(struct gate *g, const char *name, const json_t *c, struct err *e)
{
    const char *file = json_get_str(c, "secret_file", NULL), *type = json_get_str(c, "type", "http");
    *g = (struct gate){.name = name,
                       .conf = c,
                       .ca_file = json_get_str(c, "ca_file", NULL),
                       .folder = json_get_str(c, "folder", NULL),
                       .spool = strcmp(type, "spool") == 0,
                       .timeout_ms = (long)json_get_int(c, "timeout", 30000),
                       .connections = (size_t)json_get_int(c, "connections", 4)};
    TAILQ_INIT(&g->wait);
    if (file && !(g->secret = role_read_secret(file, e)))
        return err_wrap(e, "gateway %s", name);
    if (strcmp(type, "http") != 0 || !json_get_str(c, "url", NULL))
        return 0;
    AUTO_FREE char *url = gateway_base_url(c, e);
    if (!url)
        return err_wrap(e, "gateway %s", name);
    g->port = http_port(url);
    return g->port ? 0 : err_set(e, ERR_PERM, "gateway %s: the url cannot be read", name);
}

struct gates *gates_new(const json_t *config, struct err *e)
{
    struct gates *gs = mem_alloc(sizeof(*gs));
    const char *name;
    json_t *c;
    int rc = 0;
    gs->config = json_incref((json_t *)config);
    json_object_foreach(json_get_obj(config, "gateways"), name, c) {
        if (gs->count == BOUND_GATEWAYS)
            rc = err_set(e, ERR_PERM, "more than %d gateways", BOUND_GATEWAYS);
        if (rc == 0)
            rc = gate_read(&gs->list[gs->count++], name, c, e);
    }
    if (rc < 0)
        gates_free(&gs);
    return gs;
}

void gates_free(struct gates **gp)
{
    struct gates *gs = *gp;
    *gp = NULL;
    if (!gs)
        return;
    for (size_t i = 0; i < gs->count; i++)
        mem_free(gs->list[i].secret);
    json_decref(gs->config);
    mem_free(gs);
}

void gates_rights(const struct gates *gs, struct sandbox *sb)
{
    for (size_t i = 0; i < gs->count; i++) {
        const struct gate *g = &gs->list[i];
        if (g->port)
            sandbox_port(sb, g->port);
        const json_t *media = json_get_obj(g->conf, "media");
        if (media) /* of whatever host */
            sandbox_port(sb, 443);
        if (json_get_bool(media, "private", false))
            sandbox_port(sb, 80);
        sandbox_path(sb, g->ca_file, SANDBOX_READ);
        if (g->spool)
            sandbox_path(sb, g->folder, SANDBOX_WRITE);
    }
}

struct gate *gates_find(struct gates *gs, const char *name)
{
    for (size_t i = 0; i < gs->count; i++)
        if (strcmp(gs->list[i].name, name) == 0)
            return &gs->list[i];
    return NULL;
}
