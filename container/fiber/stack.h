/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks for fibers, carved out of large mappings and reused, the most recently used first.
 *
 *	| guard        | usable, grows down                       | colour |
 *	^ never mapped ^ low                                  top ^        ^ the next stack
 *
 * Only pages that were touched cost memory. Touching the guard is a SIGSEGV. The colour is
 * a few cache lines that differ from stack to stack: if all stacks began at the same place
 * of a page, a thousand of them would fight for the same cache sets.
 *
 * A pool holds stacks of one size. It belongs to one thread, which calls everything here
 * unless it says otherwise.
 */
#ifndef BAY_FIBER_STACK_H
#define BAY_FIBER_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stack_pool;

struct stack {
	uint8_t *low; /* the first usable byte; the guard lies right below */
	uint8_t *top; /* behind the last usable byte; a multiple of 64 */
};

/* The smallest and largest size of a stack, guard included. */
#define STACK_BYTES_MIN ((size_t)16 << 10)
#define STACK_BYTES_MAX ((size_t)1 << 30)

/*
 * Makes a pool of stacks of stack_bytes each, guard included, rounded up to whole pages and
 * to STACK_BYTES_MIN. At most max_stacks are in use at a time. Maps nothing yet. NULL: the
 * size is above STACK_BYTES_MAX or there is no memory.
 */
struct stack_pool *stack_pool_create(size_t stack_bytes, size_t max_stacks)
	__attribute__((warn_unused_result));

/* Every stack must have been given back. NULL is allowed. */
void stack_pool_destroy(struct stack_pool *pool);

/*
 * Takes a stack; its bytes are undefined. False: the pool's maximum is reached, there is no
 * memory, or guards would use up the process's mappings; stack_pool_error says which.
 */
bool stack_take(struct stack_pool *pool, struct stack *stack_r)
	__attribute__((warn_unused_result));

/* Gives a stack back to the pool it is from, as warm as it is. Nothing may run on it any
 * more. */
void stack_give(struct stack_pool *pool, struct stack stack);

/* Gives the whole pages of a stack below an address back to the kernel, as stack_cool(). False:
 * it cannot be done, and nothing has changed. */
bool stack_cool_below(const struct stack *stack, const uint8_t *below);

/* Gives the memory of a stack on which nothing runs back to the kernel: its bytes become
 * undefined, and the next touch of a page faults. A system call. */
void stack_cool(const struct stack_pool *pool, const struct stack *stack);

/* A sentence: why the last stack_take failed. Borrowed until the next one. */
const char *stack_pool_error(const struct stack_pool *pool);

/* Stacks in use; stacks mapped, in use or not. */
size_t stack_pool_taken(const struct stack_pool *pool);
size_t stack_pool_mapped(const struct stack_pool *pool);

/* What a pool of this stack_bytes makes of it: whole size and guard. Any thread. */
size_t stack_rounded_bytes(size_t stack_bytes);
size_t stack_guard_bytes(size_t stack_bytes);

/*
 * Whether address lies in the guard of this stack, so that a fault there is its overflow.
 * stack_bytes is the pool's. Any thread, in a signal handler too.
 */
bool stack_guard_holds(const struct stack *stack, size_t stack_bytes, uintptr_t address);

/*
 * How deep the stack has been used since it was last fresh: bytes from top down to the
 * lowest page in memory. Costs a system call.
 */
size_t stack_used(const struct stack *stack);

#endif
