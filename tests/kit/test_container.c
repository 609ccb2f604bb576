/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bay/test.h>

#include "support/check_main.h"

enum { WORKERS = 6 };

static const struct bay_test_options virtual_time = {.virtual_time = true};

/* --- the order ---------------------------------------------------------------------------- */

struct order {
	char text[2 * WORKERS + 1];
	size_t size;
};

struct worker {
	struct order *order;
	char name;
};

static int
works(void *arg)
{
	struct worker *worker = arg;

	worker->order->text[worker->order->size++] = worker->name;
	(void)bay_yield();
	worker->order->text[worker->order->size++] = worker->name;
	return BAY_OK;
}

static int
spawns(void *arg)
{
	struct worker workers[WORKERS];
	struct bay_task *tasks[WORKERS];
	int status;

	for (int i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){arg, (char)('a' + i)};
		tasks[i] = bay_spawn("worker", works, &workers[i]);
	}
	status = bay_gather(tasks, WORKERS, BAY_INHERIT);
	for (int i = 0; i < WORKERS; i++)
		bay_task_free(tasks[i]);
	return status;
}

static struct order
order_with(uint64_t seed)
{
	const struct bay_test_options options = {.seed = seed};
	struct order order = {.size = 0};

	bay_test_begin(&options);
	ck_assert_uint_eq(bay_test_seed(), seed);
	ck_assert_int_eq(bay_test_run(spawns, &order), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 0);
	ck_assert_uint_eq(order.size, 2 * WORKERS);
	return order;
}

/* In each half everybody is there once. */
static void
check_rounds(const struct order *order)
{
	for (int half = 0; half < 2; half++)
		for (int i = 0; i < WORKERS; i++)
			ck_assert_ptr_nonnull(memchr(order->text + half * WORKERS, 'a' + i, WORKERS));
}

START_TEST(without_a_seed_tasks_run_in_the_order_in_which_they_became_ready)
{
	struct order order;

	unsetenv("BAY_TEST_SEED");
	order = order_with(0);
	ck_assert_str_eq(order.text, "abcdefabcdef");
}
END_TEST

START_TEST(a_seed_gives_an_order_of_its_own_and_always_the_same)
{
	unsigned different = 0;

	unsetenv("BAY_TEST_SEED");
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct order first = order_with(seed), again = order_with(seed);

		ck_assert_str_eq(first.text, again.text);
		check_rounds(&first);
		different += strcmp(first.text, "abcdefabcdef") != 0;
	}
	ck_assert_uint_ge(different, 7);
}
END_TEST

START_TEST(the_environment_gives_the_seed)
{
	struct order wanted, order = {.size = 0};

	unsetenv("BAY_TEST_SEED");
	wanted = order_with(7);
	setenv("BAY_TEST_SEED", "7", 1);
	bay_test_begin(NULL);
	ck_assert_uint_eq(bay_test_seed(), 7);
	ck_assert_int_eq(bay_test_run(spawns, &order), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 0);
	ck_assert_str_eq(order.text, wanted.text);
}
END_TEST

