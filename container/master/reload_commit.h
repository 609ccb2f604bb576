/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Brings all services from one configuration to another, or none of them: the part of a reload
 * in which something happens.
 *
 *	what ends and listens   stop: others may want its addresses
 *	       │
 *	what is new or different   start, live change, new generation, side by side
 *	       │                         └─ one fails ─► all that was done is undone
 *	what else ends          stop
 *	       │
 *	all others              hear of the new configuration, and nothing else
 *
 * Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_RELOAD_COMMIT_H
#define BAY_MASTER_RELOAD_COMMIT_H

#include <stdbool.h>

#include "config/config_data.h"
#include "config/config_diff.h"

struct listener_table;
struct plugin_survey;
struct reload_commit;
struct supervisor;

/* why NULL: all is done. Else all is as it was before, for this reason; what could not be put
 * back is in the log. */
typedef void reload_commit_fn(const char *why, void *arg);

/* A configuration to be brought about; a reference is kept. retry: as of reload_plan. Images come from the survey, which was
 * made of it. Everything else is borrowed until the commit is destroyed. */
struct reload_commit *reload_commit_create(struct supervisor *supervisor,
	struct listener_table *listeners, struct config *to, const struct config_diff *diff,
	bool retry, const struct plugin_survey *survey, reload_commit_fn *done, void *arg);

/* done is called once, as the last thing, perhaps before this returns; it may destroy the
 * commit. */
void reload_commit_begin(struct reload_commit *commit);

/* Nothing may be under way. NULL is fine. */
void reload_commit_destroy(struct reload_commit *commit);

#endif
