/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool's memory:
 *
 *	slabs  |g|  stack  |g|  stack  |g|  stack  | not carved yet ...  |
 *	idle   [ ][ ][ ][ ] -> taken next
 *
 * Stacks are carved out of the newest slab one at a time, so that a take never pays for a
 * whole slab. Idle ones stand in an array, not in their own memory, which may have gone back
 * to the kernel.
 */
#include "config.h"

#include "fiber/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "fiber/stack_guard.h"

#if defined(HAVE_VALGRIND_VALGRIND_H)
#include <valgrind/valgrind.h>
#endif
#if defined(BAY_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

enum {
	SLAB_BYTES = 16 << 20,
	GUARD_BYTES_MAX = 64 << 10,

	/*
	 * Stack tops lie at COLOURS places, a cache line apart. With 1,000 fibers that is a
	 * tenth faster than one place; more than 1 KiB gained nothing more, and would push a
	 * small task over to a second page.
	 */
	COLOUR_BYTES = 64,
	COLOURS = 16
};

struct stack_pool {
	size_t stack_bytes;
	size_t guard_bytes;
	size_t max_stacks;

	uint8_t **slabs; /* slab_count of them, slab_stacks each; the last one is not full */
	size_t slab_count;
	size_t slab_stacks;
	size_t carved; /* stacks that have their guard, in all slabs */

	struct stack *idle; /* room for all stacks of all slabs */
	size_t idle_count;

	unsigned *valgrind_ids; /* by order of carving; NULL when not under valgrind */
	const char *error;
	char error_text[128];
};

