/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/drop_in_services.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config_data.h"
#include "config/config_load.h"
#include "master/master.h"
#include "master/plugin_examination.h"
#include "master/service_change.h"
#include "master/supervisor.h"

const struct event_by drop_in_by = {.source = EVENT_BY_WATCH};

struct master_service *
drop_in_next_service(const struct master *master, const char *plugin, size_t *index)
{
	while (*index < supervisor_count(master->supervisor)) {
		struct master_service *service = supervisor_service(master->supervisor, (*index)++);

		if (service->config->plugin_file == NULL && strcmp(service->config->plugin, plugin) == 0)
			return service;
	}
	return NULL;
}

void
drop_in_note(const struct master *master, enum event_kind kind, const char *plugin,
	const char *service, const char *format, ...)
{
	const struct event_facts facts = {.plugin = plugin, .service = service, .by = drop_in_by};
	char why[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	event_log_add(master->events, kind, &facts, "%s", why);
}

char *
drop_in_name_refusal(const struct master *master, const char *name)
{
	const struct master_service *other = supervisor_find(master->supervisor, name);
	const struct config_service *config = other != NULL ? other->config : NULL;

	if (config != NULL && config->plugin_file != NULL)
		return xasprintf("there is a service %s already, which was loaded from %s", name, config->plugin_file);
	if (config != NULL && other->source->dropped_in)
		return xasprintf("there is a service %s already, by autoload of %s", name, config->plugin);
	if (config != NULL)
		return xasprintf("there is a service %s already, with plugin %s, by %s:%u", name, config->plugin,
			config->origin.file, config->origin.line);
	if (supervisor_count(master->supervisor) >= (size_t)master->config->container.max_services)
		return xstrdup("there are max_services services already");
	return NULL;
}

struct config *
drop_in_make_config(const char *path, const char *name, const char *plugin, struct config_report *report)
{
	char *text = xasprintf("[container]\n[service %s]\n", name);
	struct config *config = NULL;

	if (config_load_memory(path, text, strlen(text), &config, report)) {
		config->dropped_in = true;
		config->services[0].origin.line = 0;
		free(config->services[0].plugin);
		config->services[0].plugin = xstrdup(plugin);
	}
	free(text);
	return config;
}

bool
drop_in_add_service(const struct master *master, struct config *config, struct plugin_image *image,
	const struct event_by *by, const char *how, service_done_fn *done, void *arg)
{
	const struct service_target target = {.source = config, .config = &config->services[0], .image = image};
	struct master_service *service = supervisor_add(master->supervisor, config, target.config);

	if (service == NULL)
		return false;
	service->by = *by;
	event_log_add(master->events, EVENT_ADDED, &(struct event_facts){.plugin = target.config->plugin,
		.service = target.config->name, .by = *by}, "%s %s", how, image->source);
	service_change_start(service, &target, done, arg);
	return true;
}
