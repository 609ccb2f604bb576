/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/drop_in_services.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/config_data.h"
#include "master/master.h"
#include "master/supervisor.h"

const struct event_by drop_in_by = {.source = EVENT_BY_WATCH};

struct master_service *
drop_in_next_service(const struct master *master, const char *plugin, size_t *index)
{
	while (*index < supervisor_count(master->supervisor)) {
		struct master_service *service = supervisor_service(master->supervisor, (*index)++);

		if (strcmp(service->config->plugin, plugin) == 0)
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
