/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two services, of which b follows a: with fake cells, and with the real examiner where that is
 * needed.
 */
#include "config.h"

#include "master/service_order.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "master/listener_table.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "support/check_main.h"
#include "support/fake_master.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

static struct fake_master master;

/* b has a in this key. */
static void
open_pair(const char *orders, const char *keys_of_a, const char *key)
{
	char keys_of_b[64];

	snprintf(keys_of_b, sizeof(keys_of_b), "%s = a", key);
	fake_master_open_pair(&master, orders, keys_of_a, keys_of_b, NULL);
}

/* The same; all is ready, and what is started is examined. */
static void
open_started(const char *orders, const char *keys_of_a, const char *key)
{
	char keys_of_b[64];

	snprintf(keys_of_b, sizeof(keys_of_b), "plugin = a\n%s = a", key);
	fake_master_open_pair(&master, orders, keys_of_a, keys_of_b, &bay_cell);
	fake_master_plugin(&master, "good", "a");
	fake_master_start(&master);
}

/* What has come to be of services, in its order: "a started, b stopped". */
static const char *
happened(void)
{
	static struct buffer text;
	const struct event_record *record;
	uint64_t number = 1;

	buffer_clear(&text);
	while (event_log_next(master.events, &number, NULL, &record)) {
		if (record->kind != EVENT_STARTED && record->kind != EVENT_STOPPED &&
		    record->kind != EVENT_RESTARTED && record->kind != EVENT_FAILED)
			continue;
		ck_assert(buffer_printf(&text, "%s%s %s", text.size > 0 ? ", " : "", record->service,
			event_kind_name(record->kind)));
	}
	return text.size > 0 ? buffer_text(&text) : "";
}

/* Lets what is under way come to rest. */
static void
look(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(master.base, EVLOOP_NONBLOCK);
}

static bool
keep_first(const struct master_service *awaited, void *arg)
{
	*(const struct master_service **)arg = awaited;
	return false;
}

/* The first that it waits for; "": none. */
static const char *
awaited_by(const char *name)
{
	const struct master_service *awaited = NULL;

	if (service_order_each_awaited(service_of(&master, name), keep_first, &awaited))
		return "";
	return awaited->config->name;
}

/* --- start ------------------------------------------------------------------------------ */

