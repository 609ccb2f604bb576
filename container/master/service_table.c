/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

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
