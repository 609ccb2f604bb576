/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One service on its way from one configuration to another, and back if another one cannot follow
 * (reload_undo.c). When which part of that happens is the matter of reload_commit, which owns it.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_RELOAD_ITEM_H
#define BAY_MASTER_RELOAD_ITEM_H

#include <stdbool.h>
#include <stddef.h>

#include <bay/status.h>

#include "master/master_service.h"
#include "master/reload_commit.h"
#include "master/reload_plan.h"
#include "master/service_change.h"
#include "master/service_waiters.h"

enum commit_phase {
	COMMIT_FREE = 0, /* what ends and listens */
	COMMIT_CHANGE,
	COMMIT_END,      /* what else ends */
	COMMIT_UNDO,     /* what was new or different */
	COMMIT_RESTORE,  /* what had ended */
	COMMIT_OVER
};

/* One service. */
struct reload_item {
	struct reload_commit *commit;
	const char *name;               /* borrowed from one of the configurations */
	struct master_service *service; /* NULL: not there yet */
	struct service_target target;   /* image: a reference, or NULL */
	struct service_target former;   /* references; source NULL: it was not there */
	enum service_state was;
	enum reload_action action;      /* what has been begun */
	bool settings;                  /* of its plugin are different */
	bool done;                      /* as wanted, for now */
	bool listens;                   /* when it began */
	bool wanted;                    /* the same */
	bool ends;                      /* it has been told to stop */
	bool frees;                     /* it ends and listens, or follows one that does */
	bool dragged;                   /* it ends with one that it requires */
	bool needed;                    /* of reload_plan_needed */
	bool pulled;                    /* it is started for others */
};

struct reload_commit {
	struct supervisor *supervisor;
	struct listener_table *listeners;
	struct config *to; /* a reference */
	const struct config_diff *diff;
	bool retry;
	struct reload_item *items; /* those of to first, as they are there */
	size_t count;
	size_t *sorted; /* config_order_sorted of to */
	enum commit_phase phase;
	size_t pending; /* items of the phase that have not ended; and one while it begins */
	char *why;      /* the first failure, or NULL */
	reload_commit_fn *done;
	void *arg;
};

/* What wanted is to become of a service, with this image (borrowed); either is NULL: there is none. */
void reload_item_init(struct reload_item *item, struct reload_commit *commit,
	struct master_service *service, const struct config_service *wanted,
	struct plugin_image *image, bool needed);
void reload_item_finish(struct reload_item *item);

/* --- the parts of the way: reload_item_ended() is called once after each, perhaps before it returns --- */

/* Starts it, changes it, or tells it of the new configuration. */
void reload_item_change(struct reload_item *item);

/* It stops. */
void reload_item_end(struct reload_item *item);

/* It becomes what it was. */
void reload_item_undo(struct reload_item *item);

/* Of reload_commit.c. */
void reload_item_ended(struct reload_item *item);

/* --- queries --- */

bool reload_item_is_ending(const struct reload_item *item);

/* Whether there is something to be put back. What failed to change is as it was. */
bool reload_item_is_to_undo(const struct reload_item *item);

/* --- for reload_undo.c --- */

/* A service_done_fn: the part of the way has ended. */
void reload_item_on_done(struct master_service *service, enum bay_status status, const char *message,
	void *arg);

/* A service_done_fn: one that the configuration has no more has stopped, or refuses to for now. */
void reload_item_on_gone(struct master_service *service, enum bay_status status, const char *message,
	void *arg);

/* Something is under way for it: settled hears when that is over, or that it will not be. */
bool reload_item_waits(struct reload_item *item, service_done_fn *settled);

#endif
