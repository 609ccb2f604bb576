/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main function of all test programs. The number of skipped tests is kept in shared
 * memory, because the tests themselves run in child processes.
 */
#include "config.h"

#include "support/check_main.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	EXIT_SKIPPED = 77,
	TIMEOUT_S = 240
};

static atomic_uint *check_skipped;

static TCase *
check_case_create(const TTest *const *tests, size_t count, unsigned *added_r)
{
	const char *only = getenv("CK_RUN_TEST");
	TCase *tcase = tcase_create("all");

	/* Set here, CK_DEFAULT_TIMEOUT would no longer be looked at. */
	if (getenv("CK_DEFAULT_TIMEOUT") == NULL)
		tcase_set_timeout(tcase, TIMEOUT_S);
	for (size_t i = 0; i < count; i++) {
		if (only != NULL && strcmp(only, tests[i]->name) != 0)
			continue;
		tcase_add_test(tcase, tests[i]);
		++*added_r;
	}
	return tcase;
}

int
check_main(const char *title, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(title);
	unsigned added = 0;
	SRunner *runner;
	int failed;

	check_skipped = mmap(NULL, sizeof(*check_skipped), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (check_skipped == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	suite_add_tcase(suite, check_case_create(tests, count, &added));
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);

	if (failed > 0)
		return EXIT_FAILURE;
	if (added == 0) {
		fprintf(stderr, "%s: no test to run\n", title);
		return EXIT_FAILURE;
	}
	return *check_skipped == added ? EXIT_SKIPPED : EXIT_SUCCESS;
}

/* Check calls the function of a test "NAME_fn". */
void
check_note_skip(const char *test_fn, const char *format, ...)
{
	size_t length = strlen(test_fn);
	va_list args;

	if (length > 3 && strcmp(test_fn + length - 3, "_fn") == 0)
		length -= 3;
	printf("SKIP: %.*s: ", (int)length, test_fn);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	++*check_skipped;
}
