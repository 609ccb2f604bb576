/* SPDX-License-Identifier: BSD-2-Clause */
/* With the real examiner and fake cells, which swap as they are told. */
#include "config.h"

#include "master/master_cell.h"
#include "master/service_swap.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/status_page.h"
#include "master/plugin_examination.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

/* What the last wish came to, and all its stages. */
static struct told {
	unsigned answers;
	enum swap_outcome outcome;
	char message[400];
	char stages[100];
} told;

static void
on_stage(struct master_service *service, const char *stage, void *arg)
{
	ck_assert_ptr_nonnull(service);
	ck_assert_ptr_eq(arg, &told);
	strncat(told.stages, stage, 20);
	strcat(told.stages, " ");
}

static void
on_done(struct master_service *service, enum swap_outcome outcome, const char *message, void *arg)
{
	ck_assert_ptr_nonnull(service);
	ck_assert_ptr_eq(arg, &told);
	told.answers++;
	told.outcome = outcome;
	snprintf(told.message, sizeof(told.message), "%s", message);
}

static const struct swap_wish wish = {.by = {EVENT_BY_USER, 7, 8}, .stage = on_stage, .done = on_done, .arg = &told};

/* Both services are ready; the file of a is another plugin than what runs. */
static struct master_service *
open_started(struct fake_master *master, const char *orders, const char *keys)
{
	memset(&told, 0, sizeof(told));
	fake_master_open_with_plugins(master, orders, keys, &bay_cell);
	fake_master_plugin(master, "good", "a");
	fake_master_start(master);
	return service_of(master, "a");
}

static void
reload(struct fake_master *master)
{
	unsigned before = told.answers;

	service_swap_reload(service_of(master, "a"), &wish);
	UNTIL(master, told.answers == before + 1);
}

static void
roll_back(struct fake_master *master)
{
	unsigned before = told.answers;

	service_swap_roll_back(service_of(master, "a"), &wish);
	UNTIL(master, told.answers == before + 1);
}

/* Writes into the page of the cell, as a loop of it. */
static void
count(struct fake_master *master, uint64_t served, uint64_t failed)
{
	const struct status_page *page = master_cell_page(supervisor_cell(master->supervisor, 0));
	struct status_counters *counters = status_page_counters(page, 0, 0);

	status_add(&counters->served, served);
	status_add(&counters->failed, failed);
}

START_TEST(a_reload_swaps_to_the_file_and_keeps_what_ran)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "", "");
	struct plugin_image *first = a->image;

	log_lines_keep();
	reload(&master);
	ck_assert_msg(told.outcome == SWAP_SWAPPED, "%s", told.message);
	ck_assert_str_eq(told.stages, "examined loaded ");
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert_ptr_eq(a->former, first);
	ck_assert_str_eq(a->image->source, temp_dir_path(&master.dir, "plugins/a.so"));
	ck_assert_int_ne(a->probation.until_ns, 0);
	ck_assert_uint_eq(a->restarts, 0);
	ck_assert_int_eq(log_lines_with("asked by user 7, process 8: to reload it"), 1);
	ck_assert_int_eq(log_lines_with("swapped by user 7, process 8: generation "), 1);
	/* The same file again is no news. */
	reload(&master);
	ck_assert_int_eq(told.outcome, SWAP_SAME);
	ck_assert_ptr_eq(a->former, first);
	fake_master_close(&master);
}
END_TEST

START_TEST(what_the_examiner_refuses_is_never_started)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "swap=crash\n", "");

	fake_master_plugin(&master, "crashes", "a");
	log_lines_keep();
	reload(&master);
	ck_assert_int_eq(told.outcome, SWAP_REFUSED);
	ck_assert_ptr_nonnull(strstr(told.message, "crashed: SIGSEGV"));
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert_int_eq(log_lines_with("refused by user 7, process 8: what ran before goes on: "), 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(what_fails_in_the_cell_leaves_what_ran)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "swap=refuse\n", "");

	reload(&master);
	ck_assert_int_eq(told.outcome, SWAP_ROLLED_BACK);
	ck_assert_ptr_nonnull(strstr(told.message, "no such luck; generation 1 (1.0) serves on"));
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	ck_assert_ptr_null(a->former);
	ck_assert_int_eq(a->probation.until_ns, 0);
	fake_master_close(&master);
	a = open_started(&master, "swap=invalid\n", "");
	reload(&master);
	ck_assert_int_eq(told.outcome, SWAP_REFUSED);
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	fake_master_close(&master);
}
END_TEST

