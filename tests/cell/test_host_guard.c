/* SPDX-License-Identifier: BSD-2-Clause */
/* What is before the calls of a service, by the host: on all its loops, and told when it changes. */
#include "config.h"

#include "cell/host_guard.h"

#include <string.h>

#include "cell/hosts.h"
#include "protocol/cell_link.h"
#include "service/instance.h"
#include "service/registry.h"

#define HOUR (3600 * BAY_SECOND)

/* Sets a breaker for service a and waits until all loops have seen it. Percent 0: none. */
static void
set_guard(int percent, bool reset)
{
	const struct cell_guard guard = {.service = "a", .slot = 0, .breaker = percent, .breaker_calls = 2,
		.breaker_window_ns = HOUR, .breaker_delay_ns = HOUR, .breaker_trials = 1, .reset = reset};

	host_guard(host, &guard, on_done, ++last_id);
	ck_assert_int_eq(wait_for(last_id).status, BAY_OK);
}

static bool
is_watched(unsigned loop)
{
	return registry_get("a")->instances[loop]->watched;
}

START_TEST(all_instances_of_a_service_see_that_there_is_a_breaker)
{
	begin(2);
	start("a", 0, NULL);
	ck_assert(!is_watched(0) && !is_watched(1));
	set_guard(50, false);
	ck_assert(is_watched(0) && is_watched(1));
	set_guard(0, false);
	ck_assert(!is_watched(0) && !is_watched(1));
	finish();
}
END_TEST

START_TEST(it_may_be_set_before_the_start_and_new_code_has_it_too)
{
	begin(1);
	set_guard(50, false);
	start("a", 1, NULL);
	ck_assert(is_watched(0));
	ck_assert_int_eq(wait_for(begin_swap("a", PROBE, 2)).status, BAY_OK);
	ck_assert(is_watched(0));
	finish();
}
END_TEST

static void
wait_told(int times)
{
	while (breaker_told.times < times)
		turn();
}

START_TEST(that_it_opens_is_told_and_a_reset_closes_it)
{
	struct status_breaker_view view;

	begin(1);
	set_guard(50, false);
	start("a", 1, "handle fails");
	expect("a", BAY_IO, "handle ends");
	expect("a", BAY_IO, "handle ends");
	expect("a", BAY_CLOSED, "calls to service a are refused, since 100% of 2 calls failed");
	wait_told(1);
	ck_assert_int_eq(breaker_told.state, CELL_BREAKER_OPEN);
	ck_assert_str_eq(breaker_told.service, "a");
	ck_assert_ptr_nonnull(strstr(breaker_told.why, "100% of 2 calls failed (breaker = 50%), next try in "));
	status_page_read_breaker(&page, 0, &view);
	ck_assert_int_eq(view.state, STATUS_BREAKER_OPEN);
	ck_assert_uint_eq(view.failed, 2);
	/* The same again is no reset. */
	set_guard(50, false);
	expect("a", BAY_CLOSED, "[breaker-open]");
	set_guard(50, true);
	wait_told(2);
	ck_assert_int_eq(breaker_told.state, CELL_BREAKER_CLOSED);
	expect("a", BAY_IO, "handle ends");
	finish();
}
END_TEST

START_TEST(a_name_that_is_none_is_refused)
{
	const struct cell_guard guard = {.service = "a b", .breaker_calls = 1, .breaker_window_ns = 1,
		.breaker_delay_ns = 1, .breaker_trials = 1};

	begin(1);
	host_guard(host, &guard, on_done, ++last_id);
	ck_assert_int_eq(wait_for(last_id).status, BAY_INVALID);
	finish();
}
END_TEST

CHECK_MAIN("cell/host_guard",
	all_instances_of_a_service_see_that_there_is_a_breaker,
	it_may_be_set_before_the_start_and_new_code_has_it_too,
	that_it_opens_is_told_and_a_reset_closes_it,
	a_name_that_is_none_is_refused)
