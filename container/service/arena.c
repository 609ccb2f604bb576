/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of <bay/arena.h>. An arena is a list of chunks, which come from bay_alloc()
 * and are counted there; the first one holds the arena itself. Pieces are cut off the
 * latest chunk.
 *
 *	chunk (latest)                chunk                   chunk (first)
 *	|head|piece|piece| free | --> |head|piece| lost | --> |head|arena|piece| lost |
 *
 * A piece that is large for a chunk gets one to itself, behind the latest, so that the rest
 * of that is not lost.
 */
#include "config.h"

#include <bay/arena.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <bay/memory.h>

#include "service/request.h"

enum {
	ARENA_ALIGNMENT = 16,
	/* Bytes of the first chunk with all heads: a request that needs little costs little. */
	ARENA_FIRST = 1024 - 16,
	/* Each further one is twice as large, up to this. */
	ARENA_LARGEST = 64 << 10
};

struct arena_chunk {
	struct arena_chunk *older;
	size_t size;    /* of bytes[] */
	size_t used;    /* a multiple of ARENA_ALIGNMENT */
	char bytes[] __attribute__((aligned(ARENA_ALIGNMENT)));
};

struct bay_arena {
	struct arena_chunk *latest;
	struct arena_chunk *first;
	size_t next_size;   /* of the next chunk, with its head */
	size_t total;       /* of all chunks, with their heads */
};

#define ARENA_OWN (sizeof(struct bay_arena) + (-sizeof(struct bay_arena) & (ARENA_ALIGNMENT - 1)))

static struct arena_chunk *
arena_chunk(size_t size)
{
	struct arena_chunk *chunk = bay_alloc(size);

	if (chunk != NULL)
		chunk->size = size - sizeof *chunk;
	return chunk;
}

struct bay_arena *
bay_arena_create(void)
{
	struct arena_chunk *first = arena_chunk(ARENA_FIRST);
	struct bay_arena *arena;

	if (first == NULL)
		return NULL;
	arena = (struct bay_arena *)first->bytes;
	first->used = ARENA_OWN;
	arena->latest = first;
	arena->first = first;
	arena->next_size = 2 * ARENA_FIRST;
	arena->total = ARENA_FIRST;
	return arena;
}

/* Frees all chunks but the first, which it returns. */
static struct arena_chunk *
arena_trim(struct bay_arena *arena)
{
	struct arena_chunk *chunk = arena->latest, *first = arena->first;

	while (chunk != NULL) {
		struct arena_chunk *older = chunk->older;

		if (chunk != first)
			bay_free(chunk);
		chunk = older;
	}
	return first;
}

void
bay_arena_destroy(struct bay_arena *arena)
{
	if (arena != NULL)
		bay_free(arena_trim(arena));
}

void
bay_arena_reset(struct bay_arena *arena)
{
	struct arena_chunk *first;

	if (arena == NULL)
		return;
	first = arena_trim(arena);
	first->older = NULL;
	memset(first->bytes + ARENA_OWN, 0, first->used - ARENA_OWN);
	first->used = ARENA_OWN;
	arena->latest = first;
	arena->next_size = 2 * ARENA_FIRST;
	arena->total = ARENA_FIRST;
}

/* A new chunk becomes the latest. */
static bool
arena_grow(struct bay_arena *arena)
{
	struct arena_chunk *chunk = arena_chunk(arena->next_size);

	if (chunk == NULL)
		return false;
	chunk->older = arena->latest;
	arena->latest = chunk;
	arena->total += arena->next_size;
	if (arena->next_size < ARENA_LARGEST)
		arena->next_size *= 2;
	return true;
}

/* A chunk for one piece, behind the latest. */
static void *
arena_alone(struct bay_arena *arena, size_t size)
{
	struct arena_chunk *chunk;

	if (size > SIZE_MAX - sizeof *chunk)
		return NULL;
	chunk = arena_chunk(sizeof *chunk + size);
	if (chunk == NULL)
		return NULL;
	chunk->used = size;
	arena->total += sizeof *chunk + size;
	chunk->older = arena->latest->older;
	arena->latest->older = chunk;
	return chunk->bytes;
}

static void *
arena_take(struct bay_arena *arena, size_t size)
{
	struct arena_chunk *latest = arena->latest;
	void *piece;

	if (size > latest->size - latest->used) {
		if (size > arena->next_size / 4)
			return arena_alone(arena, size);
		if (!arena_grow(arena))
			return NULL;
		latest = arena->latest;
	}
	piece = latest->bytes + latest->used;
	latest->used += size;
	return piece;
}

void *
bay_arena_alloc(struct bay_arena *arena, size_t size)
{
	if (arena == NULL || size > SIZE_MAX - ARENA_ALIGNMENT)
		return NULL;
	/* Nothing is a piece too, and unlike all others. */
	if (size == 0)
		size = 1;
	return arena_take(arena, size + (-size & (ARENA_ALIGNMENT - 1)));
}

void *
bay_arena_copy(struct bay_arena *arena, const void *data, size_t size)
{
	char *copy = size < SIZE_MAX ? bay_arena_alloc(arena, size + 1) : NULL;

	if (copy != NULL && size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *
bay_arena_printf(struct bay_arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = length >= 0 ? bay_arena_alloc(arena, (size_t)length + 1) : NULL;
	if (text == NULL)
		return NULL;
	va_start(args, format);
	(void)vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

size_t
bay_arena_bytes(const struct bay_arena *arena)
{
	return arena != NULL ? arena->total : 0;
}

struct bay_arena *
bay_request_arena(struct bay_request *request)
{
	if (request->arena == NULL)
		request->arena = bay_arena_create();
	return request->arena;
}
