/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/master_service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "master/plugin_examination.h"
#include "master/service_absence.h"
#include "protocol/cell_link.h"

static const char *const service_state_names[] = {
	[SERVICE_STOPPED] = "stopped",
	[SERVICE_STARTING] = "starting",
	[SERVICE_READY] = "ready",
	[SERVICE_STOPPING] = "stopping",
	[SERVICE_FAILED] = "failed",
};

const char *
service_state_name(enum service_state state)
{
	return service_state_names[state];
}

/* --- events ----------------------------------------------------------------------- */

static char *
master_service_format(const char *format, va_list args)
{
	struct buffer text = {0};
	char *formatted = NULL;

	if (buffer_vprintf(&text, format, args) && buffer_text(&text) != NULL)
		formatted = xstrdup(buffer_text(&text));
	buffer_finish(&text);
	return formatted;
}

static void
master_service_note_timed(const struct master_service *service, enum event_kind kind,
	int64_t took_ns, const char *why)
{
	const struct plugin_image *image = service->image;
	const struct event_facts facts = {.service = service->config->name,
		.plugin = service->config->plugin, .generation = image != NULL ? image->generation : 0,
		.took_ns = took_ns, .by = service->by};

	if (why != NULL)
		event_log_add(service->events, kind, &facts, "%s", why);
	else
		event_log_add(service->events, kind, &facts, NULL);
}

void
master_service_note(const struct master_service *service, enum event_kind kind,
	const char *format, ...)
{
	char *why = NULL;
	va_list args;

	if (format != NULL) {
		va_start(args, format);
		why = master_service_format(format, args);
		va_end(args);
	}
	master_service_note_timed(service, kind, 0, why);
	free(why);
}

void
master_service_note_image(const struct master_service *service, enum event_kind kind,
	const struct plugin_image *image, int64_t took_ns, const char *why)
{
	event_log_add(service->events, kind, &(struct event_facts){.service = service->config->name,
		.plugin = service->config->plugin, .generation = image->generation, .took_ns = took_ns,
		.by = service->by}, "%s", why);
}

void
master_service_note_loaded(const struct master_service *service, const struct plugin_image *image)
{
	char *why = xasprintf("%s from %s", image->version, image->source);

	master_service_note_image(service, EVENT_LOADED, image, service->examine_took_ns, why);
	free(why);
}

void
master_service_ask(struct master_service *service, const struct event_by *by, const char *wish)
{
	service->by = *by;
	master_service_note(service, EVENT_ASKED, "%s", wish);
}

/* --- configuration ------------------------------------------------------------------ */

void
master_service_configure(struct master_service *service, struct config *source,
	const struct config_service *config)
{
	const struct config_rate *before = service->config != NULL ? &service->config->start_limit : NULL;
	struct config *old = service->source;

	if (before == NULL || before->count != config->start_limit.count) {
		free(service->failures);
		service->failures = xcalloc((size_t)config->start_limit.count, sizeof(*service->failures));
		service->failure_next = 0;
	}
	service->backoff.first_ns = config->restart_delay.first_ns;
	service->backoff.max_ns = config->restart_delay.last_ns;
	service->backoff.reset_ns = config->start_limit.period_ns;
	service->source = config_ref(source);
	service->config = config;
	config_unref(old);
	/* Other cells have been told of it, and may have to hear something else. */
	if (service->told.cell != NULL)
		service_tell_others(service);
	if (service->guard_told.told)
		service_guard_tell(service);
}

/* --- state ------------------------------------------------------------------------ */

static void
master_service_log_state(const struct master_service *service)
{
	char subject[CONFIG_NAME_MAX + 16];

	snprintf(subject, sizeof(subject), "service %s", service->config->name);
	if (service->state == SERVICE_FAILED)
		log_error(subject, "failed: %s", service->reason != NULL ? service->reason : "?");
	else if (service->reason != NULL)
		log_warn(subject, "%s: %s", service_state_name(service->state), service->reason);
	else if (service->state == SERVICE_READY || service->state == SERVICE_STOPPED)
		log_info(subject, "%s", service_state_name(service->state));
	else
		log_debug(subject, "%s", service_state_name(service->state));
}

