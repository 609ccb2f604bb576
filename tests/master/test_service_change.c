/* SPDX-License-Identifier: BSD-2-Clause */
/* What is live, with fake cells that take it or do not; new generations are test_reload's. */
#include "config.h"

#include "master/service_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status_page.h"
#include "config/config_load.h"
#include "master/cell_process.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static struct fake_master fake;
static struct master_service *a;
static struct config *wanted; /* the configuration that is to be */

/* Service a has other keys there. */
static struct service_target
make_target(const char *keys)
{
	struct config_report report = {0};
	char *text = xasprintf("[container]\n[service a]\n%s\n[service b]\n", keys);

	ck_assert(config_load_memory("bay.ini", text, strlen(text), &wanted, &report));
	config_report_finish(&report);
	free(text);
	return (struct service_target){.source = wanted, .config = &wanted->services[0]};
}

static void
open_service(const char *orders, const char *keys)
{
	log_lines_keep();
	fake_master_open(&fake, orders, keys);
	fake_master_start(&fake);
	a = service_of(&fake, "a");
}

static void
close_service(void)
{
	fake_master_close(&fake);
	config_unref(wanted);
}

static void
change(const char *keys, bool settings)
{
	const struct service_target target = make_target(keys);

	fake.answers = 0;
	service_change_live(a, &target, settings, fake_master_on_done, &fake);
}

static void
await_answer(enum bay_status status, const char *words)
{
	UNTIL(&fake, fake.answers > 0);
	ck_assert_uint_eq(fake.answers, 1);
	ck_assert_int_eq(fake.status, status);
	ck_assert_msg(strstr(fake.message, words) != NULL, "%s", fake.message);
	ck_assert(!a->changing);
}

/* --- tests ------------------------------------------------------------------------------------- */

