/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a service that ended without being asked is started again: what its key restart says of
 * the way in which it ended. When, and how often, is master_service's. A pure function; any thread.
 */
#ifndef BAY_MASTER_RESTART_POLICY_H
#define BAY_MASTER_RESTART_POLICY_H

#include <stdbool.h>

#include "config/config_data.h"

/* How a service ended. */
enum restart_cause {
	RESTART_CAUSE_FAILED,       /* by itself: a task of it, or its init with a reason */
	RESTART_CAUSE_CRASHED,      /* with its cell, while it served */
	RESTART_CAUSE_HUNG,         /* the same, and was killed for that */
	RESTART_CAUSE_INIT_CRASHED, /* with its cell, before it served: it does so again, most likely */
	RESTART_CAUSE_INIT_HUNG,
	RESTART_CAUSES
};

bool restart_policy_covers(enum config_restart restart, enum restart_cause cause);

#endif
