/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event: a flag that tasks wait for. Setting it lets everybody go on who waits at
 * that moment, even when it is cleared again before they run.
 *
 * All functions: on the loop that made the event; those with a deadline inside a
 * task.
 */
#ifndef BAY_EVENT_H
#define BAY_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_event;

/* An event that is not set. The name is for people (copied, up to 31 bytes; NULL:
 * none). NULL when there is no memory. Owned by the caller. Never suspends. Since
 * 1.0. */
BAY_API struct bay_event *bay_event_create(const char *name) BAY_MUST_CHECK;

/* Frees the event; NULL is allowed. Tasks that wait for it end with BAY_CLOSED.
 * Never suspends. Since 1.0. */
BAY_API void bay_event_destroy(struct bay_event *event);

/* Sets and clears the flag; doing either twice does no harm. Never suspend. Since
 * 1.0. */
BAY_API void bay_event_set(struct bay_event *event);
BAY_API void bay_event_clear(struct bay_event *event);

/* Whether it is set. Never suspends. Since 1.0. */
BAY_API bool bay_event_is_set(const struct bay_event *event);

/* Waits until it is set; at once if it is. BAY_OK, BAY_TIMEOUT, BAY_CANCELED, or
 * BAY_CLOSED when it was destroyed meanwhile. May suspend. Since 1.0. */
BAY_API int bay_event_wait(struct bay_event *event, int64_t deadline);

BAY_END_DECLS

#endif
