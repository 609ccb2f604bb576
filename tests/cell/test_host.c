/* SPDX-License-Identifier: BSD-2-Clause */
/* Services from a plugin's file to instances that serve, and back. */
#include "config.h"

#include "cell/host.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bay/bay.h>

#include "base/clock.h"
#include "cell/executor.h"
#include "cell/hosts.h"
#include "protocol/cell_link.h"
#include "runtime/task.h"
#include "service/registry.h"
#include "support/log_lines.h"

#if defined(BAY_ASAN) || defined(BAY_TSAN)
enum { RESTARTS = 100 };
#else
enum { RESTARTS = 500 };
#endif

#define CLINGS TEST_PLUGIN("clings")

static unsigned
instances_of(const char *name)
{
	const struct bay_service *service = registry_get(name);
	unsigned i, mask = 0;

	for (i = 0; i < executor_count(executor); i++)
		mask |= service->instances[i] != NULL ? 1u << i : 0;
	return mask;
}

/* --- starting and stopping ------------------------------------------------------------------ */

START_TEST(a_service_starts_serves_and_goes_without_a_trace)
{
	begin(2);
	ck_assert(!is_loaded(PROBE));
	start("a", 1, "number 42");
	ck_assert_int_eq(service_state(registry_get("a")), SERVICE_READY);
	expect("a", BAY_OK, "42");
	ck_assert(is_loaded(PROBE));
	ck_assert_int_eq(stop("a", BAY_SECOND).status, BAY_OK);
	ck_assert_int_eq(service_state(registry_get("a")), SERVICE_STOPPED);
	ck_assert(!is_loaded(PROBE));
	expect("a", BAY_CLOSED, "service a is stopped");
	ck_assert_int_eq(noted['i'] * 100 + noted['s'] * 10 + noted['f'], 111);
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	ck_assert_int_eq(stop("nobody", 0).status, BAY_OK);
	ck_assert_int_eq(failed.times, 0);
	finish();
}
END_TEST

static unsigned
count_descriptors(void)
{
	unsigned fd, count = 0;

	for (fd = 0; fd < 1000; fd++)
		count += fcntl((int)fd, F_GETFD) >= 0;
	return count;
}

START_TEST(a_service_starts_from_a_descriptor_which_goes_with_it)
{
	unsigned before;
	int i;

	begin(1);
	before = count_descriptors();
	for (i = 0; i < 3; i++) {
		start_from = open(PROBE, O_RDONLY | O_CLOEXEC);
		start_image = "/nowhere/probe.so";
		start("a", 1, NULL);
		expect("a", BAY_OK, "7");
		ck_assert_uint_eq(count_descriptors(), before + 1);
		start_from = fcntl(start_from, F_DUPFD_CLOEXEC, 3);
		start_in_vain("a", 1, NULL, BAY_BUSY, "running already");
		ck_assert_int_eq(stop("a", 0).status, BAY_OK);
		ck_assert(!is_loaded(PROBE));
		ck_assert_uint_eq(count_descriptors(), before);
	}
	/* What cannot be loaded takes it, too. */
	start_from = open("/dev/null", O_RDONLY | O_CLOEXEC);
	start_in_vain("a", 1, NULL, BAY_INVALID, "");
	ck_assert_uint_eq(count_descriptors(), before);
	finish();
}
END_TEST

/* Code that stays in the process is known there by its path, which is the number of a descriptor:
 * the next one must not have that number. */
START_TEST(a_descriptor_of_code_that_stays_is_never_used_again)
{
	unsigned before;

	begin(1);
	before = count_descriptors();
	start_image = "/nowhere/x.so";
	start_from = open(CLINGS, O_RDONLY | O_CLOEXEC);
	start("clings", 1, NULL);
	ck_assert_int_eq(stop("clings", 0).status, BAY_OK);
	ck_assert_uint_eq(count_descriptors(), before + 1);
	start_from = open(PROBE, O_RDONLY | O_CLOEXEC);
	start("a", 1, NULL);
	expect("a", BAY_OK, "7");
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	ck_assert_uint_eq(count_descriptors(), before + 1);
	finish();
}
END_TEST

