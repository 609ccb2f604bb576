/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a file includes is read after the whole of that file, in the order of its patterns
 * and of the names that each of them matches. A configuration of which anything has been
 * complained is only good for finding more complaints.
 */
#include "config.h"

#include "config/config_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "config/config_build.h"
#include "config/config_check.h"
#include "config/config_file.h"
#include "config/config_include.h"

/* One run reads no more files than this. */
enum { CONFIG_FILES_MAX = 1024 };

struct config_file_id {
	dev_t device;
	ino_t inode;
};

struct config_loader {
	struct config_builder builder;
	struct config_file_id *ids; /* of config->files, in the same order */
};

/* --- files ------------------------------------------------------------------- */

static const char *
config_why_unreadable(int error)
{
	switch (error) {
	case EFBIG:
		return "it is larger than 1M, and a configuration file may not be";
	case EISDIR:
		return "it is a directory";
	case EINVAL:
		return "it is no regular file";
	case EACCES:
		return "Permission denied; let bayd's user read it (chmod, chown)";
	case EMFILE:
		return "Too many open files; raise the limit (LimitNOFILE= or ulimit -n)";
	default:
		return strerror(error);
	}
}

/* Where a complaint about reading a file belongs: where it is asked for, if it is. */
static void
config_blame(const struct config_loader *loader, const struct config_chain *link,
	unsigned line, const char *what, const char *why)
{
	const char *file = link->includer != NULL ? link->includer->file : link->file;
	char *quoted = config_report_quote(link->file);

	config_report_add(loader->builder.report, file, line, "%s %s: %s [%s]", what, quoted, why,
		link->includer != NULL ? "config-include" : "config-file");
	free(quoted);
}

/* The name under which a file has been read before, or NULL. */
static const char *
config_read_before(const struct config_loader *loader, const struct config_chain *link)
{
	const struct config *config = loader->builder.config;

	for (size_t i = 0; i < config->file_count; i++)
		if (loader->ids[i].device == link->device && loader->ids[i].inode == link->inode)
			return config->files[i];
	return NULL;
}

/* Whether the file may be read now; else a complaint has been made. */
static bool
config_may_read(struct config_loader *loader, const struct config_chain *link, unsigned line)
{
	char *fault = config_chain_fault(link);
	const char *before;

	if (fault == NULL && (before = config_read_before(loader, link)) != NULL)
		fault = xasprintf("it has been read already, as '%s'", before);
	if (fault == NULL && loader->builder.config->file_count == CONFIG_FILES_MAX)
		fault = xasprintf("there are more than %d files", CONFIG_FILES_MAX);
	if (fault == NULL)
		return true;
	config_blame(loader, link, line, "cannot include", fault);
	free(fault);
	return false;
}

static void config_read_includes(struct config_loader *loader, const struct config_chain *link,
	const struct config_patterns *patterns);

/* Reads a file and what it includes; line is where its includer asks for it. */
static void
config_read(struct config_loader *loader, struct config_chain *link, unsigned line)
{
	struct config_builder *builder = &loader->builder;
	struct config_patterns includes = {0};
	struct buffer data = {0};
	struct stat status;

	if (stat(link->file, &status) != 0) {
		config_blame(loader, link, line, "cannot read", strerror(errno));
		return;
	}
	link->device = status.st_dev;
	link->inode = status.st_ino;
	if (!config_may_read(loader, link, line))
		return;
	if (!fd_read_file(AT_FDCWD, link->file, 0, CONFIG_FILE_MAX, &data)) {
		config_blame(loader, link, line, "cannot read", config_why_unreadable(errno));
		buffer_finish(&data);
		return;
	}
	loader->ids = xrealloc(loader->ids, builder->config->file_count + 1, sizeof(*loader->ids));
	loader->ids[builder->config->file_count] =
		(struct config_file_id){link->device, link->inode};
	config_builder_read(builder, link->file, data.data, data.size, &includes);
	buffer_finish(&data);
	config_read_includes(loader, link, &includes);
	config_patterns_finish(&includes);
}

