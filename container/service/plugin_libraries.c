/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dynamic loader takes a library that is loaded already for one that is needed when it
 * has its name (DT_SONAME), so what is loaded here by its path the plugin finds.
 */
#include "config.h"

#include "service/plugin_libraries.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "service/plugin_file.h"

/* --- where ------------------------------------------------------------------------- */

/* How long the word for the plugin's own directory is that text begins with, or 0. */
static size_t
plugin_libraries_origin_length(const char *text)
{
	if (strncmp(text, "${ORIGIN}", 9) == 0)
		return 9;
	if (strncmp(text, "$ORIGIN", 7) == 0 && (text[7] == '\0' || text[7] == '/' || text[7] == ':'))
		return 7;
	return 0;
}

/* The plugin's search path with origin in its place; the caller's. */
static char *
plugin_libraries_expand(const char *search_path, const char *origin)
{
	struct buffer path = {0};
	char *text;
	size_t length;

	while (*search_path != '\0') {
		length = origin != NULL ? plugin_libraries_origin_length(search_path) : 0;
		if (length > 0)
			(void)!buffer_append(&path, origin, strlen(origin));
		else
			(void)!buffer_append(&path, search_path, 1);
		search_path += length > 0 ? length : 1;
	}
	text = xstrndup((const char *)path.data, path.size);
	buffer_finish(&path);
	return text;
}

/* --- loading -------------------------------------------------------------------------- */

static void *
plugin_libraries_load_file(struct plugin_libraries *libraries, const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const char *why = handle == NULL ? dlerror() : NULL;

	if (handle == NULL && libraries->failure == NULL)
		libraries->failure = xasprintf("%s: %s", path, why != NULL ? why : "it cannot be loaded");
	return handle;
}

/* Whether it is there; a place where we may not look might have it. */
static bool
plugin_libraries_is_there(struct plugin_libraries *libraries, const char *path)
{
	if (access(path, F_OK) == 0)
		return true;
	if (errno == EACCES && libraries->failure == NULL)
		libraries->failure = xasprintf("%s cannot be looked for by user %u: let that user "
			"read it and the directories above it", path, (unsigned)geteuid());
	return false;
}

/*
 * The directories that the plugin names itself come first, as for the dynamic loader: under
 * the name of a library that is loaded already it would find no other one. True: it lies in
 * one of them, and *handle_r is what came of loading it.
 */
static bool
plugin_libraries_search(struct plugin_libraries *libraries, const char *name, void **handle_r)
{
	const char *search_path = libraries->searched;

	while (search_path != NULL && *search_path != '\0') {
		size_t length = strcspn(search_path, ":");
		char *path = xasprintf("%.*s/%s", (int)length, search_path, name);
		bool found = plugin_libraries_is_there(libraries, path);

		if (found)
			*handle_r = plugin_libraries_load_file(libraries, path);
		free(path);
		if (found)
			return true;
		search_path += length + (search_path[length] == ':');
	}
	return false;
}

static void *
plugin_libraries_load(struct plugin_libraries *libraries, const char *name)
{
	void *handle = NULL;

	/* A path is relative to a directory that only the plugin's author knows. */
	if (strchr(name, '/') != NULL || plugin_libraries_search(libraries, name, &handle))
		return handle;
	/* Where another word ($LIB) leads is not known here, so it is left to the plugin. */
	if (libraries->searched != NULL && strchr(libraries->searched, '$') != NULL)
		return NULL;
	return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

void
plugin_libraries_open(struct plugin_libraries *libraries, const struct plugin_facts *facts,
	const char *origin)
{
	libraries->handles = xcalloc(facts->libraries.count, sizeof(*libraries->handles));
	if (facts->search_path != NULL)
		libraries->searched = plugin_libraries_expand(facts->search_path, origin);
	for (size_t i = 0; i < facts->libraries.count; i++) {
		void *handle = plugin_libraries_load(libraries, facts->libraries.items[i]);

		if (handle != NULL)
			libraries->handles[libraries->count++] = handle;
	}
	/* What was not found is nobody's business yet. */
	(void)dlerror();
}

void
plugin_libraries_close(struct plugin_libraries *libraries)
{
	while (libraries->count > 0)
		dlclose(libraries->handles[--libraries->count]);
	free(libraries->handles);
	free(libraries->searched);
	free(libraries->failure);
	*libraries = (struct plugin_libraries){0};
}
