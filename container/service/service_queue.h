/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bounded queue of a service, shared by its instances on all loops. Bounded in
 * messages and in bytes; what happens beyond is the service's overflow policy.
 */
#ifndef BAY_SERVICE_SERVICE_QUEUE_H
#define BAY_SERVICE_SERVICE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "service/request.h"
#include "service/service.h"

struct list;
struct scheduler;

/* Gives a request to the service. BAY_OK: it is the queue's (or waits before it, or was one
 * way and dropped by the policy) and comes home some day. Otherwise it is still the caller's, with request->error set:
 * BAY_NOT_FOUND, BAY_CLOSED, BAY_FULL, BAY_TOO_BIG, BAY_LOOP, BAY_INVALID. A one-way request that
 * meets a full queue whose policy is to wait, or goes to another cell, needs a ticket (BAY_BUSY
 * without: it is still the caller's), and so does one that came_over: a request of the sender's own
 * that comes home with BAY_OK when the message has its place, or with the reason why it never will.
 * From that moment on the message is not the sender's any more. Any thread. */
int service_queue_put(struct bay_service *service, struct bay_request *request);

/* The same for a task whose next deed, after BAY_OK, is to park: no other loop need be woken for
 * what this one will see at once. Inside a task. */
int service_queue_put_and_park(struct bay_service *service, struct bay_request *request);

/* Takes the message of a ticket (ticket->ticket) back if it still stands before the queue:
 * then both are the caller's. False: the ticket is on its way home. Home's thread. */
bool service_queue_withdraw(struct bay_service *service, struct bay_request *ticket);

/* Moves up to count requests to taken (PLACE_RUNNING, runner), lets waiting senders in,
 * and lists the service again if more are there. Not 0: a bound was reached (bounds.h), and the service
 * rests until somebody looks again, at that time at the latest. Runner's loop. */
int64_t service_queue_take(struct bay_service *service, size_t count, int64_t now_ns, struct scheduler *runner,
	struct list *taken);

/* One that was taken and is counted is not handled any more. Runner's loop. */
void service_queue_ended(struct bay_request *request);

/* Ends its rest. Any thread. */
void service_queue_look_again(struct bay_service *service);

/* Takes one out if it still waits; false when it has gone. Home's thread. */
bool service_queue_remove(struct bay_request *request);

/* Its bounds have changed: lets senders in that wait before it, if there is room now, and wakes
 * a loop for them. Any thread. */
void service_queue_resettle(struct bay_service *service);

/* The service is stopped to be started again at once: what is queued stays, and what comes
 * waits with it, until it is released. Before the stop; any thread. */
void service_queue_hold(struct bay_service *service);

/* It was in another cell and is started here: what comes waits until it is released. */
void service_queue_hold_new(struct bay_service *service);

/* It serves again: the loops see what has waited. Any thread. */
void service_queue_release(struct bay_service *service);

/* Sets what becomes of requests, and whose wish that is (copied). From its return on the queue
 * obeys; the loops have to be told (instance_see_gate). Any thread. */
void service_queue_set_gate(struct bay_service *service, enum service_gate gate, const char *by);

/* Whether nothing is queued, and nobody waits to be. Any thread. */
bool service_queue_is_empty(struct bay_service *service);

/* Ends everything in it with BAY_CLOSED and a reason; it is held no more. Any thread. */
void service_queue_flush(struct bay_service *service, const char *reason);

/* Takes it out of its ready set; no loop may have an instance of it. Any thread. */
void service_queue_unlist(struct bay_service *service);

#endif
