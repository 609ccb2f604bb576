/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config_keys.h"
#include "config/config_report.h"
#include "config/config_value.h"

/* --- origins ------------------------------------------------------------------- */

/* The same text as the configuration's own, for as long as that lives. */
static const char *
config_copy_keep_text(struct config *config, const char *text)
{
	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < config->file_count; i++)
		if (strcmp(config->files[i], text) == 0)
			return config->files[i];
	for (size_t i = 0; i < config->_kept_count; i++)
		if (strcmp(config->_kept[i], text) == 0)
			return config->_kept[i];
	config->_kept = xrealloc(config->_kept, config->_kept_count + 1, sizeof(char *));
	config->_kept[config->_kept_count] = xstrdup(text);
	return config->_kept[config->_kept_count++];
}

static void
config_copy_origin(struct config *config, struct config_origin *to,
	const struct config_origin *from)
{
	*to = (struct config_origin){config_copy_keep_text(config, from->file), from->line};
}

/* --- the whole ----------------------------------------------------------------- */

/* Into a zeroed section. */
static void
config_copy_section(struct config *config, const struct config_keys *keys, void *to,
	struct config_origin *origins, const void *from, const struct config_origin *from_origins)
{
	for (size_t i = 0; i < keys->count; i++) {
		config_value_copy(&keys->rows[i], to, from);
		config_copy_origin(config, &origins[i], &from_origins[i]);
	}
}

static void
config_copy_service(struct config *config, struct config_service *to,
	const struct config_service *from)
{
	to->name = xstrdup(from->name);
	to->plugin_file = from->plugin_file != NULL ? xstrdup(from->plugin_file) : NULL;
	config_copy_origin(config, &to->origin, &from->origin);
	config_copy_section(config, &config_service_keys, to, to->origins, from, from->origins);
	to->settings = xcalloc(from->setting_count + 1, sizeof(*to->settings));
	to->setting_count = from->setting_count;
	for (size_t i = 0; i < from->setting_count; i++) {
		to->settings[i].name = xstrdup(from->settings[i].name);
		to->settings[i].value = xstrdup(from->settings[i].value);
		config_copy_origin(config, &to->settings[i].origin, &from->settings[i].origin);
	}
}

static void
config_copy_cell(struct config *config, struct config_cell *to, const struct config_cell *from)
{
	to->name = xstrdup(from->name);
	config_copy_origin(config, &to->origin, &from->origin);
	config_copy_section(config, &config_cell_keys, to, to->origins, from, from->origins);
}

static void
config_copy_group(struct config *config, struct config_group *to, const struct config_group *from)
{
	to->name = xstrdup(from->name);
	config_copy_origin(config, &to->origin, &from->origin);
	config_copy_section(config, &config_group_keys, to, to->origins, from, from->origins);
}

struct config *
config_copy(const struct config *config)
{
	struct config *copy = xcalloc(1, sizeof(*copy));

	copy->_refs = 1;
	copy->path = xstrdup(config->path);
	copy->files = xcalloc(config->file_count + 1, sizeof(char *));
	copy->file_count = config->file_count;
	for (size_t i = 0; i < config->file_count; i++)
		copy->files[i] = xstrdup(config->files[i]);
	config_copy_origin(copy, &copy->container.origin, &config->container.origin);
	config_copy_section(copy, &config_container_keys, &copy->container,
		copy->container.origins, &config->container, config->container.origins);
	copy->services = xcalloc(config->service_count + 1, sizeof(*copy->services));
	copy->service_count = config->service_count;
	for (size_t i = 0; i < config->service_count; i++)
		config_copy_service(copy, &copy->services[i], &config->services[i]);
	copy->cells = xcalloc(config->cell_count + 1, sizeof(*copy->cells));
	copy->cell_count = config->cell_count;
	for (size_t i = 0; i < config->cell_count; i++)
		config_copy_cell(copy, &copy->cells[i], &config->cells[i]);
	copy->groups = xcalloc(config->group_count + 1, sizeof(*copy->groups));
	copy->group_count = config->group_count;
	for (size_t i = 0; i < config->group_count; i++)
		config_copy_group(copy, &copy->groups[i], &config->groups[i]);
	return copy;
}

/* --- setting a key --------------------------------------------------------------- */

/* False: text is no value of this key, for the reason in *why_r. */
static bool
config_copy_set_key(struct config *config, const struct config_keys *keys,
	const struct config_key *key, void *section, struct config_origin *origins,
	const char *text, const char *who, char **why_r)
{
	if (!config_value_parse(key, text, section, why_r))
		return false;
	origins[key - keys->rows] = (struct config_origin){config_copy_keep_text(config, who), 0};
	return true;
}

