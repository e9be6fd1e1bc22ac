/* SPDX-License-Identifier: ISC
 *
 * media - photos and other files that came with a text: from links to attachments
 *
 * The text is filed and told at once, with a link for each file ("fetch": "waiting" in its
 * attachment) and a timer that asks the courier (courier/media.h). What comes is put behind
 * the text's own bytes and is from then on an attachment like a mail's: at, bytes, size,
 * sha256. The owner who was told of the text gets the files in a mail of the same thread.
 *
 * Timer and attachment change in one transaction, so a file is kept once, whatever is
 * killed; what is asked twice answers twice, and the second answer changes nothing. A file
 * that is refused, or cannot be had within a day, stays a link with the reason ("why").
 */
#ifndef LEADD_ENGINE_MEDIA_H
#define LEADD_ENGINE_MEDIA_H

#include "engine/engine.h"
#include "engine/timer.h"

extern const struct timer_kind timer_kind_media;

/* The attachments of a text by this gateway: links, that wait where they are to be fetched.
 * media: [{url, type}] or NULL; a new reference. */
json_t *media_links(struct engine *eng, const char *gateway, const json_t *media);
/* The text is filed: those that wait get their timers. */
int media_await(struct engine *eng, const char *gateway, int64_t message_id, const json_t *message,
                struct err *e) LEADD_MUST_CHECK;
/* The FETCHED frame. */
int media_fetched(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;

#endif
