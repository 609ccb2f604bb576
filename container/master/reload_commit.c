/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/reload_commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "config/config_order.h"
#include "master/listener_table.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/plugin_survey.h"
#include "master/reload_plan.h"
#include "master/service_absence.h"
#include "master/service_canary.h"
#include "master/service_change.h"
#include "master/service_control.h"
#include "master/service_steps.h"
#include "master/supervisor.h"

enum commit_phase {
	COMMIT_FREE = 0, /* what ends and listens */
	COMMIT_CHANGE,
	COMMIT_END,      /* what else ends */
	COMMIT_UNDO,     /* what was new or different */
	COMMIT_RESTORE,  /* what had ended */
	COMMIT_OVER
};

/* One service. */
struct commit_item {
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
	struct commit_item *items; /* those of to first, as they are there */
	size_t count;
	size_t *sorted; /* config_order_sorted of to */
	enum commit_phase phase;
	size_t pending; /* items of the phase that have not ended; and one while it begins */
	char *why;      /* the first failure, or NULL */
	reload_commit_fn *done;
	void *arg;
};

static void commit_item_ended(struct commit_item *item);

/* --- items ------------------------------------------------------------------------------- */

static bool
commit_stop_looking(const struct listener_view *view, void *arg)
{
	(void)view;
	(void)arg;
	return false;
}

/* Notes what there is, for the way back. */
static void
commit_item_meet(struct commit_item *item, struct master_service *service)
{
	item->service = service;
	if (service == NULL)
		return;
	item->was = service->state;
	item->wanted = service->wanted;
	item->former = (struct service_target){.source = config_ref(service->source),
		.config = service->config,
		.image = service->image != NULL ? plugin_image_ref(service->image) : NULL};
	item->listens = !listener_table_each(item->commit->listeners, service->config->name,
		commit_stop_looking, NULL);
}

static void
commit_item_init(struct commit_item *item, struct reload_commit *commit,
	struct master_service *service, const struct config_service *wanted,
	struct plugin_image *image, bool needed)
{
	*item = (struct commit_item){.commit = commit,
		.name = wanted != NULL ? wanted->name : service->config->name, .needed = needed,
		.target = {.source = commit->to, .config = wanted,
			.image = image != NULL ? plugin_image_ref(image) : NULL}};
	item->action = reload_plan(service, wanted, commit->diff, commit->retry, needed);
	if (wanted != NULL)
		item->settings = reload_plan_has_settings(wanted, commit->diff);
	commit_item_meet(item, service);
}

static void
commit_item_finish(struct commit_item *item)
{
	plugin_image_unref(item->target.image);
	plugin_image_unref(item->former.image);
	config_unref(item->former.source);
}

/* --- in their order ------------------------------------------------------------------------ */

static bool
commit_is_ending(const struct commit_item *item)
{
	return item->action == RELOAD_STOP || item->action == RELOAD_REMOVE;
}

/* Those that require one that is stopped are stopped with it, as an operator would. */
static void
commit_drag(struct reload_commit *commit, const struct config_order *order)
{
	bool *stops = xcalloc(commit->to->service_count + 1, sizeof(*stops));

	for (size_t i = 0; i < commit->to->service_count; i++)
		stops[i] = commit->items[i].action == RELOAD_STOP;
	config_order_mark_dependants(order, stops);
	for (size_t i = 0; i < commit->to->service_count; i++) {
		struct commit_item *item = &commit->items[i];

		if (!stops[i] || commit_is_ending(item) || !item->wanted)
			continue;
		item->action = RELOAD_STOP;
		item->dragged = true;
	}
	free(stops);
}

/* Whether it follows, as it is, something that ends early. */
static bool
commit_follows_early(const struct reload_commit *commit, const struct commit_item *item)
{
	for (size_t i = 0; i < commit->count; i++)
		if (commit->items[i].frees &&
		    config_service_follows(item->former.config, commit->items[i].name))
			return true;
	return false;
}

/* What follows something that ends early ends before that. */
static void
commit_find_early(struct reload_commit *commit)
{
	bool grows = true;

	for (size_t i = 0; i < commit->count; i++)
		commit->items[i].frees = commit_is_ending(&commit->items[i]) && commit->items[i].listens;
	while (grows) {
		grows = false;
		for (size_t i = 0; i < commit->count; i++) {
			struct commit_item *item = &commit->items[i];

			if (!commit_is_ending(item) || item->frees || !commit_follows_early(commit, item))
				continue;
			item->frees = true;
			grows = true;
		}
	}
}

