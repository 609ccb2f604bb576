/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker: one process that answers one request after the other.
 *
 *	     started              taken
 *	(none) ------> IDLE <---------------> BUSY
 *	                 |    given back       |
 *	                 |                     | died, overran, said nonsense, has served enough
 *	                 +------> ENDING <-----+
 *
 * Its attendant, a task of the instance, reads its errors and waits for its end, whoever brings
 * that about. The task of a request that has it BUSY uses the pipes. The last of the two that
 * lets go frees it.
 */
#ifndef EXEC_WORKER_H
#define EXEC_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/process.h>

#include "errors.h"
#include "program.h"

struct bay_channel;
struct bay_event;
struct bay_stream;
struct exec;

enum worker_state {
	WORKER_IDLE,
	WORKER_BUSY,
	WORKER_ENDING
};

struct worker {
	struct exec *exec;
	pid_t pid;
	struct bay_process *process;   /* NULL: it has ended */
	struct bay_process_exit end;   /* then */
	struct bay_stream *input;      /* ours to write; NULL: closed */
	struct bay_stream *output;     /* ours to read */
	struct bay_channel *orders;    /* closed: the attendant is to look at it */
	struct bay_event *gone;        /* set when it has ended */
	struct bay_event *let_go;      /* set when no request holds it */
	struct errors errors;
	enum worker_state state;
	bool held;                     /* by a request; whatever the state is by now */
	bool attended;
	bool counted;                  /* by the pool: it is not ENDING */
	bool dismissed;                /* we wanted its end */
	uint64_t served;
	int64_t idle_since_ns;
	int64_t kill_ns;               /* of one that is ENDING: when it is killed; BAY_INHERIT: it has been */
};

/* Starts one, IDLE and without attendant. BAY_OK, or why not, with bay_process_error(). Inside a
 * task; suspends. */
int worker_start(struct exec *exec, struct worker **worker_r, int64_t deadline);

/* Starts its attendant. False: no memory, and the worker is gone. */
bool worker_attend(struct worker *worker);

/* Kills and frees one that nobody attends; NULL is allowed. */
void worker_discard(struct worker *worker);

/* Whether it has written something, or its end, without being asked. */
bool worker_babbles(const struct worker *worker);

/* Ends it: by the end of its input, and by SIGKILL after the grace; or at once. Never suspends. */
void worker_dismiss(struct worker *worker);
void worker_kill(struct worker *worker);

/* Waits a moment for the end of one that has closed its output, and says how it came:
 * "worker 71 ended with exit code 3: last words". */
void worker_await_end(struct worker *worker);
const char *worker_end_text(const struct worker *worker, char text[PROGRAM_END_SIZE]);

/* The request lets go of it. */
void worker_let_go(struct worker *worker);

#endif
