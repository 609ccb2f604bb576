/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The limits of a service as sums of what its loops have counted, on a record that the test fills;
 * that messages wait and begin by them is test_limits.sh's.
 */
#include "config.h"

#include "service/bounds.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/instance.h"
#include "support/check_main.h"
#include "support/log_lines.h"

#define MS (int64_t)1000000

/* Two loops and the others of each of the two generations. */
static struct status_counters counters[5];
static struct status_gauges gauges;
static struct bay_service service;
static int64_t again_ns;

static void
begin(const struct service_limits *limits)
{
	memset(counters, 0, sizeof counters);
	memset(&gauges, 0, sizeof gauges);
	memset(&service, 0, sizeof service);
	strcpy(service.subject, "service s");
	service.bounded = (struct log_rate){.burst = 1, .period_ns = 3600000 * MS};
	service.counters = counters;
	service.columns = 2;
	service.gauges = &gauges;
	service.limits = *limits;
	atomic_store(&service.memory_max, limits->memory_max);
	atomic_store(&service.tasks_max, limits->tasks_max);
}

#define BEGIN(...) begin(&(struct service_limits){__VA_ARGS__})

static void
expect_reached(size_t bytes, const char *words)
{
	char *text = bounds_reached(&service, bytes);

	ck_assert(!bounds_let_in(&service, bytes));
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, words);
	free(text);
}

static void
expect_room(size_t bytes)
{
	ck_assert(bounds_let_in(&service, bytes));
	ck_assert_ptr_null(bounds_reached(&service, bytes));
}

/* --- at the door ----------------------------------------------------------------------- */

START_TEST(each_limit_by_itself_is_one)
{
	ck_assert(!bounds_are_set(&(struct service_limits){.queue = 1, .queue_bytes = 1, .concurrency = 1}));
	ck_assert(bounds_are_set(&(struct service_limits){.max_inflight = 1}));
	ck_assert(bounds_are_set(&(struct service_limits){.rate_count = 1}));
	ck_assert(bounds_are_set(&(struct service_limits){.tasks_max = 1}));
	ck_assert(bounds_are_set(&(struct service_limits){.memory_max = 1}));
}
END_TEST

START_TEST(without_limits_there_is_always_room)
{
	BEGIN(0);
	service.queued = service.inflight = 1000000;
	service.queued_bytes = SIZE_MAX / 2;
	atomic_store(&counters[0].memory_bytes, INT64_MAX);
	expect_room(SIZE_MAX / 4);
	ck_assert(bounds_let_allocate(&service, SIZE_MAX / 4));
	ck_assert(bounds_let_spawn(&(struct bay_instance){.service = &service}));
}
END_TEST

START_TEST(messages_in_the_queue_and_in_handlers_are_in_flight)
{
	BEGIN(.max_inflight = 3);
	service.queued = 1;
	service.inflight = 1;
	expect_room(1 << 30);
	service.inflight = 2;
	expect_reached(0, "1 messages are queued and 2 being handled (max_inflight = 3)");
	service.queued = 3;
	service.inflight = 0;
	expect_reached(0, "3 messages are queued and 0 being handled (max_inflight = 3)");
	/* One that was lowered beneath what there is. */
	service.limits.max_inflight = 1;
	expect_reached(0, "3 messages are queued and 0 being handled (max_inflight = 1)");
}
END_TEST

/* Of all loops, of those beside them and of a canary's columns; freed elsewhere than allocated. */
START_TEST(memory_is_the_sum_of_all_columns_and_of_the_queue)
{
	BEGIN(.memory_max = 100);
	atomic_store(&counters[0].memory_bytes, 90);
	atomic_store(&counters[1].memory_bytes, (uint64_t)-60);
	atomic_store(&counters[4].memory_bytes, 20);
	service.queued_bytes = 30;
	expect_room(20);
	expect_reached(21, "50 bytes are allocated and 30 queued (memory_max = 100)");
	/* Read while it changes, the sum may be less than nothing. */
	atomic_store(&counters[0].memory_bytes, 0);
	expect_room(70);
	expect_reached(71, "0 bytes are allocated and 30 queued (memory_max = 100)");
	service.counters = NULL;
	expect_room(70);
}
END_TEST

/* --- at the begin ------------------------------------------------------------------------ */

START_TEST(no_more_begin_than_are_queued)
{
	BEGIN(.max_inflight = 9);
	service.queued = 2;
	ck_assert_uint_eq(bounds_let_begin(&service, 5, MS, &again_ns), 2);
	ck_assert_int_eq(again_ns, 0);
	service.queued = 0;
	ck_assert_uint_eq(bounds_let_begin(&service, 5, MS, &again_ns), 0);
	ck_assert_int_eq(again_ns, 0);
	/* What stands before the queue may get in when memory is freed, of which nobody tells. */
	service.waiting_count = 1;
	ck_assert_uint_eq(bounds_let_begin(&service, 5, MS, &again_ns), 0);
	ck_assert_int_gt(again_ns, MS);
}
END_TEST

START_TEST(handlers_and_what_they_spawned_are_tasks)
{
	BEGIN(.tasks_max = 5);
	service.queued = 10;
	atomic_store(&counters[0].tasks, 2);
	atomic_store(&counters[3].in_flight, 1);
	ck_assert_uint_eq(bounds_let_begin(&service, 2, MS, &again_ns), 2);
	ck_assert_int_eq(again_ns, 0);
	ck_assert_uint_eq(bounds_let_begin(&service, 9, MS, &again_ns), 2);
	ck_assert_int_gt(again_ns, MS);
	atomic_store(&counters[1].in_flight, 2);
	ck_assert_uint_eq(bounds_let_begin(&service, 1, MS, &again_ns), 0);
	ck_assert_int_gt(again_ns, MS);
	atomic_store(&counters[1].in_flight, 9);
	ck_assert_uint_eq(bounds_let_begin(&service, 1, MS, &again_ns), 0);
}
END_TEST

