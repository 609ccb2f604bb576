/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/master_cell.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/code.h"
#include "base/log.h"
#include "base/obituary.h"
#include "base/text.h"
#include "master/cell_keeper.h"
#include "master/cell_limits.h"
#include "master/cell_notices.h"
#include "master/cell_replacement.h"
#include "master/cell_section.h"
#include "master/circle_watch.h"
#include "master/crash_reports.h"
#include "master/event_log.h"
#include "master/link_broker.h"
#include "master/service_absence.h"
#include "master/service_control.h"
#include "master/service_swap.h"
#include "master/service_table.h"
#include "master/supervisor.h"
#include "master/topic_board.h"
#include "protocol/cell_link.h"

enum { MASTER_CELL_MIB = 1 << 20 };

struct master_cell {
	struct supervisor *supervisor;
	const struct config *config;
	char *name;
	struct cell_options container; /* what [container] says */
	struct cell_options options;   /* and what its section makes of that */
	struct cell_keeper *keeper;
	struct cell_replacement *replacement;
	struct cell_limits *limits;
	char *excess; /* what it was killed for having; or NULL */
	uint32_t hung_slot; /* whose hang the process was killed for, or STATUS_NO_SLOT */
	char hang[160];
	uint32_t hung_loop; /* which loop did, or UINT32_MAX */
	bool reported;      /* the present process has crashed, and there is a report of it */
	bool blamed;  /* it is known who ended the last process */
	const struct master_service *suspect; /* of the last process, while its end is told; or NULL */
	bool leaving; /* it was told to end, since nobody is in it */
	bool ending;  /* its end is being told, and what follows is still to be decided */
};

static bool
master_cell_is_main(const struct master_cell *cell)
{
	return strcmp(cell->name, CONFIG_CELL_MAIN) == 0;
}

/* Whether a service belongs to it, wanted or not. */
static bool
master_cell_is_owned(const struct master_cell *cell)
{
	for (size_t i = 0; i < supervisor_count(cell->supervisor); i++) {
		if (supervisor_service(cell->supervisor, i)->cell == cell)
			return true;
	}
	return master_cell_is_main(cell);
}

bool
master_cell_is_needed(const struct master_cell *cell)
{
	for (size_t i = 0; i < supervisor_count(cell->supervisor); i++) {
		const struct master_service *service = supervisor_service(cell->supervisor, i);

		if (service->cell == cell && service->wanted)
			return true;
	}
	return master_cell_is_main(cell);
}

bool
master_cell_is_there(const struct master_cell *cell)
{
	return master_cell_is_owned(cell) || cell_keeper_process(cell->keeper) != NULL;
}

/* --- its services ---------------------------------------------------------------------- */

/* Whether what this slot counts is in this cell. */
static bool
master_cell_has_slot(const struct master_cell *cell, uint32_t slot)
{
	const struct master_service *service = supervisor_by_slot(cell->supervisor, slot);

	return service != NULL && service->cell == cell;
}

static void
master_cell_on_ready(void *arg)
{
	struct master_cell *cell = arg;
	struct supervisor *supervisor = cell->supervisor;

	cell_limits_begin(cell->limits, cell_process_pid(cell_keeper_process(cell->keeper)),
		cell_process_group(cell_keeper_process(cell->keeper)));
	link_broker_cell_ready(supervisor_broker(supervisor), cell);
	topic_board_cell_ready(supervisor_topics(supervisor), cell);
	/* All of them first: the init of one may call another. */
	for (size_t i = 0; i < supervisor_count(supervisor); i++) {
		service_tell_cell(supervisor_service(supervisor, i), cell);
		service_guard_tell_cell(supervisor_service(supervisor, i), cell);
	}
	for (size_t i = 0; i < supervisor_count(supervisor); i++) {
		struct master_service *service = supervisor_service(supervisor, i);

		if (service->cell == cell)
			service_control_cell_ready(service);
	}
	supervisor_settled(supervisor);
}

/* --- its end --------------------------------------------------------------------------- */

