/* SPDX-License-Identifier: ISC
 *
 * ctl_form - `leadctl form`: forms of the config, without a daemon
 */
#ifndef LEADD_CTL_FORM_H
#define LEADD_CTL_FORM_H

#include "base/buf.h"
#include "ctl.h"

int ctl_local_form(const struct ctl_options *opt, int argc, char **argv);

/* The form as HTML; url: where web.listen is reached from outside. */
void ctl_snippet(const char *form, const json_t *conf, const char *url, struct buf *out);

#endif
