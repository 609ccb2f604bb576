/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The libraries that a plugin needs, loaded before it. Loaded by the plugin itself, a
 * library may use functions of the plugin in place of its own (a C++ library does, for what
 * both have inline), and the plugin could then not be unloaded before it.
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
};

/* Loads what can be found. The rest is left for the plugin to find, or to be told of. */
void plugin_libraries_open(struct plugin_libraries *libraries, const struct plugin_facts *facts);

/* Lets go of them, after the plugin is unloaded. */
void plugin_libraries_close(struct plugin_libraries *libraries);

#endif
