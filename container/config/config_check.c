/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_check.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/text.h"
#include "config/config_data.h"
#include "config/config_include.h"
#include "config/config_keys.h"
#include "config/config_listen.h"
#include "config/config_order.h"
#include "config/config_report.h"

/* --- paths ------------------------------------------------------------------ */

/* The absolute directory of a file of the configuration, with its slash. */
static char *
config_absolute_dir(const char *file)
{
	char *dir = config_dir_of(file);
	char *absolute = realpath(*dir != '\0' ? dir : ".", NULL);
	char *with_slash;

	free(dir);
	/* It was there a moment ago, and who removed it gets complaints enough. */
	with_slash = absolute == NULL ? xstrdup("/") :
		xasprintf("%s%s", absolute, strcmp(absolute, "/") == 0 ? "" : "/");
	free(absolute);
	return with_slash;
}

static char *
config_path_base(const struct config *config, const struct config_key *key,
	const struct config_origin *origin)
{
	if (key->type == CONFIG_TYPE_RUNTIME_PATH)
		return xasprintf("%s/", config->container.runtime_dir);
	return config_absolute_dir(origin->file != NULL ? origin->file : config->path);
}

/* Drops every "./" at the start, which says nothing. */
static const char *
config_skip_here(const char *path)
{
	while (path[0] == '.' && path[1] == '/')
		for (path += 2; *path == '/';)
			path++;
	return strcmp(path, ".") == 0 ? "" : path;
}

/*
 * The path without its "..": what comes before the last of them is replaced by where that
 * leads. What comes after it is left alone: a symbolic link there may be pointed elsewhere
 * while the daemon runs. A path that leads nowhere stays as it is. Takes path.
 */
static char *
config_without_dots(char *path)
{
	char *last = NULL;
	char *real;
	char *whole;

	for (char *at = strstr(path, "/.."); at != NULL; at = strstr(at + 3, "/.."))
		if (at[3] == '/' || at[3] == '\0')
			last = at + 3;
	if (last == NULL)
		return path;
	whole = xstrndup(path, (size_t)(last - path));
	real = realpath(whole, NULL);
	free(whole);
	if (real == NULL)
		return path;
	whole = xasprintf("%s%s", strcmp(real, "/") == 0 && *last != '\0' ? "" : real, last);
	free(real);
	free(path);
	return whole;
}

static void
config_resolve(struct config *config, const struct config_key *key,
	const struct config_origin *origin, struct config_report *report)
{
	char **field = (char **)(void *)((char *)&config->container + key->offset);
	char *base;
	char *path;

	if (**field != '/') {
		base = config_path_base(config, key, origin);
		path = xasprintf("%s%s", base, config_skip_here(*field));
		/* "." is the directory itself. */
		if (path[strlen(path) - 1] == '/' && path[1] != '\0')
			path[strlen(path) - 1] = '\0';
		free(base);
		free(*field);
		*field = path;
	}
	*field = config_without_dots(*field);
	if (strlen(*field) >= PATH_MAX)
		config_report_add(report, origin->file != NULL ? origin->file : config->files[0],
			origin->line, "%s: the path is longer than %d bytes [config-value]", key->name, PATH_MAX - 1);
}

/* runtime_dir's row comes before those of what lies in it. */
void
config_resolve_paths(struct config *config, struct config_report *report)
{
	for (size_t i = 0; i < config_container_keys.count; i++) {
		const struct config_key *key = &config_container_keys.rows[i];

		if (key->type == CONFIG_TYPE_PATH || key->type == CONFIG_TYPE_RUNTIME_PATH ||
				(key->type == CONFIG_TYPE_LOG && config_log_sink(config) == CONFIG_LOG_FILE))
			config_resolve(config, key, &config->container.origins[i], report);
	}
}

/* --- together ----------------------------------------------------------------- */

static void
config_check_count(const struct config *config, struct config_report *report)
{
	size_t max = (size_t)config->container.max_services;

	if (config->service_count > max)
		config_report_add(report, config->services[max].origin.file,
			config->services[max].origin.line,
			"there are %zu service sections, more than max_services = %zu allows [config-limit]",
			config->service_count, max);
}

