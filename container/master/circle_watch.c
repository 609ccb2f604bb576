/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/circle_watch.h"

#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/service_faults.h"
#include "master/supervisor.h"
#include "master/wait_ask.h"
#include "master/wait_join.h"
#include "protocol/cell_link.h"

/* Between two looks: at the least, at first, and at most. */
#define CIRCLE_PAUSE_NS (500 * INT64_C(1000000))
#define CIRCLE_PAUSE_MAX_NS (4 * INT64_C(1000000000))

/* Of the time of an event loop, looks take one part in so many; but no cell can put them off for longer. */
#define CIRCLE_COST_SHARE 1000
#define CIRCLE_REST_MAX_NS (60 * INT64_C(1000000000))

/* Some cells, each once. */
struct circle_cells {
	const struct master_cell **rows;
	size_t count;
};

/* What was told of a service. */
struct circle_service {
	struct circle_cells through; /* cells of its circle */
	bool found;                  /* in this look */
};

struct circle_watch {
	const struct supervisor *supervisor;
	struct event *timer;         /* the next look */
	struct circle_cells still;   /* those that have said that they stand still */
	struct circle_service *services; /* by slot */
	uint32_t service_count;
	bool looking;
	bool news;                   /* a cell has said something since the look began */
	int64_t pause_ns;            /* before the next look, if no cell says anything */
	int64_t next_ns;             /* no cell is asked before that */
};

/* --- sets of cells ------------------------------------------------------------------------- */

/* Its place, or count. */
static size_t
circle_cells_find(const struct circle_cells *cells, const struct master_cell *cell)
{
	size_t i = 0;

	while (i < cells->count && cells->rows[i] != cell)
		i++;
	return i;
}

static void
circle_cells_add(struct circle_cells *cells, const struct master_cell *cell)
{
	if (circle_cells_find(cells, cell) < cells->count)
		return;
	cells->rows = xrealloc(cells->rows, cells->count + 1, sizeof(*cells->rows));
	cells->rows[cells->count++] = cell;
}

static void
circle_cells_remove(struct circle_cells *cells, const struct master_cell *cell)
{
	size_t place = circle_cells_find(cells, cell);

	if (place < cells->count)
		cells->rows[place] = cells->rows[--cells->count];
}

static void
circle_cells_finish(struct circle_cells *cells)
{
	free(cells->rows);
	*cells = (struct circle_cells){.count = 0};
}

/* --- what comes of a look -------------------------------------------------------------------- */

static struct circle_service *
circle_service_of(struct circle_watch *watch, const struct master_service *service)
{
	while (watch->service_count <= service->slot) {
		watch->services = xrealloc(watch->services, watch->service_count + 1, sizeof(*watch->services));
		watch->services[watch->service_count++] = (struct circle_service){.found = false};
	}
	return &watch->services[service->slot];
}

/* One of that cell: it speaks for no others. */
static struct master_service *
circle_find_service(const struct circle_watch *watch, const struct wait_member *member)
{
	struct master_service *service = member->service != NULL ?
		supervisor_find(watch->supervisor, member->service) : NULL;

	if (service == NULL || service->state != SERVICE_READY ||
	    strcmp(master_cell_name(service->cell), member->cell) != 0)
		return NULL;
	return service;
}

static void
circle_on_found(const struct wait_member *members, size_t count, const char *text, void *arg)
{
	struct circle_watch *watch = arg;

	for (size_t i = 0; i < count; i++) {
		struct master_service *service = circle_find_service(watch, &members[i]);
		struct circle_service *told = service != NULL ? circle_service_of(watch, service) : NULL;

		if (told == NULL || told->found)
			continue;
		told->found = true;
		circle_cells_finish(&told->through);
		for (size_t j = 0; j < count; j++)
			circle_cells_add(&told->through, supervisor_find_cell(watch->supervisor, members[j].cell));
		/* Another circle than before is no news, while there is one. */
		if (service->faults.circles[FAULT_SEEN_ACROSS] == NULL)
			service_faults_note_circle(service, FAULT_SEEN_ACROSS, text);
	}
}

/* Whether its circle may still be there, though a cell that it went through has not told all. */
static bool
circle_may_stand(const struct circle_watch *watch, const struct circle_service *told, const struct wait_ask *ask)
{
	bool all_told = true;

	for (size_t i = 0; i < told->through.count; i++) {
		const struct master_cell *cell = told->through.rows[i];

		if (circle_cells_find(&watch->still, cell) == watch->still.count)
			return false;
		all_told = all_told && wait_ask_is_sure_of(ask, cell);
	}
	return !all_told;
}

