/* SPDX-License-Identifier: ISC
 *
 * public - see public.h
 */
#include "engine/public.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const struct {
    const char *part;
    int (*page)(struct engine *eng, struct item *it, const char *rest, struct err *e);
} pages[] = {
    {"c/", confirm_page},
    {"r/", click_page},
    {"u/", optout_page},
};

void public_answer(struct engine *eng, const struct item *it, const struct public_page *p)
{
    json_t *j = json_pack("{s:i, s:s, s:s}", "code", p->code, "title", p->title, "text", p->text);
    json_put_str(j, "button", p->button);
    json_put_str(j, "location", p->location);
    json_put_str(j, "lang", p->lang);
    if (p->choices)
        json_object_set(j, "choices", (json_t *)p->choices);
    if (p->rows) {
        json_put_str(j, "rows_title", p->rows_title);
        json_object_set(j, "rows", (json_t *)p->rows);
    }
    engine_answer(eng, it->peer, FRAME_LINK_DONE, it->frame.id, j);
}

int public_frame(struct engine *eng, struct item *it, struct err *e)
{
    static const struct public_page none = {.code = 404,
                                            .title = "There is nothing here",
                                            .text = "This link was not made here."};
    const char *path = json_get_str(it->frame.json, "path", "");
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (text_starts(path, pages[i].part))
            return pages[i].page(eng, it, path + strlen(pages[i].part), e);
    public_answer(eng, it, &none);
    return 0;
}

void public_failed(struct engine *eng, const struct item *it)
{
    static const struct public_page failed = {.code = 500,
                                              .title = "This did not work",
                                              .text = "Something is wrong here. Please try again later."};
    public_answer(eng, it, &failed);
}
