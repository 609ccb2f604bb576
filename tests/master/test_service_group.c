/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A group of two, a and b, with fake cells: who goes with whom, who waits, in which order they
 * stop, and what the failure of one in the middle of a swap is to the other.
 */
#include "config.h"

#include "master/service_group.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/service_swap.h"
#include "support/check_main.h"
#include "support/fake_master.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

static struct fake_master master;
static struct master_service *a, *b;

/* Services a and b of one group, in this order; strategy NULL: the group is b's only. */
static void
open_group(const char *orders, const char *strategy, const char *keys_of_a, const char *keys_of_b,
	const struct program *examiner)
{
	char of_a[200], of_b[200];

	snprintf(of_a, sizeof(of_a), "%s\n%s", strategy != NULL ? "group = team" : "", keys_of_a);
	snprintf(of_b, sizeof(of_b), "group = team\n%s\n[group team]\nstrategy = %s", keys_of_b,
		strategy != NULL ? strategy : "one-for-all");
	fake_master_open_pair(&master, orders, of_a, of_b, examiner);
	a = service_of(&master, "a");
	b = service_of(&master, "b");
}

/* --- who goes with whom ------------------------------------------------------------------------ */

START_TEST(only_who_comes_later_follows_and_only_where_there_is_an_order)
{
	static const struct {
		const char *strategy;
		enum config_strategy is;
		bool follows;
	} groups[] = {
		{"one-for-one", CONFIG_ONE_FOR_ONE, false},
		{"one-for-all", CONFIG_ONE_FOR_ALL, true},
		{"rest-for-one", CONFIG_REST_FOR_ONE, true},
		{NULL, CONFIG_ONE_FOR_ONE, false},
	};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		open_group("", groups[i].strategy, "", "", NULL);
		ck_assert_int_eq(service_group_strategy(a), groups[i].is);
		ck_assert_int_eq(service_group_follows(b, a), groups[i].follows);
		ck_assert(!service_group_follows(a, b));
		ck_assert(!service_group_follows(a, a));
		/* One that the configuration has no more is of no group. */
		a->gone = true;
		ck_assert(!service_group_follows(b, a));
		a->gone = false;
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(the_keys_of_the_order_come_before_that_of_the_files)
{
	open_group("", "rest-for-one", "after = b", "", NULL);
	ck_assert(service_group_follows(a, b));
	ck_assert(!service_group_follows(b, a));
	fake_master_close(&master);
}
END_TEST

/* Appends the names of those that are shown, up to the limit. */
struct names {
	char text[16];
	size_t limit;
};

static bool
add_name(const struct master_service *member, void *arg)
{
	struct names *names = arg;

	strcat(names->text, member->config->name);
	return strlen(names->text) < names->limit;
}

START_TEST(the_members_are_shown_in_their_order_to_each_of_them)
{
	struct names all = {.limit = 9}, one = {.limit = 1}, alone = {.limit = 9};

	open_group("", "rest-for-one", "after = b", "", NULL);
	ck_assert(service_group_each(a, add_name, &all));
	ck_assert(service_group_each(b, add_name, &all));
	ck_assert_str_eq(all.text, "baba");
	ck_assert(!service_group_each(a, add_name, &one));
	ck_assert_str_eq(one.text, "b");
	fake_master_close(&master);
	open_group("", NULL, "", "", NULL);
	ck_assert(service_group_each(a, add_name, &alone));
	ck_assert_str_eq(alone.text, "a");
	fake_master_close(&master);
}
END_TEST

/* --- starts -------------------------------------------------------------------------------------- */

/* What the state of one is to the start of the other. */
static void
put(struct master_service *service, enum service_state state, bool wanted)
{
	service->state = state;
	service->wanted = wanted;
	service->leaving = false;
	service->grouped = false;
	service->given_up = false;
	service->next_try_ns = 0;
}

START_TEST(a_start_waits_for_who_is_on_its_way_and_not_for_who_is_not)
{
	open_group("", "rest-for-one", "", "", NULL);
	put(a, SERVICE_STARTING, true);
	ck_assert_int_eq(service_group_ask(b, a), GROUP_WAIT);
	put(a, SERVICE_READY, true);
	ck_assert_int_eq(service_group_ask(b, a), GROUP_GO);
	a->leaving = true;
	ck_assert_int_eq(service_group_ask(b, a), GROUP_WAIT);
	/* What an operator has stopped is nothing to the others. */
	put(a, SERVICE_STOPPED, false);
	ck_assert_int_eq(service_group_ask(b, a), GROUP_GO);
	put(a, SERVICE_STOPPED, true);
	ck_assert_int_eq(service_group_ask(b, a), GROUP_WAIT);
	put(a, SERVICE_STOPPING, false);
	ck_assert_int_eq(service_group_ask(b, a), GROUP_GO);
	put(a, SERVICE_STOPPING, true);
	ck_assert_int_eq(service_group_ask(b, a), GROUP_WAIT);
	/* One that is not to be started again. */
	put(a, SERVICE_FAILED, true);
	ck_assert_int_eq(service_group_ask(b, a), GROUP_GO);
	a->grouped = true;
	ck_assert_int_eq(service_group_ask(b, a), GROUP_WAIT);
	a->given_up = true;
	ck_assert_int_eq(service_group_ask(b, a), GROUP_NEVER);
	a->given_up = false;
	a->next_try_ns = 1;
	ck_assert_int_eq(service_group_ask(b, a), GROUP_NEVER);
	/* It goes before. */
	put(b, SERVICE_STARTING, true);
	ck_assert_int_eq(service_group_ask(a, b), GROUP_GO);
	put(a, SERVICE_STOPPED, false);
	put(b, SERVICE_STOPPED, false);
	fake_master_close(&master);
}
END_TEST

START_TEST(in_one_for_all_the_first_waits_for_the_end_of_those_behind_it)
{
	static const struct {
		enum service_state state;
		bool leaving;
		enum group_answer answer;
	} states[] = {
		{SERVICE_STARTING, false, GROUP_GO},
		{SERVICE_READY, false, GROUP_GO},
		{SERVICE_READY, true, GROUP_WAIT},
		{SERVICE_STOPPING, false, GROUP_WAIT},
		{SERVICE_STOPPED, false, GROUP_GO},
	};

	open_group("", "one-for-all", "", "", NULL);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		put(b, states[i].state, true);
		b->leaving = states[i].leaving;
		ck_assert_int_eq(service_group_ask(a, b), states[i].answer);
	}
	put(b, SERVICE_STOPPED, false);
	fake_master_close(&master);
}
END_TEST

