/* SPDX-License-Identifier: BSD-2-Clause */
/* Services on several loops that empty one queue together. */
#include "config.h"

#include "service/dispatch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "service/request.h"
#include "service/service_queue.h"
#include "support/services.h"

#if defined(BAY_TSAN)
enum { MESSAGES = 8000, CALLS = 1500, ROUNDS = 60 };
#elif defined(BAY_ASAN)
enum { MESSAGES = 60000, CALLS = 5000, ROUNDS = 100 };
#else
enum { MESSAGES = 200000, CALLS = 10000, ROUNDS = 250 };
#endif

enum { LOOPS = 4 };

static struct bay_service *service, *other;

/* How often each message was served. */
static atomic_uchar *served;
static atomic_uint served_by[LOOPS];

static void
begin_counting(void)
{
	int i;

	served = calloc(MESSAGES, sizeof *served);
	for (i = 0; i < LOOPS; i++)
		served_by[i] = 0;
}

static void
check_each_once(void)
{
	int i;

	for (i = 0; i < MESSAGES; i++)
		ck_assert_msg(served[i] == 1, "message %d was served %d times", i, served[i]);
	free(served);
}

static int
count_message(struct bay_request *request)
{
	int64_t n;

	ck_assert_int_eq(bay_request_int64(request, &n), BAY_OK);
	atomic_fetch_add(&served[n], 1);
	atomic_fetch_add(&served_by[scheduler_here->index], 1);
	/* Some wait, so that several are in flight. */
	if (n % 7 == 0)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	return bay_reply_int64(request, n);
}

struct share {
	int first;
	int count;
};

static int
send_share(void *arg)
{
	struct share *share = arg;
	int i;

	for (i = share->first; i < share->first + share->count; i++) {
		struct bay_message *message = bay_message_int64(i);

		ck_assert_int_eq(bay_send(service, message, BAY_INHERIT), BAY_OK);
		bay_message_free(message);
	}
	return BAY_OK;
}

static int
call_share(void *arg)
{
	struct share *share = arg;
	int i;

	for (i = share->first; i < share->first + share->count; i++) {
		struct bay_message *message = bay_message_int64(i), *reply;
		int64_t n;

		ck_assert_int_eq(bay_call(service, message, &reply, BAY_INHERIT), BAY_OK);
		ck_assert_int_eq(bay_message_read_int64(reply, &n), BAY_OK);
		ck_assert_int_eq(n, i);
		bay_message_free(message);
		bay_message_free(reply);
	}
	return BAY_OK;
}

static void
run_shares(bay_task_fn *fn)
{
	struct services_job *jobs[LOOPS * 2];
	struct share shares[LOOPS * 2];
	int i;

	for (i = 0; i < LOOPS * 2; i++) {
		shares[i].count = MESSAGES / (LOOPS * 2);
		shares[i].first = i * shares[i].count;
		jobs[i] = services_go((unsigned)i % LOOPS, fn, &shares[i]);
	}
	for (i = 0; i < LOOPS * 2; i++)
		ck_assert_int_eq(services_join(jobs[i]), BAY_OK);
}

START_TEST(each_message_is_served_once)
{
	services_begin(LOOPS);
	begin_counting();
	service = services_start(&(struct service_options){.name = "s", .loops = SERVICES_ALL_LOOPS, .queue = 64,
		.concurrency = 8, .overflow = OVERFLOW_WAIT, .plugin = PLUGIN(.handle = count_message)});
	run_shares(send_share);
	/* The stop waits for what is queued. */
	ck_assert(services_stop(service, 20 * BAY_SECOND, BAY_SECOND, NULL));
	ck_assert_uint_eq(services_figures(service).served, MESSAGES);
	ck_assert_uint_eq(services_figures(service).queued, MESSAGES);
	services_end();
	check_each_once();
}
END_TEST