START_TEST(what_is_not_what_was_examined_is_not_loaded)
{
	begin(1);
	start_sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	start_in_vain("a", 1, NULL, BAY_INVALID, "has changed since");
	ck_assert(!is_loaded(PROBE));
	start_sha256 = NULL;
	start("a", 1, NULL);
	finish();
}
END_TEST

START_TEST(instances_are_spread_over_the_loops)
{
	begin(3);
	start("all", 0, NULL);
	ck_assert_uint_eq(instances_of("all"), 7);
	start("one", 1, NULL);
	start("another", 1, NULL);
	start("third", 1, NULL);
	ck_assert_uint_eq(instances_of("one") | instances_of("another") | instances_of("third"), 7);
	start("two", 2, NULL);
	ck_assert_int_eq(__builtin_popcount(instances_of("two")), 2);
	start("many", 50, NULL);
	ck_assert_uint_eq(instances_of("many"), 7);
	expect("all", BAY_OK, "7");
	expect("one", BAY_OK, "7");
	finish();
	ck_assert_int_eq(noted['i'], 3 + 3 + 2 + 3);
	ck_assert_int_eq(noted['f'], noted['i']);
}
END_TEST

START_TEST(restarts_leave_nothing_behind)
{
	int i;

	begin(2);
	for (i = 0; i < RESTARTS; i++) {
		start("a", 0, NULL);
		expect("a", BAY_OK, "7");
		ck_assert_int_eq(stop("a", BAY_SECOND).status, BAY_OK);
	}
	ck_assert(!is_loaded(PROBE));
	ck_assert_int_eq(noted['f'], 2 * RESTARTS);
	finish();
}
END_TEST

static void
tell_absence(const char *name, enum cell_absence state, const char *reason)
{
	host_absent(host, &(struct cell_absent){.service = name, .state = state, .reason = reason});
}

START_TEST(who_calls_a_service_that_is_not_there_hears_why)
{
	begin(1);
	expect("a", BAY_NOT_FOUND, "there is no service 'a'");
	tell_absence("a", CELL_ABSENCE_STOPPED, NULL);
	expect("a", BAY_CLOSED, "service a is stopped");
	tell_absence("a", CELL_ABSENCE_FAILED, "no such file");
	expect("a", BAY_CLOSED, "service a has failed: no such file");
	tell_absence("a", CELL_ABSENCE_STARTING, NULL);
	expect("a", BAY_CLOSED, "service a is starting");
	tell_absence("no name", CELL_ABSENCE_STOPPED, NULL);
	/* Of one that is there, we know better. */
	start("a", 1, NULL);
	tell_absence("a", CELL_ABSENCE_STOPPED, NULL);
	expect("a", BAY_OK, "7");
	finish();
}
END_TEST

/* --- starts that fail ------------------------------------------------------------------------- */

START_TEST(what_cannot_be_loaded_says_why_and_may_be_tried_again)
{
	struct cell_start bad = {.service = "a", .plugin = "x", .image = "/nowhere/x.so", .concurrency = 1, .queue = 1,
		.queue_bytes = 1, .stack_bytes = 65536, .slot = 0};
	struct answer answer;

	begin(1);
	host_start(host, &bad, -1, on_done, ++last_id);
	answer = wait_for(last_id);
	ck_assert_int_eq(answer.status, BAY_INVALID);
	ck_assert_str_ne(answer.message, "");
	ck_assert_int_eq(service_state(registry_get("a")), SERVICE_FAILED);
	expect("a", BAY_CLOSED, "service a has failed");
	start_in_vain("a", 1, "number 1000", BAY_INVALID, "setting number");
	start_in_vain("a", 1, "colour blue", BAY_INVALID, "setting colour");
	ck_assert(!is_loaded(PROBE));
	start("a", 1, NULL);
	expect("a", BAY_OK, "7");
	/* A slot that is not there, a name that is none. */
	bad.slot = 16;
	host_start(host, &bad, -1, on_done, ++last_id);
	ck_assert_int_eq(wait_for(last_id).status, BAY_INVALID);
	bad.slot = 1;
	bad.service = "no name";
	host_start(host, &bad, -1, on_done, ++last_id);
	ck_assert_int_eq(wait_for(last_id).status, BAY_INVALID);
	finish();
}
END_TEST

