/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cancellations and deadlines on one loop against the end of the same calls on others: each
 * call has one end, its own reply or a failure that somebody wanted, whoever comes first.
 *
 * BAY_TEST_SEED=N repeats what another run did, as far as threads can.
 */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "base/log.h"
#include "runtime/task.h"
#include "support/cancel_points.h"
#include "support/services.h"

#if defined(BAY_TSAN)
enum { ROUNDS = 400 };
#elif defined(BAY_ASAN)
enum { ROUNDS = 1000 };
#else
enum { ROUNDS = 4000 };
#endif

enum { LOOPS_MAX = 4, CALLERS = 3, SERVICES = 3, ENDS = BAY_NOT_PERMITTED + 1 };

/* No run takes longer, however slow the machine: what it has done by then is judged. */
#define AT_MOST (8 * BAY_SECOND)

/* One call. Its handlers on other loops may be at it long after its end. */
struct call {
	atomic_uint begun;
	atomic_uint ended;
	unsigned answers;
	int status;
	unsigned random;        /* for its handler */
};

struct caller {
	uint64_t random;
	int64_t end_ns;
	struct call *calls;     /* of its rounds, two each */
	unsigned count;
};

static struct bay_service *services[SERVICES];

/* xorshift64* */
static unsigned
draw(uint64_t *random, unsigned below)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return (unsigned)((*random * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static uint64_t
seed(void)
{
	const char *text = getenv("BAY_TEST_SEED");
	uint64_t number = text != NULL ? strtoull(text, NULL, 0) : (uint64_t)bay_now();

	printf("BAY_TEST_SEED=%llu\n", (unsigned long long)number);
	return number | 1;
}

/* A while that is none, a few turns of the others, some microseconds at work, or asleep: what
 * the others do meanwhile is a matter of luck. */
static int
pass_some_time(unsigned luck)
{
	int64_t end;
	int status = BAY_OK;
	unsigned i;

	switch (luck % 4) {
	case 0:
		return BAY_OK;
	case 1:
		for (i = 0; i < luck / 4 % 8 && status == BAY_OK; i++)
			status = bay_yield();
		return status;
	case 2:
		end = bay_after(luck / 4 % 40 * 1000);
		while (bay_now() < end)
			;
		return BAY_OK;
	default:
		return bay_sleep(luck / 4 % 100 * 1000 + 1);
	}
}

/* --- the other side ------------------------------------------------------------------------ */

static int
serve(struct bay_request *request)
{
	struct call *call = services_request_pointer(request);
	int status;

	atomic_fetch_add(&call->begun, 1);
	status = pass_some_time(call->random);
	/* Some are not impressed by what they are told. */
	if (call->random & 1 << 20)
		status = BAY_OK;
	if (status == BAY_OK)
		status = bay_reply(request, &call, sizeof call);
	atomic_fetch_add(&call->ended, 1);
	return status;
}

static const struct bay_plugin plugin = {
	.size = sizeof(struct bay_plugin),
	.abi_major = BAY_ABI_MAJOR,
	.name = "test",
	.version = "1",
	.handle = serve,
};

static void
start_services(unsigned loops)
{
	services[0] = services_start(&(struct service_options){.name = "wide", .plugin = &plugin,
		.loops = (uint64_t)SERVICES_ALL_LOOPS});
	services[1] = services_start(&(struct service_options){.name = "far", .plugin = &plugin,
		.loops = UINT64_C(1) << (loops - 1), .concurrency = 2});
	services[2] = services_start(&(struct service_options){.name = "tight", .plugin = &plugin,
		.loops = (uint64_t)SERVICES_ALL_LOOPS, .concurrency = 1, .queue = 2, .overflow = OVERFLOW_WAIT});
}

/* --- the callers ----------------------------------------------------------------------------- */

static struct call *
next_call(struct caller *caller)
{
	struct call *call = &caller->calls[caller->count++];

	call->random = draw(&caller->random, 1 << 21);
	return call;
}

static void
answered(struct call *call, int status, struct bay_message *reply)
{
	struct call *told;

	call->answers++;
	call->status = status;
	ck_assert_msg((reply != NULL) == (status == BAY_OK), "a call ended as %s %s a reply", bay_status_name(status),
		reply != NULL ? "with" : "without");
	if (reply == NULL)
		return;
	ck_assert_uint_eq(bay_message_size(reply), sizeof told);
	memcpy(&told, bay_message_data(reply), sizeof told);
	ck_assert_ptr_eq(told, call);
	bay_message_free(reply);
}

static int
make_call(struct caller *caller, int64_t deadline)
{
	struct call *call = next_call(caller);
	struct bay_message *message = services_pointer(call), *reply;
	int status = bay_call(services[draw(&caller->random, SERVICES)], message, &reply, deadline);

	bay_message_free(message);
	answered(call, status, reply);
	return status;
}

static void
call_with_a_deadline(struct caller *caller)
{
	int status = make_call(caller, bay_after(draw(&caller->random, 300) * 1000));

	ck_assert_msg(status == BAY_OK || status == BAY_TIMEOUT, "a call ended as %s: %s", bay_status_name(status),
		bay_call_error());
}

/* Nobody disturbs it: it comes through. */
static void
call_in_peace(struct caller *caller)
{
	ck_assert_int_eq(make_call(caller, BAY_INHERIT), BAY_OK);
}

static int
call_as_task(void *arg)
{
	return make_call(arg, BAY_INHERIT);
}

static void
cancel_the_caller(struct caller *caller)
{
	struct bay_task *task = bay_spawn("calls", call_as_task, caller);
	int status;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(pass_some_time(draw(&caller->random, 1000)), BAY_OK);
	bay_task_cancel(task, "at random");
	status = bay_join(task, BAY_INHERIT);
	ck_assert_msg(status == BAY_OK || status == BAY_CANCELED, "a call ended as %s", bay_status_name(status));
}

static struct bay_task *
start_call(struct caller *caller, struct call **call_r)
{
	struct bay_message *message;
	struct bay_task *task;

	*call_r = next_call(caller);
	message = services_pointer(*call_r);
	task = bay_call_start(services[draw(&caller->random, SERVICES)], message);
	ck_assert_ptr_nonnull(task);
	bay_message_free(message);
	return task;
}

static void
finish_call(struct call *call, struct bay_task *task)
{
	ck_assert(bay_task_done(task));
	answered(call, bay_task_status(task), bay_task_take_reply(task));
	bay_task_free(task);
}

static void
cancel_the_call(struct caller *caller)
{
	struct call *call;
	struct bay_task *task = start_call(caller, &call);

	ck_assert_int_eq(pass_some_time(draw(&caller->random, 1000)), BAY_OK);
	bay_task_cancel(task, "at random");
	ck_assert(bay_task_status(task) == BAY_OK || bay_task_status(task) == BAY_CANCELED);
	finish_call(call, task);
}

static void
give_the_call_up(struct caller *caller)
{
	struct call *call;
	struct bay_task *task = start_call(caller, &call);

	ck_assert_int_eq(pass_some_time(draw(&caller->random, 1000)), BAY_OK);
	/* What nobody asks about is not answered: this counts as one that was cancelled. */
	call->answers = 1;
	call->status = BAY_CANCELED;
	bay_task_free(task);
}

static void
gather_until_a_deadline(struct caller *caller)
{
	struct bay_task *tasks[2];
	struct call *calls[2];
	int status;

	tasks[0] = start_call(caller, &calls[0]);
	tasks[1] = start_call(caller, &calls[1]);
	status = bay_gather(tasks, 2, bay_after(draw(&caller->random, 300) * 1000));
	ck_assert_msg(status == BAY_OK || status == BAY_TIMEOUT, "a gather ended as %s: %s, %s", bay_status_name(status),
		bay_task_error(tasks[0]), bay_task_error(tasks[1]));
	finish_call(calls[0], tasks[0]);
	finish_call(calls[1], tasks[1]);
}

static int
caller_main(void *arg)
{
	static void (*const deeds[])(struct caller *) = {call_with_a_deadline, call_in_peace, cancel_the_caller,
		cancel_the_call, give_the_call_up, gather_until_a_deadline};
	struct caller *caller = arg;
	int i;

	for (i = 0; i < ROUNDS && bay_now() < caller->end_ns; i++)
		deeds[draw(&caller->random, sizeof deeds / sizeof deeds[0])](caller);
	return BAY_OK;
}

/* --- the count ------------------------------------------------------------------------------------ */

/* What was given up is still at work somewhere: waits for its end. */
static int
settle(void *arg)
{
	int64_t end = bay_after(15 * BAY_SECOND);
	unsigned i;

	(void)arg;
	for (i = 0; i < SERVICES; i++) {
		while (services[i]->queued > 0 || services_figures(services[i]).in_flight > 0) {
			ck_assert_msg(bay_now() < end, "service %s has not come to rest", services[i]->name);
			(void)bay_sleep(BAY_MS);
		}
	}
	return BAY_OK;
}

static int
check_stacks(void *arg)
{
	(void)arg;
	points_check_stacks(task_current()->scheduler);
	return BAY_OK;
}

static void
count_ends(const struct caller *caller, uint64_t ends[ENDS])
{
	unsigned i;

	for (i = 0; i < caller->count; i++) {
		const struct call *call = &caller->calls[i];

		ck_assert_uint_eq(call->answers, 1);
		ck_assert_uint_eq(call->begun, call->ended);
		ck_assert_msg(call->begun <= 1, "a call was served %u times", call->begun);
		ck_assert(call->status != BAY_OK || call->begun == 1);
		ends[call->status]++;
	}
}

static void
race(unsigned loops)
{
	struct caller callers[LOOPS_MAX * CALLERS] = {{.random = 0}};
	struct services_job *jobs[LOOPS_MAX * CALLERS];
	uint64_t random = seed(), ends[ENDS] = {0}, calls = 0;
	unsigned i, count = loops * CALLERS;

	/* Who was given up is said, thousands of times. */
	ck_assert(log_to_file("/dev/null"));
	services_begin(loops);
	start_services(loops);
	for (i = 0; i < count; i++) {
		callers[i].random = random + i * UINT64_C(0x9E3779B97F4A7C15);
		callers[i].end_ns = bay_after(AT_MOST);
		callers[i].calls = calloc(2 * ROUNDS, sizeof *callers[i].calls);
		ck_assert_ptr_nonnull(callers[i].calls);
		jobs[i] = services_go(i % loops, caller_main, &callers[i]);
	}
	for (i = 0; i < count; i++)
		ck_assert_int_eq(services_join(jobs[i]), BAY_OK);
	ck_assert_int_eq(services_run(settle, NULL), BAY_OK);
	services_check_nothing_left();
	for (i = 0; i < loops; i++)
		ck_assert_int_eq(services_run_on(i, check_stacks, NULL), BAY_OK);
	for (i = 0; i < count; i++) {
		calls += callers[i].count;
		count_ends(&callers[i], ends);
	}
	printf("%u loops: %llu calls, %llu answered, %llu cancelled, %llu too late\n", loops, (unsigned long long)calls,
		(unsigned long long)ends[BAY_OK], (unsigned long long)ends[BAY_CANCELED], (unsigned long long)ends[BAY_TIMEOUT]);
	ck_assert_uint_eq(ends[BAY_OK] + ends[BAY_CANCELED] + ends[BAY_TIMEOUT], calls);
	services_end();
	for (i = 0; i < count; i++)
		free(callers[i].calls);
}

START_TEST(each_call_has_one_end_on_two_loops)
{
	race(2);
}
END_TEST

START_TEST(each_call_has_one_end_on_three_loops)
{
	race(3);
}
END_TEST

START_TEST(each_call_has_one_end_on_four_loops)
{
	race(4);
}
END_TEST

CHECK_MAIN("service/cancel race",
	each_call_has_one_end_on_two_loops,
	each_call_has_one_end_on_three_loops,
	each_call_has_one_end_on_four_loops)
