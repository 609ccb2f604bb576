/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cell leaves behind for a report of its crash, or of a task that is stuck: in the status
 * page, so that it is there when the cell is not. The cell writes, mostly in handlers of signals;
 * the master reads it as a stranger's memory.
 *
 *	objects   what code is loaded where, with build-ids: written when that changes
 *	events    the last lines that the cell had to say, in a ring
 *	crash     the frames, thread and message of the crash
 *	stalls    the same of a loop that does not come round, by loop, while it is stuck
 */
#ifndef BAY_BASE_CRASH_AREA_H
#define BAY_BASE_CRASH_AREA_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/traceparent.h"

enum {
	CRASH_OBJECTS = 128,
	CRASH_PATH_SIZE = 256,    /* of an object's file with its NUL */
	CRASH_BUILD_ID_SIZE = 32, /* bytes; longer ones are cut */
	CRASH_FRAMES = 48,
	CRASH_AWAITS = 16,
	CRASH_AWAIT_SIZE = 32,    /* of the function's name with its NUL */
	CRASH_THREAD_SIZE = 16,
	CRASH_MESSAGE_SIZE = 256, /* of the begin of a message that is kept */
	CRASH_ABORT_SIZE = 192,   /* of what the C library said before abort() */
	CRASH_EVENTS = 64,
	CRASH_EVENT_SIZE = 184,   /* of "subject: text" with its NUL */
	CRASH_LOOPS = 64          /* as STATUS_PAGE_LOOPS_MAX */
};

/* Sent to the thread of a loop, it has that one write down where it is, and go on. Nobody else uses
 * it, and plugins may not have it. */
#define CRASH_STALL_SIGNAL SIGSTKFLT

/*
 * One row a kind: its constant, its name, and what it means. Those behind the gap have no record
 * of the cell's own; the master finds them out.
 */
#define CRASH_KINDS(ROW) \
	ROW(UNKNOWN, "unknown", "the process ended, and nobody knows how") \
	ROW(NULL_POINTER, "null-pointer", "access through a null pointer") \
	ROW(WILD_POINTER, "wild-pointer", "access to memory that is not there, or may not be written") \
	ROW(STACK_OVERFLOW, "stack-overflow", "a task used up its stack") \
	ROW(BUS_ERROR, "bus-error", "access behind the end of a mapped file, or misaligned") \
	ROW(ILLEGAL, "illegal-instruction", "an instruction that does not exist, or a trap") \
	ROW(ARITHMETIC, "arithmetic", "such as a division by zero") \
	ROW(ABORT, "abort", "abort() was called") \
	ROW(ASSERTION, "assertion", "an assert() failed") \
	ROW(DOUBLE_FREE, "double-free", "memory was freed twice, as the C library saw") \
	ROW(HEAP, "heap-corruption", "free() or malloc() found its memory overwritten") \
	ROW(STACK_SMASHING, "stack-smashing", "a function wrote over the end of an array of its own") \
	ROW(SIGNAL, "signal", "a signal was sent that ends a process") \
	ROW(EXIT, "exit", "exit() was called") \
	ROW(ENDED, "ended", "the process ended with an exit code, by no exit() that was seen") \
	ROW(KILLED, "killed", "SIGKILL came from outside, or from the kernel for want of memory") \
	ROW(STALLED, "stalled", "a task kept a loop for too long, and the cell was replaced")

enum crash_kind {
#define CRASH_CONSTANT(constant, name, help) CRASH_##constant,
	CRASH_KINDS(CRASH_CONSTANT)
#undef CRASH_CONSTANT
	CRASH_KIND_COUNT
};

/* Code that is loaded. Free while its end is 0, which is written last. */
struct crash_object {
	_Atomic uint64_t start;
	_Atomic uint64_t end;
	_Atomic uint64_t bias; /* of its addresses above those in the file */
	_Atomic uint64_t build_id_size;
	_Atomic uint64_t build_id[CRASH_BUILD_ID_SIZE / 8];
	_Atomic uint64_t path[CRASH_PATH_SIZE / 8];
};

/* What a task waited in, not long ago: the function's name, and the address behind the call. */
struct crash_await {
	_Atomic uint64_t where;
	_Atomic uint64_t function[CRASH_AWAIT_SIZE / 8];
};

