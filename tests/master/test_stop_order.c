/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With fake cells that print what they are told, and answer a stop when the test lets them. Services
 * are in the cell main unless it says otherwise; their slots are not in the order of the stops.
 */
#include "config.h"

#include "master/stop_order.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "master/cell_process.h"
#include "master/service_waiters.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

#define LATE "tell=all stop=late:a stop=late:b stop=late:c stop=late:d call=hold shutdown=silent\n"

static struct fake_master fake;
static struct stop_order *order;
static unsigned over; /* times that its end was told */

/* All are ready, and an order is made, beside that of the supervisor. */
static void
open_services(const char *orders, const char *keys_of_a, const char *keys_of_b)
{
	log_lines_keep();
	fake_master_open_pair(&fake, orders, keys_of_a, keys_of_b, NULL);
	fake_master_start(&fake);
	order = stop_order_create(fake.supervisor);
	over = 0;
}

static void
close_services(void)
{
	stop_order_give_up(order);
	supervisor_destroy(fake.supervisor);
	fake.supervisor = NULL;
	stop_order_destroy(order);
	fake_master_close(&fake);
}

static void
on_over(void *arg)
{
	ck_assert_ptr_eq(arg, &fake);
	over++;
}

static void
begin_until(int64_t until_ns)
{
	for (size_t i = 0; i < supervisor_count(fake.supervisor); i++) {
		struct master_service *service = supervisor_service(fake.supervisor, i);

		service->wanted = false;
		if (service->state == SERVICE_READY)
			master_service_set_state(service, SERVICE_STOPPING, NULL);
	}
	stop_order_begin(order, until_ns, on_over, &fake);
}

/* Its time does not come to an end. */
static void
begin(void)
{
	begin_until(clock_monotonic_ns() + MS(1000000));
}

/* The names of all that have been told to stop: "bc"; ! behind one that was told twice. */
static const char *
stops(void)
{
	static char names[32];
	size_t length = 0;

	fake_master_await_told(&fake);
	for (char name = 'a'; name <= 'd'; name++) {
		char told[64];
		int times;

		snprintf(told, sizeof(told), "\"hold\":false,\"service\":\"%c\"}", name);
		times = log_lines_with(told);
		if (times > 0)
			names[length++] = name;
		if (times > 1)
			names[length++] = '!';
	}
	names[length] = '\0';
	return names;
}

/* What that cell has not answered yet it answers, and what follows from that is done. */
static void
let_stop(size_t cell)
{
	fake.answers = 0;
	cell_process_call(master_cell_process(supervisor_cell(fake.supervisor, cell)), CELL_CALL,
		json_pack("{s:i}", "slot", 1), -1, 0, fake_master_on_reply, &fake);
	UNTIL(&fake, fake.answers == 1);
}

static void
expect_states(enum service_state of_a, enum service_state of_b, enum service_state of_c)
{
	ck_assert_int_eq(service_of(&fake, "a")->state, of_a);
	ck_assert_int_eq(service_of(&fake, "b")->state, of_b);
	ck_assert_int_eq(service_of(&fake, "c")->state, of_c);
}

/* --- who is stopped, and when ------------------------------------------------------------------------ */

START_TEST(each_is_stopped_once_those_that_follow_it_have_stopped)
{
	static const char *const keys[] = {"requires", "wants", "after"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		char of_b[200];

		/* c follows a, a follows b, b follows d, which follows nobody. */
		snprintf(of_b, sizeof(of_b), "%s = d\n[service c]\n%s = a\n[service d]", keys[i], keys[i]);
		open_services(LATE, "after = b", of_b);
		begin();
		ck_assert_str_eq(stops(), "c");
		expect_states(SERVICE_STOPPING, SERVICE_STOPPING, SERVICE_STOPPING);
		let_stop(0);
		ck_assert_str_eq(stops(), "ac");
		expect_states(SERVICE_STOPPING, SERVICE_STOPPING, SERVICE_STOPPED);
		let_stop(0);
		ck_assert_str_eq(stops(), "abc");
		expect_states(SERVICE_STOPPED, SERVICE_STOPPING, SERVICE_STOPPED);
		ck_assert_uint_eq(over, 0);
		let_stop(0);
		/* That is for the end of its cell. */
		ck_assert_str_eq(stops(), "abc");
		expect_states(SERVICE_STOPPED, SERVICE_STOPPED, SERVICE_STOPPED);
		ck_assert(is_state(&fake, "d", SERVICE_STOPPING));
		ck_assert_uint_eq(over, 1);
		close_services();
	}
}
END_TEST

