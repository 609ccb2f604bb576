/* SPDX-License-Identifier: BSD-2-Clause */
/* Two services, of which b has a cell of its own, with fake cells. Also tests service_isolation and
 * cell_section; tests/system/test_cells.sh has real cells. */
#include "config.h"

#include "master/master_cell.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config_load.h"
#include "master/cell_process.h"
#include "master/cell_section.h"
#include "master/service_change.h"
#include "master/service_isolation.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static struct master_cell *
cell_of(const struct fake_master *master, const char *name)
{
	struct master_cell *cell = supervisor_find_cell(master->supervisor, name);

	ck_assert_msg(cell != NULL, "there is no cell %s", name);
	return cell;
}

static pid_t
pid_of(const struct fake_master *master, const char *name)
{
	const struct cell_process *process = master_cell_process(cell_of(master, name));

	return process != NULL ? cell_process_pid(process) : 0;
}

static const char *
state_of(const struct fake_master *master, const char *name)
{
	static struct master_cell_view view;

	master_cell_view(cell_of(master, name), &view);
	return view.state;
}

/* Starts b, which has its image, as a reload would. */
static void
start_b(struct fake_master *master)
{
	struct master_service *b = service_of(master, "b");
	const struct service_target target = {.source = b->source, .config = b->config, .image = b->image};

	service_change_start(b, &target, fake_master_on_done, master);
}

/* The service of the slot is blamed by the cell that this one is in. */
static void
crash(struct fake_master *master, const char *name, int slot)
{
	master->answers = 0;
	cell_process_call(master_cell_process(service_of(master, name)->cell), CELL_CALL,
		json_pack("{s:i}", "slot", slot), -1, 0, fake_master_on_reply, master);
	UNTIL(master, master->answers > 0);
}

/* --- cells ---------------------------------------------------------------------------- */

START_TEST(each_service_is_in_the_cell_that_it_names)
{
	struct fake_master master;

	fake_master_open_pair(&master, "", "", "cell = risky", NULL);
	fake_master_start(&master);
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert(is_state(&master, "b", SERVICE_READY));
	ck_assert_ptr_eq(service_of(&master, "a")->cell, cell_of(&master, "main"));
	ck_assert_ptr_eq(service_of(&master, "b")->cell, cell_of(&master, "risky"));
	ck_assert_uint_eq(supervisor_cell_count(master.supervisor), 2);
	ck_assert_int_ne(pid_of(&master, "main"), pid_of(&master, "risky"));
	fake_master_close(&master);
}
END_TEST