/* Why the process ended, in words; the caller's. */
static char *
master_cell_end_words(const struct master_cell *cell, const struct obituary *obituary)
{
	const struct master_service *culprit = supervisor_by_slot(cell->supervisor, obituary->culprit);

	if (cell->excess != NULL)
		return xasprintf("was killed, because %s", cell->excess);
	if (cell->hung_slot != STATUS_NO_SLOT)
		return xasprintf("was killed, because it hung in service %s: %s",
			supervisor_by_slot(cell->supervisor, cell->hung_slot)->config->name, cell->hang);
	if (culprit != NULL)
		return xasprintf("%s in %sservice %s%s", obituary->how,
			obituary->in_load ? "loading " : obituary->in_init ? "init of " : "",
			culprit->config->name, obituary->where);
	return xasprintf("%s%s", obituary->how, obituary->where);
}

/* The same with its code, unless it was meant to end. */
static char *
master_cell_end_text(const struct master_cell *cell, const struct obituary *obituary)
{
	char *words = master_cell_end_words(cell, obituary);

	if (supervisor_is_stopping(cell->supervisor) || cell->leaving)
		return words;
	return code_text(words, cell->excess != NULL ? "cell-limit" :
		cell->hung_slot != STATUS_NO_SLOT ? "cell-hang" : obituary->code);
}

/* Keeps what is left of a process that crashed. */
static void
master_cell_report(struct master_cell *cell, const struct status_page *page,
	const struct obituary *obituary, int status, const char *text)
{
	bool hung = cell->hung_slot != STATUS_NO_SLOT;
	const struct master_service *culprit = supervisor_by_slot(cell->supervisor,
		hung ? cell->hung_slot : obituary->culprit);
	const struct crash_facts facts = {.cell = cell->name, .pid = cell_keeper_pid(cell->keeper),
		.page = page, .obituary = obituary, .status = status, .service = culprit,
		.hang = hung ? cell->hang : NULL, .hung_loop = cell->hung_loop, .text = text};
	uint64_t number = crash_reports_add(supervisor_crash_reports(cell->supervisor), &facts);

	cell->reported = true;
	if (number > 0)
		log_info(cell_keeper_subject(cell->keeper), "bayctl crash %" PRIu64 " tells more of that", number);
}

/* It tells so before it ends, which a core may delay for long. */
static void
master_cell_on_crashed(void *arg)
{
	struct master_cell *cell = arg;
	const struct status_page *page = master_cell_page(cell);
	struct status_crash_view crash;
	struct obituary obituary;
	char *words;

	if (page == NULL || cell->reported || cell->hung_slot != STATUS_NO_SLOT ||
	    !status_page_read_crash(page, &crash))
		return;
	obituary_write(&obituary, page, crash.signal);
	words = master_cell_end_words(cell, &obituary);
	log_debug(cell_keeper_subject(cell->keeper), "ends: it %s", words);
	master_cell_report(cell, page, &obituary, crash.signal, words);
	free(words);
}

/* By a signal that no code can be blamed for, and not by us for what its code did. */
static bool
master_cell_was_killed(const struct master_cell *cell, int status)
{
	return status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && cell->excess == NULL &&
		!cell_keeper_has_given_up(cell->keeper);
}

/* What has come last is the first to suspect. If that is wrong, the one before it is the next. */
static const struct master_service *
master_cell_find_suspect(const struct master_cell *cell, int status)
{
	const struct master_service *suspect = NULL;
	const struct master_service *service;
	int64_t newest_ns = 0;

	if (cell->blamed || master_cell_was_killed(cell, status))
		return NULL;
	for (uint32_t i = 0; (service = supervisor_by_slot(cell->supervisor, i)) != NULL; i++) {
		int64_t trial_ns = service->cell == cell && !service->gone ? service_swap_trial_ns(service) : 0;

		if (trial_ns <= newest_ns)
			continue;
		newest_ns = trial_ns;
		suspect = service;
	}
	return suspect;
}

static void
master_cell_tell_services(struct master_cell *cell, const struct obituary *obituary,
	const struct status_page *page)
{
	struct master_service *service;

	/* Also those that the configuration has no more, or that have moved: this cell had them. */
	for (uint32_t i = 0; (service = supervisor_by_slot(cell->supervisor, i)) != NULL; i++)
		master_service_fold(service, page);
	for (uint32_t i = 0; (service = supervisor_by_slot(cell->supervisor, i)) != NULL; i++) {
		master_service_forget_lingering(service, cell);
		if (service->cell == cell)
			service_control_cell_ended(service, obituary,
				cell->hung_slot == i ? cell->hang : NULL);
	}
}

