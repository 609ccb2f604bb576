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
#include "base/map.h"
#include "base/text.h"
#include "master/plugin_examination.h"
#include "master/service_gate.h"
#include "master/service_swap.h"
#include "master/supervisor.h"

static struct master_service *
service_table_create(struct service_table *table, const char *name)
{
	struct master_service *service = xcalloc(1, sizeof(*service));

	service->supervisor = table->_supervisor;
	service->events = supervisor_events(table->_supervisor);
	service->slot = table->slot_count;
	service->timer = evtimer_new(table->_base, table->_on_timer, service);
	list_init(&service->waiters);
	service_swap_init(service);
	service_gate_init(service);
	table->slots[table->slot_count++] = service;
	map_put(table->_by_name, name, service);
	return service;
}

struct master_service *
service_table_add(struct service_table *table, struct config *source,
	const struct config_service *config)
{
	struct master_service *service = map_get(table->_by_name, config->name);

	if (service == NULL && table->slot_count == STATUS_PAGE_SERVICES_MAX)
		return NULL;
	if (service == NULL)
		service = service_table_create(table, config->name);
	service->gone = false;
	service_gate_reset(service, "it is another one now");
	service->since_ns = clock_monotonic_ns();
	service->since_wall_ns = clock_wall_ns();
	master_service_configure(service, source, config);
	supervisor_place(table->_supervisor, service);
	table->services = xrealloc(table->services, table->count + 1, sizeof(*table->services));
	table->services[table->count++] = service;
	return service;
}

static void
service_table_drop_image(struct plugin_image **image)
{
	plugin_image_unref(*image);
	*image = NULL;
}

void
service_table_remove(struct service_table *table, struct master_service *service)
{
	size_t at = 0;

	while (at < table->count && table->services[at] != service)
		at++;
	if (at == table->count)
		return;
	table->count--;
	memmove(&table->services[at], &table->services[at + 1],
		(table->count - at) * sizeof(*table->services));
	service->gone = true;
	service_table_drop_image(&service->image);
	service_table_drop_image(&service->next_image);
	service_table_drop_image(&service->former);
}

void
service_table_sort(struct service_table *table, const struct config *config)
{
	struct master_service **sorted = xcalloc(table->count + 1, sizeof(*sorted));
	size_t count = 0;

	for (size_t i = 0; i < config->service_count; i++) {
		struct master_service *service = service_table_find(table, config->services[i].name);

		if (service != NULL)
			sorted[count++] = service;
	}
	for (size_t i = 0; i < table->count; i++)
		if (config_find_service(config, table->services[i]->config->name) == NULL)
			sorted[count++] = table->services[i];
	free(table->services);
	table->services = sorted;
}

void
service_table_init(struct service_table *table, struct supervisor *supervisor,
	struct config *config, struct event_base *base, event_callback_fn on_timer)
{
	table->_supervisor = supervisor;
	table->_base = base;
	table->_on_timer = on_timer;
	table->_by_name = map_create();
	for (size_t i = 0; i < config->service_count; i++)
		(void)service_table_add(table, config, &config->services[i]);
}

static void
service_table_destroy(struct master_service *service)
{
	event_free(service->timer);
	config_unref(service->examined);
	config_unref(service->source);
	free(service->failures);
	free(service->reason);
	free(service);
}

void
service_table_finish(struct service_table *table)
{
	for (uint32_t i = 0; i < table->slot_count; i++)
		service_table_destroy(table->slots[i]);
	map_destroy(table->_by_name);
	free(table->services);
}

struct master_service *
service_table_find(const struct service_table *table, const char *name)
{
	struct master_service *service = service_table_find_ever(table, name);

	return service != NULL && !service->gone ? service : NULL;
}

struct master_service *
service_table_find_ever(const struct service_table *table, const char *name)
{
	return map_get(table->_by_name, name);
}

struct master_service *
service_table_find_in_init(const struct service_table *table, const struct status_page *page)
{
	uint32_t loading = status_page_loading(page);

	/* A constructor that does not come back keeps all others from being loaded. */
	if (loading < table->slot_count)
		return table->slots[loading];
	for (uint32_t loop = 0; loop < page->loops; loop++) {
		struct status_loop_view view;

		status_page_read_loop(page, loop, &view);
		if (view.phase == STATUS_PHASE_INIT && view.slot < table->slot_count)
			return table->slots[view.slot];
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
		service_table_log_unfinished_service(table->services[i], page);
}