static void
config_read_includes(struct config_loader *loader, const struct config_chain *link,
	const struct config_patterns *patterns)
{
	struct config_patterns names = {0};

	for (size_t i = 0; i < patterns->count; i++)
		config_pattern_match(patterns->list[i].text, patterns->list[i].line, link->file, &names,
			loader->builder.report);
	for (size_t i = 0; i < names.count; i++) {
		struct config_chain below = {
			.file = names.list[i].text,
			.includer = link,
			.depth = link->depth + 1,
		};

		config_read(loader, &below, names.list[i].line);
	}
	config_patterns_finish(&names);
}

/* --- the whole ----------------------------------------------------------------- */

/* The absolute path of the main file; its own name may be a symbolic link and stays. */
static char *
config_absolute_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = config_dir_of(path);
	char *absolute = realpath(*dir != '\0' ? dir : ".", NULL);
	char *joined = NULL;

	if (absolute != NULL)
		joined = xasprintf("%s/%s", strcmp(absolute, "/") == 0 ? "" : absolute,
			slash != NULL ? slash + 1 : path);
	free(dir);
	free(absolute);
	return joined;
}

/* Begins a configuration whose main file is at path, or complains. */
static bool
config_loader_init(struct config_loader *loader, const char *path,
	struct config_report *report)
{
	struct config *config;
	char *absolute = config_absolute_path(path);

	config_report_file(report, path);
	if (absolute == NULL) {
		config_report_add(report, path, 0, "cannot read its directory: %s [config-file]", strerror(errno));
		return false;
	}
	config = xcalloc(1, sizeof(*config));
	config->_refs = 1;
	config->path = absolute;
	*loader = (struct config_loader){0};
	config_builder_init(&loader->builder, config, report);
	return true;
}

/* Returns what was read, NULL when that is nothing. */
static struct config *
config_loader_finish(struct config_loader *loader)
{
	struct config *config = loader->builder.config;
	struct config_report *report = loader->builder.report;

	/* Without a first file there is nothing to say more of. */
	if (config->file_count > 0) {
		config_resolve_paths(config, report);
		config_check_together(config, report);
	}
	config_builder_finish(&loader->builder);
	free(loader->ids);
	if (config->file_count > 0)
		return config;
	config_destroy(config);
	return NULL;
}

/* Only a configuration without a complaint is handed out. */
static bool
config_hand_out(struct config *config, struct config **config_r, const struct config_report *report)
{
	if (config != NULL && report->count > 0) {
		config_destroy(config);
		config = NULL;
	}
	*config_r = config;
	return config != NULL;
}

struct config *
config_load_partly(const char *path, struct config_report *report)
{
	struct config_chain link = {.file = path};
	struct config_loader loader;

	if (!config_loader_init(&loader, path, report))
		return NULL;
	config_read(&loader, &link, 0);
	return config_loader_finish(&loader);
}

bool
config_load(const char *path, struct config **config_r, struct config_report *report)
{
	return config_hand_out(config_load_partly(path, report), config_r, report);
}

bool
config_load_memory(const char *path, const void *data, size_t size,
	struct config **config_r, struct config_report *report)
{
	struct config_patterns includes = {0};
	struct config_loader loader;

	*config_r = NULL;
	if (!config_loader_init(&loader, path, report))
		return false;
	if (size <= CONFIG_FILE_MAX)
		config_builder_read(&loader.builder, path, data, size, &includes);
	else
		config_report_add(report, path, 0, "%s [config-file]", config_why_unreadable(EFBIG));
	for (size_t i = 0; i < includes.count; i++)
		config_report_add(report, path, includes.list[i].line, "this may not include others [config-include]");
	config_patterns_finish(&includes);
	return config_hand_out(config_loader_finish(&loader), config_r, report);
}
