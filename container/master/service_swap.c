/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_swap.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/code.h"
#include "base/list.h"
#include "base/log.h"
#include "master/plugin_examination.h"
#include "master/service_change.h"
#include "master/service_steps.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* How often the failures are looked at: so many times in a probation, within these bounds. */
enum { PROBATION_LOOKS = 50 };
static const int64_t probation_look_min_ns = 20 * (int64_t)CLOCK_NS_PER_MS;
static const int64_t probation_look_max_ns = CLOCK_NS_PER_S;

struct swap_ask {
	struct list link;
	struct swap_wish wish;
};

static void swap_forget(struct master_service *service, const char *message);
static void swap_send(struct master_service *service);

const char *
swap_outcome_name(enum swap_outcome outcome)
{
	static const char *const names[] = {
		[SWAP_SWAPPED] = "swapped",
		[SWAP_SAME] = "same",
		[SWAP_STARTED] = "started",
		[SWAP_REFUSED] = "",
		[SWAP_FAILED] = "",
		[SWAP_ROLLED_BACK] = "",
	};

	return names[outcome];
}

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

/* --- who waits ----------------------------------------------------------------------------- */

static void
swap_ask_add(struct list *list, const struct swap_wish *wish)
{
	struct swap_ask *ask = xcalloc(1, sizeof(*ask));

	ask->wish = *wish;
	list_push_back(list, &ask->link);
}

static void
swap_ask_answer(struct master_service *service, struct swap_ask *ask, enum swap_outcome outcome,
	const char *message)
{
	struct swap_wish wish = ask->wish;

	list_remove(&ask->link);
	free(ask);
	if (wish.done != NULL)
		wish.done(service, outcome, message != NULL ? message : "", wish.arg);
}

static void
swap_answer(struct master_service *service, struct list *list, enum swap_outcome outcome,
	const char *message)
{
	struct list answered;
	struct list *link;

	list_init(&answered);
	list_splice_back(&answered, list);
	while ((link = list_first(&answered)) != NULL)
		swap_ask_answer(service, container_of(link, struct swap_ask, link), outcome, message);
}

static void
swap_tell_stage(struct master_service *service, const char *stage)
{
	list_for_each(pos, &service->swap.served) {
		const struct swap_wish *wish = &container_of(pos, struct swap_ask, link)->wish;

		if (wish->stage != NULL)
			wish->stage(service, stage, wish->arg);
	}
}

void
service_swap_on_stage(struct master_service *service, int64_t generation, const char *stage)
{
	if (service->swap.image == NULL || service->swap.image->generation != generation)
		return;
	service->swap.started = true;
	swap_tell_stage(service, stage);
}

/* --- the images ------------------------------------------------------------------------------ */

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
}

/* The former one becomes the present one; what that was is kept in its place, or was no good. */
static void
swap_go_back(struct master_service *service, bool keep)
{
	struct plugin_image *left = service->image;

	service->image = service->former;
	service->former = keep ? left : NULL;
	if (!keep)
		plugin_image_unref(left);
	service->generation_wall_ns = 0;
}

static void
swap_drop_image(struct master_service *service)
{
	plugin_image_unref(service->swap.image);
	service->swap.image = NULL;
}

/* --- the probation ------------------------------------------------------------------------- */

static bool
swap_on_probation(const struct master_service *service)
{
	return service->swap.probation.until_ns != 0;
}

void
service_swap_count_anew(struct master_service *service)
{
	if (service->generation_wall_ns != 0)
		return;
	service->generation_wall_ns = clock_wall_ns();
	service->swap.base = master_service_ended(service, supervisor_page(service->supervisor));
}

static void
swap_set_timer(struct master_service *service)
{
	int64_t look_ns = service->config->probation_ns / PROBATION_LOOKS;
	int64_t left_ns = service->swap.probation.until_ns - clock_monotonic_ns();
	struct timeval delay;

	if (look_ns > probation_look_max_ns)
		look_ns = probation_look_max_ns;
	if (look_ns > left_ns)
		look_ns = left_ns;
	if (look_ns < probation_look_min_ns)
		look_ns = probation_look_min_ns;
	delay = (struct timeval){.tv_sec = look_ns / CLOCK_NS_PER_S,
		.tv_usec = look_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};
	event_add(service->swap.timer, &delay);
}

