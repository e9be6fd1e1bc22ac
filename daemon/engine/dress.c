/* SPDX-License-Identifier: ISC
 *
 * dress - see dress.h
 */
#include "engine/dress.h"

#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "engine/conversation.h"
#include "mail/transfer.h"
#include "rule/template.h"

/* NULL: there is none, as of a contact. */
static const char *dress_owner(struct input *in, const struct crm_target *t, struct err *e)
{
    enum crm_entity what;
    struct err none = {0};
    const json_t *rec = t->lead || t->kase ? crm_target_record(in->ctx, t, &what, &none) : NULL;
    if (!rec && none.cls != ERR_NONE && none.cls != ERR_INPUT)
        *e = none;
    /* without one it goes to the default owner when the input ends */
    return rec ? json_get_str(rec, "owner", engine_setting(in->eng, "default_owner", NULL)) : NULL;
}

static bool dress_is_aligned(const struct engine *eng, const char *address)
{
    const char *at = address ? strrchr(address, '@') : NULL;
    const char *own = strrchr(engine_setting(eng, "address", "@"), '@');
    return at && strcasecmp(at + 1, engine_setting(eng, "domain", own ? own + 1 : "")) == 0;
}

static void dress_from(struct engine *eng, const char *owner, struct dress *d)
{
    const char *email = json_get_str(owner ? crm_user(eng->crm, owner) : NULL, "email", NULL);
    d->from = (struct mail_address){engine_setting(eng, "address", ""),
                                    engine_setting(eng, "company", NULL)};
    if (!owner)
        return;
    bool own = dress_is_aligned(eng, email);
    d->signed_by = owner;
    d->name = own ? mem_str(json_get_str(crm_user(eng->crm, owner), "name", owner))
                  : conversation_from_user(eng, owner);
    d->from.name = d->name;
    if (own)
        d->from.address = email;
}

static void dress_files(struct engine *eng, const struct template *t, struct dress *d)
{
    const json_t *config = crm_config(eng->crm), *files = json_get_obj(config, "attachments");
    const json_t *names = json_get_arr(json_get_obj(json_get_obj(config, "templates"),
                                                    template_name(t)), "attach"), *v;
    size_t i;
    if (json_array_size(names) == 0)
        return;
    d->files = mem_array(json_array_size(names), sizeof(*d->files));
    json_array_foreach((json_t *)names, i, v) {
        const char *name = json_string_value(v), *slash = strrchr(name, '/');
        const json_t *f = json_get_obj(files, name);
        const char *data = json_get_str(f, "data", "");
        struct buf b AUTO_BUF;
        buf_init(&b, BOUND_ATTACH_FILE + 1);
        transfer_base64(&b, data, strlen(data));
        size_t n = b.len;
        d->bytes += n;
        d->files[d->file_count++] = (struct mail_attachment){
            .filename = slash ? slash + 1 : name,
            .type = json_get_str(f, "type", NULL),
            .data = buf_take(&b),
            .size = n,
        };
    }
}

int dress_make(struct input *in, const struct crm_send *s, struct dress *out, struct err *e)
{
    struct engine *eng = in->eng;
    struct err own = {0};
    *out = (struct dress){.language = s->language};
    if (!s->language && !s->to_user)
        out->language = crm_reads(in->ctx, s->target.contact);
    const struct template *t =
        s->template_name ? crm_template_in(eng->crm, s->template_name, out->language) : NULL;
    bool owned = t && template_from_owner(t) && !s->to_user && !s->notice;
    const char *owner = owned ? dress_owner(in, &s->target, &own) : NULL;
    if (own.cls != ERR_NONE) {
        *e = own;
        return -1;
    }
    dress_from(eng, owner, out);
    if (t)
        dress_files(eng, t, out);
    return 0;
}

void dress_done(struct dress *d)
{
    for (size_t i = 0; i < d->file_count; i++)
        mem_free((void *)d->files[i].data);
    mem_free(d->files);
    mem_free(d->name);
    *d = (struct dress){.language = NULL};
}
