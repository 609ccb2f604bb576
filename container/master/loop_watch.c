/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/loop_watch.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/crash_area.h"
#include "base/log.h"
#include "base/status_page.h"
#include "base/text.h"
#include "config/config_data.h"
#include "master/crash_reports.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/supervisor.h"

/* A loop is given up when it has been seen stuck so often: while nobody looked, since bayd and all
 * else were stopped, it could not come round either. */
enum { LOOP_LOOKS_MIN = 4 };

/* How often one looks. */
static const struct timeval loop_watch_period = {.tv_usec = 250 * 1000};

/* One loop that is kept, or was. */
struct loop_hold {
	bool held;
	bool asked;     /* where it is, and has not answered yet */
	uint64_t pass;  /* of the loop, */
	unsigned looks; /* and how often it was seen in that */
	int64_t since_ns;
	char subject[CONFIG_NAME_MAX + 16]; /* "service spin" */
	char task[64];
};

/* The loops of one cell. */
struct loop_holds {
	struct loop_hold loops[STATUS_PAGE_LOOPS_MAX];
};

struct loop_watch {
	const struct master *master;
	struct event *timer;
	struct loop_holds **cells; /* as the supervisor's, which never goes down */
	size_t cell_count;
};

/* The task's name was chosen by a plugin. */
static void
loop_hold_set_task(struct loop_hold *hold, const char *name)
{
	struct buffer task = {0};

	if (text_escape(&task, name, strlen(name)) && buffer_text(&task) != NULL)
		snprintf(hold->task, sizeof(hold->task), "%s", buffer_text(&task));
	buffer_finish(&task);
}

static void
loop_hold_begin(struct loop_hold *hold, const struct master *master, uint32_t loop,
	const struct status_loop_view *view, int64_t held_ns)
{
	const struct master_service *service = supervisor_by_slot(master->supervisor, view->slot);
	char span[CLOCK_TEXT_SIZE];

	hold->held = true;
	hold->asked = false;
	hold->since_ns = clock_monotonic_ns() - held_ns;
	if (service != NULL)
		snprintf(hold->subject, sizeof(hold->subject), "service %s", service->config->name);
	else
		snprintf(hold->subject, sizeof(hold->subject), "loop %u", (unsigned)loop);
	loop_hold_set_task(hold, view->task);
	log_warn(hold->subject, "task %s keeps loop %u from all other tasks, for %s so far: it has to wait "
		"or to call bay_yield() now and then [loop-held]", hold->task, (unsigned)loop,
		clock_format_duration(span, sizeof(span), held_ns));
}

static void
loop_hold_end(struct loop_hold *hold, uint32_t loop)
{
	char span[CLOCK_TEXT_SIZE];

	hold->held = false;
	log_warn(hold->subject, "task %s kept loop %u for %s, until now [loop-held]", hold->task,
		(unsigned)loop,
		clock_format_duration(span, sizeof(span), clock_monotonic_ns() - hold->since_ns));
}

/* Its thread writes down where it is, for the next look. */
static void
loop_hold_ask(struct loop_hold *hold, const struct master_cell *cell, uint32_t loop)
{
	const struct crash_area *area = status_page_crash_area(master_cell_page(cell));
	uint64_t tid = atomic_load_explicit(&area->tids[loop], memory_order_relaxed);
	pid_t pid = cell_process_pid(master_cell_process(cell));

	/* The thread is one of that process, or nothing happens: the number is the cell's word. */
	hold->asked = tid > 0 && tid <= INT32_MAX &&
		syscall(SYS_tgkill, (long)pid, (long)tid, (long)CRASH_STALL_SIGNAL) == 0;
}

/* Tells what it has answered. */
static void
loop_hold_hear(struct loop_hold *hold, const struct master_cell *cell, uint32_t loop)
{
	const struct crash_area *area = status_page_crash_area(master_cell_page(cell));
	struct crash_trace_view *trace = xcalloc(1, sizeof(*trace));
	struct buffer text = {0};

	if (crash_trace_read(&area->stalls[loop], trace) && trace->pass == hold->pass) {
		hold->asked = false;
		if (crash_reports_print_trace(area, trace, &text) && buffer_text(&text) != NULL)
			log_warn(hold->subject, "task %s is in %s [loop-held]", hold->task, buffer_text(&text));
	}
	buffer_finish(&text);
	free(trace);
}

