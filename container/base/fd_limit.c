/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/fd_limit.h"

#include <sys/resource.h>

/* The limit is the process's, so this is too. */
static struct {
	bool raised;
	rlim_t soft; /* before that */
} fd_limit;

void
fd_limit_raise(void)
{
	struct rlimit limit;

	if (fd_limit.raised || getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	fd_limit.soft = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	fd_limit.raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

bool
fd_limit_restore(void)
{
	struct rlimit limit;

	if (!fd_limit.raised)
		return true;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return false;
	limit.rlim_cur = fd_limit.soft;
	fd_limit.raised = false;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}
