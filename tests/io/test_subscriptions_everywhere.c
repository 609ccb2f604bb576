/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals and watches of files, whose owner is cut short at each await in turn. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <bay/select.h>

#include "loop/signals.h"
#include "support/cancel_everywhere.h"
#include "support/temp_dir.h"

static struct temp_dir dir;

/* What is on its way to a subscription that was closed comes home, and then all is back. */
static void
check_nothing_left(void)
{
	usleep(200);
	(void)loop_drain_inbox(&run_tasks_scheduler.loop);
	ck_assert_uint_eq(run_tasks_scheduler.loop._watch_count, 0);
	run_tasks_check_nothing_left();
}

static int
send_later(void *arg)
{
	int status = points_expect(bay_yield());

	(void)arg;
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	return status;
}

EVERYWHERE(waits_for_signals_leave_nothing, 2, check_nothing_left)
{
	static const int kept[] = {SIGUSR1};
	struct bay_signal *signal;
	struct bay_signal_info info = {0, 0, 0};
	struct bay_task *task;
	int status;

	signals_block(kept, 1);
	ck_assert_int_eq(bay_signal_open(SIGUSR1, &signal), BAY_OK);
	task = bay_spawn("sends", send_later, NULL);
	status = points_expect(bay_signal_next(signal, &info, BAY_INHERIT));
	if (status == BAY_OK)
		ck_assert_uint_ge(info.count, 1);
	if (status == BAY_OK)
		status = points_expect(bay_gather(&task, 1, BAY_INHERIT));
	bay_task_free(task);
	bay_signal_close(signal);
	return status;
}

static int
write_later(void *arg)
{
	int status = points_expect(bay_yield());
	int fd = open(arg, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(unlink(arg), 0);
	return status;
}

static int
wait_for_files(void *arg)
{
	char *path = (char *)temp_dir_path(&dir, "file");
	struct bay_watch_event event = {0, ""};
	struct bay_case cases[2];
	struct bay_watch *watch;
	struct bay_task *task;
	size_t index = 9;
	int status;

	(void)arg;
	ck_assert_int_eq(bay_watch_open(dir.path, BAY_WATCH_CREATED | BAY_WATCH_DELETED, &watch), BAY_OK);
	task = bay_spawn("writes", write_later, path);
	cases[0] = bay_case_watch(watch, &event);
	cases[1] = bay_case_time(bay_after(3600 * BAY_SECOND));
	status = points_expect(bay_select(cases, 2, &index, BAY_INHERIT));
	if (status == BAY_OK) {
		ck_assert_uint_eq(index, 0);
		ck_assert_str_eq(event.name, "file");
	}
	if (status == BAY_OK && event.what == BAY_WATCH_CREATED)
		status = points_expect(bay_watch_next(watch, NULL, BAY_INHERIT));
	if (status == BAY_OK)
		status = points_expect(bay_gather(&task, 1, BAY_INHERIT));
	bay_task_free(task);
	bay_watch_close(watch);
	return status;
}

START_TEST(waits_for_files_leave_nothing)
{
	const struct points_scenario scenario = {.run = run_tasks, .body = wait_for_files,
		.check = check_nothing_left, .one_loop = true};

	temp_dir_init(&dir);
	run_tasks_begin();
	ck_assert_uint_ge(points_everywhere(&scenario), 2);
	run_tasks_end();
	temp_dir_finish(&dir);
}
END_TEST

CHECK_MAIN("io/subscriptions, everywhere",
	waits_for_signals_leave_nothing,
	waits_for_files_leave_nothing)
