/* SPDX-License-Identifier: BSD-2-Clause */
/* Whoever asks for a listening socket is cut off at each await in turn: none may be left over. */
#include "config.h"

#include <unistd.h>

#include "base/log.h"
#include "cell/listener_asks.h"
#include "support/cancel_points.h"

enum { TIMES = 2 };

static atomic_bool is_over;
static struct want wants[TIMES];
static unsigned descriptors_before;

struct over {
	bay_task_fn *fn;
	void *arg;
};

static int
run_to_the_end(void *arg)
{
	const struct over *over = arg;
	int status = over->fn(over->arg);

	atomic_store(&is_over, true);
	return status;
}

/* Beside the task, the control thread and a master that gives whatever is asked for. */
static int
run_with_master(bay_task_fn *fn, void *arg)
{
	struct over over = {fn, arg};
	struct cell_question question;
	struct services_job *job;

	atomic_store(&is_over, false);
	for (int i = 0; i < TIMES; i++)
		wants[i] = (struct want){.address = "web", .fd = -1};
	job = services_go(0, run_to_the_end, &over);
	while (!atomic_load(&is_over)) {
		loop_wait(&cell_control_loop, loop_now(&cell_control_loop) + BAY_MS / 10);
		loop_drain_inbox(&cell_control_loop);
		while (cell_control_take(&question))
			cell_control_reply(question.id, BAY_OK, NULL, make_socket());
	}
	return services_join(job);
}

static void
check_descriptors(void)
{
	struct cell_question question;

	/* Who called does not wait for a handler that is cancelled. */
	do
		asks_settle();
	while (atomic_load(&asking) > 0);
	for (int i = 0; i < TIMES; i++) {
		if (wants[i].fd >= 0)
			close(wants[i].fd);
	}
	/* What came to the control thread when it was over. */
	while (cell_control_take(&question)) {
		cell_control_reply(question.id, BAY_OK, NULL, make_socket());
		asks_settle();
	}
	asks_settle();
	ck_assert_uint_eq(open_descriptors(), descriptors_before);
}

static int
ask_again_and_again(void *arg)
{
	int status = BAY_OK;

	(void)arg;
	for (int i = 0; i < TIMES && status == BAY_OK; i++)
		status = points_expect(services_call(asker, &wants[i], BAY_INHERIT));
	return status;
}

START_TEST(cut_off_at_any_await_it_leaves_no_descriptor)
{
	const struct points_scenario scenario = {.run = run_with_master,
		.body = ask_again_and_again, .check = check_descriptors};

	ck_assert(log_to_file("/dev/null"));
	asks_begin();
	descriptors_before = open_descriptors();
	ck_assert_uint_ge(points_everywhere(&scenario), 2 * TIMES);
	asks_end();
}
END_TEST

CHECK_MAIN("cell/listener_source_everywhere",
	cut_off_at_any_await_it_leaves_no_descriptor)