static size_t
stack_page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t
stack_round_up(size_t bytes, size_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

size_t
stack_rounded_bytes(size_t stack_bytes)
{
	size_t bytes = stack_bytes < STACK_BYTES_MIN ? STACK_BYTES_MIN : stack_bytes;

	if (bytes > STACK_BYTES_MAX)
		bytes = STACK_BYTES_MAX;
	/* Four pages at least: one for the guard, three to use. */
	return stack_round_up(bytes, stack_page_bytes() * 4);
}

/* A quarter of the stack: a function's frame can jump over a guard that is too small. */
size_t
stack_guard_bytes(size_t stack_bytes)
{
	size_t guard = stack_rounded_bytes(stack_bytes) / 4;

	return guard > GUARD_BYTES_MAX ? GUARD_BYTES_MAX : guard;
}

struct stack_pool *
stack_pool_create(size_t stack_bytes, size_t max_stacks)
{
	struct stack_pool *pool;

	if (stack_bytes > STACK_BYTES_MAX)
		return NULL;
	pool = xcalloc(1, sizeof(*pool));
	pool->stack_bytes = stack_rounded_bytes(stack_bytes);
	pool->guard_bytes = stack_guard_bytes(stack_bytes);
	pool->max_stacks = max_stacks;
	pool->slab_stacks = SLAB_BYTES / pool->stack_bytes;
	if (pool->slab_stacks == 0)
		pool->slab_stacks = 1;
	pool->error = "";
	return pool;
}

static size_t
stack_slab_bytes(const struct stack_pool *pool)
{
	return pool->slab_stacks * pool->stack_bytes;
}

/* The guard of the stack that is carved as number number. */
static uint8_t *
stack_start(const struct stack_pool *pool, size_t number)
{
	return pool->slabs[number / pool->slab_stacks] +
		number % pool->slab_stacks * pool->stack_bytes;
}

/*
 * Tells the tools about a new stack. Stack by stack and without the guards, because LSan
 * reads all that it is told of.
 */
static void
stack_announce(struct stack_pool *pool, const struct stack *stack)
{
	(void)pool;
	(void)stack;
#if defined(BAY_ASAN)
	__lsan_register_root_region(stack->low, pool->stack_bytes - pool->guard_bytes);
#endif
#if defined(HAVE_VALGRIND_VALGRIND_H)
	if (!RUNNING_ON_VALGRIND)
		return;
	pool->valgrind_ids =
		xrealloc(pool->valgrind_ids, pool->carved + 1, sizeof(*pool->valgrind_ids));
	pool->valgrind_ids[pool->carved] = VALGRIND_STACK_REGISTER(stack->low, stack->top);
#endif
}

static void
stack_renounce_all(struct stack_pool *pool)
{
#if defined(BAY_ASAN)
	for (size_t i = 0; i < pool->carved; i++)
		__lsan_unregister_root_region(stack_start(pool, i) + pool->guard_bytes,
			pool->stack_bytes - pool->guard_bytes);
#endif
#if defined(HAVE_VALGRIND_VALGRIND_H)
	for (size_t i = 0; pool->valgrind_ids != NULL && i < pool->carved; i++)
		VALGRIND_STACK_DEREGISTER(pool->valgrind_ids[i]);
#endif
	free(pool->valgrind_ids);
}

static void
stack_slab_unmap(struct stack_pool *pool, uint8_t *slab)
{
#if defined(BAY_ASAN)
	__asan_unpoison_memory_region(slab, stack_slab_bytes(pool));
#endif
	munmap(slab, stack_slab_bytes(pool));
}

void
stack_pool_destroy(struct stack_pool *pool)
{
	if (pool == NULL)
		return;
	stack_renounce_all(pool);
	for (size_t i = 0; i < pool->slab_count; i++)
		stack_slab_unmap(pool, pool->slabs[i]);
	stack_guard_forget(pool->carved);
	free(pool->slabs);
	free(pool->idle);
	free(pool);
}

static bool
stack_pool_fail(struct stack_pool *pool, const char *reason)
{
	pool->error = reason;
	return false;
}

/* Room in the arrays for one more slab; doubles, so that growing costs little per stack. */
static bool
stack_pool_grow_arrays(struct stack_pool *pool)
{
	size_t count = pool->slab_count;
	uint8_t **slabs;
	struct stack *idle;

	if ((count & (count - 1)) != 0)
		return true;
	count = count == 0 ? 1 : count * 2;
	slabs = realloc(pool->slabs, count * sizeof(*slabs));
	if (slabs == NULL)
		return false;
	pool->slabs = slabs;
	idle = realloc(pool->idle, count * pool->slab_stacks * sizeof(*idle));
	if (idle == NULL)
		return false;
	pool->idle = idle;
	return true;
}

static bool
stack_pool_add_slab(struct stack_pool *pool)
{
	size_t bytes = stack_slab_bytes(pool);
	uint8_t *slab;

	if (!stack_pool_grow_arrays(pool))
		return stack_pool_fail(pool, "no memory for more stacks");
	slab = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (slab == MAP_FAILED)
		return stack_pool_fail(pool, "no memory or no mapping left for more stacks");
	/* A huge page would put 2 MiB in memory for the first byte touched. */
	(void)madvise(slab, bytes, MADV_NOHUGEPAGE);
	pool->slabs[pool->slab_count++] = slab;
	return true;
}

static bool
stack_pool_refuse_more(struct stack_pool *pool)
{
	snprintf(pool->error_text, sizeof(pool->error_text),
		"all %zu stacks of %zu KiB are in use", pool->max_stacks, pool->stack_bytes >> 10);
	return stack_pool_fail(pool, pool->error_text);
}

/* Makes the next stack of the last slab. */
static __attribute__((noinline)) bool
stack_carve(struct stack_pool *pool, struct stack *stack_r)
{
	size_t colour = pool->carved % COLOURS * COLOUR_BYTES;
	uint8_t *start;

	if (pool->carved >= pool->max_stacks)
		return stack_pool_refuse_more(pool);
	if (pool->carved == pool->slab_count * pool->slab_stacks && !stack_pool_add_slab(pool))
		return false;
	start = stack_start(pool, pool->carved);
	if (!stack_guard_install(start, pool->guard_bytes, &pool->error))
		return false;
	stack_r->low = start + pool->guard_bytes;
	stack_r->top = start + pool->stack_bytes - colour;
	stack_announce(pool, stack_r);
	pool->carved++;
	return true;
}

bool
stack_take(struct stack_pool *pool, struct stack *stack_r)
{
	if (pool->idle_count > 0) {
		const struct stack *stack = &pool->idle[--pool->idle_count];

		/* Not in one load of both, which would have to wait for the two stores of a give. */
		stack_r->low = stack->low;
		stack_r->top = stack->top;
	} else if (!stack_carve(pool, stack_r)) {
		return false;
	}
#if defined(BAY_ASAN)
	/* Also of what dead frames left: gcc does not clean up behind a fiber that exits. */
	__asan_unpoison_memory_region(stack_r->low, (size_t)(stack_r->top - stack_r->low));
#endif
	return true;
}

/* Its guard stays. */
void
stack_cool(const struct stack_pool *pool, const struct stack *stack)
{
	(void)madvise(stack->low, pool->stack_bytes - pool->guard_bytes, MADV_DONTNEED);
}

bool
stack_cool_below(const struct stack *stack, const uint8_t *below)
{
	size_t page = stack_page_bytes();
	uint8_t *end;

	if (below <= stack->low || below > stack->top)
		return false;
	/* The stack begins and ends with pages. */
	end = stack->low + (size_t)(below - stack->low) / page * page;
	return end == stack->low || madvise(stack->low, (size_t)(end - stack->low), MADV_DONTNEED) == 0;
}

void
stack_give(struct stack_pool *pool, struct stack stack)
{
#if defined(BAY_ASAN)
	/* Whoever still uses it hears of it. */
	__asan_poison_memory_region(stack.low, (size_t)(stack.top - stack.low));
#endif
	pool->idle[pool->idle_count++] = stack;
}

const char *
stack_pool_error(const struct stack_pool *pool)
{
	return pool->error;
}

size_t
stack_pool_taken(const struct stack_pool *pool)
{
	return pool->carved - pool->idle_count;
}

size_t
stack_pool_mapped(const struct stack_pool *pool)
{
	return pool->carved;
}

bool
stack_guard_holds(const struct stack *stack, size_t stack_bytes, uintptr_t address)
{
	uintptr_t low = (uintptr_t)stack->low;

	return address < low && address >= low - stack_guard_bytes(stack_bytes);
}

size_t
stack_used(const struct stack *stack)
{
	enum { BATCH = 256 };
	size_t page = stack_page_bytes();
	unsigned char resident[BATCH];

	for (uint8_t *at = stack->low; at < stack->top; at += BATCH * page) {
		size_t left = (size_t)(stack->top - at);
		size_t pages = (left + page - 1) / page;

		if (pages > BATCH)
			pages = BATCH;
		if (mincore(at, pages * page, resident) != 0)
			return 0;
		for (size_t i = 0; i < pages; i++) {
			if (resident[i] & 1)
				return (size_t)(stack->top - (at + i * page));
		}
	}
	return 0;
}
