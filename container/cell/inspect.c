/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/inspect.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/text.h"
#include "protocol/varlink.h"
#include "service/plugin_dlerror.h"
#include "service/plugin_file.h"

/* As those of bayctl. */
enum {
	INSPECT_FINE = 0,
	INSPECT_FAILED = 1,
	INSPECT_USAGE = 2,
	INSPECT_NO_FILE = 4,
	INSPECT_REFUSED = 5,
	INSPECT_NOT_PERMITTED = 6
};

struct inspect {
	const char *path;
	bool json;
	struct plugin_facts *facts; /* NULL: refused */
	const char *reason;         /* why refused, or why it could not be looked at */
	char place[160];            /* why bayd would not take it from where it lies, or "" */
};

/* --- for people ------------------------------------------------------------------- */

/* A line "label   text"; the text may come from the file, and is made fit to be shown. */
static void __attribute__((format(printf, 2, 3)))
inspect_line(const char *label, const char *format, ...)
{
	struct buffer text = {0}, shown = {0};
	va_list args;

	va_start(args, format);
	if (buffer_vprintf(&text, format, args) && text_escape(&shown, text.data, text.size))
		printf("%s%.*s\n", label, (int)shown.size, (const char *)shown.data);
	va_end(args);
	buffer_finish(&text);
	buffer_finish(&shown);
}

static void
inspect_names(const char *label, const struct plugin_names *names)
{
	if (names->count == 0)
		inspect_line(label, "none");
	for (size_t i = 0; i < names->count; i++)
		inspect_line(i == 0 ? label : "              ", "%s", names->items[i]);
}

/* The file is square.so, the note says squares: a service goes by the file. */
static bool
inspect_is_named_otherwise(const struct inspect *inspect)
{
	const char *base = strrchr(inspect->path, '/');
	const char *name = inspect->facts->note.plugin_name;
	size_t length = strlen(name);

	base = base != NULL ? base + 1 : inspect->path;
	return strncmp(base, name, length) != 0 || strcmp(base + length, ".so") != 0;
}

static void
inspect_print_facts(const struct inspect *inspect)
{
	const struct plugin_facts *facts = inspect->facts;
	const struct bay_plugin_note *note = &facts->note;

	inspect_line("  name        ", "%s%s", note->plugin_name,
		inspect_is_named_otherwise(inspect) ? " (services go by the file's name)" : "");
	inspect_line("  version     ", "%s", note->plugin_version);
	inspect_line("  abi         ", "%u.%u (this container offers %u.%u)", note->abi_major,
		note->abi_minor, BAY_ABI_MAJOR, BAY_ABI_MINOR);
	inspect_line("  size        ", "%" PRIu64 " bytes", facts->size);
	inspect_line("  sha256      ", "%s", facts->sha256);
	inspect_line("  machine     ", "%s", facts->machine);
	inspect_line("  glibc       ", "%s (this machine has %s)",
		facts->glibc[0] != '\0' ? facts->glibc : "any", gnu_get_libc_version());
	inspect_names("  libraries   ", &facts->libraries);
	inspect_line("  unloadable  ", "%s%s", facts->lingers == NULL ? "yes" : "no: ",
		facts->lingers != NULL ? facts->lingers : "");
	inspect_names("  warnings    ", &facts->warnings);
	if (inspect->place[0] != '\0')
		inspect_line("  place       ", "bayd refuses it here: %s", inspect->place);
}

static void
inspect_print(const struct inspect *inspect)
{
	inspect_line("", "%s: %s%s", inspect->path, inspect->facts != NULL ? "fine" : "refused: ",
		inspect->facts != NULL ? "" : inspect->reason);
	if (inspect->facts != NULL)
		inspect_print_facts(inspect);
}

/* --- for programs ------------------------------------------------------------------- */

static json_t *
inspect_names_to_json(const struct plugin_names *names)
{
	json_t *json = json_array();

	for (size_t i = 0; i < names->count; i++)
		json_array_append_new(json, varlink_text(names->items[i]));
	return json;
}

static json_t *
inspect_facts_to_json(const struct plugin_facts *facts)
{
	char abi[16];

	snprintf(abi, sizeof(abi), "%u.%u", facts->note.abi_major, facts->note.abi_minor);
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:o, s:o, s:b, s:o, s:o}",
		"name", facts->note.plugin_name, "version", facts->note.plugin_version,
		"abi", abi, "size", (json_int_t)facts->size, "sha256", facts->sha256,
		"machine", facts->machine, "glibc", facts->glibc,
		"libraries", inspect_names_to_json(&facts->libraries),
		"undefined", inspect_names_to_json(&facts->undefined),
		"unloadable", facts->lingers == NULL, "lingers", varlink_text(facts->lingers),
		"warnings", inspect_names_to_json(&facts->warnings));
}