static void
commit_find_order(struct reload_commit *commit)
{
	struct config_order *order = config_order_create(commit->to, NULL);
	size_t size = (commit->to->service_count + 1) * sizeof(*commit->sorted);

	commit->sorted = xcalloc(1, size);
	memcpy(commit->sorted, config_order_sorted(order), size - sizeof(*commit->sorted));
	commit_drag(commit, order);
	commit_find_early(commit);
	config_order_destroy(order);
}

/* The item that comes next: those of the new configuration in its order, then the others. */
static struct commit_item *
commit_in_order(struct reload_commit *commit, size_t place)
{
	return &commit->items[place < commit->to->service_count ? commit->sorted[place] : place];
}

struct reload_commit *
reload_commit_create(struct supervisor *supervisor, struct listener_table *listeners,
	struct config *to, const struct config_diff *diff, bool retry,
	const struct plugin_survey *survey, reload_commit_fn *done, void *arg)
{
	struct reload_commit *commit = xcalloc(1, sizeof(*commit));
	bool *needed = reload_plan_needed(supervisor, to, diff, retry);

	*commit = (struct reload_commit){.supervisor = supervisor, .listeners = listeners,
		.to = config_ref(to), .diff = diff, .retry = retry, .done = done, .arg = arg};
	commit->items = xcalloc(to->service_count + supervisor_count(supervisor) + 1,
		sizeof(*commit->items));
	for (size_t i = 0; i < to->service_count; i++)
		commit_item_init(&commit->items[commit->count++], commit,
			supervisor_find(supervisor, to->services[i].name), &to->services[i],
			survey->entries[i].image, needed[i]);
	for (size_t i = 0; i < supervisor_count(supervisor); i++) {
		struct master_service *service = supervisor_service(supervisor, i);

		/* No configuration has what a plugin file has become. */
		if (!service->source->dropped_in && config_find_service(to, service->config->name) == NULL)
			commit_item_init(&commit->items[commit->count++], commit, service, NULL, NULL, false);
	}
	free(needed);
	commit_find_order(commit);
	return commit;
}

void
reload_commit_destroy(struct reload_commit *commit)
{
	if (commit == NULL)
		return;
	for (size_t i = 0; i < commit->count; i++)
		commit_item_finish(&commit->items[i]);
	free(commit->items);
	free(commit->sorted);
	free(commit->why);
	config_unref(commit->to);
	free(commit);
}

/* --- what happens to one ----------------------------------------------------------------- */

static void
commit_item_failed(struct commit_item *item, const char *message)
{
	struct reload_commit *commit = item->commit;
	char subject[CONFIG_NAME_MAX + 16];

	if (commit->phase == COMMIT_UNDO || commit->phase == COMMIT_RESTORE) {
		snprintf(subject, sizeof(subject), "service %s", item->name);
		log_error(subject, "it could not be put back as it was before the reload: %s", message);
	} else if (commit->why == NULL) {
		commit->why = xasprintf("service %s: %s", item->name, message);
	}
}

static void
commit_on_done(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct commit_item *item = arg;

	(void)service;
	/* Somebody who wants it otherwise meanwhile wants it by the new configuration. */
	item->done = status == BAY_OK || status == BAY_CANCELED;
	/* One that is required fails who requires it. */
	if (!item->done && !(item->pulled && item->commit->phase == COMMIT_CHANGE))
		commit_item_failed(item, message);
	commit_item_ended(item);
}

/* One that the configuration has no more has stopped, or refuses to for now. */
static void
commit_on_gone(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	(void)message;
	(void)arg;
	if (service->state == SERVICE_STOPPED && !service->wanted) {
		master_service_note(service, EVENT_REMOVED, "the configuration has it no more");
		supervisor_remove(service->supervisor, service);
		service_tell_absence(service);
	} else if (status == BAY_TIMEOUT || status == BAY_BUSY) {
		service_waiters_add(service, SERVICE_WISH_STOP, commit_on_gone, NULL);
	}
}

static void
commit_on_removed(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct commit_item *item = arg;

	if (item->commit->phase == COMMIT_FREE && status != BAY_OK) {
		commit_on_done(service, status, message, arg);
		return;
	}
	item->done = true;
	/* In the first phase it may be wanted back. */
	if (item->commit->phase != COMMIT_FREE)
		commit_on_gone(service, status, message, NULL);
	commit_item_ended(item);
}

