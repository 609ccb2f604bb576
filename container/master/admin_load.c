/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_load.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "master/admin_commands.h"
#include "master/admin_request.h"
#include "master/hand_loads.h"
#include "master/master.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "protocol/interface.h"
#include "protocol/varlink.h"

/* --- Load ---------------------------------------------------------------------------- */

static void
admin_on_loaded(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	struct admin_request *request = arg;

	if (status == BAY_OK)
		admin_answer(request, json_pack("{s:o, s:s, s:s, s:o, s:I, s:o}",
			"service", varlink_text(service->config->name),
			"state", service_gate_state_name(service),
			"plugin", service->config->plugin,
			"version", varlink_text(service->image != NULL ? service->image->version : ""),
			"generation", (json_int_t)(service->image != NULL ? service->image->generation : 0),
			"path", varlink_text(service->config->plugin_file)));
	else if (status == BAY_INVALID)
		admin_refuse(request, "%s", message);
	else if (service != NULL)
		admin_fail(request, status, "service %s: %s", service->config->name, message);
	else
		admin_fail(request, status, "%s", message);
}

void
admin_load(struct admin_request *request, struct master *master)
{
	const json_t *words = json_object_get(request->parameters, "settings");
	struct hand_load_wish wish = {.by = admin_by(request), .done = admin_on_loaded, .arg = request,
		.file = json_string_value(json_object_get(request->parameters, "file")),
		.name = admin_service_argument(request), .setting_count = json_array_size(words)};
	const char **settings;

	if (admin_refused_while_draining(request, master))
		return;
	if (master->state != MASTER_READY) {
		admin_fail(request, BAY_BUSY, "bayd is still starting");
		return;
	}
	settings = xcalloc(wish.setting_count + 1, sizeof(*settings));
	for (size_t i = 0; i < wish.setting_count; i++)
		settings[i] = json_string_value(json_array_get(words, i));
	wish.settings = settings;
	log_info(NULL, "user %u asks bayd to load %s", (unsigned)request->peer.uid, wish.file);
	hand_loads_begin(master->hand_loads, &wish);
	free(settings);
}

/* --- Unload -------------------------------------------------------------------------- */

/* What has ended and why some of its code is still there. */
static json_t *
admin_ended(struct master_service *const *ended, size_t count)
{
	json_t *services = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *lingering = json_array();

		for (size_t n = 0; n < ended[i]->lingering_count; n++)
			json_array_append_new(lingering, json_pack("{s:I, s:o}",
				"generation", (json_int_t)ended[i]->lingering[n].generation,
				"reason", varlink_text(ended[i]->lingering[n].reason)));
		json_array_append_new(services, json_pack("{s:o, s:o}",
			"name", varlink_text(ended[i]->config->name), "lingering", lingering));
	}
	return services;
}

static void
admin_on_unloaded(struct master_service *const *ended, size_t count, enum bay_status status,
	const char *message, void *arg)
{
	struct admin_request *request = arg;

	if (status == BAY_OK)
		admin_answer(request, json_pack("{s:o}", "services", admin_ended(ended, count)));
	else
		admin_fail(request, status, "%s", message);
}

void
admin_unload(struct admin_request *request, struct master *master)
{
	const struct event_by by = admin_by(request);

	if (admin_refused_while_draining(request, master))
		return;
	hand_loads_unload(master->hand_loads,
		json_string_value(json_object_get(request->parameters, "plugin")), &by, admin_on_unloaded, request);
}
