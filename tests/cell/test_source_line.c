/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/source_line.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static struct source_lines *lines;
static char text[128];

static const char *
find(uintptr_t address)
{
	memset(text, 'x', sizeof text);
	source_lines_find(lines, address, text, sizeof text);
	return text;
}

/* Whether this very program has lines, as it has not when it was built without -g. */
static bool
has_lines(void)
{
	static char program[64 << 20];
	FILE *file = fopen("/proc/self/exe", "rb");
	size_t size = fread(program, 1, sizeof program, file);

	fclose(file);
	return memmem(program, size, ".debug_line", sizeof ".debug_line") != NULL;
}

/* Where a call of it returns to. */
static __attribute__((noinline)) void
note_return(uintptr_t *address_r)
{
	*address_r = (uintptr_t)__builtin_return_address(0);
	__asm__ volatile("");
}

START_TEST(a_call_is_found_by_where_it_returns_to)
{
#if defined(HAVE_LIBDW)
	static uintptr_t first, second;
	char expected[64];
	int line;

	if (!has_lines())
		CHECK_SKIP("built without debug information");
	if (dlopen("libdw.so.1", RTLD_NOW) == NULL)
		CHECK_SKIP("there is no libdw here");
	/* The second returns to what is another line already. */
	line = __LINE__ + 1;
	note_return(&first);
	note_return(&second);
	lines = source_lines_open();
	snprintf(expected, sizeof expected, "test_source_line.c:%d", line);
	ck_assert_str_eq(find(first), expected);
	snprintf(expected, sizeof expected, "test_source_line.c:%d", line + 1);
	ck_assert_str_eq(find(second), expected);
	source_lines_close(lines);
#else
	(void)has_lines;
	(void)note_return;
	CHECK_SKIP("built without libdw");
#endif
}
END_TEST

START_TEST(without_lines_it_is_the_file_and_the_offset)
{
	void *library = dlopen("libc.so.6", RTLD_NOW);
	uintptr_t address = (uintptr_t)dlsym(library, "getppid");
	unsigned long offset;
	Dl_info info;

	ck_assert_int_ne(dladdr((void *)address, &info), 0);
	lines = source_lines_open();
	find(address + 4);
	if (strncmp(text, "libc.so", 7) != 0)
		CHECK_SKIP("the C library has lines here: %s", text);
	ck_assert_ptr_nonnull(strchr(text, '+'));
	offset = strtoul(strchr(text, '+') + 1, NULL, 16);
	ck_assert_uint_eq(offset, address + 3 - (uintptr_t)info.dli_fbase);
	source_lines_close(lines);
	dlclose(library);
}
END_TEST

START_TEST(what_is_no_code_has_no_place)
{
	static int on_heap;
	void *piece = malloc(100);

	(void)on_heap;
	lines = source_lines_open();
	ck_assert_str_eq(find(0), "");
	ck_assert_str_eq(find(1), "");
	ck_assert_str_eq(find((uintptr_t)piece), "");
	ck_assert_str_eq(find(UINTPTR_MAX), "");
	source_lines_close(lines);
	free(piece);
}
END_TEST

START_TEST(a_place_is_cut_to_the_room_that_there_is)
{
	char small[8];
	uintptr_t address;

	note_return(&address);
	lines = source_lines_open();
	find(address);
	ck_assert_uint_gt(strlen(text), sizeof small);
	memset(small, 'x', sizeof small);
	source_lines_find(lines, address, small, sizeof small);
	ck_assert_uint_eq(strlen(small), sizeof small - 1);
	ck_assert_int_eq(strncmp(small, text, sizeof small - 1), 0);
	source_lines_close(lines);
}
END_TEST

START_TEST(it_may_be_asked_again_and_again)
{
	uintptr_t address;
	char first[sizeof text];
	int i;

	note_return(&address);
	for (i = 0; i < 3; i++) {
		lines = source_lines_open();
		find(address);
		if (i == 0)
			memcpy(first, text, sizeof first);
		ck_assert_str_eq(text, first);
		source_lines_close(lines);
	}
}
END_TEST

CHECK_MAIN("cell/source_line",
	a_call_is_found_by_where_it_returns_to,
	without_lines_it_is_the_file_and_the_offset,
	what_is_no_code_has_no_place,
	a_place_is_cut_to_the_room_that_there_is,
	it_may_be_asked_again_and_again)
