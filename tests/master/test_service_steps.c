/* SPDX-License-Identifier: BSD-2-Clause */
/* With the real examiner, since these steps begin with an examination, and with fake cells. */
#include "config.h"

#include "master/service_steps.h"

#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "master/plugin_examination.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

/* Both services are ready, and their plugin is there. */
static void
open_started(struct fake_master *master, const char *orders, const char *keys)
{
	fake_master_open_with_plugins(master, orders, keys, &bay_cell);
	fake_master_plugin(master, "good", "a");
	fake_master_start(master);
}

START_TEST(a_restart_takes_the_plugin_file_as_it_is_now)
{
	struct fake_master master;
	struct master_service *a;

	open_started(&master, "", "");
	a = service_of(&master, "a");
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	service_control_restart(a, fake_master_on_done, &master);
	ck_assert(is_state(&master, "a", SERVICE_READY));
	UNTIL(&master, master.answers == 1);
	ck_assert_msg(master.status == BAY_OK, "%s", master.message);
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert_str_eq(a->image->source, temp_dir_path(&master.dir, "plugins/a.so"));
	ck_assert_uint_eq(a->restarts, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_restart_that_is_refused_leaves_what_runs)
{
	struct fake_master master;

	open_started(&master, "", "");
	fake_master_plugin(&master, "crashes", "a");
	log_lines_keep();
	service_control_restart(service_of(&master, "a"), fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(master.message, "crashed: SIGSEGV"));
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert_str_eq(service_of(&master, "a")->image->source, "/nowhere/a.so");
	ck_assert_int_eq(log_lines_with("restart refused, what ran before goes on"), 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(wrong_settings_are_a_refusal_with_the_line_of_the_first)
{
	struct fake_master master;

	open_started(&master, "", "first = 1\nsecond = 2");
	service_control_restart(service_of(&master, "a"), fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(master.message, "bay.ini:3: "));
	ck_assert_ptr_nonnull(strstr(master.message, "(and 1 more; bayd -t shows all)"));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_start_that_is_refused_fails_with_the_reason_and_is_not_tried_again)
{
	struct fake_master master;

	open_started(&master, "", "");
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	fake_master_plugin(&master, "exits", "a");
	service_control_start(service_of(&master, "a"), fake_master_on_done, &master);
	ck_assert(is_state(&master, "a", SERVICE_STARTING));
	UNTIL(&master, master.answers == 2);
	ck_assert_int_eq(master.status, BAY_INVALID);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert_ptr_nonnull(strstr(service_of(&master, "a")->reason, "exit code"));
	ck_assert(!event_pending(service_of(&master, "a")->timer, EV_TIMEOUT, NULL));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_start_by_hand_forgets_the_failures_and_the_waits)
{
	struct fake_master master;
	struct master_service *a;

	open_started(&master, "call=crash\ncall=crash\ncall=crash\n",
		"restart_delay = 1ms\nstart_limit = 2/1m");
	a = service_of(&master, "a");
	fake_master_crash(&master, 0);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	fake_master_crash(&master, 0);
	ck_assert_int_eq(a->next_try_ns, 0);
	ck_assert_ptr_nonnull(strstr(a->reason, "start_limit"));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	master.answers = 0;
	service_control_start(a, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_msg(master.status == BAY_OK, "%s", master.message);
	/* One more failure is the first of two. */
	fake_master_crash(&master, 0);
	ck_assert(is_state(&master, "a", SERVICE_FAILED));
	ck_assert_int_gt(a->next_try_ns, 0);
	ck_assert_ptr_null(strstr(a->reason, "start_limit"));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_start_by_hand_does_not_wait_for_the_next_try)
{
	struct fake_master master;

	open_started(&master, "call=crash\n", "restart_delay = 1h");
	fake_master_crash(&master, 0);
	ck_assert_int_gt(service_of(&master, "a")->next_try_ns, 0);
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	master.answers = 0;
	service_control_start(service_of(&master, "a"), fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_msg(master.status == BAY_OK, "%s", master.message);
	ck_assert_int_eq(service_of(&master, "a")->next_try_ns, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_during_an_examination_counts)
{
	struct fake_master master;

	open_started(&master, "", "");
	service_control_restart(service_of(&master, "a"), NULL, NULL);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	/* And during that of a start. */
	service_control_start(service_of(&master, "a"), NULL, NULL);
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 2);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_service_that_fails_during_its_restart_is_started_by_it)
{
	struct fake_master master;
	struct master_service *a;

	open_started(&master, "", "");
	a = service_of(&master, "a");
	service_control_restart(a, fake_master_on_done, &master);
	service_control_failed(a, "it gave up");
	ck_assert(is_state(&master, "a", SERVICE_STARTING));
	ck_assert_int_eq(a->step, SERVICE_STEP_EXAMINE);
	UNTIL(&master, master.answers == 1);
	ck_assert_msg(master.status == BAY_OK, "%s", master.message);
	ck_assert_str_ne(a->image->source, "/nowhere/a.so");
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_dies_during_an_examination_does_not_end_the_restart)
{
	struct fake_master master;

	open_started(&master, "", "");
	service_control_restart(service_of(&master, "a"), fake_master_on_done, &master);
	cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 0)));
	UNTIL(&master, master.answers == 1);
	ck_assert_msg(master.status == BAY_OK, "%s", master.message);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	ck_assert_str_ne(service_of(&master, "a")->image->source, "/nowhere/a.so");
	fake_master_close(&master);
}
END_TEST

START_TEST(the_old_image_goes_when_the_new_one_runs)
{
	struct fake_master master;
	char first[256];

	open_started(&master, "", "");
	service_control_restart(service_of(&master, "a"), fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	snprintf(first, sizeof(first), "%s", service_of(&master, "a")->image->image.path);
	ck_assert_int_eq(access(first, F_OK), 0);
	service_control_restart(service_of(&master, "a"), fake_master_on_done, &master);
	UNTIL(&master, master.answers == 2);
	ck_assert_int_eq(service_of(&master, "a")->image->generation, 2);
	ck_assert_int_ne(access(first, F_OK), 0);
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/service_steps",
	a_restart_takes_the_plugin_file_as_it_is_now,
	a_restart_that_is_refused_leaves_what_runs,
	wrong_settings_are_a_refusal_with_the_line_of_the_first,
	a_start_that_is_refused_fails_with_the_reason_and_is_not_tried_again,
	a_start_by_hand_forgets_the_failures_and_the_waits,
	a_start_by_hand_does_not_wait_for_the_next_try,
	a_stop_during_an_examination_counts,
	a_service_that_fails_during_its_restart_is_started_by_it,
	a_cell_that_dies_during_an_examination_does_not_end_the_restart,
	the_old_image_goes_when_the_new_one_runs)
