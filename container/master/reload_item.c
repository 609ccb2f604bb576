/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/reload_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "master/listener_table.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/service_absence.h"
#include "master/service_canary.h"
#include "master/service_control.h"
#include "master/service_gate.h"
#include "master/supervisor.h"

static bool
item_stop_looking(const struct listener_view *view, void *arg)
{
	(void)view;
	(void)arg;
	return false;
}

/* Notes what there is, for the way back. */
static void
item_meet(struct reload_item *item, struct master_service *service)
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
		item_stop_looking, NULL);
}

void
reload_item_init(struct reload_item *item, struct reload_commit *commit,
	struct master_service *service, const struct config_service *wanted,
	struct plugin_image *image, bool needed)
{
	*item = (struct reload_item){.commit = commit,
		.name = wanted != NULL ? wanted->name : service->config->name, .needed = needed,
		.target = {.source = commit->to, .config = wanted,
			.image = image != NULL ? plugin_image_ref(image) : NULL}};
	item->action = reload_plan(service, wanted, commit->diff, commit->retry, needed);
	if (wanted != NULL)
		item->settings = reload_plan_has_settings(wanted, commit->diff);
	item_meet(item, service);
}

void
reload_item_finish(struct reload_item *item)
{
	plugin_image_unref(item->target.image);
	plugin_image_unref(item->former.image);
	config_unref(item->former.source);
}

bool
reload_item_is_ending(const struct reload_item *item)
{
	return item->action == RELOAD_STOP || item->action == RELOAD_REMOVE;
}

/* --- what happens to it ------------------------------------------------------------------ */

static void
item_failed(struct reload_item *item, const char *message)
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

void
reload_item_on_done(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct reload_item *item = arg;

	(void)service;
	/* Somebody who wants it otherwise meanwhile wants it by the new configuration. */
	item->done = status == BAY_OK || status == BAY_CANCELED;
	/* One that is required fails who requires it. */
	if (!item->done && !(item->pulled && item->commit->phase == COMMIT_CHANGE))
		item_failed(item, message);
	reload_item_ended(item);
}

void
reload_item_on_gone(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	(void)message;
	(void)arg;
	if (service->state == SERVICE_STOPPED && !service->wanted) {
		master_service_note(service, EVENT_REMOVED, "the configuration has it no more");
		supervisor_remove(service->supervisor, service);
		service_tell_absence(service);
	} else if (status == BAY_TIMEOUT || status == BAY_BUSY) {
		service_waiters_add(service, SERVICE_WISH_STOP, reload_item_on_gone, NULL);
	}
}

static void
item_on_removed(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct reload_item *item = arg;

	if (item->commit->phase == COMMIT_FREE && status != BAY_OK) {
		reload_item_on_done(service, status, message, arg);
		return;
	}
	item->done = true;
	/* In the first phase it may be wanted back. */
	if (item->commit->phase != COMMIT_FREE)
		reload_item_on_gone(service, status, message, NULL);
	reload_item_ended(item);
}

static void
item_on_stopped(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct reload_item *item = arg;

	/* It goes on to its end by itself. */
	if (item->commit->phase == COMMIT_END)
		status = BAY_OK;
	reload_item_on_done(service, status, message, arg);
}

/* Starts what others need, with its plugin file as it is now. */
static void
item_pull(struct reload_item *item)
{
	item->pulled = true;
	master_service_configure(item->service, item->target.source, item->target.config);
	service_control_start(item->service, reload_item_on_done, item);
}

static void
item_add(struct reload_item *item)
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
		reload_item_on_done(NULL, BAY_FULL, "bayd has known as many names of services as it can count "
			"since it was started: restart it", item);
	} else if (item->needed) {
		item_pull(item);
	} else if (item->target.config->enabled) {
		service_change_start(item->service, &item->target, reload_item_on_done, item);
	} else {
		master_service_configure(item->service, item->target.source, item->target.config);
		service_tell_absence(item->service);
		reload_item_on_done(item->service, BAY_OK, "", item);
	}
}

/* An image that fits what it is to be. Else it was not looked at, for what it was then. */
static bool
item_has_image(const struct reload_item *item)
{
	const struct master_service *service = item->service;
	bool starts = item->action == RELOAD_START || item->action == RELOAD_GENERATION ||
		(item->action == RELOAD_ADD && item->target.config->enabled);

	if (item->target.image != NULL || item->needed || !starts)
		return true;
	return service != NULL && service->image != NULL &&
		strcmp(service->config->plugin, item->target.config->plugin) == 0;
}