/* Where a thread was. */
struct crash_trace {
	_Atomic uint64_t state;  /* 0: nothing; odd: it is being written; even: it is there */
	_Atomic uint64_t pass;   /* of the loop, at that time */
	_Atomic uint64_t kind;   /* enum crash_kind */
	_Atomic uint64_t tid;
	_Atomic uint64_t thread[CRASH_THREAD_SIZE / 8]; /* its name */
	_Atomic uint64_t frame_count;
	_Atomic uint64_t frames[CRASH_FRAMES]; /* the innermost first; inside of the calls */
	_Atomic uint64_t await_count;
	struct crash_await awaits[CRASH_AWAITS]; /* the last first */
	_Atomic uint64_t has_message;
	_Atomic uint64_t message_size;
	_Atomic uint64_t trace_high; /* of the request, both 0: none */
	_Atomic uint64_t trace_low;
	_Atomic uint64_t message[CRASH_MESSAGE_SIZE / 8];
	_Atomic uint64_t abort[CRASH_ABORT_SIZE / 8];
};

struct crash_event {
	_Atomic uint64_t number; /* from 1; 0: it is being written, or empty */
	_Atomic uint64_t wall_ns;
	_Atomic uint64_t level;
	_Atomic uint64_t text[CRASH_EVENT_SIZE / 8];
};

struct crash_area {
	_Atomic uint64_t tids[CRASH_LOOPS]; /* threads of the loops, 0: that one cannot be asked */
	_Atomic uint64_t event_count;
	struct crash_trace crash;
	struct crash_object objects[CRASH_OBJECTS];
	struct crash_event events[CRASH_EVENTS];
	struct crash_trace stalls[CRASH_LOOPS];
};

/* --- writing: safe in a handler of a signal, but for the last ------------------------ */

/* Puts a text into words, cut, with its NUL. */
void crash_put_text(_Atomic uint64_t *words, size_t size, const char *text);

/* Puts bytes there, as many as there is room for. */
void crash_put_bytes(_Atomic uint64_t *words, size_t size, const void *data, size_t data_size);

/* Begins and ends the writing of a trace; begin empties it. */
void crash_trace_begin(struct crash_trace *trace);
void crash_trace_end(struct crash_trace *trace);

/* Adds to the ring, by one thread at a time. */
void crash_area_add_event(struct crash_area *area, int64_t wall_ns, unsigned level,
	const char *subject, const char *text);

/* --- reading -------------------------------------------------------------------------- */

struct crash_object_view {
	uint64_t start, end, bias;
	size_t build_id_size;
	uint8_t build_id[CRASH_BUILD_ID_SIZE];
	char path[CRASH_PATH_SIZE];
};

struct crash_await_view {
	uint64_t where;
	char function[CRASH_AWAIT_SIZE];
};

struct crash_trace_view {
	uint64_t pass;
	enum crash_kind kind;
	uint64_t tid;
	char thread[CRASH_THREAD_SIZE];
	size_t frame_count;
	uint64_t frames[CRASH_FRAMES];
	size_t await_count;
	struct crash_await_view awaits[CRASH_AWAITS];
	bool has_message;
	uint64_t message_size; /* of the whole */
	size_t message_kept;   /* of message */
	char message[CRASH_MESSAGE_SIZE];
	struct trace_id id;
	char abort[CRASH_ABORT_SIZE]; /* or "" */
};

struct crash_event_view {
	int64_t wall_ns;
	unsigned level;
	char text[CRASH_EVENT_SIZE];
};

/* "stack-overflow"; any number is fine. */
const char *crash_kind_name(enum crash_kind kind);

/* The same in words. */
const char *crash_kind_text(enum crash_kind kind);

/* False: it is empty, or is being written. */
bool crash_trace_read(const struct crash_trace *trace, struct crash_trace_view *view_r)
	__attribute__((warn_unused_result));

/* The object that holds the address. False: none is known. */
bool crash_area_find_object(const struct crash_area *area, uint64_t address,
	struct crash_object_view *view_r)
	__attribute__((warn_unused_result));

/* The last events, the oldest first. Returns how many. */
size_t crash_area_read_events(const struct crash_area *area,
	struct crash_event_view views[CRASH_EVENTS]);

#endif
