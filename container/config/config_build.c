/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/map.h"
#include "base/text.h"
#include "config/config_file.h"
#include "config/config_keys.h"
#include "config/config_report.h"
#include "config/config_value.h"

enum {
	CONFIG_SETTINGS_MAX = 256,  /* of one section */
	CONFIG_SERVICES_MAX = 65536, /* more are not even counted */
	CONFIG_CELLS_MAX = 1024,
	CONFIG_GROUPS_MAX = 1024
};

#define complain(builder, line, ...) \
	config_report_add((builder)->report, (builder)->_file, line, __VA_ARGS__)

/* --- sections ------------------------------------------------------------------ */

/* Only a default that is the section's name can fail, and config_check tells of that. */
static void
config_set_defaults(const struct config_keys *keys, void *section, const char *name)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct config_key *key = &keys->rows[i];
		char *why;

		if (!config_value_parse(key, key->fallback != NULL ? key->fallback : name, section, &why))
			abort();
	}
}

static bool
config_open_container(struct config_builder *builder, const char *rest, unsigned line)
{
	struct config_origin *origin = &builder->config->container.origin;

	if (*rest != '\0') {
		complain(builder, line, "[container] takes no name [config-section]");
		return false;
	}
	builder->_section = CONFIG_SECTION_CONTAINER;
	builder->_container = &builder->config->container;
	if (origin->file == NULL) {
		*origin = (struct config_origin){builder->_file, line};
		return true;
	}
	complain(builder, line, "[container] is here for the second time; the first is at %s:%u [config-twice]",
		origin->file, origin->line);
	memset(builder->_second.origins, 0, sizeof(builder->_second.origins));
	builder->_container = &builder->_second;
	return true;
}

static void
config_add_service(struct config_builder *builder, const char *name, unsigned line)
{
	struct config *config = builder->config;
	struct config_service *service;

	/* The capacity is the next power of two. */
	if ((config->service_count & (config->service_count - 1)) == 0)
		config->services = xrealloc(config->services,
			config->service_count > 0 ? config->service_count * 2 : 1, sizeof(*service));
	service = &config->services[config->service_count++];
	*service = (struct config_service){
		.name = xstrdup(name),
		.origin = {builder->_file, line},
	};
	config_set_defaults(&config_service_keys, service, name);
}

static void
config_add_cell(struct config_builder *builder, const char *name, unsigned line)
{
	struct config *config = builder->config;
	struct config_cell *cell;

	config->cells = xrealloc(config->cells, config->cell_count + 1, sizeof(*cell));
	cell = &config->cells[config->cell_count++];
	*cell = (struct config_cell){
		.name = xstrdup(name),
		.origin = {builder->_file, line},
	};
	config_set_defaults(&config_cell_keys, cell, name);
}

static void
config_add_group(struct config_builder *builder, const char *name, unsigned line)
{
	struct config *config = builder->config;
	struct config_group *group;

	config->groups = xrealloc(config->groups, config->group_count + 1, sizeof(*group));
	group = &config->groups[config->group_count++];
	*group = (struct config_group){
		.name = xstrdup(name),
		.origin = {builder->_file, line},
	};
	config_set_defaults(&config_group_keys, group, name);
}

/* A section that has a name, [word NAME]. False: it cannot be, and a complaint has been made. */
static bool
config_name_section(struct config_builder *builder, const char *word, const char *name,
	unsigned line)
{
	char *quoted;

	if (*name == '\0') {
		complain(builder, line, "a %s has a name: [%s NAME] [config-section]", word, word);
		return false;
	}
	if (config_name_is_valid(name, strlen(name)))
		return true;
	quoted = config_report_quote(name);
	complain(builder, line, "%s cannot be the name of a %s: that is %s [config-section]", quoted, word,
		config_name_rule);
	free(quoted);
	return false;
}

/* Complains of the second section of a name. */
static void
config_note_section(struct config_builder *builder, struct map *names, const char *word,
	const char *name, unsigned line)
{
	const struct config_origin *first = map_get(names, name);
	struct config_origin *here;

	if (first != NULL) {
		complain(builder, line, "[%s %s] is here for the second time; the first is at %s:%u [config-twice]",
			word, name, first->file, first->line);
	} else {
		here = xcalloc(1, sizeof(*here));
		*here = (struct config_origin){builder->_file, line};
		map_put(names, name, here);
	}
}

