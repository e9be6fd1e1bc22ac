/* SPDX-License-Identifier: ISC
 *
 * ctl_simulate - `leadctl simulate`: a month of mails in seconds, and nothing sent
 */
#ifndef LEADD_CTL_SIMULATE_H
#define LEADD_CTL_SIMULATE_H

#include "ctl.h"

int ctl_local_simulate(const struct ctl_options *opt, int argc, char **argv);

#endif
