/* SPDX-License-Identifier: BSD-2-Clause */
/* What is noted of a service, and what tasks that monitor it see of that. */
#include "config.h"

#include "service/monitor.h"

#include <string.h>

#include <bay/monitor.h>

#include "service/registry.h"
#include "service/service.h"
#include "support/run_tasks.h"

static struct bay_service *service;
static struct bay_monitor monitor;

static void
begin(void)
{
	registry_init(64);
	service = registry_get("s");
	memset(&monitor, 0, sizeof monitor);
}

/* Looks, which is to find something. */
static void
look(void)
{
	ck_assert_int_eq(bay_monitor("s", &monitor, bay_after(3600 * BAY_SECOND)), BAY_OK);
}

/* Looks, which is to find nothing. */
static void
look_in_vain(void)
{
	struct bay_monitor before = monitor;

	ck_assert_int_eq(bay_monitor("s", &monitor, bay_after(0)), BAY_TIMEOUT);
	ck_assert_int_eq(memcmp(&before, &monitor, sizeof monitor), 0);
}

/* --- what is a change --------------------------------------------------------------------- */

TASK_TEST(the_first_look_finds_what_there_is_and_the_next_waits)
{
	begin();
	look();
	ck_assert_int_eq(monitor.state, BAY_MONITOR_UNKNOWN);
	ck_assert_uint_eq(monitor.failures + monitor.replaced, 0);
	ck_assert_str_eq(monitor.reason, "");
	look_in_vain();
	registry_finish();
	return BAY_OK;
}

TASK_TEST(the_same_again_is_no_change)
{
	begin();
	monitor_note(service, BAY_MONITOR_READY, 1, NULL);
	look();
	monitor_note(service, BAY_MONITOR_READY, 1, NULL);
	monitor_note(service, BAY_MONITOR_READY, 0, NULL);
	look_in_vain();
	/* What was not known then is the same. */
	monitor_note(service, BAY_MONITOR_READY, 1, NULL);
	look_in_vain();
	ck_assert_uint_eq(monitor.replaced, 0);
	registry_finish();
	return BAY_OK;
}

TASK_TEST(other_code_that_serves_is_a_change_and_a_restart_with_it_is_none_of_that_kind)
{
	begin();
	monitor_note(service, BAY_MONITOR_READY, 1, NULL);
	look();
	monitor_note(service, BAY_MONITOR_READY, 2, NULL);
	look();
	ck_assert_int_eq(monitor.state, BAY_MONITOR_READY);
	ck_assert_uint_eq(monitor.replaced, 1);
	ck_assert_uint_eq(monitor.failures, 0);
	monitor_note(service, BAY_MONITOR_STOPPED, 0, NULL);
	monitor_note(service, BAY_MONITOR_STARTING, 0, NULL);
	monitor_note(service, BAY_MONITOR_READY, 3, NULL);
	look();
	ck_assert_uint_eq(monitor.replaced, 1);
	ck_assert_uint_eq(monitor.failures, 0);
	registry_finish();
	return BAY_OK;
}

TASK_TEST(a_cell_that_died_under_it_is_a_failure_as_its_own_is)
{
	begin();
	monitor_note(service, BAY_MONITOR_STARTING, 0, NULL);
	monitor_note(service, BAY_MONITOR_READY, 1, NULL);
	monitor_note(service, BAY_MONITOR_STARTING, 0, NULL);
	look();
	ck_assert_uint_eq(monitor.failures, 1);
	monitor_note(service, BAY_MONITOR_READY, 1, NULL);
	monitor_note(service, BAY_MONITOR_FAILED, 0, "crashed");
	look();
	ck_assert_int_eq(monitor.state, BAY_MONITOR_FAILED);
	ck_assert_uint_eq(monitor.failures, 2);
	ck_assert_str_eq(monitor.reason, "crashed");
	/* Its next try is none of its failures, and has no reason. */
	monitor_note(service, BAY_MONITOR_STARTING, 0, NULL);
	look();
	ck_assert_uint_eq(monitor.failures, 2);
	ck_assert_str_eq(monitor.reason, "");
	registry_finish();
	return BAY_OK;
}

