/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "config/config_diff.h"
#include "config/config_keys.h"
#include "config/config_value.h"
#include "master/admin_commands.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/reload.h"
#include "master/supervisor.h"
#include "protocol/varlink.h"

/* What [container] is called where services are. One that has this name comes first. */
static const char admin_container[] = "container";

enum { ADMIN_WHO_SIZE = 64 };

static const char *
admin_who(const struct admin_request *request, char *text)
{
	snprintf(text, ADMIN_WHO_SIZE, "user %u, process %d", (unsigned)request->peer.uid,
		(int)request->peer.pid);
	return text;
}

/* --- differences ------------------------------------------------------------------------- */

/* Sets it unless there is nothing to set. False: no memory. */
static bool
admin_set_text(json_t *json, const char *name, const char *text)
{
	return text == NULL || json_object_set_new(json, name, varlink_text(text)) == 0;
}

static json_t *
admin_change(const struct config_change *change)
{
	char sign[2] = {config_effect_sign(change->effect), '\0'};
	json_t *json = json_pack("{s:s, s:s, s:o, s:I}", "sign", sign,
		"effect", config_effect_name(change->effect),
		"file", varlink_text(change->origin.file != NULL ? change->origin.file : ""),
		"line", (json_int_t)change->origin.line);

	if (admin_set_text(json, "service", change->service) &&
	    admin_set_text(json, "cell", change->cell) &&
	    admin_set_text(json, "group", change->group) &&
	    admin_set_text(json, "key", change->key) &&
	    admin_set_text(json, "old", change->old_value) &&
	    admin_set_text(json, "new", change->new_value))
		return json;
	json_decref(json);
	return NULL;
}

/* NULL: no memory. */
static json_t *
admin_changes(const struct config_diff *diff)
{
	json_t *changes = json_array();

	for (size_t i = 0; i < diff->count; i++) {
		if (json_array_append_new(changes, admin_change(&diff->changes[i])) != 0) {
			json_decref(changes);
			return NULL;
		}
	}
	return changes;
}

/* --- what goes through a reload -------------------------------------------------------------- */

static void
admin_on_reloaded(const struct reload_result *result, void *arg)
{
	struct admin_request *request = arg;

	switch (result->status) {
	case BAY_OK:
		admin_answer(request, json_pack("{s:I, s:b, s:o}", "number", (json_int_t)result->number,
			"changed", result->changed, "changes", admin_changes(result->diff)));
		break;
	case BAY_INVALID:
		admin_refuse(request, "%s", result->message);
		break;
	case BAY_FAILED:
		admin_error(request, INTERFACE_ROLLED_BACK,
			interface_error_parameters(BAY_FAILED, "config-undone", result->message));
		break;
	case BAY_IO:
		admin_fail(request, BAY_IO, "it is in force, as configuration %lld, but not saved: %s",
			(long long)result->number, result->message);
		break;
	default:
		admin_fail(request, result->status, "%s", result->message);
		break;
	}
}

void
admin_reload_config(struct admin_request *request, struct master *master)
{
	char who[ADMIN_WHO_SIZE];
	const struct reload_wish wish = {.kind = RELOAD_FILE, .by = admin_by(request),
		.who = admin_who(request, who),
		.dry_run = json_is_true(json_object_get(request->parameters, "dry_run"))};

	reload_ask(master->reload, &wish, admin_on_reloaded, request);
}

void
admin_rollback_config(struct admin_request *request, struct master *master)
{
	char who[ADMIN_WHO_SIZE];
	const struct reload_wish wish = {.kind = RELOAD_ROLLBACK, .by = admin_by(request),
		.who = admin_who(request, who),
		.number = json_integer_value(json_object_get(request->parameters, "number"))};

	reload_ask(master->reload, &wish, admin_on_reloaded, request);
}

/* --- set ------------------------------------------------------------------------------------- */

/* Cuts "service.key" at the dot before which there is a service; both may have dots of their own.
 * The first part is the caller's; NULL: there is no service of the kind. */
static char *
admin_split_key(const struct master *master, const char *name, const char **key_r)
{
	for (const char *dot = strrchr(name, '.'); dot != NULL; dot = memrchr(name, '.', (size_t)(dot - name))) {
		char *service = xstrndup(name, (size_t)(dot - name));

		*key_r = dot + 1;
		if (config_find_service(master->config, service) != NULL ||
		    strcmp(service, admin_container) == 0)
			return service;
		free(service);
	}
	return NULL;
}