/* before: what had been counted when the code that was replaced came to serve. */
static void
swap_begin_probation(struct master_service *service, const struct probation_counts *before)
{
	struct probation *probation = &service->swap.probation;
	char subject[CONFIG_NAME_MAX + 16], span[CLOCK_TEXT_SIZE];

	probation->before = probation_since(before, &service->swap.base);
	probation->base = service->swap.base;
	probation->until_ns = clock_monotonic_ns() + service->config->probation_ns;
	swap_set_timer(service);
	log_info(swap_subject(service, subject), "generation %" PRId64 " is on probation for %s",
		service->image->generation,
		clock_format_duration(span, sizeof(span), service->config->probation_ns));
}

static void
swap_end_probation(struct master_service *service)
{
	service->swap.probation.until_ns = 0;
	event_del(service->swap.timer);
}

static void
swap_on_told(const struct cell_reply *reply, void *arg)
{
	(void)reply;
	(void)arg;
}

/* What the cell has kept is not needed any more. */
static void
swap_retire(struct master_service *service)
{
	struct cell_process *cell = supervisor_ready_cell(service->supervisor);
	struct cell_stop stop = {.service = service->config->name,
		.drain_timeout_ns = service->config->drain_timeout_ns};

	if (cell != NULL)
		cell_process_call(cell, CELL_RETIRE, cell_stop_to_json(&stop), -1, 0, swap_on_told, service);
}

static void
swap_pass(struct master_service *service)
{
	swap_end_probation(service);
	master_service_note(service, EVENT_PROMOTED, "generation %" PRId64 " has passed its probation",
		service->image->generation);
	swap_retire(service);
	swap_answer(service, &service->swap.patient, SWAP_SWAPPED, NULL);
}

/* --- back ------------------------------------------------------------------------------------ */

/* What runs is no good: it is left for the former code, whatever the way. */
static void
swap_condemn(struct master_service *service, const char *reason)
{
	const struct code *code;
	int length = (int)code_split(reason, &code);

	swap_end_probation(service);
	service->by = (struct event_by){0};
	swap_note_failure(service, EVENT_ROLLED_BACK, "generation %" PRId64 " (%s) is rolled back to generation %"
		PRId64 " (%s): %.*s [swap-failed]", service->image->generation, service->image->version,
		service->former->generation, service->former->version, length, reason);
	free(service->swap.failure);
	service->swap.failure = xasprintf("rolled back to generation %" PRId64 " (%s): %.*s",
		service->former->generation, service->former->version, length, reason);
	list_splice_back(&service->swap.served, &service->swap.patient);
}

/* Tells the cell to go back to the former code. */
static void
swap_begin_back(struct master_service *service)
{
	service->swap.image = plugin_image_ref(service->former);
	service->swap.back = true;
	swap_send(service);
}

static void
swap_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct master_service *service = arg;
	struct probation *probation = &service->swap.probation;
	struct probation_counts now = master_service_ended(service, supervisor_page(service->supervisor));
	char reason[200];

	(void)fd;
	(void)what;
	if (!swap_on_probation(service))
		return;
	now = probation_since(&probation->base, &now);
	/* Something else is under way: it is judged when that is over. */
	if (service->step != SERVICE_STEP_NONE || service->state != SERVICE_READY) {
		swap_set_timer(service);
	} else if (probation_is_worse(&probation->before, &now)) {
		snprintf(reason, sizeof(reason), "on probation, %" PRIu64 " of its %" PRIu64 " requests failed, "
			"of those before %" PRIu64 " of %" PRIu64, now.failed, now.ended,
			probation->before.failed, probation->before.ended);
		swap_condemn(service, reason);
		swap_begin_back(service);
	} else if (clock_monotonic_ns() >= probation->until_ns) {
		swap_pass(service);
	} else {
		swap_set_timer(service);
	}
}

/* It was on its way to the former code, and what it leaves runs no more: that is started. */
static void
swap_goes_back_anyway(struct master_service *service)
{
	swap_drop_image(service);
	swap_go_back(service, service->swap.failure == NULL);
	swap_end_probation(service);
	swap_answer(service, &service->swap.patient, SWAP_ROLLED_BACK, "it was rolled back by hand");
}

