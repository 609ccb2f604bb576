/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/restart_policy.h"

#include "support/check_main.h"

/* How many of the causes it covers. */
static unsigned
count(enum config_restart restart)
{
	unsigned covered = 0;

	for (enum restart_cause cause = 0; cause < RESTART_CAUSES; cause++)
		covered += restart_policy_covers(restart, cause);
	return covered;
}

START_TEST(no_covers_nothing_and_always_everything)
{
	ck_assert_uint_eq(count(CONFIG_RESTART_NO), 0);
	ck_assert_uint_eq(count(CONFIG_RESTART_ALWAYS), RESTART_CAUSES);
}
END_TEST

START_TEST(on_failure_leaves_an_init_that_costs_the_cell)
{
	ck_assert(!restart_policy_covers(CONFIG_RESTART_ON_FAILURE, RESTART_CAUSE_INIT_CRASHED));
	ck_assert(!restart_policy_covers(CONFIG_RESTART_ON_FAILURE, RESTART_CAUSE_INIT_HUNG));
	ck_assert_uint_eq(count(CONFIG_RESTART_ON_FAILURE), RESTART_CAUSES - 2);
}
END_TEST

START_TEST(on_hang_covers_what_hung)
{
	ck_assert(restart_policy_covers(CONFIG_RESTART_ON_HANG, RESTART_CAUSE_HUNG));
	ck_assert(restart_policy_covers(CONFIG_RESTART_ON_HANG, RESTART_CAUSE_INIT_HUNG));
	ck_assert_uint_eq(count(CONFIG_RESTART_ON_HANG), 2);
}
END_TEST

CHECK_MAIN("master/restart_policy",
	no_covers_nothing_and_always_everything,
	on_failure_leaves_an_init_that_costs_the_cell,
	on_hang_covers_what_hung)
