/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_canary.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/code.h"
#include "base/status_page.h"
#include "master/cell_process.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/service_steps.h"
#include "master/supervisor.h"
#include "master/swap_wish.h"
#include "protocol/cell_link.h"

bool
service_canary_runs(const struct master_service *service)
{
	return service->canary.image != NULL;
}

char *
service_canary_refusal(const struct master_service *service)
{
	const char *name = service->config->name;

	return xasprintf("generation %" PRId64 " runs as its canary: bayctl promote %s or bayctl abort %s ends that"
		" [canary-runs]", service->canary.image->generation, name, name);
}

/* --- figures --------------------------------------------------------------------------- */

/* Of all canaries that the cell had of it. */
static struct probation_counts
canary_counted(const struct master_service *service, const struct status_page *page)
{
	struct status_service_view view = {0};

	if (page != NULL)
		status_page_read_canary(page, service->slot, &view);
	return (struct probation_counts){.ended = view.served + view.failed, .failed = view.failed};
}

void
service_canary_count(const struct master_service *service, const struct status_page *page,
	struct probation_counts *own_r, struct probation_counts *others_r)
{
	const struct service_canary *canary = &service->canary;
	struct probation_counts own = canary_counted(service, page);
	struct probation_counts all = master_service_ended(service, page);

	*own_r = *others_r = (struct probation_counts){0};
	if (page == NULL)
		return;
	*own_r = probation_since(&canary->base, &own);
	all = probation_since(&canary->base_of_all, &all);
	*others_r = probation_since(own_r, &all);
}

/* What it has done speaks neither for nor against the code beside it. */
static void
canary_disregard(struct master_service *service)
{
	struct probation_counts own, others;

	service_canary_count(service, master_cell_page(service->cell), &own, &others);
	service->probation.base.ended += own.ended;
	service->probation.base.failed += own.failed;
}

/* --- begin, and the two ends --------------------------------------------------------------- */

void
service_canary_begin(struct master_service *service, struct plugin_image *image, int64_t share)
{
	const struct status_page *page = master_cell_page(service->cell);
	char *text = xasprintf("generation %" PRId64 " (%s, sha256 %.12s) gets %" PRId64 "%% of the messages of "
		"generation %" PRId64 " (%s)", image->generation, image->version, image->image.source_sha256, share,
		service->image->generation, service->image->version);

	service->canary = (struct service_canary){.image = image, .share = share,
		.since_wall_ns = clock_wall_ns(), .since_ns = clock_monotonic_ns(), .base = canary_counted(service, page),
		.base_of_all = master_service_ended(service, page)};
	master_service_note_image(service, EVENT_CANARY, image, clock_monotonic_ns() - service->step_ns, text);
	free(text);
}

struct plugin_image *
service_canary_take(struct master_service *service)
{
	struct plugin_image *image = service->canary.image;

	canary_disregard(service);
	service->canary = (struct service_canary){0};
	return image;
}

void
service_canary_leave(struct master_service *service, const char *why)
{
	struct plugin_image *image = service->canary.image;
	const struct code *code;
	char *text;

	if (image == NULL)
		return;
	text = xasprintf("generation %" PRId64 " (%s) is no canary any more, generation %" PRId64 " (%s) goes on "
		"alone: %.*s", image->generation, image->version, service->image->generation,
		service->image->version, (int)code_split(why, &code), why);
	canary_disregard(service);
	service->canary = (struct service_canary){0};
	master_service_note_image(service, EVENT_ABORTED, image, 0, text);
	plugin_image_unref(image);
	free(text);
	/* Whoever asked for that. */
	swap_wishes_answer(&service->swap.served, service, SWAP_ABORTED, NULL);
}

bool
service_canary_failed(struct master_service *service, int64_t generation, const char *message)
{
	const struct event_by before = service->by;
	char *why;

	if (!service_canary_runs(service) || service->canary.image->generation != generation)
		return false;
	service->by = (struct event_by){0};
	why = xasprintf("it failed: %s", message);
	service_canary_leave(service, why);
	service->by = before;
	free(why);
	return true;
}

/* --- abort --------------------------------------------------------------------------------- */

static void
canary_on_aborted(const struct cell_reply *reply, void *arg)
{
	struct master_service *service = arg;

	switch (reply->kind) {
	case CELL_REPLY_DIED:
		/* service_control_cell_ended has seen to it. */
		return;
	case CELL_REPLY_SILENT:
		master_cell_end_hang(service->cell, service, "hung as its canary was aborted");
		return;
	case CELL_REPLY_DONE:
		service_canary_leave(service, "as was asked for");
		break;
	case CELL_REPLY_FAILED:
		/* It may have ended by itself meanwhile. */
		if (service_canary_runs(service))
			swap_wishes_answer(&service->swap.served, service, SWAP_FAILED, reply->message);
		break;
	}
	service->step = SERVICE_STEP_NONE;
	service_go_on(service);
}

void
service_canary_abort(struct master_service *service, const struct swap_wish *wish)
{
	struct cell_process *cell = master_cell_ready(service->cell);
	struct cell_stop stop = {.service = service->config->name,
		.drain_timeout_ns = service->config->drain_timeout_ns};

	swap_wishes_add(&service->swap.served, wish);
	service->by = wish->by;
	service->step = SERVICE_STEP_SWAP;
	service->step_ns = clock_monotonic_ns();
	/* Without a cell its end is on the way, and settles it. */
	if (cell != NULL)
		cell_process_call(cell, CELL_ABORT, cell_stop_to_json(&stop), -1,
			supervisor_limits(service->supervisor)->grace_ns, canary_on_aborted, service);
}

void
service_canary_finish(struct master_service *service)
{
	plugin_image_unref(service->canary.image);
	service->canary = (struct service_canary){0};
}