START_TEST(each_call_is_answered_once_whichever_way_it_goes)
{
	services_begin(LOOPS);
	begin_counting();
	/* On half of the loops and narrow, so that calls go all ways. */
	service = services_start(&(struct service_options){.name = "s", .loops = 5, .concurrency = 1, .queue = 64,
		.overflow = OVERFLOW_WAIT, .plugin = PLUGIN(.handle = count_message)});
	run_shares(call_share);
	ck_assert_uint_eq(services_figures(service).served, MESSAGES);
	ck_assert_uint_gt(services_figures(service).direct, 0);
	ck_assert_uint_gt(services_figures(service).queued, 0);
	ck_assert_uint_eq(served_by[1] + served_by[3], 0);
	services_end();
	check_each_once();
}
END_TEST

/* --- work is shared ----------------------------------------------------------------------- */

static atomic_int together;

/* Blocks its loop until as many as there are loops are at it at the same time. */
static int
wait_for_the_others(struct bay_request *request)
{
	int64_t end = bay_now() + 10 * BAY_SECOND;

	atomic_fetch_add(&together, 1);
	while (atomic_load(&together) < LOOPS && bay_now() < end)
		sched_yield();
	(void)request;
	return bay_reply_text(request, atomic_load(&together) >= LOOPS ? "together" : "alone");
}

static int
start_and_gather(void *arg)
{
	struct bay_task *calls[LOOPS];
	int i;

	(void)arg;
	for (i = 0; i < LOOPS; i++)
		calls[i] = bay_call_start(service, NULL);
	ck_assert_int_eq(bay_gather(calls, LOOPS, BAY_INHERIT), BAY_OK);
	for (i = 0; i < LOOPS; i++) {
		struct bay_message *reply = bay_task_take_reply(calls[i]);

		ck_assert_str_eq(bay_message_text(reply), "together");
		bay_message_free(reply);
		bay_task_free(calls[i]);
	}
	return BAY_OK;
}

/* None of the loops may take it all while the others sleep. */
START_TEST(several_messages_are_worked_on_by_several_loops)
{
	int round;

	services_begin(LOOPS + 1);
	service = services_start(&(struct service_options){.name = "s", .loops = 15,
		.plugin = PLUGIN(.handle = wait_for_the_others)});
	for (round = 0; round < 20; round++) {
		atomic_store(&together, 0);
		ck_assert_int_eq(services_run_on(LOOPS, start_and_gather, NULL), BAY_OK);
	}
	services_end();
}
END_TEST

static int
sleep_as_told(struct bay_request *request)
{
	int64_t ms;

	if (bay_request_int64(request, &ms) == BAY_OK)
		(void)bay_sleep(ms * BAY_MS);
	return bay_reply_int64(request, scheduler_here->index);
}

static int
occupy_one_then_call(void *arg)
{
	struct bay_message *hour = bay_message_int64(3600000), *reply;
	struct bay_task *busy[2];
	int i, round;

	(void)arg;
	for (round = 0; round < 20; round++) {
		/* Two loops of three have something to do for an hour, and sleep. */
		for (i = 0; i < 2; i++) {
			busy[i] = bay_call_start(service, hour);
			ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
		}
		ck_assert_int_eq(bay_call(service, NULL, &reply, bay_after(30 * BAY_SECOND)), BAY_OK);
		bay_message_free(reply);
		for (i = 0; i < 2; i++)
			bay_task_free(busy[i]);
		while (services_figures(service).in_flight > 0)
			ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	}
	bay_message_free(hour);
	return BAY_OK;
}

START_TEST(a_message_wakes_a_loop_that_has_room_for_it)
{
	services_begin(LOOPS);
	service = services_start(&(struct service_options){.name = "s", .loops = 2 | 4 | 8, .concurrency = 1,
		.plugin = PLUGIN(.handle = sleep_as_told)});
	ck_assert_int_eq(services_run_on(0, occupy_one_then_call, NULL), BAY_OK);
	services_end();
}
END_TEST

/* --- who is woken --------------------------------------------------------------------------- */

static atomic_int served_on;

static int
say_where(struct bay_request *request)
{
	atomic_store(&served_on, (int)scheduler_here->index);
	return bay_reply_text(request, "");
}

static void
wait_until_asleep(unsigned loop)
{
	while (!loop_sleeping(&services_scheduler(loop)->loop))
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
}

