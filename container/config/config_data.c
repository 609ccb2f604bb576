/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "config/config_keys.h"
#include "config/config_report.h"
#include "config/config_value.h"

/* --- freeing ----------------------------------------------------------------- */

static void
config_section_finish(const struct config_keys *keys, void *section)
{
	for (size_t i = 0; i < keys->count; i++)
		config_value_finish(&keys->rows[i], section);
}

static void
config_service_finish(struct config_service *service)
{
	config_section_finish(&config_service_keys, service);
	for (size_t i = 0; i < service->setting_count; i++) {
		free(service->settings[i].name);
		free(service->settings[i].value);
	}
	free(service->settings);
	free(service->plugin_file);
	free(service->name);
}

static void
config_cell_finish(struct config_cell *cell)
{
	config_section_finish(&config_cell_keys, cell);
	free(cell->name);
}

static void
config_group_finish(struct config_group *group)
{
	config_section_finish(&config_group_keys, group);
	free(group->name);
}

struct config *
config_ref(struct config *config)
{
	config->_refs++;
	return config;
}

void
config_unref(struct config *config)
{
	if (config == NULL || --config->_refs > 0)
		return;
	config_section_finish(&config_container_keys, &config->container);
	for (size_t i = 0; i < config->service_count; i++)
		config_service_finish(&config->services[i]);
	for (size_t i = 0; i < config->cell_count; i++)
		config_cell_finish(&config->cells[i]);
	for (size_t i = 0; i < config->group_count; i++)
		config_group_finish(&config->groups[i]);
	for (size_t i = 0; i < config->file_count; i++)
		free(config->files[i]);
	for (size_t i = 0; i < config->_kept_count; i++)
		free(config->_kept[i]);
	free(config->services);
	free(config->cells);
	free(config->groups);
	free(config->_kept);
	free(config->files);
	free(config->path);
	free(config);
}

void
config_destroy(struct config *config)
{
	config_unref(config);
}

/* --- looking up --------------------------------------------------------------- */

const struct config_service *
config_find_service(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->service_count; i++)
		if (strcmp(config->services[i].name, name) == 0)
			return &config->services[i];
	return NULL;
}

const struct config_cell *
config_find_cell(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->cell_count; i++)
		if (strcmp(config->cells[i].name, name) == 0)
			return &config->cells[i];
	return NULL;
}

const struct config_cell *
config_cell_section(const struct config *config, const char *name)
{
	const struct config_cell *cell = config_find_cell(config, name);
	const struct config_service *service = config_find_service(config, name);

	if (cell != NULL || service == NULL)
		return cell;
	/* Somebody's cell is nobody's that was moved out. */
	for (size_t i = 0; i < config->service_count; i++)
		if (strcmp(config_service_cell(&config->services[i]), name) == 0)
			return NULL;
	return config_find_cell(config, service->cell);
}

const struct config_group *
config_find_group(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->group_count; i++)
		if (strcmp(config->groups[i].name, name) == 0)
			return &config->groups[i];
	return NULL;
}

const char *
config_service_cell(const struct config_service *service)
{
	return service->isolate ? service->name : service->cell;
}

int64_t
config_cell_loops(const struct config *config, const char *name)
{
	const struct config_cell *cell = config_find_cell(config, name);

	return cell != NULL && cell->loops > 0 ? cell->loops : config->container.loops;
}

enum config_log_sink
config_log_sink(const struct config *config)
{
	const struct config_word *word = config_keys_find(&config_container_keys, "log")->words;

	for (; word->word != NULL; word++)
		if (strcmp(word->word, config->container.log) == 0)
			return (enum config_log_sink)word->value;
	return CONFIG_LOG_FILE;
}

const struct config_origin *
config_container_origin(const struct config *config, const char *key)
{
	const struct config_key *row = config_keys_find(&config_container_keys, key);

	return &config->container.origins[row - config_container_keys.rows];
}

const struct config_origin *
config_service_origin(const struct config_service *service, const char *key)
{
	const struct config_key *row = config_keys_find(&config_service_keys, key);

	return &service->origins[row - config_service_keys.rows];
}

const struct config_origin *
config_cell_origin(const struct config_cell *cell, const char *key)
{
	const struct config_key *row = config_keys_find(&config_cell_keys, key);

	return &cell->origins[row - config_cell_keys.rows];
}

/* --- comparing ----------------------------------------------------------------- */

static const char *
config_setting_value(const struct config_service *service, const char *name)
{
	for (size_t i = 0; i < service->setting_count; i++)
		if (strcmp(service->settings[i].name, name) == 0)
			return service->settings[i].value;
	return NULL;
}

bool
config_service_equal(const struct config_service *a, const struct config_service *b)
{
	if (strcmp(a->name, b->name) != 0 || a->setting_count != b->setting_count)
		return false;
	for (size_t i = 0; i < config_service_keys.count; i++)
		if (!config_value_equal(&config_service_keys.rows[i], a, b))
			return false;
	for (size_t i = 0; i < a->setting_count; i++) {
		const char *value = config_setting_value(b, a->settings[i].name);

		if (value == NULL || strcmp(value, a->settings[i].value) != 0)
			return false;
	}
	return true;
}

/* --- unknown settings ----------------------------------------------------------- */

static bool
config_say_settings(struct buffer *out, const char *const *names, size_t count)
{
	if (count == 0)
		return buffer_append_text(out, "it has no settings");
	for (size_t i = 0; i < count; i++)
		if (!buffer_printf(out, "%s%s", i == 0 ? "it has " : ", ", names[i]))
			return false;
	return true;
}

/* Bay's own keys and the plugin's, as one list. */
static const char *
config_nearest_of_both(const char *name, const char *const *settings, size_t count)
{
	const char **names = xcalloc(config_service_keys.count + count, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < config_service_keys.count; i++)
		names[i] = config_service_keys.rows[i].name;
	for (size_t i = 0; i < count; i++)
		names[config_service_keys.count + i] = settings[i];
	nearest = text_nearest(name, names, config_service_keys.count + count);
	free(names);
	return nearest;
}

char *
config_unknown_setting_text(const struct config_service *service, size_t setting,
	const char *const *plugin_settings, size_t count)
{
	const char *name = service->settings[setting].name;
	const char *nearest = config_nearest_of_both(name, plugin_settings, count);
	char *quoted = config_report_quote(name);
	struct buffer text = {0};
	bool made = buffer_printf(&text, "unknown key %s", quoted);

	if (config_keys_find(&config_container_keys, name) != NULL)
		made = made && buffer_append_text(&text, ": it belongs into [container] [config-key]");
	else if (nearest != NULL)
		made = made && buffer_printf(&text, "; did you mean '%s'? [config-key]", nearest);
	else
		made = made && buffer_printf(&text, ": plugin '%s' has no such setting; ", service->plugin) &&
			config_say_settings(&text, plugin_settings, count) &&
			buffer_append_text(&text, " [config-key]");
	free(quoted);
	if (made && buffer_text(&text) != NULL)
		return (char *)text.data;
	buffer_finish(&text);
	return xstrdup("unknown key [config-key]");
}
