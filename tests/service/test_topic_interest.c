/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/topic_interest.h"

#include <stdio.h>
#include <string.h>

#include <bay/bay.h>

#include "support/services.h"

static int changes;

static void
on_change(void *arg)
{
	ck_assert_ptr_eq(arg, &changes);
	changes++;
}

static void
append(const char *pattern, void *arg)
{
	strcat(arg, pattern);
	strcat(arg, " ");
}

static void
expect(enum topic_class class, const char *expected)
{
	char patterns[256] = "";

	topic_interest_each(class, append, patterns);
	ck_assert_str_eq(patterns, expected);
}

START_TEST(each_pattern_is_wanted_once_until_the_last_that_has_it_has_ended)
{
	changes = 0;
	topic_interest_watch(on_change, &changes);
	topic_interest_add(TOPIC_DROP, "a");
	topic_interest_add(TOPIC_DROP, "a");
	topic_interest_add(TOPIC_WAIT, "a");
	topic_interest_add(TOPIC_DROP, "b.*");
	ck_assert_int_eq(changes, 3);
	expect(TOPIC_DROP, "a b.* ");
	expect(TOPIC_WAIT, "a ");
	topic_interest_remove(TOPIC_DROP, "a");
	ck_assert_int_eq(changes, 3);
	topic_interest_remove(TOPIC_DROP, "a");
	topic_interest_remove(TOPIC_WAIT, "a");
	ck_assert_int_eq(changes, 5);
	expect(TOPIC_DROP, "b.* ");
	expect(TOPIC_WAIT, "");
	topic_interest_watch(NULL, NULL);
	topic_interest_remove(TOPIC_DROP, "b.*");
	ck_assert_int_eq(changes, 5);
}
END_TEST

static int
subscribe(void *arg)
{
	struct bay_subscription_options options = {.length = sizeof options, .slow = BAY_SLOW_WAIT};
	struct bay_subscription *waits, *newest, *oldest;

	(void)arg;
	ck_assert_int_eq(bay_subscribe("a.>", &options, &waits), BAY_OK);
	options.slow = BAY_SLOW_DROP_NEWEST;
	ck_assert_int_eq(bay_subscribe("b", &options, &newest), BAY_OK);
	ck_assert_int_eq(bay_subscribe("c", NULL, &oldest), BAY_OK);
	expect(TOPIC_WAIT, "a.> ");
	expect(TOPIC_DROP, "b c ");
	bay_unsubscribe(waits);
	bay_unsubscribe(newest);
	bay_unsubscribe(oldest);
	expect(TOPIC_WAIT, "");
	expect(TOPIC_DROP, "");
	return BAY_OK;
}

START_TEST(subscriptions_say_what_they_want)
{
	services_begin(0);
	ck_assert_int_eq(services_run(subscribe, NULL), BAY_OK);
	services_end();
}
END_TEST

CHECK_MAIN("service/topic_interest",
	each_pattern_is_wanted_once_until_the_last_that_has_it_has_ended,
	subscriptions_say_what_they_want)
