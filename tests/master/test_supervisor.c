/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Also tests cell_keeper, cell_process and service_table, which the supervisor is made of;
 * what is done for one service is tested by test_service_control and test_service_steps.
 * What real cells do is tested by system/.
 */
#include "config.h"

#include "master/supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buffer.h"
#include "master/plugin_examination.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

/* Lets events happen for so long. */
static void
run_for(struct fake_master *master, int ms)
{
	const struct timeval time = {.tv_usec = ms * 1000};

	event_base_loopexit(master->base, &time);
	event_base_dispatch(master->base);
}

/* --- the start ----------------------------------------------------------------------- */

START_TEST(services_are_ready_when_it_has_started)
{
	struct master_cell_view cell;
	struct fake_master master;

	fake_master_open(&master, "", "");
	fake_master_start(&master);
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert(is_state(&master, "b", SERVICE_READY));
	master_cell_view(supervisor_cell(master.supervisor, 0), &cell);
	ck_assert_str_eq(cell.state, "ready");
	ck_assert_int_gt(cell.pid, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_disabled_service_is_not_started)
{
	struct fake_master master;

	fake_master_open(&master, "", "enabled = no");
	fake_master_start(&master);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_service_without_image_has_failed_with_the_reason)
{
	struct fake_master master;

	fake_master_open(&master, "", "");
	plugin_image_unref(service_of(&master, "a")->image);
	supervisor_set_image(master.supervisor, 0, NULL, "it is no plugin");
	fake_master_start(&master);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert(is_state(&master, "b", SERVICE_READY));
	ck_assert_str_eq(service_of(&master, "a")->reason, "it is no plugin");
	fake_master_close(&master);
}
END_TEST

START_TEST(a_program_that_cannot_be_executed_is_no_start)
{
	struct program nowhere = {.path = "/nowhere/bay-cell"};
	struct supervisor_options options = {
		.cell = {.name = "main", .mode = "run", .program = &nowhere, .loops = 1}};
	const struct supervisor_watcher watcher = {.started = NULL};
	struct buffer error = {0};
	struct supervisor *supervisor;
	struct fake_master master;

	fake_master_open(&master, "", "");
	options.base = master.base;
	options.config = master.config;
	options.limits = &master.limits;
	supervisor = supervisor_create(&options, &watcher);
	ck_assert(!supervisor_start(supervisor, &error));
	ck_assert_ptr_nonnull(strstr(buffer_text(&error), "/nowhere/bay-cell"));
	buffer_finish(&error);
	supervisor_destroy(supervisor);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_first_cell_that_dies_at_once_is_no_start)
{
	struct fake_master master;

	fake_master_open(&master, "die\n", "");
	fake_master_launch(&master);
	UNTIL(&master, master.started);
	ck_assert_str_eq(master.why, "cell main ended the process with exit code 9 [cell-exit]");
	fake_master_close(&master);
}
END_TEST

START_TEST(a_first_cell_that_refuses_is_no_start)
{
	static const char *const orders[] = {"setup=refuse\n", "setup=rubbish\n", "setup=close\n"};

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		struct fake_master master;

		fake_master_open(&master, orders[i], "");
		fake_master_launch(&master);
		UNTIL(&master, master.started);
		ck_assert_str_eq(master.why, "cell main was killed by SIGKILL [cell-crash]");
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(a_silent_first_cell_is_no_start)
{
	struct fake_master master;

	fake_master_open(&master, "setup=silent\n", "");
	master.limits.setup_ns = MS(50);
	fake_master_launch(&master);
	UNTIL(&master, master.started);
	ck_assert_str_eq(master.why, "cell main was killed by SIGKILL [cell-crash]");
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_leaves_no_core_dump)
{
	struct rlimit core = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
	struct rlimit of_cell;
	struct fake_master master;

	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
	if (core.rlim_max == 0)
		CHECK_SKIP("no process may dump core here");
	core.rlim_cur = core.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &core), 0);
	fake_master_open(&master, "", "");
	fake_master_start(&master);
	ck_assert_int_eq(prlimit(cell_process_pid(master_cell_process(supervisor_cell(master.supervisor, 0))),
		RLIMIT_CORE, NULL, &of_cell), 0);
	ck_assert_uint_eq(of_cell.rlim_max, 0);
	fake_master_close(&master);
}
END_TEST

/* --- deaths -------------------------------------------------------------------------- */