static int
send_and_compute(void *arg)
{
	int64_t end;

	(void)arg;
	wait_until_asleep(1);
	ck_assert_int_eq(bay_send(service, NULL, BAY_INHERIT), BAY_OK);
	for (end = bay_now() + 10 * BAY_SECOND; atomic_load(&served_on) < 0 && bay_now() < end;)
		sched_yield();
	ck_assert_int_eq(atomic_load(&served_on), 1);
	return BAY_OK;
}

/* Its own loop could serve it, but only when the sender lets it. */
START_TEST(a_sender_that_computes_does_not_keep_what_it_sent)
{
	services_begin(2);
	atomic_store(&served_on, -1);
	service = services_start(&(struct service_options){.name = "s", .loops = SERVICES_ALL_LOOPS,
		.plugin = PLUGIN(.handle = say_where)});
	ck_assert_int_eq(services_run_on(0, send_and_compute, NULL), BAY_OK);
	services_end();
}
END_TEST

static atomic_int met;

/* Blocks its loop until another handler is at it. */
static int
meet_another(struct bay_request *request)
{
	int64_t end = bay_now() + 10 * BAY_SECOND;

	atomic_fetch_add(&together, 1);
	while (atomic_load(&together) < 2 && bay_now() < end)
		sched_yield();
	atomic_fetch_add(&met, atomic_load(&together) == 2);
	return bay_reply_text(request, "");
}

/* From the loop itself, which looks next and so wakes nobody. */
static void
put_two(struct inbox_item *item)
{
	int i;

	(void)item;
	for (i = 0; i < 2; i++) {
		struct bay_request *request = request_create(service, NULL, NULL);

		request->one_way = true;
		ck_assert_int_eq(service_queue_put(service, request), BAY_OK);
	}
}

static int
let_two_meet(void *arg)
{
	struct inbox_item item = {.run = put_two};

	(void)arg;
	wait_until_asleep(1);
	loop_post(&scheduler_here->loop, &item);
	while (services_figures(service).served < 2)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return BAY_OK;
}

START_TEST(one_that_takes_its_share_wakes_another_for_the_rest)
{
	services_begin(2);
	atomic_store(&together, 0);
	atomic_store(&met, 0);
	service = services_start(&(struct service_options){.name = "s", .loops = SERVICES_ALL_LOOPS,
		.plugin = PLUGIN(.handle = meet_another)});
	ck_assert_int_eq(services_run_on(0, let_two_meet, NULL), BAY_OK);
	ck_assert_int_eq(atomic_load(&met), 2);
	services_end();
}
END_TEST

/* --- no wake is lost -------------------------------------------------------------------------- */

static int
call_and_rest(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	int i;

	for (i = 0; i < CALLS; i++) {
		ck_assert_int_eq(bay_call(i % 2 == 0 ? service : other, NULL, NULL, bay_after(10 * BAY_SECOND)), BAY_OK);
		/* All loops idle for a while, spinning or asleep. */
		if (rand_r(&seed) % 8 == 0)
			ck_assert_int_eq(bay_sleep(rand_r(&seed) % 200 * BAY_US), BAY_OK);
	}
	return BAY_OK;
}

START_TEST(a_message_for_loops_that_sleep_wakes_one)
{
	services_begin(3);
	service = services_start(&(struct service_options){.name = "s", .loops = 2, .plugin = PLUGIN(.handle = sleep_as_told)});
	other = services_start(&(struct service_options){.name = "o", .loops = 6, .plugin = PLUGIN(.handle = sleep_as_told)});
	ck_assert_int_eq(services_run_on(0, call_and_rest, (void *)1), BAY_OK);
	services_end();
}
END_TEST

/* --- a flood hides nothing ----------------------------------------------------------------------- */

static atomic_bool stop_flood;

static int
flood(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop_flood)) {
		int status = bay_send(service, NULL, BAY_INHERIT);

		ck_assert(status == BAY_OK || status == BAY_FULL);
		if (status == BAY_FULL)
			ck_assert_int_eq(bay_yield(), BAY_OK);
	}
	return BAY_OK;
}

static int
call_other(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++)
		ck_assert_int_eq(bay_call(other, NULL, NULL, bay_after(10 * BAY_SECOND)), BAY_OK);
	return BAY_OK;
}