START_TEST(one_that_follows_waits_until_the_other_is_ready)
{
	static const char *const keys[] = {"requires", "wants", "after"};

	for (size_t i = 0; i < 3; i++) {
		open_pair("start=late:a call=hold\n", "", keys[i]);
		fake_master_launch(&master);
		UNTIL(&master, service_of(&master, "b")->waits);
		look();
		ck_assert(is_state(&master, "b", SERVICE_STARTING));
		ck_assert_int_eq(service_of(&master, "b")->step, SERVICE_STEP_NONE);
		ck_assert_int_eq(service_of(&master, "a")->step, SERVICE_STEP_START);
		ck_assert_str_eq(awaited_by("b"), "a");
		ck_assert_str_eq(awaited_by("a"), "");
		ck_assert(!master.started);
		fake_master_crash(&master, 1);
		UNTIL(&master, master.started);
		ck_assert_str_eq(happened(), "a started, b started");
		ck_assert_str_eq(awaited_by("b"), "");
		ck_assert_ptr_eq(service_of(&master, "b")->delayed_by, service_of(&master, "a"));
		ck_assert_int_gt(service_of(&master, "b")->wait_took_ns, 0);
		ck_assert_ptr_null(service_of(&master, "a")->delayed_by);
		ck_assert_int_eq(service_of(&master, "a")->wait_took_ns, 0);
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(those_that_do_not_follow_start_side_by_side)
{
	fake_master_open(&master, "start=late:a start=late:b call=hold\n", "");
	fake_master_launch(&master);
	UNTIL(&master, service_of(&master, "a")->step == SERVICE_STEP_START);
	ck_assert_int_eq(service_of(&master, "b")->step, SERVICE_STEP_START);
	fake_master_close(&master);
}
END_TEST

START_TEST(one_that_requires_what_fails_fails_with_its_name)
{
	open_pair("start=refuse:a\n", "restart = no", "requires");
	fake_master_start(&master);
	ck_assert(is_state(&master, "b", SERVICE_FAILED));
	ck_assert_str_eq(service_of(&master, "b")->reason,
		"it requires a, which has failed: no such luck [service-requires]");
	ck_assert_str_eq(happened(), "a failed, b failed");
	ck_assert_str_eq(awaited_by("b"), "a");
	fake_master_close(&master);
}
END_TEST

START_TEST(one_that_wants_or_is_after_what_fails_starts)
{
	static const char *const keys[] = {"wants", "after"};

	for (size_t i = 0; i < 2; i++) {
		open_pair("start=refuse:a\n", "restart = no", keys[i]);
		fake_master_start(&master);
		ck_assert_str_eq(happened(), "a failed, b started");
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(one_that_failed_with_another_is_started_with_it)
{
	open_pair("start=refuse-first:a\n", "restart_delay = 10ms", "requires");
	fake_master_start(&master);
	ck_assert(service_order_has_hope(service_of(&master, "b")));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert_str_eq(happened(), "a failed, b failed, a restarted, b started");
	fake_master_close(&master);
}
END_TEST

START_TEST(hope_ends_when_the_other_is_given_up)
{
	open_pair("start=refuse:a\n", "restart_delay = 10ms\nstart_limit = 2/1m", "requires");
	fake_master_start(&master);
	ck_assert(service_order_has_hope(service_of(&master, "b")));
	UNTIL(&master, !service_order_has_hope(service_of(&master, "b")));
	ck_assert(is_state(&master, "b", SERVICE_FAILED));
	ck_assert_ptr_nonnull(strstr(service_of(&master, "a")->reason, "given up"));
	fake_master_close(&master);
}
END_TEST

START_TEST(what_is_needed_is_started_also_when_it_is_disabled)
{
	open_pair("", "enabled = no", "requires");
	fake_master_start(&master);
	ck_assert_str_eq(happened(), "a started, b started");
	fake_master_close(&master);

	open_pair("", "enabled = no", "wants");
	fake_master_start(&master);
	ck_assert_str_eq(happened(), "a started, b started");
	fake_master_close(&master);

	open_pair("", "enabled = no", "after");
	fake_master_start(&master);
	ck_assert_str_eq(happened(), "b started");
	fake_master_close(&master);
}
END_TEST

START_TEST(a_start_by_hand_starts_what_is_needed_first)
{
	static const struct {
		const char *key;
		const char *happened;
	} rows[] = {
		{"requires", "a started, b started, b stopped, a stopped, a started, b started"},
		{"wants", "a started, b started, b stopped, a stopped, a started, b started"},
		{"after", "a started, b started, b stopped, a stopped, b started"},
	};

	for (size_t i = 0; i < 3; i++) {
		open_started("", "", rows[i].key);
		service_order_stop(service_of(&master, "b"), false, NULL, NULL);
		UNTIL(&master, is_state(&master, "b", SERVICE_STOPPED));
		service_order_stop(service_of(&master, "a"), false, NULL, NULL);
		UNTIL(&master, is_state(&master, "a", SERVICE_STOPPED));
		service_order_start(service_of(&master, "b"), fake_master_on_done, &master);
		UNTIL(&master, master.answers == 1);
		ck_assert_int_eq(master.status, BAY_OK);
		ck_assert_str_eq(happened(), rows[i].happened);
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(a_start_by_itself_brings_what_is_required)
{
	open_started("call=exit\n", "", "requires");
	/* Not as an operator would: that would stop b. */
	service_control_stop(service_of(&master, "a"), false, NULL, NULL);
	UNTIL(&master, is_state(&master, "a", SERVICE_STOPPED));
	fake_master_crash(&master, 1);
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert_str_eq(happened(), "a started, b started, a stopped, a started, b restarted");
	fake_master_close(&master);
}
END_TEST

static bool
count_listener(const struct listener_view *view, void *arg)
{
	(void)view;
	++*(int *)arg;
	return true;
}

static int
listeners_of(const char *name)
{
	int count = 0;

	ck_assert(listener_table_each(master.listeners, name, count_listener, &count));
	return count;
}

START_TEST(one_that_hopes_keeps_what_it_listens_on)
{
	open_pair("listen=127.0.0.1:0 call=crash\n", "restart_delay = 1h", "requires");
	fake_master_start(&master);
	fake_master_crash(&master, 0);
	UNTIL(&master, is_state(&master, "b", SERVICE_FAILED));
	look();
	ck_assert_int_eq(listeners_of("b"), 1);
	fake_master_close(&master);

	open_pair("listen=127.0.0.1:0 call=crash\n", "restart = no", "requires");
	fake_master_start(&master);
	fake_master_crash(&master, 0);
	UNTIL(&master, is_state(&master, "b", SERVICE_FAILED));
	ck_assert_int_eq(listeners_of("b"), 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_dies_is_followed_by_one_that_starts_in_order)
{
	open_pair("call=exit\nstart=late:a call=hold\n", "", "requires");
	fake_master_start(&master);
	fake_master_crash(&master, 1);
	UNTIL(&master, service_of(&master, "b")->waits);
	look();
	ck_assert(is_state(&master, "a", SERVICE_STARTING));
	fake_master_crash(&master, 1);
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert_str_eq(happened(), "a started, b started, a restarted, b restarted");
	fake_master_close(&master);
}
END_TEST

/* --- stop ------------------------------------------------------------------------------- */

START_TEST(who_requires_it_is_stopped_before_it)
{
	open_pair("stop=late:b call=hold\n", "", "requires");
	fake_master_start(&master);
	service_order_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, is_state(&master, "b", SERVICE_STOPPING));
	look();
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert_str_eq(awaited_by("a"), "b");
	ck_assert_uint_eq(master.answers, 0);
	fake_master_crash(&master, 1);
	UNTIL(&master, is_state(&master, "a", SERVICE_STOPPED));
	ck_assert_str_eq(happened(), "a started, b started, b stopped, a stopped");
	ck_assert(!service_of(&master, "b")->wanted);
	fake_master_close(&master);
}
END_TEST

START_TEST(who_only_wants_it_goes_on)
{
	open_pair("", "", "wants");
	fake_master_start(&master);
	service_order_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert(is_state(&master, "b", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_that_waits_for_one_that_does_not_end_says_so)
{
	open_pair("stop=refuse\n", "", "requires");
	fake_master_start(&master);
	service_order_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_BUSY);
	ck_assert_msg(strncmp(master.message, "it stops after b, which does not end: 3 tasks go on", 51) == 0,
		"%s", master.message);
	ck_assert(is_state(&master, "a", SERVICE_READY));
	/* Who asks again is told again. */
	service_order_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 2);
	ck_assert_int_eq(master.status, BAY_BUSY);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_start_takes_a_stop_back_that_waits)
{
	open_pair("stop=late:b call=hold\n", "", "requires");
	fake_master_start(&master);
	service_order_stop(service_of(&master, "a"), false, NULL, NULL);
	UNTIL(&master, is_state(&master, "b", SERVICE_STOPPING));
	service_order_start(service_of(&master, "a"), fake_master_on_done, &master);
	ck_assert_uint_eq(master.answers, 1);
	ck_assert_int_eq(master.status, BAY_OK);
	fake_master_crash(&master, 1);
	UNTIL(&master, is_state(&master, "b", SERVICE_STOPPED));
	look();
	ck_assert(is_state(&master, "a", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(one_that_failed_with_another_is_stopped_with_it)
{
	open_pair("start=refuse:a\n", "restart = no", "requires");
	fake_master_start(&master);
	service_order_stop(service_of(&master, "a"), false, NULL, NULL);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	ck_assert(is_state(&master, "b", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

START_TEST(all_end_in_the_order)
{
	open_pair("stop=late:b call=hold\n", "", "after");
	fake_master_start(&master);
	supervisor_stop(master.supervisor, false);
	look();
	ck_assert(is_state(&master, "a", SERVICE_STOPPING));
	ck_assert(is_state(&master, "b", SERVICE_STOPPING));
	ck_assert_ptr_nonnull(master_cell_ready(supervisor_cell(master.supervisor, 0)));
	fake_master_crash(&master, 1);
	UNTIL(&master, master.stopped);
	ck_assert_str_eq(happened(), "a started, b started, b stopped, a stopped");
	fake_master_close(&master);
}
END_TEST

START_TEST(one_that_does_not_end_holds_the_end_up_for_its_time_only)
{
	fake_master_open_pair(&master, "stop=silent\n", "", "after = a", NULL);
	master.config->container.drain_timeout_ns = MS(30);
	fake_master_start(&master);
	supervisor_stop(master.supervisor, false);
	UNTIL(&master, master.stopped);
	ck_assert(is_state(&master, "b", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_at_once_takes_no_order)
{
	open_pair("stop=silent\n", "", "after");
	fake_master_start(&master);
	supervisor_stop(master.supervisor, false);
	look();
	ck_assert(!master.stopped);
	supervisor_stop(master.supervisor, true);
	UNTIL(&master, master.stopped);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_dies_while_they_are_stopped_is_the_end)
{
	open_pair("stop=late:b call=exit\n", "", "after");
	fake_master_start(&master);
	supervisor_stop(master.supervisor, false);
	look();
	fake_master_crash(&master, 1);
	UNTIL(&master, master.stopped);
	ck_assert(is_state(&master, "b", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

/* --- restart ------------------------------------------------------------------------------ */

START_TEST(who_requires_it_is_restarted_with_it)
{
	open_started("", "", "requires");
	service_order_restart(service_of(&master, "a"), fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_OK);
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert_str_eq(happened(), "a started, b started, b stopped, a stopped, a restarted, "
		"b restarted");
	/* With the code that it had. */
	ck_assert_str_eq(service_of(&master, "b")->image->source, "/nowhere/a.so");
	ck_assert_str_ne(service_of(&master, "a")->image->source, "/nowhere/a.so");
	fake_master_close(&master);
}
END_TEST

START_TEST(who_wants_it_is_not_restarted_with_it)
{
	open_started("", "", "wants");
	service_order_restart(service_of(&master, "a"), fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_str_eq(happened(), "a started, b started, a stopped, a restarted");
	fake_master_close(&master);
}
END_TEST

START_TEST(a_restart_that_is_refused_restarts_nobody)
{
	open_started("", "", "requires");
	fake_master_plugin(&master, "crashes", "a");
	service_order_restart(service_of(&master, "a"), fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_INVALID);
	ck_assert_str_eq(happened(), "a started, b started");
	fake_master_close(&master);
}
END_TEST

START_TEST(a_restart_of_what_is_down_starts_what_is_needed)
{
	open_started("", "", "requires");
	service_order_stop(service_of(&master, "a"), false, NULL, NULL);
	UNTIL(&master, is_state(&master, "a", SERVICE_STOPPED));
	service_order_restart(service_of(&master, "b"), fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

/* --- companions ------------------------------------------------------------------------- */

START_TEST(companions_are_those_to_whom_it_happens_too)
{
	struct master_service **others;

	open_pair("", "", "requires");
	fake_master_start(&master);
	others = service_order_companions(service_of(&master, "a"), SERVICE_ORDER_STOP);
	ck_assert_ptr_eq(others[0], service_of(&master, "b"));
	ck_assert_ptr_null(others[1]);
	free(others);
	others = service_order_companions(service_of(&master, "b"), SERVICE_ORDER_STOP);
	ck_assert_ptr_null(others[0]);
	free(others);
	/* It runs. */
	others = service_order_companions(service_of(&master, "b"), SERVICE_ORDER_START);
	ck_assert_ptr_null(others[0]);
	free(others);
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/service_order",
	one_that_follows_waits_until_the_other_is_ready,
	those_that_do_not_follow_start_side_by_side,
	one_that_requires_what_fails_fails_with_its_name,
	one_that_wants_or_is_after_what_fails_starts,
	one_that_failed_with_another_is_started_with_it,
	hope_ends_when_the_other_is_given_up,
	what_is_needed_is_started_also_when_it_is_disabled,
	a_start_by_hand_starts_what_is_needed_first,
	a_start_by_itself_brings_what_is_required,
	one_that_hopes_keeps_what_it_listens_on,
	a_cell_that_dies_is_followed_by_one_that_starts_in_order,
	who_requires_it_is_stopped_before_it,
	who_only_wants_it_goes_on,
	a_stop_that_waits_for_one_that_does_not_end_says_so,
	a_start_takes_a_stop_back_that_waits,
	one_that_failed_with_another_is_stopped_with_it,
	all_end_in_the_order,
	one_that_does_not_end_holds_the_end_up_for_its_time_only,
	a_stop_at_once_takes_no_order,
	a_cell_that_dies_while_they_are_stopped_is_the_end,
	who_requires_it_is_restarted_with_it,
	who_wants_it_is_not_restarted_with_it,
	a_restart_that_is_refused_restarts_nobody,
	a_restart_of_what_is_down_starts_what_is_needed,
	companions_are_those_to_whom_it_happens_too)
