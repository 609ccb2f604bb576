/* Tests of @NAME@.so, in a container inside this process: no daemon, and time that jumps. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <bay/test.h>

static const struct bay_test_options options = {.virtual_time = true};

/* Where it listens, as it says itself. */
static char address[128];

/* Starts the service at a port that the kernel chooses. */
static void
begin(void)
{
	bay_test_begin(&options);
	ck_assert_msg(bay_test_add("@NAME@", "./@NAME@.so", "address=127.0.0.1:0", "idle=1m", NULL) ==
		BAY_OK, "%s", bay_test_error());
	ck_assert_int_eq(bay_test_call("@NAME@", ""), BAY_OK);
	memcpy(address, bay_test_reply(), strcspn(bay_test_reply(), ","));
}

static struct bay_stream *
enter(void)
{
	struct bay_stream *stream = NULL;

	ck_assert_int_eq(bay_connect(address, NULL, &stream, BAY_INHERIT), BAY_OK);
	return stream;
}

/* What comes next on the stream, a line. */
static const char *
answer(struct bay_stream *stream)
{
	char *line = NULL;

	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, BAY_INHERIT), BAY_OK);
	return line;
}

static int
talk(void *arg)
{
	struct bay_stream *stream = enter();
	char *line;

	(void)arg;
	ck_assert_int_eq(bay_stream_write(stream, "hello\nBay, 7!\n", 14, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(answer(stream), "HELLO");
	ck_assert_str_eq(answer(stream), "BAY, 7!");
	ck_assert_int_eq(bay_stream_write(stream, "bye\n", 4, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, BAY_INHERIT), BAY_CLOSED);
	return bay_stream_close(stream, BAY_INHERIT);
}

START_TEST(answers_lines_in_capitals)
{
	begin();
	ck_assert_int_eq(bay_test_run(talk, NULL), BAY_OK);
	ck_assert_int_eq(bay_test_call("@NAME@", ""), BAY_OK);
	ck_assert_ptr_nonnull(strstr(bay_test_reply(), ", 0 connections"));
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

static int
say_nothing(void *arg)
{
	struct bay_stream *stream = enter();
	int64_t start = bay_now();
	char byte;
	size_t size;

	(void)arg;
	ck_assert_int_ne(bay_stream_read(stream, &byte, 1, &size, BAY_INHERIT), BAY_OK);
	ck_assert_int_ge(bay_now() - start, 60 * BAY_SECOND);
	bay_stream_abort(stream);
	return BAY_OK;
}

/* A minute takes no time here. */
START_TEST(disconnects_who_writes_nothing)
{
	begin();
	ck_assert_int_eq(bay_test_run(say_nothing, NULL), BAY_OK);
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

	tcase_add_test(tests, answers_lines_in_capitals);
	tcase_add_test(tests, disconnects_who_writes_nothing);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
