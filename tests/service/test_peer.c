/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls to services of another cell, which is another process: as inside one, in every respect. */
#include "config.h"

#include "service/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "base/alloc.h"
#include "loop/link_record.h"
#include "runtime/task.h"
#include "service/peer_link.h"
#include "service/service_queue.h"
#include "service/trace.h"
#include "support/services.h"
#include "support/two_cells.h"

/* A service whose plugin outlives the function that starts it. */
#define START(name_, handle_, ...)                                                        \
	({                                                                                    \
		static const struct bay_plugin plugin_ = {.size = sizeof plugin_,                  \
			.abi_major = BAY_ABI_MAJOR, .name = "test", .version = "1", .handle = handle_}; \
		services_start(&(struct service_options){.name = name_, .plugin = &plugin_, __VA_ARGS__}); \
	})

static struct bay_service *echo, *hang, *narrow, *far, *near, *knows;

/* --- what cell b serves ----------------------------------------------------------------------- */

static atomic_int canceled;

static int
echo_handle(struct bay_request *request)
{
	if (bay_request_message(request) == NULL)
		return bay_reply_text(request, "nothing");
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

/* Until it is cancelled, or its time is over, which it counts. */
static int
hang_handle(struct bay_request *request)
{
	int status = bay_sleep(1000 * BAY_SECOND);

	(void)request;
	atomic_fetch_add(&canceled, 1);
	return status;
}

static int
fails_handle(struct bay_request *request)
{
	return bay_fail(request, BAY_NOT_PERMITTED, "not %s, please", bay_request_text(request));
}

#define HEADER "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static int
knows_header(struct bay_request *request)
{
	char text[TRACEPARENT_SIZE];

	traceparent_print(text, trace_of(request));
	return bay_reply_text(request, text);
}

/* What it knows of the request, or of the cell. */
static int
knows_handle(struct bay_request *request)
{
	const char *what = bay_request_text(request);

	if (strcmp(what, "trace") == 0)
		return bay_reply_int64(request, (int64_t)(trace_of(request)->id.low >> 1));
	if (strcmp(what, "header") == 0)
		return knows_header(request);
	if (strcmp(what, "deadline") == 0)
		return bay_reply_int64(request, bay_deadline());
	if (strcmp(what, "canceled") == 0)
		return bay_reply_int64(request, atomic_load(&canceled));
	if (strcmp(what, "queued") == 0)
		return bay_reply_int64(request, (int64_t)services_figures(bay_service("narrow")).queue_length);
	if (strcmp(what, "standing") == 0)
		return bay_reply_int64(request, (int64_t)services_figures(bay_service("narrow")).waiting_senders);
	return bay_reply_int64(request, (int64_t)services_figures(bay_service("narrow")).served);
}

/* Calls the near service of cell a, as many times as the text has letters less one. */
static int
far_handle(struct bay_request *request)
{
	struct bay_message *reply;
	int status = bay_call(bay_service("near"), bay_request_message(request), &reply, BAY_INHERIT);

	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_message(request, &reply);
}

/* One at a time, until somebody says go. */
static atomic_bool gone;

static int
narrow_handle(struct bay_request *request)
{
	(void)request;
	while (!atomic_load(&gone) && bay_sleep(BAY_MS) == BAY_OK)
		;
	return bay_request_wants_reply(request) ? bay_reply_text(request, "narrow") : BAY_OK;
}

/* Does not end when its time is over. */
static int
stubborn_handle(struct bay_request *request)
{
	(void)request;
	while (!atomic_load(&gone))
		(void)bay_yield();
	return BAY_OK;
}

static int
go_handle(struct bay_request *request)
{
	atomic_store(&gone, true);
	return bay_reply_text(request, "gone");
}

static void
serve(void)
{
	START("echo", echo_handle, .queue_bytes = 128 << 20);
	START("fails", fails_handle);
	START("hang", hang_handle);
	START("short", hang_handle, .timeout_ns = 20 * BAY_MS);
	/* Long enough for it to have begun. */
	START("stubborn", stubborn_handle, .timeout_ns = BAY_SECOND);
	START("knows", knows_handle);
	START("go", go_handle);
	START("far", far_handle, .concurrency = 2);
	two_cells_elsewhere("near", 0);
}

static void
serve_narrow(enum overflow_policy overflow)
{
	serve();
	START("narrow", narrow_handle, .concurrency = 1, .queue = 2, .overflow = overflow);
}

static void serve_waiting(void) { serve_narrow(OVERFLOW_WAIT); }
static void serve_rejecting(void) { serve_narrow(OVERFLOW_REJECT); }
static void serve_oldest(void) { serve_narrow(OVERFLOW_DROP_OLDEST); }
static void serve_newest(void) { serve_narrow(OVERFLOW_DROP_NEWEST); }

/* --- both ------------------------------------------------------------------------------------- */

static int
near_handle(struct bay_request *request)
{
	struct bay_message *reply;
	int status;

	if (bay_request_size(request) > 0 && bay_request_text(request)[0] == '.')
		return bay_reply_text(request, "the end");
	status = bay_call(far, bay_request_message(request), &reply, BAY_INHERIT);
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_message(request, &reply);
}

static void
elsewhere_all(void)
{
	echo = two_cells_elsewhere("echo", 0);
	hang = two_cells_elsewhere("hang", 0);
	knows = two_cells_elsewhere("knows", 0);
	far = two_cells_elsewhere("far", 0);
	narrow = two_cells_elsewhere("narrow", 0);
	two_cells_elsewhere("fails", 0);
	two_cells_elsewhere("short", 0);
	two_cells_elsewhere("stubborn", 0);
	two_cells_elsewhere("go", 0);
	near = START("near", near_handle, .concurrency = 2);
}

/* A test whose body is a task of cell a, with the services of cell b. */
#define WITH_CELLS(name, serves)                                    \
	static int name##_main(void *arg);                              \
	START_TEST(name)                                                \
	{                                                               \
		struct other_cell other = other_cell_start(1, serves);      \
                                                                    \
		two_cells_begin(1);                                         \
		other_cell_link(&other);                                    \
		elsewhere_all();                                            \
		ck_assert_int_eq(services_run(name##_main, NULL), BAY_OK);  \
		two_cells_check_nothing_left();                              \
		two_cells_end();                                            \
		other_cell_stop(&other);                                    \
		ck_assert_int_eq(two_cells.broken, 0);                      \
	}                                                               \
	END_TEST                                                        \
	static int name##_main(void *arg __attribute__((unused)))

static int64_t
ask(const char *what)
{
	struct bay_message *message = bay_message(what, strlen(what)), *reply;
	int64_t number = -1;

	ck_assert_int_eq(bay_call(knows, message, &reply, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_message_read_int64(reply, &number), BAY_OK);
	bay_message_free(message);
	bay_message_free(reply);
	return number;
}

static void
await(const char *what, int64_t number)
{
	while (ask(what) != number)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
}

static int
nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

static struct bay_message *
pattern(size_t size)
{
	char *bytes = malloc(size + 1);
	struct bay_message *message;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 31 + i / 4096);
	message = bay_message(bytes, size);
	free(bytes);
	ck_assert_ptr_nonnull(message);
	return message;
}

WITH_CELLS(a_call_brings_every_size_there_and_back, serve)
{
	static const size_t sizes[] = {0, 1, 7, 8, 111, 112, 4096, LINK_PART_MAX - 1, LINK_PART_MAX, LINK_PART_MAX + 1,
		2 * LINK_PART_MAX, 1000003, LINK_BODY_MAX};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct bay_message *message = pattern(sizes[i]), *reply;

		ck_assert_msg(bay_call(echo, message, &reply, BAY_INHERIT) == BAY_OK, "%zu: %s", sizes[i], bay_call_error());
		ck_assert_uint_eq(bay_message_size(reply), sizes[i]);
		ck_assert(memcmp(bay_message_data(reply), bay_message_data(message), sizes[i]) == 0);
		bay_message_free(message);
		bay_message_free(reply);
	}
	services_expect_text(echo, "", BAY_OK, "");
	return BAY_OK;
}

WITH_CELLS(no_message_at_all_arrives_as_none, serve)
{
	struct bay_message *reply;

	ck_assert_int_eq(bay_call(echo, NULL, &reply, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(bay_message_text(reply), "nothing");
	bay_message_free(reply);
	return BAY_OK;
}

static int
call_large(void *arg)
{
	struct bay_message *message = pattern((size_t)(intptr_t)arg), *reply;

	ck_assert_int_eq(bay_call(echo, message, &reply, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(bay_message_size(reply), bay_message_size(message));
	ck_assert(memcmp(bay_message_data(reply), bay_message_data(message), bay_message_size(message)) == 0);
	bay_message_free(message);
	bay_message_free(reply);
	return BAY_OK;
}

/* Both sides sleep and wake all the time, where one waits for room and the other for more. */
WITH_CELLS(large_bodies_come_over_again_and_again, serve)
{
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(call_large((void *)(intptr_t)(3000000 + i)), BAY_OK);
	return BAY_OK;
}

WITH_CELLS(what_is_larger_than_goes_over_is_too_big, serve)
{
	struct bay_message *message = pattern((size_t)LINK_BODY_MAX + 1);

	ck_assert_int_eq(bay_call(echo, message, NULL, BAY_INHERIT), BAY_TOO_BIG);
	ck_assert_str_eq(bay_call_error(), "a message of 67108865 bytes is larger than what goes from cell to cell "
		"(64 MiB); service echo is in another cell");
	bay_message_free(message);
	return BAY_OK;
}

WITH_CELLS(a_failure_comes_with_its_status_and_text, serve)
{
	services_expect_text(bay_service("fails"), "that", BAY_NOT_PERMITTED, NULL);
	services_expect_text(bay_service("fails"), "this", BAY_NOT_PERMITTED, NULL);
	ck_assert_int_eq(bay_call(bay_service("fails"), NULL, NULL, BAY_INHERIT), BAY_NOT_PERMITTED);
	ck_assert_str_eq(bay_call_error(), "not , please");
	/* Where both cells know of a service that no cell has. */
	ck_assert_int_eq(bay_call(narrow, NULL, NULL, BAY_INHERIT), BAY_NOT_FOUND);
	ck_assert_str_eq(bay_call_error(), "there is no service 'narrow'");
	return BAY_OK;
}

WITH_CELLS(the_callee_has_the_deadline_and_the_trace_of_its_caller, serve)
{
	struct task *self = task_current();
	int64_t first, deadline = bay_after(100 * BAY_SECOND);

	self->deadline = deadline;
	ck_assert_int_eq(ask("deadline"), deadline);
	self->deadline = BAY_INHERIT;
	ck_assert_int_eq(ask("deadline"), BAY_INHERIT);
	first = ask("trace");
	ck_assert_int_ne(first, 0);
	ck_assert_int_ne(ask("trace"), first);
	ck_assert_int_eq(bay_trace_begin(HEADER), BAY_OK);
	services_expect_text(knows, "header", BAY_OK, HEADER);
	return BAY_OK;
}

WITH_CELLS(a_caller_returns_at_its_deadline_and_the_callee_is_cancelled, serve)
{
	/* Whichever of the two is first to see it. The time of one may be over before it begins there. */
	do {
		ck_assert_int_eq(bay_call(hang, NULL, NULL, bay_after(10 * BAY_MS)), BAY_TIMEOUT);
		ck_assert_ptr_nonnull(strstr(bay_call_error(), "service hang"));
	} while (ask("canceled") == 0);
	return BAY_OK;
}

WITH_CELLS(a_service_gives_its_calls_the_time_that_it_has, serve)
{
	do {
		ck_assert_int_eq(bay_call(bay_service("short"), NULL, NULL, BAY_INHERIT), BAY_TIMEOUT);
		ck_assert_ptr_nonnull(strstr(bay_call_error(), "service short"));
	} while (ask("canceled") == 0);
	return BAY_OK;
}

WITH_CELLS(a_callee_that_does_not_end_in_its_time_is_not_waited_for, serve)
{
	ck_assert_int_eq(bay_call(bay_service("stubborn"), NULL, NULL, BAY_INHERIT), BAY_TIMEOUT);
	ck_assert_str_eq(bay_call_error(), "service stubborn did not answer before the deadline");
	return bay_call(bay_service("go"), NULL, NULL, BAY_INHERIT);
}

WITH_CELLS(a_started_call_can_be_collected_and_cancelled, serve)
{
	struct bay_message *message = pattern(100), *reply;
	struct bay_task *calls[] = {bay_call_start(echo, message), bay_call_start(echo, message)};
	struct bay_task *call = bay_call_start(hang, message);

	bay_message_free(message);
	ck_assert_int_eq(bay_gather(calls, 2, BAY_INHERIT), BAY_OK);
	for (int i = 0; i < 2; i++) {
		reply = bay_task_take_reply(calls[i]);
		ck_assert_uint_eq(bay_message_size(reply), 100);
		bay_message_free(reply);
		bay_task_free(calls[i]);
	}
	/* It is at work there. */
	(void)ask("trace");
	bay_task_cancel(call, "not needed");
	ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_CANCELED);
	await("canceled", 1);
	return BAY_OK;
}

WITH_CELLS(a_circle_of_services_of_two_cells_is_refused, serve)
{
	services_expect_text(near, ".", BAY_OK, "the end");
	/* near, far, near, far: the third near would wait for the first. */
	ck_assert_int_eq(bay_call(near, NULL, NULL, BAY_INHERIT), BAY_LOOP);
	ck_assert_msg(strstr(bay_call_error(), "near -> far -> near -> far") != NULL, "%s", bay_call_error());
	return BAY_OK;
}

enum { CALLERS = 100, CALLS = 100 };

static int
call_often(void *arg)
{
	char text[32];

	for (int i = 0; i < CALLS; i++) {
		snprintf(text, sizeof text, "%p %d", arg, i);
		services_expect_text(echo, text, BAY_OK, text);
	}
	return BAY_OK;
}

WITH_CELLS(many_callers_each_get_their_own_replies, serve)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);

	for (intptr_t i = 1; i <= CALLERS; i++)
		ck_assert_int_eq(bay_scope_go(scope, "caller", call_often, (void *)i), BAY_OK);
	return bay_scope_close(scope);
}

WITH_CELLS(large_ones_and_small_ones_share_the_link, serve)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);

	for (intptr_t i = 1; i <= 20; i++)
		ck_assert_int_eq(bay_scope_go(scope, "large", call_large, (void *)(i * 300000)), BAY_OK);
	for (intptr_t i = 1; i <= 10; i++)
		ck_assert_int_eq(bay_scope_go(scope, "caller", call_often, (void *)i), BAY_OK);
	return bay_scope_close(scope);
}

static int
call_and_give_up(void *arg)
{
	struct bay_message *message = pattern(3000000);

	(void)arg;
	ck_assert_int_ne(bay_call(echo, message, NULL, bay_after(BAY_MS / 10)), BAY_FAILED);
	bay_message_free(message);
	return BAY_OK;
}

WITH_CELLS(a_large_one_that_nobody_waits_for_any_more_stops_on_its_way, serve)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);

	for (int i = 0; i < 30; i++)
		ck_assert_int_eq(bay_scope_go(scope, "impatient", call_and_give_up, NULL), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	services_expect_text(echo, "still", BAY_OK, "still");
	return BAY_OK;
}

