/* SPDX-License-Identifier: BSD-2-Clause */
/* Started calls: how they go on side by side, end and are forgotten; and loops of them, which end at
 * once, so nothing but the collecting of them can let others run. */
#include "config.h"

#include <stdlib.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "service/calls.h"
#include "support/log_lines.h"

static struct bay_service *service, *first;

/* --- how they go on and end ------------------------------------------------------------------------- */

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

static int
work_hard(struct bay_request *request)
{
	int64_t end = bay_now() + 20 * BAY_US;

	while (bay_now() < end)
		;
	return echo(request);
}

/* --- one round of each way to collect, giving the status of the call ----------------------- */

typedef int round_fn(void);

static int
start_and_join(void)
{
	return bay_join(bay_call_start(service, NULL), BAY_INHERIT);
}

static int
start_and_gather(void)
{
	struct bay_task *call = bay_call_start(service, NULL);
	int status = bay_gather(&call, 1, BAY_INHERIT);

	bay_task_free(call);
	return status;
}

static int
start_and_gather_all(void)
{
	struct bay_task *call = bay_call_start(service, NULL);
	int status = bay_gather_all(&call, 1, BAY_INHERIT);

	if (status == BAY_OK)
		status = bay_task_status(call);
	bay_task_free(call);
	return status;
}

static int
start_and_wait(void)
{
	struct bay_task *call = bay_call_start(service, NULL);
	int status = bay_wait(&call, 1, BAY_UNTIL_ALL, BAY_INHERIT);

	if (status == BAY_OK)
		status = bay_task_status(call);
	bay_task_free(call);
	return status;
}

static int
start_and_wait_first(void)
{
	struct bay_task *call = bay_call_start(service, NULL);
	size_t which;
	int status = bay_wait_first(&call, 1, &which, BAY_INHERIT);

	if (status == BAY_OK)
		status = bay_task_status(call);
	bay_task_free(call);
	return status;
}

/* No await at all: others cannot run, but the time goes on. */
static int
start_only(void)
{
	struct bay_task *call = bay_call_start(service, NULL);
	int status = bay_task_status(call);

	bay_task_free(call);
	return status;
}

static round_fn *const collecting[] = {start_and_join, start_and_gather, start_and_gather_all,
	start_and_wait, start_and_wait_first};

enum { COLLECTING = sizeof collecting / sizeof collecting[0] };

/* Far more rounds than any of these tests should need: a broken loop ends, too. */
enum { ENOUGH = 100 * SCHEDULER_SLICE };

struct greedy {
	round_fn *round;
	bool stop;
	int rounds;
	int status;   /* of the last round */
};

static int
go_round(void *arg)
{
	struct greedy *greedy = arg;

	while (!greedy->stop && greedy->rounds < ENOUGH && greedy->status == BAY_OK) {
		greedy->status = greedy->round();
		greedy->rounds++;
	}
	return BAY_OK;
}

static int
stop_greedy(void *arg)
{
	((struct greedy *)arg)->stop = true;
	return BAY_OK;
}

static int
others_run(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < COLLECTING; i++) {
		struct greedy greedy = {.round = collecting[i]};
		struct bay_task *loop = bay_spawn("loop", go_round, &greedy);

		ck_assert_int_eq(bay_go("stops", stop_greedy, &greedy), BAY_OK);
		ck_assert_int_eq(bay_join(loop, BAY_INHERIT), BAY_OK);
		ck_assert_int_eq(greedy.status, BAY_OK);
		ck_assert_msg(greedy.rounds <= SCHEDULER_SLICE + 1, "way %d: %d rounds", i, greedy.rounds);
	}
	return BAY_OK;
}

static int
sleep_and_stop(void *arg)
{
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return stop_greedy(arg);
}

static int
timers_fire(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < COLLECTING; i++) {
		struct greedy greedy = {.round = collecting[i]};

		ck_assert_int_eq(bay_go("stops", sleep_and_stop, &greedy), BAY_OK);
		ck_assert_int_eq(bay_join(bay_spawn("loop", go_round, &greedy), BAY_INHERIT), BAY_OK);
		ck_assert_int_eq(greedy.status, BAY_OK);
		ck_assert_msg(greedy.stop, "way %d", i);
	}
	return BAY_OK;
}

/* Such a loop within a scope of 5 ms. */
static void
check_deadline(round_fn *round)
{
	struct greedy greedy = {.round = round};
	int64_t deadline = bay_after(5 * BAY_MS);
	struct bay_scope *scope = bay_scope_open(deadline);
	struct bay_task *loop = bay_scope_spawn(scope, "loop", go_round, &greedy);

	ck_assert_int_eq(bay_join(loop, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(greedy.status, BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
}

static int
deadlines_are_seen(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < COLLECTING; i++)
		check_deadline(collecting[i]);
	check_deadline(start_only);
	return BAY_OK;
}

static int
cancel_loop(void *arg)
{
	bay_task_cancel(arg, "enough");
	return BAY_OK;
}

static int
cancellations_are_seen(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < COLLECTING; i++) {
		struct greedy greedy = {.round = collecting[i]};
		struct bay_task *loop = bay_spawn("loop", go_round, &greedy);

		ck_assert_int_eq(bay_go("cancels", cancel_loop, loop), BAY_OK);
		ck_assert_int_eq(bay_join(loop, BAY_INHERIT), BAY_OK);
		ck_assert_int_eq(greedy.status, BAY_CANCELED);
		ck_assert_msg(greedy.rounds <= SCHEDULER_SLICE + 2, "way %d: %d rounds", i, greedy.rounds);
	}
	return BAY_OK;
}

/* With the service that all of them call. */
static void
with_service(const struct bay_plugin *plugin, bay_task_fn *fn)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "callee", .plugin = plugin});
	ck_assert_int_eq(services_run(fn, NULL), BAY_OK);
	services_check_nothing_left();
	services_end();
}

START_TEST(a_loop_of_started_calls_lets_others_run)
{
	with_service(PLUGIN(.handle = echo), others_run);
}
END_TEST

START_TEST(a_loop_of_started_calls_lets_timers_fire)
{
	with_service(PLUGIN(.handle = work_hard), timers_fire);
}
END_TEST

START_TEST(a_loop_of_started_calls_sees_its_deadline)
{
	with_service(PLUGIN(.handle = work_hard), deadlines_are_seen);
}
END_TEST

START_TEST(a_loop_of_started_calls_sees_its_cancellation)
{
	with_service(PLUGIN(.handle = echo), cancellations_are_seen);
}
END_TEST

CHECK_MAIN("service/call_start",
	started_calls_go_on_side_by_side,
	a_started_call_may_be_done_at_once,
	a_cancelled_started_call_ends_at_once_for_its_caller,
	a_gather_of_started_calls_ends_with_the_first_failure,
	a_gather_of_started_calls_ends_at_its_deadline,
	a_forgotten_call_is_cancelled_and_its_caller_ends_at_once,
	a_call_cancelled_while_it_starts_keeps_its_message,
	a_loop_of_started_calls_lets_others_run,
	a_loop_of_started_calls_lets_timers_fire,
	a_loop_of_started_calls_sees_its_deadline,
	a_loop_of_started_calls_sees_its_cancellation)
