/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/code.h"
#include "service/plugin_dlerror.h"
#include "service/plugin_file.h"
#include "service/settings.h"
#include "service/verb_table.h"

static const uint64_t plugin_flags_known = BAY_LEAF;

/* --- the bytes ------------------------------------------------------------------------ */

static bool
plugin_read_facts(struct plugin *plugin, const char *sha256, struct buffer *error)
{
	int fd = open(plugin->image, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool done;

	if (fd < 0)
		return buffer_fail(error, "it cannot be opened: %s [plugin-file]", strerror(errno));
	done = plugin_file_read(fd, &plugin->facts, error);
	close(fd);
	if (!done)
		return false;
	if (sha256 != NULL && strcmp(plugin->facts->sha256, sha256) != 0)
		return buffer_fail(error, "its image %s has changed since it was examined [plugin-changed]",
			plugin->image);
	return true;
}

/* --- the descriptor --------------------------------------------------------------------- */

/* Two texts that one list of BAY_PLUGIN has written. */
static bool
plugin_check_same(const char *what, const char *described, const char *noted,
	struct buffer *error)
{
	if (described == NULL)
		return buffer_fail(error, "its descriptor has no %s", what);
	if (strcmp(described, noted) != 0)
		return buffer_fail(error, "its descriptor says %s '%.64s', its note '%s': write "
			"both with BAY_PLUGIN(...)", what, described, noted);
	return true;
}

/* What it offers. */
static bool
plugin_check_offer(const struct bay_plugin *descriptor, struct buffer *error)
{
	uint64_t unknown = descriptor->flags & ~plugin_flags_known;

	if (unknown != 0)
		return buffer_fail(error, "it has flags that this container does not know "
			"(0x%llx): upgrade the container, or compile the plugin with its headers",
			(unsigned long long)unknown);
	if (descriptor->handle == NULL && descriptor->run == NULL)
		return buffer_fail(error, "it has neither .handle nor .run, so it could do nothing");
	if (descriptor->handle == NULL && (descriptor->flags & BAY_LEAF) != 0)
		return buffer_fail(error, "it is declared BAY_LEAF but has no .handle");
	if (!settings_table_check(descriptor->settings, error))
		return code_fail(error, "plugin-settings");
	return verb_table_check(descriptor->verbs, error) || code_fail(error, "plugin-verbs");
}

static bool
plugin_check_descriptor(const struct bay_plugin *descriptor, const struct bay_plugin_note *note,
	struct buffer *error)
{
	if (descriptor->abi_major != note->abi_major || descriptor->abi_minor != note->abi_minor)
		return buffer_fail(error, "its descriptor says ABI %u.%u, its note %u.%u: write "
			"both with BAY_PLUGIN(...)", descriptor->abi_major, descriptor->abi_minor,
			note->abi_major, note->abi_minor);
	if (!plugin_check_same("name", descriptor->name, note->plugin_name, error) ||
	    !plugin_check_same("version", descriptor->version, note->plugin_version, error))
		return false;
	return plugin_check_offer(descriptor, error);
}

/* Copies what both sides know: the plugin may be older or newer than this container. */
static bool
plugin_read_descriptor(struct plugin *plugin, struct buffer *error)
{
	const struct bay_plugin_note *note = &plugin->facts->note;
	const struct bay_plugin *there = dlsym(plugin->_handle, "bay_plugin_v1");
	size_t size;

	if (there == NULL)
		return buffer_fail(error, "it does not export bay_plugin_v1: write it with "
			"BAY_PLUGIN(...) [plugin-note]");
	if (there->size != note->descriptor_size)
		return buffer_fail(error, "its descriptor has %u bytes, its note says %u: write "
			"both with BAY_PLUGIN(...) [plugin-descriptor]", there->size, note->descriptor_size);
	size = there->size < sizeof(plugin->descriptor) ? there->size : sizeof(plugin->descriptor);
	memcpy(&plugin->descriptor, there, size);
	return plugin_check_descriptor(&plugin->descriptor, note, error) ||
		code_fail(error, "plugin-descriptor");
}

/* --- open and close ------------------------------------------------------------------------ */

static bool
plugin_load(struct plugin *plugin, const char *origin, struct buffer *error)
{
	plugin_libraries_open(&plugin->_libraries, plugin->facts, origin);
	/* With NOW, a missing symbol is named here, and not the end of the cell later. */
	plugin->_handle = dlopen(plugin->image, RTLD_NOW | RTLD_LOCAL);
	if (plugin->_handle == NULL)
		return plugin_dlerror_explain(dlerror(), plugin->image, &plugin->_libraries, error);
	return plugin_read_descriptor(plugin, error);
}

bool
plugin_open(const char *image, const char *sha256, const char *origin,
	struct plugin **plugin_r, struct buffer *error)
{
	struct plugin *plugin = xcalloc(1, sizeof(*plugin));
	struct buffer ignored = {0};

	*plugin_r = NULL;
	plugin->image = xstrdup(image);
	if (!plugin_read_facts(plugin, sha256, error) || !plugin_load(plugin, origin, error)) {
		(void)plugin_close(plugin, &ignored);
		buffer_finish(&ignored);
		return false;
	}
	*plugin_r = plugin;
	return true;
}

bool
plugin_adopt(const struct bay_plugin *descriptor, struct plugin **plugin_r, struct buffer *error)
{
	struct plugin *plugin = xcalloc(1, sizeof(*plugin));
	size_t size = descriptor->size < sizeof(plugin->descriptor) ? descriptor->size :
		sizeof(plugin->descriptor);

	memcpy(&plugin->descriptor, descriptor, size);
	*plugin_r = NULL;
	if (descriptor->abi_major != BAY_ABI_MAJOR || descriptor->abi_minor > BAY_ABI_MINOR) {
		(void)buffer_fail(error, "its descriptor says ABI %u.%u, and this container offers %u.%u",
			descriptor->abi_major, descriptor->abi_minor, BAY_ABI_MAJOR, BAY_ABI_MINOR);
		free(plugin);
		return false;
	}
	if (descriptor->name == NULL || descriptor->version == NULL || !plugin_check_offer(&plugin->descriptor, error)) {
		if (descriptor->name == NULL || descriptor->version == NULL)
			(void)buffer_fail(error, "its descriptor has no name or no version");
		free(plugin);
		return false;
	}
	*plugin_r = plugin;
	return true;
}

bool
plugin_is_loaded(const char *image)
{
	void *handle = dlopen(image, RTLD_LAZY | RTLD_NOLOAD);

	if (handle == NULL)
		return false;
	dlclose(handle);
	return true;
}

static bool
plugin_unload(const struct plugin *plugin, struct buffer *reason)
{
	if (plugin->_handle == NULL)
		return true;
	if (plugin->facts->lingers != NULL)
		return buffer_fail(reason, "%s", plugin->facts->lingers);
	if (dlclose(plugin->_handle) != 0)
		return buffer_fail(reason, "the dynamic loader cannot unload it: %s", dlerror());
	if (plugin_is_loaded(plugin->image))
		return buffer_fail(reason, "something else in the process still uses it");
	return true;
}

bool
plugin_close(struct plugin *plugin, struct buffer *reason)
{
	bool left;

	if (plugin == NULL)
		return true;
	left = plugin_unload(plugin, reason);
	plugin_libraries_close(&plugin->_libraries);
	plugin_facts_destroy(plugin->facts);
	free(plugin->image);
	free(plugin);
	return left;
}