START_TEST(any_seed_is_another_one_than_none)
{
	const struct bay_test_options options = {.seed = BAY_TEST_ANY_SEED};

	unsetenv("BAY_TEST_SEED");
	bay_test_begin(&options);
	ck_assert_uint_ne(bay_test_seed(), 0);
	ck_assert_uint_ne(bay_test_seed(), BAY_TEST_ANY_SEED);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

/* --- the way of calls ----------------------------------------------------------------------- */

static char seen[3]; /* what ran, in order: the caller going on, the handler */
static size_t seen_count;

static int
other_task(void *arg)
{
	seen[seen_count++] = *(const char *)arg;
	return BAY_OK;
}

static int
notes(struct bay_request *request)
{
	seen[seen_count++] = 'h';
	return bay_reply_text(request, "");
}

/* Whether somebody who is ready comes before the handler: then the call went by the queue. */
static int
calls_beside(void *arg)
{
	struct bay_task *task = bay_spawn("other", other_task, arg);
	int status;

	seen_count = 0;
	status = bay_call(bay_service("notes"), NULL, NULL, BAY_INHERIT);
	bay_task_free(task);
	return status;
}

static unsigned
queued_of(enum bay_test_calls calls, unsigned times)
{
	const struct bay_test_options options = {.calls = calls, .seed = 0};
	unsigned queued = 0;
	char other[] = "o";

	bay_test_begin(&options);
	ck_assert_int_eq(bay_test_add_plugin("notes", BAY_TEST_DESCRIPTOR(.handle = notes), NULL), BAY_OK);
	for (unsigned i = 0; i < times; i++) {
		ck_assert_int_eq(bay_test_run(calls_beside, other), BAY_OK);
		queued += seen[0] == 'o';
	}
	ck_assert_int_eq(bay_test_end(), 0);
	return queued;
}

START_TEST(calls_go_directly_or_by_the_queue_or_either_way)
{
	unsigned queued;

	unsetenv("BAY_TEST_SEED");
	ck_assert_uint_eq(queued_of(BAY_TEST_CALLS_DIRECT, 20), 0);
	ck_assert_uint_eq(queued_of(BAY_TEST_CALLS_QUEUED, 20), 20);
	queued = queued_of(BAY_TEST_CALLS_RANDOM, 100);
	ck_assert_uint_gt(queued, 10);
	ck_assert_uint_lt(queued, 90);
}
END_TEST

/* What is lost on purpose: a sanitizer shall find it here. */
static const void *lost[8];
static size_t lost_count;

/* --- what is left over ------------------------------------------------------------------------ */

static int
leaves_a_message(void *arg)
{
	(void)arg;
	lost[lost_count++] = bay_message_printf("nobody frees me");
	return BAY_OK;
}

static int
forgets_memory(struct bay_request *request)
{
	lost[lost_count++] = bay_alloc(48);
	return bay_reply_text(request, "");
}

static int
opens_a_pipe(struct bay_instance *instance)
{
	struct bay_stream *read_end, *write_end;

	(void)instance;
	return bay_pipe(&read_end, &write_end);
}

static int
says_nothing(struct bay_request *request)
{
	return bay_reply_text(request, "");
}

static int
opens_a_stream(void *arg)
{
	return bay_pipe((struct bay_stream **)arg, (struct bay_stream **)arg + 1);
}

START_TEST(messages_that_are_not_freed_are_counted)
{
	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_run(leaves_a_message, NULL), BAY_OK);
	ck_assert_int_eq(bay_test_run(leaves_a_message, NULL), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 2);
}
END_TEST

START_TEST(memory_that_a_service_forgets_is_told)
{
	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_add_plugin("sloppy", BAY_TEST_DESCRIPTOR(.handle = forgets_memory), NULL), BAY_OK);
	ck_assert_int_eq(bay_test_call("sloppy", ""), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 1);
}
END_TEST

START_TEST(what_a_service_leaves_open_is_told)
{
	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_add_plugin("opens", BAY_TEST_DESCRIPTOR(.init = opens_a_pipe,
		.handle = says_nothing), NULL), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 1);
}
END_TEST

START_TEST(what_a_task_of_the_test_leaves_open_is_told)
{
	struct bay_stream *ends[2];

	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_run(opens_a_stream, ends), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 2);
}
END_TEST

START_TEST(a_descriptor_that_is_open_is_told)
{
	int fds[2];

	bay_test_begin(NULL);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(bay_test_end(), 2);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static int
ignores_everything(struct bay_instance *instance)
{
	(void)instance;
	for (;;)
		(void)bay_yield();
	return BAY_OK;
}

START_TEST(a_service_that_refuses_to_stop_is_told_and_the_test_goes_on)
{
	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_add_plugin("mule", BAY_TEST_DESCRIPTOR(.run = ignores_everything), NULL), BAY_OK);
	ck_assert_int_eq(bay_test_stop("mule", 0), BAY_BUSY);
	ck_assert_ptr_nonnull(strstr(bay_test_error(), "refuses to stop"));
	ck_assert_int_ge(bay_test_end(), 1);
}
END_TEST

START_TEST(one_container_after_the_other_starts_afresh)
{
	for (int i = 0; i < 20; i++) {
		bay_test_begin(i % 2 == 0 ? NULL : &virtual_time);
		ck_assert_int_eq(bay_test_add_plugin("quiet", BAY_TEST_DESCRIPTOR(.handle = says_nothing), NULL), BAY_OK);
		ck_assert_int_eq(bay_test_call("quiet", ""), BAY_OK);
		ck_assert_uint_eq(bay_test_log_count(), 0);
		ck_assert_int_eq(bay_test_end(), 0);
	}
}
END_TEST

CHECK_MAIN("kit/container",
	without_a_seed_tasks_run_in_the_order_in_which_they_became_ready,
	a_seed_gives_an_order_of_its_own_and_always_the_same,
	the_environment_gives_the_seed,
	any_seed_is_another_one_than_none,
	calls_go_directly_or_by_the_queue_or_either_way,
	messages_that_are_not_freed_are_counted,
	memory_that_a_service_forgets_is_told,
	what_a_service_leaves_open_is_told,
	what_a_task_of_the_test_leaves_open_is_told,
	a_descriptor_that_is_open_is_told,
	a_service_that_refuses_to_stop_is_told_and_the_test_goes_on,
	one_container_after_the_other_starts_afresh)
