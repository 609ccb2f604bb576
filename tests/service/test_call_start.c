/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops of started calls: they end at once, so nothing but the collecting of them can let others
 * run. */
#include "config.h"

#include <bay/bay.h>

#include "runtime/task.h"
#include "support/services.h"

static struct bay_service *service;

static int
echo(struct bay_request *request)
{
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
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
	a_loop_of_started_calls_lets_others_run,
	a_loop_of_started_calls_lets_timers_fire,
	a_loop_of_started_calls_sees_its_deadline,
	a_loop_of_started_calls_sees_its_cancellation)