START_TEST(one_that_fails_as_it_is_to_be_swapped_is_started_again)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "swap=late\n", "");

	reload(&master);
	ck_assert_int_eq(told.outcome, SWAP_REFUSED);
	ck_assert_ptr_nonnull(strstr(told.message, "it is not running"));
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	service_swap_reload(a, &wish);
	UNTIL(&master, a->step == SERVICE_STEP_SWAP);
	service_control_stop(a, false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

START_TEST(one_that_fails_as_it_is_to_go_back_is_started_as_what_it_was)
{
	for (int condemned = 0; condemned < 2; condemned++) {
		struct fake_master master;
		struct master_service *a = open_started(&master, "revert=late\n", "");

		reload(&master);
		if (condemned) {
			count(&master, 0, 100);
			UNTIL(&master, a->step == SERVICE_STEP_SWAP);
			UNTIL(&master, is_state(&master, "a", SERVICE_READY) && a->step == SERVICE_STEP_NONE);
		} else {
			roll_back(&master);
			ck_assert_int_eq(told.outcome, SWAP_STARTED);
		}
		ck_assert_str_eq(a->image->source, "/nowhere/a.so");
		ck_assert(condemned == (a->former == NULL));
		ck_assert_ptr_null(a->swap.failure);
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(what_crashes_or_hangs_the_cell_in_the_swap_leaves_what_ran_to_the_next_cell)
{
	static const char *const orders[] = {"swap=crash\n", "swap=silent\n"};
	static const char *const texts[] = {"crashed: SIGSEGV in init", "hung: hung in the swap"};

	for (int i = 0; i < 2; i++) {
		struct fake_master master;
		struct master_service *a = open_started(&master, orders[i], "drain_timeout = 10ms");
		struct config_service *config = &master.config->services[0];
		int64_t start_timeout_ns = config->start_timeout_ns;

		/* Only the swap has little time. */
		ck_assert_ptr_eq(a->config, config);
		if (i == 1)
			config->start_timeout_ns = MS(10);
		service_swap_reload(a, &wish);
		UNTIL(&master, a->step == SERVICE_STEP_SWAP);
		config->start_timeout_ns = start_timeout_ns;
		UNTIL(&master, told.answers == 1);
		ck_assert_int_eq(told.outcome, SWAP_ROLLED_BACK);
		ck_assert_msg(strstr(told.message, texts[i]) != NULL, "%s", told.message);
		ck_assert(is_state(&master, "a", SERVICE_READY));
		ck_assert_str_eq(a->image->source, "/nowhere/a.so");
		ck_assert_uint_eq(a->restarts, 0);
		ck_assert_int_eq(a->next_try_ns, 0);
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(requests_meanwhile_are_answered_by_the_next_one)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "", "");
	int i;

	for (i = 0; i < 5; i++)
		service_swap_reload(a, &wish);
	fake_master_plugin(&master, "late", "a");
	service_swap_reload(a, &wish);
	UNTIL(&master, told.answers == 6);
	/* The first alone, then all others together: the file was copied once or twice. */
	ck_assert_int_le(a->image->generation, 2);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_crash_on_probation_starts_the_former_code)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "call=crash\n", "restart = no");

	reload(&master);
	ck_assert_int_eq(told.outcome, SWAP_SWAPPED);
	log_lines_keep();
	fake_master_crash(&master, 0);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	ck_assert_ptr_null(a->former);
	ck_assert_int_eq(log_lines_with("is rolled back to generation 1 (1.0): on probation, it crashed"), 1);
	fake_master_close(&master);
}
END_TEST

/* Asks for a reload while the cell crashes in the service of this slot. */
static void
reload_into_crash(struct fake_master *master, int slot)
{
	pid_t cell = cell_process_pid(master_cell_process(supervisor_cell(master->supervisor, 0)));
	siginfo_t ended;

	cell_process_call(master_cell_process(supervisor_cell(master->supervisor, 0)), CELL_CALL,
		json_pack("{s:i}", "slot", slot), -1, 0, fake_master_on_reply, master);
	event_base_loop(master->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	ck_assert_int_eq(waitid(P_PID, (id_t)cell, &ended, WEXITED | WNOWAIT), 0);
	service_swap_reload(service_of(master, "a"), &wish);
	UNTIL(master, !is_state(master, "a", SERVICE_READY));
	ck_assert_int_eq(service_of(master, "a")->step, SERVICE_STEP_EXAMINE);
}

START_TEST(a_crash_on_probation_while_the_same_file_is_examined_starts_the_former_code)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "call=crash\n", "restart = no");

	reload(&master);
	reload_into_crash(&master, 0);
	UNTIL(&master, told.answers == 2);
	ck_assert_int_eq(told.outcome, SWAP_ROLLED_BACK);
	ck_assert_ptr_nonnull(strstr(told.message, "rolled back to generation 1 (1.0)"));
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	ck_assert(is_state(&master, "a", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(one_whose_cell_ends_in_the_examination_is_started_with_the_file_if_it_is_wanted)
{
	for (int wanted = 0; wanted < 2; wanted++) {
		struct fake_master master;
		struct master_service *a = open_started(&master, "call=crash\n", "restart_delay = 1ms");

		log_lines_keep();
		reload_into_crash(&master, 1);
		if (!wanted)
			service_control_stop(a, false, NULL, NULL);
		UNTIL(&master, told.answers == 1);
		ck_assert_int_eq(told.outcome, wanted ? SWAP_STARTED : SWAP_FAILED);
		ck_assert(is_state(&master, "a", wanted ? SERVICE_READY : SERVICE_STOPPED));
		ck_assert_int_eq(log_lines_with("service a: ready"), wanted);
		if (wanted)
			ck_assert_str_eq(a->image->source, temp_dir_path(&master.dir, "plugins/a.so"));
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(a_crash_of_another_service_is_no_reason)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "call=crash\n", "restart_delay = 1ms");

	reload(&master);
	fake_master_crash(&master, 1);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	ck_assert_str_ne(a->image->source, "/nowhere/a.so");
	ck_assert_int_ne(a->probation.until_ns, 0);
	ck_assert_uint_eq(a->restarts, 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_crash_without_probation_is_a_failure_as_any)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "call=crash\n", "restart = no\nprobation = 0");

	reload(&master);
	ck_assert_int_eq(a->probation.until_ns, 0);
	fake_master_crash(&master, 0);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert_str_ne(a->image->source, "/nowhere/a.so");
	/* By hand it may be started with the former code. */
	roll_back(&master);
	ck_assert_int_eq(told.outcome, SWAP_STARTED);
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	ck_assert_ptr_nonnull(a->former);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_rollback_goes_back_and_forth)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "revert=none\n", "");
	struct plugin_image *first = a->image, *second;

	roll_back(&master);
	ck_assert_int_eq(told.outcome, SWAP_FAILED);
	ck_assert_ptr_nonnull(strstr(told.message, "there is no former generation"));
	reload(&master);
	second = a->image;
	roll_back(&master);
	ck_assert_int_eq(told.outcome, SWAP_SWAPPED);
	ck_assert_ptr_eq(a->image, first);
	ck_assert_ptr_eq(a->former, second);
	ck_assert_int_eq(a->probation.until_ns, 0);
	roll_back(&master);
	ck_assert_ptr_eq(a->image, second);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_rollback_ends_with_bayd)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "revert=none\n", "");

	reload(&master);
	service_swap_roll_back(a, &wish);
	ck_assert_int_eq(a->step, SERVICE_STEP_SWAP);
	supervisor_stop(master.supervisor, false);
	UNTIL(&master, master.stopped);
	ck_assert_uint_eq(told.answers, 2);
	ck_assert_int_eq(told.outcome, SWAP_FAILED);
	fake_master_close(&master);
}
END_TEST

