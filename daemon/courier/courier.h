/* SPDX-License-Identifier: ISC
 *
 * courier - role: hands the engine's mails to relays and says what became of each
 */
#ifndef LEADD_COURIER_COURIER_H
#define LEADD_COURIER_COURIER_H

int courier_main(const char *name);

#endif
