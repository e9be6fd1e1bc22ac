/* SPDX-License-Identifier: ISC
 *
 * click - links of a mail that tell when they are opened, where its template asks for it
 *
 * Off unless the template says Track-Clicks: yes. Then each link of its text and HTML leads
 * to web.in_url/r/.. and from there, by 302, to where it led before. The address stands in
 * the link, signed together with the mail's row, so nothing else can be reached, and a
 * mail costs no row until somebody opens a link. Links of leadd itself (to confirm, to leave
 * a list, of notices) stay as they are. There are no pictures that report an opened mail.
 *
 * Most who open a link first are no people but scanners of mail systems. What counts:
 *
 *   no     HEAD; a program that names itself as one; whatever comes within
 *          CLICK_SOON_MS after the mail was taken by the relay; all links of a mail that
 *          has several within CLICK_ALL_MS, though a person may have opened some before
 *   yes    the rest, once per mail and link: message.clicked, and a line of the timeline
 *
 * That is decided CLICK_WAIT_MS after the first one, by a timer. What did not count is
 * forgotten, so that a person's later click still does.
 */
#ifndef LEADD_ENGINE_CLICK_H
#define LEADD_ENGINE_CLICK_H

#include "base/units.h"
#include "engine/engine.h"
#include "rule/template.h"

#define CLICK_SOON_MS 10000
#define CLICK_ALL_MS 10000
#define CLICK_WAIT_MS MINUTE_MS

/* Puts links to us in the place of those in the text and the HTML that lead to sites which
 * t, whose words they are, has links to. */
void click_rewrite(struct engine *eng, int64_t outbox, const struct template *t,
                   struct template_result *r);

#endif
