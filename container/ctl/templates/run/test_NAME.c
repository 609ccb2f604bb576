/* Tests of @NAME@.so, in a container inside this process: no daemon, and time that jumps. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <bay/test.h>

static const struct bay_test_options options = {.virtual_time = true};

/* What the service has counted to. */
static const char *
count(void)
{
	ck_assert_int_eq(bay_test_call("@NAME@", ""), BAY_OK);
	return bay_test_reply();
}

/* Ten seconds take no time here. */
START_TEST(counts_once_a_period)
{
	bay_test_begin(&options);
	ck_assert_msg(bay_test_add("@NAME@", "./@NAME@.so", "period=2s", NULL) == BAY_OK, "%s",
		bay_test_error());
	ck_assert_str_eq(count(), "0");
	bay_test_advance(2 * BAY_SECOND);
	ck_assert_str_eq(count(), "1");
	bay_test_advance(10 * BAY_SECOND);
	ck_assert_str_eq(count(), "6");
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(refuses_a_period_of_nothing)
{
	bay_test_begin(&options);
	ck_assert_int_eq(bay_test_add("@NAME@", "./@NAME@.so", "period=0", NULL), BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(bay_test_error(), "period has to be above 0"));
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("all");
	Suite *suite = suite_create("@NAME@");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, counts_once_a_period);
	tcase_add_test(tests, refuses_a_period_of_nothing);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