/* --- ends ---------------------------------------------------------------------------------------- */

/* Those that have stopped, in their order. */
static const char *
stopped(void)
{
	static char text[16];
	const struct event_record *record;
	uint64_t number = 1;

	text[0] = '\0';
	while (event_log_next(master.events, &number, NULL, &record))
		if (record->kind == EVENT_STOPPED && strlen(text) < sizeof(text) - 2)
			strcat(text, record->service);
	return text;
}

START_TEST(at_the_end_those_that_started_last_stop_first)
{
	static const struct {
		const char *strategy;
		const char *keys_of_a;
		const char *first;
	} groups[] = {{"rest-for-one", "", "b"}, {"one-for-all", "", "b"}, {"one-for-all", "after = b", "a"}};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const char *late = *groups[i].first == 'b' ? "stop=late:b call=echo" : "stop=late:a call=echo";
		const struct master_service *other;

		open_group(late, groups[i].strategy, groups[i].keys_of_a, "", NULL);
		other = *groups[i].first == 'b' ? a : b;
		fake_master_start(&master);
		supervisor_stop(master.supervisor, false);
		/* The cell answers to this only when it has been told all that came before, and that stops the
		 * one that is late. */
		ck_assert_str_eq(stopped(), "");
		cell_process_call(master_cell_process(supervisor_cell(master.supervisor, 0)), CELL_CALL,
			json_pack("{s:s}", "service", "a"), -1, 0, cell_reply_ignore, NULL);
		UNTIL(&master, strlen(stopped()) >= 1);
		ck_assert_str_eq(stopped(), groups[i].first);
		ck_assert_int_eq(other->state, SERVICE_STOPPING);
		UNTIL(&master, master.stopped);
		fake_master_close(&master);
	}
}
END_TEST

