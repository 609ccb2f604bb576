/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bay/test.h>

#include "support/check_main.h"

#define HOUR (3600 * BAY_SECOND)
#define PLUGINS TOP_BUILDDIR "/plugins/"

static const struct bay_test_options virtual_time = {.virtual_time = true};

/* --- services of the tests ---------------------------------------------------------------- */

static int
upper(struct bay_request *request)
{
	char text[64];
	size_t i;

	snprintf(text, sizeof text, "%s", bay_request_text(request));
	for (i = 0; text[i] != '\0'; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] -= 'a' - 'A';
	return bay_reply_text(request, text);
}

static int
ticks_run(struct bay_instance *instance)
{
	struct bay_ticker *ticker = bay_ticker_create(BAY_SECOND);

	while (bay_ticker_next(ticker, NULL, BAY_INHERIT) == BAY_OK)
		bay_log_info("%s: tick", bay_instance_name(instance));
	bay_ticker_destroy(ticker);
	return BAY_CANCELED;
}

static int
fails_run(struct bay_instance *instance)
{
	(void)bay_sleep(BAY_SECOND);
	return bay_instance_fail(instance, BAY_FAILED, "the disk is full");
}

/* --- services ----------------------------------------------------------------------------- */

START_TEST(a_plugin_is_loaded_from_its_file_and_called)
{
	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_add("square", PLUGINS "square.so", NULL), BAY_OK);
	ck_assert_int_eq(bay_test_call("square", "5"), BAY_OK);
	ck_assert_str_eq(bay_test_reply(), "25");
	ck_assert_int_eq(bay_test_call("square", "five"), BAY_INVALID);
	ck_assert_str_eq(bay_test_reply(), "");
	ck_assert_ptr_nonnull(strstr(bay_test_error(), "integer"));
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(a_descriptor_of_the_program_is_a_service)
{
	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_add_plugin("upper", BAY_TEST_DESCRIPTOR(.handle = upper), NULL), BAY_OK);
	ck_assert_int_eq(bay_test_call("upper", "bay"), BAY_OK);
	ck_assert_str_eq(bay_test_reply(), "BAY");
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(settings_are_checked_as_in_a_cell)
{
	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_add("slow", PLUGINS "sleeper.so", "delay=quick", NULL), BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(bay_test_error(), "setting delay: "));
	ck_assert_int_eq(bay_test_add("slow", PLUGINS "sleeper.so", "delay=1s", "txet=x", NULL), BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(bay_test_error(), "did you mean"));
	ck_assert_int_eq(bay_test_add("slow", PLUGINS "sleeper.so", "delay", NULL), BAY_INVALID);
	ck_assert_int_eq(bay_test_add("slow", "./is/not/there.so", NULL), BAY_NOT_FOUND);
	ck_assert_int_eq(bay_test_add("slow", PLUGINS "sleeper.so", "delay=1s", "text=so", NULL), BAY_OK);
	ck_assert_int_eq(bay_test_call("slow", ""), BAY_OK);
	ck_assert_str_eq(bay_test_reply(), "so");
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(a_service_that_was_stopped_can_be_started_again)
{
	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_add("square", PLUGINS "square.so", NULL), BAY_OK);
	ck_assert_int_eq(bay_test_stop("square", 0), BAY_OK);
	ck_assert_int_eq(bay_test_call("square", "5"), BAY_CLOSED);
	ck_assert_int_eq(bay_test_add("square", PLUGINS "square.so", NULL), BAY_OK);
	ck_assert_int_eq(bay_test_call("square", "5"), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(a_service_that_fails_by_itself_says_why)
{
	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_add_plugin("disk", BAY_TEST_DESCRIPTOR(.run = fails_run), NULL), BAY_OK);
	ck_assert_ptr_null(bay_test_failure("disk"));
	bay_test_advance(2 * BAY_SECOND);
	ck_assert_str_eq(bay_test_failure("disk"), "the disk is full");
	ck_assert_uint_eq(bay_test_log_has("error service disk: it has failed: the disk is full"), 1);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

/* --- time --------------------------------------------------------------------------------- */

static int
sleeps_an_hour(void *arg)
{
	int64_t begin_ns = bay_now(), wall_ns = bay_wall();

	(void)arg;
	ck_assert_int_eq(bay_sleep(HOUR), BAY_OK);
	ck_assert_int_eq(bay_now() - begin_ns, HOUR);
	ck_assert_int_eq(bay_wall() - wall_ns, HOUR);
	ck_assert_int_eq(bay_sleep(1), BAY_OK);
	ck_assert_int_eq(bay_now() - begin_ns, HOUR + 1);
	return BAY_OK;
}

START_TEST(an_hours_sleep_takes_no_time_and_is_exact)
{
	int64_t wall_ns;

	bay_test_begin(&virtual_time);
	wall_ns = bay_wall();
	ck_assert_int_eq(wall_ns, INT64_C(1767225600) * BAY_SECOND);
	ck_assert_int_eq(bay_test_run(sleeps_an_hour, NULL), BAY_OK);
	ck_assert_int_eq(bay_wall(), wall_ns + HOUR + 1);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(a_deadline_cuts_a_long_sleep_at_its_time)
{
	int64_t begin_ns;

	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_add("slow", PLUGINS "sleeper.so", "delay=24h", NULL), BAY_OK);
	begin_ns = bay_now();
	ck_assert_int_eq(bay_test_call_with("slow", NULL, 0, 3 * HOUR), BAY_TIMEOUT);
	ck_assert_int_eq(bay_now() - begin_ns, 3 * HOUR);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(a_ticker_ticks_through_a_day)
{
	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_add_plugin("clock", BAY_TEST_DESCRIPTOR(.run = ticks_run), NULL), BAY_OK);
	bay_test_advance(HOUR + BAY_MS);
	ck_assert_uint_eq(bay_test_log_has("clock: tick"), 3600);
	ck_assert_str_eq(bay_test_log_last(), "info service clock: clock: tick");
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(nothing_goes_on_while_the_test_computes)
{
	int64_t now_ns;

	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_add_plugin("clock", BAY_TEST_DESCRIPTOR(.run = ticks_run), NULL), BAY_OK);
	now_ns = bay_now();
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(bay_now(), now_ns);
	ck_assert_uint_eq(bay_test_log_has("tick"), 0);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

/* Looks at the clock until a time has passed that nobody waits for. */
static int
looks_at_the_clock(void *arg)
{
	int64_t until_ns = bay_after(100 * BAY_MS);

	(void)arg;
	while (bay_now() < until_ns)
		(void)bay_yield();
	return BAY_OK;
}

START_TEST(who_only_looks_at_the_clock_sees_it_move_in_the_end)
{
	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_run(looks_at_the_clock, NULL), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

static int
counts(struct bay_request *request)
{
	bay_log_info("at %" PRId64, bay_now() / BAY_SECOND);
	return bay_reply_text(request, "");
}

static int
sends_from_run(struct bay_instance *instance)
{
	struct bay_message *message = bay_message("x", 1);
	int status = bay_send_later(bay_service("counts"), message, bay_after(HOUR), NULL);

	(void)instance;
	bay_message_free(message);
	return status;
}

START_TEST(a_message_for_later_comes_at_its_time)
{
	int64_t now_ns;
	char line[64];

	bay_test_begin(&virtual_time);
	now_ns = bay_now();
	ck_assert_int_eq(bay_test_add_plugin("counts", BAY_TEST_DESCRIPTOR(.handle = counts), NULL), BAY_OK);
	ck_assert_int_eq(bay_test_add_plugin("sends", BAY_TEST_DESCRIPTOR(.run = sends_from_run), NULL), BAY_OK);
	bay_test_advance(HOUR - 1);
	ck_assert_uint_eq(bay_test_log_has("service counts: at"), 0);
	bay_test_advance(2);
	snprintf(line, sizeof line, "info service counts: at %" PRId64, (now_ns + HOUR) / BAY_SECOND);
	ck_assert_str_eq(bay_test_log_last(), line);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

/* --- the world outside -------------------------------------------------------------------- */

static int
blocks(void *arg)
{
	(void)arg;
	usleep(50 * 1000);
	return 7;
}

static int
waits_for_a_helper(void *arg)
{
	int64_t begin_ns = bay_now();
	int result = 0;

	(void)arg;
	ck_assert_int_eq(bay_blocking("blocks", blocks, NULL, NULL, &result, bay_after(HOUR)), BAY_OK);
	ck_assert_int_eq(result, 7);
	ck_assert_int_lt(bay_now() - begin_ns, HOUR);
	return BAY_OK;
}

START_TEST(a_helper_thread_at_work_holds_the_clock)
{
	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_run(waits_for_a_helper, NULL), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

static int
writes_in_an_hour(void *arg)
{
	int status = bay_sleep(HOUR);

	return status == BAY_OK ? bay_stream_write(arg, "late\n", 5, BAY_INHERIT) : status;
}

/* The other end is a task of this process, which sleeps before it writes. */
static int
reads_a_pipe(void *arg)
{
	struct bay_stream *in, *out;
	struct bay_task *task;
	char byte[8];
	size_t size = 0;
	int64_t begin_ns = bay_now();

	(void)arg;
	ck_assert_int_eq(bay_pipe(&in, &out), BAY_OK);
	task = bay_spawn("writer", writes_in_an_hour, out);
	ck_assert_int_eq(bay_stream_read(in, byte, sizeof byte, &size, bay_after(2 * HOUR)), BAY_OK);
	ck_assert_uint_eq(size, 5);
	ck_assert_int_eq(bay_now() - begin_ns, HOUR);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	(void)bay_stream_close(in, BAY_INHERIT);
	(void)bay_stream_close(out, BAY_INHERIT);
	return BAY_OK;
}

START_TEST(a_descriptor_does_not_hold_it_for_ever)
{
	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_run(reads_a_pipe, NULL), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

static void *
writes_from_a_thread(void *arg)
{
	const int *fd = arg;
	ssize_t ignored;

	usleep(50 * 1000);
	ignored = write(*fd, "x", 1);
	(void)ignored;
	return NULL;
}

static int
waits_for_a_thread(void *arg)
{
	const int *fd = arg;

	return bay_wait_fd(*fd, BAY_READABLE, bay_after(HOUR));
}

/* Patience for somebody who is slower than a task of this process would be. */
START_TEST(with_patience_what_comes_from_another_thread_is_waited_for)
{
	const struct bay_test_options patient = {.virtual_time = true, .patience_ns = 30 * BAY_SECOND};
	pthread_t thread;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	bay_test_begin(&patient);
	ck_assert_int_eq(pthread_create(&thread, NULL, writes_from_a_thread, &fds[1]), 0);
	ck_assert_int_eq(bay_test_run(waits_for_a_thread, &fds[0]), BAY_OK);
	pthread_join(thread, NULL);
	ck_assert_int_eq(bay_test_end(), 0);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* --- what never comes ---------------------------------------------------------------------- */

static int
waits_in_vain(void *arg)
{
	struct bay_event *event = bay_event_create("godot");
	int status = bay_event_wait(event, BAY_INHERIT);

	(void)arg;
	bay_event_destroy(event);
	return status;
}

START_TEST(a_task_that_waits_for_what_never_comes_is_told_and_cancelled)
{
	for (int i = 0; i < 2; i++) {
		bay_test_begin(i == 0 ? NULL : &virtual_time);
		ck_assert_int_eq(bay_test_run(waits_in_vain, NULL), BAY_CANCELED);
		ck_assert_uint_eq(bay_test_log_has("error nothing can happen any more"), 1);
		ck_assert_uint_eq(bay_test_log_has("the task test waits in event godot"), 1);
		ck_assert_int_eq(bay_test_end(), 0);
	}
}
END_TEST

CHECK_MAIN("kit/running",
	a_plugin_is_loaded_from_its_file_and_called,
	a_descriptor_of_the_program_is_a_service,
	settings_are_checked_as_in_a_cell,
	a_service_that_was_stopped_can_be_started_again,
	a_service_that_fails_by_itself_says_why,
	an_hours_sleep_takes_no_time_and_is_exact,
	a_deadline_cuts_a_long_sleep_at_its_time,
	a_ticker_ticks_through_a_day,
	nothing_goes_on_while_the_test_computes,
	who_only_looks_at_the_clock_sees_it_move_in_the_end,
	a_message_for_later_comes_at_its_time,
	a_helper_thread_at_work_holds_the_clock,
	a_descriptor_does_not_hold_it_for_ever,
	with_patience_what_comes_from_another_thread_is_waited_for,
	a_task_that_waits_for_what_never_comes_is_told_and_cancelled)