START_TEST(one_that_failed_is_started_with_the_file_as_it_is_now)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "call=crash\n", "restart = no");

	fake_master_crash(&master, 0);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	fake_master_plugin(&master, "crashes", "a");
	reload(&master);
	ck_assert_int_eq(told.outcome, SWAP_REFUSED);
	fake_master_plugin(&master, "good", "a");
	reload(&master);
	ck_assert_int_eq(told.outcome, SWAP_STARTED);
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert_int_eq(a->probation.until_ns, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_in_the_swap_comes_after_it)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "swap=hold\n", "");

	service_swap_reload(a, &wish);
	UNTIL(&master, a->step == SERVICE_STEP_SWAP);
	service_control_stop(a, false, fake_master_on_done, &master);
	ck_assert_uint_eq(master.answers, 0);
	service_swap_roll_back(a, &wish);
	ck_assert_int_eq(told.outcome, SWAP_FAILED);
	cell_process_call(master_cell_process(supervisor_cell(master.supervisor, 0)), "io.bayd.Cell.Call", NULL, -1, 0,
		fake_master_on_reply, &master);
	UNTIL(&master, is_state(&master, "a", SERVICE_STOPPED));
	ck_assert_int_eq(a->probation.until_ns, 0);
	told.answers = 0;
	service_swap_reload(a, &wish);
	ck_assert_uint_eq(told.answers, 1);
	ck_assert_int_eq(told.outcome, SWAP_FAILED);
	ck_assert_ptr_nonnull(strstr(told.message, "it is stopped"));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_restart_keeps_the_former_image_too)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "", "");

	service_control_restart(a, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_str_eq(a->former->source, "/nowhere/a.so");
	roll_back(&master);
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	fake_master_close(&master);
}
END_TEST

