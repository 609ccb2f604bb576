/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fills a configuration from the sections and keys of its files. A complaint stops
 * nothing, so that one run finds all that is wrong.
 */
#ifndef BAY_CONFIG_CONFIG_BUILD_H
#define BAY_CONFIG_CONFIG_BUILD_H

#include <stddef.h>

#include "config/config_data.h"
#include "config/config_include.h"

struct config_report;
struct map;

enum config_section {
	CONFIG_SECTION_NONE = 0, /* before the first header of a file */
	CONFIG_SECTION_CONTAINER,
	CONFIG_SECTION_SERVICE,
	CONFIG_SECTION_CELL,
	CONFIG_SECTION_GROUP
};

struct config_builder {
	struct config *config;
	struct config_report *report;
	struct map *_services;                /* name to where it stands first */
	struct map *_cells;                   /* the same */
	struct map *_groups;
	struct config_container _second;      /* takes the keys of a repeated [container] */
	const char *_file;                    /* being read */
	enum config_section _section;         /* being read; a service, cell or group is the last one */
	struct config_container *_container;  /* being read */
	struct config_patterns *_includes;    /* of the file being read */
};

/* Starts with the defaults, in an empty configuration that the caller owns. */
void config_builder_init(struct config_builder *builder, struct config *config,
	struct config_report *report);
void config_builder_finish(struct config_builder *builder);

/*
 * Adds the contents of a file; its name is kept by the configuration. What it includes is
 * put into includes.
 */
void config_builder_read(struct config_builder *builder, const char *file, const void *data,
	size_t size, struct config_patterns *includes);

#endif
