/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A promise: one value, or one failure, that comes later. Any number of tasks may
 * wait for it, before or after, and all see the same.
 *
 * It is settled once: by a value, a failure or a cancellation. Whoever comes second
 * is told BAY_CLOSED and nothing changes.
 *
 * All functions: on the loop that made the promise; those with a deadline inside a
 * task.
 */
#ifndef BAY_PROMISE_H
#define BAY_PROMISE_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_promise;

/* A promise that is not settled. The name is for people (copied, up to 31 bytes;
 * NULL: none). NULL when there is no memory. Owned by the caller. Never suspends.
 * Since 1.0. */
BAY_API struct bay_promise *bay_promise_create(const char *name) BAY_MUST_CHECK;

/* Frees the promise, not its value; NULL is allowed. Tasks that wait for it end with
 * BAY_CLOSED. A failure that nobody has seen is logged. Never suspends. Since 1.0. */
BAY_API void bay_promise_destroy(struct bay_promise *promise);

/* Settles it with a value, which the promise lends to all who ask and never frees;
 * NULL is a value too. BAY_OK, or BAY_CLOSED when it was settled already. Never
 * suspends. Since 1.0. */
BAY_API int bay_promise_set(struct bay_promise *promise, void *value);

/* Settles it with a failure: a status (BAY_OK counts as BAY_FAILED) and a text,
 * which is copied. BAY_OK or BAY_CLOSED likewise. Never suspends. Since 1.0. */
BAY_API int bay_promise_fail(struct bay_promise *promise, int status, const char *format, ...)
	BAY_PRINTF(3, 4);

/* Settles it with BAY_CANCELED and the reason as its text (copied; NULL:
 * "cancelled"). BAY_OK or BAY_CLOSED likewise. Cancelling is nobody's failure: it is
 * not logged. Never suspends. Since 1.0. */
BAY_API int bay_promise_cancel(struct bay_promise *promise, const char *reason);

/* Waits until it is settled; at once if it is. BAY_OK and *value_r (or NULL) is the
 * value, lent; else the status of the failure; BAY_CLOSED when it was destroyed
 * meanwhile. BAY_TIMEOUT and BAY_CANCELED are about this wait while
 * bay_promise_done() is false. May suspend. Since 1.0. */
BAY_API int bay_promise_wait(struct bay_promise *promise, void **value_r, int64_t deadline);

/* Whether it is settled; how then (BAY_BUSY before); and the text of its failure (""
 * if none; borrowed until the promise is destroyed). Never suspend. Since 1.0. */
BAY_API bool bay_promise_done(const struct bay_promise *promise);
BAY_API int bay_promise_status(const struct bay_promise *promise);
BAY_API const char *bay_promise_error(const struct bay_promise *promise);

BAY_END_DECLS

#endif