START_TEST(an_init_that_fails_refuses_the_service)
{
	begin(2);
	start_in_vain("a", 1, "init fails", BAY_IO, "init failed: init failed");
	ck_assert_int_eq(noted['s'] + noted['f'], 0);
	ck_assert(!is_loaded(PROBE));
	expect("a", BAY_CLOSED, "service a has failed: init failed: init failed");
	/* One that waited first, and one on one loop of two: the other is ended properly. */
	start_in_vain("a", 1, "init fails-later", BAY_IO, "init failed later");
	start_in_vain("a", 0, "init on-one", BAY_IO, "on one loop");
	ck_assert_int_eq(noted['s'] * 10 + noted['f'], 11);
	start_in_vain("a", 1, "init by-a-child", BAY_CANCELED, "init failed");
	ck_assert(!is_loaded(PROBE));
	ck_assert_int_eq(failed.times, 0);
	start("a", 0, NULL);
	expect("a", BAY_OK, "7");
	finish();
}
END_TEST

START_TEST(an_init_that_waits_is_cut_at_the_start_timeout)
{
	int64_t before = bay_now();

	begin(1);
	start_in_vain("a", 1, "init waits", BAY_TIMEOUT,
		"init did not end within start_timeout = 100ms");
	ck_assert_int_ge(bay_now() - before, 100 * BAY_MS);
	ck_assert(!is_loaded(PROBE));
	finish();
}
END_TEST

START_TEST(an_init_that_never_comes_back_is_answered_for)
{
	struct answer answer;

	begin(2);
	start_in_vain("a", 0, "init refuses", BAY_BUSY, "init did not end within start_timeout = 100ms, "
		"nor within 300ms more; and it cannot be stopped: its init function does not come back (bayctl tasks a)");
	ck_assert(is_loaded(PROBE));
	expect("a", BAY_CLOSED, "service a is stopping");
	start_in_vain("a", 0, NULL, BAY_BUSY, "its init function does not come back (bayctl tasks a)");
	answer = stop("a", 0);
	ck_assert_int_eq(answer.status, BAY_BUSY);
	ck_assert_ptr_nonnull(strstr(answer.message, "its init function does not come back"));
	/* Now it does. What init made is freed, and everything is as if it had never been. */
	atomic_store(&let_go, 1);
	while (stop("a", 0).status != BAY_OK)
		;
	ck_assert(!is_loaded(PROBE));
	ck_assert_int_eq(noted['s'] * 10 + noted['f'], 22);
	start("a", 0, NULL);
	expect("a", BAY_OK, "7");
	finish();
}
END_TEST

START_TEST(a_stop_during_a_start_waits_for_its_end)
{
	int64_t first;

	begin(1);
	first = begin_start("a", 1, "init fails-later");
	start_in_vain("a", 1, NULL, BAY_BUSY, "running already");
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	ck_assert_int_eq(wait_for(first).status, BAY_IO);
	ck_assert(!is_loaded(PROBE));
	first = begin_start("a", 1, NULL);
	(void)begin_stop("a", 1000 * BAY_SECOND);
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	ck_assert_int_eq(wait_for(first).status, BAY_OK);
	ck_assert_int_eq(wait_for(last_id - 1).status, BAY_OK);
	ck_assert_int_eq(service_state(registry_get("a")), SERVICE_STOPPED);
	finish();
}
END_TEST

/* --- a drain that is cut short ------------------------------------------------------------ */

/* Requests that wait for ever are in the handlers of a, one each on loops, and in its queue. */
static void
begin_waiting_calls(struct call *calls, unsigned count, unsigned loops, unsigned queued)
{
	unsigned i, in_flight = 0;

	for (i = 0; i < count; i++)
		begin_call(&calls[i], i % loops, "a");
	while (registry_get("a")->queued < queued || in_flight < count - queued) {
		struct status_service_view view;

		status_page_read_service(&page, registry_get("a")->slot, &view);
		in_flight = (unsigned)view.in_flight;
	}
}

