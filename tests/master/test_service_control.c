/* SPDX-License-Identifier: BSD-2-Clause */
/* Cells are support/fake_cell, which obeys orders. */
#include "config.h"

#include "master/service_control.h"

#include <stdio.h>
#include <string.h>

#include "master/listener_table.h"
#include "support/check_main.h"
#include "support/fake_master.h"

/* --- listeners ----------------------------------------------------------------------- */

static bool
keep_address(const struct listener_view *view, void *arg)
{
	snprintf(arg, 64, "%s", view->address);
	return true;
}

/* Where the service listens; "" when it does not. Borrowed until the call after the next. */
static const char *
address_of(const struct fake_master *master, const char *service)
{
	static char texts[2][64];
	static unsigned turn;
	char *text = texts[turn++ % 2];

	*text = '\0';
	ck_assert(listener_table_each(master->listeners, service, keep_address, text));
	return text;
}

START_TEST(a_service_keeps_its_listener_over_the_cell)
{
	struct fake_master master;
	char first[64];

	fake_master_open(&master, "listen=127.0.0.1:0 call=crash\nlisten=127.0.0.1:0\n",
		"restart_delay = 1ms");
	fake_master_start(&master);
	ck_assert(is_state(&master, "a", SERVICE_READY) && is_state(&master, "b", SERVICE_READY));
	snprintf(first, sizeof(first), "%s", address_of(&master, "a"));
	ck_assert_int_eq(strncmp(first, "127.0.0.1:", 10), 0);
	ck_assert_str_ne(first, address_of(&master, "b"));
	fake_master_crash(&master, 0);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert_str_eq(address_of(&master, "a"), first);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	ck_assert_str_eq(address_of(&master, "a"), first);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_service_that_is_stopped_or_given_up_listens_no_more)
{
	struct fake_master master;

	fake_master_open(&master, "listen=127.0.0.1:0 call=crash\n", "restart = no");
	fake_master_start(&master);
	service_control_stop(service_of(&master, "b"), false, fake_master_on_done, &master);
	ck_assert_str_ne(address_of(&master, "b"), "");
	UNTIL(&master, is_state(&master, "b", SERVICE_STOPPED));
	ck_assert_str_eq(address_of(&master, "b"), "");
	ck_assert_str_ne(address_of(&master, "a"), "");
	fake_master_crash(&master, 0);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert_str_eq(address_of(&master, "a"), "");
	fake_master_close(&master);
}
END_TEST

START_TEST(the_second_service_that_wants_an_address_is_refused_with_the_first)
{
	struct fake_master master;
	const char *reason;

	fake_master_open(&master, "listen=unix:x.sock\n", "restart = no\nlisten = unix:x.sock");
	temp_dir_write(&master.dir, "run/here", "");
	fake_master_start(&master);
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert(is_state(&master, "b", SERVICE_FAILED));
	reason = service_of(&master, "b")->reason;
	ck_assert_msg(strstr(reason, "listen on unix:x.sock: service a has it") != NULL, "%s", reason);
	fake_master_close(&master);
}
END_TEST

START_TEST(another_generation_or_one_that_is_stopped_is_given_nothing)
{
	struct fake_master master;
	const char *reason;

	fake_master_open(&master, "listen=127.0.0.1:0 generation=old\n", "restart = no");
	fake_master_start(&master);
	reason = service_of(&master, "a")->reason;
	ck_assert_msg(strstr(reason, "service a is being stopped") != NULL, "%s", reason);
	ck_assert_str_eq(address_of(&master, "a"), "");
	fake_master_close(&master);

	fake_master_open(&master, "stop=ask\n", "");
	fake_master_start(&master);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers > 0);
	ck_assert_msg(strstr(master.message, "service a is being stopped") != NULL, "%s",
		master.message);
	ck_assert_str_eq(address_of(&master, "a"), "");
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_asks_nonsense_is_told_so)
{
	struct fake_master master;
	const char *reason;

	fake_master_open(&master, "ask=nonsense\n", "restart = no");
	fake_master_start(&master);
	reason = service_of(&master, "a")->reason;
	ck_assert_msg(strstr(reason, "bayd does not know the call io.bayd.Cell.Dance") != NULL, "%s",
		reason);
	reason = service_of(&master, "b")->reason;
	ck_assert_msg(strstr(reason, "there is no such service") != NULL, "%s", reason);
	fake_master_close(&master);
}
END_TEST

/* --- failures ------------------------------------------------------------------------ */

