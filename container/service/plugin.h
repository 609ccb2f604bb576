/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin whose code is in the process: from an image on disk to a checked descriptor, and
 * back to nothing, if it lets itself be unloaded.
 *
 * Opening and closing run constructors and destructors of the plugin, which may take any
 * time: on a loader thread only, one at a time. The rest: any thread; never suspends.
 */
#ifndef BAY_SERVICE_PLUGIN_H
#define BAY_SERVICE_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>

#include <bay/plugin.h>

#include "service/plugin_libraries.h"

struct buffer;
struct plugin_facts;

/* Has one owner. Members are read only. */
struct plugin {
	/* As this container knows it: fields that the plugin was compiled without are zero. */
	struct bay_plugin descriptor;
	struct plugin_facts *facts; /* NULL: it was adopted */
	char *image; /* the path it was opened by, or NULL */
	struct plugin_libraries _libraries;
	void *_handle;
};

/*
 * Reads the image, loads it and checks its descriptor. sha256 is what the image must still
 * be; NULL: anything. origin is the directory where the plugin's file lies, beside which it
 * looks for libraries ($ORIGIN); NULL: nobody knows. image may be /proc/self/fd/N, when N stays open as long as the code
 * is there. False: the reason is appended to error, and nothing of it stays in the process
 * unless it refuses to leave.
 */
bool plugin_open(const char *image, const char *sha256, const char *origin,
	struct plugin **plugin_r, struct buffer *error)
	__attribute__((warn_unused_result));

/*
 * Takes a descriptor that is part of the program, as of a test; borrowed until plugin_close().
 * False: the reason is appended to error.
 */
bool plugin_adopt(const struct bay_plugin *descriptor, struct plugin **plugin_r, struct buffer *error)
	__attribute__((warn_unused_result));

/*
 * Unloads the code if that is safe, and frees the plugin in any case; nothing of it may be
 * running or be called any more. False: the code lingers until the process ends, and why is
 * appended to reason. NULL is fine.
 */
bool plugin_close(struct plugin *plugin, struct buffer *reason);

/* Whether code that was loaded from this path is in the process: it then would be found
 * again under the path, whatever lies there now. */
bool plugin_is_loaded(const char *image);

#endif