/* It was being swapped. True: as for service_swap_failed(). */
static bool
swap_failed_under_way(struct master_service *service, bool blamed, const char *reason)
{
	int64_t generation = service->swap.image->generation;

	if (service->swap.back) {
		swap_goes_back_anyway(service);
		return true;
	}
	/* A probation goes on: what is on it runs, or is started again. */
	swap_drop_image(service);
	if (!blamed) {
		swap_note_failure(service, EVENT_REFUSED, "generation %" PRId64 " is not swapped to: its cell ended "
			"meanwhile", generation);
		swap_answer(service, &service->swap.served, SWAP_FAILED, "its cell ended meanwhile, and it was not "
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

bool
service_swap_failed(struct master_service *service, bool blamed, const char *reason)
{
	char text[400];

	if (service->swap.image != NULL)
		return swap_failed_under_way(service, blamed, reason);
	if (!swap_on_probation(service) || !blamed || service->former == NULL)
		return false;
	snprintf(text, sizeof(text), "on probation, it %s", reason);
	swap_condemn(service, text);
	swap_go_back(service, false);
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
		master_service_note_image(service, back ? EVENT_ROLLED_BACK : EVENT_SWAPPED, service->swap.image,
			service->start_took_ns, text);
	free(text);
}

/* The new one serves. */
static void
swap_has_flipped(struct master_service *service)
{
	const struct probation_counts before = service->swap.base;
	bool condemned = service->swap.failure != NULL;
	bool back = service->swap.back;
	struct plugin_image *left = service->image;

	swap_note_flip(service, left, back, condemned);
	swap_end_probation(service);
	if (back) {
		swap_drop_image(service);
		swap_go_back(service, !condemned);
		/* It has the settings that it was kept with. */
		service_change_renew(service);
	} else {
		plugin_image_unref(service->former);
		service->former = left;
		service->image = service->swap.image;
		service->swap.image = NULL;
		service->generation_wall_ns = 0;
	}
	service->swap.back = false;
	service_swap_count_anew(service);
	/* Those of the probation before: what they waited for has been replaced. */
	swap_answer(service, &service->swap.patient, back ? SWAP_ROLLED_BACK : SWAP_SWAPPED,
		back ? "it was rolled back by hand" : NULL);
	if (!back && service->config->probation_ns > 0)
		swap_begin_probation(service, &before);
	list_for_each_safe(pos, &service->swap.served) {
		struct swap_ask *ask = container_of(pos, struct swap_ask, link);

		if (condemned)
			continue;
		if (ask->wish.through_probation && swap_on_probation(service)) {
			list_remove(&ask->link);
			list_push_back(&service->swap.patient, &ask->link);
		} else {
			swap_ask_answer(service, ask, SWAP_SWAPPED, NULL);
		}
	}
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

	if (service->swap.back)
		outcome = SWAP_FAILED;
	swap_note_failure(service, outcome == SWAP_ROLLED_BACK ? EVENT_ROLLED_BACK : EVENT_REFUSED,
		"generation %" PRId64 " (%s) could not be swapped to, generation %" PRId64 " goes on: %.*s "
		"[swap-failed]", service->swap.image->generation, service->swap.image->version,
		service->image->generation, (int)code_split(reply->message, &code), reply->message);
	swap_drop_image(service);
	free(service->swap.failure);
	service->swap.failure = NULL;
	service->swap.back = false;
	swap_answer(service, &service->swap.served, outcome, text);
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
		hanging = supervisor_find_in_init(service->supervisor);
		supervisor_end_hang(service->supervisor, hanging != NULL ? hanging : service,
			"hung in the swap to generation %" PRId64, service->swap.image->generation);
		return;
	case CELL_REPLY_DONE:
		service->step = SERVICE_STEP_NONE;
		swap_has_flipped(service);
		break;
	case CELL_REPLY_FAILED:
		service->step = SERVICE_STEP_NONE;
		/* It may have failed before the cell heard of it. */
		if (service->swap.back && service->state == SERVICE_STARTING)
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
	bool keep = config->probation_ns > 0 && !service->swap.back;

	service->step = SERVICE_STEP_SWAP;
	service->swap.started = false;
	/* Its end is on the way, and settles it. */
	if (supervisor_ready_cell(service->supervisor) == NULL)
		return;
	/* Init, and the state that leaves the one and enters the other. */
	if (!service_call_with_image(service, CELL_SWAP, service->swap.image, keep,
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

static void
swap_send(struct master_service *service)
{
	struct cell_process *cell = supervisor_ready_cell(service->supervisor);
	struct cell_stop stop = {.service = service->config->name,
		.drain_timeout_ns = service->config->drain_timeout_ns};

	service->step_ns = clock_monotonic_ns();
	if (!service->swap.back) {
		swap_send_image(service);
		return;
	}
	service->step = SERVICE_STEP_SWAP;
	if (cell != NULL)
		cell_process_call(cell, CELL_REVERT, cell_stop_to_json(&stop), -1,
			supervisor_limits(service->supervisor)->grace_ns, swap_on_reverted, service);
}

/* --- the file --------------------------------------------------------------------------------- */

static void
swap_forward(struct master_service *service, struct plugin_image *image)
{
	service->swap.image = plugin_image_ref(image);
	service->swap.back = false;
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
	if (service->state != SERVICE_READY || supervisor_ready_cell(service->supervisor) == NULL) {
		swap_start_image(service, image);
		return;
	}
	if (!service->wanted) {
		service_settle(service);
		return;
	}
	if (strcmp(image->image.source_sha256, service->image->image.source_sha256) == 0) {
		swap_answer(service, &service->swap.served, SWAP_SAME, NULL);
		service_settle(service);
		return;
	}
	master_service_note_loaded(service, image);
	swap_tell_stage(service, "examined");
	swap_forward(service, image);
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
	swap_answer(service, &service->swap.served, SWAP_REFUSED, reason);
	free(reason);
	service_go_on(service);
}

/* --- wishes ------------------------------------------------------------------------------------ */

/* The events of what is done now name the first who asked. */
static void
swap_note_asker(struct master_service *service)
{
	service->by = container_of(list_first(&service->swap.served), struct swap_ask, link)->wish.by;
}

/* The next one, if anybody asked for it. */
static void
swap_begin(struct master_service *service)
{
	if (list_empty(&service->swap.asked) || service->step != SERVICE_STEP_NONE ||
	    service->state != SERVICE_READY || !service->wanted ||
	    supervisor_replaces_cell(service->supervisor))
		return;
	list_splice_back(&service->swap.served, &service->swap.asked);
	swap_note_asker(service);
	service->step = SERVICE_STEP_EXAMINE;
	service->step_ns = clock_monotonic_ns();
	/* What it is examined with may be replaced meanwhile. */
	service->examined = config_ref(service->source);
	plugin_examination_begin(supervisor_examination(service->supervisor), &service->config, 1,
		swap_on_examined, service);
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
swap_refuse(struct master_service *service, const struct swap_wish *wish, const char *why)
{
	const struct event_by before = service->by;

	service->by = wish->by;
	master_service_note(service, EVENT_REFUSED, "%s", why);
	service->by = before;
	if (wish->done != NULL)
		wish->done(service, SWAP_FAILED, why, wish->arg);
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
		swap_refuse(service, wish, "it is stopped; bayctl start starts it with the plugin file as it is now [swap-refused]");
		return;
	}
	swap_ask_add(&service->swap.asked, wish);
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
	swap_ask_add(&service->swap.served, wish);
	swap_note_asker(service);
	swap_forward(service, image);
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
	if (service->former == NULL) {
		swap_refuse(service, wish, "there is no former generation to return to [swap-refused]");
	} else if (swap_is_down(service)) {
		swap_refuse(service, wish, "it is stopped; bayctl start starts it with the plugin file as it is now [swap-refused]");
	} else if (service->step != SERVICE_STEP_NONE ||
	    (service->state != SERVICE_READY && service->state != SERVICE_FAILED)) {
		swap_refuse(service, wish, "something else is under way for it: try again when that has ended [busy]");
	} else {
		swap_ask_add(&service->swap.served, wish);
		swap_note_asker(service);
		if (service->state == SERVICE_FAILED)
			swap_start_former(service);
		else
			swap_begin_back(service);
	}
}

void
service_swap_was_refused(struct master_service *service, const char *reason)
{
	swap_answer(service, &service->swap.served, SWAP_REFUSED, reason);
}

void
service_swap_settled(struct master_service *service)
{
	char *failure = service->swap.failure;

	service->swap.failure = NULL;
	service->swap.back = false;
	if (service->state == SERVICE_READY && failure != NULL)
		swap_answer(service, &service->swap.served, SWAP_ROLLED_BACK, failure);
	else if (service->state == SERVICE_READY)
		swap_answer(service, &service->swap.served, SWAP_STARTED, NULL);
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
	list_init(&service->swap.patient);
	service->swap.timer = evtimer_new(supervisor_base(service->supervisor), swap_on_timer, service);
}

void
service_swap_leave(struct master_service *service)
{
	swap_end_probation(service);
	swap_answer(service, &service->swap.patient, SWAP_FAILED, "it was stopped on its probation");
}

/* Nobody gets what he waits for. */
static void
swap_forget(struct master_service *service, const char *message)
{
	swap_end_probation(service);
	free(service->swap.failure);
	service->swap.failure = NULL;
	swap_answer(service, &service->swap.patient, SWAP_FAILED, message);
	swap_answer(service, &service->swap.served, SWAP_FAILED, message);
	swap_answer(service, &service->swap.asked, SWAP_FAILED, message);
}

void
service_swap_finish(struct master_service *service, const char *message)
{
	swap_forget(service, message);
	swap_drop_image(service);
	plugin_image_unref(service->former);
	service->former = NULL;
	master_service_forget_lingering(service);
	event_free(service->swap.timer);
}