/* The keys of a second one are looked at too. */
static bool
config_open_service(struct config_builder *builder, const char *name, unsigned line)
{
	if (!config_name_section(builder, "service", name, line))
		return false;
	if (builder->config->service_count == CONFIG_SERVICES_MAX) {
		complain(builder, line, "there are more than %d service sections [config-limit]", CONFIG_SERVICES_MAX);
		return false;
	}
	config_note_section(builder, builder->_services, "service", name, line);
	config_add_service(builder, name, line);
	builder->_section = CONFIG_SECTION_SERVICE;
	return true;
}

static bool
config_open_cell(struct config_builder *builder, const char *name, unsigned line)
{
	if (!config_name_section(builder, "cell", name, line))
		return false;
	if (builder->config->cell_count == CONFIG_CELLS_MAX) {
		complain(builder, line, "there are more than %d cell sections [config-limit]", CONFIG_CELLS_MAX);
		return false;
	}
	config_note_section(builder, builder->_cells, "cell", name, line);
	config_add_cell(builder, name, line);
	builder->_section = CONFIG_SECTION_CELL;
	return true;
}

static bool
config_open_group(struct config_builder *builder, const char *name, unsigned line)
{
	if (!config_name_section(builder, "group", name, line))
		return false;
	if (builder->config->group_count == CONFIG_GROUPS_MAX) {
		complain(builder, line, "there are more than %d group sections [config-limit]", CONFIG_GROUPS_MAX);
		return false;
	}
	config_note_section(builder, builder->_groups, "group", name, line);
	config_add_group(builder, name, line);
	builder->_section = CONFIG_SECTION_GROUP;
	return true;
}

static void
config_complain_of_section(struct config_builder *builder, const char *word, const char *rest,
	unsigned line)
{
	static const char *const words[] = {"container", "service", "cell", "group"};
	const char *nearest = text_nearest(word, words, sizeof(words) / sizeof(*words));
	char *quoted;
	char *header;

	if (*word == '\0') {
		complain(builder, line, "the section header is empty; there are [container],"
			" [service NAME], [cell NAME] and [group NAME] [config-section]");
		return;
	}
	header = *rest != '\0' ? xasprintf("%s %s", word, rest) : xstrdup(word);
	quoted = config_report_quote(header);
	if (nearest == words[0])
		complain(builder, line, "unknown section %s; did you mean [container]? [config-section]", quoted);
	else if (nearest != NULL)
		complain(builder, line, "unknown section %s; did you mean [%s %s]? [config-section]", quoted,
			nearest, config_name_is_valid(rest, strlen(rest)) ? rest : "NAME");
	else
		complain(builder, line, "unknown section %s; there are [container], [service NAME], [cell NAME] and "
			"[group NAME] [config-section]", quoted);
	free(quoted);
	free(header);
}

/* Cuts the header into its first word and the rest, without blanks around them. */
static char *
config_split_header(char *header, char **rest_r)
{
	static const char blanks[] = " \t\v\f\r";
	char *word = header + strspn(header, blanks);
	char *end = word + strlen(word);
	char *rest;

	while (end > word && strchr(blanks, end[-1]) != NULL)
		*--end = '\0';
	rest = word + strcspn(word, blanks);
	if (*rest != '\0') {
		*rest++ = '\0';
		rest += strspn(rest, blanks);
	}
	*rest_r = rest;
	return word;
}

static bool
config_on_section(void *arg, const char *header, unsigned line)
{
	struct config_builder *builder = arg;
	char *copy = xstrdup(header);
	char *rest;
	char *word = config_split_header(copy, &rest);
	bool known = false;

	if (strcmp(word, "container") == 0)
		known = config_open_container(builder, rest, line);
	else if (strcmp(word, "service") == 0)
		known = config_open_service(builder, rest, line);
	else if (strcmp(word, "cell") == 0)
		known = config_open_cell(builder, rest, line);
	else if (strcmp(word, "group") == 0)
		known = config_open_group(builder, rest, line);
	else
		config_complain_of_section(builder, word, rest, line);
	free(copy);
	return known;
}