static void
commit_on_stopped(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct commit_item *item = arg;

	/* It goes on to its end by itself. */
	if (item->commit->phase == COMMIT_END)
		status = BAY_OK;
	commit_on_done(service, status, message, arg);
}

/* Starts what others need, with its plugin file as it is now. */
static void
commit_pull(struct commit_item *item)
{
	item->pulled = true;
	master_service_configure(item->service, item->target.source, item->target.config);
	service_control_start(item->service, commit_on_done, item);
}

static void
commit_add(struct commit_item *item)
{
	struct supervisor *supervisor = item->commit->supervisor;

	/* One that was on its way out may still be there. */
	item->service = supervisor_find(supervisor, item->name);
	if (item->service == NULL) {
		item->service = supervisor_add(supervisor, item->target.source, item->target.config);
		if (item->service != NULL)
			master_service_note(item->service, EVENT_ADDED, "the configuration has it");
	}
	if (item->service == NULL) {
		commit_on_done(NULL, BAY_FULL, "bayd has known as many names of services as it can count "
			"since it was started: restart it", item);
	} else if (item->needed) {
		commit_pull(item);
	} else if (item->target.config->enabled) {
		service_change_start(item->service, &item->target, commit_on_done, item);
	} else {
		master_service_configure(item->service, item->target.source, item->target.config);
		service_tell_absence(item->service);
		commit_on_done(item->service, BAY_OK, "", item);
	}
}

/* An image that fits what it is to be. Else it was not looked at, for what it was then. */
static bool
commit_has_image(const struct commit_item *item)
{
	const struct master_service *service = item->service;
	bool starts = item->action == RELOAD_START || item->action == RELOAD_GENERATION ||
		(item->action == RELOAD_ADD && item->target.config->enabled);

	if (item->target.image != NULL || item->needed || !starts)
		return true;
	return service != NULL && service->image != NULL &&
		strcmp(service->config->plugin, item->target.config->plugin) == 0;
}

/* Its canary is under trial with the configuration that there is. */
static bool
commit_is_refused(struct commit_item *item)
{
	char *why;

	if (item->service == NULL || !service_canary_runs(item->service) ||
	    (item->action != RELOAD_LIVE && item->action != RELOAD_GENERATION))
		return false;
	why = service_canary_refusal(item->service);
	item->action = RELOAD_KEEP;
	commit_on_done(item->service, BAY_BUSY, why, item);
	free(why);
	return true;
}

static void commit_item_change(struct commit_item *item);

static void
commit_on_settled(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct commit_item *item = arg;

	if (status == BAY_TIMEOUT || status == BAY_BUSY || status == BAY_CLOSED)
		commit_on_done(service, status, message, item);
	else
		commit_item_change(item);
}

/* Something is under way for it: settled hears when that is over, or that it will not be. */
static bool
commit_waits(struct commit_item *item, service_done_fn *settled)
{
	struct master_service *service = item->service;

	if (service == NULL || service_change_is_possible(service))
		return false;
	if (service_refuses_to_stop(service))
		commit_on_done(service, BAY_BUSY, service->reason, item);
	else
		service_waiters_add(service, SERVICE_WISH_START, settled, item);
	return true;
}

/* What it is may have changed since the plan was made: a plugin file may have become it, or may
 * have gone with it. */
static void
commit_item_plan(struct commit_item *item)
{
	const struct master_service *service = item->service;

	if (service != NULL && service->gone)
		item->action = RELOAD_ADD;
	else if (item->action != RELOAD_ADD || (service != NULL && service->source->dropped_in))
		item->action = reload_plan(service, item->target.config, item->commit->diff,
			item->commit->retry, item->needed);
}