/* When nothing is said of its service's. */
static int64_t
loop_watch_warn_ns(const struct master_service *service)
{
	if (service == NULL)
		return STATUS_SILENT_NS;
	return service->config->stall_warn_ns > 0 ? service->config->stall_warn_ns : INT64_MAX;
}

/* Whether it is enough. An init has a time of its own. */
static bool
loop_hold_is_too_long(const struct loop_hold *hold, const struct master_service *service,
	const struct status_loop_view *view, int64_t held_ns)
{
	return service != NULL && service->config->stall_kill_ns > 0 && view->phase == STATUS_PHASE_RUN &&
		held_ns >= service->config->stall_kill_ns && hold->looks >= LOOP_LOOKS_MIN;
}

static void
loop_watch_look_at(const struct loop_watch *watch, struct master_cell *cell, uint32_t loop,
	struct loop_hold *hold)
{
	struct master_service *service;
	struct status_loop_view view;
	char span[CLOCK_TEXT_SIZE];
	int64_t held_ns;
	bool held;

	(void)status_page_loop_is_silent(master_cell_page(cell), loop, &view, &held_ns);
	service = supervisor_by_slot(watch->master->supervisor, view.slot);
	held = held_ns >= loop_watch_warn_ns(service);
	hold->looks = held_ns > 0 && view.passes == hold->pass ? hold->looks + 1 : 0;
	hold->pass = view.passes;
	if (held && !hold->held) {
		loop_hold_begin(hold, watch->master, loop, &view, held_ns);
		loop_hold_ask(hold, cell, loop);
	} else if (!held && hold->held) {
		loop_hold_end(hold, loop);
	} else if (held && hold->asked) {
		loop_hold_hear(hold, cell, loop);
	}
	if (!loop_hold_is_too_long(hold, service, &view, held_ns))
		return;
	loop_hold_set_task(hold, view.task);
	hold->held = false;
	hold->looks = 0;
	service->stalled = true;
	master_cell_end_hang(cell, service, "task %s kept loop %u for %s (stall_kill)", hold->task,
		(unsigned)loop, clock_format_duration(span, sizeof(span), held_ns));
}

/* Its cell may have gone, which was told. */
static void
loop_watch_look(const struct loop_watch *watch, struct master_cell *cell, struct loop_holds *holds)
{
	const struct status_page *page = master_cell_page(cell);
	uint32_t loops = page != NULL ? page->loops : 0;

	for (uint32_t loop = 0; loop < STATUS_PAGE_LOOPS_MAX; loop++) {
		if (loop < loops)
			loop_watch_look_at(watch, cell, loop, &holds->loops[loop]);
		else
			holds->loops[loop].held = false;
	}
}

static void
loop_watch_on_time(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *watch = arg;
	const struct supervisor *supervisor = watch->master->supervisor;

	(void)fd;
	(void)what;
	while (watch->cell_count < supervisor_cell_count(supervisor)) {
		watch->cells = xrealloc(watch->cells, watch->cell_count + 1, sizeof(*watch->cells));
		watch->cells[watch->cell_count++] = xcalloc(1, sizeof(**watch->cells));
	}
	for (size_t i = 0; i < watch->cell_count; i++)
		loop_watch_look(watch, supervisor_cell(supervisor, i), watch->cells[i]);
}

struct loop_watch *
loop_watch_create(struct event_base *base, const struct master *master)
{
	struct loop_watch *watch = xcalloc(1, sizeof(*watch));

	watch->master = master;
	watch->timer = event_new(base, -1, EV_PERSIST, loop_watch_on_time, watch);
	if (watch->timer != NULL && event_add(watch->timer, &loop_watch_period) == 0)
		return watch;
	loop_watch_destroy(watch);
	return NULL;
}

void
loop_watch_destroy(struct loop_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->timer != NULL)
		event_free(watch->timer);
	for (size_t i = 0; i < watch->cell_count; i++)
		free(watch->cells[i]);
	free(watch->cells);
	free(watch);
}
