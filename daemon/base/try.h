/* SPDX-License-Identifier: ISC
 *
 * try - what a role that somebody has taken over would try (test builds only)
 *
 * LEADD_TRY is a list of WHAT or WHAT:ARGUMENT, separated by ';'. Each is tried
 * once, after READY, and logged as `sandbox.try what=".." got=".."`, where got is
 * "ok" or the name of the error. tests/e2e/test_sandbox.py compares that with who
 * may what. A call that ends the process is tried last.
 */
#ifndef LEADD_TRY_H
#define LEADD_TRY_H

void try_all(void);

#endif
