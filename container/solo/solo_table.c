/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "solo/solo_table.h"

#include "base/alloc.h"

static const struct solo_table solo_table = {
	.size = sizeof solo_table,
	.create = solo_create,
	.destroy = solo_destroy,
	.error = solo_error,
	.start = solo_start,
	.stop = solo_stop,
	.stop_all = solo_stop_all,
	.run = solo_run,
	.cut_at = solo_cut_at,
	.was_cut = solo_was_cut,
	.failure = solo_failure,
	.settle = solo_settle,
	.fail_allocation = solo_fail_allocation,
	.allocation_has_failed = alloc_has_failed,
	.log_begin = solo_log_begin,
	.log_end = solo_log_end,
	.log_count = solo_log_count,
	.log_line = solo_log_line,
	.log_clear = solo_log_clear,
	.leaks_begin = solo_leaks_begin,
	.leaks_end = solo_leaks_end,
	.leaks_attach = solo_leaks_attach,
	.leaks_look = solo_leaks_look,
	.leaks_look_at_fds = solo_leaks_look_at_fds,
};

const struct solo_table *
bay_solo_table(void)
{
	return &solo_table;
}
