/* SPDX-License-Identifier: ISC
 *
 * ctl_template - `leadctl template`: list, show and check read the files alone; preview
 * and send are the daemon's
 */
#ifndef LEADD_CTL_TEMPLATE_H
#define LEADD_CTL_TEMPLATE_H

#include "ctl.h"

int ctl_local_template(const struct ctl_options *opt, int argc, char **argv);

#endif