START_TEST(a_killed_cell_is_replaced_at_once_and_then_after_a_wait)
{
	struct master_cell_view cell;
	struct fake_master master;

	fake_master_open(&master, "", "");
	fake_master_start(&master);
	for (uint64_t n = 1; n <= 3; n++) {
		cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 0)));
		UNTIL(&master, is_state(&master, "a", SERVICE_STARTING));
		master_cell_view(supervisor_cell(master.supervisor, 0), &cell);
		ck_assert_uint_eq(cell.restarts, n);
		ck_assert(n == 1 || cell.next_try_ns > clock_monotonic_ns());
		UNTIL(&master, is_state(&master, "a", SERVICE_READY) &&
			is_state(&master, "b", SERVICE_READY));
	}
	ck_assert_uint_eq(service_of(&master, "a")->restarts, 3);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_later_cell_that_refuses_is_tried_again)
{
	struct fake_master master;

	fake_master_open(&master, "\nsetup=refuse\nsetup=close\nsetup=rubbish\ndie\n", "");
	fake_master_start(&master);
	cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 0)));
	UNTIL(&master, is_state(&master, "a", SERVICE_STARTING));
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	ck_assert_uint_eq(service_of(&master, "a")->restarts, 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(the_culprit_waits_and_the_other_does_not)
{
	struct fake_master master;

	fake_master_open(&master, "call=crash\n", "restart_delay = 1h");
	fake_master_start(&master);
	fake_master_crash(&master, 0);
	ck_assert_int_eq(master.status, BAY_PEER_DIED);
	ck_assert_ptr_nonnull(strstr(master.message, "crashed: SIGSEGV in service a"));
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert_int_gt(service_of(&master, "a")->next_try_ns, 0);
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	fake_master_close(&master);
}
END_TEST

START_TEST(the_culprit_is_started_again_after_its_delay)
{
	struct fake_master master;

	fake_master_open(&master, "call=crash\n", "restart_delay = 1ms");
	fake_master_start(&master);
	fake_master_crash(&master, 1);
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert_uint_eq(service_of(&master, "b")->restarts, 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(an_init_that_hangs_is_found_among_all_that_wait_for_it)
{
	struct fake_master master;

	/* b hangs, and a, which has the shorter time, is not to blame. */
	fake_master_open(&master, "start=hang:b start=\n", "start_timeout = 20ms");
	fake_master_launch(&master);
	UNTIL(&master, master.started);
	ck_assert(is_state(&master, "b", SERVICE_FAILED));
	ck_assert_str_eq(service_of(&master, "b")->reason, "init hung: it did not end within start_timeout = 20ms, nor within 50ms more [service-init-timeout]");
	ck_assert(is_state(&master, "a", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(an_init_that_hangs_is_blamed_for_all_that_wait_behind_it)
{
	struct fake_master master;

	/* Neither is answered, and the time of a is over first. */
	fake_master_open(&master, "start=hold:a start=hang:b\n", "start_timeout = 20ms");
	master.limits.grace_ns = MS(1000);
	fake_master_launch(&master);
	UNTIL(&master, master.started);
	ck_assert(is_state(&master, "b", SERVICE_FAILED));
	ck_assert_str_eq(service_of(&master, "b")->reason, "init hung: it did not end within start_timeout = 20ms, nor within 1s more [service-init-timeout]");
	ck_assert(is_state(&master, "a", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_is_killed_for_one_hang_and_one_service_is_blamed)
{
	struct fake_master master;

	/* The times of both are over at once. */
	fake_master_open(&master, "start=silent\ncall=exit\n", "start_timeout = 20ms");
	fake_master_launch(&master);
	UNTIL(&master, master.started);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert(is_state(&master, "b", SERVICE_READY));
	/* It is not blamed for the end of the next one. */
	fake_master_crash(&master, 1);
	ck_assert_str_eq(master.message, "cell main ended the process with exit code 9 [cell-exit]");
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_is_not_killed_for_what_the_one_before_did)
{
	struct fake_master master;
	pid_t pid;

	/* It has ended before it would have been killed. */
	fake_master_open(&master, "call=leave\n", "");
	fake_master_start(&master);
	fake_master_crash(&master, 0);
	ck_assert_int_eq(master.status, BAY_PEER_DIED);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	pid = cell_process_pid(master_cell_process(supervisor_cell(master.supervisor, 0)));
	run_for(&master, 150);
	ck_assert_int_eq(cell_process_pid(master_cell_process(supervisor_cell(master.supervisor, 0))), pid);
	fake_master_close(&master);
}
END_TEST

START_TEST(what_a_cell_says_of_nobody_or_of_the_past_changes_nothing)
{
	struct fake_master master;

	fake_master_open(&master, "start=nonsense\n", "restart = no");
	log_lines_keep();
	fake_master_start(&master);
	UNTIL(&master, log_lines_with("sent a notice that is not known: ") == 2 &&
		log_lines_with("sent a notice that cannot be read: ") == 2);
	/* What it said last has come when this is answered. */
	service_control_stop(service_of(&master, "b"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert(is_state(&master, "b", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_talks_rubbish_while_it_serves_is_replaced)
{
	static const char *const orders[] = {"call=rubbish\n", "call=exit\n"};

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		struct fake_master master;

		fake_master_open(&master, orders[i], "restart = no");
		fake_master_start(&master);
		fake_master_crash(&master, 0);
		ck_assert_int_eq(master.status, BAY_PEER_DIED);
		/* Nobody is to blame. */
		UNTIL(&master, is_state(&master, "a", SERVICE_READY) &&
			is_state(&master, "b", SERVICE_READY));
		fake_master_close(&master);
	}
}
END_TEST

/* Less a quarter of the longest, which waits are scattered over. */
START_TEST(the_waits_between_cells_double_up_to_the_longest)
{
	static const int64_t least_ms[] = {0, 10, 20, 30, 30};
	struct master_cell_view cell;
	struct fake_master master;

	fake_master_open_patient(&master, "", "", &(struct backoff){.at_once = true,
		.first_ns = MS(10), .max_ns = MS(40), .reset_ns = MS(1000000)});
	fake_master_start(&master);
	for (size_t n = 0; n < sizeof(least_ms) / sizeof(*least_ms); n++) {
		int64_t now_ns = clock_monotonic_ns();

		cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 0)));
		UNTIL(&master, is_state(&master, "a", SERVICE_STARTING));
		master_cell_view(supervisor_cell(master.supervisor, 0), &cell);
		ck_assert_int_ge(cell.next_try_ns - now_ns, MS(least_ms[n]));
		UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	}
	fake_master_close(&master);
}
END_TEST

/* Its limits would have it wait for an hour. */
START_TEST(a_cell_waits_no_longer_than_its_most_impatient_service)
{
	struct master_cell_view cell;
	struct fake_master master;

	fake_master_open_patient(&master, "", "restart_delay = 0..20ms", &(struct backoff){.first_ns = MS(3600000),
		.max_ns = MS(3600000), .reset_ns = MS(3600000)});
	fake_master_start(&master);
	for (int n = 0; n < 4; n++) {
		int64_t now_ns;

		cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 0)));
		UNTIL(&master, is_state(&master, "a", SERVICE_STARTING));
		now_ns = clock_monotonic_ns();
		master_cell_view(supervisor_cell(master.supervisor, 0), &cell);
		ck_assert_int_le(cell.next_try_ns - now_ns, MS(20));
		UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	}
	fake_master_close(&master);
}
END_TEST

START_TEST(what_a_cell_has_counted_is_kept_when_it_ends)
{
	struct service_totals *totals = calloc(1, sizeof(*totals));
	struct fake_master master;
	struct status_page page;

	fake_master_open(&master, "", "");
	fake_master_start(&master);
	page = *master_cell_page(supervisor_cell(master.supervisor, 0));
	status_add(&status_page_counters(&page, 0, 0)->served, 3);
	for (int n = 0; n < 2; n++) {
		cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 0)));
		UNTIL(&master, is_state(&master, "a", SERVICE_STARTING));
		UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	}
	master_service_totals(service_of(&master, "a"), master_cell_page(supervisor_cell(master.supervisor, 0)), totals);
	ck_assert_uint_eq(totals->counts.served, 3);
	free(totals);
	fake_master_close(&master);
}
END_TEST

/* --- the end ------------------------------------------------------------------------- */

START_TEST(the_cell_ends_when_it_is_told)
{
	struct fake_master master;

	fake_master_open(&master, "", "");
	fake_master_start(&master);
	supervisor_stop(master.supervisor, false);
	ck_assert(is_state(&master, "a", SERVICE_STOPPING));
	UNTIL(&master, master.stopped);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	ck_assert_ptr_null(master_cell_process(supervisor_cell(master.supervisor, 0)));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_does_not_end_is_killed)
{
	struct fake_master master;

	fake_master_open(&master, "shutdown=silent\n", "");
	master.config->container.drain_timeout_ns = MS(10);
	fake_master_start(&master);
	supervisor_stop(master.supervisor, false);
	UNTIL(&master, master.stopped);
	fake_master_close(&master);
}
END_TEST

START_TEST(the_end_takes_half_a_second_more_than_the_drain)
{
	ck_assert_int_eq(supervisor_limits_default.stop_ns, MS(500));
}
END_TEST

START_TEST(a_stop_in_a_hurry_does_not_wait_for_the_drain)
{
	struct fake_master master;

	fake_master_open(&master, "shutdown=silent\n", "");
	master.config->container.drain_timeout_ns = MS(3600 * 1000);
	fake_master_start(&master);
	supervisor_stop(master.supervisor, false);
	supervisor_stop(master.supervisor, true);
	UNTIL(&master, master.stopped);
	fake_master_close(&master);
}
END_TEST

START_TEST(it_stops_while_no_cell_runs)
{
	struct fake_master master;

	fake_master_open(&master, "", "");
	fake_master_start(&master);
	/* The second cell in a row is not started at once. */
	for (int n = 0; n < 2; n++) {
		UNTIL(&master, is_state(&master, "a", SERVICE_READY));
		cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 0)));
		UNTIL(&master, is_state(&master, "a", SERVICE_STARTING));
	}
	ck_assert_ptr_null(master_cell_process(supervisor_cell(master.supervisor, 0)));
	supervisor_stop(master.supervisor, false);
	ck_assert(master.stopped);
	/* The next one, which was to come in 20 ms or a little more, does not. */
	run_for(&master, 100);
	ck_assert_ptr_null(master_cell_process(supervisor_cell(master.supervisor, 0)));
	fake_master_close(&master);
}
END_TEST

