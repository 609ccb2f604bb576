/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request: one message on its way to a service and back.
 *
 *	caller's loop (home)                      callee's loop (runner)
 *	   created -----> queue of the service ----> handler runs
 *	   arrived <--------------------------------- ended
 *
 * It is in one place at a time and always comes home exactly once, where its owner,
 * or nobody any more, waits for it. Home owns the fields under "home"; whoever has
 * the request owns the rest. That is why nothing in it needs a count or a lock,
 * except the place, which is guarded by the service's lock while it is queued.
 *
 * A request that runs on its caller's own loop without the queue has the same life
 * with a shorter way.
 */
#ifndef BAY_SERVICE_REQUEST_H
#define BAY_SERVICE_REQUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <bay/arena.h>
#include <bay/request.h>
#include <bay/time.h>

#include "base/list.h"
#include "base/traceparent.h"
#include "loop/inbox.h"
#include "runtime/handle.h"
#include "service/service.h"

struct bay_message;
struct bay_verb;
struct loop;
struct peer_link;
struct scheduler;
struct task;

/* Longest way from service to service (max_depth cannot be more). */
#define REQUEST_DEPTH_MAX 64

enum request_place {
	PLACE_HOME,      /* not sent, or on its way home, or back */
	PLACE_QUEUED,    /* in the service's queue */
	PLACE_WAITING,   /* before the queue, which is full */
	PLACE_RUNNING
};

typedef void request_arrived_fn(struct bay_request *request);

struct bay_request {
	/* home */
	struct bay_task handle;         /* first: what bay_call_start() returns */
	struct loop *home;
	request_arrived_fn *arrived;    /* called at home */
	void *arrived_arg;              /* its owner's */
	bool returned;                  /* has come home; the handle may have ended before */
	bool cancel_travels;            /* cancel_item is on its way to the runner or back */
	bool watched;                   /* how it ends is to be told to its service's call_guard.h, ... */
	uint8_t trial;                  /* ... as such a trial; 0: as any other */

	/* whoever has it */
	bool one_way;
	bool answered;
	bool borrowed;                  /* message is the caller's: not to be freed */
	uint8_t depth;                  /* services above us: chain[0..depth-1] */
	uint8_t recorded;               /* its hop is, and those of all that it calls, from chain[recorded-1]
	                                 * on; 0: no. See hop.h */
	uint8_t waiting_from;           /* those before it in the chain do not wait for us */
	bool by_handler;                /* the failure is its handler's word, not the container's */
	bool away;                      /* was to go to another cell; set by home, and stays */
	uint8_t tries;                  /* cells that have died with it; these are one word, to be
	                                 * set by one store */
	bool came_over;                 /* of another cell: is never sent on, nor stands before a full queue
	                                 * without a ticket */
	bool is_away;                   /* on its way to another cell, or there; under the lock of peer.h */
	uint8_t crashes;                /* cells that have crashed over it: they are some of tries */
	bool counted;                   /* among service->inflight; under its lock */
	uint16_t hop_place;             /* while its hop has begun and not ended: see hop_table.h */
	enum request_place place;
	int status;                     /* how it was answered */
	struct bay_service *service;
	struct bay_instance *instance;  /* while it runs */
	struct bay_message *message;    /* NULL: empty */
	struct bay_message *reply;
	char *error;                    /* malloc'd */
	struct bay_request *ticket;     /* one way before a full queue: told when it gets in;
	                                 * of a ticket: the message that it stands for */
	struct bay_arena *arena;        /* while it runs, or NULL */
	const void *settings;           /* that it keeps though its instance has others; or NULL */
	struct task *task;              /* that runs the handler; runner only */
	struct scheduler *runner;
	int64_t deadline;               /* absolute; BAY_INHERIT: none */
	int64_t queued_ns;              /* when it came into the queue */
	int64_t taken_ns;               /* when its handler began, 0: not measured */
	struct traceparent trace;       /* see trace.h; of a leaf, none until somebody asks */
	uint64_t span;                  /* that of this request; 0: nobody has asked for it */
	int64_t came_ns;                /* of one whose hop has begun and not ended, else 0 */
	struct peer_link *sent;         /* in another cell: by this link, as number sent_slot; NULL: not yet */
	uint32_t sent_slot;
	const struct bay_verb *verb;    /* of one for instance_run_verb() only, ... */
	const void *arguments;          /* ... which its home keeps; or what a struct service_own knows of it */
	struct list link;               /* in the queue, or in instance->requests */
	struct inbox_item home_item;
	struct inbox_item cancel_item;
	char cancel_reason[64];
	uint16_t chain[REQUEST_DEPTH_MAX];
};

/* What arrived is for a request made by a task: ends the handle, wakes who waits. */
void request_arrive(struct bay_request *request);

/* Requests that a thread keeps for reuse, chained by arrived_arg. */
#define REQUEST_CACHE_MAX 512
extern __thread struct request_cache {
	struct bay_request *first;
	unsigned count;
} request_cache __attribute__((tls_model("initial-exec")));

