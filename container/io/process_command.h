/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a child is to execute, worked out beforehand and in memory of its own: between its
 * beginning and exec a child may ask for none. Any thread.
 */
#ifndef BAY_IO_PROCESS_COMMAND_H
#define BAY_IO_PROCESS_COMMAND_H

#include <stdbool.h>

struct bay_process_options;

struct process_command {
	char **paths;        /* tried in turn; NULL at the end */
	char **argv;
	char **environment;
	char *directory;     /* or NULL */
	const char *program; /* as it was asked for; for people */
};

/* False: no memory, and nothing to finish. The options have argv[0]. */
bool process_command_init(struct process_command *command, const struct bay_process_options *options)
	__attribute__((warn_unused_result));

/* One that is all zeroes is fine. */
void process_command_finish(struct process_command *command);

#endif
