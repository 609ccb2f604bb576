/* SPDX-License-Identifier: BSD-2-Clause */
/* Nobody is overtaken before a full subscription, and nothing of a topic is kept for ever. */
#include "config.h"

#include "service/topic.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <bay/bay.h>

#include "support/log_lines.h"
#include "support/run_tasks.h"
#include "support/services.h"

static struct bay_subscription *
subscribe_with(const char *pattern, size_t messages, size_t bytes, enum bay_slow slow)
{
	struct bay_subscription_options options = {.length = sizeof options, .messages = messages, .bytes = bytes,
		.slow = slow};
	struct bay_subscription *subscription = NULL;

	ck_assert_int_eq(bay_subscribe(pattern, &options, &subscription), BAY_OK);
	return subscription;
}

static int
publish_bytes(size_t size, int64_t deadline)
{
	char bytes[100] = "";
	struct bay_message *message = bay_message(bytes, size);
	int status = bay_publish("a", message, deadline);

	bay_message_free(message);
	return status;
}

static void
expect_bytes(struct bay_subscription *subscription, size_t size)
{
	struct bay_message *message = NULL;

	ck_assert_int_eq(bay_subscription_next(subscription, &message, NULL, bay_after(20 * BAY_SECOND)), BAY_OK);
	ck_assert_uint_eq(bay_message_size(message), size);
	bay_message_free(message);
}

struct publisher {
	size_t size;
	int64_t deadline;
	int status;
};

static int
publish_and_tell(void *arg)
{
	struct publisher *publisher = arg;

	publisher->status = publish_bytes(publisher->size, publisher->deadline);
	return BAY_OK;
}

/* --- before a full subscription ------------------------------------------------------------- */

