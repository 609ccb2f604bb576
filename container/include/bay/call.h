/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls from service to service.
 *
 * A call may run on the caller's loop at once, or wait in the other service's
 * queue: callers must not depend on which. It always may suspend by contract.
 * The callee inherits the deadline; the caller returns at its deadline whatever
 * the callee does.
 *
 * The other service may be in another cell: that makes a call slower, and adds a
 * way to fail.
 *
 * All functions: inside a task, unless they say otherwise.
 */
#ifndef BAY_CALL_H
#define BAY_CALL_H

#include <stdint.h>

#include <bay/abi.h>
#include <bay/message.h>
#include <bay/status.h>
#include <bay/task.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_service;

/* The service called name, for the calls below. Look it up once and keep it: the
 * handle is valid as long as the process, through stops, restarts and swaps. One
 * that does not exist (yet) has a handle too; calls to it end with
 * BAY_NOT_FOUND. NULL only when name is no valid name (letters, digits, _ . -, at
 * most 48) or far too many were asked for. Any thread; never suspends. Since
 * 1.0. */
BAY_API struct bay_service *bay_service(const char *name);

/* Its name. Borrowed for ever; "?" for NULL. Any thread; never suspends. Since
 * 1.0. */
BAY_API const char *bay_service_name(const struct bay_service *service);

/* Sends request (borrowed; NULL: an empty message) and waits for the reply, which
 * is the caller's to free; reply_r may be NULL. On failure *reply_r is NULL and
 * bay_call_error() has the text. Statuses: that of the handler, BAY_TIMEOUT,
 * BAY_CANCELED, BAY_NOT_FOUND, BAY_CLOSED (it does not run, or its breaker is open), BAY_FULL (queue),
 * BAY_TOO_BIG, BAY_LOOP (circle), BAY_NO_MEMORY; BAY_INVALID when the plugin has no
 * handler, and in a leaf handler and outside a task. Where the service is in another cell,
 * BAY_PEER_DIED when that has ended: the request may have been handled or not; and BAY_TOO_BIG
 * above 64 MiB. Suspends. Since 1.0. */
BAY_API int bay_call(struct bay_service *service, const struct bay_message *request,
	struct bay_message **reply_r, int64_t deadline);

/* Why the running task's last bay_call() or bay_send() failed; "" if it did not, and
 * after bay_call_start(), whose handle says itself why it failed (bay_task_error()).
 * Borrowed until the next of these. Never suspends. Since 1.0. */
BAY_API const char *bay_call_error(void);

/* Starts a call and goes on; collect it with bay_join(), bay_gather() or
 * bay_wait_first() and bay_task_take_reply(). A call that cannot start gives a
 * handle that has failed already. NULL only when there is no memory. Request is
 * borrowed for this function only. NULL also in a leaf handler and outside a task.
 * It may run the callee until that first awaits; otherwise does not suspend: who
 * starts calls in a loop lets nobody else run before an await. Since 1.0. */
BAY_API struct bay_task *bay_call_start(struct bay_service *service, const struct bay_message *request)
	BAY_MUST_CHECK;

/* Sends one way: BAY_OK once the queue has it (not: once it is handled), else as
 * for bay_call, BAY_INVALID likewise. May wait where the queue's policy is to wait, and where
 * the service is in another cell, for the word of its queue; after BAY_TIMEOUT or
 * BAY_CANCELED that may have it all the same. Since 1.0. */
BAY_API int bay_send(struct bay_service *service, const struct bay_message *request, int64_t deadline);

/* Sends one way at a point of the monotonic clock (bay_after(); one in the past: as soon as this
 * task waits), without a task that waits for it. The message is kept until then. BAY_OK and *id_r
 * (NULL: not wanted) is its number for bay_send_cancel(). BAY_FULL when the instance has 65,536
 * that have not been sent; BAY_CLOSED when it is stopping; BAY_NOT_FOUND without a handle;
 * BAY_INVALID in code of no service; BAY_NO_MEMORY.
 *
 * When the time has come and the queue is full, its policy decides; where that is to wait, the
 * message stands in line and still needs no task. What the queue does not take is lost, and the
 * log of the sender says so. Messages that have not been sent when the sender's instance ends are
 * dropped and counted in its log; in a swap they go over, and its successor sends them, for which
 * their numbers need not mean anything. The way of calls begins anew: a service may send to itself again and
 * again. Any code of a service, on its loop; never suspends. Since 1.0. */
BAY_API int bay_send_later(struct bay_service *service, const struct bay_message *request, int64_t when_ns,
	uint64_t *id_r);

/* Takes such a message back: BAY_OK, it will not be sent; BAY_NOT_FOUND when it has been, or the
 * instance never had it; BAY_INVALID in code of no service. Likewise; never suspends. Since
 * 1.0. */
BAY_API int bay_send_cancel(uint64_t id);

BAY_END_DECLS

#endif