START_TEST(what_is_live_is_given_to_the_cell_and_in_force_when_it_has_it)
{
	static const struct {
		const char *keys, *words;
	} rows[] = {
		{"concurrency = 7", "\"concurrency\":7,"},
		{"queue = 9", "\"queue\":9,"},
		{"queue_bytes = 2M", "\"queue_bytes\":2097152,"},
		{"weight = 5", "\"weight\":5"},
		{"max_inflight = 11", "\"max_inflight\":11,"},
		{"tasks_max = 12", "\"tasks_max\":12,"},
		{"memory_max = 3M", "\"memory_max\":3145728,"},
		{"rate = 5/1s", "\"rate_count\":5,\"rate_period_ns\":1000000000,"},
		{"overflow = drop-oldest", "\"overflow\":\"drop-oldest\","},
		{"timeout = 4s", "\"timeout_ns\":4000000000,"},
		{"blocking_threads = 3", "\"blocking_threads\":3,"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		open_service("tell=Change\n", "");
		change(rows[i].keys, false);
		/* It waits for the cell. */
		ck_assert_uint_eq(fake.answers, 0);
		ck_assert(!service_change_is_possible(a));
		ck_assert_ptr_ne(a->config, &wanted->services[0]);
		await_answer(BAY_OK, "");
		ck_assert_ptr_eq(a->config, &wanted->services[0]);
		while (log_lines_with("Change {") == 0)
			event_base_loop(fake.base, EVLOOP_ONCE);
		ck_assert_msg(log_lines_with(rows[i].words) == 1, "row %zu", i);
		ck_assert_int_eq(log_lines_with("\"has_settings\":false,"), 1);
		close_service();
	}
}
END_TEST

START_TEST(what_only_bayd_goes_by_is_in_force_at_once_whatever_the_cell_does)
{
	static const char *const keys[] = {"", "restart = no", "start_limit = 7/1m", "health_queue = 3s"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		open_service("change=silent\n", "");
		change(keys[i], false);
		ck_assert_uint_eq(fake.answers, 1);
		ck_assert_ptr_eq(a->config, &wanted->services[0]);
		await_answer(BAY_OK, "");
		close_service();
	}
}
END_TEST

START_TEST(settings_of_the_plugin_go_with_it_even_when_nothing_else_is_different)
{
	open_service("tell=Change\n", "size = 4");
	change("size = 5", true);
	await_answer(BAY_OK, "");
	while (log_lines_with("Change {") == 0)
		event_base_loop(fake.base, EVLOOP_ONCE);
	ck_assert_int_eq(log_lines_with("\"has_settings\":true,"), 1);
	ck_assert_int_eq(log_lines_with("\"settings\":[{\"key\":\"size\",\"value\":\"5\"}]"), 1);
	close_service();
}
END_TEST

START_TEST(one_that_does_not_run_has_it_for_its_next_start)
{
	open_service("change=silent\n", "");
	service_control_stop(a, false, fake_master_on_done, &fake);
	UNTIL(&fake, is_state(&fake, "a", SERVICE_STOPPED));
	change("concurrency = 7", true);
	ck_assert_uint_eq(fake.answers, 1);
	ck_assert_ptr_eq(a->config, &wanted->services[0]);
	await_answer(BAY_OK, "");
	close_service();
}
END_TEST

START_TEST(what_the_cell_refuses_is_not_in_force)
{
	const struct config_service *before;

	open_service("change=refuse\n", "");
	before = a->config;
	change("concurrency = 7", false);
	await_answer(BAY_FAILED, "not with this code");
	ck_assert_ptr_eq(a->config, before);
	ck_assert(is_state(&fake, "a", SERVICE_READY));
	close_service();
}
END_TEST

START_TEST(loops_that_do_not_come_round_to_it_are_named_and_told_to_stay_as_they_were)
{
	const struct config_service *before;
	const struct status_name name = status_name_make("spin");
	struct status_loop *loop;

	open_service("change=silent tell=Change\n", "concurrency = 3");
	before = a->config;
	loop = status_page_loop(master_cell_page(a->cell), 1);
	status_loop_set_task(loop, a->slot, &name);
	status_loop_set_phase(loop, STATUS_PHASE_RUN);
	status_set(&loop->pass_ns, (uint64_t)clock_monotonic_ns());
	change("concurrency = 7", false);
	await_answer(BAY_TIMEOUT, "its loops have not taken the change: ");
	ck_assert_msg(strstr(fake.message, "(loop 1 hangs in service a, task spin)") != NULL, "%s", fake.message);
	ck_assert_ptr_eq(a->config, before);
	UNTIL(&fake, log_lines_with("Change {") == 2);
	ck_assert_int_eq(log_lines_with("\"concurrency\":7,"), 1);
	ck_assert_int_eq(log_lines_with("\"concurrency\":3,"), 1);
	close_service();
}
END_TEST

START_TEST(a_cell_that_dies_of_it_leaves_it_for_the_next_one)
{
	open_service("change=crash\n", "restart = always");
	change("concurrency = 7\nrestart = always", false);
	await_answer(BAY_OK, "");
	ck_assert_ptr_eq(a->config, &wanted->services[0]);
	UNTIL(&fake, is_state(&fake, "a", SERVICE_READY) && is_state(&fake, "b", SERVICE_READY));
	close_service();
}
END_TEST

START_TEST(what_is_under_way_is_in_the_way_of_a_change)
{
	open_service("", "");
	ck_assert(service_change_is_possible(a));
	for (int step = SERVICE_STEP_EXAMINE; step <= SERVICE_STEP_STOP; step++) {
		a->step = (enum service_step)step;
		ck_assert(!service_change_is_possible(a));
	}
	a->step = SERVICE_STEP_NONE;
	a->restarting = true;
	ck_assert(!service_change_is_possible(a));
	a->restarting = false;
	a->changing = true;
	ck_assert(!service_change_is_possible(a));
	a->changing = false;
	for (int state = SERVICE_STOPPED; state <= SERVICE_FAILED; state++) {
		a->state = (enum service_state)state;
		ck_assert(service_change_is_possible(a) == (state != SERVICE_STARTING && state != SERVICE_STOPPING));
	}
	a->state = SERVICE_READY;
	fake_master_close(&fake);
}
END_TEST

CHECK_MAIN("master/service_change",
	what_is_live_is_given_to_the_cell_and_in_force_when_it_has_it,
	what_only_bayd_goes_by_is_in_force_at_once_whatever_the_cell_does,
	settings_of_the_plugin_go_with_it_even_when_nothing_else_is_different,
	one_that_does_not_run_has_it_for_its_next_start,
	what_the_cell_refuses_is_not_in_force,
	loops_that_do_not_come_round_to_it_are_named_and_told_to_stay_as_they_were,
	a_cell_that_dies_of_it_leaves_it_for_the_next_one,
	what_is_under_way_is_in_the_way_of_a_change)