START_TEST(what_lingers_is_noted_until_its_cell_ends)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "swap=lingers call=crash\n", "restart_delay = 1ms");

	reload(&master);
	UNTIL(&master, a->lingering_count == 1);
	ck_assert_str_eq(a->lingering[0].reason, "it was told to");
	fake_master_crash(&master, 1);
	ck_assert_uint_eq(a->lingering_count, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_in_which_too_much_lingers_is_replaced)
{
	struct fake_master master;
	struct master_service *a;
	pid_t cell;

	a = open_started(&master, "swap=lingers\n", "probation = 0");
	master.config->container.max_lingering = 1;
	cell = cell_process_pid(master_cell_process(supervisor_cell(master.supervisor, 0)));
	log_lines_keep();
	reload(&master);
	ck_assert_int_eq(cell_process_pid(master_cell_process(supervisor_cell(master.supervisor, 0))), cell);
	fake_master_plugin(&master, "late", "a");
	reload(&master);
	UNTIL(&master, a->lingering_count == 2);
	UNTIL(&master, master_cell_process(supervisor_cell(master.supervisor, 0)) != NULL &&
		cell_process_pid(master_cell_process(supervisor_cell(master.supervisor, 0))) != cell);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY) && is_state(&master, "b", SERVICE_READY));
	ck_assert_uint_eq(a->restarts + service_of(&master, "b")->restarts, 0);
	ck_assert_int_eq(log_lines_with("2 generations linger in it (max_lingering = 1)"), 1);
	fake_master_close(&master);
}
END_TEST

static void
remove_service(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	(void)message;
	(void)arg;
	ck_assert_int_eq(status, BAY_OK);
	supervisor_remove(service->supervisor, service);
}