START_TEST(the_culprit_is_given_up_at_its_limit)
{
	struct fake_master master;

	fake_master_open(&master, "call=crash\ncall=crash\n", 
		"restart_delay = 1ms\nstart_limit = 2/1m");
	fake_master_start(&master);
	fake_master_crash(&master, 0);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY) &&
			is_state(&master, "b", SERVICE_READY));
	fake_master_crash(&master, 0);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert_int_eq(service_of(&master, "a")->next_try_ns, 0);
	ck_assert_ptr_nonnull(strstr(service_of(&master, "a")->reason,
		"given up after 2 failures within 1m (start_limit)"));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(restart_no_keeps_the_culprit_down)
{
	struct fake_master master;

	fake_master_open(&master, "call=crash\n", "restart = no");
	fake_master_start(&master);
	fake_master_crash(&master, 0);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert_int_eq(service_of(&master, "a")->next_try_ns, 0);
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_crash_in_init_fails_its_service_for_good)
{
	struct fake_master master;

	fake_master_open(&master, "start=crash\nstart=crash\n", "restart_delay = 1ms");
	fake_master_start(&master);
	ck_assert(is_state(&master, "a", SERVICE_FAILED) && is_state(&master, "b", SERVICE_FAILED));
	ck_assert_str_eq(service_of(&master, "a")->reason, "init crashed: SIGSEGV [cell-crash]");
	ck_assert_int_eq(service_of(&master, "a")->next_try_ns, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_crash_in_init_is_tried_again_until_the_limit_by_always)
{
	struct fake_master master;

	fake_master_open_pair(&master, "start=crash\nstart=crash\nstart=crash\n",
		"restart = always\nrestart_delay = 1ms\nstart_limit = 3/1m", "enabled = no", NULL);
	fake_master_launch(&master);
	UNTIL(&master, service_of(&master, "a")->reason != NULL &&
		strstr(service_of(&master, "a")->reason, "given up after 3 failures") != NULL);
	ck_assert_ptr_nonnull(strstr(service_of(&master, "a")->reason, "init crashed: SIGSEGV"));
	ck_assert_uint_eq(service_of(&master, "a")->restarts, 2);
	fake_master_close(&master);
}
END_TEST

/* What restart says of a hang while it serves, and of a crash. */
START_TEST(a_hang_is_followed_by_a_restart_where_it_is_asked_for)
{
	static const struct {
		const char *keys;
		bool after_hang;
		bool after_crash;
	} cases[] = {
		{"restart = no", false, false},
		{"restart = on-hang", true, false},
		{"restart = on-failure", true, true},
		{"restart = always", true, true},
	};
	struct fake_master master;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char keys[80];

		snprintf(keys, sizeof(keys), "%s\nrestart_delay = 1h", cases[i].keys);
		for (int hang = 0; hang < 2; hang++) {
			fake_master_open(&master, "call=crash\n", keys);
			fake_master_start(&master);
			if (hang) {
				master_cell_end_hang(supervisor_cell(master.supervisor, 0),
					service_of(&master, "a"), "it hung");
				UNTIL(&master, is_state(&master, "a", SERVICE_FAILED));
			} else {
				fake_master_crash(&master, 0);
			}
			ck_assert(is_state(&master, "a", SERVICE_FAILED));
			ck_assert_msg((service_of(&master, "a")->next_try_ns != 0) ==
				(hang ? cases[i].after_hang : cases[i].after_crash), "%s, %d", keys, hang);
			fake_master_close(&master);
		}
	}
}
END_TEST

START_TEST(the_waits_end_at_the_second_bound)
{
	struct fake_master master;

	fake_master_open(&master, "call=crash\ncall=crash\ncall=crash\n",
		"restart_delay = 10ms..20ms\nstart_limit = 10/1m");
	fake_master_start(&master);
	for (unsigned n = 0; n < 3; n++) {
		struct master_service *a = service_of(&master, "a");

		fake_master_crash(&master, 0);
		/* since_ns was read after the wait had been reckoned from. */
		ck_assert_int_le(a->next_try_ns - a->since_ns, MS(20));
		UNTIL(&master, is_state(&master, "a", SERVICE_READY) &&
			is_state(&master, "b", SERVICE_READY));
	}
	fake_master_close(&master);
}
END_TEST