static void
master_cell_on_hindered(const char *why, void *arg)
{
	const struct master_cell *cell = arg;

	event_log_add(supervisor_events(cell->supervisor), EVENT_TROUBLE, &(struct event_facts){0}, "%s", why);
}

static char *
master_cell_on_ended(const struct status_page *page, int status, void *arg)
{
	struct master_cell *cell = arg;
	const char *subject = cell_keeper_subject(cell->keeper);
	bool stopping = supervisor_is_stopping(cell->supervisor);
	bool meant = stopping || cell->leaving || (cell_replacement_is_under_way(cell->replacement) && status == 0);
	struct status_crash_view crash;
	struct obituary obituary;
	char what[128];
	char *text;
	char *why;

	supervisor_tell_cell_ended(cell->supervisor, cell, page, cell->hung_slot);
	/* At once: who waits for it is told by that. */
	link_broker_cell_ended(supervisor_broker(cell->supervisor), cell);
	circle_watch_note(supervisor_circles(cell->supervisor), cell, false);
	topic_board_cell_ended(supervisor_topics(cell->supervisor), cell);
	if (!meant && cell->hung_slot == STATUS_NO_SLOT && master_cell_was_killed(cell, status) &&
	    cell_limits_was_ended(cell->limits, what, sizeof(what)))
		cell->excess = xstrdup(what);
	obituary_write(&obituary, page, status);
	if (stopping && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		service_table_log_unfinished(supervisor_table(cell->supervisor), page);
	text = master_cell_end_text(cell, &obituary);
	log_at(meant ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, subject, "%s", text);
	if (!meant)
		event_log_add(supervisor_events(cell->supervisor), EVENT_CRASHED, &(struct event_facts){0},
			"%s %s", subject, text);
	if (!cell->reported && (!meant || status_page_read_crash(page, &crash))) {
		char *words = master_cell_end_words(cell, &obituary);

		master_cell_report(cell, page, &obituary, status, words);
		free(words);
	}
	cell->reported = false;
	cell->blamed = cell->hung_slot != STATUS_NO_SLOT || meant ||
		master_cell_has_slot(cell, obituary.culprit);
	cell_replacement_is_over(cell->replacement);
	cell->ending = true;
	cell->suspect = master_cell_find_suspect(cell, status);
	master_cell_tell_services(cell, &obituary, page);
	cell->suspect = NULL;
	cell->hung_slot = STATUS_NO_SLOT;
	cell_limits_end(cell->limits);
	free(cell->excess);
	cell->excess = NULL;
	why = xasprintf("%s %s", subject, text);
	free(text);
	return why;
}

/* It has never been ready, for this reason. */
static void
master_cell_fail_services(struct master_cell *cell, const char *why)
{
	struct master_service *service;

	for (uint32_t i = 0; (service = supervisor_by_slot(cell->supervisor, i)) != NULL; i++) {
		if (service->cell == cell && !service->gone)
			service_control_cell_failed(service, why);
	}
}

/* Who is put back to where it was need not wait for the next process. */
static void
master_cell_release_services(struct master_cell *cell)
{
	struct master_service *service;

	for (uint32_t i = 0; (service = supervisor_by_slot(cell->supervisor, i)) != NULL; i++) {
		if (service->cell == cell && !service->gone &&
		    !supervisor_is_in_place(service, service->config))
			service_control_cell_ready(service);
	}
}

/* Where nobody is to blame, it waits as the most impatient of its services would. */
static void
master_cell_set_patience(struct master_cell *cell)
{
	int64_t first_ns = INT64_MAX, most_ns = INT64_MAX;
	const struct master_service *service;

	for (uint32_t i = 0; (service = supervisor_by_slot(cell->supervisor, i)) != NULL; i++) {
		const struct config_span *delay = &service->config->restart_delay;

		if (service->cell != cell || service->gone || !service->wanted)
			continue;
		first_ns = delay->first_ns < first_ns ? delay->first_ns : first_ns;
		most_ns = delay->last_ns < most_ns ? delay->last_ns : most_ns;
	}
	cell_keeper_set_patience(cell->keeper, first_ns, most_ns);
}

/* When a service was to blame, that one waits or stays down, and the others need not. */
static void
master_cell_on_gone(const char *why, void *arg)
{
	struct master_cell *cell = arg;
	struct supervisor *supervisor = cell->supervisor;
	bool stays_away = !cell_keeper_was_ready(cell->keeper) && !cell->leaving;

	cell->leaving = false;
	if (!supervisor_is_stopping(supervisor) && stays_away && supervisor_is_booting(supervisor)) {
		supervisor_cannot_start(supervisor, why);
		return;
	}
	if (stays_away)
		master_cell_fail_services(cell, why);
	cell->ending = false;
	master_cell_release_services(cell);
	if (supervisor_is_stopping(supervisor)) {
		supervisor_cell_stopped(supervisor);
	} else if (master_cell_is_needed(cell)) {
		master_cell_set_patience(cell);
		cell_keeper_start_later(cell->keeper, cell->blamed);
	}
}

void
master_cell_reap(struct master_cell *cell)
{
	cell_keeper_reap(cell->keeper);
}

/* The loop that runs its code and does not come round; UINT32_MAX: none does. */
static uint32_t
master_cell_find_hung_loop(const struct master_cell *cell, uint32_t slot)
{
	const struct status_page *page = master_cell_page(cell);
	struct status_loop_view view;
	int64_t held_ns;

	for (uint32_t loop = 0; loop < page->loops; loop++)
		if (status_page_loop_is_silent(page, loop, &view, &held_ns) && view.slot == slot)
			return loop;
	return UINT32_MAX;
}

void
master_cell_end_hang(struct master_cell *cell, struct master_service *service,
	const char *format, ...)
{
	va_list args;

	if (master_cell_process(cell) == NULL || cell->hung_slot != STATUS_NO_SLOT)
		return;
	cell->hung_slot = service->slot;
	cell->hung_loop = master_cell_find_hung_loop(cell, service->slot);
	va_start(args, format);
	vsnprintf(cell->hang, sizeof(cell->hang), format, args);
	va_end(args);
	cell_keeper_kill(cell->keeper);
}

/* --- its limits ----------------------------------------------------------------------- */

/* Appends which service has most of the memory, as far as it is known. */
static void
master_cell_append_biggest(const struct master_cell *cell, struct buffer *text)
{
	const struct status_page *page = master_cell_page(cell);
	const struct master_service *biggest = NULL;
	struct status_service_view view;
	uint64_t bytes = 0;
	char size[32];

	for (size_t i = 0; i < supervisor_count(cell->supervisor) && page != NULL; i++) {
		const struct master_service *service = supervisor_service(cell->supervisor, i);

		if (service->cell != cell)
			continue;
		status_page_read_service(page, service->slot, &view);
		if (view.memory_bytes > bytes) {
			biggest = service;
			bytes = view.memory_bytes;
		}
	}
	if (bytes >= MASTER_CELL_MIB)
		(void)!buffer_printf(text, ", of which service %s has %s", biggest->config->name,
			text_format_size(size, sizeof(size), bytes - bytes % MASTER_CELL_MIB));
}

/* More than the limit: the next process takes over, and no request fails. Far more: at once. */
static void
master_cell_on_over(const char *what, bool memory, bool far, void *arg)
{
	struct master_cell *cell = arg;
	const char *subject = cell_keeper_subject(cell->keeper);
	struct buffer text = {0};

	if (supervisor_is_stopping(cell->supervisor) || cell->leaving || cell->excess != NULL)
		return;
	/* Whatever else it says, it is replaced once. */
	if (!far && cell_replacement_is_demanded(cell->replacement))
		return;
	if (!buffer_append_text(&text, what))
		return;
	if (memory)
		master_cell_append_biggest(cell, &text);
	event_log_add(supervisor_events(cell->supervisor), EVENT_LIMIT, &(struct event_facts){0},
		"%s: %s: it is %s [cell-limit]", subject, buffer_text(&text), far ? "killed" : "replaced");
	if (far) {
		cell->excess = xstrdup(buffer_text(&text));
		cell_keeper_kill(cell->keeper);
	} else {
		cell_replacement_demand(cell->replacement, buffer_text(&text));
	}
	buffer_finish(&text);
}

void
master_cell_consider_replacement(struct master_cell *cell)
{
	if (!supervisor_is_stopping(cell->supervisor))
		cell_replacement_consider(cell->replacement);
}

void
master_cell_renew(struct master_cell *cell, const char *why)
{
	master_cell_on_over(why, false, false, cell);
}

/* --- start and stop -------------------------------------------------------------------- */

bool
master_cell_start(struct master_cell *cell, struct buffer *error)
{
	return cell_keeper_start(cell->keeper, error);
}

void
master_cell_need(struct master_cell *cell)
{
	const struct supervisor *supervisor = cell->supervisor;

	/* One that ends is followed by another. */
	if (supervisor_has_started(supervisor) && !supervisor_is_stopping(supervisor) && !cell->ending)
		cell_keeper_demand(cell->keeper);
}

void
master_cell_leave(struct master_cell *cell)
{
	enum cell_state state = cell_keeper_state(cell->keeper);

	if (master_cell_is_owned(cell) || supervisor_is_stopping(cell->supervisor))
		return;
	cell_keeper_give_up(cell->keeper);
	cell_replacement_is_over(cell->replacement);
	if (state == CELL_DOWN || cell->leaving)
		return;
	cell->leaving = true;
	log_info(cell_keeper_subject(cell->keeper), "ends: no service is in it any more");
	if (state == CELL_SETTING_UP)
		cell_keeper_kill(cell->keeper);
	else if (state == CELL_READY)
		cell_keeper_shut_down(cell->keeper, cell->config->container.drain_timeout_ns,
			supervisor_limits(cell->supervisor)->grace_ns);
}

void
master_cell_give_up(struct master_cell *cell, bool kill)
{
	cell_keeper_give_up(cell->keeper);
	cell_replacement_is_over(cell->replacement);
	if (kill || cell_keeper_state(cell->keeper) == CELL_SETTING_UP)
		cell_keeper_kill(cell->keeper);
}

void
master_cell_shut_down(struct master_cell *cell, int64_t drain_ns, int64_t grace_ns)
{
	enum cell_state state = cell_keeper_state(cell->keeper);

	if (state == CELL_READY || state == CELL_STOPPING)
		cell_keeper_shut_down(cell->keeper, drain_ns, grace_ns);
}

static void
master_cell_apply(struct master_cell *cell)
{
	cell->options = cell->container;
	cell_section_apply(cell->config, cell->name, &cell->options);
}

void
master_cell_set_config(struct master_cell *cell, const struct config *config)
{
	struct cell_options before = cell->options;

	cell->config = config;
	master_cell_apply(cell);
	if (!cell_section_equal(&before, &cell->options) && cell_keeper_process(cell->keeper) != NULL)
		cell_replacement_demand(cell->replacement, "its configuration has changed");
	cell_keeper_set_options(cell->keeper, &cell->options);
	cell_limits_set(cell->limits, cell->options.memory_max, cell->options.tasks_max);
	cell_replacement_set_config(cell->replacement, config);
	cell_keeper_set_log_level(cell->keeper, config->container.log_level);
}

/* --- lifecycle --------------------------------------------------------------------------- */

static struct cell_keeper *
master_cell_create_keeper(struct master_cell *cell)
{
	const struct config_container *container = &cell->config->container;
	const struct cell_setup setup = {
		.version_major = CELL_VERSION_MAJOR,
		.version_minor = CELL_VERSION_MINOR,
		.cell = cell->name,
		.loops = cell->options.loops,
		.max_depth = container->max_depth,
		.max_lingering = container->max_lingering,
		.blocking_threads = container->blocking_threads,
		.resolv_conf = container->resolv_conf,
		.log_level = log_level_name(container->log_level),
	};
	const struct cell_keeper_watcher watcher = {.ready = master_cell_on_ready,
		.called = cell_notices_on_call, .notice = cell_notices_on_notice,
		.ended = master_cell_on_ended, .gone = master_cell_on_gone,
		.crashed = master_cell_on_crashed,
		.hindered = master_cell_on_hindered, .arg = cell};

	return cell_keeper_create(supervisor_base(cell->supervisor), &cell->options, &setup,
		supervisor_limits(cell->supervisor), &watcher);
}

struct master_cell *
master_cell_create(struct supervisor *supervisor, const char *name,
	const struct cell_options *options, const struct config *config)
{
	struct master_cell *cell = xcalloc(1, sizeof(*cell));

	cell->supervisor = supervisor;
	cell->config = config;
	cell->name = xstrdup(name);
	cell->hung_slot = STATUS_NO_SLOT;
	cell->container = *options;
	cell->container.name = cell->name;
	/* Others may come, and what nobody touches of a page costs nothing. */
	cell->container.services = STATUS_PAGE_SERVICES_MAX;
	master_cell_apply(cell);
	cell->keeper = master_cell_create_keeper(cell);
	cell->replacement = cell_replacement_create(cell, supervisor, cell->keeper, config);
	cell->limits = cell_limits_create(supervisor_base(supervisor), master_cell_on_over, cell);
	cell_limits_set(cell->limits, cell->options.memory_max, cell->options.tasks_max);
	return cell;
}

void
master_cell_close(struct master_cell *cell)
{
	cell_limits_end(cell->limits);
	cell_keeper_close(cell->keeper);
}

void
master_cell_destroy(struct master_cell *cell)
{
	cell_keeper_destroy(cell->keeper);
	cell_replacement_destroy(cell->replacement);
	cell_limits_destroy(cell->limits);
	free(cell->excess);
	free(cell->name);
	free(cell);
}

/* --- queries ------------------------------------------------------------------------------- */

const struct master_service *
master_cell_suspect(const struct master_cell *cell)
{
	return cell->suspect;
}

struct supervisor *
master_cell_supervisor(const struct master_cell *cell)
{
	return cell->supervisor;
}

const char *
master_cell_name(const struct master_cell *cell)
{
	return cell->name;
}

const char *
master_cell_subject(const struct master_cell *cell)
{
	return cell_keeper_subject(cell->keeper);
}

struct cell_process *
master_cell_process(const struct master_cell *cell)
{
	return cell_keeper_process(cell->keeper);
}

struct cell_process *
master_cell_ready(const struct master_cell *cell)
{
	return cell_keeper_state(cell->keeper) == CELL_READY && !master_cell_is_drained(cell) ?
		cell_keeper_process(cell->keeper) : NULL;
}

struct cell_process *
master_cell_hears(const struct master_cell *cell)
{
	enum cell_state state = cell_keeper_state(cell->keeper);

	return state == CELL_READY || state == CELL_STOPPING ? cell_keeper_process(cell->keeper) : NULL;
}

const struct status_page *
master_cell_page(const struct master_cell *cell)
{
	const struct cell_process *process = cell_keeper_process(cell->keeper);

	return process != NULL ? cell_process_page(process) : NULL;
}

bool
master_cell_is_replaced(const struct master_cell *cell)
{
	return cell_replacement_is_wanted(cell->replacement);
}

bool
master_cell_is_drained(const struct master_cell *cell)
{
	return cell_replacement_is_under_way(cell->replacement);
}

struct master_service *
master_cell_find_in_init(const struct master_cell *cell)
{
	const struct status_page *page = master_cell_page(cell);

	return page != NULL ? service_table_find_in_init(supervisor_table(cell->supervisor), page) : NULL;
}

void
master_cell_view(const struct master_cell *cell, struct master_cell_view *view_r)
{
	static const char *const states[] = {
		[CELL_DOWN] = "failed",
		[CELL_SETTING_UP] = "starting",
		[CELL_READY] = "ready",
		[CELL_STOPPING] = "stopping",
	};
	const struct cell_process *process = cell_keeper_process(cell->keeper);
	bool needed = master_cell_is_needed(cell);

	*view_r = (struct master_cell_view){
		.name = cell->name,
		/* At first its turn is still to come. */
		.state = process == NULL && !needed ? "stopped" :
			states[process == NULL && supervisor_is_booting(cell->supervisor) ?
				CELL_SETTING_UP : cell_keeper_state(cell->keeper)],
		.pid = process != NULL ? cell_process_pid(process) : 0,
		.restarts = cell_keeper_restarts(cell->keeper),
		.loops = cell->options.loops,
		.next_try_ns = cell_keeper_next_try_ns(cell->keeper),
	};
}
