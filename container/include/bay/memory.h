/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is counted on the service that asked for it (bayctl stats). Plain
 * malloc works too and is simply not counted.
 */
#ifndef BAY_MEMORY_H
#define BAY_MEMORY_H

#include <stddef.h>

#include <bay/abi.h>

BAY_BEGIN_DECLS

/* size bytes set to zero, aligned for any type, or NULL. Owned by the caller,
 * given back with bay_free(). Any thread; never suspends. Since 1.0. */
BAY_API void *bay_alloc(size_t size) BAY_MUST_CHECK;

/* Grows or shrinks what bay_alloc() gave (NULL: a new piece); new bytes are
 * zero. The piece, which may have moved, is the caller's and the old pointer no
 * more valid. NULL when there is no memory: the old piece stays as it was. Any
 * thread; never suspends. Since 1.0. */
BAY_API void *bay_resize(void *memory, size_t size) BAY_MUST_CHECK;

/* Gives a piece back; NULL is allowed. Any thread; never suspends. Since 1.0. */
BAY_API void bay_free(void *memory);

BAY_END_DECLS

#endif
