/* Tests of @NAME@.so, in a container inside this process: no daemon, and time that jumps. */
#include <check.h>
#include <stdlib.h>

#include <bay/test.h>

static const struct bay_test_options options = {.virtual_time = true};

/* Starts the service with one setting. */
static void
begin(const char *setting)
{
	bay_test_begin(&options);
	ck_assert_msg(bay_test_add("@NAME@", "./@NAME@.so", setting, NULL) == BAY_OK, "%s",
		bay_test_error());
}

START_TEST(greets_who_is_named)
{
	begin("greeting=good morning");
	ck_assert_int_eq(bay_test_call("@NAME@", "Ada"), BAY_OK);
	ck_assert_str_eq(bay_test_reply(), "good morning, Ada");
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(wants_a_name)
{
	begin("greeting=hello");
	ck_assert_int_eq(bay_test_call("@NAME@", ""), BAY_INVALID);
	ck_assert_str_eq(bay_test_error(), "@NAME@ wants a name to greet");
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

/* An hour takes no time here. */
START_TEST(thinks_as_long_as_it_is_told)
{
	int64_t start;

	begin("delay=1h");
	start = bay_now();
	ck_assert_int_eq(bay_test_call("@NAME@", "Ada"), BAY_OK);
	ck_assert_int_eq(bay_now() - start, 3600 * BAY_SECOND);
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

	tcase_add_test(tests, greets_who_is_named);
	tcase_add_test(tests, wants_a_name);
	tcase_add_test(tests, thinks_as_long_as_it_is_told);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