TASK_TEST(what_came_and_went_is_in_the_counters_and_a_long_reason_is_cut)
{
	char reason[1000];

	begin();
	memset(reason, 'r', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	for (int64_t n = 1; n <= 5; n++) {
		monitor_note(service, BAY_MONITOR_READY, n, NULL);
		monitor_note(service, BAY_MONITOR_READY, n + 10, NULL);
		monitor_note(service, BAY_MONITOR_FAILED, 0, reason);
	}
	look();
	ck_assert_int_eq(monitor.state, BAY_MONITOR_FAILED);
	ck_assert_uint_eq(monitor.failures, 5);
	ck_assert_uint_eq(monitor.replaced, 5);
	ck_assert_uint_eq(strlen(monitor.reason), sizeof monitor.reason - 1);
	look_in_vain();
	registry_finish();
	return BAY_OK;
}

/* --- who waits ------------------------------------------------------------------------------ */

static int woken;

static int
wait_for_it(void *arg)
{
	int status = bay_monitor("s", arg, BAY_INHERIT);

	woken++;
	return status;
}

TASK_TEST(all_who_wait_are_told_of_a_change)
{
	struct bay_monitor monitors[3] = {{0}};
	struct bay_task *tasks[3];

	begin();
	woken = 0;
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(bay_monitor("s", &monitors[i], BAY_INHERIT), BAY_OK);
		tasks[i] = bay_spawn("monitor", wait_for_it, &monitors[i]);
		ck_assert_int_eq(bay_yield(), BAY_OK);
	}
	ck_assert_int_eq(woken, 0);
	monitor_note(service, BAY_MONITOR_READY, 1, NULL);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(bay_join(tasks[i], BAY_INHERIT), BAY_OK);
		ck_assert_int_eq(monitors[i].state, BAY_MONITOR_READY);
	}
	registry_finish();
	return BAY_OK;
}

TASK_TEST(who_is_cancelled_waits_no_more_also_when_the_word_is_on_its_way)
{
	for (int late = 0; late < 2; late++) {
		struct bay_monitor mine = {0};
		struct bay_task *task;

		begin();
		ck_assert_int_eq(bay_monitor("s", &mine, BAY_INHERIT), BAY_OK);
		task = bay_spawn("monitor", wait_for_it, &mine);
		ck_assert_int_eq(bay_yield(), BAY_OK);
		if (late)
			monitor_note(service, BAY_MONITOR_READY, 1, NULL);
		bay_task_cancel(task, "enough");
		ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
		ck_assert_int_eq(mine.state, BAY_MONITOR_UNKNOWN);
		/* The word comes, and finds nobody. */
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
		monitor_note(service, BAY_MONITOR_STOPPED, 0, NULL);
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
		registry_finish();
	}
	return BAY_OK;
}

TASK_TEST(what_is_no_name_is_invalid)
{
	begin();
	ck_assert_int_eq(bay_monitor("no name", &monitor, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_monitor("", &monitor, BAY_INHERIT), BAY_INVALID);
	ck_assert_uint_eq(monitor.changes, 0);
	registry_finish();
	return BAY_OK;
}

START_TEST(each_state_has_its_name)
{
	ck_assert_str_eq(bay_monitor_state_name(BAY_MONITOR_UNKNOWN), "unknown");
	ck_assert_str_eq(bay_monitor_state_name(BAY_MONITOR_STARTING), "starting");
	ck_assert_str_eq(bay_monitor_state_name(BAY_MONITOR_READY), "ready");
	ck_assert_str_eq(bay_monitor_state_name(BAY_MONITOR_STOPPED), "stopped");
	ck_assert_str_eq(bay_monitor_state_name(BAY_MONITOR_FAILED), "failed");
	ck_assert_str_eq(bay_monitor_state_name((enum bay_monitor_state)99), "unknown");
}
END_TEST

CHECK_MAIN("service/monitor",
	the_first_look_finds_what_there_is_and_the_next_waits,
	the_same_again_is_no_change,
	other_code_that_serves_is_a_change_and_a_restart_with_it_is_none_of_that_kind,
	a_cell_that_died_under_it_is_a_failure_as_its_own_is,
	what_came_and_went_is_in_the_counters_and_a_long_reason_is_cut,
	all_who_wait_are_told_of_a_change,
	who_is_cancelled_waits_no_more_also_when_the_word_is_on_its_way,
	what_is_no_name_is_invalid,
	each_state_has_its_name)
