/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory below a stack that nobody may touch.
 *
 * Where the kernel has it (Linux 6.13), a guard is a mark in the page table: it splits no
 * mapping, so a million of them cost nothing but page tables. Elsewhere it is a mapping
 * without access, two mappings a stack, and vm.max_map_count bounds their number. Which of
 * the two is found out at the first use.
 */
#ifndef BAY_FIBER_STACK_GUARD_H
#define BAY_FIBER_STACK_GUARD_H

#include <stdbool.h>
#include <stddef.h>

enum stack_guard_kind {
	STACK_GUARD_MARK = 1,   /* madvise(MADV_GUARD_INSTALL) */
	STACK_GUARD_MAPPING = 2 /* mprotect(PROT_NONE) */
};

/* What guards are made of from now on in this process. Any thread. */
enum stack_guard_kind stack_guard_kind(void);

/*
 * Guards whole pages of a private anonymous mapping. False: it cannot be done, *reason_r (a
 * sentence, static) says why. Any thread.
 */
bool stack_guard_install(void *low, size_t bytes, const char **reason_r)
	__attribute__((warn_unused_result));

/* Count guards were unmapped. Any thread. */
void stack_guard_forget(size_t count);

/*
 * For tests, before the first guard: uses mappings, and lets the process have at most
 * max_mappings for them (0: what vm.max_map_count leaves).
 */
void stack_guard_force_mappings(size_t max_mappings);

#endif