START_TEST(a_rate_lets_a_period_begin_at_once_and_then_one_after_the_other)
{
	const int64_t t = 5000 * MS;

	BEGIN(.rate_count = 10, .rate_period_ns = 1000 * MS);
	service.queued = 100;
	ck_assert_uint_eq(bounds_let_begin(&service, 4, t, &again_ns), 4);
	ck_assert_int_eq(again_ns, 0);
	ck_assert_uint_eq(bounds_let_begin(&service, 50, t, &again_ns), 6);
	ck_assert_int_eq(again_ns, t + 100 * MS);
	ck_assert_uint_eq(bounds_let_begin(&service, 1, t, &again_ns), 0);
	ck_assert_int_eq(again_ns, t + 100 * MS);
	ck_assert_uint_eq(bounds_let_begin(&service, 1, t + 99 * MS, &again_ns), 0);
	ck_assert_int_eq(again_ns, t + 100 * MS);
	ck_assert_uint_eq(bounds_let_begin(&service, 50, t + 100 * MS, &again_ns), 1);
	ck_assert_int_eq(again_ns, t + 200 * MS);
	ck_assert_uint_eq(bounds_let_begin(&service, 50, t + 350 * MS, &again_ns), 2);
	ck_assert_int_eq(again_ns, t + 400 * MS);
}
END_TEST

START_TEST(a_long_rest_gives_no_more_than_a_period)
{
	BEGIN(.rate_count = 10, .rate_period_ns = 1000 * MS);
	service.queued = 100;
	ck_assert_uint_eq(bounds_let_begin(&service, 50, 5000 * MS, &again_ns), 10);
	ck_assert_uint_eq(bounds_let_begin(&service, 50, 3600000 * MS, &again_ns), 10);
	ck_assert_int_eq(again_ns, 3600100 * MS);
}
END_TEST

START_TEST(what_the_tasks_do_not_let_begin_takes_nothing_of_the_rate)
{
	BEGIN(.rate_count = 10, .rate_period_ns = 1000 * MS, .tasks_max = 1);
	service.queued = 100;
	atomic_store(&counters[0].tasks, 1);
	for (int i = 0; i < 20; i++)
		ck_assert_uint_eq(bounds_let_begin(&service, 50, 5000 * MS, &again_ns), 0);
	service.limits.tasks_max = 0;
	ck_assert_uint_eq(bounds_let_begin(&service, 50, 5000 * MS, &again_ns), 10);
}
END_TEST

/* --- by its own code ---------------------------------------------------------------------- */

START_TEST(an_allocation_that_would_be_too_much_is_refused_and_said)
{
	log_lines_keep();
	ck_assert(bounds_let_allocate(NULL, SIZE_MAX));
	BEGIN(.memory_max = 1000);
	atomic_store(&counters[0].memory_bytes, 500);
	atomic_store(&gauges.queued_bytes, 300);
	ck_assert(bounds_let_allocate(&service, 200));
	ck_assert_int_eq(log_lines_with("memory_max"), 0);
	ck_assert(!bounds_let_allocate(&service, 201));
	ck_assert_int_eq(log_lines_with("service s: it is refused more memory: it has as much as it may "
		"(memory_max = 1000)"), 1);
	/* No sum goes over the end of the numbers. */
	ck_assert(!bounds_let_allocate(&service, SIZE_MAX));
	ck_assert(!bounds_let_allocate(&service, SIZE_MAX - 799));
	service.gauges = NULL;
	ck_assert(bounds_let_allocate(&service, 500));
}
END_TEST

START_TEST(a_task_that_would_be_too_much_is_refused_and_said)
{
	const struct bay_instance instance = {.service = &service};

	log_lines_keep();
	BEGIN(.tasks_max = 3);
	atomic_store(&counters[0].tasks, 1);
	atomic_store(&counters[2].in_flight, 1);
	ck_assert(bounds_let_spawn(&instance));
	atomic_store(&counters[1].tasks, 1);
	ck_assert(!bounds_let_spawn(&instance));
	ck_assert_int_eq(log_lines_with("service s: it is refused more tasks: it has as many as it may "
		"(tasks_max = 3)"), 1);
	/* One that ended on another loop than it began. */
	atomic_store(&counters[0].tasks, 0);
	ck_assert(bounds_let_spawn(&instance));
}
END_TEST

CHECK_MAIN("service/bounds",
	each_limit_by_itself_is_one,
	without_limits_there_is_always_room,
	messages_in_the_queue_and_in_handlers_are_in_flight,
	memory_is_the_sum_of_all_columns_and_of_the_queue,
	no_more_begin_than_are_queued,
	handlers_and_what_they_spawned_are_tasks,
	a_rate_lets_a_period_begin_at_once_and_then_one_after_the_other,
	a_long_rest_gives_no_more_than_a_period,
	what_the_tasks_do_not_let_begin_takes_nothing_of_the_rate,
	an_allocation_that_would_be_too_much_is_refused_and_said,
	a_task_that_would_be_too_much_is_refused_and_said)
