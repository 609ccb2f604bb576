/* SPDX-License-Identifier: BSD-2-Clause */
/* The swaps of a hosted service, and its canary: hosted.h. */
#include "config.h"

#include "cell/hosted.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "protocol/cell_link.h"
#include "service/plugin.h"
#include "service/service.h"

static void
hosted_tell_stage(struct hosted *hosted, enum cell_stage stage)
{
	const struct hosting *hosting = hosted->hosting;

	if (hosted->next != NULL)
		hosting->watcher->stage(hosted->service->name, hosted->next->number, stage, hosting->arg);
}

/* Answers who asked, and goes on with what had to wait. */
static void
hosted_end_swap(struct hosted *hosted)
{
	char *message = hosted->message;
	int status = hosted->status;

	hosted->message = NULL;
	hosted->status = BAY_OK;
	hosted->swapping = false;
	hosted->promoting = false;
	host_asks_answer(&hosted->swappers, status, message, hosted->hosting->arg);
	free(message);
	if (hosted->failed_with != NULL)
		hosted_begin_stop(hosted, 0);
	else if (hosted->stop_wanted)
		hosted_begin_stop(hosted, hosted->stop_drain_ns);
}

/* What was to be the next has ended, or refuses to. */
static void
hosted_on_next_ended(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	hosted->next = NULL;
	hosted_on_ended(generation);
	hosted_end_swap(hosted);
}

static void
hosted_end_next(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	/* Its own steps are over, and that of current is what it was waiting for. */
	free(hosted->current->message);
	hosted->current->message = NULL;
	generation_end(hosted->next, hosted->promoting ? hosted->next->drain_timeout_ns : 0, NULL,
		hosted_on_next_ended);
}

/* The old one has the route again, if it ever lost it, before the new one ends. */
static void
hosted_fail_swap(struct hosted *hosted, bool resume)
{
	if (resume)
		generation_resume(hosted->current, hosted_end_next);
	else
		hosted_end_next(hosted->current);
}

/* A step of the swap has ended. False: that was the end of it. */
static bool
hosted_swap_goes_on(struct hosted *hosted, bool resume)
{
	hosted_take_failure(hosted, hosted->next);
	hosted_take_failure(hosted, hosted->current);
	if (hosted->failed_with != NULL || hosted->stop_wanted)
		hosted_keep_failure(hosted, BAY_CANCELED, xstrdup(hosted->failed_with != NULL ? hosted->failed_with :
			"the service is being stopped"));
	if (hosted->message == NULL)
		return true;
	hosted_fail_swap(hosted, resume);
	return false;
}

/* What failed was replaced in the same moment: the service is none the worse for it. */
static bool
hosted_forget_failure(struct hosted *hosted)
{
	if (hosted->failed_with == NULL)
		return false;
	hosted_warn_replaced(hosted, hosted->failed_generation, hosted->failed_with);
	free(hosted->failed_with);
	hosted->failed_with = NULL;
	return true;
}

/* The new one serves: what is left to do is done beside that. */
static void
hosted_on_flipped(struct generation *generation)
{
	struct hosted *hosted = generation->owner;
	struct generation *old = hosted->current;
	bool old_failed;

	hosted_take_failure(hosted, generation);
	if (hosted->message != NULL) {
		hosted_prepare_route(hosted, old, hosted->service->set);
		hosted_fail_swap(hosted, true);
		return;
	}
	hosted->current = generation;
	hosted->next = NULL;
	hosted_tell_health(hosted, true);
	monitor_note(hosted->service, BAY_MONITOR_READY, generation->number, NULL);
	old_failed = hosted_forget_failure(hosted);
	if (hosted->keep && !old_failed && !hosted->stop_wanted && generation_could_be_kept(generation)) {
		old->state = GENERATION_KEPT;
		hosted->kept = old;
	} else {
		generation_end(old, old->drain_timeout_ns, NULL, hosted_on_ended);
	}
	hosted_end_swap(hosted);
}

static void
hosted_flip(struct hosted *hosted)
{
	hosted_prepare_route(hosted, hosted->next, hosted->service->set);
	generation_serve(hosted->next, hosted_on_flipped);
}

static void
hosted_on_imported(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	if (!hosted_swap_goes_on(hosted, true))
		return;
	hosted_tell_stage(hosted, CELL_STAGE_HANDED_OVER);
	hosted_flip(hosted);
}

static void
hosted_on_exported(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	if (hosted_swap_goes_on(hosted, true))
		generation_import(hosted->next, generation, hosted_on_imported);
}

/* Both, if the new one has served as a canary. */
static void
hosted_on_all_held(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	if (!hosted_swap_goes_on(hosted, true))
		return;
	hosted_tell_stage(hosted, CELL_STAGE_HELD);
	generation_export(hosted->current, hosted_on_exported);
}

static void
hosted_on_held(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	if (!hosted->promoting)
		hosted_on_all_held(generation);
	else if (hosted_swap_goes_on(hosted, true))
		generation_hold(hosted->next, hosted_on_all_held);
}

static void
hosted_replace_current(struct hosted *hosted)
{
	if (generation_hands_over(hosted->current, hosted->next))
		generation_hold(hosted->current, hosted_on_held);
	else
		hosted_flip(hosted);
}

