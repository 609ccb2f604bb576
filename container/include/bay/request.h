/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request as its handler sees it. It is borrowed for the handler's run: once
 * handle has returned, the request must not be touched any more. A handler
 * answers exactly once; one that returns BAY_OK without an answer fails the call
 * for it, one that returns another status without bay_fail() fails it with that
 * status.
 *
 * All functions: owning loop only, while the handler runs; none suspends.
 */
#ifndef BAY_REQUEST_H
#define BAY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>

BAY_BEGIN_DECLS

struct bay_instance;
struct bay_message;
struct bay_request;
struct bay_task;

/* The message. The bytes are followed by a NUL that does not count. Borrowed
 * until the handler returns. Since 1.0. */
BAY_API const struct bay_message *bay_request_message(const struct bay_request *request);
BAY_API const void *bay_request_data(const struct bay_request *request);
BAY_API size_t bay_request_size(const struct bay_request *request);
BAY_API const char *bay_request_text(const struct bay_request *request);

/* The whole message as one decimal integer: BAY_OK, else BAY_INVALID and
 * *number_r untouched. Since 1.0. */
BAY_API int bay_request_int64(const struct bay_request *request, int64_t *number_r);

/* The instance that serves it, its settings (NULL without a table) and its state (NULL until
 * set). Borrowed: the instance lives beyond the request; the settings, as they were when the
 * request began, live as long as it does, and as long as what it has begun on helper threads
 * (bay_blocking()); the state is what bay_instance_set_state() was given. Since 1.0. */
BAY_API struct bay_instance *bay_request_instance(const struct bay_request *request);
BAY_API const void *bay_settings(const struct bay_request *request);
BAY_API void *bay_state(const struct bay_request *request);

/* When the caller stops waiting (monotonic, BAY_INHERIT: never). Since 1.0. */
BAY_API int64_t bay_request_deadline(const struct bay_request *request);

/* False when it was sent one way: an answer then goes nowhere. Since 1.0. */
BAY_API bool bay_request_wants_reply(const struct bay_request *request);

/* Answers with a copy of the bytes. BAY_OK; BAY_INVALID when it is answered
 * already (logged, the first answer stays); BAY_TIMEOUT when the caller's
 * deadline has passed by the loop's clock, which is read between tasks and not
 * while one computes; BAY_NO_MEMORY.
 *
 * An accepted answer goes out when the handler has ended. If it came from the
 * queue or has waited, and the deadline has passed by more than a tick of the
 * kernel (10 ms at most) by then, the call fails with BAY_TIMEOUT all the same.
 * A handler that was run at once and never waited keeps its caller's loop, so
 * there nobody looks: its caller is held to its own deadline when it next waits,
 * calls or ends. Since 1.0. */
BAY_API int bay_reply(struct bay_request *request, const void *data, size_t size);
BAY_API int bay_reply_text(struct bay_request *request, const char *text);
BAY_API int bay_reply_printf(struct bay_request *request, const char *format, ...) BAY_PRINTF(2, 3);
BAY_API int bay_reply_int64(struct bay_request *request, int64_t number);

/* Answers with a message, without a copy. Takes *message: NULL afterwards when
 * the answer was accepted, else still the caller's. Since 1.0. */
BAY_API int bay_reply_message(struct bay_request *request, struct bay_message **message);

/* Ends the call with a failure and a text that reaches the caller; returns
 * status, so that "return bay_fail(...)" reads well. status must not be BAY_OK
 * (it becomes BAY_FAILED). Since 1.0. */
BAY_API int bay_fail(struct bay_request *request, int status, const char *format, ...) BAY_PRINTF(3, 4);

/* The same with the status and text of the first of count tasks that failed.
 * Since 1.0. */
BAY_API int bay_fail_from(struct bay_request *request, struct bay_task *const *tasks, size_t count);

BAY_END_DECLS

#endif