static void
commit_item_change(struct commit_item *item)
{
	struct master_service *service;

	if (item->service == NULL)
		commit_item_meet(item, supervisor_find(item->commit->supervisor, item->name));
	service = item->service;
	if (commit_waits(item, commit_on_settled))
		return;
	commit_item_plan(item);
	if (commit_is_refused(item))
		return;
	if (!commit_has_image(item)) {
		item->action = RELOAD_KEEP;
		commit_on_done(service, BAY_BUSY, "somebody else started it meanwhile: reload again", item);
		return;
	}
	switch (item->action) {
	case RELOAD_ADD:
		commit_add(item);
		break;
	case RELOAD_LIVE:
		service_change_live(service, &item->target, item->settings, commit_on_done, item);
		break;
	case RELOAD_GENERATION:
		service_change_generation(service, &item->target, commit_on_done, item);
		break;
	case RELOAD_START:
		if (item->needed)
			commit_pull(item);
		else
			service_change_start(service, &item->target, commit_on_done, item);
		break;
	case RELOAD_STOP:
		/* At the end, as all that stop. */
		commit_on_done(service, BAY_OK, "", item);
		break;
	default:
		master_service_configure(service, item->target.source, item->target.config);
		commit_on_done(service, BAY_OK, "", item);
		break;
	}
}

static void
commit_item_stop(struct commit_item *item, service_done_fn *done)
{
	struct master_service *service = item->service;

	if (!service_refuses_to_stop(service) || service->step != SERVICE_STEP_STOP) {
		service_control_stop(service, false, done, item);
		return;
	}
	/* It has been told to, and who waited for that has been answered. */
	service->wanted = false;
	done(service, BAY_BUSY, service->reason, item);
}

static void
commit_item_end(struct commit_item *item)
{
	item->ends = true;
	if (item->dragged)
		master_service_note(item->service, EVENT_ASKED, "to stop it, since one that it requires is "
			"stopped");
	if (item->action == RELOAD_REMOVE) {
		commit_item_stop(item, commit_on_removed);
		return;
	}
	commit_item_stop(item, commit_on_stopped);
	master_service_configure(item->service, item->target.source, item->target.config);
}

/* --- undo ---------------------------------------------------------------------------------- */

static void commit_item_undo(struct commit_item *item);

static void
commit_on_undo_settled(struct master_service *service, enum bay_status status,
	const char *message, void *arg)
{
	struct commit_item *item = arg;

	if (status == BAY_TIMEOUT || status == BAY_BUSY || status == BAY_CLOSED)
		commit_on_done(service, status, message, item);
	else
		commit_item_undo(item);
}

static void
commit_on_added_gone(struct master_service *service, enum bay_status status,
	const char *message, void *arg)
{
	commit_on_gone(service, status, message, NULL);
	commit_item_ended(arg);
}

/* It did not run before, or had failed. */
static void
commit_undo_start(struct commit_item *item)
{
	struct master_service *service = item->service;

	master_service_configure(service, item->former.source, item->former.config);
	if (item->was == SERVICE_STOPPED)
		service_control_stop(service, false, commit_on_done, item);
	else
		commit_on_done(service, BAY_OK, "", item);
}

/* It ran, as what it is now or before that. */
static void
commit_undo_generation(struct commit_item *item)
{
	if (item->service->state == SERVICE_READY)
		service_change_generation(item->service, &item->former, commit_on_done, item);
	else
		service_change_start(item->service, &item->former, commit_on_done, item);
}

/* It was told to stop. When that will be over is nothing to wait for. */
static void
commit_item_restore(struct commit_item *item)
{
	struct master_service *service = item->service;

	if (!item->wanted) {
		master_service_configure(service, item->former.source, item->former.config);
		commit_on_done(service, BAY_OK, "", item);
	} else if (service->state == SERVICE_STOPPING) {
		service_change_start_after_stop(service, &item->former);
		commit_on_done(service, BAY_OK, "", item);
	} else if (!commit_waits(item, commit_on_undo_settled)) {
		commit_undo_generation(item);
	}
}

static void
commit_item_undo(struct commit_item *item)
{
	struct master_service *service = item->service;

	if (item->ends) {
		commit_item_restore(item);
		return;
	}
	if (item->action == RELOAD_ADD) {
		service_control_stop(service, true, commit_on_added_gone, item);
		return;
	}
	if (commit_waits(item, commit_on_undo_settled))
		return;
	switch (item->action) {
	case RELOAD_LIVE:
		/* A canary that was begun meanwhile is not changed: it ends. */
		if (service_canary_runs(service))
			commit_undo_generation(item);
		else
			service_change_live(service, &item->former, item->settings, commit_on_done, item);
		break;
	case RELOAD_GENERATION:
		commit_undo_generation(item);
		break;
	case RELOAD_START:
		commit_undo_start(item);
		break;
	default:
		master_service_configure(service, item->former.source, item->former.config);
		commit_on_done(service, BAY_OK, "", item);
		break;
	}
}