/* The slow parts of what follows. */
struct bay_request *request_allocate(void);
void request_free_slowly(struct bay_request *request);

/* A request at home on the loop given, or NULL without memory; message is borrowed. Sets only
 * what request_free() does not leave as it should be. */
static inline struct bay_request *
request_create(struct bay_service *service, const struct bay_message *message, struct loop *home)
{
	struct bay_request *request = request_cache.first;

	if (__builtin_expect(request != NULL, 1)) {
		request_cache.first = request->arrived_arg;
		request_cache.count--;
	} else {
		request = request_allocate();
		if (request == NULL)
			return NULL;
	}
	handle_renew(&request->handle);
	request->home = home;
	request->returned = false;
	request->cancel_travels = false;
	request->watched = false;
	request->trial = 0;
	request->one_way = false;
	request->answered = false;
	request->borrowed = true;
	request->depth = 0;
	request->recorded = 0;
	request->waiting_from = 0;
	request->by_handler = false;
	request->away = false;
	request->tries = 0;
	request->came_over = false;
	request->counted = false;
	request->is_away = false;
	request->crashes = 0;
	request->place = PLACE_HOME;
	request->status = BAY_OK;
	request->service = service;
	request->message = (struct bay_message *)message;
	request->runner = NULL;
	request->deadline = BAY_INHERIT;
	request->trace = (struct traceparent){.flags = 0};
	request->span = 0;
	request->came_ns = 0;
	return request;
}

/* What belongs to the same trace. A request without a span of its own has not been seen by anybody
 * who could tell of it, so its children are those of what is above it. */
static inline void
request_inherit_trace(struct bay_request *request, const struct bay_request *parent)
{
	request->trace = parent->trace;
	if (parent->span != 0)
		request->trace.parent = parent->span;
}

/* Copies who is above from the request that the caller serves (NULL: nobody). After one_way
 * is set: nobody waits for the end of what goes one way. */
static inline void
request_set_parent(struct bay_request *request, const struct bay_request *parent)
{
	unsigned i;

	if (parent == NULL)
		return;
	/* Four at a time: most chains are shorter than a call of memcpy is long. */
	for (i = 0; i < parent->depth; i += 4)
		memcpy(&request->chain[i], &parent->chain[i], 4 * sizeof request->chain[0]);
	request->chain[parent->depth] = parent->service->id;
	request->depth = (uint8_t)(parent->depth + 1);
	request->waiting_from = request->one_way ? request->depth : parent->waiting_from;
	request->recorded = parent->recorded;
	request_inherit_trace(request, parent);
}

/* Frees; it must be at home with no cancel item under way, and in no list but its owner's. */
static inline void
request_free(struct bay_request *request)
{
	handle_finish(&request->handle);
	if (__builtin_expect(!request->borrowed || request->reply != NULL || request->error != NULL ||
		request->ticket != NULL || request->settings != NULL ||
		request_cache.count >= REQUEST_CACHE_MAX, 0)) {
		request_free_slowly(request);
		return;
	}
	request->task = NULL;
	request->queued_ns = 0;
	request->taken_ns = 0;
	request->arrived = request_arrive;
	request->arrived_arg = request_cache.first;
	request_cache.first = request;
	request_cache.count++;
}

/* Frees one that was taken back before its queue had it: where it is recorded, its hop ends so. */
void request_withdraw(struct bay_request *request);

/* Keeps the message beyond the caller's loan. */
void request_keep_message(struct bay_request *request);

/* The runner is done with it: what the handler returned becomes the outcome if it has
 * not answered; then the request goes home, or is freed when it was one way. */
void request_go_home(struct bay_request *request);

/* The outcome of a handler that returned status. */
void request_settle(struct bay_request *request, int status);

/* Ends it without an answer, with a text (format NULL: none), on the container's account; who
 * ends it for the handler sets by_handler after that. */
void request_fail(struct bay_request *request, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Of its call; what the task that runs the handler was given besides is not looked at. A
 * scheduler_leaf_deadline_fn. */
int64_t request_deadline(const struct bay_request *request);

/* Its handler, and what that spawned, needs its arena no more. */
static inline void
request_end_arena(struct bay_request *request)
{
	if (__builtin_expect(request->arena != NULL, 0)) {
		bay_arena_destroy(request->arena);
		request->arena = NULL;
	}
}

/* Asks for its end from home: takes it out of the queue, or cancels its task wherever
 * that runs. For its caller it has ended with BAY_CANCELED when this returns; the
 * request comes home when the callee is done with it. Home's thread only. */
void request_cancel(struct bay_request *request, const char *reason);

/* Nobody waits for it any more: cancels it, frees it when it is home. */
void request_abandon(struct bay_request *request, const char *reason);

/* "a -> b -> a": the services above and its own; a long one is cut in the middle. Malloc'd. */
char *request_chain_text(const struct bay_request *request);

/* How often its own service stands above it and waits for it. */
unsigned request_times_in_chain(const struct bay_request *request);

/* Gives what the thread keeps for reuse back; before a thread ends. */
void request_clear_cache(void);

#endif
