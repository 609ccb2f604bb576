/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/loop_watch.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status_page.h"
#include "base/text.h"
#include "config/config_data.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/supervisor.h"

/* How often one looks. */
static const struct timeval loop_watch_period = {.tv_usec = 250 * 1000};

/* One loop that is kept, or was. */
struct loop_hold {
	bool held;
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
loop_hold_begin(struct loop_hold *hold, const struct master *master, uint32_t loop,
	const struct status_loop_view *view, int64_t held_ns)
{
	const struct master_service *service = supervisor_by_slot(master->supervisor, view->slot);
	struct buffer task = {0};
	char span[CLOCK_TEXT_SIZE];

	hold->held = true;
	hold->since_ns = clock_monotonic_ns() - held_ns;
	if (service != NULL)
		snprintf(hold->subject, sizeof(hold->subject), "service %s", service->config->name);
	else
		snprintf(hold->subject, sizeof(hold->subject), "loop %u", (unsigned)loop);
	if (text_escape(&task, view->task, strlen(view->task)) && buffer_text(&task) != NULL)
		snprintf(hold->task, sizeof(hold->task), "%s", buffer_text(&task));
	buffer_finish(&task);
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

static void
loop_watch_look(const struct loop_watch *watch, const struct master_cell *cell,
	struct loop_holds *holds)
{
	const struct status_page *page = master_cell_page(cell);
	uint32_t loops = page != NULL ? page->loops : 0;

	for (uint32_t loop = 0; loop < STATUS_PAGE_LOOPS_MAX; loop++) {
		struct loop_hold *hold = &holds->loops[loop];
		struct status_loop_view view;
		int64_t held_ns;
		bool silent = loop < loops && status_page_loop_is_silent(page, loop, &view, &held_ns);

		if (silent && !hold->held)
			loop_hold_begin(hold, watch->master, loop, &view, held_ns);
		else if (!silent && hold->held && loop < loops)
			loop_hold_end(hold, loop);
		else if (!silent)
			hold->held = false; /* its cell has gone, and that was told */
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
