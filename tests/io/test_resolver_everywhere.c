/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups, cut short at each await in turn. */
#include "config.h"

#include <unistd.h>

#include "io/resolving.h"
#include "support/cancel_everywhere.h"

/* Timers and sockets of questions on their way stay with the resolver; no descriptor grows. */
static void
check_no_task_left(void)
{
	ck_assert_uint_eq(run_tasks_scheduler.task_count, 0);
	ck_assert_ptr_null(run_tasks_scheduler.ready_head);
}

#define RESOLVES_EVERYWHERE(name, least)                                    \
	static int name##_main(void *arg);                                      \
	START_TEST(name)                                                        \
	{                                                                       \
		const struct points_scenario scenario = {.run = run_tasks,          \
			.body = name##_main, .check = check_no_task_left, .one_loop = true}; \
		ck_assert(log_to_file("/dev/null"));                                \
		resolving_begin();                                                  \
		ck_assert_uint_ge(points_everywhere(&scenario), least);             \
		resolving_end();                                                    \
	}                                                                       \
	END_TEST                                                                \
	static int name##_main(void *arg __attribute__((unused)))

static int
look_up(void *name)
{
	struct bay_address addresses[8];
	size_t count;
	int status = points_expect(bay_resolve(name, "80", 0, addresses, 8, &count, BAY_INHERIT));

	ck_assert((status == BAY_OK) == (count > 0));
	return status;
}

/* What one run has learnt the next knows, unless time has passed. */
RESOLVES_EVERYWHERE(names_of_both_kinds_are_found, 3)
{
	struct bay_address address;
	char name[BAY_RESOLVE_NAME_SIZE];
	char v4[] = "v4.test", other[] = "both.test";
	struct bay_task *tasks[3];
	int status;

	loop_now(&scheduler_here->loop);
	resolver_shift_time(61 * BAY_SECOND);
	tasks[0] = bay_spawn("looks", look_up, v4);
	tasks[1] = bay_spawn("looks", look_up, v4);
	tasks[2] = bay_spawn("looks", look_up, other);
	status = points_expect(bay_gather(tasks, 3, BAY_INHERIT));
	for (int i = 0; i < 3; i++)
		bay_task_free(tasks[i]);
	if (status != BAY_OK)
		return status;
	ck_assert_int_eq(bay_address_parse("10.3.2.1:80", &address), BAY_OK);
	status = points_expect(bay_resolve_name(&address, name, sizeof name, BAY_INHERIT));
	ck_assert_str_eq(name, status == BAY_OK ? "host.test" : "");
	return status;
}

CHECK_MAIN("io/resolver_everywhere",
	names_of_both_kinds_are_found)
