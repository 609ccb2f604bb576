/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_swap.h"

#include <stdlib.h>

#include "base/list.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/service_canary.h"
#include "master/service_probation.h"
#include "master/service_steps.h"
#include "master/swap_steps.h"

#define SWAP_IT_IS_STOPPED "it is stopped; bayctl start starts it with the plugin file as it is now [swap-refused]"
#define SWAP_UNDER_WAY "something else is under way for it: try again when that has ended [busy]"

static void swap_forget(struct master_service *service, const char *message);

/* --- wishes ------------------------------------------------------------------------------------ */

/* The events of what is done now name the first who asked. */
static void
swap_note_asker(struct master_service *service)
{
	service->by = swap_wishes_first(&service->swap.served)->by;
}

/* A canary has begun meanwhile. */
static void
swap_refuse_asked(struct master_service *service)
{
	char *why = service_canary_refusal(service);

	swap_wishes_answer(&service->swap.asked, service, SWAP_BUSY, why);
	free(why);
}

/* The next one, if anybody asked for it. */
static void
swap_begin(struct master_service *service)
{
	if (list_empty(&service->swap.asked) || service->step != SERVICE_STEP_NONE ||
	    service->state != SERVICE_READY || !service->wanted ||
	    master_cell_is_replaced(service->cell))
		return;
	if (service_canary_runs(service)) {
		swap_refuse_asked(service);
		return;
	}
	swap_wishes_move_alike(&service->swap.served, &service->swap.asked);
	service->swap.share = swap_wishes_first(&service->swap.served)->share;
	swap_note_asker(service);
	swap_steps_examine(service);
}

/* What is under way may have been asked by another. */
static void
swap_note_wish(struct master_service *service, const struct swap_wish *wish, const char *what)
{
	const struct event_by before = service->by;

	master_service_ask(service, &wish->by, what);
	service->by = before;
}

static void
swap_refuse_as(struct master_service *service, const struct swap_wish *wish, enum swap_outcome outcome,
	const char *why)
{
	const struct event_by before = service->by;

	service->by = wish->by;
	master_service_note(service, EVENT_REFUSED, "%s", why);
	service->by = before;
	if (wish->done != NULL)
		wish->done(service, outcome, why, wish->arg);
}

static void
swap_refuse(struct master_service *service, const struct swap_wish *wish, const char *why)
{
	swap_refuse_as(service, wish, SWAP_FAILED, why);
}

/* False: there is no canary. */
static bool
swap_refuse_for_canary(struct master_service *service, const struct swap_wish *wish)
{
	char *why;

	if (!service_canary_runs(service))
		return false;
	why = service_canary_refusal(service);
	swap_refuse_as(service, wish, SWAP_BUSY, why);
	free(why);
	return true;
}

/* Nothing runs that could be swapped. */
static bool
swap_is_down(const struct master_service *service)
{
	return service->state == SERVICE_STOPPED || (service->state == SERVICE_STOPPING && !service->wanted);
}

void
service_swap_reload(struct master_service *service, const struct swap_wish *wish)
{
	swap_note_wish(service, wish, "to reload it");
	if (swap_is_down(service)) {
		swap_refuse(service, wish, SWAP_IT_IS_STOPPED);
		return;
	}
	if (swap_refuse_for_canary(service, wish))
		return;
	if (service->state == SERVICE_FAILED && wish->share != 0) {
		swap_refuse(service, wish, SWAP_CANARY_NEEDS_ANOTHER);
		return;
	}
	swap_wishes_add(&service->swap.asked, wish);
	if (service->state != SERVICE_FAILED || service->step != SERVICE_STEP_NONE) {
		swap_begin(service);
		return;
	}
	list_splice_back(&service->swap.served, &service->swap.asked);
	swap_note_asker(service);
	service->wanted = true;
	master_service_forgive(service);
	service_begin_examination(service);
}

void
service_swap_take(struct master_service *service, struct plugin_image *image,
	const struct swap_wish *wish)
{
	swap_wishes_add(&service->swap.served, wish);
	service->swap.share = 0;
	swap_note_asker(service);
	swap_steps_forward(service, image);
}