START_TEST(all_that_follow_one_are_waited_for_in_whatever_cells)
{
	open_services(LATE LATE, "after = d", "cell = other\nafter = a\n[service c]\nafter = a\n[service d]");
	begin();
	ck_assert_str_eq(stops(), "bc");
	let_stop(0);
	ck_assert_str_eq(stops(), "bc");
	expect_states(SERVICE_STOPPING, SERVICE_STOPPING, SERVICE_STOPPED);
	let_stop(1);
	ck_assert_str_eq(stops(), "abc");
	ck_assert_uint_eq(over, 0);
	let_stop(0);
	ck_assert_uint_eq(over, 1);
	close_services();
}
END_TEST

START_TEST(one_that_follows_two_is_stopped_once)
{
	open_services(LATE, "after = d", "after = d\n[service c]\nrequires = a\nwants = b\n[service d]");
	begin();
	ck_assert_str_eq(stops(), "c");
	let_stop(0);
	ck_assert_str_eq(stops(), "abc");
	let_stop(0);
	ck_assert_uint_eq(over, 1);
	close_services();
}
END_TEST

START_TEST(one_that_is_named_in_several_keys_is_waited_for_once)
{
	open_services(LATE, "requires = b\nwants = b\nafter = b", "after = d\n[service d]");
	begin();
	ck_assert_str_eq(stops(), "a");
	let_stop(0);
	ck_assert_str_eq(stops(), "ab");
	let_stop(0);
	ck_assert_uint_eq(over, 1);
	close_services();
}
END_TEST

START_TEST(those_of_a_group_are_stopped_in_the_order_that_its_strategy_has)
{
	static const struct {
		const char *strategy;
		bool ordered;
	} rows[] = {
		{"one-for-all", true},
		{"rest-for-one", true},
		{"one-for-one", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char of_b[200];

		snprintf(of_b, sizeof(of_b), "group = team\n[service c]\ngroup = team\n[service d]\n"
			"[group team]\nstrategy = %s", rows[i].strategy);
		open_services(LATE, "group = team", of_b);
		begin();
		ck_assert_str_eq(stops(), rows[i].ordered ? "c" : "");
		ck_assert_uint_eq(over, !rows[i].ordered);
		if (rows[i].ordered) {
			let_stop(0);
			ck_assert_str_eq(stops(), "bc");
			let_stop(0);
			ck_assert_str_eq(stops(), "bc");
			ck_assert_uint_eq(over, 1);
		}
		close_services();
	}
}
END_TEST

START_TEST(one_that_follows_another_also_in_its_group_is_waited_for_once)
{
	open_services(LATE, "group = team\nafter = d",
		"group = team\nafter = a\n[service d]\n[group team]\nstrategy = one-for-all");
	begin();
	ck_assert_str_eq(stops(), "b");
	let_stop(0);
	ck_assert_str_eq(stops(), "ab");
	let_stop(0);
	ck_assert_uint_eq(over, 1);
	close_services();
}
END_TEST

START_TEST(it_is_over_at_once_when_nobody_follows_another)
{
	open_services(LATE, "", "\n[service c]");
	begin();
	ck_assert_uint_eq(over, 1);
	ck_assert_str_eq(stops(), "");
	expect_states(SERVICE_STOPPING, SERVICE_STOPPING, SERVICE_STOPPING);
	close_services();
}
END_TEST

START_TEST(those_that_are_not_in_a_cell_are_neither_stopped_nor_waited_for)
{
	static const enum service_state states[] = {SERVICE_STOPPED, SERVICE_FAILED, SERVICE_STARTING};

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		/* b would follow c, and a follows b. */
		open_services(LATE, "after = b", "after = c\n[service c]");
		master_service_set_state(service_of(&fake, "c"), states[i], "no disk");
		begin();
		ck_assert_str_eq(stops(), "a");
		let_stop(0);
		ck_assert_uint_eq(over, 1);
		ck_assert_str_eq(stops(), "a");
		close_services();

		/* The same of one that follows. */
		open_services(LATE, "after = b", "after = c\n[service c]");
		master_service_set_state(service_of(&fake, "a"), states[i], "no disk");
		begin();
		ck_assert_str_eq(stops(), "b");
		close_services();
	}

	/* And of the only one in its group that another one follows. */
	open_services(LATE, "group = team", "group = team\n[group team]\nstrategy = one-for-all");
	master_service_set_state(service_of(&fake, "a"), SERVICE_STOPPED, NULL);
	begin();
	ck_assert_str_eq(stops(), "");
	ck_assert_uint_eq(over, 1);
	close_services();
}
END_TEST

