/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "fiber/stack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "fiber/stack_guard.h"
#include "fiber/write_faults.h"
#include "support/check_main.h"

enum { STACK_BYTES = 256 << 10 };

static struct stack
take(struct stack_pool *pool)
{
	struct stack stack;

	ck_assert_msg(stack_take(pool, &stack), "%s", stack_pool_error(pool));
	return stack;
}

START_TEST(the_last_one_given_is_taken_first)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 3);
	struct stack a = take(pool), b = take(pool), c = take(pool);

	stack_give(pool, b);
	stack_give(pool, a);
	stack_give(pool, c);
	ck_assert_ptr_eq(take(pool).low, c.low);
	ck_assert_ptr_eq(take(pool).low, a.low);
	ck_assert_ptr_eq(take(pool).low, b.low);
	ck_assert_uint_eq(stack_pool_taken(pool), 3);
	ck_assert_uint_eq(stack_pool_mapped(pool), 3);
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(a_pool_refuses_more_than_its_maximum_and_says_so)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 2);
	struct stack a = take(pool), b = take(pool), c;

	ck_assert(!stack_take(pool, &c));
	ck_assert_str_eq(stack_pool_error(pool), "all 2 stacks of 256 KiB are in use");
	stack_give(pool, a);
	c = take(pool);
	ck_assert_ptr_eq(c.low, a.low);
	ck_assert_ptr_ne(c.low, b.low);
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(sizes_are_rounded_and_a_quarter_is_guard_up_to_64k)
{
	ck_assert_uint_eq(stack_rounded_bytes(STACK_BYTES), STACK_BYTES);
	ck_assert_uint_eq(stack_guard_bytes(STACK_BYTES), 64 << 10);
	ck_assert_uint_eq(stack_guard_bytes(1 << 20), 64 << 10);
	ck_assert_uint_eq(stack_guard_bytes(32 << 10), 8 << 10);
	ck_assert_uint_eq(stack_rounded_bytes(1), STACK_BYTES_MIN);
	ck_assert_uint_ge(stack_rounded_bytes(100001), 100001);
	ck_assert_uint_eq(stack_rounded_bytes(100001) % (size_t)sysconf(_SC_PAGESIZE), 0);
	ck_assert_ptr_null(stack_pool_create(STACK_BYTES_MAX + 1, 1));
}
END_TEST