void
admin_set_config(struct admin_request *request, struct master *master)
{
	const char *name = json_string_value(json_object_get(request->parameters, "key"));
	char who[ADMIN_WHO_SIZE];
	struct reload_wish wish = {.kind = RELOAD_SET, .by = admin_by(request),
		.who = admin_who(request, who),
		.value = json_string_value(json_object_get(request->parameters, "value")),
		.save = json_is_true(json_object_get(request->parameters, "save"))};
	char *service;

	if (wish.save && request->peer.role < INTERFACE_ROLE_ADMIN) {
		admin_fail(request, BAY_NOT_PERMITTED, "not permitted: to save is for the role %s, and "
			"user %u has %s", interface_role_name(INTERFACE_ROLE_ADMIN),
			(unsigned)request->peer.uid, interface_role_name(request->peer.role));
		return;
	}
	service = admin_split_key(master, name, &wish.key);
	if (service == NULL) {
		admin_fail(request, BAY_NOT_FOUND, "there is no service of which %s is a key; it is "
			"SERVICE.KEY or container.KEY, and bayctl list shows the services", name);
		return;
	}
	if (config_find_service(master->config, service) != NULL)
		wish.service = service;
	reload_ask(master->reload, &wish, admin_on_reloaded, request);
	free(service);
}

/* --- diff ------------------------------------------------------------------------------------ */

void
admin_diff_config(struct admin_request *request, struct master *master)
{
	const struct config_history *history = reload_history(master->reload);
	struct config_report report = {0};
	struct buffer text = {0};
	struct config_diff diff;
	struct config *file;

	if (reload_compare(master->reload, &file, &diff, &report))
		admin_answer(request, json_pack("{s:I, s:o}", "number", (json_int_t)history->last_number,
			"changes", admin_changes(&diff)));
	else
		admin_refuse(request, "%s", config_report_print(&report, &text) &&
			buffer_text(&text) != NULL ? (const char *)text.data : "no memory");
	config_diff_finish(&diff);
	config_report_finish(&report);
	config_unref(file);
	buffer_finish(&text);
}

/* --- show ------------------------------------------------------------------------------------ */

/* Adds one key; value is taken. False: no memory. */
static bool
admin_add_key(json_t *keys, const char *key, json_t *value, const struct config_origin *origin,
	bool live, const char *help)
{
	bool by_hand = origin->file != NULL && origin->line == 0;
	json_t *json = json_pack("{s:o, s:o, s:s, s:b, s:o}", "key", varlink_text(key),
		"value", value, "origin", origin->file == NULL ? "default" : by_hand ? "set" : "file",
		"live", live, "help", varlink_text(help));

	if (by_hand)
		(void)json_object_set_new(json, "by", varlink_text(origin->file));
	else if (origin->file != NULL)
		(void)!(json_object_set_new(json, "file", varlink_text(origin->file)) == 0 &&
			json_object_set_new(json, "line", json_integer(origin->line)) == 0);
	return json_array_append_new(keys, json) == 0;
}

static json_t *
admin_value(const struct config_key *key, const void *section)
{
	struct buffer text = {0};
	json_t *json = varlink_text(config_value_print(key, section, &text) &&
		buffer_text(&text) != NULL ? buffer_text(&text) : "");

	buffer_finish(&text);
	return json;
}

static bool
admin_add_keys(json_t *keys, const struct config_keys *table, const void *section,
	const struct config_origin *origins, const char *only, bool container)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct config_key *key = &table->rows[i];

		if (only != NULL && strcmp(only, key->name) != 0)
			continue;
		if (!admin_add_key(keys, key->name, admin_value(key, section), &origins[i],
			container ? key->reloadable : key->live, key->help))
			return false;
	}
	return true;
}

static const struct config_setting *
admin_find_setting(const struct config_service *service, const char *name)
{
	for (size_t i = 0; i < service->setting_count; i++)
		if (strcmp(service->settings[i].name, name) == 0)
			return &service->settings[i];
	return NULL;
}

/* Those that the plugin declares, as far as it has been examined; then what else is set. */
static bool
admin_add_settings(json_t *keys, const struct config_service *service,
	const struct plugin_image *image, const char *only)
{
	static const struct config_origin nowhere;
	bool added = true;

	for (size_t i = 0; image != NULL && i < image->setting_count && added; i++) {
		const struct plugin_setting *row = &image->settings[i];
		const struct config_setting *set = admin_find_setting(service, row->name);
		const char *fallback = row->default_value != NULL ? row->default_value : "";

		if (only == NULL || strcmp(only, row->name) == 0)
			added = admin_add_key(keys, row->name, varlink_text(set != NULL ? set->value : fallback),
				set != NULL ? &set->origin : &nowhere, row->live, row->help);
	}
	for (size_t i = 0; i < service->setting_count && added; i++) {
		const struct config_setting *set = &service->settings[i];

		if ((only == NULL || strcmp(only, set->name) == 0) &&
		    (image == NULL || plugin_image_setting(image, set->name) == NULL))
			added = admin_add_key(keys, set->name, varlink_text(set->value), &set->origin, false, "");
	}
	return added;
}

