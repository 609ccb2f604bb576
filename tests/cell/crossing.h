/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks that wait for each other for ever: two of them take the same two locks, one in this order and
 * one in the other. */
#ifndef BAY_TESTS_CELL_CROSSING_H
#define BAY_TESTS_CELL_CROSSING_H

#include <bay/bay.h>

struct crossing {
	struct bay_lock *one, *two;
};

static inline int
crossing_take(void *arg)
{
	const struct crossing *crossing = arg;
	int status = bay_lock_acquire(crossing->one, BAY_INHERIT);

	if (status == BAY_OK)
		status = bay_yield();
	if (status == BAY_OK)
		status = bay_lock_acquire(crossing->two, BAY_INHERIT);
	if (status == BAY_OK)
		bay_lock_release(crossing->two);
	if (bay_lock_is_mine(crossing->one))
		bay_lock_release(crossing->one);
	return status;
}

#endif
