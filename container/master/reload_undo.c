/* SPDX-License-Identifier: BSD-2-Clause */
/* The way back of one service: reload_item.h. */
#include "config.h"

#include "master/reload_item.h"

#include "master/service_canary.h"
#include "master/service_control.h"

static void
undo_on_settled(struct master_service *service, enum bay_status status,
	const char *message, void *arg)
{
	struct reload_item *item = arg;

	if (status == BAY_TIMEOUT || status == BAY_BUSY || status == BAY_CLOSED)
		reload_item_on_done(service, status, message, item);
	else
		reload_item_undo(item);
}

static void
undo_on_added_gone(struct master_service *service, enum bay_status status,
	const char *message, void *arg)
{
	reload_item_on_gone(service, status, message, NULL);
	reload_item_ended(arg);
}

/* It did not run before, or had failed. */
static void
undo_start(struct reload_item *item)
{
	struct master_service *service = item->service;

	master_service_configure(service, item->former.source, item->former.config);
	if (item->was == SERVICE_STOPPED)
		service_control_stop(service, false, reload_item_on_done, item);
	else
		reload_item_on_done(service, BAY_OK, "", item);
}

/* It ran, as what it is now or before that. */
static void
undo_generation(struct reload_item *item)
{
	if (item->service->state == SERVICE_READY)
		service_change_generation(item->service, &item->former, reload_item_on_done, item);
	else
		service_change_start(item->service, &item->former, reload_item_on_done, item);
}

/* It was told to stop. When that will be over is nothing to wait for. */
static void
undo_restore(struct reload_item *item)
{
	struct master_service *service = item->service;

	if (!item->wanted) {
		master_service_configure(service, item->former.source, item->former.config);
		reload_item_on_done(service, BAY_OK, "", item);
	} else if (service->state == SERVICE_STOPPING) {
		service_change_start_after_stop(service, &item->former);
		reload_item_on_done(service, BAY_OK, "", item);
	} else if (!reload_item_waits(item, undo_on_settled)) {
		undo_generation(item);
	}
}

void
reload_item_undo(struct reload_item *item)
{
	struct master_service *service = item->service;

	if (item->ends) {
		undo_restore(item);
		return;
	}
	if (item->action == RELOAD_ADD) {
		service_control_stop(service, true, undo_on_added_gone, item);
		return;
	}
	if (reload_item_waits(item, undo_on_settled))
		return;
	switch (item->action) {
	case RELOAD_LIVE:
		/* A canary that was begun meanwhile is not changed: it ends. */
		if (service_canary_runs(service))
			undo_generation(item);
		else
			service_change_live(service, &item->former, item->settings, reload_item_on_done, item);
		break;
	case RELOAD_GENERATION:
		undo_generation(item);
		break;
	case RELOAD_START:
		undo_start(item);
		break;
	default:
		master_service_configure(service, item->former.source, item->former.config);
		reload_item_on_done(service, BAY_OK, "", item);
		break;
	}
}

bool
reload_item_is_to_undo(const struct reload_item *item)
{
	if (item->action == RELOAD_KEEP)
		return false;
	if (item->action == RELOAD_ADD)
		return item->service != NULL;
	return item->done || item->action == RELOAD_START;
}
