/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/confine.h"

#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "protocol/cell_link.h"

enum {
	/* The kernel's overflow ids, which is what "nobody" means on every Linux. */
	CONFINE_NOBODY = 65534,
	CONFINE_CPU_S = 10,
	CONFINE_FDS = 256
};

static const struct confine_limit {
	__rlimit_resource_t resource;
	rlim_t value;
	const char *name;
} confine_limits[] = {
	{RLIMIT_CORE, 0, "RLIMIT_CORE"},
	{RLIMIT_CPU, CONFINE_CPU_S, "RLIMIT_CPU"},
	{RLIMIT_FSIZE, 0, "RLIMIT_FSIZE"},
	{RLIMIT_NOFILE, CONFINE_FDS, "RLIMIT_NOFILE"},
/* Sanitizers reserve terabytes of addresses. */
#if !defined(BAY_ASAN) && !defined(BAY_TSAN)
	{RLIMIT_AS, (rlim_t)4 << 30, "RLIMIT_AS"},
#endif
};

static void
confine_resources(void)
{
	for (size_t i = 0; i < sizeof(confine_limits) / sizeof(*confine_limits); i++) {
		const struct confine_limit *row = &confine_limits[i];
		struct rlimit limit;

		if (getrlimit(row->resource, &limit) == 0) {
			if (limit.rlim_max > row->value)
				limit.rlim_max = row->value;
			limit.rlim_cur = limit.rlim_max;
			if (setrlimit(row->resource, &limit) == 0)
				continue;
		}
		log_warn_errno(NULL, "set %s", row->name);
	}
	/* Our standard error may be a file: writing there then fails and does not kill. */
	signal(SIGXFSZ, SIG_IGN);
}

/* In a user namespace there may be no nobody to become. */
static void
confine_user(void)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) != 0 ||
	    setresgid(CONFINE_NOBODY, CONFINE_NOBODY, CONFINE_NOBODY) != 0 ||
	    setresuid(CONFINE_NOBODY, CONFINE_NOBODY, CONFINE_NOBODY) != 0)
		log_warn_errno(NULL, "become user %d", CONFINE_NOBODY);
}

/* After the user has changed, which clears the death signal. A parent that died before is
 * seen by its number. */
static void
confine_life(void)
{
	const char *text = getenv(CELL_ENV_MASTER);
	int64_t master;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		log_warn_errno(NULL, "bind the life of this process to its parent's");
	if (text != NULL && text_parse_int64(text, &master) && getppid() != (pid_t)master)
		_exit(1);
}

void
confine_process(void)
{
	if (getpgrp() != getpid())
		(void)setpgid(0, 0);
	confine_resources();
	confine_user();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		log_warn_errno(NULL, "give up new privileges");
	confine_life();
}