START_TEST(tops_are_coloured_and_all_bytes_below_are_usable)
{
	enum { COUNT = 70 }; /* more than a slab has */
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, COUNT);
	size_t usable = STACK_BYTES - stack_guard_bytes(STACK_BYTES);
	struct stack stacks[COUNT];
	bool differ = false;

	for (int i = 0; i < COUNT; i++) {
		size_t size;

		stacks[i] = take(pool);
		size = (size_t)(stacks[i].top - stacks[i].low);
		ck_assert_uint_eq((uintptr_t)stacks[i].top % 64, 0);
		ck_assert_uint_le(size, usable);
		ck_assert_uint_gt(size, usable - 4096);
		differ |= size != (size_t)(stacks[0].top - stacks[0].low);
		memset(stacks[i].low, i + 1, size);
	}
	ck_assert(differ);
	for (int i = 0; i < COUNT; i++) {
		ck_assert_int_eq(stacks[i].low[0], i + 1);
		ck_assert_int_eq(stacks[i].top[-1], i + 1);
		stack_give(pool, stacks[i]);
	}
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(the_guard_holds_the_addresses_right_below_the_stack)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 2);
	struct stack stack = take(pool);
	uintptr_t low = (uintptr_t)stack.low;

	ck_assert(stack_guard_holds(&stack, STACK_BYTES, low - 1));
	ck_assert(stack_guard_holds(&stack, STACK_BYTES, low - (64 << 10)));
	ck_assert(!stack_guard_holds(&stack, STACK_BYTES, low));
	ck_assert(!stack_guard_holds(&stack, STACK_BYTES, low - (64 << 10) - 1));
	ck_assert(!stack_guard_holds(&stack, STACK_BYTES, 0));
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(a_write_to_the_guard_faults_at_its_address)
{
	enum { COUNT = 66 }; /* more than a slab has */
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, COUNT);
	struct stack stacks[COUNT];

	for (int i = 0; i < COUNT; i++)
		stacks[i] = take(pool);
	for (int i = 0; i < COUNT; i += 13) {
		ck_assert(write_faults(stacks[i].low - 1));
		ck_assert(write_faults(stacks[i].low - (64 << 10)));
		ck_assert(!write_faults(stacks[i].low));
		ck_assert(!write_faults(stacks[i].top - 1));
	}
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(guards_that_would_use_up_the_mappings_are_refused)
{
	struct stack_pool *pool = stack_pool_create(32 << 10, 1000);
	struct stack stacks[10], stack;

	stack_guard_force_mappings(20);
	for (int i = 0; i < 10; i++)
		stacks[i] = take(pool);
	ck_assert(!stack_take(pool, &stack));
	ck_assert_ptr_nonnull(strstr(stack_pool_error(pool), "vm.max_map_count"));
	/* What is there goes on working, and a pool that goes leaves room for another. */
	stack_give(pool, stacks[4]);
	ck_assert_ptr_eq(take(pool).low, stacks[4].low);
	stack_pool_destroy(pool);
	pool = stack_pool_create(32 << 10, 1000);
	stack = take(pool);
	stack_give(pool, stack);
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(depth_is_known_to_a_page)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);
	struct stack stack = take(pool);

	ck_assert_uint_eq(stack_used(&stack), 0);
	stack.top[-1] = 1;
	ck_assert_uint_gt(stack_used(&stack), 0);
	ck_assert_uint_le(stack_used(&stack), 4096);
	stack.top[-50000] = 1;
	ck_assert_uint_ge(stack_used(&stack), 50000);
	ck_assert_uint_lt(stack_used(&stack), 50000 + 4096);
	stack.low[0] = 1;
	ck_assert_uint_eq(stack_used(&stack), (size_t)(stack.top - stack.low));
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(a_cool_stack_has_given_its_memory_back_and_is_as_good_as_new)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 2);
	struct stack stack = take(pool), other = take(pool);

	stack.top[-1] = 1;
	stack.low[0] = 1;
	other.top[-1] = 1;
	stack_cool(pool, &stack);
	ck_assert_uint_eq(stack_used(&stack), 0);
	ck_assert_uint_gt(stack_used(&other), 0);
	stack_give(pool, stack);
	stack = take(pool);
	stack.top[-1] = 2;
	ck_assert(!write_faults(stack.low));
	ck_assert(write_faults(stack.low - 1));
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(a_stack_that_is_given_back_stays_warm)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);
	struct stack stack = take(pool);

	stack.top[-1] = 1;
	stack_give(pool, stack);
	ck_assert_uint_gt(stack_used(&stack), 0);
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(stacks_of_a_gigabyte_cost_only_what_is_touched)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES_MAX, 4);
	struct stack a = take(pool), b = take(pool);

	a.top[-1] = 1;
	b.top[-1] = 1;
	a.low[0] = 1;
	stack_give(pool, a);
	stack_give(pool, b);
	stack_pool_destroy(pool);
}
END_TEST

/* Flags of the mapping that holds an address, as the kernel shows them. */
static bool
mapping_has_flag(uintptr_t address, const char *flag)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	char line[512], word[8];
	bool inside = false, found = false;

	ck_assert_ptr_nonnull(file);
	snprintf(word, sizeof word, " %s ", flag);
	while (fgets(line, sizeof line, file) != NULL) {
		uintptr_t from, to;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
			inside = address >= from && address < to;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, word) != NULL;
	}
	fclose(file);
	return found;
}

/* A page that is touched shall not cost 2 MiB, whatever the system's policy is. (Newer kernels
 * see to that by themselves for MAP_STACK.) */
START_TEST(stacks_are_not_made_of_huge_pages)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);
	struct stack stack = take(pool);

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0) {
		stack_give(pool, stack);
		stack_pool_destroy(pool);
		CHECK_SKIP("this kernel has no transparent huge pages");
	}
	ck_assert(mapping_has_flag((uintptr_t)stack.low, "nh"));
	stack_give(pool, stack);
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(a_pool_that_is_destroyed_leaves_nothing_mapped)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);
	struct stack stack = take(pool);
	uintptr_t page = (uintptr_t)stack.low;
	unsigned char resident;

	ck_assert_int_eq(mincore((void *)page, 1, &resident), 0);
	stack_give(pool, stack);
	stack_pool_destroy(pool);
	ck_assert_int_eq(mincore((void *)page, 1, &resident), -1);
	ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

CHECK_MAIN("fiber/stack",
	the_last_one_given_is_taken_first,
	stacks_are_not_made_of_huge_pages,
	a_pool_that_is_destroyed_leaves_nothing_mapped,
	a_pool_refuses_more_than_its_maximum_and_says_so,
	sizes_are_rounded_and_a_quarter_is_guard_up_to_64k,
	tops_are_coloured_and_all_bytes_below_are_usable,
	the_guard_holds_the_addresses_right_below_the_stack,
	a_write_to_the_guard_faults_at_its_address,
	guards_that_would_use_up_the_mappings_are_refused,
	depth_is_known_to_a_page,
	a_cool_stack_has_given_its_memory_back_and_is_as_good_as_new,
	a_stack_that_is_given_back_stays_warm,
	stacks_of_a_gigabyte_cost_only_what_is_touched)
