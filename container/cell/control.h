/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cell's end of the link to the master: takes its calls, one after the other, and
 * gives the answers, in any order; and calls it, with any number of calls under way.
 * Control thread only.
 */
#ifndef BAY_CELL_CONTROL_H
#define BAY_CELL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct event_base;
struct control;
struct varlink_call;
struct varlink_fds;

/* A call of the master; parameters and fds are borrowed for the call. */
typedef void control_call_fn(const struct varlink_call *call, struct varlink_fds *fds, void *arg);
/* The master is gone, or does not understand us any more. */
typedef void control_closed_fn(void *arg);

/* Serves the descriptor CELL_CONTROL_FD on base. NULL: it is not there (logged). */
struct control *control_create(struct event_base *base, control_call_fn *on_call,
	control_closed_fn *on_closed, void *arg)
	__attribute__((warn_unused_result));

/* Ends the calls of ours that are under way. NULL is fine. */
void control_destroy(struct control *control);

/* Answers the call with this id. Takes parameters (NULL: {}), and fd (-1: none). */
void control_answer(struct control *control, int64_t id, json_t *parameters, int fd);

/* Answers it with the error Failed{status, message}. */
void control_refuse(struct control *control, int64_t id, int status, const char *message);

/* Answers it with the error HandlerFailed{status, message}: it was done, and the handler ended
 * with this status. */
void control_handler_failed(struct control *control, int64_t id, int status, const char *message);

/* A call of the master that takes its time and can be cancelled meanwhile. Members are private. */
struct control_pending {
	struct list _link;
	int64_t _id;
	void (*_cancel)(struct control_pending *pending);
};

/* Has cancel called, once, when nobody waits any more for the answer to the call with this id, which
 * is owed all the same. */
void control_pending_begin(struct control *control, struct control_pending *pending, int64_t id,
	void (*cancel)(struct control_pending *pending));

/* It has been answered. Harmless a second time. */
void control_pending_end(struct control_pending *pending);

/* Nobody waits any more for the answer to the call with this id. Nothing, if it has been answered. */
void control_cancel(struct control *control, int64_t id);

/* Sends a notice. Takes parameters. */
void control_notify(struct control *control, const char *method, json_t *parameters);

/* What became of a call of ours. */
struct control_reply {
	int status;              /* BAY_OK; BAY_CLOSED when the link ended first */
	const char *message;     /* "" with BAY_OK */
	struct varlink_fds *fds; /* who takes one leaves -1 */
};

/* All of it is borrowed for the call. */
typedef void control_reply_fn(const struct control_reply *reply, void *arg);

/* Calls the master and takes parameters. reply(..., arg) follows, once: perhaps before this
 * returns, in control_destroy at the latest. */
void control_call(struct control *control, const char *method, json_t *parameters, control_reply_fn *reply,
	void *arg);

/* Waits until all that was answered is sent, a second at most. */
void control_flush(struct control *control);

#endif