/* Nothing brings memory while it waits: so it does not. */
WITH_CELLS(a_call_that_there_is_no_memory_to_send_ends_at_once, serve)
{
	struct bay_message *message = pattern(20000);
	int refused = 0, sent = 0;

	for (uint64_t nth = 1; sent < 2; nth++) {
		int status;

		alloc_fail_at(nth);
		status = bay_call(echo, message, NULL, BAY_INHERIT);
		sent += !alloc_has_failed();
		alloc_fail_at(0);
		if (status != BAY_OK)
			ck_assert_msg(status == BAY_NO_MEMORY, "%s: %s", bay_status_name(status), bay_call_error());
		refused += status != BAY_OK;
	}
	ck_assert_int_gt(refused, 1);
	bay_message_free(message);
	return BAY_OK;
}

/* --- one way -------------------------------------------------------------------------------------- */

/* Fills the queue of the narrow service: one runs, two wait. */
static void
fill(void)
{
	ck_assert_int_eq(bay_send(narrow, NULL, BAY_INHERIT), BAY_OK);
	await("queued", 0);
	ck_assert_int_eq(bay_send(narrow, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_send(narrow, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(ask("queued"), 2);
}

static void
let_go(int64_t served)
{
	ck_assert_int_eq(bay_call(bay_service("go"), NULL, NULL, BAY_INHERIT), BAY_OK);
	await("served", served);
}

WITH_CELLS(a_full_queue_that_rejects_says_so_to_both_kinds, serve_rejecting)
{
	fill();
	ck_assert_int_eq(bay_send(narrow, NULL, BAY_INHERIT), BAY_FULL);
	ck_assert_str_eq(bay_call_error(), "the queue of service narrow is full (2 messages, 0 bytes)");
	ck_assert_int_eq(bay_call(narrow, NULL, NULL, BAY_INHERIT), BAY_FULL);
	let_go(3);
	return BAY_OK;
}

WITH_CELLS(a_full_queue_that_drops_the_newest_does_so, serve_newest)
{
	fill();
	ck_assert_int_eq(bay_send(narrow, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_call(narrow, NULL, NULL, BAY_INHERIT), BAY_FULL);
	let_go(3);
	return BAY_OK;
}

WITH_CELLS(a_full_queue_that_drops_the_oldest_takes_the_new_ones, serve_oldest)
{
	struct bay_task *first, *second;

	ck_assert_int_eq(bay_send(narrow, NULL, BAY_INHERIT), BAY_OK);
	await("queued", 0);
	first = bay_call_start(narrow, NULL);
	second = bay_call_start(narrow, NULL);
	await("queued", 2);
	ck_assert_int_eq(bay_send(narrow, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_join(first, BAY_INHERIT), BAY_FULL);
	ck_assert_int_eq(bay_call(bay_service("go"), NULL, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_join(second, BAY_INHERIT), BAY_OK);
	await("served", 3);
	return BAY_OK;
}

static int
send_one(void *arg)
{
	atomic_int *sent = arg;
	int status = bay_send(narrow, NULL, BAY_INHERIT);

	atomic_fetch_add(sent, 1);
	return status;
}

WITH_CELLS(a_full_queue_that_waits_lets_its_senders_wait, serve_waiting)
{
	struct bay_task *call, *sender;
	atomic_int sent = 0;

	fill();
	ck_assert_int_eq(bay_send(narrow, NULL, bay_after(10 * BAY_MS)), BAY_TIMEOUT);
	ck_assert_str_eq(bay_call_error(), "the queue of service narrow had no room in time");
	ck_assert_int_eq(bay_call(narrow, NULL, NULL, bay_after(10 * BAY_MS)), BAY_TIMEOUT);
	sender = bay_spawn("sender", send_one, &sent);
	call = bay_call_start(narrow, NULL);
	ck_assert_int_eq(ask("queued"), 2);
	ck_assert_int_eq(atomic_load(&sent), 0);
	let_go(5);
	ck_assert_int_eq(bay_join(sender, BAY_INHERIT), BAY_OK);
	return bay_join(call, BAY_INHERIT);
}

/* More than have credit at once. */
WITH_CELLS(a_flood_of_calls_to_a_full_queue_that_waits_is_served_in_the_end, serve_waiting)
{
	static struct bay_task *calls[2000];

	for (int i = 0; i < 2000; i++)
		calls[i] = bay_call_start(narrow, NULL);
	/* One runs and two are queued; those that have no credit wait here. */
	await("standing", PEER_CREDIT_MESSAGES - 3);
	/* Others are not in its way. */
	services_expect_text(echo, "by the side", BAY_OK, "by the side");
	ck_assert_int_eq(bay_call(bay_service("go"), NULL, NULL, BAY_INHERIT), BAY_OK);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(bay_join(calls[i], BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* --- it comes here ---------------------------------------------------------------------------------- */

static int
call_moving(void *arg)
{
	services_expect_text(echo, arg, BAY_OK, arg);
	return BAY_OK;
}

static int
send_moving(void *arg)
{
	ck_assert_msg(bay_send(echo, NULL, BAY_INHERIT) == BAY_OK, "%s", bay_call_error());
	(void)arg;
	return BAY_OK;
}

static int
call_moving_shortly(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_call(echo, NULL, NULL, bay_after(20 * BAY_MS)), BAY_TIMEOUT);
	return BAY_OK;
}

/* A service moves into the cell of those who call it: what has waited for it is served here, and so
 * is what comes before it is ready. */
START_TEST(what_waits_for_a_service_of_another_cell_is_served_when_it_comes_here)
{
	struct service_limits limits = {.concurrency = 1, .queue = 1, .queue_bytes = 1000, .overflow = OVERFLOW_WAIT};
	struct services_job *jobs[4];

	two_cells_begin(2);
	echo = two_cells_elsewhere("echo", 0);
	peer_route_set(echo, "b", true, 0);
	jobs[0] = services_go(0, call_moving, (void *)"first");
	jobs[1] = services_go(0, send_moving, NULL);
	jobs[2] = services_go(1, call_moving, (void *)"second");
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(services_run_on(i, nothing, NULL), BAY_OK);
	service_set_limits(echo, &limits);
	service_queue_hold_new(echo);
	service_set_state(echo, SERVICE_STARTING, NULL);
	peer_route_come_here(echo);
	/* One has the only place; those before the queue can still give up. */
	ck_assert_int_eq(services_run(call_moving_shortly, NULL), BAY_OK);
	jobs[3] = services_go(0, call_moving, (void *)"third");
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	START("echo", echo_handle);
	service_queue_release(echo);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(services_join(jobs[i]), BAY_OK);
	two_cells_check_nothing_left();
	two_cells_end();
}
END_TEST

static int
give_up_moving(void *arg)
{
	struct bay_task *call = bay_call_start(echo, NULL);
	atomic_int *stage = arg;

	atomic_store(stage, 1);
	while (atomic_load(stage) == 1)
		(void)bay_sleep(BAY_MS);
	bay_task_cancel(call, "no more");
	ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_CANCELED);
	return BAY_OK;
}

START_TEST(what_has_come_here_can_still_be_cancelled)
{
	struct service_limits limits = {.concurrency = 1, .queue = 9, .queue_bytes = 1000};
	struct services_job *job;
	atomic_int stage = 0;

	two_cells_begin(1);
	echo = two_cells_elsewhere("echo", 0);
	peer_route_set(echo, "b", true, 0);
	job = services_go(0, give_up_moving, &stage);
	while (atomic_load(&stage) == 0)
		;
	service_set_limits(echo, &limits);
	service_queue_hold_new(echo);
	service_set_state(echo, SERVICE_STARTING, NULL);
	peer_route_come_here(echo);
	ck_assert_uint_eq(echo->queued, 1);
	atomic_store(&stage, 2);
	ck_assert_int_eq(services_join(job), BAY_OK);
	ck_assert_uint_eq(echo->queued, 0);
	two_cells_check_nothing_left();
	two_cells_end();
}
END_TEST

/* --- death ---------------------------------------------------------------------------------------- */

/* Calls what hangs until somebody dies of it. */
static int
call_hang(void *arg)
{
	int status = bay_call(hang, NULL, NULL, BAY_INHERIT);

	ck_assert_int_eq(status, BAY_PEER_DIED);
	ck_assert_str_eq(bay_call_error(), "service hang: cell b has ended, or the link to it (it has ended)");
	(void)arg;
	return BAY_OK;
}

static int
await_at_work(void *arg)
{
	(void)arg;
	(void)ask("trace");
	return BAY_OK;
}

START_TEST(who_called_a_cell_that_dies_hears_of_it_at_once)
{
	struct other_cell other = other_cell_start(1, serve);
	struct services_job *job;

	two_cells_begin(1);
	other_cell_link(&other);
	elsewhere_all();
	job = services_go(0, call_hang, NULL);
	ck_assert_int_eq(services_run(await_at_work, NULL), BAY_OK);
	other_cell_kill(&other);
	ck_assert_int_eq(services_join(job), BAY_OK);
	two_cells_check_nothing_left();
	two_cells_end();
}
END_TEST

static int
call_echo(void *arg)
{
	services_expect_text(echo, arg, BAY_OK, arg);
	return BAY_OK;
}

static int
call_again(void *arg)
{
	struct bay_message *reply;

	(void)arg;
	ck_assert_msg(bay_call(far, NULL, &reply, BAY_INHERIT) == BAY_OK, "%s", bay_call_error());
	ck_assert_str_eq(bay_message_text(reply), "the second");
	bay_message_free(reply);
	return BAY_OK;
}

static int
second_handle(struct bay_request *request)
{
	return bay_reply_text(request, "the second");
}

static void
serve_hanging_far(void)
{
	START("far", hang_handle);
	START("knows", knows_handle);
}

static void
serve_second(void)
{
	START("far", second_handle);
	START("echo", echo_handle);
}

START_TEST(what_may_be_asked_again_goes_to_the_next_cell_and_what_was_not_sent_waits_for_it)
{
	struct other_cell first = other_cell_start(1, serve_hanging_far), second = other_cell_start(2, serve_second);
	struct services_job *again, *waits;

	two_cells_begin(1);
	other_cell_link(&first);
	far = two_cells_elsewhere("far", 1);
	knows = two_cells_elsewhere("knows", 0);
	echo = two_cells_elsewhere("echo", 0);
	again = services_go(0, call_again, NULL);
	ck_assert_int_eq(services_run(await_at_work, NULL), BAY_OK);
	peer_route_set(echo, "b", true, 0);
	waits = services_go(0, call_echo, (void *)"patience");
	other_cell_kill(&first);
	other_cell_link(&second);
	ck_assert_int_eq(services_join(again), BAY_OK);
	peer_route_set(echo, "b", false, 0);
	ck_assert_int_eq(services_join(waits), BAY_OK);
	two_cells_check_nothing_left();
	two_cells_end();
	other_cell_stop(&second);
}
END_TEST

static int
expect_closed(void *arg)
{
	ck_assert_int_eq(bay_call(echo, NULL, NULL, BAY_INHERIT), BAY_CLOSED);
	ck_assert_str_eq(bay_call_error(), arg);
	return BAY_OK;
}

static void
await_wanted(int times)
{
	while (atomic_load(&two_cells.wanted) < times)
		;
}

START_TEST(a_link_is_asked_for_when_it_is_needed_and_its_refusal_is_an_answer)
{
	struct services_job *job;

	two_cells_begin(1);
	echo = two_cells_elsewhere("echo", 0);
	ck_assert_int_eq(two_cells.wanted, 0);
	job = services_go(0, expect_closed, (void *)"service echo: the cell has failed");
	await_wanted(1);
	peer_answered("b", BAY_CLOSED, "the cell has failed");
	ck_assert_int_eq(services_join(job), BAY_OK);
	/* What waits for its service does not wait for a link. */
	peer_route_set(echo, "b", true, 0);
	job = services_go(0, expect_closed, (void *)"service echo: it was stopped");
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	peer_answered("b", BAY_CLOSED, "the cell has failed");
	peer_route_clear(echo, "it was stopped");
	ck_assert_int_eq(services_join(job), BAY_OK);
	ck_assert_int_eq(two_cells.wanted, 1);
	two_cells_end();
}
END_TEST

static int
send_later_handle(struct bay_request *request)
{
	ck_assert_int_eq(bay_send_later(narrow, NULL, bay_after(BAY_MS), NULL), BAY_OK);
	return bay_reply_text(request, "later");
}

static int
send_later(void *arg)
{
	services_expect_text(arg, "", BAY_OK, "later");
	let_go(1);
	return BAY_OK;
}

START_TEST(a_message_of_later_goes_over_when_its_time_has_come)
{
	struct other_cell other = other_cell_start(1, serve_newest);
	struct bay_service *sender;

	two_cells_begin(1);
	other_cell_link(&other);
	elsewhere_all();
	sender = START("sender", send_later_handle);
	ck_assert_int_eq(services_run(send_later, sender), BAY_OK);
	two_cells_end();
	other_cell_stop(&other);
}
END_TEST

CHECK_MAIN("service/peer",
	a_call_brings_every_size_there_and_back,
	no_message_at_all_arrives_as_none,
	large_bodies_come_over_again_and_again,
	what_is_larger_than_goes_over_is_too_big,
	a_failure_comes_with_its_status_and_text,
	the_callee_has_the_deadline_and_the_trace_of_its_caller,
	a_caller_returns_at_its_deadline_and_the_callee_is_cancelled,
	a_service_gives_its_calls_the_time_that_it_has,
	a_callee_that_does_not_end_in_its_time_is_not_waited_for,
	a_started_call_can_be_collected_and_cancelled,
	a_circle_of_services_of_two_cells_is_refused,
	many_callers_each_get_their_own_replies,
	large_ones_and_small_ones_share_the_link,
	a_large_one_that_nobody_waits_for_any_more_stops_on_its_way,
	a_call_that_there_is_no_memory_to_send_ends_at_once,
	a_full_queue_that_rejects_says_so_to_both_kinds,
	a_full_queue_that_drops_the_newest_does_so,
	a_full_queue_that_drops_the_oldest_takes_the_new_ones,
	a_full_queue_that_waits_lets_its_senders_wait,
	a_flood_of_calls_to_a_full_queue_that_waits_is_served_in_the_end,
	what_waits_for_a_service_of_another_cell_is_served_when_it_comes_here,
	what_has_come_here_can_still_be_cancelled,
	who_called_a_cell_that_dies_hears_of_it_at_once,
	what_may_be_asked_again_goes_to_the_next_cell_and_what_was_not_sent_waits_for_it,
	a_link_is_asked_for_when_it_is_needed_and_its_refusal_is_an_answer,
	a_message_of_later_goes_over_when_its_time_has_come)