static void
flood_beside(uint64_t flooded, uint64_t called)
{
	struct services_job *jobs[2];
	unsigned i;

	services_begin(3);
	atomic_store(&stop_flood, false);
	service = services_start(&(struct service_options){.name = "flooded", .loops = flooded,
		.plugin = PLUGIN(.handle = sleep_as_told)});
	other = services_start(&(struct service_options){.name = "called", .loops = called,
		.plugin = PLUGIN(.handle = sleep_as_told)});
	for (i = 0; i < 2; i++)
		jobs[i] = services_go(i, flood, NULL);
	ck_assert_int_eq(services_run_on(2, call_other, NULL), BAY_OK);
	atomic_store(&stop_flood, true);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(services_join(jobs[i]), BAY_OK);
	services_end();
}

START_TEST(a_flood_does_not_hide_another_service)
{
	/* On the same loops, and on some of them, before and after. */
	flood_beside(3, 3);
	flood_beside(3, 1);
	flood_beside(1, 3);
}
END_TEST

/* Both are expensive, and the other one has had more than its part; but that is long ago. */
static int
send_to_both(void *arg)
{
	struct scheduler *here = scheduler_here;
	struct bay_instance *away = other->instances[here->index];
	struct bay_instance *busy = service->instances[here->index];

	ck_assert_int_eq(bay_send(service, NULL, bay_after(BAY_SECOND)), BAY_OK);
	ck_assert_int_eq(bay_send(service, NULL, bay_after(BAY_SECOND)), BAY_OK);
	ck_assert_int_eq(bay_send(other, NULL, bay_after(BAY_SECOND)), BAY_OK);
	busy->message_ns = away->message_ns = 10 * BAY_MS;
	away->credit_ns = -3 * BAY_MS;
	away->left_ns = *(bool *)arg ? bay_now() - BAY_SECOND : 0;
	/* The one that came first, and then that which was away. */
	ck_assert(dispatch_find_work(here, NULL));
	ck_assert_uint_eq(atomic_load(&service->queued), 1);
	ck_assert(dispatch_find_work(here, NULL));
	return (int)atomic_load(&other->queued);
}

static int
queued_after_two_turns(bool was_away)
{
	int queued;

	services_begin(1);
	service = services_start(&(struct service_options){.name = "busy", .loops = 1,
		.plugin = PLUGIN(.handle = sleep_as_told)});
	other = services_start(&(struct service_options){.name = "away", .loops = 1,
		.plugin = PLUGIN(.handle = sleep_as_told)});
	queued = services_run_on(0, send_to_both, &was_away);
	services_end();
	return queued;
}

START_TEST(who_had_nothing_to_do_for_long_owes_nothing_any_more)
{
	ck_assert_int_eq(queued_after_two_turns(true), 0);
	ck_assert_int_eq(queued_after_two_turns(false), 1);
}
END_TEST

/* --- bounds ------------------------------------------------------------------------------------------ */

static atomic_int at_work[LOOPS], most_at_work;

static int
count_at_work(struct bay_request *request)
{
	unsigned here = scheduler_here->index;
	int now = atomic_fetch_add(&at_work[here], 1) + 1, most = atomic_load(&most_at_work);

	while (now > most && !atomic_compare_exchange_weak(&most_at_work, &most, now))
		;
	ck_assert_int_eq(bay_yield(), BAY_OK);
	atomic_fetch_sub(&at_work[here], 1);
	return count_message(request);
}

struct watch {
	pthread_t thread;
	atomic_bool stop;
	size_t most;
	size_t most_bytes;
};

static void *
watch_queue(void *arg)
{
	struct watch *watch = arg;

	while (!atomic_load(&watch->stop)) {
		pthread_mutex_lock(&service->lock);
		if (service->queued > watch->most)
			watch->most = service->queued;
		if (service->queued_bytes > watch->most_bytes)
			watch->most_bytes = service->queued_bytes;
		pthread_mutex_unlock(&service->lock);
		sched_yield();
	}
	return NULL;
}