START_TEST(a_second_stop_cuts_the_drain_and_both_are_answered)
{
	struct call calls[10] = {{.order = NULL}};
	int64_t first, second, i;

	begin(2);
	start("a", 0, "handle waits");
	/* Two on each loop, the rest in the queue. */
	begin_waiting_calls(calls, 10, 2, 6);
	first = begin_stop("a", 1000 * BAY_SECOND);
	/* A longer one makes it no longer. */
	second = begin_stop("a", 2000 * BAY_SECOND);
	expect("a", BAY_CLOSED, "service a is stopping");
	ck_assert(!answers[first].came && !answers[second].came);
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	ck_assert_int_eq(wait_for(first).status, BAY_OK);
	ck_assert_int_eq(wait_for(second).status, BAY_OK);
	for (i = 0; i < 10; i++) {
		join_call(&calls[i]);
		ck_assert_msg(calls[i].status == BAY_CANCELED || calls[i].status == BAY_CLOSED, "%s",
			bay_status_name(calls[i].status));
	}
	ck_assert(!is_loaded(PROBE));
	start("a", 0, NULL);
	expect("a", BAY_OK, "7");
	finish();
}
END_TEST

START_TEST(a_second_stop_with_some_time_left_waits_that_long)
{
	struct call call = {.order = NULL};
	int64_t first, before;

	begin(1);
	start("a", 1, "handle waits");
	begin_waiting_calls(&call, 1, 1, 0);
	first = begin_stop("a", 1000 * BAY_SECOND);
	before = bay_now();
	ck_assert_int_eq(stop("a", 30 * BAY_MS).status, BAY_OK);
	ck_assert_int_ge(bay_now() - before, 30 * BAY_MS);
	ck_assert_int_eq(wait_for(first).status, BAY_OK);
	join_call(&call);
	finish();
}
END_TEST

/* However the second stop meets the first: before its task runs, in the drain, at its end,
 * while the code is unloaded, or with nothing left. */
START_TEST(stops_may_come_at_any_time)
{
	int round, i;

	begin(2);
	for (round = 0; round < RESTARTS / 5; round++) {
		struct call call = {.order = NULL};
		int64_t first;

		start("a", round % 3, round % 2 == 0 ? "handle fails-later" : NULL);
		begin_call(&call, 0, "a");
		first = begin_stop("a", BAY_SECOND);
		for (i = 0; i < round % 7; i++) {
			turn();
			(void)begin_stop("a", 0);
		}
		ck_assert_int_eq(stop("a", 0).status, BAY_OK);
		ck_assert_int_eq(wait_for(first).status, BAY_OK);
		join_call(&call);
		ck_assert(!is_loaded(PROBE));
	}
	finish();
}
END_TEST

START_TEST(a_second_stop_of_all_cuts_the_drain_and_both_are_answered)
{
	struct call call = {.order = NULL};
	int64_t first;

	begin(2);
	start("a", 0, "handle waits");
	start("b", 0, NULL);
	begin_waiting_calls(&call, 1, 1, 0);
	first = ++last_id;
	host_stop_all(host, 1000 * BAY_SECOND, false, on_done, first);
	expect("a", BAY_CLOSED, "service a is stopping");
	ck_assert(!answers[first].came);
	finish();
	ck_assert_int_eq(answers[first].status, BAY_OK);
	ck_assert(answers[first].came && atomic_load(&call.done));
}
END_TEST

/* --- services that fail by themselves --------------------------------------------------------------- */

static void
wait_for_failure(void)
{
	while (failed.times == 0) {
		loop_wait(&control, INT64_MAX);
		turn();
	}
}

