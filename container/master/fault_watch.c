/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/fault_watch.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status_page.h"
#include "base/text.h"
#include "config/config_data.h"
#include "config/config_keys.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/service_faults.h"
#include "master/supervisor.h"

/* How often one looks. */
static const struct timeval fault_watch_period = {.tv_usec = 250 * 1000};

/* So long without one more, and it is over. */
#define FAULT_QUIET_NS (5 * (int64_t)CLOCK_NS_PER_S)

/* One that leaks as soon as it has begun is not to have its cell replaced all the time. */
#define FAULT_REST_NS (10 * (int64_t)CLOCK_NS_PER_S)

/* Who is refused and has freed nothing for so long keeps what it has. */
#define FAULT_KEPT_NS (1 * (int64_t)CLOCK_NS_PER_S)

enum {
	FAULT_TEXT_SIZE = 200,
	FAULT_NEARLY = 8 /* but for one part in so many, it is all */
};

static void fault_print_overflow(const struct config_service *config, char *text);
static void fault_print_memory(const struct config_service *config, char *text);
static void fault_print_tasks(const struct config_service *config, char *text);
static void fault_print_lost(const struct config_service *config, char *text);

/* What is counted, and how it is told. */
static const struct fault_row {
	enum cell_fault_kind kind;
	size_t figure; /* in struct status_gauges */
	const char *one;
	const char *many;
	void (*print)(const struct config_service *config, char *text); /* why, at most FAULT_TEXT_SIZE */
} fault_rows[] = {
	{CELL_FAULT_OVERFLOW, offsetof(struct status_gauges, refused), "message was refused or dropped",
		"messages were refused or dropped", fault_print_overflow},
	{CELL_FAULT_MEMORY, offsetof(struct status_gauges, denied_memory), "message or piece of memory was refused",
		"messages or pieces of memory were refused", fault_print_memory},
	{CELL_FAULT_TASKS, offsetof(struct status_gauges, denied_tasks), "task was refused",
		"tasks were refused", fault_print_tasks},
	{CELL_FAULT_SLOW_READER, offsetof(struct status_gauges, lost), "message was lost",
		"messages were lost", fault_print_lost},
};

enum { FAULT_ROWS = sizeof(fault_rows) / sizeof(fault_rows[0]) };

/* Of one service. */
struct fault_figures {
	uint64_t seen[FAULT_ROWS];    /* of its page, at the last look */
	uint64_t told[FAULT_ROWS];    /* refused since it was told */
	int64_t last_ns[FAULT_ROWS];
	uint64_t freed;               /* times that it had freed memory, at the last look, */
	int64_t kept_ns;              /* and since when it has not; 0: it was not looked at */
	int64_t cured_ns;             /* when its cell was replaced last for what it leaks; 0: it was not */
};

struct fault_watch {
	const struct master *master;
	struct event *timer;
	struct fault_figures *services; /* by slot */
	uint32_t count;
};

/* --- in words ------------------------------------------------------------------------------ */

static void
fault_print_overflow(const struct config_service *config, char *text)
{
	const struct config_word *word = config_keys_find(&config_service_keys, "overflow")->words;

	while (word->value != (int)config->overflow)
		word++;
	snprintf(text, FAULT_TEXT_SIZE, "more come than it handles (overflow = %s, queue = %" PRId64 ")",
		word->word, config->queue);
}

static void
fault_print_memory(const struct config_service *config, char *text)
{
	char size[32];

	snprintf(text, FAULT_TEXT_SIZE, "it has as much as it may (memory_max = %s)",
		text_format_size(size, sizeof(size), (uint64_t)config->memory_max));
}

static void
fault_print_tasks(const struct config_service *config, char *text)
{
	snprintf(text, FAULT_TEXT_SIZE, "it has as many as it may (tasks_max = %" PRId64 ")", config->tasks_max);
}

static void
fault_print_lost(const struct config_service *config, char *text)
{
	(void)config;
	snprintf(text, FAULT_TEXT_SIZE, "it does not take them from its subscriptions as fast as they come");
}

/* --- what has leaked -------------------------------------------------------------------------- */

/* Whether it has all the memory that it may, although it does nothing, and has freed none of it, not even just
 * now: then it has none left to begin anything, and keeps it for good. */
static bool
fault_is_leaked(const struct master_service *service, const struct fault_figures *figures, const struct status_page *page)
{
	uint64_t max = service->config->memory_max;
	struct status_service_view view;

	status_page_read_service(page, service->slot, &view);
	return max > 0 && view.in_flight == 0 && view.queue_length == 0 &&
		view.memory_bytes >= max - max / FAULT_NEARLY &&
		view.memory_freed == figures->freed;
}

