/* SPDX-License-Identifier: ISC
 *
 * page - the page that a link of a mail opens: what it is about, and one button
 *
 * {"code", "title", "text", "button", "lang"} of the engine becomes HTML without scripts and
 * without anything from elsewhere. The button posts to the page's own address, with what
 * was chosen: "choices" is [{"name", "label", "about"?, "on"}] for boxes, and {"name",
 * "label", "options": [text], "value"} for one of several; "_save" is posted with them: the names of
 * all that were shown, since an empty box posts nothing.
 * "rows" are lines below, under "rows_title". Pure.
 */
#ifndef LEADD_WEB_PAGE_H
#define LEADD_WEB_PAGE_H

#include "base/buf.h"
#include "base/json.h"

#define PAGE_CONTENT_TYPE "text/html; charset=utf-8"

void page_render(const json_t *answer, struct buf *out);

#endif