/* Why it is not changed now, the caller's; or NULL. */
static char *
item_refusal(const struct reload_item *item)
{
	const struct master_service *service = item->service;

	if (service == NULL || (item->action != RELOAD_LIVE && item->action != RELOAD_GENERATION))
		return NULL;
	/* Its canary is under trial with the configuration that there is. */
	if (service_canary_runs(service))
		return service_canary_refusal(service);
	return service_gate_move_refusal(service, item->target.config);
}

static bool
item_is_refused(struct reload_item *item)
{
	char *why = item_refusal(item);

	if (why == NULL)
		return false;
	item->action = RELOAD_KEEP;
	reload_item_on_done(item->service, BAY_BUSY, why, item);
	free(why);
	return true;
}

static void
item_on_settled(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct reload_item *item = arg;

	if (status == BAY_TIMEOUT || status == BAY_BUSY || status == BAY_CLOSED)
		reload_item_on_done(service, status, message, item);
	else
		reload_item_change(item);
}

bool
reload_item_waits(struct reload_item *item, service_done_fn *settled)
{
	struct master_service *service = item->service;

	if (service == NULL || service_change_is_possible(service))
		return false;
	if (service_refuses_to_stop(service))
		reload_item_on_done(service, BAY_BUSY, service->reason, item);
	else
		service_waiters_add(service, SERVICE_WISH_START, settled, item);
	return true;
}

static void
item_on_replaced(struct master_service *there, enum bay_status status, const char *message, void *arg)
{
	struct reload_item *item = arg;

	(void)there;
	if (status == BAY_CLOSED)
		reload_item_on_done(item->service, status, message, item);
	else
		reload_item_change(item);
}

/* What the other cell still has to end before it is replaced may call this service, which could not
 * start there until then: it serves on where it is. */
static bool
item_waits_for_its_place(struct reload_item *item)
{
	struct master_service *there = supervisor_move_waits_for(item->commit->supervisor, item->service,
		item->target.config);
	char subject[CONFIG_NAME_MAX + 16];

	if (there == NULL)
		return false;
	snprintf(subject, sizeof(subject), "service %s", item->name);
	log_info(subject, "it moves when %s has been replaced", master_cell_subject(there->cell));
	service_waiters_add(there, SERVICE_WISH_START, item_on_replaced, item);
	return true;
}

/* What it is may have changed since the plan was made: a plugin file may have become it, or may
 * have gone with it. */
static void
item_plan(struct reload_item *item)
{
	const struct master_service *service = item->service;

	if (service != NULL && service->gone)
		item->action = RELOAD_ADD;
	else if (item->action != RELOAD_ADD || (service != NULL && service->source->dropped_in))
		item->action = reload_plan(service, item->target.config, item->commit->diff,
			item->commit->retry, item->needed);
}

void
reload_item_change(struct reload_item *item)
{
	struct master_service *service;

	if (item->service == NULL)
		item_meet(item, supervisor_find(item->commit->supervisor, item->name));
	service = item->service;
	if (reload_item_waits(item, item_on_settled))
		return;
	item_plan(item);
	if (item_is_refused(item))
		return;
	if (!item_has_image(item)) {
		item->action = RELOAD_KEEP;
		reload_item_on_done(service, BAY_BUSY, "somebody else started it meanwhile: reload again", item);
		return;
	}
	switch (item->action) {
	case RELOAD_ADD:
		item_add(item);
		break;
	case RELOAD_LIVE:
		service_change_live(service, &item->target, item->settings, reload_item_on_done, item);
		break;
	case RELOAD_GENERATION:
		if (!item_waits_for_its_place(item))
			service_change_generation(service, &item->target, reload_item_on_done, item);
		break;
	case RELOAD_START:
		if (item->needed)
			item_pull(item);
		else
			service_change_start(service, &item->target, reload_item_on_done, item);
		break;
	case RELOAD_STOP:
		/* At the end, as all that stop. */
		reload_item_on_done(service, BAY_OK, "", item);
		break;
	default:
		master_service_configure(service, item->target.source, item->target.config);
		reload_item_on_done(service, BAY_OK, "", item);
		break;
	}
}

static void
item_stop(struct reload_item *item, service_done_fn *done)
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

void
reload_item_end(struct reload_item *item)
{
	item->ends = true;
	if (item->dragged)
		master_service_note(item->service, EVENT_ASKED, "to stop it, since one that it requires is "
			"stopped");
	if (item->action == RELOAD_REMOVE) {
		item_stop(item, item_on_removed);
		return;
	}
	item_stop(item, item_on_stopped);
	master_service_configure(item->service, item->target.source, item->target.config);
}