static bool
inspect_print_json(const struct inspect *inspect)
{
	json_t *json = json_object();
	bool done;

	json_object_set_new(json, "file", varlink_text(inspect->path));
	json_object_set_new(json, "ok", json_boolean(inspect->facts != NULL));
	if (inspect->facts != NULL)
		json_object_set_new(json, "plugin", inspect_facts_to_json(inspect->facts));
	else
		json_object_set_new(json, "reason", varlink_text(inspect->reason));
	if (inspect->place[0] != '\0')
		json_object_set_new(json, "place", varlink_text(inspect->place));
	done = json_dumpf(json, stdout, JSON_COMPACT) == 0;
	json_decref(json);
	putchar('\n');
	return done;
}

/* --- the command -------------------------------------------------------------------- */

/* What the master looks at besides the bytes; the user that it runs as is not known here. */
static void
inspect_look_at_place(struct inspect *inspect, int fd)
{
	struct stat link, file;

	if (lstat(inspect->path, &link) != 0 || fstat(fd, &file) != 0)
		return;
	if (S_ISLNK(link.st_mode))
		snprintf(inspect->place, sizeof(inspect->place),
			"it is a symbolic link: put the file itself there");
	else if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		snprintf(inspect->place, sizeof(inspect->place),
			"others than its owner may write it (mode %04o): chmod go-w",
			(unsigned)(file.st_mode & 07777));
	else if (file.st_uid != 0 && file.st_uid != geteuid())
		snprintf(inspect->place, sizeof(inspect->place),
			"it belongs to user %u: chown it to root, or to the user of bayd",
			(unsigned)file.st_uid);
}

/* Whether this process has all libraries that it needs, so that what is missing here will be
 * missing in a cell. Nothing is loaded for that. */
static bool
inspect_has_libraries(const struct plugin_facts *facts)
{
	for (size_t i = 0; i < facts->libraries.count; i++) {
		void *library = dlopen(facts->libraries.items[i], RTLD_LAZY | RTLD_NOLOAD);

		if (library == NULL)
			return false;
		dlclose(library);
	}
	return true;
}

static bool
inspect_has_symbols(const struct plugin_facts *facts, struct buffer *reason)
{
	if (!inspect_has_libraries(facts))
		return true;
	for (size_t i = 0; i < facts->undefined.count; i++) {
		const char *name = facts->undefined.items[i];

		if (dlsym(RTLD_DEFAULT, name) == NULL)
			return plugin_dlerror_symbol(name, reason);
	}
	return true;
}

static int
inspect_file(struct inspect *inspect, struct buffer *reason)
{
	/* Without O_NONBLOCK it would wait at a fifo. */
	int fd = open(inspect->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error = errno;
	bool fine;

	if (fd < 0) {
		(void)buffer_fail(reason, "it cannot be opened: %s [plugin-file]", strerror(error));
		return error == ENOENT || error == ENOTDIR ? INSPECT_NO_FILE :
			error == EACCES || error == EPERM ? INSPECT_NOT_PERMITTED : INSPECT_FAILED;
	}
	fine = plugin_file_read(fd, &inspect->facts, reason);
	if (fine)
		inspect_look_at_place(inspect, fd);
	close(fd);
	if (fine && !inspect_has_symbols(inspect->facts, reason)) {
		plugin_facts_destroy(inspect->facts);
		inspect->facts = NULL;
		fine = false;
	}
	return fine ? INSPECT_FINE : INSPECT_REFUSED;
}

static bool
inspect_read_arguments(struct inspect *inspect, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			inspect->json = true;
		else if (argv[i][0] == '-' || inspect->path != NULL)
			return false;
		else
			inspect->path = argv[i];
	}
	return inspect->path != NULL;
}

int
inspect_run(int argc, char **argv)
{
	struct inspect inspect = {0};
	struct buffer reason = {0};
	int code;

	if (!inspect_read_arguments(&inspect, argc, argv)) {
		fprintf(stderr, "usage: inspect FILE [--json]\n");
		return INSPECT_USAGE;
	}
	code = inspect_file(&inspect, &reason);
	inspect.reason = buffer_text(&reason);
	if (inspect.reason == NULL)
		inspect.reason = "no memory";
	if (inspect.json && !inspect_print_json(&inspect))
		code = INSPECT_FAILED;
	if (!inspect.json)
		inspect_print(&inspect);
	plugin_facts_destroy(inspect.facts);
	buffer_finish(&reason);
	if (fflush(stdout) != 0)
		code = INSPECT_FAILED;
	return code;
}