/* What [cell NAME] is called where services are: cell.NAME. NULL: it is no such name. */
static const char *
admin_cell_name(const char *name)
{
	static const char prefix[] = "cell.";
	size_t length = sizeof(prefix) - 1;

	return strncmp(name, prefix, length) == 0 ? name + length : NULL;
}

/* Why there is nothing to be shown: no service, or no section of a cell. */
static void
admin_fail_show(struct admin_request *request, const struct master *master, const char *name)
{
	const char *cell_name = admin_cell_name(name);
	const struct master_cell *cell = cell_name != NULL ? supervisor_find_cell(master->supervisor, cell_name) : NULL;

	if (cell_name == NULL)
		(void)admin_find_service(request, master);
	else if (cell != NULL && master_cell_is_there(cell))
		admin_fail(request, BAY_NOT_FOUND, "cell %s has no section: all that is said of it is in [container]; "
			"bayctl show container shows that", cell_name);
	else
		admin_fail(request, BAY_NOT_FOUND, "there is no cell %s, and no section [cell %s]; bayctl info shows the "
			"cells", cell_name, cell_name);
}

/* The same of [group NAME], the section of it. */
static const struct config_group *
admin_find_group(const struct master *master, const char *name)
{
	static const char prefix[] = "group.";
	size_t length = sizeof(prefix) - 1;

	return strncmp(name, prefix, length) == 0 ? config_find_group(master->config, name + length) : NULL;
}

static bool
admin_show_keys(json_t *keys, const struct master *master, const struct config_cell *cell,
	const struct config_group *group, const struct master_service *service, const char *only)
{
	const struct config_container *container = &master->config->container;

	if (cell != NULL)
		return admin_add_keys(keys, &config_cell_keys, cell, cell->origins, only, false);
	if (group != NULL)
		return admin_add_keys(keys, &config_group_keys, group, group->origins, only, false);
	if (service == NULL)
		return admin_add_keys(keys, &config_container_keys, container, container->origins, only,
			true);
	return admin_add_keys(keys, &config_service_keys, service->config, service->config->origins,
		only, false) && admin_add_settings(keys, service->config, service->image, only);
}

void
admin_show_config(struct admin_request *request, struct master *master)
{
	const char *name = admin_service_argument(request);
	const char *only = json_string_value(json_object_get(request->parameters, "key"));
	bool other = supervisor_find(master->supervisor, name) == NULL;
	bool container = other && strcmp(name, admin_container) == 0;
	const char *cell_name = other ? admin_cell_name(name) : NULL;
	const struct config_cell *cell = cell_name != NULL ? config_find_cell(master->config, cell_name) : NULL;
	const struct config_group *group = other ? admin_find_group(master, name) : NULL;
	const struct master_service *service = supervisor_find(master->supervisor, name);
	json_t *keys;

	if (service == NULL && cell == NULL && group == NULL && !container) {
		admin_fail_show(request, master, name);
		return;
	}
	keys = json_array();
	if (!admin_show_keys(keys, master, cell, group, service, only)) {
		json_decref(keys);
		admin_answer(request, NULL);
	} else if (only != NULL && json_array_size(keys) == 0) {
		json_decref(keys);
		admin_fail(request, BAY_NOT_FOUND, "%s has no key %s; bayctl show %s shows all", name, only,
			name);
	} else {
		admin_answer(request, json_pack("{s:s, s:o}", "service", name, "keys", keys));
	}
}

/* --- history --------------------------------------------------------------------------------- */

void
admin_config_history(struct admin_request *request, struct master *master)
{
	const struct config_history *history = reload_history(master->reload);
	json_t *configurations = json_array();

	for (size_t i = 0; i < history->count; i++) {
		const struct config_history_entry *entry = &history->entries[i];

		if (json_array_append_new(configurations, json_pack("{s:I, s:I, s:o, s:I}",
			"number", (json_int_t)entry->number,
			"since_wall_ns", (json_int_t)entry->since_wall_ns,
			"why", varlink_text(entry->why),
			"services", (json_int_t)entry->config->service_count)) != 0) {
			json_decref(configurations);
			configurations = NULL;
			break;
		}
	}
	admin_answer(request, json_pack("{s:o}", "configurations", configurations));
}