/* Whether they are one directory, by whatever names; one that is not there yet has only its own. */
static bool
config_is_same_dir(const char *a, const char *b)
{
	struct stat one;
	struct stat other;

	if (stat(a, &one) != 0 || stat(b, &other) != 0)
		return strcmp(a, b) == 0;
	return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Copies would lie among the plugins, and be taken for some. */
static void
config_check_image_dir(const struct config *config, struct config_report *report)
{
	const struct config_container *container = &config->container;
	const struct config_origin *origin = config_container_origin(config, "image_dir");

	if (!config_is_same_dir(container->image_dir, container->plugin_dir))
		return;
	if (origin->file == NULL)
		origin = config_container_origin(config, "plugin_dir");
	config_report_add(report, origin->file != NULL ? origin->file : config->path, origin->line,
		"image_dir = %s: this is plugin_dir too; the copies that cells load want a directory of "
		"their own [config-value]", container->image_dir);
}

static void
config_check_instances(const struct config *config, const struct config_service *service,
	struct config_report *report)
{
	const struct config_origin *origin = config_service_origin(service, "instances");
	int64_t loops = config_cell_loops(config, config_service_cell(service));

	if (loops > 0 && service->instances > loops)
		config_report_add(report, origin->file, origin->line, "instances = %" PRId64
			": there are only loops = %" PRId64 ", and a loop has one instance at most [config-value]",
			service->instances, loops);
}

/* Where a key of a service stands, or else its section. */
static const struct config_origin *
config_check_place(const struct config_service *service, const char *key)
{
	const struct config_origin *origin = config_service_origin(service, key);

	return origin->file != NULL ? origin : &service->origin;
}

/* Nobody else may be in a cell of somebody's own. */
static void
config_check_own_cell(const struct config *config, const struct config_service *service,
	struct config_report *report)
{
	const struct config_origin *origin = config_check_place(service, "isolate");
	const struct config_origin *place;

	if (!service->isolate)
		return;
	if (config_service_origin(service, "cell")->file != NULL)
		config_report_add(report, origin->file, origin->line, "isolate = yes: the service has cell = %s "
			"too, but it is either alone in a cell or shares one: remove one of the two [config-cell]",
			service->cell);
	if (strcmp(service->name, CONFIG_CELL_MAIN) == 0)
		config_report_add(report, origin->file, origin->line, "isolate = yes: the cell would be called "
			CONFIG_CELL_MAIN " as the service, but that is the cell of all who name none: call the service "
			"otherwise, or write cell = NAME [config-cell]");
	for (size_t i = 0; i < config->service_count; i++) {
		const struct config_service *other = &config->services[i];

		if (other->isolate || strcmp(other->cell, service->name) != 0)
			continue;
		place = config_check_place(other, "cell");
		config_report_add(report, place->file, place->line, "cell = %s: that is the own cell of service "
			"%s, which has isolate = yes [config-cell]", other->cell, service->name);
	}
}

/* Said here and not with the value, since the default comes from the section's name. */
static void
config_check_plugin(const struct config_service *service, struct config_report *report)
{
	const struct config_origin *origin = config_service_origin(service, "plugin");
	size_t length = strlen(service->plugin);

	if (origin->file == NULL)
		origin = &service->origin;
	if (length > 3 && strcmp(service->plugin + length - 3, ".so") == 0)
		config_report_add(report, origin->file, origin->line,
			"plugin = %s: a plugin is named without .so [config-value]", service->plugin);
}

/* A path that is short enough may not be so behind runtime_dir. */
static void
config_check_listen(const struct config *config, const struct config_service *service,
	struct config_report *report)
{
	const struct config_origin *origin = config_service_origin(service, "listen");
	const char *list = service->listen;
	struct config_listen entry;
	const char *why;

	while (config_listen_next(&list, &entry, &why) == CONFIG_LISTEN_ENTRY) {
		if (entry.has_address &&
				!listen_address_resolve(&entry.address, config->container.runtime_dir))
			config_report_add(report, origin->file, origin->line,
				"listen = '%.*s': with runtime_dir = %s in front, the path is longer than the "
				"%d bytes that the path of a socket may have [config-value]", (int)entry.size, entry.text,
				config->container.runtime_dir, LISTEN_PATH_MAX);
	}
}

static void
config_check_group(const struct config *config, const struct config_service *service,
	struct config_report *report)
{
	const struct config_origin *origin = config_service_origin(service, "group");
	const char **names;
	const char *nearest;
	char *quoted;

	if (*service->group == '\0' || config_find_group(config, service->group) != NULL)
		return;
	names = xcalloc(config->group_count + 1, sizeof(*names));
	for (size_t i = 0; i < config->group_count; i++)
		names[i] = config->groups[i].name;
	nearest = text_nearest(service->group, names, config->group_count);
	quoted = config_report_quote(service->group);
	config_report_add(report, origin->file, origin->line, "group = %s: there is no such "
		"[group NAME]%s%s%s [config-group]", quoted, nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
		nearest != NULL ? "'?" : "");
	free(quoted);
	free(names);
}

void
config_check_together(const struct config *config, struct config_report *report)
{
	config_check_count(config, report);
	config_check_image_dir(config, report);
	config_order_destroy(config_order_create(config, report));
	for (size_t i = 0; i < config->service_count; i++) {
		config_check_instances(config, &config->services[i], report);
		config_check_plugin(&config->services[i], report);
		config_check_own_cell(config, &config->services[i], report);
		config_check_listen(config, &config->services[i], report);
		config_check_group(config, &config->services[i], report);
	}
}
