/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/verdict_check.h"

#include <stdint.h>
#include <string.h>

#include "config/config_keys.h"
#include "protocol/cell_link.h"

static bool
verdict_is_about(const struct cell_complaint *complaint, const json_t *services)
{
	const json_t *service;
	size_t i;

	json_array_foreach(services, i, service) {
		const char *name = json_string_value(json_object_get(service, "name"));
		size_t settings = json_array_size(json_object_get(service, "settings"));

		if (name != NULL && strcmp(name, complaint->service) == 0 &&
		    complaint->index < (int64_t)settings)
			return true;
	}
	return false;
}

bool
verdict_fits_request(const struct cell_verdict *verdict, const json_t *request)
{
	const json_t *services = json_object_get(request, "services");

	for (size_t i = 0; i < verdict->complaint_count; i++)
		if (!verdict_is_about(&verdict->complaints[i], services))
			return false;
	return true;
}

const char *
verdict_reserved_setting(const struct cell_verdict *verdict)
{
	for (size_t i = 0; i < verdict->setting_count; i++)
		if (config_keys_find(&config_service_keys, verdict->settings[i].name) != NULL)
			return verdict->settings[i].name;
	return NULL;
}