START_TEST(one_that_its_cell_was_told_to_start_is_stopped_too)
{
	log_lines_keep();
	fake_master_open_pair(&fake, "start=late:b " LATE, "after = c", "after = a\n[service c]", NULL);
	fake_master_launch(&fake);
	UNTIL(&fake, service_of(&fake, "b")->step == SERVICE_STEP_START);
	order = stop_order_create(fake.supervisor);
	over = 0;
	begin();
	ck_assert_str_eq(stops(), "b");
	/* It has started, too, now, and is stopped for that. */
	let_stop(0);
	ck_assert_str_eq(stops(), "ab!");
	ck_assert_uint_eq(over, 0);
	let_stop(0);
	ck_assert_uint_eq(over, 1);
	close_services();
}
END_TEST

/* --- stops that end otherwise ---------------------------------------------------------------------------- */

START_TEST(one_that_does_not_end_holds_nobody_up_who_knows_it)
{
	open_services("tell=all stop=refuse\n", "after = b", "after = c\n[service c]");
	begin();
	UNTIL(&fake, over == 1);
	ck_assert_str_eq(stops(), "ab");
	/* They end with their cell. */
	expect_states(SERVICE_STOPPING, SERVICE_STOPPING, SERVICE_STOPPING);
	close_services();
}
END_TEST

START_TEST(one_that_the_cell_does_not_have_has_stopped)
{
	open_services("tell=all stop=none\n", "after = b", "after = c\n[service c]");
	begin();
	UNTIL(&fake, over == 1);
	ck_assert_str_eq(stops(), "ab");
	expect_states(SERVICE_STOPPED, SERVICE_STOPPED, SERVICE_STOPPING);
	close_services();
}
END_TEST

static void
on_stopped(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	ck_assert_ptr_eq(service, service_of(&fake, "a"));
	ck_assert_int_eq(status, BAY_OK);
	ck_assert_str_eq(message, "");
	++*(unsigned *)arg;
}

START_TEST(who_waits_for_the_end_of_one_hears_of_it)
{
	unsigned heard = 0;

	open_services(LATE, "after = b", "");
	begin();
	service_waiters_add(service_of(&fake, "a"), SERVICE_WISH_STOP, on_stopped, &heard);
	ck_assert_str_eq(stops(), "a");
	ck_assert_uint_eq(heard, 0);
	let_stop(0);
	ck_assert_uint_eq(heard, 1);
	close_services();
}
END_TEST

START_TEST(one_that_fails_while_it_is_stopped_has_failed)
{
	open_services(LATE, "after = b", "");
	begin();
	master_service_set_state(service_of(&fake, "a"), SERVICE_FAILED, "no disk");
	let_stop(0);
	ck_assert_uint_eq(over, 1);
	ck_assert(is_state(&fake, "a", SERVICE_FAILED));
	ck_assert_str_eq(service_of(&fake, "a")->reason, "no disk");
	close_services();
}
END_TEST

START_TEST(one_that_somebody_stops_already_is_stopped_by_that)
{
	unsigned heard = 0;

	open_services(LATE, "after = b", "");
	service_control_stop(service_of(&fake, "a"), false, on_stopped, &heard);
	begin();
	ck_assert_str_eq(stops(), "a!");
	/* The second one is answered first. */
	let_stop(0);
	ck_assert_uint_eq(over, 1);
	ck_assert_uint_eq(heard, 1);
	ck_assert_int_eq(log_lines_with("service a: stopped"), 1);
	close_services();
}
END_TEST

START_TEST(the_end_of_a_cell_is_that_of_all_in_it)
{
	/* c follows b, which follows a in another cell, which follows d. */
	open_services(LATE LATE, "after = d", "cell = other\nafter = a\n[service c]\ncell = other\nafter = b\n[service d]");
	begin();
	ck_assert_str_eq(stops(), "c");
	cell_process_kill(master_cell_process(service_of(&fake, "b")->cell));
	UNTIL(&fake, master_cell_process(service_of(&fake, "b")->cell) == NULL);
	ck_assert_str_eq(stops(), "ac");
	let_stop(0);
	ck_assert_uint_eq(over, 1);
	close_services();
}
END_TEST

