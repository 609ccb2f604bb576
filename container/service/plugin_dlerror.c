/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/plugin_dlerror.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bay/abi.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "service/plugin_libraries.h"

/* If text begins with what, gives the rest. */
static bool
plugin_dlerror_skip(const char *text, const char *what, const char **rest_r)
{
	size_t length = strlen(what);

	if (strncmp(text, what, length) != 0)
		return false;
	*rest_r = text + length;
	return true;
}

bool
plugin_dlerror_symbol(const char *symbol, struct buffer *error)
{
	/* "name", or "name, version V" when it was linked against a versioned one. */
	int length = (int)strcspn(symbol, ",");

	(void)buffer_fail(error, "it needs the symbol '%.*s', which neither it nor its libraries "
		"nor the container have: ", length, symbol);
	if (strncmp(symbol, "bay_", 4) == 0)
		return buffer_fail(error, "this container offers ABI %u.%u, compile the plugin "
			"with its headers [plugin-symbol]", BAY_ABI_MAJOR, BAY_ABI_MINOR);
	if (strncmp(symbol, "__ubsan_", 8) == 0)
		return buffer_fail(error, "build the plugin without -fsanitize=undefined, or the "
			"container with --enable-sanitizer=address [plugin-symbol]");
	return buffer_fail(error, "link the plugin with the library that has it [plugin-symbol]");
}

static bool
plugin_dlerror_library(const char *library, const struct plugin_libraries *libraries,
	struct buffer *error)
{
	/* What was found and did not load is not found by the plugin either. */
	if (libraries->failure != NULL)
		return buffer_fail(error, "its library %s [plugin-library]", libraries->failure);
	(void)buffer_fail(error, "it needs the library '%.*s', which is not found: ",
		(int)strcspn(library, ":"), library);
	if (libraries->searched != NULL)
		return buffer_fail(error, "put it into %s, or where ldconfig looks, or link it in; a "
			"library must have its file's name as its soname [plugin-library]", libraries->searched);
	return buffer_fail(error, "install it where ldconfig looks, or link it in [plugin-library]");
}

/* Whether code may be run from this file, as far as can be seen. */
static bool
plugin_dlerror_may_run(const char *image)
{
	int fd = open(image, O_RDONLY | O_CLOEXEC);
	void *page = fd >= 0 ? mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) : MAP_FAILED;

	fd_close(&fd);
	if (page == MAP_FAILED)
		return false;
	munmap(page, 1);
	return true;
}

static bool
plugin_dlerror_segment(const char *image, struct buffer *error)
{
	if (plugin_dlerror_may_run(image))
		return buffer_fail(error, "it does not fit into memory: one of its segments is larger than "
			"what a process can have here, or lies where nothing can be; build it anew [plugin-load]");
	return buffer_fail(error, "its image %s may not be run: if the file system is "
		"mounted noexec, set image_dir to a directory on another one [plugin-noexec]", image);
}

bool
plugin_dlerror_explain(const char *text, const char *image, const struct plugin_libraries *libraries,
	struct buffer *error)
{
	const char *rest;
	bool of_image;

	if (text == NULL)
		return buffer_fail(error, "it cannot be loaded [plugin-load]");
	/* "IMAGE: what is wrong", but "LIBRARY: cannot open ..." for a library. */
	of_image = plugin_dlerror_skip(text, image, &rest);
	if (of_image)
		(void)plugin_dlerror_skip(rest, ": ", &text);
	if (plugin_dlerror_skip(text, "undefined symbol: ", &rest))
		return plugin_dlerror_symbol(rest, error);
	if (strstr(text, "cannot open shared object file") != NULL)
		return plugin_dlerror_library(text, libraries, error);
	if (of_image && strstr(text, "failed to map segment") != NULL)
		return plugin_dlerror_segment(image, error);
	if (strstr(text, "static TLS") != NULL)
		return buffer_fail(error, "there is no room left for its static thread-local "
			"storage: compile it without -ftls-model=initial-exec [plugin-load]");
	return buffer_fail(error, "the dynamic loader refuses it: %s [plugin-load]", text);
}
