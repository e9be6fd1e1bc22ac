/* SPDX-License-Identifier: ISC
 *
 * fault_vfs - see fault_vfs.h; empty unless test hooks are compiled in
 *
 * Every call goes on to SQLite's own VFS; only the operations named in the control
 * file fail or wait first. Never part of a build that people run.
 */
#include "store/fault_vfs.h"

#ifdef LEADD_TEST_HOOKS

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define FAULTS_MAX 8

enum fault_op { OP_OPEN, OP_READ, OP_WRITE, OP_SYNC, OP_TRUNCATE, OP_SHM, OP_COUNT };

struct fault {
    enum fault_op op;
    int file; /* SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_WAL, or 0: any */
    char what[16];
    int delay_ms;
    long skip, times; /* left */
};

static struct {
    struct fault list[FAULTS_MAX];
    size_t count;
    struct timespec mtime;
    ino_t inode;
} control;

struct file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
    int kind;
};

/* ---- the control file ------------------------------------------------------ */

static int word_at(const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return -1;
}

static void control_line(const char *line)
{
    static const char *const ops[] = {"open", "read", "write", "sync", "truncate", "shm"};
    static const char *const files[] = {"any", "db", "wal"};
    static const int kinds[] = {0, SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_WAL};
    struct fault f = {.times = -1};
    char op[16], file[8];
    if (sscanf(line, "%15s %7s %15s %ld %ld", op, file, f.what, &f.skip, &f.times) < 3)
        return;
    int o = word_at(op, ops, OP_COUNT), k = word_at(file, files, 3);
    LEADD_ASSERT(o >= 0 && k >= 0 && control.count < FAULTS_MAX);
    f.op = (enum fault_op)o;
    f.file = kinds[k];
    if (strncmp(f.what, "delay=", 6) == 0)
        f.delay_ms = (int)strtol(f.what + 6, NULL, 10);
    control.list[control.count++] = f;
}

static void control_read(void)
{
    char text[512] = "", *save = NULL;
    struct stat st = {0};
    const char *path = getenv("LEADD_FAULT_FILE");
    if (stat(path, &st) == 0 && st.st_ino == control.inode &&
        memcmp(&st.st_mtim, &control.mtime, sizeof(st.st_mtim)) == 0)
        return;
    control.count = 0;
    control.inode = st.st_ino;
    control.mtime = st.st_mtim;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        control_line(line);
}

/* SQLITE_OK, or what the operation fails with. Waits where it is to be slow. */
static int fault_now(enum fault_op op, int kind, int eio)
{
    control_read();
    for (size_t i = 0; i < control.count; i++) {
        struct fault *f = &control.list[i];
        if (f->op != op || (f->file && f->file != kind) || f->times == 0)
            continue;
        if (f->skip > 0) {
            f->skip--;
            continue;
        }
        f->times -= f->times > 0;
        if (f->delay_ms)
            usleep((useconds_t)f->delay_ms * 1000);
        else if (strcmp(f->what, "full") == 0)
            return SQLITE_FULL;
        else if (strcmp(f->what, "cantopen") == 0)
            return SQLITE_CANTOPEN;
        else if (strcmp(f->what, "short") == 0)
            return SQLITE_IOERR_SHORT_READ;
        else
            return eio;
    }
    return SQLITE_OK;
}

/* ---- a file ------------------------------------------------------------------ */

#define REAL(f) (((struct file *)(f))->real)
#define KIND(f) (((struct file *)(f))->kind)

static int file_close(sqlite3_file *f)
{
    return REAL(f)->pMethods->xClose(REAL(f));
}

static int file_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    int rc = fault_now(OP_READ, KIND(f), SQLITE_IOERR_READ);
    if (rc == SQLITE_IOERR_SHORT_READ) {
        (void)REAL(f)->pMethods->xRead(REAL(f), p, n / 2, at);
        memset((char *)p + n / 2, 0, (size_t)(n - n / 2));
    }
    return rc != SQLITE_OK ? rc : REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    int rc = fault_now(OP_WRITE, KIND(f), SQLITE_IOERR_WRITE);
    return rc != SQLITE_OK ? rc : REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = fault_now(OP_TRUNCATE, KIND(f), SQLITE_IOERR_TRUNCATE);
    return rc != SQLITE_OK ? rc : REAL(f)->pMethods->xTruncate(REAL(f), size);
}

static int file_sync(sqlite3_file *f, int flags)
{
    int rc = fault_now(OP_SYNC, KIND(f), SQLITE_IOERR_FSYNC);
    return rc != SQLITE_OK ? rc : REAL(f)->pMethods->xSync(REAL(f), flags);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return REAL(f)->pMethods->xFileSize(REAL(f), size);
}

static int file_lock(sqlite3_file *f, int lock)
{
    return REAL(f)->pMethods->xLock(REAL(f), lock);
}

static int file_unlock(sqlite3_file *f, int lock)
{
    return REAL(f)->pMethods->xUnlock(REAL(f), lock);
}

static int file_reserved(sqlite3_file *f, int *out)
{
    return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int file_sector(sqlite3_file *f)
{
    return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int file_device(sqlite3_file *f)
{
    return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    int rc = fault_now(OP_SHM, KIND(f), SQLITE_IOERR_SHMMAP);
    return rc != SQLITE_OK ? rc : REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
    REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int file_shm_unmap(sqlite3_file *f, int remove)
{
    return REAL(f)->pMethods->xShmUnmap(REAL(f), remove);
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 2, /* without the memory mapping of version 3: every read is seen */
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* ---- the VFS ------------------------------------------------------------------- */

static sqlite3_vfs shim;

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    sqlite3_vfs *own = vfs->pAppData;
    struct file *file = (struct file *)f;
    int rc = fault_now(OP_OPEN, flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL), SQLITE_IOERR);
    file->base.pMethods = NULL;
    file->real = (sqlite3_file *)(file + 1);
    file->kind = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL);
    if (rc == SQLITE_OK)
        rc = own->xOpen(own, name, file->real, flags, out);
    if (rc == SQLITE_OK)
        file->base.pMethods = &file_methods;
    return rc;
}

const char *fault_vfs(void)
{
    sqlite3_vfs *own = sqlite3_vfs_find(NULL);
    if (!getenv("LEADD_FAULT_FILE"))
        return NULL;
    if (!shim.zName) {
        shim = *own; /* all but open is the same */
        shim.zName = "leadd-fault";
        shim.pNext = NULL;
        shim.pAppData = own;
        shim.szOsFile = (int)sizeof(struct file) + own->szOsFile;
        shim.xOpen = shim_open;
        sqlite3_vfs_register(&shim, 0);
    }
    return shim.zName;
}

#endif