START_TEST(who_still_waits_at_the_end_is_answered)
{
	struct fake_master master;

	fake_master_open(&master, "stop=silent\n", "drain_timeout = 1h");
	fake_master_start(&master);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	fake_master_close(&master);
	ck_assert_uint_eq(master.answers, 1);
	ck_assert_int_eq(master.status, BAY_CLOSED);
}
END_TEST

START_TEST(a_stop_before_the_cell_is_set_up_does_not_wait_for_it)
{
	struct fake_master master;

	fake_master_open(&master, "setup=silent shutdown=silent\n", "");
	master.limits.setup_ns = MS(3600 * 1000);
	master.config->container.drain_timeout_ns = MS(3600 * 1000);
	fake_master_launch(&master);
	supervisor_stop(master.supervisor, false);
	UNTIL(&master, master.stopped);
	ck_assert(!master.started);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_third_wish_to_stop_does_not_wait_at_all)
{
	struct fake_master master;

	fake_master_open(&master, "shutdown=silent\n", "");
	master.limits.stop_now_ns = MS(3600 * 1000);
	fake_master_start(&master);
	supervisor_stop(master.supervisor, true);
	supervisor_stop(master.supervisor, true);
	UNTIL(&master, master.stopped);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_is_killed_while_it_stops_has_stopped)
{
	struct fake_master master;

	fake_master_open(&master, "shutdown=silent\n", "");
	master.config->container.drain_timeout_ns = MS(3600 * 1000);
	fake_master_start(&master);
	supervisor_stop(master.supervisor, false);
	cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 0)));
	UNTIL(&master, master.stopped);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	ck_assert_ptr_null(master_cell_process(supervisor_cell(master.supervisor, 0)));
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/supervisor",
	services_are_ready_when_it_has_started,
	a_disabled_service_is_not_started,
	a_service_without_image_has_failed_with_the_reason,
	a_program_that_cannot_be_executed_is_no_start,
	a_first_cell_that_dies_at_once_is_no_start,
	a_first_cell_that_refuses_is_no_start,
	a_silent_first_cell_is_no_start,
	a_cell_leaves_no_core_dump,
	a_killed_cell_is_replaced_at_once_and_then_after_a_wait,
	a_later_cell_that_refuses_is_tried_again,
	the_culprit_waits_and_the_other_does_not,
	the_culprit_is_started_again_after_its_delay,
	an_init_that_hangs_is_found_among_all_that_wait_for_it,
	an_init_that_hangs_is_blamed_for_all_that_wait_behind_it,
	a_cell_is_killed_for_one_hang_and_one_service_is_blamed,
	a_cell_is_not_killed_for_what_the_one_before_did,
	what_a_cell_says_of_nobody_or_of_the_past_changes_nothing,
	a_cell_that_talks_rubbish_while_it_serves_is_replaced,
	the_waits_between_cells_double_up_to_the_longest,
	a_cell_waits_no_longer_than_its_most_impatient_service,
	what_a_cell_has_counted_is_kept_when_it_ends,
	the_cell_ends_when_it_is_told,
	a_cell_that_does_not_end_is_killed,
	the_end_takes_half_a_second_more_than_the_drain,
	a_stop_in_a_hurry_does_not_wait_for_the_drain,
	it_stops_while_no_cell_runs,
	who_still_waits_at_the_end_is_answered,
	a_stop_before_the_cell_is_set_up_does_not_wait_for_it,
	a_third_wish_to_stop_does_not_wait_at_all,
	a_cell_that_is_killed_while_it_stops_has_stopped)
