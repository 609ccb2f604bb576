/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An arena: memory that is taken in small pieces and given back all at once. Each request
 * has one of its own, which ends with the request, so that what a handler puts together for
 * its answer needs no free on any of its ways out:
 *
 *	struct bay_arena *arena = bay_request_arena(request);
 *	char *path = bay_arena_printf(arena, "%s/%s", root, bay_request_text(request));
 *
 *	if (path == NULL)
 *		return BAY_NO_MEMORY;
 *
 * It is counted on the service that took it (bayctl stats). A NULL arena gives no memory,
 * so that only the last result needs to be looked at.
 *
 * All functions: one thread at a time; of a request's arena its loop only.
 */
#ifndef BAY_ARENA_H
#define BAY_ARENA_H

#include <stddef.h>

#include <bay/abi.h>

BAY_BEGIN_DECLS

struct bay_arena;
struct bay_request;

/* The arena of a request, made at the first call. Borrowed; it and all that came from it
 * are gone when the handler has returned and the tasks that it spawned have ended. NULL
 * when there is no memory. Never suspends. Since 1.0. */
BAY_API struct bay_arena *bay_request_arena(struct bay_request *request);

/* An arena of one's own. Owned by the caller. NULL when there is no memory. Never suspends.
 * Since 1.0. */
BAY_API struct bay_arena *bay_arena_create(void) BAY_MUST_CHECK;

/* Frees it with all that came from it; NULL is allowed. Not for a request's. Never
 * suspends. Since 1.0. */
BAY_API void bay_arena_destroy(struct bay_arena *arena);

/* Frees all that came from it; the arena stays. Never suspends. Since 1.0. */
BAY_API void bay_arena_reset(struct bay_arena *arena);

/* size bytes set to zero, aligned for any type, or NULL without memory. Borrowed until the
 * arena ends or is reset. Never suspends. Since 1.0. */
BAY_API void *bay_arena_alloc(struct bay_arena *arena, size_t size) BAY_MUST_CHECK;

/* A copy of size bytes, with a NUL behind that does not count, or NULL without memory.
 * Borrowed until the arena ends or is reset. Never suspends. Since 1.0. */
BAY_API void *bay_arena_copy(struct bay_arena *arena, const void *data, size_t size) BAY_MUST_CHECK;

/* A formatted text, or NULL without memory. Borrowed until the arena ends or is reset. Never
 * suspends. Since 1.0. */
BAY_API char *bay_arena_printf(struct bay_arena *arena, const char *format, ...)
	BAY_PRINTF(2, 3) BAY_MUST_CHECK;

/* Bytes that it holds from its service, used or not. Never suspends. Since 1.0. */
BAY_API size_t bay_arena_bytes(const struct bay_arena *arena);

BAY_END_DECLS

#endif
