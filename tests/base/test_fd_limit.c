/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/fd_limit.h"

#include <sys/resource.h>

#include "support/check_main.h"

static struct rlimit
limit_now(void)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit;
}

static void
set_soft_limit(rlim_t value)
{
	struct rlimit limit = limit_now();

	limit.rlim_cur = value;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(the_limit_is_raised_as_far_as_it_goes_and_made_what_it_was_for_a_child)
{
	set_soft_limit(100);
	fd_limit_raise();
	ck_assert_uint_eq(limit_now().rlim_cur, limit_now().rlim_max);
	fd_limit_raise();
	ck_assert(fd_limit_restore());
	ck_assert_uint_eq(limit_now().rlim_cur, 100);
}
END_TEST

START_TEST(what_was_not_raised_stays_as_it_is)
{
	set_soft_limit(100);
	ck_assert(fd_limit_restore());
	ck_assert_uint_eq(limit_now().rlim_cur, 100);
}
END_TEST

CHECK_MAIN("base/fd_limit",
	the_limit_is_raised_as_far_as_it_goes_and_made_what_it_was_for_a_child,
	what_was_not_raised_stays_as_it_is)
