/* SPDX-License-Identifier: BSD-2-Clause */
/* The test support tests itself: a failing test must be seen, a skipped one counted. */
#include "config.h"

#include "support/check_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(inner_pass)
{
	ck_assert_int_eq(1, 1);
}
END_TEST

START_TEST(inner_fail)
{
	ck_abort_msg("on purpose");
}
END_TEST

START_TEST(inner_crash)
{
	abort();
}
END_TEST

START_TEST(inner_skip)
{
	CHECK_SKIP("not on this machine");
	ck_abort_msg("a skipped test goes on");
}
END_TEST

static void *volatile inner_kept;

START_TEST(inner_leak)
{
	ck_assert_ptr_nonnull(inner_kept = malloc(77));
	inner_kept = NULL;
}
END_TEST

/* Runs the tests as a test program of its own; returns its exit status and output. */
static int
run(const TTest *const *tests, size_t count, char *output, size_t size)
{
	int fds[2];
	int status;
	pid_t pid;
	FILE *from;
	size_t got;

	ck_assert_int_eq(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		setpgid(0, 0);
		setenv("CK_FORK", "yes", 1);
		unsetenv("CK_RUN_TEST");
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		exit(check_main("inner", tests, count));
	}
	close(fds[1]);
	from = fdopen(fds[0], "r");
	got = fread(output, 1, size - 1, from);
	output[got] = '\0';
	fclose(from);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(a_program_whose_tests_pass_exits_0)
{
	const TTest *const tests[] = {inner_pass};
	char output[4096];

	ck_assert_int_eq(run(tests, 1, output, sizeof(output)), 0);
}
END_TEST

START_TEST(a_failed_test_is_named_and_the_program_exits_1)
{
	const TTest *const tests[] = {inner_pass, inner_fail};
	char output[4096];

	ck_assert_int_eq(run(tests, 2, output, sizeof(output)), 1);
	ck_assert_ptr_nonnull(strstr(output, "inner_fail"));
	ck_assert_ptr_nonnull(strstr(output, "on purpose"));
}
END_TEST

START_TEST(a_crashed_test_is_named_and_the_others_still_run)
{
	const TTest *const tests[] = {inner_crash, inner_pass};
	char output[4096];

	ck_assert_int_eq(run(tests, 2, output, sizeof(output)), 1);
	ck_assert_ptr_nonnull(strstr(output, "inner_crash"));
	ck_assert_ptr_nonnull(strstr(output, "Checks: 2"));
}
END_TEST

START_TEST(a_program_whose_tests_are_all_skipped_exits_77_with_the_reason)
{
	const TTest *const tests[] = {inner_skip};
	char output[4096];

	ck_assert_int_eq(run(tests, 1, output, sizeof(output)), 77);
	ck_assert_ptr_nonnull(strstr(output, "SKIP: inner_skip: not on this machine"));
}
END_TEST

START_TEST(a_skipped_test_does_not_hide_the_ones_that_passed)
{
	const TTest *const tests[] = {inner_skip, inner_pass};
	char output[4096];

	ck_assert_int_eq(run(tests, 2, output, sizeof(output)), 0);
	ck_assert_ptr_nonnull(strstr(output, "SKIP: inner_skip"));
}
END_TEST

/* Tests run in child processes that end without main's: a leak in one must be seen there. */
START_TEST(a_leak_fails_the_test_that_has_it)
{
#if defined(BAY_ASAN)
	const TTest *const tests[] = {inner_leak, inner_pass};
	char output[8192];

	ck_assert_int_eq(run(tests, 2, output, sizeof(output)), 1);
	ck_assert_ptr_nonnull(strstr(output, "LeakSanitizer"));
	ck_assert_ptr_nonnull(strstr(output, "E:all:inner_leak"));
	ck_assert_ptr_nonnull(strstr(output, "50%: Checks: 2"));
#else
	(void)inner_leak;
	CHECK_SKIP("not built with AddressSanitizer");
#endif
}
END_TEST

CHECK_MAIN("support/check_main",
	a_program_whose_tests_pass_exits_0,
	a_failed_test_is_named_and_the_program_exits_1,
	a_crashed_test_is_named_and_the_others_still_run,
	a_program_whose_tests_are_all_skipped_exits_77_with_the_reason,
	a_skipped_test_does_not_hide_the_ones_that_passed,
	a_leak_fails_the_test_that_has_it)
