/* SPDX-License-Identifier: BSD-2-Clause */
/* Callers and handlers that are cancelled, or come to their deadline, at each of their awaits
 * in turn. */
#include "config.h"

#include <stdatomic.h>
#include <string.h>

#include <bay/bay.h>

#include "base/log.h"
#include "runtime/task.h"
#include "service/message.h"
#include "service/request.h"
#include "support/cancel_points.h"
#include "support/services.h"

enum { SHORT = 20 * 1000, CALLS = 16 };

static struct bay_service *leaf, *quick, *slow, *single, *tight, *outer, *far;
static struct bay_service **const services[] = {&leaf, &quick, &slow, &single, &tight, &outer, &far};
static unsigned loop_count;

enum { SERVICES = sizeof services / sizeof services[0] };

/* A test that takes a scenario through all its points, beside services that are started by
 * begin. Loops 0: the test's own thread is the only one. */
#define EVERYWHERE(name, loops, least, begin)                               \
	static int name##_main(void *arg);                                      \
	START_TEST(name)                                                        \
	{                                                                       \
		const struct points_scenario scenario = {.run = run_fresh,          \
			.body = name##_main, .check = check_calls};                     \
		/* What goes wrong here is said, thousands of times. */             \
		ck_assert(log_to_file("/dev/null"));                                \
		services_begin(loops);                                              \
		loop_count = loops > 0 ? loops : 1;                                 \
		begin;                                                              \
		ck_assert_uint_ge(points_everywhere(&scenario), least);             \
		services_end();                                                     \
	}                                                                       \
	END_TEST                                                                \
	static int name##_main(void *arg __attribute__((unused)))

#define START(name_, ...) services_start(&(struct service_options){.name = name_, __VA_ARGS__})

/* Goes on while nothing is disturbed. */
#define TRY(expression)                                \
	do {                                               \
		int try_status = points_expect(expression);    \
		if (try_status != BAY_OK)                      \
			return try_status;                         \
	} while (0)

/* --- what is known of each call ------------------------------------------------------------ */

struct call {
	atomic_uint begun;      /* how often a handler began with it */
	atomic_uint ended;
	unsigned returned;      /* how often its caller was answered */
	int status;             /* with which */
	bool one_way;
};

static struct call calls[CALLS];
static atomic_uint next_call;

/* The next call to be made, as a message. */
static struct bay_message *
new_call(struct call **call_r)
{
	unsigned i = atomic_fetch_add(&next_call, 1);

	ck_assert_uint_lt(i, CALLS);
	*call_r = &calls[i];
	return services_pointer(*call_r);
}

/* The caller has its answer: a reply if and only if it is BAY_OK, and that of its own call. */
static int
answered(struct call *call, int status, struct bay_message *reply)
{
	struct call *told;

	call->returned++;
	call->status = status;
	ck_assert_int_eq(reply != NULL, status == BAY_OK);
	if (reply != NULL) {
		ck_assert_uint_eq(bay_message_size(reply), sizeof told);
		memcpy(&told, bay_message_data(reply), sizeof told);
		ck_assert_ptr_eq(told, call);
		ck_assert_uint_eq(call->ended, 1);
	}
	bay_message_free(reply);
	return status;
}

/* A call that failed says why, and whose caller was cancelled says why that was. */
static void
check_error(int status)
{
	if (status != BAY_OK)
		ck_assert_str_ne(bay_call_error(), "");
	if (status == BAY_CANCELED && bay_cancel_reason() != NULL)
		ck_assert_msg(strstr(bay_call_error(), bay_cancel_reason()) != NULL, "cancelled: %s, and the call says: %s",
			bay_cancel_reason(), bay_call_error());
}

static int
call_until(struct bay_service *service, int64_t deadline)
{
	struct bay_message *message, *reply;
	struct call *call;
	int status;

	message = new_call(&call);
	status = bay_call(service, message, &reply, deadline);
	bay_message_free(message);
	check_error(status);
	return answered(call, status, reply);
}

static int
call(struct bay_service *service)
{
	return call_until(service, BAY_INHERIT);
}

/* A task that makes one call. */
static int
call_as_task(void *arg)
{
	return call(arg);
}

static int
send_one(struct bay_service *service)
{
	struct bay_message *message;
	struct call *call;

	message = new_call(&call);
	call->one_way = true;
	call->status = bay_send(service, message, BAY_INHERIT);
	check_error(call->status);
	call->returned++;
	bay_message_free(message);
	return call->status;
}

/* --- handlers ---------------------------------------------------------------------------------- */

static struct call *
handler_begins(struct bay_request *request)
{
	struct call *call = services_request_pointer(request);

	atomic_fetch_add(&call->begun, 1);
	return call;
}

static int
handler_ends(struct bay_request *request, struct call *call, int status)
{
	if (status == BAY_OK && bay_request_wants_reply(request))
		status = bay_reply(request, &call, sizeof call);
	atomic_fetch_add(&call->ended, 1);
	return status;
}

static int
reply_at_once(struct bay_request *request)
{
	points_here();
	return handler_ends(request, handler_begins(request), BAY_OK);
}

static int
reply_slowly(struct bay_request *request)
{
	struct call *call = handler_begins(request);
	int status = bay_yield();

	if (status == BAY_OK)
		status = bay_sleep(SHORT);
	return handler_ends(request, call, status);
}

/* Is not impressed: replies late, if at all allowed. */
static int
reply_whatever_happens(struct bay_request *request)
{
	struct call *call = handler_begins(request);
	int i;

	for (i = 0; i < 3; i++)
		(void)bay_yield();
	return handler_ends(request, call, BAY_OK);
}

static int
reply_with_the_help_of_others(struct bay_request *request)
{
	struct call *mine = handler_begins(request);
	int status = call(leaf);

	if (status == BAY_OK)
		status = call(slow);
	return handler_ends(request, mine, status);
}

/* --- after a run ------------------------------------------------------------------------------- */

/* What was abandoned is still on its way: waits until all is home. */
static int
settle(void *arg)
{
	int64_t end = bay_after(10 * BAY_SECOND);
	unsigned i;

	(void)arg;
	for (i = 0; i < SERVICES; i++) {
		const struct bay_service *service = *services[i];

		while (service != NULL && (service->queued > 0 || services_figures(service).in_flight > 0)) {
			ck_assert_msg(bay_now() < end, "service %s has not come to rest", service->name);
			(void)bay_sleep(SHORT);
		}
	}
	return BAY_OK;
}

/* On each loop. What threads keep for reuse wanders from one to another: no measure of what
 * is in use. */
static int
check_loop(void *arg)
{
	(void)arg;
	request_clear_cache();
	message_clear_cache();
	points_check_stacks(task_current()->scheduler);
	return BAY_OK;
}

/* Whatever came to a service was served or failed; of what waits before a full queue, only
 * the failure is counted. */
static void
check_figures(const struct bay_service *service)
{
	struct status_service_view view;

	if (service == NULL)
		return;
	view = services_figures(service);
	if (service->limits.overflow == OVERFLOW_WAIT)
		ck_assert_uint_le(view.direct + view.queued, view.served + view.failed);
	else
		ck_assert_uint_eq(view.direct + view.queued, view.served + view.failed);
}

/* Nothing is left; no call was lost, served twice or answered twice. */
static void
check_calls(void)
{
	unsigned i;

	ck_assert_int_eq(services_run(settle, NULL), BAY_OK);
	services_check_nothing_left();
	for (i = 0; i < loop_count; i++)
		ck_assert_int_eq(services_run_on(i, check_loop, NULL), BAY_OK);
	for (i = 0; i < SERVICES; i++)
		check_figures(*services[i]);
	for (i = 0; i < next_call; i++) {
		const struct call *call = &calls[i];

		ck_assert_uint_eq(call->begun, call->ended);
		ck_assert_uint_le(call->begun, 1);
		ck_assert_uint_le(call->returned, 1);
		if (call->returned == 1 && call->status == BAY_OK)
			ck_assert_uint_eq(call->begun, 1);
		if (call->one_way && call->returned == 1 && call->status != BAY_OK)
			ck_assert_uint_eq(call->begun, 0);
	}
}

static int
run_fresh(bay_task_fn *fn, void *arg)
{
	memset(calls, 0, sizeof calls);
	next_call = 0;
	return services_run(fn, arg);
}

/* --- one loop ------------------------------------------------------------------------------------ */

#define START_ALL(loops_)                                                                      \
	leaf = START("leaf", .loops = loops_, .plugin = PLUGIN(.handle = reply_at_once, .flags = BAY_LEAF)); \
	quick = START("quick", .loops = loops_, .plugin = PLUGIN(.handle = reply_at_once));            \
	slow = START("slow", .loops = loops_, .plugin = PLUGIN(.handle = reply_slowly));               \
	outer = START("outer", .loops = loops_, .plugin = PLUGIN(.handle = reply_with_the_help_of_others))

EVERYWHERE(calls_a_leaf, 0, 2, START_ALL(1))
{
	TRY(call(leaf));
	return call(leaf);
}

EVERYWHERE(calls_eagerly, 0, 5, START_ALL(1))
{
	TRY(call(quick));
	TRY(call(slow));
	return call(quick);
}

EVERYWHERE(calls_through_others, 0, 8, START_ALL(1))
{
	TRY(call(outer));
	return call(outer);
}

EVERYWHERE(calls_one_that_is_not_impressed, 0, 8,
	slow = START("slow", .plugin = PLUGIN(.handle = reply_whatever_happens)))
{
	TRY(call(slow));
	return call(slow);
}

EVERYWHERE(calls_one_that_is_busy, 0, 8,
	single = START("single", .plugin = PLUGIN(.handle = reply_slowly), .concurrency = 1))
{
	struct bay_task *other = bay_spawn("other", call_as_task, single);

	TRY(bay_yield());
	TRY(call(single));
	return bay_join(other, BAY_INHERIT);
}

/* Its deadline passes while it is served, or in the queue. */
EVERYWHERE(calls_with_a_deadline, 0, 6,
	single = START("single", .plugin = PLUGIN(.handle = reply_slowly), .concurrency = 1))
{
	struct bay_task *other = bay_spawn("other", call_as_task, single);
	int status = points_expect(bay_yield());

	if (status == BAY_OK) {
		status = call_until(single, bay_after(2000));
		if (status == BAY_TIMEOUT && bay_deadline() == BAY_INHERIT)
			status = bay_yield();
	}
	bay_task_free(other);
	return status;
}

/* --- started calls --------------------------------------------------------------------------------- */

enum { STARTED = 3 };

static void
start_calls(struct bay_task *tasks[STARTED], struct call *started[STARTED], struct bay_service *last)
{
	struct bay_service *const to[STARTED] = {slow, quick, last};
	int i;

	for (i = 0; i < STARTED; i++) {
		struct bay_message *message = new_call(&started[i]);

		tasks[i] = bay_call_start(to[i], message);
		ck_assert_ptr_nonnull(tasks[i]);
		bay_message_free(message);
	}
}

/* Takes what came and gives the handles back. */
static void
finish_calls(struct bay_task *tasks[STARTED], struct call *started[STARTED])
{
	int i;

	for (i = 0; i < STARTED; i++) {
		ck_assert(bay_task_done(tasks[i]));
		(void)answered(started[i], bay_task_status(tasks[i]), bay_task_take_reply(tasks[i]));
		if (bay_task_status(tasks[i]) != BAY_OK)
			ck_assert_str_ne(bay_task_error(tasks[i]), "");
		bay_task_free(tasks[i]);
	}
}

EVERYWHERE(gathers_calls, 0, 8, START_ALL(1))
{
	struct bay_task *tasks[STARTED];
	struct call *started[STARTED];
	int status;

	start_calls(tasks, started, outer);
	status = bay_gather(tasks, STARTED, BAY_INHERIT);
	finish_calls(tasks, started);
	return status;
}

EVERYWHERE(takes_calls_as_they_come, 0, 8, START_ALL(1))
{
	struct bay_task *tasks[STARTED];
	struct call *started[STARTED];
	size_t left = STARTED, which;
	int status = BAY_OK;

	start_calls(tasks, started, outer);
	while (left > 0 && status == BAY_OK) {
		status = bay_wait_first(tasks, left, &which, BAY_INHERIT);
		if (status == BAY_OK) {
			(void)answered(started[which], bay_task_status(tasks[which]), bay_task_take_reply(tasks[which]));
			bay_task_free(tasks[which]);
			tasks[which] = tasks[--left];
			started[which] = started[left];
		}
	}
	while (left > 0)
		bay_task_free(tasks[--left]);
	return status;
}

EVERYWHERE(joins_and_forgets_calls, 0, 8, START_ALL(1))
{
	struct bay_task *tasks[STARTED];
	struct call *started[STARTED];

	start_calls(tasks, started, outer);
	/* A join has no reply to take. */
	TRY(bay_join(tasks[0], BAY_INHERIT));
	bay_task_cancel(tasks[2], "enough");
	return bay_sleep(SHORT);
}

/* --- full queues ---------------------------------------------------------------------------------------- */

#define TIGHT_QUEUE                                                                          \
	START("tight", .plugin = PLUGIN(.handle = reply_slowly), .concurrency = 1, .queue = 1,   \
		.overflow = OVERFLOW_WAIT)

EVERYWHERE(sends_into_a_full_queue, 0, 8, tight = TIGHT_QUEUE)
{
	int i;

	for (i = 0; i < 4; i++)
		TRY(send_one(tight));
	return bay_yield();
}

EVERYWHERE(calls_into_a_full_queue, 0, 12, tight = TIGHT_QUEUE)
{
	struct bay_task *others[STARTED];
	int i;

	for (i = 0; i < STARTED; i++)
		others[i] = bay_spawn("other", call_as_task, tight);
	TRY(bay_yield());
	TRY(send_one(tight));
	TRY(call(tight));
	return bay_gather(others, STARTED, BAY_INHERIT);
}

/* --- two loops ------------------------------------------------------------------------------------------- */

EVERYWHERE(calls_another_loop, 2, 3,
	far = START("far", .plugin = PLUGIN(.handle = reply_slowly), .loops = 2))
{
	TRY(call(far));
	return call_until(far, bay_after(100 * BAY_SECOND));
}

EVERYWHERE(gathers_calls_from_two_loops, 2, 5, START_ALL(3);
	far = START("far", .plugin = PLUGIN(.handle = reply_whatever_happens), .loops = 2))
{
	struct bay_task *tasks[STARTED];
	struct call *started[STARTED];
	int status;

	start_calls(tasks, started, far);
	status = bay_gather(tasks, STARTED, BAY_INHERIT);
	finish_calls(tasks, started);
	return status;
}

EVERYWHERE(sends_into_a_full_queue_of_another_loop, 2, 5,
	far = START("far", .plugin = PLUGIN(.handle = reply_slowly), .concurrency = 1, .queue = 1,
		.overflow = OVERFLOW_WAIT, .loops = 2))
{
	int i;

	for (i = 0; i < 4; i++)
		TRY(send_one(far));
	return call(far);
}

CHECK_MAIN("service/cancel everywhere",
	calls_a_leaf,
	calls_eagerly,
	calls_through_others,
	calls_one_that_is_not_impressed,
	calls_one_that_is_busy,
	calls_with_a_deadline,
	gathers_calls,
	takes_calls_as_they_come,
	joins_and_forgets_calls,
	sends_into_a_full_queue,
	calls_into_a_full_queue,
	calls_another_loop,
	gathers_calls_from_two_loops,
	sends_into_a_full_queue_of_another_loop)