/* A cache that makes room when it is refused more frees some each time. */
static void
fault_look_at_freed(const struct master_service *service, struct fault_figures *figures, const struct status_page *page,
	int64_t now_ns)
{
	struct status_service_view view;

	if (service->config->memory_max == 0)
		return;
	status_page_read_service(page, service->slot, &view);
	if (figures->kept_ns != 0 && figures->freed == view.memory_freed)
		return;
	figures->freed = view.memory_freed;
	figures->kept_ns = now_ns;
}

/* Another process has all its memory again. */
static void
fault_cure(struct master_service *service, struct fault_figures *figures, const struct status_page *page, int64_t now_ns)
{
	char size[32];
	char text[120];

	if ((figures->cured_ns != 0 && now_ns - figures->cured_ns < FAULT_REST_NS) ||
		now_ns - figures->kept_ns < FAULT_KEPT_NS || !fault_is_leaked(service, figures, page))
		return;
	figures->cured_ns = now_ns;
	snprintf(text, sizeof(text), "service %s does nothing and has kept all of its memory (memory_max = %s)",
		service->config->name, text_format_size(size, sizeof(size), service->config->memory_max));
	master_cell_renew(service->cell, text);
}

/* --- a look ---------------------------------------------------------------------------------- */

static uint64_t
fault_figure(const struct status_gauges *gauges, const struct fault_row *row)
{
	return atomic_load_explicit((const _Atomic uint64_t *)(const void *)((const char *)gauges + row->figure),
		memory_order_relaxed);
}

static void
fault_begin(struct master_service *service, const struct fault_row *row, uint64_t count)
{
	char why[FAULT_TEXT_SIZE];
	char text[FAULT_TEXT_SIZE + 80];

	row->print(service->config, why);
	snprintf(text, sizeof(text), "%" PRIu64 " %s: %s", count, text_number(count, row->one, row->many), why);
	service_faults_note(service, row->kind, text);
}

static void
fault_end(struct master_service *service, const struct fault_row *row, uint64_t count)
{
	char text[80];

	snprintf(text, sizeof(text), "%" PRIu64 " %s in all", count, text_number(count, row->one, row->many));
	service_faults_over(service, row->kind, text);
}

/* So many more were refused. That it was told is forgotten when the service stops. */
static void
fault_count(struct master_service *service, struct fault_figures *figures, size_t i, uint64_t more,
	const struct status_page *page, int64_t now_ns)
{
	const struct fault_row *row = &fault_rows[i];

	if (service->faults.text[row->kind] == NULL) {
		figures->told[i] = 0;
		fault_begin(service, row, more);
	} else if (row->kind == CELL_FAULT_MEMORY) {
		fault_cure(service, figures, page, now_ns);
	}
	figures->told[i] += more;
	figures->last_ns[i] = now_ns;
}

static void
fault_look(struct master_service *service, struct fault_figures *figures, const struct status_page *page, int64_t now_ns)
{
	const struct status_gauges *gauges = status_page_gauges(page, service->slot);

	fault_look_at_freed(service, figures, page, now_ns);
	for (size_t i = 0; i < FAULT_ROWS; i++) {
		const struct fault_row *row = &fault_rows[i];
		uint64_t value = fault_figure(gauges, row);
		/* A new cell begins anew. */
		uint64_t more = value >= figures->seen[i] ? value - figures->seen[i] : value;

		figures->seen[i] = value;
		if (more > 0 && service->state == SERVICE_READY)
			fault_count(service, figures, i, more, page, now_ns);
		else if (service->faults.text[row->kind] != NULL && now_ns - figures->last_ns[i] >= FAULT_QUIET_NS)
			fault_end(service, row, figures->told[i]);
	}
}

static void
fault_watch_on_time(evutil_socket_t fd, short what, void *arg)
{
	struct fault_watch *watch = arg;
	const struct supervisor *supervisor = watch->master->supervisor;
	int64_t now_ns = clock_monotonic_ns();
	struct master_service *service;

	(void)fd;
	(void)what;
	for (uint32_t slot = 0; (service = supervisor_by_slot(supervisor, slot)) != NULL; slot++) {
		const struct status_page *page = service->cell != NULL ? master_cell_page(service->cell) : NULL;

		if (slot == watch->count) {
			watch->services = xrealloc(watch->services, slot + 1, sizeof(*watch->services));
			watch->services[watch->count++] = (struct fault_figures){0};
		}
		if (page != NULL && !service->gone)
			fault_look(service, &watch->services[slot], page, now_ns);
	}
}

/* --- life -------------------------------------------------------------------------------------- */

struct fault_watch *
fault_watch_create(struct event_base *base, const struct master *master)
{
	struct fault_watch *watch = xcalloc(1, sizeof(*watch));

	watch->master = master;
	watch->timer = event_new(base, -1, EV_PERSIST, fault_watch_on_time, watch);
	if (watch->timer != NULL && event_add(watch->timer, &fault_watch_period) == 0)
		return watch;
	fault_watch_destroy(watch);
	return NULL;
}

void
fault_watch_destroy(struct fault_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->timer != NULL)
		event_free(watch->timer);
	free(watch->services);
	free(watch);
}