TASK_TEST(a_small_message_does_not_overtake_a_large_one)
{
	struct bay_subscription *subscription = subscribe_with("a", 10, 100, BAY_SLOW_WAIT);
	struct publisher large = {80, BAY_INHERIT, -1}, small = {10, BAY_INHERIT, -1};
	struct bay_task *tasks[2];

	ck_assert_int_eq(publish_bytes(60, BAY_INHERIT), BAY_OK);
	tasks[0] = bay_spawn("large", publish_and_tell, &large);
	tasks[1] = bay_spawn("small", publish_and_tell, &small);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	/* There is room for it, but not yet its turn. */
	ck_assert_int_eq(small.status, -1);
	ck_assert_uint_eq(bay_subscription_size(subscription), 1);
	expect_bytes(subscription, 60);
	expect_bytes(subscription, 80);
	expect_bytes(subscription, 10);
	ck_assert_int_eq(bay_gather(tasks, 2, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(large.status, BAY_OK);
	ck_assert_int_eq(small.status, BAY_OK);
	bay_task_free(tasks[0]);
	bay_task_free(tasks[1]);
	bay_unsubscribe(subscription);
	return BAY_OK;
}

TASK_TEST(who_gives_up_lets_the_next_in)
{
	struct bay_subscription *subscription = subscribe_with("a", 10, 100, BAY_SLOW_WAIT);
	struct publisher large = {80, bay_after(5 * BAY_MS), -1}, small = {10, BAY_INHERIT, -1};
	struct bay_task *tasks[2];

	ck_assert_int_eq(publish_bytes(60, BAY_INHERIT), BAY_OK);
	tasks[0] = bay_spawn("large", publish_and_tell, &large);
	tasks[1] = bay_spawn("small", publish_and_tell, &small);
	/* Nobody takes anything. */
	ck_assert_int_eq(bay_gather(tasks, 2, bay_after(20 * BAY_SECOND)), BAY_OK);
	ck_assert_int_eq(large.status, BAY_TIMEOUT);
	ck_assert_int_eq(small.status, BAY_OK);
	ck_assert_uint_eq(bay_subscription_dropped(subscription), 1);
	expect_bytes(subscription, 60);
	expect_bytes(subscription, 10);
	bay_task_free(tasks[0]);
	bay_task_free(tasks[1]);
	bay_unsubscribe(subscription);
	return BAY_OK;
}

/* It is not the subscription that was too slow for it. */
TASK_TEST(who_is_cancelled_does_not_complain)
{
	struct bay_subscription *subscription = subscribe_with("a", 10, 100, BAY_SLOW_WAIT);
	struct publisher large = {80, BAY_INHERIT, -1};
	struct bay_task *task;

	log_lines_keep();
	ck_assert_int_eq(publish_bytes(60, BAY_INHERIT), BAY_OK);
	task = bay_spawn("large", publish_and_tell, &large);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_gather(&task, 1, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(large.status, BAY_CANCELED);
	ck_assert_uint_eq(bay_subscription_dropped(subscription), 1);
	ck_assert_int_eq(log_lines_with("too slow"), 0);
	/* It was, for one that waits as long as it can. */
	ck_assert_int_eq(publish_bytes(80, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(log_lines_with("too slow"), 1);
	bay_task_free(task);
	bay_unsubscribe(subscription);
	return BAY_OK;
}

/* Its memory grows while the oldest message lies in its middle. */
TASK_TEST(many_messages_keep_their_order)
{
	struct bay_subscription *subscription = subscribe_with("a", 100, 0, BAY_SLOW_DROP_NEWEST);
	size_t put = 0, got = 0;

	while (put < 10)
		ck_assert_int_eq(publish_bytes(put++, BAY_INHERIT), BAY_OK);
	while (got < 7)
		expect_bytes(subscription, got++);
	while (put < 90)
		ck_assert_int_eq(publish_bytes(put++, BAY_INHERIT), BAY_OK);
	while (got < 90)
		expect_bytes(subscription, got++);
	bay_unsubscribe(subscription);
	return BAY_OK;
}

/* --- before an empty one ----------------------------------------------------------------------- */

static atomic_bool there_is_one;

static int
take_the_next(void *subscription)
{
	expect_bytes(subscription, 7);
	return BAY_OK;
}

/* What comes from another loop is the first one's, even when the second looks before he could be
 * told. */
static int
wait_and_look(void *arg)
{
	struct bay_subscription *subscription = subscribe_with("a", 0, 0, 0);
	struct bay_task *first = bay_spawn("first", take_the_next, subscription);
	struct bay_message *message;

	(void)arg;
	ck_assert_int_eq(bay_yield(), BAY_OK);
	there_is_one = true;
	while (bay_subscription_size(subscription) == 0)
		;
	ck_assert_int_eq(bay_subscription_next(subscription, &message, NULL, bay_after(20 * BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_join(first, BAY_INHERIT), BAY_OK);
	bay_unsubscribe(subscription);
	return BAY_OK;
}

static int
publish_from_afar(void *arg)
{
	(void)arg;
	while (!there_is_one)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return publish_bytes(7, BAY_INHERIT);
}

START_TEST(who_waits_is_not_overtaken_by_who_looks)
{
	struct services_job *jobs[2];

	services_begin(2);
	jobs[0] = services_go(0, wait_and_look, NULL);
	jobs[1] = services_go(1, publish_from_afar, NULL);
	ck_assert_int_eq(services_join(jobs[0]), BAY_OK);
	ck_assert_int_eq(services_join(jobs[1]), BAY_OK);
	services_end();
}
END_TEST

/* --- how many ------------------------------------------------------------------------------------ */

static int
subscribe_too_often(struct bay_request *request)
{
	struct bay_subscription *subscription = NULL, *last = NULL;
	char pattern[32];
	int i, status = BAY_OK;

	for (i = 0; i <= TOPIC_SUBSCRIPTIONS_MAX && status == BAY_OK; i++) {
		last = subscription;
		snprintf(pattern, sizeof pattern, "t.%d", i);
		status = bay_subscribe(pattern, NULL, &subscription);
	}
	ck_assert_int_eq(status, BAY_FULL);
	/* The place of one that has ended is free. */
	bay_unsubscribe(last);
	ck_assert_int_eq(bay_subscribe("again", NULL, &subscription), BAY_OK);
	ck_assert_int_eq(bay_subscribe("too many", NULL, &subscription), BAY_INVALID);
	ck_assert_int_eq(bay_subscribe("one", NULL, &subscription), BAY_FULL);
	return bay_reply_printf(request, "%d", i - 1);
}

static struct bay_service *service;

static int
ask(void *arg)
{
	(void)arg;
	services_expect_text(service, "", BAY_OK, "4096");
	return BAY_OK;
}

START_TEST(an_instance_has_so_many_subscriptions)
{
	services_begin(1);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = subscribe_too_often)});
	ck_assert_int_eq(services_run_on(0, ask, NULL), BAY_OK);
	ck_assert(services_stop(service, 0, 20 * BAY_SECOND, NULL));
	services_end();
}
END_TEST

/* Of topics that nobody subscribes to any more. Where the allocator does not say, nothing is seen. */
TASK_TEST(nothing_is_kept_of_subscriptions_that_have_ended)
{
	struct bay_subscription *stays = subscribe_with("stays", 0, 0, 0);
	size_t before = 0;
	char topic[32];

	for (int i = 0; i < 4000; i++) {
		if (i == 1000)
			before = mallinfo2().uordblks;
		snprintf(topic, sizeof topic, "topic.%d", i);
		bay_unsubscribe(subscribe_with(topic, 0, 0, 0));
	}
	ck_assert_uint_lt(mallinfo2().uordblks, before + 32768);
	bay_unsubscribe(stays);
	return BAY_OK;
}

CHECK_MAIN("service/topic_limits",
	a_small_message_does_not_overtake_a_large_one,
	who_gives_up_lets_the_next_in,
	who_is_cancelled_does_not_complain,
	many_messages_keep_their_order,
	who_waits_is_not_overtaken_by_who_looks,
	an_instance_has_so_many_subscriptions,
	nothing_is_kept_of_subscriptions_that_have_ended)
