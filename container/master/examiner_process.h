/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One running bay-cell examine: the process, the socket to it, and the notice of its end.
 * What is asked, and what the answers mean, is examiner's business. Has one owner. Master
 * only, on the thread of the event base.
 */
#ifndef BAY_MASTER_EXAMINER_PROCESS_H
#define BAY_MASTER_EXAMINER_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/varlink.h"

struct buffer;
struct event_base;
struct examiner_process;
struct program;

/* Called from the event loop; none of them may destroy the process. */
struct examiner_process_events {
	/* A reply; borrowed for the call. */
	void (*on_reply)(const struct varlink_reply *reply, void *arg);
	/* It sent what is no reply. Nothing more comes from it but its end. */
	void (*on_nonsense)(const char *why, void *arg);
	/* It has ended; how is for people ("crashed: SIGSEGV"). The last call. */
	void (*on_end)(const char *how, void *arg);
};

/* Starts the program; events is borrowed for its life. NULL: the reason is appended to error. */
struct examiner_process *examiner_process_start(struct event_base *base,
	const struct program *program, const struct examiner_process_events *events, void *arg,
	struct buffer *error)
	__attribute__((warn_unused_result));

/* Kills it with all its children, if it still runs, and waits for its end. NULL is fine. */
void examiner_process_destroy(struct examiner_process *process);

/*
 * Sends a call with this id. parameters are borrowed; fd (-1: none) is taken in any case.
 * False: no memory, or no JSON.
 */
bool examiner_process_call(struct examiner_process *process, const char *method, int64_t id,
	const json_t *parameters, int fd)
	__attribute__((warn_unused_result));

#endif