/* Whether there is something to be put back. What failed to change is as it was. */
static bool
commit_is_to_undo(const struct commit_item *item)
{
	if (item->action == RELOAD_KEEP)
		return false;
	if (item->action == RELOAD_ADD)
		return item->service != NULL;
	return item->done || item->action == RELOAD_START;
}

/* --- phases -------------------------------------------------------------------------------- */

static bool
commit_has_part(const struct commit_item *item, enum commit_phase phase)
{
	switch (phase) {
	case COMMIT_FREE:
		return item->frees;
	case COMMIT_CHANGE:
		return !commit_is_ending(item) && item->action != RELOAD_KEEP;
	case COMMIT_END:
		return commit_is_ending(item);
	case COMMIT_UNDO:
		return !commit_is_ending(item) && commit_is_to_undo(item);
	case COMMIT_RESTORE:
		return item->ends;
	case COMMIT_OVER:
		break;
	}
	return false;
}

static void
commit_item_begin(struct commit_item *item)
{
	switch (item->commit->phase) {
	case COMMIT_FREE:
		commit_item_end(item);
		break;
	case COMMIT_CHANGE:
		commit_item_change(item);
		break;
	case COMMIT_END:
		/* One that has stopped in the first phase answers at once. */
		commit_item_end(item);
		break;
	case COMMIT_UNDO:
	case COMMIT_RESTORE:
		commit_item_undo(item);
		break;
	case COMMIT_OVER:
		break;
	}
}

/* Each waits for those that are to stop before it or to start before it, also if their turn in the
 * phase is still to come. */
static void
commit_item_announce(struct commit_item *item)
{
	switch (item->commit->phase) {
	case COMMIT_FREE:
	case COMMIT_END:
		item->service->wanted = false;
		break;
	case COMMIT_UNDO:
		if (item->action == RELOAD_ADD ||
		    (item->action == RELOAD_START && item->was == SERVICE_STOPPED))
			item->service->wanted = false;
		break;
	case COMMIT_RESTORE:
		item->service->wanted = item->wanted;
		break;
	default:
		break;
	}
}

static void commit_next(struct reload_commit *commit);

static void
commit_leave(struct reload_commit *commit)
{
	if (--commit->pending == 0)
		commit_next(commit);
}

static void
commit_enter(struct reload_commit *commit, enum commit_phase phase)
{
	commit->phase = phase;
	commit->pending = 1;
	for (size_t i = 0; i < commit->count; i++)
		if (commit_has_part(&commit->items[i], phase))
			commit_item_announce(&commit->items[i]);
	for (size_t i = 0; i < commit->count; i++) {
		struct commit_item *item = commit_in_order(commit, i);

		if (!commit_has_part(item, phase))
			continue;
		commit->pending++;
		commit_item_begin(item);
	}
	commit_leave(commit);
}

static void
commit_item_ended(struct commit_item *item)
{
	commit_leave(item->commit);
}

/* Nothing of them is different, but that may be said elsewhere. */
static void
commit_tell_others(struct reload_commit *commit)
{
	for (size_t i = 0; i < commit->count; i++) {
		struct commit_item *item = &commit->items[i];

		if (item->action == RELOAD_KEEP)
			master_service_configure(item->service, item->target.source, item->target.config);
		else if (item->action == RELOAD_GENERATION)
			listener_table_trim(commit->listeners, item->target.config);
	}
}

static void
commit_end(struct reload_commit *commit)
{
	commit->phase = COMMIT_OVER;
	if (commit->why == NULL)
		commit_tell_others(commit);
	commit->done(commit->why, commit->arg);
}

static void
commit_next(struct reload_commit *commit)
{
	if (supervisor_is_stopping(commit->supervisor)) {
		if (commit->why == NULL)
			commit->why = xstrdup("bayd stops");
		commit_end(commit);
	} else if (commit->phase == COMMIT_RESTORE || commit->phase == COMMIT_END) {
		commit_end(commit);
	} else if (commit->phase == COMMIT_UNDO) {
		commit_enter(commit, COMMIT_RESTORE);
	} else if (commit->why != NULL) {
		commit_enter(commit, COMMIT_UNDO);
	} else {
		commit_enter(commit, commit->phase == COMMIT_FREE ? COMMIT_CHANGE : COMMIT_END);
	}
}

void
reload_commit_begin(struct reload_commit *commit)
{
	commit_enter(commit, COMMIT_FREE);
}