START_TEST(what_lingers_of_a_service_that_is_removed_counts_too)
{
	struct fake_master master;
	struct master_service *a = open_started(&master, "stop=lingers\n", "");
	pid_t cell = cell_process_pid(master_cell_process(supervisor_cell(master.supervisor, 0)));

	master.config->container.max_lingering = 0;
	log_lines_keep();
	service_control_stop(a, false, remove_service, NULL);
	UNTIL(&master, a->lingering_count == 1);
	ck_assert_ptr_null(service_of(&master, "a"));
	UNTIL(&master, master_cell_process(supervisor_cell(master.supervisor, 0)) != NULL &&
		cell_process_pid(master_cell_process(supervisor_cell(master.supervisor, 0))) != cell);
	ck_assert_int_eq(log_lines_with("1 generations linger in it (max_lingering = 0)"), 1);
	ck_assert_uint_eq(a->lingering_count, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(what_is_asked_while_a_cell_drains_is_for_the_next_one)
{
	struct fake_master master;
	struct fake_master calls = {0}, starts = {0};
	struct master_service *a, *b;
	struct cell_process *cell;
	pid_t old;

	a = open_started(&master, "swap=lingers call=hold\n", "probation = 0");
	b = service_of(&master, "b");
	fake_master_plugin(&master, "good", "b");
	service_control_stop(b, false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	master.config->container.max_lingering = 0;
	cell = master_cell_process(supervisor_cell(master.supervisor, 0));
	old = cell_process_pid(cell);
	cell_process_call(cell, CELL_CALL, json_pack("{s:s}", "service", "a"), -1, 0, fake_master_on_reply, &calls);
	reload(&master);
	UNTIL(&master, is_state(&master, "a", SERVICE_STARTING));
	ck_assert_ptr_null(master_cell_ready(supervisor_cell(master.supervisor, 0)));
	/* What runs still runs. */
	service_control_stop(a, false, fake_master_on_done, &master);
	service_control_stop(a, true, NULL, NULL);
	ck_assert_uint_eq(master.answers, 1);
	ck_assert(is_state(&master, "a", SERVICE_STOPPING));
	service_control_start(b, fake_master_on_done, &starts);
	UNTIL(&master, b->step == SERVICE_STEP_NONE);
	ck_assert(is_state(&master, "b", SERVICE_STARTING));
	ck_assert_uint_eq(calls.answers + starts.answers, 0);
	cell_process_call(cell, CELL_CALL, json_pack("{s:s}", "service", "b"), -1, 0, fake_master_on_reply, &calls);
	UNTIL(&master, starts.answers == 1);
	ck_assert_int_eq(starts.status, BAY_OK);
	ck_assert_uint_eq(calls.answers, 2);
	ck_assert_int_ne(cell_process_pid(master_cell_process(supervisor_cell(master.supervisor, 0))), old);
	ck_assert_uint_eq(master.answers, 2);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/service_swap",
	a_reload_swaps_to_the_file_and_keeps_what_ran,
	what_the_examiner_refuses_is_never_started,
	what_fails_in_the_cell_leaves_what_ran,
	one_that_fails_as_it_is_to_be_swapped_is_started_again,
	one_that_fails_as_it_is_to_go_back_is_started_as_what_it_was,
	what_crashes_or_hangs_the_cell_in_the_swap_leaves_what_ran_to_the_next_cell,
	requests_meanwhile_are_answered_by_the_next_one,
	a_crash_on_probation_starts_the_former_code,
	a_crash_on_probation_while_the_same_file_is_examined_starts_the_former_code,
	one_whose_cell_ends_in_the_examination_is_started_with_the_file_if_it_is_wanted,
	a_crash_of_another_service_is_no_reason,
	a_crash_without_probation_is_a_failure_as_any,
	a_rollback_goes_back_and_forth,
	a_rollback_ends_with_bayd,
	one_that_failed_is_started_with_the_file_as_it_is_now,
	a_stop_in_the_swap_comes_after_it,
	a_restart_keeps_the_former_image_too,
	what_lingers_is_noted_until_its_cell_ends,
	a_cell_in_which_too_much_lingers_is_replaced,
	what_lingers_of_a_service_that_is_removed_counts_too,
	what_is_asked_while_a_cell_drains_is_for_the_next_one)
