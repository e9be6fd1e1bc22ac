/* SPDX-License-Identifier: ISC
 *
 * slots: what each side writes the other reads, and neither can hurt the other
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/slots.h"

static char dir[] = "/tmp/leadd-slots-XXXXXX";
static char path[128];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/slots", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static struct slots *create(uint32_t n)
{
    struct err e = {0};
    struct slots *s = slots_create(path, n, &e);
    if (!s)
        fail_msg("%s", e.text);
    return s;
}

static void the_engine_reads_what_the_courier_sets(void **state)
{
    (void)state;
    struct err e = {0};
    struct slot row;
    struct slots *engine = create(4), *courier = slots_map(slots_fd(engine), &e);
    assert_non_null(courier);
    assert_int_equal(slots_count(courier), 4);
    assert_int_equal(slots_claim(engine, 2, 17, 3), 0);
    assert_int_equal(slots_get(courier, 2, &row), 0);
    assert_int_equal(row.id, 17);
    assert_int_equal(row.attempt, 3);
    assert_int_equal(row.state, SLOT_CLAIMED);
    assert_int_equal(slots_set(courier, 2, 17, SLOT_FINAL, 0), 0);
    assert_int_equal(slots_get(engine, 2, &row), 0);
    assert_int_equal(row.state, SLOT_FINAL);
    assert_int_equal(slots_set(courier, 2, 17, SLOT_DONE, 250), 0);
    assert_int_equal(slots_get(engine, 2, &row), 0);
    assert_int_equal(row.state, SLOT_DONE);
    assert_int_equal(row.code, 250);
    slots_unmap(&courier);
    slots_unmap(&engine);
    assert_null(engine);
}

static void a_taken_row_is_not_claimed_again(void **state)
{
    (void)state;
    struct slot row;
    struct slots *s = create(2);
    assert_int_equal(slots_claim(s, 0, 1, 1), 0);
    assert_int_equal(slots_claim(s, 0, 2, 1), -1);
    assert_int_equal(slots_set(s, 0, 1, SLOT_FINAL, 0), 0);
    assert_int_equal(slots_claim(s, 0, 2, 1), -1);
    assert_int_equal(slots_set(s, 0, 1, SLOT_DONE, 250), 0);
    assert_int_equal(slots_claim(s, 0, 2, 1), 0);
    assert_int_equal(slots_get(s, 0, &row), 0);
    assert_int_equal(row.id, 2);
    assert_int_equal(row.code, 0);
    assert_int_equal(slots_free(s, 0), 0);
    assert_int_equal(slots_claim(s, 0, 3, 1), 0);
    slots_unmap(&s);
}

static void a_free_row_is_found_without_reading_the_others(void **state)
{
    (void)state;
    struct err e = {0};
    struct slots *s = create(3);
    for (uint64_t id = 1; id <= 3; id++) {
        int64_t at = slots_find_free(s);
        assert_in_range(at, 0, 2);
        assert_int_equal(slots_claim(s, (uint32_t)at, id, 1), 0);
    }
    assert_int_equal(slots_find_free(s), -1);
    assert_int_equal(slots_free(s, 1), 0);
    assert_int_equal(slots_find_free(s), 1);
    slots_unmap(&s);
    s = slots_open(path, &e); /* a new engine: what the old one claimed stays claimed */
    assert_non_null(s);
    assert_int_equal(slots_find_free(s), 1);
    assert_int_equal(slots_claim(s, 1, 4, 1), 0);
    assert_int_equal(slots_find_free(s), -1);
    assert_int_equal(slots_free(s, 0), 0);
    assert_int_equal(ftruncate(slots_fd(s), 64), 0); /* a courier that cuts the file */
    assert_int_equal(slots_find_free(s), -1);
    slots_unmap(&s);
}

static void a_row_of_another_mail_is_not_written(void **state)
{
    (void)state;
    struct slot row;
    struct slots *s = create(2);
    assert_int_equal(slots_claim(s, 0, 1, 1), 0);
    assert_int_equal(slots_set(s, 0, 9, SLOT_FINAL, 0), -1);
    assert_int_equal(slots_set(s, 1, 1, SLOT_FINAL, 0), -1);
    assert_int_equal(slots_set(s, 2, 1, SLOT_FINAL, 0), -1);
    assert_int_equal(slots_set(s, UINT32_MAX, 1, SLOT_FINAL, 0), -1);
    assert_int_equal(slots_claim(s, 2, 1, 1), -1);
    assert_int_equal(slots_free(s, 2), -1);
    assert_int_equal(slots_get(s, 2, &row), -1);
    assert_int_equal(slots_get(s, 0, &row), 0);
    assert_int_equal(row.state, SLOT_CLAIMED);
    slots_unmap(&s);
}