static void
master_service_note_state(struct master_service *service)
{
	if (service->state == SERVICE_READY) {
		master_service_note_timed(service, service->again ? EVENT_RESTARTED : EVENT_STARTED,
			service->start_took_ns, NULL);
		service->again = false;
	} else if (service->state == SERVICE_STOPPED) {
		master_service_note(service, EVENT_STOPPED, NULL);
		service->again = service->again && service->wanted;
	}
}

void
master_service_set_state(struct master_service *service, enum service_state state,
	const char *format, ...)
{
	char *old_reason = service->reason;
	bool moves = state != service->state;
	va_list args;

	service->reason = NULL;
	if (format != NULL) {
		va_start(args, format);
		service->reason = master_service_format(format, args);
		va_end(args);
	}
	/* After the format: its arguments may hold the old one. */
	free(old_reason);
	if (moves) {
		service->since_ns = clock_monotonic_ns();
		service->since_wall_ns = clock_wall_ns();
	}
	service->state = state;
	if (moves && state != SERVICE_READY) {
		service_health_forget(service);
		service_faults_forget(service);
	}
	service->waits = service->waits && state == SERVICE_STARTING;
	service->blocked = service->blocked && state == SERVICE_FAILED;
	service->grouped = service->grouped && service->blocked;
	service->given_up = false;
	master_service_log_state(service);
	if (moves)
		master_service_note_state(service);
	if (service->cell != NULL)
		service_tell_others(service);
}

/* --- failures ----------------------------------------------------------------------- */

bool
master_service_fails_too_often(struct master_service *service, int64_t now_ns)
{
	const struct config_rate *limit = &service->config->start_limit;
	size_t count = (size_t)limit->count;
	int64_t oldest_ns;

	/* The ring holds the last count failures; the next place holds the oldest of them. */
	service->failures[service->failure_next] = now_ns;
	service->failure_next = (service->failure_next + 1) % count;
	oldest_ns = service->failures[service->failure_next];
	return oldest_ns != 0 && now_ns - oldest_ns <= limit->period_ns;
}

int64_t
master_service_last_failure(const struct master_service *service)
{
	size_t count = (size_t)service->config->start_limit.count;

	return service->failures[(service->failure_next + count - 1) % count];
}

void
master_service_forgive(struct master_service *service)
{
	memset(service->failures, 0,
		(size_t)service->config->start_limit.count * sizeof(*service->failures));
	backoff_reset(&service->backoff);
}

/* --- counts --------------------------------------------------------------------------- */