START_TEST(the_end_of_a_cell_is_nothing_to_the_others)
{
	struct fake_master master;
	pid_t main_cell;

	fake_master_open_pair(&master, "", "", "isolate = yes", NULL);
	fake_master_start(&master);
	main_cell = pid_of(&master, "main");
	cell_process_kill(master_cell_process(cell_of(&master, "b")));
	UNTIL(&master, is_state(&master, "b", SERVICE_STARTING));
	ck_assert(is_state(&master, "a", SERVICE_READY));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert_int_eq(pid_of(&master, "main"), main_cell);
	ck_assert_uint_eq(service_of(&master, "a")->restarts, 0);
	ck_assert_uint_eq(service_of(&master, "b")->restarts, 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_crash_is_heard_of_before_the_end_of_the_process)
{
	struct fake_master master;
	pid_t pid;

	fake_master_open_pair(&master, "call=dies\n", "", "", NULL);
	fake_master_start(&master);
	pid = pid_of(&master, "main");
	log_set_level(LOG_LEVEL_DEBUG);
	log_lines_keep();
	cell_process_call(master_cell_process(cell_of(&master, "main")), CELL_CALL,
		json_pack("{s:i}", "slot", 1), -1, 0, cell_reply_ignore, NULL);
	UNTIL(&master, log_lines_with("cell main: ends: it crashed: SIGSEGV in service b") == 1);
	ck_assert_int_eq(pid_of(&master, "main"), pid);
	ck_assert_int_eq(kill(pid, 0), 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_is_started_when_somebody_is_to_start_in_it)
{
	struct fake_master master;

	fake_master_open_pair(&master, "", "", "isolate = yes\nenabled = no", NULL);
	fake_master_start(&master);
	ck_assert_int_eq(pid_of(&master, "b"), 0);
	ck_assert_str_eq(state_of(&master, "b"), "stopped");
	start_b(&master);
	ck_assert_str_eq(state_of(&master, "b"), "starting");
	UNTIL(&master, master.answers > 0);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert_str_eq(state_of(&master, "b"), "ready");
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_is_never_ready_fails_its_services)
{
	struct fake_master master;

	fake_master_open_pair(&master, "\ndie\ndie\n", "", "isolate = yes\nenabled = no\nrestart = no", NULL);
	fake_master_start(&master);
	start_b(&master);
	UNTIL(&master, master.answers > 0);
	ck_assert_int_eq(master.status, BAY_FAILED);
	ck_assert(is_state(&master, "b", SERVICE_FAILED));
	ck_assert_ptr_nonnull(strstr(service_of(&master, "b")->reason,
		"cell b ended the process with exit code 9"));
	ck_assert(is_state(&master, "a", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

START_TEST(bayd_does_not_start_without_one_of_its_cells)
{
	struct fake_master master;

	fake_master_open_pair(&master, "die\ndie\n", "", "isolate = yes", NULL);
	fake_master_launch(&master);
	UNTIL(&master, master.started);
	ck_assert_ptr_nonnull(strstr(master.why, "ended the process with exit code 9 [cell-exit]"));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_cannot_blame_a_service_of_another)
{
	struct fake_master master;

	/* Whichever takes which line. */
	fake_master_open_pair(&master, "call=crash\ncall=crash\n", "restart = no", "isolate = yes\nrestart = no", NULL);
	fake_master_start(&master);
	crash(&master, "b", (int)service_of(&master, "a")->slot);
	ck_assert_int_eq(master.status, BAY_PEER_DIED);
	ck_assert(is_state(&master, "a", SERVICE_READY));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	fake_master_close(&master);
}
END_TEST

static size_t
count_limits(const struct fake_master *master)
{
	const struct event_record *record;
	uint64_t next = 1;
	size_t count = 0;

	while (event_log_next(master->events, &next, NULL, &record))
		count += record->kind == EVENT_LIMIT;
	return count;
}

START_TEST(a_cell_that_is_replaced_is_told_of_once)
{
	struct fake_master master;

	fake_master_open_pair(&master, "", "", "isolate = yes", NULL);
	fake_master_start(&master);
	for (int i = 0; i < 3; i++)
		master_cell_renew(cell_of(&master, "b"), "it has had its time");
	ck_assert_uint_eq(count_limits(&master), 1);
	/* Each for itself. */
	master_cell_renew(service_of(&master, "a")->cell, "it has, too");
	ck_assert_uint_eq(count_limits(&master), 2);
	fake_master_close(&master);
}
END_TEST

START_TEST(all_cells_end_with_bayd)
{
	struct fake_master master;

	fake_master_open_pair(&master, "", "", "isolate = yes", NULL);
	fake_master_start(&master);
	supervisor_stop(master.supervisor, false);
	UNTIL(&master, master.stopped);
	ck_assert_int_eq(pid_of(&master, "main"), 0);
	ck_assert_int_eq(pid_of(&master, "b"), 0);
	ck_assert(is_state(&master, "a", SERVICE_STOPPED));
	ck_assert(is_state(&master, "b", SERVICE_STOPPED));
	fake_master_close(&master);
}
END_TEST

START_TEST(services_of_several_cells_are_stopped_in_their_order)
{
	struct fake_master master;

	/* Nobody answers that b has stopped: a, which is in another cell, is not told to. */
	fake_master_open_pair(&master, "stop=silent\nstop=silent\n", "", "isolate = yes\nrequires = a", NULL);
	master.config->container.drain_timeout_ns = MS(20);
	fake_master_start(&master);
	supervisor_stop(master.supervisor, false);
	ck_assert_str_eq(state_of(&master, "main"), "ready");
	ck_assert_str_eq(state_of(&master, "b"), "ready");
	UNTIL(&master, master.stopped);
	fake_master_close(&master);
}
END_TEST

/* --- isolation ------------------------------------------------------------------------- */

/* Crashes a, which shares main with b, so often. */
static void
crash_a(struct fake_master *master, int times)
{
	while (times-- > 0) {
		crash(master, "a", (int)service_of(master, "a")->slot);
		UNTIL(master, is_state(master, "a", SERVICE_READY) && is_state(master, "b", SERVICE_READY));
	}
}

static const char crashing[] = "call=crash\ncall=crash\ncall=crash\ncall=crash\ncall=crash\n";

START_TEST(the_third_crash_moves_a_service_out_and_a_reset_back)
{
	struct master_service *a;
	struct fake_master master;

	fake_master_open_pair(&master, crashing, "restart_delay = 1ms", "", NULL);
	fake_master_start(&master);
	a = service_of(&master, "a");
	crash_a(&master, 2);
	ck_assert(!a->apart);
	ck_assert_ptr_eq(a->cell, cell_of(&master, "main"));
	crash_a(&master, 1);
	ck_assert(a->apart);
	ck_assert_ptr_eq(a->cell, cell_of(&master, "a"));
	ck_assert_ptr_eq(service_of(&master, "b")->cell, cell_of(&master, "main"));
	master.answers = 0;
	service_isolation_reset(a, fake_master_on_done, &master);
	UNTIL(&master, master.answers > 0);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert(!a->apart);
	ck_assert_ptr_eq(a->cell, cell_of(&master, "main"));
	UNTIL(&master, pid_of(&master, "a") == 0);
	ck_assert(!master_cell_is_there(cell_of(&master, "a")));
	fake_master_close(&master);
}
END_TEST

START_TEST(who_is_to_stay_or_alone_is_not_moved)
{
	static const char *const keys[][2] = {
		{"restart_delay = 1ms\non_crash = stay", ""},
		{"restart_delay = 1ms", "isolate = yes"},
		{"restart_delay = 1ms", "cell = a"},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct fake_master master;

		fake_master_open_pair(&master, crashing, keys[i][0], keys[i][1], NULL);
		fake_master_start(&master);
		crash_a(&master, 3);
		ck_assert(!service_of(&master, "a")->apart);
		ck_assert_ptr_eq(service_of(&master, "a")->cell, cell_of(&master, "main"));
		fake_master_close(&master);
	}
}
END_TEST

/* --- sections --------------------------------------------------------------------------- */

START_TEST(a_section_says_what_is_otherwise)
{
	static const char text[] = "[cell x]\nloops = 3\nfds_max = 100\nmemory_max = 64M\n"
		"cpu_weight = 50\n[cell y]\nuser = nobody-at-all\n";
	struct cell_options base = {.loops = 2, .uid = geteuid(), .gid = getegid()};
	struct cell_options x = base, y = base, z = base;
	struct config_report report = {0};
	struct config *config;

	ck_assert(config_load_memory("test.ini", text, strlen(text), &config, &report));
	cell_section_apply(config, "x", &x);
	cell_section_apply(config, "y", &y);
	cell_section_apply(config, "z", &z);
	ck_assert_uint_eq(x.loops, 3);
	ck_assert_uint_eq(x.fds_max, 100);
	ck_assert_uint_eq(x.memory_max, 64 << 20);
	ck_assert_int_eq(x.nice, 3);
	ck_assert(!cell_section_equal(&x, &base));
	ck_assert(cell_section_equal(&z, &base));
	/* Rather not at all than as somebody else. */
	ck_assert_str_eq(y.missing, "nobody-at-all");
	ck_assert(!cell_section_equal(&y, &base));
	cell_section_check(config, false, &report);
	ck_assert_uint_eq(report.count, 1);
	ck_assert_uint_eq(report.complaints[0].line, 7);
	config_report_finish(&report);
	config_destroy(config);
}
END_TEST

CHECK_MAIN("master/master_cell",
	each_service_is_in_the_cell_that_it_names,
	the_end_of_a_cell_is_nothing_to_the_others,
	a_crash_is_heard_of_before_the_end_of_the_process,
	a_cell_is_started_when_somebody_is_to_start_in_it,
	a_cell_that_is_never_ready_fails_its_services,
	bayd_does_not_start_without_one_of_its_cells,
	a_cell_cannot_blame_a_service_of_another,
	a_cell_that_is_replaced_is_told_of_once,
	all_cells_end_with_bayd,
	services_of_several_cells_are_stopped_in_their_order,
	the_third_crash_moves_a_service_out_and_a_reset_back,
	who_is_to_stay_or_alone_is_not_moved,
	a_section_says_what_is_otherwise)
