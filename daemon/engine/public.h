/* SPDX-License-Identifier: ISC
 *
 * public - pages behind links that anybody may hold, as web-in asks for them
 *
 * One row per first part of the path. A look changes nothing that counts: mail systems
 * open every link of a mail. Who presses the button is not known, only that he holds the
 * link, so each page says in its own file what that proves.
 */
#ifndef LEADD_ENGINE_PUBLIC_H
#define LEADD_ENGINE_PUBLIC_H

#include "engine/engine.h"

struct public_page {
    int code;
    const char *title, *text, *button, *location, *lang; /* borrowed; but the first two NULL: none */
    const json_t *choices;  /* borrowed; of the button's form, as web/page.h has them; NULL: none */
    const char *rows_title; /* of rows: lines below */
    const json_t *rows;     /* borrowed; texts, or NULL */
};
/* Answers, once what was done is durable. */
void public_answer(struct engine *eng, const struct item *it, const struct public_page *p);

/* The handler of LINK from web-in; and what is said when that failed. */
int public_frame(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
void public_failed(struct engine *eng, const struct item *it);

/* The pages: rest is what stands behind the first part, "Q12.TOKEN". it->frame.json has "go"
 * (the button was pressed), "head", "remote", "agent", "type" (of the body); the body is it->frame.raw. */
int confirm_page(struct engine *eng, struct item *it, const char *rest,
                 struct err *e) LEADD_MUST_CHECK;
int click_page(struct engine *eng, struct item *it, const char *rest,
               struct err *e) LEADD_MUST_CHECK;
int optout_page(struct engine *eng, struct item *it, const char *rest,
                struct err *e) LEADD_MUST_CHECK;

#endif