/* One that failed is started with its former code. */
static void
swap_start_former(struct master_service *service)
{
	plugin_image_unref(service->next_image);
	service->next_image = plugin_image_ref(service->former);
	service->wanted = true;
	master_service_forgive(service);
	service_begin_start(service);
}

void
service_swap_roll_back(struct master_service *service, const struct swap_wish *wish)
{
	swap_note_wish(service, wish, "to roll it back");
	if (swap_refuse_for_canary(service, wish)) {
		return;
	} else if (service->former == NULL) {
		swap_refuse(service, wish, "there is no former generation to return to [swap-refused]");
	} else if (swap_is_down(service)) {
		swap_refuse(service, wish, SWAP_IT_IS_STOPPED);
	} else if (service->step != SERVICE_STEP_NONE ||
	    (service->state != SERVICE_READY && service->state != SERVICE_FAILED)) {
		swap_refuse(service, wish, SWAP_UNDER_WAY);
	} else {
		swap_wishes_add(&service->swap.served, wish);
		swap_note_asker(service);
		if (service->state == SERVICE_FAILED)
			swap_start_former(service);
		else
			swap_steps_back(service);
	}
}

/* Whether there is a canary that can be disposed of; else the wish has been answered. */
static bool
swap_has_canary(struct master_service *service, const struct swap_wish *wish)
{
	if (!service_canary_runs(service)) {
		swap_refuse(service, wish, "it has no canary; bayctl reload --canary starts one [swap-refused]");
		return false;
	}
	if (service->step == SERVICE_STEP_NONE && service->state == SERVICE_READY)
		return true;
	swap_refuse_as(service, wish, SWAP_BUSY, SWAP_UNDER_WAY);
	return false;
}

void
service_swap_promote(struct master_service *service, const struct swap_wish *wish)
{
	swap_note_wish(service, wish, "to promote its canary");
	if (!swap_has_canary(service, wish))
		return;
	swap_wishes_add(&service->swap.served, wish);
	swap_note_asker(service);
	service->swap.image = service_canary_take(service);
	service->swap.promotes = true;
	swap_steps_promote(service);
}

void
service_swap_abort(struct master_service *service, const struct swap_wish *wish)
{
	swap_note_wish(service, wish, "to abort its canary");
	if (swap_has_canary(service, wish))
		service_canary_abort(service, wish);
}

void
service_swap_was_refused(struct master_service *service, const char *reason)
{
	swap_wishes_answer(&service->swap.served, service, SWAP_REFUSED, reason);
}

void
service_swap_settled(struct master_service *service)
{
	char *failure = service->swap.failure;

	service->swap.failure = NULL;
	if (service->state == SERVICE_READY && failure != NULL)
		swap_wishes_answer(&service->swap.served, service, SWAP_ROLLED_BACK, failure);
	else if (service->state == SERVICE_READY)
		swap_wishes_answer(&service->swap.served, service, SWAP_STARTED, NULL);
	else
		swap_forget(service, service->reason != NULL ? service->reason : "it is stopped");
	free(failure);
	swap_begin(service);
}

/* --- life --------------------------------------------------------------------------------------- */

void
service_swap_init(struct master_service *service)
{
	list_init(&service->swap.asked);
	list_init(&service->swap.served);
	service_probation_init(service);
}

/* Nobody gets what he waits for. */
static void
swap_forget(struct master_service *service, const char *message)
{
	free(service->swap.failure);
	service->swap.failure = NULL;
	service_probation_end(service, SWAP_FAILED, message);
	swap_wishes_answer(&service->swap.served, service, SWAP_FAILED, message);
	swap_wishes_answer(&service->swap.asked, service, SWAP_FAILED, message);
}

void
service_swap_finish(struct master_service *service, const char *message)
{
	swap_forget(service, message);
	swap_steps_drop(service);
	service_canary_finish(service);
	plugin_image_unref(service->former);
	service->former = NULL;
	master_service_forget_lingering(service, NULL);
	service_probation_finish(service);
}