static void
config_copy_set_setting(struct config *config, struct config_service *service, const char *name,
	const char *text, const char *who)
{
	struct config_setting *setting = NULL;

	for (size_t i = 0; i < service->setting_count; i++)
		if (strcmp(service->settings[i].name, name) == 0)
			setting = &service->settings[i];
	if (setting == NULL) {
		service->settings = xrealloc(service->settings, service->setting_count + 1,
			sizeof(*service->settings));
		setting = &service->settings[service->setting_count++];
		*setting = (struct config_setting){.name = xstrdup(name)};
	}
	free(setting->value);
	setting->value = xstrdup(text);
	setting->origin = (struct config_origin){config_copy_keep_text(config, who), 0};
}

static bool
config_copy_set_container(struct config *config, const char *key, const char *text,
	const char *who, char **why_r)
{
	const struct config_key *row = config_keys_find(&config_container_keys, key);
	const char *nearest = config_keys_nearest(&config_container_keys, key);
	char *quoted;

	if (row != NULL)
		return config_copy_set_key(config, &config_container_keys, row, &config->container,
			config->container.origins, text, who, why_r);
	quoted = config_report_quote(key);
	*why_r = nearest != NULL ? xasprintf("unknown key %s; did you mean '%s'? [config-key]", quoted, nearest) :
		xasprintf("unknown key %s [config-key]", quoted);
	free(quoted);
	return false;
}

bool
config_copy_set(struct config *config, const char *service, const char *key, const char *text,
	const char *who, char **why_r)
{
	const struct config_key *row = config_keys_find(&config_service_keys, key);
	struct config_service *section = NULL;

	if (service == NULL)
		return config_copy_set_container(config, key, text, who, why_r);
	for (size_t i = 0; i < config->service_count; i++)
		if (strcmp(config->services[i].name, service) == 0)
			section = &config->services[i];
	if (section == NULL) {
		*why_r = xasprintf("there is no service %s", service);
		return false;
	}
	if (row != NULL)
		return config_copy_set_key(config, &config_service_keys, row, section,
			section->origins, text, who, why_r);
	config_copy_set_setting(config, section, key, text, who);
	return true;
}

/* --- what is taken over ---------------------------------------------------------- */

void
config_copy_keep(struct config *config, const struct config *in_force)
{
	for (size_t i = 0; i < config_container_keys.count; i++) {
		const struct config_key *key = &config_container_keys.rows[i];

		if (key->reloadable ||
				config_value_equal(key, &config->container, &in_force->container))
			continue;
		config_value_copy(key, &config->container, &in_force->container);
		config_copy_origin(config, &config->container.origins[i],
			&in_force->container.origins[i]);
	}
}

static void
config_copy_setting_origins(struct config *config, struct config_service *to,
	const struct config_service *from)
{
	for (size_t i = 0; i < to->setting_count; i++)
		for (size_t n = 0; n < from->setting_count; n++)
			if (strcmp(to->settings[i].name, from->settings[n].name) == 0 &&
					strcmp(to->settings[i].value, from->settings[n].value) == 0)
				config_copy_origin(config, &to->settings[i].origin, &from->settings[n].origin);
}

static void
config_copy_section_origins(struct config *config, const struct config_keys *keys,
	const void *to, struct config_origin *origins, const void *from,
	const struct config_origin *from_origins)
{
	for (size_t i = 0; i < keys->count; i++)
		if (config_value_equal(&keys->rows[i], to, from))
			config_copy_origin(config, &origins[i], &from_origins[i]);
}

static void
config_copy_cell_origins(struct config *config, const struct config *from)
{
	for (size_t i = 0; i < config->cell_count; i++) {
		struct config_cell *cell = &config->cells[i];
		const struct config_cell *other = config_find_cell(from, cell->name);

		if (other == NULL)
			continue;
		config_copy_origin(config, &cell->origin, &other->origin);
		config_copy_section_origins(config, &config_cell_keys, cell, cell->origins, other,
			other->origins);
	}
}

static void
config_copy_group_origins(struct config *config, const struct config *from)
{
	for (size_t i = 0; i < config->group_count; i++) {
		struct config_group *group = &config->groups[i];
		const struct config_group *other = config_find_group(from, group->name);

		if (other == NULL)
			continue;
		config_copy_origin(config, &group->origin, &other->origin);
		config_copy_section_origins(config, &config_group_keys, group, group->origins, other,
			other->origins);
	}
}

void
config_copy_origins(struct config *config, const struct config *from)
{
	config_copy_section_origins(config, &config_container_keys, &config->container,
		config->container.origins, &from->container, from->container.origins);
	config_copy_cell_origins(config, from);
	config_copy_group_origins(config, from);
	for (size_t i = 0; i < config->service_count; i++) {
		struct config_service *service = &config->services[i];
		const struct config_service *other = config_find_service(from, service->name);

		if (other == NULL)
			continue;
		config_copy_origin(config, &service->origin, &other->origin);
		config_copy_section_origins(config, &config_service_keys, service, service->origins,
			other, other->origins);
		config_copy_setting_origins(config, service, other);
	}
}
