/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/reload_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "config/config_data.h"
#include "config/config_include.h"
#include "config/config_load.h"
#include "config/config_report.h"

/* An editor that is at work leaves a file empty for a moment, and a lost disk for longer. */
static bool
reload_read_has_container(const struct config *before, const struct config *config,
	struct config_report *report)
{
	if (config->container.origin.file != NULL ||
	    (config->service_count > 0 && before->container.origin.file == NULL))
		return true;
	config_report_add(report, config->files[0], 0, "%s: it is not taken for what is meant; write "
		"[container] into it [config-empty]",
		config->service_count > 0 ? "it has lost its section [container]" :
		"it has neither [container] nor a service");
	return false;
}

/* What a name that stands in the main file means there; the caller's. */
static char *
reload_read_resolve(const struct config *config, const char *name)
{
	char *dir = config_dir_of(*name == '/' ? "" : config->path);
	char *joined = xasprintf("%s%s", dir, name);

	free(dir);
	return joined;
}

/* Whether a file of the configuration lay in this directory, which ends with its slash. */
static bool
reload_read_had_file_in(const struct config *config, const char *dir)
{
	bool had = false;

	for (size_t i = 1; i < config->file_count && !had; i++) {
		/* Named as the main one was, perhaps from where bayd was started. */
		size_t above = strlen(config->files[0]) - strlen(strrchr(config->path, '/') + 1);
		const char *name = strncmp(config->files[i], config->files[0], above) == 0 ?
			config->files[i] + above : config->files[i];
		char *path = reload_read_resolve(config, name);

		had = strncmp(path, dir, strlen(dir)) == 0 && strchr(path + strlen(dir), '/') == NULL;
		free(path);
	}
	return had;
}

/* A pattern finds nothing in a directory that is not there; but that is hardly why it went. */
static bool
reload_read_has_directory(const struct config *before, const struct config *config,
	const struct config_pattern *pattern, struct config_report *report)
{
	char *path = reload_read_resolve(config, pattern->text);
	char *dir = config_dir_of(path);
	struct stat st;
	bool lost = strpbrk(pattern->text, "*?[") != NULL && strpbrk(dir, "*?[") == NULL &&
		stat(dir, &st) != 0 && errno == ENOENT && reload_read_had_file_in(before, dir);

	if (lost)
		config_report_add(report, config->files[0], 0, "the directory %s, whose files are in force, "
			"is gone: bring it back, or make an empty one if they are meant to go [config-include]", dir);
	free(path);
	free(dir);
	return !lost;
}

static bool
reload_read_is_meant(const struct config *before, const struct config *config,
	struct config_report *report)
{
	struct config_patterns patterns = {0};
	bool meant = reload_read_has_container(before, config, report);

	config_patterns_add(&patterns, config->container.include, 0);
	for (size_t i = 0; i < patterns.count && meant; i++)
		meant = reload_read_has_directory(before, config, &patterns.list[i], report);
	config_patterns_finish(&patterns);
	return meant;
}

bool
reload_read(const struct config *before, struct config **partly_r, struct config_report *report)
{
	*partly_r = config_load_partly(before->path, report);
	return *partly_r != NULL && report->count == 0 &&
		reload_read_is_meant(before, *partly_r, report);
}
