/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/registry.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"
#include "support/log_lines.h"

START_TEST(a_name_has_one_record)
{
	struct bay_service *one, *two;

	registry_init(64);
	one = registry_get("one");
	two = registry_get("two");
	ck_assert_ptr_nonnull(one);
	ck_assert_ptr_ne(one, two);
	ck_assert_ptr_eq(registry_get("one"), one);
	ck_assert_ptr_eq(bay_service("one"), one);
	ck_assert_str_eq(bay_service_name(one), "one");
	ck_assert_str_eq(bay_service_name(NULL), "?");
	ck_assert_uint_eq(registry_count(), 2);
	ck_assert_ptr_eq(registry_at(one->id), one);
	ck_assert_ptr_eq(registry_at(two->id), two);
	ck_assert_int_eq(service_state(one), SERVICE_UNKNOWN);
	ck_assert_str_eq(one->subject, "service one");
	registry_finish();
	ck_assert_uint_eq(registry_count(), 0);
}
END_TEST

START_TEST(what_is_a_name_and_what_is_not)
{
	static const char *const good[] = {"a", "A9", "_", "a-b.c_d", "0",
		"123456789012345678901234567890123456789012345678"};
	static const char *const bad[] = {"", ".a", "-a", "a b", "a/b", "a\n", "\xc3\xa4", "a:b", "..",
		"1234567890123456789012345678901234567890123456789"};
	size_t i;

	registry_init(64);
	log_lines_keep();
	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		ck_assert_msg(service_name_is_valid(good[i]), "%s", good[i]);
		ck_assert_str_eq(bay_service_name(bay_service(good[i])), good[i]);
	}
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_msg(!service_name_is_valid(bad[i]), "%s", bad[i]);
		ck_assert_ptr_null(bay_service(bad[i]));
	}
	ck_assert_ptr_null(bay_service(NULL));
	ck_assert_int_eq(log_lines_with("is no name of a service"), (int)(sizeof bad / sizeof bad[0] + 1));
	ck_assert_uint_eq(registry_count(), sizeof good / sizeof good[0]);
	registry_finish();
}
END_TEST

START_TEST(there_is_an_end_to_names)
{
	char name[16];
	unsigned i;

	registry_init(64);
	for (i = 0; i < REGISTRY_MAX; i++) {
		snprintf(name, sizeof name, "s%u", i);
		ck_assert_ptr_nonnull(registry_get(name));
	}
	ck_assert_ptr_null(registry_get("one-too-many"));
	ck_assert_ptr_nonnull(registry_get("s17"));
	for (i = 0; i < REGISTRY_MAX; i++)
		ck_assert_uint_eq(registry_at((uint16_t)i)->id, i);
	registry_finish();
}
END_TEST

enum { NAMES = 300 };

static void *
get_all(void *arg)
{
	struct bay_service **found = arg;
	char name[16];
	int i;

	for (i = 0; i < NAMES; i++) {
		snprintf(name, sizeof name, "s%d", i);
		found[i] = registry_get(name);
		ck_assert_ptr_eq(registry_at(found[i]->id), found[i]);
	}
	return NULL;
}

START_TEST(many_threads_find_the_same_records)
{
	static struct bay_service *found[4][NAMES];
	pthread_t threads[4];
	int i;

	registry_init(64);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, get_all, found[i]), 0);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (i = 1; i < 4; i++)
		ck_assert_int_eq(memcmp(found[i], found[0], sizeof found[0]), 0);
	ck_assert_uint_eq(registry_count(), NAMES);
	registry_finish();
}
END_TEST

START_TEST(the_depth_has_a_limit_of_its_own)
{
	registry_init(5);
	ck_assert_uint_eq(registry_max_depth, 5);
	registry_finish();
	registry_init(100000);
	ck_assert_uint_eq(registry_max_depth, 64);
	registry_finish();
}
END_TEST

CHECK_MAIN("service/registry",
	a_name_has_one_record,
	what_is_a_name_and_what_is_not,
	there_is_an_end_to_names,
	many_threads_find_the_same_records,
	the_depth_has_a_limit_of_its_own)
