/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/swap_steps.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/code.h"
#include "base/log.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/service_absence.h"
#include "master/service_canary.h"
#include "master/service_change.h"
#include "master/service_probation.h"
#include "master/service_steps.h"
#include "master/service_swap.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

static void swap_send(struct master_service *service);

static const char *
swap_subject(const struct master_service *service, char subject[CONFIG_NAME_MAX + 16])
{
	snprintf(subject, CONFIG_NAME_MAX + 16, "service %s", service->config->name);
	return subject;
}

static void swap_note_failure(const struct master_service *service, enum event_kind kind,
	const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As an event, and in the log. */
static void
swap_note_failure(const struct master_service *service, enum event_kind kind, const char *format, ...)
{
	char subject[CONFIG_NAME_MAX + 16], by[64];
	struct buffer text = {0};
	const char *why = NULL;
	va_list args;

	va_start(args, format);
	if (buffer_vprintf(&text, format, args))
		why = buffer_text(&text);
	va_end(args);
	if (why == NULL)
		why = "no memory to say why";
	event_by_print(by, sizeof(by), &service->by);
	log_at(kind == EVENT_REFUSED ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, swap_subject(service, subject),
		"%s by %s: %s", event_kind_name(kind), by, why);
	master_service_note(service, kind, "%s", why);
	buffer_finish(&text);
}

void
service_swap_on_stage(struct master_service *service, int64_t generation, const char *stage)
{
	if (service->swap.image == NULL || service->swap.image->generation != generation)
		return;
	service->swap.started = true;
	swap_wishes_tell_stage(&service->swap.served, service, stage);
}

/* --- the images ------------------------------------------------------------------------------ */

/* Who monitors it from other cells hears that other code serves. */
static void
swap_tell_others(struct master_service *service)
{
	if (service->told.cell != NULL)
		service_tell_others(service);
}

void
service_swap_replace_image(struct master_service *service, struct plugin_image *image)
{
	if (service->image != NULL &&
	    strcmp(service->image->image.source_sha256, image->image.source_sha256) != 0) {
		plugin_image_unref(service->former);
		service->former = service->image;
	} else {
		plugin_image_unref(service->image);
	}
	service->image = image;
	service->generation_wall_ns = 0;
	swap_tell_others(service);
}

void
service_swap_go_back(struct master_service *service, bool keep)
{
	struct plugin_image *left = service->image;

	service->image = service->former;
	service->former = keep ? left : NULL;
	if (!keep)
		plugin_image_unref(left);
	service->generation_wall_ns = 0;
	swap_tell_others(service);
}

/* Whether what is swapped to ran before. */
static bool
swap_is_back(const struct master_service *service)
{
	return service->swap.image != NULL && service->swap.image == service->former;
}

void
swap_steps_drop(struct master_service *service)
{
	plugin_image_unref(service->swap.image);
	service->swap.image = NULL;
	service->swap.share = 0;
	service->swap.promotes = false;
}

/* --- back ------------------------------------------------------------------------------------ */

/* What runs is no good: it is left for the former code, whatever the way. */
static void
swap_condemn(struct master_service *service, const char *reason)
{
	const struct code *code;
	int length = (int)code_split(reason, &code);

	service->by = (struct event_by){0};
	swap_note_failure(service, EVENT_ROLLED_BACK, "generation %" PRId64 " (%s) is rolled back to generation %"
		PRId64 " (%s): %.*s [swap-failed]", service->image->generation, service->image->version,
		service->former->generation, service->former->version, length, reason);
	free(service->swap.failure);
	service->swap.failure = xasprintf("rolled back to generation %" PRId64 " (%s): %.*s",
		service->former->generation, service->former->version, length, reason);
	service_probation_fail(service, &service->swap.served);
}

void
swap_steps_back(struct master_service *service)
{
	service->swap.image = plugin_image_ref(service->former);
	service->swap.share = 0;
	swap_send(service);
}

void
service_swap_give_up(struct master_service *service, const char *reason)
{
	swap_condemn(service, reason);
	swap_steps_back(service);
}

/* It was on its way to the former code, and what it leaves runs no more: that is started. */
static void
swap_goes_back_anyway(struct master_service *service)
{
	swap_steps_drop(service);
	service_swap_go_back(service, service->swap.failure == NULL);
	service_probation_end(service, SWAP_ROLLED_BACK, "it was rolled back by hand");
}

/* It was being swapped. True: as for service_swap_failed(). */
static bool
swap_failed_under_way(struct master_service *service, bool blamed, const char *reason)
{
	int64_t generation = service->swap.image->generation;

	if (swap_is_back(service)) {
		swap_goes_back_anyway(service);
		return true;
	}
	/* A probation goes on: what is on it runs, or is started again. */
	swap_steps_drop(service);
	if (!blamed) {
		swap_note_failure(service, EVENT_REFUSED, "generation %" PRId64 " is not swapped to: its cell ended "
			"meanwhile", generation);
		swap_wishes_answer(&service->swap.served, service, SWAP_FAILED, "its cell ended meanwhile, and it was not "
			"to blame: try again");
		return false;
	}
	swap_note_failure(service, EVENT_ROLLED_BACK, "generation %" PRId64 " is not swapped to, generation %"
		PRId64 " is started again: it %s [swap-failed]", generation, service->image->generation, reason);
	free(service->swap.failure);
	service->swap.failure = xasprintf("generation %" PRId64 " %s; generation %" PRId64 " (%s) serves on",
		generation, reason, service->image->generation, service->image->version);
	return true;
}

int64_t
service_swap_trial_ns(const struct master_service *service)
{
	if (service->swap.image != NULL)
		return service->step_ns;
	if (service_canary_runs(service))
		return service->canary.since_ns;
	return service_probation_is_on(service) ? service->probation.since_ns : 0;
}

bool
service_swap_failed(struct master_service *service, bool blamed, const char *reason)
{
	char text[400];

	if (service->swap.image != NULL)
		return swap_failed_under_way(service, blamed, reason);
	if (service_canary_runs(service)) {
		service->by = (struct event_by){0};
		snprintf(text, sizeof(text), blamed ? "its cell ended, and one of the two is to blame: it %s"
			: "its cell ended, and it was not to blame", reason);
		service_canary_leave(service, text);
		return blamed;
	}
	if (!service_probation_is_on(service) || !blamed || service->former == NULL)
		return false;
	snprintf(text, sizeof(text), "on probation, it %s", reason);
	swap_condemn(service, text);
	service_swap_go_back(service, false);
	return true;
}

/* --- the cell ------------------------------------------------------------------------------- */

static void
swap_note_flip(struct master_service *service, const struct plugin_image *left, bool back, bool condemned)
{
	char subject[CONFIG_NAME_MAX + 16];
	char *text = xasprintf("generation %" PRId64 " (%s, sha256 %.12s) serves instead of generation %" PRId64
		" (%s)", service->swap.image->generation, service->swap.image->version,
		service->swap.image->image.source_sha256, left->generation, left->version);

	service->start_took_ns = clock_monotonic_ns() - service->step_ns;
	/* Rollbacks are not logged as events; of one for a failure, its event has told. */
	if (back)
		log_info(swap_subject(service, subject), "%s", text);
	if (!condemned)
		master_service_note_image(service, back ? EVENT_ROLLED_BACK : service->swap.promotes ? EVENT_PROMOTED :
			EVENT_SWAPPED, service->swap.image, service->start_took_ns, text);
	free(text);
}

/* The new one has its share. What was on probation stays, unjudged. */
static void
swap_has_begun_canary(struct master_service *service)
{
	service_probation_end(service, SWAP_SWAPPED, NULL);
	service_canary_begin(service, service->swap.image, service->swap.share);
	service->swap.image = NULL;
	service->swap.share = 0;
	swap_wishes_answer(&service->swap.served, service, SWAP_CANARY, NULL);
}

/* The new one serves. */
static void
swap_has_flipped(struct master_service *service)
{
	const struct probation_counts before = service->probation.base;
	bool condemned = service->swap.failure != NULL;
	bool back = swap_is_back(service);
	struct plugin_image *left = service->image;

	swap_note_flip(service, left, back, condemned);
	if (back) {
		swap_steps_drop(service);
		service_swap_go_back(service, !condemned);
		/* It has the settings that it was kept with. */
		service_change_renew(service);
	} else {
		plugin_image_unref(service->former);
		service->former = left;
		service->image = service->swap.image;
		service->swap.image = NULL;
		service->swap.promotes = false;
		service->generation_wall_ns = 0;
	}
	service_probation_count_anew(service);
	/* Those of the probation before: what they waited for has been replaced. */
	service_probation_end(service, back ? SWAP_ROLLED_BACK : SWAP_SWAPPED,
		back ? "it was rolled back by hand" : NULL);
	if (!back)
		service_probation_begin(service, &before);
	/* Of one that failed they are told when it has settled. */
	if (condemned)
		return;
	service_probation_wait(service, &service->swap.served);
	swap_wishes_answer(&service->swap.served, service, SWAP_SWAPPED, NULL);
}

/* The cell says no: what ran before runs. */
static void
swap_was_refused(struct master_service *service, const struct cell_reply *reply)
{
	enum swap_outcome outcome = service->swap.started ? SWAP_ROLLED_BACK : SWAP_REFUSED;
	const struct code *code;
	char *text = xasprintf("generation %" PRId64 " (%s): %.*s; generation %" PRId64 " (%s) serves on",
		service->swap.image->generation, service->swap.image->version,
		(int)code_split(reply->message, &code), reply->message, service->image->generation,
		service->image->version);

	if (swap_is_back(service))
		outcome = SWAP_FAILED;
	if (service->swap.promotes)
		master_service_note_image(service, EVENT_ABORTED, service->swap.image, 0, text);
	else
		swap_note_failure(service, outcome == SWAP_ROLLED_BACK ? EVENT_ROLLED_BACK : EVENT_REFUSED,
			"generation %" PRId64 " (%s) could not be swapped to, generation %" PRId64 " goes on: %.*s "
			"[swap-failed]", service->swap.image->generation, service->swap.image->version,
			service->image->generation, (int)code_split(reply->message, &code), reply->message);
	swap_steps_drop(service);
	free(service->swap.failure);
	service->swap.failure = NULL;
	swap_wishes_answer(&service->swap.served, service, outcome, text);
	free(text);
}

static void
swap_on_reply(const struct cell_reply *reply, void *arg)
{
	struct master_service *service = arg;
	struct master_service *hanging;

	switch (reply->kind) {
	case CELL_REPLY_DIED:
		/* service_control_cell_ended has seen to it. */
		return;
	case CELL_REPLY_SILENT:
		hanging = master_cell_find_in_init(service->cell);
		master_cell_end_hang(service->cell, hanging != NULL ? hanging : service,
			"hung in the swap to generation %" PRId64, service->swap.image->generation);
		return;
	case CELL_REPLY_DONE:
		service->step = SERVICE_STEP_NONE;
		if (service->swap.share != 0)
			swap_has_begun_canary(service);
		else
			swap_has_flipped(service);
		break;
	case CELL_REPLY_FAILED:
		service->step = SERVICE_STEP_NONE;
		/* It may have failed before the cell heard of it. */
		if (swap_is_back(service) && service->state == SERVICE_STARTING)
			swap_goes_back_anyway(service);
		else
			swap_was_refused(service, reply);
		service_go_on(service);
		return;
	}
	service_settle(service);
}

static void
swap_send_image(struct master_service *service)
{
	const struct config_service *config = service->config;
	int64_t grace_ns = supervisor_limits(service->supervisor)->grace_ns;
	bool keep = config->probation_ns > 0 && !swap_is_back(service) && service->swap.share == 0;

	service->step = SERVICE_STEP_SWAP;
	service->swap.started = false;
	/* Its end is on the way, and settles it. */
	if (master_cell_ready(service->cell) == NULL)
		return;
	/* Init, and the state that leaves the one and enters the other. */
	if (!service_call_with_image(service, CELL_SWAP, service->swap.image, keep, service->swap.share,
		3 * (config->start_timeout_ns + grace_ns) + config->drain_timeout_ns, swap_on_reply))
		swap_on_reply(&(struct cell_reply){.kind = CELL_REPLY_FAILED, .status = BAY_INVALID,
			.message = "a setting is no UTF-8 text"}, service);
}

/* Without what was kept, its image is loaded again. */
static void
swap_on_reverted(const struct cell_reply *reply, void *arg)
{
	struct master_service *service = arg;

	if (reply->kind == CELL_REPLY_FAILED && reply->status == BAY_NOT_FOUND)
		swap_send_image(service);
	else
		swap_on_reply(reply, service);
}

/* Its init is behind it, but the requests of both have to end before their state can go over. */
void
swap_steps_promote(struct master_service *service)
{
	struct cell_process *cell = master_cell_ready(service->cell);
	const struct config_service *config = service->config;
	struct cell_promote promote = {.service = config->name, .keep = config->probation_ns > 0};

	service->step = SERVICE_STEP_SWAP;
	service->step_ns = clock_monotonic_ns();
	service->swap.started = true;
	if (cell != NULL)
		cell_process_call(cell, CELL_PROMOTE, cell_promote_to_json(&promote), -1,
			2 * (config->start_timeout_ns + supervisor_limits(service->supervisor)->grace_ns) +
			3 * config->drain_timeout_ns, swap_on_reply, service);
}

static void
swap_send(struct master_service *service)
{
	struct cell_process *cell = master_cell_ready(service->cell);
	struct cell_stop stop = {.service = service->config->name,
		.drain_timeout_ns = service->config->drain_timeout_ns};

	service->step_ns = clock_monotonic_ns();
	if (!swap_is_back(service)) {
		swap_send_image(service);
		return;
	}
	service->step = SERVICE_STEP_SWAP;
	if (cell != NULL)
		cell_process_call(cell, CELL_REVERT, cell_stop_to_json(&stop), -1,
			supervisor_limits(service->supervisor)->grace_ns, swap_on_reverted, service);
}

/* --- the file --------------------------------------------------------------------------------- */

void
swap_steps_forward(struct master_service *service, struct plugin_image *image)
{
	service->swap.image = plugin_image_ref(image);
	swap_send(service);
}

/* Its cell has ended, or it has failed: it is started with that. If it has been rolled back
 * meanwhile, the file may well be what it was rolled back from. */
static void
swap_start_image(struct master_service *service, struct plugin_image *image)
{
	if (!service->wanted || service->state == SERVICE_STOPPING) {
		service_go_on(service);
		return;
	}
	if (service->swap.failure == NULL) {
		plugin_image_unref(service->next_image);
		service->next_image = plugin_image_ref(image);
	}
	service_begin_start(service);
}

static void
swap_to_image(struct master_service *service, struct plugin_image *image)
{
	bool serves = service->state == SERVICE_READY && master_cell_ready(service->cell) != NULL;

	if (!serves && service->swap.share != 0) {
		swap_wishes_answer(&service->swap.served, service, SWAP_FAILED, SWAP_CANARY_NEEDS_ANOTHER);
		service_go_on(service);
		return;
	}
	if (!serves) {
		swap_start_image(service, image);
		return;
	}
	if (!service->wanted) {
		service_settle(service);
		return;
	}
	if (strcmp(image->image.source_sha256, service->image->image.source_sha256) == 0) {
		swap_wishes_answer(&service->swap.served, service, SWAP_SAME, NULL);
		service_settle(service);
		return;
	}
	master_service_note_loaded(service, image);
	swap_wishes_tell_stage(&service->swap.served, service, "examined");
	swap_steps_forward(service, image);
}

static void
swap_on_examined(const struct plugin_result *result, void *arg)
{
	struct master_service *service = arg;
	char *reason;

	service->step = SERVICE_STEP_NONE;
	service->examine_took_ns = clock_monotonic_ns() - service->step_ns;
	config_unref(service->examined);
	service->examined = NULL;
	if (result->image != NULL && result->complaints->count == 0) {
		swap_to_image(service, result->image);
		return;
	}
	reason = service_refusal_text(result);
	swap_note_failure(service, EVENT_REFUSED, "what ran before goes on: %s", reason);
	swap_wishes_answer(&service->swap.served, service, SWAP_REFUSED, reason);
	free(reason);
	service_go_on(service);
}

void
swap_steps_examine(struct master_service *service)
{
	service->step = SERVICE_STEP_EXAMINE;
	service->step_ns = clock_monotonic_ns();
	/* What it is examined with may be replaced meanwhile. */
	service->examined = config_ref(service->source);
	plugin_examination_begin(supervisor_examination(service->supervisor), &service->config, 1,
		swap_on_examined, service);
}
