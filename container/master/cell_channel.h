/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of the master to one cell: many may be under way on one socket, each with its
 * own time limit, and each ends in exactly one reply, if need be in "it did not answer" or
 * "it died". The cell may call too, and is answered at once; from one that calls and does
 * not take the answers nothing more is read until it does. What comes in is a stranger's: a
 * frame that cannot be read ends the channel.
 *
 * Nobody is called back from inside cell_channel_call. Has one owner. Master only; never
 * suspends.
 */
#ifndef BAY_MASTER_CELL_CHANNEL_H
#define BAY_MASTER_CELL_CHANNEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <bay/status.h>

#include "base/buffer.h"
#include "protocol/varlink_stream.h"

struct cell_channel;
struct event_base;

enum cell_reply_kind {
	CELL_REPLY_DONE = 0, /* with parameters */
	CELL_REPLY_FAILED,   /* the cell says that it did not work */
	CELL_REPLY_SILENT,   /* no answer came in time; one that comes later is ignored */
	CELL_REPLY_DIED      /* the channel ended first */
};

/* All of it is borrowed for the call. */
struct cell_reply {
	enum cell_reply_kind kind;
	bool by_handler;            /* failed: the status is a handler's word, not the cell's */
	enum bay_status status;     /* BAY_OK when done */
	const char *message;        /* "" when done */
	const json_t *parameters;   /* an object */
	struct varlink_fds *fds;    /* who takes one leaves -1 */
};

typedef void cell_reply_fn(const struct cell_reply *reply, void *arg);

/* Nothing depends on the answer. */
cell_reply_fn cell_reply_ignore;

/* How a call of the cell is answered. */
struct cell_answer {
	enum bay_status status; /* BAY_OK, or why not, with a message */
	struct buffer message;  /* for people */
	int fd;                 /* goes with it, and is taken; -1: none */
};

/* What the owner hears without having asked. */
struct cell_channel_watcher {
	/* The cell called us, and waits. *answer is BAY_OK with nothing before. */
	void (*called)(const char *method, const json_t *parameters, struct cell_answer *answer,
		void *arg);
	/* The cell said something; no reply is expected. */
	void (*notice)(const char *method, const json_t *parameters, void *arg);
	/* Nothing more will be received: the other end closed, or why. It may destroy the
	 * channel. Called once. */
	void (*broken)(const char *why, void *arg);
	void *arg;
};

/* Takes fd, a connected non-blocking socket. NULL: no memory for its events. */
struct cell_channel *cell_channel_create(struct event_base *base, int fd,
	const struct cell_channel_watcher *watcher)
	__attribute__((warn_unused_result));

/* Answers the calls under way with CELL_REPLY_DIED and this message, closes and frees.
 * NULL is fine. */
void cell_channel_destroy(struct cell_channel *channel, const char *why);

/*
 * Sends a call and takes parameters (NULL: none) and fd (-1: none). reply(…, arg) follows,
 * within timeout_ns if that is not 0. Returns its number, for cell_channel_cancel.
 */
int64_t cell_channel_call(struct cell_channel *channel, const char *method, json_t *parameters,
	int fd, int64_t timeout_ns, cell_reply_fn *reply, void *arg);

/* The same with several descriptors, or none; what they are is taken. */
int64_t cell_channel_call_with(struct cell_channel *channel, const char *method, json_t *parameters,
	struct varlink_fds *fds, int64_t timeout_ns, cell_reply_fn *reply, void *arg);

/* Nobody needs the answer to the Call or Do with this number any more: the cell is told to cancel it.
 * Its reply follows all the same. Only before that. */
void cell_channel_cancel(struct cell_channel *channel, int64_t number);

/* Whether all calls have been answered. */
bool cell_channel_is_idle(const struct cell_channel *channel);

/* Takes in what has been received already: for the last words of a cell that has ended. */
void cell_channel_drain(struct cell_channel *channel);

#endif
