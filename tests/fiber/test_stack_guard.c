/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "fiber/stack_guard.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "fiber/write_faults.h"
#include "support/check_main.h"

enum { PIECE = 256 << 10, GUARD = 64 << 10, PIECES = 20 };

static uint8_t *
map_pieces(void)
{
	uint8_t *memory = mmap(NULL, PIECES * PIECE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert(memory != MAP_FAILED);
	return memory;
}

static int
count_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	int lines = 0;
	int c;

	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

/* A guard at the start of each piece. */
static uint8_t *
guard_pieces(void)
{
	uint8_t *memory = map_pieces();
	const char *reason = "";

	for (int i = 0; i < PIECES; i++)
		ck_assert_msg(stack_guard_install(memory + i * PIECE, GUARD, &reason), "%s", reason);
	return memory;
}

static void
check_pieces(uint8_t *memory)
{
	for (int i = 0; i < PIECES; i += 6) {
		ck_assert(write_faults(memory + i * PIECE));
		ck_assert(write_faults(memory + i * PIECE + GUARD - 1));
		ck_assert(!write_faults(memory + i * PIECE + GUARD));
		ck_assert(!write_faults(memory + i * PIECE + PIECE - 1));
	}
}

START_TEST(marks_guard_and_split_no_mapping)
{
	int before;
	uint8_t *memory;

	if (stack_guard_kind() != STACK_GUARD_MARK)
		CHECK_SKIP("this kernel has no MADV_GUARD_INSTALL (Linux 6.13)");
	before = count_mappings();
	memory = guard_pieces();
	ck_assert_int_lt(count_mappings(), before + PIECES);
	check_pieces(memory);
	/* Giving the memory around them back does not take them away. */
	ck_assert_int_eq(madvise(memory, PIECES * PIECE, MADV_DONTNEED), 0);
	check_pieces(memory);
	munmap(memory, PIECES * PIECE);
}
END_TEST

START_TEST(mappings_guard_where_there_are_no_marks)
{
	uint8_t *memory;

	stack_guard_force_mappings(0);
	ck_assert_int_eq(stack_guard_kind(), STACK_GUARD_MAPPING);
	memory = guard_pieces();
	ck_assert_int_ge(count_mappings(), 2 * PIECES);
	check_pieces(memory);
	munmap(memory, PIECES * PIECE);
}
END_TEST

START_TEST(mappings_come_to_an_end_with_a_reason)
{
	uint8_t *memory = map_pieces();
	const char *reason = "";

	stack_guard_force_mappings(10);
	for (int i = 0; i < 5; i++)
		ck_assert(stack_guard_install(memory + i * PIECE, GUARD, &reason));
	ck_assert(!stack_guard_install(memory + 5 * PIECE, GUARD, &reason));
	ck_assert_ptr_nonnull(strstr(reason, "raise vm.max_map_count"));
	ck_assert(!write_faults(memory + 5 * PIECE));
	stack_guard_forget(1);
	ck_assert(stack_guard_install(memory + 5 * PIECE, GUARD, &reason));
	munmap(memory, PIECES * PIECE);
}
END_TEST

/* As with mlockall: a locked mapping takes no marks. */
START_TEST(a_locked_mapping_is_guarded_all_the_same)
{
	uint8_t *memory = map_pieces();
	const char *reason = "";

	if (mlock(memory, PIECE) != 0)
		CHECK_SKIP("may not lock memory");
	ck_assert_msg(stack_guard_install(memory, GUARD, &reason), "%s", reason);
	ck_assert(write_faults(memory + GUARD - 1));
	ck_assert(!write_faults(memory + GUARD));
	munmap(memory, PIECES * PIECE);
}
END_TEST

CHECK_MAIN("fiber/stack_guard",
	marks_guard_and_split_no_mapping,
	mappings_guard_where_there_are_no_marks,
	mappings_come_to_an_end_with_a_reason,
	a_locked_mapping_is_guarded_all_the_same)