START_TEST(bounds_hold_on_all_loops)
{
	struct watch watch = {.most = 0};

	services_begin(LOOPS);
	begin_counting();
	service = services_start(&(struct service_options){.name = "s", .loops = SERVICES_ALL_LOOPS, .queue = 50,
		.queue_bytes = 150, .concurrency = 3, .overflow = OVERFLOW_WAIT, .plugin = PLUGIN(.handle = count_at_work)});
	ck_assert_int_eq(pthread_create(&watch.thread, NULL, watch_queue, &watch), 0);
	run_shares(send_share);
	atomic_store(&watch.stop, true);
	pthread_join(watch.thread, NULL);
	ck_assert(services_stop(service, 20 * BAY_SECOND, BAY_SECOND, NULL));
	ck_assert_uint_le(watch.most, 50);
	ck_assert_uint_le(watch.most_bytes, 150);
	ck_assert_int_le(most_at_work, 3);
	services_end();
	check_each_once();
}
END_TEST

/* --- senders that give up -------------------------------------------------------------------------------- */

struct impatient {
	struct share share;
	unsigned seed;
	int accepted;
};

static int
send_impatiently(void *arg)
{
	struct impatient *impatient = arg;
	int i;

	for (i = impatient->share.first; i < impatient->share.first + impatient->share.count; i++) {
		struct bay_message *message = bay_message_int64(i);
		int64_t deadline = bay_after(rand_r(&impatient->seed) % 100 * BAY_US + 1000);
		int status = bay_send(service, message, deadline);

		bay_message_free(message);
		ck_assert_msg(status == BAY_OK || status == BAY_TIMEOUT, "%s", bay_status_name(status));
		if (status == BAY_OK) {
			impatient->accepted++;
		} else {
			ck_assert_int_ge(bay_now(), deadline);
			/* Not sent: it must never come. */
			atomic_fetch_add(&served[i], 100);
		}
	}
	return BAY_OK;
}

static int
serve_slowly(struct bay_request *request)
{
	int64_t n;

	ck_assert_int_eq(bay_request_int64(request, &n), BAY_OK);
	atomic_fetch_add(&served[n], 1);
	if (n % 8 == 0)
		(void)bay_sleep(100 * BAY_US);
	return BAY_OK;
}

START_TEST(a_sender_that_gave_up_has_not_sent)
{
	struct services_job *jobs[LOOPS * 2];
	struct impatient senders[LOOPS * 2];
	int i, accepted = 0, came = 0;

	services_begin(LOOPS);
	begin_counting();
	service = services_start(&(struct service_options){.name = "s", .loops = 3, .queue = 5, .concurrency = 2,
		.overflow = OVERFLOW_WAIT, .plugin = PLUGIN(.handle = serve_slowly)});
	for (i = 0; i < LOOPS * 2; i++) {
		int count = MESSAGES / 20 / (LOOPS * 2);

		senders[i] = (struct impatient){.share = {i * count, count}, .seed = (unsigned)i + 1};
		jobs[i] = services_go((unsigned)i % LOOPS, send_impatiently, &senders[i]);
	}
	for (i = 0; i < LOOPS * 2; i++) {
		ck_assert_int_eq(services_join(jobs[i]), BAY_OK);
		accepted += senders[i].accepted;
	}
	ck_assert(services_stop(service, 20 * BAY_SECOND, BAY_SECOND, NULL));
	for (i = 0; i < MESSAGES / 20 / (LOOPS * 2) * (LOOPS * 2); i++) {
		ck_assert_msg(served[i] == 1 || served[i] == 100, "message %d: %d", i, served[i]);
		came += served[i] == 1;
	}
	ck_assert_int_eq(came, accepted);
	services_end();
	free(served);
}
END_TEST

CHECK_MAIN("service/dispatch",
	each_message_is_served_once,
	each_call_is_answered_once_whichever_way_it_goes,
	several_messages_are_worked_on_by_several_loops,
	a_message_wakes_a_loop_that_has_room_for_it,
	a_sender_that_computes_does_not_keep_what_it_sent,
	one_that_takes_its_share_wakes_another_for_the_rest,
	a_message_for_loops_that_sleep_wakes_one,
	a_flood_does_not_hide_another_service,
	who_had_nothing_to_do_for_long_owes_nothing_any_more,
	bounds_hold_on_all_loops,
	a_sender_that_gave_up_has_not_sent)
