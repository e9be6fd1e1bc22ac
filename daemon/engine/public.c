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
};

void public_answer(struct engine *eng, const struct item *it, const struct public_page *p)
{
    json_t *j = json_pack("{s:i, s:s, s:s}", "code", p->code, "title", p->title, "text", p->text);
    json_put_str(j, "button", p->button);
    json_put_str(j, "location", p->location);
    json_put_str(j, "lang", p->lang);
    engine_answer(eng, it->peer, FRAME_LINK_DONE, it->frame.id, j);
}

int public_frame(struct engine *eng, struct item *it, struct err *e)
{
    static const struct public_page none = {404, "There is nothing here",
                                            "This link was not made here.", NULL, NULL, NULL};
    const char *path = json_get_str(it->frame.json, "path", "");
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (text_starts(path, pages[i].part))
            return pages[i].page(eng, it, path + strlen(pages[i].part), e);
    public_answer(eng, it, &none);
    return 0;
}

void public_failed(struct engine *eng, const struct item *it)
{
    static const struct public_page failed = {500, "This did not work",
                                              "Something is wrong here. Please try again later.", NULL, NULL, NULL};
    public_answer(eng, it, &failed);
}