/* Ends what was told and was not found any more. */
static void
circle_end_those_that_are_over(struct circle_watch *watch, const struct wait_ask *ask, bool all)
{
	for (uint32_t slot = 0; slot < watch->service_count; slot++) {
		struct master_service *service = supervisor_by_slot(watch->supervisor, slot);
		struct circle_service *told = &watch->services[slot];
		bool over = !told->found && (all || watch->still.count < 2) && !circle_may_stand(watch, told, ask);

		told->found = false;
		if (!over || service == NULL)
			continue;
		circle_cells_finish(&told->through);
		if (service->faults.circles[FAULT_SEEN_ACROSS] != NULL)
			service_faults_note_circle(service, FAULT_SEEN_ACROSS, NULL);
	}
}

/* --- looks ------------------------------------------------------------------------------------ */

/* Once that time is over, and the cells may be asked. */
static void
circle_look_later(struct circle_watch *watch, int64_t pause_ns)
{
	int64_t now_ns = clock_monotonic_ns();
	int64_t wait_ns = watch->next_ns - now_ns > pause_ns ? watch->next_ns - now_ns : pause_ns;
	struct timeval wait = {.tv_sec = wait_ns / CLOCK_NS_PER_S,
		.tv_usec = wait_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};

	if (watch->timer != NULL)
		event_add(watch->timer, &wait);
}

static void
circle_rest(struct circle_watch *watch, int64_t took_ns)
{
	int64_t rest_ns = took_ns < CIRCLE_REST_MAX_NS / CIRCLE_COST_SHARE ? took_ns * CIRCLE_COST_SHARE : CIRCLE_REST_MAX_NS;
	int64_t until_ns = clock_monotonic_ns() + rest_ns;

	if (until_ns > watch->next_ns)
		watch->next_ns = until_ns;
}

static void
circle_on_answers(const struct wait_ask *ask, struct wait_join *join, void *arg)
{
	struct circle_watch *watch = arg;
	int64_t began_ns = clock_thread_cpu_ns(), took_ns;
	bool all;

	watch->looking = false;
	if (supervisor_is_stopping(watch->supervisor))
		return;
	all = wait_join_circles(join, circle_on_found, watch);
	circle_end_those_that_are_over(watch, ask, all);
	watch->pause_ns = watch->news || watch->pause_ns == 0 ? CIRCLE_PAUSE_NS : 2 * watch->pause_ns;
	if (watch->pause_ns > CIRCLE_PAUSE_MAX_NS)
		watch->pause_ns = CIRCLE_PAUSE_MAX_NS;
	took_ns = clock_thread_cpu_ns() - began_ns;
	circle_rest(watch, took_ns > wait_ask_took_ns(ask) ? took_ns : wait_ask_took_ns(ask));
	if (watch->still.count > 1 || watch->news)
		circle_look_later(watch, watch->pause_ns);
}

static void
circle_look(struct circle_watch *watch)
{
	const struct wait_ask_watcher watcher = {.done = circle_on_answers, .arg = watch};
	const struct cell_tasks tasks = {.waits_only = true};
	struct wait_ask *ask = wait_ask_create(watch->supervisor, &watcher);

	watch->looking = true;
	watch->news = false;
	for (size_t i = 0; i < watch->still.count && watch->still.count > 1; i++) {
		if (wait_ask_cell(ask, watch->still.rows[i], &tasks))
			watch->next_ns = clock_monotonic_ns() + CIRCLE_PAUSE_NS;
	}
	wait_ask_begin(ask);
}

static void
circle_on_time(evutil_socket_t fd, short what, void *arg)
{
	struct circle_watch *watch = arg;

	(void)fd;
	(void)what;
	if (!watch->looking && !supervisor_is_stopping(watch->supervisor))
		circle_look(watch);
}

void
circle_watch_note(struct circle_watch *watch, const struct master_cell *cell, bool stands)
{
	bool stood = circle_cells_find(&watch->still, cell) < watch->still.count;

	if (stands == stood)
		return;
	if (stands)
		circle_cells_add(&watch->still, cell);
	else
		circle_cells_remove(&watch->still, cell);
	watch->pause_ns = 0;
	watch->news = true;
	if (!watch->looking)
		circle_look_later(watch, 0);
}

/* --- life -------------------------------------------------------------------------------------- */

struct circle_watch *
circle_watch_create(const struct supervisor *supervisor, struct event_base *base)
{
	struct circle_watch *watch = xcalloc(1, sizeof(*watch));

	watch->supervisor = supervisor;
	watch->timer = event_new(base, -1, 0, circle_on_time, watch);
	return watch;
}

void
circle_watch_destroy(struct circle_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->timer != NULL)
		event_free(watch->timer);
	for (uint32_t slot = 0; slot < watch->service_count; slot++)
		circle_cells_finish(&watch->services[slot].through);
	free(watch->services);
	circle_cells_finish(&watch->still);
	free(watch);
}