START_TEST(an_init_that_is_refused_is_tried_again_until_the_limit)
{
	struct fake_master master;

	fake_master_open(&master, "start=refuse\n", "restart_delay = 1ms\nstart_limit = 3/1m");
	fake_master_start(&master);
	UNTIL(&master, service_of(&master, "a")->next_try_ns == 0 &&
		is_state(&master, "a", SERVICE_FAILED));
	ck_assert_ptr_nonnull(strstr(service_of(&master, "a")->reason, "no such luck"));
	ck_assert_ptr_nonnull(strstr(service_of(&master, "a")->reason, "given up after 3"));
	ck_assert_uint_eq(service_of(&master, "a")->restarts, 2);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_service_that_gives_up_by_itself_is_started_again)
{
	struct fake_master master;

	fake_master_open(&master, "start=give-up\n", "restart_delay = 1ms\nstart_limit = 3/1m");
	fake_master_start(&master);
	UNTIL(&master, service_of(&master, "a")->next_try_ns == 0 &&
		is_state(&master, "a", SERVICE_FAILED) &&
		service_of(&master, "a")->restarts == 2);
	ck_assert_ptr_nonnull(strstr(service_of(&master, "a")->reason, "it gave up"));
	fake_master_close(&master);
}
END_TEST

START_TEST(the_waits_of_the_culprit_double)
{
	static const int64_t least_ms[] = {5, 10, 20};
	struct master_cell_view cell;
	struct fake_master master;

	fake_master_open(&master, "call=crash\ncall=crash\ncall=crash\n",
		"restart_delay = 5ms\nstart_limit = 10/1m");
	fake_master_start(&master);
	for (size_t n = 0; n < sizeof(least_ms) / sizeof(*least_ms); n++) {
		int64_t now_ns = clock_monotonic_ns();

		fake_master_crash(&master, 0);
		ck_assert(is_state(&master, "a", SERVICE_FAILED));
		ck_assert_int_ge(service_of(&master, "a")->next_try_ns - now_ns, MS(least_ms[n]));
		/* The others do not wait for it. */
		master_cell_view(supervisor_cell(master.supervisor, 0), &cell);
		ck_assert_int_le(cell.next_try_ns, clock_monotonic_ns());
		UNTIL(&master, is_state(&master, "a", SERVICE_READY) &&
			is_state(&master, "b", SERVICE_READY));
	}
	fake_master_close(&master);
}
END_TEST

