/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reload has to do for one service, from what it is and what it is to be. Master only. */
#ifndef BAY_MASTER_RELOAD_PLAN_H
#define BAY_MASTER_RELOAD_PLAN_H

#include <stdbool.h>

#include "config/config_data.h"
#include "config/config_diff.h"

struct master_service;
struct supervisor;

enum reload_action {
	RELOAD_KEEP = 0,   /* nothing: it is not touched */
	RELOAD_CONFIGURE,  /* it does not run: its next start is another */
	RELOAD_LIVE,       /* it runs, and all that is different is live */
	RELOAD_GENERATION, /* it runs, and gets a new generation */
	RELOAD_START,      /* it does not run, and should */
	RELOAD_STOP,       /* it is disabled now */
	RELOAD_ADD,
	RELOAD_REMOVE
};

/* service NULL: there is none yet; wanted NULL: there is to be none. retry: one that has failed is
 * started again if something of it is different. needed: of reload_plan_needed. */
enum reload_action reload_plan(const struct master_service *service,
	const struct config_service *wanted, const struct config_diff *diff, bool retry, bool needed);

/* For each service of to, whether others require or want it that are started by this, and it is not
 * started for itself; the caller frees. */
bool *reload_plan_needed(const struct supervisor *supervisor, const struct config *to,
	const struct config_diff *diff, bool retry)
	__attribute__((warn_unused_result));

/* Whether the plugin file as it is now is to be examined for it: it may be started from that. */
bool reload_plan_examines(enum reload_action action, const struct config_service *wanted,
	const struct config_diff *diff);

/* Whether settings of its plugin are different. */
bool reload_plan_has_settings(const struct config_service *wanted, const struct config_diff *diff);

#endif