/* --- keys ---------------------------------------------------------------------- */

/* True: the key has not been there before, and now has. */
static bool
config_note_origin(struct config_builder *builder, struct config_origin *origin,
	const char *name, unsigned line)
{
	if (origin->file != NULL) {
		complain(builder, line, "the key '%s' is here for the second time; the first is at %s:%u [config-twice]",
			name, origin->file, origin->line);
		return false;
	}
	*origin = (struct config_origin){builder->_file, line};
	return true;
}

/* Sets a known key. False: a complaint has been made. */
static bool
config_set_key(struct config_builder *builder, const struct config_key *key, const char *value,
	void *section, struct config_origin *origin, unsigned line)
{
	char *why;
	char *quoted;

	if (!config_note_origin(builder, origin, key->name, line))
		return false;
	if (config_value_parse(key, value, section, &why))
		return true;
	quoted = config_report_quote(value);
	complain(builder, line, "%s = %s: %s [config-value]", key->name, quoted, why);
	free(quoted);
	free(why);
	return false;
}

static void
config_complain_of_key(struct config_builder *builder, const struct config_keys *table,
	const char *section, const char *name, unsigned line)
{
	struct buffer keys = {0};
	bool made = true;

	for (size_t i = 0; i < table->count; i++)
		made = made && buffer_printf(&keys, " %s", table->rows[i].name);
	complain(builder, line, "unknown key '%s' in %s, which has the keys%s [config-key]", name, section,
		made && buffer_text(&keys) != NULL ? (const char *)keys.data : "");
	buffer_finish(&keys);
}

static void
config_on_container_key(struct config_builder *builder, const char *name, const char *value,
	unsigned line)
{
	const struct config_key *key = config_keys_find(&config_container_keys, name);
	struct config_container *container = builder->_container;
	const char *nearest;

	if (key == NULL) {
		nearest = config_keys_nearest(&config_container_keys, name);
		if (nearest != NULL)
			complain(builder, line, "unknown key '%s'; did you mean '%s'? [config-key]", name, nearest);
		else if (config_keys_find(&config_service_keys, name) != NULL)
			complain(builder, line, "the key '%s' belongs into a [service NAME] section [config-key]", name);
		else
			config_complain_of_key(builder, &config_container_keys, "[container]", name, line);
		return;
	}
	if (config_set_key(builder, key, value, container,
			&container->origins[key - config_container_keys.rows], line) &&
			key->type == CONFIG_TYPE_PATTERNS)
		config_patterns_add(builder->_includes, value, line);
}

/* A key of a section with a name that is not of a service. */
static void
config_on_section_key(struct config_builder *builder, const struct config_keys *keys, const char *section_name,
	void *section, struct config_origin *origins, const char *name, const char *value, unsigned line)
{
	const struct config_key *key = config_keys_find(keys, name);
	const char *nearest = config_keys_nearest(keys, name);

	if (key != NULL)
		(void)config_set_key(builder, key, value, section, &origins[key - keys->rows], line);
	else if (nearest != NULL)
		complain(builder, line, "unknown key '%s'; did you mean '%s'? [config-key]", name, nearest);
	else if (config_keys_find(&config_service_keys, name) != NULL)
		complain(builder, line, "the key '%s' belongs into a [service NAME] section [config-key]", name);
	else if (config_keys_find(&config_container_keys, name) != NULL)
		complain(builder, line, "the key '%s' belongs into [container] [config-key]", name);
	else
		config_complain_of_key(builder, keys, section_name, name, line);
}

static void
config_on_cell_key(struct config_builder *builder, const char *name, const char *value,
	unsigned line)
{
	struct config_cell *cell = &builder->config->cells[builder->config->cell_count - 1];

	config_on_section_key(builder, &config_cell_keys, "[cell NAME]", cell, cell->origins, name, value,
		line);
}

