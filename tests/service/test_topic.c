/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/topic.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "service/feed.h"
#include "support/cancel_everywhere.h"
#include "support/log_lines.h"
#include "support/services.h"

enum { FAR = 3600 };

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
publish(const char *topic, const char *text, int64_t deadline)
{
	struct bay_message *message = bay_message_printf("%s", text);
	int status = bay_publish(topic, message, deadline);

	bay_message_free(message);
	return status;
}

static void
expect_with(struct bay_subscription *subscription, const char *topic, const char *text)
{
	struct bay_message *message = NULL;
	const char *got = NULL;

	ck_assert_int_eq(bay_subscription_next(subscription, &message, &got, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(got, topic);
	ck_assert_str_eq(bay_message_text(message), text);
	bay_message_free(message);
}

static void
expect_nothing(struct bay_subscription *subscription)
{
	struct bay_message *message;

	ck_assert_int_eq(bay_subscription_next(subscription, &message, NULL, 0), BAY_TIMEOUT);
	ck_assert_uint_eq(bay_subscription_size(subscription), 0);
}

TASK_TEST(a_message_goes_to_all_who_subscribed)
{
	struct bay_subscription *exact = subscribe_with("a.b", 0, 0, 0), *wild = subscribe_with("a.*", 0, 0, 0),
		*rest = subscribe_with(">", 0, 0, 0), *other = subscribe_with("b.>", 0, 0, 0);

	ck_assert_int_eq(publish("a.b", "one", 0), BAY_OK);
	ck_assert_int_eq(publish("a", "two", 0), BAY_OK);
	expect_with(exact, "a.b", "one");
	expect_with(wild, "a.b", "one");
	expect_with(rest, "a.b", "one");
	expect_with(rest, "a", "two");
	expect_nothing(exact);
	expect_nothing(wild);
	expect_nothing(rest);
	expect_nothing(other);
	bay_unsubscribe(exact);
	bay_unsubscribe(wild);
	bay_unsubscribe(rest);
	bay_unsubscribe(other);
	bay_unsubscribe(NULL);
	return BAY_OK;
}

TASK_TEST(without_subscribers_nothing_is_kept)
{
	struct bay_subscription *late;

	ck_assert_int_eq(publish("a", "lost", 0), BAY_OK);
	late = subscribe_with("a", 0, 0, 0);
	expect_nothing(late);
	bay_unsubscribe(late);
	ck_assert_int_eq(publish("a", "lost too", 0), BAY_OK);
	return BAY_OK;
}

TASK_TEST(the_message_itself_is_shared)
{
	struct bay_subscription *one = subscribe_with("a", 0, 0, 0), *two = subscribe_with("a", 0, 0, 0);
	struct bay_message *message = bay_message_printf("shared"), *first = NULL, *second = NULL;

	ck_assert_int_eq(bay_publish("a", message, 0), BAY_OK);
	ck_assert_int_eq(bay_subscription_next(one, &first, NULL, 0), BAY_OK);
	ck_assert_int_eq(bay_subscription_next(two, &second, NULL, 0), BAY_OK);
	ck_assert_ptr_eq(bay_message_data(first), bay_message_data(message));
	ck_assert_ptr_eq(bay_message_data(second), bay_message_data(message));
	bay_message_free(message);
	bay_message_free(first);
	ck_assert_str_eq(bay_message_text(second), "shared");
	bay_message_free(second);
	ck_assert_int_eq(bay_publish("a", NULL, 0), BAY_OK);
	expect_with(one, "a", "");
	bay_unsubscribe(one);
	bay_unsubscribe(two);
	return BAY_OK;
}

struct taker {
	struct bay_subscription *subscription;
	char text[16];
	int status;
};

static int
take_one(void *arg)
{
	struct taker *taker = arg;
	struct bay_message *message = NULL;

	taker->status = bay_subscription_next(taker->subscription, &message, NULL, BAY_INHERIT);
	snprintf(taker->text, sizeof taker->text, "%s", bay_message_text(message));
	bay_message_free(message);
	return BAY_OK;
}

TASK_TEST(who_waits_longest_gets_the_next)
{
	struct bay_subscription *subscription = subscribe_with("a", 0, 0, 0);
	struct taker takers[3];
	struct bay_task *tasks[3];
	int i;

	for (i = 0; i < 3; i++) {
		takers[i] = (struct taker){subscription, "", -1};
		tasks[i] = bay_spawn("takes", take_one, &takers[i]);
	}
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(publish("a", "one", 0), BAY_OK);
	ck_assert_int_eq(publish("a", "two", 0), BAY_OK);
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	bay_unsubscribe(subscription);
	ck_assert_int_eq(bay_gather(tasks, 3, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(takers[0].text, "one");
	ck_assert_str_eq(takers[1].text, "two");
	ck_assert_int_eq(takers[2].status, BAY_CLOSED);
	for (i = 0; i < 3; i++)
		bay_task_free(tasks[i]);
	return BAY_OK;
}

/* It was given its message and had not run yet when the subscription ended. */
TASK_TEST(a_message_for_a_subscription_that_has_ended_is_given_up)
{
	struct bay_subscription *subscription = subscribe_with("a", 0, 0, 0);
	struct taker taker = {subscription, "", -1};
	struct bay_task *task = bay_spawn("takes", take_one, &taker);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(publish("a", "one", 0), BAY_OK);
	bay_unsubscribe(subscription);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(taker.status, BAY_CLOSED);
	return BAY_OK;
}

/* --- slow ones -------------------------------------------------------------------------------- */

TASK_TEST(the_oldest_make_room)
{
	struct bay_subscription *subscription = subscribe_with("a", 2, 10, BAY_SLOW_DROP_OLDEST);

	log_lines_keep();
	ck_assert_int_eq(publish("a", "one", 0), BAY_OK);
	ck_assert_int_eq(publish("a", "two", 0), BAY_OK);
	ck_assert_int_eq(publish("a", "three", 0), BAY_OK);
	ck_assert_uint_eq(bay_subscription_size(subscription), 2);
	ck_assert_uint_eq(bay_subscription_dropped(subscription), 1);
	/* By bytes, too. */
	ck_assert_int_eq(publish("a", "0123456789", 0), BAY_OK);
	ck_assert_uint_eq(bay_subscription_dropped(subscription), 3);
	/* What can never fit makes no room. */
	ck_assert_int_eq(publish("a", "0123456789a", 0), BAY_OK);
	ck_assert_uint_eq(bay_subscription_dropped(subscription), 4);
	expect_with(subscription, "a", "0123456789");
	expect_nothing(subscription);
	ck_assert_int_eq(log_lines_with("its subscription to a is too slow (2 messages, 10 bytes at most): 1 lost"), 1);
	ck_assert_int_eq(log_lines_with("too slow"), 1);
	bay_unsubscribe(subscription);
	return BAY_OK;
}

TASK_TEST(the_newest_is_dropped)
{
	struct bay_subscription *subscription = subscribe_with("a", 2, 0, BAY_SLOW_DROP_NEWEST);

	ck_assert_int_eq(publish("a", "one", 0), BAY_OK);
	ck_assert_int_eq(publish("a", "two", 0), BAY_OK);
	ck_assert_int_eq(publish("a", "three", 0), BAY_OK);
	ck_assert_uint_eq(bay_subscription_dropped(subscription), 1);
	expect_with(subscription, "a", "one");
	expect_with(subscription, "a", "two");
	expect_nothing(subscription);
	bay_unsubscribe(subscription);
	return BAY_OK;
}

TASK_TEST(a_publisher_that_waits_gives_up_at_its_deadline)
{
	struct bay_subscription *slow = subscribe_with("a", 1, 4, BAY_SLOW_WAIT),
		*fast = subscribe_with("a", 0, 0, BAY_SLOW_WAIT);

	ck_assert_int_eq(publish("a", "one", 0), BAY_OK);
	ck_assert_int_eq(publish("a", "two", bay_after(2 * BAY_MS)), BAY_TIMEOUT);
	ck_assert_uint_eq(bay_subscription_dropped(slow), 1);
	ck_assert_int_eq(publish("a", "never", BAY_INHERIT), BAY_TOO_BIG);
	ck_assert_uint_eq(bay_subscription_dropped(slow), 2);
	expect_with(slow, "a", "one");
	expect_nothing(slow);
	expect_with(fast, "a", "one");
	expect_with(fast, "a", "two");
	expect_with(fast, "a", "never");
	bay_unsubscribe(slow);
	bay_unsubscribe(fast);
	return BAY_OK;
}

struct publisher {
	const char *topic;
	const char *text;
	int status;
};

static int
publish_one(void *arg)
{
	struct publisher *publisher = arg;

	publisher->status = publish(publisher->topic, publisher->text, BAY_INHERIT);
	return BAY_OK;
}

TASK_TEST(publishers_that_wait_come_in_in_their_order)
{
	struct bay_subscription *subscription = subscribe_with(">", 1, 0, BAY_SLOW_WAIT);
	struct publisher publishers[] = {{"b", "two", -1}, {"c", "three", -1}, {"d", "four", -1}};
	struct bay_task *tasks[3];
	int i;

	ck_assert_int_eq(publish("a", "one", 0), BAY_OK);
	for (i = 0; i < 3; i++)
		tasks[i] = bay_spawn("publishes", publish_one, &publishers[i]);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(tasks[1], "enough");
	ck_assert_int_eq(bay_yield(), BAY_OK);
	expect_with(subscription, "a", "one");
	expect_with(subscription, "b", "two");
	expect_with(subscription, "d", "four");
	expect_nothing(subscription);
	ck_assert_int_eq(bay_gather_all(tasks, 3, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(publishers[0].status, BAY_OK);
	ck_assert_int_eq(publishers[1].status, BAY_CANCELED);
	ck_assert_int_eq(publishers[2].status, BAY_OK);
	ck_assert_uint_eq(bay_subscription_dropped(subscription), 1);
	for (i = 0; i < 3; i++)
		bay_task_free(tasks[i]);
	bay_unsubscribe(subscription);
	return BAY_OK;
}

TASK_TEST(an_end_lets_publishers_go_on)
{
	struct bay_subscription *subscription = subscribe_with("a", 1, 0, BAY_SLOW_WAIT);
	struct publisher publisher = {"a", "two", -1};
	struct bay_task *task;

	ck_assert_int_eq(publish("a", "one", 0), BAY_OK);
	task = bay_spawn("publishes", publish_one, &publisher);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_unsubscribe(subscription);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(publisher.status, BAY_OK);
	return BAY_OK;
}

/* --- select ------------------------------------------------------------------------------------- */

TASK_TEST(a_select_takes_from_subscriptions)
{
	struct bay_subscription *one = subscribe_with("one", 0, 0, 0), *two = subscribe_with("two", 0, 0, 0);
	struct bay_case cases[] = {bay_case_message(one), bay_case_message(two), bay_case_message(NULL)};
	struct publisher publisher = {"two", "text", -1};
	struct bay_task *task;
	size_t which = 9;

	ck_assert_int_eq(bay_select(cases, 3, &which, 0), BAY_TIMEOUT);
	ck_assert_int_eq(publish("one", "at once", 0), BAY_OK);
	ck_assert_int_eq(bay_select(cases, 3, &which, 0), BAY_OK);
	ck_assert_uint_eq(which, 0);
	ck_assert_int_eq(cases[0].status, BAY_OK);
	ck_assert_str_eq(cases[0].topic, "one");
	ck_assert_str_eq(bay_message_text(cases[0].item), "at once");
	bay_message_free(cases[0].item);
	task = bay_spawn("publishes", publish_one, &publisher);
	ck_assert_int_eq(bay_select(cases, 3, &which, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(which, 1);
	ck_assert_str_eq(cases[1].topic, "two");
	ck_assert_str_eq(bay_message_text(cases[1].item), "text");
	bay_message_free(cases[1].item);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	bay_unsubscribe(one);
	bay_unsubscribe(two);
	return BAY_OK;
}

static int
end_it(void *arg)
{
	struct taker *taker = arg;

	if (taker->text[0] != '\0')
		ck_assert_int_eq(publish(taker->text, "late", 0), BAY_OK);
	bay_unsubscribe(taker->subscription);
	return BAY_OK;
}

TASK_TEST(a_select_sees_the_end_of_a_subscription)
{
	struct taker takers[] = {{NULL, "", 0}, {NULL, "a", 0}};
	size_t i, which;

	for (i = 0; i < 2; i++) {
		struct bay_case cases[1];
		struct bay_task *task;

		takers[i].subscription = subscribe_with("a", 0, 0, 0);
		cases[0] = bay_case_message(takers[i].subscription);
		task = bay_spawn("ends", end_it, &takers[i]);
		ck_assert_int_eq(bay_select(cases, 1, &which, BAY_INHERIT), BAY_OK);
		ck_assert_int_eq(cases[0].status, BAY_CLOSED);
		ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	}
	return BAY_OK;
}

/* --- mistakes ------------------------------------------------------------------------------------- */

TASK_TEST(what_makes_no_sense_is_refused)
{
	struct bay_subscription_options options = {.length = 1};
	struct bay_subscription *subscription;

	log_lines_keep();
	ck_assert_int_eq(bay_publish("a.*", NULL, 0), BAY_INVALID);
	ck_assert_int_eq(bay_publish(NULL, NULL, 0), BAY_INVALID);
	ck_assert_int_eq(bay_subscribe("a..b", NULL, &subscription), BAY_INVALID);
	ck_assert_int_eq(bay_subscribe(NULL, NULL, &subscription), BAY_INVALID);
	ck_assert_int_eq(bay_subscribe("a", &options, &subscription), BAY_INVALID);
	options.length = sizeof options;
	options.slow = 7;
	ck_assert_int_eq(bay_subscribe("a", &options, &subscription), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_publish: 'a.*' is no topic"), 1);
	ck_assert_int_eq(log_lines_with("bay_subscribe: 'a..b': that is no pattern"), 1);
	ck_assert_int_eq(log_lines_with("bay_subscribe: 'a': "), 2);
	return BAY_OK;
}

/* --- instances ------------------------------------------------------------------------------------- */

static struct bay_subscription *forgotten;
static _Atomic(int) end_status;

static int
subscribe_in_init(struct bay_instance *instance)
{
	struct bay_subscription_options options = {.length = sizeof options, .messages = 1};

	(void)instance;
	return bay_subscribe("a.>", &options, &forgotten);
}

static int
read_in_run(struct bay_instance *instance)
{
	struct bay_message *message = NULL;
	int status;

	(void)instance;
	while ((status = bay_subscription_next(forgotten, &message, NULL, BAY_INHERIT)) == BAY_OK) {
		bay_message_free(message);
		(void)bay_sleep(FAR * BAY_SECOND);
	}
	end_status = status;
	return status;
}

static int
publish_to_the_slow(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(publish("a.first", "", 0), BAY_OK);
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_int_eq(publish("a.second", "", 0), BAY_OK);
	ck_assert_int_eq(publish("a.third", "", 0), BAY_OK);
	return BAY_OK;
}

static const struct bay_plugin subscriber = {.size = sizeof subscriber, .abi_major = BAY_ABI_MAJOR,
	.name = "test", .version = "1", .init = subscribe_in_init, .run = read_in_run};

START_TEST(the_slow_service_is_named_and_its_end_is_that_of_its_subscriptions)
{
	struct bay_service *slow;

	services_begin(0);
	slow = services_start(&(struct service_options){.name = "slow", .plugin = &subscriber});
	log_lines_keep();
	ck_assert_int_eq(services_run(publish_to_the_slow, NULL), BAY_OK);
	ck_assert_int_eq(log_lines_with("service slow: its subscription to a.> is too slow (1 messages, "
		"1048576 bytes at most): 1 lost until now, when one of topic a.third came"), 1);
	ck_assert_uint_eq(services_figures(slow).topic_waiting, 1);
	ck_assert_uint_eq(services_figures(slow).topic_lost, 1);
	ck_assert(services_stop(slow, 0, BAY_SECOND, NULL));
	ck_assert_int_eq(end_status, BAY_CANCELED);
	ck_assert_uint_eq(services_figures(slow).topic_waiting, 0);
	/* Nobody is left to lose anything. */
	ck_assert_int_eq(services_run(publish_to_the_slow, NULL), BAY_OK);
	ck_assert_uint_eq(services_figures(slow).topic_lost, 1);
	services_end();
}
END_TEST

/* --- several loops ------------------------------------------------------------------------------------ */

enum { LOOPS = 4, PUBLISHERS = 2, EACH = 3000 };

static _Atomic(unsigned) subscribed;
static _Atomic(bool) all_published;

static int
publish_numbers(void *arg)
{
	char topic[16];
	unsigned i;

	while (subscribed < LOOPS)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	snprintf(topic, sizeof topic, "n.%d", *(int *)arg);
	for (i = 0; i < EACH; i++) {
		struct bay_message *message = bay_message_int64(i);

		ck_assert_int_eq(bay_publish(topic, message, BAY_INHERIT), BAY_OK);
		bay_message_free(message);
	}
	return BAY_OK;
}

/* Gets all of every publisher, in its order. */
static int
read_numbers(void *arg)
{
	struct bay_subscription *subscription = subscribe_with("n.*", 5, 0, BAY_SLOW_WAIT);
	int64_t next[PUBLISHERS] = {0};
	unsigned i;

	(void)arg;
	subscribed++;
	for (i = 0; i < PUBLISHERS * EACH; i++) {
		struct bay_message *message = NULL;
		const char *topic;
		int64_t number;

		ck_assert_int_eq(bay_subscription_next(subscription, &message, &topic, BAY_INHERIT), BAY_OK);
		ck_assert_int_eq(bay_message_read_int64(message, &number), BAY_OK);
		ck_assert_int_eq(number, next[topic[2] - '0']++);
		bay_message_free(message);
	}
	ck_assert_uint_eq(bay_subscription_dropped(subscription), 0);
	bay_unsubscribe(subscription);
	return BAY_OK;
}

START_TEST(over_loops_nothing_is_lost_and_the_order_is_kept)
{
	struct services_job *jobs[LOOPS + PUBLISHERS];
	int numbers[PUBLISHERS];
	unsigned i;

	services_begin(LOOPS);
	subscribed = 0;
	for (i = 0; i < LOOPS; i++)
		jobs[i] = services_go(i, read_numbers, NULL);
	for (i = 0; i < PUBLISHERS; i++) {
		numbers[i] = (int)i;
		jobs[LOOPS + i] = services_go(i, publish_numbers, &numbers[i]);
	}
	for (i = 0; i < LOOPS + PUBLISHERS; i++)
		ck_assert_int_eq(services_join(jobs[i]), BAY_OK);
	services_end();
}
END_TEST

/* Comes and goes while others publish to it, in every way there is. */
static int
come_and_go(void *arg)
{
	unsigned i;

	(void)arg;
	subscribed++;
	for (i = 0; !all_published; i++) {
		struct bay_subscription *subscription = subscribe_with(i % 2 ? "n.0" : ">", 1 + i % 3, 0,
			(enum bay_slow)(i % 3));
		struct bay_message *message = NULL;
		unsigned n;

		for (n = 0; n < i % 5; n++) {
			if (bay_subscription_next(subscription, &message, NULL, bay_after(50 * BAY_US)) == BAY_OK)
				bay_message_free(message);
		}
		bay_unsubscribe(subscription);
		ck_assert_int_eq(bay_yield(), BAY_OK);
	}
	return BAY_OK;
}

static int
publish_by_the_way(void *arg)
{
	unsigned i;

	(void)arg;
	while (subscribed < LOOPS)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	for (i = 0; i < EACH; i++) {
		int status = publish("n.0", "text", bay_after(i % 4 * 100 * BAY_US));

		ck_assert(status == BAY_OK || status == BAY_TIMEOUT);
	}
	return BAY_OK;
}

START_TEST(subscriptions_may_end_while_others_publish)
{
	struct services_job *readers[LOOPS], *publishers[PUBLISHERS];
	unsigned i;

	services_begin(LOOPS);
	subscribed = 0;
	all_published = false;
	ck_assert(log_to_file("/dev/null"));
	for (i = 0; i < LOOPS; i++)
		readers[i] = services_go(i, come_and_go, NULL);
	for (i = 0; i < PUBLISHERS; i++)
		publishers[i] = services_go(i, publish_by_the_way, NULL);
	for (i = 0; i < PUBLISHERS; i++)
		ck_assert_int_eq(services_join(publishers[i]), BAY_OK);
	all_published = true;
	for (i = 0; i < LOOPS; i++)
		ck_assert_int_eq(services_join(readers[i]), BAY_OK);
	services_end();
}
END_TEST

/* --- at every await -------------------------------------------------------------------------------------- */

static int
publish_three(void *arg)
{
	int i, status = BAY_OK;

	(void)arg;
	for (i = 0; i < 3 && status == BAY_OK; i++)
		status = points_expect(publish("a", i == 0 ? "0" : i == 1 ? "1" : "2", BAY_INHERIT));
	return status;
}

static void
check_nobody_left(void)
{
	loop_drain_inbox(&run_tasks_scheduler.loop);
	run_tasks_check_nothing_left();
}

/* Whoever is cut short: each message is taken, still inside, or counted as lost. */
EVERYWHERE(publishers_and_takers, 3, check_nobody_left)
{
	struct bay_subscription *subscription = subscribe_with("a", 1, 0, BAY_SLOW_WAIT);
	struct bay_task *task = bay_spawn("publishes", publish_three, NULL);
	int64_t number, next = 0;
	int status = BAY_OK, i;

	for (i = 0; i < 3 && status == BAY_OK; i++) {
		struct bay_message *message = NULL;
		const char *topic = NULL;

		status = points_expect(bay_subscription_next(subscription, &message, &topic, bay_after(2 * BAY_SECOND)));
		if (status == BAY_OK) {
			ck_assert_str_eq(topic, "a");
			ck_assert_int_eq(bay_message_read_int64(message, &number), BAY_OK);
			ck_assert_int_ge(number, next);
			next = number + 1;
		}
		bay_message_free(message);
		if (bay_task_done(task) && bay_subscription_size(subscription) == 0)
			break;
	}
	bay_unsubscribe(subscription);
	(void)bay_gather_all(&task, 1, BAY_INHERIT);
	bay_task_free(task);
	return status;
}

EVERYWHERE(selects, 3, check_nobody_left)
{
	struct bay_subscription *one = subscribe_with("a", 1, 0, BAY_SLOW_WAIT), *two = subscribe_with("b", 0, 0, 0);
	struct bay_case cases[] = {bay_case_message(two), bay_case_message(one)};
	struct bay_task *task = bay_spawn("publishes", publish_three, NULL);
	size_t which;
	int status = points_expect(bay_select(cases, 2, &which, BAY_INHERIT));

	if (status == BAY_OK) {
		ck_assert_uint_eq(which, 1);
		bay_message_free(cases[1].item);
	}
	bay_unsubscribe(one);
	bay_unsubscribe(two);
	(void)bay_gather_all(&task, 1, BAY_INHERIT);
	bay_task_free(task);
	return status;
}

CHECK_MAIN("service/topic",
	a_message_goes_to_all_who_subscribed,
	without_subscribers_nothing_is_kept,
	the_message_itself_is_shared,
	who_waits_longest_gets_the_next,
	a_message_for_a_subscription_that_has_ended_is_given_up,
	the_oldest_make_room,
	the_newest_is_dropped,
	a_publisher_that_waits_gives_up_at_its_deadline,
	publishers_that_wait_come_in_in_their_order,
	an_end_lets_publishers_go_on,
	a_select_takes_from_subscriptions,
	a_select_sees_the_end_of_a_subscription,
	what_makes_no_sense_is_refused,
	the_slow_service_is_named_and_its_end_is_that_of_its_subscriptions,
	over_loops_nothing_is_lost_and_the_order_is_kept,
	subscriptions_may_end_while_others_publish,
	publishers_and_takers,
	selects)
