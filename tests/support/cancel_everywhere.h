/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests that take a body of tasks through all its points; see cancel_points.h.
 *
 *	EVERYWHERE(sleeps_and_yields, 2, run_tasks_check_nothing_left)
 *	{
 *		TRY(bay_sleep(BAY_MS));
 *		return bay_yield();
 *	}
 */
#ifndef BAY_TESTS_SUPPORT_CANCEL_EVERYWHERE_H
#define BAY_TESTS_SUPPORT_CANCEL_EVERYWHERE_H

#include <bay/status.h>

#include "base/log.h"
#include "support/cancel_points.h"
#include "support/run_tasks.h"

/* A test that takes a scenario through all its points; least: how many it has for sure. */
#define EVERYWHERE(name, least, check_)                                     \
	static int name##_main(void *arg);                                      \
	START_TEST(name)                                                        \
	{                                                                       \
		const struct points_scenario scenario = {.run = run_tasks,          \
			.body = name##_main, .check = check_, .one_loop = true};        \
		/* What is forgotten here is said, thousands of times. */           \
		ck_assert(log_to_file("/dev/null"));                                \
		run_tasks_begin();                                                  \
		ck_assert_uint_ge(points_everywhere(&scenario), least);             \
		run_tasks_end();                                                    \
	}                                                                       \
	END_TEST                                                                \
	static int name##_main(void *arg __attribute__((unused)))

/* Goes on while nothing is disturbed. */
#define TRY(expression)                                \
	do {                                               \
		int try_status = points_expect(expression);    \
		if (try_status != BAY_OK)                      \
			return try_status;                         \
	} while (0)

#endif
