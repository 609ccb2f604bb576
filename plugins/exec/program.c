/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include <stdio.h>
#include <string.h>

#include <bay/instance.h>
#include <bay/process.h>
#include <bay/status.h>

/* A program may serve several services, so it is told which it is. */
static int
program_init_environment(struct program *program, struct bay_instance *instance)
{
	const char *why;
	int status = words_init(&program->environment, program->set->environment, &why);

	if (status == BAY_OK)
		status = words_add(&program->environment, "BAY_SERVICE=", bay_instance_name(instance));
	return status == BAY_OK ? BAY_OK : bay_instance_fail(instance, status, "environment: %s", why);
}

int
program_init(struct program *program, const struct program_settings *set, struct bay_instance *instance)
{
	const char *why;
	int status;

	*program = (struct program){.set = set};
	status = words_init(&program->command, set->command, &why);
	if (status != BAY_OK)
		status = bay_instance_fail(instance, status, "command: %s", why);
	else if (program->command.count == 0)
		status = bay_instance_fail(instance, BAY_INVALID, "command: there is no program in it");
	else
		status = program_init_environment(program, instance);
	if (status != BAY_OK)
		program_finish(program);
	return status;
}

void
program_finish(struct program *program)
{
	words_finish(&program->command);
	words_finish(&program->environment);
}

int
program_start(const struct program *program, struct bay_process **process_r, int64_t deadline)
{
	const struct program_settings *set = program->set;
	struct bay_process_options options = {
		.length = sizeof options,
		.argv = program->command.list,
		.environment = program->environment.list,
		.empty_environment = set->empty_environment,
		.directory = set->directory[0] != '\0' ? set->directory : NULL,
		.input = BAY_STDIO_PIPE,
		.output = BAY_STDIO_PIPE,
		.errors = BAY_STDIO_PIPE,
		.memory_max = set->memory_max,
		.cpu_max_ns = set->cpu_max_ns,
		.files_max = (uint64_t)set->files_max,
		.file_bytes_max = set->file_bytes_max,
	};

	return bay_process_spawn(&options, process_r, deadline);
}

const char *
program_end_text(const struct bay_process_exit *end, char text[PROGRAM_END_SIZE])
{
	const char *name = end->signal != 0 ? sigabbrev_np(end->signal) : NULL;

	if (name != NULL)
		snprintf(text, PROGRAM_END_SIZE, "was ended by SIG%s", name);
	else if (end->signal != 0)
		snprintf(text, PROGRAM_END_SIZE, "was ended by signal %d", end->signal);
	else if (end->code >= 0)
		snprintf(text, PROGRAM_END_SIZE, "ended with exit code %d", end->code);
	else
		snprintf(text, PROGRAM_END_SIZE, "ended");
	return text;
}
