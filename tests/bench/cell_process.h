/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cell as bayd would start it, driven over its control socket, so that what is measured
 * runs in the real program: plugins that were loaded, calls through their PLT. Any failure
 * ends the program with a text.
 *
 * BENCH_CELL in the environment is what runs the cell instead of container/bay-cell, "run"
 * included: BENCH_CELL="valgrind --tool=callgrind .../bay-cell run".
 */
#ifndef BAY_TESTS_BENCH_CELL_PROCESS_H
#define BAY_TESTS_BENCH_CELL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status_page.h"
#include "protocol/cell_link.h"
#include "protocol/varlink_stream.h"

struct cell_process {
	pid_t pid;
	int fd;
	struct varlink_stream stream;
	struct status_page page;
	int64_t slots;   /* taken so far */
};

/* What differs from the defaults of bay.ini; zero: the default. */
struct cell_service {
	const char *name;
	const char *plugin;        /* of tests/bench/plugins, */
	bool sample;               /* or one that comes with Bay */
	int64_t instances;         /* 0: one; -1: one per loop */
	int64_t concurrency;
	int64_t stack_bytes;
	int64_t timeout_ns;
	enum cell_overflow overflow;
	const char *setting;       /* its name, or NULL */
	const char *value;
	const char *setting2;      /* one more */
	const char *value2;
	int breaker;               /* percent; 0: none */
};

/* Starts a cell with that many loops. */
void cell_process_start(struct cell_process *cell, int64_t loops);

/* Starts a service. Single instances go to the loops in turn: the first to loop 0. */
void cell_process_serve(struct cell_process *cell, const struct cell_service *service);

/* Calls a service and copies the text of its reply. */
void cell_process_call(struct cell_process *cell, const char *service, const char *text,
	char *reply_r, size_t size);

/* Makes a link between two cells, which know each other as "a" and "b". */
void cell_process_link(struct cell_process *a, struct cell_process *b);

/* Tells a cell that a service is in another. */
void cell_process_elsewhere(struct cell_process *cell, const char *service, const char *other);

/* Tells a cell that subscriptions of another, which let publishers wait, want this. */
void cell_process_interest(struct cell_process *cell, const char *other, const char *pattern);

/* Ends it in order. */
void cell_process_end(struct cell_process *cell);

/*
 * Has the driver (a service called "driver") do "SCENARIO SERVICE COUNT WIDTH" as often as
 * bench_runs() says, after a first one that does not count, and prints what one of count took;
 * nothing when the label is not wanted.
 */
void cell_process_measure(struct cell_process *cell, const char *label, const char *scenario,
	const char *service, int64_t count, int64_t width);

#endif
