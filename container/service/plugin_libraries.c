/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/plugin_libraries.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "service/plugin_file.h"

/*
 * The directories that the plugin names itself come first, as for the dynamic loader: under
 * the name of a library that is loaded already it would find no other one. True: it lies in
 * one of them, and *handle_r is what came of loading it.
 */
static bool
plugin_libraries_search(const char *search_path, const char *name, void **handle_r)
{
	while (search_path != NULL && *search_path != '\0') {
		size_t length = strcspn(search_path, ":");
		char *path = xasprintf("%.*s/%s", (int)length, search_path, name);
		bool found = access(path, F_OK) == 0;

		if (found)
			*handle_r = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		free(path);
		if (found)
			return true;
		search_path += length + (search_path[length] == ':');
	}
	return false;
}

static void *
plugin_libraries_load(const char *search_path, const char *name)
{
	void *handle = NULL;

	/* A path is relative to a directory that only the plugin's author knows. */
	if (strchr(name, '/') != NULL || plugin_libraries_search(search_path, name, &handle))
		return handle;
	/* Where a $ORIGIN leads is not known here, so it is left to the plugin. */
	if (search_path != NULL && strchr(search_path, '$') != NULL)
		return NULL;
	return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

void
plugin_libraries_open(struct plugin_libraries *libraries, const struct plugin_facts *facts)
{
	libraries->handles = xcalloc(facts->libraries.count, sizeof(*libraries->handles));
	for (size_t i = 0; i < facts->libraries.count; i++) {
		void *handle = plugin_libraries_load(facts->search_path, facts->libraries.items[i]);

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
	libraries->handles = NULL;
}