START_TEST(a_run_that_fails_ends_the_service_with_its_text)
{
	begin(2);
	start("a", 1, "run fails-later");
	wait_for_failure();
	ck_assert_str_eq(failed.service, "a");
	ck_assert_int_eq(failed.generation, 3);
	ck_assert_str_eq(failed.message, "run failed later");
	ck_assert_int_eq(service_state(registry_get("a")), SERVICE_FAILED);
	expect("a", BAY_CLOSED, "service a has failed: run failed later");
	ck_assert(!is_loaded(PROBE));
	ck_assert_int_eq(noted['s'] * 10 + noted['f'], 11);
	/* And again. */
	failed.times = 0;
	start("a", 1, "run by-a-child");
	wait_for_failure();
	ck_assert_ptr_nonnull(strstr(failed.message, "task child failed: io"));
	start("a", 1, NULL);
	finish();
	ck_assert_int_eq(failed.times, 1);
}
END_TEST

/* It may fail before the last instance has been told to serve. */
START_TEST(a_run_that_fails_at_once_is_never_overlooked)
{
	int round;

	begin(4);
	for (round = 0; round < 100; round++) {
		struct answer answer = wait_for(begin_start("a", 0, "run fails"));

		if (answer.status != BAY_OK) {
			ck_assert_int_eq(answer.status, BAY_FAILED);
			ck_assert_str_eq(answer.message, "run failed");
			ck_assert_int_eq(failed.times, 0);
		} else {
			wait_for_failure();
			ck_assert_str_eq(failed.message, "run failed");
			ck_assert_int_eq(failed.times, 1);
		}
		ck_assert_int_eq(service_state(registry_get("a")), SERVICE_FAILED);
		failed.times = 0;
	}
	finish();
}
END_TEST

START_TEST(one_of_several_that_fails_ends_all)
{
	begin(3);
	start("a", 0, "run fails-later");
	wait_for_failure();
	ck_assert_int_eq(failed.times, 1);
	ck_assert_uint_eq(instances_of("a"), 0);
	ck_assert_int_eq(noted['f'], 3);
	finish();
}
END_TEST

/* --- services that refuse to stop ---------------------------------------------------------------------- */

START_TEST(a_refusal_is_told_in_time_and_everybody_in_the_queue_is_answered)
{
	struct call calls[4] = {{.order = NULL}};
	struct answer answer;
	int i;

	begin(1);
	start("a", 1, "handle refuses");
	for (i = 0; i < 4; i++)
		begin_call(&calls[i], 0, "a");
	while (registry_get("a")->queued < 2)
		;
	answer = stop("a", 0);
	ck_assert_int_eq(answer.status, BAY_BUSY);
	ck_assert_str_eq(answer.message, "2 handlers refuse to stop (bayctl tasks a)");
	for (i = 2; i < 4; i++) {
		join_call(&calls[i]);
		ck_assert_int_eq(calls[i].status, BAY_CLOSED);
	}
	ck_assert(is_loaded(PROBE));
	start_in_vain("a", 1, NULL, BAY_BUSY, "2 handlers refuse to stop (bayctl tasks a)");
	/* The others of the cell go on. */
	start("b", 1, NULL);
	expect("b", BAY_OK, "7");
	atomic_store(&let_go, 1);
	for (i = 0; i < 2; i++)
		join_call(&calls[i]);
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	ck_assert_int_eq(service_state(registry_get("a")), SERVICE_STOPPED);
	start("a", 1, NULL);
	finish();
}
END_TEST

START_TEST(a_service_that_failed_and_refuses_to_stop_is_told_of)
{
	struct call call = {.order = NULL};

	begin(1);
	start("a", 1, "run fails-later handle refuses");
	begin_call(&call, 0, "a");
	wait_for_failure();
	ck_assert_str_eq(failed.message, "run failed later; and it cannot be stopped: 1 handler "
		"refuses to stop (bayctl tasks a) [service-stuck]");
	atomic_store(&let_go, 1);
	join_call(&call);
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	ck_assert_int_eq(failed.times, 1);
	finish();
}
END_TEST

START_TEST(stopping_all_names_who_refuses)
{
	struct answer answer;
	int64_t starting;

	begin(2);
	start("a", 1, "stop refuses");
	start("b", 0, NULL);
	starting = begin_start("c", 1, NULL);
	host_stop_all(host, 0, false, on_done, ++last_id);
	start_in_vain("d", 1, NULL, BAY_BUSY, "the cell is stopping");
	answer = wait_for(last_id - 1);
	ck_assert_int_eq(wait_for(starting).status, BAY_OK);
	ck_assert_int_eq(answer.status, BAY_BUSY);
	ck_assert_str_eq(answer.message, "service a: its stop function does not come back (bayctl tasks a)");
	ck_assert_int_eq(service_state(registry_get("b")), SERVICE_STOPPED);
	ck_assert_int_eq(service_state(registry_get("c")), SERVICE_STOPPED);
	finish();
	ck_assert_int_eq(noted['f'], 4);
}
END_TEST

