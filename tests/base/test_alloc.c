/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/alloc.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check_main.h"

/* Kept out of the compiler's sight, which would warn of the absurd size. */
static volatile size_t huge = SIZE_MAX / 2;

START_TEST(xcalloc_returns_zeroed_memory)
{
	unsigned char *p = xcalloc(100, 3);

	for (int i = 0; i < 300; i++)
		ck_assert_uint_eq(p[i], 0);
	free(p);
}
END_TEST

START_TEST(nothing_at_all_is_still_an_allocation)
{
	void *p = xcalloc(0, 8);
	void *q = xrealloc(NULL, 0, 8);

	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(q);
	free(p);
	free(q);
}
END_TEST

START_TEST(xrealloc_keeps_the_contents)
{
	int *p = xrealloc(NULL, 2, sizeof(*p));

	p[0] = 7;
	p[1] = 9;
	p = xrealloc(p, 5000, sizeof(*p));
	ck_assert_int_eq(p[0], 7);
	ck_assert_int_eq(p[1], 9);
	free(p);
}
END_TEST

/* Calls fn in a child whose stderr is a pipe: it must abort and say why. */
static void
must_die(void (*fn)(void))
{
	char said[64] = "";
	int fds[2];
	int status;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		fn();
		_exit(0);
	}
	close(fds[1]);
	ck_assert_int_gt(read(fds[0], said, sizeof(said) - 1), 0);
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_str_eq(said, "bay: out of memory\n");
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void
ask_a_product_that_wraps(void)
{
	free(xrealloc(NULL, huge, 4));
}

START_TEST(a_size_that_wraps_around_ends_the_process)
{
	must_die(ask_a_product_that_wraps);
}
END_TEST

#if !defined(BAY_ASAN) && !defined(BAY_TSAN)
static void
ask_too_much(void)
{
	free(xcalloc(huge, 1));
}

START_TEST(no_memory_ends_the_process_with_a_word)
{
	must_die(ask_too_much);
}
END_TEST
#else
START_TEST(no_memory_ends_the_process_with_a_word)
{
	CHECK_SKIP("the sanitizer ends the process itself");
}
END_TEST
#endif

START_TEST(strings_are_copied_cut_and_formatted)
{
	char *whole = xstrdup("whole");
	char *cut = xstrndup("whole", 2);
	char *made = xasprintf("%s-%d", "n", 5);

	ck_assert_str_eq(whole, "whole");
	ck_assert_str_eq(cut, "wh");
	ck_assert_str_eq(made, "n-5");
	free(whole);
	free(cut);
	free(made);
}
END_TEST

START_TEST(the_nth_of_those_that_may_fail_fails_once)
{
	for (uint64_t nth = 1; nth <= 5; nth++) {
		char *four[4];
		uint64_t failed = 0;

		alloc_fail_at(nth);
		four[0] = alloc_try(10);
		four[1] = alloc_try_zeroed(2, 5);
		four[2] = alloc_try_copy("text");
		four[3] = alloc_try_again(NULL, 10);
		ck_assert_uint_eq(alloc_tried(), 4);
		ck_assert_int_eq(alloc_has_failed(), nth <= 4);
		for (uint64_t i = 0; i < 4; i++) {
			failed += four[i] == NULL ? i + 1 : 0;
			free(four[i]);
		}
		ck_assert_uint_eq(failed, nth <= 4 ? nth : 0);
		/* What may not fail does not count. */
		free(xcalloc(1, 1));
		ck_assert_uint_eq(alloc_tried(), 4);
	}
	alloc_fail_at(0);
	ck_assert(!alloc_has_failed());
	free(alloc_try(1));
	ck_assert_uint_eq(alloc_tried(), 0);
}
END_TEST

CHECK_MAIN("base/alloc",
	the_nth_of_those_that_may_fail_fails_once,
	xcalloc_returns_zeroed_memory,
	nothing_at_all_is_still_an_allocation,
	xrealloc_keeps_the_contents,
	a_size_that_wraps_around_ends_the_process,
	no_memory_ends_the_process_with_a_word,
	strings_are_copied_cut_and_formatted)
