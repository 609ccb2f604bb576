/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The libraries that a plugin needs, loaded before it. Loaded by the plugin itself, a
 * library may use functions of the plugin in place of its own (a C++ library does, for what
 * both have inline), and the plugin could then not be unloaded before it. And one that lies
 * beside the plugin ($ORIGIN) would not be found from the image, which lies elsewhere.
 *
 * On a loader thread, as plugin_open.
 */
#ifndef BAY_SERVICE_PLUGIN_LIBRARIES_H
#define BAY_SERVICE_PLUGIN_LIBRARIES_H

#include <stddef.h>

struct plugin_facts;

/* A zeroed struct holds nothing. Has one owner. */
struct plugin_libraries {
	void **handles;
	size_t count;
	char *searched; /* the directories where the plugin's own were looked for, or NULL */
	char *failure;  /* what is wrong with the first that was found and not loaded, or NULL */
};

/* Loads what can be found. The rest is left for the plugin to find, or to be told of. origin
 * stands for the plugin's $ORIGIN: it is the directory of its file, not of its image; NULL:
 * nobody knows. */
void plugin_libraries_open(struct plugin_libraries *libraries, const struct plugin_facts *facts,
	const char *origin);

/* Lets go of them, after the plugin is unloaded. */
void plugin_libraries_close(struct plugin_libraries *libraries);

#endif
