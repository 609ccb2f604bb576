/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/resolver_cache.h"

#include <stdio.h>
#include <stdlib.h>

#include <bay/status.h>

#include "io/resolver_answer.h"
#include "support/check_main.h"

#define S RESOLVER_TTL_MIN_NS

/* Keeps one that is true for so long; the cache holds it alone. */
static void
keep(struct resolver_cache *cache, const char *name, int status, int64_t ttl_ns, int64_t now_ns)
{
	struct resolver_answer *answer = resolver_answer_create(status, NULL);

	ck_assert_ptr_nonnull(answer);
	answer->ttl_ns = ttl_ns;
	resolver_cache_keep(cache, name, answer, now_ns);
	resolver_answer_unref(answer);
}

/* How long an answer is found, in seconds; -1: for ever. */
static int64_t
life(int status, int64_t ttl_ns)
{
	struct resolver_cache *cache = resolver_cache_create(4);
	int64_t life = 0;

	keep(cache, "a", status, ttl_ns, 100 * S);
	while (life < 10000 && resolver_cache_find(cache, "a", (100 + life) * S) != NULL)
		life++;
	resolver_cache_destroy(cache);
	return life < 10000 ? life : -1;
}

START_TEST(an_answer_is_true_for_its_time_within_bounds)
{
	ck_assert_int_eq(life(BAY_OK, 60 * S), 60);
	ck_assert_int_eq(life(BAY_OK, 0), 1);
	ck_assert_int_eq(life(BAY_OK, 100000 * S), 3600);
	ck_assert_int_eq(life(BAY_NOT_FOUND, 100 * S), 5);
	ck_assert_int_eq(life(BAY_IO, 100 * S), 1);
	ck_assert_int_eq(life(BAY_TIMEOUT, 100 * S), 0);
	ck_assert_int_eq(life(BAY_CLOSED, 100 * S), 0);
}
END_TEST

START_TEST(a_moment_before_the_end_it_is_still_true)
{
	struct resolver_cache *cache = resolver_cache_create(4);

	keep(cache, "a", BAY_OK, 60 * S, 0);
	ck_assert_ptr_nonnull(resolver_cache_find(cache, "a", 60 * S - 1));
	ck_assert_ptr_null(resolver_cache_find(cache, "a", 60 * S));
	ck_assert_uint_eq(resolver_cache_count(cache), 0);
	resolver_cache_destroy(cache);
}
END_TEST

START_TEST(a_later_answer_takes_the_place_of_an_earlier_one)
{
	struct resolver_cache *cache = resolver_cache_create(4);

	keep(cache, "a", BAY_OK, 60 * S, 0);
	keep(cache, "a", BAY_NOT_FOUND, 0, 0);
	ck_assert_int_eq(resolver_cache_find(cache, "a", 0)->status, BAY_NOT_FOUND);
	ck_assert_uint_eq(resolver_cache_count(cache), 1);
	/* That nobody answered says that the earlier one is not known to be true. */
	keep(cache, "a", BAY_TIMEOUT, 0, 0);
	ck_assert_ptr_null(resolver_cache_find(cache, "a", 0));
	resolver_cache_destroy(cache);
}
END_TEST

START_TEST(when_it_is_full_the_one_goes_that_nobody_asked_for)
{
	struct resolver_cache *cache = resolver_cache_create(3);
	char name[16];

	keep(cache, "a", BAY_OK, 60 * S, 0);
	keep(cache, "b", BAY_OK, 60 * S, 0);
	keep(cache, "c", BAY_OK, 60 * S, 0);
	ck_assert_ptr_nonnull(resolver_cache_find(cache, "a", 0));
	keep(cache, "d", BAY_OK, 60 * S, 0);
	ck_assert_ptr_null(resolver_cache_find(cache, "b", 0));
	ck_assert_ptr_nonnull(resolver_cache_find(cache, "a", 0));
	ck_assert_ptr_nonnull(resolver_cache_find(cache, "c", 0));
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "n%d", i);
		keep(cache, name, BAY_OK, 60 * S, 0);
		ck_assert_uint_eq(resolver_cache_count(cache), 3);
	}
	resolver_cache_destroy(cache);
}
END_TEST

START_TEST(who_holds_an_answer_keeps_it)
{
	struct resolver_cache *cache = resolver_cache_create(3);
	struct resolver_answer *held;

	keep(cache, "a", BAY_OK, 60 * S, 0);
	held = resolver_answer_ref(resolver_cache_find(cache, "a", 0));
	resolver_cache_clear(cache);
	ck_assert_uint_eq(resolver_cache_count(cache), 0);
	ck_assert_ptr_null(resolver_cache_find(cache, "a", 0));
	ck_assert_int_eq(held->status, BAY_OK);
	resolver_answer_unref(held);
	resolver_cache_destroy(cache);
	resolver_cache_destroy(NULL);
}
END_TEST

CHECK_MAIN("io/resolver_cache",
	an_answer_is_true_for_its_time_within_bounds,
	a_moment_before_the_end_it_is_still_true,
	a_later_answer_takes_the_place_of_an_earlier_one,
	when_it_is_full_the_one_goes_that_nobody_asked_for,
	who_holds_an_answer_keeps_it)
