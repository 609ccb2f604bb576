/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/restart_policy.h"

bool
restart_policy_covers(enum config_restart restart, enum restart_cause cause)
{
	/* A crash or a hang in init costs all others in the cell theirs, each time: only who says so
	 * is worth that. */
	static const bool covers[][RESTART_CAUSES] = {
		[CONFIG_RESTART_NO] = {false},
		[CONFIG_RESTART_ON_FAILURE] = {
			[RESTART_CAUSE_FAILED] = true,
			[RESTART_CAUSE_CRASHED] = true,
			[RESTART_CAUSE_HUNG] = true,
		},
		[CONFIG_RESTART_ON_HANG] = {
			[RESTART_CAUSE_HUNG] = true,
			[RESTART_CAUSE_INIT_HUNG] = true,
		},
		[CONFIG_RESTART_ALWAYS] = {
			[RESTART_CAUSE_FAILED] = true,
			[RESTART_CAUSE_CRASHED] = true,
			[RESTART_CAUSE_HUNG] = true,
			[RESTART_CAUSE_INIT_CRASHED] = true,
			[RESTART_CAUSE_INIT_HUNG] = true,
		},
	};

	return covers[restart][cause];
}