static uint64_t
add_up(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void
service_counts_add(struct status_service_view *to, const struct status_service_view *from)
{
	to->calls = add_up(to->calls, from->calls);
	to->direct = add_up(to->direct, from->direct);
	to->queued = add_up(to->queued, from->queued);
	to->served = add_up(to->served, from->served);
	to->failed = add_up(to->failed, from->failed);
	to->timeouts = add_up(to->timeouts, from->timeouts);
	to->canceled = add_up(to->canceled, from->canceled);
	to->failed_replaced = add_up(to->failed_replaced, from->failed_replaced);
	to->dropped = add_up(to->dropped, from->dropped);
	to->rejected = add_up(to->rejected, from->rejected);
	to->topic_lost = add_up(to->topic_lost, from->topic_lost);
	to->cpu_ns = add_up(to->cpu_ns, from->cpu_ns);
	to->breaker_refused = add_up(to->breaker_refused, from->breaker_refused);
	to->breaker_opened = add_up(to->breaker_opened, from->breaker_opened);
	to->retries = add_up(to->retries, from->retries);
	to->retries_refused = add_up(to->retries_refused, from->retries_refused);
	if (from->stack_used > to->stack_used)
		to->stack_used = from->stack_used;
}

void
master_service_fold(struct master_service *service, const struct status_page *page)
{
	struct status_service_view counts;

	status_page_read_service(page, service->slot, &counts);
	service_counts_add(&service->past.counts, &counts);
	service->lost = add_up(counts.in_flight, add_up(counts.queue_length, counts.waiting_senders));
	service->excused = false;
	service_counts_add(&service->past.counts, &(struct status_service_view){
		.failed = service->lost, .calls = counts.waiting_senders});
	status_page_add_histograms(page, service->slot, &service->past.histograms);
}

/* So many that failed speak neither for nor against the code that it has. */
static void
service_disregard(struct master_service *service, uint64_t failed)
{
	struct probation_counts *base = &service->probation.base;

	base->ended = add_up(base->ended, failed);
	base->failed = add_up(base->failed, failed);
}

void
master_service_count_lost_call(struct master_service *service)
{
	if (service->lost > 0) {
		service->lost--;
		return;
	}
	service_counts_add(&service->past.counts, &(struct status_service_view){.calls = 1, .failed = 1});
	if (service->excused)
		service_disregard(service, 1);
}

void
master_service_excuse_lost(struct master_service *service)
{
	service->excused = true;
	service_disregard(service, service->lost);
}

struct probation_counts
master_service_ended(const struct master_service *service, const struct status_page *page)
{
	struct status_service_view counts = {0};
	uint64_t failed;

	if (page != NULL)
		status_page_read_service(page, service->slot, &counts);
	service_counts_add(&counts, &service->past.counts);
	failed = counts.failed > counts.failed_replaced ? counts.failed - counts.failed_replaced : 0;
	return (struct probation_counts){.ended = add_up(counts.served, failed), .failed = failed};
}

/* --- what lingers ------------------------------------------------------------------------ */

void
master_service_note_lingering(struct master_service *service, const struct master_cell *cell,
	const struct cell_lingers *lingers)
{
	const struct event_facts facts = {.service = service->config->name,
		.plugin = service->config->plugin, .generation = lingers->generation};
	bool known = false;
	size_t i = 0;

	while (i < service->lingering_count &&
		(service->lingering[i].cell != cell || service->lingering[i].id != lingers->id))
		i++;
	if (i < service->lingering_count) {
		known = true;
		free(service->lingering[i].reason);
		service->lingering[i] = service->lingering[--service->lingering_count];
	}
	if (lingers->reason != NULL)
		event_log_add(service->events, EVENT_LINGERS, &facts, "%s", lingers->reason);
	else if (known)
		event_log_add(service->events, EVENT_DRAINED, &facts, "it lingered, and has ended after all");
	if (lingers->reason == NULL)
		return;
	service->lingering = xrealloc(service->lingering, service->lingering_count + 1,
		sizeof(*service->lingering));
	service->lingering[service->lingering_count++] = (struct service_lingering){.cell = cell,
		.id = lingers->id, .generation = lingers->generation, .reason = xstrdup(lingers->reason)};
}

void
master_service_forget_lingering(struct master_service *service, const struct master_cell *cell)
{
	size_t kept = 0;

	for (size_t i = 0; i < service->lingering_count; i++) {
		if (cell != NULL && service->lingering[i].cell != cell)
			service->lingering[kept++] = service->lingering[i];
		else
			free(service->lingering[i].reason);
	}
	service->lingering_count = kept;
	if (kept > 0)
		return;
	free(service->lingering);
	service->lingering = NULL;
}

void
master_service_totals(const struct master_service *service, const struct status_page *page,
	struct service_totals *totals_r)
{
	*totals_r = service->past;
	if (page == NULL)
		return;
	status_page_read_service(page, service->slot, &totals_r->counts);
	service_counts_add(&totals_r->counts, &service->past.counts);
	status_page_add_histograms(page, service->slot, &totals_r->histograms);
}

void
master_service_add_page(const struct master_service *service, const struct status_page *page,
	struct service_totals *totals)
{
	struct status_service_view counts;

	if (page == NULL)
		return;
	status_page_read_service(page, service->slot, &counts);
	service_counts_add(&totals->counts, &counts);
	status_page_add_histograms(page, service->slot, &totals->histograms);
}
