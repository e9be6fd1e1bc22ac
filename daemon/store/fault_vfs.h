/* SPDX-License-Identifier: ISC
 *
 * fault_vfs - a disk that fails when a test says so
 *
 * A shim between SQLite and its files, compiled in by --enable-test-hooks alone and
 * used where LEADD_FAULT_FILE names a control file. Its lines are read anew whenever
 * it changes; each is
 *
 *   OPERATION FILE WHAT [SKIP [TIMES]]
 *
 *   OPERATION   open read write sync truncate shm
 *   FILE        db wal any
 *   WHAT        full, eio, cantopen, short (a read of half the bytes), delay=MS
 *   SKIP        operations that go well first (0)
 *   TIMES       operations that fail then (all)
 *
 * Not there or empty: the disk is well.
 */
#ifndef LEADD_FAULT_VFS_H
#define LEADD_FAULT_VFS_H

#include "config.h"

#include <stddef.h>

#ifdef LEADD_TEST_HOOKS
/* The name of the VFS to open with; NULL: SQLite's own. */
const char *fault_vfs(void);
#else
#define fault_vfs() NULL
#endif

#endif