/* a is swapped to another plugin when its cell dies of it; b is in another cell. */
static void
crash_in_a_swap(const char *strategy)
{
	static const struct swap_wish wish = {.by = {EVENT_BY_USER, 7, 8}};

	/* Either cell may be the first to take its orders. */
	open_group("swap=hold call=crash\nswap=hold call=crash\n", strategy, "restart_delay = 1ms", "plugin = a\nisolate = yes",
		&bay_cell);
	fake_master_plugin(&master, "good", "a");
	fake_master_start(&master);
	fake_master_plugin(&master, "late", "a");
	service_swap_reload(a, &wish);
	UNTIL(&master, a->step == SERVICE_STEP_SWAP);
	fake_master_crash(&master, 0);
	UNTIL(&master, a->state == SERVICE_READY && b->state == SERVICE_READY);
}

START_TEST(a_crash_in_a_swap_is_one_of_the_group)
{
	crash_in_a_swap("one-for-all");
	UNTIL(&master, b->restarts == 1 && b->state == SERVICE_READY && a->state == SERVICE_READY);
	ck_assert_str_eq(stopped(), "b");
	fake_master_close(&master);
	crash_in_a_swap("rest-for-one");
	UNTIL(&master, b->restarts == 1 && b->state == SERVICE_READY && a->state == SERVICE_READY);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_crash_in_a_swap_is_nothing_to_a_group_of_one_for_one)
{
	crash_in_a_swap("one-for-one");
	ck_assert_uint_eq(b->restarts, 0);
	ck_assert_str_eq(stopped(), "");
	fake_master_close(&master);
}
END_TEST

/* What was refused has never served, and what serves has never stopped. */
START_TEST(a_swap_that_is_refused_is_nothing_to_the_group)
{
	static const struct swap_wish wish = {.by = {EVENT_BY_USER, 7, 8}};

	open_group("swap=refuse\n", "one-for-all", "", "plugin = a", &bay_cell);
	fake_master_plugin(&master, "good", "a");
	fake_master_start(&master);
	fake_master_plugin(&master, "late", "a");
	service_swap_reload(a, &wish);
	UNTIL(&master, a->step == SERVICE_STEP_SWAP);
	UNTIL(&master, a->step == SERVICE_STEP_NONE);
	for (int turn = 0; turn < 5; turn++)
		event_base_loop(master.base, EVLOOP_NONBLOCK);
	ck_assert(!a->group_due);
	ck_assert(is_state(&master, "a", SERVICE_READY) && is_state(&master, "b", SERVICE_READY));
	ck_assert_uint_eq(b->restarts, 0);
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/service_group",
	only_who_comes_later_follows_and_only_where_there_is_an_order,
	the_keys_of_the_order_come_before_that_of_the_files,
	the_members_are_shown_in_their_order_to_each_of_them,
	a_start_waits_for_who_is_on_its_way_and_not_for_who_is_not,
	in_one_for_all_the_first_waits_for_the_end_of_those_behind_it,
	at_the_end_those_that_started_last_stop_first,
	a_crash_in_a_swap_is_one_of_the_group,
	a_crash_in_a_swap_is_nothing_to_a_group_of_one_for_one,
	a_swap_that_is_refused_is_nothing_to_the_group)