/* --- callers beside all that ---------------------------------------------------------------------------- */

static atomic_bool enough;

static int
call_until_enough(void *arg)
{
	struct call *call = arg;

	while (!atomic_load(&enough)) {
		int status = bay_call(call->service, NULL, NULL, bay_after(60 * BAY_SECOND));

		ck_assert_msg(status == BAY_OK || status == BAY_CLOSED || status == BAY_CANCELED || status == BAY_FULL,
			"%s: %s", bay_status_name(status), bay_call_error());
		call->status += status == BAY_OK;
		if (status != BAY_OK)
			ck_assert_int_eq(bay_yield(), BAY_OK);
	}
	return BAY_OK;
}

static void
call_until_enough_begin(struct inbox_item *item)
{
	struct call *call = container_of(item, struct call, item);
	struct task_spec spec = {
		.name = "caller",
		.fn = call_until_enough,
		.arg = call,
		.ended = call_ended,
		.deadline = BAY_INHERIT,
		.slot = STATUS_NO_SLOT,
		.class = scheduler_stack_class(call->scheduler, 256 << 10),
	};
	struct task *task = task_create(call->scheduler, &spec);

	task->handle->detached = true;
	task_start(task);
}

START_TEST(callers_do_not_mind_restarts)
{
	struct call calls[6] = {{.order = NULL}};
	int i;

	begin(3);
	atomic_store(&enough, false);
	start("a", 2, NULL);
	for (i = 0; i < 6; i++) {
		calls[i].scheduler = executor_scheduler(executor, (unsigned)i % 3);
		calls[i].service = registry_get("a");
		calls[i].status = 0;
		atomic_store(&calls[i].done, false);
		calls[i].item.run = call_until_enough_begin;
		loop_post(&calls[i].scheduler->loop, &calls[i].item);
	}
	for (i = 0; i < RESTARTS / 5; i++) {
		ck_assert_int_eq(stop("a", i % 2 == 0 ? 0 : 100 * BAY_MS).status, BAY_OK);
		start("a", i % 4, NULL);
	}
	atomic_store(&enough, true);
	for (i = 0; i < 6; i++) {
		join_call(&calls[i]);
		ck_assert_int_gt(calls[i].status, 0);
	}
	finish();
}
END_TEST

CHECK_MAIN("cell/host",
	a_service_starts_serves_and_goes_without_a_trace,
	a_service_starts_from_a_descriptor_which_goes_with_it,
	a_descriptor_of_code_that_stays_is_never_used_again,
	what_is_not_what_was_examined_is_not_loaded,
	instances_are_spread_over_the_loops,
	who_calls_a_service_that_is_not_there_hears_why,
	restarts_leave_nothing_behind,
	what_cannot_be_loaded_says_why_and_may_be_tried_again,
	an_init_that_fails_refuses_the_service,
	an_init_that_waits_is_cut_at_the_start_timeout,
	an_init_that_never_comes_back_is_answered_for,
	a_stop_during_a_start_waits_for_its_end,
	a_second_stop_cuts_the_drain_and_both_are_answered,
	a_second_stop_with_some_time_left_waits_that_long,
	stops_may_come_at_any_time,
	a_second_stop_of_all_cuts_the_drain_and_both_are_answered,
	a_run_that_fails_ends_the_service_with_its_text,
	a_run_that_fails_at_once_is_never_overlooked,
	one_of_several_that_fails_ends_all,
	a_refusal_is_told_in_time_and_everybody_in_the_queue_is_answered,
	a_service_that_failed_and_refuses_to_stop_is_told_of,
	stopping_all_names_who_refuses,
	callers_do_not_mind_restarts)
