/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/process_command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bay/process.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "protocol/cell_link.h"

/* Where a program is looked for by those who have no PATH. */
#define PROCESS_PATH "/usr/local/bin:/usr/bin:/bin"

/* Strings one behind the other, each with its NUL. */
struct strings {
	struct buffer bytes;
	size_t count;
};

static bool
strings_add_all(struct strings *strings, const char *const *texts)
{
	for (; texts != NULL && *texts != NULL; texts++) {
		if (!buffer_append(&strings->bytes, *texts, strlen(*texts) + 1))
			return false;
		strings->count++;
	}
	return true;
}

/* Makes them an array with NULL at its end, in one piece of memory; NULL without that. */
static char **
strings_finish(struct strings *strings)
{
	size_t heads = (strings->count + 1) * sizeof(char *), i;
	char **array = alloc_try(heads + strings->bytes.size + 1);
	char *text;

	if (array != NULL) {
		text = (char *)array + heads;
		if (strings->bytes.size > 0)
			memcpy(text, strings->bytes.data, strings->bytes.size);
		for (i = 0; i < strings->count; i++) {
			array[i] = text;
			text += strlen(text) + 1;
		}
		array[i] = NULL;
	}
	buffer_finish(&strings->bytes);
	return array;
}

/* --- environment -------------------------------------------------------------------------- */

static size_t
environment_name_length(const char *entry)
{
	return strcspn(entry, "=");
}

static bool
environment_same_name(const char *entry, const char *other)
{
	size_t length = environment_name_length(entry);

	return length == environment_name_length(other) && memcmp(entry, other, length) == 0;
}

/* Whether entry is not for children, or changed by one of changes. */
static bool
environment_is_hidden(const char *entry, const char *const *changes)
{
	if (environment_same_name(entry, CELL_ENV_MASTER) || environment_same_name(entry, CELL_ENV_NAME))
		return true;
	for (; changes != NULL && *changes != NULL; changes++)
		if (environment_same_name(entry, *changes))
			return true;
	return false;
}

static char **
environment_make(const struct bay_process_options *options)
{
	const char *const *changes = options->environment;
	struct strings strings = {.count = 0};
	bool added = true;
	char **own;

	for (own = options->empty_environment ? NULL : environ; own != NULL && *own != NULL && added; own++) {
		const char *one[] = {*own, NULL};

		if (!environment_is_hidden(*own, changes))
			added = strings_add_all(&strings, one);
	}
	for (; changes != NULL && *changes != NULL && added; changes++) {
		const char *one[] = {*changes, NULL};

		/* Of several for one name, the last counts. */
		if (strchr(*changes, '=') != NULL && !environment_is_hidden(*changes, changes + 1))
			added = strings_add_all(&strings, one);
	}
	if (added)
		return strings_finish(&strings);
	buffer_finish(&strings.bytes);
	return NULL;
}

static const char *
environment_path(char *const *environment)
{
	for (; *environment != NULL; environment++)
		if (strncmp(*environment, "PATH=", 5) == 0)
			return *environment + 5;
	return PROCESS_PATH;
}

/* --- paths ---------------------------------------------------------------------------------- */

static bool
paths_add(struct strings *strings, const char *directory, size_t length, const char *program)
{
	/* As everywhere, an empty entry is the working directory. */
	strings->count++;
	return (length == 0 || (buffer_append(&strings->bytes, directory, length) &&
		buffer_append(&strings->bytes, "/", 1))) &&
		buffer_append(&strings->bytes, program, strlen(program) + 1);
}

static char **
paths_make(const char *program, const char *path)
{
	const char *only[] = {program, NULL};
	struct strings strings = {.count = 0};
	bool added = true;

	if (strchr(program, '/') != NULL) {
		added = strings_add_all(&strings, only);
	} else {
		for (;;) {
			size_t length = strcspn(path, ":");

			added = added && paths_add(&strings, path, length, program);
			if (path[length] == '\0')
				break;
			path += length + 1;
		}
	}
	if (added)
		return strings_finish(&strings);
	buffer_finish(&strings.bytes);
	return NULL;
}

/* --- all of it ------------------------------------------------------------------------------ */

bool
process_command_init(struct process_command *command, const struct bay_process_options *options)
{
	const char *wanted = options->program != NULL ? options->program : options->argv[0];
	/* The program stands behind the arguments, where the child does not see it. */
	const char *last[] = {wanted, NULL};
	struct strings argv = {.count = 0};
	size_t count;

	memset(command, 0, sizeof *command);
	if (strings_add_all(&argv, options->argv) && strings_add_all(&argv, last)) {
		count = argv.count;
		command->argv = strings_finish(&argv);
		if (command->argv != NULL) {
			command->program = command->argv[count - 1];
			command->argv[count - 1] = NULL;
		}
	}
	buffer_finish(&argv.bytes);
	command->environment = environment_make(options);
	if (command->environment != NULL)
		command->paths = paths_make(wanted, environment_path(command->environment));
	if (options->directory != NULL)
		command->directory = alloc_try_copy(options->directory);
	if (command->argv != NULL && command->paths != NULL &&
		(options->directory == NULL || command->directory != NULL))
		return true;
	process_command_finish(command);
	return false;
}

void
process_command_finish(struct process_command *command)
{
	free(command->paths);
	free(command->argv);
	free(command->environment);
	free(command->directory);
	memset(command, 0, sizeof *command);
}
