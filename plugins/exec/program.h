/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that a service is: what its settings say of it, its start and its end.
 */
#ifndef EXEC_PROGRAM_H
#define EXEC_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "words.h"

struct bay_instance;
struct bay_process;
struct bay_process_exit;

/* What stands in the ini; see exec.c. */
struct program_settings {
	const char *command;
	const char *directory;
	const char *environment;
	bool empty_environment;
	uint64_t memory_max;
	int64_t cpu_max_ns;
	int64_t files_max;
	uint64_t file_bytes_max;
};

struct program {
	const struct program_settings *set;
	struct words command;
	struct words environment;
};

/* BAY_OK, or why the service cannot be, for the return of init. The settings live longer. */
int program_init(struct program *program, const struct program_settings *set, struct bay_instance *instance);
void program_finish(struct program *program);

/* Starts it with pipes for input, output and errors; as bay_process_spawn(). */
int program_start(const struct program *program, struct bay_process **process_r, int64_t deadline);

enum { PROGRAM_END_SIZE = 64 };

/* Puts how it ended into words: "ended with exit code 3", "was ended by SIGKILL". */
const char *program_end_text(const struct bay_process_exit *end, char text[PROGRAM_END_SIZE]);

#endif