static void
config_on_group_key(struct config_builder *builder, const char *name, const char *value,
	unsigned line)
{
	struct config_group *group = &builder->config->groups[builder->config->group_count - 1];

	config_on_section_key(builder, &config_group_keys, "[group NAME]", group, group->origins, name, value,
		line);
}

static void
config_add_setting(struct config_builder *builder, struct config_service *service,
	const char *name, const char *value, unsigned line)
{
	struct config_setting *setting;

	for (size_t i = 0; i < service->setting_count; i++) {
		setting = &service->settings[i];
		if (strcmp(setting->name, name) == 0) {
			(void)config_note_origin(builder, &setting->origin, name, line);
			return;
		}
	}
	if (service->setting_count == CONFIG_SETTINGS_MAX) {
		complain(builder, line, "the section has more than %d settings [config-limit]", CONFIG_SETTINGS_MAX);
		return;
	}
	service->settings = xrealloc(service->settings, service->setting_count + 1,
		sizeof(*setting));
	service->settings[service->setting_count++] = (struct config_setting){
		.name = xstrdup(name),
		.value = xstrdup(value),
		.origin = {builder->_file, line},
	};
}

static void
config_on_service_key(struct config_builder *builder, const char *name, const char *value,
	unsigned line)
{
	struct config_service *service =
		&builder->config->services[builder->config->service_count - 1];
	const struct config_key *key = config_keys_find(&config_service_keys, name);

	if (key == NULL)
		config_add_setting(builder, service, name, value, line);
	else
		(void)config_set_key(builder, key, value, service,
			&service->origins[key - config_service_keys.rows], line);
}

static void
config_on_key(void *arg, const char *name, const char *value, unsigned line)
{
	struct config_builder *builder = arg;

	switch (builder->_section) {
	case CONFIG_SECTION_NONE:
		if (strcmp(name, "include") == 0)
			config_patterns_add(builder->_includes, value, line);
		else
			complain(builder, line, "the key '%s' stands before the first section; only"
				" 'include' may [config-key]", name);
		break;
	case CONFIG_SECTION_CONTAINER:
		config_on_container_key(builder, name, value, line);
		break;
	case CONFIG_SECTION_SERVICE:
		config_on_service_key(builder, name, value, line);
		break;
	case CONFIG_SECTION_CELL:
		config_on_cell_key(builder, name, value, line);
		break;
	case CONFIG_SECTION_GROUP:
		config_on_group_key(builder, name, value, line);
		break;
	}
}

/* --- the builder ----------------------------------------------------------------- */

void
config_builder_init(struct config_builder *builder, struct config *config,
	struct config_report *report)
{
	*builder = (struct config_builder){
		.config = config,
		.report = report,
		._services = map_create(),
		._cells = map_create(),
		._groups = map_create(),
	};
	config_set_defaults(&config_container_keys, &config->container, "");
	config_set_defaults(&config_container_keys, &builder->_second, "");
}

void
config_builder_finish(struct config_builder *builder)
{
	struct map_entry *entry;

	for (size_t i = 0; i < config_container_keys.count; i++)
		config_value_finish(&config_container_keys.rows[i], &builder->_second);
	map_for_each(entry, builder->_services)
		free(entry->value);
	map_for_each(entry, builder->_cells)
		free(entry->value);
	map_for_each(entry, builder->_groups)
		free(entry->value);
	map_destroy(builder->_groups);
	map_destroy(builder->_services);
	map_destroy(builder->_cells);
}

/* Keeps the name of the file for as long as the configuration lives. */
static const char *
config_keep_file(struct config *config, const char *file)
{
	config->files = xrealloc(config->files, config->file_count + 1, sizeof(char *));
	config->files[config->file_count] = xstrdup(file);
	return config->files[config->file_count++];
}

void
config_builder_read(struct config_builder *builder, const char *file, const void *data,
	size_t size, struct config_patterns *includes)
{
	const struct config_file_events events = {
		.section = config_on_section,
		.key = config_on_key,
		.arg = builder,
	};

	builder->_file = config_keep_file(builder->config, file);
	builder->_section = CONFIG_SECTION_NONE;
	builder->_includes = includes;
	config_file_parse(builder->_file, data, size, &events, builder->report);
}
