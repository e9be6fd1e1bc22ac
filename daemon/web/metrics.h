/* SPDX-License-Identifier: ISC
 *
 * metrics - the engine's numbers as Prometheus text, format 0.0.4
 *
 * {"counters": {NAME: n}, "gauges": {NAME: n}}: each becomes leadd_NAME, a
 * counter ends in _total. A NAME may carry labels, `mails{mailbox="sales"}`;
 * it is written only when it is well formed, so that one bad name cannot
 * make the whole page unreadable to a scraper. Pure.
 */
#ifndef LEADD_WEB_METRICS_H
#define LEADD_WEB_METRICS_H

#include "base/buf.h"
#include "base/json.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

void metrics_render(const json_t *stats, struct buf *out);

#endif