START_TEST(one_whose_cell_takes_no_calls_any_more_is_passed_over)
{
	/* The slot of that which is next then is before its own. */
	open_services(LATE LATE, "after = d", "cell = other\nafter = a\n[service c]\nafter = b\n[service d]");
	begin();
	ck_assert_str_eq(stops(), "c");
	master_cell_shut_down(service_of(&fake, "b")->cell, MS(1000000), MS(1000000));
	let_stop(0);
	ck_assert_str_eq(stops(), "ac");
	ck_assert_uint_eq(over, 0);
	let_stop(0);
	ck_assert_uint_eq(over, 1);
	close_services();
}
END_TEST

/* --- its time -------------------------------------------------------------------------------------------- */

static int
drain_of(int64_t drain_ns)
{
	char told[80];

	fake_master_await_told(&fake);
	snprintf(told, sizeof(told), "Stop {\"drain_timeout_ns\":%lld,", (long long)drain_ns);
	return log_lines_with(told);
}

START_TEST(each_has_the_time_that_is_left_for_its_requests)
{
	open_services(LATE, "after = b", "after = c\n[service c]\nafter = d\n[service d]");
	clock_stand_still(MS(1000000), 0);
	begin_until(MS(1300000));
	ck_assert_int_eq(drain_of(MS(300000)), 1);
	clock_move_to(MS(1299999));
	let_stop(0);
	ck_assert_int_eq(drain_of(MS(1)), 1);
	clock_move_to(MS(1300001));
	let_stop(0);
	ck_assert_int_eq(drain_of(0), 1);
	ck_assert_str_eq(stops(), "abc");
	clock_go_on();
	close_services();
}
END_TEST

START_TEST(it_is_over_when_its_time_is)
{
	open_services(LATE, "after = b", "after = c\n[service c]");
	begin_until(clock_monotonic_ns() + MS(30));
	UNTIL(&fake, over == 1);
	ck_assert_str_eq(stops(), "a");
	/* Who ends later is noted, and nobody else is told. */
	let_stop(0);
	expect_states(SERVICE_STOPPED, SERVICE_STOPPING, SERVICE_STOPPING);
	ck_assert_str_eq(stops(), "a");
	ck_assert_uint_eq(over, 1);
	close_services();
}
END_TEST

START_TEST(a_time_that_is_over_already_is_enough_to_tell_the_first)
{
	open_services(LATE, "after = b", "after = c\n[service c]");
	begin_until(clock_monotonic_ns() - MS(1000));
	ck_assert_uint_eq(over, 0);
	UNTIL(&fake, over == 1);
	ck_assert_str_eq(stops(), "a");
	ck_assert_int_eq(drain_of(0), 1);
	close_services();
}
END_TEST

START_TEST(one_that_is_given_up_says_nothing_any_more)
{
	open_services(LATE, "after = b", "after = c\n[service c]");
	begin();
	stop_order_give_up(order);
	let_stop(0);
	ck_assert_str_eq(stops(), "a");
	ck_assert(is_state(&fake, "a", SERVICE_STOPPED));
	ck_assert_uint_eq(over, 0);
	close_services();
}
END_TEST

START_TEST(one_that_has_not_begun_can_be_given_up_and_destroyed)
{
	open_services("", "after = b", "");
	close_services();
	stop_order_destroy(NULL);
}
END_TEST

CHECK_MAIN("master/stop_order",
	each_is_stopped_once_those_that_follow_it_have_stopped,
	all_that_follow_one_are_waited_for_in_whatever_cells,
	one_that_follows_two_is_stopped_once,
	one_that_is_named_in_several_keys_is_waited_for_once,
	those_of_a_group_are_stopped_in_the_order_that_its_strategy_has,
	one_that_follows_another_also_in_its_group_is_waited_for_once,
	it_is_over_at_once_when_nobody_follows_another,
	those_that_are_not_in_a_cell_are_neither_stopped_nor_waited_for,
	one_that_its_cell_was_told_to_start_is_stopped_too,
	one_that_does_not_end_holds_nobody_up_who_knows_it,
	one_that_the_cell_does_not_have_has_stopped,
	who_waits_for_the_end_of_one_hears_of_it,
	one_that_fails_while_it_is_stopped_has_failed,
	one_that_somebody_stops_already_is_stopped_by_that,
	the_end_of_a_cell_is_that_of_all_in_it,
	one_whose_cell_takes_no_calls_any_more_is_passed_over,
	each_has_the_time_that_is_left_for_its_requests,
	it_is_over_when_its_time_is,
	a_time_that_is_over_already_is_enough_to_tell_the_first,
	one_that_is_given_up_says_nothing_any_more,
	one_that_has_not_begun_can_be_given_up_and_destroyed)
