/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations that fail and awaits that are cut short, one after the other. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/kit.h"

enum {
	KIT_POINTS_MAX = 100000 /* a scenario that has more does not end */
};

void
bay_test_fail_allocation(uint64_t nth)
{
	kit.table->fail_allocation(kit_solo("bay_test_fail_allocation"), nth);
}

bool
bay_test_allocation_failed(void)
{
	(void)kit_solo("bay_test_allocation_failed");
	return kit.table->allocation_has_failed();
}

/* --- one after the other --------------------------------------------------------- */

/* False: something is left over, and bay_test_error() says what. */
static bool
kit_is_clean(const char *what, unsigned nth)
{
	size_t (*const looks[])(struct solo_leaks *leaks, const char **text_r) = {
		kit.table->leaks_look, kit.table->leaks_look_at_fds};
	const char *text;
	size_t i;

	kit.table->settle(kit.solo);
	for (i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		if (looks[i](kit.leaks, &text) == 0)
			continue;
		snprintf(kit.error, sizeof kit.error, "with %s %u: left over: %.*s", what, nth,
			(int)strcspn(text, "\n"), text);
		return false;
	}
	return true;
}

int
bay_test_every_allocation(bay_task_fn *fn, void *arg)
{
	unsigned nth = 0;
	bool failed;

	(void)kit_solo("bay_test_every_allocation");
	do {
		if (++nth > KIT_POINTS_MAX)
			return kit_tell(-1, "there is no end of allocations");
		bay_test_fail_allocation(nth);
		(void)bay_test_run(fn, arg);
		failed = bay_test_allocation_failed();
		bay_test_fail_allocation(0);
		if (!kit_is_clean("a failure of allocation", nth))
			return -1;
	} while (failed);
	return kit_tell((int)nth - 1, NULL);
}

/* One way through all awaits. */
static int
kit_every_await(bay_task_fn *fn, void *arg, bool after_the_others)
{
	struct solo *solo = kit.solo;
	unsigned nth = 0;
	bool cut;

	do {
		if (++nth > KIT_POINTS_MAX)
			return kit_tell(-1, "there is no end of awaits");
		kit.table->cut_at(solo, nth, after_the_others);
		(void)bay_test_run(fn, arg);
		cut = kit.table->was_cut(solo);
		kit.table->cut_at(solo, 0, false);
		if (!kit_is_clean("a cancellation at await", nth))
			return -1;
	} while (cut);
	return kit_tell((int)nth - 1, NULL);
}

int
bay_test_every_await(bay_task_fn *fn, void *arg)
{
	(void)kit_solo("bay_test_every_await");
	if (kit_every_await(fn, arg, true) < 0)
		return -1;
	return kit_every_await(fn, arg, false);
}
