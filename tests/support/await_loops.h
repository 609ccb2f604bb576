/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A task that does nothing but awaits that need not wait must let the others of its loop run, and
 * must see its deadline and its cancellation. A test is a table of such awaits:
 *
 *	static const struct await_loop loops[] = {
 *		{"bay_event_wait", event_passed},
 *	};
 *
 *	TASK_TEST(a_loop_of_awaits_lets_others_run)
 *	{
 *		return await_loops_check(loops, 1);
 *	}
 */
#ifndef BAY_TESTS_SUPPORT_AWAIT_LOOPS_H
#define BAY_TESTS_SUPPORT_AWAIT_LOOPS_H

#include <stddef.h>

struct await_loop {
	const char *name;
	/* One await, with what it needs to find the same again; its status. */
	int (*pass)(void);
};

/* Inside a task. Returns BAY_OK, or fails the test. */
int await_loops_check(const struct await_loop *loops, size_t count);

#endif
