/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/verdict.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "cell/description.h"
#include "protocol/cell_link.h"
#include "protocol/varlink.h"
#include "service/plugin.h"
#include "service/plugin_file.h"
#include "service/settings.h"

enum {
	/* Of all services together: nobody reads more. */
	VERDICT_COMPLAINTS_MAX = 200,
	VERDICT_WARNINGS_MAX = 20
};

/* What a verdict points to until it is written. */
struct verdict {
	struct cell_verdict cell;
	struct settings_report *reports; /* one for each service */
	struct description tables;
	struct buffer warnings;
	char abi[16];
};

/* --- what it says to people ---------------------------------------------------------- */

static void
verdict_describe_plugin(struct verdict *verdict, const struct plugin *plugin)
{
	const struct plugin_names *warnings = &plugin->facts->warnings;
	struct cell_verdict *cell = &verdict->cell;

	snprintf(verdict->abi, sizeof(verdict->abi), "%u.%u", plugin->descriptor.abi_major,
		plugin->descriptor.abi_minor);
	cell->plugin = plugin->descriptor.name;
	cell->version = plugin->descriptor.version;
	cell->summary = plugin->descriptor.summary;
	cell->abi = verdict->abi;
	cell->leaf = (plugin->descriptor.flags & BAY_LEAF) != 0;
	cell->lingers = plugin->facts->lingers;
	cell->unloadable = cell->lingers == NULL;
	for (size_t i = 0; i < warnings->count && i < VERDICT_WARNINGS_MAX; i++)
		(void)buffer_fail(&verdict->warnings, "%s%s", i > 0 ? "; " : "",
			warnings->items[i]);
	if (verdict->warnings.size > 0)
		cell->warnings = buffer_text(&verdict->warnings);
	description_make(&verdict->tables, plugin->descriptor.settings, plugin->descriptor.verbs);
	cell->settings = verdict->tables.settings;
	cell->setting_count = verdict->tables.setting_count;
	cell->verbs = verdict->tables.verbs;
	cell->verb_count = verdict->tables.verb_count;
}

/* --- what it says of the services ----------------------------------------------------- */

static void
verdict_check_service(const struct bay_setting *table, const struct cell_examine_service *service,
	struct settings_report *report)
{
	struct setting_value *values = xcalloc(service->setting_count, sizeof(*values));
	struct settings *settings;

	for (size_t i = 0; i < service->setting_count; i++)
		values[i] = (struct setting_value){service->settings[i].key,
			service->settings[i].value};
	if (settings_create(table, values, service->setting_count, &settings, report))
		settings_unref(settings);
	free(values);
}

static void
verdict_add_complaints(struct verdict *verdict, const char *service,
	const struct settings_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct setting_complaint *from = &report->items[i];

		if (verdict->cell.complaint_count == VERDICT_COMPLAINTS_MAX)
			return;
		verdict->cell.complaints[verdict->cell.complaint_count++] = (struct cell_complaint){
			.service = service,
			.index = from->value == SIZE_MAX ? -1 : (int64_t)from->value,
			.key = from->key,
			.message = from->text,
		};
	}
}

static void
verdict_check_services(struct verdict *verdict, const struct bay_setting *table,
	const struct cell_examine *request)
{
	verdict->reports = xcalloc(request->service_count, sizeof(*verdict->reports));
	verdict->cell.complaints = xcalloc(VERDICT_COMPLAINTS_MAX,
		sizeof(*verdict->cell.complaints));
	for (size_t i = 0; i < request->service_count; i++) {
		verdict_check_service(table, &request->services[i], &verdict->reports[i]);
		verdict_add_complaints(verdict, request->services[i].name, &verdict->reports[i]);
	}
}

/* --- the examination ---------------------------------------------------------------------- */

static void
verdict_finish(struct verdict *verdict, const struct cell_examine *request)
{
	for (size_t i = 0; verdict->reports != NULL && i < request->service_count; i++)
		settings_report_finish(&verdict->reports[i]);
	free(verdict->reports);
	description_finish(&verdict->tables);
	free(verdict->cell.complaints);
	buffer_finish(&verdict->warnings);
}

static json_t *
verdict_accept(const struct cell_examine *request, const struct plugin *plugin)
{
	struct verdict verdict = {.cell = {.nonce = request->nonce, .ok = true}};
	json_t *json;

	verdict_describe_plugin(&verdict, plugin);
	verdict_check_services(&verdict, plugin->descriptor.settings, request);
	json = cell_verdict_to_json(&verdict.cell);
	verdict_finish(&verdict, request);
	return json;
}

static json_t *
verdict_refuse(const struct cell_examine *request, struct buffer *error)
{
	const char *reason = buffer_text(error);
	struct cell_verdict verdict = {
		.nonce = request->nonce,
		.reason = reason != NULL ? reason : "no memory",
	};

	return cell_verdict_to_json(&verdict);
}

/* What unloading has shown. All else had to be written while the plugin's texts were there. */
static void
verdict_note_lingering(json_t *json, struct buffer *why)
{
	json_object_set_new(json, "unloadable", json_false());
	json_object_set_new(json, "lingers", varlink_text(buffer_text(why)));
}

json_t *
verdict_make(const struct cell_examine *request, const char *path, bool *stays_r)
{
	struct buffer error = {0};
	struct plugin *plugin;
	json_t *json;

	if (!plugin_open(path, NULL, request->origin, &plugin, &error)) {
		json = verdict_refuse(request, &error);
	} else {
		json = verdict_accept(request, plugin);
		if (!plugin_close(plugin, &error))
			verdict_note_lingering(json, &error);
	}
	/* One that is refused may stay as well. */
	*stays_r = plugin_is_loaded(path);
	buffer_finish(&error);
	return json;
}