/* It has its share. */
static void
hosted_on_tried(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	if (!hosted_swap_goes_on(hosted, false))
		return;
	hosted->canary = generation;
	hosted->next = NULL;
	hosted_end_swap(hosted);
}

static void
hosted_on_next_initialised(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	if (!hosted_swap_goes_on(hosted, false))
		return;
	hosted_tell_stage(hosted, CELL_STAGE_INITIALISED);
	if (hosted->share != 0)
		generation_try(generation, hosted->share, hosted_on_tried);
	else
		hosted_replace_current(hosted);
}

static void
hosted_on_next_loaded(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	/* What is in the queue would never be taken. */
	if (generation->message == NULL && generation->code.plugin->descriptor.handle == NULL &&
		hosted->current->code.plugin->descriptor.handle != NULL)
		generation_keep_failure(generation, BAY_INVALID, xstrdup("it has no handler, and what it is to "
			"replace has one: restart the service instead"));
	if (generation->message == NULL && hosted->share != 0 &&
		hosted->current->code.plugin->descriptor.handle == NULL)
		generation_keep_failure(generation, BAY_INVALID, xstrdup("what it is to share messages with has no "
			"handler: reload without a canary"));
	if (!hosted_swap_goes_on(hosted, false))
		return;
	hosted_tell_stage(hosted, CELL_STAGE_LOADED);
	generation_initialise(generation, hosted_on_next_initialised);
}

void
hosted_swap(struct hosted *hosted, const struct cell_start *start, int image, host_done_fn *done, int64_t id)
{
	bool apart = hosted_uses(hosted, start->image);

	host_asks_add(&hosted->swappers, done, id);
	hosted->swapping = true;
	hosted->keep = start->keep;
	hosted->share = (unsigned)start->canary;
	hosted_retire(hosted, hosted->current->drain_timeout_ns);
	hosted->next = hosted_add(hosted, start, image);
	generation_load(hosted->next, apart, hosted_on_next_loaded);
}

void
hosted_retire(struct hosted *hosted, int64_t drain_ns)
{
	struct generation *kept = hosted->kept;

	hosted->kept = NULL;
	if (kept != NULL)
		generation_end(kept, drain_ns, NULL, hosted_on_ended);
}

static void
hosted_on_reverted(struct generation *generation)
{
	struct hosted *hosted = generation->owner;
	struct generation *bad = hosted->leaving;

	hosted->leaving = NULL;
	generation_end(bad, bad->drain_timeout_ns, NULL, hosted_on_ended);
	hosted_end_swap(hosted);
}

void
hosted_revert(struct hosted *hosted, int64_t drain_ns, host_done_fn *done, int64_t id)
{
	struct generation *kept = hosted->kept;

	host_asks_add(&hosted->swappers, done, id);
	hosted->swapping = true;
	hosted->kept = NULL;
	/* What it does from now on matters no more. */
	hosted->leaving = hosted->current;
	hosted->leaving->drain_timeout_ns = drain_ns;
	hosted->current = kept;
	hosted_tell_health(hosted, true);
	monitor_note(hosted->service, BAY_MONITOR_READY, kept->number, NULL);
	hosted_prepare_route(hosted, kept, hosted->service->set);
	generation_resume(kept, hosted_on_reverted);
}

/* --- canary --------------------------------------------------------------------------------- */

void
hosted_promote(struct hosted *hosted, bool keep, host_done_fn *done, int64_t id)
{
	host_asks_add(&hosted->swappers, done, id);
	hosted->swapping = true;
	hosted->promoting = true;
	hosted->keep = keep;
	hosted->next = hosted->canary;
	hosted->canary = NULL;
	hosted_replace_current(hosted);
}

/* It has no more share. */
static void
hosted_on_given_up(struct generation *generation)
{
	struct hosted *hosted = generation->owner;
	const struct hosting *hosting = hosted->hosting;
	char *failure = hosted->canary_failed_with;

	/* What of it fails now is nobody's concern. */
	free(generation->message);
	generation->message = NULL;
	hosted->canary_failed_with = NULL;
	hosted->next = NULL;
	generation_end(generation, generation->drain_timeout_ns, NULL, hosted_on_ended);
	if (failure != NULL)
		hosting->watcher->failed(hosted->service->name, generation->number, failure, hosting->arg);
	free(failure);
	hosted_end_swap(hosted);
}

bool
hosted_gives_up(const struct hosted *hosted)
{
	return hosted->canary_failed_with != NULL;
}

void
hosted_begin_give_up(struct hosted *hosted)
{
	hosted->swapping = true;
	hosted->next = hosted->canary;
	hosted->canary = NULL;
	generation_give_up(hosted->next, hosted_on_given_up);
}

void
hosted_abort(struct hosted *hosted, int64_t drain_ns, host_done_fn *done, int64_t id)
{
	host_asks_add(&hosted->swappers, done, id);
	if (hosted_gives_up(hosted))
		return;
	hosted->canary->drain_timeout_ns = drain_ns;
	hosted_begin_give_up(hosted);
}
