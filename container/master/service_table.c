/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "master/service_swap.h"

/* The longest wait of a service that fails again and again. */
static const int64_t service_max_delay_ns = 60 * (int64_t)CLOCK_NS_PER_S;

static void
service_table_init_service(struct master_service *service, struct supervisor *supervisor,
	const struct config_service *config, struct event_base *base, event_callback_fn on_timer)
{
	service->supervisor = supervisor;
	service->config = config;
	service->since_ns = clock_monotonic_ns();
	service->since_wall_ns = clock_wall_ns();
	service->failures = xcalloc((size_t)config->start_limit.count,
		sizeof(*service->failures));
	service->backoff = (struct backoff){.first_ns = config->restart_delay_ns,
		.max_ns = service_max_delay_ns, .reset_ns = config->start_limit.period_ns};
	service->timer = evtimer_new(base, on_timer, service);
	list_init(&service->waiters);
	service_swap_init(service);
}

void
service_table_init(struct service_table *table, struct supervisor *supervisor,
	const struct config *config, struct event_base *base, event_callback_fn on_timer)
{
	table->count = config->service_count;
	table->services = xcalloc(table->count + 1, sizeof(*table->services));
	for (size_t i = 0; i < table->count; i++) {
		table->services[i].slot = (uint32_t)i;
		service_table_init_service(&table->services[i], supervisor, &config->services[i], base,
			on_timer);
	}
}

void
service_table_finish(struct service_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		event_free(table->services[i].timer);
		free(table->services[i].failures);
		free(table->services[i].reason);
	}
	free(table->services);
}

struct master_service *
service_table_find(const struct service_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->services[i].config->name, name) == 0)
			return &table->services[i];
	}
	return NULL;
}

struct master_service *
service_table_find_in_init(const struct service_table *table, const struct status_page *page)
{
	uint32_t loading = status_page_loading(page);

	/* A constructor that does not come back keeps all others from being loaded. */
	if (loading < table->count)
		return &table->services[loading];
	for (uint32_t loop = 0; loop < page->loops; loop++) {
		struct status_loop_view view;

		status_page_read_loop(page, loop, &view);
		if (view.phase == STATUS_PHASE_INIT && view.slot < table->count)
			return &table->services[view.slot];
	}
	return NULL;
}

/* Appends where the service ran. False: nowhere, or no memory. */
static bool
service_table_append_tasks(const struct status_page *page, uint32_t slot, struct buffer *text)
{
	bool found = false;

	for (uint32_t loop = 0; loop < page->loops; loop++) {
		struct status_loop_view view;

		status_page_read_loop(page, loop, &view);
		if (view.slot != slot || view.phase == STATUS_PHASE_IDLE)
			continue;
		/* Its name was chosen by a plugin. */
		if (!buffer_printf(text, "%s ", found ? "," : ", and its task") ||
		    !text_escape(text, view.task, strlen(view.task)) ||
		    !buffer_printf(text, "%sran on loop %u", view.task[0] != '\0' ? " " : "", (unsigned)loop))
			return false;
		found = true;
	}
	return found;
}

static void
service_table_log_unfinished_service(const struct master_service *service,
	const struct status_page *page)
{
	struct status_service_view figures;
	struct buffer tasks = {0};
	char subject[CONFIG_NAME_MAX + 16];
	bool ran = service_table_append_tasks(page, service->slot, &tasks);

	status_page_read_service(page, service->slot, &figures);
	snprintf(subject, sizeof(subject), "service %s", service->config->name);
	if (figures.in_flight > 0 || ran)
		log_warn(subject, "refuses to stop: %" PRIu64 " %s not ended%s", figures.in_flight,
			text_number(figures.in_flight, "request has", "requests have"),
			ran ? buffer_text(&tasks) : "");
	buffer_finish(&tasks);
}

void
service_table_log_unfinished(const struct service_table *table, const struct status_page *page)
{
	for (size_t i = 0; i < table->count; i++)
		service_table_log_unfinished_service(&table->services[i], page);
}
