/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls from a task of the test's own loop: which way they go, and what comes back. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/trace.h"
#include "support/log_lines.h"
#include "support/services.h"

static struct bay_service *first, *second;

/* A test whose body is a task of loop 0, beside services that are started before and stopped
 * after it. */
#define WITH_SERVICES(name, ...)                                    \
	static int name##_main(void *arg);                              \
	START_TEST(name)                                                \
	{                                                               \
		services_begin(0);                                          \
		__VA_ARGS__;                                                \
		ck_assert_int_eq(services_run(name##_main, NULL), BAY_OK);  \
		services_check_nothing_left();                              \
		services_end();                                             \
	}                                                               \
	END_TEST                                                        \
	static int name##_main(void *arg __attribute__((unused)))

#define START(name_, ...) services_start(&(struct service_options){.name = name_, .plugin = __VA_ARGS__})

/* --- handlers ---------------------------------------------------------------------------- */

static int
echo(struct bay_request *request)
{
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

/* Waits as many milliseconds as the request says, then echoes. */
static int
slow_echo(struct bay_request *request)
{
	int64_t ms;

	if (bay_request_int64(request, &ms) != BAY_OK)
		ms = 1;
	if (bay_sleep(ms * BAY_MS) != BAY_OK)
		return bay_fail(request, BAY_CANCELED, "woken: %s",
			bay_cancel_reason() != NULL ? bay_cancel_reason() : "too late");
	return echo(request);
}

struct seen {
	char *address;          /* of a local variable of the handler */
	struct task *task;
	struct bay_instance *instance;
	int64_t deadline;
	int64_t request_deadline;
	uint64_t trace;
	unsigned depth;
	int status;
	bool ended;
	bool canceled;
	char reason[64];
	const void *data;
	size_t stack_left;
};

/* Says what it saw, in the struct that the request points to. */
static int
look(struct bay_request *request)
{
	struct seen *seen = services_request_pointer(request);

	seen->address = __builtin_frame_address(0);
	seen->task = task_current();
	seen->instance = bay_instance_current();
	ck_assert_ptr_eq(seen->instance, bay_request_instance(request));
	seen->request_deadline = bay_request_deadline(request);
	seen->deadline = bay_deadline();
	seen->trace = trace_of(request)->id.low;
	seen->data = bay_request_data(request);
	seen->stack_left = task_stack_below(task_current(), __builtin_frame_address(0));
	return bay_reply_text(request, "seen");
}

/* Waits until it is told to stop, and 20 ms more, however often it is told. */
static int
refuse_to_stop(struct bay_request *request)
{
	struct seen *seen = services_request_pointer(request);
	int64_t end = BAY_INHERIT;

	seen->task = task_current();
	while (bay_now() < end) {
		if (bay_sleep(BAY_MS) != BAY_OK) {
			if (end == BAY_INHERIT)
				end = bay_after(20 * BAY_MS);
			seen->canceled = bay_cancel_reason() != NULL;
			task_yield();
		}
	}
	if (bay_cancel_reason() != NULL)
		strcpy(seen->reason, bay_cancel_reason());
	seen->status = bay_reply_text(request, "late");
	seen->ended = true;
	return BAY_OK;
}

/* --- the three ways -------------------------------------------------------------------------- */

WITH_SERVICES(a_leaf_runs_on_its_callers_stack,
	first = START("leaf", PLUGIN(.handle = look, .flags = BAY_LEAF)))
{
	struct seen seen = {.address = NULL};
	char *here = __builtin_frame_address(0);

	ck_assert_int_eq(services_call(first, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_eq(seen.task, task_current());
	ck_assert(seen.address < here && here - seen.address < 8192);
	ck_assert_str_eq(bay_instance_name(seen.instance), "leaf");
	ck_assert_ptr_null(bay_instance_current());
	ck_assert_uint_ne(seen.trace, 0);
	ck_assert_uint_eq(services_figures(first).direct, 1);
	ck_assert_uint_eq(services_figures(first).served, 1);
	ck_assert_uint_eq(services_figures(first).queued, 0);
	return BAY_OK;
}

/* Calls a leaf with little of its own stack left. What is volatile keeps the compiler from
 * making a loop of it. */
static int
call_from_far_down(struct bay_service *service, struct seen *seen, size_t left)
{
	volatile char room[2048];

	room[5] = 1;
	if (task_stack_below(task_current(), __builtin_frame_address(0)) > left)
		return call_from_far_down(service, seen, left) + (room[5] != 1);
	return services_call(service, seen, BAY_INHERIT) + (room[5] != 1);
}

WITH_SERVICES(a_leaf_gets_a_stack_of_its_own_when_little_is_left,
	first = START("leaf", PLUGIN(.handle = look, .flags = BAY_LEAF)))
{
	struct seen seen = {.address = NULL};

	ck_assert_int_eq(call_from_far_down(first, &seen, INSTANCE_LEAF_STACK + 16384), BAY_OK);
	ck_assert_ptr_eq(seen.task, task_current());
	ck_assert_uint_ge(seen.stack_left, INSTANCE_LEAF_STACK);
	ck_assert_int_eq(call_from_far_down(first, &seen, INSTANCE_LEAF_STACK), BAY_OK);
	ck_assert_ptr_ne(seen.task, task_current());
	ck_assert_uint_ge(seen.stack_left, INSTANCE_LEAF_STACK);
	ck_assert_uint_eq(services_figures(first).direct, 2);
	return BAY_OK;
}

static int
sleeping_leaf(struct bay_request *request)
{
	int status = bay_sleep(BAY_MS);

	ck_assert_int_eq(status, BAY_INVALID);
	return echo(request);
}

static int
spawning_leaf(struct bay_request *request)
{
	ck_assert_ptr_null(bay_call_start(second, NULL));
	ck_assert_int_eq(bay_call(second, NULL, NULL, BAY_INHERIT), BAY_INVALID);
	return bay_reply_text(request, "went on");
}

WITH_SERVICES(a_leaf_that_would_suspend_fails_its_call_and_the_caller_goes_on,
	first = START("napper", PLUGIN(.handle = sleeping_leaf, .flags = BAY_LEAF));
	second = START("caller", PLUGIN(.handle = spawning_leaf, .flags = BAY_LEAF)))
{
	services_expect_text(first, "x", BAY_INVALID, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "service napper"));
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "bay_sleep"));
	services_expect_text(second, "x", BAY_INVALID, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "service caller"));
	ck_assert_int_eq(bay_sleep(1), BAY_OK);
	ck_assert_uint_eq(services_figures(first).failed, 1);
	return BAY_OK;
}

static int
send_ten(struct bay_service *service)
{
	int i;

	for (i = 0; i < 10; i++)
		ck_assert_int_eq(bay_send(service, NULL, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* Which way a call goes must make no difference. */
WITH_SERVICES(a_leaf_from_the_queue_or_on_its_own_stack_may_not_suspend_either,
	first = START("napper", PLUGIN(.handle = sleeping_leaf, .flags = BAY_LEAF)))
{
	struct seen seen = {.address = NULL};

	ck_assert_int_eq(call_from_far_down(first, &seen, INSTANCE_LEAF_STACK), BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "bay_sleep"));
	send_ten(first);
	services_expect_text(first, "x", BAY_INVALID, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "bay_sleep"));
	ck_assert_uint_eq(services_figures(first).queued, 11);
	return BAY_OK;
}

WITH_SERVICES(others_run_at_once_on_a_stack_of_their_own, first = START("eager", PLUGIN(.handle = look)))
{
	struct seen seen = {.address = NULL};
	uint64_t passes = scheduler_here->passes;

	ck_assert_int_eq(services_call(first, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_ne(seen.task, task_current());
	ck_assert_str_eq(bay_instance_name(seen.instance), "eager");
	/* Without the queue, the ready list or a pass. */
	ck_assert_uint_eq(scheduler_here->passes, passes);
	ck_assert_uint_eq(services_figures(first).direct, 1);
	ck_assert_uint_eq(services_figures(first).served, 1);
	ck_assert_uint_eq(services_figures(first).queued, 0);
	return BAY_OK;
}

WITH_SERVICES(one_that_parks_answers_later, first = START("slow", PLUGIN(.handle = slow_echo)))
{
	services_expect_text(first, "2", BAY_OK, "2");
	ck_assert_uint_eq(services_figures(first).direct, 1);
	return BAY_OK;
}

static int
say_whose_slot(struct bay_request *request)
{
	return bay_reply_int64(request, (int64_t)scheduler_here->status->slot);
}

/* The status page names the callee while it runs, whichever way it was called. */
WITH_SERVICES(the_status_page_names_the_callee_and_then_the_caller_again,
	first = START("leaf", PLUGIN(.handle = say_whose_slot, .flags = BAY_LEAF));
	second = START("eager", PLUGIN(.handle = say_whose_slot)))
{
	struct bay_service *const services[] = {first, second};
	char slot[16];
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(slot, sizeof slot, "%u", services[i]->slot);
		services_expect_text(services[i], "", BAY_OK, slot);
		ck_assert_uint_eq(scheduler_here->status->slot, STATUS_NO_SLOT);
	}
	return BAY_OK;
}

static int
park_until_cancelled(struct bay_request *request)
{
	(void)request;
	return bay_sleep(100 * BAY_SECOND);
}

/* Who lists the tasks finds one that was started eagerly from its first wait on. */
WITH_SERVICES(one_that_parks_stands_in_the_list_of_tasks,
	first = START("parks", PLUGIN(.handle = park_until_cancelled)))
{
	struct bay_task *call = bay_call_start(first, NULL);
	struct list *last = list_last(&scheduler_here->tasks);

	ck_assert_uint_eq(scheduler_here->task_count, 2);
	ck_assert_str_eq(container_of(last, struct task, in_scheduler)->awaiting, "bay_sleep");
	bay_task_free(call);
	return BAY_OK;
}

static int
call_slow(void *arg)
{
	services_expect_text(first, "3", BAY_OK, "3");
	++*(int *)arg;
	return BAY_OK;
}

WITH_SERVICES(beyond_the_concurrency_calls_go_through_the_queue,
	first = START("slow", PLUGIN(.handle = slow_echo), .concurrency = 2))
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int i, done = 0;

	for (i = 0; i < 6; i++)
		ck_assert_int_eq(bay_scope_go(scope, "calls", call_slow, &done), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(services_figures(first).in_flight, 2);
	ck_assert_uint_eq(services_figures(first).queue_length, 4);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_int_eq(done, 6);
	ck_assert_uint_eq(services_figures(first).direct, 2);
	ck_assert_uint_eq(services_figures(first).queued, 4);
	ck_assert_uint_eq(services_figures(first).served, 6);
	return BAY_OK;
}

/* --- order --------------------------------------------------------------------------------------- */

static char order[64];

static int
note_order(struct bay_request *request)
{
	strcat(order, bay_request_text(request));
	return bay_reply_text(request, "noted");
}

static void
send_text(struct bay_service *service, const char *text)
{
	struct bay_message *message = bay_message(text, strlen(text));

	ck_assert_int_eq(bay_send(service, message, BAY_INHERIT), BAY_OK);
	bay_message_free(message);
}

WITH_SERVICES(a_call_does_not_overtake_what_is_queued, first = START("notes", PLUGIN(.handle = note_order)))
{
	send_text(first, "a");
	send_text(first, "b");
	services_expect_text(first, "c", BAY_OK, "noted");
	ck_assert_str_eq(order, "abc");
	ck_assert_uint_eq(services_figures(first).direct, 0);
	services_expect_text(first, "d", BAY_OK, "noted");
	ck_assert_str_eq(order, "abcd");
	ck_assert_uint_eq(services_figures(first).direct, 1);
	return BAY_OK;
}

static int
call_when_taken(void *arg)
{
	(void)arg;
	/* Goes behind the ready list, where the messages have become tasks meanwhile. */
	while (services_figures(first).queue_length > 0)
		scheduler_here->budget = 0, task_yield();
	services_expect_text(first, "c", BAY_OK, "noted");
	return BAY_OK;
}

/* Taken out of the queue, but not begun: they are still before us. */
WITH_SERVICES(a_call_does_not_overtake_what_was_taken_from_the_queue,
	first = START("notes", PLUGIN(.handle = note_order)))
{
	struct bay_task *calls;

	send_text(first, "a");
	send_text(first, "b");
	calls = bay_spawn("calls", call_when_taken, NULL);
	ck_assert_int_eq(bay_join(calls, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(order, "abc");
	return BAY_OK;
}

/* --- the slice ------------------------------------------------------------------------------------- */

struct greedy {
	struct bay_service *service;
	bool stop;
	int64_t calls;
};

static int
call_for_ever(void *arg)
{
	struct greedy *greedy = arg;

	while (!greedy->stop) {
		ck_assert_int_eq(bay_call(greedy->service, NULL, NULL, BAY_INHERIT), BAY_OK);
		greedy->calls++;
	}
	return BAY_OK;
}

static int
stop_greedy(void *arg)
{
	((struct greedy *)arg)->stop = true;
	return BAY_OK;
}

WITH_SERVICES(a_loop_of_direct_calls_lets_others_run,
	first = START("leaf", PLUGIN(.handle = echo, .flags = BAY_LEAF));
	second = START("eager", PLUGIN(.handle = echo)))
{
	struct greedy leaf = {.service = first}, eager = {.service = second};
	struct bay_task *calls = bay_spawn("calls", call_for_ever, &leaf);

	ck_assert_int_eq(bay_go("stops", stop_greedy, &leaf), BAY_OK);
	ck_assert_int_eq(bay_join(calls, BAY_INHERIT), BAY_OK);
	ck_assert_int_le(leaf.calls, SCHEDULER_SLICE + 1);
	ck_assert_int_ge(leaf.calls, SCHEDULER_SLICE / 2);
	calls = bay_spawn("calls", call_for_ever, &eager);
	ck_assert_int_eq(bay_go("stops", stop_greedy, &eager), BAY_OK);
	ck_assert_int_eq(bay_join(calls, BAY_INHERIT), BAY_OK);
	ck_assert_int_le(eager.calls, SCHEDULER_SLICE + 1);
	return BAY_OK;
}

static int
work_hard(struct bay_request *request)
{
	int64_t end = bay_now() + 20 * BAY_US;

	while (bay_now() < end)
		;
	return echo(request);
}

static int
sleep_and_stop(void *arg)
{
	struct greedy *greedy = arg;

	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	greedy->stop = true;
	/* Each takes 20 us: the time is over before the second slice is. */
	ck_assert_int_le(greedy->calls, 4 * SCHEDULER_SLICE);
	return BAY_OK;
}

WITH_SERVICES(a_loop_of_direct_calls_lets_timers_fire,
	first = START("leaf", PLUGIN(.handle = work_hard, .flags = BAY_LEAF)))
{
	struct greedy greedy = {.service = first};

	ck_assert_int_eq(bay_go("stops", sleep_and_stop, &greedy), BAY_OK);
	return bay_join(bay_spawn("calls", call_for_ever, &greedy), BAY_INHERIT);
}

static int
call_leaf_until_it_fails(void *arg)
{
	int64_t *calls = arg;
	int status;

	while ((status = bay_call(first, NULL, NULL, BAY_INHERIT)) == BAY_OK)
		++*calls;
	return status;
}

WITH_SERVICES(a_loop_of_direct_calls_sees_its_deadline,
	first = START("leaf", PLUGIN(.handle = work_hard, .flags = BAY_LEAF)))
{
	int64_t deadline = bay_after(5 * BAY_MS), calls = 0;
	struct bay_scope *scope = bay_scope_open(deadline);
	struct bay_task *task = bay_scope_spawn(scope, "calls", call_leaf_until_it_fails, &calls);

	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_int_le(calls, 4 * SCHEDULER_SLICE);
	return bay_scope_close(scope);
}

/* Calls as often as it says, without a wait of its own. */
static int
call_often(void *arg)
{
	struct greedy *greedy = arg;
	int64_t i;

	for (i = 0; i < greedy->calls; i++)
		ck_assert_int_eq(bay_call(greedy->service, NULL, NULL, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* What one has used of its slice is not taken from the next, who comes right behind it; and
 * who was sent behind the others comes back with a whole one. */
WITH_SERVICES(each_turn_has_a_slice_of_its_own,
	first = START("leaf", PLUGIN(.handle = echo, .flags = BAY_LEAF)))
{
	struct greedy greedy = {.service = first, .calls = SCHEDULER_SLICE - 10};
	uint64_t passes = task_current()->scheduler->passes;
	int i;

	for (i = 0; i < 10; i++)
		ck_assert_int_eq(bay_go("calls", call_often, &greedy), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_le(task_current()->scheduler->passes - passes, 2);
	greedy.calls = 20 * SCHEDULER_SLICE;
	passes = task_current()->scheduler->passes;
	ck_assert_int_eq(call_often(&greedy), BAY_OK);
	ck_assert_uint_le(task_current()->scheduler->passes - passes, 25);
	return BAY_OK;
}

static int
send_for_ever(void *arg)
{
	struct greedy *greedy = arg;

	while (!greedy->stop && greedy->calls < 3 * SCHEDULER_SLICE) {
		ck_assert_int_eq(bay_send(greedy->service, NULL, BAY_INHERIT), BAY_OK);
		greedy->calls++;
	}
	return BAY_OK;
}

WITH_SERVICES(a_loop_of_sends_lets_others_run, first = START("eager", PLUGIN(.handle = echo)))
{
	struct greedy greedy = {.service = first};
	struct bay_task *sends = bay_spawn("sends", send_for_ever, &greedy);

	ck_assert_int_eq(bay_go("stops", stop_greedy, &greedy), BAY_OK);
	ck_assert_int_eq(bay_join(sends, BAY_INHERIT), BAY_OK);
	ck_assert_int_le(greedy.calls, SCHEDULER_SLICE + 1);
	while (first->queued > 0)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

/* A started call does not suspend, so the state that tasks share stays as it is. */
static int
count_turns(void *arg)
{
	++*(int *)arg;
	return BAY_OK;
}

WITH_SERVICES(starting_calls_lets_nobody_run, first = START("eager", PLUGIN(.handle = echo)))
{
	int i, turns = 0;

	ck_assert_int_eq(bay_go("counts", count_turns, &turns), BAY_OK);
	for (i = 0; i < 3 * SCHEDULER_SLICE; i++) {
		struct bay_task *call = bay_call_start(first, NULL);

		ck_assert_int_eq(bay_task_status(call), BAY_OK);
		bay_task_free(call);
	}
	ck_assert_int_eq(turns, 0);
	return bay_yield();
}

/* --- circles and depth --------------------------------------------------------------------------- */

static int
call_myself(struct bay_request *request)
{
	struct bay_message *reply = NULL;
	int status = bay_call(bay_service(bay_instance_name(bay_instance_current())), bay_request_message(request),
		&reply, BAY_INHERIT);

	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_message(request, &reply);
}

static int
call_second(struct bay_request *request)
{
	if (bay_call(second, NULL, NULL, BAY_INHERIT) != BAY_OK)
		return bay_fail(request, BAY_LOOP, "%s", bay_call_error());
	return bay_reply_text(request, "ok");
}

static int
call_first(struct bay_request *request)
{
	int status = bay_call(first, NULL, NULL, BAY_INHERIT);

	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_text(request, "ok");
}

WITH_SERVICES(a_service_that_waits_for_itself_is_refused,
	first = START("narrow", PLUGIN(.handle = call_myself), .concurrency = 1))
{
	services_expect_text(first, "x", BAY_LOOP, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "narrow -> narrow"));
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "concurrency = 1"));
	return BAY_OK;
}

static int
call_it(void *arg)
{
	return bay_call(first, bay_request_message(arg), NULL, bay_after(5 * BAY_SECOND));
}

static int
call_myself_by_a_task(struct bay_request *request)
{
	if (bay_join(bay_spawn("calls", call_it, request), BAY_INHERIT) != BAY_LOOP)
		return bay_fail(request, BAY_FAILED, "it was not refused");
	return bay_reply_text(request, "refused");
}

/* What a handler spawns works for the same request, and is part of the way of its calls. */
WITH_SERVICES(a_service_whose_task_waits_for_it_is_refused,
	first = START("narrow", PLUGIN(.handle = call_myself_by_a_task), .concurrency = 1))
{
	services_expect_text(first, "x", BAY_OK, "refused");
	return BAY_OK;
}

WITH_SERVICES(a_service_that_waits_for_itself_over_another_is_refused,
	first = START("a", PLUGIN(.handle = call_second), .concurrency = 1);
	second = START("b", PLUGIN(.handle = call_first), .concurrency = 1))
{
	services_expect_text(first, "x", BAY_LOOP, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "a -> b -> a"));
	/* From the other side as well, and again. */
	services_expect_text(second, "x", BAY_LOOP, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "b -> a -> b"));
	return BAY_OK;
}

WITH_SERVICES(a_circle_ends_at_max_depth,
	first = START("a", PLUGIN(.handle = call_second));
	second = START("b", PLUGIN(.handle = call_first)))
{
	services_expect_text(first, "x", BAY_LOOP, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "max_depth = 64"));
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "a -> b -> a"));
	ck_assert_uint_eq(services_figures(first).failed, 32);
	ck_assert_uint_eq(services_figures(second).failed, 32);
	return BAY_OK;
}

static int
count_down(struct bay_request *request)
{
	struct bay_message *message, *reply;
	int64_t n;
	int status;

	ck_assert_int_eq(bay_request_int64(request, &n), BAY_OK);
	if (n == 0)
		return bay_reply_text(request, "bottom");
	message = bay_message_int64(n - 1);
	status = bay_call(first, message, &reply, BAY_INHERIT);
	bay_message_free(message);
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_message(request, &reply);
}

static int
go_down(void *arg)
{
	(void)arg;
	services_expect_text(first, "3", BAY_OK, "bottom");
	services_expect_text(first, "4", BAY_LOOP, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "down -> down -> down -> down -> down"));
	return BAY_OK;
}

START_TEST(max_depth_counts_the_services)
{
	services_begin_with_depth(0, 4);
	first = START("down", PLUGIN(.handle = count_down));
	ck_assert_int_eq(services_run(go_down, NULL), BAY_OK);
	services_end();
}
END_TEST

static int
tell_second(struct bay_request *request)
{
	ck_assert_int_eq(bay_send(second, bay_request_message(request), BAY_INHERIT), BAY_OK);
	/* Still at work when the other one calls back. */
	ck_assert_int_eq(bay_sleep(3 * BAY_MS), BAY_OK);
	return bay_reply_text(request, "told");
}

static struct bay_channel *answers;

static int
call_first_and_say(struct bay_request *request)
{
	int status;

	if (bay_request_text(request)[0] == 'b')
		return bay_reply_text(request, "back");
	status = bay_call(first, NULL, NULL, BAY_INHERIT);
	ck_assert_int_eq(bay_channel_put(answers, (void *)(intptr_t)status, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

static int
tell_or_answer(struct bay_request *request)
{
	if (bay_request_size(request) == 0)
		return bay_reply_text(request, "answered");
	return tell_second(request);
}

/* Who sent one way does not wait, so nobody would wait for himself. */
WITH_SERVICES(one_way_is_no_circle,
	first = START("a", PLUGIN(.handle = tell_or_answer), .concurrency = 1);
	second = START("b", PLUGIN(.handle = call_first_and_say), .concurrency = 1))
{
	void *status = NULL;

	answers = bay_channel_create(1);
	services_expect_text(first, "tell", BAY_OK, "told");
	ck_assert_int_eq(bay_channel_get(answers, &status, bay_after(60 * BAY_SECOND)), BAY_OK);
	ck_assert_int_eq((int)(intptr_t)status, BAY_OK);
	bay_channel_destroy(answers);
	return BAY_OK;
}

/* --- deadlines ----------------------------------------------------------------------------------------- */

WITH_SERVICES(a_callee_inherits_the_deadline_of_the_call,
	first = START("leaf", PLUGIN(.handle = look, .flags = BAY_LEAF));
	second = START("eager", PLUGIN(.handle = look)))
{
	int64_t deadline = bay_after(BAY_SECOND);
	struct seen seen = {.address = NULL};

	ck_assert_int_eq(services_call(first, &seen, deadline), BAY_OK);
	ck_assert_int_eq(seen.request_deadline, deadline);
	ck_assert_int_eq(seen.deadline, deadline);
	ck_assert_int_eq(services_call(second, &seen, deadline), BAY_OK);
	ck_assert_int_eq(seen.request_deadline, deadline);
	ck_assert_int_eq(seen.deadline, deadline);
	return BAY_OK;
}

static int
call_both_inheriting(void *arg)
{
	struct seen *seen = arg;

	ck_assert_int_eq(services_call(first, &seen[0], BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(services_call(second, &seen[1], BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

WITH_SERVICES(a_callee_inherits_the_deadline_of_the_caller,
	first = START("leaf", PLUGIN(.handle = look, .flags = BAY_LEAF));
	second = START("eager", PLUGIN(.handle = look)))
{
	int64_t deadline = bay_after(BAY_SECOND);
	struct bay_scope *scope = bay_scope_open(deadline);
	struct seen seen[2] = {{.address = NULL}};

	ck_assert_int_eq(bay_scope_go(scope, "calls", call_both_inheriting, seen), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_int_eq(seen[0].request_deadline, deadline);
	ck_assert_int_eq(seen[1].request_deadline, deadline);
	return BAY_OK;
}

static int
look_if_asked(struct bay_request *request)
{
	return bay_request_size(request) == 0 ? BAY_OK : look(request);
}

WITH_SERVICES(a_callee_from_the_queue_inherits_it_too, first = START("queued", PLUGIN(.handle = look_if_asked)))
{
	int64_t deadline = bay_after(BAY_SECOND);
	struct seen seen = {.address = NULL};

	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(services_call(first, &seen, deadline), BAY_OK);
	ck_assert_uint_eq(services_figures(first).queued, 2);
	ck_assert_int_eq(seen.request_deadline, deadline);
	ck_assert_int_eq(seen.deadline, deadline);
	task_current()->deadline = deadline;
	ck_assert_int_eq(services_call(first, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(seen.request_deadline, deadline);
	return BAY_OK;
}

static int
pass_pointer_on(struct bay_request *request)
{
	if (bay_call(first, bay_request_message(request), NULL, BAY_INHERIT) != BAY_OK)
		return bay_fail(request, BAY_FAILED, "%s", bay_call_error());
	return bay_reply_text(request, "passed on");
}

WITH_SERVICES(a_timeout_is_inherited_by_what_its_handler_calls,
	first = START("end", PLUGIN(.handle = look));
	second = START("way", PLUGIN(.handle = pass_pointer_on), .timeout_ns = BAY_SECOND))
{
	struct seen seen = {.address = NULL};

	ck_assert_int_eq(services_call(second, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_int_le(seen.deadline, bay_after(BAY_SECOND));
	ck_assert_int_gt(seen.deadline, bay_now());
	return BAY_OK;
}

WITH_SERVICES(a_caller_returns_at_its_deadline_whatever_the_callee_does,
	first = START("stubborn", PLUGIN(.handle = refuse_to_stop)))
{
	struct seen *seen = calloc(1, sizeof *seen);
	int64_t deadline = bay_after(3 * BAY_MS), back;

	ck_assert_int_eq(services_call(first, seen, deadline), BAY_TIMEOUT);
	back = bay_now();
	ck_assert_int_ge(back, deadline);
	ck_assert_str_eq(bay_call_error(), "service stubborn did not answer before the deadline");
	ck_assert(!seen->ended);
	ck_assert_uint_eq(services_figures(first).in_flight, 1);
	while (!seen->ended)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	/* Its answer goes nowhere, and it was told why. */
	ck_assert_int_eq(seen->status, BAY_TIMEOUT);
	ck_assert_str_eq(seen->reason, "deadline");
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(services_figures(first).timeouts, 1);
	free(seen);
	return BAY_OK;
}

WITH_SERVICES(a_services_timeout_ends_the_call,
	first = START("slow", PLUGIN(.handle = slow_echo), .timeout_ns = 3 * BAY_MS))
{
	int64_t before = bay_now();

	services_expect_text(first, "3600000", BAY_TIMEOUT, NULL);
	ck_assert_int_ge(bay_now() - before, 3 * BAY_MS);
	return BAY_OK;
}

WITH_SERVICES(a_services_timeout_counts_in_the_queue,
	first = START("slow", PLUGIN(.handle = slow_echo), .concurrency = 1, .timeout_ns = 10 * BAY_MS))
{
	struct bay_task *calls[2];
	struct bay_message *long_time = bay_message_int64(1000);
	int i;

	for (i = 0; i < 2; i++)
		calls[i] = bay_call_start(first, long_time);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(bay_join(calls[i], BAY_INHERIT), BAY_TIMEOUT);
	bay_message_free(long_time);
	/* Both count, wherever they were. */
	while (services_figures(first).in_flight > 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_uint_eq(services_figures(first).timeouts, 2);
	ck_assert_uint_eq(services_figures(first).failed, 2);
	return BAY_OK;
}

WITH_SERVICES(a_deadline_that_has_passed_calls_nobody, first = START("eager", PLUGIN(.handle = echo)))
{
	ck_assert_int_eq(bay_call(first, NULL, NULL, bay_now() - BAY_SECOND), BAY_TIMEOUT);
	ck_assert_int_eq(bay_send(first, NULL, bay_now() - BAY_SECOND), BAY_TIMEOUT);
	ck_assert_uint_eq(services_figures(first).direct, 0);
	ck_assert_uint_eq(services_figures(first).queued, 0);
	return BAY_OK;
}

static int
remember_end(struct bay_request *request)
{
	struct seen *seen = services_request_pointer(request);

	seen->status = bay_sleep(100 * BAY_SECOND);
	seen->canceled = bay_cancel_reason() != NULL;
	if (seen->canceled)
		strcpy(seen->reason, bay_cancel_reason());
	seen->ended = true;
	return seen->status;
}

/* Timeout and cancelled are told apart: nobody asked this one to end, its time was up. */
WITH_SERVICES(a_callee_sees_its_own_deadline, first = START("waits", PLUGIN(.handle = remember_end)))
{
	struct seen *seen = calloc(1, sizeof *seen);

	ck_assert_int_eq(services_call(first, seen, bay_after(2 * BAY_MS)), BAY_TIMEOUT);
	while (!seen->ended)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(seen->status == BAY_TIMEOUT || seen->canceled);
	free(seen);
	return BAY_OK;
}

static int
call_and_wait(void *arg)
{
	int status = services_call(first, arg, BAY_INHERIT);

	ck_assert_str_eq(bay_call_error(), "service waits was still at work when the caller was cancelled: enough");
	return status;
}

WITH_SERVICES(cancelling_the_caller_cancels_the_callee, first = START("waits", PLUGIN(.handle = remember_end)))
{
	struct seen *seen = calloc(1, sizeof *seen);
	struct bay_task *task = bay_spawn("calls", call_and_wait, seen);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	while (!seen->ended)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(seen->status, BAY_CANCELED);
	ck_assert(seen->canceled);
	ck_assert_str_eq(seen->reason, "enough");
	free(seen);
	return BAY_OK;
}

static int
call_when_cancelled(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_sleep(1000 * BAY_SECOND), BAY_CANCELED);
	ck_assert_int_eq(bay_call(first, NULL, NULL, BAY_INHERIT), BAY_CANCELED);
	ck_assert_str_eq(bay_call_error(), "the caller is cancelled: enough");
	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_CANCELED);
	return BAY_CANCELED;
}

WITH_SERVICES(a_cancelled_caller_calls_nobody, first = START("eager", PLUGIN(.handle = echo)))
{
	struct bay_task *task = bay_spawn("calls", call_when_cancelled, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_uint_eq(services_figures(first).direct, 0);
	ck_assert_uint_eq(services_figures(first).queued, 0);
	return BAY_OK;
}

static bool gate_open;

static int
wait_at_the_gate(struct bay_request *request)
{
	(void)request;
	while (!gate_open)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return BAY_OK;
}

WITH_SERVICES(a_sender_returns_at_its_deadline_when_there_is_no_room,
	first = START("narrow", PLUGIN(.handle = wait_at_the_gate), .concurrency = 1, .queue = 1,
		.overflow = OVERFLOW_WAIT))
{
	int64_t deadline;

	gate_open = false;
	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_OK);
	while (services_figures(first).in_flight == 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_OK);
	deadline = bay_after(3 * BAY_MS);
	ck_assert_int_eq(bay_send(first, NULL, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_str_eq(bay_call_error(), "the queue of service narrow had no room in time");
	ck_assert_uint_eq(services_figures(first).waiting_senders, 0);
	gate_open = true;
	while (services_figures(first).served < 2)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_uint_eq(services_figures(first).queue_length, 0);
	return BAY_OK;
}

/* --- who cannot be called --------------------------------------------------------------------------- */

WITH_SERVICES(what_is_not_there_cannot_be_called, first = NULL)
{
	struct bay_service *nobody = bay_service("nobody");
	struct bay_task *call;

	ck_assert_ptr_nonnull(nobody);
	services_expect_text(nobody, "x", BAY_NOT_FOUND, NULL);
	ck_assert_str_eq(bay_call_error(), "there is no service 'nobody'");
	ck_assert_int_eq(bay_call(NULL, NULL, NULL, BAY_INHERIT), BAY_NOT_FOUND);
	ck_assert_str_ne(bay_call_error(), "");
	ck_assert_int_eq(bay_send(nobody, NULL, BAY_INHERIT), BAY_NOT_FOUND);
	ck_assert_str_eq(bay_call_error(), "there is no service 'nobody'");
	call = bay_call_start(nobody, NULL);
	ck_assert_int_eq(bay_task_status(call), BAY_NOT_FOUND);
	ck_assert_str_eq(bay_task_error(call), "there is no service 'nobody'");
	bay_task_free(call);
	call = bay_call_start(NULL, NULL);
	ck_assert_int_eq(bay_task_status(call), BAY_NOT_FOUND);
	bay_task_free(call);
	return BAY_OK;
}

static int
call_stopped(void *arg)
{
	(void)arg;
	services_expect_text(first, "x", BAY_CLOSED, NULL);
	ck_assert_str_eq(bay_call_error(), "service leaf is stopped");
	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_CLOSED);
	return BAY_OK;
}

static int
call_failed_one(void *arg)
{
	(void)arg;
	services_expect_text(first, "x", BAY_CLOSED, NULL);
	ck_assert_str_eq(bay_call_error(), "service leaf has failed: out of ideas");
	return BAY_OK;
}

START_TEST(a_stopped_service_says_so_and_its_handle_lives_on)
{
	struct service_options options = {.name = "leaf", .plugin = PLUGIN(.handle = echo, .flags = BAY_LEAF)};

	services_begin(0);
	first = services_start(&options);
	ck_assert(services_stop(first, 0, BAY_SECOND, NULL));
	ck_assert_int_eq(services_run(call_stopped, NULL), BAY_OK);
	service_set_state(first, SERVICE_FAILED, "out of ideas");
	ck_assert_int_eq(services_run(call_failed_one, NULL), BAY_OK);
	ck_assert_ptr_eq(services_start(&options), first);
	services_end();
}
END_TEST

START_TEST(outside_a_task_nobody_calls)
{
	services_begin(0);
	first = START("leaf", PLUGIN(.handle = echo, .flags = BAY_LEAF));
	ck_assert_int_eq(bay_call(first, NULL, NULL, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_INVALID);
	ck_assert_ptr_null(bay_call_start(first, NULL));
	ck_assert_str_eq(bay_call_error(), "");
	services_end();
}
END_TEST

/* --- started calls ----------------------------------------------------------------------------------- */

static int side_by_side;

/* Nobody is answered before all are there. */
static int
meet(struct bay_request *request)
{
	side_by_side++;
	do {
		if (bay_sleep(BAY_MS) != BAY_OK)
			return BAY_CANCELED;
	} while (side_by_side < 20);
	return echo(request);
}

WITH_SERVICES(started_calls_go_on_side_by_side, first = START("meets", PLUGIN(.handle = meet)))
{
	struct bay_message *ten = bay_message_int64(10);
	struct bay_task *calls[20];
	int i;

	for (i = 0; i < 20; i++) {
		calls[i] = bay_call_start(first, ten);
		ck_assert(!bay_task_done(calls[i]));
		ck_assert_ptr_null(bay_task_take_reply(calls[i]));
	}
	bay_message_free(ten);
	ck_assert_int_eq(bay_gather(calls, 20, BAY_INHERIT), BAY_OK);
	for (i = 0; i < 20; i++) {
		struct bay_message *reply = bay_task_take_reply(calls[i]);

		ck_assert_str_eq(bay_message_text(reply), "10");
		ck_assert_ptr_null(bay_task_take_reply(calls[i]));
		bay_message_free(reply);
		bay_task_free(calls[i]);
	}
	return BAY_OK;
}

WITH_SERVICES(a_started_call_may_be_done_at_once, first = START("eager", PLUGIN(.handle = echo)))
{
	struct bay_message *message = bay_message("x", 1);
	struct bay_task *call = bay_call_start(first, message);
	struct bay_message *reply;

	bay_message_free(message);
	ck_assert(bay_task_done(call));
	reply = bay_task_take_reply(call);
	ck_assert_str_eq(bay_message_text(reply), "x");
	bay_message_free(reply);
	ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_OK);
	/* One whose reply nobody takes. */
	ck_assert_int_eq(bay_join(bay_call_start(first, NULL), BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

WITH_SERVICES(a_cancelled_started_call_ends_at_once_for_its_caller,
	first = START("stubborn", PLUGIN(.handle = refuse_to_stop)))
{
	struct seen *seen = calloc(1, sizeof *seen);
	struct bay_message *message = services_pointer(seen);
	struct bay_task *call = bay_call_start(first, message);

	bay_message_free(message);
	bay_task_cancel(call, "enough");
	ck_assert(bay_task_done(call));
	ck_assert_int_eq(bay_task_status(call), BAY_CANCELED);
	ck_assert_str_eq(bay_task_error(call), "the call to service stubborn was cancelled: enough");
	bay_task_cancel(call, "more than enough");
	ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_CANCELED);
	ck_assert(!seen->ended);
	while (!seen->ended)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_str_eq(seen->reason, "enough");
	free(seen);
	return BAY_OK;
}

WITH_SERVICES(a_gather_of_started_calls_ends_with_the_first_failure,
	first = START("slow", PLUGIN(.handle = slow_echo)))
{
	struct bay_message *ten = bay_message_int64(10000);
	struct bay_service *nobody = bay_service("nobody");
	struct bay_task *calls[] = {bay_call_start(first, ten), bay_call_start(first, ten), bay_call_start(nobody, ten)};
	size_t i, which;

	bay_message_free(ten);
	ck_assert_int_eq(bay_wait_first(calls, 3, &which, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(which, 2);
	ck_assert_int_eq(bay_gather(calls, 3, BAY_INHERIT), BAY_NOT_FOUND);
	ck_assert_int_eq(bay_task_status(calls[0]), BAY_CANCELED);
	for (i = 0; i < 3; i++)
		bay_task_free(calls[i]);
	return BAY_OK;
}

WITH_SERVICES(a_gather_of_started_calls_ends_at_its_deadline,
	first = START("stubborn", PLUGIN(.handle = refuse_to_stop)))
{
	struct seen *seen = calloc(2, sizeof *seen);
	struct bay_message *messages[] = {services_pointer(&seen[0]), services_pointer(&seen[1])};
	struct bay_task *calls[] = {bay_call_start(first, messages[0]), bay_call_start(first, messages[1])};
	int64_t deadline = bay_after(2 * BAY_MS);
	int i;

	ck_assert_int_eq(bay_gather(calls, 2, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	for (i = 0; i < 2; i++) {
		ck_assert(!seen[i].ended);
		ck_assert_int_eq(bay_task_status(calls[i]), BAY_TIMEOUT);
		bay_message_free(messages[i]);
		bay_task_free(calls[i]);
	}
	while (!seen[0].ended || !seen[1].ended)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_str_eq(seen[0].reason, "deadline");
	free(seen);
	return BAY_OK;
}

static int
start_and_forget(void *arg)
{
	struct bay_message *message = services_pointer(arg);

	ck_assert_ptr_nonnull(bay_call_start(first, message));
	ck_assert_ptr_nonnull(bay_call_start(first, message));
	bay_message_free(message);
	return BAY_OK;
}

WITH_SERVICES(a_forgotten_call_is_cancelled_and_its_caller_ends_at_once,
	first = START("stubborn", PLUGIN(.handle = refuse_to_stop)))
{
	struct seen *seen = calloc(1, sizeof *seen);

	log_lines_keep();
	ck_assert_int_eq(bay_join(bay_spawn("forgets", start_and_forget, seen), BAY_INHERIT), BAY_OK);
	ck_assert(!seen->ended);
	while (services_figures(first).in_flight > 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert(seen->ended);
	ck_assert_str_eq(seen->reason, "its owner has ended");
	ck_assert_int_eq(log_lines_with("nobody asked"), 0);
	free(seen);
	return BAY_OK;
}

static int
take_long(void *arg)
{
	(void)arg;
	return bay_sleep(100 * BAY_SECOND);
}

static int
fail_at_once(void *arg)
{
	(void)arg;
	return BAY_IO;
}

struct handed {
	struct bay_task *failed;    /* of the caller */
	struct seen *seen;
};

/* Gives the failure of its caller's task up, which cancels all that the caller has, the
 * present call too; then waits for the end of its own. */
static int
fail_the_caller(struct bay_request *request)
{
	struct handed handed;
	struct bay_task *own = bay_spawn("own", take_long, NULL);

	memcpy(&handed, bay_request_data(request), sizeof handed);
	bay_task_free(handed.failed);
	ck_assert_int_eq(bay_gather(&own, 1, BAY_INHERIT), BAY_CANCELED);
	bay_task_free(own);
	ck_assert_uint_eq(bay_request_size(request), sizeof handed);
	ck_assert_mem_eq(bay_request_data(request), &handed, sizeof handed);
	handed.seen->ended = true;
	return BAY_OK;
}

static int
start_one_that_fails_us(void *arg)
{
	struct handed handed = {.failed = bay_spawn("fails", fail_at_once, NULL), .seen = arg};
	struct bay_message *message = bay_message(&handed, sizeof handed);
	struct bay_task *call;
	char other[sizeof handed] = "";

	ck_assert_int_eq(bay_yield(), BAY_OK);
	call = bay_call_start(first, message);
	ck_assert_int_eq(bay_task_status(call), BAY_CANCELED);
	bay_message_free(message);
	/* What was its memory is used again. */
	message = bay_message(other, sizeof other);
	ck_assert(!handed.seen->ended);
	ck_assert_int_eq(bay_scope_close(bay_scope_open(BAY_INHERIT)), BAY_CANCELED);
	bay_task_free(call);
	bay_message_free(message);
	return BAY_CANCELED;
}

WITH_SERVICES(a_call_cancelled_while_it_starts_keeps_its_message,
	first = START("fails-us", PLUGIN(.handle = fail_the_caller)))
{
	struct seen *seen = calloc(1, sizeof *seen);

	ck_assert_int_eq(bay_join(bay_spawn("starts", start_one_that_fails_us, seen), BAY_INHERIT), BAY_CANCELED);
	while (services_figures(first).in_flight > 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert(seen->ended);
	free(seen);
	return BAY_OK;
}

/* --- bodies ----------------------------------------------------------------------------------------------- */

static const void *replied_with;

static int
reply_big(struct bay_request *request)
{
	struct bay_message *reply = bay_message(bay_request_data(request), bay_request_size(request));

	replied_with = bay_message_data(reply);
	ck_assert_int_eq(bay_reply_message(request, &reply), BAY_OK);
	ck_assert_ptr_null(reply);
	return BAY_OK;
}

static int
pass_first_on(struct bay_request *request)
{
	struct bay_message *reply;

	ck_assert_int_eq(bay_call(first, bay_request_message(request), &reply, BAY_INHERIT), BAY_OK);
	return bay_reply_message(request, &reply);
}

WITH_SERVICES(bodies_are_handed_over_and_not_copied,
	first = START("big", PLUGIN(.handle = reply_big));
	second = START("way", PLUGIN(.handle = pass_first_on)))
{
	enum { SIZE = 10 * 1024 * 1024 };
	char *bytes = malloc(SIZE);
	struct bay_message *message, *reply;

	memset(bytes, 'b', SIZE);
	message = bay_message(bytes, SIZE);
	ck_assert_int_eq(bay_call(second, message, &reply, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_eq(bay_message_data(reply), replied_with);
	ck_assert_uint_eq(bay_message_size(reply), SIZE);
	ck_assert_int_eq(memcmp(bay_message_data(reply), bytes, SIZE), 0);
	bay_message_free(reply);
	bay_message_free(message);
	free(bytes);
	return BAY_OK;
}

WITH_SERVICES(nothing_is_a_message_too,
	first = START("leaf", PLUGIN(.handle = echo, .flags = BAY_LEAF));
	second = START("eager", PLUGIN(.handle = echo)))
{
	struct bay_message *empty = bay_message(NULL, 0), *reply;
	int i;

	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(bay_call(i < 2 ? first : second, i % 2 == 0 ? NULL : empty, &reply, BAY_INHERIT), BAY_OK);
		ck_assert_ptr_nonnull(reply);
		ck_assert_uint_eq(bay_message_size(reply), 0);
		ck_assert_str_eq(bay_message_text(reply), "");
		bay_message_free(reply);
	}
	bay_message_free(empty);
	return BAY_OK;
}

WITH_SERVICES(one_message_goes_to_many, first = START("slow", PLUGIN(.handle = slow_echo), .concurrency = 3))
{
	struct bay_message *message = bay_message("2", 1), *reply;
	struct bay_task *calls[10];
	int i;

	for (i = 0; i < 10; i++)
		calls[i] = bay_call_start(first, message);
	services_expect_text(first, "1", BAY_OK, "1");
	bay_message_free(message);
	ck_assert_int_eq(bay_gather(calls, 10, BAY_INHERIT), BAY_OK);
	for (i = 0; i < 10; i++) {
		reply = bay_task_take_reply(calls[i]);
		ck_assert_str_eq(bay_message_text(reply), "2");
		bay_message_free(reply);
		bay_task_free(calls[i]);
	}
	return BAY_OK;
}

WITH_SERVICES(a_reply_that_nobody_wants_is_freed,
	first = START("leaf", PLUGIN(.handle = echo, .flags = BAY_LEAF));
	second = START("slow", PLUGIN(.handle = slow_echo)))
{
	struct bay_message *message = bay_message("1", 1);

	ck_assert_int_eq(bay_call(first, message, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_call(second, message, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_send(first, message, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_send(second, message, BAY_INHERIT), BAY_OK);
	bay_message_free(message);
	ck_assert_int_eq(bay_sleep(3 * BAY_MS), BAY_OK);
	return BAY_OK;
}

WITH_SERVICES(the_error_is_that_of_the_last_call, first = START("eager", PLUGIN(.handle = echo)))
{
	struct bay_task *call;

	ck_assert_str_eq(bay_call_error(), "");
	services_expect_text(bay_service("nobody"), "x", BAY_NOT_FOUND, NULL);
	services_expect_text(first, "x", BAY_OK, "x");
	ck_assert_str_eq(bay_call_error(), "");
	ck_assert_int_eq(bay_send(bay_service("nobody"), NULL, BAY_INHERIT), BAY_NOT_FOUND);
	ck_assert_str_eq(bay_call_error(), "there is no service 'nobody'");
	/* A started one keeps its own. */
	call = bay_call_start(NULL, NULL);
	ck_assert_str_eq(bay_call_error(), "");
	ck_assert_str_eq(bay_task_error(call), "there is no such service (no handle)");
	ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_NOT_FOUND);
	return BAY_OK;
}

CHECK_MAIN("service/call",
	a_leaf_runs_on_its_callers_stack,
	a_leaf_gets_a_stack_of_its_own_when_little_is_left,
	a_leaf_that_would_suspend_fails_its_call_and_the_caller_goes_on,
	a_leaf_from_the_queue_or_on_its_own_stack_may_not_suspend_either,
	others_run_at_once_on_a_stack_of_their_own,
	one_that_parks_answers_later,
	the_status_page_names_the_callee_and_then_the_caller_again,
	one_that_parks_stands_in_the_list_of_tasks,
	beyond_the_concurrency_calls_go_through_the_queue,
	a_call_does_not_overtake_what_is_queued,
	a_call_does_not_overtake_what_was_taken_from_the_queue,
	a_loop_of_direct_calls_lets_others_run,
	each_turn_has_a_slice_of_its_own,
	a_loop_of_sends_lets_others_run,
	a_loop_of_direct_calls_lets_timers_fire,
	a_loop_of_direct_calls_sees_its_deadline,
	starting_calls_lets_nobody_run,
	a_service_that_waits_for_itself_is_refused,
	a_service_whose_task_waits_for_it_is_refused,
	a_service_that_waits_for_itself_over_another_is_refused,
	a_circle_ends_at_max_depth,
	max_depth_counts_the_services,
	one_way_is_no_circle,
	a_callee_inherits_the_deadline_of_the_call,
	a_callee_inherits_the_deadline_of_the_caller,
	a_callee_from_the_queue_inherits_it_too,
	a_timeout_is_inherited_by_what_its_handler_calls,
	a_caller_returns_at_its_deadline_whatever_the_callee_does,
	a_services_timeout_ends_the_call,
	a_services_timeout_counts_in_the_queue,
	a_deadline_that_has_passed_calls_nobody,
	a_callee_sees_its_own_deadline,
	cancelling_the_caller_cancels_the_callee,
	a_cancelled_caller_calls_nobody,
	a_sender_returns_at_its_deadline_when_there_is_no_room,
	what_is_not_there_cannot_be_called,
	a_stopped_service_says_so_and_its_handle_lives_on,
	outside_a_task_nobody_calls,
	started_calls_go_on_side_by_side,
	a_started_call_may_be_done_at_once,
	a_cancelled_started_call_ends_at_once_for_its_caller,
	a_gather_of_started_calls_ends_with_the_first_failure,
	a_gather_of_started_calls_ends_at_its_deadline,
	a_forgotten_call_is_cancelled_and_its_caller_ends_at_once,
	a_call_cancelled_while_it_starts_keeps_its_message,
	bodies_are_handed_over_and_not_copied,
	nothing_is_a_message_too,
	one_message_goes_to_many,
	a_reply_that_nobody_wants_is_freed,
	the_error_is_that_of_the_last_call)
