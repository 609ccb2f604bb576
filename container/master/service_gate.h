/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the requests of a service are begun, wait or are refused, as an operator wishes:
 *
 *	open --pause--> paused      what comes is queued, what runs ends, nothing is begun
 *	open --drain--> closed      what comes is refused, what is queued and runs ends: drained
 *	paused, closed --resume--> open
 *
 * The wish outlives the cell, new code and other configurations; a stop of the service by its name
 * ends it, and so does the end of bayd. It is no state of the service: that is READY meanwhile, and is called "paused",
 * "draining" or "drained".
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_GATE_H
#define BAY_MASTER_SERVICE_GATE_H

#include "base/list.h"
#include "master/event_log.h"
#include "master/service_waiters.h"
#include "protocol/cell_link.h"

struct config_service;
struct event;
struct master_service;

/* Of a service. */
struct service_gate {
	enum cell_gate_state state;
	enum cell_gate_state told; /* what the cell that there is has been told */
	bool used;                 /* some cell has been told something */
	bool unknown;              /* what this one was told is not known: it was in another meanwhile */
	struct event_by by;        /* whose wish it is */
	bool drained;              /* closed, and nothing is left */
	unsigned asking;           /* calls that the cell is to answer */
	struct cell_gate_seen seen; /* its last answer */
	struct event *timer;       /* of the next question */
	struct list askers;        /* struct gate_asker */
};

/* What somebody wants of a gate. */
struct gate_wish {
	enum cell_gate_state state;
	struct event_by by;
	/* What is left has changed, while it drains; or NULL. */
	void (*progress)(struct master_service *service, const struct cell_gate_seen *seen, void *arg);
	/* BAY_OK: all loops have seen it, or, closed, it is drained; before that for one whose cell is
	 * not there. While its cell is drained to be replaced, this is the word of the next one. BAY_CLOSED: the service does not run. BAY_CANCELED, BAY_FAILED: something
	 * has come between. NULL: nobody waits. */
	service_done_fn *done;
	void *arg;
};

void service_gate_init(struct master_service *service);

/* Nobody waits any more. */
void service_gate_finish(struct master_service *service);

/* done may be called before it returns. */
void service_gate_set(struct master_service *service, const struct gate_wish *wish);

/* Open, from its next start on: an operator stops it, or it is a new one. */
void service_gate_reset(struct master_service *service, const char *why);

/* Before its start: the cell hears of it. */
void service_gate_tell(struct master_service *service);

/* Why it is not to be moved to the cell of config (borrowed): it is paused, and what is queued cannot go along.
 * The caller's; NULL: it may be. */
char *service_gate_move_refusal(const struct master_service *service, const struct config_service *config)
	__attribute__((warn_unused_result));

/* It will be started in another cell, where it may have been before. */
void service_gate_move(struct master_service *service);

/* The cell that has been told has ended. */
void service_gate_forget(struct master_service *service);

/* The name of the service's state, or of its gate where that says more. */
const char *service_gate_state_name(const struct master_service *service);

#endif