START_TEST(a_service_that_was_stopped_does_not_fail_with_its_start)
{
	struct fake_master master;

	fake_master_open(&master, "start=refuse\n", "restart_delay = 1h");
	fake_master_launch(&master);
	UNTIL(&master, service_of(&master, "a")->step == SERVICE_STEP_START);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	ck_assert_int_eq(service_of(&master, "a")->next_try_ns, 0);
	UNTIL(&master, is_state(&master, "b", SERVICE_FAILED));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_setting_that_is_no_text_fails_the_start_and_not_the_master)
{
	struct fake_master master;

	fake_master_open(&master, "", "restart = no\nkey = value");
	strcpy(master.config->services[0].settings[0].value, "\xff");
	fake_master_start(&master);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert_ptr_nonnull(strstr(service_of(&master, "a")->reason, "no UTF-8"));
	ck_assert(is_state(&master, "b", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

/* --- stops --------------------------------------------------------------------------- */

START_TEST(a_stopped_service_stays_stopped_in_the_next_cell)
{
	struct fake_master master;

	fake_master_open(&master, "", "");
	fake_master_start(&master);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 0)));
	UNTIL(&master, is_state(&master, "b", SERVICE_STARTING));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_dies_has_stopped_what_it_was_to_stop)
{
	struct fake_master master;

	fake_master_open(&master, "stop=silent\n", "drain_timeout = 1h");
	fake_master_start(&master);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 0)));
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_that_is_not_answered_is_told_and_goes_on)
{
	struct fake_master master;

	fake_master_open(&master, "stop=silent\n", "drain_timeout = 1ms");
	fake_master_start(&master);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_TIMEOUT);
	ck_assert(is_state(&master, "a", SERVICE_STOPPING));
	service_control_start(service_of(&master, "a"), fake_master_on_done, &master);
	ck_assert_uint_eq(master.answers, 2);
	ck_assert_int_eq(master.status, BAY_BUSY);
	/* In a hurry it costs the cell, and the other service goes on. */
	service_control_stop(service_of(&master, "a"), true, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 3);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_that_is_refused_is_told_and_now_costs_the_cell)
{
	struct fake_master master;

	fake_master_open(&master, "stop=refuse\n", "");
	fake_master_start(&master);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_BUSY);
	ck_assert_ptr_nonnull(strstr(master.message, "3 tasks go on"));
	ck_assert(is_state(&master, "a", SERVICE_STOPPING));
	service_control_stop(service_of(&master, "a"), true, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 2);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_that_drains_can_be_hurried_and_costs_no_cell)
{
	struct fake_master master;
	const struct cell_process *cell;

	fake_master_open(&master, "stop=drain\n", "drain_timeout = 1h");
	fake_master_start(&master);
	cell = master_cell_process(supervisor_cell(master.supervisor, 0));
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	ck_assert_int_eq(master.answers, 0);
	service_control_stop(service_of(&master, "a"), true, fake_master_on_done, &master);
	service_control_stop(service_of(&master, "a"), true, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 4);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	ck_assert_ptr_eq(master_cell_process(supervisor_cell(master.supervisor, 0)), cell);
	ck_assert(is_state(&master, "b", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_that_was_refused_may_be_asked_for_again)
{
	struct fake_master master;

	fake_master_open(&master, "stop=refuse-once\n", "");
	fake_master_start(&master);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_BUSY);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 2);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	ck_assert(is_state(&master, "b", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_while_it_starts_ends_the_wish_to_start)
{
	struct fake_master master;

	fake_master_open(&master, "", "");
	fake_master_launch(&master);
	service_control_start(service_of(&master, "a"), fake_master_on_done, &master);
	service_control_stop(service_of(&master, "a"), false, NULL, NULL);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_CANCELED);
	UNTIL(&master, is_state(&master, "a", SERVICE_STOPPED));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_failed_service_that_is_stopped_is_not_tried_again)
{
	struct fake_master master;

	fake_master_open(&master, "call=crash\n", "restart_delay = 20ms");
	fake_master_start(&master);
	fake_master_crash(&master, 0);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	ck_assert_int_eq(service_of(&master, "a")->next_try_ns, 0);
	ck_assert(!event_pending(service_of(&master, "a")->timer, EV_TIMEOUT, NULL));
	fake_master_close(&master);
}
END_TEST

/* As a removal does that a stop refuses. */
static void
ask_once_more(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	unsigned *answers = arg;

	ck_assert_int_eq(status, BAY_BUSY);
	ck_assert_str_eq(message, "not yet");
	ck_assert_uint_lt(++*answers, 100);
	if (*answers <= 3)
		service_waiters_add(service, SERVICE_WISH_STOP, ask_once_more, answers);
}

START_TEST(who_asks_again_as_he_is_answered_waits_for_the_next_time)
{
	struct fake_master master;
	struct master_service *a;
	unsigned answers = 0;

	fake_master_open(&master, "", "");
	fake_master_start(&master);
	a = service_of(&master, "a");
	for (int i = 0; i < 3; i++)
		service_waiters_add(a, SERVICE_WISH_STOP, ask_once_more, &answers);
	service_waiters_fail(a, BAY_BUSY, "not yet");
	ck_assert_uint_eq(answers, 3);
	service_waiters_fail_starters(a, BAY_BUSY, "not yet");
	ck_assert_uint_eq(answers, 3);
	service_waiters_fail(a, BAY_BUSY, "not yet");
	ck_assert_uint_eq(answers, 6);
	ck_assert_ptr_null(list_first(&a->waiters));
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/service_control",
	who_asks_again_as_he_is_answered_waits_for_the_next_time,
	a_service_keeps_its_listener_over_the_cell,
	a_service_that_is_stopped_or_given_up_listens_no_more,
	the_second_service_that_wants_an_address_is_refused_with_the_first,
	another_generation_or_one_that_is_stopped_is_given_nothing,
	a_cell_that_asks_nonsense_is_told_so,
	the_culprit_is_given_up_at_its_limit,
	restart_no_keeps_the_culprit_down,
	a_crash_in_init_fails_its_service_for_good,
	a_crash_in_init_is_tried_again_until_the_limit_by_always,
	a_hang_is_followed_by_a_restart_where_it_is_asked_for,
	the_waits_end_at_the_second_bound,
	an_init_that_is_refused_is_tried_again_until_the_limit,
	a_service_that_gives_up_by_itself_is_started_again,
	the_waits_of_the_culprit_double,
	a_service_that_was_stopped_does_not_fail_with_its_start,
	a_setting_that_is_no_text_fails_the_start_and_not_the_master,
	a_stopped_service_stays_stopped_in_the_next_cell,
	a_cell_that_dies_has_stopped_what_it_was_to_stop,
	a_stop_that_is_not_answered_is_told_and_goes_on,
	a_stop_that_is_refused_is_told_and_now_costs_the_cell,
	a_stop_that_drains_can_be_hurried_and_costs_no_cell,
	a_stop_that_was_refused_may_be_asked_for_again,
	a_stop_while_it_starts_ends_the_wish_to_start,
	a_failed_service_that_is_stopped_is_not_tried_again)