static void a_mark_survives_the_kill_of_the_courier(void **state)
{
    (void)state;
    struct slot row;
    struct slots *s = create(1);
    assert_int_equal(slots_claim(s, 0, 5, 1), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct slots *m = slots_map(slots_fd(s), NULL);
        if (m && slots_set(m, 0, 5, SLOT_FINAL, 0) == 0)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    slots_unmap(&s);
    s = slots_open(path, NULL); /* as after a restart of the engine too */
    assert_non_null(s);
    assert_true(slots_same_boot(s));
    assert_int_equal(slots_get(s, 0, &row), 0);
    assert_int_equal(row.state, SLOT_FINAL);
    slots_unmap(&s);
}

static void another_boot_is_noticed(void **state)
{
    (void)state;
    struct slots *s = create(1);
    assert_int_equal(pwrite(slots_fd(s), "00000000", 8, 16), 8); /* boot_id */
    slots_unmap(&s);
    s = slots_open(path, NULL);
    assert_non_null(s);
    assert_false(slots_same_boot(s));
    slots_unmap(&s);
}

/* The engine must survive a courier that cuts the file under it. */
static void a_cut_file_is_an_error_not_a_crash(void **state)
{
    (void)state;
    struct slot row;
    struct slots *s = create(1000);
    assert_int_equal(ftruncate(slots_fd(s), 64), 0);
    assert_int_equal(slots_get(s, 500, &row), -1);
    assert_int_equal(slots_claim(s, 500, 1, 1), -1);
    assert_null(slots_map(slots_fd(s), NULL));
    slots_unmap(&s);
    assert_null(slots_open(path, NULL));
}

static void a_state_nobody_knows_is_not_given_out(void **state)
{
    (void)state;
    struct slot row;
    uint32_t odd = 77;
    struct slots *s = create(1);
    assert_int_equal(pwrite(slots_fd(s), &odd, 4, 64 + 12), 4);
    assert_int_equal(slots_get(s, 0, &row), -1);
    slots_unmap(&s);
}

static int memfd_like(const struct slots *s, size_t n)
{
    char bytes[4096];
    int fd = memfd_create("slots", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(pread(slots_fd(s), bytes, n, 0), n);
    assert_int_equal(write(fd, bytes, n), n);
    return fd;
}

static void only_a_whole_file_is_mapped(void **state)
{
    (void)state;
    struct slots *s = create(2), *m;
    int fd = memfd_like(s, 64 + 64);
    assert_null(slots_map(fd, NULL)); /* not sealed */
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    m = slots_map(fd, NULL);
    assert_non_null(m);
    slots_unmap(&m);
    uint32_t count = UINT32_MAX;
    assert_int_equal(pwrite(fd, &count, 4, 12), 4);
    assert_null(slots_map(fd, NULL));
    assert_int_equal(pwrite(fd, "x", 1, 0), 1);
    assert_null(slots_map(fd, NULL));
    close(fd);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_null(slots_map(ends[0], NULL));
    close(ends[0]);
    close(ends[1]);
    assert_null(slots_create(path, 0, NULL));
    assert_null(slots_create(path, BOUND_SLOTS + 1, NULL));
    slots_unmap(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_reads_what_the_courier_sets),
        cmocka_unit_test(a_taken_row_is_not_claimed_again),
        cmocka_unit_test(a_free_row_is_found_without_reading_the_others),
        cmocka_unit_test(a_row_of_another_mail_is_not_written),
        cmocka_unit_test(a_mark_survives_the_kill_of_the_courier),
        cmocka_unit_test(another_boot_is_noticed),
        cmocka_unit_test(a_cut_file_is_an_error_not_a_crash),
        cmocka_unit_test(a_state_nobody_knows_is_not_given_out),
        cmocka_unit_test(only_a_whole_file_is_mapped),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
