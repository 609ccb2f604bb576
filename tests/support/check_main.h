/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A test program is a list of Check tests and one line:
 *
 *	START_TEST(an_empty_buffer_has_no_bytes)
 *	{
 *		...
 *	}
 *	END_TEST
 *
 *	CHECK_MAIN("base/buffer",
 *		an_empty_buffer_has_no_bytes,
 *		...)
 *
 * Each test runs in a process of its own (CK_FORK=no in the environment turns that
 * off, for a debugger) and is killed after 240 seconds (CK_DEFAULT_TIMEOUT=N). A test
 * that is defined but not listed is a compiler warning. CK_RUN_TEST=NAME runs that
 * one test only.
 */
#ifndef BAY_TESTS_SUPPORT_CHECK_MAIN_H
#define BAY_TESTS_SUPPORT_CHECK_MAIN_H

#include <check.h>
#include <stddef.h>

/*
 * Runs the tests in order and prints what failed. Returns what main returns: 0 when all
 * passed, 1 when one failed, 77 when every test was skipped.
 */
int check_main(const char *title, const TTest *const *tests, size_t count);

#define CHECK_MAIN(title, ...) \
	int main(void) \
	{ \
		const TTest *const check_tests[] = {__VA_ARGS__}; \
		return check_main(title, check_tests, sizeof(check_tests) / sizeof(*check_tests)); \
	}

/*
 * Ends the calling test as skipped, for what this machine cannot do (not root, no such
 * kernel call). Prints "SKIP: test: reason". A program whose tests were all skipped is
 * reported as skipped. Use in the body of a test, not in what it calls.
 */
#define CHECK_SKIP(...) \
	do { \
		check_note_skip(__func__, __VA_ARGS__); \
		return; \
	} while (0)

void check_note_skip(const char *test_fn, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
